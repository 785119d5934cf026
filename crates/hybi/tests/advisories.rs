//! Published advisories against other implementations, each with the octets, or the call, that shows the defect: a
//! library that has it fails the test of that name, or does not come to its end: what was quadratic is asked for
//! millions of octets. What keeps them out here is told in `hybi::manual::past_mistakes`. Tests without an identifier
//! are of mistakes that are easily made.
//!
//! Octets are as the advisories' reproductions send them to a server: masked with `a1b2c3d4`.

#![cfg(all(feature = "handshake", any(feature = "deflate", feature = "zlib-rs")))]
#![allow(clippy::unwrap_used, clippy::panic, reason = "a test says by a panic what is wrong")]

use hybi::extension::permessage_deflate::{Deflate, DeflateConfig, Deflater, Level, Params, WindowBits};
use hybi::extension::{AgreeError, parse_offers};
use hybi::handshake::{ClientHandshake, ClientRequest, Incoming, Outcome, ServerHandshake, ServerSettings};
use hybi::{
    Agreement, BoxEntropy, CloseCode, CloseFrame, Config, Connection, HandshakeError, ProtocolError, Role,
    State, UsageError,
};
use hybi_test::alloc::{Counting, Measure, fill, look_away};
use hybi_test::endpoint::{
    Memory, config, fixed_entropy, open, open_agreed, open_with, receive, transmit_all,
};
use hybi_test::frames::{Frame, first, mask_frame, read_all, read_extended, to};
use hybi_test::octets::parse;
use hybi_test::record::Record;

#[global_allocator]
static ALLOCATOR: Counting = Counting;

const KIB: isize = 1024;
/// So many octets that quadratic work does not end.
const MANY: usize = 2 << 20;

/// What a server makes of octets that are written down as in a transcript, in every way to hand them over.
fn server_gets(octets: &str) -> Vec<Record> {
    server_with(Config::default(), octets)
}

fn server_with(config: Config, octets: &str) -> Vec<Record> {
    let octets = parse(octets).unwrap();
    let outcome = |memory: Memory, n: usize| {
        let mut connection = open_with(Role::Server, config.clone());
        let mut events = Vec::new();
        octets.chunks(n).for_each(|read| memory.feed(&mut connection, read, &mut events));
        events
    };
    let whole = outcome(Memory::Lent, octets.len());
    for memory in Memory::ALL {
        assert_eq!(outcome(memory, octets.len()), whole, "{memory:?}");
        assert_eq!(outcome(memory, 1), whole, "{memory:?}, octet by octet");
    }
    whole
}

/// What it makes of them costs at most so much memory; the events may be looked at.
fn costs_at_most(most: isize, connection: &mut Connection, octets: &[u8]) -> Option<ProtocolError> {
    let mut failed = None;
    let measure = Measure::start();
    for read in octets.chunks(1500) {
        Memory::Own.show(connection, read, |event| {
            if let hybi::Event::Failed(error) = event {
                failed = Some(*error);
            }
        });
    }
    assert!(measure.peak() <= most, "{} octets were held", measure.peak());
    failed
}

fn failed(error: ProtocolError) -> Vec<Record> {
    vec![Record::Failed(error)]
}

fn compressing(role: Role, config: Config) -> Connection {
    let deflate = Deflate::new(DeflateConfig::default(), Params::default());
    open_agreed(role, Agreement::default().with_deflate(deflate), config)
}

fn deflated(message: &[u8]) -> Vec<u8> {
    let mut out = Vec::new();
    Deflater::new(WindowBits::MAX, false, Level::default()).deflate(message, &mut out, true).unwrap();
    out
}

/// A good request, with lines that are added to it.
fn request(lines: &str) -> String {
    format!(
        "GET / HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: upgrade\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n{lines}\r\n"
    )
}

/// The status of a server's answer and why; `None` if the request is good.
fn refusal(text: &str) -> Option<(u16, HandshakeError)> {
    refusal_with(Config::default(), text)
}

/// No limit keeps the work small.
fn endless_heads() -> Config {
    config(|config| config.limits.head_bytes = usize::MAX / 2)
}

fn refusal_with(config: Config, text: &str) -> Option<(u16, HandshakeError)> {
    let mut server = ServerHandshake::new(config, ServerSettings::default());
    for read in text.as_bytes().chunks(100) {
        let _ = server.receive(read);
    }
    let error = match server.poll_event() {
        Some(Incoming::Failed(error)) => error,
        _ => return None,
    };
    let answer = str::from_utf8(server.transmit()).unwrap();
    assert!(
        answer.contains("\r\nConnection: close\r\n") || answer.contains("\r\nConnection: upgrade, close\r\n")
    );
    Some((answer[9..12].parse().unwrap(), error))
}

// ---- lengths

/// CVE-2022-35922. A gibibyte is announced, and with no limit in the way nothing of it comes.
#[test]
fn rustsec_2022_0035_memory_was_allocated_for_what_was_announced() {
    let octets = parse("82ff0000000040000000a1b2c3d4 00").unwrap();
    assert_eq!(costs_at_most(64 * KIB, &mut open(Role::Server), &octets), Some(ProtocolError::FrameTooBig));
    let unlimited = config(|config| (config.limits.frame, config.limits.message) = (1 << 40, 1 << 40));
    assert_eq!(costs_at_most(64 * KIB, &mut open_with(Role::Server, unlimited), &octets), None);
}

/// The header's length and the payload's are added, and wrap.
#[test]
fn cve_2020_27813_lengths_were_added_without_a_check() {
    assert_eq!(server_gets("82fffffffffffffffff2a1b2c3d4"), failed(ProtocolError::LengthOverflow));
    // Fragments whose sum wraps.
    let unlimited =
        config(|config| (config.limits.frame, config.limits.message) = (usize::MAX, usize::MAX - 1));
    assert_eq!(
        server_with(unlimited, "0281a1b2c3d4db 00ff7fffffffffffffffa1b2c3d4 00"),
        [],
        "as much as 63 bits can say, and none of it is there"
    );
}

#[test]
fn cve_2026_1528_a_length_of_64_bits_was_a_number_that_cannot_hold_it() {
    assert_eq!(server_gets("82ffffffffffffffffffa1b2c3d4"), failed(ProtocolError::LengthOverflow));
    assert_eq!(server_gets("82ff0020000000000001a1b2c3d4"), failed(ProtocolError::FrameTooBig)); // 2^53 + 1
}

/// An invalid length, and then nothing: the call returns, and it is said at once.
#[test]
fn cve_2020_13935_an_invalid_length_made_the_reader_go_in_circles() {
    assert_eq!(server_gets("81ff8000000000000000"), failed(ProtocolError::LengthOverflow));
    assert_eq!(server_gets("89fe"), failed(ProtocolError::ControlTooLong));
}

#[test]
fn cve_2026_19204_an_unknown_opcode_was_read_to_its_end() {
    assert_eq!(server_gets("83"), failed(ProtocolError::ReservedOpcode));
    assert_eq!(server_gets("83ff0000010000000000a1b2c3d4"), failed(ProtocolError::ReservedOpcode));
}

#[test]
fn cve_2026_44545_nobody_set_a_limit() {
    let mut connection = open(Role::Server);
    let frame = mask_frame(&[&hybi_test::frames::header(0x02, 16 << 20)[..], &[0]].concat());
    assert_eq!(receive(&mut connection, &frame), []);
    let mut over = open(Role::Server);
    let frame = mask_frame(&[&hybi_test::frames::header(0x02, (16 << 20) + 1)[..], &[0]].concat());
    assert_eq!(receive(&mut over, &frame), failed(ProtocolError::FrameTooBig));
}

// ---- many small pieces

/// 131,000 fragments of one octet, as much as its new limit first allowed.
#[test]
fn cve_2026_48779_a_fragment_cost_an_object() {
    let many = config(|config| config.limits.fragments = 200_000);
    let octets = [parse("0281a1b2c3d4db").unwrap(), parse("{0081a1b2c3d4db * 131000}").unwrap()].concat();
    assert_eq!(costs_at_most(2 * 131_000 + 64 * KIB, &mut open_with(Role::Server, many), &octets), None);
    let failed = costs_at_most(128 * KIB, &mut open(Role::Server), &octets);
    assert_eq!(failed, Some(ProtocolError::TooManyFragments));
}

#[test]
fn cve_2026_12151_empty_fragments_were_not_counted() {
    let octets = [parse("0280a1b2c3d4").unwrap(), parse("{0080a1b2c3d4 * 100000}").unwrap()].concat();
    let failed = costs_at_most(16 * KIB, &mut open(Role::Server), &octets);
    assert_eq!(failed, Some(ProtocolError::TooManyEmptyFragments));
}

/// Netty and Bandit (CVE-2026-42786): each frame is small enough, and there is no end of them.
#[test]
fn cve_2014_0193_the_limit_was_for_a_frame_and_not_for_the_message() {
    let limited = config(|config| config.limits.message = 10_000);
    let octets =
        [to(Role::Server, 0x02, &[1; 1000]), to(Role::Server, 0x00, &[1; 1000]).repeat(1000)].concat();
    let failed = costs_at_most(32 * KIB, &mut open_with(Role::Server, limited), &octets);
    assert_eq!(failed, Some(ProtocolError::MessageTooBig));
}

#[test]
fn rustsec_2026_0258_frames_were_queued_for_who_does_not_look() {
    let mut connection = open(Role::Server);
    let frames = parse("{8080a1b2c3d4 * 1}").unwrap();
    let octets = [to(Role::Server, first::BINARY, b""), frames].concat().repeat(50_000);
    let measure = Measure::start();
    let taken = connection.receive_copy(&octets);
    assert!(taken < octets.len() && measure.peak() <= 130 * KIB, "{taken}, {}", measure.peak());
}

// ---- compression

/// And CVE-2026-39804, CVE-2026-1526, CVE-2026-54490, CVE-2026-54464: 16 MiB of zeros in 16 KiB.
#[test]
fn cve_2018_1000518_the_limit_was_for_the_compressed_size() {
    let bomb = look_away(|| to(Role::Server, 0xC2, &deflated(&vec![0; 16 << 20])));
    assert!(bomb.len() < 20_000);
    let limited = config(|config| config.limits.message = 100_000);
    let failed = costs_at_most(400 * KIB, &mut compressing(Role::Server, limited), &bomb);
    assert_eq!(failed, Some(ProtocolError::MessageTooBig));
}

#[test]
fn cve_2026_2229_window_bits_of_the_peer_were_not_checked() {
    let settings = DeflateConfig::default();
    for bits in ["16", "7", "08", "+9", "9.0", "0x9", "1e1", "4294967304", "-8", "\"\""] {
        let text = format!("permessage-deflate; server_max_window_bits={bits}");
        let Ok(offers) = parse_offers([text.as_bytes()]) else { continue };
        assert_eq!(settings.answer(&offers), None, "a server declines {bits}");
        assert!(settings.agree(&offers[0]).is_err(), "a client fails on {bits}");
    }
}

/// Tables that are made for nothing, and distances before the beginning. In a thread with a small stack.
#[test]
fn rustsec_2024_0401_hostile_deflate_overflowed_the_stack() {
    let run = || {
        let mut seed = hybi_test::dice::Dice::seeded(1);
        for _ in 0..200 {
            let noise = to(Role::Server, 0xC2, &seed.octets(2000));
            receive(&mut compressing(Role::Server, Config::default()), &noise);
        }
        let blocks = [parse("{0208208000 * 20000}").unwrap(), vec![0]].concat();
        let events =
            receive(&mut compressing(Role::Server, Config::default()), &to(Role::Server, 0xC2, &blocks));
        assert_eq!(events, [Record::Binary(Vec::new())]);
    };
    std::thread::Builder::new().stack_size(256 * 1024).spawn(run).unwrap().join().unwrap();
}

/// A bit that was offered and not agreed on means nothing.
#[test]
fn a_compressed_frame_where_nothing_was_agreed() {
    assert_eq!(server_gets("c18a a1b2c3d4"), failed(ProtocolError::ReservedBits));
}

// ---- the opening handshake

/// CVE-2023-43669: a head that comes octet by octet.
#[test]
fn rustsec_2023_0065_the_head_was_parsed_again_at_each_read() {
    let long = request(&format!("X: {}\r\n", "a".repeat(MANY)));
    let measure = Measure::start();
    let mut server = ServerHandshake::new(endless_heads(), ServerSettings::default());
    for octet in long.as_bytes().chunks(1) {
        assert_eq!(server.receive(octet), 1);
    }
    assert!(matches!(server.poll_event(), Some(Incoming::Upgrade(_))));
    // Parsing asks for memory; `src::http::head` counts the looks.
    assert!(measure.allocations() < 60, "{} allocations", measure.allocations());
}

/// Upgrade stands behind more fields than are looked at.
#[test]
fn cve_2024_37890_fields_above_a_limit_were_dropped() {
    let many = request(&"a: b\r\n".repeat(2_000)).replace("Upgrade: websocket\r\n", "");
    let text = many.trim_end().to_owned() + "\r\nUpgrade: websocket\r\n\r\n";
    assert_eq!(refusal(&text), Some((431, HandshakeError::HeadTooLarge)));
}

#[test]
fn cve_2026_54465_a_head_had_no_limit() {
    for endless in ["a: b\r\n".repeat(100_000), format!("X: {}", "a".repeat(16 << 20))] {
        let text = request("").trim_end().to_owned() + "\r\n" + &endless;
        let measure = Measure::start();
        assert_eq!(refusal(&text), Some((431, HandshakeError::HeadTooLarge)));
        assert!(measure.peak() <= 64 * KIB, "{}", measure.peak());
    }
}

/// A list of subprotocols that is spoilt at its end.
#[test]
fn cve_2021_32640_blanks_in_a_list_took_quadratic_time() {
    let spoilt = format!("Sec-WebSocket-Protocol: b{}x\r\n", " ".repeat(MANY));
    assert_eq!(refusal_with(endless_heads(), &request(&spoilt)), Some((400, HandshakeError::BadProtocol)));
}

/// And CVE-2020-7663.
#[test]
fn cve_2020_7662_a_string_without_an_end_took_quadratic_time() {
    let spoilt = format!("Sec-WebSocket-Extensions: a; b=\"{}\r\n", "\\c".repeat(MANY));
    assert_eq!(refusal_with(endless_heads(), &request(&spoilt)), Some((400, HandshakeError::BadExtensions)));
}

#[test]
fn npm_550_an_extension_was_looked_up_among_built_in_names() {
    for name in ["constructor", "__proto__", "toString", "hasOwnProperty"] {
        assert_eq!(refusal(&request(&format!("Sec-WebSocket-Extensions: {name}\r\n"))), None, "{name}");
    }
}

#[test]
fn cve_2026_61666_an_invalid_host_was_an_error_that_nobody_caught() {
    for host in ["[::1", "a b", "h:99999", "h/", "@", "[::g]", ""] {
        let text = request("").replace("Host: h", &format!("Host: {host}"));
        assert_eq!(refusal(&text), Some((400, HandshakeError::BadHost)), "{host:?}");
    }
}

/// And RUSTSEC-2017-0002.
#[test]
fn cve_2026_1527_a_line_break_of_the_caller_began_a_new_field() {
    assert!(ClientRequest::new("ws://h/a\r\nX: 1").is_err());
    assert_eq!(ClientRequest::new("ws://h/a b").unwrap().uri().target(), "/a%20b");
    let request = || ClientRequest::new("ws://h/").unwrap();
    assert!(request().with_subprotocol("a\r\nX: 1").is_err());
    assert!(request().with_header("A", "b\r\nX: 1").is_err());
    assert!(request().with_header("A: b\r\nX", "1").is_err());
    assert!(request().with_origin("https://a\r\nX: 1").is_err());
}

/// And RUSTSEC-2021-0078: a proxy before us may take a body for a second request, or the other way round.
#[test]
fn rustsec_2021_0020_lengths_of_bodies_were_read_leniently() {
    for line in [
        "Content-Length: 5",
        "Content-Length: +5",
        "Transfer-Encoding: chunked",
        "Transfer-Encoding: xchunked",
    ] {
        let text = request(&format!("{line}\r\n")) + "hello";
        assert_eq!(refusal(&text), Some((400, HandshakeError::BadHttp)), "{line}");
    }
}

#[test]
fn ghsa_p773_8mf4_rjm5_nobody_looked_at_the_origin() {
    let mut server = ServerHandshake::new(Config::default(), ServerSettings::default());
    let _ = server.receive(request("Origin: https://evil.test\r\n").as_bytes());
    let Some(Incoming::Upgrade(request)) = server.poll_event() else { panic!("a good request") };
    assert_eq!(request.origin(), Some("https://evil.test"));
    assert!(!request.origin_allowed(&["https://good.test"]));
    assert!(request.origin_allowed(&["https://evil.test"]));
}

/// The answer of a server to whom the client never offered it.
#[test]
fn an_extension_that_was_never_offered_is_no_agreement() {
    let request = ClientRequest::new("ws://h/").unwrap().with_key("dGhlIHNhbXBsZSBub25jZQ==").unwrap();
    let mut client = ClientHandshake::new(request, Config::default(), BoxEntropy::new(fixed_entropy));
    let answer = "HTTP/1.1 101 x\r\nUpgrade: websocket\r\nConnection: upgrade\r\n\
        Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\nSec-WebSocket-Extensions: permessage-deflate\r\n\r\n";
    let _ = client.receive(answer.as_bytes());
    let refused = HandshakeError::UnacceptableExtensions(AgreeError::NotOffered);
    assert!(matches!(client.poll_event(), Some(Outcome::Failed(error)) if error == refused));
}

// ---- sending

/// CVE-2020-35896: the peer does not read.
#[test]
fn rustsec_2020_0043_what_waits_to_be_sent_had_no_bound() {
    let mut connection = open(Role::Server);
    let measure = Measure::start();
    let payload = look_away(|| vec![0; 60_000]);
    let refused = (0..10_000).find_map(|_| connection.send(&payload).err());
    assert_eq!(refused, Some(UsageError::QueueFull));
    assert!(measure.peak() <= 34 << 20, "{}", measure.peak());
    look_away(|| drop(payload));
}

/// The same as for pings: who asks and does not read.
#[test]
fn rustsec_2024_0003_an_answer_was_queued_for_each_frame() {
    let octets = parse("{8980a1b2c3d4 * 100000}").unwrap();
    assert_eq!(costs_at_most(64 * KIB, &mut open(Role::Server), &octets), None);
}

/// And CVE-2026-45736: whatever fresh memory holds, the same octets are sent.
#[test]
fn ghsa_2mhh_w6q8_5hxw_memory_was_sent_that_nobody_had_written() {
    let sent = |octet| {
        fill(Some(octet));
        let mut connection = compressing(Role::Client, Config::default());
        let mut sent = Vec::new();
        connection.ping(b"5").unwrap();
        connection.send(&b"compressed, ".repeat(100)).unwrap();
        receive(&mut connection, &to(Role::Client, first::PING, b"?"));
        let frame = CloseFrame::new(CloseCode::NORMAL, "bye").unwrap();
        connection.close_with(Some(&frame)).unwrap();
        sent.extend(transmit_all(&mut connection));
        fill(None);
        sent
    };
    let zeros = sent(0x00);
    assert_eq!(read_extended(Role::Client, &zeros, 4).unwrap().len(), 4);
    assert_eq!([sent(0xAA), sent(0xFF)], [zeros.clone(), zeros]);
}

#[test]
fn cve_2025_10148_one_masking_key_served_a_whole_connection() {
    let mut state = 0u32;
    let entropy = move |out: &mut [u8]| {
        for octet in out {
            state = state.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            *octet = (state >> 24) as u8;
        }
    };
    let mut client = Connection::client(Agreement::default(), Config::default(), entropy);
    for _ in 0..100 {
        client.send(b"").unwrap();
    }
    let sent = read_all(Role::Client, &transmit_all(&mut client)).unwrap();
    let keys: std::collections::BTreeSet<_> = sent.iter().map(|frame| frame.key).collect();
    assert_eq!(keys.len(), 100);
}

/// Small messages are kept, and what they came in is large.
#[test]
fn a_small_message_that_is_kept_does_not_keep_what_it_came_in() {
    let mut connection = open(Role::Server);
    let mut read = look_away(|| {
        [to(Role::Server, first::TEXT, b"sixteen octets!!"), to(Role::Server, first::BINARY, &[0; 60_000])]
            .concat()
    });
    let measure = Measure::start();
    let mut input = connection.receive(&mut read);
    let kept = input.poll_event().and_then(hybi::Event::into_message).unwrap();
    while input.poll_event().is_some() {}
    drop(input);
    assert!(kept.as_bytes().len() == 16 && measure.held() <= 128, "{}", measure.held());
}

// ---- after the end

#[test]
fn cve_2025_5399_a_packet_kept_the_reader_in_a_loop() {
    // Each call takes something or says that it needs more; here there is nothing to wait for.
    for role in [Role::Client, Role::Server] {
        for seed in 0..300 {
            let octets = hybi_test::dice::Dice::seeded(seed).octets(40);
            let mut connection = open(role);
            let mut memory = octets.clone();
            let mut input = connection.receive(&mut memory);
            let steps = (0..=octets.len() + 2).take_while(|_| input.poll_event().is_some()).count();
            assert!(steps <= octets.len() + 1, "seed {seed}: {steps} events of {} octets", octets.len());
        }
    }
}

/// An unmasked frame: the error is told, and the frame is not delivered all the same.
#[test]
fn an_error_that_is_told_is_also_the_end() {
    let mut connection = open(Role::Server);
    assert_eq!(receive(&mut connection, b"\x81\x02hi"), failed(ProtocolError::UnmaskedFrame));
    let sent = read_all(Role::Server, &transmit_all(&mut connection)).unwrap();
    assert_eq!(sent.iter().map(Frame::close_code).collect::<Vec<_>>(), [Some(1002)]);
    assert_eq!(receive(&mut connection, &to(Role::Server, first::TEXT, b"hi")), []);
    assert_eq!(connection.state(), State::Closing);
}

/// A text that is cut inside of a character, with an empty last fragment behind it.
#[test]
fn half_a_character_at_the_end_of_a_message_is_no_text() {
    assert_eq!(server_gets("0182a1b2c3d44330 8080a1b2c3d4"), failed(ProtocolError::InvalidUtf8));
}

/// RFC 7692 §7.2.3.4: a last block inside of a message, and a message behind it.
#[test]
fn a_last_block_is_not_the_end_of_all_messages() {
    let mut connection = compressing(Role::Server, Config::default());
    let hello = parse("c188a1b2c3d452fa0e1d68b5c3d4").unwrap();
    assert_eq!(receive(&mut connection, &hello), [Record::text("Hello")]);
    assert_eq!(receive(&mut connection, &hello), [Record::text("Hello")]);
}

//! What a client makes of a response (RFC 6455 §4.1, behind item 12).

use hybi::extension::AgreeError;
use hybi::handshake::{ClientHandshake, ClientRequest, Outcome, Response};
use hybi::{Config, HandshakeError};

use crate::{ACCEPT, client_request, cuts, entropy, response_with};
use HandshakeError::*;

fn receive(request: &ClientRequest, config: &Config, pieces: &[&[u8]]) -> (Option<Outcome>, ClientHandshake) {
    let mut client = ClientHandshake::new(request.clone(), config.clone(), entropy());
    for piece in pieces {
        assert_eq!(client.receive(piece), piece.len());
    }
    let outcome = client.poll_event();
    assert!(client.poll_event().is_none(), "one event");
    (outcome, client)
}

/// The chosen subprotocol, or the error; the same for every cut, and with octets behind.
fn verdict_with(
    request: &ClientRequest,
    config: &Config,
    text: &str,
) -> Result<Option<String>, HandshakeError> {
    let once = |pieces: &[&[u8]]| match receive(request, config, pieces).0 {
        Some(Outcome::Opened(response)) => Ok(response.subprotocol().map(str::to_owned)),
        Some(Outcome::Failed(error)) => Err(error),
        None => panic!("{text:?}: nothing"),
    };
    let whole = once(&[text.as_bytes()]);
    for pieces in cuts(text.as_bytes()) {
        assert_eq!(once(&pieces), whole, "{text:?} cut into {}", pieces.len());
    }
    let trailed = [text.as_bytes(), &[0x81, 0x02, 0x68, 0x69]].concat();
    assert_eq!(once(&[&trailed]), whole, "{text:?} and more");
    whole
}

fn verdict(text: &str) -> Result<Option<String>, HandshakeError> {
    verdict_with(&client_request("ws://h/"), &Config::default(), text)
}

fn check(rows: &[(&[&str], Result<(), HandshakeError>)]) {
    for (lines, expected) in rows {
        assert_eq!(verdict(&response_with(lines)).map(|_| ()), *expected, "{lines:?}");
    }
}

fn refused(text: &str) -> Response {
    let (outcome, client) = receive(&client_request("ws://h/"), &Config::default(), &[text.as_bytes()]);
    assert!(matches!(outcome, Some(Outcome::Failed(_))), "{outcome:?}");
    client.into_response().expect("one came")
}

#[test]
fn upgrade_is_websocket_and_connection_names_upgrade() {
    check(&[
        (&[], Ok(())),
        (&["upgrade: WebSocket"], Ok(())),
        (&["Upgrade"], Err(BadUpgrade)),
        (&["Upgrade:"], Err(BadUpgrade)),
        (&["Upgrade: h2c"], Err(BadUpgrade)),
        (&["Upgrade: websocket, h2c"], Err(BadUpgrade)),
        (&["Upgrade: h2c, websocket"], Err(BadUpgrade)),
        (&["Upgrade: websocket", "Upgrade: websocket"], Err(BadUpgrade)),
        (&["CONNECTION: keep-alive, UPGRADE"], Ok(())),
        (&["Connection: keep-alive", "Connection: upgrade"], Ok(())),
        (&["Connection"], Err(BadConnection)),
        (&["Connection: keep-alive"], Err(BadConnection)),
    ]);
}

#[test]
fn there_is_one_accept_and_it_is_the_answer_to_our_key() {
    check(&[
        (&[&format!("Sec-WebSocket-Accept: \t {ACCEPT} ")], Ok(())),
        (&["Sec-WebSocket-Accept"], Err(BadAccept)),
        (&["Sec-WebSocket-Accept:"], Err(BadAccept)),
        (&["Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOO="], Err(BadAccept)),
        (&[&format!("Sec-WebSocket-Accept: {}", ACCEPT.to_lowercase())], Err(BadAccept)),
        (&[&format!("Sec-WebSocket-Accept: {ACCEPT}="), "X: 1"], Err(BadAccept)),
        (
            &[&format!("Sec-WebSocket-Accept: {ACCEPT}"), &format!("Sec-WebSocket-Accept: {ACCEPT}")],
            Err(BadAccept),
        ),
    ]);
}

#[test]
fn an_extension_that_was_not_offered() {
    check(&[
        (
            &["Sec-WebSocket-Extensions: permessage-deflate"],
            Err(UnacceptableExtensions(AgreeError::NotOffered)),
        ),
        (&["Sec-WebSocket-Extensions: ;"], Err(BadExtensions)),
        (&["Sec-WebSocket-Extensions:"], Err(BadExtensions)),
    ]);
}

#[test]
fn the_subprotocol_is_one_of_those_offered() {
    let offering = client_request("ws://h/")
        .with_subprotocol("v2")
        .and_then(|r| r.with_subprotocol("v1"))
        .expect("good");
    let verdict = |request: &ClientRequest, lines: &[&str]| {
        verdict_with(request, &Config::default(), &response_with(lines))
    };
    assert_eq!(verdict(&offering, &["sec-websocket-PROTOCOL: v1"]), Ok(Some("v1".into())));
    assert_eq!(verdict(&offering, &[]), Ok(None));
    for lines in [
        &["Sec-WebSocket-Protocol: v3"][..],
        &["Sec-WebSocket-Protocol: V1"],
        &["Sec-WebSocket-Protocol:"],
        &["Sec-WebSocket-Protocol: v2, v1"],
        &["Sec-WebSocket-Protocol: v2,"],
        &["Sec-WebSocket-Protocol: v2", "Sec-WebSocket-Protocol: v2"],
        &["Sec-WebSocket-Protocol: v2", "Sec-WebSocket-Protocol: v1"],
    ] {
        assert_eq!(verdict(&offering, lines), Err(BadProtocol), "{lines:?}");
    }
    let none = client_request("ws://h/");
    assert_eq!(verdict(&none, &["Sec-WebSocket-Protocol: v1"]), Err(BadProtocol));
    let requiring = offering.requiring_subprotocol();
    assert_eq!(verdict(&requiring, &[]), Err(BadProtocol));
    assert_eq!(verdict(&requiring, &["Sec-WebSocket-Protocol: v2"]), Ok(Some("v2".into())));
    assert_eq!(verdict(&none.requiring_subprotocol(), &[]), Ok(None), "none was offered");
}

#[test]
fn what_is_not_http_1_1() {
    let good = response_with(&[]);
    let line = "HTTP/1.1 101 Switching Protocols";
    for first in [
        "SSH-2.0-OpenSSH_9.9",
        "HTTP/1.0 101 Switching Protocols",
        "HTTP/2 101 Switching Protocols",
        "http/1.1 101 Switching Protocols",
        "\r\nHTTP/1.1 101 Switching Protocols",
        " HTTP/1.1 101 Switching Protocols",
        "HTTP/1.1  101 Switching Protocols",
        "HTTP/1.1 1o1 Switching Protocols",
        "HTTP/1.1 1010 Switching Protocols",
        "HTTP/1.1 001 Switching Protocols",
        "HTTP/1.1 101 a\x01",
    ] {
        assert_eq!(verdict(&good.replacen(line, first, 1)), Err(BadHttp), "{first:?}");
    }
    for first in ["HTTP/1.1 101", "HTTP/1.1 101 ", "HTTP/1.1 101 OK", "HTTP/1.1 101 \u{e4}"] {
        assert_eq!(verdict(&good.replacen(line, first, 1)), Ok(None), "{first:?}");
    }
    for bad in ["X : 1\r\n", " X: 1\r\n", "X: a\nb\r\n", "X\r\n"] {
        assert_eq!(
            verdict(&good.replacen("Upgrade:", &format!("{bad}Upgrade:"), 1)),
            Err(BadHttp),
            "{bad:?}"
        );
    }
}

#[test]
fn another_status_shows_the_answer() {
    assert_eq!(verdict("HTTP/1.1 403 No\r\n\r\n"), Err(UnexpectedStatus(403)));
    assert_eq!(verdict("HTTP/1.1 200 OK\r\nUpgrade: websocket\r\n\r\n"), Err(UnexpectedStatus(200)));
    assert_eq!(verdict("HTTP/1.1 999 What\r\n\r\n"), Err(UnexpectedStatus(999)));
    let response =
        refused("HTTP/1.1 401 \r\nWWW-Authenticate: Basic\r\nwww-authenticate: Digest\r\n\r\nwho?");
    assert_eq!((response.status(), response.body()), (401, &b"who?"[..]));
    assert_eq!(response.fields().get_all("WWW-Authenticate").count(), 2);
    let response = refused(&response_with(&["Upgrade: h2c", "Set-Cookie: hush"]));
    assert_eq!((response.status(), response.fields().len()), (101, 4), "a broken 101 shows its head too");
    assert!(!format!("{response:?}").contains("hush"));
}

#[test]
fn the_body_is_collected_as_it_comes() {
    let (outcome, mut client) = receive(
        &client_request("ws://h/"),
        &Config::default(),
        &[b"HTTP/1.1 503 \r\nContent-Length: 9\r\nRetry-After: 30\r\n\r\ncome"],
    );
    assert!(matches!(outcome, Some(Outcome::Failed(UnexpectedStatus(503)))), "at once");
    assert!(!client.wants_close());
    assert_eq!(client.receive(b" back and more"), 14);
    assert!(client.wants_close() && client.poll_event().is_none());
    assert_eq!(client.response().map(Response::body), Some(&b"come back"[..]));

    let chunked =
        refused("HTTP/1.1 404 \r\nTransfer-Encoding: chunked\r\n\r\n3\r\nno \r\n4\r\nway\n\r\n0\r\n\r\nX");
    assert_eq!(chunked.body(), b"no way\n");
    // A coding that is not read: all of it, as it came, to the end of the transport.
    let coded = refused("HTTP/1.1 404 \r\nTransfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\nno way");
    assert_eq!(coded.body(), b"no way");
    // What comes behind a body is not of it, nor where there can be none.
    let pieces: [&[u8]; 3] = [b"HTTP/1.1 404 \r\nContent-Length: 2\r\n\r\nno", b"way", b"!"];
    let (_, client) = receive(&client_request("ws://h/"), &Config::default(), &pieces);
    assert_eq!(client.response().map(Response::body), Some(&b"no"[..]));
    assert_eq!(refused("HTTP/1.1 304 \r\nContent-Length: 2\r\n\r\nno").body(), b"");
    let endless = refused(&format!("HTTP/1.1 500 \r\n\r\n{}", "x".repeat(1 << 20)));
    assert_eq!(endless.body().len(), 16 << 10);

    let (_, mut client) =
        receive(&client_request("ws://h/"), &Config::default(), &[b"HTTP/1.1 500 \r\n\r\nabc"]);
    assert!(!client.wants_close());
    client.receive_eof();
    assert!(client.wants_close() && client.poll_event().is_none());
}

#[test]
fn interim_answers_are_skipped() {
    let good = response_with(&[]);
    assert_eq!(verdict(&format!("HTTP/1.1 100 Continue\r\n\r\n{good}")), Ok(None));
    let early = "HTTP/1.1 103 Early Hints\r\nLink: </x>\r\nContent-Length: 5\r\n\r\n";
    assert_eq!(verdict(&format!("{early}HTTP/1.1 199 \r\n\r\n{good}")), Ok(None));
    assert_eq!(verdict(&format!("{early}HTTP/1.1 403 \r\n\r\n")), Err(UnexpectedStatus(403)));
    // All heads together have the room of one.
    let mut config = Config::default();
    config.limits.head_bytes = early.len() * 2 + good.len();
    let verdict = |text: &str| verdict_with(&client_request("ws://h/"), &config, text);
    assert_eq!(verdict(&format!("{early}{early}{good}")), Ok(None));
    assert_eq!(verdict(&format!("{early}{early}{early}{good}")), Err(HeadTooLarge));
    assert_eq!(verdict(&early.repeat(1_000)), Err(HeadTooLarge));
}

#[test]
fn a_body_of_a_101_is_none() {
    // RFC 9110 §8.6, §15.2.2: what follows are frames, whatever the fields say.
    for line in ["Content-Length: 100", "Transfer-Encoding: chunked"] {
        assert_eq!(verdict(&response_with(&[line])), Ok(None), "{line}");
    }
}

#[test]
fn limits_are_for_octets_and_fields() {
    let mut config = Config::default();
    config.limits.head_fields = 3;
    config.limits.head_bytes = response_with(&[]).len();
    let request = client_request("ws://h/");
    assert_eq!(verdict_with(&request, &config, &response_with(&[])), Ok(None));
    config.limits.head_bytes -= 1;
    assert_eq!(verdict_with(&request, &config, &response_with(&[])), Err(HeadTooLarge));
    config.limits.head_bytes = 1 << 20;
    assert_eq!(verdict_with(&request, &config, &response_with(&["X: 1"])), Err(HeadTooLarge));
}

#[test]
fn cookies_of_the_answer_are_readable() {
    let text = response_with(&["Set-Cookie: a=1", "set-cookie: b=2"]);
    let (outcome, _) = receive(&client_request("ws://h/"), &Config::default(), &[text.as_bytes()]);
    let Some(Outcome::Opened(response)) = outcome else { panic!("{outcome:?}") };
    let cookies: Vec<_> = response.fields().get_all("Set-Cookie").collect();
    assert_eq!((response.status(), cookies), (101, vec![&b"a=1"[..], b"b=2"]));
}

/// §4.4, §11.3.5: in several lines, or in one.
#[test]
fn the_versions_of_a_refusal_are_readable() {
    let lines = "Sec-WebSocket-Version: 13\r\nsec-websocket-version: 8, 7\r\n";
    let response = refused(&format!("HTTP/1.1 426 \r\n{lines}Content-Length: 0\r\n\r\n"));
    let versions: Vec<_> = response.fields().get_all("Sec-WebSocket-Version").collect();
    assert_eq!((response.status(), versions), (426, vec![&b"13"[..], b"8, 7"]));
}

#[test]
fn what_comes_behind_the_answer_is_kept_up_to_a_limit() {
    let text = response_with(&[]);
    let mut client = ClientHandshake::new(client_request("ws://h/"), Config::default(), entropy());
    let flood = [text.as_bytes(), &vec![0; 1 << 20]].concat();
    assert_eq!(client.receive(&flood), text.len() + (64 << 10));
    assert_eq!(client.receive(b"more"), 0);
}

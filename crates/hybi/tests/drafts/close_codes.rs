//! Close codes: drafts 07 to 12 had 1004 for a frame that is too large, and neither 1008 nor 1009. By default a
//! connection speaks those of RFC 6455 in all versions; `Automatic::draft_close_codes` changes that.

use hybi::{CloseCode, Config, Event, ProtocolError, Version};

use crate::{DRAFTS, client, masked, server};

fn config(draft_codes: bool) -> Config {
    let mut config = Config::default();
    config.automatic.draft_close_codes = draft_codes;
    config.limits.message = 3;
    config.limits.empty_fragments = 1;
    config
}

/// The code in the close frame that a server writes when it has got this.
fn answered(version: Version, draft_codes: bool, octets: &[u8]) -> (Option<u16>, Option<ProtocolError>) {
    let mut server = server(version, &config(draft_codes));
    let mut error = None;
    assert_eq!(server.receive_copy(octets), octets.len());
    while let Some(event) = server.poll_event() {
        if let Event::Failed(found) = event {
            error = Some(found);
        }
    }
    let code = match server.transmit() {
        [0x88, _, a, b, ..] => Some(u16::from_be_bytes([*a, *b])),
        _ => None,
    };
    (code, error)
}

/// More empty fragments than the limit allows.
fn empty_fragments() -> Vec<u8> {
    [&[0x02, 0x80, 0, 0, 0, 0][..], &[0x00, 0x80, 0, 0, 0, 0], &[0x00, 0x80, 0, 0, 0, 0]].concat()
}

#[test]
fn what_is_too_big_is_1004() {
    let octets = masked(2, b"four");
    for version in DRAFTS {
        assert_eq!(answered(version, true, &octets), (Some(1004), Some(ProtocolError::MessageTooBig)));
        assert_eq!(answered(version, false, &octets).0, Some(1009));
    }
    assert_eq!(answered(Version::V13, true, &octets).0, Some(1009));
}

#[test]
fn a_policy_is_1002() {
    for version in DRAFTS {
        let (code, error) = answered(version, true, &empty_fragments());
        assert_eq!((code, error), (Some(1002), Some(ProtocolError::TooManyEmptyFragments)));
        assert_eq!(answered(version, false, &empty_fragments()).0, Some(1008));
    }
    assert_eq!(answered(Version::V13, true, &empty_fragments()).0, Some(1008));
}

#[test]
fn a_received_1004_is_taken_for_1009() {
    let octets = masked(8, &1004u16.to_be_bytes());
    for version in DRAFTS {
        assert_eq!(answered(version, true, &octets), (Some(1004), None), "it is answered in kind");
        let mut server = server(version, &config(true));
        assert_eq!(server.receive_copy(&octets), octets.len());
        let Some(Event::Close(Some(frame))) = server.poll_event() else { panic!("a close frame came") };
        assert_eq!(frame.code(), CloseCode::MESSAGE_TOO_BIG);
    }
    for (version, draft_codes) in [(Version::V7, false), (Version::V8, false), (Version::V13, true)] {
        let refused = (Some(1002), Some(ProtocolError::InvalidCloseCode));
        assert_eq!(answered(version, draft_codes, &octets), refused, "{version}");
    }
}

#[test]
fn an_application_that_closes_is_translated_too() {
    for version in DRAFTS {
        for (code, number) in [
            (CloseCode::MESSAGE_TOO_BIG, 1004u16),
            (CloseCode::POLICY_VIOLATION, 1002),
            (CloseCode::NORMAL, 1000),
            (CloseCode::INVALID_PAYLOAD, 1007),
        ] {
            let mut client = client(version, &config(true));
            client.close(code, "why").expect("it is open");
            assert_eq!(client.transmit(), masked(8, &[&number.to_be_bytes()[..], b"why"].concat()));
        }
    }
}

#[test]
fn codes_that_never_stand_in_a_frame_are_refused_in_all_versions() {
    // Draft 08 introduced 1005 and 1006.
    for version in [Version::V7, Version::V8, Version::V13] {
        for code in [0u16, 999, 1005, 1006, 1015, 2999, 5000] {
            let (answer, error) = answered(version, true, &masked(8, &code.to_be_bytes()));
            assert_eq!((answer, error), (Some(1002), Some(ProtocolError::InvalidCloseCode)), "{code}");
        }
    }
}

#[test]
fn two_sides_of_a_draft_close_with_their_codes() {
    let (mut client, mut server) = (client(Version::V8, &config(true)), server(Version::V8, &config(true)));
    server.close(CloseCode::MESSAGE_TOO_BIG, "").expect("it is open");
    client.receive_copy(server.transmit());
    server.transmitted(server.transmit().len());
    while client.poll_event().is_some() {}
    server.receive_copy(client.transmit());
    while server.poll_event().is_some() {}
    server.receive_eof();
    while server.poll_event().is_some() {}
    let info = server.close_info().expect("it is over");
    assert_eq!((info.code(), info.is_clean()), (1009, true));
}

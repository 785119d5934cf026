//! §10.4: limits of the implementation. How they behave at their edges is in `limits.rs`.

use hybi::ProtocolError;
use hybi_test::endpoint::{config, open, open_with};
use hybi_test::frames::{first, to};
use hybi_test::record::Record;
use hybi_test::twins;

use super::{assert_fails, second};

twins! {
    /// A limit of none is for fragments: a message of one frame has none, and may be empty.
    fn without_any_fragment_messages_of_one_frame_still_pass(role) {
        let strict = || config(|config| (config.limits.fragments, config.limits.empty_fragments) = (0, 0));
        let mut connection = open_with(role, strict());
        let whole = [to(role, first::TEXT, b"tide"), to(role, first::BINARY, b"")].concat();
        let events = hybi_test::endpoint::receive(&mut connection, &whole);
        assert_eq!(events, [Record::text("tide"), Record::Binary(Vec::new())]);
        assert_fails(&mut connection, &to(role, 0x01, b"ti"), ProtocolError::TooManyFragments, 1008);
        let one = config(|config| config.limits.empty_fragments = 0);
        assert_fails(&mut open_with(role, one), &to(role, 0x01, b""), ProtocolError::TooManyEmptyFragments, 1008);
    }

    fn a_frame_above_its_limit_is_refused_by_its_header(role) {
        let header = [0x82, second(role, 127), 0, 0, 0, 0, 0x40, 0, 0, 0]; // 1 GiB
        assert_fails(&mut open(role), &header, ProtocolError::FrameTooBig, 1009);
    }

    fn a_message_above_its_limit_is_refused_by_the_header_of_its_last_frame(role) {
        let mut connection = open_with(role, config(|config| config.limits.message = 100));
        let octets = [&to(role, 0x02, &[0; 60])[..], &[0x80, second(role, 41)]].concat();
        assert_fails(&mut connection, &octets, ProtocolError::MessageTooBig, 1009);
    }

    fn a_message_in_too_many_fragments_is_refused(role) {
        let mut connection = open_with(role, config(|config| config.limits.fragments = 2));
        let octets = [to(role, 0x02, b"a"), to(role, 0x00, b"b"), to(role, 0x00, b"c")].concat();
        assert_fails(&mut connection, &octets, ProtocolError::TooManyFragments, 1008);
    }

    fn empty_fragments_without_end_are_refused(role) {
        let mut connection = open_with(role, config(|config| config.limits.empty_fragments = 2));
        let octets = [to(role, 0x02, b"a"), to(role, 0x00, b"").repeat(3)].concat();
        assert_fails(&mut connection, &octets, ProtocolError::TooManyEmptyFragments, 1008);
    }

    fn control_frames_count_for_none_of_them(role) {
        let mut connection = open_with(role, config(|config| {
            config.limits.message = 1;
            config.limits.frame = 1;
            config.limits.fragments = 2;
        }));
        let octets = [to(role, 0x01, b"x"), to(role, first::PING, &[b'p'; 125]).repeat(5)].concat();
        assert_eq!(hybi_test::endpoint::receive(&mut connection, &octets).len(), 5);
    }
}

/// Every error has a code that may be sent, a section, and words for it.
#[test]
fn what_an_error_says() {
    use ProtocolError as E;
    let all = [
        (E::ReservedBits, 1002, "§5.2"),
        (E::ReservedOpcode, 1002, "§5.2"),
        (E::UnexpectedContinuation, 1002, "§5.4"),
        (E::ExpectedContinuation, 1002, "§5.4"),
        (E::FragmentedControl, 1002, "§5.5"),
        (E::ControlTooLong, 1002, "§5.5"),
        (E::UnmaskedFrame, 1002, "§5.1"),
        (E::MaskedFrame, 1002, "§5.1"),
        (E::NonMinimalLength, 1002, "§5.2"),
        (E::LengthOverflow, 1002, "§5.2"),
        (E::CloseTooShort, 1002, "§5.5.1"),
        (E::InvalidCloseCode, 1002, "§7.4"),
        (E::InvalidUtf8, 1007, "§8.1"),
        (E::InvalidExtensionData, 1007, "§9"),
        (E::FrameTooBig, 1009, "§10.4"),
        (E::MessageTooBig, 1009, "§10.4"),
        (E::TooManyFragments, 1008, "§10.4"),
        (E::TooManyEmptyFragments, 1008, "§10.4"),
        (E::OutOfMemory, 1011, "§7.4.1"),
    ];
    for (error, code, section) in all {
        assert_eq!(error.close_code().value(), code, "{error:?}");
        assert_eq!(error.section(), format!("RFC 6455 {section}"), "{error:?}");
        assert!(error.to_string().contains(error.section()), "{error}");
    }
}

//! A transcript that says something else than what happens is refused: the player can fail.

use hybi::Role;
use hybi_test::transcript::{Transcript, play, replay};

fn replay_both(text: &str) -> Result<(), String> {
    let transcript = Transcript::parse(text)?;
    transcript.roles().iter().try_for_each(|role| replay(&transcript, *role))
}

const RIGHT: &str = r#"
role both
set timeouts.close 5s
> 01 01 "a"
> 89 00
! ping
< 8a 00
> 80 01 "b"
! text "ab"
call ping {00*126} -> ControlTooLong
call close 1000 "bye"
< 88 05 03e8 "bye"
= state closing
= deadline 5s
@ 5s
! closed 1006 close-timeout
= transport close
"#;

#[test]
fn what_happens_is_accepted_in_every_way() {
    assert_eq!(replay_both(RIGHT), Ok(()));
    assert!(play("right", RIGHT) > 50);
}

#[test]
fn anything_else_is_refused() {
    for (right, wrong) in [
        ("! ping\n", "! ping \"x\"\n"),
        ("! ping\n", ""),
        ("! text \"ab\"", "! binary 6162"),
        ("! text \"ab\"", "! text \"ab\"\n! text \"ab\""),
        ("< 8a 00", "< 8a 01 00"),
        ("< 8a 00\n", ""),
        ("-> ControlTooLong", ""),
        ("-> ControlTooLong", "-> NotOpen"),
        ("\"bye\"\n=", "\"bye!\"\n="),
        ("state closing", "state closed"),
        ("deadline 5s", "deadline 6s"),
        ("deadline 5s", "deadline none"),
        ("@ 5s", "@ 4s"),
        ("close-timeout", "pong-timeout"),
        ("1006 close", "1005 close"),
        ("transport close", "transport none"),
        ("timeouts.close 5s", "timeouts.close 6s"),
    ] {
        assert!(RIGHT.contains(right), "{right}");
        let text = RIGHT.replacen(right, wrong, 1);
        assert!(replay_both(&text).is_err(), "{right:?} replaced by {wrong:?}");
    }
}

const COMPRESSED: &str = r#"
role both
deflate server_max_window_bits=8 client_max_window_bits=8
set delivery fragments
call text "Hello"
< c1 07 f2 48 cd c9 c9 07 00
> 41 03 f2 48 cd
! fragment text first "He"
> 00 04 c9 c9 07 00
> 80 00
! fragment text last "llo"
"#;

#[test]
fn messages_are_compressed_where_that_was_agreed_on() {
    assert_eq!(replay_both(COMPRESSED), Ok(()));
    assert!(play("compressed", COMPRESSED) > 50);
    for (right, wrong) in [
        ("deflate server_max_window_bits=8 client_max_window_bits=8", ""),
        ("first \"He\"", "\"He\""),
        ("last \"llo\"", "\"llo\""),
        ("\"llo\"", "\"ll\""),
        ("< c1", "< 81"),
    ] {
        assert!(COMPRESSED.contains(right), "{right}");
        let text = COMPRESSED.replacen(right, wrong, 1);
        assert!(replay_both(&text).is_err(), "{right:?} replaced by {wrong:?}");
    }
}

#[test]
fn what_cannot_be_read_is_refused() {
    for text in [
        "role nobody",
        "> 8",
        "> \"open",
        "> {00*}",
        "role both\n> 81 01 \"a\" 81 00",
        "set nothing 1",
        "deflate window=9",
        "deflate server_max_window_bits=16",
        "set limits.message many",
        "@ 5",
        "= state",
        "= color blue",
        "call dance",
        "? what",
    ] {
        assert!(Transcript::parse(text).is_err(), "{text:?}");
    }
}

#[test]
fn frames_are_masked_for_the_role_that_masks() {
    let transcript = Transcript::parse("role both\n> 81 01 \"a\"").expect("it is right");
    assert_eq!(transcript.on_wire(Role::Server, b"\x81\x01a"), b"\x81\x01a");
    assert_eq!(transcript.on_wire(Role::Client, b"\x81\x01a"), b"\x81\x81\x37\xfa\x21\x3d\x56");
    let transcript = Transcript::parse("role server\n> 81 01 \"a\"").expect("it is right");
    assert_eq!(transcript.on_wire(Role::Client, b"\x81\x01a"), b"\x81\x01a", "as it stands");
}

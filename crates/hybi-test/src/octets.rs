//! Octets as text: how transcripts write them, and how complaints show them.
//!
//! | form | meaning |
//! |---|---|
//! | `81 05` | hexadecimal digits, two an octet; blanks between octets are ignored |
//! | `"Hello"` | the UTF-8 of the text; `\"` and `\\` for the two that need it |
//! | `{00ff*3}` | the octets before the star, so many times |

use std::fmt::Write as _;

/// Reads octets from text.
///
/// ```
/// use hybi_test::octets::parse;
/// assert_eq!(parse(r#"81 05 "Hello" {0a*2}"#).unwrap(), b"\x81\x05Hello\n\n");
/// assert!(parse("8").is_err());
/// ```
///
/// # Errors
/// What could not be read.
pub fn parse(text: &str) -> Result<Vec<u8>, String> {
    let mut octets = Vec::new();
    let mut rest = text.trim_start();
    while !rest.is_empty() {
        rest = if let Some(quoted) = rest.strip_prefix('"') {
            parse_quoted(quoted, &mut octets)?
        } else if let Some(repeated) = rest.strip_prefix('{') {
            parse_repeated(repeated, &mut octets)?
        } else {
            let (digits, rest) = rest.split_at_checked(2).ok_or_else(|| format!("half an octet: {rest}"))?;
            octets.push(u8::from_str_radix(digits, 16).map_err(|_| format!("no octet: {digits}"))?);
            rest
        }
        .trim_start();
    }
    Ok(octets)
}

fn parse_quoted<'t>(quoted: &'t str, octets: &mut Vec<u8>) -> Result<&'t str, String> {
    let mut chars = quoted.char_indices();
    while let Some((at, char)) = chars.next() {
        match char {
            '"' => return Ok(&quoted[at + 1..]),
            '\\' => {
                let (_, escaped) = chars.next().ok_or("text ends after a backslash")?;
                octets.extend_from_slice(escaped.encode_utf8(&mut [0; 4]).as_bytes());
            }
            _ => octets.extend_from_slice(char.encode_utf8(&mut [0; 4]).as_bytes()),
        }
    }
    Err(format!("no closing quote: {quoted}"))
}

fn parse_repeated<'t>(repeated: &'t str, octets: &mut Vec<u8>) -> Result<&'t str, String> {
    let (inside, rest) = repeated.split_once('}').ok_or("no closing brace")?;
    let (unit, times) = inside.rsplit_once('*').ok_or("no star between braces")?;
    let times = times.trim().parse().map_err(|_| format!("no number: {times}"))?;
    let unit = parse(unit)?;
    for _ in 0..times {
        octets.extend_from_slice(&unit);
    }
    Ok(rest)
}

/// Hexadecimal digits, without blanks.
pub fn hex(octets: &[u8]) -> String {
    let mut out = String::with_capacity(2 * octets.len());
    for octet in octets {
        let _ = write!(out, "{octet:02x}"); // a `String` takes everything
    }
    out
}

/// For people: text in quotes, anything else in hexadecimal digits, long things cut.
///
/// ```
/// use hybi_test::octets::show;
/// assert_eq!(show(b"tide"), r#""tide""#);
/// assert_eq!(show(b"\x81\x00"), "8100");
/// assert_eq!(show(&[0; 100]), format!("{} .. (100 octets)", "00".repeat(32)));
/// ```
pub fn show(octets: &[u8]) -> String {
    const MOST: usize = 32;
    if octets.len() > 2 * MOST {
        return format!("{} .. ({} octets)", hex(&octets[..MOST]), octets.len());
    }
    match std::str::from_utf8(octets) {
        Ok(text) if !text.chars().any(char::is_control) => format!("{text:?}"),
        _ => hex(octets),
    }
}

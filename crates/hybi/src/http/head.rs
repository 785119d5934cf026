//! The head of a request or a response (RFC 9112 §2 to §5), out of octets that arrive in any pieces.
//!
//! [`HeadScanner`] looks at each octet once, when it arrives, and remembers where it stopped; it never
//! starts over. It judges what can be judged early: what is no HTTP at all fails on its first wrong octet,
//! a bare LF, a folded line, a blank before the colon and a control character where they stand, a head
//! above its limits before anything above them is stored. Only when the empty line is there is the head
//! split, once, by `httparse`.
//!
//! ```text
//!              ┌──────────── LF ◀── CR ◀─┐
//!              ▼                         │
//!   Start ──▶ LineStart ──▶ Name ──:──▶ Line      (Start goes to Line)
//!              │
//!              └── CR ──▶ LF: the head is over
//! ```

use alloc::boxed::Box;
use alloc::vec;
use alloc::vec::Vec;

use super::fields::{Entry, Fields, is_tchar, is_value_octet};
use crate::config::Limits;
use crate::error::HandshakeError;

/// The head of a request, split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct RequestParts {
    pub(crate) method: Box<str>,
    pub(crate) target: Box<str>,
    /// The version of HTTP: major, minor.
    pub(crate) http: (u8, u8),
    pub(crate) fields: Fields,
}

/// The head of a response, split.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ResponseParts {
    pub(crate) status: u16,
    pub(crate) fields: Fields,
}

/// Collects one head.
pub(crate) struct HeadScanner {
    kind: Kind,
    at: At,
    head: Vec<u8>,
    fields: usize,
    max_len: usize,
    max_fields: usize,
    /// How many octets were looked at: the tests hold it against the length of the input.
    #[cfg(test)]
    pub(crate) looked_at: usize,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Request,
    Response,
    /// The same, also in HTTP/1.0: proxies that answer so to CONNECT are not rare.
    ProxyResponse,
}

/// Where the scanner stands: what the octets before say about the next one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum At {
    /// In the part of the first line that tells HTTP from anything else.
    Start { seen: usize },
    /// Behind the CR of the empty line that may precede a request (RFC 9112 §2.2).
    EmptyFirst,
    /// In a line, where anything but a control character may stand.
    Line,
    /// Behind the CR that ends a line.
    LineEnd,
    /// At the start of a field line, or of the empty line.
    LineStart,
    /// In the name of a field.
    Name,
    /// Behind the CR of the empty line.
    HeadEnd,
    /// Behind the head.
    Over,
}

impl HeadScanner {
    /// For the head of a request.
    pub(crate) fn request(limits: &Limits) -> Self {
        Self::new(Kind::Request, limits)
    }

    /// For the head of a response.
    pub(crate) fn response(limits: &Limits) -> Self {
        Self::new(Kind::Response, limits)
    }

    /// For the head of a proxy's response to CONNECT, which may be in HTTP/1.0.
    pub(crate) fn proxy_response(limits: &Limits) -> Self {
        Self::new(Kind::ProxyResponse, limits)
    }

    fn new(kind: Kind, limits: &Limits) -> Self {
        Self {
            kind,
            at: At::Start { seen: 0 },
            head: Vec::new(),
            fields: 0,
            max_len: limits.head_bytes,
            max_fields: limits.head_fields,
            #[cfg(test)]
            looked_at: 0,
        }
    }

    /// Takes octets. `Some(n)`: the head is complete and ends after `n` of them; `None`: more is needed and
    /// all were taken.
    pub(crate) fn receive(&mut self, octets: &[u8]) -> Result<Option<usize>, HandshakeError> {
        let room = self.max_len - self.head.len();
        let within = &octets[..octets.len().min(room)];
        for (n, octet) in within.iter().enumerate() {
            #[cfg(test)]
            (self.looked_at += 1);
            self.at = self.next(*octet)?;
            if self.at == At::Over {
                self.store(&within[..=n])?;
                return Ok(Some(n + 1));
            }
        }
        if octets.len() >= room {
            return Err(HandshakeError::HeadTooLarge); // the limit is reached, and it is not the end
        }
        self.store(within)?;
        Ok(None)
    }

    /// The next state, or what is wrong with this octet.
    fn next(&mut self, octet: u8) -> Result<At, HandshakeError> {
        const BAD: HandshakeError = HandshakeError::BadHttp;
        match (self.at, octet) {
            (At::Start { seen }, _) => self.first_line(seen, octet),
            (At::EmptyFirst, b'\n') => Ok(At::Start { seen: 1 }),
            (At::Line, b'\r') => Ok(At::LineEnd),
            (At::Line, _) if is_value_octet(octet) => Ok(At::Line),
            (At::LineEnd, b'\n') => Ok(At::LineStart),
            (At::LineStart, b'\r') => Ok(At::HeadEnd),
            // A blank here would be a folded line, which RFC 9112 §5.2 wants refused.
            (At::LineStart, _) if is_tchar(octet) => {
                self.fields += 1;
                if self.fields > self.max_fields { Err(HandshakeError::HeadTooLarge) } else { Ok(At::Name) }
            }
            (At::Name, b':') => Ok(At::Line),
            (At::Name, _) if is_tchar(octet) => Ok(At::Name),
            (At::HeadEnd, b'\n') => Ok(At::Over),
            _ => Err(BAD),
        }
    }

    /// A response begins with its version, a request with a token and a blank.
    fn first_line(&self, seen: usize, octet: u8) -> Result<At, HandshakeError> {
        const VERSION: &[u8] = b"HTTP/1.1 ";
        const MINOR: usize = b"HTTP/1.".len();
        let more = At::Start { seen: seen + 1 };
        match self.kind {
            Kind::Response | Kind::ProxyResponse => {
                let is_older = self.kind == Kind::ProxyResponse && seen == MINOR && octet == b'0';
                if octet != VERSION[seen] && !is_older {
                    return Err(HandshakeError::BadHttp);
                }
                Ok(if seen + 1 == VERSION.len() { At::Line } else { more })
            }
            Kind::Request if is_tchar(octet) => Ok(At::Start { seen: 2 }),
            Kind::Request if octet == b' ' && seen == 2 => Ok(At::Line),
            Kind::Request if octet == b'\r' && seen == 0 => Ok(At::EmptyFirst),
            Kind::Request => Err(HandshakeError::BadHttp),
        }
    }

    /// Appends to the head. The buffer doubles, but never beyond the limit.
    fn store(&mut self, octets: &[u8]) -> Result<(), HandshakeError> {
        let needed = self.head.len() + octets.len();
        if needed > self.head.capacity() {
            let capacity = needed.max(self.head.capacity() * 2).min(self.max_len);
            // No memory for a head is a head too large for us.
            self.head
                .try_reserve_exact(capacity - self.head.len())
                .map_err(|_| HandshakeError::HeadTooLarge)?;
        }
        self.head.extend_from_slice(octets);
        Ok(())
    }

    /// Octets of the head so far.
    pub(crate) fn head_len(&self) -> usize {
        self.head.len()
    }

    /// Splits a complete head.
    pub(crate) fn into_request(self) -> Result<RequestParts, HandshakeError> {
        let mut slots = vec![httparse::EMPTY_HEADER; self.fields];
        let mut parsed = httparse::Request::new(&mut slots);
        let end = parsed.parse(&self.head).map_err(|_| HandshakeError::BadHttp)?;
        let (true, Some(method), Some(target), Some(minor)) =
            (end.is_complete(), parsed.method, parsed.path, parsed.version)
        else {
            return Err(HandshakeError::BadHttp);
        };
        let (method, target) = (method.into(), target.into());
        let entries = locate(&self.head, parsed.headers);
        Ok(RequestParts { method, target, http: (1, minor), fields: Fields::of_head(self.head, entries) })
    }

    /// Splits a complete head.
    pub(crate) fn into_response(self) -> Result<ResponseParts, HandshakeError> {
        let mut slots = vec![httparse::EMPTY_HEADER; self.fields];
        let mut parsed = httparse::Response::new(&mut slots);
        let end = parsed.parse(&self.head).map_err(|_| HandshakeError::BadHttp)?;
        let (true, Some(status @ 100..)) = (end.is_complete(), parsed.code) else {
            return Err(HandshakeError::BadHttp);
        };
        let entries = locate(&self.head, parsed.headers);
        Ok(ResponseParts { status, fields: Fields::of_head(self.head, entries) })
    }
}

fn locate(head: &[u8], headers: &[httparse::Header<'_>]) -> Vec<Entry> {
    headers.iter().map(|header| Entry::locate(head, header.name.as_bytes(), header.value)).collect()
}

#[cfg(test)]
mod tests {
    use alloc::format;
    use alloc::string::String;

    use super::*;
    use HandshakeError::{BadHttp, HeadTooLarge};

    fn limits(head_bytes: usize, head_fields: usize) -> Limits {
        Limits { head_bytes, head_fields, ..Limits::default() }
    }

    /// Feeds pieces of `step` octets. How many octets were needed, and what became of them.
    fn scan(
        mut scanner: HeadScanner,
        text: &[u8],
        step: usize,
    ) -> (usize, Result<HeadScanner, HandshakeError>) {
        let mut taken = 0;
        for piece in text.chunks(step) {
            match scanner.receive(piece) {
                Ok(None) => taken += piece.len(),
                Ok(Some(n)) => return (taken + n, Ok(scanner)),
                Err(error) => return (taken + piece.len(), Err(error)),
            }
        }
        (taken, Ok(scanner))
    }

    #[test]
    fn what_is_no_http_fails_on_its_first_wrong_octet() {
        for (text, wrong) in [
            ("\x16\x03\x01", 1),
            (" GET / HTTP/1.1\r\n", 1),
            ("\nGET", 1),
            ("\r\n\r\nGET", 3),
            ("\rG", 2),
            ("G\tET", 2),
            ("GET\r\n", 4),
            ("GET / HTTP/1.1\n", 15),
            ("GET / HTTP/1.1\r\r", 16),
            ("GET / HTTP/1.1\r\nA : 1", 18),
            ("GET / HTTP/1.1\r\n A: 1", 17),
            ("GET / HTTP/1.1\r\nA: 1\r\n\tb\r\n", 23),
            ("GET / HTTP/1.1\r\n: 1", 17),
            ("GET / HTTP/1.1\r\nA: \0", 20),
            ("GET / HTTP/1.1\r\nA: \x7f", 20),
            ("GET / HTTP/1.1\r\nA: b\nB", 21),
            ("GET / HTTP/1.1\r\nA\r\n", 18),
        ] {
            let (at, result) = scan(HeadScanner::request(&Limits::default()), text.as_bytes(), 1);
            assert_eq!((at, result.err()), (wrong, Some(BadHttp)), "{text:?}");
        }
        for (text, wrong) in
            [("SSH-2.0", 1), ("HTTP/1.0 101", 8), ("HTTP/2 101", 6), ("\r\nHTTP/1.1", 1), ("HTTP/1.1\t", 9)]
        {
            let (at, result) = scan(HeadScanner::response(&Limits::default()), text.as_bytes(), 1);
            assert_eq!((at, result.err()), (wrong, Some(BadHttp)), "{text:?}");
        }
    }

    #[test]
    fn a_head_is_split_the_same_however_it_arrives() {
        let text = b"\r\nGET /a?b HTTP/1.1\r\nHost:  a\t\r\nX-Empty:\r\nx-obs: \xff\r\nhost: b\r\n\r\nleft";
        for step in 1..=text.len() {
            let (end, scanner) = scan(HeadScanner::request(&Limits::default()), text, step);
            let head = scanner.expect("a good head").into_request().expect("a good head");
            assert_eq!(
                (end, &*head.method, &*head.target, head.http),
                (text.len() - 4, "GET", "/a?b", (1, 1))
            );
            let fields: Vec<_> = head.fields.iter().collect();
            let expected: [(&str, &[u8]); 4] =
                [("Host", b"a"), ("X-Empty", b""), ("x-obs", b"\xff"), ("host", b"b")];
            assert_eq!(fields, expected);
        }
    }

    #[test]
    fn a_status_line() {
        let parse = |text: &str| {
            let (_, scanner) = scan(HeadScanner::response(&Limits::default()), text.as_bytes(), 1);
            scanner.and_then(HeadScanner::into_response).map(|head| (head.status, head.fields.len()))
        };
        assert_eq!(parse("HTTP/1.1 101 Switching Protocols\r\nA: b\r\n\r\n"), Ok((101, 1)));
        assert_eq!(parse("HTTP/1.1 200 \r\n\r\n"), Ok((200, 0)));
        assert_eq!(parse("HTTP/1.1 200\r\n\r\n"), Ok((200, 0)));
        for bad in ["", "1", "10", "1011", "099", "000", "+10", " 101", "101\t", "10l"] {
            assert_eq!(parse(&format!("HTTP/1.1 {bad}\r\n\r\n")), Err(BadHttp), "{bad:?}");
        }
    }

    #[test]
    fn a_proxy_may_answer_in_an_older_version() {
        let parse = |text: &str| {
            let (at, scanner) = scan(HeadScanner::proxy_response(&Limits::default()), text.as_bytes(), 1);
            scanner.and_then(HeadScanner::into_response).map(|head| head.status).map_err(|error| (at, error))
        };
        assert_eq!(parse("HTTP/1.1 200 OK\r\n\r\n"), Ok(200));
        assert_eq!(parse("HTTP/1.0 200 Connection established\r\nA: b\r\n\r\n"), Ok(200));
        for (text, wrong) in [("HTTP/1.2 200", 8), ("HTTP/0.0 200", 6), ("HTTP/2 200", 6), ("SSH-2.0", 1)] {
            assert_eq!(parse(text), Err((wrong, BadHttp)), "{text:?}");
        }
    }

    #[test]
    fn a_head_may_reach_its_limits_and_not_pass_them() {
        let text = b"GET / HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n";
        for step in [1, 7, text.len()] {
            let scan = |len, fields| scan(HeadScanner::request(&limits(len, fields)), text, step).1.err();
            assert_eq!(scan(text.len(), 2), None);
            assert_eq!(scan(text.len() - 1, 2), Some(HeadTooLarge));
            assert_eq!(scan(text.len(), 1), Some(HeadTooLarge));
            assert_eq!(scan(0, 9), Some(HeadTooLarge));
        }
        let mut scanner = HeadScanner::request(&limits(10, 9));
        assert_eq!(scanner.receive(b"GET / HTTP"), Err(HeadTooLarge), "the next octet need not come");
    }

    #[test]
    fn nothing_above_the_limit_is_stored() {
        let text = format!("GET / HTTP/1.1\r\nA: {}", "a".repeat(100_000));
        for (first, step) in [(1, 1), (19, 100)] {
            let mut scanner = HeadScanner::request(&limits(5_000, 10));
            let (first, rest) = text.as_bytes().split_at(first);
            for piece in core::iter::once(first).chain(rest.chunks(step)) {
                if scanner.receive(piece).is_err() {
                    break;
                }
            }
            assert!(scanner.head.capacity() <= 5_000);
        }
        let mut scanner = HeadScanner::request(&limits(5_000, 10));
        assert!(scanner.receive(text.as_bytes()).is_err() && scanner.head.capacity() == 0);
    }

    #[test]
    fn memory_doubles_when_it_is_full_and_not_before() {
        let mut scanner = HeadScanner::request(&limits(50, 9));
        for (octets, capacity) in [(&b"GET /a HTTP"[..], 11), (b"/", 22), (b"1.1\r\nA: bc", 22), (b"d", 44)] {
            assert_eq!(scanner.receive(octets), Ok(None));
            assert_eq!(scanner.head.capacity(), capacity);
        }
    }

    #[test]
    fn each_octet_is_looked_at_once() {
        let text: String = format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(2_000));
        for step in [1, 3, 1_000] {
            let (end, scanner) = scan(HeadScanner::request(&limits(1 << 20, 3_000)), text.as_bytes(), step);
            let scanner = scanner.expect("a good head");
            assert_eq!((end, scanner.looked_at), (text.len(), text.len()));
        }
    }
}

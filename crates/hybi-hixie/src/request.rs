//! The opening handshake: a head in, the request and what answers its challenge out.

use alloc::borrow::ToOwned;
use alloc::string::String;
use core::str;

use hybi::handshake::Fields;

/// One of the two drafts.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Version {
    /// `draft-hixie-thewebsocketprotocol-75`.
    Hixie75,
    /// `draft-hixie-thewebsocketprotocol-76`, which is `draft-ietf-hybi-thewebsocketprotocol-00` as well.
    Hixie76,
}

impl Version {
    /// `hixie-75` or `hixie-76`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Hixie75 => "hixie-75",
            Self::Hixie76 => "hixie-76",
        }
    }
}

/// A request for a WebSocket of one of these drafts. Whether it may have one is for the application to say.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    version: Version,
    target: String,
    fields: Fields,
    /// The numbers in the two keys of draft 76.
    pub(crate) numbers: [u32; 2],
}

/// What a head is.
#[derive(Debug)]
pub(crate) enum Head {
    Request(Request),
    /// Of these drafts, and broken: to be answered with 400.
    Bad,
    /// Not of these drafts.
    Other,
}

impl Request {
    /// The draft.
    pub fn version(&self) -> Version {
        self.version
    }

    /// The target: path and query, as a rule.
    pub fn target(&self) -> &str {
        &self.target
    }

    /// `Host`.
    pub fn host(&self) -> &str {
        self.header("Host").unwrap_or_default()
    }

    /// `Origin`: the page that asks, if the client is a browser. Another client can write anything there.
    pub fn origin(&self) -> Option<&str> {
        self.header("Origin")
    }

    /// The subprotocols that the client names.
    pub fn subprotocols(&self) -> impl Iterator<Item = &str> {
        let list = self.header(self.subprotocol_field()).unwrap_or_default();
        list.split([',', ' ']).filter(|name| !name.is_empty())
    }

    /// The value of a header, in any case: of the first with that name.
    pub fn header(&self, name: &str) -> Option<&str> {
        self.fields.get_str(name)
    }

    pub(crate) fn subprotocol_field(&self) -> &'static str {
        match self.version {
            Version::Hixie75 => "WebSocket-Protocol",
            Version::Hixie76 => "Sec-WebSocket-Protocol",
        }
    }

    /// Looks at a whole head.
    pub(crate) fn parse(head: &[u8], most_fields: usize) -> Head {
        let mut headers = alloc::vec![httparse::EMPTY_HEADER; most_fields];
        let mut parsed = httparse::Request::new(&mut headers);
        if !matches!(parsed.parse(head), Ok(httparse::Status::Complete(_))) {
            return Head::Other;
        }
        let mut fields = Fields::default();
        if parsed.headers.iter().any(|header| fields.push(header.name, header.value).is_err()) {
            return Head::Other;
        }
        let lists = |name: &str, word: &str| {
            let is = |item: &[u8]| item.trim_ascii().eq_ignore_ascii_case(word.as_bytes());
            fields.get_all(name).any(|value| value.split(|octet| *octet == b',').any(is))
        };
        let is_upgrade = parsed.method == Some("GET")
            && parsed.version == Some(1)
            && lists("Connection", "upgrade")
            && lists("Upgrade", "websocket");
        // RFC 6455 and the drafts since HyBi 01 have a version and a key of another kind.
        if !is_upgrade || fields.contains("Sec-WebSocket-Version") || fields.contains("Sec-WebSocket-Key") {
            return Head::Other;
        }
        let is_76 = fields.contains("Sec-WebSocket-Key1") || fields.contains("Sec-WebSocket-Key2");
        let Some(target) = parsed.path else { return Head::Bad };
        let is_text = fields.iter().all(|(_, value)| str::from_utf8(value).is_ok());
        let named = |name| fields.get_all(name).count();
        if !is_text || named("Host") != 1 || named("Origin") > 1 {
            return Head::Bad;
        }
        let version = if is_76 { Version::Hixie76 } else { Version::Hixie75 };
        let mut request = Self { version, target: target.to_owned(), fields, numbers: [0; 2] };
        if request.host().is_empty() || !request.host().bytes().all(is_host_octet) {
            return Head::Bad;
        }
        if is_76 {
            let number = |name| request.header(name).and_then(number_in);
            let (Some(first), Some(second)) = (number("Sec-WebSocket-Key1"), number("Sec-WebSocket-Key2"))
            else {
                return Head::Bad;
            };
            request.numbers = [first, second];
        }
        Head::Request(request)
    }
}

/// What may stand in a host, an address in brackets and a port: nothing that could end a header.
fn is_host_octet(octet: u8) -> bool {
    octet.is_ascii_alphanumeric() || b"-._~%!$&'()*+;=:[]".contains(&octet)
}

/// The digits of a key as one number, divided by how many blanks there are (draft 76 §5.2).
fn number_in(key: &str) -> Option<u32> {
    let mut digits = None;
    for digit in key.bytes().filter(u8::is_ascii_digit) {
        let before: u64 = digits.unwrap_or(0);
        digits = Some(before.checked_mul(10)?.checked_add(u64::from(digit - b'0'))?);
    }
    let blanks = key.bytes().filter(|octet| *octet == b' ').count() as u64;
    let (digits, 1..) = (digits?, blanks) else { return None };
    if digits % blanks == 0 { u32::try_from(digits / blanks).ok() } else { None }
}

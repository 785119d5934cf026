//! The response as a client sees it: the head in; an agreement, or the rule that it breaks, out (RFC 6455
//! §4.1, items 1 to 6 behind "Once the client's opening handshake has been sent").

use core::{fmt, str};

use super::client_request::ClientRequest;
use super::key::AcceptValue;
use super::subprotocol::token;
use crate::agreement::Agreement;
use crate::error::HandshakeError;
use crate::http::body::BodyStart;
use crate::http::fields::Fields;
use crate::http::head::ResponseParts;

/// The answer of a server. Of one that opens no connection, the start of the body is there too.
#[derive(Clone)]
pub struct Response {
    status: u16,
    fields: Fields,
    body: BodyStart,
}

impl Response {
    pub(super) fn new(parts: ResponseParts) -> Self {
        let ResponseParts { status, fields } = parts;
        let body = BodyStart::new(status, &fields, BODY_LEN);
        Self { status, fields, body }
    }

    /// The status; 101 when the connection is open.
    pub fn status(&self) -> u16 {
        self.status
    }

    /// The headers.
    pub fn fields(&self) -> &Fields {
        &self.fields
    }

    /// The subprotocol that the server chose, if it is one.
    pub fn subprotocol(&self) -> Option<&str> {
        self.fields.get("Sec-WebSocket-Protocol").and_then(|name| token(name).ok())
    }

    /// The first octets of the body: what was received of it, 16 KiB at most, without chunked coding.
    pub fn body(&self) -> &[u8] {
        self.body.kept()
    }

    pub(super) fn body_mut(&mut self) -> &mut BodyStart {
        &mut self.body
    }

    pub(super) fn body_is_over(&self) -> bool {
        self.body.is_over()
    }

    /// What was agreed, if the response says yes to this request.
    pub(super) fn judge(
        &self,
        request: &ClientRequest,
        accept: &AcceptValue,
    ) -> Result<Agreement, HandshakeError> {
        use HandshakeError::*;
        if self.status != 101 {
            return Err(UnexpectedStatus(self.status));
        }
        let mut upgrade = self.fields.list("Upgrade");
        let names_websocket = upgrade.next().is_some_and(|name| name.eq_ignore_ascii_case(b"websocket"));
        if !names_websocket || upgrade.next().is_some() {
            return Err(BadUpgrade);
        }
        if !self.fields.lists("Connection", "upgrade") {
            return Err(BadConnection);
        }
        if self.fields.exactly_one("Sec-WebSocket-Accept") != Some(accept) {
            return Err(BadAccept);
        }
        self.judge_choices(request)
    }

    /// The extensions and the subprotocol that the server chose (items 5 and 6).
    pub(super) fn judge_choices(&self, request: &ClientRequest) -> Result<Agreement, HandshakeError> {
        let agreement = Agreement::default().with_version(request.version());
        let agreement = request.judge_extensions(&self.fields, agreement)?;
        match self.chosen_subprotocol(request)? {
            Some(name) => Ok(agreement.with_subprotocol(name)),
            None if request.requires_subprotocol() && !request.subprotocols().is_empty() => {
                Err(HandshakeError::BadProtocol)
            }
            None => Ok(agreement),
        }
    }

    /// One of those that were offered, on one line; or none.
    fn chosen_subprotocol(&self, request: &ClientRequest) -> Result<Option<&str>, HandshakeError> {
        const NAME: &str = "Sec-WebSocket-Protocol";
        if !self.fields.contains(NAME) {
            return Ok(None);
        }
        let name = self.fields.exactly_one(NAME).and_then(|name| token(name).ok());
        match name.filter(|name| request.subprotocols().contains(name)) {
            Some(name) => Ok(Some(name)),
            None => Err(HandshakeError::BadProtocol),
        }
    }
}

impl fmt::Debug for Response {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Response")
            .field("status", &self.status)
            .field("fields", &self.fields)
            .field("body_len", &self.body().len())
            .finish()
    }
}

/// How much of the body of a refusal is kept.
const BODY_LEN: usize = 16 << 10;

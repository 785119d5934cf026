//! What can go wrong, and whose fault it is.
//!
//! - [`ProtocolError`]: the peer broke a rule on an open connection. It arrives as an event, never as the
//!   result of a call, and the close frame owed to the peer is queued already.
//! - [`UsageError`]: the caller asked for something that may not be. Nothing was written.
//! - [`HandshakeError`]: the opening handshake failed. (Feature `handshake`.)
//!
//! One variant per rule; each names its section and, where a close frame goes out, its code.

use core::fmt;

use crate::close::CloseCode;

/// A rule of the protocol that the peer broke, or a limit of ours that it passed.
///
/// ```
/// use hybi::ProtocolError;
/// assert_eq!(ProtocolError::InvalidUtf8.close_code().value(), 1007);
/// assert_eq!(ProtocolError::InvalidUtf8.section(), "RFC 6455 §8.1");
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ProtocolError {
    /// A reserved bit is set, and no extension gave it a meaning for this frame.
    ReservedBits,
    /// The opcode is one of 3 to 7 or 11 to 15.
    ReservedOpcode,
    /// A continuation frame, and no message to continue.
    UnexpectedContinuation,
    /// A new message inside an unfinished one.
    ExpectedContinuation,
    /// A control frame without FIN.
    FragmentedControl,
    /// A control frame of more than 125 octets.
    ControlTooLong,
    /// A frame to a server without a masking key.
    UnmaskedFrame,
    /// A frame to a client with a masking key.
    MaskedFrame,
    /// A payload length in a longer form than it needs.
    NonMinimalLength,
    /// A 64-bit payload length with its top bit set.
    LengthOverflow,
    /// A close frame with a payload of one octet.
    CloseTooShort,
    /// A close frame with a code that must not be sent.
    InvalidCloseCode,
    /// A text message or a close reason that is not UTF-8.
    InvalidUtf8,
    /// A compressed message that does not inflate.
    InvalidDeflate,
    /// A message that is not what an [extension of yours](crate::extension::Extension) defines.
    InvalidExtensionData,
    /// A data frame above [`Limits::frame`](crate::Limits).
    FrameTooBig,
    /// A message above [`Limits::message`](crate::Limits).
    MessageTooBig,
    /// A message in more fragments than [`Limits::fragments`](crate::Limits).
    TooManyFragments,
    /// More empty fragments in a row than [`Limits::empty_fragments`](crate::Limits).
    TooManyEmptyFragments,
    /// No memory for what the peer sent. This one is nobody's fault.
    OutOfMemory,
}

impl ProtocolError {
    /// The code of the close frame that says so to the peer (RFC 6455 §7.4.1).
    pub const fn close_code(self) -> CloseCode {
        match self {
            Self::InvalidUtf8 | Self::InvalidDeflate | Self::InvalidExtensionData => {
                CloseCode::INVALID_PAYLOAD
            }
            Self::TooManyFragments | Self::TooManyEmptyFragments => CloseCode::POLICY_VIOLATION,
            Self::FrameTooBig | Self::MessageTooBig => CloseCode::MESSAGE_TOO_BIG,
            Self::OutOfMemory => CloseCode::INTERNAL_ERROR,
            _ => CloseCode::PROTOCOL_ERROR,
        }
    }

    /// Where the rule stands.
    pub const fn section(self) -> &'static str {
        match self {
            Self::ReservedBits | Self::ReservedOpcode => "RFC 6455 §5.2",
            Self::NonMinimalLength | Self::LengthOverflow => "RFC 6455 §5.2",
            Self::UnexpectedContinuation | Self::ExpectedContinuation => "RFC 6455 §5.4",
            Self::FragmentedControl | Self::ControlTooLong => "RFC 6455 §5.5",
            Self::UnmaskedFrame | Self::MaskedFrame => "RFC 6455 §5.1",
            Self::CloseTooShort => "RFC 6455 §5.5.1",
            Self::InvalidCloseCode => "RFC 6455 §7.4",
            Self::InvalidUtf8 => "RFC 6455 §8.1",
            Self::InvalidDeflate => "RFC 7692 §7.2.2",
            Self::InvalidExtensionData => "RFC 6455 §9",
            Self::FrameTooBig | Self::MessageTooBig => "RFC 6455 §10.4",
            Self::TooManyFragments | Self::TooManyEmptyFragments => "RFC 6455 §10.4",
            Self::OutOfMemory => "RFC 6455 §7.4.1",
        }
    }

    /// The rule in a few words: also the reason in the close frame.
    pub(crate) const fn text(self) -> &'static str {
        match self {
            Self::ReservedBits => "reserved bit set",
            Self::ReservedOpcode => "reserved opcode",
            Self::UnexpectedContinuation => "continuation without a message",
            Self::ExpectedContinuation => "new message inside a message",
            Self::FragmentedControl => "fragmented control frame",
            Self::ControlTooLong => "control frame too long",
            Self::UnmaskedFrame => "frame to a server is not masked",
            Self::MaskedFrame => "frame to a client is masked",
            Self::NonMinimalLength => "payload length not in its shortest form",
            Self::LengthOverflow => "payload length with top bit set",
            Self::CloseTooShort => "close frame of one octet",
            Self::InvalidCloseCode => "invalid close code",
            Self::InvalidUtf8 => "invalid UTF-8",
            Self::InvalidDeflate => "invalid compressed data",
            Self::InvalidExtensionData => "invalid data for an extension",
            Self::FrameTooBig => "frame too big",
            Self::MessageTooBig => "message too big",
            Self::TooManyFragments => "too many fragments",
            Self::TooManyEmptyFragments => "too many empty fragments",
            Self::OutOfMemory => "out of memory",
        }
    }
}

impl fmt::Display for ProtocolError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{} ({})", self.text(), self.section())
    }
}

impl core::error::Error for ProtocolError {}

/// A call that may not be made, or not now. Nothing was written, and but for
/// [`ExtensionFailed`](Self::ExtensionFailed) the connection is as it was.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum UsageError {
    /// The connection is closing or closed (RFC 6455 §6.1).
    NotOpen,
    /// As much output waits as [`Water::limit`](crate::Water) allows. Transmit, then try again.
    QueueFull,
    /// A message was started and is not finished; messages cannot be interleaved (§5.4).
    MessageInProgress,
    /// The payload of a ping or pong is longer than 125 octets (§5.5).
    ControlTooLong,
    /// The reason for closing is longer than 123 octets (§5.5).
    ReasonTooLong,
    /// A fragment of a text message is not UTF-8, or the last one ends inside a character (§5.6).
    NotUtf8,
    /// An [extension of yours](crate::extension::Extension) failed on this message or an earlier one: no later message
    /// can be sent. Control frames can, and messages are received as before.
    ExtensionFailed,
    /// No memory to queue it.
    OutOfMemory,
}

impl fmt::Display for UsageError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOpen => "the connection is not open",
            Self::QueueFull => "too much output is waiting",
            Self::MessageInProgress => "another message is not finished",
            Self::ControlTooLong => "the payload of a control frame is longer than 125 octets",
            Self::ReasonTooLong => "the reason is longer than 123 octets",
            Self::NotUtf8 => "text that is not UTF-8",
            Self::ExtensionFailed => "an extension failed on this message or an earlier one",
            Self::OutOfMemory => "out of memory",
        })
    }
}

impl core::error::Error for UsageError {}

/// A refused call that was given something to own: here it is back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SendError<P> {
    /// Why it was refused.
    pub error: UsageError,
    /// What was to be sent.
    pub payload: P,
}

impl<P> fmt::Display for SendError<P> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.error.fmt(f)
    }
}

impl<P: fmt::Debug> core::error::Error for SendError<P> {
    fn source(&self) -> Option<&(dyn core::error::Error + 'static)> {
        Some(&self.error)
    }
}

/// Why a client fails on what a server answers about extensions. The code for it is 1010 (RFC 6455 §7.4.1).
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum AgreeError {
    /// It was not offered (§4.1).
    NotOffered,
    /// A reserved bit would belong to two extensions, or an extension is answered twice (§9.1).
    RsvConflict,
    /// The extension does not accept its parameters (§9.1).
    Unacceptable,
}

impl fmt::Display for AgreeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::NotOffered => "the server chose an extension that was not offered (RFC 6455 §4.1)",
            Self::RsvConflict => "the server chose two extensions for one reserved bit (RFC 6455 §9.1)",
            Self::Unacceptable => "the server chose parameters that are not acceptable (RFC 6455 §9.1)",
        })
    }
}

impl core::error::Error for AgreeError {}

/// Why an opening handshake failed (RFC 6455 §4). On a server each is answered with an HTTP status.
#[cfg(feature = "handshake")]
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum HandshakeError {
    /// Not HTTP/1.1, or broken: a bad line, a folded or doubled field that may not be, a body.
    BadHttp,
    /// The head is longer than [`Limits::head_bytes`](crate::Limits) or has more fields than
    /// [`Limits::head_fields`](crate::Limits).
    HeadTooLarge,
    /// The method is not GET (§4.2.1).
    BadMethod,
    /// `Host` is missing, doubled or malformed (§4.2.1).
    BadHost,
    /// `Upgrade` does not name `websocket` (§4.1, §4.2.1).
    BadUpgrade,
    /// `Connection` does not name `upgrade` (§4.1, §4.2.1).
    BadConnection,
    /// `Sec-WebSocket-Key` is missing, doubled or not 16 octets in base64 (§4.2.1, §11.3.1).
    BadKey,
    /// `Sec-WebSocket-Version` is missing, doubled or malformed, or no version that is spoken (§4.4).
    BadVersion,
    /// `Sec-WebSocket-Accept` is missing, doubled or not the answer to our key (§4.1).
    BadAccept,
    /// `Sec-WebSocket-Protocol` is malformed, or names what was not offered (§4.1, §11.3.4).
    BadProtocol,
    /// `Sec-WebSocket-Extensions` is malformed (§9.1).
    BadExtensions,
    /// The server chose extensions in a way that cannot be agreed to (§4.1, §9.1).
    UnacceptableExtensions(AgreeError),
    /// The server answered with this status instead of 101 (§4.1).
    UnexpectedStatus(u16),
    /// Octets came through a tunnel in front of TLS, in which the client speaks first.
    EarlyOctets,
    /// The application refused the request with this status.
    Refused(u16),
    /// The handshake was not over in time.
    TimedOut,
    /// The transport ended before the handshake did.
    TransportEnded,
}

#[cfg(feature = "handshake")]
impl fmt::Display for HandshakeError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::BadHttp => "not HTTP/1.1, or malformed (RFC 6455 §4.1, §4.2.1)",
            Self::HeadTooLarge => "head too large",
            Self::BadMethod => "method is not GET (RFC 6455 §4.2.1)",
            Self::BadHost => "missing or bad Host (RFC 6455 §4.2.1)",
            Self::BadUpgrade => "Upgrade does not name websocket (RFC 6455 §4.2.1)",
            Self::BadConnection => "Connection does not name upgrade (RFC 6455 §4.2.1)",
            Self::BadKey => "missing or bad Sec-WebSocket-Key (RFC 6455 §4.2.1)",
            Self::BadVersion => "missing, bad or unsupported Sec-WebSocket-Version (RFC 6455 §4.4)",
            Self::BadAccept => "missing or wrong Sec-WebSocket-Accept (RFC 6455 §4.1)",
            Self::BadProtocol => "bad Sec-WebSocket-Protocol (RFC 6455 §4.1)",
            Self::BadExtensions => "bad Sec-WebSocket-Extensions (RFC 6455 §9.1)",
            Self::UnacceptableExtensions(error) => return error.fmt(f),
            Self::EarlyOctets => "octets in front of TLS",
            Self::UnexpectedStatus(status) => return write!(f, "the server answered with status {status}"),
            Self::Refused(status) => return write!(f, "refused with status {status}"),
            Self::TimedOut => "the handshake took too long",
            Self::TransportEnded => "the transport ended during the handshake",
        })
    }
}

#[cfg(feature = "handshake")]
impl core::error::Error for HandshakeError {}

//! An echo made of frames alone: memory that somebody has filled goes in, octets for somebody to write come out.
//!
//! Frames go back as they came, fragments and all, while their payload is still arriving: nothing is assembled, so a
//! message may be larger than all memory. What a `Connection` does by itself is done here: text is checked, pings
//! and close frames are answered, and a peer that breaks a rule is told so.

use hybi::utf8::Utf8Validator;
use hybi::wire::header::FrameHeader;
use hybi::{CloseCode, Config, Decoder, Kind, Opcode, Piece, ProtocolError, Role};

#[derive(Debug)]
pub(crate) struct Echo {
    decoder: Decoder,
    text: Utf8Validator,
    /// Octets that the frame we are writing still lacks: nothing may stand between them.
    lacking: u64,
    is_over: bool,
}

impl Echo {
    pub(crate) fn new(config: &Config) -> Self {
        let decoder = Decoder::new(Role::Server, config);
        Self { decoder, text: Utf8Validator::default(), lacking: 0, is_over: false }
    }

    /// Whether a close frame was answered, or a rule broken: write what there is, then end the transport.
    pub(crate) fn is_over(&self) -> bool {
        self.is_over
    }

    /// Takes what lies in `memory`, and appends what is to be written. Returns how many octets are done with; the rest,
    /// at most the beginning of a header or of a control frame, has to be offered again with more behind it.
    pub(crate) fn completed(&mut self, memory: &mut [u8], answers: &mut Vec<u8>) -> usize {
        let mut at = 0;
        while !self.is_over {
            let taken = match self.decoder.decode(&mut memory[at..]) {
                Ok(step) => {
                    at += step.consumed;
                    let Some(piece) = step.piece else { break };
                    self.answer(piece, answers)
                }
                Err(error) => Err(error),
            };
            if let Err(error) = taken {
                self.fail(error, answers);
            }
        }
        at
    }

    fn answer(&mut self, piece: Piece<'_>, answers: &mut Vec<u8>) -> Result<(), ProtocolError> {
        match piece {
            Piece::Data { header, kind, payload, remaining, message_ends } => {
                if kind == Kind::Text {
                    self.text.update(payload).map_err(|_| ProtocolError::InvalidUtf8)?;
                    if message_ends {
                        self.text.finish().map_err(|_| ProtocolError::InvalidUtf8)?;
                    }
                }
                if let Some(header) = header {
                    push_header(header.fin(), header.opcode(), header.payload_len(), answers);
                }
                self.lacking = remaining;
                answers.extend_from_slice(payload);
            }
            Piece::Control { opcode: Opcode::Ping, payload } => push(Opcode::Pong, payload, answers),
            Piece::Control { opcode: Opcode::Close, payload } => {
                check_close(payload)?;
                push(Opcode::Close, payload, answers);
                self.is_over = true;
            }
            Piece::Control { .. } => {} // a pong to nobody
        }
        Ok(())
    }

    /// Tells the peer which rule it broke, unless we stand inside a frame.
    fn fail(&mut self, error: ProtocolError, answers: &mut Vec<u8>) {
        if self.lacking == 0 {
            push(Opcode::Close, &error.close_code().value().to_be_bytes(), answers);
        }
        self.is_over = true;
    }
}

/// §7.1.5: nothing, or a code that may be sent and a reason that is text.
fn check_close(payload: &[u8]) -> Result<(), ProtocolError> {
    match payload.split_first_chunk() {
        None if payload.is_empty() => Ok(()),
        None => Err(ProtocolError::CloseTooShort),
        Some((code, _)) if CloseCode::new(u16::from_be_bytes(*code)).is_none() => {
            Err(ProtocolError::InvalidCloseCode)
        }
        Some((_, reason)) => str::from_utf8(reason).map(drop).map_err(|_| ProtocolError::InvalidUtf8),
    }
}

fn push(opcode: Opcode, payload: &[u8], answers: &mut Vec<u8>) {
    push_header(true, opcode, payload.len() as u64, answers);
    answers.extend_from_slice(payload);
}

fn push_header(fin: bool, opcode: Opcode, len: u64, answers: &mut Vec<u8>) {
    let header = FrameHeader::new(fin, opcode, len).expect("as one that was parsed, or short");
    answers.extend_from_slice(&header.encode());
}

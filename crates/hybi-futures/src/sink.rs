//! `Sink`, for whoever wants to forward streams of messages: a trait of a crate of its own, so behind a feature.

use std::pin::Pin;
use std::task::{Context, Poll};

use futures_sink::Sink;
use hybi::{CloseCode, Message};

use crate::error::Error;
use crate::runtime::Io;
use crate::{WebSocket, Writer};

impl<S, R: Io<S>> Sink<Message> for WebSocket<S, R> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        if this.0.link.awake().is_above_high_water() { this.poll_flush(cx) } else { Poll::Ready(Ok(())) }
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        Ok(self.get_mut().0.link.awake().send_message(message).map_err(|refused| refused.error)?)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Self::poll_flush(self.get_mut(), cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        this.0.link.awake().close(CloseCode::NORMAL, "")?;
        this.poll_flush(cx)
    }
}

impl<S, R: Io<S>> Sink<Message> for Writer<S, R> {
    type Error = Error;

    fn poll_ready(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        self.get_mut().poll_turn(cx)
    }

    fn start_send(self: Pin<&mut Self>, message: Message) -> Result<(), Error> {
        self.get_mut().send_message_now(message)
    }

    fn poll_flush(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        Self::poll_flush(self.get_mut(), cx)
    }

    fn poll_close(self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<Result<(), Error>> {
        let this = self.get_mut();
        this.begin_close()?;
        this.poll_flush(cx)
    }
}

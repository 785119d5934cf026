//! WebSockets in axum: an extractor.
//!
//! ```no_run
//! use axum::{Router, response::Response, routing::any};
//! use hybi_tokio::Event;
//! use hybi_tokio::axum::WebSocketUpgrade;
//!
//! async fn feed(upgrade: WebSocketUpgrade) -> Response {
//!     upgrade.with_subprotocols(&["chat.v2", "chat.v1"]).on_upgrade(async |mut socket| {
//!         while let Some((event, sender)) = socket.recv_with().await {
//!             if let Event::Text(text) = event {
//!                 let _ = sender.send(&text);
//!             }
//!         }
//!     })
//! }
//!
//! let app: Router = Router::new().route("/feed", any(feed));
//! ```
//!
//! Route by `any`: over HTTP/2 the method is CONNECT (RFC 8441 §4). A server that browsers can reach has to look at the
//! origin (RFC 6455 §10.2): [`WebSocketUpgrade::request`] and [`WebSocketUpgrade::reject`].

use std::future::Future;
use std::sync::Arc;

use axum_core::body::Body;
use axum_core::extract::FromRequestParts;
use axum_core::response::{IntoResponse, Response};
use http::request::Parts;
use hybi::handshake::{Accept, Answer, Request};
use hybi::{Config, Versions};

use crate::WebSocket;
use crate::hyper::{Refused, Upgrade, Upgraded};

/// A good request for a WebSocket: an extractor, which answers others by itself. It has to be the last thing that is
/// decided: end with [`on_upgrade`](Self::on_upgrade) or [`reject`](Self::reject).
#[derive(Debug)]
#[must_use]
pub struct WebSocketUpgrade {
    upgrade: Upgrade,
    accept: Accept,
    subprotocol: Option<String>,
}

impl WebSocketUpgrade {
    /// The request: for the origin, the subprotocols, the headers.
    pub fn request(&self) -> &Request {
        self.upgrade.request()
    }

    /// The same with a configuration: limits, deadlines, how messages are delivered.
    pub fn with_config(self, config: impl Into<Arc<Config>>) -> Self {
        Self { upgrade: self.upgrade.with_config(config), ..self }
    }

    /// The same with what else the acceptance should have: headers of the response, compression.
    pub fn with_accept(self, accept: Accept) -> Self {
        Self { accept, ..self }
    }

    /// The same with the first subprotocol of the client that is among these; without one if there is none.
    pub fn with_subprotocols(self, supported: &[&str]) -> Self {
        let subprotocol = self.request().select_subprotocol(supported).map(str::to_owned);
        Self { subprotocol, ..self }
    }

    /// The subprotocol that was chosen.
    pub fn subprotocol(&self) -> Option<&str> {
        self.subprotocol.as_deref()
    }

    /// Accepts, and runs this with the open WebSocket, in a task of its own. If it does not open, because the client
    /// is gone, nothing is run.
    pub fn on_upgrade<F, R>(self, serve: F) -> Response
    where
        F: FnOnce(WebSocket<Upgraded>) -> R + Send + 'static,
        R: Future<Output = ()> + Send,
    {
        let accept = match &self.subprotocol {
            Some(name) => self.accept.with_subprotocol(name),
            None => self.accept,
        };
        match self.upgrade.accept::<Body>(accept) {
            Ok((response, opening)) => {
                tokio::spawn(async move {
                    if let Ok(socket) = opening.open().await {
                        serve(socket).await;
                    }
                });
                response
            }
            // What the application asked for cannot be answered: a mistake of this side.
            Err(error) => (http::StatusCode::INTERNAL_SERVER_ERROR, error.to_string()).into_response(),
        }
    }

    /// Rejects.
    pub fn reject(self, answer: &Answer) -> Response {
        self.upgrade.reject(answer)
    }
}

impl<S: Sync> FromRequestParts<S> for WebSocketUpgrade {
    type Rejection = Refused;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Refused> {
        let upgrade = Upgrade::of_parts(parts, Versions::default())?;
        Ok(Self { upgrade, accept: Accept::new(), subprotocol: None })
    }
}

impl IntoResponse for Refused {
    fn into_response(self) -> Response {
        Self::into_response(self)
    }
}

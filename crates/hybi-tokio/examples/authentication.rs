//! Who may connect is decided before the WebSocket opens: by a password (HTTP Basic), or by the cookie of the session
//! that began with one.
//!
//!     cargo run -p hybi-tokio --example authentication
//!     hybi connect ws://ada:enchantress@127.0.0.1:9001/
//!
//! Passwords and cookies are for wss://: the example `tls-server` shows how. Pages cannot add headers to a WebSocket,
//! but their browser adds the cookies of the server, so a cookie that a login page set works here, too.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::collections::HashMap;
use std::io;
use std::sync::{Arc, Mutex, PoisonError};

use base64::Engine;
use base64::engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD};
use hybi::Entropy;
use hybi_tokio::{Accept, Acceptor, Answer, Arrival, Error, Request, SystemEntropy};
use tokio::net::{TcpListener, TcpStream};

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9001").await?;
    println!("ws://ada:enchantress@{}/", listener.local_addr()?);
    serve(listener).await
}

/// The names of users by their session.
type Sessions = Arc<Mutex<HashMap<String, String>>>;

pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let sessions = Sessions::default();
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(admit(stream, sessions.clone()));
    }
}

async fn admit(stream: TcpStream, sessions: Sessions) -> Result<(), Error> {
    let Arrival::Upgrade(pending) = Acceptor::default().read(stream).await? else { return Ok(()) };
    let (user, accept) = if let Some(user) = user_of_session(pending.request(), &sessions) {
        (user, Accept::new())
    } else if let Some(user) = user_of_password(pending.request()) {
        let cookie = format!("session={}; HttpOnly; SameSite=Strict", begin_session(&user, &sessions));
        (user, Accept::new().with_header("Set-Cookie", cookie))
    } else {
        // 401 has to say how to do better (RFC 9110 §15.5.2).
        let challenge = Answer::new(401).with_header("WWW-Authenticate", "Basic realm=\"tide\"");
        return pending.reject(challenge.with_body("who are you?\n")).await;
    };
    let mut socket = pending.accept(accept).await?;
    socket.send(&*format!("welcome, {user}")).await?;
    while socket.recv().await.is_some() {}
    Ok(())
}

fn user_of_session(request: &Request, sessions: &Sessions) -> Option<String> {
    let cookies = request.fields().get_str("Cookie")?;
    let session = cookies.split(';').find_map(|cookie| cookie.trim().strip_prefix("session="))?;
    lock(sessions).get(session).cloned()
}

fn user_of_password(request: &Request) -> Option<String> {
    let credentials = request.fields().get_str("Authorization")?.strip_prefix("Basic ")?;
    let credentials = String::from_utf8(STANDARD.decode(credentials).ok()?).ok()?;
    let (user, password) = credentials.split_once(':')?;
    // A real server keeps hashes of passwords that are slow to compute, and compares those.
    (user == "ada" && password == "enchantress").then(|| user.to_owned())
}

/// A session is known by a number that nobody guesses.
fn begin_session(user: &str, sessions: &Sessions) -> String {
    let mut number = [0; 16];
    SystemEntropy.fill(&mut number);
    let session = URL_SAFE_NO_PAD.encode(number);
    lock(sessions).insert(session.clone(), user.to_owned());
    session
}

fn lock(sessions: &Sessions) -> std::sync::MutexGuard<'_, HashMap<String, String>> {
    sessions.lock().unwrap_or_else(PoisonError::into_inner)
}

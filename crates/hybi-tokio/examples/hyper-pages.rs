//! Pages and WebSockets on one port, with hyper and no framework.
//!
//!     cargo run -p hybi-tokio --features hyper --example hyper-pages
//!
//! Then open http://127.0.0.1:9001/ in a browser.
#![allow(clippy::print_stdout, reason = "an example says what it does")]

use std::convert::Infallible;
use std::io;

use http_body_util::Full;
use hybi_tokio::hyper::{Opening, Upgrade};
use hybi_tokio::{Accept, Answer, Error};
use hyper::body::{Bytes, Incoming};
use hyper::service::service_fn;
use hyper::{Request, Response};
use hyper_util::rt::{TokioExecutor, TokioIo};
use hyper_util::server::conn::auto;
use tokio::net::TcpListener;

#[tokio::main]
async fn main() -> io::Result<()> {
    let listener = TcpListener::bind("127.0.0.1:9001").await?;
    println!("http://{}/", listener.local_addr()?);
    serve(listener).await
}

pub(crate) async fn serve(listener: TcpListener) -> io::Result<()> {
    let mut http = auto::Builder::new(TokioExecutor::new());
    http.http2().enable_connect_protocol(); // WebSockets over HTTP/2
    loop {
        let (stream, _) = listener.accept().await?;
        stream.set_nodelay(true)?;
        let http = http.clone();
        tokio::spawn(async move {
            // "with upgrades": WebSockets over HTTP/1.1
            let _ = http.serve_connection_with_upgrades(TokioIo::new(stream), service_fn(answer)).await;
        });
    }
}

async fn answer(mut request: Request<Incoming>) -> Result<Response<Full<Bytes>>, Infallible> {
    match request.uri().path() {
        "/" => {
            let page = Response::builder().header("Content-Type", "text/html; charset=utf-8");
            Ok(page.body(Full::from(include_str!("page.html"))).expect("nothing is wrong with it"))
        }
        "/echo" => Ok(upgrade(&mut request)),
        _ => Ok(Response::builder().status(404).body(Full::default()).expect("nothing is wrong with it")),
    }
}

fn upgrade(request: &mut Request<Incoming>) -> Response<Full<Bytes>> {
    let upgrade = match Upgrade::of(request) {
        Ok(upgrade) => upgrade,
        Err(refused) => return refused.into_response(),
    };
    // Any page on the web can make a browser connect to here: only our own may (RFC 6455 §10.2).
    let own = format!("http://{}", upgrade.request().host());
    if !upgrade.request().origin_allowed(&[&own]) {
        return upgrade.reject(&Answer::new(403));
    }
    let (response, opening) = upgrade.accept(Accept::new()).expect("nothing special was asked for");
    tokio::spawn(echo(opening)); // it opens when the response has gone out
    response
}

async fn echo(opening: Opening) -> Result<(), Error> {
    let mut socket = opening.open().await?;
    while let Some(message) = socket.recv_message().await {
        socket.send(&message).await?;
    }
    Ok(())
}

//! The examples of a README on npm: one side there, the other in Rust.

use std::net::{TcpListener, TcpStream};
use std::thread;

use hybi_std::ClientRequest;
use hybi_test::foreign::{Server, expect_ok, peer};

/// The program that has the sides on npm, by name: `crates/hybi-test/interop`. Where it cannot be run, nothing can be
/// had of it.
pub struct Readme(pub &'static str);

impl Readme {
    /// A server there, and its address.
    pub fn server(&self, name: &str) -> Option<(Server, String)> {
        self.server_with(name, &[])
    }

    fn server_with(&self, name: &str, arguments: &[&str]) -> Option<(Server, String)> {
        let mut command = peer(self.0)?;
        command.arg(name);
        let server = Server::start(command, arguments);
        let url = format!("ws://127.0.0.1:{}", server.port());
        Some((server, url))
    }

    /// The same with a certificate, and a client of ours that trusts whoever issued it.
    #[cfg(feature = "tls")]
    pub fn server_with_tls(&self, name: &str) -> Option<(Server, hybi_std::WebSocket<hybi_std::Stream>)> {
        let authority = hybi_test::tls::Authority::new();
        let files = authority.issue(&["localhost"]).write(&authority);
        let [certificate, key] = files.server_arguments();
        let (server, _) = self.server_with(name, &[&certificate, &key])?;
        let connector = hybi_std::Connector::default().with_tls(authority.client_config());
        let request = request(&format!("wss://localhost:{}/", server.port()));
        let (socket, _) = connector.connect(request).expect("it opens");
        Some((server, socket))
    }

    /// A client there meets a server of ours, which serves one; what the client says, and what the server returns.
    pub fn client<T: Send + 'static>(
        &self,
        name: &str,
        serve: impl FnOnce(TcpStream) -> T + Send + 'static,
    ) -> Option<(String, T)> {
        self.client_with(name, "ws", &[], serve)
    }

    pub fn client_with<T: Send + 'static>(
        &self,
        name: &str,
        scheme: &str,
        arguments: &[&str],
        serve: impl FnOnce(TcpStream) -> T + Send + 'static,
    ) -> Option<(String, T)> {
        let mut command = peer(self.0)?;
        let listener = TcpListener::bind("127.0.0.1:0").expect("a free port");
        let url = format!("{scheme}://{}/", listener.local_addr().expect("bound"));
        let serving = thread::spawn(move || serve(listener.accept().expect("it connects").0));
        let said = expect_ok(command.args([name, &url, "--timeout=50"]).args(arguments));
        Some((said, serving.join().expect("it does not panic")))
    }
}

pub fn request(url: &str) -> ClientRequest {
    ClientRequest::new(url).expect("an address")
}

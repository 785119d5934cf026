//! Redirects: which are followed, and with which credentials.

use hybi::handshake::{ClientHandshake, ClientRequest, RedirectError, Redirects, UriError};
use hybi::{BoxEntropy, Config};

use crate::{client_request, entropy};

/// Lets a server answer this request with these lines, and asks for the next request.
fn next(
    redirects: &mut Redirects,
    request: &ClientRequest,
    answer: &str,
) -> Option<Result<ClientRequest, RedirectError>> {
    let mut client = ClientHandshake::new(request.clone(), Config::default(), entropy());
    let text = format!("HTTP/1.1 {answer}\r\n\r\n");
    assert_eq!(client.receive(text.as_bytes()), text.len());
    redirects.next(client.request(), client.response().expect("an answer"))
}

fn lenient() -> Redirects {
    let mut redirects = Redirects::default();
    redirects.allow_insecure = true;
    redirects.allow_unix = true;
    redirects
}

fn moved(from: &ClientRequest, location: &str) -> Result<ClientRequest, RedirectError> {
    next(&mut lenient(), from, &format!("302 Found\r\nLocation: {location}")).expect("a redirect")
}

fn octets(request: ClientRequest) -> String {
    let client =
        ClientHandshake::new(request, Config::default(), BoxEntropy::new(|out: &mut [u8]| out.fill(9)));
    String::from_utf8(client.transmit().to_vec()).expect("text")
}

/// Which of the credentials go along.
fn kept(from: &str, to: &str) -> String {
    let request = client_request(from)
        .with_header("Authorization", "Bearer t")
        .and_then(|r| r.with_header("cookie", "s=1"))
        .and_then(|r| r.with_header("X-Trace", "9"))
        .and_then(|r| r.with_header("Host", "alias"))
        .expect("good");
    let octets = octets(moved(&request, to).expect(to));
    assert!(octets.contains("\r\nX-Trace: 9\r\n"), "{octets}");
    let found = |line: &str, name| if octets.contains(line) { name } else { "" };
    [found("Authorization: Bearer t", "A"), found("cookie: s=1", "C"), found("Host: alias", "H")].concat()
}

#[test]
fn credentials_are_for_one_place() {
    for (from, to, expected) in [
        ("ws://h/feed", "/v2/feed?x=1", "ACH"),
        ("ws://h/feed", "ws://H:80/other", "ACH"),
        ("ws://h/feed", "http://h/other", "ACH"),
        ("ws://h/", "wss://h/", "ACH"),
        ("ws://h/", "ws://sub.h/", ""),
        ("ws://h/", "ws://h:81/", ""),
        ("ws://h/", "//other/", ""),
        ("wss://h/", "wss://h:8443/", ""),
        ("wss://h/", "ws://h/", "H"),
        ("wss://h/", "http://h/", "H"),
        ("wss://h/", "ws://other/", ""),
        ("ws://h/", "ws+unix:/s:/", ""),
        ("ws+unix:/s:/a", "/b", "ACH"),
        ("ws+unix:/s:/a", "ws+unix:/s:/b", "ACH"),
        ("ws+unix:/s:/a", "ws+unix:/t:/a", ""),
        ("ws+unix:/s:/a", "ws://localhost/a", ""),
    ] {
        assert_eq!(kept(from, to), expected, "{from} to {to}");
    }
}

#[test]
fn the_credentials_of_the_first_address_stay_while_the_place_stays() {
    let authorization = |from: ClientRequest, to: &str| {
        let octets = octets(moved(&from, to).expect(to));
        octets.lines().find_map(|line| line.strip_prefix("Authorization: Basic ")).map(str::to_owned)
    };
    let ada = Some("YWRhOmxvdmU=".to_owned());
    assert_eq!(authorization(client_request("ws://ada:love@h/"), "/b"), ada);
    assert_eq!(authorization(client_request("ws://ada:love@h/"), "ws://eve:x@h/b"), ada, "the first win");
    assert_eq!(authorization(client_request("ws://h/").with_basic_auth("ada", "love"), "ws://h/b"), ada);
    assert_eq!(authorization(client_request("ws://h/"), "ws://ada:love@h/b"), ada, "there were none");
    assert_eq!(authorization(client_request("ws://ada:love@h/"), "ws://i/"), None);
    assert_eq!(authorization(client_request("ws://h/").with_basic_auth("ada", "love"), "ws://i/"), None);
    assert_eq!(
        authorization(client_request("ws://h/"), "ws://eve:x@i/"),
        None,
        "nobody gives us credentials"
    );
    assert_eq!(authorization(client_request("wss://ada:love@h/"), "ws://h/"), None);
    let there = moved(&client_request("ws://ada:love@h/"), "ws://i/").expect("good");
    assert_eq!(authorization(there, "ws://h/"), None, "what is lost does not come back");
}

#[test]
fn the_rest_of_the_request_goes_along_and_the_nonce_does_not() {
    let request = client_request("ws://h/a/b")
        .with_subprotocol("v1")
        .and_then(|r| r.with_origin("https://o"))
        .and_then(|r| r.with_key("dGhlIHNhbXBsZSBub25jZQ=="))
        .expect("good");
    assert_eq!(
        octets(moved(&request, "../c?d").expect("good")),
        "GET /c?d HTTP/1.1\r\nHost: h\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n\
         Sec-WebSocket-Key: CQkJCQkJCQkJCQkJCQkJCQ==\r\nSec-WebSocket-Version: 13\r\n\
         Sec-WebSocket-Protocol: v1\r\nOrigin: https://o\r\n\r\n"
    );
}

#[test]
fn what_is_a_redirect() {
    let request = client_request("ws://h/");
    let is_redirect = |answer: &str| next(&mut Redirects::default(), &request, answer).is_some();
    for status in [301, 302, 303, 307, 308] {
        assert!(is_redirect(&format!("{status} \r\nLocation: /x")), "{status}");
        assert!(!is_redirect(&format!("{status} ")), "{status} without a place");
    }
    for status in [200, 201, 300, 304, 305, 401, 503] {
        assert!(!is_redirect(&format!("{status} \r\nLocation: /x")), "{status}");
    }
}

#[test]
fn one_more_than_the_limit_is_too_many() {
    let mut redirects = Redirects::default();
    redirects.limit = 2;
    let mut request = client_request("ws://h/");
    for path in ["/1", "/2"] {
        let answer = format!("302 \r\nLocation: {path}");
        request = next(&mut redirects, &request, &answer).expect("a redirect").expect("followed");
    }
    let third = next(&mut redirects, &request, "302 \r\nLocation: /3");
    assert_eq!(third, Some(Err(RedirectError::TooMany)));
}

#[test]
fn a_place_that_is_none() {
    for (location, error) in [
        ("gopher://h/", UriError::Scheme),
        ("javascript:alert(1)", UriError::Scheme),
        ("/a#b", UriError::Fragment),
        ("ws://a b/", UriError::Host),
        ("//", UriError::Host),
        ("ws://h:99999/", UriError::Port),
        ("/\r\nLocation: /b", UriError::Host),
    ] {
        let refused = moved(&client_request("ws://h/"), location).err();
        assert_eq!(refused, Some(RedirectError::BadUri(error)), "{location:?}");
    }
}

#[test]
fn some_places_need_leave() {
    let follow = |from: &str, to: &str| {
        let answer = format!("302 \r\nLocation: {to}");
        next(&mut Redirects::default(), &client_request(from), &answer).expect("a redirect").err()
    };
    assert_eq!(follow("wss://h/", "ws://h/"), Some(RedirectError::Insecure));
    assert_eq!(follow("wss://h/", "http://h/"), Some(RedirectError::Insecure));
    assert_eq!(follow("wss://h/", "ws+unix:/s"), Some(RedirectError::Insecure));
    assert_eq!(follow("ws://h/", "ws+unix:/s"), Some(RedirectError::Unix));
    assert_eq!(follow("ws+unix:/s", "ws+unix:/t"), None);
    assert_eq!(follow("ws://h/", "https://i/"), None);
}

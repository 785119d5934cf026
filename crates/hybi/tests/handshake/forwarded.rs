//! What a proxy in front of a server says about its client (RFC 7239).

use hybi::Versions;
use hybi::handshake::Request;

fn request(lines: &[(&str, &str)]) -> Request {
    let good = [
        ("host", "h"),
        ("upgrade", "websocket"),
        ("connection", "upgrade"),
        ("sec-websocket-key", crate::KEY),
        ("sec-websocket-version", "13"),
    ];
    let headers = good.iter().chain(lines).map(|(name, value)| (*name, value.as_bytes()));
    Request::from_parts(Versions::default(), "GET", (1, 1), "/", headers).expect("good")
}

#[test]
fn the_first_of_the_list_is_the_client() {
    for (name, value, expected) in [
        ("x-forwarded-for", "203.0.113.7", Some("203.0.113.7")),
        ("X-Forwarded-For", " \t203.0.113.7 , 10.0.0.2", Some("203.0.113.7")),
        ("X-Forwarded-For", "2001:db8::1,10.0.0.2", Some("2001:db8::1")),
        ("X-Forwarded-For", "", None),
        ("X-Forwarded-For", " , 10.0.0.2", None),
        ("Forwarded", "for=203.0.113.7", Some("203.0.113.7")),
        (
            "Forwarded",
            "proto=https; For=\"[2001:db8::1]:4711\" ;by=x, for=10.0.0.2",
            Some("[2001:db8::1]:4711"),
        ),
        ("Forwarded", "by=x, for=10.0.0.2", None),
        ("Forwarded", "x=\"a;for=evil\"; for=_hidden", Some("_hidden")),
        ("Forwarded", "for=", None),
        ("Forwarded", "for", None),
        ("Forwarded", "for=\"", Some("\"")),
        ("Forwarded", "", None),
    ] {
        assert_eq!(request(&[(name, value)]).head().forwarded_for(), expected, "{name}: {value}");
    }
    assert_eq!(request(&[]).head().forwarded_for(), None);
    let both = [("x-forwarded-for", "a"), ("forwarded", "for=b")];
    assert_eq!(request(&both).head().forwarded_for(), Some("b"), "the standard one wins");
}

#[test]
fn whether_the_client_came_by_tls() {
    for (name, value, expected) in [
        ("X-Forwarded-Proto", "https", true),
        ("X-Forwarded-Proto", "HTTPS, http", true),
        ("X-Forwarded-Proto", "http, https", false),
        ("X-Forwarded-Proto", "wss", true),
        ("X-Forwarded-Scheme", "https", true),
        ("X-Forwarded-Ssl", "on", true),
        ("X-Forwarded-Ssl", "off", false),
        ("Https", "on", true),
        ("Forwarded", "for=a;proto=https", true),
        ("Forwarded", "for=a;proto=http, proto=https", false),
        ("Forwarded", "for=a", false),
    ] {
        assert_eq!(request(&[(name, value)]).head().forwarded_https(), expected, "{name}: {value}");
    }
    assert!(!request(&[]).head().forwarded_https());
    // One that says no wins over a switch that says yes.
    assert!(!request(&[("x-forwarded-proto", "http"), ("https", "on")]).head().forwarded_https());
}

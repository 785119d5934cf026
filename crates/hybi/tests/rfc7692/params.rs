//! §7.1: parameters in offers and answers, for both roles. A row is settings, what the peer sent, and what comes
//! of it.

use hybi::Role;
use hybi::extension::permessage_deflate::{
    BadLevel, BadWindowBits, DeflateConfig, Level, Params, Takeover, UnacceptableAnswer, Window, WindowBits,
};
use hybi::extension::{Offer, format_offers, parse_offers};

use super::bits;

/// Settings as text: parameters with `=N` or `=full`, `=none` or `=always`, and `hard`.
fn config(settings: &str) -> DeflateConfig {
    let mut config = DeflateConfig::default();
    for setting in settings.split_whitespace() {
        let (name, value) = setting.split_once('=').unwrap_or((setting, ""));
        let takeover = || match value {
            "none" => Takeover::None,
            "always" => Takeover::Always,
            _ => panic!("{setting}"),
        };
        let window = || match value {
            "full" => Window::Full,
            number => Window::AtMost(bits(number.parse().unwrap())),
        };
        match name {
            "server_takeover" => config.server_no_context_takeover = takeover(),
            "client_takeover" => config.client_no_context_takeover = takeover(),
            "server_window" => config.server_max_window_bits = window(),
            "client_window" => config.client_max_window_bits = window(),
            "hard" => config.client_window_is_hard = true,
            _ => panic!("{setting}"),
        }
    }
    config
}

fn offers(header: &str) -> Vec<Offer> {
    parse_offers([header.as_bytes()]).unwrap()
}

/// `snct cnct 15 15`, in short.
fn params(text: &str) -> Params {
    let words: Vec<_> = text.split(' ').collect();
    Params {
        server_no_context_takeover: words.contains(&"snct"),
        client_no_context_takeover: words.contains(&"cnct"),
        server_max_window_bits: bits(words[words.len() - 2].parse().unwrap()),
        client_max_window_bits: bits(words[words.len() - 1].parse().unwrap()),
    }
}

const P: &str = "permessage-deflate";

#[test]
fn a_client_offers_what_it_wishes() {
    let rows = [
        ("", "; client_max_window_bits"),
        ("client_window=full", ""),
        ("client_window=10", "; client_max_window_bits=10"),
        ("client_window=8 server_window=15", "; server_max_window_bits=15; client_max_window_bits=8"),
        ("server_window=9", "; server_max_window_bits=9; client_max_window_bits"),
        ("server_window=full", "; client_max_window_bits"),
        (
            "server_takeover=none client_takeover=none",
            "; server_no_context_takeover; client_no_context_takeover; client_max_window_bits",
        ),
        ("server_takeover=always client_takeover=always", "; client_max_window_bits"),
    ];
    for (settings, offer) in rows {
        assert_eq!(config(settings).offer().to_string(), format!("{P}{offer}"), "{settings}");
    }
}

/// Settings of the server, parameters of the offer, those of the answer (`None`: it declines), and what is in
/// force.
type Answer<'a> = (&'a str, &'a str, Option<(&'a str, &'a str)>);

#[test]
fn a_server_answers_with_what_both_can() {
    let rows: &[Answer<'_>] = &[
        ("", "", Some(("", "15 15"))),
        // §7.1.1.1
        ("", "; server_no_context_takeover", Some(("; server_no_context_takeover", "snct 15 15"))),
        ("server_takeover=none", "", Some(("; server_no_context_takeover", "snct 15 15"))),
        ("server_takeover=always", "", Some(("", "15 15"))),
        ("server_takeover=always", "; server_no_context_takeover", None),
        // §7.1.1.2
        ("", "; client_no_context_takeover", Some(("; client_no_context_takeover", "cnct 15 15"))),
        ("client_takeover=none", "", Some(("; client_no_context_takeover", "cnct 15 15"))),
        ("client_takeover=always", "; client_no_context_takeover", Some(("", "15 15"))),
        // §7.1.2.1
        ("", "; server_max_window_bits=15", Some(("; server_max_window_bits=15", "15 15"))),
        ("", "; server_max_window_bits=8", Some(("; server_max_window_bits=8", "8 15"))),
        ("server_window=12", "; server_max_window_bits=13", Some(("; server_max_window_bits=12", "12 15"))),
        ("server_window=12", "; server_max_window_bits=11", Some(("; server_max_window_bits=11", "11 15"))),
        ("server_window=12", "", Some(("", "12 15"))), // kept without a word
        ("server_window=full", "; server_max_window_bits=15", None),
        ("server_window=full", "", Some(("", "15 15"))),
        // §7.1.2.2
        ("", "; client_max_window_bits", Some(("", "15 15"))),
        ("", "; client_max_window_bits=10", Some(("; client_max_window_bits=10", "15 10"))),
        ("client_window=9", "; client_max_window_bits", Some(("; client_max_window_bits=9", "15 9"))),
        ("client_window=9", "; client_max_window_bits=8", Some(("; client_max_window_bits=8", "15 8"))),
        ("client_window=9", "; client_max_window_bits=15", Some(("; client_max_window_bits=9", "15 9"))),
        ("client_window=9", "", Some(("", "15 15"))), // it cannot be told
        ("client_window=9 hard", "", None),
        ("client_window=15 hard", "", Some(("", "15 15"))),
        ("client_window=full", "; client_max_window_bits=9", Some(("", "15 15"))),
        // together
        (
            "server_window=12 client_window=9 server_takeover=none",
            "; server_max_window_bits=13; client_max_window_bits",
            Some((
                "; server_no_context_takeover; server_max_window_bits=12; client_max_window_bits=9",
                "snct 12 9",
            )),
        ),
    ];
    for (settings, offer, expected) in rows {
        let answer = config(settings).answer(&offers(&format!("{P}{offer}")));
        let expected = expected.map(|(answer, in_force)| (format!("{P}{answer}"), params(in_force)));
        assert_eq!(
            answer.map(|(answer, params)| (answer.to_string(), params)),
            expected,
            "{settings} {offer}"
        );
    }
}

/// Parameters that are invalid in an offer, and in an answer too.
const INVALID: &[&str] = &[
    "; server_max_window_bits",
    "; server_max_window_bits=7",
    "; server_max_window_bits=16",
    "; server_max_window_bits=08",
    "; server_max_window_bits=010",
    "; server_max_window_bits=+9",
    "; server_max_window_bits=-9",
    "; server_max_window_bits=9.0",
    "; server_max_window_bits=0x9",
    "; server_max_window_bits=1e1",
    "; server_max_window_bits=4294967304",
    "; server_max_window_bits=10; server_max_window_bits=10",
    "; client_max_window_bits=7",
    "; client_max_window_bits=16",
    "; client_max_window_bits=09",
    "; client_max_window_bits=true",
    "; client_max_window_bits=10; client_max_window_bits=11",
    "; client_max_window_bits; client_max_window_bits",
    "; server_no_context_takeover=true",
    "; server_no_context_takeover=1",
    "; server_no_context_takeover; server_no_context_takeover",
    "; client_no_context_takeover=false",
    "; client_no_context_takeover; client_no_context_takeover",
    "; Server_No_Context_Takeover",
    "; constructor",
    "; x=1",
];

#[test]
fn a_server_declines_invalid_offers_and_takes_the_next() {
    for params in INVALID {
        let config = DeflateConfig::default();
        assert_eq!(config.answer(&offers(&format!("{P}{params}"))), None, "{params}");
        let header = format!("{P}{params}, {P}; server_max_window_bits=10, {P}");
        let (answer, _) = config.answer(&offers(&header)).unwrap();
        assert_eq!(answer.to_string(), format!("{P}; server_max_window_bits=10"), "{params}");
    }
}

#[test]
fn a_server_takes_the_first_offer_that_it_can_serve() {
    let header = format!("x-other, {P}; server_no_context_takeover, {P}; client_max_window_bits, {P}");
    let (answer, _) = config("server_takeover=always client_window=11").answer(&offers(&header)).unwrap();
    assert_eq!(answer.to_string(), format!("{P}; client_max_window_bits=11"));
    assert_eq!(config("").answer(&offers("x-other, permessage-deflate2")), None);
    assert_eq!(config("").answer(&[]), None);
}

#[test]
fn a_client_fails_on_an_invalid_answer() {
    for params in INVALID.iter().chain(&["; client_max_window_bits"]) {
        let answer = &offers(&format!("{P}{params}"))[0];
        assert_eq!(DeflateConfig::default().agree(answer), Err(UnacceptableAnswer), "{params}");
    }
    assert_eq!(DeflateConfig::default().agree(&offers("x-other")[0]), Err(UnacceptableAnswer));
}

#[test]
fn a_client_agrees_to_what_it_offered() {
    let rows: &[(&str, &str, Option<&str>)] = &[
        ("", "", Some("15 15")),
        ("", "; server_no_context_takeover", Some("snct 15 15")), // unasked
        ("", "; client_no_context_takeover", Some("cnct 15 15")),
        ("", "; server_max_window_bits=10", Some("10 15")), // unasked
        ("", "; server_max_window_bits=8; client_max_window_bits=8", Some("8 8")),
        ("", "; client_max_window_bits=12", Some("15 12")),
        // what was insisted on
        ("server_takeover=none", "", None),
        ("server_takeover=none", "; server_no_context_takeover", Some("snct 15 15")),
        ("server_window=10", "", None),
        ("server_window=10", "; server_max_window_bits=11", None),
        ("server_window=10", "; server_max_window_bits=10", Some("10 15")),
        ("server_window=10", "; server_max_window_bits=9", Some("9 15")),
        // what was refused
        ("server_takeover=always", "; server_no_context_takeover", None),
        ("client_takeover=always", "; client_no_context_takeover", None),
        ("client_takeover=always", "", Some("15 15")),
        ("server_window=full", "; server_max_window_bits=15", None),
        ("server_window=full", "", Some("15 15")),
        ("client_window=full", "; client_max_window_bits=15", None),
        ("client_window=full", "", Some("15 15")),
        // what was announced
        ("client_takeover=none", "", Some("cnct 15 15")),
        ("client_window=12", "; server_no_context_takeover", Some("snct 15 12")),
        ("client_window=12", "; client_max_window_bits=12", Some("15 12")),
        ("client_window=12", "; client_max_window_bits=9", Some("15 9")),
        ("client_window=12", "; client_max_window_bits=13", None),
    ];
    for (settings, answer, expected) in rows {
        let agreed = config(settings).agree(&offers(&format!("{P}{answer}"))[0]);
        assert_eq!(agreed.ok(), expected.map(params), "{settings} {answer}");
    }
}

#[test]
fn both_sides_come_to_the_same() {
    let wishes = ["", "=none", "=always"];
    let windows = ["", "=8", "=11", "=15", "=full"];
    let mut all = Vec::new();
    for server_takeover in wishes {
        for client_takeover in wishes {
            for server_window in windows {
                for client_window in windows {
                    let settings = [
                        ("server_takeover", server_takeover),
                        ("client_takeover", client_takeover),
                        ("server_window", server_window),
                        ("client_window", client_window),
                    ];
                    let set = settings.iter().filter(|(_, value)| !value.is_empty());
                    all.push(config(&set.map(|(name, value)| format!("{name}{value} ")).collect::<String>()));
                }
            }
        }
    }
    let mut agreed = 0;
    for client in &all {
        for server in &all {
            let header = format_offers(&[client.offer()]);
            let Some((answer, servers)) = server.answer(&offers(&header)) else { continue };
            let Ok(clients) = client.agree(&offers(&answer.to_string())[0]) else { continue };
            agreed += 1;
            // Each side compresses within what the other inflates.
            assert!(
                servers.server_max_window_bits <= clients.server_max_window_bits,
                "{client:?} {server:?}"
            );
            assert!(
                clients.client_max_window_bits <= servers.client_max_window_bits,
                "{client:?} {server:?}"
            );
            assert_eq!(servers.server_no_context_takeover, clients.server_no_context_takeover);
            assert!(clients.client_no_context_takeover || !servers.client_no_context_takeover);
        }
    }
    assert!(agreed > all.len() * all.len() / 4, "{agreed}");
}

#[test]
fn parameters_as_each_role_sees_them() {
    let params = params("cnct 9 12");
    assert_eq!(params.own_window_bits(Role::Server), bits(9));
    assert_eq!(params.own_window_bits(Role::Client), bits(12));
    assert_eq!(params.peer_window_bits(Role::Server), bits(12));
    assert_eq!(params.peer_window_bits(Role::Client), bits(9));
    assert!(params.own_takeover(Role::Server) && params.peer_takeover(Role::Client));
    assert!(!params.own_takeover(Role::Client) && !params.peer_takeover(Role::Server));
    assert_eq!(Params::default(), self::params("15 15"));
}

#[test]
fn numbers_that_do_not_exist_cannot_be_made() {
    for n in 0..=255 {
        assert_eq!(
            WindowBits::new(n).map(WindowBits::get),
            if (8..=15).contains(&n) { Ok(n) } else { Err(BadWindowBits) }
        );
        assert_eq!(Level::new(n).map(Level::get), if n <= 9 { Ok(n) } else { Err(BadLevel) });
    }
}

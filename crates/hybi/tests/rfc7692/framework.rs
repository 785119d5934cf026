//! RFC 6455 §9: extensions that anybody can make, negotiated and passed in order.

use std::sync::{Arc, Mutex};

use hybi::extension::permessage_deflate::DeflateConfig;
use hybi::extension::{
    AgreeError, Agreed, Extension, ExtensionFailed, Extensions, Inward, Offer, Outward, RegisterError, Rsv,
    TransformError, Transforms, Transit, format_offers, parse_offers,
};
use hybi::{Kind, Opcode, Role};

/// An extension that notes what it is asked, and puts its name around payloads.
#[derive(Clone, Debug)]
struct Toy {
    name: &'static str,
    rsv: Rsv,
    offers: &'static [&'static str],
    /// Parameters it answers with; `None`: it declines.
    response: Option<&'static str>,
    agrees: bool,
    fails: bool,
    seen: Arc<Mutex<Vec<String>>>,
}

fn toy(name: &'static str, rsv: &str) -> Toy {
    let rsv = Rsv::from_bits(u8::from_str_radix(rsv, 2).unwrap());
    let seen = Arc::default();
    Toy { name, rsv, offers: &[""], response: Some(""), agrees: true, fails: false, seen }
}

impl Toy {
    fn element(&self, params: &str) -> Offer {
        let text = if params.is_empty() { self.name.to_owned() } else { format!("{}; {params}", self.name) };
        parse_offers([text.as_bytes()]).unwrap().remove(0)
    }

    fn note(&self, what: impl std::fmt::Display) {
        self.seen.lock().unwrap().push(what.to_string());
    }
}

impl Extension for Toy {
    fn name(&self) -> &str {
        self.name
    }

    fn rsv(&self) -> Rsv {
        self.rsv
    }

    fn offers(&self) -> Vec<Offer> {
        self.offers.iter().map(|params| self.element(params)).collect()
    }

    fn answer(&self, offers: &[Offer]) -> Option<Offer> {
        self.note(format_offers(offers));
        self.response.map(|response| self.element(response))
    }

    fn agrees(&self, _: &Offer) -> bool {
        self.agrees
    }

    fn transforms(&self, _: Role, _: &Offer) -> Transforms {
        Transforms { outward: Box::new(self.clone()), inward: Box::new(self.clone()) }
    }
}

impl Outward for Toy {
    fn outward(&mut self, message: &mut Transit) -> Result<(), TransformError> {
        self.note("out");
        if self.fails {
            return Err(TransformError::Invalid);
        }
        message.payload.extend_from_slice(self.name.as_bytes());
        message.rsv = message.rsv.with(self.rsv);
        Ok(())
    }
}

impl Inward for Toy {
    fn inward(&mut self, message: &mut Transit, _: usize) -> Result<(), TransformError> {
        self.note("in");
        let len = message.payload.len() - self.name.len().min(message.payload.len());
        if self.fails || &message.payload[len..] != self.name.as_bytes() {
            return Err(TransformError::Invalid);
        }
        message.payload.truncate(len);
        Ok(())
    }
}

fn register(toys: &[&Toy]) -> Extensions {
    let mut extensions = Extensions::new();
    for toy in toys {
        extensions.register((*toy).clone()).unwrap();
    }
    extensions
}

fn parse(header: &str) -> Vec<Offer> {
    parse_offers([header.as_bytes()]).unwrap()
}

/// What a client makes of a header.
fn agree(toys: &[&Toy], answers: &str) -> Result<Agreed, AgreeError> {
    let extensions = register(toys);
    extensions.agree(&extensions.offers(), &parse(answers))
}

fn names(agreed: &Agreed) -> Vec<&str> {
    agreed.names().collect()
}

fn transit(payload: &[u8]) -> Transit {
    Transit::new(Kind::Text, payload)
}

#[test]
fn offers_are_in_the_order_of_registration() {
    let zip = Toy { offers: &["q=1", ""], ..toy("zip", "100") };
    let mute = Toy { offers: &[], ..toy("mute", "010") };
    let header = format_offers(&register(&[&zip, &mute, &toy("sign", "001")]).offers());
    assert_eq!(header, "zip; q=1, zip, sign");
    assert!(Extensions::new().offers().is_empty() && Extensions::new().is_empty());
}

#[test]
fn registration_refuses_duplicates_and_names_that_are_no_tokens() {
    let mut extensions = Extensions::new();
    extensions.register(toy("zip", "100")).unwrap();
    assert_eq!(extensions.register(toy("zip", "010")), Err(RegisterError::Duplicate));
    assert_eq!(extensions.register(toy("z ip", "010")), Err(RegisterError::NotAToken));
    assert_eq!(extensions.register(toy("", "010")), Err(RegisterError::NotAToken));
    extensions.register_permessage_deflate(DeflateConfig::default()).unwrap();
    assert_eq!(
        extensions.register_permessage_deflate(DeflateConfig::default()),
        Err(RegisterError::Duplicate)
    );
    assert_eq!(extensions, extensions.clone());
    assert!(!extensions.is_empty() && extensions != Extensions::new());
    let again = register(&[&toy("zip", "100")]);
    assert_ne!(
        again,
        register(&[&toy("zip", "100")]),
        "another value of the extension may do something else"
    );
    assert_eq!(again, again.clone());
    let mut deflate = Extensions::new();
    deflate.register_permessage_deflate(DeflateConfig::default()).unwrap();
    assert_ne!(again, deflate, "one is not the other");
    assert_eq!(
        [RegisterError::Duplicate, RegisterError::NotAToken].map(|error| error.to_string()),
        ["there is an extension of this name", "the name of the extension is no token (RFC 6455 §9.1)"]
    );
}

#[test]
fn the_answer_follows_the_registration_and_a_bit_has_one_owner() {
    let sign = Toy { response: Some("alg=a"), ..toy("sign", "001") };
    let (zip, pack) = (toy("zip", "100"), toy("pack", "100"));
    let (answers, agreed) = register(&[&sign, &zip, &pack]).answer(&parse("pack, zip; q=1, zip, sign"));
    assert_eq!(format_offers(&answers), "sign; alg=a, zip");
    assert_eq!(names(&agreed), ["sign", "zip"]);
    assert_eq!(*zip.seen.lock().unwrap(), ["zip; q=1, zip"], "all offers of a name together");
    assert_eq!(*sign.seen.lock().unwrap(), ["sign"]);
    assert!(pack.seen.lock().unwrap().is_empty(), "nobody asks it");
}

#[test]
fn an_extension_that_declines_leaves_its_bits_to_others() {
    let zip = Toy { response: None, ..toy("zip", "100") };
    let (answers, agreed) = register(&[&zip, &toy("pack", "110")]).answer(&parse("zip, pack, other"));
    assert_eq!(format_offers(&answers), "pack");
    assert_eq!(agreed.rsv(), Rsv::RSV1.with(Rsv::RSV2));
    let (answers, agreed) = register(&[&zip]).answer(&parse("zip"));
    assert!(answers.is_empty() && names(&agreed).is_empty());
}

#[test]
fn a_client_fails_on_answers_that_cannot_be() {
    let (zip, pack, sign) = (toy("zip", "100"), toy("pack", "110"), toy("sign", "000"));
    let mute = Toy { offers: &[], ..toy("mute", "010") };
    let strict = Toy { agrees: false, ..toy("zip", "100") };
    let rows: &[(&[&Toy], &str, AgreeError)] = &[
        (&[&zip], "pack", AgreeError::NotOffered),
        (&[&zip, &mute], "mute", AgreeError::NotOffered),
        (&[&zip], "Zip", AgreeError::NotOffered),
        (&[], "constructor", AgreeError::NotOffered),
        (&[&zip, &pack], "zip, pack", AgreeError::RsvConflict),
        (&[&zip], "zip, zip", AgreeError::RsvConflict),
        (&[&sign], "sign, sign", AgreeError::RsvConflict),
        (&[&strict], "zip; q=9", AgreeError::Unacceptable),
    ];
    for (toys, header, error) in rows {
        assert_eq!(agree(toys, header).unwrap_err(), *error, "{header}");
    }
    assert!(names(&register(&[&zip, &pack]).agree(&[], &[]).unwrap()).is_empty());
}

#[test]
fn messages_pass_outward_in_the_order_of_the_answer_and_inward_reversed() {
    let (zip, sign) = (toy("zip", "100"), toy("sign", "001"));
    for role in [Role::Client, Role::Server] {
        let agreed = agree(&[&zip, &sign], "sign, zip").unwrap();
        assert_eq!(names(&agreed), ["sign", "zip"]);
        let (mut outward, mut inward) = agreed.lines(role);
        assert!(!outward.is_empty() && !inward.is_empty());
        let mut message = transit(b"Hello ");
        outward.pass(&mut message).unwrap();
        assert_eq!(message.payload, b"Hello signzip");
        assert_eq!(message.rsv.bits(), 0b101);
        inward.pass(&mut message, 100).unwrap();
        assert_eq!(message, transit(b"Hello "));
    }
    let (outward, inward) = Agreed::default().lines(Role::Client);
    assert!(outward.is_empty() && inward.is_empty());
}

#[test]
fn a_failure_ends_the_message_and_all_after_it_in_that_direction() {
    let zip = Toy { fails: true, ..toy("zip", "100") };
    let sign = toy("sign", "001");
    let (mut outward, mut inward) = agree(&[&zip, &sign], "sign, zip").unwrap().lines(Role::Client);
    let failed = ExtensionFailed { name: "zip".into(), error: TransformError::Invalid };
    for _ in 0..2 {
        assert_eq!(inward.pass(&mut transit(b"signzip"), 100), Err(failed.clone()));
    }
    assert_eq!((zip.seen.lock().unwrap().len(), sign.seen.lock().unwrap().len()), (1, 0));
    for _ in 0..2 {
        assert_eq!(outward.pass(&mut transit(b"Hello")), Err(failed.clone()));
    }
    assert_eq!(*sign.seen.lock().unwrap(), ["out"]);
}

#[test]
fn no_stage_makes_more_than_the_limit() {
    #[derive(Clone, Debug)]
    struct Doubles;
    impl Inward for Doubles {
        fn inward(&mut self, message: &mut Transit, _: usize) -> Result<(), TransformError> {
            message.payload.extend_from_within(..);
            Ok(())
        }
    }
    #[derive(Debug)]
    struct Greedy;
    impl Extension for Greedy {
        fn name(&self) -> &str {
            "greedy"
        }
        fn rsv(&self) -> Rsv {
            Rsv::NONE
        }
        fn offers(&self) -> Vec<Offer> {
            vec![Offer::new("greedy").unwrap(), Offer::new("another").unwrap()]
        }
        fn answer(&self, _: &[Offer]) -> Option<Offer> {
            None
        }
        fn agrees(&self, _: &Offer) -> bool {
            true
        }
        fn transforms(&self, _: Role, _: &Offer) -> Transforms {
            Transforms { outward: Box::new(toy("greedy", "000")), inward: Box::new(Doubles) }
        }
    }
    let mut extensions = Extensions::new();
    extensions.register(Greedy).unwrap();
    assert_eq!(format_offers(&extensions.offers()), "greedy", "only of its own name");
    let agreed = extensions.agree(&extensions.offers(), &parse("greedy")).unwrap();
    let (_, mut inward) = agreed.lines(Role::Client);
    inward.pass(&mut transit(b"12345"), 10).unwrap();
    let failed = inward.pass(&mut transit(b"123456"), 10).unwrap_err();
    assert_eq!(failed.error, TransformError::TooBig);
}

/// §5.2: a bit is legal where an agreed extension gives it a meaning, and on first frames only.
#[test]
fn reserved_bits_are_legal_for_agreed_extensions_on_first_frames() {
    let agreed = agree(&[&toy("zip", "100"), &toy("sign", "001")], "sign").unwrap();
    let rows = [
        (Opcode::Text, 0b001, true),
        (Opcode::Binary, 0b001, true),
        (Opcode::Binary, 0b101, false),
        (Opcode::Text, 0b100, false),
        (Opcode::Close, 0b001, false),
        (Opcode::Ping, 0b001, false),
        (Opcode::Continuation, 0b001, false),
        (Opcode::Continuation, 0b000, true),
        (Opcode::Pong, 0b000, true),
    ];
    for (opcode, rsv, legal) in rows {
        assert_eq!(agreed.is_legal(opcode, Rsv::from_bits(rsv)), legal, "{opcode:?} {rsv:03b}");
    }
}

#[test]
fn permessage_deflate_stands_among_others() {
    let sign = toy("sign", "001");
    let mut client = register(&[&sign]);
    client.register_permessage_deflate(DeflateConfig::default()).unwrap();
    let server = client.clone();
    let offers = client.offers();
    let (answers, servers) = server.answer(&offers);
    assert_eq!(format_offers(&answers), "sign, permessage-deflate");
    assert!(servers.permessage_deflate().is_some());
    let clients = client.agree(&offers, &answers).unwrap();
    assert_eq!(clients.permessage_deflate(), servers.permessage_deflate());

    let (mut outward, _) = clients.lines(Role::Client);
    let (_, mut inward) = servers.lines(Role::Server);
    for (payload, rsv) in [(vec![b'a'; 5_000], 0b101), (vec![b'b'; 10], 0b001), (vec![b'a'; 5_000], 0b101)] {
        let mut message = transit(&payload);
        outward.pass(&mut message).unwrap();
        assert_eq!(message.rsv.bits(), rsv, "short messages are not compressed");
        inward.pass(&mut message, 6_000).unwrap();
        assert_eq!(message, transit(&payload));
    }
    let mut message = transit(&[b'c'; 7_000]);
    outward.pass(&mut message).unwrap();
    let failed = inward.pass(&mut message, 6_000).unwrap_err();
    assert_eq!(failed, ExtensionFailed { name: "permessage-deflate".into(), error: TransformError::TooBig });
}

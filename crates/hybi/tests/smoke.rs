//! smoke
use hybi::*;
fn client() -> Connection {
    Connection::client(Agreement::default(), Config::default(), |out: &mut [u8]| out.fill(7))
}
fn server() -> Connection {
    Connection::server(Agreement::default(), Config::default())
}
#[test]
fn pair() {
    let (mut c, mut s) = (client(), server());
    c.send("hello").unwrap();
    c.send(&vec![5u8; 200_000]).unwrap();
    c.ping(b"x").unwrap();
    c.start(Kind::Text).unwrap().write("κό".as_bytes()).unwrap();
    c.ping(b"y").unwrap();
    c.writer().unwrap().finish("σμε".as_bytes()).unwrap();
    c.close(CloseCode::NORMAL, "bye").unwrap();
    let mut all = Vec::new();
    let mut wire = Vec::new();
    while !c.transmit().is_empty() {
        let t = c.transmit().to_vec();
        wire.extend_from_slice(&t);
        c.transmitted(t.len());
    }
    for chunk in [1, 3, 1000, usize::MAX] {
        let mut s = server();
        let mut out = String::new();
        for mut piece in wire.chunks(chunk.min(wire.len())).map(|x| x.to_vec()) {
            let mut i = s.receive(&mut piece);
            while let Some(e) = i.poll_event() {
                let d = format!("{e:?}");
                out += &d[..d.len().min(50)];
                out += "\n";
            }
        }
        println!("{out}");
        all.push(out);
    }
    assert!(all.iter().all(|x| *x == all[0]));
    let mut rest = &wire[..];
    let mut out = String::new();
    while !rest.is_empty() {
        let n = s.receive_copy(rest);
        rest = &rest[n..];
        while let Some(e) = s.poll_event() {
            let d = format!("{e:?}");
            out += &d[..d.len().min(50)];
            out += "\n";
        }
    }
    assert_eq!(out, all[0]);
    println!("{:?} {:?}", s.transport_action(), s.state());
    let t = s.transmit().to_vec();
    println!("{t:x?}");
    s.transmitted(t.len());
    println!("{:?} {:?}", s.transport_action(), s.state());
    println!("{} {} {}", size_of::<Connection>(), size_of::<Receiver>(), size_of::<Sender>());
}

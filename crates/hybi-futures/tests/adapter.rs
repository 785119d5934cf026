//! The tests of all adapters, over a runtime of the tests' own whose clock jumps when nobody has anything to do.

mod fake;
#[macro_use]
mod suite;

suite!(fake::Fake);

mod timers {
    use super::*;
    use hybi_futures::{CloseCode, Config, Event};
    use suite::Adapter;

    async fn talk(config: Config) {
        let (mut client, server) = suite::open_with::<fake::Fake>(config.clone(), config);
        let echoing = fake::Fake::spawn(suite::echo::<fake::Fake>(server));
        for n in 0..1000_u32 {
            client.send(&n.to_be_bytes()).await.expect("sent");
            assert!(matches!(client.recv().await, Some(Event::Binary(data)) if *data == n.to_be_bytes()));
        }
        client.close(CloseCode::NORMAL, "").await.expect("it is open");
        suite::drain::<fake::Fake>(&mut client).await;
        assert!(echoing.await.is_clean());
    }

    #[test]
    fn a_connection_without_deadlines_makes_no_timer() {
        let mut config = Config::default();
        config.timeouts.close = None;
        fake::Fake::run(talk(config));
        assert_eq!(fake::made(), (0, 0));
    }

    #[test]
    fn a_connection_makes_one_and_sets_it_when_that_has_to_be_earlier() {
        let mut config = Config::default();
        config.timeouts.keepalive = Some(std::time::Duration::from_secs(60));
        config.timeouts.close = Some(std::time::Duration::from_secs(5));
        fake::Fake::run(talk(config));
        let (made, set) = fake::made();
        assert!(made == 2 && set <= 2, "two connections, {made} timers, set {set} times"); // once more for the close
    }
}

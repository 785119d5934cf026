//! What the tests of the hybi crates share. Not published.
//!
//! | module | what |
//! |---|---|
//! | [`octets`] | octets as text, for transcripts and complaints |
//! | [`record`] | events as values that can be kept and compared |
//! | [`frames`] | frames built and read by hand, legal or not |
//! | [`endpoint`] | connections with fixed masking keys, and the ways to hand octets to one |
//! | [`caller`] | a caller who uses all ways to receive in any order |
//! | [`dice`] | decisions from a seed or from octets: what generators ask |
//! | [`hostile`] | what a hostile peer sends, and limits small enough to be met |
//! | [`pair`] | a client and a server on one wire, with a clock that jumps from deadline to deadline |
//! | [`simulation`] | lives of connections on an unreliable network, in virtual time |
//! | [`stress`] | what shows work that is not linear in what arrives |
//! | [`transcript`] | what was said on a connection as a text, and a player that demands the same of every cut |
//! | [`twin`] | the rules of RFC 6455 once more: slow, and obviously right |
//! | [`foreign`] | peers that other people wrote, as programs |
//! | `proxy` | a proxy that makes tunnels (feature `tls`) |
//! | `tls` | a certificate authority that exists for one run of a test (feature `tls`) |
//! | [`verdict`] | what a connection makes of what arrives, as the twin says it |
//! | [`alloc`] | an allocator that counts, can look away, and can fail |
//!
//! The acceptance shim (`src/bin/shim`) answers the requests of `acceptance/run_cases.py`.
//!
//! Nothing here knows how the core does what it does: everything goes through its public items.

pub mod alloc;
pub mod caller;
pub mod dice;
pub mod endpoint;
#[cfg(not(target_family = "wasm"))]
pub mod foreign;
pub mod frames;
pub mod hostile;
pub mod octets;
pub mod pair;
#[cfg(feature = "tls")]
pub mod proxy;
pub mod record;
pub mod simulation;
pub mod stress;
#[cfg(feature = "tls")]
pub mod tls;
pub mod transcript;
pub mod twin;
pub mod verdict;
pub mod visitors;
pub mod work;

/// The code on the front page and in the pages of `docs`, as examples that have to compile.
#[cfg(doctest)]
mod pages {
    #[doc = include_str!("../../../README.md")]
    struct FrontPage;

    #[doc = include_str!("../../../docs/choosing-an-adapter.md")]
    struct ChoosingAnAdapter;

    #[doc = include_str!("../../../docs/coming-from-faye-websocket.md")]
    struct ComingFromFayeWebsocket;

    #[doc = include_str!("../../../docs/coming-from-tungstenite.md")]
    struct ComingFromTungstenite;

    #[doc = include_str!("../../../docs/coming-from-ws.md")]
    struct ComingFromWs;
}

/// Tests that exist once for each role: `fn name(role) { .. }` becomes the two tests `name::client` and
/// `name::server`.
///
/// ```
/// hybi_test::twins! {
///     fn a_close_frame_is_answered(role) {
///         assert_ne!(role, role.peer());
///     }
/// }
/// ```
#[macro_export]
macro_rules! twins {
    ($($(#[$meta:meta])* fn $name:ident($role:ident) $body:block)*) => {$(
        $(#[$meta])*
        mod $name {
            #[allow(unused_imports, reason = "not every test uses what stands around it")]
            use super::*;

            fn run_as($role: hybi::Role) $body

            #[test]
            fn client() {
                run_as(hybi::Role::Client);
            }

            #[test]
            fn server() {
                run_as(hybi::Role::Server);
            }
        }
    )*};
}

//! The bytes language: `SHIM.md` section 2.

use hybi_test::octets;

use crate::request::Unsupported;

/// The reads: what stands between the bars.
pub(crate) fn reads(text: &str) -> Result<Vec<Vec<u8>>, Unsupported> {
    text.split('|').map(|read| octets::parse(read).map_err(Unsupported)).collect()
}

/// One piece, in which no bar may stand.
pub(crate) fn whole(text: &str) -> Result<Vec<u8>, Unsupported> {
    octets::parse(text).map_err(Unsupported)
}

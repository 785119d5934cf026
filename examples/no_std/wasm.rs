//! The face of the module: functions with the C calling convention, for `serve.mjs` or any other host.
//!
//! The host holds an [`Echo`] as a number, its address, and shares one page of memory with each.
#![allow(
    unsafe_code,
    reason = "the name of an exported function is an unsafe attribute; nothing else here is unsafe"
)]

use alloc::boxed::Box;

use hybi::Instant;

use crate::Echo;

#[global_allocator]
static MEMORY: dlmalloc::GlobalDlmalloc = dlmalloc::GlobalDlmalloc;

#[panic_handler]
fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
    core::arch::wasm32::unreachable()
}

/// A connection and its page.
#[derive(Debug)]
pub struct Guest {
    echo: Echo,
    page: [u8; PAGE],
}

const PAGE: usize = 4096;

/// A connection that waits for a request.
#[unsafe(no_mangle)]
pub extern "C" fn open() -> Box<Guest> {
    Box::new(Guest { echo: Echo::default(), page: [0; PAGE] })
}

/// Where the host puts what arrived, and finds what is to be written.
#[unsafe(no_mangle)]
pub extern "C" fn page(guest: &mut Guest) -> *mut u8 {
    guest.page.as_mut_ptr()
}

/// How large that is.
#[unsafe(no_mangle)]
pub extern "C" fn page_len() -> usize {
    PAGE
}

/// So many octets arrived, at this time.
#[unsafe(no_mangle)]
pub extern "C" fn receive(guest: &mut Guest, len: usize, millis: f64) {
    let now = Instant::from_nanos((millis * 1e6) as u64);
    guest.echo.receive(&mut guest.page[..len.min(PAGE)], now);
}

/// Nothing more will arrive.
#[unsafe(no_mangle)]
pub extern "C" fn receive_eof(guest: &mut Guest) {
    guest.echo.receive_eof();
}

/// How many octets are in the page, to be written. Ask until there are none.
#[unsafe(no_mangle)]
pub extern "C" fn transmit(guest: &mut Guest) -> usize {
    guest.echo.transmit_into(&mut guest.page)
}

/// When to call `receive` at the latest; infinity if there is no need.
#[unsafe(no_mangle)]
pub extern "C" fn deadline(guest: &Guest) -> f64 {
    guest.echo.poll_timeout().map_or(f64::INFINITY, |due| due.nanos() as f64 / 1e6)
}

/// 1 if the socket is to be closed.
#[unsafe(no_mangle)]
pub extern "C" fn is_over(guest: &Guest) -> u32 {
    u32::from(guest.echo.is_over())
}

/// The end: the number is of no more use.
#[unsafe(no_mangle)]
pub extern "C" fn close(guest: Box<Guest>) {
    drop(guest);
}

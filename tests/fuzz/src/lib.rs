//! What must hold of everything that strangers send: one function for each place where bytes from outside are
//! read first. Each takes any bytes at all and panics only if a property does not hold; none does I/O.
//!
//! libFuzzer calls them from `fuzz_targets/`, and the tests beside them with the corpus, with changes to it and
//! with arbitrary bytes. `docs/FUZZING.md` says how to run them.

mod cursor;
mod guard;
mod hint;
mod mp4;
mod provider;
mod range;
mod signature;
mod webhook;

pub use self::{
    cursor::cursor,
    guard::url_guard,
    hint::{hint_json, is_taken},
    mp4::mp4_probe,
    provider::provider_json,
    range::range,
    signature::signature,
    webhook::webhook_json,
};

/// The text that the bytes are, or what is left of it.
fn text(data: &[u8]) -> String {
    String::from_utf8_lossy(data).into_owned()
}

/// A number that follows from the bytes: the first eight of them.
fn number(data: &[u8]) -> u64 {
    data.iter().take(8).fold(0, |number, byte| number << 8 | u64::from(*byte))
}

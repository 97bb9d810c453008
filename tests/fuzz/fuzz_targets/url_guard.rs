//! [`fuzz::url_guard`] under libFuzzer; in an ordinary build nothing.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::url_guard(data));

#[cfg(not(fuzzing))]
fn main() {}

//! [`fuzz::cursor`] under libFuzzer; in an ordinary build nothing.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::cursor(data));

#[cfg(not(fuzzing))]
fn main() {}

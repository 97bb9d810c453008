//! [`fuzz::hint_json`] under libFuzzer; in an ordinary build nothing.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(|data: &[u8]| fuzz::hint_json(data));

#[cfg(not(fuzzing))]
fn main() {}

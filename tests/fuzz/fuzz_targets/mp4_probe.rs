//! [`fuzz::mp4_probe`] under libFuzzer; in an ordinary build nothing.

#![cfg_attr(fuzzing, no_main)]

#[cfg(fuzzing)]
libfuzzer_sys::fuzz_target!(
    // A parser that gives up has found no video, and the worker takes it so: libFuzzer's hook, which ends the
    // process at any panic, is taken out. A property that does not hold still ends it.
    init: std::panic::set_hook(Box::new(|_| {})),
    |data: &[u8]| fuzz::mp4_probe(data)
);

#[cfg(not(fuzzing))]
fn main() {}

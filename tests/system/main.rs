//! Black-box tests of the whole system: real processes on real databases, spoken to over HTTP as a frontend, the
//! worker or an attacker would. They know the wire contract and the command line, and nothing of what is inside.

#![expect(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod bad_input;
mod bench;
mod faults;
mod flow;
mod generate;
mod harness;
mod launcher;
mod listeners;
mod logs;
mod matrix;
mod programs;
mod refusals;
mod replicas;
mod rolling;

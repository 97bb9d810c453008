//! The launcher: the whole system on embedded parts, and the terminal client.

#[expect(dead_code, reason = "the launcher that runs it comes next")]
mod s3;

fn main() {}

//! `cargo xtask deny`: cargo-deny with `deny.toml`. The advisories come from a database on the network; where
//! its host cannot be reached the other checks run, and the last line says what did not.

use std::time::Duration;

use anyhow::{Result, ensure};

use crate::step;

/// The task itself.
pub(crate) fn run() -> Result<()> {
    ensure!(
        step::works(&mut step::cargo(&["deny", "--version"])),
        "cargo-deny is not installed: cargo install cargo-deny --locked"
    );
    if advisories_are_at_hand() {
        return step::run(&mut step::cargo(&["deny", "--all-features", "check"]));
    }
    step::run(&mut step::cargo(&["deny", "--all-features", "check", "bans", "licenses", "sources"]))?;
    println!("ADVISORIES WERE NOT CHECKED: the advisory database's host cannot be reached from here");
    Ok(())
}

/// Whether the database can be fetched: a connection to its host opens. Asking cargo-deny itself would not
/// tell a missing network from a finding.
fn advisories_are_at_hand() -> bool {
    use std::net::{TcpStream, ToSocketAddrs};
    let Ok(addresses) = "github.com:443".to_socket_addrs() else { return false };
    addresses.take(2).any(|address| TcpStream::connect_timeout(&address, Duration::from_secs(3)).is_ok())
}

//! What an address says of where it leads. Pure: no name is looked up.

use url::{Host, Url};

/// Whether a URL names this machine, by the word or by an address of its own.
#[must_use]
pub fn is_this_machine(url: &Url) -> bool {
    match url.host() {
        Some(Host::Domain(name)) => name == "localhost",
        Some(Host::Ipv4(address)) => address.is_loopback(),
        Some(Host::Ipv6(address)) => address.is_loopback(),
        None => false,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn this_machine_is_called_by_its_word_or_its_own_addresses() {
        for (url, expected) in [
            ("http://localhost:8080", true),
            ("http://127.0.0.1", true),
            ("http://127.3.2.1/a", true),
            ("http://[::1]:1", true),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
            ("http://[2001:db8::1]", false),
            ("data:text", false),
        ] {
            assert_eq!(is_this_machine(&url.parse().unwrap()), expected, "{url}");
        }
    }
}

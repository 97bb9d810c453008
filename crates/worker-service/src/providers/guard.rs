//! Keeps requests that somebody else's answer asks for away from addresses that are not the public's: private
//! networks, this machine, cloud metadata (I24). A name is resolved once, and the connection goes to the
//! addresses that were looked at.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use url::{Host, Url};

/// Microsoft Azure tells a virtual machine its configuration from here, besides 169.254.169.254.
const AZURE_WIRE_SERVER: Ipv4Addr = Ipv4Addr::new(168, 63, 129, 16);

/// Why nobody goes there.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Forbidden {
    /// Not https.
    #[error("the address is not an https one")]
    Scheme,
    /// The name, or one of its addresses, is not the public's.
    #[error("the address is not a public one")]
    NotPublic,
    /// The name has no address.
    #[error("the address cannot be resolved")]
    Unresolved,
}

/// The addresses of a foreign URL's host, if all of them are public.
pub async fn public_addresses(url: &Url) -> Result<Vec<SocketAddr>, Forbidden> {
    if url.scheme() != "https" {
        return Err(Forbidden::Scheme);
    }
    let port = url.port_or_known_default().unwrap_or(443);
    let addresses: Vec<SocketAddr> = match url.host().ok_or(Forbidden::Unresolved)? {
        Host::Ipv4(address) => vec![(address, port).into()],
        Host::Ipv6(address) => vec![(address, port).into()],
        Host::Domain(name) => {
            let found = tokio::net::lookup_host((name, port)).await;
            found.map_err(|_| Forbidden::Unresolved)?.collect()
        }
    };
    if addresses.is_empty() {
        return Err(Forbidden::Unresolved);
    }
    if addresses.iter().all(|address| is_public(address.ip())) {
        Ok(addresses)
    } else {
        Err(Forbidden::NotPublic)
    }
}

/// Whether an address is reachable from all over the internet, by IANA's registries of special addresses.
#[must_use]
pub fn is_public(address: IpAddr) -> bool {
    match address {
        IpAddr::V4(address) => is_public_v4(address),
        IpAddr::V6(address) => is_public_v6(address),
    }
}

fn is_public_v4(address: Ipv4Addr) -> bool {
    let [a, b, c, _] = address.octets();
    let special = address.is_private()
        || address.is_loopback()
        || address.is_link_local()
        || address.is_broadcast()
        || address.is_documentation()
        || address.is_multicast()
        || a == 0
        || a >= 240
        // Between a provider and its customers.
        || (a == 100 && (64..128).contains(&b))
        // Protocol assignments, and 6to4 relays.
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        // A cloud's own services for its machines, at an address that looks like any other.
        || address == AZURE_WIRE_SERVER
        // Benchmarks.
        || (a == 198 && (18..20).contains(&b));
    !special
}

fn is_public_v6(address: Ipv6Addr) -> bool {
    let segments = address.segments();
    let v4 = |high: u16, low: u16| {
        let [a, b] = high.to_be_bytes();
        let [c, d] = low.to_be_bytes();
        is_public_v4(Ipv4Addr::new(a, b, c, d))
    };
    match segments {
        // IPv4 in other clothes: mapped, translated, and 6to4.
        [0, 0, 0, 0, 0, 0xffff, high, low]
        | [0x64, 0xff9b, 0, 0, 0, 0, high, low]
        | [0x2002, high, low, ..] => v4(high, low),
        // Teredo and the other protocol assignments, documentation, and, of what is left, only what IANA
        // has given out as global unicast.
        [0x2001, second, ..] if second < 0x200 || second == 0xdb8 => false,
        [0x3fff, second, ..] if second < 0x1000 => false,
        [first, ..] => (0x2000..0x4000).contains(&first),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_publics_addresses_are_public() {
        for text in ["8.8.8.8", "142.250.74.110", "2a00:1450:4001:82a::200e", "::ffff:8.8.8.8"] {
            assert!(is_public(text.parse().unwrap()), "{text}");
        }
        for text in [
            "0.0.0.0",
            "10.1.2.3",
            "100.64.0.1",
            "127.0.0.1",
            "168.63.129.16",
            "169.254.169.254",
            "172.16.0.1",
            "192.0.0.8",
            "192.168.1.1",
            "198.18.0.1",
            "203.0.113.9",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "fe80::1",
            "fd00:ec2::254",
            "ff02::1",
            "2001:db8::1",
            "2002:7f00:1::1",
            "64:ff9b::a9fe:a9fe",
            "::ffff:169.254.169.254",
            "::ffff:127.0.0.1",
        ] {
            assert!(!is_public(text.parse().unwrap()), "{text}");
        }
    }

    #[tokio::test]
    async fn foreign_urls_are_looked_at_before_anybody_goes_there() {
        for (text, expected) in [
            ("http://8.8.8.8/v", Forbidden::Scheme),
            ("https://127.0.0.1/v", Forbidden::NotPublic),
            ("https://[::1]:8443/v", Forbidden::NotPublic),
            ("https://2130706433/v", Forbidden::NotPublic),
            ("https://localhost/v", Forbidden::NotPublic),
        ] {
            assert_eq!(public_addresses(&text.parse().unwrap()).await, Err(expected), "{text}");
        }
        let addresses = public_addresses(&"https://8.8.8.8/v".parse().unwrap()).await;
        assert_eq!(addresses, Ok(vec!["8.8.8.8:443".parse().unwrap()]));
    }
}

//! Where a provider's answer may lead the worker (I24). The registries of IANA are written down a second time
//! here, as networks, and both must agree on every address.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};

use futures_util::FutureExt;
use url::{Host, Url};
use worker_service::providers::guard::{Forbidden, is_public, public_addresses};

use crate::text;

/// What of IPv4 is not the public's, and an address that a cloud keeps for its own.
const SPECIAL_V4: &[&str] = &[
    "0.0.0.0/8",
    "10.0.0.0/8",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "168.63.129.16/32",
    "169.254.0.0/16",
    "172.16.0.0/12",
    "192.0.0.0/24",
    "192.0.2.0/24",
    "192.88.99.0/24",
    "192.168.0.0/16",
    "198.18.0.0/15",
    "198.51.100.0/24",
    "203.0.113.0/24",
    "224.0.0.0/4",
    "240.0.0.0/4",
];

/// What of IPv6 holds an IPv4 address, with the bit where it begins: mapped, NAT64 and 6to4.
const EMBEDDING: &[(&str, u32)] = &[("::ffff:0:0/96", 96), ("64:ff9b::/96", 96), ("2002::/16", 16)];

/// What of the global unicast addresses of IPv6 is not the public's: Teredo among the protocol assignments, and
/// documentation.
const SPECIAL_V6: &[&str] = &["2001::/23", "2001:db8::/32", "3fff::/20"];

/// A URL, or the bytes of an address.
///
/// # Panics
/// If a property does not hold.
pub fn url_guard(data: &[u8]) {
    if let Some(bytes) = data.first_chunk::<4>() {
        check(Ipv4Addr::from(*bytes));
    }
    if let Some(bytes) = data.first_chunk::<16>() {
        check_v6(Ipv6Addr::from(*bytes));
    }
    if let Ok(url) = text(data).trim().parse::<Url>() {
        leads_to(&url);
    }
}

/// An IPv4 address by itself and in all its clothes.
fn check(address: Ipv4Addr) {
    let public = !is_special_v4(address);
    assert_eq!(is_public(address.into()), public, "{address}");
    let [a, b, c, d] = address.octets();
    let (high, low) = (u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]));
    for (clothes, public) in [
        (address.to_ipv6_mapped(), public),
        (Ipv6Addr::new(0x64, 0xff9b, 0, 0, 0, 0, high, low), public),
        (Ipv6Addr::new(0x2002, high, low, 0, 0, 0, 0, 1), public),
        // Those of the past, NAT64 of a local network, and Teredo lead nowhere at all.
        (Ipv6Addr::new(0, 0, 0, 0, 0, 0, high, low), false),
        (Ipv6Addr::new(0x64, 0xff9b, 1, 0, 0, 0, high, low), false),
        (Ipv6Addr::new(0x2001, 0, high, low, 0, 0, !high, !low), false),
    ] {
        assert_eq!(is_public(clothes.into()), public, "{address} as {clothes}");
        assert_eq!(!is_special_v6(clothes), public, "{address} as {clothes}");
    }
    for text in [format!("https://{address}/"), format!("https://{}:8443/", u32::from(address))] {
        let url: Url = text.parse().unwrap_or_else(|error| unreachable!("{text}: {error}"));
        assert_eq!(leads_to(&url).is_some(), public, "{text}");
    }
}

fn check_v6(address: Ipv6Addr) {
    let public = !is_special_v6(address);
    assert_eq!(is_public(address.into()), public, "{address}");
    let url: Url = format!("https://[{address}]/").parse().unwrap_or_else(|error| unreachable!("{error}"));
    assert_eq!(leads_to(&url).is_some(), public, "{address}");
}

/// Where the guard lets a request go: to addresses of the public by https, or nowhere. Names, which would have
/// to be resolved, are left out.
fn leads_to(url: &Url) -> Option<Vec<SocketAddr>> {
    let literal: IpAddr = match url.host() {
        Some(Host::Ipv4(address)) => address.into(),
        Some(Host::Ipv6(address)) => address.into(),
        Some(Host::Domain(_)) if url.scheme() == "https" => return None,
        Some(Host::Domain(_)) | None => Ipv4Addr::UNSPECIFIED.into(),
    };
    // What has no name to resolve is decided at once.
    let decided = public_addresses(url).now_or_never().unwrap_or_else(|| unreachable!("{url}"));
    if url.scheme() != "https" {
        assert_eq!(decided, Err(Forbidden::Scheme), "{url}");
        return None;
    }
    let addresses = decided.ok()?;
    let port = url.port_or_known_default().unwrap_or_default();
    assert_eq!(addresses, [SocketAddr::new(literal, port)], "{url}");
    let special = match literal {
        IpAddr::V4(address) => is_special_v4(address),
        IpAddr::V6(address) => is_special_v6(address),
    };
    assert!(!special, "{url} leads inside");
    Some(addresses)
}

fn is_special_v4(address: Ipv4Addr) -> bool {
    SPECIAL_V4.iter().any(|network| within(address.into(), network))
}

fn is_special_v6(address: Ipv6Addr) -> bool {
    let embedding = EMBEDDING.iter().find(|(network, _)| within(address.into(), network));
    if let Some((_, at)) = embedding {
        let embedded = (address.to_bits() << at >> 96) as u32;
        return is_special_v4(Ipv4Addr::from_bits(embedded));
    }
    !within(address.into(), "2000::/3") || SPECIAL_V6.iter().any(|network| within(address.into(), network))
}

/// Whether an address lies in a network of its family.
fn within(address: IpAddr, network: &str) -> bool {
    let parts =
        network.split_once('/').and_then(|(base, bits)| Some((base.parse().ok()?, bits.parse().ok()?)));
    let (base, bits): (IpAddr, u32) = parts.unwrap_or_else(|| unreachable!("{network}"));
    match (address, base) {
        (IpAddr::V4(address), IpAddr::V4(base)) => (address.to_bits() ^ base.to_bits()) >> (32 - bits) == 0,
        (IpAddr::V6(address), IpAddr::V6(base)) => (address.to_bits() ^ base.to_bits()) >> (128 - bits) == 0,
        _ => unreachable!("{address} and {network}"),
    }
}

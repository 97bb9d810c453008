//! Where the parts listen: ports that were asked for, checked to be free, and free ones.

use std::{
    collections::HashSet,
    io,
    net::{IpAddr, Ipv4Addr, SocketAddr, TcpListener},
    ops::Range,
};

use anyhow::{Result, bail};
use foundation::settings::Environment;
use url::Url;

use crate::{
    cli::UpOptions,
    part::{Part, Place, Places},
    providers::Providers,
};

/// Free ports are looked for here, as far as the system does not give these to outgoing connections, which would
/// come and go on them.
const SEARCHED: Range<u16> = 15_000..32_000;
const MOST_LOOKS: usize = 1_000;

/// Where all parts shall listen.
#[derive(Debug)]
pub(crate) struct Chosen {
    pub(crate) places: Places,
    pub(crate) providers: Providers,
    /// The parts whose port was ours to choose: if somebody else is faster, another will do.
    pub(crate) free_choice: HashSet<u16>,
}

impl Chosen {
    /// Chooses after options, then settings, then defaults.
    pub(crate) fn choose(options: &UpOptions, environment: &Environment) -> Result<Self> {
        let providers = Providers::read(environment)?;
        let mut chooser = Chooser {
            environment,
            providers: &providers,
            taken: HashSet::new(),
            free_choice: HashSet::new(),
        };
        // Those that are given come first, so that a free choice does not take them away.
        let mut asked: Vec<(Part, Option<u16>)> = vec![
            (Part::Api, options.api_port),
            (Part::Worker, options.worker_port),
            (Part::Provider, options.provider_port),
            (Part::S3, options.s3_port),
        ];
        asked.sort_by_key(|(_, port)| *port == Some(0));
        let mut places = Vec::new();
        for (part, port) in asked {
            places.push((part, chooser.place(part, port)?));
        }
        let place = |wanted| places.iter().find(|(part, _)| *part == wanted).map(|(_, place)| place.clone());
        let ours = |part| match place(part) {
            Some(Place::Ours(address)) => Some(address),
            _ => None,
        };
        let all = (ours(Part::Api), ours(Part::Worker), place(Part::Provider), place(Part::S3));
        let (Some(api), Some(worker), Some(provider), Some(s3)) = all else {
            bail!("a part has no place");
        };
        let free_choice = chooser.free_choice;
        Ok(Self { places: Places { api, worker, provider, s3 }, providers, free_choice })
    }
}

struct Chooser<'a> {
    environment: &'a Environment,
    providers: &'a Providers,
    taken: HashSet<u16>,
    free_choice: HashSet<u16>,
}

impl Chooser<'_> {
    fn place(&mut self, part: Part, port: Option<u16>) -> Result<Place> {
        match part {
            Part::Provider if !self.providers.some_simulated() => {
                return Ok(Place::Elsewhere(self.providers.address().cloned()));
            }
            Part::S3 => {
                if let Some(url) = self.environment.optional::<Url>("S3_ENDPOINT")? {
                    return Ok(Place::Elsewhere(Some(url)));
                }
            }
            Part::Api | Part::Worker | Part::Provider => {}
        }
        let local = |port| SocketAddr::from((Ipv4Addr::LOCALHOST, port));
        let (address, origin) = match (port, self.environment.optional::<SocketAddr>(part.bind_setting())?) {
            (Some(port), _) => (local(port), format!("--{}-port", part.name())),
            (None, Some(address)) => (address, part.bind_setting().to_owned()),
            (None, None) => (local(part.default_port()), format!("--{}-port", part.name())),
        };
        let address =
            if address.port() == 0 { self.free(address.ip())? } else { self.given(part, address, &origin)? };
        self.taken.insert(address.port());
        Ok(Place::Ours(address))
    }

    fn given(&self, part: Part, address: SocketAddr, origin: &str) -> Result<SocketAddr> {
        let problem = match TcpListener::bind(address) {
            Ok(_) if !self.taken.contains(&address.port()) => return Ok(address),
            Ok(_) => "two parts cannot share a port".to_owned(),
            Err(error) if error.kind() == io::ErrorKind::AddrInUse => "the port is taken".to_owned(),
            Err(error) => error.to_string(),
        };
        bail!(
            "{part} cannot listen on {address}: {problem}; choose another with {origin} (0 takes a free one)"
        )
    }

    fn free(&mut self, ip: IpAddr) -> Result<SocketAddr> {
        let range = outside_of(SEARCHED, ephemeral());

        for _ in 0..MOST_LOOKS {
            let port = rand::random_range(range.clone());
            let address = SocketAddr::from((ip, port));
            if !self.taken.contains(&port) && TcpListener::bind(address).is_ok() {
                self.free_choice.insert(port);
                return Ok(address);
            }
        }
        bail!("there is no free port on {ip} from {} to {}", range.start, range.end - 1)
    }
}

/// Whether somebody listens on `address`.
pub(crate) fn is_taken(address: SocketAddr) -> bool {
    TcpListener::bind(address).is_err_and(|error| error.kind() == io::ErrorKind::AddrInUse)
}

/// The ports that the system gives to outgoing connections.
fn ephemeral() -> Range<u16> {
    let read = || {
        let text = std::fs::read_to_string("/proc/sys/net/ipv4/ip_local_port_range").ok()?;
        let (low, high) = text.trim().split_once(char::is_whitespace)?;
        Some(low.parse().ok()?..high.trim().parse::<u16>().ok()?)
    };
    read().unwrap_or(49_152..65_535)
}

/// The part of `searched` below what is `avoided`, or all of it, if that leaves too little.
fn outside_of(searched: Range<u16>, avoided: Range<u16>) -> Range<u16> {
    if avoided.start >= searched.end || avoided.end < searched.start {
        return searched;
    }
    if avoided.start > searched.start + 1_000 { searched.start..avoided.start } else { searched }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(entries: &[(&str, &str)]) -> Environment {
        Environment::from_map(entries.iter().map(|(k, v)| ((*k).to_owned(), (*v).to_owned())).collect())
    }

    fn free_ports() -> UpOptions {
        UpOptions {
            api_port: Some(0),
            worker_port: Some(0),
            provider_port: Some(0),
            s3_port: Some(0),
            ..UpOptions::default()
        }
    }

    #[test]
    fn free_ports_differ_and_are_free() {
        let chosen = Chosen::choose(&free_ports(), &environment(&[])).unwrap();
        let ports: HashSet<u16> =
            Part::ALL.iter().map(|part| chosen.places.of(*part).unwrap().port()).collect();
        assert_eq!(ports, chosen.free_choice);
        assert_eq!(ports.len(), 4);
    }

    #[test]
    fn a_taken_port_is_named_with_its_option() {
        let taken = TcpListener::bind("127.0.0.1:0").unwrap();
        let port = taken.local_addr().unwrap().port();
        let options = UpOptions { worker_port: Some(port), ..free_ports() };
        let error = Chosen::choose(&options, &environment(&[])).unwrap_err().to_string();
        assert!(error.contains(&port.to_string()) && error.contains("--worker-port"), "{error}");
        let options = UpOptions { s3_port: None, ..free_ports() };
        let settings = environment(&[("S3_BIND", &taken.local_addr().unwrap().to_string())]);
        let error = Chosen::choose(&options, &settings).unwrap_err().to_string();
        assert!(error.contains("S3_BIND"), "{error}");
    }

    #[test]
    fn a_part_that_is_elsewhere_needs_no_port() {
        let settings =
            environment(&[("S3_ENDPOINT", "https://s3.example/"), ("VEO3_BASE_URL", "https://p.example")]);
        let chosen = Chosen::choose(&free_ports(), &settings).unwrap();
        assert_eq!(chosen.places.s3.url(), "https://s3.example");
        assert_eq!(chosen.places.of(Part::Provider), None);
        let error = Chosen::choose(&free_ports(), &environment(&[("S3_ENDPOINT", "nonsense")])).unwrap_err();
        assert!(error.to_string().contains("S3_ENDPOINT"), "{error}");
    }

    #[test]
    fn ports_of_outgoing_connections_are_left_alone() {
        assert_eq!(outside_of(15_000..32_000, 32_768..60_999), 15_000..32_000);
        assert_eq!(outside_of(15_000..32_000, 20_000..60_999), 15_000..20_000);
        assert_eq!(outside_of(15_000..32_000, 1_024..65_535), 15_000..32_000);
    }
}

//! Which providers make the videos, and which of them are real: that one is whose key, address or project stands in
//! the environment. The others are the simulator's. Pure.

use foundation::settings::{Environment, SettingError};
use url::Url;

/// A provider that the simulator can play.
struct Playable {
    name: &'static str,
    /// The settings that say that it is the real one.
    real: &'static [&'static str],
    base_url: &'static str,
    api_key: &'static str,
    usual_latency: &'static str,
    key_set: &'static str,
}

/// Those that are on unless the environment says otherwise, the default one first.
const PLAYABLE: &[Playable] = &[
    Playable {
        name: "veo3",
        real: &["VEO3_API_KEY", "VEO3_BASE_URL", "VEO3_VERTEX_PROJECT"],
        base_url: "VEO3_BASE_URL",
        api_key: "VEO3_API_KEY",
        usual_latency: "VEO3_USUAL_LATENCY",
        key_set: "VEO3_WEBHOOK_JWKS_URL",
    },
    Playable {
        name: "omni",
        real: &["OMNI_API_KEY", "OMNI_BASE_URL"],
        base_url: "OMNI_BASE_URL",
        api_key: "OMNI_API_KEY",
        usual_latency: "OMNI_USUAL_LATENCY",
        key_set: "OMNI_WEBHOOK_JWKS_URL",
    },
];

/// Where the real ones are, unless the environment says otherwise.
const GOOGLE: &str = "https://generativelanguage.googleapis.com";
/// The simulator takes any key.
const SIMULATOR_KEY: &str = "simulator";
/// What the simulator takes, so that the first video's estimate is not a real provider's.
const SIMULATOR_LATENCY: &str = "6s";

/// The providers of a system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Providers {
    /// All of them, the default one first.
    names: Vec<String>,
    simulated: Vec<&'static str>,
    /// Where the default one is, if it is real.
    address: Option<Url>,
}

impl Providers {
    /// What the environment says. `PROVIDERS` decides which there are; without it, only the real ones are, so that
    /// nobody mistakes a simulated video for one, or all of the simulator's if none is real.
    pub(crate) fn read(environment: &Environment) -> Result<Self, SettingError> {
        let is_real = |playable: &&Playable| {
            let given = playable.real.iter().map(|name| environment.text(name));
            given.collect::<Result<Vec<_>, _>>().map(|given| given.iter().any(Option::is_some))
        };
        let (mut real, mut played) = (Vec::new(), Vec::new());
        for playable in PLAYABLE {
            if is_real(&playable)? { real.push(playable) } else { played.push(playable) }
        }
        let given: Option<Vec<String>> = environment.optional("PROVIDERS")?;
        let names = given.unwrap_or_else(|| {
            let chosen = if real.is_empty() { &played } else { &real };
            chosen.iter().map(|playable| playable.name.to_owned()).collect()
        });
        let simulated = played.iter().map(|playable| playable.name);
        let simulated = simulated.filter(|name| names.iter().any(|wanted| wanted == name)).collect();
        let first = real.iter().find(|playable| names.first().is_some_and(|name| name == playable.name));
        let address = match first {
            // Vertex has an address for each of Google's regions, which the worker knows.
            Some(playable)
                if playable.name == "veo3" && environment.text("VEO3_VERTEX_PROJECT")?.is_some() =>
            {
                environment.optional(playable.base_url)?
            }
            Some(playable) => Some(environment.or_default(playable.base_url, GOOGLE)?),
            None => None,
        };
        Ok(Self { names, simulated, address })
    }

    /// As the setting `PROVIDERS` has them.
    pub(crate) fn setting(&self) -> String {
        self.names.join(",")
    }

    /// Whether the simulator is needed.
    pub(crate) fn some_simulated(&self) -> bool {
        !self.simulated.is_empty()
    }

    /// Whether nothing that is made here can be charged.
    pub(crate) fn all_simulated(&self) -> bool {
        self.names.iter().all(|name| self.simulated.contains(&name.as_str()))
    }

    /// Where the default provider is, if it is a real one that is known here.
    pub(crate) fn address(&self) -> Option<&Url> {
        self.address.as_ref()
    }

    /// What the worker is told of the simulated ones, given where the simulator is.
    pub(crate) fn variables(&self, simulator: &str) -> Vec<(&'static str, String)> {
        let simulated = PLAYABLE.iter().filter(|playable| self.simulated.contains(&playable.name));
        let variables = simulated.flat_map(|playable| {
            [
                (playable.base_url, simulator.to_owned()),
                (playable.api_key, SIMULATOR_KEY.to_owned()),
                (playable.usual_latency, SIMULATOR_LATENCY.to_owned()),
                (playable.key_set, format!("{simulator}/.well-known/jwks.json")),
            ]
        });
        variables.collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(entries: &[(&str, &str)]) -> Providers {
        let map = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        Providers::read(&Environment::from_map(map)).unwrap()
    }

    #[test]
    fn without_a_key_all_are_the_simulators() {
        let providers = read(&[]);
        assert_eq!(providers.setting(), "veo3,omni");
        assert!(providers.all_simulated() && providers.address().is_none());
        let variables = providers.variables("http://127.0.0.1:3");
        assert_eq!(variables.len(), 8);
        assert!(variables.contains(&("OMNI_BASE_URL", "http://127.0.0.1:3".to_owned())));
    }

    #[test]
    fn whose_key_is_there_is_real() {
        for (settings, names, simulated, address) in [
            (
                &[("VEO3_API_KEY", "k")][..],
                "veo3",
                &[][..],
                Some("https://generativelanguage.googleapis.com/"),
            ),
            (&[("VEO3_VERTEX_PROJECT", "p")], "veo3", &[], None),
            (
                &[("OMNI_API_KEY", "k"), ("OMNI_BASE_URL", "https://o.example")],
                "omni",
                &[],
                Some("https://o.example/"),
            ),
            (
                &[("VEO3_API_KEY", "k"), ("OMNI_API_KEY", "k")],
                "veo3,omni",
                &[],
                Some("https://generativelanguage.googleapis.com/"),
            ),
            (&[("PROVIDERS", "omni,veo3"), ("VEO3_API_KEY", "k")], "omni,veo3", &["omni"], None),
            (&[("PROVIDERS", "generic")], "generic", &[], None),
        ] {
            let providers = read(settings);
            assert_eq!(providers.setting(), names, "{settings:?}");
            assert_eq!(providers.simulated, simulated, "{settings:?}");
            assert_eq!(providers.address().map(Url::as_str), address, "{settings:?}");
            assert!(!providers.all_simulated(), "{settings:?}");
        }
    }

    #[test]
    fn a_real_ones_settings_are_the_environments_alone() {
        let providers = read(&[("PROVIDERS", "veo3,omni"), ("VEO3_API_KEY", "k")]);
        let names: Vec<_> = providers.variables("x").into_iter().map(|(name, _)| name).collect();
        let expected = ["OMNI_BASE_URL", "OMNI_API_KEY", "OMNI_USUAL_LATENCY", "OMNI_WEBHOOK_JWKS_URL"];
        assert_eq!(names, expected);
    }
}

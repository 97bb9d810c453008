//! The catalogue: which models there are, what each allows, and what it costs.
//!
//! Models, limits and prices change often, so they are data (`models.json`) and never code. The rules over
//! them are pure: the same parameters give the same answer, defaults and price wherever they are asked for.
//! Nothing here may silently change what a user named: [`Model::check`] complains, and only what is absent
//! is filled in by [`Model::fill_defaults`].

pub mod http;
mod images;
mod model;

pub use images::Images;
pub use model::{Audio, Defaults, Model, Resolution, UsdPerSecond};

use foundation::settings::{Setting, SettingError};
use serde::Deserialize;

foundation::settings! {
    /// Which models there are.
    pub struct CatalogueSettings {
        /// The providers that the worker has on, separated by commas. The first one's models come before the others'.
        pub providers: Vec<String> = or_default("PROVIDERS", "veo3"),
        /// The catalogue of models, in place of the built-in one: JSON of the form of
        /// crates/api-service/src/catalogue/models.json. MODELS_FILE names its file.
        pub models: Option<Catalogue> = optional("MODELS"),
    }
}

impl CatalogueSettings {
    /// The catalogue with the models of the providers that are on.
    ///
    /// # Errors
    /// If none of them is offered.
    pub fn catalogue(&self) -> Result<Catalogue, SettingError> {
        let whole = self.models.clone().unwrap_or_else(Catalogue::built_in);
        whole.of_providers(&self.providers).ok_or_else(|| SettingError::Malformed {
            name: "PROVIDERS",
            reason: "names no provider of whom the catalogue offers a model".to_owned(),
        })
    }
}

impl Setting for Catalogue {
    fn parse(text: &str) -> Result<Self, String> {
        Self::parse(text).map_err(|error| error.to_string())
    }
}

/// All models that are known, and the one that is taken when nobody says otherwise.
#[derive(Clone, Debug)]
pub struct Catalogue {
    models: Vec<Model>,
    default: usize,
}

/// Why a catalogue's data cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum CatalogueError {
    /// Not JSON, or not of the catalogue's shape.
    #[error("the catalogue of models is malformed: {0}")]
    Malformed(#[from] serde_json::Error),
    /// The default is not among the models that are offered.
    #[error("the default model {0} is not offered by the catalogue")]
    NoDefault(String),
    /// A model contradicts itself.
    #[error("the catalogue's model {model} is inconsistent: {problem}")]
    Inconsistent {
        /// The model's id.
        model: String,
        /// What contradicts what.
        problem: String,
    },
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Document {
    default: Name,
    models: Vec<Model>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Name {
    provider: String,
    model: String,
}

impl Catalogue {
    /// The catalogue that is compiled into the program.
    ///
    /// # Panics
    /// Never: the data does not change after it was tested.
    #[must_use]
    pub fn built_in() -> Self {
        #[expect(clippy::expect_used, reason = "the data is part of the program, and a test reads it")]
        Self::parse(include_str!("models.json")).expect("the built-in catalogue is well formed")
    }

    /// Reads a catalogue of the same shape as `models.json`.
    ///
    /// # Errors
    /// If it is malformed, lacks its default, or a model's own defaults are not allowed by it.
    pub fn parse(json: &str) -> Result<Self, CatalogueError> {
        let Document { default, models } = serde_json::from_str(json)?;
        for model in &models {
            model
                .consistent()
                .map_err(|problem| CatalogueError::Inconsistent { model: model.model.clone(), problem })?;
        }
        let position = models
            .iter()
            .position(|m| m.offered && m.provider == default.provider && m.model == default.model)
            .ok_or_else(|| CatalogueError::NoDefault(format!("{}/{}", default.provider, default.model)))?;
        Ok(Self { models, default: position })
    }

    /// The same with the models of these providers alone, the first provider's first. The default stays if it is of
    /// the first provider; else the first one's first model is it. `None` if nothing is left.
    #[must_use]
    pub fn of_providers(&self, providers: &[String]) -> Option<Self> {
        let place = |model: &Model| providers.iter().position(|name| *name == model.provider);
        let mut models: Vec<_> = self.offered().filter(|model| place(model).is_some()).cloned().collect();
        models.sort_by_key(|model| place(model));
        let first = models.first()?.provider.clone();
        let old = self.default_model();
        let default = if old.provider == first { models.iter().position(|model| model == old)? } else { 0 };
        Some(Self { models, default })
    }

    /// The model that is taken when nothing is named.
    #[must_use]
    pub fn default_model(&self) -> &Model {
        &self.models[self.default]
    }

    /// The models that a user may choose.
    pub fn offered(&self) -> impl Iterator<Item = &Model> {
        self.models.iter().filter(|model| model.offered)
    }

    /// The offered model of that provider with that id.
    #[must_use]
    pub fn find(&self, provider: &str, model: &str) -> Option<&Model> {
        self.offered().find(|m| m.provider == provider && m.model == model)
    }

    /// The model for what a request names: both, the provider alone (its first model), the model's id alone,
    /// or nothing (the default model).
    ///
    /// # Errors
    /// The wrong field, with a text that says what there is.
    pub fn choose(
        &self,
        provider: Option<&str>,
        model: Option<&str>,
    ) -> Result<&Model, contract::problem::FieldError> {
        use contract::problem::FieldError;
        let default = self.default_model();
        let fits = |m: &&Model| {
            provider.is_none_or(|name| m.provider == name) && model.is_none_or(|id| m.model == id)
        };
        if fits(&default) {
            return Ok(default);
        }
        self.offered().find(fits).ok_or_else(|| match (provider, model) {
            (Some(name), _) if !self.offered().any(|m| m.provider == name) => {
                let mut names: Vec<_> = self.offered().map(|m| m.provider.as_str()).collect();
                names.dedup();
                FieldError::new(
                    "provider",
                    format!("There is no such provider. Allowed: {}.", names.join(", ")),
                )
            }
            _ => {
                let ids: Vec<_> = self
                    .offered()
                    .filter(|m| provider.is_none_or(|name| m.provider == name))
                    .map(|m| m.model.as_str())
                    .collect();
                FieldError::new("model", format!("There is no such model. Allowed: {}.", ids.join(", ")))
            }
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_built_in_catalogue_reads_and_finds() {
        let catalogue = Catalogue::built_in();
        let default = catalogue.default_model();
        assert_eq!(default.provider, "veo3");
        assert_eq!(catalogue.find(&default.provider, &default.model), Some(default));
        assert!(catalogue.find("veo3", "veo-9").is_none());
    }

    #[test]
    fn a_request_names_both_one_or_nothing() {
        let catalogue = Catalogue::built_in();
        let default = catalogue.default_model();
        assert_eq!(catalogue.choose(None, None), Ok(default));
        assert_eq!(catalogue.choose(Some("veo3"), None), Ok(default));
        assert_eq!(catalogue.choose(None, Some("veo-3.1-lite-generate-001")).unwrap().name, "Veo 3.1 Lite");
        let error = catalogue.choose(Some("sora"), None).unwrap_err();
        assert_eq!((error.field.as_str(), error.message.contains("veo3")), ("provider", true));
        let error = catalogue.choose(Some("veo3"), Some("sora-2")).unwrap_err();
        assert_eq!(
            (error.field.as_str(), error.message.contains("veo-3.1-fast-generate-001")),
            ("model", true)
        );
    }

    #[test]
    fn only_the_models_of_the_providers_that_are_on_are_offered() {
        let of = |names: &[&str]| {
            let names: Vec<_> = names.iter().map(|name| (*name).to_owned()).collect();
            Catalogue::built_in().of_providers(&names)
        };
        let default = |names: &[&str]| of(names).map(|catalogue| catalogue.default_model().model.clone());
        assert_eq!(default(&["veo3"]).as_deref(), Some("veo-3.1-generate-001"));
        assert_eq!(default(&["veo3", "omni"]).as_deref(), Some("veo-3.1-generate-001"));
        assert_eq!(default(&["omni", "veo3"]).as_deref(), Some("gemini-omni-1.1-flash"));
        assert_eq!(default(&["sora"]), None);
        assert!(of(&["omni"]).unwrap().find("veo3", "veo-3.1-generate-001").is_none());
        assert_eq!(of(&["omni", "veo3"]).unwrap().offered().count(), 4);
    }

    #[test]
    fn contradictions_are_refused() {
        let good = include_str!("models.json");
        for (from, to) in [
            (r#""default": { "provider": "veo3""#, r#""default": { "provider": "veo4""#),
            (r#""defaults": { "duration": 8"#, r#""defaults": { "duration": 7"#),
            (r#""usdPerSecond": "0.40""#, r#""usdPerSecond": "0.00001""#),
            (r#""durations": [8]"#, r#""durations": [9]"#),
            (r#""seed": false"#, r#""seeds": false"#),
            (r#""referenceDurations": [8]"#, r#""referenceDurations": [9]"#),
            (r#""firstFrame": true, "lastFrame": true"#, r#""firstFrame": false, "lastFrame": true"#),
        ] {
            assert!(good.contains(from), "{from}");
            assert!(Catalogue::parse(&good.replace(from, to)).is_err(), "{to}");
        }
    }
}

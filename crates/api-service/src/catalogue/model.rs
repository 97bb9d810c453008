//! One model: what it allows, what it takes when nothing is said, and its price.

use std::fmt::Display;

use contract::{Money, Parameters, problem::FieldError};
use serde::{Deserialize, Deserializer, Serialize, de::Error as _};
use utoipa::ToSchema;

use super::Images;
use crate::intent::{
    Language,
    words::{Words, fill},
};

/// How long a style or a negative prompt may be; they travel to the provider beside the prompt.
const MAX_WORDS_BYTES: usize = 1024;

/// A model of a provider, as data.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Model {
    /// The provider's name, as in a generation's `provider`.
    pub provider: String,
    /// The provider's id of the model, as in a generation's `model`.
    pub model: String,
    /// What people call it.
    pub name: String,
    /// Whether users may choose it. A model can be known before the worker speaks to its provider.
    pub offered: bool,
    /// The lengths in seconds that it makes, rising.
    pub durations: Vec<u32>,
    /// Width to height, for example `16:9`.
    pub aspect_ratios: Vec<String>,
    /// From the smallest to the largest.
    pub resolutions: Vec<Resolution>,
    /// What it takes when nothing is said.
    pub defaults: Defaults,
    /// Whether there is sound.
    pub audio: Audio,
    /// Whether it honours a seed.
    pub seed: bool,
    /// Whether it takes words for what must not be seen.
    pub negative_prompt: bool,
    /// The longest prompt in bytes of UTF-8. The provider counts tokens, which only it can do exactly.
    pub max_prompt_bytes: usize,
    /// Which pictures it takes.
    #[serde(default)]
    pub images: Images,
    /// How long it usually takes to make a video.
    pub typical_latency_seconds: u32,
}

/// A resolution of a model.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Resolution {
    /// For example `720p`.
    pub name: String,
    /// The price of a second.
    pub usd_per_second: UsdPerSecond,
    /// The lengths that it comes in, where not every length of the model is one.
    #[serde(default)]
    pub durations: Option<Vec<u32>>,
}

/// What a model takes when nothing is said.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
pub struct Defaults {
    /// In seconds.
    pub duration: u32,
    /// Width to height.
    pub aspect_ratio: String,
    /// The name of one of the model's resolutions.
    pub resolution: String,
}

/// Whether a model's videos have sound.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize, Serialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum Audio {
    /// They do, and it cannot be turned off.
    Always,
    /// As the user wishes; with sound unless said otherwise.
    Optional,
    /// They do not.
    Never,
}

/// An exact price in ten-thousandths of a US dollar; a decimal text such as `0.40` in the data.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct UsdPerSecond(i64);

impl UsdPerSecond {
    /// As an amount of money.
    #[must_use]
    pub fn as_money(self) -> Money {
        Money::usd_ten_thousandths(self.0)
    }
}

impl<'de> Deserialize<'de> for UsdPerSecond {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let text = String::deserialize(deserializer)?;
        let whole = text.split('.').next().unwrap_or_default();
        let price = contract::money::ten_thousandths(&text).filter(|_| whole.len() <= 4);
        let no_price = || D::Error::custom(format!("not a price with at most four decimals: {text:?}"));
        price.map(Self).ok_or_else(no_price)
    }
}

impl Model {
    /// What of these parameters the model does not allow, each with a text that says what it does. Absent
    /// parameters are always fine. The fields are named `parameters.duration` and so on.
    #[must_use]
    pub fn check(&self, parameters: &Parameters) -> Vec<FieldError> {
        self.check_in(Language::English, parameters)
    }

    /// The same, told in a user's language.
    #[must_use]
    pub fn check_in(&self, language: Language, parameters: &Parameters) -> Vec<FieldError> {
        let words = Words::of(language);
        let says =
            |text: &str, choices: &dyn Display| fill(text, &[("model", &self.name), ("choices", choices)]);
        let mut errors = Vec::new();
        let mut wrong = |field: &str, message: String| {
            errors.push(FieldError::new(format!("parameters.{field}"), message));
        };
        if let Some(duration) = parameters.duration
            && !self.durations.contains(&duration)
        {
            wrong("duration", says(&words.makes_durations, &words.any_of(&self.durations)));
        }
        for message in self.check_images(language, &parameters.images) {
            wrong("images", message);
        }
        if let Some(duration) = parameters.duration
            && self.durations.contains(&duration)
            && let allowed = self.durations_from(&parameters.images)
            && !allowed.contains(&duration)
        {
            wrong("duration", says(&words.makes_durations_from_references, &words.any_of(allowed)));
        }
        if let Some(aspect_ratio) = &parameters.aspect_ratio
            && !self.aspect_ratios.contains(aspect_ratio)
        {
            wrong("aspectRatio", says(&words.makes, &words.any_of(&self.aspect_ratios)));
        }
        if let Some(name) = &parameters.resolution {
            match self.resolution(name) {
                None => {
                    let names: Vec<_> = self.resolutions.iter().map(|r| &r.name).collect();
                    wrong("resolution", says(&words.makes, &words.any_of(&names)));
                }
                Some(resolution) => {
                    let durations = self.durations_in(resolution);
                    if let Some(duration) = parameters.duration
                        && self.durations.contains(&duration)
                        && !durations.contains(&duration)
                    {
                        let lengths = words.any_of(durations);
                        let named = [("resolution", name as &dyn Display), ("choices", &lengths)];
                        wrong("resolution", fill(&words.resolution_needs, &named));
                    }
                }
            }
        }
        for (field, text) in [("style", &parameters.style), ("negativePrompt", &parameters.negative_prompt)] {
            if text.as_ref().is_some_and(|text| text.len() > MAX_WORDS_BYTES) {
                wrong(field, fill(&words.at_most_bytes, &[("n", &MAX_WORDS_BYTES)]));
            }
        }
        if parameters.negative_prompt.is_some() && !self.negative_prompt {
            wrong("negativePrompt", says(&words.takes_no_negative_prompt, &""));
        }
        match (parameters.audio, self.audio) {
            (Some(false), Audio::Always) => wrong("audio", says(&words.makes_sound, &"")),
            (Some(true), Audio::Never) => wrong("audio", says(&words.makes_no_sound, &"")),
            _ => {}
        }
        if parameters.seed.is_some() && !self.seed {
            wrong("seed", says(&words.takes_no_seed, &""));
        }
        errors
    }

    /// What is wrong with a prompt, if anything: it must say something and must not be too long.
    #[must_use]
    pub fn check_prompt(&self, prompt: &str) -> Option<FieldError> {
        self.check_prompt_in(Language::English, prompt)
    }

    /// The same, told in a user's language.
    #[must_use]
    pub fn check_prompt_in(&self, language: Language, prompt: &str) -> Option<FieldError> {
        let words = Words::of(language);
        if prompt.trim().is_empty() {
            Some(FieldError::new("prompt", &words.say_what_to_show))
        } else if prompt.len() > self.max_prompt_bytes {
            Some(FieldError::new("prompt", fill(&words.at_most_bytes, &[("n", &self.max_prompt_bytes)])))
        } else {
            None
        }
    }

    /// The final parameters: what is absent takes the model's default, what is there stays. Where the
    /// default length does not go with the resolution that was asked for, the longest that does is taken.
    #[must_use]
    pub fn fill_defaults(&self, parameters: Parameters) -> Parameters {
        let named = |words: Option<String>| words.filter(|text| !text.trim().is_empty());
        let resolution =
            parameters.resolution.unwrap_or_else(|| self.default_resolution(parameters.duration));
        let duration = parameters.duration.unwrap_or_else(|| {
            let default = self.default_duration(Some(&resolution));
            let allowed = self.durations_from(&parameters.images);
            if allowed.contains(&default) {
                default
            } else {
                allowed.iter().copied().max().unwrap_or(default)
            }
        });
        Parameters {
            duration: Some(duration),
            aspect_ratio: parameters.aspect_ratio.or_else(|| Some(self.defaults.aspect_ratio.clone())),
            resolution: Some(resolution),
            style: named(parameters.style),
            negative_prompt: named(parameters.negative_prompt),
            audio: parameters.audio.or(Some(self.audio != Audio::Never)),
            seed: parameters.seed,
            images: parameters.images,
        }
    }

    /// What a video with these parameters costs, the model's defaults taken for what is absent.
    ///
    /// # Errors
    /// What [`Model::check`] finds: something that cannot be made has no price.
    pub fn price(&self, parameters: &Parameters) -> Result<Money, Vec<FieldError>> {
        self.price_in(Language::English, parameters)
    }

    /// The same, with errors in a user's language.
    ///
    /// # Errors
    /// Likewise.
    pub fn price_in(&self, language: Language, parameters: &Parameters) -> Result<Money, Vec<FieldError>> {
        let parameters = self.fill_defaults(parameters.clone());
        let errors = self.check_in(language, &parameters);
        let resolution = parameters.resolution.as_deref().and_then(|name| self.resolution(name));
        match (parameters.duration, resolution) {
            (Some(duration), Some(resolution)) if errors.is_empty() => {
                Ok(Money::usd_ten_thousandths(i64::from(duration) * resolution.usd_per_second.0))
            }
            _ => Err(errors),
        }
    }

    /// The model's resolution of that name.
    #[must_use]
    pub fn resolution(&self, name: &str) -> Option<&Resolution> {
        self.resolutions.iter().find(|resolution| resolution.name == name)
    }

    /// The lengths in seconds that a resolution comes in.
    #[must_use]
    pub fn durations_in<'a>(&'a self, resolution: &'a Resolution) -> &'a [u32] {
        resolution.durations.as_deref().unwrap_or(&self.durations)
    }

    /// The length that is taken when none is named: the model's default, or, if the resolution does not come
    /// in it, the longest that it does come in.
    #[must_use]
    pub fn default_duration(&self, resolution: Option<&str>) -> u32 {
        let default = self.defaults.duration;
        match resolution.and_then(|name| self.resolution(name)).map(|r| self.durations_in(r)) {
            Some(allowed) if !allowed.contains(&default) => allowed.iter().copied().max().unwrap_or(default),
            _ => default,
        }
    }

    /// The resolution that is taken when none is named: the model's default, or, if it does not come in the
    /// length, the smallest that does.
    #[must_use]
    pub fn default_resolution(&self, duration: Option<u32>) -> String {
        let fits = |r: &&Resolution| duration.is_none_or(|d| self.durations_in(r).contains(&d));
        let default = self.resolution(&self.defaults.resolution).filter(fits);
        default
            .or_else(|| self.resolutions.iter().find(fits))
            .map_or_else(|| self.defaults.resolution.clone(), |resolution| resolution.name.clone())
    }

    /// Whether the model's own data fits together.
    pub(super) fn consistent(&self) -> Result<(), String> {
        if self.durations.is_empty() || self.aspect_ratios.is_empty() || self.resolutions.is_empty() {
            return Err("it allows nothing".to_owned());
        }
        for resolution in &self.resolutions {
            let durations = self.durations_in(resolution);
            if durations.is_empty() || !durations.iter().all(|d| self.durations.contains(d)) {
                return Err(format!("{} comes in lengths that the model does not make", resolution.name));
            }
        }
        self.consistent_images()?;
        let Defaults { duration, aspect_ratio, resolution } = self.defaults.clone();
        let defaults = Parameters {
            duration: Some(duration),
            aspect_ratio: Some(aspect_ratio),
            resolution: Some(resolution),
            ..Parameters::default()
        };
        match self.check(&defaults).first() {
            None => Ok(()),
            Some(error) => Err(format!("its default {}: {}", error.field, error.message)),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Catalogue;
    use super::*;

    fn parameters(json: serde_json::Value) -> Parameters {
        serde_json::from_value(json).unwrap()
    }

    #[test]
    fn what_is_not_allowed_is_told_with_what_is() {
        let catalogue = Catalogue::built_in();
        let veo = catalogue.default_model();
        for (json, field, says) in [
            (serde_json::json!({"duration": 5}), "parameters.duration", "4, 6 or 8 seconds"),
            (serde_json::json!({"aspectRatio": "1:1"}), "parameters.aspectRatio", "16:9 or 9:16"),
            (serde_json::json!({"resolution": "480p"}), "parameters.resolution", "720p, 1080p or 4k"),
            (serde_json::json!({"resolution": "4k", "duration": 4}), "parameters.resolution", "4k needs"),
            (serde_json::json!({"audio": false}), "parameters.audio", "always makes sound"),
            (serde_json::json!({"seed": 1}), "parameters.seed", "takes no seed"),
            (serde_json::json!({"style": "x".repeat(1025)}), "parameters.style", "1024"),
        ] {
            let errors = veo.check(&parameters(json.clone()));
            assert_eq!(errors.len(), 1, "{json}");
            assert_eq!(errors[0].field, field);
            assert!(errors[0].message.contains(says), "{}", errors[0].message);
            assert!(veo.price(&parameters(json)).is_err());
        }
        let several =
            parameters(serde_json::json!({"duration": 60, "aspectRatio": "1:1", "resolution": "8k"}));
        assert_eq!(veo.check(&several).len(), 3);
        assert!(veo.check(&Parameters::default()).is_empty());
    }

    #[test]
    fn defaults_fill_only_what_is_absent() {
        let catalogue = Catalogue::built_in();
        let veo = catalogue.default_model();
        let all = parameters(serde_json::json!(
            {"duration": 8, "aspectRatio": "16:9", "resolution": "720p", "audio": true}
        ));
        assert_eq!(veo.fill_defaults(Parameters::default()), all);
        let named = parameters(serde_json::json!(
            {"duration": 4, "aspectRatio": "9:16", "style": "noir", "negativePrompt": " "}
        ));
        let filled = veo.fill_defaults(named);
        assert_eq!((filled.duration, filled.resolution.as_deref()), (Some(4), Some("720p")));
        assert_eq!((filled.style.as_deref(), filled.negative_prompt.as_deref()), (Some("noir"), None));
    }

    #[test]
    fn a_video_has_one_exact_price() {
        let catalogue = Catalogue::built_in();
        let price = |model: &str, json| {
            catalogue.find("veo3", model).unwrap().price(&parameters(json)).unwrap().amount
        };
        let (standard, fast, lite) =
            ("veo-3.1-generate-001", "veo-3.1-fast-generate-001", "veo-3.1-lite-generate-001");
        assert_eq!(price(standard, serde_json::json!({})), "3.20");
        assert_eq!(price(standard, serde_json::json!({"duration": 6})), "2.40");
        assert_eq!(price(standard, serde_json::json!({"resolution": "1080p"})), "3.20");
        assert_eq!(price(standard, serde_json::json!({"resolution": "4k"})), "4.80");
        assert_eq!(price(fast, serde_json::json!({"resolution": "1080p"})), "0.96");
        assert_eq!(price(lite, serde_json::json!({"duration": 4})), "0.20");
    }

    #[test]
    fn the_default_length_gives_way_to_the_resolution() {
        let catalogue = Catalogue::built_in();
        let mut veo = catalogue.default_model().clone();
        veo.defaults.duration = 4;
        let filled = veo.fill_defaults(parameters(serde_json::json!({"resolution": "1080p"})));
        assert_eq!(filled.duration, Some(8));
        veo.defaults.resolution = "1080p".to_owned();
        let filled = veo.fill_defaults(parameters(serde_json::json!({"duration": 4})));
        assert_eq!(filled.resolution.as_deref(), Some("720p"));
    }

    #[test]
    fn a_prompt_says_something_and_fits() {
        let catalogue = Catalogue::built_in();
        let veo = catalogue.default_model();
        assert!(veo.check_prompt(" \n").is_some());
        assert!(veo.check_prompt(&"ü".repeat(4096)).is_none());
        assert!(veo.check_prompt(&"ü".repeat(4097)).is_some());
    }
}

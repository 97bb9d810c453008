//! What both ways of asking for Veo have in common: the request, what is valid in it, and the words of what went
//! wrong.
//!
//! The limits are those of Veo 3.1: whatever the real service refuses is refused here, so that a client does not
//! learn to rely on too much. Images and videos in a request are taken, and not looked into.

use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::google::ApiError;
use crate::operations::{Delivery, Submission};
use crate::webhooks::{About, Config};

/// The limit is 1,024 tokens. How many a text has is the model's secret; beyond this many bytes it has more.
const LONGEST_PROMPT: usize = 8 * 1024;

/// Whose way of asking.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Dialect {
    Gemini,
    Vertex,
}

/// Why a filter takes a video for what it shows.
pub(super) const VIOLENCE: &str =
    "The video was blocked because it may show violence. Support codes: 61493863";
/// Why a filter takes a video for how it sounds.
pub(super) const AUDIO: &str = "We encountered an issue with the audio for your prompt, and can't create your video \
                                at this time. You will not be charged for this attempt. Please try again.";

/// In place of videos, if a filter took them.
pub(super) fn filtered(reason: &str) -> Value {
    json!({"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": [reason]})
}

/// What a failed operation says.
pub(super) fn error() -> Value {
    json!({"code": 13, "message": "Video generation failed due to an internal server issue."})
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Request {
    instances: Vec<Instance>,
    #[serde(default)]
    parameters: Parameters,
    webhook_config: Option<Config>,
}

#[derive(Debug, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Instance {
    #[serde(default)]
    prompt: String,
    image: Option<Map<String, Value>>,
    last_frame: Option<Map<String, Value>>,
    #[serde(default)]
    reference_images: Vec<Map<String, Value>>,
    video: Option<Map<String, Value>>,
}

/// What may be set; the last ones on Vertex only.
#[derive(Debug, Default, Deserialize)]
#[serde(rename_all = "camelCase", deny_unknown_fields)]
struct Parameters {
    sample_count: Option<u32>,
    duration_seconds: Option<u16>,
    aspect_ratio: Option<String>,
    resolution: Option<String>,
    person_generation: Option<String>,
    #[serde(rename = "negativePrompt")]
    _negative_prompt: Option<String>,
    storage_uri: Option<String>,
    seed: Option<u32>,
    fps: Option<u32>,
    generate_audio: Option<bool>,
    compression_quality: Option<String>,
    resize_mode: Option<String>,
}

impl Parameters {
    /// The names of those that are set and are Vertex's alone.
    fn of_vertex(&self) -> impl Iterator<Item = &'static str> {
        let all = [
            ("storageUri", self.storage_uri.is_some()),
            ("seed", self.seed.is_some()),
            ("fps", self.fps.is_some()),
            ("generateAudio", self.generate_audio.is_some()),
            ("compressionQuality", self.compression_quality.is_some()),
            ("resizeMode", self.resize_mode.is_some()),
        ];
        all.into_iter().filter(|(_, is_set)| *is_set).map(|(name, _)| name)
    }
}

/// Reads a request as strictly as the real service does. `name` names the operation of a model.
pub(super) fn submission(
    dialect: Dialect,
    model: String,
    body: &[u8],
    name: impl FnOnce(&str) -> String,
) -> Result<Submission, ApiError> {
    if !model.starts_with("veo-") && !model.starts_with("gemini-omni-") {
        let message = format!("models/{model} is not found, or is not supported for predictLongRunning.");
        return Err(ApiError::not_found(message));
    }
    let Request { mut instances, parameters, webhook_config } = serde_json::from_slice(body)
        .map_err(|error| ApiError::invalid(format!("Invalid JSON payload received. {error}")))?;
    let (Some(instance), true) = (instances.pop(), instances.is_empty()) else {
        return Err(ApiError::invalid("`instances` must hold exactly one instance."));
    };
    if let (Dialect::Gemini, Some(foreign)) = (dialect, parameters.of_vertex().next()) {
        return Err(ApiError::invalid(format!("`{foreign}` isn't supported by this model.")));
    }
    if dialect == Dialect::Vertex && webhook_config.is_some() {
        return Err(ApiError::invalid("Unknown name \"webhookConfig\": Cannot find field."));
    }
    if instance.prompt.trim().is_empty() {
        return Err(ApiError::invalid("`prompt` must not be empty."));
    }
    if instance.prompt.len() > LONGEST_PROMPT {
        return Err(ApiError::invalid("`prompt` has more than 1024 tokens."));
    }
    if instance.last_frame.is_some() && instance.image.is_none() {
        return Err(ApiError::invalid("`lastFrame` needs `image`."));
    }
    if instance.reference_images.len() > 3 {
        return Err(ApiError::invalid("There may be at most 3 `referenceImages`."));
    }
    let person_generation = parameters.person_generation.as_deref();
    if person_generation.is_some_and(|value| !["allow_all", "allow_adult", "dont_allow"].contains(&value)) {
        return Err(ApiError::invalid("`personGeneration` is not supported with this value."));
    }
    if parameters.sample_count.unwrap_or(1) != 1 {
        return Err(ApiError::invalid("`sampleCount` must be 1."));
    }

    let (short, long) = match parameters.resolution.as_deref().unwrap_or("720p") {
        "720p" => (720, 1280),
        "1080p" => (1080, 1920),
        "4k" if !model.contains("-lite") => (2160, 3840),
        other => return Err(ApiError::invalid(format!("`resolution` {other} is not supported by {model}."))),
    };
    let (width, height) = match parameters.aspect_ratio.as_deref().unwrap_or("16:9") {
        "16:9" => (long, short),
        "9:16" => (short, long),
        other => return Err(ApiError::invalid(format!("`aspectRatio` {other} is not supported."))),
    };
    let extends = instance.video.is_some();
    if extends && short != 720 {
        return Err(ApiError::invalid("A `video` can be extended at 720p only."));
    }
    let full_length_only = short > 720 || extends || !instance.reference_images.is_empty();
    let seconds = match parameters.duration_seconds.unwrap_or(8) {
        8 => 8,
        seconds @ (4 | 6) if !full_length_only => seconds,
        4 | 6 => {
            let message = "`durationSeconds` must be 8 for 1080p, 4k, extension and reference images.";
            return Err(ApiError::invalid(message));
        }
        other => return Err(ApiError::invalid(format!("`durationSeconds` must be 4, 6 or 8, not {other}."))),
    };
    let delivery = match (dialect, parameters.storage_uri) {
        (Dialect::Gemini, _) => Delivery::Link,
        (Dialect::Vertex, None) => Delivery::Inline,
        (Dialect::Vertex, Some(folder)) if folder.starts_with("gs://") => Delivery::Storage(folder),
        (Dialect::Vertex, Some(_)) => return Err(ApiError::invalid("`storageUri` must begin with gs://.")),
    };
    let frames = [&instance.image, &instance.last_frame].into_iter().flatten().count();
    let images = frames + instance.reference_images.len();
    let webhook = webhook_config.map(|config| config.wanted(About::Video)).transpose()?.flatten();
    let (name, prompt) = (name(&model), instance.prompt);
    Ok(Submission { name, model, prompt, width, height, seconds, images, delivery, webhook })
}

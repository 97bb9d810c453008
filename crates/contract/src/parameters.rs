//! What a user may ask of a video.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The parameters of a generation. A field that is absent was not asked for; which values a model allows
/// is for the catalogue of models to say.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase", default)]
pub struct Parameters {
    /// Length of the video in seconds.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub duration: Option<u32>,
    /// Width to height, for example `16:9`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub aspect_ratio: Option<String>,
    /// `720p`, `1080p` or `4k`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub resolution: Option<String>,
    /// A visual style in free words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub style: Option<String>,
    /// What must not be seen, in free words.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub negative_prompt: Option<String>,
    /// Whether the video has sound.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub audio: Option<bool>,
    /// Makes a model that honours it repeat itself.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub seed: Option<u32>,
}

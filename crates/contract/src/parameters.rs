//! What a user may ask of a video.

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::UploadId;

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
    /// Uploaded pictures that the video is made from.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub images: Vec<ImageInput>,
}

impl Parameters {
    /// How many pictures there are for this.
    #[must_use]
    pub fn images_for(&self, role: ImageRole) -> usize {
        self.images.iter().filter(|image| image.role == role).count()
    }
}

/// An uploaded picture, and what it is for.
#[derive(Clone, Debug, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ImageInput {
    /// The upload; it must be the user's own, and must not have expired.
    pub upload_id: UploadId,
    /// What the picture is for.
    #[serde(default)]
    pub role: ImageRole,
}

/// What a picture is for. Which of these a model takes, and together with what, is for the catalogue of models to
/// say.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum ImageRole {
    /// The video begins with it.
    #[default]
    FirstFrame,
    /// The video ends with it.
    LastFrame,
    /// It shows somebody or something that shall be in the video.
    Reference,
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_picture_is_the_first_frame_unless_it_is_said_otherwise() {
        let upload = UploadId::new();
        let read = |value| serde_json::from_value::<Parameters>(value).unwrap();
        let parameters = read(json!({"images": [
            {"uploadId": upload}, {"uploadId": upload, "role": "reference"}, {"uploadId": upload, "role": "reference"}
        ]}));
        let counts = [ImageRole::FirstFrame, ImageRole::LastFrame, ImageRole::Reference];
        assert_eq!(counts.map(|role| parameters.images_for(role)), [1, 0, 2]);
        let told = json!({"images": [{"uploadId": upload, "role": "last_frame"}]});
        assert_eq!(serde_json::to_value(read(told.clone())).unwrap(), told);
        assert_eq!(serde_json::to_value(Parameters::default()).unwrap(), json!({}), "none are not told of");
    }
}

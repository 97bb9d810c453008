//! Uploaded pictures as the services hand them over: of which type they are, which their first bytes say, and what
//! the worker answers when it has stored one.

use std::str::FromStr;

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

use crate::{Timestamp, UploadId};

/// The largest picture in bytes, as it is uploaded and as it is stored.
pub const LARGEST_IMAGE: usize = 20 * 1024 * 1024;

/// The types in which pictures are stored.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub enum ImageType {
    /// JPEG.
    #[serde(rename = "image/jpeg")]
    Jpeg,
    /// PNG.
    #[serde(rename = "image/png")]
    Png,
}

impl ImageType {
    /// The type that a picture's first bytes say, if it is one of these.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Option<Self> {
        if bytes.starts_with(&[0xff, 0xd8, 0xff]) {
            Some(Self::Jpeg)
        } else if bytes.starts_with(b"\x89PNG\r\n\x1a\n") {
            Some(Self::Png)
        } else {
            None
        }
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Jpeg => "image/jpeg",
            Self::Png => "image/png",
        }
    }

    /// What the names of such files end with, behind the dot.
    #[must_use]
    pub const fn extension(self) -> &'static str {
        match self {
            Self::Jpeg => "jpg",
            Self::Png => "png",
        }
    }
}

impl FromStr for ImageType {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        [Self::Jpeg, Self::Png].into_iter().find(|kind| kind.media_type() == text).ok_or(UnknownType)
    }
}

/// The text is not the media type of a picture.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not the media type of a picture")]
pub struct UnknownType;

/// What the worker has after a picture was sent to it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct UploadAnswer {
    /// The upload.
    pub upload_id: UploadId,
    /// The object's key in the bucket.
    pub key: String,
    /// Until when it is kept.
    pub kept_until: Timestamp,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_bytes_say_the_type() {
        for (bytes, found) in [
            (&b"\x89PNG\r\n\x1a\n and more"[..], Some(ImageType::Png)),
            (&b"\xff\xd8\xff\xe0"[..], Some(ImageType::Jpeg)),
            (&b"RIFF\0\0\0\0WEBP"[..], None),
            (&b"\x89PNG"[..], None),
            (&b"<!doctype html>"[..], None),
            (&b""[..], None),
        ] {
            assert_eq!(ImageType::of(bytes), found, "{bytes:?}");
        }
        for image in [ImageType::Jpeg, ImageType::Png] {
            assert_eq!(serde_json::to_value(image).unwrap(), image.media_type());
            assert_eq!(image.media_type().parse(), Ok(image));
        }
    }
}

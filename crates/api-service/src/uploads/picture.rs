//! What is taken for a picture, and what becomes of it: pure, but slow and hungry, so not for a thread that serves.
//!
//! A picture is decoded whole, within bounds of memory, and encoded anew. So what is kept is a picture and nothing
//! else: no place where it was taken, no comment, no second file behind it.

use std::io::Cursor;

use contract::{ImageType, images::LARGEST_IMAGE};
use image::{
    DynamicImage, ImageDecoder, ImageError, Limits,
    codecs::{
        jpeg::{JpegDecoder, JpegEncoder},
        png::{CompressionType, FilterType, PngDecoder, PngEncoder},
        webp::WebPDecoder,
    },
};

use super::jpeg;

/// The shortest side in pixels: less shows nothing.
pub const SMALLEST_SIDE: u32 = 64;
/// The longest side in pixels.
pub const LARGEST_SIDE: u32 = 8192;
/// The longest side of what is kept: no model shows more.
pub const KEPT_SIDE: u32 = 4096;
/// The largest picture once it is unpacked, in bytes: 48 million pixels in colour and transparency.
const LARGEST_UNPACKED: u64 = 192 * 1024 * 1024;
/// What decoding may take beside that.
const DECODING: u64 = 64 * 1024 * 1024;
/// From 1 to 100.
const QUALITY: u8 = 93;

/// What a picture says that it is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Declared {
    /// image/png
    Png,
    /// image/jpeg
    Jpeg,
    /// image/webp
    WebP,
}

impl Declared {
    /// The media type, if it is one that is taken; parameters do not matter.
    #[must_use]
    pub fn of(media_type: &str) -> Option<Self> {
        let essence = media_type.split(';').next().unwrap_or_default().trim();
        let all = [("image/png", Self::Png), ("image/jpeg", Self::Jpeg), ("image/webp", Self::WebP)];
        all.into_iter().find(|(name, _)| essence.eq_ignore_ascii_case(name)).map(|(_, declared)| declared)
    }

    /// The media type.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Png => "image/png",
            Self::Jpeg => "image/jpeg",
            Self::WebP => "image/webp",
        }
    }

    /// What the first bytes say.
    fn found(bytes: &[u8]) -> Option<Self> {
        let is_webp = bytes.starts_with(b"RIFF") && bytes.get(8..12) == Some(b"WEBP");
        match ImageType::of(bytes) {
            Some(ImageType::Png) => Some(Self::Png),
            Some(ImageType::Jpeg) => Some(Self::Jpeg),
            None => is_webp.then_some(Self::WebP),
        }
    }
}

/// A picture as it is kept.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Picture {
    /// Its type.
    pub kind: ImageType,
    /// Pixels, upright.
    pub width: u32,
    /// Pixels, upright.
    pub height: u32,
    /// It.
    pub content: Vec<u8>,
}

/// Why something is not taken for a picture; a sentence for whoever sent it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refused {
    /// Nothing was sent.
    #[error("There is no picture in the request.")]
    Empty,
    /// It begins as something else.
    #[error("This is not a PNG, JPEG or WebP picture.")]
    NoPicture,
    /// It is of another type than it says.
    #[error("The picture is {}, but content-type says {}.", .found.media_type(), .declared.media_type())]
    OtherType {
        /// What it is.
        found: Declared,
        /// What it says.
        declared: Declared,
    },
    /// Moving pictures have no one picture.
    #[error("The picture is animated. Send one that stands still.")]
    Animated,
    /// A side is too short.
    #[error("The picture is {0} x {1} pixels. Each side must have at least {least}.", least = SMALLEST_SIDE)]
    TooSmall(u32, u32),
    /// A side is too long, or the whole is too large to be unpacked.
    #[error("The picture is too large: at most {most} pixels a side and 48 million in all.", most = LARGEST_SIDE)]
    TooLarge,
    /// What would be kept is too large.
    #[error("The picture has more detail than can be kept as PNG in 20 MiB. Send it as JPEG.")]
    TooDetailed,
    /// It ends before its content does.
    #[error("The picture is cut short.")]
    Truncated,
    /// Its content makes no sense.
    #[error("The picture is damaged and cannot be read.")]
    Broken,
}

impl Refused {
    /// A word for the log.
    #[must_use]
    pub const fn word(&self) -> &'static str {
        match self {
            Self::Empty => "empty",
            Self::NoPicture => "no_picture",
            Self::OtherType { .. } => "other_type",
            Self::Animated => "animated",
            Self::TooSmall(..) => "too_small",
            Self::TooLarge => "too_large",
            Self::TooDetailed => "too_detailed",
            Self::Truncated => "truncated",
            Self::Broken => "broken",
        }
    }
}

impl From<ImageError> for Refused {
    fn from(error: ImageError) -> Self {
        match error {
            ImageError::Limits(_) => Self::TooLarge,
            ImageError::IoError(error) if error.kind() == std::io::ErrorKind::UnexpectedEof => {
                Self::Truncated
            }
            _ => Self::Broken,
        }
    }
}

/// Makes of what was sent the picture that is kept. The libraries that decode it may still panic.
pub fn examine(declared: Declared, bytes: &[u8]) -> Result<Picture, Refused> {
    if bytes.is_empty() {
        return Err(Refused::Empty);
    }
    let found = Declared::found(bytes).ok_or(Refused::NoPicture)?;
    if found != declared {
        return Err(Refused::OtherType { found, declared });
    }
    let reader = Cursor::new(bytes);
    let picture = match found {
        Declared::Png => {
            let decoder = PngDecoder::with_limits(reader, limits())?;
            if decoder.is_apng()? {
                return Err(Refused::Animated);
            }
            unpacked(decoder)?
        }
        Declared::Jpeg if !jpeg::is_whole(bytes) => return Err(Refused::Truncated),
        Declared::Jpeg => unpacked(JpegDecoder::new(reader)?)?,
        Declared::WebP => {
            let decoder = WebPDecoder::new(reader)?;
            if decoder.has_animation() {
                return Err(Refused::Animated);
            }
            unpacked(decoder)?
        }
    };
    packed(&picture, if found == Declared::Jpeg { ImageType::Jpeg } else { ImageType::Png })
}

fn limits() -> Limits {
    let mut limits = Limits::default();
    limits.max_image_width = Some(LARGEST_SIDE);
    limits.max_image_height = Some(LARGEST_SIDE);
    limits.max_alloc = Some(LARGEST_UNPACKED + DECODING);
    limits
}

/// The picture, upright and no larger than what is kept. Its size is looked at before anything is unpacked.
fn unpacked(mut decoder: impl ImageDecoder) -> Result<DynamicImage, Refused> {
    let (width, height) = decoder.dimensions();
    if width < SMALLEST_SIDE || height < SMALLEST_SIDE {
        return Err(Refused::TooSmall(width, height));
    }
    if width > LARGEST_SIDE || height > LARGEST_SIDE || decoder.total_bytes() > LARGEST_UNPACKED {
        return Err(Refused::TooLarge);
    }
    decoder.set_limits(limits())?;
    // What cannot be read of it says nothing.
    let orientation = decoder.orientation().ok();
    let mut picture = DynamicImage::from_decoder(decoder)?;
    if width.max(height) > KEPT_SIDE {
        picture = picture.thumbnail(KEPT_SIDE, KEPT_SIDE);
    }
    if let Some(orientation) = orientation {
        picture.apply_orientation(orientation);
    }
    Ok(picture)
}

fn packed(picture: &DynamicImage, kind: ImageType) -> Result<Picture, Refused> {
    let mut content = Vec::new();
    let (width, height) = (picture.width(), picture.height());
    match kind {
        ImageType::Jpeg => {
            JpegEncoder::new_with_quality(&mut content, QUALITY).encode_image(&picture.to_rgb8())?;
        }
        ImageType::Png => {
            let encoder =
                PngEncoder::new_with_quality(&mut content, CompressionType::Fast, FilterType::Adaptive);
            if picture.color().has_alpha() {
                picture.to_rgba8().write_with_encoder(encoder)?;
            } else {
                picture.to_rgb8().write_with_encoder(encoder)?;
            }
        }
    }
    if content.len() > LARGEST_IMAGE {
        return Err(Refused::TooDetailed);
    }
    Ok(Picture { kind, width, height, content })
}

#[cfg(test)]
mod tests;

//! What a file is that is no MP4, by its first bytes: so that people are told what came instead of their video.

use std::fmt;

/// A kind of file, as far as its first bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// MP4, by its brand.
    Mp4,
    /// QuickTime, which looks like MP4 but for its brand, and which not every browser plays.
    QuickTime,
    /// WebM or Matroska.
    WebM,
    /// AVI.
    Avi,
    /// One picture, or a few that move.
    Picture,
    /// A web page, or another text of tags.
    Page,
    /// A text, such as an error in JSON.
    Text,
    /// Anything else.
    Unknown,
}

/// How many bytes tell.
pub(super) const TELLING: usize = 64;

impl Format {
    /// What a file's first bytes say that it is. They may be fewer than [`TELLING`] if the file is.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let is = |at: usize, expected: &[u8]| bytes.get(at..at + expected.len()) == Some(expected);
        if is(4, b"ftyp") {
            let brand = bytes.get(8..12);
            return match brand {
                Some(b"qt  ") => Self::QuickTime,
                // HEIF and AVIF are pictures in the same boxes.
                Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"avif" | b"avis") => Self::Picture,
                _ => Self::Mp4,
            };
        }
        let pictures: [&[u8]; 5] = [b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0"];
        if is(0, b"\x1a\x45\xdf\xa3") {
            Self::WebM
        } else if is(0, b"RIFF") && is(8, b"AVI ") {
            Self::Avi
        } else if pictures.iter().any(|beginning| is(0, beginning)) || (is(0, b"RIFF") && is(8, b"WEBP")) {
            Self::Picture
        } else if is(4, b"moov") || is(4, b"wide") || is(4, b"mdat") {
            // Files without a brand are older than MP4.
            Self::QuickTime
        } else {
            Self::of_text(bytes)
        }
    }

    fn of_text(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        let is_text = text.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace());
        match text.first() {
            Some(b'<') if is_text => Self::Page,
            Some(_) if is_text => Self::Text,
            _ => Self::Unknown,
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mp4 => "an MP4 video",
            Self::QuickTime => "a QuickTime video",
            Self::WebM => "a WebM video",
            Self::Avi => "an AVI video",
            Self::Picture => "a picture",
            Self::Page => "a web page",
            Self::Text => "a text",
            Self::Unknown => "a file of an unknown kind",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_first_bytes_say_what_it_is() {
        for (bytes, format) in [
            (&b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2"[..], Format::Mp4),
            (b"\0\0\0\x18ftypmp42", Format::Mp4),
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Format::QuickTime),
            (b"\0\0\0\x08wide\0\0\x01\0mdat", Format::QuickTime),
            (b"\0\0\0\x18ftypheic", Format::Picture),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86", Format::WebM),
            (b"RIFF\0\0\0\0AVI LIST", Format::Avi),
            (b"RIFF\0\0\0\0WEBPVP8 ", Format::Picture),
            (b"\x89PNG\r\n\x1a\n", Format::Picture),
            (b"GIF89a", Format::Picture),
            (b"<!doctype html><title>Sign in</title>", Format::Page),
            (b"\xef\xbb\xbf \n<?xml version", Format::Page),
            (b"{\"error\": {\"code\": 403}}", Format::Text),
            (b"ftyp", Format::Text),
            (b"", Format::Unknown),
            (b"\0\0\0\0", Format::Unknown),
        ] {
            assert_eq!(Format::of(bytes), format, "{bytes:?}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_has_a_name(bytes in proptest::collection::vec(any::<u8>(), 0..TELLING)) {
            prop_assert!(!Format::of(&bytes).to_string().is_empty());
        }
    }
}

//! What a video file is: taking it in, making sure that it is a real video, and its first picture. It knows
//! neither providers nor jobs nor the bucket.
//!
//! A file from outside is hostile until shown otherwise: its structure is looked over within hard bounds
//! ([`structure`]) before libraries parse it, and they do so on a thread of their own, where a panic of theirs
//! is one more way of not being a video.

mod download;
mod format;
mod picture;
mod posters;
mod structure;
mod workspace;

use std::{
    fs::File,
    io::{BufReader, Read, Seek, SeekFrom},
    path::PathBuf,
};

use bytes::Bytes;
use re_mp4::{Mp4, Sample, StsdBoxContent, Track, TrackKind};

pub(crate) use self::download::{Saving, hexadecimal, interrupted, next, save};
pub use self::{
    download::{DownloadError, Downloaded, Limits},
    format::Format,
    posters::Poster,
    workspace::{TemporaryFile, Workspace},
};
use self::{picture::Picture, structure::Shown};

/// The longest video that is taken, in seconds.
const LONGEST: f64 = 3600.0;
/// The longest side in pixels.
const LARGEST_SIDE: u16 = 8192;
/// The largest single picture in bytes.
const LARGEST_SAMPLE: u64 = 32 * 1024 * 1024;

/// A file that is a real video.
#[derive(Clone, Debug, PartialEq)]
pub struct Video {
    /// Seconds.
    pub duration: f64,
    /// Pixels.
    pub width: u16,
    /// Pixels.
    pub height: u16,
    /// A small JPEG of its first picture; one of the posters.
    pub thumbnail: Bytes,
    /// JPEGs of its first picture, the smallest first; at least one.
    pub posters: Vec<Poster>,
}

impl Video {
    /// Width and height, as `1920x1080`.
    #[must_use]
    pub fn resolution(&self) -> String {
        format!("{}x{}", self.width, self.height)
    }
}

/// Why a file is not taken for a video; for the log, not for users.
#[derive(Debug, thiserror::Error)]
pub enum Invalid {
    /// Nothing is in it.
    #[error("the file is empty")]
    Empty,
    /// It begins as something else, a web page for example.
    #[error("the file is no MP4 but {0}")]
    NotMp4(Format),
    /// It ends before its content does.
    #[error("the file is cut short")]
    Truncated,
    /// Its structure does not fit together.
    #[error("the file is broken: {0}")]
    Broken(String),
    /// It is beyond what is taken.
    #[error("the file is out of bounds: {0}")]
    OutOfBounds(&'static str),
    /// It has no pictures, or they cannot be decoded.
    #[error("the file has no pictures that can be shown: {0}")]
    NoPictures(String),
    /// The file cannot be read: our fault, not its own.
    #[error("the file cannot be read: {0}")]
    Unreadable(#[from] std::io::Error),
}

/// Makes sure that a file is a real video, measures it and makes its posters. Dropped midway, the work runs on
/// to its end on its thread, to no effect.
pub async fn examine(path: PathBuf) -> Result<Video, Invalid> {
    let work = tokio::task::spawn_blocking(move || {
        let file = File::open(path)?;
        let size = file.metadata()?.len();
        probe(file, size)
    });
    work.await.unwrap_or_else(|_| Err(Invalid::Broken("its parser gave up".to_owned())))
}

/// What [`examine`] does, on the thread that calls it: of a file of so many bytes. The libraries that it hands
/// what has passed the bounds may still panic.
pub fn probe(mut file: impl Read + Seek, size: u64) -> Result<Video, Invalid> {
    let hidden = structure::check(&mut file, size)?;
    let mut reader = BufReader::new(Shown::new(file, hidden)?);
    let mp4 = Mp4::read(&mut reader, size).map_err(|error| Invalid::Broken(error.to_string()))?;
    let pictures = |track: &&Track| track.kind == Some(TrackKind::Video);
    let track = mp4.tracks().values().find(pictures);
    let track = track.ok_or_else(|| Invalid::NoPictures("no video track".to_owned()))?;
    for track in mp4.tracks().values() {
        if track.samples.iter().any(|sample| end(sample).is_none_or(|end| end > size)) {
            return Err(Invalid::Truncated);
        }
    }
    let duration = duration(track)?;
    let (width, height) = dimensions(&mp4, track);
    if !(1..=LARGEST_SIDE).contains(&width) || !(1..=LARGEST_SIDE).contains(&height) {
        return Err(Invalid::OutOfBounds("its width or height"));
    }
    let posters = match first_picture(&mp4, track, &mut reader)? {
        Some(picture) => posters::of(&picture)?,
        None => posters::plain((width, height))?,
    };
    let thumbnail = posters::thumbnail(&posters).map(|poster| poster.jpeg.clone());
    let thumbnail = thumbnail.ok_or_else(|| Invalid::NoPictures("no posters".to_owned()))?;
    Ok(Video { duration, width, height, thumbnail, posters })
}

fn end(sample: &Sample) -> Option<u64> {
    sample.offset.checked_add(sample.size)
}

fn duration(track: &Track) -> Result<f64, Invalid> {
    let seconds = track.duration as f64 / track.timescale as f64;
    // Milliseconds say enough; what is shorter than one is no video.
    let seconds = (seconds * 1000.0).round() / 1000.0;
    if seconds.is_finite() && seconds > 0.0 && seconds <= LONGEST {
        Ok(seconds)
    } else {
        Err(Invalid::OutOfBounds("its length"))
    }
}

/// As the codec says it, which is what a player shows.
fn dimensions(mp4: &Mp4, track: &Track) -> (u16, u16) {
    match &track.trak(mp4).mdia.minf.stbl.stsd.contents {
        StsdBoxContent::Avc1(avc1) => (avc1.width, avc1.height),
        _ => (track.width, track.height),
    }
}

/// The first picture, decoded once for all posters. There is none of another codec than H.264: it is as good a
/// video, but there is no decoder for it here.
fn first_picture(
    mp4: &Mp4,
    track: &Track,
    file: &mut (impl Read + Seek),
) -> Result<Option<Picture>, Invalid> {
    let StsdBoxContent::Avc1(avc1) = &track.trak(mp4).mdia.minf.stbl.stsd.contents else {
        return Ok(None);
    };
    let key = track.samples.iter().find(|sample| sample.is_sync).or(track.samples.first());
    let key = key.ok_or_else(|| Invalid::NoPictures("no samples".to_owned()))?;
    if key.size > LARGEST_SAMPLE {
        return Err(Invalid::OutOfBounds("a picture's size"));
    }
    let mut sample = vec![0; key.size as usize];
    file.seek(SeekFrom::Start(key.offset))?;
    file.read_exact(&mut sample)?;
    picture::of_key_frame(avc1, &sample).map(Some)
}

#[cfg(test)]
mod tests {
    use super::*;

    async fn error_of(content: &[u8]) -> Invalid {
        let file = tempfile::NamedTempFile::new().unwrap();
        std::fs::write(file.path(), content).unwrap();
        examine(file.path().to_owned()).await.unwrap_err()
    }

    #[tokio::test]
    async fn what_is_no_video_is_said_to_be_none() {
        assert!(matches!(error_of(b"").await, Invalid::Empty));
        for (content, format) in [
            (&b"<!doctype html><title>Sign in</title>"[..], Format::Page),
            (b"short", Format::Text),
            (b"{\"error\": {}}", Format::Json),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01", Format::WebM),
            // What a parser might well make something of.
            (b"\0\0\0\x14ftypqt  \0\0\0\0qt  ", Format::QuickTime),
        ] {
            match error_of(content).await {
                Invalid::NotMp4(found) => assert_eq!(found, format),
                other => panic!("{format}: {other}"),
            }
        }
        assert!(matches!(error_of(b"\0\0\0\x10ftypisom\0\0\0\0").await, Invalid::Broken(_)));
    }
}

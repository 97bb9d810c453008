//! The first picture of a video, out of its key frame.

use openh264::{decoder::Decoder, formats::YUVSource};
use re_mp4::Avc1Box;

use super::{Invalid, LARGEST_SIDE};

/// What introduces each unit of a stream.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// A picture: three bytes a pixel, red, green and blue, line by line.
pub(super) struct Picture {
    /// Pixels.
    pub(super) width: u32,
    /// Pixels.
    pub(super) height: u32,
    /// As many as width and height say.
    pub(super) pixels: Vec<u8>,
}

/// The picture of a key frame of H.264: a sample as it stands in the file, and the description of its track,
/// which configures the decoder.
pub(super) fn of_key_frame(track: &Avc1Box, sample: &[u8]) -> Result<Picture, Invalid> {
    let undecodable = |error: openh264::Error| Invalid::NoPictures(error.to_string());
    let stream = stream(track, sample)?;
    let mut decoder = Decoder::new().map_err(undecodable)?;
    if let Some(frame) = decoder.decode(&stream).map_err(undecodable)? {
        return picture(frame.dimensions(), |rgb| frame.write_rgb8(rgb));
    }
    let rest = decoder.flush_remaining().map_err(undecodable)?;
    let frame = rest.first().ok_or_else(|| Invalid::NoPictures("its key frame is empty".to_owned()))?;
    picture(frame.dimensions(), |rgb| frame.write_rgb8(rgb))
}

/// The units of the configuration and the sample, as a decoder reads them: behind start codes instead of
/// lengths.
fn stream(track: &Avc1Box, mut sample: &[u8]) -> Result<Vec<u8>, Invalid> {
    let configuration = &track.avcc.contents;
    let broken = || Invalid::Broken("a sample that does not add up".to_owned());
    let mut stream = Vec::with_capacity(sample.len() + 256);
    let sets = configuration.sequence_parameter_sets.iter().chain(&configuration.picture_parameter_sets);
    for set in sets {
        stream.extend_from_slice(&START_CODE);
        stream.extend_from_slice(&set.bytes);
    }
    let prefix = usize::from(configuration.length_size_minus_one & 3) + 1;
    while !sample.is_empty() {
        let (length, rest) = sample.split_at_checked(prefix).ok_or_else(broken)?;
        let length = length.iter().fold(0, |length, byte| length << 8 | usize::from(*byte));
        let (unit, rest) = rest.split_at_checked(length).ok_or_else(broken)?;
        stream.extend_from_slice(&START_CODE);
        stream.extend_from_slice(unit);
        sample = rest;
    }
    Ok(stream)
}

fn picture((width, height): (usize, usize), write: impl FnOnce(&mut [u8])) -> Result<Picture, Invalid> {
    if !(1..=LARGEST_SIDE.into()).contains(&width) || !(1..=LARGEST_SIDE.into()).contains(&height) {
        return Err(Invalid::OutOfBounds("its pictures' size"));
    }
    let mut pixels = vec![0; width * height * 3];
    write(&mut pixels);
    Ok(Picture { width: width as u32, height: height as u32, pixels })
}

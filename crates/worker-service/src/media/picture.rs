//! A small JPEG of a video's key frame.

use jpeg_encoder::{ColorType, Encoder};
use openh264::{decoder::Decoder, formats::YUVSource};
use re_mp4::Avc1Box;

use super::{Invalid, LARGEST_SIDE};

/// The longer side of a thumbnail in pixels.
const LONGER_SIDE: usize = 640;
/// From 1 to 100.
const QUALITY: u8 = 82;
/// What introduces each unit of a stream.
const START_CODE: [u8; 4] = [0, 0, 0, 1];

/// The thumbnail of a key frame of H.264: a sample as it stands in the file, and the description of its
/// track, which configures the decoder.
pub(super) fn of_key_frame(track: &Avc1Box, sample: &[u8]) -> Result<Vec<u8>, Invalid> {
    let undecodable = |error: openh264::Error| Invalid::NoPictures(error.to_string());
    let stream = stream(track, sample)?;
    let mut decoder = Decoder::new().map_err(undecodable)?;
    if let Some(frame) = decoder.decode(&stream).map_err(undecodable)? {
        return thumbnail(&frame.dimensions(), |rgb| frame.write_rgb8(rgb));
    }
    let rest = decoder.flush_remaining().map_err(undecodable)?;
    let frame = rest.first().ok_or_else(|| Invalid::NoPictures("its key frame is empty".to_owned()))?;
    thumbnail(&frame.dimensions(), |rgb| frame.write_rgb8(rgb))
}

/// A plain picture in the video's proportions, for what cannot be decoded here.
pub(super) fn plain((width, height): (u16, u16)) -> Result<Vec<u8>, Invalid> {
    let (width, height) = fitted(width.into(), height.into());
    encode(&vec![0x30; width * height * 3], width, height)
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

fn thumbnail(dimensions: &(usize, usize), write: impl FnOnce(&mut [u8])) -> Result<Vec<u8>, Invalid> {
    let (width, height) = *dimensions;
    if !(1..=LARGEST_SIDE.into()).contains(&width) || !(1..=LARGEST_SIDE.into()).contains(&height) {
        return Err(Invalid::OutOfBounds("its pictures' size"));
    }
    let mut picture = vec![0; width * height * 3];
    write(&mut picture);
    let (small_width, small_height) = fitted(width, height);
    let small = scaled(&picture, (width, height), (small_width, small_height));
    encode(&small, small_width, small_height)
}

/// The size of a thumbnail in the same proportions.
fn fitted(width: usize, height: usize) -> (usize, usize) {
    let longer = width.max(height);
    if longer <= LONGER_SIDE {
        return (width, height);
    }
    let scale = |side: usize| ((side * LONGER_SIDE + longer / 2) / longer).max(1);
    (scale(width), scale(height))
}

/// Each pixel is the mean of those that it stands for.
fn scaled(picture: &[u8], from: (usize, usize), to: (usize, usize)) -> Vec<u8> {
    let span = |index: usize, from: usize, to: usize| {
        let start = index * from / to;
        start..((index + 1) * from / to).max(start + 1)
    };
    let mut small = Vec::with_capacity(to.0 * to.1 * 3);
    for y in 0..to.1 {
        let rows = span(y, from.1, to.1);
        for x in 0..to.0 {
            let columns = span(x, from.0, to.0);
            let (mut sums, count) = ([0_usize; 3], rows.len() * columns.len());
            for row in rows.clone() {
                let line = &picture[(row * from.0 + columns.start) * 3..(row * from.0 + columns.end) * 3];
                for pixel in line.chunks_exact(3) {
                    for (sum, value) in sums.iter_mut().zip(pixel) {
                        *sum += usize::from(*value);
                    }
                }
            }
            small.extend(sums.map(|sum| (sum / count) as u8));
        }
    }
    small
}

fn encode(rgb: &[u8], width: usize, height: usize) -> Result<Vec<u8>, Invalid> {
    let mut jpeg = Vec::new();
    let encoded = Encoder::new(&mut jpeg, QUALITY).encode(rgb, width as u16, height as u16, ColorType::Rgb);
    encoded.map_err(|error| Invalid::NoPictures(error.to_string()))?;
    Ok(jpeg)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn thumbnails_keep_the_proportions() {
        assert_eq!(fitted(1280, 720), (640, 360));
        assert_eq!(fitted(720, 1280), (360, 640));
        assert_eq!(fitted(320, 240), (320, 240));
        assert_eq!(fitted(8192, 1), (640, 1));
    }

    #[test]
    fn a_smaller_picture_has_the_mean_colours() {
        let picture = [[0, 10, 20], [100, 110, 120], [50, 60, 70], [50, 60, 70]].concat();
        assert_eq!(scaled(&picture, (2, 2), (1, 1)), [50, 60, 70]);
        assert_eq!(scaled(&picture, (2, 2), (2, 2)), picture);
        assert_eq!(scaled(&picture, (2, 2), (2, 1)), [25, 35, 45, 75, 85, 95]);
    }

    #[test]
    fn a_plain_picture_is_a_jpeg() {
        let jpeg = plain((1920, 1080)).unwrap();
        assert_eq!((&jpeg[..2], &jpeg[jpeg.len() - 2..]), (&[0xff, 0xd8][..], &[0xff, 0xd9][..]));
    }
}

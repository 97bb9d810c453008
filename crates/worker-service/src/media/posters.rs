//! The first picture of a video as JPEGs, in the sizes that pages show it in. Which sizes those are is decided
//! apart from the drawing of them.

use std::borrow::Cow;

use bytes::Bytes;
use fast_image_resize::{
    FilterType, PixelType, ResizeAlg, ResizeOptions, Resizer,
    images::{Image, ImageRef},
};
use jpeg_encoder::{ChromaSubsamplingMethod, ColorType, Encoder};

use super::{Invalid, picture::Picture};

/// The longer sides of the posters in pixels, as far as the video has as many.
const LONGER_SIDES: [u32; 4] = [320, 640, 1280, LARGEST];
/// The longer side of the largest poster.
const LARGEST: u32 = 1920;
/// The longer side of a thumbnail at most.
const THUMBNAIL: u32 = 640;
/// Of a JPEG, from 1 to 100.
const QUALITY: u8 = 82;
/// What stands in place of a picture that cannot be decoded: a dark grey.
const PLAIN: u8 = 0x30;

/// A video's first picture in one size.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Poster {
    /// Pixels; no two posters of a video have the same.
    pub width: u32,
    /// Pixels.
    pub height: u32,
    /// The JPEG.
    pub jpeg: Bytes,
}

/// The JPEGs of a picture, the smallest first. There is at least one.
pub(super) fn of(picture: &Picture) -> Result<Vec<Poster>, Invalid> {
    let own = (picture.width, picture.height);
    let unscalable = |error: &dyn std::fmt::Display| Invalid::NoPictures(error.to_string());
    let source = ImageRef::new(picture.width, picture.height, &picture.pixels, PixelType::U8x3)
        .map_err(|error| unscalable(&error))?;
    let options = ResizeOptions::new().resize_alg(ResizeAlg::Convolution(FilterType::Lanczos3));
    let mut resizer = Resizer::new();
    drawn(own, |(width, height)| {
        if (width, height) == own {
            return Ok(Cow::Borrowed(picture.pixels.as_slice()));
        }
        // Each is made of the whole picture, and not of the next larger one, which has lost detail already.
        let mut scaled = Image::new(width, height, PixelType::U8x3);
        resizer.resize(&source, &mut scaled, &options).map_err(|error| unscalable(&error))?;
        Ok(Cow::Owned(scaled.into_vec()))
    })
}

/// Plain ones in a video's proportions, for what cannot be decoded here.
pub(super) fn plain((width, height): (u16, u16)) -> Result<Vec<Poster>, Invalid> {
    drawn((width.into(), height.into()), |(width, height)| {
        Ok(Cow::Owned(vec![PLAIN; width as usize * height as usize * 3]))
    })
}

/// The one of these posters that is the thumbnail.
pub(super) fn thumbnail(posters: &[Poster]) -> Option<&Poster> {
    let small = |poster: &&Poster| poster.width.max(poster.height) <= THUMBNAIL;
    posters.iter().rev().find(small).or(posters.first())
}

/// The posters of a picture of this size, of the pixels that `draw` gives for each size.
fn drawn<'a>(
    own: (u32, u32),
    mut draw: impl FnMut((u32, u32)) -> Result<Cow<'a, [u8]>, Invalid>,
) -> Result<Vec<Poster>, Invalid> {
    let draw = |(width, height)| {
        let jpeg = encoded(&draw((width, height))?, width, height)?;
        Ok(Poster { width, height, jpeg })
    };
    sizes(own).into_iter().map(draw).collect()
}

/// The sizes of a picture's posters: none is larger than the picture, and the largest is as large as it, or has
/// the longest side that a poster has.
fn sizes((width, height): (u32, u32)) -> Vec<(u32, u32)> {
    let longer = width.max(height);
    let smaller = LONGER_SIDES.into_iter().filter(|side| *side < longer);
    let sides = smaller.chain([longer.min(LARGEST)]);
    let scaled = |length: u32, side: u32| ((length * side + longer / 2) / longer).max(1);
    let mut sizes: Vec<_> = sides.map(|side| (scaled(width, side), scaled(height, side))).collect();
    // Posters are told apart by their widths. Of a picture that is next to nothing wide, the larger one counts.
    sizes.reverse();
    sizes.dedup_by_key(|(width, _)| *width);
    sizes.reverse();
    sizes
}

/// A progressive JPEG, of which a browser shows something before it has all.
fn encoded(rgb: &[u8], width: u32, height: u32) -> Result<Bytes, Invalid> {
    let mut jpeg = Vec::new();
    let mut encoder = Encoder::new(&mut jpeg, QUALITY);
    encoder.set_progressive(true);
    encoder.set_optimized_huffman_tables(true);
    encoder.set_chroma_subsampling_method(ChromaSubsamplingMethod::Average);
    let encoded = encoder.encode(rgb, width as u16, height as u16, ColorType::Rgb);
    encoded.map_err(|error| Invalid::NoPictures(error.to_string()))?;
    Ok(jpeg.into())
}

#[cfg(test)]
mod tests {
    use image::ImageFormat;
    use proptest::prelude::*;

    use super::*;

    /// The left half red and the right half blue.
    fn picture(width: u32, height: u32) -> Picture {
        let colour = |x: u32| if x < width / 2 { [200, 20, 20] } else { [20, 20, 200] };
        let line: Vec<u8> = (0..width).flat_map(colour).collect();
        Picture { width, height, pixels: line.repeat(height as usize) }
    }

    fn decoded(poster: &Poster) -> image::RgbImage {
        image::load_from_memory_with_format(&poster.jpeg, ImageFormat::Jpeg).unwrap().to_rgb8()
    }

    #[test]
    fn sizes_follow_the_longer_side_and_keep_the_proportions() {
        for (own, expected) in [
            ((1280, 720), &[(320, 180), (640, 360), (1280, 720)][..]),
            ((720, 1280), &[(180, 320), (360, 640), (720, 1280)]),
            ((1920, 1080), &[(320, 180), (640, 360), (1280, 720), (1920, 1080)]),
            ((3840, 2160), &[(320, 180), (640, 360), (1280, 720), (1920, 1080)]),
            ((2160, 3840), &[(180, 320), (360, 640), (720, 1280), (1080, 1920)]),
            ((854, 480), &[(320, 180), (640, 360), (854, 480)]),
            ((640, 640), &[(320, 320), (640, 640)]),
            ((320, 240), &[(320, 240)]),
            ((64, 64), &[(64, 64)]),
            ((1, 1), &[(1, 1)]),
            ((8192, 1), &[(320, 1), (640, 1), (1280, 1), (1920, 1)]),
            ((1, 8192), &[(1, 1920)]),
        ] {
            assert_eq!(sizes(own), expected, "{own:?}");
        }
    }

    #[test]
    fn each_poster_is_the_picture_in_its_size() {
        for (width, height) in [(1280, 720), (720, 1280), (1920, 1080), (64, 64), (1000, 562)] {
            let posters = of(&picture(width, height)).unwrap();
            assert_eq!(
                posters.iter().map(|poster| (poster.width, poster.height)).collect::<Vec<_>>(),
                sizes((width, height))
            );
            for poster in &posters {
                let decoded = decoded(poster);
                assert_eq!(decoded.dimensions(), (poster.width, poster.height));
                // Lanczos rings at the edge between the colours, and JPEG a little everywhere.
                for (x, expected) in
                    [(poster.width / 8, [200, 20, 20]), (poster.width * 7 / 8, [20, 20, 200])]
                {
                    let found = decoded.get_pixel(x, poster.height / 2).0;
                    let near = found.iter().zip(expected).all(|(a, b): (&u8, u8)| a.abs_diff(b) < 12);
                    assert!(near, "{width}x{height} in {}: {found:?}, not {expected:?}", poster.width);
                }
            }
        }
    }

    #[test]
    fn the_thumbnail_is_the_poster_that_is_small_enough() {
        for ((width, height), expected) in [
            ((1280, 720), (640, 360)),
            ((720, 1280), (360, 640)),
            ((64, 64), (64, 64)),
            ((1, 8192), (1, 1920)),
        ] {
            let posters = plain((width, height)).unwrap();
            let thumbnail = thumbnail(&posters).unwrap();
            assert_eq!((thumbnail.width, thumbnail.height), expected);
        }
    }

    #[test]
    fn what_cannot_be_decoded_has_plain_ones_in_the_same_sizes() {
        let posters = plain((1080, 1920)).unwrap();
        assert_eq!(posters.len(), 4);
        for poster in &posters {
            let decoded = decoded(poster);
            assert_eq!(decoded.dimensions(), (poster.width, poster.height));
            assert!(decoded.pixels().all(|pixel| pixel.0.iter().all(|value| value.abs_diff(PLAIN) < 3)));
        }
    }

    proptest! {
        #[test]
        fn whatever_the_size_there_is_a_poster_and_none_is_larger(width in 1..=8192_u32, height in 1..=8192_u32) {
            let sizes = sizes((width, height));
            prop_assert!(!sizes.is_empty() && sizes.len() <= LONGER_SIDES.len());
            prop_assert!(sizes.is_sorted_by(|a, b| a.0 < b.0));
            for (w, h) in &sizes {
                prop_assert!((1..=width).contains(w) && (1..=height).contains(h));
                prop_assert!(*w <= LARGEST && *h <= LARGEST);
                // Within a pixel of the picture's own proportions.
                let exact = f64::from(*w.max(h)) / f64::from(width.max(height));
                prop_assert!((f64::from(*w) - f64::from(width) * exact).abs() <= 1.0);
                prop_assert!((f64::from(*h) - f64::from(height) * exact).abs() <= 1.0);
            }
            let largest = sizes.last().copied().unwrap_or_default();
            prop_assert_eq!(largest.0.max(largest.1), width.max(height).min(LARGEST));
        }
    }
}

//! Tests of what is taken for a picture.

use image::{ExtendedColorType, ImageEncoder as _, RgbImage, RgbaImage, codecs::webp::WebPEncoder};
use proptest::prelude::*;

use super::*;

/// A picture whose left half is red and whose right half is blue.
fn halves(width: u32, height: u32) -> DynamicImage {
    let half = |x| if x < width / 2 { [200, 30, 30] } else { [30, 30, 200] };
    RgbImage::from_fn(width, height, |x, _| image::Rgb(half(x))).into()
}

fn png(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(PngEncoder::new(&mut bytes)).unwrap();
    bytes
}

fn jpeg(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(JpegEncoder::new(&mut bytes)).unwrap();
    bytes
}

fn webp(picture: &DynamicImage) -> Vec<u8> {
    let mut bytes = Vec::new();
    picture.write_with_encoder(WebPEncoder::new_lossless(&mut bytes)).unwrap();
    bytes
}

/// A JPEG with this content of its EXIF segment.
fn with_exif(jpeg: &[u8], exif: &[u8]) -> Vec<u8> {
    let payload = [&b"Exif\0\0"[..], exif].concat();
    let length = u16::try_from(payload.len() + 2).unwrap().to_be_bytes();
    [&jpeg[..2], &[0xff, 0xe1], &length, &payload, &jpeg[2..]].concat()
}

/// EXIF that says: turn it by a quarter, clockwise, to see it upright. And where it was taken.
fn turned() -> Vec<u8> {
    let entry = [0x12, 0x01, 3, 0, 1, 0, 0, 0, 6, 0, 0, 0];
    [&b"II*\0\x08\0\0\0\x01\0"[..], &entry, &[0; 4], b"52.5200N 13.4050E"].concat()
}

fn kept(declared: Declared, bytes: &[u8]) -> (ImageType, DynamicImage) {
    let picture = examine(declared, bytes).unwrap();
    assert_eq!(ImageType::of(&picture.content), Some(picture.kind));
    let decoded = image::load_from_memory(&picture.content).unwrap();
    assert_eq!((decoded.width(), decoded.height()), (picture.width, picture.height));
    (picture.kind, decoded)
}

fn is_red(picture: &DynamicImage, x: u32, y: u32) -> bool {
    let [red, _, blue] = picture.to_rgb8().get_pixel(x, y).0;
    red > 150 && blue < 80
}

#[test]
fn a_picture_is_kept_as_jpeg_or_png() {
    let picture = halves(160, 90);
    for (declared, bytes, kind) in [
        (Declared::Png, png(&picture), ImageType::Png),
        (Declared::Jpeg, jpeg(&picture), ImageType::Jpeg),
        (Declared::WebP, webp(&picture), ImageType::Png),
    ] {
        let (found, kept) = kept(declared, &bytes);
        assert_eq!((found, kept.width(), kept.height()), (kind, 160, 90));
        assert!(is_red(&kept, 20, 45) && !is_red(&kept, 140, 45));
    }
}

#[test]
fn what_is_transparent_stays_so_and_deep_colours_become_plain() {
    let clear = RgbaImage::from_pixel(80, 80, image::Rgba([1, 2, 3, 0]));
    let (_, kept_clear) = kept(Declared::Png, &png(&clear.into()));
    assert_eq!(kept_clear.to_rgba8().get_pixel(5, 5).0[3], 0);
    let mut deep = Vec::new();
    let samples = vec![0x80; 80 * 80 * 2];
    PngEncoder::new(&mut deep).write_image(&samples, 80, 80, ExtendedColorType::L16).unwrap();
    let (_, kept_deep) = kept(Declared::Png, &deep);
    assert_eq!(kept_deep.color(), image::ColorType::Rgb8);
}

#[test]
fn a_picture_is_turned_upright_and_tells_nothing_else() {
    let sent = with_exif(&jpeg(&halves(160, 90)), &turned());
    assert!(sent.windows(8).any(|window| window == b"52.5200N"));
    let picture = examine(Declared::Jpeg, &sent).unwrap();
    assert_eq!((picture.width, picture.height), (90, 160));
    for trace in [&b"52.5200N"[..], b"Exif"] {
        assert!(!picture.content.windows(trace.len()).any(|window| window == trace));
    }
    let upright = image::load_from_memory(&picture.content).unwrap();
    assert!(is_red(&upright, 45, 20) && !is_red(&upright, 45, 140), "the left side is above now");
}

#[test]
fn what_is_larger_than_any_model_shows_is_made_smaller() {
    let (_, kept) = kept(Declared::Png, &png(&halves(5000, 500)));
    assert_eq!((kept.width(), kept.height()), (4096, 410));
}

#[test]
fn what_is_no_picture_is_told_why() {
    let picture = halves(160, 90);
    let (whole_png, whole_jpeg, whole_webp) = (png(&picture), jpeg(&picture), webp(&picture));
    let half = |bytes: &[u8]| bytes[..bytes.len() / 2].to_vec();
    let dot = halves(1, 1);
    for (declared, bytes, word) in [
        (Declared::Png, Vec::new(), "empty"),
        (Declared::Png, b"<svg xmlns='http://www.w3.org/2000/svg'/>".to_vec(), "no_picture"),
        (Declared::Png, b"GIF89a and more".to_vec(), "no_picture"),
        (Declared::Png, whole_jpeg.clone(), "other_type"),
        (Declared::Jpeg, whole_webp.clone(), "other_type"),
        (Declared::WebP, whole_png.clone(), "other_type"),
        (Declared::Png, half(&whole_png), "truncated"),
        (Declared::Jpeg, half(&whole_jpeg), "truncated"),
        (Declared::Png, png(&dot), "too_small"),
        (Declared::Jpeg, jpeg(&dot), "too_small"),
        (Declared::WebP, webp(&dot), "too_small"),
        (Declared::Png, png(&halves(9000, 64)), "too_large"),
    ] {
        let refused = examine(declared, &bytes).unwrap_err();
        assert_eq!(refused.word(), word, "{declared:?}: {refused}");
    }
    // WebP's decoder says no more than that it makes no sense.
    assert!(matches!(
        examine(Declared::WebP, &half(&whole_webp)),
        Err(Refused::Truncated | Refused::Broken | Refused::Animated)
    ));
    // Of the right type, and nothing in it.
    assert!(examine(Declared::Png, b"\x89PNG\r\n\x1a\n").is_err());
    assert!(examine(Declared::WebP, b"RIFF\xff\0\0\0WEBPVP8 ").is_err());
}

/// An animated PNG is a PNG with one chunk more.
#[test]
fn what_moves_is_refused() {
    let still = png(&halves(80, 80));
    // Behind the header, which has 8 + 25 bytes: two frames, for ever.
    let control = [&b"acTL"[..], &2_u32.to_be_bytes(), &0_u32.to_be_bytes()].concat();
    let mut crc = flate2::Crc::new();
    crc.update(&control);
    let chunk = [&8_u32.to_be_bytes()[..], &control, &crc.sum().to_be_bytes()].concat();
    let moving = [&still[..33], &chunk, &still[33..]].concat();
    assert_eq!(examine(Declared::Png, &moving), Err(Refused::Animated));
}

/// A small file that says of itself that it is huge is refused by what it says, before anything is unpacked.
#[test]
fn a_bomb_does_not_go_off() {
    let mut bomb = png(&halves(80, 80));
    for (width, height) in [(8192_u32, 8192_u32), (60_000, 60_000), (u32::MAX >> 1, 64)] {
        let header = [&b"IHDR"[..], &width.to_be_bytes(), &height.to_be_bytes(), &[16, 6, 0, 0, 0]].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&header);
        bomb.splice(12..33, [&header[..], &crc.sum().to_be_bytes()].concat());
        assert_eq!(examine(Declared::Png, &bomb), Err(Refused::TooLarge), "{width} x {height}");
    }
}

#[test]
fn media_types_go_by_their_essence() {
    for (text, declared) in [
        ("image/png", Some(Declared::Png)),
        ("IMAGE/JPEG; q=1", Some(Declared::Jpeg)),
        (" image/webp ", Some(Declared::WebP)),
        ("image/gif", None),
        ("image/svg+xml", None),
        ("application/json", None),
        ("", None),
    ] {
        assert_eq!(Declared::of(text), declared, "{text}");
    }
}

proptest! {
    /// Whatever comes behind a good beginning, it ends in an answer, and a picture that is taken is one.
    #[test]
    fn whatever_is_sent_comes_to_an_answer(cut in 0_usize..600, at in 0_usize..600, by: u8, kind in 0_usize..3) {
        let picture = halves(80, 80);
        let (declared, mut bytes) = match kind {
            0 => (Declared::Png, png(&picture)),
            1 => (Declared::Jpeg, jpeg(&picture)),
            _ => (Declared::WebP, webp(&picture)),
        };
        let last = bytes.len() - 1;
        bytes[at.min(last)] ^= by;
        bytes.truncate(bytes.len() - cut.min(last) / 2);
        if let Ok(kept) = examine(declared, &bytes) {
            prop_assert!(image::load_from_memory(&kept.content).is_ok());
        }
    }
}

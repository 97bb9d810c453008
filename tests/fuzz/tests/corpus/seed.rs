//! Makes small MP4 files, a whole one and others with one thing wrong each.

use std::{io::Cursor, panic::catch_unwind};

use muxide::api::{MuxerBuilder, VideoCodec};
use openh264::{encoder::Encoder, formats::YUVBuffer};

const FRAMES: u32 = 3;
const RATE: f64 = 24.0;

/// Whether the worker would take a file.
pub fn is_video(file: &[u8]) -> bool {
    let probed = catch_unwind(|| worker_service::media::probe(Cursor::new(file), file.len() as u64));
    matches!(probed, Ok(Ok(_)))
}

/// The files by their names.
pub fn files() -> Vec<(&'static str, Vec<u8>)> {
    let whole = whole();
    let ends = |name: &[u8; 4]| whole.windows(4).position(|window| window == name).unwrap() + 4;
    let with = |places: &[(usize, u32)]| {
        let mut file = whole.clone();
        for (at, number) in places {
            file[*at..at + 4].copy_from_slice(&number.to_be_bytes());
        }
        file
    };
    // Behind a name: version and flags, then two times, the timescale and the duration, four bytes each.
    let (timescale, duration) = (ends(b"mdhd") + 12, ends(b"mdhd") + 16);
    // Version and flags, then the size of all samples and their number.
    let (size, samples) = (ends(b"stsz") + 4, ends(b"stsz") + 8);
    let moov = ends(b"moov") - 8;
    let size_of_moov: [u8; 4] = whole[moov..moov + 4].try_into().unwrap();
    let mut long = whole[..moov].to_vec();
    long.extend([0, 0, 0, 1]);
    long.extend(b"moov");
    long.extend(u64::from(u32::from_be_bytes(size_of_moov) + 8).to_be_bytes());
    long.extend(&whole[moov + 8..]);
    vec![
        ("cut.mp4", whole[..whole.len() - 20].to_vec()),
        ("duration_of_nothing.mp4", with(&[(timescale, u32::MAX), (duration, 1)])),
        ("endless_moov.mp4", with(&[(moov, 0)])),
        ("large_sizes.mp4", long),
        ("no_description.mp4", with(&[(ends(b"avc1") - 4, u32::from_be_bytes(*b"none"))])),
        ("samples_of_one_size.mp4", with(&[(size, 9), (samples, 900_000)])),
        ("timescale_of_nothing.mp4", with(&[(timescale, 0)])),
        ("too_many_samples.mp4", with(&[(samples, u32::MAX)])),
        ("whole.mp4", whole.clone()),
    ]
}

fn whole() -> Vec<u8> {
    let (mut encoder, mut file) = (Encoder::new().unwrap(), Vec::new());
    let mut muxer = MuxerBuilder::new(&mut file)
        .video(VideoCodec::H264, 32, 32, RATE)
        .with_fast_start(true)
        .build()
        .unwrap();
    for frame in 0..FRAMES {
        let encoded = encoder.encode(&YUVBuffer::new(32, 32)).unwrap().to_vec();
        muxer.write_video(f64::from(frame) / RATE, &encoded, frame == 0).unwrap();
    }
    muxer.finish_in_place().unwrap();
    drop(muxer);
    file
}

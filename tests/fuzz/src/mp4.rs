//! A file that is said to be a video.

use std::{io::Cursor, panic::catch_unwind};

use peak_alloc::PeakAlloc;
use worker_service::media::{self, Video};

/// Counts what is allocated in this process; what C allocates is not among it.
#[global_allocator]
static MEMORY: PeakAlloc = PeakAlloc;

/// What a file may cost in memory, whatever its index says: a picture of the largest size, and the samples.
const MOST_MEMORY: usize = 512 * 1024 * 1024;

/// The file.
///
/// # Panics
/// If a property does not hold.
pub fn mp4_probe(data: &[u8]) {
    let before = MEMORY.current_usage();
    MEMORY.reset_peak_usage();
    // The worker reads files on a thread of its own, where a parser's panic is one more way of being no video.
    let outcome = catch_unwind(|| media::probe(Cursor::new(data), data.len() as u64));
    let used = MEMORY.peak_usage().saturating_sub(before);
    assert!(used <= MOST_MEMORY, "{} bytes took {used} bytes of memory", data.len());
    if let Ok(Ok(video)) = outcome {
        assert_eq!(data.get(4..8), Some(&b"ftyp"[..]));
        check(&video);
    }
}

fn check(video: &Video) {
    assert!(video.duration.is_finite() && video.duration > 0.0 && video.duration <= 3600.0, "{video:?}");
    assert!((1..=8192).contains(&video.width) && (1..=8192).contains(&video.height), "{video:?}");
    let posters = &video.posters;
    assert!(
        (1..=4).contains(&posters.len()) && posters.is_sorted_by(|a, b| a.width < b.width),
        "{posters:?}"
    );
    for poster in posters {
        assert!((1..=1920).contains(&poster.width) && (1..=1920).contains(&poster.height), "{poster:?}");
        let jpeg = &poster.jpeg;
        assert!(jpeg.starts_with(&[0xff, 0xd8]) && jpeg.ends_with(&[0xff, 0xd9]), "no JPEG");
        assert!(jpeg.len() < 8 * 1024 * 1024, "a poster of {} bytes", jpeg.len());
    }
    assert!(
        posters.iter().any(|poster| poster.jpeg == video.thumbnail),
        "the thumbnail is one of the posters"
    );
    assert!(video.thumbnail.len() < 2 * 1024 * 1024, "a thumbnail of {} bytes", video.thumbnail.len());
}

//! Whether what was delivered is a video, and which.

/// What a player would find.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Video {
    /// Seconds.
    pub(crate) duration: f64,
    pub(crate) width: u16,
    pub(crate) height: u16,
    pub(crate) frames: usize,
}

/// Parses an MP4. Panics if it is none, or if it has no picture.
pub(crate) fn parse(bytes: &[u8]) -> Video {
    let mp4 = re_mp4::Mp4::read_bytes(bytes).expect("it parses as an MP4");
    let track = mp4.tracks().values().find(|track| track.kind == Some(re_mp4::TrackKind::Video));
    let track = track.expect("it has pictures");
    let last = track.samples.last().expect("it has at least one picture");
    assert!(track.samples.iter().all(|sample| sample.offset + sample.size <= bytes.len() as u64));
    Video {
        duration: (last.composition_timestamp as f64 + last.duration as f64) / track.timescale as f64,
        width: track.width,
        height: track.height,
        frames: track.samples.len(),
    }
}

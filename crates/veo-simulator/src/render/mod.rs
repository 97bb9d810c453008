//! Makes the videos: real H.264 in real MP4 files, whose pictures follow from the prompt. The same clip always
//! gives the same bytes (on one machine; trigonometry may differ in the last bit between platforms), so a lost
//! file can be made again.

mod actors;
mod canvas;
mod lettering;
mod scene;
mod scenery;

use muxide::api::{MuxerBuilder, MuxerError, VideoCodec};
use openh264::encoder::{
    BitRate, Complexity, Encoder, EncoderConfig, FrameRate, FrameType, IntraFramePeriod, RateControlMode,
    VuiConfig,
};
use openh264::{OpenH264API, Timestamp};

use self::scene::Scene;

/// Frames a second, as Veo's own.
pub(crate) const FRAME_RATE: u32 = 24;

/// A key frame every two seconds lets a player seek without pain.
const KEY_FRAME_INTERVAL: u32 = 2 * FRAME_RATE;

/// What a video shows and how large and long it is. Two equal clips have equal bytes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Clip {
    /// The words that choose the scene and stand at its foot.
    pub(crate) words: String,
    /// Pixels across; even, at most 3840.
    pub(crate) width: u16,
    /// Pixels down; even, at most 3840.
    pub(crate) height: u16,
    /// Length in seconds.
    pub(crate) seconds: u16,
}

/// Why there is no video. If the encoder or the muxer refuses a size that the simulator accepts, that is a bug.
#[derive(Debug, thiserror::Error)]
pub(crate) enum RenderError {
    #[error("the encoder failed: {0}")]
    Encoder(#[from] openh264::Error),
    #[error("the muxer failed: {0}")]
    Muxer(#[from] MuxerError),
    #[error("the simulator is stopping")]
    Stopping,
}

/// Draws, encodes and muxes a clip. Takes a second or two of one core for eight seconds of 720p; `stopping` is
/// asked before every picture whether to give up.
pub(crate) fn render(clip: &Clip, stopping: impl Fn() -> bool) -> Result<Vec<u8>, RenderError> {
    let mut encoder = Encoder::with_api_config(OpenH264API::from_source(), settings())?;
    let mut file = Vec::new();
    let mut muxer = MuxerBuilder::new(&mut file)
        .video(VideoCodec::H264, clip.width.into(), clip.height.into(), FRAME_RATE.into())
        .with_fast_start(true)
        .build()?;

    let scene = Scene::new(clip);
    // Most of a picture never moves: it is drawn once and copied, which costs far less than drawing it again.
    let background = scene.background();
    let mut picture = background.clone();
    let mut packet = Vec::new();
    for number in 0..u32::from(clip.seconds) * FRAME_RATE {
        if stopping() {
            return Err(RenderError::Stopping);
        }
        let time = f64::from(number) / f64::from(FRAME_RATE);
        picture.copy_from(&background);
        scene.draw(&mut picture, time as f32);

        let encoded = encoder.encode_at(&picture, Timestamp::from_millis((time * 1000.0) as u64))?;
        packet.clear();
        encoded.write_vec(&mut packet);
        muxer.write_video(time, &packet, encoded.frame_type() == FrameType::IDR)?;
    }
    muxer.finish_in_place()?;
    drop(muxer);
    Ok(file)
}

/// A fixed quality and one thread: quick, and the same bytes on every run.
fn settings() -> EncoderConfig {
    EncoderConfig::new()
        .rate_control_mode(RateControlMode::Off)
        // Not a target (rate control is off), but the encoder checks that it is plausible.
        .bitrate(BitRate::from_bps(8_000_000))
        .max_frame_rate(FrameRate::from_hz(FRAME_RATE as f32))
        .intra_frame_period(IntraFramePeriod::from_num_frames(KEY_FRAME_INTERVAL))
        .complexity(Complexity::Low)
        .skip_frames(false)
        .scene_change_detect(false)
        .adaptive_quantization(false)
        .num_threads(1)
        .vui(VuiConfig::bt601())
}

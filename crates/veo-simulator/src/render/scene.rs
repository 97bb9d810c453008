//! Chooses from the words of a prompt what the video shows: the hour by words such as "dusk", the weather by
//! words such as "rainy", who travels through it, and everything else (hues, hills, places) by a hash of all
//! the words, so that two prompts hardly ever look alike and one prompt always looks the same.

use sha2::{Digest, Sha256};

use super::canvas::{Canvas, Colour, Point};
use super::{Clip, actors, scenery};

/// The hour of the day, which sets the palette.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Hour {
    Dawn,
    Day,
    Dusk,
    Night,
}

/// What falls from the sky.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Weather {
    Clear,
    Rain,
    Snow,
}

/// Who travels through the picture.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Traveller {
    Boat,
    Balloons,
    Lanterns,
}

/// The colours that belong together in one video.
#[derive(Debug, Clone, Copy)]
pub(super) struct Palette {
    pub(super) zenith: Colour,
    pub(super) horizon: Colour,
    pub(super) light: Colour,
    pub(super) ground: Colour,
    pub(super) accent: Colour,
    pub(super) contrast: Colour,
}

/// Everything that was decided about one video before its first picture is drawn.
#[derive(Debug)]
pub(super) struct Scene<'a> {
    pub(super) words: &'a str,
    pub(super) width: f32,
    pub(super) height: f32,
    pub(super) seconds: f32,
    /// The size of things: 1 where the shorter side has 720 pixels.
    pub(super) unit: f32,
    /// Where the sky ends, in pixels from the top.
    pub(super) shore: f32,
    /// The middle of the sun or moon.
    pub(super) sun: Point,
    pub(super) palette: Palette,
    pub(super) hour: Hour,
    pub(super) weather: Weather,
    pub(super) traveller: Traveller,
    /// A town stands on the shore.
    pub(super) town: bool,
    seed: u64,
}

impl<'a> Scene<'a> {
    pub(super) fn new(clip: &'a Clip) -> Self {
        let (width, height) = (f32::from(clip.width), f32::from(clip.height));
        let unit = width.min(height) / 720.0;
        let shore = height * 0.66;
        let digest = Sha256::digest(clip.words.as_bytes());
        let seed = digest.iter().take(8).fold(0, |seed, byte| seed << 8 | u64::from(*byte));
        let mut dice = Dice(seed);

        let words: Vec<String> =
            clip.words.split(|letter: char| !letter.is_alphanumeric()).map(str::to_lowercase).collect();
        let any_of = |wanted: &[&str]| words.iter().any(|word| wanted.contains(&word.as_str()));
        let hour = if any_of(&["night", "midnight", "moon", "moonlight", "moonlit", "stars", "starry"]) {
            Hour::Night
        } else if any_of(&["dusk", "sunset", "evening", "twilight"]) {
            Hour::Dusk
        } else if any_of(&["dawn", "sunrise", "morning"]) {
            Hour::Dawn
        } else if any_of(&["day", "daylight", "noon", "sunny", "summer", "afternoon"]) {
            Hour::Day
        } else {
            [Hour::Dawn, Hour::Day, Hour::Dusk, Hour::Night][dice.below(4)]
        };
        let weather = if any_of(&["rain", "rainy", "raining", "storm", "stormy", "drizzle", "wet"]) {
            Weather::Rain
        } else if any_of(&["snow", "snowy", "snowing", "winter", "blizzard"]) {
            Weather::Snow
        } else {
            Weather::Clear
        };
        let traveller = if any_of(&["boat", "boats", "ship", "ships", "sail", "sailing", "sailboat", "paper"])
        {
            Traveller::Boat
        } else if matches!(hour, Hour::Dusk | Hour::Night) {
            Traveller::Lanterns
        } else {
            Traveller::Balloons
        };
        let town = any_of(&["city", "street", "streets", "town", "skyline", "urban", "tokyo", "village"]);
        let palette = Palette::new(hour, &mut dice);
        let sun = Point::new(width * dice.between(0.22, 0.78), shore * dice.between(0.36, 0.62));

        Self {
            words: &clip.words,
            width,
            height,
            seconds: f32::from(clip.seconds),
            unit,
            shore,
            sun,
            palette,
            hour,
            weather,
            traveller,
            town,
            seed,
        }
    }

    /// What never moves.
    pub(super) fn background(&self) -> Canvas {
        let mut canvas = Canvas::new(self.width as usize, self.height as usize);
        scenery::draw(self, &mut canvas);
        canvas
    }

    /// What moves, as it is `time` seconds into the video, onto a copy of the background.
    pub(super) fn draw(&self, canvas: &mut Canvas, time: f32) {
        actors::draw(self, canvas, time);
    }

    /// Chances for one part of the scene: always the same for the same words and the same part.
    pub(super) fn dice(&self, part: u64) -> Dice {
        Dice(self.seed ^ part.wrapping_mul(0xA076_1D64_78BD_642F))
    }
}

impl Palette {
    fn new(hour: Hour, dice: &mut Dice) -> Self {
        let drift = dice.between(-0.05, 0.05);
        let accent_hue = dice.between(0.0, 1.0);
        let (zenith, horizon, light, ground) = match hour {
            Hour::Dawn => ((0.60, 0.42, 0.52), (0.07, 0.85, 0.80), (0.12, 0.95, 0.90), (0.66, 0.28, 0.24)),
            Hour::Day => ((0.58, 0.66, 0.50), (0.53, 0.62, 0.84), (0.14, 0.90, 0.93), (0.42, 0.34, 0.22)),
            Hour::Dusk => ((0.70, 0.46, 0.24), (0.04, 0.80, 0.64), (0.09, 0.95, 0.78), (0.74, 0.34, 0.13)),
            Hour::Night => ((0.65, 0.60, 0.07), (0.61, 0.46, 0.27), (0.14, 0.45, 0.90), (0.64, 0.46, 0.07)),
        };
        let tint =
            |(hue, saturation, lightness): (f32, f32, f32)| Colour::hsl(hue + drift, saturation, lightness);
        Self {
            zenith: tint(zenith),
            horizon: tint(horizon),
            light: Colour::hsl(light.0, light.1, light.2),
            ground: tint(ground),
            accent: Colour::hsl(accent_hue, 0.72, 0.58),
            contrast: Colour::hsl(accent_hue + 0.09, 0.80, 0.80),
        }
    }
}

/// A small generator of chances (SplitMix64): the pictures need variety and repeatability, nothing more.
#[derive(Debug)]
pub(super) struct Dice(u64);

impl Dice {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9E37_79B9_7F4A_7C15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xBF58_476D_1CE4_E5B9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94D0_49BB_1331_11EB);
        mixed ^ (mixed >> 31)
    }

    /// A number from `low` up to `high`.
    pub(super) fn between(&mut self, low: f32, high: f32) -> f32 {
        low + (high - low) * ((self.next() >> 40) as f32 / (1u64 << 24) as f32)
    }

    /// A whole number below `count`.
    pub(super) fn below(&mut self, count: usize) -> usize {
        (self.next() % count as u64) as usize
    }
}

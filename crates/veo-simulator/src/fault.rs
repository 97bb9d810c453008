//! What can go wrong on demand, and how a prompt or a setting asks for it. Pure.

use std::time::Duration;

use clap::ValueEnum;
use jiff::SignedDuration;
use serde::{Deserialize, Serialize};

/// One way in which a provider lets its client down. Its name on the command line, in a prompt (`[sim:NAME]`)
/// and in the journal is the same.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, ValueEnum, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[value(rename_all = "lowercase")]
pub enum Fault {
    /// The operation ends with an error
    Fail,
    /// The operation ends without a video because a safety filter took it
    Filtered,
    /// The first video of a prompt is held back for its sound and not charged; the next one passes
    Audio,
    /// The first submission of a prompt is refused with 429 and a RetryInfo; the next is accepted
    #[serde(rename = "429")]
    #[value(name = "429")]
    RateLimited,
    /// Submissions are answered by 500
    #[serde(rename = "500")]
    #[value(name = "500")]
    ServerError,
    /// Submissions are not accepted and never answered
    Hang,
    /// The first submission of a prompt is accepted, but the answer is never sent
    Lost,
    /// Submissions are accepted, and the answer does not name the operation
    Nameless,
    /// The operation never ends
    Never,
    /// The operation ends without a video, and says neither that it failed nor that a filter took it
    Empty,
    /// The video's second half is missing
    Truncated,
    /// The download gives a web page, with status 200
    Html,
    /// The download takes about ten seconds
    Slow,
    /// The video comes inside of the answer, though a link was asked for (Interactions)
    Inline,
    /// The finished video's file is not ready for a second (Interactions)
    Processing,
    /// The webhook that was asked for is never sent
    Silent,
    /// The webhook that was asked for is sent three times
    Echo,
}

/// How one request will be treated.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Behaviour {
    pub(crate) faults: Vec<Fault>,
    /// How long the operation takes at least.
    pub(crate) latency: Duration,
}

/// A `[sim:…]` that means nothing: most likely a misspelt test, which should not pass by luck.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("the simulator knows no [sim:{0}]")]
pub(crate) struct UnknownMarker(String);

impl Behaviour {
    /// What this prompt asks for, on top of what the settings ask for every request.
    pub(crate) fn of(prompt: &str, faults: &[Fault], latency: Duration) -> Result<Self, UnknownMarker> {
        let mut behaviour = Self { faults: faults.to_vec(), latency };
        for piece in pieces(prompt) {
            let Piece::Marker(marker) = piece else { continue };
            let unknown = || UnknownMarker(marker.to_owned());
            if let Some(latency) = marker.strip_prefix("latency=") {
                behaviour.latency = parse_duration(latency).map_err(|_| unknown())?;
            } else {
                let fault = Fault::from_str(marker, false).map_err(|_| unknown())?;
                behaviour.faults.push(fault);
            }
        }
        Ok(behaviour)
    }

    pub(crate) fn has(&self, fault: Fault) -> bool {
        self.faults.contains(&fault)
    }
}

/// The prompt without its markers: what the pictures are about.
pub(crate) fn without_markers(prompt: &str) -> String {
    let words = pieces(prompt).filter_map(|piece| match piece {
        Piece::Words(words) => Some(words.trim()),
        Piece::Marker(_) => None,
    });
    words.filter(|words| !words.is_empty()).collect::<Vec<_>>().join(" ")
}

/// A length of time as people write it: `30s`, `500ms`, `1m 30s`, `0s`.
pub(crate) fn parse_duration(text: &str) -> Result<Duration, String> {
    let duration: SignedDuration =
        text.parse().map_err(|_| format!("\"{text}\" is no duration such as 4s"))?;
    Duration::try_from(duration).map_err(|_| "it is negative".to_owned())
}

enum Piece<'a> {
    Words(&'a str),
    /// What stands between `[sim:` and `]`.
    Marker(&'a str),
}

fn pieces(prompt: &str) -> impl Iterator<Item = Piece<'_>> {
    let mut rest = prompt;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        if let Some((marker, after)) = rest.strip_prefix("[sim:").and_then(|inside| inside.split_once(']')) {
            rest = after;
            return Some(Piece::Marker(marker));
        }
        // An opening without an end is words like any other, so the search starts behind its first letter.
        let start = rest.chars().next().map_or(0, char::len_utf8);
        let end = rest[start..].find("[sim:").map_or(rest.len(), |at| start + at);
        let (words, after) = rest.split_at(end);
        rest = after;
        Some(Piece::Words(words))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const LATENCY: Duration = Duration::from_secs(4);

    #[test]
    fn a_prompt_without_markers_follows_the_settings() {
        let behaviour = Behaviour::of("a boat [at sea]", &[Fault::Slow], LATENCY).unwrap();
        assert_eq!(behaviour, Behaviour { faults: vec![Fault::Slow], latency: LATENCY });
        assert_eq!(without_markers("a boat [at sea]"), "a boat [at sea]");
    }

    #[test]
    fn markers_add_up_and_vanish_from_the_words() {
        let prompt = "[sim:429] a boat [sim:latency=500ms]at sea[sim:truncated]";
        let behaviour = Behaviour::of(prompt, &[], LATENCY).unwrap();
        assert_eq!(behaviour.faults, [Fault::RateLimited, Fault::Truncated]);
        assert_eq!(behaviour.latency, Duration::from_millis(500));
        assert_eq!(without_markers(prompt), "a boat at sea");
    }

    #[test]
    fn a_misspelt_marker_is_refused_and_an_unfinished_one_is_words() {
        let of = |prompt| Behaviour::of(prompt, &[], LATENCY);
        assert_eq!(of("[sim:fial]"), Err(UnknownMarker("fial".to_owned())));
        assert_eq!(of("[sim:latency=soon]"), Err(UnknownMarker("latency=soon".to_owned())));
        assert_eq!(of("[sim:latency=-1s]"), Err(UnknownMarker("latency=-1s".to_owned())));
        assert_eq!(of("[sim:fail").unwrap().faults, []);
        assert_eq!(without_markers("[sim:fail"), "[sim:fail");
    }

    #[test]
    fn a_fault_has_one_name_everywhere() {
        for fault in Fault::value_variants() {
            let name = fault.to_possible_value().unwrap().get_name().to_owned();
            assert_eq!(serde_json::to_value(fault).unwrap(), name);
            assert_eq!(Behaviour::of(&format!("[sim:{name}]"), &[], LATENCY).unwrap().faults, [*fault]);
        }
    }
}

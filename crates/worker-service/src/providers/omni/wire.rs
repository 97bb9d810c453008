//! The words of the Interactions API, in and out. Pure.

use serde::Deserialize;
use serde_json::{Map, Value, json};
use url::Url;

use super::super::{
    Polled, Source, Submission,
    google::{self, RpcError},
    images, inline,
};
/// The body of a submission. What a job leaves open is left to the model's defaults.
#[must_use]
pub fn request(model: &str, submission: &Submission) -> Value {
    let wanted = &submission.parameters;
    let mut format = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            format.insert(name.to_owned(), value);
        }
    };
    set("type", Some("video".into()));
    set("duration", wanted.duration.map(|seconds| format!("{seconds}s").into()));
    set("aspect_ratio", wanted.aspect_ratio.clone().map(Value::from));
    set("resolution", wanted.resolution.clone().map(Value::from));
    set("delivery", Some("uri".into()));
    json!({
        "model": model,
        "input": images::of_interaction(google::prompt(submission), &submission.images),
        "response_format": format,
        "background": true,
        "store": true,
    })
}

/// The interaction that an accepted submission names.
#[must_use]
pub fn interaction(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Accepted {
        id: String,
    }
    let Accepted { id } = google::object(body)?;
    google::is_plain(&id).then_some(id)
}

#[derive(Deserialize)]
struct Interaction {
    status: String,
    #[serde(default)]
    steps: Vec<Step>,
    error: Option<RpcError>,
    #[serde(default)]
    errors: Vec<RpcError>,
}

#[derive(Deserialize)]
struct Step {
    #[serde(rename = "type")]
    kind: Option<String>,
    #[serde(default)]
    content: Value,
    error: Option<RpcError>,
}

/// A part of a step's content; what is none is passed over.
#[derive(Deserialize)]
struct Part {
    #[serde(rename = "type")]
    kind: String,
    uri: Option<String>,
    data: Option<String>,
    text: Option<String>,
}

/// What an answer to a poll says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Found {
    /// All that there is to know.
    Told(Polled),
    /// The video is a file, which may not be ready yet.
    File {
        /// The file's id.
        id: String,
        /// Where the video will be.
        source: Source,
    },
}

impl From<Polled> for Found {
    fn from(polled: Polled) -> Self {
        Self::Told(polled)
    }
}

/// Reads an answer to a poll, without the content of its long strings.
#[must_use]
pub fn polled(body: &[u8], base: &Url) -> Found {
    let Some(interaction) = google::object::<Interaction>(body) else {
        return unclear("an answer that makes no sense");
    };
    Found::Told(match interaction.status.as_str() {
        "queued" | "in_progress" => Polled::Pending { progress: None },
        "completed" => return completed(&interaction, base),
        // Only of these does the provider say that it made nothing, so only after these is it asked again (I17).
        "failed" => Polled::Failed(why(&interaction).cloned().unwrap_or_default().failure()),
        "budget_exceeded" => Polled::Failed(google::spent()),
        // It stopped midway, or waits for a word that nobody says: it may have been charged.
        "cancelled" | "incomplete" | "requires_action" => google::stopped(why(&interaction)),
        _ => return unclear("a status that is not known here"),
    })
}

fn unclear(reason: &str) -> Found {
    Found::Told(Polled::Unclear { reason: reason.to_owned(), wait: None })
}

fn completed(interaction: &Interaction, base: &Url) -> Found {
    let (mut has_words, mut has_video) = (false, false);
    for (index, step) in interaction.steps.iter().enumerate() {
        if step.kind.as_deref() != Some("model_output") {
            continue;
        }
        for (place, part) in step.content.as_array().into_iter().flatten().enumerate() {
            let Ok(part) = Part::deserialize(part) else { continue };
            if part.kind == "text" {
                has_words |= part.text.is_some_and(|text| !text.trim().is_empty());
            } else if part.kind == "video" {
                has_video = true;
                if let Some(found) = part.uri.as_deref().and_then(|uri| by_uri(uri, base)) {
                    return found;
                }
                if part.data.is_some_and(|data| !data.is_empty()) {
                    let (index, place) = (index.to_string(), place.to_string());
                    let place = inline::pointer(&["steps", &index, "content", &place, "data"]);
                    return Found::Told(Polled::Finished(Source::Inline(place)));
                }
            }
        }
    }
    let why = why(interaction);
    // Words in place of a video, and of any error, are a refusal to make it. That is what a filter does, whoever puts
    // it into words: the user does not pay for it, and it is not asked for again (I17).
    Found::Told(if has_words && !has_video && why.is_none() {
        Polled::Failed(google::filtered(&[]))
    } else {
        google::stopped(why)
    })
}

fn by_uri(uri: &str, base: &Url) -> Option<Found> {
    let source = google::source(uri, base)?;
    Some(match google::file(uri) {
        Some(id) => Found::File { id, source },
        None => Found::Told(Polled::Finished(source)),
    })
}

/// Why nothing came of it, if the provider says so.
fn why(interaction: &Interaction) -> Option<&RpcError> {
    let own = interaction.error.iter().chain(&interaction.errors);
    own.chain(interaction.steps.iter().filter_map(|step| step.error.as_ref())).next()
}

/// What an answer says about the video's file.
#[must_use]
pub fn file(body: &[u8], source: Source) -> Polled {
    #[derive(Deserialize)]
    struct File {
        state: String,
    }
    match google::object::<File>(body).map(|file| file.state).as_deref() {
        Some("ACTIVE") => Polled::Finished(source),
        Some("PROCESSING" | "STATE_UNSPECIFIED") => Polled::Pending { progress: None },
        // The video was made, and charged.
        Some("FAILED") => Polled::Lost(google::lost()),
        _ => Polled::Unclear { reason: "a file in a state that is not known here".to_owned(), wait: None },
    }
}

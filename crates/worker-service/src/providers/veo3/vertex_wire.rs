//! The words of Veo on Vertex, in and out, as far as they are not those of the Gemini API's shape. Pure.

use serde::Deserialize;
use serde_json::{Value, json};
use url::Url;

use super::{
    super::{Polled, Source, Submission, google, inline},
    wire,
};

/// The body of a submission. What a job leaves open is left to the model's defaults. Without `storage`, the video
/// comes inside of the answer.
#[must_use]
pub fn request(submission: &Submission, storage: Option<&str>) -> Value {
    let wanted = &submission.parameters;
    let mut body = wire::request(submission);
    let more = [
        ("seed", wanted.seed.map(Value::from)),
        ("generateAudio", wanted.audio.map(Value::from)),
        ("storageUri", storage.map(Value::from)),
    ];
    for (name, value) in more {
        if let Some(value) = value {
            body["parameters"][name] = value;
        }
    }
    body
}

/// The operation that an accepted submission names.
#[must_use]
pub fn operation(body: &[u8]) -> Option<String> {
    wire::named(body).filter(|name| model_of(name).is_some())
}

/// The path of an operation's model, which is what is asked how the operation stands:
/// `projects/P/locations/L/publishers/google/models/M` of `…/operations/ID`.
#[must_use]
pub fn model_of(operation: &str) -> Option<&str> {
    match operation.split('/').collect::<Vec<_>>()[..] {
        [
            "projects",
            project,
            "locations",
            location,
            "publishers",
            "google",
            "models",
            model,
            "operations",
            id,
        ] if [project, location, model, id].iter().all(|name| google::is_plain(name)) => {
            operation.rsplit_once("/operations/").map(|(model, _)| model)
        }
        _ => None,
    }
}

/// The question how an operation stands.
#[must_use]
pub fn fetch(operation: &str) -> Value {
    json!({ "operationName": operation })
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Response {
    videos: Vec<Video>,
    rai_media_filtered_count: u32,
    rai_media_filtered_reasons: Vec<String>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Video {
    gcs_uri: Option<String>,
    bytes_base64_encoded: Option<String>,
}

/// What an answer to a poll says, without the content of its long strings. Objects of Cloud Storage are asked of
/// `storage`.
#[must_use]
pub fn polled(body: &[u8], storage: &Url) -> Polled {
    let response = match wire::response::<Response>(body) {
        Ok(response) => response.unwrap_or_default(),
        Err(polled) => return polled,
    };
    let source = response.videos.first().and_then(|video| {
        let inline = || {
            let has_bytes = video.bytes_base64_encoded.as_ref().is_some_and(|bytes| !bytes.is_empty());
            let place = ["response", "videos", "0", "bytesBase64Encoded"];
            has_bytes.then(|| Source::Inline(inline::pointer(&place)))
        };
        video.gcs_uri.as_deref().and_then(|uri| object(uri, storage)).or_else(inline)
    });
    wire::ended(source, response.rai_media_filtered_count, &response.rai_media_filtered_reasons)
}

/// Where the storage's JSON API has an object: `gs://bucket/name`.
fn object(uri: &str, storage: &Url) -> Option<Source> {
    let (bucket, name) = uri.strip_prefix("gs://")?.split_once('/')?;
    if !google::is_plain(bucket) || name.is_empty() {
        return None;
    }
    let mut url = storage.clone();
    // The slashes of a name are part of it, so it is one step of the path.
    url.path_segments_mut().ok()?.pop_if_empty().extend(["storage", "v1", "b", bucket, "o", name]);
    url.set_query(Some("alt=media"));
    Some(Source::Url(url))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_an_operations_name_is_one() {
        let model = "projects/my-project/locations/us-central1/publishers/google/models/veo-3.1-generate-001";
        assert_eq!(model_of(&format!("{model}/operations/abc")), Some(model));
        for name in [
            "models/m/operations/o".to_owned(),
            model.to_owned(),
            format!("{model}/operations/"),
            format!("{model}/operations/../x"),
            format!("{model}/operations/a?b"),
        ] {
            assert_eq!(model_of(&name), None, "{name}");
        }
    }

    #[test]
    fn an_object_is_asked_of_the_storage_whatever_its_name() {
        let storage: Url = "https://storage.example".parse().unwrap();
        let place = |uri: &str| match object(uri, &storage) {
            Some(Source::Url(url)) => Some(url.to_string()),
            _ => None,
        };
        let expected = "https://storage.example/storage/v1/b/bucket/o/folder%2F1%2Fsample_0.mp4?alt=media";
        assert_eq!(place("gs://bucket/folder/1/sample_0.mp4").as_deref(), Some(expected));
        assert_eq!(
            place("gs://bucket/../../a?b#c").as_deref(),
            Some("https://storage.example/storage/v1/b/bucket/o/..%2F..%2Fa%3Fb%23c?alt=media")
        );
        for uri in ["https://evil.example/v.mp4", "gs://bucket", "gs://bucket/", "gs:///name", "gs://a b/c"] {
            assert_eq!(place(uri), None, "{uri}");
        }
    }
}

//! The words of Veo in the Gemini API's shape, in and out. Pure.

use serde::{
    Deserialize,
    de::{DeserializeOwned, IgnoredAny},
};
use serde_json::{Map, Value, json};
use url::Url;

use super::super::{
    Polled, Source, Submission,
    google::{self, RpcError},
    images,
};

/// The body of a submission. What a job leaves open is left to the model's defaults.
#[must_use]
pub fn request(submission: &Submission) -> Value {
    let wanted = &submission.parameters;
    let mut parameters = Map::new();
    let mut set = |name: &str, value: Option<Value>| {
        if let Some(value) = value {
            parameters.insert(name.to_owned(), value);
        }
    };
    set("sampleCount", Some(1.into()));
    set("durationSeconds", wanted.duration.map(Value::from));
    set("aspectRatio", wanted.aspect_ratio.clone().map(Value::from));
    set("resolution", wanted.resolution.clone().map(Value::from));
    set("negativePrompt", wanted.negative_prompt.clone().map(Value::from));
    let mut instance = images::of_instance(&submission.images);
    instance.insert("prompt".to_owned(), google::prompt(submission).into());
    json!({ "instances": [instance], "parameters": parameters })
}

/// The operation that an accepted submission names: `models/{model}/operations/{id}`.
#[must_use]
pub fn operation(body: &[u8]) -> Option<String> {
    named(body).filter(|name| is_operation(name))
}

/// The name in the answer to a submission.
pub(super) fn named(body: &[u8]) -> Option<String> {
    #[derive(Deserialize)]
    struct Accepted {
        name: String,
    }
    google::object(body).map(|Accepted { name }| name)
}

/// Whether a name is one of this API's operations: of one that was begun by another way there is nothing to ask.
#[must_use]
pub fn is_operation(name: &str) -> bool {
    match name.split('/').collect::<Vec<_>>()[..] {
        ["models", model, "operations", id] => google::is_plain(model) && google::is_plain(id),
        _ => false,
    }
}

/// The response of an operation that is done; otherwise, what the answer to a poll says.
pub(super) fn response<R: DeserializeOwned>(body: &[u8]) -> Result<Option<R>, Polled> {
    #[derive(Deserialize)]
    struct Operation<R> {
        name: Option<IgnoredAny>,
        #[serde(default)]
        done: bool,
        error: Option<RpcError>,
        response: Option<R>,
    }
    let unclear = |reason: &str| Err(Polled::Unclear { reason: reason.to_owned(), wait: None });
    let Some(operation) = google::object::<Operation<R>>(body) else {
        return unclear("an answer that makes no sense");
    };
    match operation {
        // Somebody else may have said it. Taken for the operation's, it would have the video made, and charged, again.
        Operation { name: None, done: false, error: Some(_), .. } => unclear("an error of no operation"),
        Operation { error: Some(error), .. } => Err(Polled::Failed(error.failure())),
        Operation { done: false, .. } => Err(Polled::Pending { progress: None }),
        Operation { response, .. } => Ok(response),
    }
}

/// What an operation that is done has come to: a video, or what a filter left of it.
pub(super) fn ended(source: Option<Source>, filtered_count: u32, filtered_reasons: &[String]) -> Polled {
    match source {
        Some(source) => Polled::Finished(source),
        // Filtered looks like a success without videos.
        None if filtered_count > 0 || !filtered_reasons.is_empty() => {
            let reasons: Vec<_> = filtered_reasons.iter().map(String::as_str).collect();
            Polled::Failed(google::filtered(&reasons))
        }
        // It was not reported as failed, so it may have been charged: another submission would be charged again (I17).
        None => Polled::Lost(google::lost()),
    }
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct PolledResponse {
    generate_video_response: Option<Videos>,
}

#[derive(Default, Deserialize)]
#[serde(rename_all = "camelCase", default)]
struct Videos {
    generated_samples: Vec<Sample>,
    rai_media_filtered_count: u32,
    rai_media_filtered_reasons: Vec<String>,
}

#[derive(Deserialize)]
struct Sample {
    video: Video,
}

#[derive(Deserialize)]
struct Video {
    uri: String,
}

/// What an answer to a poll says.
#[must_use]
pub fn polled(body: &[u8], base: &Url) -> Polled {
    let response = match response::<PolledResponse>(body) {
        Ok(response) => response,
        Err(polled) => return polled,
    };
    let videos = response.and_then(|response| response.generate_video_response).unwrap_or_default();
    let uri = videos.generated_samples.first().map(|sample| sample.video.uri.as_str());
    let source = uri.and_then(|uri| google::source(uri, base));
    ended(source, videos.rai_media_filtered_count, &videos.rai_media_filtered_reasons)
}

#[cfg(test)]
mod tests {
    use contract::{ErrorCode, JobId, Parameters};

    use super::*;
    use crate::{jobs::state::Retry, providers::Source};

    fn submission(prompt: &str, parameters: Parameters) -> Submission {
        let (prompt, model) = (prompt.to_owned(), "veo-3.1-generate-001".to_owned());
        Submission { job_id: JobId::new(), attempt: 1, model, prompt, parameters, images: Vec::new() }
    }

    fn base() -> Url {
        "http://127.0.0.1:8082".parse().unwrap()
    }

    fn poll(body: &Value) -> Polled {
        polled(body.to_string().as_bytes(), &base())
    }

    fn finished(videos: &Value) -> Value {
        json!({"name": "models/m/operations/o", "done": true, "response": {"generateVideoResponse": videos}})
    }

    #[test]
    fn what_is_left_open_is_left_to_the_model() {
        let body = request(&submission("a boat", Parameters::default()));
        assert_eq!(body, json!({"instances": [{"prompt": "a boat"}], "parameters": {"sampleCount": 1}}));
    }

    #[test]
    fn a_request_has_the_apis_names() {
        let parameters = Parameters {
            duration: Some(8),
            aspect_ratio: Some("9:16".to_owned()),
            resolution: Some("1080p".to_owned()),
            style: Some("watercolour".to_owned()),
            negative_prompt: Some("people".to_owned()),
            audio: Some(true),
            seed: None,
            images: Vec::new(),
        };
        let body = request(&submission("A boat.", parameters.clone()));
        let expected = json!({
            "instances": [{"prompt": "A boat. Style: watercolour."}],
            "parameters": {
                "sampleCount": 1, "durationSeconds": 8, "aspectRatio": "9:16", "resolution": "1080p",
                "negativePrompt": "people",
            },
        });
        assert_eq!(body, expected);
        let body = request(&submission("A Watercolour boat", parameters));
        assert_eq!(body["instances"][0]["prompt"], "A Watercolour boat");
    }

    #[test]
    fn only_an_operations_name_is_one() {
        let named = |name: &str| operation(json!({ "name": name }).to_string().as_bytes());
        let name = "models/veo-3.1-generate-001/operations/abc123";
        assert_eq!(named(name).as_deref(), Some(name));
        for name in [
            "",
            "operations/a",
            "models/m/operations/",
            "models/m/operations/../../x",
            "models/m/operations/a?b",
        ] {
            assert_eq!(named(name), None, "{name}");
        }
        assert_eq!(operation(b"<html>"), None);
        assert_eq!(operation(json!([name]).to_string().as_bytes()), None);
    }

    #[test]
    fn polls_are_read_as_the_api_means_them() {
        assert_eq!(poll(&json!({"name": "x"})), Polled::Pending { progress: None });
        let failed = poll(&json!({"done": true, "error": {"code": 13, "message": "internal"}}));
        let Polled::Failed(failure) = failed else { panic!("{failed:?}") };
        assert_eq!((failure.error.code, failure.retry), (ErrorCode::ProviderError, Retry::OnSchedule));
        let filtered =
            json!({"raiMediaFilteredCount": 1, "raiMediaFilteredReasons": ["… Support codes: 62263041"]});
        let Polled::Failed(failure) = poll(&finished(&filtered)) else { panic!("not filtered") };
        assert_eq!((failure.error.code, failure.retry), (ErrorCode::ContentFiltered, Retry::Never));
        for nothing in [json!({"generatedSamples": []}), json!({}), Value::Null] {
            assert_eq!(poll(&finished(&nothing)), Polled::Lost(google::lost()), "{nothing}");
        }
        assert!(matches!(polled(b"<html>", &base()), Polled::Unclear { .. }));
        // An error is the operation's if it says so: it is done, or named.
        let error = json!({"code": 13, "message": "internal"});
        assert!(matches!(poll(&json!({"error": error})), Polled::Unclear { .. }));
        assert!(matches!(poll(&json!({"name": null, "error": error})), Polled::Unclear { .. }));
        assert!(matches!(poll(&json!({"name": "x", "error": error})), Polled::Failed(_)));
        assert!(matches!(poll(&json!([true, {"code": 13}, null])), Polled::Unclear { .. }));
    }

    #[test]
    fn a_file_is_asked_of_the_base_whatever_host_names_it() {
        let place = |uri: &str| match poll(&finished(&json!({"generatedSamples": [{"video": {"uri": uri}}]})))
        {
            Polled::Finished(Source::Url(url)) => url.to_string(),
            other => format!("{other:?}"),
        };
        let expected = "http://127.0.0.1:8082/v1beta/files/abc123:download?alt=media";
        let google = "https://generativelanguage.googleapis.com/v1beta/files/abc123:download?alt=media";
        assert_eq!(place(google), expected);
        assert_eq!(place("https://evil.example/v1beta/files/abc123"), expected);
        assert_eq!(place("https://storage.example/video.mp4"), "https://storage.example/video.mp4");
    }
}

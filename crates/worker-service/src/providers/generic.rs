//! Any video API that takes a request, gives it an id, is asked by it until the video is there, and hands the
//! video out: settings say how its paths, words and answers look. By default these are the ones that OpenAI's
//! Videos API has made known; docs/PROVIDERS.md has settings for Replicate's.
//!
//! It is also the pattern of a provider: this one file, and its line in the catalogue. Beside it lies only how refusals
//! are read, since it knows none in particular.

mod refused;

use std::{path::Path, time::Duration};

use async_trait::async_trait;
use foundation::settings::{Live, Setting, SettingError};
use reqwest::{
    Method, RequestBuilder,
    header::{HeaderName, HeaderValue},
};
use serde_json::{Map, Value};
use url::Url;

use super::{
    ApiKey, Cancelled, Hook, Operation, Polled, Provider, ProviderSettings, Source, Submission, Submitted,
    caller::Caller,
    google::{self, Refusal, RpcError},
};
use crate::media::{DownloadError, Downloaded};

/// The name in commands and settings.
pub const NAME: &str = "generic";

foundation::settings! {
    /// How the API is reached and what it looks like. `{id}` in a path is the id that the API has given; a pointer
    /// is a JSON pointer (RFC 6901) into an answer.
    pub struct Settings {
        /// Where the API is served.
        pub base_url: Url = required("GENERIC_BASE_URL"),
        /// The API key; it is sent to the base URL's host and nowhere else.
        pub api_key: Live<ApiKey> = live("GENERIC_API_KEY"),
        /// The header that lets us in, `{key}` being the API key.
        pub auth: AuthHeader = or_default("GENERIC_AUTH", "authorization: Bearer {key}"),
        /// The model to ask for in place of the one that a job names.
        pub model: Option<String> = optional("GENERIC_MODEL"),
        /// How long a video usually takes, for progress and estimates, until some were seen.
        pub usual_latency: Duration = or_default("GENERIC_USUAL_LATENCY", "60s"),
        /// Where a video is asked for, by POST.
        pub create_path: String = or_default("GENERIC_CREATE_PATH", "/v1/videos"),
        /// What is sent there: JSON with `{model}`, `{prompt}`, `{duration}` (a number) or `{seconds}` (a text),
        /// `{aspectRatio}`, `{resolution}`, `{width}`, `{height}`, `{negativePrompt}`, `{seed}` and `{audio}` in its
        /// strings, and `{webhook}` for where it is to tell when the video is done. A member whose value is left open
        /// by the job or the settings is left out.
        pub create_body: Template = or_default(
            "GENERIC_CREATE_BODY",
            "{\"model\":\"{model}\",\"prompt\":\"{prompt}\",\"seconds\":\"{seconds}\",\"size\":\"{width}x{height}\"}"
        ),
        /// Where a video is asked after, by GET.
        pub poll_path: String = or_default("GENERIC_POLL_PATH", "/v1/videos/{id}"),
        /// Where a video is fetched; without it, from the URL in the answer.
        pub download_path: Option<String> = optional("GENERIC_DOWNLOAD_PATH"),
        /// Where a video is cancelled, by POST; without it, it is not.
        pub cancel_path: Option<String> = optional("GENERIC_CANCEL_PATH"),
        /// The pointer to the id in the first answer.
        pub id: String = or_default("GENERIC_ID", "/id"),
        /// The pointer to the status.
        pub status: String = or_default("GENERIC_STATUS", "/status"),
        /// The pointer to the progress in per cent.
        pub progress: String = or_default("GENERIC_PROGRESS", "/progress"),
        /// The pointer to the video's URL, where no download path is given.
        pub url: String = or_default("GENERIC_URL", "/output"),
        /// The pointer to what went wrong.
        pub error: String = or_default("GENERIC_ERROR", "/error"),
        /// The statuses of a video that is there.
        pub done: Vec<String> = or_default("GENERIC_DONE", "completed,succeeded"),
        /// The statuses of a video that failed, and is not charged.
        pub failed: Vec<String> = or_default("GENERIC_FAILED", "failed"),
        /// The statuses of one that came to nothing otherwise, and may be charged: it is never asked for again.
        pub stopped: Vec<String> = or_default("GENERIC_STOPPED", "canceled,cancelled,expired,incomplete"),
    }
}

/// A header with a place for the API key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AuthHeader {
    name: HeaderName,
    prefix: String,
}

impl Setting for AuthHeader {
    fn parse(text: &str) -> Result<Self, String> {
        let form = || "must be a header such as x-api-key: {key}".to_owned();
        let (name, value) = text.split_once(':').ok_or_else(form)?;
        let prefix = value.trim().strip_suffix("{key}").ok_or_else(form)?.to_owned();
        HeaderValue::from_str(&prefix).map_err(|_| form())?;
        Ok(Self { name: name.trim().parse().map_err(|_| form())?, prefix })
    }
}

/// A JSON object with places in its strings.
#[derive(Clone, Debug, PartialEq)]
pub struct Template(Value);

impl Setting for Template {
    fn parse(text: &str) -> Result<Self, String> {
        match serde_json::from_str(text) {
            Ok(value @ Value::Object(_)) => Ok(Self(value)),
            _ => Err("must be a JSON object".to_owned()),
        }
    }
}

impl Template {
    /// The object with its places filled; what cannot be filled is left out.
    fn fill(&self, values: &Map<String, Value>) -> Value {
        fill(&self.0, values).unwrap_or_default()
    }

    /// Whether this place stands somewhere in it.
    fn has_place(&self, place: &str) -> bool {
        fn stands_in(value: &Value, place: &str) -> bool {
            match value {
                Value::Object(members) => members.values().any(|value| stands_in(value, place)),
                Value::Array(items) => items.iter().any(|value| stands_in(value, place)),
                Value::String(text) => text.contains(place),
                _ => false,
            }
        }
        stands_in(&self.0, place)
    }
}

fn fill(template: &Value, values: &Map<String, Value>) -> Option<Value> {
    match template {
        Value::Object(members) => {
            let filled =
                members.iter().filter_map(|(name, value)| Some((name.clone(), fill(value, values)?)));
            Some(Value::Object(filled.collect()))
        }
        Value::Array(items) => Some(items.iter().filter_map(|item| fill(item, values)).collect()),
        Value::String(text) => fill_text(text, values),
        other => Some(other.clone()),
    }
}

/// A text that is one place and no more becomes the value as it is, a number for example.
fn fill_text(text: &str, values: &Map<String, Value>) -> Option<Value> {
    let alone = text.strip_prefix('{').and_then(|rest| rest.strip_suffix('}'));
    if let Some(name) = alone.filter(|name| PLACES.contains(name)) {
        return values.get(name).cloned();
    }
    // From left to right, so that a place in the user's words stays what it is.
    let (mut filled, mut rest) = (String::new(), text);
    while let Some(start) = rest.find('{') {
        let (before, place) = rest.split_at(start);
        filled.push_str(before);
        let found = PLACES
            .iter()
            .find(|name| place[1..].strip_prefix(**name).is_some_and(|after| after.starts_with('}')));
        if let Some(name) = found {
            match values.get(*name)? {
                Value::String(value) => filled.push_str(value),
                other => filled.push_str(&other.to_string()),
            }
            rest = &place[name.len() + 2..];
        } else {
            filled.push('{');
            rest = &place[1..];
        }
    }
    filled.push_str(rest);
    Some(Value::String(filled))
}

/// What may stand between braces.
const PLACES: &[&str] = &[
    "model",
    "prompt",
    "duration",
    "seconds",
    "aspectRatio",
    "resolution",
    "width",
    "height",
    "negativePrompt",
    "seed",
    "audio",
    "webhook",
];

fn values(model: &str, submission: &Submission, hook: Option<&Hook>) -> Map<String, Value> {
    let wanted = &submission.parameters;
    let size = size(wanted.resolution.as_deref(), wanted.aspect_ratio.as_deref());
    let all = [
        ("model", Some(Value::from(model))),
        ("prompt", Some(google::prompt(submission).into())),
        ("duration", wanted.duration.map(Value::from)),
        ("seconds", wanted.duration.map(|seconds| seconds.to_string().into())),
        ("aspectRatio", wanted.aspect_ratio.clone().map(Value::from)),
        ("resolution", wanted.resolution.clone().map(Value::from)),
        ("width", size.map(|(width, _)| width.into())),
        ("height", size.map(|(_, height)| height.into())),
        ("negativePrompt", wanted.negative_prompt.clone().map(Value::from)),
        ("seed", wanted.seed.map(Value::from)),
        ("audio", wanted.audio.map(Value::from)),
        ("webhook", hook.map(|hook| hook.url().as_str().into())),
    ];
    all.into_iter().filter_map(|(name, value)| Some((name.to_owned(), value?))).collect()
}

/// Width and height in pixels, if both resolution and aspect ratio say so.
fn size(resolution: Option<&str>, aspect_ratio: Option<&str>) -> Option<(u32, u32)> {
    let short: u32 = match resolution? {
        "4k" => 2160,
        lines => lines.strip_suffix('p')?.parse().ok()?,
    };
    let (across, down) = aspect_ratio?.split_once(':')?;
    let (across, down): (u32, u32) = (across.parse().ok()?, down.parse().ok()?);
    let long = short.checked_mul(across.max(down))?.checked_div(across.min(down))?;
    // Encoders want even numbers.
    let long = long.next_multiple_of(2);
    Some(if across >= down { (long, short) } else { (short, long) })
}

/// The client of such an API. Belongs to the runtime that first uses it.
#[derive(Debug)]
pub struct Generic {
    settings: Settings,
    /// There only if the body has a place for its address.
    hook: Option<Hook>,
    caller: Caller,
}

impl Generic {
    /// A client after these settings. Speaks to nobody yet. Needs rustls's default provider to be installed.
    pub fn new(
        settings: Settings,
        hook: Option<Hook>,
        common: &ProviderSettings,
    ) -> Result<Self, SettingError> {
        let Settings { create_path, poll_path, download_path, cancel_path, .. } = &settings;
        let paths = [
            ("GENERIC_CREATE_PATH", Some(create_path), false),
            ("GENERIC_POLL_PATH", Some(poll_path), true),
            ("GENERIC_DOWNLOAD_PATH", download_path.as_ref(), true),
            ("GENERIC_CANCEL_PATH", cancel_path.as_ref(), true),
        ];
        for (name, path, has_id) in paths {
            if path.is_some_and(|path| !path.starts_with('/') || path.contains("{id}") != has_id) {
                let reason = if has_id { "must be a path with {id}" } else { "must be a path" }.to_owned();
                return Err(SettingError::Malformed { name, reason });
            }
        }
        let caller = Caller::new(&settings.base_url, common);
        let hook = hook.filter(|_| settings.create_body.has_place("{webhook}"));
        Ok(Self { settings, hook, caller })
    }

    fn url(&self, path: &str) -> String {
        format!("{}{path}", self.settings.base_url.as_str().trim_end_matches('/'))
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        let AuthHeader { name, prefix } = &self.settings.auth;
        match self.settings.api_key.current().header(prefix) {
            Some(value) => request.header(name, value),
            None => request,
        }
    }

    fn polled(&self, operation: &Operation, body: &[u8]) -> Polled {
        let unclear = |reason: &str| Polled::Unclear { reason: reason.to_owned(), wait: None };
        let Some(answer) = google::object::<Value>(body) else {
            return unclear("an answer that makes no sense");
        };
        let text = |pointer: &str| answer.pointer(pointer).and_then(Value::as_str);
        let Some(status) = text(&self.settings.status) else { return unclear("an answer without a status") };
        let is_one_of = |words: &[String]| words.iter().any(|word| word.eq_ignore_ascii_case(status));
        if is_one_of(&self.settings.done) {
            let place = match &self.settings.download_path {
                Some(path) => Some(self.url(&path.replace("{id}", &operation.name))),
                None => answer.pointer(&self.settings.url).and_then(first_text),
            };
            return match place.and_then(|place| place.parse().ok()) {
                Some(url) => Polled::Finished(Source::Url(url)),
                // It was not reported as failed, so it may have been charged (I17).
                None => Polled::Lost(google::lost()),
            };
        }
        if is_one_of(&self.settings.failed) {
            return Polled::Failed(self.why(&answer).unwrap_or_default().failure());
        }
        if is_one_of(&self.settings.stopped) {
            return google::stopped(self.why(&answer).as_ref());
        }
        let per_cent = answer.pointer(&self.settings.progress).and_then(Value::as_f64);
        Polled::Pending { progress: per_cent.map(|per_cent| per_cent as i32) }
    }

    /// Why a submission was not taken although the answer is a success: it has an error, and no id.
    fn refused(&self, body: &[u8]) -> Option<Refusal> {
        let answer: Value = google::object(body)?;
        let says = |pointer: &str| answer.pointer(pointer).is_some_and(says_something);
        let is_refused = says(&self.settings.error) && !says(&self.settings.id);
        is_refused.then(|| self.why(&answer).unwrap_or_default().into_refusal())
    }

    /// What went wrong, in the API's own words, which only decide what ours are; `None` if it has none.
    fn why(&self, answer: &Value) -> Option<RpcError> {
        let error = answer.pointer(&self.settings.error);
        let part = |name: &str| error.and_then(|error| error.get(name)).and_then(Value::as_str);
        let whole = error.and_then(Value::as_str);
        let words = [whole, part("code"), part("message")];
        let words = words.into_iter().flatten().collect::<Vec<_>>().join(" ");
        let code = error.and_then(|error| error.get("code")).and_then(Value::as_i64);
        (code.is_some() || !words.is_empty()).then(|| RpcError::saying(code.unwrap_or_default(), words))
    }
}

/// Whether a member says anything. Many answers have an empty one for what there is not.
fn says_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::Bool(is_so) => *is_so,
        Value::Number(number) => number.as_i64() != Some(0),
        Value::String(text) => !text.trim().is_empty(),
        Value::Array(items) => !items.is_empty(),
        Value::Object(members) => !members.is_empty(),
    }
}

/// A text, or the first of several.
fn first_text(value: &Value) -> Option<String> {
    value.as_str().or_else(|| value.get(0)?.as_str()).map(str::to_owned)
}

#[async_trait]
impl Provider for Generic {
    fn name(&self) -> &'static str {
        NAME
    }

    fn usual_latency(&self) -> Duration {
        self.settings.usual_latency
    }

    fn hook(&self) -> Option<&Hook> {
        self.hook.as_ref()
    }

    async fn submit(&self, submission: &Submission) -> Submitted {
        // A catalogue may promise what cannot be kept; a video without its pictures is none that was asked for.
        if !submission.images.is_empty() {
            return Submitted::Rejected(google::invalid());
        }
        let model = self.settings.model.as_ref().unwrap_or(&submission.model);
        let body = self.settings.create_body.fill(&values(model, submission, self.hook.as_ref()));
        let request = self.caller.submission(self.url(&self.settings.create_path));
        let accepted = |body: &[u8]| {
            let answer: Value = google::object(body)?;
            let id = match answer.pointer(&self.settings.id)? {
                Value::Number(number) => number.to_string(),
                other => other.as_str()?.to_owned(),
            };
            google::is_plain(&id).then_some(id)
        };
        let refused = |body: &[u8]| self.refused(body);
        self.caller.submit(self.authorised(request).json(&body), accepted, refused).await
    }

    async fn poll(&self, operation: &Operation) -> Polled {
        if !google::is_plain(&operation.name) {
            return Polled::Refused(google::not_set_up());
        }
        let url = self.url(&self.settings.poll_path.replace("{id}", &operation.name));
        let request = self.authorised(self.caller.request(Method::GET, url));
        let refused = |refusal: &Refusal| refused::poll_refused(refusal, &self.settings.error);
        self.caller.poll(request, |body: &[u8]| self.polled(operation, body), refused).await
    }

    async fn cancel(&self, operation: &Operation) -> Cancelled {
        let Some(path) = self.settings.cancel_path.as_ref().filter(|_| google::is_plain(&operation.name))
        else {
            return Cancelled::Impossible;
        };
        let url = self.url(&path.replace("{id}", &operation.name));
        self.caller.cancel(self.authorised(self.caller.request(Method::POST, url))).await
    }

    async fn download(
        &self,
        _: &Operation,
        source: &Source,
        into: &Path,
    ) -> Result<Downloaded, DownloadError> {
        match source {
            Source::Url(url) => self.caller.fetch.fetch(url, into, |request| self.authorised(request)).await,
            Source::Inline(_) => Err(DownloadError::Forbidden("a video in an answer".to_owned())),
        }
    }
}

#[cfg(test)]
mod tests {
    use contract::{JobId, Parameters};
    use serde_json::json;

    use super::*;

    fn submission(prompt: &str, parameters: Parameters) -> Submission {
        let (prompt, model) = (prompt.to_owned(), "m".to_owned());
        Submission { job_id: JobId::new(), attempt: 1, model, prompt, parameters, images: Vec::new() }
    }

    #[test]
    fn a_body_has_what_the_job_names_and_nothing_else() {
        let template = Template::parse(
            r#"{"input":{"prompt":"{prompt}","seconds":"{duration}","size":"{width}x{height}","seed":"{seed}"},"n":1,"{":"{}"}"#,
        )
        .unwrap();
        let open = values("m", &submission("a {seed} boat", Parameters::default()), None);
        assert_eq!(template.fill(&open), json!({"input": {"prompt": "a {seed} boat"}, "n": 1, "{": "{}"}));
        let parameters = Parameters {
            duration: Some(8),
            aspect_ratio: Some("9:16".to_owned()),
            resolution: Some("720p".to_owned()),
            seed: Some(7),
            ..Parameters::default()
        };
        let filled = template.fill(&values("m", &submission("a boat", parameters), None));
        let expected = json!({"prompt": "a boat", "seconds": 8, "size": "720x1280", "seed": 7});
        assert_eq!(filled["input"], expected);
    }

    #[test]
    fn a_body_may_have_a_place_for_a_webhook() {
        let template = Template::parse(r#"{"a":[{"webhook":"{webhook}"}],"p":"{prompt}"}"#).unwrap();
        assert!(template.has_place("{webhook}") && !template.has_place("{seed}"));
        let open = values("m", &submission("p", Parameters::default()), None);
        assert_eq!(template.fill(&open), json!({"a": [{}], "p": "p"}));
    }

    #[test]
    fn sizes_follow_from_resolution_and_shape() {
        for (resolution, shape, expected) in [
            (Some("720p"), Some("16:9"), Some((1280, 720))),
            (Some("4k"), Some("9:16"), Some((2160, 3840))),
            (Some("480p"), Some("16:9"), Some((854, 480))),
            (Some("720p"), Some("1:1"), Some((720, 720))),
            (Some("720p"), None, None),
            (Some("huge"), Some("16:9"), None),
            (Some("720p"), Some("16:0"), None),
        ] {
            assert_eq!(size(resolution, shape), expected, "{resolution:?} {shape:?}");
        }
    }

    #[test]
    fn an_empty_member_says_nothing() {
        for nothing in [json!(null), json!(false), json!(0), json!(" "), json!([]), json!({})] {
            assert!(!says_something(&nothing), "{nothing}");
        }
        for something in
            [json!(true), json!(1102), json!(0.5), json!("no"), json!(["no"]), json!({"code": 0})]
        {
            assert!(says_something(&something), "{something}");
        }
    }

    #[test]
    fn a_header_needs_a_place_for_the_key() {
        let header = AuthHeader::parse("X-Api-Key: {key}").unwrap();
        assert_eq!((header.name.as_str(), header.prefix.as_str()), ("x-api-key", ""));
        for text in ["{key}", "x-api-key: key", "x y: {key}", ": {key}"] {
            assert!(AuthHeader::parse(text).is_err(), "{text}");
        }
    }
}

//! What it means that an API refuses to say how a video stands. APIs do so in many forms, and only their own words end
//! a video that is being made and may be charged: a proxy or a router that answers in their place says nothing of it.
//! Pure.

use reqwest::StatusCode;
use serde_json::Value;

use super::{
    Polled,
    google::{self, Refusal, RpcError},
    says_something,
};

/// Where many APIs have their errors: OpenAI and Google the one, JSON:API the other.
const COMMON: &[&str] = &["/error", "/errors/0"];
/// What an error says of itself.
const TEXTS: &[&str] = &["code", "message", "title", "detail"];
/// What is said of a thing that is not there.
const GONE: &[&str] = &[
    "not found",
    "not_found",
    "be found",
    "not exist",
    "n't exist",
    "no such",
    "no longer",
    "expired",
    "deleted",
    "gone",
];
/// What is not there if a router says so.
const WAYS: &[&str] = &["route", "path", "url", "uri", "endpoint", "page"];

/// What a refusal means. `pointer` is where the settings say that the API has its errors.
pub(super) fn poll_refused(refusal: &Refusal, pointer: &str) -> Polled {
    let answer: Value = serde_json::from_slice(&refusal.body).unwrap_or_default();
    let answer = match answer.as_array().map(Vec::as_slice) {
        Some([only]) => only,
        _ => &answer,
    };
    let mut places = std::iter::once(&pointer).chain(COMMON);
    let said = places.find_map(|place| at(answer, place)).or_else(|| problem(answer, refusal.status));
    let Some(said) = said.filter(|said| said.is_in_form || !is_phrase(&said.words, refusal.status)) else {
        return refusal.unclear();
    };
    let is_of_the_video = said.is_of_the_video();
    let error = Some(RpcError::saying(said.code, said.words));
    let worded = Refusal { status: refusal.status, error, wait: refusal.wait, body: Vec::new() };
    match google::poll_refused(&worded) {
        Polled::Lost(_) if !is_of_the_video => refusal.unclear(),
        Polled::Unclear { .. } => refusal.unclear(),
        ended => ended,
    }
}

/// An API's own words.
struct Said {
    code: i64,
    words: String,
    /// Whether they stand in a form that is for errors alone, which no router has by chance.
    is_in_form: bool,
}

impl Said {
    /// Whether it is the video that they say is not there. Of a way they may say it while the API is being replaced.
    fn is_of_the_video(&self) -> bool {
        let words = self.words.to_lowercase();
        let mut single = words.split(|c: char| !c.is_ascii_alphanumeric());
        let is_of_a_way = single.any(|word| WAYS.contains(&word));
        !is_of_a_way && (self.is_in_form || GONE.iter().any(|gone| words.contains(gone)))
    }
}

/// The error at a place: an object that says something of itself, or a text.
fn at(answer: &Value, place: &str) -> Option<Said> {
    let error = answer.pointer(place).filter(|error| says_something(error))?;
    if let Some(text) = error.as_str() {
        return Some(Said { code: 0, words: text.to_owned(), is_in_form: false });
    }
    let is_one = TEXTS.iter().any(|name| has(error, name));
    is_one.then(|| said(error, TEXTS.iter(), true))
}

/// An answer that is an error as a whole: problem details (RFC 9457), which Replicate has, or a code and a message. A
/// message alone is what gateways say, and many a router says the status again in these members.
fn problem(answer: &Value, status: StatusCode) -> Option<Said> {
    let says_more = |name: &str| {
        let text = answer.get(name).and_then(Value::as_str);
        has(answer, name) && text.is_none_or(|text| !is_phrase(text, status))
    };
    let is_coded = has(answer, "code") && says_more("message");
    let is_own_code = answer["code"].as_u64() != Some(status.as_u16().into());
    let is_one = is_coded || says_more("detail") || says_more("title");
    let names = TEXTS.iter().filter(|name| says_more(name));
    is_one.then(|| said(answer, names, is_coded && is_own_code))
}

/// Whether a text says no more than the status does: a server that knows nothing else puts its phrase there.
fn is_phrase(text: &str, status: StatusCode) -> bool {
    let words = text.split(|c: char| !c.is_ascii_alphabetic());
    let words = words.filter(|word| !matches!(*word, "" | "HTTP" | "Error"));
    words.eq(status.canonical_reason().unwrap_or_default().split(' '))
}

fn has(object: &Value, name: &str) -> bool {
    object.get(name).is_some_and(says_something)
}

/// What an error says in these of its members.
fn said(error: &Value, names: impl Iterator<Item = &'static &'static str>, is_in_form: bool) -> Said {
    let code = error.get("code").and_then(Value::as_i64).unwrap_or_default();
    let texts = names.filter_map(|name| error.get(*name)?.as_str());
    Said { code, words: texts.collect::<Vec<_>>().join(" "), is_in_form }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::ErrorCode;
    use reqwest::{StatusCode, header::HeaderMap};
    use serde_json::json;

    use super::*;

    fn refusal(status: u16, body: &str) -> Refusal {
        Refusal::read(StatusCode::from_u16(status).unwrap(), &HeaderMap::new(), body.as_bytes())
    }

    /// What a refusal means where errors stand at `pointer`.
    fn told(status: u16, body: &str, pointer: &str) -> &'static str {
        match poll_refused(&refusal(status, body), pointer) {
            Polled::Lost(error) if error == google::lost() => "lost",
            Polled::Refused(failure) if failure.error.code == ErrorCode::InvalidRequest => "invalid",
            Polled::Refused(failure) if failure.error.code == ErrorCode::ProviderError => "not let in",
            Polled::Unclear { wait: None, reason } if reason == status.to_string() => "unclear",
            other => panic!("{status} {body}: {other:?}"),
        }
    }

    #[test]
    fn a_video_that_is_not_there_is_lost_in_whatever_form_it_is_said() {
        for body in [
            // OpenAI, Google, Anthropic.
            json!({"error": {"message": "Video 'v1' not found.", "type": "invalid_request_error", "code": null}}),
            json!({"error": {"code": 404, "message": "Requested entity was not found.", "status": "NOT_FOUND"}}),
            json!([{"error": {"code": 5, "message": "no"}}]),
            json!({"type": "error", "error": {"type": "not_found_error", "message": "no"}}),
            json!({"error": {"message": "as it says it", "details": "a text", "status": 404}}),
            // Replicate, Django, and whoever has a text.
            json!({"detail": "The requested resource could not be found.", "status": 404, "title": "Not found"}),
            json!({"title": "Not found", "status": 404}),
            json!({"detail": "Not found."}),
            json!({"error": "Prediction not found"}),
            json!({"error": "the video has expired"}),
            // JSON:API, and a code beside a message.
            json!({"errors": [{"status": "404", "title": "Not found", "detail": "There is no such video."}]}),
            json!({"errors": ["video does not exist"]}),
            json!({"code": 1102, "message": "as it says it"}),
            json!({"code": "ResourceMissing", "message": "as it says it", "request_id": "r"}),
            json!({"code": 404, "message": "task not found"}),
        ] {
            for status in [404, 410] {
                assert_eq!(told(status, &body.to_string(), "/error"), "lost", "{body}");
            }
        }
    }

    #[test]
    fn whoever_answers_in_its_place_ends_no_video() {
        for body in [
            "",
            "<html>404</html>",
            "404 page not found",
            "null",
            "[]",
            "\"not found\"",
            "{}",
            r#"{"error":null}"#,
            r#"{"error":""}"#,
            r#"{"error":{}}"#,
            r#"{"error":true}"#,
            // Routers and gateways that speak JSON.
            r#"{"message":"no Route matched with those values"}"#,
            r#"{"message":"Not found"}"#,
            r#"{"message":"Forbidden"}"#,
        ] {
            for status in [302, 400, 401, 403, 404, 405, 410, 422, 429, 502, 503] {
                assert_eq!(told(status, body, "/error"), "unclear", "{status} {body}");
            }
        }
        for (status, phrase) in [
            (400, "Bad Request"),
            (401, "Unauthorized"),
            (403, "Forbidden"),
            (404, "Not Found"),
            (410, "Gone"),
            (422, "Unprocessable Entity"),
        ] {
            for body in [
                json!({"status": status, "error": phrase, "path": "/v1/videos/v1"}),
                json!({"statusCode": status, "error": phrase, "message": "Route GET:/v1/videos/v1 not found"}),
                json!({"detail": phrase}),
                json!({"type": "about:blank", "title": phrase, "status": status}),
                // grpc-gateway, and Jersey as Dropwizard has it.
                json!({"code": 5, "message": phrase, "details": []}),
                json!({"code": status, "message": format!("HTTP {status} {phrase}")}),
            ] {
                assert_eq!(told(status, &body.to_string(), "/error"), "unclear", "{body}");
            }
        }
        // They are the API's own, but of something else.
        for body in [
            r#"{"error":"overloaded"}"#,
            r#"{"detail":"the page was not found"}"#,
            r#"{"detail":[{"loc":["path"],"msg":"no"}]}"#,
            r#"{"error":{"message":"Invalid URL (GET /v1/video/v1)","type":"invalid_request_error"}}"#,
            r#"{"errors":[{"title":"No such endpoint"}]}"#,
            r#"{"title":"Not Found","status":404,"detail":"No static resource v1/videos/v1."}"#,
            r#"{"code":404,"message":"as it says it"}"#,
        ] {
            assert_eq!(told(404, body, "/error"), "unclear", "{body}");
        }
    }

    #[test]
    fn the_status_says_what_the_words_are_about() {
        for body in [
            r#"{"error":{"message":"Incorrect key","type":"invalid_request_error","code":"invalid_api_key"}}"#,
            r#"{"error":"no"}"#,
            r#"{"detail":"no","status":0,"title":"No"}"#,
            r#"{"detail":[{"loc":["path"],"msg":"no"}]}"#,
            r#"{"code":1000,"message":"no"}"#,
        ] {
            for (expected, statuses) in [
                ("not let in", &[401, 403][..]),
                ("invalid", &[400, 422][..]),
                ("unclear", &[300, 302, 307, 402, 405, 407, 408, 409, 425, 429, 451, 500, 502, 503][..]),
            ] {
                for status in statuses {
                    assert_eq!(told(*status, body, "/error"), expected, "{status} {body}");
                }
            }
        }
        let about_the_key = r#"{"error":"The API key is not valid"}"#;
        assert_eq!(told(400, about_the_key, "/error"), "not let in");
    }

    #[test]
    fn the_place_in_the_settings_comes_first() {
        let body = r#"{"base":{"msg":"the task does not exist"},"error":"busy"}"#;
        assert_eq!(told(404, body, "/error"), "unclear");
        assert_eq!(told(404, body, "/base/msg"), "lost");
        assert_eq!(told(404, r#"{"error":"no such task"}"#, "/base/msg"), "lost", "and others after it");
    }

    #[test]
    fn who_asks_to_be_left_alone_is() {
        let headers = HeaderMap::from_iter([("retry-after".parse().unwrap(), "7".parse().unwrap())]);
        for (status, body) in [(503, r#"{"error":"busy"}"#), (404, r#"{"message":"no Route matched"}"#)] {
            let status = StatusCode::from_u16(status).unwrap();
            let refusal = Refusal::read(status, &headers, body.as_bytes());
            let (reason, wait) = (status.as_u16().to_string(), Some(Duration::from_secs(7)));
            assert_eq!(poll_refused(&refusal, "/error"), Polled::Unclear { reason, wait });
        }
    }
}

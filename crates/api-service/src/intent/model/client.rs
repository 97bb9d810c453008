//! Speaks to the server of a model: one request with a time limit, never along a redirect, never repeated. It
//! knows the two shapes of such servers, and of the answer only where its text stands.
//!
//! A client belongs to the runtime that first uses it, the home runtime.

use std::time::Duration;

use foundation::settings::Live;
use reqwest::header;
use serde_json::{Value, json};
use url::Url;

use super::{ApiKey, IntentSettings, Provider, schema::Question};

/// The longest answer that is read. The form that is asked for takes a few hundred bytes.
const LONGEST_ANSWER: usize = 256 * 1024;

/// Why there is no answer that counts.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Failure {
    /// It took too long.
    #[error("it took too long")]
    Late,
    /// It could not be reached, or broke off.
    #[error("it cannot be reached: {0}")]
    Unreachable(String),
    /// It answered with this status.
    #[error("it answers {0}")]
    Status(u16),
    /// What it answered is not what was asked for.
    #[error("its answer is malformed: {0}")]
    Malformed(&'static str),
    /// It does not want to answer this.
    #[error("it refuses to answer")]
    Refused,
    /// It failed too often and is left alone.
    #[error("it is left alone for a while")]
    Paused,
    /// Too many wait for it.
    #[error("too many wait for it")]
    Busy,
}

impl Failure {
    /// The failure in a word, for metrics.
    pub(super) const fn as_str(&self) -> &'static str {
        match self {
            Self::Late => "late",
            Self::Unreachable(_) => "unreachable",
            Self::Status(_) => "status",
            Self::Malformed(_) => "malformed",
            Self::Refused => "refused",
            Self::Paused => "paused",
            Self::Busy => "busy",
        }
    }

    /// Whether it is worth a line in the log: that a server is left alone was said when that began.
    pub(super) const fn is_news(&self) -> bool {
        !matches!(self, Self::Paused | Self::Busy)
    }

    /// Whether the server is not well, and not only this message hard to answer.
    pub(super) const fn is_the_servers(&self) -> bool {
        matches!(self, Self::Late | Self::Unreachable(_) | Self::Status(_))
    }
}

/// A client of a model's server.
#[derive(Debug)]
pub(super) struct Client {
    http: reqwest::Client,
    shape: Shape,
    address: Url,
    model: String,
    key: Option<Live<ApiKey>>,
}

#[derive(Clone, Copy, Debug)]
enum Shape {
    Gemini,
    Openai,
}

impl Client {
    /// The client that the settings ask for; none if they ask for the rules alone, or do not say which model.
    pub(super) fn new(settings: &IntentSettings) -> Option<Self> {
        let shape = match settings.provider {
            Provider::Rules => return None,
            Provider::Gemini => Shape::Gemini,
            Provider::Openai => Shape::Openai,
        };
        let model = settings.model.as_ref()?.0.clone();
        // Building fails only without a TLS provider, which every binary installs first.
        let http = reqwest::Client::builder()
            .timeout(settings.timeout)
            .connect_timeout(settings.timeout.min(Duration::from_secs(3)))
            .redirect(reqwest::redirect::Policy::none())
            .no_proxy()
            .build()
            .unwrap_or_default();
        let address = shape.address(settings.base_url.as_ref(), &model)?;
        Some(Self { http, shape, address, model, key: settings.api_key.clone() })
    }

    /// The text that the model answers.
    pub(super) async fn ask(&self, question: &Question) -> Result<String, Failure> {
        let mut request = self
            .http
            .post(self.address.clone())
            .header(header::CONTENT_TYPE, "application/json")
            .body(self.shape.body(&self.model, question).to_string());
        if let Some(key) = &self.key {
            let key = key.current();
            let key = key.0.reveal();
            request = match self.shape {
                Shape::Gemini => request.header("x-goog-api-key", sensitive(key)?),
                Shape::Openai => request.header(header::AUTHORIZATION, sensitive(&format!("Bearer {key}"))?),
            };
        }
        let mut response = request.send().await.map_err(|error| failure(&error))?;
        if !response.status().is_success() {
            return Err(Failure::Status(response.status().as_u16()));
        }
        let mut answer = Vec::new();
        while let Some(chunk) = response.chunk().await.map_err(|error| failure(&error))? {
            if answer.len() + chunk.len() > LONGEST_ANSWER {
                return Err(Failure::Malformed("too long"));
            }
            answer.extend_from_slice(&chunk);
        }
        let answer = serde_json::from_slice(&answer).map_err(|_| Failure::Malformed("no JSON"))?;
        self.shape.text(&answer)
    }
}

impl Shape {
    fn address(self, base: Option<&Url>, model: &str) -> Option<Url> {
        let own = match self {
            Self::Gemini => "https://generativelanguage.googleapis.com",
            Self::Openai => "https://api.openai.com/v1",
        };
        let mut address = base.cloned().or_else(|| own.parse().ok())?;
        let path = address.path().trim_end_matches('/').to_owned();
        address.set_path(&match self {
            Self::Gemini => format!("{path}/v1beta/models/{model}:generateContent"),
            Self::Openai => format!("{path}/chat/completions"),
        });
        address.set_query(None);
        Some(address)
    }

    fn body(self, model: &str, question: &Question) -> Value {
        match self {
            Self::Gemini => json!({
                "systemInstruction": {"parts": [{"text": question.task}]},
                "contents": [{"role": "user", "parts": [{"text": question.situation}]}],
                "generationConfig": {
                    "responseMimeType": "application/json",
                    "responseJsonSchema": question.schema,
                    "temperature": 0,
                },
            }),
            Self::Openai => json!({
                "model": model,
                "messages": [
                    {"role": "system", "content": question.task},
                    {"role": "user", "content": question.situation},
                ],
                "response_format": {
                    "type": "json_schema",
                    "json_schema": {"name": "message", "strict": true, "schema": question.schema},
                },
            }),
        }
    }

    /// The text in an answer of this shape.
    fn text(self, answer: &Value) -> Result<String, Failure> {
        let nothing = Failure::Malformed("no text");
        match self {
            Self::Gemini => {
                if answer.pointer("/promptFeedback/blockReason").is_some_and(Value::is_string) {
                    return Err(Failure::Refused);
                }
                let candidate = answer.pointer("/candidates/0").ok_or(nothing.clone())?;
                match candidate["finishReason"].as_str() {
                    None | Some("STOP") => {}
                    Some(
                        "SAFETY" | "PROHIBITED_CONTENT" | "BLOCKLIST" | "SPII" | "RECITATION" | "LANGUAGE",
                    ) => return Err(Failure::Refused),
                    Some(_) => return Err(Failure::Malformed("cut off")),
                }
                let parts =
                    candidate.pointer("/content/parts").and_then(Value::as_array).ok_or(nothing.clone())?;
                // What a model thinks aloud is not its answer.
                let said = parts.iter().filter(|part| part["thought"].as_bool() != Some(true));
                let text: String = said.filter_map(|part| part["text"].as_str()).collect();
                Some(text).filter(|text| !text.is_empty()).ok_or(nothing)
            }
            Self::Openai => {
                let choice = answer.pointer("/choices/0").ok_or(nothing.clone())?;
                let refusal = choice.pointer("/message/refusal").is_some_and(Value::is_string);
                match choice["finish_reason"].as_str() {
                    Some("content_filter") => return Err(Failure::Refused),
                    _ if refusal => return Err(Failure::Refused),
                    None | Some("stop") => {}
                    Some(_) => return Err(Failure::Malformed("cut off")),
                }
                let text = choice.pointer("/message/content").and_then(Value::as_str).ok_or(nothing)?;
                Ok(text.to_owned())
            }
        }
    }
}

/// A header that logs do not show.
fn sensitive(text: &str) -> Result<header::HeaderValue, Failure> {
    let mut value = header::HeaderValue::from_str(text).map_err(|_| Failure::Malformed("key"))?;
    value.set_sensitive(true);
    Ok(value)
}

/// What went wrong, without the address, which may hold what is nobody's business.
fn failure(error: &reqwest::Error) -> Failure {
    if error.is_timeout() {
        return Failure::Late;
    }
    let mut text = String::new();
    let mut cause = std::error::Error::source(error);
    while let Some(error) = cause {
        if !text.is_empty() {
            text.push_str(": ");
        }
        text.push_str(&error.to_string());
        cause = error.source();
    }
    Failure::Unreachable(text)
}

//! Bodies: read within a limit and a time, parsed within a depth, and what is wrong with them told in the
//! contract's words.

use std::time::Duration;

use actix_web::{
    HttpRequest,
    dev::Payload,
    http::header::{self, HeaderMap},
    web::{Bytes, BytesMut},
};
use contract::{
    json::{self, ByObjects},
    problem::FieldError,
};
use futures_util::StreamExt as _;
use serde::de::{DeserializeOwned, IgnoredAny};
use serde_path_to_error::Path;

use crate::{AppError, AppResult};

/// The largest body of a request, where a route does not say otherwise.
pub const LIMIT: usize = 64 * 1024;
/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(30);

/// How long the body is, if its sender has said so.
#[must_use]
pub fn announced(headers: &HeaderMap) -> Option<usize> {
    headers.get(header::CONTENT_LENGTH)?.to_str().ok()?.parse().ok()
}

/// Reads a body of at most `limit` bytes.
pub async fn read(request: &HttpRequest, payload: &mut Payload, limit: usize) -> AppResult<Bytes> {
    read_within(request, payload, limit, PATIENCE).await
}

/// Reads a body of at most `limit` bytes, which has so long to arrive.
pub async fn read_within(
    request: &HttpRequest,
    payload: &mut Payload,
    limit: usize,
    patience: Duration,
) -> AppResult<Bytes> {
    if announced(request.headers()).is_some_and(|length| length > limit) {
        return Err(AppError::too_large(limit));
    }
    let reading = async {
        let mut body = BytesMut::new();
        while let Some(chunk) = payload.next().await {
            let chunk = chunk.map_err(|error| {
                AppError::bad_request("incomplete_body", "The request's body did not arrive whole.")
                    .because(error)
            })?;
            if body.len() + chunk.len() > limit {
                return Err(AppError::too_large(limit));
            }
            body.extend_from_slice(&chunk);
        }
        Ok(body.freeze())
    };
    tokio::time::timeout(patience, reading).await.map_err(|_| AppError::timed_out())?
}

/// Parses a JSON body. What is to be a structure must be an object: see [`ByObjects`].
pub fn parse<T: DeserializeOwned>(bytes: &[u8]) -> AppResult<T> {
    if json::is_too_deep(bytes) {
        return Err(AppError::bad_request(
            "malformed_json",
            format!("JSON is nested deeper than {} levels.", json::DEPTH),
        ));
    }
    let malformed = |error: &serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        let detail = format!("The body is not valid JSON (line {line}, column {column}).");
        AppError::bad_request("malformed_json", detail)
    };
    // Form first, meaning second: a body that breaks off is malformed even if a field before the break is
    // wrong, too.
    serde_json::from_slice::<IgnoredAny>(bytes).map_err(|error| malformed(&error))?;
    let mut reader = serde_json::Deserializer::from_slice(bytes);
    serde_path_to_error::deserialize(ByObjects(&mut reader)).map_err(|error| {
        if !error.inner().is_data() {
            return malformed(error.inner());
        }
        let message = error.inner().to_string();
        let message = message.rsplit_once(" at line ").map_or(message.as_str(), |(text, _)| text);
        wrong(error.path(), "body", message.trim())
    })
}

/// The refusal of what serde says is wrong at this place; `whole` is the name of all that was read.
pub(crate) fn wrong(path: &Path, whole: &str, message: &str) -> AppError {
    let path = path.to_string();
    let parent = Some(path.as_str()).filter(|path| *path != ".");
    let missing = named(message, "missing field `").map(|field| (field, "is missing"));
    let about_a_member =
        missing.or_else(|| named(message, "duplicate field `").map(|field| (field, "is there twice")));
    AppError::validation(vec![match about_a_member {
        Some((field, message)) => {
            let field = parent.map_or_else(|| field.to_owned(), |parent| format!("{parent}.{field}"));
            FieldError::new(field, message)
        }
        None => FieldError::new(parent.unwrap_or(whole), in_words(message)),
    }])
}

/// What serde says is wrong, in words of JSON: those who send it know nothing of our types, and their own value
/// need not be told to them.
fn in_words(message: &str) -> String {
    const UNCLEAR: &str = "is not as it has to be";
    let expected = message.rsplit_once(", expected ").map(|(_, expected)| expected);
    if message.starts_with("unknown variant ") || message.starts_with("unknown field ") {
        return match expected {
            Some(known) => format!("must be {}", known.replace('`', "\"")),
            None => UNCLEAR.to_owned(),
        };
    }
    let is_value = message.starts_with("invalid value: ");
    if is_value || message.starts_with("invalid type: ") || message.starts_with("invalid length ") {
        return match expected.and_then(|expected| kind(expected, is_value)) {
            Some(kind) => format!("must be {kind}"),
            None => UNCLEAR.to_owned(),
        };
    }
    if message.starts_with("data did not match any variant ") {
        return UNCLEAR.to_owned();
    }
    // A check of ours has said it in its own words.
    message.to_owned()
}

/// The kind of JSON that serde expected, with its bounds if it is they that count.
fn kind(expected: &str, bounded: bool) -> Option<String> {
    let bounds = match expected {
        "u8" => Some((0, i128::from(u8::MAX))),
        "u16" => Some((0, i128::from(u16::MAX))),
        "u32" => Some((0, i128::from(u32::MAX))),
        "u64" | "usize" => Some((0, i128::from(u64::MAX))),
        "i8" => Some((i128::from(i8::MIN), i128::from(i8::MAX))),
        "i16" => Some((i128::from(i16::MIN), i128::from(i16::MAX))),
        "i32" => Some((i128::from(i32::MIN), i128::from(i32::MAX))),
        "i64" | "isize" => Some((i128::from(i64::MIN), i128::from(i64::MAX))),
        _ => None,
    };
    if let Some((least, most)) = bounds {
        let bounds = if bounded { format!(" from {least} to {most}") } else { String::new() };
        return Some(format!("a whole number{bounds}"));
    }
    let is = |beginnings: &[&str]| beginnings.iter().any(|beginning| expected.starts_with(beginning));
    let kind = if is(&["tuple", "a tuple", "a sequence", "sequence", "an array", "array"]) {
        "an array"
    } else if is(&["struct ", "a map", "map", "an object", "internally tagged ", "adjacently tagged "]) {
        "an object"
    } else if is(&["a string", "a borrowed string", "string", "str", "a character", "enum ", "variant "]) {
        "a text"
    } else if matches!(expected, "f32" | "f64") {
        "a number"
    } else if expected == "a boolean" {
        "true or false"
    } else if is(&["unit", "null"]) {
        "null"
    } else if is(&["a ", "an "]) {
        // A visitor of ours has said it in its own words.
        expected
    } else {
        return None;
    };
    Some(kind.to_owned())
}

/// The field that serde names after these words.
fn named<'a>(message: &'a str, words: &str) -> Option<&'a str> {
    message.strip_prefix(words)?.strip_suffix('`')
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;
    use serde_json::Value;

    use super::*;

    #[derive(Debug, Default, Deserialize, PartialEq)]
    struct Sample {
        name: String,
        #[serde(default)]
        sizes: Vec<Size>,
    }

    #[derive(Debug, Deserialize, PartialEq)]
    struct Size {
        width: u8,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(default, rename_all = "camelCase")]
    struct Everything {
        inner: Option<Box<Self>>,
        text: String,
        flag: bool,
        small: u32,
        signed: i64,
        real: f64,
        list: Vec<String>,
        many: Vec<Self>,
        pair: (u8, u8),
        map: serde_json::Map<String, Value>,
        choice: Choice,
        either: Option<Either>,
        id: Option<contract::UserId>,
    }

    #[derive(Debug, Default, Deserialize)]
    #[serde(rename_all = "snake_case")]
    enum Choice {
        #[default]
        ThisOne,
        ThatOne,
        Another,
    }

    #[derive(Debug, Deserialize)]
    #[serde(untagged)]
    #[expect(dead_code, reason = "read by nobody")]
    enum Either {
        Text(String),
        Flag(bool),
    }

    #[test]
    fn what_is_wrong_is_told_in_words_of_json() {
        for (text, field, message) in [
            (r#"{"small":"5"}"#, "small", "must be a whole number"),
            (r#"{"small":1.5}"#, "small", "must be a whole number"),
            (r#"{"small":-1}"#, "small", "must be a whole number from 0 to 4294967295"),
            (r#"{"signed":null}"#, "signed", "must be a whole number"),
            (r#"{"real":"x"}"#, "real", "must be a number"),
            (r#"{"text":{}}"#, "text", "must be a text"),
            (r#"{"text":["a, expected u32"]}"#, "text", "must be a text"),
            (r#"{"flag":"a, expected u32"}"#, "flag", "must be true or false"),
            (r#"{"list":{}}"#, "list", "must be an array"),
            (r#"{"list":[1]}"#, "list[0]", "must be a text"),
            (r#"{"pair":[1]}"#, "pair", "must be an array"),
            (r#"{"pair":"1"}"#, "pair", "must be an array"),
            (r#"{"map":[]}"#, "map", "must be an object"),
            (r#"{"inner":7}"#, "inner", "must be an object"),
            (r#"{"inner":{"flag":1}}"#, "inner.flag", "must be true or false"),
            ("7", "body", "must be an object"),
            ("\"Everything\"", "body", "must be an object"),
            ("null", "body", "must be an object"),
            // serde would take these.
            ("[]", "body", "must be an object"),
            ("[null]", "body", "must be an object"),
            (r#"{"inner":[]}"#, "inner", "must be an object"),
            (r#"{"inner":{"inner":[null,"a"]}}"#, "inner.inner", "must be an object"),
            (r#"{"many":[{},["a"]]}"#, "many[1]", "must be an object"),
            (r#"{"choice":"none"}"#, "choice", r#"must be one of "this_one", "that_one", "another""#),
            (r#"{"either":7}"#, "either", "is not as it has to be"),
            (r#"{"id":7}"#, "id", "must be a text"),
            (r#"{"id":"7"}"#, "id", "not an identifier of the form user_<32 hexadecimal digits>"),
            (r#"{"flag":true,"flag":true}"#, "flag", "is there twice"),
            (r#"{"inner":{"flag":true,"flag":true}}"#, "inner.flag", "is there twice"),
            (r#"{"pair":[1,256]}"#, "pair[1]", "must be a whole number from 0 to 255"),
        ] {
            let problem = parse::<Everything>(text.as_bytes()).unwrap_err().problem("");
            let told: Vec<_> =
                problem.errors.iter().map(|e| (e.field.as_str(), e.message.as_str())).collect();
            assert_eq!(told, [(field, message)], "{text}");
            for inside in ["struct", "u32", "i64", "f64", "Everything", "Choice", "Either", "invalid type"] {
                assert!(!problem.detail.contains(inside), "{text}: {}", problem.detail);
            }
        }
    }

    fn refusal(text: &str) -> (u16, String) {
        let error = parse::<Sample>(text.as_bytes()).unwrap_err();
        let problem = error.problem("");
        let field = problem.errors.first().map_or(problem.code, |error| error.field.clone());
        (problem.status, field)
    }

    #[test]
    fn a_good_body_is_read() {
        let sample = Sample { name: "a".to_owned(), sizes: vec![Size { width: 1 }] };
        assert_eq!(parse::<Sample>(br#"{"name":"a","sizes":[{"width":1}],"more":{}}"#).unwrap(), sample);
    }

    #[test]
    fn what_is_wrong_is_told_by_its_place() {
        for (text, status, field) in [
            ("", 400, "malformed_json"),
            ("{", 400, "malformed_json"),
            ("{}}", 400, "malformed_json"),
            ("{\"name\":1", 400, "malformed_json"),
            ("\u{0}", 400, "malformed_json"),
            ("{\"name\":\"\\ud800\"}", 400, "malformed_json"),
            ("{}", 422, "name"),
            ("[]", 422, "body"),
            ("{\"name\":1}", 422, "name"),
            ("{\"name\":\"a\",\"sizes\":[{\"width\":1},{\"width\":256}]}", 422, "sizes[1].width"),
            ("{\"name\":\"a\",\"sizes\":[{}]}", 422, "sizes[0].width"),
        ] {
            assert_eq!(refusal(text), (status, field.to_owned()), "{text}");
        }
    }

    #[test]
    fn depth_is_bounded() {
        let nested = |depth: usize| format!("{}{}", "[".repeat(depth), "]".repeat(depth));
        assert!(parse::<Value>(nested(32).as_bytes()).is_ok());
        assert_eq!(parse::<Value>(nested(33).as_bytes()).unwrap_err().status(), 400);
        // Far beyond what a recursive parser's stack would hold.
        assert_eq!(parse::<Value>("[".repeat(60_000).as_bytes()).unwrap_err().status(), 400);
    }
}

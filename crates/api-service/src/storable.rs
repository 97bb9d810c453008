//! Texts that can be stored. PostgreSQL takes every character but U+0000, which nobody can see; so that both
//! databases take the same, it is refused where texts come in.

use contract::problem::FieldError;
use serde_json::Value;

use crate::error::{AppError, AppResult};

const MESSAGE: &str = "must not contain the character U+0000";

/// What is wrong with a text, if anything.
#[must_use]
pub fn check(field: &str, text: &str) -> Option<FieldError> {
    text.contains('\0').then(|| FieldError::new(field, MESSAGE))
}

/// Refuses a JSON body with such a text in it, however deep, and names the fields. A body that is no JSON is
/// for others to refuse.
pub fn check_body(bytes: &[u8]) -> AppResult<()> {
    // In well-formed JSON it can only stand in this form.
    const ESCAPED: &[u8] = br"\u0000";
    if !bytes.windows(ESCAPED.len()).any(|window| window == ESCAPED) {
        return Ok(());
    }
    let Ok(body) = serde_json::from_slice::<Value>(bytes) else { return Ok(()) };
    let mut errors = Vec::new();
    look_into(&body, "", &mut errors);
    if errors.is_empty() { Ok(()) } else { Err(AppError::validation(errors)) }
}

fn look_into(value: &Value, path: &str, errors: &mut Vec<FieldError>) {
    let place = if path.is_empty() { "body" } else { path };
    match value {
        Value::String(text) => errors.extend(check(place, text)),
        Value::Array(items) => {
            for (index, item) in items.iter().enumerate() {
                look_into(item, &format!("{path}[{index}]"), errors);
            }
        }
        Value::Object(members) => {
            for (name, member) in members {
                // A name that cannot be shown is told by its place.
                errors.extend(check(place, name));
                let shown = name.replace('\0', "");
                let inner = if path.is_empty() { shown } else { format!("{path}.{shown}") };
                look_into(member, &inner, errors);
            }
        }
        Value::Null | Value::Bool(_) | Value::Number(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wrong(body: &str) -> Vec<String> {
        let refused = check_body(body.as_bytes()).err();
        refused.into_iter().flat_map(|e| e.problem("").errors).map(|error| error.field).collect()
    }

    #[test]
    fn what_cannot_be_stored_is_found_wherever_it_stands() {
        for (body, fields) in [
            (r#"{"title":"a\u0000b"}"#, &["title"][..]),
            (r#"{"parameters":{"style":"\u0000"},"x":[{},{"y":"\u0000"}]}"#, &["parameters.style", "x[1].y"]),
            (r#"{"responses":{"a\u0000":1}}"#, &["responses"]),
            (r#""\u0000""#, &["body"]),
            (r#"{"title":"\\u0000"}"#, &[]),
            (r#"{"title":"\u0001"}"#, &[]),
            (r#"{"title":"\u0000""#, &[]),
        ] {
            assert_eq!(wrong(body), fields, "{body}");
        }
    }
}

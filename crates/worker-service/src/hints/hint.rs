//! What a provider's webhook is about, read from its body. Pure. Of what has happened to the video nothing is read.

use contract::JobId;
use serde_json::Value;

/// The longest name of an operation that is looked for.
const LONGEST_NAME: usize = 255;

/// What a webhook is about, as far as it says.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Hint {
    /// The job and the number of its attempt, which the provider was given with the submission.
    pub attempt: Option<(JobId, i32)>,
    /// What may be the provider's own name for the operation.
    pub operations: Vec<String>,
}

impl Hint {
    /// Whether it says anything.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.attempt.is_none() && self.operations.is_empty()
    }
}

/// Reads a body: Google's thin envelope with the submission's own metadata, OpenAI's, which is alike, or, as Replicate
/// sends it, the operation itself.
#[must_use]
pub fn read(body: &Value) -> Hint {
    let places = [body.get("data"), Some(body)].into_iter().flatten();
    let mut hint = Hint::default();
    for place in places {
        let metadata = ["user_metadata", "userMetadata"].iter().find_map(|name| place.get(name));
        let attempt = metadata.and_then(|metadata| metadata.get("attempt_id")).and_then(Value::as_str);
        hint.attempt = hint.attempt.or_else(|| attempt.and_then(attempt_id));
        for name in ["id", "name"].iter().filter_map(|name| place.get(name).and_then(Value::as_str)) {
            let is_name = (1..=LONGEST_NAME).contains(&name.len()) && !name.contains('\0');
            if is_name && !hint.operations.iter().any(|known| known == name) {
                hint.operations.push(name.to_owned());
            }
        }
    }
    hint
}

/// The job and the number of an attempt, as a submission names them: `job_…-1`.
fn attempt_id(text: &str) -> Option<(JobId, i32)> {
    let (job, number) = text.split_once('-')?;
    let is_number = (1..=9).contains(&number.len()) && number.bytes().all(|b| b.is_ascii_digit());
    let number = number.parse().ok().filter(|number| is_number && *number >= 1)?;
    Some((job.parse().ok()?, number))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    #[test]
    fn every_shape_names_its_operation() {
        let job = JobId::new();
        let metadata = json!({"attempt_id": format!("{job}-2")});
        let names = |names: &[&str]| names.iter().map(|name| (*name).to_owned()).collect::<Vec<_>>();
        for (body, attempt, operations) in [
            (
                json!({"type": "video.generated", "data": {"id": "models/m/operations/o"}, "user_metadata": metadata}),
                true,
                names(&["models/m/operations/o"]),
            ),
            (json!({"data": {"id": "v1_a", "user_metadata": metadata}}), true, names(&["v1_a"])),
            (json!({"data": {"userMetadata": metadata}}), true, names(&[])),
            (
                json!({"id": "evt_1", "type": "video.completed", "data": {"id": "video_1"}}),
                false,
                names(&["video_1", "evt_1"]),
            ),
            (json!({"id": "p1", "status": "succeeded", "output": "https://x"}), false, names(&["p1"])),
            (json!({"name": "o", "data": {"id": "o"}}), false, names(&["o"])),
        ] {
            let expected = Hint { attempt: attempt.then(|| (job.clone(), 2)), operations };
            assert_eq!(read(&body), expected, "{body}");
        }
    }

    #[test]
    fn what_says_nothing_is_empty() {
        let long = "x".repeat(256);
        for body in [
            json!(null),
            json!([]),
            json!("data"),
            json!({"data": "id"}),
            json!({"data": {"id": 7, "name": "", "user_metadata": []}}),
            json!({"id": long, "name": "a\u{0}b"}),
        ] {
            assert!(read(&body).is_empty(), "{body}");
        }
    }

    #[test]
    fn an_attempt_has_one_form() {
        let job = JobId::new();
        let read = |text: String| attempt_id(&text).map(|(_, number)| number);
        assert_eq!(read(format!("{job}-1")), Some(1));
        assert_eq!(read(format!("{job}-999999999")), Some(999_999_999));
        for number in ["", "0", "+1", "-1", "1 ", "1-1", "9999999999", "٣"] {
            assert_eq!(read(format!("{job}-{number}")), None, "{number}");
        }
        assert_eq!(read("job_1-1".to_owned()), None);
        assert_eq!(read(job.to_string()), None);
    }

    proptest! {
        #[test]
        fn any_text_is_read_within_bounds(text in ".{0,600}", number in any::<i64>()) {
            let body = json!({"id": text, "data": {"id": number, "user_metadata": {"attempt_id": text}}});
            let hint = read(&body);
            prop_assert!(hint.operations.iter().all(|name| name.len() <= LONGEST_NAME));
            prop_assert!(hint.attempt.is_none_or(|(_, number)| number >= 1));
        }
    }
}

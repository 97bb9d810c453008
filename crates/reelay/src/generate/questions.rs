//! Questions on the terminal: how they are shown and how an answer is read. Pure.

use std::fmt::Write;

use anyhow::{Result, bail};
use serde::Deserialize;
use serde_json::{Map, Value};

/// A question of the API.
#[derive(Debug, Clone, Deserialize)]
pub(super) struct Question {
    pub(super) id: String,
    #[serde(rename = "question")]
    text: String,
    kind: Kind,
    #[serde(default)]
    options: Vec<Choice>,
    #[serde(default)]
    default: Option<Value>,
    #[serde(default)]
    required: bool,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "snake_case")]
enum Kind {
    Choice,
    Number,
    Text,
    Boolean,
}

#[derive(Debug, Clone, Deserialize)]
struct Choice {
    value: Value,
    label: String,
}

impl Question {
    /// The question with its options, for a person.
    pub(super) fn shown(&self) -> String {
        let mut text = format!("\n{}", self.text);
        for (index, choice) in self.options.iter().enumerate() {
            let note = if self.default.as_ref() == Some(&choice.value) { " (default)" } else { "" };
            let _ = write!(text, "\n  {}) {}{note}", index + 1, choice.label);
        }
        if let Some(default) = self.default.as_ref().filter(|_| self.options.is_empty()) {
            let shown = match default {
                Value::Bool(true) => "yes".to_owned(),
                Value::Bool(false) => "no".to_owned(),
                other => plain(other),
            };
            let _ = write!(text, " [{shown}]");
        }
        text
    }

    /// The answer that a line gives; none where the question's default is taken.
    pub(super) fn read(&self, line: &str) -> Result<Option<Value>, String> {
        let line = line.trim();
        if line.is_empty() {
            return if self.required && self.default.is_none() {
                Err("This needs an answer.".to_owned())
            } else {
                Ok(None)
            };
        }
        match self.kind {
            Kind::Text => Ok(Some(line.into())),
            Kind::Number => {
                line.parse::<i64>().map(|n| Some(n.into())).map_err(|_| "A number, please.".to_owned())
            }
            Kind::Boolean => {
                yes_or_no(line).map(|yes| Some(yes.into())).ok_or_else(|| "Yes or no?".to_owned())
            }
            Kind::Choice => self.choice(line).map(Some).ok_or_else(|| "One of these, please.".to_owned()),
        }
    }

    /// What is meant, in this order: an option's value, its label, its number in the list.
    fn choice(&self, line: &str) -> Option<Value> {
        let by = |matches: &dyn Fn(&Choice) -> bool| self.options.iter().find(|choice| matches(choice));
        let same = |text: &str| text.eq_ignore_ascii_case(line);
        let position =
            || line.parse::<usize>().ok()?.checked_sub(1).and_then(|index| self.options.get(index));
        let found = by(&|choice| same(&plain(&choice.value))).or_else(|| by(&|choice| same(&choice.label)));
        found.or_else(position).map(|choice| choice.value.clone())
    }
}

/// The answers of somebody who takes every default.
pub(super) fn defaults(questions: &[Question]) -> Result<Map<String, Value>> {
    if let Some(open) = questions.iter().find(|question| question.required && question.default.is_none()) {
        bail!("\"{}\" has no default: say it in the prompt", open.text);
    }
    let answers =
        questions.iter().filter_map(|question| Some((question.id.clone(), question.default.clone()?)));
    Ok(answers.collect())
}

/// Reads a yes or a no.
pub(super) fn yes_or_no(line: &str) -> Option<bool> {
    match line.to_ascii_lowercase().as_str() {
        "y" | "yes" | "true" => Some(true),
        "n" | "no" | "false" => Some(false),
        _ => None,
    }
}

fn plain(value: &Value) -> String {
    value.as_str().map_or_else(|| value.to_string(), str::to_owned)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn question(value: Value) -> Question {
        serde_json::from_value(value).unwrap()
    }

    fn duration() -> Question {
        question(json!({
            "id": "duration", "question": "How long should it be?", "kind": "choice", "default": 8, "required": true,
            "options": [{"value": 4, "label": "4 seconds"}, {"value": 8, "label": "8 seconds"}],
        }))
    }

    #[test]
    fn options_are_listed_and_the_default_marked() {
        assert_eq!(duration().shown(), "\nHow long should it be?\n  1) 4 seconds\n  2) 8 seconds (default)");
        let audio = question(
            json!({"id": "audio", "question": "Sound?", "kind": "boolean", "default": true, "required": false}),
        );
        assert_eq!(audio.shown(), "\nSound? [yes]");
    }

    #[test]
    fn a_choice_is_read_by_value_label_or_place() {
        for (line, answer) in
            [("4", Some(json!(4))), ("8 Seconds", Some(json!(8))), ("1", Some(json!(4))), ("", None)]
        {
            assert_eq!(duration().read(line), Ok(answer), "{line}");
        }
        for line in ["9", "0", "soon"] {
            assert!(duration().read(line).is_err(), "{line}");
        }
    }

    #[test]
    fn defaults_are_taken_where_there_are_any() {
        assert_eq!(Value::from(defaults(&[duration()]).unwrap()), json!({"duration": 8}));
        let subject =
            question(json!({"id": "subject", "question": "What of?", "kind": "text", "required": true}));
        assert!(defaults(std::slice::from_ref(&subject)).unwrap_err().to_string().contains("What of?"));
        assert_eq!(subject.read(" a boat "), Ok(Some(json!("a boat"))));
        assert!(subject.read("").is_err());
    }
}

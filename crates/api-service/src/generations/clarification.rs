//! The questions that stand between a request and its price, and what the answers make of it.
//!
//! Needed are the subject, the duration and the aspect ratio; everything else takes the model's default. A
//! value that was named and that the model does not allow is asked about, never changed silently. Every
//! question but the subject's has a default. All of it is pure: a request and a model give the questions,
//! the questions and the answers give the final prompt and parameters.

mod in_part;

use std::fmt::Display;

use contract::{Parameters, problem::FieldError};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use utoipa::ToSchema;

use crate::{
    catalogue::{Audio, Model, Resolution},
    intent::{
        self, Language, Parameter, Unclear,
        words::{Words, fill},
    },
};

pub use in_part::{keep, resolution_in_question, widened};

/// The ids of the questions that there are.
pub mod id {
    /// What the video shows: the prompt.
    pub const SUBJECT: &str = "subject";
    /// The length in seconds.
    pub const DURATION: &str = "duration";
    /// Width to height.
    pub const ASPECT_RATIO: &str = "aspect_ratio";
    /// The size of the picture.
    pub const RESOLUTION: &str = "resolution";
    /// Whether sound is all right where silence was asked for, or the other way round.
    pub const AUDIO: &str = "audio";
    /// Whether to go on without the seed that was asked for.
    pub const SEED: &str = "seed";
    /// Whether to go on without the negative prompt that was asked for.
    pub const NEGATIVE_PROMPT: &str = "negative_prompt";
}

/// Something that the user has to say before the price can be told.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct ClarificationQuestion {
    /// The key of the answer in `responses`.
    #[schema(example = "duration")]
    pub id: String,
    /// The question, for a person.
    #[schema(example = "How long should it be?")]
    pub question: String,
    /// What kind of answer it takes.
    pub kind: QuestionKind,
    /// For a choice: what there is to choose from.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub options: Vec<QuestionOption>,
    /// The answer that is taken when none is given.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub default: Option<AnswerValue>,
    /// Whether it must be answered, because there is no default.
    pub required: bool,
}

/// What kind of answer a question takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
pub enum QuestionKind {
    /// One of the options.
    Choice,
    /// A whole number.
    Number,
    /// Free words.
    Text,
    /// Yes or no.
    Boolean,
}

/// An answer to choose.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
pub struct QuestionOption {
    /// What goes into `responses`.
    pub value: AnswerValue,
    /// What a person reads.
    #[schema(example = "8 seconds")]
    pub label: String,
}

/// The value of an answer: yes or no, a whole number, or words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, ToSchema)]
#[serde(untagged)]
pub enum AnswerValue {
    /// Yes or no.
    Boolean(bool),
    /// A whole number.
    Number(i64),
    /// Words.
    Text(String),
}

/// A request as far as it is settled, and what is left to ask.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Draft {
    /// What the video shows; empty while that is a question.
    pub prompt: String,
    /// The parameters that were named and are allowed; the final parameters if nothing is left to ask.
    pub parameters: Parameters,
    /// What is left to ask. If it is empty, the price can be told.
    pub questions: Vec<ClarificationQuestion>,
}

/// A request with nothing left to ask: every parameter is allowed by the model, alone and together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Settled {
    /// What the video shows.
    pub prompt: String,
    /// The final parameters, the model's defaults filled in.
    pub parameters: Parameters,
}

/// Turns what a user named into a draft: settles what the model allows and asks for the rest, in the user's
/// language.
#[must_use]
pub fn draft(
    language: Language,
    model: &Model,
    subject: Option<&str>,
    named: &Parameters,
    unclear: &[Unclear],
) -> Draft {
    let prompt = subject.map(str::trim).unwrap_or_default().to_owned();
    let mut draft = Draft { prompt, parameters: named.clone(), questions: Vec::new() };
    if draft.prompt.is_empty() {
        draft.questions.push(subject_question(language));
    }
    let unclear = |parameter| unclear.iter().find(|u| u.parameter == parameter).map(|u| u.named.as_str());
    ask_duration(language, &mut draft, model, unclear(Parameter::Duration));
    ask_aspect_ratio(language, &mut draft, model, unclear(Parameter::AspectRatio));
    ask_resolution(language, &mut draft, model, unclear(Parameter::Resolution));
    ask_about_features(language, &mut draft, model, unclear(Parameter::Seed));
    if draft.questions.is_empty() {
        draft.parameters = model.fill_defaults(draft.parameters);
    }
    draft
}

/// Applies answers to the questions of a draft. What is not answered takes its question's default; the
/// options of a choice may be given as numbers or as text.
///
/// # Errors
/// Every wrong answer, as `responses.ID`, in the language that the questions were asked in: an unknown id, a missing
/// answer without default, a value of the wrong kind or not among the options, or values that do not go together.
pub fn apply(
    language: Language,
    responses: &Map<String, Value>,
    questions: &[ClarificationQuestion],
    prompt: &str,
    parameters: &Parameters,
    model: &Model,
) -> Result<Settled, Vec<FieldError>> {
    let words = Words::of(language);
    let mut errors: Vec<FieldError> = Vec::new();
    for key in responses.keys().filter(|key| !questions.iter().any(|q| q.id == **key)) {
        let ids: Vec<_> = questions.iter().map(|q| &q.id).collect();
        let message = fill(&words.no_such_question, &[("questions", &words.all_of(&ids))]);
        errors.push(FieldError::new(format!("responses.{key}"), message));
    }
    let mut settled = Settled { prompt: prompt.to_owned(), parameters: parameters.clone() };
    for question in questions {
        let answer = match responses.get(&question.id) {
            Some(given) if !given.is_null() => question.read(language, given).map(Some),
            _ if question.default.is_some() => Ok(question.default.clone()),
            _ if question.required => Err(words.needs_answer.clone()),
            _ => Ok(None),
        };
        let taken = answer.and_then(|answer| match answer {
            Some(answer) => settled.take(language, &question.id, answer, model),
            None => Ok(()),
        });
        if let Err(message) = taken {
            errors.push(FieldError::new(format!("responses.{}", question.id), message));
        }
    }
    if !errors.is_empty() {
        return Err(errors);
    }
    let answered = |id| responses.get(id).is_some_and(|given| !given.is_null());
    let is_asked = |id: &str| questions.iter().any(|question| question.id == id);
    settled.reconcile(model, answered(id::DURATION), answered(id::RESOLUTION), is_asked(id::RESOLUTION));
    settled.parameters = model.fill_defaults(settled.parameters);
    let errors = model.check_in(language, &settled.parameters);
    if errors.is_empty() {
        return Ok(settled);
    }
    Err(errors.into_iter().map(|error| name_after_question(error, questions)).collect())
}

impl Settled {
    /// Takes one answer over.
    fn take(
        &mut self,
        language: Language,
        question: &str,
        answer: AnswerValue,
        model: &Model,
    ) -> Result<(), String> {
        let words = Words::of(language);
        let parameters = &mut self.parameters;
        match (question, answer) {
            (id::SUBJECT, AnswerValue::Text(subject)) => {
                if let Some(error) = model.check_prompt_in(language, &subject) {
                    return Err(error.message);
                }
                subject.trim().clone_into(&mut self.prompt);
            }
            (id::DURATION, AnswerValue::Number(seconds)) => {
                let seconds = u32::try_from(seconds).map_err(|_| words.does_not_fit.clone())?;
                parameters.duration = Some(seconds);
            }
            (id::ASPECT_RATIO, AnswerValue::Text(ratio)) => parameters.aspect_ratio = Some(ratio),
            (id::RESOLUTION, AnswerValue::Text(name)) => parameters.resolution = Some(name),
            (id::AUDIO, AnswerValue::Boolean(true)) => parameters.audio = Some(model.audio != Audio::Never),
            (id::SEED, AnswerValue::Boolean(true)) => parameters.seed = None,
            (id::NEGATIVE_PROMPT, AnswerValue::Boolean(true)) => parameters.negative_prompt = None,
            (_, AnswerValue::Boolean(false)) => {
                return Err(fill(&words.not_otherwise, &[("model", &model.name)]));
            }
            _ => return Err(words.does_not_fit.clone()),
        }
        Ok(())
    }

    /// Where length and resolution do not go together, the one that nobody answered gives way; the options
    /// said so. Where both were answered, or a resolution was named that was no question, the contradiction stays and
    /// is told.
    fn reconcile(
        &mut self,
        model: &Model,
        duration_answered: bool,
        resolution_answered: bool,
        resolution_asked: bool,
    ) {
        let parameters = &mut self.parameters;
        let (Some(duration), Some(resolution)) =
            (parameters.duration, parameters.resolution.as_deref().and_then(|name| model.resolution(name)))
        else {
            return;
        };
        let allowed = model.durations_in(resolution);
        if allowed.contains(&duration) {
            return;
        }
        if resolution_answered && !duration_answered {
            parameters.duration = Some(nearest(allowed, duration));
        } else if duration_answered && resolution_asked && !resolution_answered {
            parameters.resolution = Some(model.default_resolution(Some(duration)));
        }
    }
}

impl ClarificationQuestion {
    /// Reads an answer to this question from JSON; the error is a sentence for the user, in this language.
    fn read(&self, language: Language, given: &Value) -> Result<AnswerValue, String> {
        let words = Words::of(language);
        match self.kind {
            QuestionKind::Choice => {
                let meant = |given: &Value| self.options.iter().find(|option| option.is_meant_by(given));
                // “8 seconds” and “vertical” are answers too.
                let in_words = || intent::read_answer(given.as_str()?, &self.id);
                let chosen = meant(given).or_else(|| meant(&in_words()?));
                chosen.map(|option| option.value.clone()).ok_or_else(|| {
                    let labels: Vec<_> = self.options.iter().map(|option| &option.label).collect();
                    fill(&words.choose_one, &[("choices", &words.any_of(&labels))])
                })
            }
            QuestionKind::Number => {
                whole_number(given).map(AnswerValue::Number).ok_or_else(|| words.needs_number.clone())
            }
            QuestionKind::Text => given
                .as_str()
                .map(|text| AnswerValue::Text(text.to_owned()))
                .ok_or_else(|| words.needs_a_text.clone()),
            QuestionKind::Boolean => {
                yes_or_no(given).map(AnswerValue::Boolean).ok_or_else(|| words.needs_true_or_false.clone())
            }
        }
    }
}

impl QuestionOption {
    fn new(value: AnswerValue, label: impl Into<String>) -> Self {
        Self { value, label: label.into() }
    }

    /// Whether this option was given, by its value or by its label.
    fn is_meant_by(&self, given: &Value) -> bool {
        let same = |a: &str, b: &str| a.trim().eq_ignore_ascii_case(b.trim());
        let by_value = match &self.value {
            AnswerValue::Number(number) => whole_number(given) == Some(*number),
            AnswerValue::Text(text) => given.as_str().is_some_and(|given| same(given, text)),
            AnswerValue::Boolean(value) => yes_or_no(given) == Some(*value),
        };
        by_value || given.as_str().is_some_and(|given| same(given, &self.label))
    }
}

fn whole_number(given: &Value) -> Option<i64> {
    match given {
        Value::Number(number) => number.as_i64().or_else(|| {
            let float = number.as_f64()?;
            (float.fract() == 0.0 && float.abs() < 1e9).then_some(float as i64)
        }),
        Value::String(text) => text.trim().parse().ok(),
        _ => None,
    }
}

fn yes_or_no(given: &Value) -> Option<bool> {
    match given {
        Value::Bool(value) => Some(*value),
        Value::String(text) => match text.trim().to_ascii_lowercase().as_str() {
            "true" | "yes" => Some(true),
            "false" | "no" => Some(false),
            _ => None,
        },
        _ => None,
    }
}

/// The model names the field of a parameter; an answer to a question is named after the question.
fn name_after_question(error: FieldError, questions: &[ClarificationQuestion]) -> FieldError {
    match question_of(&error) {
        id @ (id::DURATION | id::ASPECT_RATIO | id::RESOLUTION)
            if questions.iter().any(|question| question.id == id) =>
        {
            FieldError::new(format!("responses.{id}"), error.message)
        }
        _ => error,
    }
}

/// The id of the question that an error is about, were that asked: of an answer that is wrong, or of a parameter. Empty
/// for everything else.
pub(crate) fn question_of(error: &FieldError) -> &str {
    match error.field.as_str() {
        "parameters.duration" => id::DURATION,
        "parameters.aspectRatio" => id::ASPECT_RATIO,
        "parameters.resolution" => id::RESOLUTION,
        "parameters.audio" => id::AUDIO,
        "parameters.seed" => id::SEED,
        "parameters.negativePrompt" => id::NEGATIVE_PROMPT,
        field => field.strip_prefix("responses.").unwrap_or_default(),
    }
}

fn subject_question(language: Language) -> ClarificationQuestion {
    ClarificationQuestion {
        id: id::SUBJECT.to_owned(),
        question: Words::of(language).ask_subject.clone(),
        kind: QuestionKind::Text,
        options: Vec::new(),
        default: None,
        required: true,
    }
}

fn choice(
    id: &str,
    question: String,
    options: Vec<QuestionOption>,
    default: AnswerValue,
) -> ClarificationQuestion {
    ClarificationQuestion {
        id: id.to_owned(),
        question,
        kind: QuestionKind::Choice,
        options,
        default: Some(default),
        required: false,
    }
}

fn ask_duration(language: Language, draft: &mut Draft, model: &Model, unclear: Option<&str>) {
    let named = draft.parameters.duration;
    let from_images = model.durations_from(&draft.parameters.images);
    if unclear.is_none() && named.is_some_and(|seconds| from_images.contains(&seconds)) {
        return;
    }
    draft.parameters.duration = None;
    let resolution = draft.parameters.resolution.as_deref().and_then(|name| model.resolution(name));
    let allowed = resolution.map_or(model.durations.as_slice(), |r| model.durations_in(r));
    let allowed: Vec<_> = allowed.iter().copied().filter(|length| from_images.contains(length)).collect();
    let allowed = allowed.as_slice();
    let words = Words::of(language);
    let choices = words.any_of(allowed);
    let question = match (unclear, named, resolution, allowed) {
        (Some(named), ..) => fill(&words.duration_unclear, &[("named", &named), ("choices", &choices)]),
        (None, Some(seconds), ..) => fill(
            &words.duration_impossible,
            &[("model", &model.name), ("named", &seconds), ("choices", &choices)],
        ),
        (None, None, Some(resolution), [_]) => {
            fill(&words.duration_only, &[("resolution", &resolution.name), ("choices", &choices)])
        }
        _ => fill(&words.ask_duration, &[("choices", &choices)]),
    };
    // Of those that are allowed, one is the nearest to itself.
    let wanted = named.unwrap_or_else(|| model.default_duration(resolution.map(|r| r.name.as_str())));
    let default = nearest(allowed, wanted);
    let options = allowed
        .iter()
        .map(|&s| QuestionOption::new(AnswerValue::Number(s.into()), fill(&words.seconds, &[("n", &s)])))
        .collect();
    draft.questions.push(choice(id::DURATION, question, options, AnswerValue::Number(default.into())));
}

fn ask_aspect_ratio(language: Language, draft: &mut Draft, model: &Model, unclear: Option<&str>) {
    let named = draft.parameters.aspect_ratio.take();
    if unclear.is_none() && named.as_ref().is_some_and(|ratio| model.aspect_ratios.contains(ratio)) {
        draft.parameters.aspect_ratio = named;
        return;
    }
    let words = Words::of(language);
    let labels: Vec<_> = model.aspect_ratios.iter().map(|ratio| shape(language, ratio)).collect();
    let choices = words.any_of(&labels.iter().map(|label| label.to_lowercase()).collect::<Vec<_>>());
    let question = match (unclear, &named) {
        (Some(named), _) => fill(&words.ratio_unclear, &[("named", &named), ("choices", &choices)]),
        (None, Some(ratio)) => {
            let asked = shape(language, ratio).to_lowercase();
            let values: &[(&str, &dyn Display)] =
                &[("model", &model.name), ("named", &asked), ("choices", &choices)];
            fill(&words.ratio_impossible, values)
        }
        (None, None) => fill(&words.ask_ratio, &[("choices", &choices)]),
    };
    let default = named
        .filter(|_| unclear.is_none())
        .and_then(|named| model.aspect_ratios.iter().find(|r| is_upright(r) && is_upright(&named)))
        .unwrap_or(&model.defaults.aspect_ratio);
    let options = model
        .aspect_ratios
        .iter()
        .zip(labels)
        .map(|(ratio, label)| QuestionOption::new(AnswerValue::Text(ratio.clone()), label))
        .collect();
    draft.questions.push(choice(id::ASPECT_RATIO, question, options, AnswerValue::Text(default.clone())));
}

/// Only asked about when what was named is not possible, alone or with the length that was named.
fn ask_resolution(language: Language, draft: &mut Draft, model: &Model, unclear: Option<&str>) {
    let named = draft.parameters.resolution.take();
    let duration = draft.parameters.duration;
    let known = named.as_deref().and_then(|name| model.resolution(name));
    let names: Vec<_> = model.resolutions.iter().map(|resolution| &resolution.name).collect();
    let words = Words::of(language);
    let choices = words.any_of(&names);
    let question = match (unclear, known, &named) {
        (Some(named), ..) => fill(&words.resolution_unclear, &[("named", &named), ("choices", &choices)]),
        (None, Some(known), _) => match duration {
            Some(seconds) if !model.durations_in(known).contains(&seconds) => fill(
                &words.resolution_or_duration,
                &[
                    ("resolution", &known.name),
                    ("choices", &words.any_of(model.durations_in(known))),
                    ("named", &seconds),
                ],
            ),
            _ => {
                draft.parameters.resolution = named;
                return;
            }
        },
        (None, None, Some(name)) => {
            let values: &[(&str, &dyn Display)] =
                &[("model", &model.name), ("choices", &choices), ("named", name)];
            fill(&words.resolution_impossible, values)
        }
        (None, None, None) => return,
    };
    let option = |resolution: &Resolution| {
        let allowed = model.durations_in(resolution);
        let label = match duration {
            Some(seconds) if allowed.contains(&seconds) => resolution.name.clone(),
            Some(seconds) => fill(
                &words.resolution_with_duration,
                &[("resolution", &resolution.name), ("n", &nearest(allowed, seconds))],
            ),
            None if allowed.len() == model.durations.len() => resolution.name.clone(),
            None => fill(
                &words.resolution_with_durations,
                &[("resolution", &resolution.name), ("choices", &words.any_of(allowed))],
            ),
        };
        QuestionOption::new(AnswerValue::Text(resolution.name.clone()), label)
    };
    let options = model.resolutions.iter().map(option).collect();
    let default = AnswerValue::Text(model.default_resolution(duration));
    draft.questions.push(choice(id::RESOLUTION, question, options, default));
}

/// What a model has or has not, without a choice: whether to go on with that.
fn ask_about_features(language: Language, draft: &mut Draft, model: &Model, unclear_seed: Option<&str>) {
    let Draft { parameters, questions, .. } = draft;
    let mut ask = |id: &str, question: String| {
        questions.push(ClarificationQuestion {
            id: id.to_owned(),
            question,
            kind: QuestionKind::Boolean,
            options: Vec::new(),
            default: Some(AnswerValue::Boolean(true)),
            required: false,
        });
    };
    let words = Words::of(language);
    let about_model = |text: &str| fill(text, &[("model", &model.name)]);
    match (parameters.audio, model.audio) {
        (Some(false), Audio::Always) => {
            parameters.audio = None;
            ask(id::AUDIO, about_model(&words.sound_always));
        }
        (Some(true), Audio::Never) => {
            parameters.audio = None;
            ask(id::AUDIO, about_model(&words.sound_never));
        }
        _ => {}
    }
    if !model.seed && (parameters.seed.is_some() || unclear_seed.is_some()) {
        parameters.seed = None;
        ask(id::SEED, about_model(&words.seed_never));
    } else if let Some(named) = unclear_seed {
        parameters.seed = None;
        ask(id::SEED, fill(&words.seed_unclear, &[("named", &named)]));
    }
    if !model.negative_prompt && parameters.negative_prompt.is_some() {
        parameters.negative_prompt = None;
        ask(id::NEGATIVE_PROMPT, about_model(&words.negative_prompt_never));
    }
}

/// The allowed length next to the one that was named; the shorter of two that are equally near.
fn nearest(allowed: &[u32], named: u32) -> u32 {
    allowed.iter().copied().min_by_key(|seconds| (seconds.abs_diff(named), *seconds)).unwrap_or(named)
}

/// What people call a shape.
pub(crate) fn shape(language: Language, ratio: &str) -> String {
    let words = Words::of(language);
    let name = match sides(ratio) {
        Some((width, height)) if width > height => &words.landscape,
        Some((width, height)) if width < height => &words.portrait,
        Some(_) => &words.square,
        None => return ratio.to_owned(),
    };
    fill(name, &[("ratio", &ratio)])
}

fn is_upright(ratio: &str) -> bool {
    sides(ratio).is_some_and(|(width, height)| width < height)
}

fn sides(ratio: &str) -> Option<(u32, u32)> {
    let (width, height) = ratio.split_once(':')?;
    Some((width.parse().ok()?, height.parse().ok()?))
}

#[cfg(test)]
mod tests;

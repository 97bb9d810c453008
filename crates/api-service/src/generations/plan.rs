//! From what was asked for to a generation that can be stored: pure.

use contract::{ConversationId, GenerationId, MessageId, Parameters, Timestamp, UserId, problem::FieldError};
use serde_json::{Map, Value};

use super::{
    clarification::{self, AnswerValue, Draft, Settled},
    generation::{Generation, Request},
    state::Quote,
    wording::Wording,
};
use crate::{
    catalogue::Model,
    intent::{self, Language, Parameter, Relative, Unclear},
};

/// Where a generation is asked for, and by whom.
#[derive(Clone, Debug)]
pub struct Place {
    /// The conversation.
    pub conversation: ConversationId,
    /// The message that asks.
    pub message: MessageId,
    /// Who asks.
    pub user: UserId,
    /// The generation that it repeats.
    pub retry_of: Option<GenerationId>,
}

/// A new generation, with its price if nothing is left to ask.
#[derive(Clone, Debug)]
pub struct Plan {
    /// As it begins.
    pub generation: Generation,
    /// The price; absent while questions are open.
    pub quote: Option<Quote>,
}

impl Plan {
    /// The same with an enhanced prompt, if it is to be one for this.
    #[must_use]
    pub fn worded(mut self, enhanced: Option<String>) -> Self {
        if !self.generation.prompt.is_empty() {
            Wording::Changed(enhanced).apply(&mut self.generation);
        }
        self
    }
}

/// Plans what a user asked for: what is missing, or named and not possible, is asked.
///
/// # Errors
/// What can neither be made nor asked about, field by field.
pub fn plan(
    model: &Model,
    place: Place,
    asked: &intent::Request,
    now: Timestamp,
) -> Result<Plan, Vec<FieldError>> {
    if let Some(subject) = &asked.subject
        && let Some(error) = model.check_prompt_in(asked.language, subject)
    {
        return Err(vec![error]);
    }
    let draft = clarification::draft(
        asked.language,
        model,
        asked.subject.as_deref(),
        &asked.parameters,
        &asked.unclear,
    );
    let quote = if draft.questions.is_empty() {
        Some(quote(
            model,
            asked.language,
            Settled { prompt: draft.prompt.clone(), parameters: draft.parameters.clone() },
        )?)
    } else {
        None
    };
    let request = Request {
        conversation_id: place.conversation,
        message_id: place.message,
        user_id: place.user,
        provider: model.provider.clone(),
        model: model.model.clone(),
        prompt: draft.prompt,
        parameters: draft.parameters,
        questions: draft.questions,
        retry_of: place.retry_of,
        language: asked.language,
    };
    Ok(Plan { generation: Generation::new(request, now), quote })
}

/// The price of a settled request.
///
/// # Errors
/// What the model does not allow, in the user's language.
pub fn quote(model: &Model, language: Language, settled: Settled) -> Result<Quote, Vec<FieldError>> {
    let price = model.price_in(language, &settled.parameters)?;
    Ok(Quote { settled, price, model: model.name.clone(), wording: Wording::Kept })
}

/// Applies answers to the open questions of a generation.
///
/// # Errors
/// What is wrong with the answers, as `responses.ID`.
pub fn answer(
    model: &Model,
    generation: &Generation,
    responses: &Map<String, Value>,
) -> Result<Quote, Vec<FieldError>> {
    let questions = generation.clarification_questions.as_deref().unwrap_or_default();
    let settled = clarification::apply(
        generation.language,
        responses,
        questions,
        &generation.prompt,
        &generation.parameters,
        model,
    )?;
    quote(model, generation.language, settled)
}

/// What is right of answers that [`answer`] refused with these errors, together with the wishes that came along with
/// them and what was not clear. `None` if nothing of it can be kept, or all of it was known before.
#[must_use]
pub fn answer_in_part(
    model: &Model,
    before: &Generation,
    wished: &Generation,
    responses: &Map<String, Value>,
    errors: &[FieldError],
    unclear: &[Unclear],
) -> Option<Draft> {
    let kept = clarification::keep(wished.language, responses, errors, asked(wished), unclear, model)?;
    (kept != asked(before)).then_some(kept)
}

/// How far a generation is settled, and what is asked.
fn asked(generation: &Generation) -> Draft {
    Draft {
        prompt: generation.prompt.clone(),
        parameters: generation.parameters.clone(),
        questions: generation.clarification_questions.clone().unwrap_or_default(),
    }
}

/// What a direct request asks for: what its prompt says, and before that what it names itself.
#[must_use]
pub fn direct(prompt: &str, named: &Parameters) -> intent::Request {
    let mut asked = intent::read_request(prompt);
    asked.unclear.retain(|unclear| match unclear.parameter {
        Parameter::Duration => named.duration.is_none(),
        Parameter::AspectRatio => named.aspect_ratio.is_none(),
        Parameter::Resolution => named.resolution.is_none(),
        Parameter::Seed => named.seed.is_none(),
    });
    asked.parameters = over(&asked.parameters, named);
    asked
}

/// The parameters with what was named later in place of what was named before.
#[must_use]
pub fn over(before: &Parameters, later: &Parameters) -> Parameters {
    let (before, later) = (before.clone(), later.clone());
    Parameters {
        duration: later.duration.or(before.duration),
        aspect_ratio: later.aspect_ratio.or(before.aspect_ratio),
        resolution: later.resolution.or(before.resolution),
        style: later.style.or(before.style),
        negative_prompt: later.negative_prompt.or(before.negative_prompt),
        audio: later.audio.or(before.audio),
        seed: later.seed.or(before.seed),
        images: if later.images.is_empty() { before.images } else { later.images },
    }
}

/// What a generation asked for, to be asked for again. Questions that were still open take their defaults, so
/// that it only waits for a yes; but what it shall show nobody can say for the user.
///
/// # Errors
/// What of it is no longer possible, as `responses.ID`.
pub fn again(model: &Model, earlier: &Generation) -> Result<intent::Request, Vec<FieldError>> {
    let open = earlier.clarification_questions.is_some() && earlier.clarification_responses.is_none();
    let subject = Some(earlier.prompt.clone()).filter(|prompt| !prompt.is_empty());
    let parameters = match subject {
        Some(_) if open => answer(model, earlier, &Map::new())?.settled.parameters,
        _ => earlier.parameters.clone(),
    };
    Ok(intent::Request { subject, parameters, language: earlier.language, ..intent::Request::default() })
}

/// What a finished video, or one in the making, asked for, with what is wanted otherwise this time. What was
/// not named stays as it was, and so do the words.
#[must_use]
pub fn follow_up(earlier: &Generation, wishes: &intent::Request) -> intent::Request {
    let subject = match &wishes.subject {
        Some(further) => with_further(&earlier.prompt, further),
        None => earlier.prompt.clone(),
    };
    let mut parameters = over(&earlier.parameters, &wishes.parameters);
    if wishes.parameters == Parameters::default() && wishes.relative.is_none() {
        // With the seed of the first, the second would be the first.
        parameters.seed = None;
    }
    intent::Request {
        subject: Some(subject).filter(|subject| !subject.is_empty()),
        parameters,
        unclear: wishes.unclear.clone(),
        relative: None,
        language: wishes.language,
    }
}

/// The length that a comparison means: the next one that the model has. If there is none, the one that it is
/// compared with, as the error.
pub fn stretched(model: &Model, from: Option<u32>, wish: Relative) -> Result<u32, u32> {
    let from = from.unwrap_or_else(|| model.default_duration(None));
    next(model.durations.iter().copied(), from, wish).ok_or(from)
}

/// The next length in that direction, if there is one.
fn next(lengths: impl Iterator<Item = u32>, from: u32, wish: Relative) -> Option<u32> {
    match wish {
        Relative::Longer => lengths.filter(|length| *length > from).min(),
        Relative::Shorter => lengths.filter(|length| *length < from).max(),
    }
}

/// The length that a comparison means while the length is still a question: compared with the one that would be taken
/// otherwise, the next that there is to choose. `None` if it is no question.
///
/// # Errors
/// There is none: the one that it is compared with.
#[must_use]
pub fn compared_length(asking: &Generation, wish: Relative) -> Option<Result<u32, u32>> {
    let mut questions = asking.clarification_questions.iter().flatten();
    let question = questions.find(|question| question.id == clarification::id::DURATION)?;
    let length = |value: &AnswerValue| match value {
        AnswerValue::Number(seconds) => u32::try_from(*seconds).ok(),
        AnswerValue::Boolean(_) | AnswerValue::Text(_) => None,
    };
    let from = question.default.as_ref().and_then(length)?;
    let choices = question.options.iter().filter_map(|option| length(&option.value));
    Some(next(choices, from, wish).ok_or(from))
}

/// A text without what makes no other words of it.
fn plain(text: &str) -> String {
    text.trim().trim_end_matches(['.', ',']).to_lowercase()
}

/// Whether a text, both plain, begins with another and goes on after a whole word.
fn goes_on_from(text: &str, other: &str) -> bool {
    text.strip_prefix(other).is_some_and(|rest| rest.starts_with([' ', ',']))
}

/// Whether a prompt says something else than the one before, and not only more.
#[must_use]
pub fn says_otherwise(before: &str, prompt: &str) -> bool {
    let (known, said) = (plain(before), plain(prompt));
    known != said && !goes_on_from(&said, &known)
}

/// A prompt with further words about it, unless they are said again. Words that begin with the whole prompt say it
/// again with more.
fn with_further(prompt: &str, further: &str) -> String {
    let (known, said) = (plain(prompt), plain(further));
    let is_repeated = known == said || known.ends_with(&format!(", {said}"));
    if prompt.is_empty() || goes_on_from(&said, &known) {
        further.to_owned()
    } else if is_repeated {
        prompt.to_owned()
    } else {
        format!("{}, {further}", prompt.trim_end_matches(['.', ',']))
    }
}

/// The enhanced prompt of a generation with further words about it. They go after it as they go after the prompt: the
/// user has seen it, and may have written it.
#[must_use]
pub fn enhanced_further(generation: &Generation, further: &str) -> Option<String> {
    generation.enhanced_prompt.as_ref().map(|enhanced| with_further(enhanced, further))
}

/// A generation with what it shall show said anew. What was said before counts where it is said again, in whole or in
/// part; else the new words do, and no enhanced prompt is for these yet.
#[must_use]
pub fn retold(generation: &Generation, scene: &str) -> Generation {
    let mut retold = generation.clone();
    let (known, said) = (plain(&generation.prompt), plain(scene));
    if known != said && !goes_on_from(&known, &said) {
        scene.trim().clone_into(&mut retold.prompt);
        retold.enhanced_prompt = None;
    }
    retold
}

/// A generation with the choices that its open questions have by now: a resolution that was given up makes room for
/// other lengths.
#[must_use]
pub fn with_more_choices(model: &Model, asking: Generation) -> Generation {
    let questions = clarification::widened(asking.language, model, asked(&asking));
    Generation {
        clarification_questions: asking.clarification_questions.as_ref().map(|_| questions),
        ..asking
    }
}

/// The resolution that was asked for, where the open question is whether to have it or the length.
#[must_use]
pub fn resolution_in_question(model: &Model, asking: &Generation) -> Option<String> {
    clarification::resolution_in_question(asking.language, model, &asked(asking))
}

/// A generation with further wishes taken in, possible or not: parameters in place of the earlier ones, words after the
/// prompt.
#[must_use]
pub fn wished(generation: &Generation, wishes: &intent::Request) -> Generation {
    let mut wished = generation.clone();
    wished.parameters = over(&generation.parameters, &wishes.parameters);
    if let Some(further) = &wishes.subject {
        wished.prompt = with_further(&generation.prompt, further);
        wished.enhanced_prompt = enhanced_further(generation, further);
    }
    wished
}

/// What is wrong with the words of a generation, if anything. Many small wishes must not grow into a prompt that the
/// worker refuses; an empty one is still a question.
#[must_use]
pub fn wrong_words(model: &Model, language: Language, generation: &Generation) -> Option<FieldError> {
    if generation.prompt.is_empty() {
        return None;
    }
    let texts = [generation.prompt.as_str(), generation.words()];
    texts.iter().find_map(|text| model.check_prompt_in(language, text))
}

/// What of the wishes for a generation is not clear: each in a sentence that says what there is to choose.
#[must_use]
pub fn not_clear(
    model: &Model,
    language: Language,
    wished: &Generation,
    unclear: &[Unclear],
) -> Vec<FieldError> {
    let asked =
        clarification::draft(language, model, Some(wished.prompt.as_str()), &wished.parameters, unclear);
    let is_about_it = |id: &str| unclear.iter().any(|unclear| unclear.parameter.question() == id);
    let questions = asked.questions.into_iter().filter(|question| is_about_it(&question.id));
    questions.map(|it| FieldError::new(format!("responses.{}", it.id), it.question)).collect()
}

/// A generation with further wishes taken in, as [`wished`], all of them clear and possible.
///
/// # Errors
/// What of it is not clear or not possible, in sentences for the user.
pub fn with_wishes(
    model: &Model,
    generation: &Generation,
    wishes: &intent::Request,
) -> Result<Generation, Vec<FieldError>> {
    let wished = wished(generation, wishes);
    if !wishes.unclear.is_empty() {
        return Err(not_clear(model, wishes.language, &wished, &wishes.unclear));
    }
    let mut errors = model.check_in(wishes.language, &wished.parameters);
    errors.extend(wrong_words(model, wishes.language, &wished));
    if errors.is_empty() { Ok(wished) } else { Err(errors) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{catalogue::Catalogue, generations::generation::tests::generation};

    fn place() -> Place {
        Place {
            conversation: ConversationId::new(),
            message: MessageId::new(),
            user: UserId::new(),
            retry_of: None,
        }
    }

    #[test]
    fn words_that_are_said_again_are_not_added_again() {
        for (prompt, further, expected) in [
            ("", "a cat", "a cat"),
            ("a cat", "A cat.", "a cat"),
            ("a cat", "with a red hat", "a cat, with a red hat"),
            ("a cat, with a red hat", "with a red hat", "a cat, with a red hat"),
            ("a black cat", "cat", "a black cat, cat"),
            ("a cat", "A cat playing the piano", "A cat playing the piano"),
            ("a cat.", "a cat, by night", "a cat, by night"),
            ("a cat", "a catfish", "a cat, a catfish"),
        ] {
            assert_eq!(with_further(prompt, further), expected, "{prompt} + {further}");
        }
    }

    #[test]
    fn a_scene_that_is_said_anew_counts_unless_it_is_the_same() {
        let mut before = generation();
        before.enhanced_prompt = Some("A cat at a grand piano.".to_owned());
        for (prompt, scene, expected) in [
            ("a cat playing the piano", "A cat playing the piano.", "a cat playing the piano"),
            (
                "a cat playing the piano, by night",
                "a cat playing the piano",
                "a cat playing the piano, by night",
            ),
            ("a cat", " a cat playing the piano", "a cat playing the piano"),
            ("a catfish in a lake", "a cat", "a cat"),
            ("a cat", "a dog running in a park", "a dog running in a park"),
        ] {
            prompt.clone_into(&mut before.prompt);
            let after = retold(&before, scene);
            assert_eq!(after.prompt, expected, "{prompt} + {scene}");
            assert_eq!(after.enhanced_prompt.is_some(), after.prompt == prompt, "{prompt} + {scene}");
        }
    }

    #[test]
    fn more_words_say_nothing_else() {
        for (before, prompt, otherwise) in [
            ("a cat", "A cat.", false),
            ("a cat", "a cat, by night", false),
            ("a cat.", "a cat playing the piano", false),
            ("a cat", "a catfish in a lake", true),
            ("a cat", "a dog", true),
        ] {
            assert_eq!(says_otherwise(before, prompt), otherwise, "{before} + {prompt}");
        }
    }

    #[test]
    fn what_is_not_clear_is_told_with_what_there_is() {
        let catalogue = Catalogue::built_in();
        let model = catalogue.default_model();
        for (parameter, named, says) in [
            (
                Parameter::Duration,
                "7.5 seconds",
                "You wrote “7.5 seconds”; I can make it 4, 6 or 8 seconds long.",
            ),
            (Parameter::AspectRatio, "vertical, 16:9", "You wrote “vertical, 16:9”; should it be landscape"),
            (Parameter::Resolution, "720p, 4k", "You wrote “720p, 4k”; I can make 720p, 1080p or 4k."),
            (Parameter::Seed, "1e9", "cannot work from a seed"),
        ] {
            let unclear = vec![Unclear { parameter, named: named.to_owned() }];
            let wishes = intent::Request { unclear, ..intent::Request::default() };
            let errors = with_wishes(model, &generation(), &wishes).unwrap_err();
            assert_eq!(errors.len(), 1, "{errors:?}");
            assert!(errors[0].message.contains(says), "{errors:?}");
        }
    }

    #[test]
    fn what_is_missing_is_asked_and_what_is_there_is_priced() {
        let catalogue = Catalogue::built_in();
        let model = catalogue.default_model();
        for (prompt, named, questions) in [
            ("a paper boat", Parameters::default(), vec!["duration", "aspect_ratio"]),
            ("a paper boat, 8 seconds", Parameters::default(), vec!["aspect_ratio"]),
            ("a paper boat, 8 seconds, vertical", Parameters::default(), vec![]),
            (
                "a paper boat, 8 seconds",
                Parameters {
                    aspect_ratio: Some("16:9".to_owned()),
                    duration: Some(4),
                    ..Parameters::default()
                },
                vec![],
            ),
        ] {
            let plan = plan(model, place(), &direct(prompt, &named), Timestamp::now()).unwrap();
            let asked: Vec<_> =
                plan.generation.clarification_questions.iter().flatten().map(|q| q.id.as_str()).collect();
            assert_eq!(asked, questions, "{prompt}");
            assert_eq!(plan.quote.is_some(), questions.is_empty(), "{prompt}");
            if let Some(seconds) = named.duration {
                assert_eq!(plan.generation.parameters.duration, Some(seconds), "what is named itself counts");
            }
        }
    }

    #[test]
    fn a_follow_up_keeps_what_is_not_named() {
        let catalogue = Catalogue::built_in();
        let model = catalogue.default_model();
        let mut earlier = generation();
        earlier.parameters = Parameters { seed: Some(7), ..model.fill_defaults(Parameters::default()) };
        let upright = Parameters { aspect_ratio: Some("9:16".to_owned()), ..Parameters::default() };
        let wishes = intent::Request { parameters: upright, ..intent::Request::default() };
        let asked = follow_up(&earlier, &wishes);
        assert_eq!(asked.subject.as_deref(), Some("a paper boat"));
        assert_eq!(asked.parameters.aspect_ratio.as_deref(), Some("9:16"));
        assert_eq!(asked.parameters.duration, earlier.parameters.duration);
        assert_eq!(asked.parameters.seed, Some(7), "the same but upright");
        let another = follow_up(&earlier, &intent::Request::default());
        assert_eq!(another.parameters.seed, None, "another one is another one");
        let mut place = place();
        place.retry_of = None;
        assert!(plan(model, place, &another, Timestamp::now()).unwrap().quote.is_some(), "nothing to ask");
    }

    #[test]
    fn longer_and_shorter_are_the_next_length_that_there_is() {
        let catalogue = Catalogue::built_in();
        let model = catalogue.default_model();
        for (from, wish, expected) in [
            (Some(4), Relative::Longer, Ok(6)),
            (Some(5), Relative::Longer, Ok(6)),
            (Some(8), Relative::Longer, Err(8)),
            (Some(8), Relative::Shorter, Ok(6)),
            (Some(4), Relative::Shorter, Err(4)),
            (None, Relative::Shorter, Ok(6)),
        ] {
            assert_eq!(stretched(model, from, wish), expected, "{from:?} {wish:?}");
        }
    }

    #[test]
    fn longer_answers_an_open_question_for_the_length() {
        let catalogue = Catalogue::built_in();
        let model = catalogue.default_model();
        let asking = plan(model, place(), &direct("a paper boat", &Parameters::default()), Timestamp::now());
        let asking = asking.unwrap().generation;
        assert_eq!(compared_length(&asking, Relative::Shorter), Some(Ok(6)));
        assert_eq!(compared_length(&asking, Relative::Longer), Some(Err(8)));
        assert_eq!(compared_length(&generation(), Relative::Shorter), None, "it is no question");
    }

    #[test]
    fn wishes_go_over_what_was_there() {
        let catalogue = Catalogue::built_in();
        let model = catalogue.default_model();
        let mut before = generation();
        before.parameters = model.fill_defaults(Parameters::default());
        let wishes = intent::Request {
            subject: Some("at night".to_owned()),
            parameters: Parameters { aspect_ratio: Some("9:16".to_owned()), ..Parameters::default() },
            ..intent::Request::default()
        };
        let after = with_wishes(model, &before, &wishes).unwrap();
        assert_eq!(after.prompt, "a paper boat, at night");
        assert_eq!(after.parameters.aspect_ratio.as_deref(), Some("9:16"));
        assert_eq!(after.parameters.duration, before.parameters.duration);
        assert_eq!(Wording::between(&before, &after), Wording::Kept);
        before.enhanced_prompt = Some("A paper boat on a river.".to_owned());
        let after = with_wishes(model, &before, &wishes).unwrap();
        assert_eq!(after.enhanced_prompt.as_deref(), Some("A paper boat on a river, at night"));
        assert_eq!(Wording::between(&before, &after), Wording::Changed(after.enhanced_prompt));
        let impossible = intent::Request {
            parameters: Parameters { duration: Some(7), ..Parameters::default() },
            ..intent::Request::default()
        };
        assert_eq!(with_wishes(model, &before, &impossible).unwrap_err()[0].field, "parameters.duration");
        let german = intent::Request { language: Language::German, ..impossible };
        let told = &with_wishes(model, &before, &german).unwrap_err()[0].message;
        assert!(told.contains("4, 6 oder 8 Sekunden"), "{told}");
        let endless =
            intent::Request { subject: Some("and on ".repeat(2_000)), ..intent::Request::default() };
        assert_eq!(with_wishes(model, &before, &endless).unwrap_err()[0].field, "prompt");
    }
}

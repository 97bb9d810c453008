//! A message that answers the open questions: what comes of the answers, and of what else was said along with them.
//! Pure.

use contract::{Parameters, problem::FieldError};
use serde_json::{Map, Value};

use super::service::{Planned, measure};
use crate::{
    catalogue::Model,
    conversations::message::MessageKind,
    generations::{
        clarification::{Draft, id, question_of},
        generation::Generation,
        plan,
        state::{InPart, Quote},
        wording::Wording,
    },
    intent::{Answers, Request, reply},
};

/// What comes of answers. Where some are wrong, the others are kept; and what was said beyond the questions, and is not
/// clear or does not go together, is asked about.
pub(super) fn answered(model: &Model, open: Generation, answers: Answers) -> Planned {
    let Answers { mut responses, mut further, scene } = answers;
    // What is wrong with answers is told together with the questions, which stay in the language that they have.
    further.language = open.language;
    if let Err(words) = compare(model, &open, &mut responses, &mut further) {
        return Planned::Talk(MessageKind::Clarification, words, Some(Box::new(open)));
    }
    choose_by_length(model, &open, &further, &mut responses);
    let unclear = std::mem::take(&mut further.unclear);
    let wished = match &scene {
        Some(scene) => plan::wished(&plan::retold(&open, scene), &further),
        None => plan::wished(&open, &further),
    };
    let wished = plan::with_more_choices(model, wished);
    let wording = Wording::between(&open, &wished);
    if let Some(error) = plan::wrong_words(model, open.language, &wished) {
        return refused(open, None, wording, &[error]);
    }
    let mut errors = plan::not_clear(model, open.language, &wished, &unclear);
    errors.extend(contradiction(model, &further, &mut responses));
    // Whoever only says anew what the video shows has left no question to its default.
    let is_answer = scene.is_none() || !responses.is_empty();
    match plan::answer(model, &wished, &responses) {
        Ok(quote) if is_answer && errors.is_empty() => {
            return Planned::Answer(Box::new(open), responses, Box::new(Quote { wording, ..quote }));
        }
        Ok(_) => {}
        Err(wrong) => errors.extend(wrong),
    }
    let kept = plan::answer_in_part(model, &open, &wished, &responses, &errors, &unclear);
    refused(open, kept, wording, &errors)
}

/// Turns “longer” into a length. While the length is a question, it is compared with the one that would be taken
/// otherwise. The error says that there is none.
fn compare(
    model: &Model,
    open: &Generation,
    responses: &mut Map<String, Value>,
    further: &mut Request,
) -> Result<(), String> {
    let Some(wish) = further.relative.filter(|_| !responses.contains_key(id::DURATION)) else {
        return Ok(());
    };
    match plan::compared_length(open, wish) {
        Some(Ok(length)) => {
            responses.insert(id::DURATION.to_owned(), length.into());
            Ok(())
        }
        Some(Err(limit)) => Err(reply::at_the_limit(open.language, wish, limit)),
        None => measure(model, open, further),
    }
}

/// Where the question is whether to have a resolution or the length, a length that goes with the resolution chooses it.
fn choose_by_length(model: &Model, open: &Generation, further: &Request, responses: &mut Map<String, Value>) {
    if let Some(length) = further.parameters.duration
        && !responses.contains_key(id::RESOLUTION)
        && let Some(name) = plan::resolution_in_question(model, open)
        && model.resolution(&name).is_some_and(|it| model.durations_in(it).contains(&length))
    {
        responses.insert(id::RESOLUTION.to_owned(), name.into());
    }
}

/// Takes back a resolution that does not come in the length that was named along with it: it answers nothing, since
/// either may be meant. Where no length is named, the one that was there gives way, as the options say.
fn contradiction(model: &Model, further: &Request, responses: &mut Map<String, Value>) -> Option<FieldError> {
    let duration = Some(further.parameters.duration?);
    let resolution = Some(responses.get(id::RESOLUTION)?.as_str()?.to_owned());
    let named = Parameters { duration, resolution, ..Parameters::default() };
    let errors = model.check_in(further.language, &named);
    let error = errors.into_iter().find(|error| question_of(error) == id::RESOLUTION)?;
    model.resolution(named.resolution.as_deref()?)?;
    responses.remove(id::RESOLUTION);
    Some(error)
}

/// Asks what is left to ask, and says what was wrong, if anything.
fn refused(open: Generation, kept: Option<Draft>, wording: Wording, errors: &[FieldError]) -> Planned {
    let before = open.clarification_questions.as_deref().unwrap_or_default();
    let questions = kept.as_ref().map_or(before, |draft| draft.questions.as_slice());
    let says = if errors.is_empty() {
        reply::questions(open.language, questions, open.id.as_str())
    } else {
        reply::answers_refused(open.language, errors, before, questions)
    };
    match kept {
        Some(draft) => Planned::AnswerInPart(Box::new(open), Box::new(InPart { draft, wording, says })),
        None => Planned::Talk(MessageKind::Clarification, says, Some(Box::new(open))),
    }
}

#[cfg(test)]
mod tests {
    use contract::{ConversationId, MessageId, Timestamp, UserId};
    use serde_json::json;

    use super::*;
    use crate::{
        catalogue::Catalogue,
        generations::plan::Place,
        intent::{self, Context, Intent, read_request},
    };

    fn veo() -> Model {
        Catalogue::built_in().default_model().clone()
    }

    fn asking(wish: &str) -> Generation {
        let place = Place {
            conversation: ConversationId::new(),
            message: MessageId::new(),
            user: UserId::new(),
            retry_of: None,
        };
        plan::plan(&veo(), place, &read_request(wish), Timestamp::now()).unwrap().generation
    }

    fn read(open: &Generation, said: &str) -> Intent {
        let open_questions = open.clarification_questions.as_deref().unwrap_or_default();
        let context = Context { open_questions, language: Some(open.language), ..Context::default() };
        intent::analyse(said, context)
    }

    fn say(open: &Generation, said: &str) -> Planned {
        match read(open, said) {
            Intent::Answers(answers) => answered(&veo(), open.clone(), answers),
            other => panic!("{said}: {other:?}"),
        }
    }

    /// What was kept of an answer, and what was said to it.
    fn in_part(open: &Generation, said: &str) -> (Generation, String) {
        match say(open, said) {
            Planned::AnswerInPart(open, in_part) => {
                let InPart { draft, wording: _, says } = *in_part;
                let mut kept = *open;
                kept.prompt = draft.prompt;
                kept.parameters = draft.parameters;
                kept.clarification_questions = Some(draft.questions);
                (kept, says)
            }
            other => panic!("{said}: {other:?}"),
        }
    }

    fn ids(open: &Generation) -> Vec<&str> {
        open.clarification_questions.iter().flatten().map(|question| question.id.as_str()).collect()
    }

    fn settled(open: &Generation, said: &str) -> (String, Parameters) {
        match say(open, said) {
            Planned::Answer(_, _, quote) => (quote.settled.prompt, quote.settled.parameters),
            other => panic!("{said}: {other:?}"),
        }
    }

    fn parameters(value: Value) -> Parameters {
        serde_json::from_value(value).unwrap()
    }

    #[test]
    fn a_subject_that_is_said_again_is_no_second_video() {
        let (open, _) = in_part(&asking("make me a video"), "a cat playing the piano, 7 seconds, vertical");
        assert_eq!((open.prompt.as_str(), ids(&open)), ("a cat playing the piano", vec!["duration"]));
        for (said, prompt) in [
            ("a cat playing the piano, 8 seconds", "a cat playing the piano"),
            ("A cat playing the piano. 8 seconds!", "a cat playing the piano"),
            ("a cat playing the piano on a roof, 8 seconds", "a cat playing the piano on a roof"),
            ("a dog running in the park, 8 seconds", "a dog running in the park"),
            ("8 seconds, and the cat should be red", "a cat playing the piano, the cat should be red"),
        ] {
            let (words, parameters) = settled(&open, said);
            assert_eq!(words, prompt, "{said}");
            assert_eq!((parameters.duration, parameters.aspect_ratio.as_deref()), (Some(8), Some("9:16")));
        }
        for another in ["make another video: a dog running in the park", "new video of a dog, 8 seconds"] {
            assert!(matches!(read(&open, another), Intent::Video(_)), "{another}");
        }
    }

    /// Whoever says nothing but what the video shows has not left the questions to their defaults.
    #[test]
    fn a_subject_alone_leaves_the_questions_open() {
        let mut open = asking("make me a video of a cat");
        open.enhanced_prompt = Some("A cat on a sofa.".to_owned());
        let (kept, says) = in_part(&open, "a dog running in the park");
        assert_eq!(
            (kept.prompt.as_str(), ids(&kept)),
            ("a dog running in the park", vec!["duration", "aspect_ratio"])
        );
        assert!(says.contains("How long should it be"), "{says}");
        match say(&open, "a dog running in the park") {
            Planned::AnswerInPart(_, in_part) => assert_eq!(in_part.wording, Wording::Changed(None)),
            other => panic!("{other:?}"),
        }
        match say(&kept, "a dog running in the park") {
            Planned::Talk(MessageKind::Clarification, words, _) => assert_eq!(words, says),
            other => panic!("{other:?}"),
        }
    }

    /// What is right is kept, whatever else was said; what is not becomes a question in the user's language.
    #[test]
    fn nothing_that_was_said_is_dropped_in_silence() {
        for (wish, said, kept, question, told) in [
            (
                "make me a video of a cat",
                "7.5 seconds, vertical",
                json!({"aspectRatio": "9:16"}),
                "duration",
                "You wrote “7.5 seconds”; I can make it 4, 6 or 8 seconds long. Which shall it be?",
            ),
            (
                "mach mir ein Video von einer Katze",
                "7,5 Sekunden, hochkant",
                json!({"aspectRatio": "9:16"}),
                "duration",
                "4, 6 oder 8 Sekunden",
            ),
            (
                "fais-moi une vidéo d'un chat",
                "7,5 secondes, vertical",
                json!({"aspectRatio": "9:16"}),
                "duration",
                "4, 6 ou 8 secondes",
            ),
            (
                "hazme un video de un gato",
                "7,5 segundos, vertical",
                json!({"aspectRatio": "9:16"}),
                "duration",
                "4, 6 o 8 segundos",
            ),
            (
                "make me a video of a cat",
                "4 seconds, 4k, vertical",
                json!({"duration": 4, "aspectRatio": "9:16"}),
                "resolution",
                "4k only comes in 8 seconds, and you asked for 4. Which would you like?",
            ),
            (
                "mach mir ein Video von einer Katze",
                "4 Sekunden, 4k, hochkant",
                json!({"duration": 4, "aspectRatio": "9:16"}),
                "resolution",
                "4k gibt es nur",
            ),
            (
                "make me a video of a cat",
                "8 seconds, vertical, 8k",
                json!({"duration": 8, "aspectRatio": "9:16"}),
                "resolution",
                "Veo 3.1 makes 720p, 1080p or 4k, not 8k.",
            ),
            (
                "make me a video of a cat, 8 seconds",
                "vertical, 7.5 seconds",
                json!({"aspectRatio": "9:16"}),
                "duration",
                "You wrote “7.5 seconds”",
            ),
            (
                "make me a video of a cat",
                "8 seconds, vertical, without sound",
                json!({"duration": 8, "aspectRatio": "9:16"}),
                "audio",
                "That doesn't work yet. Veo 3.1 always makes sound. Is a video with sound all right?",
            ),
        ] {
            let open = asking(wish);
            let (rest, says) = in_part(&open, said);
            assert_eq!(rest.parameters, parameters(kept), "{said}");
            assert_eq!(ids(&rest), [question], "{said}");
            assert!(says.contains(told), "{said}: {says}");
            let again = say(&rest, said);
            assert!(matches!(again, Planned::Talk(MessageKind::Clarification, ..)), "{said}: {again:?}");
        }
    }

    #[test]
    fn a_value_that_became_a_question_is_answered_like_any() {
        let (open, _) = in_part(&asking("make me a video of a cat"), "4 seconds, 4k, vertical");
        for (said, duration, resolution) in [
            ("720p", 4, "720p"),
            ("4k", 8, "4k"),
            ("8 seconds then", 8, "4k"),
            ("make it 8 seconds", 8, "4k"),
            ("4 seconds", 4, "720p"),
            ("6 seconds", 6, "720p"),
            ("whatever you like", 4, "720p"),
        ] {
            let (_, parameters) = settled(&open, said);
            assert_eq!(
                (parameters.duration, parameters.resolution.as_deref()),
                (Some(duration), Some(resolution)),
                "{said}"
            );
        }
        let (open, says) = in_part(&asking("make me a video of a cat, 4 seconds"), "vertical, 1080p");
        assert!(says.contains("1080p only comes in 8 seconds, and you asked for 4."), "{says}");
        assert_eq!(settled(&open, "1080p").1.duration, Some(8), "as the question has said");
        let (_, parameters) = settled(&asking("make me a video of a cat"), "8 seconds, 4k, vertical");
        assert_eq!(parameters.resolution.as_deref(), Some("4k"));
    }

    /// A resolution that is given up makes room for lengths that were none of the choices before.
    #[test]
    fn a_length_may_be_one_of_the_choices_by_now() {
        let open = asking("make me a video of a cat in 4k");
        let (_, parameters) = settled(&open, "4 seconds, 720p, vertical");
        assert_eq!((parameters.duration, parameters.resolution.as_deref()), (Some(4), Some("720p")));
        let (kept, says) = in_part(&open, "4 seconds, vertical");
        assert_eq!((kept.parameters.resolution.as_deref(), ids(&kept)), (Some("4k"), vec!["duration"]));
        assert!(says.contains("In 4k the video will be 8 seconds long."), "{says}");
    }
}

//! Tables over the questions and their answers.

use super::*;
use crate::catalogue::Catalogue;
use serde_json::json;

fn parameters(value: Value) -> Parameters {
    serde_json::from_value(value).unwrap()
}

fn ids(questions: &[ClarificationQuestion]) -> Vec<&str> {
    questions.iter().map(|question| question.id.as_str()).collect()
}

fn veo() -> Model {
    Catalogue::built_in().default_model().clone()
}

/// Drafts, answers and settles in one go, as the flow does.
fn settle(named: Value, responses: &Value) -> Result<Settled, Vec<FieldError>> {
    let veo = veo();
    let draft = draft(Language::English, &veo, Some("a paper boat"), &parameters(named), &[]);
    apply(
        Language::English,
        responses.as_object().unwrap(),
        &draft.questions,
        &draft.prompt,
        &draft.parameters,
        &veo,
    )
}

#[test]
fn only_what_is_missing_or_not_allowed_is_asked() {
    for (subject, named, asked) in [
        (None, json!({}), vec!["subject", "duration", "aspect_ratio"]),
        (Some("  "), json!({"duration": 8, "aspectRatio": "16:9"}), vec!["subject"]),
        (Some("a boat"), json!({}), vec!["duration", "aspect_ratio"]),
        (Some("a boat"), json!({"duration": 6}), vec!["aspect_ratio"]),
        (Some("a boat"), json!({"aspectRatio": "9:16"}), vec!["duration"]),
        (Some("a boat"), json!({"duration": 6, "aspectRatio": "9:16"}), vec![]),
        (Some("a boat"), json!({"duration": 7, "aspectRatio": "1:1"}), vec!["duration", "aspect_ratio"]),
        (Some("a boat"), json!({"duration": 8, "aspectRatio": "16:9", "resolution": "4k"}), vec![]),
        (
            Some("a boat"),
            json!({"duration": 8, "aspectRatio": "16:9", "resolution": "8k"}),
            vec!["resolution"],
        ),
        (
            Some("a boat"),
            json!({"duration": 4, "aspectRatio": "16:9", "resolution": "4k"}),
            vec!["resolution"],
        ),
        (
            Some("a boat"),
            json!({"duration": 8, "aspectRatio": "16:9", "audio": false, "seed": 7}),
            vec!["audio", "seed"],
        ),
    ] {
        let draft = draft(Language::English, &veo(), subject, &parameters(named.clone()), &[]);
        assert_eq!(ids(&draft.questions), asked, "{named}");
        assert!(veo().check(&draft.parameters).is_empty(), "a draft holds only what is allowed: {named}");
        for question in &draft.questions {
            assert_eq!(question.required, question.id == "subject", "{}", question.id);
            assert_eq!(question.default.is_none(), question.required, "{}", question.id);
            let offered = |d| question.options.iter().any(|option| option.value == d);
            assert!(question.options.is_empty() || question.default.clone().is_some_and(offered));
        }
        if asked.is_empty() {
            assert_eq!(veo().fill_defaults(draft.parameters.clone()), draft.parameters, "final: {named}");
        }
    }
}

#[test]
fn questions_have_the_contracts_shape() {
    let draft = draft(Language::English, &veo(), None, &Parameters::default(), &[]);
    insta::assert_json_snapshot!(draft.questions);
}

#[test]
fn what_was_unclear_is_quoted_in_the_question() {
    let unclear = [Unclear { parameter: Parameter::Duration, named: "4 to 8 seconds".to_owned() }];
    let named = parameters(json!({"duration": 4, "aspectRatio": "16:9"}));
    let draft = draft(Language::English, &veo(), Some("a boat"), &named, &unclear);
    assert_eq!(ids(&draft.questions), ["duration"]);
    assert!(draft.questions[0].question.contains("4 to 8 seconds"));
    assert_eq!(draft.parameters.duration, None);
}

#[test]
fn answers_settle_a_request() {
    for (named, responses, expected) in [
        (json!({}), json!({}), json!({"duration": 8, "aspectRatio": "16:9", "resolution": "720p"})),
        (
            json!({}),
            json!({"duration": 6, "aspect_ratio": "9:16"}),
            json!({"duration": 6, "aspectRatio": "9:16", "resolution": "720p"}),
        ),
        (
            json!({}),
            json!({"duration": "6", "aspect_ratio": "Portrait (9:16)"}),
            json!({"duration": 6, "aspectRatio": "9:16", "resolution": "720p"}),
        ),
        (
            json!({}),
            json!({"duration": "4 seconds", "aspect_ratio": null}),
            json!({"duration": 4, "aspectRatio": "16:9", "resolution": "720p"}),
        ),
        (
            json!({"duration": 5}),
            json!({"duration": 6.0}),
            json!({"duration": 6, "aspectRatio": "16:9", "resolution": "720p"}),
        ),
        (
            json!({"duration": 30, "aspectRatio": "4:5"}),
            json!({}),
            json!({"duration": 8, "aspectRatio": "9:16", "resolution": "720p"}),
        ),
        (
            json!({"duration": 4, "resolution": "1080p"}),
            json!({}),
            json!({"duration": 4, "aspectRatio": "16:9", "resolution": "720p"}),
        ),
        (
            json!({"duration": 4, "resolution": "1080p"}),
            json!({"resolution": "1080p"}),
            json!({"duration": 8, "aspectRatio": "16:9", "resolution": "1080p"}),
        ),
        (
            json!({"duration": 3, "resolution": "8k"}),
            json!({"resolution": "4k"}),
            json!({"duration": 8, "aspectRatio": "16:9", "resolution": "4k"}),
        ),
        (
            json!({"resolution": "4k"}),
            json!({}),
            json!({"duration": 8, "aspectRatio": "16:9", "resolution": "4k"}),
        ),
        (
            json!({"seed": 4, "audio": false, "style": "noir"}),
            json!({"seed": true, "audio": "yes"}),
            json!({"duration": 8, "aspectRatio": "16:9", "resolution": "720p", "style": "noir"}),
        ),
    ] {
        let mut expected = parameters(expected);
        expected.audio = Some(true);
        let settled = settle(named.clone(), &responses).unwrap();
        assert_eq!(settled.parameters, expected, "{named} {responses}");
        assert_eq!(settled.prompt, "a paper boat");
        assert!(veo().price(&settled.parameters).is_ok());
    }
}

#[test]
fn wrong_answers_are_told_by_question() {
    for (named, responses, field, says) in [
        (json!({}), json!({"duration": 7}), "responses.duration", "4 seconds, 6 seconds or 8 seconds"),
        (json!({}), json!({"duration": true}), "responses.duration", "Choose"),
        (json!({}), json!({"duration": 6.5}), "responses.duration", "Choose"),
        (json!({}), json!({"duration": [8]}), "responses.duration", "Choose"),
        (json!({}), json!({"aspect_ratio": "1:1"}), "responses.aspect_ratio", "Landscape (16:9)"),
        (json!({}), json!({"color": "red"}), "responses.color", "duration and aspect_ratio"),
        (json!({"resolution": "4k"}), json!({"duration": 4}), "responses.duration", "8 seconds"),
        (
            json!({"resolution": "8k"}),
            json!({"duration": 4, "resolution": "4k"}),
            "responses.resolution",
            "4k",
        ),
        (json!({"audio": false}), json!({"audio": false}), "responses.audio", "cancel"),
        (json!({"seed": 1}), json!({"seed": "perhaps"}), "responses.seed", "true or false"),
    ] {
        let errors = settle(named, &responses).unwrap_err();
        assert_eq!(errors.len(), 1, "{responses}");
        assert_eq!(errors[0].field, field);
        assert!(errors[0].message.contains(says), "{}", errors[0].message);
    }
    let errors = settle(json!({}), &json!({"duration": 7, "aspect_ratio": 9, "x": 1})).unwrap_err();
    assert_eq!(errors.len(), 3, "all of them at once");
}

/// The answers that are right are kept, and nothing is asked again that was answered.
#[test]
fn what_is_right_of_wrong_answers_is_kept() {
    let veo = veo();
    let options = |question: &ClarificationQuestion| question.options.len();
    for (subject, named, responses, kept, open) in [
        (
            Some("a boat"),
            json!({}),
            json!({"duration": 7, "aspect_ratio": "9:16"}),
            json!({"aspectRatio": "9:16"}),
            vec![("duration", 3)],
        ),
        (
            Some("a boat"),
            json!({}),
            json!({"duration": "6 seconds", "aspect_ratio": "1:1"}),
            json!({"duration": 6}),
            vec![("aspect_ratio", 2)],
        ),
        // What nobody answered keeps its default, and can still be answered.
        (
            Some("a boat"),
            json!({"audio": false}),
            json!({"duration": 7, "aspect_ratio": "9:16"}),
            json!({"aspectRatio": "9:16"}),
            vec![("duration", 3), ("audio", 0)],
        ),
        (
            Some("a boat"),
            json!({"audio": false}),
            json!({"duration": 8, "audio": false}),
            json!({"duration": 8}),
            vec![("aspect_ratio", 2), ("audio", 0)],
        ),
        (
            None,
            json!({}),
            json!({"duration": 8}),
            json!({"duration": 8}),
            vec![("subject", 0), ("aspect_ratio", 2)],
        ),
        // In this resolution there is only one length.
        (
            Some("a boat"),
            json!({"resolution": "8k"}),
            json!({"duration": 7, "resolution": "4k"}),
            json!({"resolution": "4k"}),
            vec![("duration", 1), ("aspect_ratio", 2)],
        ),
        // The option has said which length goes with it.
        (
            Some("a boat"),
            json!({"duration": 4, "resolution": "1080p"}),
            json!({"aspect_ratio": "1:1", "resolution": "1080p"}),
            json!({"duration": 8, "resolution": "1080p"}),
            vec![("aspect_ratio", 2)],
        ),
        (
            Some("a boat"),
            json!({}),
            json!({"duration": 7}),
            json!({}),
            vec![("duration", 3), ("aspect_ratio", 2)],
        ),
    ] {
        let asked = draft(Language::English, &veo, subject, &parameters(named), &[]);
        let given = responses.as_object().unwrap();
        let Draft { prompt, parameters: before, questions } = &asked;
        let errors = apply(Language::English, given, questions, prompt, before, &veo).unwrap_err();
        let rest = keep(Language::English, given, &errors, asked, &[], &veo).unwrap();
        assert_eq!(rest.parameters, parameters(kept), "{responses}");
        let left: Vec<_> = rest.questions.iter().map(|it| (it.id.as_str(), options(it))).collect();
        assert_eq!(left, open, "{responses}");
        let Draft { prompt, parameters: before, questions } = &rest;
        let settled = apply(Language::English, &Map::new(), questions, prompt, before, &veo);
        assert_eq!(settled.is_ok(), subject.is_some(), "the rest has its defaults: {responses}");
    }
}

#[test]
fn a_subject_is_kept_and_an_end_of_the_questions_is_not() {
    let veo = veo();
    let asked = draft(Language::English, &veo, None, &Parameters::default(), &[]);
    for (responses, kept) in [
        (json!({"subject": "a cat", "duration": 7, "aspect_ratio": "9:16"}), Some("a cat")),
        // All of them are answered: what is wrong is no answer to any.
        (json!({"subject": "a cat", "duration": 8, "aspect_ratio": "9:16", "colour": "red"}), None),
    ] {
        let given = responses.as_object().unwrap();
        let Draft { prompt, parameters, questions } = &asked;
        let errors = apply(Language::English, given, questions, prompt, parameters, &veo).unwrap_err();
        let rest = keep(Language::English, given, &errors, asked.clone(), &[], &veo);
        assert_eq!(rest.as_ref().map(|rest| rest.prompt.as_str()), kept, "{responses}");
        assert!(rest.is_none_or(|rest| ids(&rest.questions) == ["duration"]), "{responses}");
    }
}

/// Nobody reads another language beside a question than the question's own.
#[test]
fn wrong_answers_are_told_in_the_language_of_the_questions() {
    let veo = veo();
    let named = parameters(json!({"audio": false, "seed": 1}));
    let wrong = json!({"colour": 1, "duration": 7, "aspect_ratio": "1:1", "audio": false, "seed": "perhaps"});
    let too_long = json!({"subject": "é".repeat(5000)});
    let told = |language, responses: &Value| {
        let draft = draft(language, &veo, None, &named, &[]);
        let responses = responses.as_object().unwrap();
        let Draft { prompt, parameters, questions } = &draft;
        let errors = apply(language, responses, questions, prompt, parameters, &veo).unwrap_err();
        errors.into_iter().map(|error| error.message).collect::<Vec<_>>()
    };
    for (language, unknown, subject, duration, ratio, audio, seed, long) in [
        (
            Language::English,
            "the questions are subject, duration, aspect_ratio, audio and seed.",
            "This needs an answer.",
            "Choose one of these: 4 seconds, 6 seconds or 8 seconds.",
            "Choose one of these: Landscape (16:9) or Portrait (9:16).",
            "Say yes, or cancel.",
            "Answer with true or false.",
            "At most",
        ),
        (
            Language::German,
            "die Fragen sind subject, duration, aspect_ratio, audio und seed.",
            "Das braucht eine Antwort.",
            "Wähle eins davon: 4 Sekunden, 6 Sekunden oder 8 Sekunden.",
            "Wähle eins davon: Querformat (16:9) oder Hochformat (9:16).",
            "Sag ja, oder brich ab.",
            "Antworte mit true oder false.",
            "Höchstens",
        ),
        (
            Language::Spanish,
            "las preguntas son subject, duration, aspect_ratio, audio y seed.",
            "Esto necesita una respuesta.",
            "Elige una de estas opciones: 4 segundos, 6 segundos o 8 segundos.",
            "Elige una de estas opciones: Horizontal (16:9) o Vertical (9:16).",
            "Di que sí, o cancela.",
            "Responde con true o false.",
            "Como máximo",
        ),
        (
            Language::French,
            "les questions sont subject, duration, aspect_ratio, audio et seed.",
            "Il faut une réponse ici.",
            "Choisis parmi : 4 secondes, 6 secondes ou 8 secondes.",
            "Choisis parmi : Paysage (16:9) ou Portrait (9:16).",
            "Dis oui, ou annule.",
            "Réponds par true ou false.",
            "Au plus",
        ),
        (
            Language::Italian,
            "le domande sono subject, duration, aspect_ratio, audio e seed.",
            "Qui serve una risposta.",
            "Scegli tra: 4 secondi, 6 secondi o 8 secondi.",
            "Scegli tra: Orizzontale (16:9) o Verticale (9:16).",
            "Di' sì, o annulla.",
            "Rispondi con true o false.",
            "Al massimo",
        ),
        (
            Language::Portuguese,
            "as perguntas são subject, duration, aspect_ratio, audio e seed.",
            "Isto precisa de uma resposta.",
            "Escolha uma destas opções: 4 segundos, 6 segundos ou 8 segundos.",
            "Escolha uma destas opções: Horizontal (16:9) ou Vertical (9:16).",
            "Diga sim, ou cancele.",
            "Responda com true ou false.",
            "No máximo",
        ),
    ] {
        let messages = told(language, &wrong);
        let expected = [unknown, subject, duration, ratio, audio, seed];
        assert_eq!(messages.len(), expected.len(), "{messages:?}");
        for (message, expected) in messages.iter().zip(expected) {
            assert!(message.ends_with(expected), "{language:?}: {message}");
        }
        let message = &told(language, &too_long)[0];
        assert!(message.starts_with(long), "{language:?}: {message}");
    }
}

#[test]
fn the_subject_must_be_answered_with_words_that_fit() {
    let veo = veo();
    let draft = draft(Language::English, &veo, None, &Parameters::default(), &[]);
    let apply = |responses: Value| {
        apply(
            Language::English,
            responses.as_object().unwrap(),
            &draft.questions,
            &draft.prompt,
            &draft.parameters,
            &veo,
        )
    };
    assert_eq!(apply(json!({"subject": " a cat "})).unwrap().prompt, "a cat");
    for wrong in
        [json!({}), json!({"subject": " "}), json!({"subject": 5}), json!({"subject": "é".repeat(5000)})]
    {
        let errors = apply(wrong).unwrap_err();
        assert_eq!(errors[0].field, "responses.subject");
    }
}

proptest::proptest! {
    /// Whatever is named, the defaults alone settle everything but the subject.
    #[test]
    fn defaults_always_settle(
        duration in proptest::option::of(0u32..200),
        ratio in proptest::option::of("[0-9]{1,2}:[0-9]{1,2}|square"),
        resolution in proptest::option::of("720p|1080p|4k|8k|480p"),
        audio in proptest::option::of(proptest::bool::ANY),
        seed in proptest::option::of(0u32..9),
    ) {
        let veo = veo();
        let named =
            Parameters { duration, aspect_ratio: ratio, resolution, audio, seed, ..Parameters::default() };
        let draft = draft(Language::English, &veo, Some("a boat"), &named, &[]);
        proptest::prop_assert!(veo.check(&draft.parameters).is_empty());
        let settled =
            apply(Language::English, &Map::new(), &draft.questions, &draft.prompt, &draft.parameters, &veo).unwrap();
        proptest::prop_assert!(veo.price(&settled.parameters).is_ok());
        let json = serde_json::to_string(&draft.questions).unwrap();
        let back: Vec<ClarificationQuestion> = serde_json::from_str(&json).unwrap();
        proptest::prop_assert_eq!(back, draft.questions);
    }
}

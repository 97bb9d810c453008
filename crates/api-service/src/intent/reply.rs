//! What the assistant says, in the user's language. Short, friendly, plain text without markup; the same
//! occasion gives the same words. The words themselves are data: [`words`](super::words).
//!
//! Where there are several ways to say a thing, a key (the message's or generation's id) chooses, so that a
//! conversation does not repeat itself and a repeated request still gets the same answer.

use contract::{ErrorCode, Money, Parameters, problem::FieldError, worker_api::JobError};

use super::{
    Language, Relative,
    words::{Words, fill},
};
use crate::{
    catalogue::Model,
    conversations::title::cut,
    generations::{
        clarification::{AnswerValue, ClarificationQuestion, QuestionKind, question_of, shape},
        generation::Generation,
    },
    store::Full,
    usage::budget::{ChargeState, Exceeded, Span},
};

/// How much of a prompt is said again before it is cut, in characters.
const LONGEST_PROMPT: usize = 240;

/// Asks the open questions, and says what happens if they are left open.
#[must_use]
pub fn questions(language: Language, questions: &[ClarificationQuestion], key: &str) -> String {
    let words = Words::of(language);
    let count = match questions.len() {
        1 => &words.one_question,
        2 => &words.two_questions,
        3 => &words.three_questions,
        _ => &words.some_questions,
    };
    let asked: Vec<_> = questions.iter().map(|question| question.question.as_str()).collect();
    let mut said = format!("{} {count} {}", pick(key, &words.gladly), asked.join(" "));
    let defaults: Vec<_> = questions.iter().filter_map(default_label).collect();
    if !defaults.is_empty() {
        said.push(' ');
        said.push_str(&fill(&words.defaults, &[("defaults", &words.all_of(&defaults))]));
    }
    said
}

/// Says which answers could not be taken, and asks again. Questions that were not asked before in these words say
/// themselves what is wrong.
#[must_use]
pub fn answers_refused(
    language: Language,
    errors: &[FieldError],
    before: &[ClarificationQuestion],
    questions: &[ClarificationQuestion],
) -> String {
    let words = Words::of(language);
    let (known, new): (Vec<_>, Vec<_>) = questions.iter().partition(|question| before.contains(question));
    let is_about = |question: &ClarificationQuestion, error: &FieldError| question_of(error) == question.id;
    // A question that names what there is to choose says it better than the error; what takes only a yes does not.
    let asks = |question: &ClarificationQuestion, error: &FieldError| {
        question.kind != QuestionKind::Boolean && is_about(question, error)
    };
    let is_told = |error: &&FieldError| {
        let is_asked = known.iter().any(|question| asks(question, error));
        !is_asked && !new.iter().any(|question| is_about(question, error))
    };
    let told = errors.iter().filter(is_told).map(|error| error.message.as_str());
    let told: Vec<_> = told.chain(new.iter().map(|question| question.question.as_str())).collect();
    let is_open = |question: &&&ClarificationQuestion| errors.iter().any(|error| asks(question, error));
    let open: Vec<_> = known.iter().filter(is_open).map(|question| question.question.as_str()).collect();
    let mut said: Vec<String> = Vec::new();
    if !told.is_empty() {
        said.push(fill(&words.not_yet, &[("problems", &told.join(" "))]));
    }
    if !open.is_empty() {
        said.push(fill(&words.still_open, &[("questions", &open.join(" "))]));
    }
    said.join(" ")
}

/// Shows what will be made, by the model of that name, and what it costs, and asks for a yes. An enhanced prompt is shown in full: nobody says yes
/// to what was not to be seen.
#[must_use]
pub fn confirmation(generation: &Generation, model: &str) -> String {
    let (language, key) = (generation.language, generation.id.as_str());
    let (words, parameters) = (Words::of(language), &generation.parameters);
    let mut facts: Vec<String> = Vec::new();
    facts.extend(parameters.duration.map(|seconds| fill(&words.seconds, &[("n", &seconds)])));
    facts.extend(parameters.aspect_ratio.as_ref().map(|ratio| shape(language, ratio).to_lowercase()));
    facts.extend(parameters.resolution.clone());
    facts.extend(parameters.audio.map(|audio| if audio { &words.with_sound } else { &words.silent }.clone()));
    facts.extend(parameters.style.as_ref().map(|style| fill(&words.style, &[("style", style)])));
    facts.extend(
        parameters.negative_prompt.as_ref().map(|things| fill(&words.without, &[("things", things)])),
    );
    facts.extend(parameters.seed.map(|seed| fill(&words.seed, &[("seed", &seed)])));
    match parameters.images.len() {
        0 => {}
        1 => facts.push(words.one_picture.clone()),
        n => facts.push(fill(&words.pictures, &[("n", &n)])),
    }
    facts.push(fill(&words.made_with, &[("model", &model)]));
    let facts = format!(" {}.", sentence(&facts.join(", ")));
    let mut said =
        format!("{} {}", pick(key, &words.plan), full_stop(&cut(&generation.prompt, LONGEST_PROMPT)));
    let enhanced = generation.enhanced_prompt.as_ref();
    if let Some(enhanced) = enhanced {
        said.push(' ');
        said.push_str(&fill(&words.enhanced, &[("enhanced", &full_stop(enhanced))]));
    }
    said.push_str(&facts);
    if let Some(price) = &generation.estimated_cost {
        said.push(' ');
        said.push_str(&fill(&words.price, &[("price", &money(price))]));
    }
    if enhanced.is_some() {
        said.push(' ');
        said.push_str(&words.as_said);
    }
    format!("{said} {}", pick(key, &words.go_ahead))
}

/// After a yes.
#[must_use]
pub fn confirmed(language: Language, key: &str) -> String {
    pick(key, &Words::of(language).confirmed)
}

/// A message that greets.
#[must_use]
pub fn greeting(language: Language, key: &str) -> String {
    pick(key, &Words::of(language).greeting)
}

/// A message that thanks or praises.
#[must_use]
pub fn thanks(language: Language, key: &str) -> String {
    pick(key, &Words::of(language).thanks)
}

/// A question about what can be done: what this model makes and costs.
#[must_use]
pub fn help(language: Language, model: &Model) -> String {
    let words = Words::of(language);
    let shapes: Vec<_> =
        model.aspect_ratios.iter().map(|ratio| shape(language, ratio).to_lowercase()).collect();
    let sizes: Vec<_> = model.resolutions.iter().map(|resolution| &resolution.name).collect();
    let price = model
        .price(&Parameters::default())
        .map_or_else(|_| String::new(), |price| fill(&words.help_price, &[("price", &money(&price))]));
    fill(
        &words.help,
        &[
            ("durations", &words.any_of(&model.durations)),
            ("ratios", &words.any_of(&shapes)),
            ("resolutions", &words.any_of(&sizes)),
            ("price", &price),
        ],
    )
}

/// A message that asks for no video and is none of the above.
#[must_use]
pub fn other(language: Language, key: &str) -> String {
    pick(key, &Words::of(language).other)
}

/// A yes to nothing.
#[must_use]
pub fn nothing_to_confirm(language: Language) -> String {
    Words::of(language).nothing_to_confirm.clone()
}

/// A no to nothing.
#[must_use]
pub fn nothing_to_cancel(language: Language) -> String {
    Words::of(language).nothing_to_cancel.clone()
}

/// A no to a generation that had its end before the no was taken in, while another one is there.
#[must_use]
pub fn another_goes_on(language: Language, prompt: &str) -> String {
    let other = cut(prompt, LONGEST_PROMPT);
    let other = if other.is_empty() { ".".to_owned() } else { format!(": {}", full_stop(&other)) };
    fill(&Words::of(language).another_goes_on, &[("prompt", &other)])
}

/// A wish to have something otherwise that is being made already.
#[must_use]
pub fn cannot_change(language: Language) -> String {
    Words::of(language).cannot_change.clone()
}

/// A wish to have something otherwise that the model cannot do as it was said.
#[must_use]
pub fn change_refused(language: Language, problems: &[&str]) -> String {
    fill(&Words::of(language).change_refused, &[("problems", &problems.join(" "))])
}

/// A wish for a longer or a shorter video than there can be.
#[must_use]
pub fn at_the_limit(language: Language, wish: Relative, seconds: u32) -> String {
    let words = Words::of(language);
    let text = match wish {
        Relative::Longer => &words.no_longer,
        Relative::Shorter => &words.no_shorter,
    };
    fill(text, &[("n", &seconds)])
}

/// What stands against one more video, and until when.
#[must_use]
pub fn exceeded(language: Language, exceeded: &Exceeded) -> String {
    let words = Words::of(language);
    let dollars = |amount: i64| money(&Money::usd_ten_thousandths(amount));
    let what = match exceeded {
        Exceeded::Budget { price, left, budget, span, .. } => {
            let text = match span {
                Span::Day => &words.budget_of_a_day,
                Span::Month => &words.budget_of_a_month,
            };
            let (price, left, budget) = (dollars(*price), dollars(*left), dollars(*budget));
            fill(text, &[("price", &price), ("left", &left), ("budget", &budget)])
        }
        Exceeded::Videos { videos, .. } => fill(&words.videos_of_a_day, &[("n", videos)]),
    };
    let until = exceeded.until().to_string();
    // To the minute: 2026-11-25T00:00:00.000Z.
    let (date, time) = until.split_once('T').unwrap_or((&until, ""));
    let until = format!("{date} {}", time.get(..5).unwrap_or(time));
    format!("{what} {}", fill(&words.more_from, &[("until", &until)]))
}

/// Why there is no place for one more video.
#[must_use]
pub fn full(language: Language, full: &Full) -> String {
    let words = Words::of(language);
    match full {
        Full::Open(open) => fill(&words.too_many_open, &[("n", open)]),
        Full::Queued(making) => fill(&words.too_many_in_the_making, &[("n", making)]),
        Full::Spending(exceeded) => self::exceeded(language, exceeded),
    }
}

/// The video is there.
#[must_use]
pub fn ready(language: Language) -> String {
    Words::of(language).ready.clone()
}

/// There will be no video: what a person can do about it, and what became of the price, as far as that is known.
#[must_use]
pub fn failed(language: Language, error: &JobError, charge: Option<ChargeState>) -> String {
    let words = Words::of(language);
    let why = match (&error.delivered, error.reason) {
        (Some(delivered), _) => not_mp4(language, delivered),
        (None, Some(reason)) => words.because(reason),
        (None, None) => words.failed(error.code),
    };
    and_the_price(language, why, charge)
}

/// With what became of the price of a video that will not be. Nothing else says whether it is charged: neither an error's
/// code nor its reason knows.
fn and_the_price(language: Language, said: String, charge: Option<ChargeState>) -> String {
    let words = Words::of(language);
    let charged = match charge {
        None => return said,
        Some(ChargeState::Held) => &words.begun_may_be_charged,
        Some(ChargeState::Settled) => &words.may_be_charged,
        Some(ChargeState::Released) => &words.not_charged,
    };
    format!("{said} {charged}")
}

/// There is no video that can be shown, because something of this media type was delivered in its place.
fn not_mp4(language: Language, delivered: &str) -> String {
    let words = Words::of(language);
    match video_format(delivered) {
        Some(format) => fill(&words.other_format, &[("format", &format)]),
        None => words.no_video.clone(),
    }
}

/// What people call the format of a video; `None` if the media type is not that of a video.
fn video_format(media_type: &str) -> Option<&str> {
    Some(match media_type {
        "video/quicktime" => "QuickTime",
        "video/webm" => "WebM",
        "video/matroska" => "Matroska",
        "video/vnd.avi" => "AVI",
        "video/mp2t" => "MPEG-TS",
        "video/mpeg" => "MPEG",
        "video/x-flv" => "Flash",
        "video/x-ms-asf" => "Windows Media",
        "video/ogg" => "Ogg",
        "application/vnd.apple.mpegurl" => "HLS",
        "application/dash+xml" => "DASH",
        other => other.strip_prefix("video/")?,
    })
}

/// The user called it off. Of a price that is not to be paid nothing is said: nobody who has no video expects to pay.
#[must_use]
pub fn cancelled(language: Language, key: &str, charge: Option<ChargeState>) -> String {
    let charge = charge.filter(|charge| *charge != ChargeState::Released);
    and_the_price(language, pick(key, &Words::of(language).cancelled), charge)
}

/// Nobody said yes in time.
#[must_use]
pub fn expired(language: Language) -> String {
    Words::of(language).failed(ErrorCode::Expired)
}

/// One of several ways to say it, chosen by the key alone (FNV-1a, which stays the same over releases).
fn pick(key: &str, ways: &[String]) -> String {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The low bits of FNV mix least.
    let index = usize::try_from((hash >> 32) % ways.len().max(1) as u64).unwrap_or(0);
    ways.get(index).cloned().unwrap_or_default()
}

/// What is taken if the question is left open, in words.
fn default_label(question: &ClarificationQuestion) -> Option<String> {
    let default = question.default.as_ref()?;
    let option = question.options.iter().find(|option| option.value == *default);
    match (option, default) {
        (Some(option), _) => Some(option.label.to_lowercase()),
        // To the others the default is a yes, which nobody would call a preference.
        (None, AnswerValue::Boolean(_)) => None,
        (None, AnswerValue::Number(number)) => Some(number.to_string()),
        (None, AnswerValue::Text(text)) => Some(text.clone()),
    }
}

fn money(money: &Money) -> String {
    match money.currency.as_str() {
        "USD" => format!("${}", money.amount),
        currency => format!("{} {currency}", money.amount),
    }
}

fn full_stop(text: &str) -> String {
    if text.ends_with(['.', '!', '?', '…']) { text.to_owned() } else { format!("{text}.") }
}

/// With a capital letter.
fn sentence(text: &str) -> String {
    let mut chars = text.chars();
    chars.next().map_or_else(String::new, |first| first.to_uppercase().chain(chars).collect())
}

#[cfg(test)]
mod tests {
    use contract::ErrorReason;

    use super::*;
    use crate::intent::{Context, Intent, analyse};
    use crate::{
        catalogue::Catalogue,
        generations::{clarification, generation::tests::generation},
    };

    #[test]
    fn the_confirmation_tells_everything_that_will_be_made_and_the_price() {
        let veo = Catalogue::built_in().default_model().clone();
        let mut offer = generation();
        offer.prompt = "a paper boat crossing a rainy street at dusk".to_owned();
        offer.parameters = veo.fill_defaults(Parameters::default());
        offer.estimated_cost = veo.price(&offer.parameters).ok();
        let text = confirmation(&offer, &veo.name);
        for part in [
            "a paper boat crossing a rainy street at dusk.",
            "8 seconds",
            "16:9",
            "720p",
            "$3.20",
            &format!("made with {}", veo.name),
        ] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.ends_with('?'));
        offer.parameters.style = Some("watercolor".to_owned());
        offer.parameters.negative_prompt = Some("people".to_owned());
        offer.prompt = "boats ".repeat(200);
        let picture = |role| contract::ImageInput { upload_id: contract::UploadId::new(), role };
        offer.parameters.images = vec![picture(contract::ImageRole::FirstFrame)];
        assert!(confirmation(&offer, &veo.name).contains("from one picture"));
        offer.parameters.images.push(picture(contract::ImageRole::LastFrame));
        let text = confirmation(&offer, &veo.name);
        assert!(text.contains("from 2 pictures"), "{text}");
        assert!(text.contains("watercolor") && text.contains("without people") && text.contains('…'));
        assert!(text.chars().count() < LONGEST_PROMPT + 250);
    }

    #[test]
    fn an_enhanced_prompt_is_shown_in_full_with_the_way_back_in_every_language() {
        let enhanced = "A small paper boat drifts along the gutter. ".repeat(40);
        for language in Language::ALL {
            let mut offer = generation();
            offer.language = language;
            offer.estimated_cost = Some(Money::usd_ten_thousandths(32_000));
            let plain = confirmation(&offer, "Veo 3.1");
            let way_back = &Words::of(language).as_said;
            assert!(!plain.contains(way_back), "{plain}");
            offer.enhanced_prompt = Some(enhanced.trim().to_owned());
            let text = confirmation(&offer, "Veo 3.1");
            assert!(text.contains(enhanced.trim()) && text.contains(way_back), "{text}");
            assert!(
                text.contains("a paper boat.") && text.contains("$3.20") && text.ends_with('?'),
                "{text}"
            );
            // The words that it names are understood.
            let quoted = way_back.split(['“', '”', '„', '«', '»']).nth(1).unwrap();
            let asked =
                Context { awaiting_confirmation: true, language: Some(language), ..Context::default() };
            assert_eq!(analyse(quoted.trim(), asked), Intent::OwnWords, "{quoted}");
        }
    }

    #[test]
    fn questions_are_asked_with_their_defaults() {
        let veo = Catalogue::built_in().default_model().clone();
        let draft = clarification::draft(Language::English, &veo, None, &Parameters::default(), &[]);
        let text = questions(Language::English, &draft.questions, "msg_1");
        for question in &draft.questions {
            assert!(text.contains(&question.question), "{text}");
        }
        assert!(text.contains("8 seconds and landscape (16:9)"), "{text}");
        let only_subject = questions(Language::English, &draft.questions[..1], "msg_1");
        assert!(!only_subject.contains("preference"), "{only_subject}");
    }

    #[test]
    fn refused_answers_are_told_in_every_language() {
        let veo = Catalogue::built_in().default_model().clone();
        let silent = Parameters { audio: Some(false), ..Parameters::default() };
        let responses = serde_json::json!({"duration": 7, "aspect_ratio": "16:9", "audio": false});
        for language in Language::ALL {
            let draft = clarification::draft(language, &veo, Some("a boat"), &silent, &[]);
            let asked = |id: &str| draft.questions.iter().find(|question| question.id == id).unwrap();
            let responses = responses.as_object().unwrap();
            let errors = clarification::apply(
                language,
                responses,
                &draft.questions,
                &draft.prompt,
                &draft.parameters,
                &veo,
            );
            let (errors, asked_before) = (errors.unwrap_err(), &draft.questions);
            let text = answers_refused(language, &errors, asked_before, &draft.questions);
            let words = Words::of(language);
            let only_a_yes = fill(&words.not_otherwise, &[("model", &veo.name)]);
            let problems = fill(&words.not_yet, &[("problems", &only_a_yes)]);
            let again =
                fill(&words.still_open, &[("questions", &asked(clarification::id::DURATION).question)]);
            assert_eq!(text, format!("{problems} {again}"), "{language:?}");
            assert!(!text.contains(&asked(clarification::id::AUDIO).question), "{text}");
        }
    }

    #[test]
    fn every_failure_has_its_own_sentence() {
        let by_code = ErrorCode::ALL.iter().map(|code| JobError::new(*code, "In English.", true));
        let by_reason = ErrorReason::ALL.iter();
        let by_reason = by_reason
            .map(|reason| JobError::new(ErrorCode::ProviderError, "In English.", true).because(*reason));
        let errors: Vec<_> = by_code.chain(by_reason).collect();
        let mut all = std::collections::BTreeSet::new();
        for language in Language::ALL {
            for error in &errors {
                let text = failed(language, error, None);
                assert!(text.chars().count() > 30 && text.ends_with('.'), "{text}");
                assert!(!text.contains("veo") && !text.contains(['_', '{', '}']), "{text}");
                assert!(all.insert(text), "{language:?} {error:?}");
            }
        }
    }

    /// Whether it is charged is not known by the code or the reason, so neither may say so.
    #[test]
    fn only_what_became_of_the_price_says_whether_it_is_charged() {
        for (language, stem) in [
            (Language::English, "charge"),
            (Language::German, "berechne"),
            (Language::Spanish, "cobra"),
            (Language::French, "factur"),
            (Language::Italian, "addebit"),
            (Language::Portuguese, "cobra"),
        ] {
            let words = Words::of(language);
            let by_code = ErrorCode::ALL.iter().map(|code| JobError::new(*code, "", true));
            let by_reason = ErrorReason::ALL.iter();
            let by_reason =
                by_reason.map(|reason| JobError::new(ErrorCode::InvalidRequest, "", true).because(*reason));
            let delivered = ["video/webm", "text/html"].map(|delivered| JobError {
                delivered: Some(delivered.to_owned()),
                ..JobError::new(ErrorCode::InvalidVideo, "", true)
            });
            for error in by_code.chain(by_reason).chain(delivered) {
                let why = failed(language, &error, None);
                assert!(!why.contains(stem), "{why}");
                for (charge, sentence) in [
                    (ChargeState::Settled, &words.may_be_charged),
                    (ChargeState::Released, &words.not_charged),
                ] {
                    assert!(sentence.contains(stem), "{sentence}");
                    assert_eq!(failed(language, &error, Some(charge)), format!("{why} {sentence}"));
                }
            }
            let plain = cancelled(language, "gen_1", None);
            assert!(!plain.contains(stem), "{plain}");
            assert_eq!(cancelled(language, "gen_1", Some(ChargeState::Released)), plain);
            let begun = format!("{plain} {}", words.begun_may_be_charged);
            assert_eq!(cancelled(language, "gen_1", Some(ChargeState::Held)), begun);
            assert!(begun.contains(stem), "{begun}");
        }
    }

    #[test]
    fn why_there_is_no_place_is_told_in_every_language() {
        let mut all = std::collections::BTreeSet::new();
        for text in
            Language::ALL.iter().flat_map(|it| [full(*it, &Full::Open(7)), full(*it, &Full::Queued(7))])
        {
            assert!(text.contains('7') && text.ends_with('.') && !text.contains('{'), "{text}");
            assert!(all.insert(text));
        }
    }

    #[test]
    fn what_came_in_a_videos_place_is_named() {
        for (delivered, named) in [
            ("video/webm", Some("WebM")),
            ("video/quicktime", Some("QuickTime")),
            ("application/vnd.apple.mpegurl", Some("HLS")),
            ("video/av2", Some("av2")),
            ("text/html", None),
            ("application/json", None),
            ("image/*", None),
            ("", None),
        ] {
            for language in Language::ALL {
                let told = not_mp4(language, delivered);
                assert!(told.ends_with('.') && !told.contains(['{', '}']), "{told}");
                assert_eq!(told.contains("MP4"), named.is_some(), "{told}");
                assert!(named.is_none_or(|named| told.contains(named)), "{told}");
                let mut error = JobError::new(ErrorCode::InvalidVideo, "In English.", false);
                assert_ne!(told, failed(language, &error, None));
                error.delivered = Some(delivered.to_owned());
                assert_eq!(told, failed(language, &error, None));
            }
        }
    }

    #[test]
    fn words_vary_with_the_key_and_only_with_it() {
        let said: std::collections::BTreeSet<_> =
            (0..50).map(|n| greeting(Language::English, &format!("msg_{n}"))).collect();
        assert_eq!(said.len(), 3);
        assert_eq!(greeting(Language::English, "msg_7"), greeting(Language::English, "msg_7"));
    }

    #[test]
    fn no_reply_holds_markup() {
        let veo = Catalogue::built_in().default_model().clone();
        for text in [
            help(Language::English, &veo),
            other(Language::English, "a"),
            thanks(Language::English, "a"),
            confirmed(Language::English, "a"),
            cancelled(Language::English, "a", Some(ChargeState::Held)),
            ready(Language::English),
            expired(Language::English),
            cannot_change(Language::English),
            change_refused(Language::English, &["Veo 3.1 makes 720p, 1080p and 4k."]),
            nothing_to_confirm(Language::English),
            nothing_to_cancel(Language::English),
            another_goes_on(Language::English, "a paper boat"),
            another_goes_on(Language::English, ""),
        ] {
            assert!(!text.contains(['*', '#', '`', '<', '\n']) && !text.contains("  "), "{text}");
        }
    }
}

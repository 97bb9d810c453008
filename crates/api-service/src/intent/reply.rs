//! What the assistant says. Short, friendly, plain text without markup; the same occasion gives the same
//! words.
//!
//! Where there are several ways to say a thing, a key (the message's or generation's id) chooses, so that a
//! conversation does not repeat itself and a repeated request still gets the same answer.

use contract::{ErrorCode, Money, Parameters, problem::FieldError};

use crate::{
    catalogue::{Model, list},
    conversations::title::cut,
    generations::clarification::{AnswerValue, ClarificationQuestion, shape},
};

/// How much of a prompt is said again before it is cut, in characters.
const LONGEST_PROMPT: usize = 240;

/// Asks the open questions, and says what happens if they are left open.
#[must_use]
pub fn questions(questions: &[ClarificationQuestion], key: &str) -> String {
    let opening = pick(key, &["Happy to make that.", "Good idea.", "Gladly.", "I'd love to make that."]);
    let count = match questions.len() {
        1 => "One question first:",
        2 => "Two quick questions first:",
        3 => "Three quick questions first:",
        _ => "A few questions first:",
    };
    let asked: Vec<_> = questions.iter().map(|question| question.question.as_str()).collect();
    let defaults: Vec<_> = questions.iter().filter_map(default_label).collect();
    let otherwise = if defaults.is_empty() {
        String::new()
    } else {
        format!(" If you have no preference, I'll take {}.", and(&defaults))
    };
    format!("{opening} {count} {}{otherwise}", asked.join(" "))
}

/// Says which answers could not be taken, and asks again.
#[must_use]
pub fn answers_refused(errors: &[FieldError], questions: &[ClarificationQuestion]) -> String {
    let wrong = |question: &&ClarificationQuestion| {
        errors.iter().any(|error| error.field.strip_prefix("responses.") == Some(&question.id))
    };
    let again: Vec<_> = questions.iter().filter(wrong).map(|question| question.question.as_str()).collect();
    let told: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
    if again.is_empty() {
        return format!("That doesn't work yet. {}", told.join(" "));
    }
    // A question that names what there is to choose says it better than the error.
    format!("I still need to know: {}", again.join(" "))
}

/// Shows what will be made and what it costs, and asks for a yes.
#[must_use]
pub fn confirmation(prompt: &str, parameters: &Parameters, price: &Money, key: &str) -> String {
    let opening = pick(key, &["Here is what I'll make:", "This is the plan:", "Here is the plan:"]);
    let closing = pick(key, &["Shall I go ahead?", "Shall I start?", "Is that right, and shall I begin?"]);
    let mut facts: Vec<String> = Vec::new();
    facts.extend(parameters.duration.map(|seconds| format!("{seconds} seconds")));
    facts.extend(parameters.aspect_ratio.as_ref().map(|ratio| shape(ratio).to_lowercase()));
    facts.extend(parameters.resolution.clone());
    facts.extend(parameters.audio.map(|audio| if audio { "with sound" } else { "silent" }.to_owned()));
    facts.extend(parameters.style.as_ref().map(|style| format!("style: {style}")));
    facts.extend(parameters.negative_prompt.as_ref().map(|things| format!("without {things}")));
    facts.extend(parameters.seed.map(|seed| format!("seed {seed}")));
    let facts = if facts.is_empty() { String::new() } else { format!(" {}.", sentence(&facts.join(", "))) };
    format!(
        "{opening} {}{facts} That will cost {}. {closing}",
        full_stop(&cut(prompt, LONGEST_PROMPT)),
        money(price)
    )
}

/// After a yes.
#[must_use]
pub fn confirmed(key: &str) -> String {
    pick(
        key,
        &[
            "On it. I'll tell you here as soon as your video is ready.",
            "Great, I'm starting. Your video will show up here when it's ready.",
            "Thank you, it's in the queue. I'll put the video here when it's done.",
        ],
    )
}

/// A message that greets.
#[must_use]
pub fn greeting(key: &str) -> String {
    pick(
        key,
        &[
            "Hello! Tell me what you'd like to see, and I'll make a short video of it.",
            "Hi there! What should I make a video of? For example: a paper boat crossing a rainy street at dusk.",
            "Hello! Describe a scene, and I'll turn it into a short video.",
        ],
    )
}

/// A message that thanks or praises.
#[must_use]
pub fn thanks(key: &str) -> String {
    pick(
        key,
        &[
            "You're welcome! Just tell me when you'd like another video.",
            "My pleasure! If you think of another scene, I'm here.",
            "Glad to help! What shall we make next?",
        ],
    )
}

/// A question about what can be done: what this model makes and costs.
#[must_use]
pub fn help(model: &Model) -> String {
    let shapes: Vec<_> = model.aspect_ratios.iter().map(|ratio| shape(ratio).to_lowercase()).collect();
    let sizes: Vec<_> = model.resolutions.iter().map(|resolution| &resolution.name).collect();
    let price = model.price(&Parameters::default()).map_or_else(
        |_| String::new(),
        |price| format!(" A video costs {} unless you ask for something special;", money(&price)),
    );
    format!(
        "I make short videos from a description, for example “make a video of a paper boat crossing a rainy \
         street at dusk”. You can choose the length ({} seconds), the format ({}), the resolution ({}) and a \
         style, and say what should not be seen.{price} I always show the price before I start.",
        list(&model.durations),
        list(&shapes),
        list(&sizes)
    )
}

/// A message that asks for no video and is none of the above.
#[must_use]
pub fn other(key: &str) -> String {
    pick(
        key,
        &[
            "I'm not sure what you'd like me to do. If you want a video, describe it, for example: make a \
             video of a fox in the snow.",
            "Making short videos is what I'm good at. Tell me what you'd like to see, for example: a video of \
             waves at sunset.",
            "I didn't find a video to make in that. Say something like: make a video of a paper boat on a \
             rainy street.",
        ],
    )
}

/// A yes to nothing.
#[must_use]
pub fn nothing_to_confirm() -> String {
    "There is nothing waiting for your yes right now. What should I make a video of?".to_owned()
}

/// A no to nothing.
#[must_use]
pub fn nothing_to_cancel() -> String {
    "There is nothing to cancel right now. Tell me when you'd like a video.".to_owned()
}

/// A no to a generation that had its end before the no was taken in, while another one is there.
#[must_use]
pub fn another_goes_on(prompt: &str) -> String {
    let other = cut(prompt, LONGEST_PROMPT);
    let other = if other.is_empty() { ".".to_owned() } else { format!(": {}", full_stop(&other)) };
    format!(
        "That one was over already, and I've left your other one as it is{other} Say cancel again to stop it."
    )
}

/// A wish to have something otherwise while nothing waits for a yes.
#[must_use]
pub fn cannot_change() -> String {
    "I can't change a video that is already made. Describe the new one with everything you'd like different, \
     and I'll make it."
        .to_owned()
}

/// A wish to have something otherwise that the model cannot do as it was said.
#[must_use]
pub fn change_refused(problems: &[&str]) -> String {
    format!(
        "That doesn't work. {} Tell me what you'd like instead, or say “yes” to the plan as it is.",
        problems.join(" ")
    )
}

/// A value that was named in a way that leaves open which one is meant.
#[must_use]
pub fn not_clear(named: &str) -> String {
    format!("I'm not sure what you mean by “{named}”. Please name one value.")
}

/// The video is there.
#[must_use]
pub fn ready() -> String {
    "Your video is ready.".to_owned()
}

/// There will be no video, and what a person can do about it.
#[must_use]
pub fn failed(code: ErrorCode) -> String {
    match code {
        ErrorCode::ContentFiltered => {
            "The video provider's safety filter didn't let this one through, and you haven't been charged. Try \
             describing the scene differently, without real people, brands or anything violent."
        }
        ErrorCode::InvalidRequest => {
            "The video provider didn't accept this request. Try a shorter or simpler description, or other \
             settings."
        }
        ErrorCode::ProviderUnavailable => {
            "I couldn't reach the video provider for a long time, so I gave up. Please try again in a few \
             minutes."
        }
        ErrorCode::ProviderQuota => {
            "The video provider isn't taking more requests from us at the moment. Please try again later."
        }
        ErrorCode::ProviderError => {
            "The video provider started on your video and then failed. Trying again usually helps."
        }
        ErrorCode::Timeout => "Your video took far too long, so I stopped waiting. Please try again.",
        ErrorCode::InvalidVideo => {
            "The file I got from the video provider can't be played, so I threw it away. Please try again."
        }
        ErrorCode::StorageError => {
            "Your video was made, but I couldn't store it. I'm sorry about that; please try again."
        }
        ErrorCode::SubmissionUnknown => {
            "The connection broke while I was handing your request over, and I can't tell whether it arrived. \
             So as not to charge you twice, I stopped. Try again if you'd like."
        }
        ErrorCode::Poison => {
            "Something about this request makes our system stumble every time, so I stopped. Please try it \
             with a different description."
        }
        ErrorCode::Internal => "Something went wrong on our side. I'm sorry; please try again.",
        ErrorCode::Expired => return expired(),
    }
    .to_owned()
}

/// The user called it off.
#[must_use]
pub fn cancelled(key: &str) -> String {
    pick(
        key,
        &[
            "All right, I've cancelled it. Tell me whenever you'd like to make something else.",
            "Done, it's cancelled. Just describe another scene when you feel like it.",
            "Cancelled. If you change your mind, you can try it again any time.",
        ],
    )
}

/// Nobody said yes in time.
#[must_use]
pub fn expired() -> String {
    "I waited a week for your yes and then cancelled this one. You can try it again any time.".to_owned()
}

/// One of several ways to say it, chosen by the key alone (FNV-1a, which stays the same over releases).
fn pick(key: &str, ways: &[&str]) -> String {
    let hash = key.bytes().fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    // The low bits of FNV mix least.
    let index = usize::try_from((hash >> 32) % ways.len().max(1) as u64).unwrap_or(0);
    ways.get(index).copied().unwrap_or_default().to_owned()
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

fn and(items: &[String]) -> String {
    match items {
        [] => String::new(),
        [one] => one.clone(),
        [init @ .., last] => format!("{} and {last}", init.join(", ")),
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
    use super::*;
    use crate::{catalogue::Catalogue, generations::clarification};

    #[test]
    fn the_confirmation_tells_everything_that_will_be_made_and_the_price() {
        let veo = Catalogue::built_in().default_model().clone();
        let mut parameters = veo.fill_defaults(Parameters::default());
        let price = veo.price(&parameters).unwrap();
        let text = confirmation("a paper boat crossing a rainy street at dusk", &parameters, &price, "gen_1");
        for part in ["a paper boat crossing a rainy street at dusk.", "8 seconds", "16:9", "720p", "$3.20"] {
            assert!(text.contains(part), "{part}: {text}");
        }
        assert!(text.ends_with('?'));
        parameters.style = Some("watercolor".to_owned());
        parameters.negative_prompt = Some("people".to_owned());
        let text = confirmation(&"boats ".repeat(200), &parameters, &price, "gen_1");
        assert!(text.contains("watercolor") && text.contains("without people") && text.contains('…'));
        assert!(text.chars().count() < LONGEST_PROMPT + 200);
    }

    #[test]
    fn questions_are_asked_with_their_defaults() {
        let veo = Catalogue::built_in().default_model().clone();
        let draft = clarification::draft(&veo, None, &Parameters::default(), &[]);
        let text = questions(&draft.questions, "msg_1");
        for question in &draft.questions {
            assert!(text.contains(&question.question), "{text}");
        }
        assert!(text.contains("8 seconds and landscape (16:9)"), "{text}");
        let only_subject = questions(&draft.questions[..1], "msg_1");
        assert!(!only_subject.contains("preference"), "{only_subject}");
    }

    #[test]
    fn every_failure_has_its_own_sentence() {
        let mut texts: Vec<_> = ErrorCode::ALL.iter().map(|code| failed(*code)).collect();
        assert!(texts.iter().all(|text| text.len() > 30 && text.ends_with(['.', '!'])));
        assert!(!texts.iter().any(|text| text.contains("veo") || text.contains('_')));
        texts.sort();
        texts.dedup();
        assert_eq!(texts.len(), ErrorCode::ALL.len());
    }

    #[test]
    fn words_vary_with_the_key_and_only_with_it() {
        let said: std::collections::BTreeSet<_> = (0..50).map(|n| greeting(&format!("msg_{n}"))).collect();
        assert_eq!(said.len(), 3);
        assert_eq!(greeting("msg_7"), greeting("msg_7"));
    }

    #[test]
    fn no_reply_holds_markup() {
        let veo = Catalogue::built_in().default_model().clone();
        for text in [
            help(&veo),
            other("a"),
            thanks("a"),
            confirmed("a"),
            cancelled("a"),
            ready(),
            expired(),
            cannot_change(),
            change_refused(&["Veo 3.1 makes 720p, 1080p and 4k."]),
            not_clear("6 or 8 seconds"),
            nothing_to_confirm(),
            nothing_to_cancel(),
            another_goes_on("a paper boat"),
            another_goes_on(""),
        ] {
            assert!(!text.contains(['*', '#', '`', '<', '\n']) && !text.contains("  "), "{text}");
        }
    }
}

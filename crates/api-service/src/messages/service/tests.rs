//! What a turn is planned to be: a yes and a no are for what was there, and a wish is about what is there.

use contract::Money;

use super::*;
use crate::generations::generation::tests::generation;

#[test]
fn a_yes_is_for_the_offer_that_was_there() {
    let mut offer = generation();
    offer.estimated_cost = Some(Money { amount: "3.20".to_owned(), currency: "USD".to_owned() });
    let seen = Seen::of(&offer);
    let planned = |offer: &Generation, seen: Option<&Seen>| {
        Planned::Confirm(Box::new(offer.clone())).for_what_was_seen(seen, &Catalogue::built_in())
    };
    assert!(matches!(planned(&offer, Some(&seen)), Planned::Confirm(_)));
    offer.job.revision += 1;
    for seen in [Some(&seen), None, Some(&Seen::of(&generation()))] {
        match planned(&offer, seen) {
            Planned::Talk(MessageKind::Confirmation, words, Some(about)) => {
                assert!(words.contains("$3.20"), "{words}");
                assert_eq!(about.id, offer.id);
            }
            other => panic!("{other:?}"),
        }
    }
}

/// Of two that say “cancel” at once, the second finds the first's generation gone.
#[test]
fn a_no_is_for_the_generation_that_was_there() {
    let mut making = generation();
    let seen = Seen::of(&making);
    let planned = |seen: Option<&Seen>, making: &Generation| {
        Planned::Cancel(Box::new(making.clone())).for_what_was_seen(seen, &Catalogue::built_in())
    };
    making.job.revision += 1;
    let same = planned(Some(&seen), &making);
    assert!(matches!(same, Planned::Cancel(_)), "however far it has come meanwhile: {same:?}");
    for seen in [None, Some(&Seen { id: GenerationId::new(), ..seen })] {
        match planned(seen, &making) {
            Planned::Talk(MessageKind::Text, words, Some(about)) => {
                assert!(words.contains(&making.prompt), "{words}");
                assert_eq!(about.id, making.id);
            }
            other => panic!("{other:?}"),
        }
    }
}

fn read(content: &str, open: Option<Generation>, video: Option<Generation>) -> Intent {
    model::by_rules(content, Topic { open, video }.context()).intent
}

#[test]
fn a_remark_on_a_video_in_the_making_asks_for_none() {
    let mut topic = generation();
    for status in [Status::Confirmed, Status::Queued, Status::Processing] {
        topic.status = status;
        assert_eq!(read("progress at forty percent", Some(topic.clone()), None), Intent::Other, "{status}");
    }
    assert!(matches!(read("waves at sunset", None, None), Intent::Video(_)));
}

#[test]
fn a_wish_is_about_what_is_there() {
    let (mut open, mut video) = (generation(), generation());
    open.status = Status::PendingConfirmation;
    video.status = Status::Completed;
    assert!(matches!(read("make it longer", Some(open.clone()), None), Intent::Change(_)));
    assert!(matches!(read("make it longer", None, Some(video.clone())), Intent::Change(_)));
    assert!(matches!(read("another one", None, Some(video.clone())), Intent::Again(_)));
    assert_eq!(read("another one", None, None), Intent::Other);
    video.language = Language::German;
    // Too short to tell a language by.
    let topic = Topic { open: None, video: Some(video) };
    for (said, language) in [("ok", Language::German), ("make me a video of a cat", Language::English)] {
        assert_eq!(model::by_rules(said, topic.context()).language, language, "{said}");
    }
}

/// What was made of the words before goes with these; what only goes on from them keeps it.
#[test]
fn words_that_are_said_anew_are_made_better_anew() {
    let mut asking = generation();
    let longer = Wording::Changed(Some("A cat on a sofa, by night.".to_owned()));
    for (before, enhanced, prompt, wording, expected) in [
        ("", None, "a cat", Wording::Kept, true),
        ("", None, "", Wording::Kept, false),
        ("", Some("mine"), "a cat", Wording::Kept, false),
        ("a cat", None, "a dog", Wording::Kept, true),
        ("a cat", None, "a cat", Wording::Kept, false),
        ("a cat", Some("A cat on a sofa."), "a cat, by night", longer, false),
        ("a cat", Some("A cat on a sofa."), "a cat playing the piano", Wording::Changed(None), true),
    ] {
        before.clone_into(&mut asking.prompt);
        asking.enhanced_prompt = enhanced.map(str::to_owned);
        assert_eq!(are_new(&asking, prompt, &wording), expected, "{before} + {prompt}");
    }
}

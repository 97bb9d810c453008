//! Pictures that come with a message: what the message then wants. Pure.

use contract::ImageInput;

use crate::intent::{self, Answers, Intent, Language, Request};

/// Where the pictures can go that a message brings.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Waiting {
    /// No generation waits for its user.
    Nothing,
    /// One has open questions.
    Answers,
    /// One waits for a yes.
    Yes,
}

/// The intent of a message that brings pictures. With a picture, words that say little else ask for a video of it;
/// where an offer waits, they ask for it to be made with the picture, and a yes is none before that has its price.
#[must_use]
pub fn with_images(
    intent: Intent,
    language: Language,
    images: &[ImageInput],
    content: &str,
    waiting: Waiting,
) -> Intent {
    if images.is_empty() {
        return intent;
    }
    let with = |mut request: Request| {
        request.parameters.images = images.to_vec();
        request
    };
    let nothing_said = || Request { language, ..Request::default() };
    match (intent, waiting) {
        (Intent::Video(request), _) => Intent::Video(with(request)),
        (Intent::Again(wishes), _) => Intent::Again(with(wishes)),
        (Intent::Answers(answers), _) => {
            Intent::Answers(Answers { further: with(answers.further), ..answers })
        }
        (Intent::Change(wishes), Waiting::Yes) => Intent::Change(with(wishes)),
        (Intent::Change(wishes), Waiting::Answers) => {
            Intent::Answers(Answers { further: with(wishes), ..Answers::default() })
        }
        (Intent::Cancel, _) => Intent::Cancel,
        (_, Waiting::Yes) => Intent::Change(with(nothing_said())),
        (_, Waiting::Answers) => {
            Intent::Answers(Answers { further: with(nothing_said()), ..Answers::default() })
        }
        (Intent::Other | Intent::Change(_), Waiting::Nothing) => {
            Intent::Video(with(intent::read_request(content)))
        }
        // What the video shall show was not said, and is asked.
        (_, Waiting::Nothing) => Intent::Video(with(nothing_said())),
    }
}

#[cfg(test)]
mod tests {
    use contract::UploadId;

    use super::*;

    #[test]
    fn a_picture_goes_where_it_can_be_used() {
        let images = [ImageInput { upload_id: UploadId::new(), role: contract::ImageRole::FirstFrame }];
        let read = |intent: Intent, waiting| {
            with_images(intent, Language::English, &images, "animate this", waiting)
        };
        let request = || Request { subject: Some("a boat".to_owned()), ..Request::default() };
        for (intent, waiting, word) in [
            (Intent::Video(request()), Waiting::Nothing, "video"),
            (Intent::Video(request()), Waiting::Yes, "video"),
            (Intent::Other, Waiting::Nothing, "video"),
            (Intent::Greeting, Waiting::Nothing, "video"),
            (Intent::Confirm, Waiting::Yes, "change"),
            (Intent::Change(request()), Waiting::Yes, "change"),
            (Intent::Other, Waiting::Yes, "change"),
            (Intent::Other, Waiting::Answers, "answers"),
            (Intent::Change(request()), Waiting::Answers, "answers"),
            (Intent::Answers(Answers::default()), Waiting::Answers, "answers"),
            (Intent::Cancel, Waiting::Yes, "cancel"),
        ] {
            let (found, taken) = match read(intent.clone(), waiting) {
                Intent::Video(request) => ("video", request.parameters.images),
                Intent::Change(wishes) => ("change", wishes.parameters.images),
                Intent::Answers(answers) => ("answers", answers.further.parameters.images),
                Intent::Cancel => ("cancel", images.to_vec()),
                other => panic!("{other:?}"),
            };
            assert_eq!((found, &taken[..]), (word, &images[..]), "{intent:?} while {waiting:?}");
            assert_eq!(
                with_images(intent.clone(), Language::English, &[], "animate this", waiting),
                intent,
                "without a picture"
            );
        }
    }
}

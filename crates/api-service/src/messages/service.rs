//! A user's message: what it wants, what comes of that, and what the assistant says. All of it is planned
//! first and then committed in one transaction, which fails and is planned anew if the generation that the
//! plan is about has changed meanwhile.

use contract::{
    ConversationId, GenerationId, GenerationStatus as Status, ImageInput, MessageId, Timestamp, UserId,
    problem::FieldError,
};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use utoipa::ToSchema;

use super::{
    answers::answered,
    attachments::{Waiting, with_images},
};
use crate::{
    catalogue::{Catalogue, Model},
    conversations::{
        self,
        message::{Message, MessageKind},
    },
    error::{AppError, AppResult},
    generations::{
        Flow,
        cause::Cause,
        clarification::Settled,
        generation::Generation,
        log::{self, Action},
        plan::{self, Place, Plan},
        service::{check_text, created, observe, told},
        state::{InPart, Input, Quote},
        wording::Wording,
    },
    idempotency::{Answer, Ticket},
    intent::{
        Answers, Context, Intent, Language, Request,
        model::{self, Dialogue, Enhanced, Reading},
        reply,
    },
    store::{Deed, Error, Full, Taken, Turn},
    uploads,
};

/// How often a turn is planned anew because another was faster.
const ATTEMPTS: usize = 8;
/// How many of the last messages a model is shown.
const SHOWN: i64 = 8;

/// What a user says.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct NewMessage {
    /// The words.
    #[schema(max_length = 8192, example = "Make me a video of a paper boat crossing a rainy street at dusk")]
    pub content: String,
    /// Uploaded pictures that the video shall be made from.
    #[serde(default)]
    pub attachments: Option<Vec<ImageInput>>,
}

/// What was said, and what was answered.
#[derive(Debug, Serialize, ToSchema)]
pub struct Reply {
    /// The user's message.
    pub message: Message,
    /// The assistant's.
    pub reply: Message,
    /// The generation that was made, changed or spoken of.
    pub generation: Option<Generation>,
}

/// What stood open when the message was taken in: a generation, and the revision that its offer had.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Seen {
    id: GenerationId,
    revision: i64,
}

/// What a message can speak of.
#[derive(Clone, Debug, Default)]
struct Topic {
    /// The newest generation that waits for the user, or else the newest that is being made.
    open: Option<Generation>,
    /// Where nothing waits: the newest finished video.
    video: Option<Generation>,
}

/// What is to be done about a message.
#[derive(Debug)]
pub(super) enum Planned {
    Talk(MessageKind, String, Option<Box<Generation>>),
    Create(Box<Plan>),
    Answer(Box<Generation>, Map<String, Value>, Box<Quote>),
    AnswerInPart(Box<Generation>, Box<InPart>),
    Amend(Box<Generation>, Box<Quote>),
    Confirm(Box<Generation>),
    Cancel(Box<Generation>),
}

/// Takes a user's message in and answers it.
pub async fn say(
    flow: &Flow,
    user: &UserId,
    conversation: &ConversationId,
    new: NewMessage,
    ticket: Option<Ticket>,
) -> AppResult<Answer> {
    telemetry::event!(
        INFO, MESSAGE_CREATE_REQUEST_RECEIVED,
        userId = %user, conversationId = %conversation
    );
    check_text("content", &new.content)?;
    let images = new.attachments.unwrap_or_default();
    uploads::service::check(flow.store(), user, &images, "attachments").await?;
    let message = MessageId::new();
    let cause = Cause::current();
    let mut seen = None;
    let mut refusal = None;
    let mut heard = Enhanced::Unasked;
    for attempt in 0..ATTEMPTS {
        let topic = Topic::of(flow, user, conversation).await?;
        let seen = seen.get_or_insert_with(|| topic.open.as_ref().map(Seen::of));
        // A model is asked once: what it said was about what there was then, and the user waits.
        let Reading { intent, language, enhanced } = match attempt {
            0 => topic.read(flow, conversation, &new.content).await?,
            _ => model::by_rules(&new.content, topic.context()),
        };
        if enhanced != Enhanced::Unasked {
            heard = enhanced;
        }
        let intent = with_images(intent, language, &images, &new.content, waiting(topic.open.as_ref()));
        check_images(flow, language, &intent, &topic, &images)?;
        if images.is_empty()
            && let Some(earlier) = topic.repeated(&intent)
        {
            // What the earlier one was made from may be gone.
            uploads::service::check(flow.store(), user, &earlier.parameters.images, "attachments").await?;
        }
        let (word, is_new) = (word(&intent), matches!(intent, Intent::Video(_)));
        let place = Place {
            conversation: conversation.clone(),
            message: message.clone(),
            user: user.clone(),
            retry_of: None,
        };
        let planned = match refusal.take() {
            Some(words) => Planned::Talk(MessageKind::Text, words, topic.open.map(Box::new)),
            None => plan_for(flow, intent, topic, language, place)?
                .for_what_was_seen(seen.as_ref(), flow.catalogue()),
        };
        let planned = planned.enhanced(flow, is_new, &mut heard).await;
        let words = reply::confirmed(language, message.as_str());
        let turn = Turn {
            user,
            room: flow.room(),
            cause: &cause,
            conversation,
            begins: false,
            says: Some((&message, &new.content)),
            deed: planned.deed(&words),
        };
        let keep = ticket.as_ref().map(|ticket| (ticket, answer as fn(&Taken) -> Answer));
        let taken = match flow.store().take_turn(turn, keep).await {
            Err(Error::Raced) => continue,
            // What stands against a yes is said where it was said.
            Err(Error::Full(Full::Spending(exceeded))) => {
                refusal = Some(reply::exceeded(language, &exceeded));
                continue;
            }
            taken => {
                taken.map_err(|error| told(language, error))?.ok_or_else(conversations::service::unknown)?
            }
        };
        log_turn(user, conversation, (&message, &new.content), word, &planned, &taken);
        return Ok(answer(&taken));
    }
    Err(AppError::unavailable("the conversation kept changing"))
}

fn answer(taken: &Taken) -> Answer {
    Answer::created(&json!({
        "message": taken.message,
        "reply": taken.reply,
        "generation": taken.generation,
    }))
}

/// Says what a turn was, once it is committed: it may have been planned more than once before.
fn log_turn(
    user: &UserId,
    conversation: &ConversationId,
    (message, content): (&MessageId, &str),
    intent: &str,
    planned: &Planned,
    taken: &Taken,
) {
    telemetry::event!(
        INFO, MESSAGE_CREATE_MESSAGE_CREATED,
        userId = %user, conversationId = %conversation, messageId = %message
    );
    telemetry::event!(
        INFO, MESSAGE_CREATE_INTENT_ANALYSED,
        conversationId = %conversation, messageId = %message, intent = intent
    );
    match planned.deed("") {
        Deed::Create(new, _) => {
            log::asked_for(user, Some(conversation), Some(message), content, Some(&new.provider));
            created(new);
            taken.generation.iter().for_each(log::told_of);
        }
        Deed::Act { on, input, .. } => {
            if let (Some(action), Some(changed)) = (Action::of(input), &taken.changed) {
                log::received(action, &on.id, user);
                log::updated(action, &changed.change);
                log::returning(action, &changed.change.after);
            }
        }
        Deed::Talk { .. } => {}
    }
    if let Some(changed) = &taken.changed {
        observe(changed);
    }
    telemetry::event!(
        INFO, MESSAGE_CREATE_RETURNING_RESPONSE,
        conversationId = %conversation, messageId = %message, intent = intent,
        generationId = taken.generation.as_ref().map(|generation| tracing::field::display(&generation.id))
    );
}

impl Topic {
    async fn of(flow: &Flow, user: &UserId, conversation: &ConversationId) -> AppResult<Self> {
        let open = flow.store().topic(user, conversation).await?;
        let open = open.ok_or_else(conversations::service::unknown)?;
        let video = if open.is_none() { flow.store().newest_video(conversation).await? } else { None };
        Ok(Self { open, video })
    }

    /// What a message wants. No transaction is open while a model is asked.
    async fn read(&self, flow: &Flow, conversation: &ConversationId, said: &str) -> AppResult<Reading> {
        let (analyst, context) = (flow.analyst(), self.context());
        let earlier = if analyst.asks_model(said, context) {
            flow.store().last_messages(conversation, SHOWN).await?
        } else {
            Vec::new()
        };
        let dialogue = Dialogue { said: &earlier, open: self.open.as_ref(), video: self.video.as_ref() };
        Ok(analyst.read(conversation, said, context, dialogue).await)
    }

    fn context(&self) -> Context<'_> {
        let status = self.open.as_ref().map(|generation| generation.status);
        let asking = self.open.as_ref().filter(|_| status == Some(Status::PendingClarification));
        Context {
            open_questions: asking
                .and_then(|generation| generation.clarification_questions.as_deref())
                .unwrap_or_default(),
            awaiting_confirmation: status == Some(Status::PendingConfirmation),
            in_the_making: matches!(status, Some(Status::Confirmed | Status::Queued | Status::Processing)),
            has_video: self.video.is_some(),
            language: self.language(),
        }
    }

    /// The video that an intent asks to be made once more.
    fn repeated(&self, intent: &Intent) -> Option<&Generation> {
        match intent {
            Intent::Again(_) => self.open.as_ref().or(self.video.as_ref()),
            Intent::Change(_) if self.open.is_none() => self.video.as_ref(),
            _ => None,
        }
    }

    /// The language that was spoken last, as far as that is known.
    fn language(&self) -> Option<Language> {
        self.open.as_ref().or(self.video.as_ref()).map(|generation| generation.language)
    }
}

fn waiting(topic: Option<&Generation>) -> Waiting {
    match topic.map(|topic| topic.status) {
        Some(Status::PendingClarification) => Waiting::Answers,
        Some(Status::PendingConfirmation) => Waiting::Yes,
        _ => Waiting::Nothing,
    }
}

/// Pictures that the model does not take, or not together, are refused before anything is said.
fn check_images(
    flow: &Flow,
    language: Language,
    intent: &Intent,
    topic: &Topic,
    images: &[ImageInput],
) -> AppResult<()> {
    let model = match (topic.repeated(intent), &topic.open) {
        (Some(earlier), _) => like(flow, earlier),
        (None, Some(open)) if !matches!(intent, Intent::Video(_)) => flow.model_of(open)?,
        _ => flow.catalogue().default_model(),
    };
    let wrong = model.check_images(language, images);
    let errors = wrong.into_iter().map(|message| FieldError::new("attachments", message)).collect::<Vec<_>>();
    if errors.is_empty() { Ok(()) } else { Err(AppError::validation(errors)) }
}

fn word(intent: &Intent) -> &'static str {
    match intent {
        Intent::Video(_) => "video",
        Intent::Answers(_) => "answers",
        Intent::Change(_) => "change",
        Intent::Again(_) => "again",
        Intent::Confirm => "confirm",
        Intent::Cancel => "cancel",
        Intent::OwnWords => "own_words",
        Intent::Greeting => "greeting",
        Intent::Thanks => "thanks",
        Intent::Help => "help",
        Intent::Other => "other",
    }
}

fn plan_for(
    flow: &Flow,
    intent: Intent,
    topic: Topic,
    language: Language,
    place: Place,
) -> AppResult<Planned> {
    let key = place.message.as_str().to_owned();
    let talk = |words| Planned::Talk(MessageKind::Text, words, None);
    let Topic { open, video } = topic;
    let status = open.as_ref().map(|generation| generation.status);
    Ok(match (intent, open) {
        (Intent::Video(request), _) => asked(flow.catalogue().default_model(), &request, place),
        (Intent::Answers(answers), Some(open)) => answered(flow.model_of(&open)?, open, answers),
        (Intent::Change(wishes), Some(waiting)) if status == Some(Status::PendingConfirmation) => {
            amended(flow, waiting, wishes)?
        }
        (Intent::Change(wishes), Some(asking)) if status == Some(Status::PendingClarification) => {
            if wishes.relative.is_some() {
                let answers = Answers { further: wishes, ..Answers::default() };
                answered(flow.model_of(&asking)?, asking, answers)
            } else {
                let questions = asking.clarification_questions.as_deref().unwrap_or_default();
                let words = reply::questions(asking.language, questions, &key);
                Planned::Talk(MessageKind::Clarification, words, Some(Box::new(asking)))
            }
        }
        (Intent::Change(_), Some(making)) => {
            Planned::Talk(MessageKind::Text, reply::cannot_change(language), Some(Box::new(making)))
        }
        (Intent::Change(wishes), None) => once_more(flow, video, wishes, place),
        // Another one of what is being made changes nothing about that one.
        (Intent::Again(wishes), open) => once_more(flow, open.or(video), wishes, place),
        (Intent::Confirm, Some(waiting)) if status == Some(Status::PendingConfirmation) => {
            Planned::Confirm(Box::new(waiting))
        }
        // A yes to what has had its yes.
        (Intent::Confirm, Some(topic)) if status != Some(Status::PendingClarification) => {
            Planned::Talk(MessageKind::Text, reply::confirmed(language, &key), Some(Box::new(topic)))
        }
        (Intent::OwnWords, Some(waiting)) if status == Some(Status::PendingConfirmation) => {
            in_own_words(flow, waiting)?
        }
        (Intent::Cancel, Some(topic)) => Planned::Cancel(Box::new(topic)),
        (Intent::Confirm, _) => talk(reply::nothing_to_confirm(language)),
        (Intent::Cancel, None) => talk(reply::nothing_to_cancel(language)),
        (Intent::Greeting, _) => talk(reply::greeting(language, &key)),
        (Intent::Thanks, _) => talk(reply::thanks(language, &key)),
        (Intent::Help, _) => talk(reply::help(language, flow.catalogue().default_model())),
        (Intent::Answers(_) | Intent::OwnWords | Intent::Other, _) => talk(reply::other(language, &key)),
    })
}

/// The model of an earlier video, or the default one if that is no longer offered.
fn like<'a>(flow: &'a Flow, earlier: &Generation) -> &'a Model {
    let catalogue = flow.catalogue();
    catalogue.find(&earlier.provider, &earlier.model).unwrap_or_else(|| catalogue.default_model())
}

/// What people call the model of a generation; its id, if it is offered no longer.
fn called<'a>(catalogue: &'a Catalogue, generation: &'a Generation) -> &'a str {
    let model = catalogue.find(&generation.provider, &generation.model);
    model.map_or(&generation.model, |model| &model.name)
}

/// A new video.
fn asked(model: &Model, request: &Request, place: Place) -> Planned {
    match plan::plan(model, place, request, Timestamp::now()) {
        Ok(plan) => Planned::Create(Box::new(plan)),
        Err(errors) => {
            let words = reply::answers_refused(request.language, &errors, &[], &[]);
            Planned::Talk(MessageKind::Text, words, None)
        }
    }
}

/// A new video that is like an earlier one, apart from what is wanted otherwise. It asks and is priced like any, and
/// is asked for in the words that the earlier one was.
fn once_more(flow: &Flow, earlier: Option<Generation>, mut wishes: Request, place: Place) -> Planned {
    let Some(earlier) = earlier else {
        let words = reply::other(wishes.language, place.message.as_str());
        return Planned::Talk(MessageKind::Text, words, None);
    };
    let model = like(flow, &earlier);
    if let Err(words) = measure(model, &earlier, &mut wishes) {
        return Planned::Talk(MessageKind::Text, words, Some(Box::new(earlier)));
    }
    let enhanced = match &wishes.subject {
        Some(further) => plan::enhanced_further(&earlier, further),
        None => earlier.enhanced_prompt.clone(),
    };
    let enhanced = enhanced.filter(|text| model.check_prompt(text).is_none());
    match asked(model, &plan::follow_up(&earlier, &wishes), place) {
        Planned::Create(plan) => Planned::Create(Box::new(plan.worded(enhanced))),
        refused => refused,
    }
}

/// The offer once more, in the user's own words.
fn in_own_words(flow: &Flow, waiting: Generation) -> AppResult<Planned> {
    if waiting.enhanced_prompt.is_none() {
        let words = reply::confirmation(&waiting, called(flow.catalogue(), &waiting));
        return Ok(Planned::Talk(MessageKind::Confirmation, words, Some(Box::new(waiting))));
    }
    let settled = Settled { prompt: waiting.prompt.clone(), parameters: waiting.parameters.clone() };
    let mut quote =
        plan::quote(flow.model_of(&waiting)?, waiting.language, settled).map_err(AppError::validation)?;
    quote.wording = Wording::Changed(None);
    Ok(Planned::Amend(Box::new(waiting), Box::new(quote)))
}

/// Turns “longer” into a length, compared with a generation's; the error says that there is none.
pub(super) fn measure(model: &Model, than: &Generation, wishes: &mut Request) -> Result<(), String> {
    if let Some(wish) = wishes.relative
        && wishes.parameters.duration.is_none()
    {
        let length = plan::stretched(model, than.parameters.duration, wish)
            .map_err(|limit| reply::at_the_limit(wishes.language, wish, limit))?;
        wishes.parameters.duration = Some(length);
    }
    Ok(())
}

/// A wish to have something otherwise before the yes.
fn amended(flow: &Flow, waiting: Generation, mut wishes: Request) -> AppResult<Planned> {
    let model = flow.model_of(&waiting)?;
    if let Err(words) = measure(model, &waiting, &mut wishes) {
        return Ok(Planned::Talk(MessageKind::Text, words, Some(Box::new(waiting))));
    }
    let quote = plan::with_wishes(model, &waiting, &wishes).and_then(|wished| {
        let wording = Wording::between(&waiting, &wished);
        let parameters = model.fill_defaults(wished.parameters);
        let quote = plan::quote(model, wishes.language, Settled { prompt: wished.prompt, parameters })?;
        Ok(Quote { wording, ..quote })
    });
    Ok(match quote {
        Ok(quote) => Planned::Amend(Box::new(waiting), Box::new(quote)),
        Err(errors) => {
            let problems: Vec<_> = errors.iter().map(|error| error.message.as_str()).collect();
            let words = reply::change_refused(wishes.language, &problems);
            Planned::Talk(MessageKind::Text, words, Some(Box::new(waiting)))
        }
    })
}

/// Whether an answer says for the first time what the video shows, or says it anew, so that what was made of the words
/// before is gone. What only goes on from these keeps it.
fn are_new(asking: &Generation, prompt: &str, wording: &Wording) -> bool {
    if asking.prompt.is_empty() {
        !prompt.is_empty() && asking.enhanced_prompt.is_none()
    } else {
        *wording == Wording::Changed(None) || plan::says_otherwise(&asking.prompt, prompt)
    }
}

impl Seen {
    fn of(generation: &Generation) -> Self {
        Self { id: generation.id.clone(), revision: generation.job.revision }
    }
}

impl Planned {
    /// A yes is for the offer that was there when it was said; one that has come up since is told instead. A no
    /// is for the generation that was there: had it its end meanwhile, another that may be paid for goes on.
    fn for_what_was_seen(self, seen: Option<&Seen>, catalogue: &Catalogue) -> Self {
        match self {
            Self::Confirm(offer) if seen != Some(&Seen::of(&offer)) => {
                let words = reply::confirmation(&offer, called(catalogue, &offer));
                Self::Talk(MessageKind::Confirmation, words, Some(offer))
            }
            Self::Cancel(other) if seen.is_none_or(|seen| seen.id != other.id) => Self::Talk(
                MessageKind::Text,
                reply::another_goes_on(other.language, &other.prompt),
                Some(other),
            ),
            same => same,
        }
    }

    /// The same with a better prompt beside the user's words, where these are new. What was heard of one before, and
    /// what is heard now, is kept for when the turn has to be planned again.
    async fn enhanced(mut self, flow: &Flow, is_new: bool, heard: &mut Enhanced) -> Self {
        let (generation, prompt, parameters) = match &self {
            Self::Create(plan) if is_new => {
                (&plan.generation, &plan.generation.prompt, &plan.generation.parameters)
            }
            Self::Answer(asking, _, quote) if are_new(asking, &quote.settled.prompt, &quote.wording) => {
                (&**asking, &quote.settled.prompt, &quote.settled.parameters)
            }
            Self::AnswerInPart(asking, in_part)
                if are_new(asking, &in_part.draft.prompt, &in_part.wording) =>
            {
                (&**asking, &in_part.draft.prompt, &in_part.draft.parameters)
            }
            _ => return self,
        };
        let Some(model) = flow.catalogue().find(&generation.provider, &generation.model) else { return self };
        let known = std::mem::replace(heard, Enhanced::Unasked);
        let better = flow.better(&generation.conversation_id, model, prompt, parameters, known).await;
        *heard = Enhanced::Asked(better.clone());
        match &mut self {
            Self::Create(plan) => plan.generation.enhanced_prompt = better,
            Self::Answer(_, _, quote) => quote.wording.suggest(better),
            Self::AnswerInPart(_, in_part) => in_part.wording.suggest(better),
            _ => {}
        }
        self
    }

    fn deed<'a>(&'a self, confirmed: &'a str) -> Deed<'a> {
        match self {
            Self::Talk(kind, words, about) => {
                Deed::Talk { kind: *kind, words, about: about.as_ref().map(|generation| &generation.id) }
            }
            Self::Create(plan) => Deed::Create(&plan.generation, plan.quote.as_ref()),
            Self::Answer(on, responses, quote) => {
                Deed::Act { on, input: Input::Answered { responses, quote }, words: "" }
            }
            Self::AnswerInPart(on, in_part) => {
                Deed::Act { on, input: Input::AnsweredInPart(in_part), words: "" }
            }
            Self::Amend(on, quote) => Deed::Act { on, input: Input::Amended(quote), words: "" },
            Self::Confirm(on) => {
                Deed::Act { on, input: Input::Confirmed(None, &Wording::Kept), words: confirmed }
            }
            Self::Cancel(on) => Deed::Act { on, input: Input::Cancelled, words: "" },
        }
    }
}

#[cfg(test)]
mod tests;

//! What users ask of generations. Each function answers in the form in which an answer is kept: its links are
//! unsigned. What writes is to be called on the home runtime.

use contract::{
    ConversationId, ErrorReason, GenerationId, GenerationStatus as Status, ImageInput, MessageId, Money,
    Parameters, Timestamp, UserId, problem::FieldError,
};
use serde::Deserialize;
use serde_json::{Map, Value};
use telemetry::metric;
use utoipa::ToSchema;

use super::{
    Flow,
    cause::Cause,
    clarification::Settled,
    generation::Generation,
    log::{self, Action},
    plan::{self, Place, Plan},
    state::{Input, Quote, Rejection},
    status::StatusView,
    wording::Wording,
};
use crate::{
    catalogue::Model,
    conversations,
    error::{AppError, AppResult},
    idempotency::{Answer, Ticket},
    intent::{Language, model::Enhanced, reply, words::Words},
    listing::{Page, PageRequest},
    store::{Changed, Deed, Error, Filter, Full, Origin, Outcome, Room, Taken, Turn},
    uploads, usage,
};

/// The longest prompt and the longest message, in bytes.
pub const LONGEST_PROMPT: usize = 8 * 1024;

/// A direct request for a video.
#[derive(Clone, Debug, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct NewGeneration {
    /// Where it is asked for; without it, a conversation begins.
    pub conversation_id: Option<ConversationId>,
    /// The message of the user's that asks for it; without it, one is stored from the prompt.
    pub message_id: Option<MessageId>,
    /// What the video shall show, in plain language. Length, shape and the like may stand in it.
    #[schema(
        max_length = 8192,
        example = "A paper boat crosses a rainy street at dusk, 8 seconds, landscape"
    )]
    pub prompt: String,
    /// The provider's name; without it, the default's.
    pub provider: Option<String>,
    /// The provider's model; without it, the default.
    pub model: Option<String>,
    /// How it shall be made. What stands here counts before what the prompt says.
    pub parameters: Option<Parameters>,
    /// Uploaded pictures that the video shall be made from; as good as `parameters.images`.
    pub attachments: Option<Vec<ImageInput>>,
}

/// Answers to the questions of a generation.
#[derive(Clone, Debug, Deserialize, ToSchema)]
pub struct Clarification {
    /// By question id: an option's value, a number, a text or a boolean. What is left out takes the question's
    /// default.
    #[schema(value_type = Object)]
    pub responses: Map<String, Value>,
}

/// A yes.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Confirmation {
    /// The price that the yes is for; if it is no longer the price, the answer is 409 `price_changed`.
    #[serde(default)]
    pub estimated_cost: Option<Money>,
    /// What the provider is asked for: this text, or with `null` the prompt in the user's own words. Left out, it is as
    /// it is.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 8192)]
    pub enhanced_prompt: Wording,
}

/// Other words for a video that waits for its user.
#[derive(Clone, Debug, Default, Deserialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Rewording {
    /// What the provider is asked for in place of the prompt; `null` for the prompt in the user's own words.
    #[serde(default)]
    #[schema(value_type = Option<String>, max_length = 8192)]
    pub enhanced_prompt: Wording,
}

/// Counts what a committed change ended.
pub(crate) fn observe(changed: &Changed) {
    let (before, after) = (&changed.change.before, &changed.change.after);
    if !after.status.is_terminal() || before.status.is_terminal() {
        return;
    }
    let code = after.error_code.map_or("", contract::ErrorCode::as_str);
    let labels = [("status", after.status.as_str()), ("error_code", code)];
    metrics::counter!(metric::GENERATIONS_FINISHED, &labels).increment(1);
    if let Some(begun) = after.started_at {
        let seconds = after.updated_at.since(begun).as_secs_f64();
        metrics::histogram!(metric::GENERATION_SECONDS, "status" => after.status.as_str()).record(seconds);
    }
}

/// Logs and counts a new generation.
pub(crate) fn created(generation: &Generation) {
    telemetry::event!(
        INFO, GENERATION_CREATE_CREATED_IN_DB,
        generationId = %generation.id, status = %generation.status
    );
    let provider = generation.provider.clone();
    metrics::counter!(metric::GENERATIONS_CREATED, "provider" => provider).increment(1);
}

/// The same for one that is another's and one that never was (I22).
pub(crate) fn unknown() -> AppError {
    AppError::not_found("generation")
}

fn of_generation(taken: &Taken) -> Answer {
    Answer::created(&taken.generation)
}

/// Checks what a person wrote before anything is done with it.
pub(crate) fn check_text(field: &str, text: &str) -> AppResult<()> {
    if text.trim().is_empty() {
        return Err(AppError::field(field, "must not be empty"));
    }
    if text.len() > LONGEST_PROMPT {
        return Err(AppError::field(field, format!("must have at most {LONGEST_PROMPT} bytes")));
    }
    Ok(())
}

impl Flow {
    /// Asks for a video directly.
    pub async fn create(
        &self,
        user: &UserId,
        new: NewGeneration,
        ticket: Option<Ticket>,
    ) -> AppResult<Answer> {
        log::asked_for(
            user,
            new.conversation_id.as_ref(),
            new.message_id.as_ref(),
            &new.prompt,
            new.provider.as_deref(),
        );
        check_text("prompt", &new.prompt)?;
        let mut named = new.parameters.unwrap_or_default();
        if let Some(attachments) = new.attachments.filter(|attachments| !attachments.is_empty()) {
            uploads::service::check(&self.store, user, &attachments, "attachments").await?;
            named.images.splice(0..0, attachments);
        }
        uploads::service::check(&self.store, user, &named.images, "parameters.images").await?;
        let model = self
            .catalogue
            .choose(new.provider.as_deref(), new.model.as_deref())
            .map_err(|error| AppError::validation(vec![error]))?;
        let errors = model.check(&named);
        if !errors.is_empty() {
            return Err(AppError::validation(errors));
        }
        let (conversation, begins) = self.place(user, new.conversation_id, new.message_id.as_ref()).await?;
        let message = new.message_id.clone().unwrap_or_else(MessageId::new);
        let place = Place {
            conversation: conversation.clone(),
            message: message.clone(),
            user: user.clone(),
            retry_of: None,
        };
        let plan = plan::plan(model, place, &plan::direct(&new.prompt, &named), Timestamp::now())
            .map_err(AppError::validation)?;
        let better = self.better_if_begun(user, begins, model, &plan.generation).await?;
        let plan = plan.worded(better);
        let says = new.message_id.is_none().then_some((&message, new.prompt.as_str()));
        let answer = self.begin(user, &conversation, begins, says, &plan, ticket.as_ref()).await?;
        answer.ok_or_else(conversations::service::unknown)
    }

    /// A better prompt for a new generation. Asking for it costs time and money, so what could not be begun is refused
    /// first.
    async fn better_if_begun(
        &self,
        user: &UserId,
        begins: bool,
        model: &Model,
        new: &Generation,
    ) -> AppResult<Option<String>> {
        if !self.analyst.enhances() {
            return Ok(None);
        }
        let Generation { conversation_id, prompt, parameters, language, .. } = new;
        let could = self.store.could_make(user, (!begins).then_some(conversation_id), self.room()).await;
        if !could.map_err(|error| told(*language, error))? {
            return Err(conversations::service::unknown());
        }
        Ok(self.better(conversation_id, model, prompt, parameters, Enhanced::Unasked).await)
    }

    /// Where a direct request is made: in the conversation that it names, in its message's, or in a new one.
    async fn place(
        &self,
        user: &UserId,
        conversation: Option<ConversationId>,
        message: Option<&MessageId>,
    ) -> AppResult<(ConversationId, bool)> {
        let Some(message) = message else {
            return Ok(conversation.map_or_else(|| (ConversationId::new(), true), |id| (id, false)));
        };
        let said_in = self.store.place_of_message(user, message).await?;
        let said_in = said_in.ok_or_else(|| AppError::not_found("message"))?;
        match conversation {
            Some(id) if id != said_in => Err(AppError::not_found("message")),
            _ => Ok((said_in, false)),
        }
    }

    /// Stores a new generation with the message that asks for it and what the assistant says. `None` if there
    /// is no such conversation of the user's.
    async fn begin(
        &self,
        user: &UserId,
        conversation: &ConversationId,
        begins: bool,
        says: Option<(&MessageId, &str)>,
        plan: &Plan,
        ticket: Option<&Ticket>,
    ) -> AppResult<Option<Answer>> {
        let cause = Cause::current();
        let turn = Turn {
            user,
            room: self.room(),
            cause: &cause,
            conversation,
            begins,
            says,
            deed: Deed::Create(&plan.generation, plan.quote.as_ref()),
        };
        let keep = ticket.map(|ticket| (ticket, of_generation as fn(&Taken) -> Answer));
        let taken = self.store.take_turn(turn, keep).await;
        let taken = taken.map_err(|error| told(plan.generation.language, error))?;
        let Some(taken) = taken else { return Ok(None) };
        created(&plan.generation);
        if let Some(generation) = &taken.generation {
            log::told_of(generation);
        }
        Ok(Some(of_generation(&taken)))
    }

    /// How many generations a user may have (I20).
    pub(crate) const fn room(&self) -> Room {
        Room { open: self.settings.open_per_user, allowance: self.allowance }
    }

    /// A user's generations, newest first.
    pub async fn list(
        &self,
        user: &UserId,
        filter: &Filter,
        page: &PageRequest<GenerationId>,
    ) -> AppResult<Page<Generation>> {
        let rows = self.store.generations(user, filter, page.after.as_ref(), page.rows()).await?;
        Ok(page.page_of(rows, |generation| generation.id.clone()))
    }

    /// A generation of the user's.
    pub async fn get(&self, user: &UserId, id: &GenerationId) -> AppResult<Generation> {
        self.store.generation(user, id).await?.ok_or_else(unknown)
    }

    /// Where a generation of the user's stands, asked from the worker if what we know is old.
    pub async fn status(&self, user: &UserId, id: &GenerationId) -> AppResult<StatusView> {
        telemetry::event!(DEBUG, GENERATION_STATUS_REQUEST_RECEIVED, generationId = %id, userId = %user);
        let (generation, told) = self.refreshed(self.get(user, id).await?).await;
        let mut view = StatusView::new(&generation, told.as_ref());
        for address in [&mut view.result_url, &mut view.thumbnail_url].into_iter().flatten() {
            *address = self.media.link(address);
        }
        telemetry::event!(
            DEBUG, GENERATION_STATUS_RETURNING_RESPONSE,
            generationId = %id,
            dbStatus = %generation.status,
            workerStatus = told.as_ref().map(|snapshot| snapshot.status.as_str())
        );
        Ok(view)
    }

    /// The model of a generation, which may be offered no longer.
    pub(crate) fn model_of(&self, generation: &Generation) -> AppResult<&Model> {
        self.catalogue.find(&generation.provider, &generation.model).ok_or_else(|| {
            let message = Words::of(generation.language).because(ErrorReason::ModelNotOffered);
            AppError::validation(vec![FieldError::new("model", message)])
        })
    }

    /// Answers the questions of a generation.
    pub async fn clarify(
        &self,
        user: &UserId,
        id: &GenerationId,
        body: Clarification,
        ticket: Option<Ticket>,
    ) -> AppResult<Answer> {
        log::received(Action::Clarify, id, user);
        let generation = self.get(user, id).await?;
        let quote = if generation.status == Status::PendingClarification {
            let model = self.model_of(&generation)?;
            let mut quote =
                plan::answer(model, &generation, &body.responses).map_err(AppError::validation)?;
            // Only now it is known what the video shows.
            if generation.prompt.is_empty() && generation.enhanced_prompt.is_none() {
                let (place, Settled { prompt, parameters }) = (&generation.conversation_id, &quote.settled);
                let better = self.better(place, model, prompt, parameters, Enhanced::Unasked).await;
                quote.wording = better.map_or(Wording::Kept, Wording::Suggested);
            }
            quote
        } else {
            // Only to see whether these are the answers that were taken.
            repeated(&generation)
        };
        let input = Input::Answered { responses: &body.responses, quote: &quote };
        self.act(user, id, input, ticket.as_ref()).await
    }

    /// Says yes to the price.
    pub async fn confirm(
        &self,
        user: &UserId,
        id: &GenerationId,
        body: Confirmation,
        ticket: Option<Ticket>,
    ) -> AppResult<Answer> {
        log::received(Action::Confirm, id, user);
        let wording = self.checked(user, id, body.enhanced_prompt).await?;
        let input = Input::Confirmed(body.estimated_cost.as_ref(), &wording);
        self.act(user, id, input, ticket.as_ref()).await
    }

    /// Changes what the provider will be asked for.
    pub async fn reword(
        &self,
        user: &UserId,
        id: &GenerationId,
        body: Rewording,
        ticket: Option<Ticket>,
    ) -> AppResult<Answer> {
        log::received(Action::Reword, id, user);
        let wording = self.checked(user, id, body.enhanced_prompt).await?;
        self.act(user, id, Input::Reworded(&wording), ticket.as_ref()).await
    }

    /// What a user wants the provider to be asked for, checked against what the generation's model takes.
    async fn checked(&self, user: &UserId, id: &GenerationId, wording: Wording) -> AppResult<Wording> {
        let Wording::Changed(Some(_)) = wording else { return Ok(wording) };
        let generation = self.get(user, id).await?;
        let model = self.catalogue.find(&generation.provider, &generation.model);
        let checked = wording.checked(generation.language, model);
        checked.map_err(|error| AppError::validation(vec![error]))
    }

    /// Calls a generation off.
    pub async fn cancel(
        &self,
        user: &UserId,
        id: &GenerationId,
        ticket: Option<Ticket>,
    ) -> AppResult<Answer> {
        log::received(Action::Cancel, id, user);
        self.act(user, id, Input::Cancelled, ticket.as_ref()).await
    }

    /// Lets a user's action happen, and answers with the generation as it is afterwards.
    async fn act(
        &self,
        user: &UserId,
        id: &GenerationId,
        input: Input<'_>,
        ticket: Option<&Ticket>,
    ) -> AppResult<Answer> {
        let cause = Cause::current();
        let origin = Origin::User { id: user, room: self.room(), cause: &cause, ticket };
        let outcome = match self.store.happen(id, input, origin).await {
            // Only a person in whose way it stands needs to be spoken to.
            Err(error @ Error::Full(_)) => return Err(told(self.get(user, id).await?.language, error)),
            outcome => outcome?,
        };
        let action = Action::of(input);
        let after = match outcome {
            Outcome::Changed(changed) => {
                observe(&changed);
                if let Some(action) = action {
                    log::updated(action, &changed.change);
                }
                changed.change.after
            }
            Outcome::Unchanged(_, generation) => *generation,
            Outcome::Rejected(rejection) => return Err(refused(&rejection)),
            Outcome::Duplicate | Outcome::Unknown => return Err(unknown()),
        };
        if let Some(action) = action {
            log::returning(action, &after);
        }
        Ok(Answer::ok(&after))
    }

    /// Makes a new generation from one that failed or was called off.
    pub async fn retry(&self, user: &UserId, id: &GenerationId, ticket: Option<Ticket>) -> AppResult<Answer> {
        telemetry::event!(INFO, GENERATION_CREATE_REQUEST_RECEIVED, userId = %user, retryOf = %id);
        let earlier = self.get(user, id).await?;
        if !matches!(earlier.status, Status::Failed | Status::Cancelled) {
            return Err(AppError::invalid_state(
                earlier.status,
                "Only a generation that failed or was cancelled can be tried again.",
            ));
        }
        uploads::service::check(&self.store, user, &earlier.parameters.images, "parameters.images").await?;
        let model = self.model_of(&earlier)?;
        let place = Place {
            conversation: earlier.conversation_id.clone(),
            message: earlier.message_id.clone(),
            user: user.clone(),
            retry_of: Some(earlier.id.clone()),
        };
        let asked = plan::again(model, &earlier).map_err(AppError::validation)?;
        let plan = plan::plan(model, place, &asked, Timestamp::now()).map_err(AppError::validation)?;
        // The model may take less than it did.
        let enhanced = earlier.enhanced_prompt.clone().filter(|text| model.check_prompt(text).is_none());
        let plan = plan.worded(enhanced);
        let answer = self.begin(user, &earlier.conversation_id, false, None, &plan, ticket.as_ref()).await?;
        answer.ok_or_else(unknown)
    }

    /// Deletes a conversation of the user's: it is hidden, what is in it is called off, and the worker discards
    /// what it has stored.
    pub async fn discard_conversation(&self, user: &UserId, id: &ConversationId) -> AppResult<()> {
        let cause = Cause::current();
        let discarded = self.store.discard_conversation(user, id, &cause).await?;
        let discarded = discarded.ok_or_else(conversations::service::unknown)?;
        discarded.iter().for_each(observe);
        Ok(())
    }
}

/// What a generation is priced at as it is.
fn repeated(generation: &Generation) -> Quote {
    let settled = Settled { prompt: generation.prompt.clone(), parameters: generation.parameters.clone() };
    let free = || Money { amount: "0.00".to_owned(), currency: "USD".to_owned() };
    let price = generation.estimated_cost.clone().unwrap_or_else(free);
    Quote { settled, price, model: generation.model.clone(), wording: Wording::Kept }
}

/// What a person is told of an error of the store: in this language, where it stands in the person's way.
pub(crate) fn told(language: Language, error: Error) -> AppError {
    match error {
        Error::Full(full) => no_room(language, &full),
        error => error.into(),
    }
}

/// 429: the user has too many (I20).
pub(crate) fn no_room(language: Language, full: &Full) -> AppError {
    let code = match full {
        Full::Open(_) => "too_many_generations",
        Full::Queued(_) => "too_many_queued",
        Full::Spending(exceeded) => return usage::service::refused(language, exceeded, Timestamp::now()),
    };
    AppError::limit_reached(code, reply::full(language, full))
}

fn refused(rejection: &Rejection) -> AppError {
    match rejection {
        Rejection::InvalidState(status) => {
            let detail = match status {
                Status::PendingClarification => "Its questions have to be answered first.",
                Status::PendingConfirmation => {
                    "Its questions were answered; it waits for a yes to its price."
                }
                Status::Confirmed | Status::Queued | Status::Processing => "It is being made.",
                Status::Completed => "It is done.",
                Status::Failed => "It has failed; it can be tried again.",
                Status::Cancelled => "It was called off; it can be tried again.",
            };
            AppError::invalid_state(*status, detail)
        }
        Rejection::PriceChanged(price) => {
            let now = price.as_ref().map_or_else(
                || "It has no price yet.".to_owned(),
                |price| format!("The price is {} {}.", price.amount, price.currency),
            );
            AppError::conflict("price_changed", now)
        }
    }
}

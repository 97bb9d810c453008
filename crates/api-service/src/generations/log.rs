//! The lines that a user's wish leaves in the log, the same whether it came by its own route or was said in the chat.

use contract::{ConversationId, GenerationId, MessageId, UserId};

use super::{
    generation::Generation,
    state::{Change, Input},
};

/// What a user wants of a generation, after the log's components.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Action {
    /// To answer its questions, or to have it otherwise.
    Clarify,
    /// To have it asked for in other words.
    Reword,
    /// To say yes.
    Confirm,
    /// To call it off.
    Cancel,
}

impl Action {
    /// The action that an input is, if it is a user's. Whatever changes the plan is told to the worker as an answer is,
    /// and so it is logged as one.
    pub(crate) const fn of(input: Input<'_>) -> Option<Self> {
        match input {
            Input::Answered { .. } | Input::AnsweredInPart(_) | Input::Amended(_) => Some(Self::Clarify),
            Input::Reworded(_) => Some(Self::Reword),
            Input::Confirmed(..) => Some(Self::Confirm),
            Input::Cancelled => Some(Self::Cancel),
            Input::Created(_)
            | Input::Discarded
            | Input::Expired(_)
            | Input::CommandAccepted(_)
            | Input::CommandRefused
            | Input::Snapshot(_) => None,
        }
    }
}

/// A user wants a video.
pub(crate) fn asked_for(
    user: &UserId,
    conversation: Option<&ConversationId>,
    message: Option<&MessageId>,
    prompt: &str,
    provider: Option<&str>,
) {
    telemetry::event!(
        INFO, GENERATION_CREATE_REQUEST_RECEIVED,
        userId = %user,
        conversationId = conversation.map(tracing::field::display),
        messageId = message.map(tracing::field::display),
        prompt = telemetry::prompt(prompt),
        provider
    );
}

/// The user is told of a new generation.
pub(crate) fn told_of(new: &Generation) {
    telemetry::event!(
        INFO, GENERATION_CREATE_RETURNING_RESPONSE,
        generationId = %new.id, status = %new.status
    );
}

/// A user wants something of a generation.
pub(crate) fn received(action: Action, id: &GenerationId, user: &UserId) {
    match action {
        Action::Clarify => telemetry::event!(
            INFO, GENERATION_CLARIFY_REQUEST_RECEIVED,
            generationId = %id, userId = %user
        ),
        Action::Reword => telemetry::event!(
            INFO, GENERATION_REWORD_REQUEST_RECEIVED,
            generationId = %id, userId = %user
        ),
        Action::Confirm => telemetry::event!(
            INFO, GENERATION_CONFIRM_REQUEST_RECEIVED,
            generationId = %id, userId = %user
        ),
        Action::Cancel => telemetry::event!(
            INFO, GENERATION_CANCEL_REQUEST_RECEIVED,
            generationId = %id, userId = %user
        ),
    }
}

/// The change is committed.
pub(crate) fn updated(action: Action, change: &Change) {
    let (id, before, after) = (&change.after.id, change.before.status, change.after.status);
    match action {
        Action::Clarify => telemetry::event!(
            INFO, GENERATION_CLARIFY_UPDATED_IN_DB,
            generationId = %id, oldStatus = %before, newStatus = %after
        ),
        Action::Reword => telemetry::event!(
            INFO, GENERATION_REWORD_UPDATED_IN_DB,
            generationId = %id, status = %after
        ),
        Action::Confirm => telemetry::event!(
            INFO, GENERATION_CONFIRM_UPDATED_IN_DB,
            generationId = %id, oldStatus = %before, newStatus = %after
        ),
        Action::Cancel => telemetry::event!(
            INFO, GENERATION_CANCEL_UPDATED_IN_DB,
            generationId = %id, oldStatus = %before, newStatus = %after
        ),
    }
}

/// The user is told how the generation is now.
pub(crate) fn returning(action: Action, after: &Generation) {
    let (id, status) = (&after.id, after.status);
    match action {
        Action::Clarify => telemetry::event!(
            INFO, GENERATION_CLARIFY_RETURNING_RESPONSE,
            generationId = %id, status = %status
        ),
        Action::Reword => telemetry::event!(
            INFO, GENERATION_REWORD_RETURNING_RESPONSE,
            generationId = %id, status = %status
        ),
        Action::Confirm => telemetry::event!(
            INFO, GENERATION_CONFIRM_RETURNING_RESPONSE,
            generationId = %id, status = %status
        ),
        Action::Cancel => telemetry::event!(
            INFO, GENERATION_CANCEL_RETURNING_RESPONSE,
            generationId = %id, status = %status
        ),
    }
}

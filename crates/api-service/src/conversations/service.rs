//! Making, finding, naming and removing conversations. What is said in them is decided elsewhere.

use contract::{ConversationId, Timestamp, UserId};

use super::{Conversation, message::Message, search::Search};
use crate::{
    error::{AppError, AppResult},
    idempotency::{Answer, Ticket},
    listing::{Page, PageRequest},
    storable,
    store::Store,
};

/// The longest title, in characters.
const LONGEST_TITLE: usize = 200;

/// Begins a conversation.
pub async fn create(
    store: &Store,
    user: &UserId,
    title: Option<String>,
    ticket: Option<Ticket>,
) -> AppResult<Answer> {
    let now = Timestamp::now();
    let conversation = Conversation {
        id: ConversationId::new(),
        title: title.map(|title| checked(&title)).transpose()?,
        events_cursor: 0,
        created_at: now,
        updated_at: now,
    };
    let answer = Answer::created(&conversation);
    store.create_conversation(user, &conversation, ticket.as_ref().map(|ticket| (ticket, &answer))).await?;
    Ok(answer)
}

/// A user's conversations that have what is looked for, newest first.
pub async fn list(
    store: &Store,
    user: &UserId,
    search: &Search,
    page: &PageRequest<ConversationId>,
) -> AppResult<Page<Conversation>> {
    let rows = store.conversations(user, search, page.after.as_ref(), page.rows()).await?;
    Ok(page.page_of(rows, |conversation| conversation.id.clone()))
}

/// A conversation of the user's.
pub async fn get(store: &Store, user: &UserId, id: &ConversationId) -> AppResult<Conversation> {
    store.conversation(user, id).await?.ok_or_else(unknown)
}

/// Names a conversation, or takes its name away.
pub async fn rename(
    store: &Store,
    user: &UserId,
    id: &ConversationId,
    title: Option<String>,
) -> AppResult<Conversation> {
    let title = title.map(|title| checked(&title)).transpose()?;
    store.rename_conversation(user, id, title.as_deref()).await?.ok_or_else(unknown)
}

/// What was said in a conversation, oldest first.
pub async fn messages(
    store: &Store,
    user: &UserId,
    id: &ConversationId,
    page: &PageRequest<i64>,
) -> AppResult<Page<Message>> {
    let rows = store.messages(user, id, page.after.unwrap_or(-1), page.rows()).await?.ok_or_else(unknown)?;
    Ok(page.page_of(rows, |(position, _)| *position).map(|(_, message)| message))
}

/// The same for one that is another's and one that never was (I22).
pub fn unknown() -> AppError {
    AppError::not_found("conversation")
}

fn checked(title: &str) -> AppResult<String> {
    let title = title.trim();
    if title.is_empty() {
        return Err(AppError::field("title", "must not be empty"));
    }
    if title.chars().count() > LONGEST_TITLE {
        return Err(AppError::field("title", format!("must have at most {LONGEST_TITLE} characters")));
    }
    match storable::check("title", title) {
        None => Ok(title.to_owned()),
        Some(error) => Err(AppError::validation(vec![error])),
    }
}

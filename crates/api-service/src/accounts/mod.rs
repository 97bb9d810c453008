//! Accounts and their sessions: who somebody is, and how we know them again.

pub mod http;
pub mod password;
pub mod service;
pub mod token;

use contract::{Timestamp, UserId};
use serde::Serialize;
use utoipa::ToSchema;

pub use self::{
    service::Accounts,
    token::{SessionKey, Token},
};

/// An account, as its owner sees it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
#[schema(as = User)]
pub struct Account {
    /// Its id.
    pub id: UserId,
    /// The address that it signs in with, in lower case.
    #[schema(example = "ada@example.com")]
    pub email: String,
    /// What it wants to be called.
    pub name: Option<String>,
    /// When it was made.
    pub created_at: Timestamp,
}

//! Signing up, in and out. Nothing here tells whether somebody else has an account, apart from the one answer
//! that must: an address that is taken cannot be taken again.

use std::time::Duration;

use contract::{Timestamp, UserId, problem::FieldError};
use tokio::sync::broadcast;

use super::{Account, SessionKey, Token, password::Passwords};
use crate::{
    error::{AppError, AppResult},
    storable,
    store::Store,
};

/// The shortest password, in characters.
const SHORTEST: usize = 8;
/// The longest password, in bytes: far beyond any real one, and harmless to hash.
const LONGEST: usize = 1024;
/// The longest address (RFC 5321).
const LONGEST_EMAIL: usize = 254;
/// The longest name, in characters.
const LONGEST_NAME: usize = 100;
/// How many ended sessions a slow stream may fall behind before it has to ask about its own.
const ENDED: usize = 256;

/// The accounts. Cheap to clone.
#[derive(Clone, Debug)]
pub struct Accounts {
    store: Store,
    passwords: Passwords,
    lifetime: Duration,
    ended: broadcast::Sender<SessionKey>,
}

/// What signing up or in gives: the account, and the token of a new session.
#[derive(Clone, Debug)]
pub struct SignedIn {
    /// Whose session it is.
    pub account: Account,
    /// What opens it.
    pub token: Token,
}

impl Accounts {
    /// Accounts in this store, whose sessions last for `lifetime`.
    #[must_use]
    pub fn new(store: Store, passwords: Passwords, lifetime: Duration) -> Self {
        Self { store, passwords, lifetime, ended: broadcast::Sender::new(ENDED) }
    }

    /// Makes an account and signs it in.
    pub async fn register(&self, email: &str, password: String, name: Option<String>) -> AppResult<SignedIn> {
        let email = normal(email);
        let name = name.map(|name| name.trim().to_owned()).filter(|name| !name.is_empty());
        check(&email, &password, name.as_deref())?;
        let hash = self.passwords.hash(password).await?;
        let account = Account { id: UserId::new(), email, name, created_at: Timestamp::now() };
        let token = Token::new();
        let until = Timestamp::now() + self.lifetime;
        if !self.store.create_account(&account, &hash, &token.key(), until).await? {
            return Err(AppError::conflict("email_taken", "There is an account with this address already."));
        }
        Ok(SignedIn { account, token })
    }

    /// Opens a session.
    pub async fn login(&self, email: &str, password: String) -> AppResult<SignedIn> {
        let wrong = || AppError::unauthorized("invalid_credentials", "The address or the password is wrong.");
        if password.len() > LONGEST {
            return Err(wrong());
        }
        // Nobody has an address that cannot be stored, and the database would not even be asked for it.
        let found = match storable::check("email", email) {
            None => self.store.account_by_email(&normal(email)).await?,
            Some(_) => None,
        };
        let (account, hash) = found.unzip();
        if !self.passwords.verify(password, hash).await? {
            return Err(wrong());
        }
        let account = account.ok_or_else(wrong)?;
        let token = Token::new();
        self.store.create_session(&token.key(), &account.id, Timestamp::now() + self.lifetime).await?;
        Ok(SignedIn { account, token })
    }

    /// Ends a session, and with it the streams that it opened on this replica; on others they notice when they
    /// next ask [`session_user`](Self::session_user).
    pub async fn logout(&self, session: &SessionKey) -> AppResult<()> {
        self.store.delete_session(session).await?;
        // Nobody may be listening.
        let _ = self.ended.send(session.clone());
        Ok(())
    }

    /// Whose session this is, if it is one that has not ended.
    pub async fn session_user(&self, session: &SessionKey) -> AppResult<Option<UserId>> {
        Ok(self.store.session_user(session).await?)
    }

    /// The account of an open session.
    pub async fn account(&self, user: &UserId) -> AppResult<Account> {
        self.store.account(user).await?.ok_or_else(AppError::unauthenticated)
    }

    /// Hears of every session that ends by signing out on this replica. A receiver that lags should ask
    /// [`session_user`](Self::session_user) about its own.
    #[must_use]
    pub fn ended_sessions(&self) -> broadcast::Receiver<SessionKey> {
        self.ended.subscribe()
    }

    /// How long a session lasts.
    #[must_use]
    pub const fn lifetime(&self) -> Duration {
        self.lifetime
    }
}

/// Addresses differ in more than case only in theory.
fn normal(email: &str) -> String {
    email.trim().to_lowercase()
}

fn check(email: &str, password: &str, name: Option<&str>) -> AppResult<()> {
    let mut errors = Vec::new();
    if !is_address(email) {
        errors.push(FieldError::new("email", "must be an email address, such as name@example.com"));
    }
    if password.chars().count() < SHORTEST {
        errors.push(FieldError::new("password", format!("must have at least {SHORTEST} characters")));
    } else if password.len() > LONGEST {
        errors.push(FieldError::new("password", format!("must have at most {LONGEST} bytes")));
    }
    if name.is_some_and(|name| name.chars().count() > LONGEST_NAME || name.chars().any(char::is_control)) {
        errors
            .push(FieldError::new("name", format!("must have at most {LONGEST_NAME} printable characters")));
    }
    errors.extend(storable::check("password", password));
    if errors.is_empty() { Ok(()) } else { Err(AppError::validation(errors)) }
}

/// Whether the text can be an address: something, an `@`, a domain. Only a letter to it would tell more.
fn is_address(text: &str) -> bool {
    let Some((local, domain)) = text.rsplit_once('@') else { return false };
    let plain = |part: &str| !part.is_empty() && part.chars().all(|c| !c.is_whitespace() && !c.is_control());
    text.len() <= LONGEST_EMAIL
        && plain(local)
        && plain(domain)
        && !local.contains('@')
        && domain.split('.').all(|label| !label.is_empty())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn addresses_have_a_form() {
        for text in ["a@b.c", "first.last+tag@mail.example.org", "ä@münchen.de", "local@localhost"] {
            assert!(is_address(text), "{text}");
        }
        for text in [
            "",
            "a",
            "@",
            "a@",
            "@b",
            "a b@c.d",
            "a@b..c",
            "a@.b",
            "a@@b",
            &format!("{}@b.c", "a".repeat(300)),
        ] {
            assert!(!is_address(text), "{text}");
        }
    }

    #[test]
    fn every_wrong_field_is_named() {
        let error = check("nobody", "short", Some(&"n".repeat(101))).unwrap_err();
        let fields: Vec<_> = error.problem("").errors.into_iter().map(|error| error.field).collect();
        assert_eq!(fields, ["email", "password", "name"]);
        assert!(check("a@b.c", "pässword", None).is_ok());
        assert!(check("a@b.c", &"x".repeat(1025), None).is_err());
    }
}

//! Password hashes: argon2id, made and checked beside the runtime, a few at a time.

use std::sync::{Arc, OnceLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher as _, PasswordVerifier as _, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::error::{AppError, AppResult};

/// Hashes passwords. Each hash takes 19 MiB for some tens of milliseconds (OWASP's parameters), so only a few
/// are made at a time, and not many wait for it.
#[derive(Clone, Debug)]
pub struct Passwords {
    working: Arc<Semaphore>,
    waiting: Arc<Semaphore>,
}

/// How many may wait for each that works; more are told to come back.
const QUEUE: usize = 32;

impl Passwords {
    /// At most `concurrency` hashes at a time.
    #[must_use]
    pub fn new(concurrency: usize) -> Self {
        let concurrency = concurrency.max(1);
        Self {
            working: Arc::new(Semaphore::new(concurrency)),
            waiting: Arc::new(Semaphore::new(concurrency * QUEUE)),
        }
    }

    /// The hash to be kept of a password, with a salt of its own.
    pub async fn hash(&self, password: String) -> AppResult<String> {
        self.beside(move || Argon2::default().hash_password(password.as_bytes()).map(|hash| hash.to_string()))
            .await?
            .map_err(AppError::internal)
    }

    /// Whether the password is the one that was hashed. Without a hash, there being no such account, the
    /// answer is no after the same work, so that time does not tell who has an account.
    pub async fn verify(&self, password: String, hash: Option<String>) -> AppResult<bool> {
        self.beside(move || {
            let known = hash.is_some();
            let hash = hash.as_deref().or_else(|| nobodys());
            let parsed = hash.and_then(|hash| PasswordHash::new(hash).ok());
            let right = parsed
                .is_some_and(|hash| Argon2::default().verify_password(password.as_bytes(), &hash).is_ok());
            right && known
        })
        .await
    }

    async fn beside<T: Send + 'static>(&self, work: impl FnOnce() -> T + Send + 'static) -> AppResult<T> {
        let _waiting = self
            .waiting
            .try_acquire()
            .map_err(|_| AppError::unavailable("too many passwords are waiting to be hashed"))?;
        let working = Arc::clone(&self.working).acquire_owned().await.map_err(AppError::internal)?;
        tokio::task::spawn_blocking(move || {
            let result = work();
            drop(working);
            result
        })
        .await
        .map_err(AppError::internal)
    }
}

/// The hash of a password that is nobody's.
fn nobodys() -> Option<&'static str> {
    static HASH: OnceLock<Option<String>> = OnceLock::new();
    HASH.get_or_init(|| Argon2::default().hash_password(b"nobody's").ok().map(|hash| hash.to_string()))
        .as_deref()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_password_is_recognised_and_no_other() {
        let passwords = Passwords::new(2);
        let hash = passwords.hash("correct horse".to_owned()).await.unwrap();
        assert!(hash.starts_with("$argon2id$v=19$m=19456,t=2,p=1$"), "{hash}");
        assert_ne!(passwords.hash("correct horse".to_owned()).await.unwrap(), hash, "salted");
        let verify = |password: &str, hash| passwords.verify(password.to_owned(), hash);
        assert!(verify("correct horse", Some(hash.clone())).await.unwrap());
        assert!(!verify("battery staple", Some(hash)).await.unwrap());
        assert!(!verify("nobody's", None).await.unwrap());
    }

    #[tokio::test]
    async fn too_many_at_once_are_turned_away() {
        let passwords = Passwords::new(1);
        let all = futures_util::future::join_all((0..=QUEUE).map(|_| passwords.verify("x".to_owned(), None)));
        let refused = all.await.into_iter().filter_map(Result::err).map(|error| error.status());
        assert_eq!(refused.collect::<Vec<_>>(), [503]);
    }
}

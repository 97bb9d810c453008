//! What is made once for a data directory: the services' secrets, the storage's key, and the local account.
//! Nothing of it is ever logged.

use std::fmt;

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

/// Everything that must not be known to others, as it lies in the data directory.
#[derive(Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Secrets {
    /// Signs webhooks.
    pub(crate) webhook_secret: String,
    /// Signs requests to the worker.
    pub(crate) worker_api_secret: String,
    /// Opens the embedded storage.
    pub(crate) s3_access_key_id: String,
    pub(crate) s3_secret_access_key: String,
    /// By which the worker knows its own jobs again. No secret, but made here too.
    pub(crate) worker_name: String,
    /// The local account.
    pub(crate) email: String,
    pub(crate) password: String,
    /// A session of that account, once there was one.
    #[serde(default)]
    pub(crate) token: Option<String>,
}

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Secrets").field("email", &self.email).finish_non_exhaustive()
    }
}

impl Secrets {
    /// New ones.
    pub(crate) fn new() -> Self {
        let signing = || contract::signing::Secrets::encode(&rand::random::<[u8; 32]>());
        Self {
            webhook_secret: signing(),
            worker_api_secret: signing(),
            s3_access_key_id: format!("reelay-{:08x}", rand::random::<u32>()),
            s3_secret_access_key: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 30]>()),
            worker_name: format!("reelay-{:08x}", rand::random::<u32>()),
            email: "you@reelay.local".to_owned(),
            password: URL_SAFE_NO_PAD.encode(rand::random::<[u8; 15]>()),
            token: None,
        }
    }

    /// Another address, where somebody else has taken the usual one: a database may be shared.
    pub(crate) fn take_another_email(&mut self) {
        self.email = format!("you-{:08x}@reelay.local", rand::random::<u32>());
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets_are_of_the_form_that_the_services_take_and_are_not_shown() {
        let secrets = Secrets::new();
        let parse = |text| contract::signing::Secrets::parse(text).unwrap();
        assert!(!parse(&secrets.webhook_secret).overlaps(&parse(&secrets.worker_api_secret)));
        assert_ne!(secrets, Secrets::new());
        let shown = format!("{secrets:?}");
        assert!(!shown.contains(&secrets.password) && !shown.contains(&secrets.webhook_secret), "{shown}");
    }
}

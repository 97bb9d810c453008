//! A provider's own webhooks: where it is asked to send them, and whether one that has come is the provider's. It
//! says nothing of what a webhook means, which is never more than that it is worth asking.

use std::fmt;

use contract::{
    Timestamp,
    signing::{Refusal, Secrets, SignedHeaders},
};
use foundation::{
    address::is_this_machine,
    settings::{Environment, Live, Setting, SettingError, Variable},
};
use serde_json::{Value, json};
use url::Url;

use super::{
    ProviderSettings, Submission,
    jwt::{self, Expected},
    key_set::KeySet,
};

/// An address that is https, or on this machine.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SafeUrl(Url);

impl Setting for SafeUrl {
    fn parse(text: &str) -> Result<Self, String> {
        let url = <Url as Setting>::parse(text)?;
        let is_plain = url.query().is_none() && url.fragment().is_none() && url.username().is_empty();
        match url.scheme() {
            "https" if is_plain => Ok(Self(url)),
            "http" if is_plain && is_this_machine(&url) => Ok(Self(url)),
            _ => Err("must be an https URL without a query (http on this machine alone)".to_owned()),
        }
    }
}

/// By what the webhooks of one provider are known to be its own.
macro_rules! trust {
    ($name:ident, $secrets:literal, $jwks:literal, $audience:literal, $issuer:literal) => {
        foundation::settings! {
            /// By what the provider's webhooks are known to be its own. Without secrets and a key set it is polled.
            pub struct $name {
                /// Secrets (whsec_…, comma-separated) that the provider signs its webhooks with, after Standard
                /// Webhooks. See PROVIDER_WEBHOOK_URL.
                pub secrets: Option<Live<Secrets>> = optional_live($secrets),
                /// Where the provider's public keys are, if it signs its webhooks with a JSON Web Token.
                pub key_set: Option<SafeUrl> = optional($jwks),
                /// Whom such a token must be for; without it, that is not looked at.
                pub audience: Option<String> = optional($audience),
                /// Whom such a token must be from; without it, that is not looked at.
                pub issuer: Option<String> = optional($issuer),
            }
        }

        impl From<$name> for Trust {
            fn from($name { secrets, key_set, audience, issuer }: $name) -> Self {
                Self { secrets, key_set, expected: Expected { audience, issuer } }
            }
        }
    };
}

trust!(
    Veo3Trust,
    "VEO3_WEBHOOK_SECRETS",
    "VEO3_WEBHOOK_JWKS_URL",
    "VEO3_WEBHOOK_AUDIENCE",
    "VEO3_WEBHOOK_ISSUER"
);
trust!(
    OmniTrust,
    "OMNI_WEBHOOK_SECRETS",
    "OMNI_WEBHOOK_JWKS_URL",
    "OMNI_WEBHOOK_AUDIENCE",
    "OMNI_WEBHOOK_ISSUER"
);
trust!(
    GenericTrust,
    "GENERIC_WEBHOOK_SECRETS",
    "GENERIC_WEBHOOK_JWKS_URL",
    "GENERIC_WEBHOOK_AUDIENCE",
    "GENERIC_WEBHOOK_ISSUER"
);

/// The variables of all of them.
pub(super) const VEO3: &[Variable] = Veo3Trust::VARIABLES;
pub(super) const OMNI: &[Variable] = OmniTrust::VARIABLES;
pub(super) const GENERIC: &[Variable] = GenericTrust::VARIABLES;

struct Trust {
    secrets: Option<Live<Secrets>>,
    key_set: Option<SafeUrl>,
    expected: Expected,
}

/// The headers of a webhook that has come, as far as they are there.
#[derive(Clone, Debug, Default)]
pub struct Presented {
    /// `webhook-id`.
    pub id: Option<String>,
    /// `webhook-timestamp`.
    pub timestamp: Option<String>,
    /// `webhook-signature`: entries after Standard Webhooks, or a JSON Web Token.
    pub signature: Option<String>,
}

/// Who has sent a webhook, as far as its headers tell.
#[derive(Clone, Debug)]
pub enum Sender {
    /// The provider. This is what its token claims.
    Known(Value),
    /// Perhaps the provider: it has signed the body, too, so only the whole of it can show.
    Claimed(Claim),
}

/// Headers that could be the provider's, and when they came.
#[derive(Clone, Debug)]
pub struct Claim {
    headers: SignedHeaders,
    came: Timestamp,
}

/// Why a webhook is not taken for the provider's. The sender is not told which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Untrusted {
    /// By Standard Webhooks.
    #[error(transparent)]
    Signature(#[from] Refusal),
    /// By its token.
    #[error(transparent)]
    Token(#[from] jwt::Fault),
    /// No key of that name is known.
    #[error("the token's key is not known")]
    UnknownKey,
    /// It is signed in a way that is not set up.
    #[error("it is signed in a way that is not set up")]
    NotSetUp,
}

/// The webhooks of one provider. Belongs to the runtime that first uses it.
pub struct Hook {
    url: Url,
    secrets: Option<Live<Secrets>>,
    keys: Option<KeySet>,
    expected: Expected,
}

impl fmt::Debug for Hook {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hook").field("url", &self.url.as_str()).finish_non_exhaustive()
    }
}

impl Hook {
    pub(super) fn veo3(
        environment: &Environment,
        common: &ProviderSettings,
    ) -> Result<Option<Self>, SettingError> {
        Ok(Self::new(super::veo3::NAME, Veo3Trust::read(environment)?.into(), common))
    }

    pub(super) fn omni(
        environment: &Environment,
        common: &ProviderSettings,
    ) -> Result<Option<Self>, SettingError> {
        Ok(Self::new(super::omni::NAME, OmniTrust::read(environment)?.into(), common))
    }

    pub(super) fn generic(
        environment: &Environment,
        common: &ProviderSettings,
    ) -> Result<Option<Self>, SettingError> {
        Ok(Self::new(super::generic::NAME, GenericTrust::read(environment)?.into(), common))
    }

    /// None without an address, and none that could not be told from a forged one.
    fn new(provider: &str, trust: Trust, common: &ProviderSettings) -> Option<Self> {
        let SafeUrl(base) = common.webhook_url.clone()?;
        let Trust { secrets, key_set, expected } = trust;
        if secrets.is_none() && key_set.is_none() {
            return None;
        }
        let base = base.as_str().trim_end_matches('/');
        let url = format!("{base}/api/providers/{provider}/webhook").parse().ok()?;
        let keys = key_set.map(|SafeUrl(url)| KeySet::new(url, common));
        Some(Self { url, secrets, keys, expected })
    }

    /// Where the provider is asked to send them.
    #[must_use]
    pub fn url(&self) -> &Url {
        &self.url
    }

    /// What a submission says of it, in the words of Google's APIs.
    #[must_use]
    pub fn config(&self, submission: &Submission) -> Value {
        let attempt_id = attempt_id(submission);
        json!({"uris": [self.url.as_str()], "user_metadata": {"attempt_id": attempt_id}})
    }

    /// Who has sent a webhook with these headers: all that can be known before its body is read. May ask for the
    /// provider's keys.
    pub async fn sender(&self, presented: Presented) -> Result<Sender, Untrusted> {
        let Presented { id, timestamp, signature } = presented;
        let signature = signature.ok_or(Refusal::Headers)?;
        // Entries of Standard Webhooks have a version and a comma, which no token has.
        if signature.contains(',') {
            if self.secrets.is_none() {
                return Err(Untrusted::NotSetUp);
            }
            let (Some(id), Some(timestamp)) = (id, timestamp) else { return Err(Refusal::Headers.into()) };
            let claim = Claim { headers: SignedHeaders { id, timestamp, signature }, came: Timestamp::now() };
            claim.headers.check(claim.came)?;
            return Ok(Sender::Claimed(claim));
        }
        let keys = self.keys.as_ref().ok_or(Untrusted::NotSetUp)?;
        let token = jwt::read(&signature)?;
        let mut why = Untrusted::UnknownKey;
        for key in keys.called(token.key_id.as_deref()).await {
            match token.verify(&key, &self.expected, Timestamp::now().as_seconds()) {
                Ok(claims) => return Ok(Sender::Known(claims)),
                Err(fault) => why = fault.into(),
            }
        }
        Err(why)
    }

    /// Whether the provider has signed this body with the headers that came before it.
    pub fn verify(&self, claim: &Claim, body: &[u8]) -> Result<(), Untrusted> {
        let secrets = self.secrets.as_ref().ok_or(Untrusted::NotSetUp)?;
        Ok(secrets.current().verify(&claim.headers, body, claim.came)?)
    }
}

/// The name of an attempt that a provider is given, and gives back with its webhooks.
fn attempt_id(submission: &Submission) -> String {
    format!("{}-{}", submission.job_id, submission.attempt)
}

#[cfg(test)]
mod tests {
    use contract::{JobId, Parameters};

    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

    fn hook(entries: &[(&str, &str)]) -> Result<Option<Hook>, String> {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let map = entries.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned())).collect();
        let environment = Environment::from_map(map);
        let common = ProviderSettings::read(&environment).map_err(|error| error.to_string())?;
        Hook::veo3(&environment, &common).map_err(|error| error.to_string())
    }

    #[test]
    fn there_is_one_only_where_it_can_be_reached_and_told_from_a_forged_one() {
        let (url, secret) =
            (("PROVIDER_WEBHOOK_URL", "https://worker.example/"), ("VEO3_WEBHOOK_SECRETS", SECRET));
        let keys = ("VEO3_WEBHOOK_JWKS_URL", "https://provider.example/.well-known/jwks.json");
        assert!(hook(&[]).unwrap().is_none());
        assert!(hook(&[url]).unwrap().is_none());
        assert!(hook(&[secret]).unwrap().is_none());
        assert!(hook(&[url, keys]).unwrap().is_some());
        let hook = hook(&[url, secret]).unwrap().unwrap();
        assert_eq!(hook.url().as_str(), "https://worker.example/api/providers/veo3/webhook");
        let submission = Submission {
            job_id: JobId::new(),
            attempt: 2,
            model: "m".to_owned(),
            prompt: "p".to_owned(),
            parameters: Parameters::default(),
            images: Vec::new(),
        };
        let expected = json!({
            "uris": ["https://worker.example/api/providers/veo3/webhook"],
            "user_metadata": {"attempt_id": format!("{}-2", submission.job_id)},
        });
        assert_eq!(hook.config(&submission), expected);
    }

    #[test]
    fn addresses_are_https_or_on_this_machine() {
        for (text, is_good) in [
            ("https://worker.example", true),
            ("http://127.0.0.1:8081", true),
            ("http://[::1]:8081", true),
            ("http://localhost:8081/", true),
            ("http://worker.example", false),
            ("http://localhost.example", false),
            ("http://10.0.0.1", false),
            ("ftp://127.0.0.1", false),
            ("https://worker.example/?a=b", false),
            ("https://user@worker.example/", false),
        ] {
            let read = hook(&[("PROVIDER_WEBHOOK_URL", text)]);
            assert_eq!(read.is_ok(), is_good, "{text}");
            let named = read.err().is_none_or(|error| error.starts_with("PROVIDER_WEBHOOK_URL"));
            assert!(named, "{text}");
        }
    }
}

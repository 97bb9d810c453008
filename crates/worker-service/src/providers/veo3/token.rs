//! Access tokens of Google Cloud: asked for with a service account's key (RFC 7523) or of the machine's metadata
//! server, kept, and renewed before they end. Whoever needs one while it is asked for waits for the same answer.

use std::{
    sync::Arc,
    time::{Duration, Instant},
};

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use contract::Timestamp;
use foundation::settings::{Hidden, Live, Setting};
use reqwest::{Client, RequestBuilder, header::HeaderValue};
use ring::{
    rand::SystemRandom,
    signature::{RSA_PKCS1_SHA256, RsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
use serde::Deserialize;
use serde_json::{Value, json};
use tokio::sync::Mutex;
use url::Url;

use super::super::{ApiKey, fetch};

/// What tokens are asked for.
const SCOPE: &str = "https://www.googleapis.com/auth/cloud-platform";
/// How long a signed request for a token is good.
const ASSERTION_LIFETIME: i64 = 3600;
/// A token that has no longer than this is renewed.
const MARGIN: Duration = Duration::from_mins(5);
/// The longest answer that is read.
const LONGEST_ANSWER: usize = 64 * 1024;
/// Where the metadata server has the token of the machine's own account.
const METADATA_PATH: &str = "/computeMetadata/v1/instance/service-accounts/default/token";

/// The key file of a service account, as Google Cloud gives it out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceAccount {
    email: String,
    key_id: Option<String>,
    key: Hidden,
    token_uri: Url,
    /// The project that the account belongs to.
    pub(super) project: Option<String>,
}

impl Setting for ServiceAccount {
    fn parse(text: &str) -> Result<Self, String> {
        #[derive(Deserialize)]
        struct File {
            client_email: String,
            private_key: String,
            private_key_id: Option<String>,
            token_uri: Option<String>,
            project_id: Option<String>,
        }
        // The error says where it stands, and nothing of the key.
        let file: File = serde_json::from_str(text).map_err(|error| {
            format!("must be a service account's key file (line {}, column {})", error.line(), error.column())
        })?;
        let token_uri = file.token_uri.as_deref().unwrap_or("https://oauth2.googleapis.com/token");
        let account = Self {
            email: file.client_email,
            key_id: file.private_key_id,
            key: Hidden::new(file.private_key),
            token_uri: <Url as Setting>::parse(token_uri)?,
            project: file.project_id,
        };
        account.pair()?;
        Ok(account)
    }
}

impl ServiceAccount {
    fn pair(&self) -> Result<RsaKeyPair, String> {
        let form = || "must hold an RSA key in PKCS #8".to_owned();
        let der = PrivatePkcs8KeyDer::from_pem_slice(self.key.reveal().as_bytes()).map_err(|_| form())?;
        RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).map_err(|_| form())
    }

    /// A signed request for a token: a JSON Web Token in its compact form. Its one kind is written out here; a
    /// library for all of them would bring a second cryptography.
    fn assertion(&self, now: i64) -> Result<String, String> {
        let header = json!({"alg": "RS256", "typ": "JWT", "kid": self.key_id});
        let claims = json!({
            "iss": self.email,
            "scope": SCOPE,
            "aud": self.token_uri.as_str(),
            "iat": now,
            "exp": now + ASSERTION_LIFETIME,
        });
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(&header), part(&claims));
        let pair = self.pair()?;
        let mut signature = vec![0; pair.public().modulus_len()];
        pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), signed.as_bytes(), &mut signature)
            .map_err(|_| "the service account's key cannot sign".to_owned())?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature)))
    }
}

/// Who vouches for our requests.
#[derive(Clone, Debug)]
pub(super) enum Identity {
    /// A service account, by its key.
    Account(Live<ServiceAccount>),
    /// An API key, which needs no token.
    Key(Live<ApiKey>),
    /// The account of the machine that this runs on.
    Machine(Url),
}

/// The tokens of one identity.
#[derive(Debug)]
pub(super) struct Tokens {
    identity: Identity,
    client: Client,
    timeout: Duration,
    /// Locked while a token is asked for.
    kept: Mutex<Option<Kept>>,
}

#[derive(Debug)]
struct Kept {
    header: HeaderValue,
    renew_at: Instant,
    ends_at: Instant,
    /// Whose it is: a key that was changed has no use for the old one's token.
    account: Option<Arc<ServiceAccount>>,
}

#[derive(Deserialize)]
struct Granted {
    access_token: String,
    expires_in: u64,
}

impl Tokens {
    pub(super) fn new(identity: Identity, client: Client, timeout: Duration) -> Self {
        Self { identity, client, timeout, kept: Mutex::default() }
    }

    /// A request with what lets it in. The error is in words, without anything secret.
    pub(super) async fn authorise(&self, request: RequestBuilder) -> Result<RequestBuilder, String> {
        if let Identity::Key(key) = &self.identity {
            return Ok(super::super::google::with_key(request, &key.current()));
        }
        Ok(request.header(reqwest::header::AUTHORIZATION, self.header().await?))
    }

    /// The token was not taken: the next request gets a new one.
    pub(super) async fn forget(&self) {
        *self.kept.lock().await = None;
    }

    async fn header(&self) -> Result<HeaderValue, String> {
        let account = match &self.identity {
            Identity::Account(account) => Some(account.current()),
            Identity::Key(_) | Identity::Machine(_) => None,
        };
        let mut kept = self.kept.lock().await;
        let of_this_account = |kept: &&Kept| match (&kept.account, &account) {
            (Some(kept), Some(now)) => Arc::ptr_eq(kept, now),
            (kept, now) => kept.is_none() && now.is_none(),
        };
        let old = kept.as_ref().filter(of_this_account);
        if let Some(old) = old.filter(|old| Instant::now() < old.renew_at) {
            return Ok(old.header.clone());
        }
        match self.ask(account.as_deref()).await {
            Ok(granted) => {
                let new = Kept::new(&granted, account)?;
                let header = new.header.clone();
                *kept = Some(new);
                Ok(header)
            }
            Err(reason) => match old.filter(|old| Instant::now() < old.ends_at) {
                Some(old) => {
                    tracing::warn!(reason, "An access token was not renewed; the old one still holds");
                    Ok(old.header.clone())
                }
                None => Err(reason),
            },
        }
    }

    async fn ask(&self, account: Option<&ServiceAccount>) -> Result<Granted, String> {
        let request = match (account, &self.identity) {
            (Some(account), _) => {
                let assertion = account.assertion(Timestamp::now().as_seconds())?;
                let mut form = url::form_urlencoded::Serializer::new(String::new());
                form.append_pair("grant_type", "urn:ietf:params:oauth:grant-type:jwt-bearer");
                form.append_pair("assertion", &assertion);
                self.client
                    .post(account.token_uri.clone())
                    .header(reqwest::header::CONTENT_TYPE, "application/x-www-form-urlencoded")
                    .body(form.finish())
            }
            (None, Identity::Machine(base)) => {
                let url = base.join(METADATA_PATH).map_err(|error| error.to_string())?;
                self.client.get(url).header("metadata-flavor", "Google")
            }
            (None, Identity::Account(_) | Identity::Key(_)) => return Err("there is no account".to_owned()),
        };
        let asked = async {
            let response = request.send().await.map_err(|error| error.without_url().to_string())?;
            if !response.status().is_success() {
                return Err(format!("no access token was given: {}", response.status().as_u16()));
            }
            let body = fetch::short(response, LONGEST_ANSWER).await?;
            serde_json::from_slice(&body).map_err(|_| "the answer holds no access token".to_owned())
        };
        let asked = tokio::time::timeout(self.timeout, asked).await;
        asked.unwrap_or_else(|_| Err("no access token came in time".to_owned()))
    }
}

impl Kept {
    fn new(granted: &Granted, account: Option<Arc<ServiceAccount>>) -> Result<Self, String> {
        let mut header = HeaderValue::from_str(&format!("Bearer {}", granted.access_token))
            .map_err(|_| "the access token is malformed".to_owned())?;
        header.set_sensitive(true);
        let (now, life) = (Instant::now(), Duration::from_secs(granted.expires_in.min(86_400)));
        // One of a short life is renewed when a quarter of it is left.
        let renew_at = now + life.saturating_sub(MARGIN.min(life / 4));
        Ok(Self { header, renew_at, ends_at: now + life, account })
    }
}

#[cfg(test)]
mod tests {
    use ring::signature::{KeyPair, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};

    use super::*;

    /// Made for the tests; it opens nothing.
    const KEY_FILE: &str = include_str!("../../../tests/worker/service-account.json");

    #[test]
    fn a_request_for_a_token_is_signed_by_the_account() {
        let account = ServiceAccount::parse(KEY_FILE).unwrap();
        let assertion = account.assertion(1_700_000_000).unwrap();
        let (signed, signature) = assertion.rsplit_once('.').unwrap();
        let signature = BASE64_URL_SAFE_NO_PAD.decode(signature).unwrap();
        let pair = account.pair().unwrap();
        let public = UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, pair.public_key().as_ref());
        public.verify(signed.as_bytes(), &signature).unwrap();
        let part = |index: usize| {
            let part = BASE64_URL_SAFE_NO_PAD.decode(signed.split('.').nth(index).unwrap()).unwrap();
            serde_json::from_slice::<Value>(&part).unwrap()
        };
        assert_eq!(part(0), json!({"alg": "RS256", "typ": "JWT", "kid": "test-key"}));
        let claims = json!({
            "iss": "reelay@test-project.iam.gserviceaccount.com",
            "scope": SCOPE,
            "aud": "http://127.0.0.1:8082/token",
            "iat": 1_700_000_000,
            "exp": 1_700_003_600,
        });
        assert_eq!(part(1), claims);
    }

    #[test]
    fn what_is_no_key_file_is_refused_without_showing_it() {
        for text in [
            "hunter2",
            r#"{"client_email":"a@b","private_key":"hunter2"}"#,
            r#"{"client_email":"a@b","private_key":7}"#,
        ] {
            let error = ServiceAccount::parse(text).unwrap_err();
            assert!(error.starts_with("must ") && !error.contains("hunter2"), "{error}");
        }
        assert!(!format!("{:?}", ServiceAccount::parse(KEY_FILE).unwrap()).contains("PRIVATE"));
    }

    #[test]
    fn a_token_is_renewed_before_it_ends() {
        let kept =
            |expires_in| Kept::new(&Granted { access_token: "t".to_owned(), expires_in }, None).unwrap();
        for (life, margin) in [(3600, 300), (100, 25)] {
            let kept = kept(life);
            assert_eq!(kept.ends_at - kept.renew_at, Duration::from_secs(margin), "{life}");
        }
    }
}

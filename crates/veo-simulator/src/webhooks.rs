//! Webhooks as Google's APIs send them for a single request: a thin envelope, signed, sent again until it is taken.
//!
//! What is known of them is their documentation: the three headers of Standard Webhooks, with a JSON Web Token by a key
//! of `/.well-known/jwks.json` as the signature of what a request asks for, and an HMAC where a secret is agreed on.
//! Google signs tokens with RS256; this signs them with ES256, because it makes its own key at the first start.

use std::fs;
use std::io::{self, Write as _};
use std::os::unix::fs::OpenOptionsExt as _;
use std::path::Path;
use std::time::Duration;

use base64::Engine as _;
use base64::prelude::BASE64_URL_SAFE_NO_PAD;
use contract::signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, TIMESTAMP_HEADER};
use jiff::Timestamp;
use reqwest::{Client, Url, redirect};
use ring::rand::SystemRandom;
use ring::signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _};
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};

use crate::google::ApiError;
use crate::operations::rfc3339;

/// Who says that a token is its own.
const ISSUER: &str = "https://generativelanguage.googleapis.com";
/// How long a token is good, in seconds.
const LIFETIME: i64 = 300;
/// How long a receiver may take to answer.
const PATIENCE: Duration = Duration::from_secs(5);
/// The first pause before a webhook is sent again; each is twice as long as the one before.
const FIRST_PAUSE: Duration = Duration::from_millis(500);
/// The longest.
const LONGEST_PAUSE: Duration = Duration::from_mins(10);
/// How many addresses a request may name.
const MOST_URIS: usize = 5;

/// The webhook that a request asks for, as it does.
#[derive(Debug, Deserialize)]
#[serde(deny_unknown_fields)]
pub(crate) struct Config {
    #[serde(default)]
    uris: Vec<String>,
    #[serde(default, alias = "userMetadata")]
    user_metadata: Map<String, Value>,
}

/// What sort of operation it is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) enum About {
    Video,
    Interaction,
}

/// A webhook to be, once its operation has ended.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(crate) struct Wanted {
    about: About,
    pub(crate) uris: Vec<String>,
    user_metadata: Map<String, Value>,
}

impl Config {
    /// The webhook that is wanted; none without an address.
    pub(crate) fn wanted(self, about: About) -> Result<Option<Wanted>, ApiError> {
        let Self { uris, user_metadata } = self;
        let is_good =
            |uri: &String| Url::parse(uri).is_ok_and(|url| matches!(url.scheme(), "https" | "http"));
        if uris.len() > MOST_URIS || !uris.iter().all(is_good) {
            return Err(ApiError::invalid("`uris` of a webhook must be at most 5 URLs."));
        }
        Ok((!uris.is_empty()).then_some(Wanted { about, uris, user_metadata }))
    }
}

/// How the operation has ended.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Ended {
    Succeeded {
        file: String,
    },
    /// Without an error, and without a video.
    Empty,
    Failed,
    Cancelled,
}

impl Wanted {
    /// The body, for an operation of this name.
    pub(crate) fn body(&self, name: &str, ended: &Ended, at: Timestamp) -> Value {
        let mut data = Map::new();
        data.insert("id".to_owned(), name.into());
        let kind = match (self.about, ended) {
            // The one event that there is for videos says that the operation has come to its end.
            (About::Video, _) => "video.generated",
            (About::Interaction, Ended::Succeeded { .. } | Ended::Empty) => "interaction.completed",
            (About::Interaction, Ended::Failed) => "interaction.failed",
            (About::Interaction, Ended::Cancelled) => "interaction.cancelled",
        };
        if let (About::Video, Ended::Succeeded { file }) = (self.about, ended) {
            data.insert("file_name".to_owned(), format!("files/{file}").into());
            data.insert("output_file_uri".to_owned(), crate::protocols::gemini_veo::uri(file).into());
        }
        json!({
            "type": kind,
            "version": "v1",
            "timestamp": rfc3339(at),
            "data": data,
            "user_metadata": self.user_metadata,
        })
    }
}

/// Signs and sends.
#[derive(Debug)]
pub(crate) struct Sender {
    client: Client,
    secrets: Option<Secrets>,
    key: EcdsaKeyPair,
    key_id: String,
}

impl Sender {
    /// With the key that the data directory keeps, made if there is none. Blocks on files.
    pub(crate) fn open(directory: &Path, secrets: Option<Secrets>) -> io::Result<Self> {
        // Fails only if a provider is installed already, which is as good.
        let _ = rustls::crypto::ring::default_provider().install_default();
        let client = Client::builder().redirect(redirect::Policy::none()).timeout(PATIENCE);
        let client = client.build().map_err(io::Error::other)?;
        let key = key(&directory.join("webhook-key.p8"))?;
        let public = key.public_key().as_ref();
        let key_id = BASE64_URL_SAFE_NO_PAD.encode(public.get(1..9).unwrap_or_default());
        Ok(Self { client, secrets, key, key_id })
    }

    /// The public key, as a JSON Web Key Set.
    pub(crate) fn key_set(&self) -> Value {
        // An uncompressed point: one byte for that, and two coordinates.
        let point = self.key.public_key().as_ref();
        let coordinate =
            |from: usize| BASE64_URL_SAFE_NO_PAD.encode(point.get(from..from + 32).unwrap_or_default());
        json!({"keys": [{
            "kty": "EC", "crv": "P-256", "alg": "ES256", "use": "sig", "kid": self.key_id,
            "x": coordinate(1), "y": coordinate(33),
        }]})
    }

    /// Sends a webhook to an address until it is taken; never gives up by itself.
    pub(crate) async fn send(&self, id: &str, uri: &str, body: &str) {
        let mut pause = FIRST_PAUSE;
        loop {
            match self.try_to_send(id, uri, body).await {
                Ok(()) => return,
                Err(reason) => tracing::warn!(webhook = id, reason, "A webhook was not taken"),
            }
            tokio::time::sleep(pause).await;
            pause = (pause * 2).min(LONGEST_PAUSE);
        }
    }

    async fn try_to_send(&self, id: &str, uri: &str, body: &str) -> Result<(), String> {
        let now = Timestamp::now().as_second();
        let signature = match &self.secrets {
            Some(secrets) => {
                let time = contract::Timestamp::from_micros(now.saturating_mul(1_000_000));
                secrets.sign(id, time, body.as_bytes()).signature
            }
            None => self.token(id, uri, now).map_err(|error| error.to_string())?,
        };
        let request = self
            .client
            .post(uri)
            .header(ID_HEADER, id)
            .header(TIMESTAMP_HEADER, now.to_string())
            .header(SIGNATURE_HEADER, signature)
            .header("content-type", "application/json")
            .body(body.to_owned());
        let response = request.send().await.map_err(|error| error.without_url().to_string())?;
        let status = response.status();
        if status.is_success() { Ok(()) } else { Err(format!("the answer was {}", status.as_u16())) }
    }

    fn token(&self, id: &str, uri: &str, now: i64) -> io::Result<String> {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let header = json!({"alg": "ES256", "typ": "JWT", "kid": self.key_id});
        let claims = json!({"iss": ISSUER, "aud": uri, "jti": id, "iat": now, "exp": now + LIFETIME});
        let signed = format!("{}.{}", part(&header), part(&claims));
        let signature = self.key.sign(&SystemRandom::new(), signed.as_bytes());
        let signature = signature.map_err(|_| io::Error::other("a token cannot be signed"))?;
        Ok(format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signature.as_ref())))
    }
}

fn key(path: &Path) -> io::Result<EcdsaKeyPair> {
    let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
    let document = match fs::read(path) {
        Ok(document) => document,
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            let made = EcdsaKeyPair::generate_pkcs8(algorithm, &random);
            let made = made.map_err(|_| io::Error::other("no key can be made"))?.as_ref().to_vec();
            let mut file =
                fs::OpenOptions::new().write(true).create(true).truncate(true).mode(0o600).open(path)?;
            file.write_all(&made)?;
            file.sync_all()?;
            made
        }
        Err(error) => return Err(error),
    };
    let broken = |error: ring::error::KeyRejected| io::Error::other(format!("{}: {error}", path.display()));
    EcdsaKeyPair::from_pkcs8(algorithm, &document, &random).map_err(broken)
}

#[cfg(test)]
mod tests {
    use ring::signature::{ECDSA_P256_SHA256_FIXED, UnparsedPublicKey};

    use super::*;

    fn wanted(about: About) -> Wanted {
        let config = json!({"uris": ["http://127.0.0.1:1/hook"], "user_metadata": {"a": "b"}});
        serde_json::from_value::<Config>(config).unwrap().wanted(about).unwrap().unwrap()
    }

    #[test]
    fn an_envelope_is_thin_and_brings_the_metadata_back() {
        let at: Timestamp = "2026-01-22T12:00:00Z".parse().unwrap();
        let succeeded = Ended::Succeeded { file: "abc".to_owned() };
        let body = wanted(About::Video).body("models/m/operations/o", &succeeded, at);
        let expected = json!({
            "type": "video.generated", "version": "v1", "timestamp": "2026-01-22T12:00:00.000Z",
            "data": {
                "id": "models/m/operations/o", "file_name": "files/abc",
                "output_file_uri":
                    "https://generativelanguage.googleapis.com/v1beta/files/abc:download?alt=media",
            },
            "user_metadata": {"a": "b"},
        });
        assert_eq!(body, expected);
        for (ended, kind) in [
            (succeeded, "interaction.completed"),
            (Ended::Empty, "interaction.completed"),
            (Ended::Failed, "interaction.failed"),
            (Ended::Cancelled, "interaction.cancelled"),
        ] {
            let body = wanted(About::Interaction).body("v1_a", &ended, at);
            assert_eq!((&body["type"], &body["data"]), (&json!(kind), &json!({"id": "v1_a"})));
        }
    }

    #[test]
    fn addresses_are_looked_at() {
        let read = |uris: Value| {
            let config: Config = serde_json::from_value(json!({ "uris": uris })).unwrap();
            config.wanted(About::Video).map(|wanted| wanted.is_some())
        };
        assert!(!read(json!([])).unwrap() && read(json!(["https://a.example/"])).unwrap());
        assert!(read(json!(["file:///etc/passwd"])).is_err() && read(json!(["a"])).is_err());
        assert!(read(json!(vec!["https://a.example/"; 6])).is_err());
    }

    #[test]
    fn a_key_is_kept_and_signs_what_its_public_half_verifies() {
        let directory = tempfile::tempdir().unwrap();
        let sender = Sender::open(directory.path(), None).unwrap();
        let set = sender.key_set();
        assert_eq!(Sender::open(directory.path(), None).unwrap().key_set(), set);
        let token = sender.token("evt_1", "http://127.0.0.1:1/hook", 1_800_000_000).unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let decode = |text: &str| BASE64_URL_SAFE_NO_PAD.decode(text).unwrap();
        let coordinate = |name: &str| decode(set["keys"][0][name].as_str().unwrap());
        let point = [&[4][..], &coordinate("x"), &coordinate("y")].concat();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point);
        public.verify(signed.as_bytes(), &decode(signature)).unwrap();
        let claims: Value = serde_json::from_slice(&decode(signed.split('.').nth(1).unwrap())).unwrap();
        assert_eq!(
            (&claims["aud"], &claims["exp"]),
            (&json!("http://127.0.0.1:1/hook"), &json!(1_800_000_300))
        );
    }
}

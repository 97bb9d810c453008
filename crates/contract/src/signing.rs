//! Signatures of webhooks and of commands, after Standard Webhooks 1.0.0.
//!
//! A webhook is signed over `{id}.{timestamp}.{body}`. A request to the worker is signed over
//! `{id}.{timestamp}.{METHOD} {path and query}\n{body}`, so that a captured signature opens nothing else.
//! Every listed secret signs and every listed secret verifies: a rotation is add, wait, remove.

use std::fmt;

use base64::{Engine, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::Timestamp;

/// The header that names the message, the same on every try.
pub const ID_HEADER: &str = "webhook-id";
/// The header with the time of this try, in Unix seconds.
pub const TIMESTAMP_HEADER: &str = "webhook-timestamp";
/// The header with the signatures, separated by spaces.
pub const SIGNATURE_HEADER: &str = "webhook-signature";
/// How far a message's time may lie from the receiver's clock, in seconds, either way.
pub const TOLERANCE_SECONDS: i64 = 300;

const SECRET_PREFIX: &str = "whsec_";
const VERSION: &str = "v1,";
/// A header with more entries than this is not read to its end.
const MAX_SIGNATURES: usize = 32;
/// The length of an HMAC-SHA256.
const SIGNATURE_BYTES: usize = 32;

/// The setting is not a list of secrets.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum MalformedSecret {
    /// No secret at all.
    #[error("at least one secret is needed")]
    Empty,
    /// Not `whsec_` and base64.
    #[error("each secret must be whsec_ followed by base64")]
    Encoding,
    /// Too short to be safe or longer than the specification allows.
    #[error("each secret must hold 24 to 64 bytes")]
    Length,
}

/// Why a message is not accepted. The sender is told only that the signature is invalid.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// One of the three headers is missing or not of its form.
    #[error("a signature header is missing or malformed")]
    Headers,
    /// The message's time is too far from ours.
    #[error("the timestamp is outside the tolerance")]
    Timestamp,
    /// No active secret made any of the signatures.
    #[error("no signature matches")]
    Signature,
}

/// The three headers of a signed message, as received or to be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SignedHeaders {
    /// Names the message; holds no dot, which separates the signed parts.
    pub id: String,
    /// Unix seconds of this try.
    pub timestamp: String,
    /// `v1,<base64>` entries separated by spaces.
    pub signature: String,
}

impl SignedHeaders {
    /// Looks at what the headers tell without the body and without a secret: the form of the id, a time within the
    /// tolerance, and at least one entry that could be a signature. Whoever verifies looks at all of this again; it is
    /// for those who do not want to read a large body in vain.
    pub fn check(&self, now: Timestamp) -> Result<(), Refusal> {
        if self.id.is_empty() || self.id.len() > 255 || self.id.contains('.') {
            return Err(Refusal::Headers);
        }
        let sent: i64 = self.timestamp.parse().map_err(|_| Refusal::Headers)?;
        if sent.abs_diff(now.as_seconds()) > TOLERANCE_SECONDS.unsigned_abs() {
            return Err(Refusal::Timestamp);
        }
        let could_be = self.signatures().any(|signature| signature.len() == SIGNATURE_BYTES);
        if could_be { Ok(()) } else { Err(Refusal::Signature) }
    }

    /// The entries of our version.
    fn signatures(&self) -> impl Iterator<Item = Vec<u8>> {
        let entries = self.signature.split(' ').take(MAX_SIGNATURES);
        // An entry of another version is of no interest, not an error.
        entries.filter_map(|entry| STANDARD.decode(entry.strip_prefix(VERSION)?).ok())
    }
}

/// A list of secrets. Its `Debug` form shows only how many there are.
#[derive(Clone, PartialEq, Eq)]
pub struct Secrets(Vec<Vec<u8>>);

impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secrets({} hidden)", self.0.len())
    }
}

impl Secrets {
    /// Reads a comma-separated list of `whsec_` secrets.
    pub fn parse(list: &str) -> Result<Self, MalformedSecret> {
        let secrets = list
            .split(',')
            .map(str::trim)
            .filter(|entry| !entry.is_empty())
            .map(|entry| {
                let encoded = entry.strip_prefix(SECRET_PREFIX).ok_or(MalformedSecret::Encoding)?;
                let bytes = STANDARD.decode(encoded).map_err(|_| MalformedSecret::Encoding)?;
                if (24..=64).contains(&bytes.len()) { Ok(bytes) } else { Err(MalformedSecret::Length) }
            })
            .collect::<Result<Vec<_>, _>>()?;
        if secrets.is_empty() { Err(MalformedSecret::Empty) } else { Ok(Self(secrets)) }
    }

    /// The text form of a secret from its bytes, for whoever makes new ones.
    #[must_use]
    pub fn encode(bytes: &[u8]) -> String {
        format!("{SECRET_PREFIX}{}", STANDARD.encode(bytes))
    }

    /// Whether a secret stands in both lists.
    #[must_use]
    pub fn overlaps(&self, other: &Self) -> bool {
        self.0.iter().any(|secret| other.0.contains(secret))
    }

    /// Signs a webhook's body.
    #[must_use]
    pub fn sign(&self, id: &str, time: Timestamp, body: &[u8]) -> SignedHeaders {
        self.sign_parts(id, time, &[body])
    }

    /// Signs a request to the worker. `target` is the path with its query.
    #[must_use]
    pub fn sign_request(
        &self,
        id: &str,
        time: Timestamp,
        method: &str,
        target: &str,
        body: &[u8],
    ) -> SignedHeaders {
        self.sign_parts(id, time, &[method.as_bytes(), b" ", target.as_bytes(), b"\n", body])
    }

    /// Verifies a webhook's body against its headers, in constant time for each secret.
    pub fn verify(&self, headers: &SignedHeaders, body: &[u8], now: Timestamp) -> Result<(), Refusal> {
        self.verify_parts(headers, &[body], now)
    }

    /// Verifies a request to the worker against its headers. `target` is the path with its query.
    pub fn verify_request(
        &self,
        headers: &SignedHeaders,
        method: &str,
        target: &str,
        body: &[u8],
        now: Timestamp,
    ) -> Result<(), Refusal> {
        self.verify_parts(headers, &[method.as_bytes(), b" ", target.as_bytes(), b"\n", body], now)
    }

    fn sign_parts(&self, id: &str, time: Timestamp, parts: &[&[u8]]) -> SignedHeaders {
        let timestamp = time.as_seconds().to_string();
        let entries: Vec<String> = self
            .0
            .iter()
            .filter_map(|secret| digest(secret, id, &timestamp, parts))
            .map(|mac| format!("{VERSION}{}", STANDARD.encode(mac.finalize().into_bytes())))
            .collect();
        SignedHeaders { id: id.to_owned(), timestamp, signature: entries.join(" ") }
    }

    fn verify_parts(&self, headers: &SignedHeaders, parts: &[&[u8]], now: Timestamp) -> Result<(), Refusal> {
        headers.check(now)?;
        let matches = headers.signatures().any(|signature| {
            self.0.iter().any(|secret| {
                digest(secret, &headers.id, &headers.timestamp, parts)
                    .is_some_and(|mac| mac.verify_slice(&signature).is_ok())
            })
        });
        if matches { Ok(()) } else { Err(Refusal::Signature) }
    }
}

/// `None` never happens: HMAC takes keys of any length.
fn digest(secret: &[u8], id: &str, timestamp: &str, parts: &[&[u8]]) -> Option<Hmac<Sha256>> {
    let mut mac = Hmac::<Sha256>::new_from_slice(secret).ok()?;
    for part in [id.as_bytes(), b".", timestamp.as_bytes(), b"."].iter().chain(parts) {
        mac.update(part);
    }
    Some(mac)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn at(seconds: i64) -> Timestamp {
        Timestamp::from_micros(seconds * 1_000_000)
    }

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    #[test]
    fn the_published_vectors_come_out() {
        for (secret, id, time, body, signature) in [
            (
                SECRET,
                "msg_27UH4WbU6Z5A5EzD8u03UvzRbpk",
                1_649_367_553,
                r#"{"email":"test@example.com","username":"test_user"}"#,
                "v1,tZ1I4/hDygAJgO5TYxiSd6Sd0kDW6hPenDe+bTa3Kkw=",
            ),
            (
                OTHER,
                "msg_p5jXN8AQM9LWM0D4loKWxJek",
                1_614_265_330,
                r#"{"test": 2432232314}"#,
                "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
            ),
        ] {
            let secrets = Secrets::parse(secret).unwrap();
            let headers = secrets.sign(id, at(time), body.as_bytes());
            assert_eq!(headers.signature, signature);
            assert_eq!(secrets.verify(&headers, body.as_bytes(), at(time)), Ok(()));
        }
    }

    #[test]
    fn the_reference_library_agrees_both_ways() {
        let theirs = standardwebhooks::Webhook::new(SECRET).unwrap();
        let ours = Secrets::parse(SECRET).unwrap();
        let (id, now, body) = ("evt_1", Timestamp::now(), br#"{"a":1}"#);
        let their_signature = theirs.sign(id, now.as_seconds(), body).unwrap();
        let headers = ours.sign(id, now, body);
        assert_eq!(headers.signature, their_signature);
        assert_eq!(
            ours.verify(&SignedHeaders { signature: their_signature, ..headers.clone() }, body, now),
            Ok(())
        );
    }

    #[test]
    fn a_rotation_loses_nothing() {
        let old = Secrets::parse(SECRET).unwrap();
        let both = Secrets::parse(&format!("{OTHER}, {SECRET}")).unwrap();
        let new = Secrets::parse(OTHER).unwrap();
        let (now, body) = (at(1_000_000), b"{}");
        for (sender, receiver, accepted) in [
            (&old, &both, true),
            (&both, &old, true),
            (&both, &new, true),
            (&new, &both, true),
            (&old, &new, false),
        ] {
            let verdict = receiver.verify(&sender.sign("evt_1", now, body), body, now);
            assert_eq!(verdict.is_ok(), accepted);
        }
        assert!(both.overlaps(&old) && !new.overlaps(&old));
    }

    #[test]
    fn the_clock_may_differ_by_five_minutes() {
        let secrets = Secrets::parse(SECRET).unwrap();
        let headers = secrets.sign("evt_1", at(1_000_000), b"{}");
        for (now, verdict) in [
            (1_000_300, Ok(())),
            (999_700, Ok(())),
            (1_000_301, Err(Refusal::Timestamp)),
            (999_699, Err(Refusal::Timestamp)),
        ] {
            assert_eq!(secrets.verify(&headers, b"{}", at(now)), verdict);
        }
    }

    #[test]
    fn headers_tell_much_without_a_secret() {
        let now = at(1_000_000);
        let good = Secrets::parse(SECRET).unwrap().sign("evt_1", now, b"{}");
        let of_nobody = format!("v2,x v1,{}", STANDARD.encode([0; 32]));
        for (headers, verdict) in [
            (good.clone(), Ok(())),
            // Only the body and a secret can tell that nobody has made this one.
            (SignedHeaders { signature: of_nobody, ..good.clone() }, Ok(())),
            (SignedHeaders { id: "evt.1".into(), ..good.clone() }, Err(Refusal::Headers)),
            (SignedHeaders { id: "x".repeat(256), ..good.clone() }, Err(Refusal::Headers)),
            (SignedHeaders { timestamp: "soon".into(), ..good.clone() }, Err(Refusal::Headers)),
            (SignedHeaders { timestamp: "1000301".into(), ..good.clone() }, Err(Refusal::Timestamp)),
            (SignedHeaders { timestamp: "999699".into(), ..good.clone() }, Err(Refusal::Timestamp)),
            (SignedHeaders { signature: String::new(), ..good.clone() }, Err(Refusal::Signature)),
            (SignedHeaders { signature: "v1,AAAA".into(), ..good.clone() }, Err(Refusal::Signature)),
            (SignedHeaders { signature: "v1,***".into(), ..good.clone() }, Err(Refusal::Signature)),
            (
                SignedHeaders { signature: good.signature.replace("v1,", "v2,"), ..good.clone() },
                Err(Refusal::Signature),
            ),
        ] {
            assert_eq!(headers.check(now), verdict, "{headers:?}");
        }
    }

    #[test]
    fn malformed_headers_are_refused() {
        let secrets = Secrets::parse(SECRET).unwrap();
        let good = secrets.sign("evt_1", at(1_000_000), b"{}");
        let with_dot = secrets.sign("evt.1", at(1_000_000), b"{}");
        assert_eq!(secrets.verify(&with_dot, b"{}", at(1_000_000)), Err(Refusal::Headers));
        for (headers, refusal) in [
            (SignedHeaders { id: String::new(), ..good.clone() }, Refusal::Headers),
            (SignedHeaders { timestamp: "soon".into(), ..good.clone() }, Refusal::Headers),
            (SignedHeaders { timestamp: i64::MIN.to_string(), ..good.clone() }, Refusal::Timestamp),
            (SignedHeaders { signature: String::new(), ..good.clone() }, Refusal::Signature),
            (
                SignedHeaders { signature: good.signature.replace("v1,", "v2,"), ..good.clone() },
                Refusal::Signature,
            ),
            (SignedHeaders { id: "evt_2".into(), ..good.clone() }, Refusal::Signature),
        ] {
            assert_eq!(secrets.verify(&headers, b"{}", at(1_000_000)), Err(refusal));
        }
        let among_others = SignedHeaders { signature: format!("v2,xx v1,AAAA {}", good.signature), ..good };
        assert_eq!(secrets.verify(&among_others, b"{}", at(1_000_000)), Ok(()));
    }

    #[test]
    fn a_requests_signature_opens_nothing_else() {
        let secrets = Secrets::parse(SECRET).unwrap();
        let now = at(1_000_000);
        let headers = secrets.sign_request("req_1", now, "POST", "/api/generations", b"{}");
        let verify =
            |method, target, body: &[u8]| secrets.verify_request(&headers, method, target, body, now);
        assert_eq!(verify("POST", "/api/generations", b"{}"), Ok(()));
        assert_eq!(verify("GET", "/api/generations", b"{}"), Err(Refusal::Signature));
        assert_eq!(verify("POST", "/api/generations/status", b"{}"), Err(Refusal::Signature));
        assert_eq!(verify("POST", "/api/generations", b"{ }"), Err(Refusal::Signature));
        assert_eq!(secrets.verify(&headers, b"{}", now), Err(Refusal::Signature));
    }

    #[test]
    fn secrets_have_one_form() {
        for (text, verdict) in [
            ("", Err(MalformedSecret::Empty)),
            (" , ", Err(MalformedSecret::Empty)),
            ("C2FVsBQIhrscChlQIMV+b5sSYspob7oD", Err(MalformedSecret::Encoding)),
            ("whsec_***", Err(MalformedSecret::Encoding)),
            ("whsec_AAAA", Err(MalformedSecret::Length)),
            (SECRET, Ok(())),
        ] {
            assert_eq!(Secrets::parse(text).map(|_| ()), verdict, "{text}");
        }
        assert!(!format!("{:?}", Secrets::parse(SECRET).unwrap()).contains("C2FV"));
        assert_eq!(Secrets::parse(&Secrets::encode(&[7; 32])), Ok(Secrets(vec![vec![7; 32]])));
    }

    proptest! {
        #[test]
        fn any_changed_bit_is_noticed(body in proptest::collection::vec(any::<u8>(), 1..200), at_bit in any::<prop::sample::Index>()) {
            let secrets = Secrets::parse(SECRET).unwrap();
            let now = at(1_000_000);
            let headers = secrets.sign("evt_1", now, &body);
            prop_assert_eq!(secrets.verify(&headers, &body, now), Ok(()));
            let mut changed = body.clone();
            let bit = at_bit.index(body.len() * 8);
            changed[bit / 8] ^= 1 << (bit % 8);
            prop_assert_eq!(secrets.verify(&headers, &changed, now), Err(Refusal::Signature));
        }

        #[test]
        fn arbitrary_headers_never_panic(id in ".*", timestamp in ".*", signature in ".*") {
            let secrets = Secrets::parse(SECRET).unwrap();
            let headers = SignedHeaders { id, timestamp, signature };
            let verdict = secrets.verify(&headers, &[], at(0));
            prop_assert!(verdict.is_err());
        }
    }
}

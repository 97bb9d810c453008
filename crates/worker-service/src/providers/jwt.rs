//! JSON Web Tokens as providers sign their webhooks with them: RS256 and ES256, by the keys of a JSON Web Key Set
//! (RFC 7515, 7517, 7519). Pure: where keys come from is not its business, and what is said beside the token is not
//! vouched for by it.

use base64::{Engine as _, prelude::BASE64_URL_SAFE_NO_PAD};
use ring::signature::{
    ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
};
use serde::Deserialize;
use serde_json::Value;

/// The longest token that is looked at.
const LONGEST: usize = 16 * 1024;
/// How far the sender's clock may be off, in seconds.
const LEEWAY: i64 = 60;
/// How old a token may be that does not say when it ends, in seconds.
const OLDEST: i64 = 300;
/// As many keys of a set are kept.
const MOST_KEYS: usize = 64;

/// Why a token is not accepted. The sender is not told which.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// It is no token, or a part of it is not of its form.
    #[error("the token is malformed")]
    Form,
    /// Its algorithm is not one of the two, or not its key's.
    #[error("the token is signed in a way that is not taken")]
    Algorithm,
    /// It was not signed by this key.
    #[error("the token's signature does not match")]
    Signature,
    /// It is over, or not yet valid.
    #[error("the token is over or not yet valid")]
    Time,
    /// It is for somebody else.
    #[error("the token is for another audience")]
    Audience,
    /// It is from somebody else.
    #[error("the token is from another issuer")]
    Issuer,
}

/// A public key of a set.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Key {
    id: Option<String>,
    material: Material,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Material {
    Rsa {
        modulus: Vec<u8>,
        exponent: Vec<u8>,
    },
    /// An uncompressed point of P-256.
    Ec(Vec<u8>),
}

/// Reads a key set; keys of other kinds are passed over. `None` if it is no key set.
#[must_use]
pub fn keys(body: &[u8]) -> Option<Vec<Key>> {
    #[derive(Deserialize)]
    struct Set {
        keys: Vec<Value>,
    }
    let Set { keys } = serde_json::from_slice(body).ok()?;
    Some(keys.iter().filter_map(key).take(MOST_KEYS).collect())
}

fn key(value: &Value) -> Option<Key> {
    let text = |name: &str| value.get(name).and_then(Value::as_str);
    let bytes = |name: &str| BASE64_URL_SAFE_NO_PAD.decode(text(name)?.trim_end_matches('=')).ok();
    if text("use").is_some_and(|purpose| purpose != "sig") {
        return None;
    }
    let material = match (text("kty")?, text("crv")) {
        ("RSA", _) => Material::Rsa { modulus: bytes("n")?, exponent: bytes("e")? },
        ("EC", Some("P-256")) => {
            let (x, y) = (bytes("x")?, bytes("y")?);
            let is_point = x.len() == 32 && y.len() == 32;
            is_point.then(|| Material::Ec([&[4][..], &x, &y].concat()))?
        }
        _ => return None,
    };
    Some(Key { id: text("kid").map(str::to_owned), material })
}

/// A token whose signature has not been looked at: nothing of it may be believed.
#[derive(Clone, Debug)]
pub struct Unverified<'a> {
    /// Names the key that is to have signed it.
    pub key_id: Option<String>,
    algorithm: String,
    signed: &'a str,
    claims: &'a str,
    signature: &'a str,
}

/// Takes a token apart.
pub fn read(token: &str) -> Result<Unverified<'_>, Fault> {
    #[derive(Deserialize)]
    struct Header {
        alg: String,
        kid: Option<String>,
        /// Extensions that must be understood: none is.
        crit: Option<Value>,
    }
    let (signed, signature) = token.rsplit_once('.').filter(|_| token.len() <= LONGEST).ok_or(Fault::Form)?;
    let (header, claims) = signed.split_once('.').ok_or(Fault::Form)?;
    let header = BASE64_URL_SAFE_NO_PAD.decode(header).map_err(|_| Fault::Form)?;
    let header: Header = serde_json::from_slice(&header).map_err(|_| Fault::Form)?;
    if header.crit.is_some() {
        return Err(Fault::Form);
    }
    Ok(Unverified { key_id: header.kid, algorithm: header.alg, signed, claims, signature })
}

impl Key {
    /// Whether a token may be signed by this key. One that names none may be by any.
    #[must_use]
    pub fn is_called(&self, id: Option<&str>) -> bool {
        id.is_none_or(|id| self.id.as_deref() == Some(id))
    }
}

/// Who a token must be for and from, where that is known.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expected {
    /// What `aud` must be, or hold.
    pub audience: Option<String>,
    /// What `iss` must be.
    pub issuer: Option<String>,
}

impl Unverified<'_> {
    /// What the token claims, if this key has signed it and it holds at `now`, in Unix seconds.
    pub fn verify(&self, key: &Key, expected: &Expected, now: i64) -> Result<Value, Fault> {
        let decode = |part: &str| BASE64_URL_SAFE_NO_PAD.decode(part).map_err(|_| Fault::Form);
        let (signature, signed) = (decode(self.signature)?, self.signed.as_bytes());
        // The algorithm is the key's: a token's word alone decides nothing.
        let verified = match (&key.material, self.algorithm.as_str()) {
            (Material::Rsa { modulus, exponent }, "RS256") => {
                let key = RsaPublicKeyComponents { n: modulus, e: exponent };
                key.verify(&RSA_PKCS1_2048_8192_SHA256, signed, &signature)
            }
            (Material::Ec(point), "ES256") => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point).verify(signed, &signature)
            }
            _ => return Err(Fault::Algorithm),
        };
        verified.map_err(|_| Fault::Signature)?;
        let claims: Value = serde_json::from_slice(&decode(self.claims)?).map_err(|_| Fault::Form)?;
        check(&claims, expected, now)?;
        Ok(claims)
    }
}

fn check(claims: &Value, expected: &Expected, now: i64) -> Result<(), Fault> {
    if !claims.is_object() {
        return Err(Fault::Form);
    }
    // Numbers may have a fraction (RFC 7519, 2).
    let time = |name: &str| match claims.get(name) {
        None => Ok(None),
        Some(value) => value.as_f64().map(|time| Some(time as i64)).ok_or(Fault::Form),
    };
    let (begins, made) = (time("nbf")?, time("iat")?);
    let ends = match (time("exp")?, made) {
        (Some(ends), _) => ends,
        (None, Some(made)) => made.saturating_add(OLDEST),
        // One that holds for ever would be good for whoever finds it.
        (None, None) => return Err(Fault::Time),
    };
    let has_begun = |time: i64| time <= now.saturating_add(LEEWAY);
    if now >= ends.saturating_add(LEEWAY) || ![begins, made].into_iter().flatten().all(has_begun) {
        return Err(Fault::Time);
    }
    if let Some(audience) = &expected.audience {
        let is_it = |value: &Value| value.as_str() == Some(audience);
        let named = claims.get("aud").is_some_and(|aud| match aud {
            Value::Array(all) => all.iter().any(is_it),
            one => is_it(one),
        });
        if !named {
            return Err(Fault::Audience);
        }
    }
    if let Some(issuer) = &expected.issuer
        && claims.get("iss").and_then(Value::as_str) != Some(issuer)
    {
        return Err(Fault::Issuer);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use ring::{
        rand::SystemRandom,
        signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair, RSA_PKCS1_SHA256, RsaKeyPair},
    };
    use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject};
    use serde_json::json;

    use super::*;

    const NOW: i64 = 1_800_000_000;

    /// Signs with a key of its own kind.
    trait Signer {
        fn public(&self, id: &str) -> Value;
        fn sign(&self, text: &str) -> Vec<u8>;
    }

    struct Ec(EcdsaKeyPair);

    impl Ec {
        fn new() -> Self {
            let (algorithm, random) = (&ECDSA_P256_SHA256_FIXED_SIGNING, SystemRandom::new());
            let document = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
            Self(EcdsaKeyPair::from_pkcs8(algorithm, document.as_ref(), &random).unwrap())
        }
    }

    impl Signer for Ec {
        fn public(&self, id: &str) -> Value {
            let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
            let point = self.0.public_key().as_ref();
            json!({"kty": "EC", "crv": "P-256", "kid": id, "x": encode(&point[1..33]), "y": encode(&point[33..])})
        }

        fn sign(&self, text: &str) -> Vec<u8> {
            self.0.sign(&SystemRandom::new(), text.as_bytes()).unwrap().as_ref().to_vec()
        }
    }

    struct Rsa(RsaKeyPair);

    impl Rsa {
        fn new() -> Self {
            let file: Value =
                serde_json::from_str(include_str!("../../tests/worker/service-account.json")).unwrap();
            let pem = file["private_key"].as_str().unwrap();
            let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).unwrap();
            Self(RsaKeyPair::from_pkcs8(der.secret_pkcs8_der()).unwrap())
        }
    }

    impl Signer for Rsa {
        fn public(&self, id: &str) -> Value {
            let components: RsaPublicKeyComponents<Vec<u8>> = self.0.public().into();
            let encode = |bytes: &[u8]| BASE64_URL_SAFE_NO_PAD.encode(bytes);
            json!({"kty": "RSA", "use": "sig", "kid": id, "n": encode(&components.n), "e": encode(&components.e)})
        }

        fn sign(&self, text: &str) -> Vec<u8> {
            let mut signature = vec![0; self.0.public().modulus_len()];
            self.0.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), text.as_bytes(), &mut signature).unwrap();
            signature
        }
    }

    fn token(signer: &dyn Signer, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| BASE64_URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        format!("{signed}.{}", BASE64_URL_SAFE_NO_PAD.encode(signer.sign(&signed)))
    }

    fn set(signers: &[(&dyn Signer, &str)]) -> Vec<Key> {
        let keys: Vec<_> = signers.iter().map(|(signer, id)| signer.public(id)).collect();
        keys_of(&json!({ "keys": keys }))
    }

    fn keys_of(set: &Value) -> Vec<Key> {
        keys(set.to_string().as_bytes()).unwrap()
    }

    fn verify(token: &str, key: &Key, expected: &Expected) -> Result<Value, Fault> {
        read(token)?.verify(key, expected, NOW)
    }

    #[test]
    fn both_algorithms_are_verified_by_their_own_keys_alone() {
        let (ec, rsa) = (Ec::new(), Rsa::new());
        let keys = set(&[(&ec, "e"), (&rsa, "r")]);
        let (claims, none) = (json!({"exp": NOW + 10, "sub": "a"}), Expected::default());
        let by_ec = token(&ec, &json!({"alg": "ES256", "kid": "e"}), &claims);
        let by_rsa = token(&rsa, &json!({"alg": "RS256", "kid": "r"}), &claims);
        assert_eq!(verify(&by_ec, &keys[0], &none), Ok(claims.clone()));
        assert_eq!(verify(&by_rsa, &keys[1], &none), Ok(claims.clone()));
        assert_eq!(read(&by_ec).unwrap().key_id.as_deref(), Some("e"));
        assert!(keys[0].is_called(Some("e")) && !keys[0].is_called(Some("r")) && keys[0].is_called(None));
        let other = &set(&[(&Ec::new(), "e")])[0];
        assert_eq!(verify(&by_ec, other, &none), Err(Fault::Signature));
        assert_eq!(verify(&by_ec, &keys[1], &none), Err(Fault::Algorithm));
        // What the header says of itself opens nothing: no algorithm, or a secret that everybody knows.
        for algorithm in ["none", "HS256", "RS256", "es256", "ES384"] {
            let forged = token(&ec, &json!({"alg": algorithm, "kid": "e"}), &claims);
            assert_eq!(verify(&forged, &keys[0], &none), Err(Fault::Algorithm), "{algorithm}");
        }
        let critical = token(&ec, &json!({"alg": "ES256", "crit": ["b64"]}), &claims);
        assert_eq!(verify(&critical, &keys[0], &none), Err(Fault::Form));
        // Claims that somebody else has put in.
        let (head, rest) = by_ec.split_once('.').unwrap();
        let (_, signature) = rest.split_once('.').unwrap();
        let others = BASE64_URL_SAFE_NO_PAD.encode(json!({"exp": NOW + 99}).to_string());
        assert_eq!(verify(&format!("{head}.{others}.{signature}"), &keys[0], &none), Err(Fault::Signature));
    }

    #[test]
    fn claims_must_hold_now_and_for_us() {
        let signer = Ec::new();
        let key = &set(&[(&signer, "k")])[0];
        let ours = Expected { audience: Some("us".to_owned()), issuer: Some("them".to_owned()) };
        let anyone = Expected::default();
        for (claims, expected, outcome) in [
            (json!({"exp": NOW + 10}), &anyone, Ok(())),
            (json!({"exp": NOW - 30}), &anyone, Ok(())),
            (json!({"exp": NOW - 60}), &anyone, Err(Fault::Time)),
            (json!({"exp": NOW as f64 + 0.5}), &anyone, Ok(())),
            (json!({"exp": "soon"}), &anyone, Err(Fault::Form)),
            (json!({"iat": NOW - 300}), &anyone, Ok(())),
            (json!({"iat": NOW - 400}), &anyone, Err(Fault::Time)),
            (json!({"iat": NOW + 100, "exp": NOW + 200}), &anyone, Err(Fault::Time)),
            (json!({"nbf": NOW + 100, "exp": NOW + 200}), &anyone, Err(Fault::Time)),
            (json!({}), &anyone, Err(Fault::Time)),
            (json!([1]), &anyone, Err(Fault::Form)),
            (json!({"exp": NOW + 10, "aud": "us", "iss": "them"}), &ours, Ok(())),
            (json!({"exp": NOW + 10, "aud": ["you", "us"], "iss": "them"}), &ours, Ok(())),
            (json!({"exp": NOW + 10, "aud": "you", "iss": "them"}), &ours, Err(Fault::Audience)),
            (json!({"exp": NOW + 10, "iss": "them"}), &ours, Err(Fault::Audience)),
            (json!({"exp": NOW + 10, "aud": "us", "iss": "they"}), &ours, Err(Fault::Issuer)),
        ] {
            let token = token(&signer, &json!({"alg": "ES256"}), &claims);
            assert_eq!(verify(&token, key, expected).map(drop), outcome, "{claims}");
        }
    }

    #[test]
    fn what_is_no_token_or_no_key_is_none() {
        for text in ["", ".", "..", "a.b.c", "e30.e30.e30", "v1,abc", &"a.".repeat(20_000)] {
            assert_eq!(read(text).map(drop), Err(Fault::Form), "{}", text.len());
        }
        assert_eq!(keys(b"<html>"), None);
        assert_eq!(keys(b"{}"), None);
        let set = json!({"keys": [
            7, {}, {"kty": "oct", "k": "AAAA"}, {"kty": "EC", "crv": "P-256", "x": "AAAA", "y": "AAAA"},
            {"kty": "RSA", "use": "enc", "n": "AAAA", "e": "AQAB"}, {"kty": "RSA", "n": "AAAA", "e": "AQAB"},
        ]});
        let keys = keys_of(&set);
        assert_eq!(keys.len(), 1, "{keys:?}");
        // A key that is too weak signs nothing.
        let token = token(&Rsa::new(), &json!({"alg": "RS256"}), &json!({"exp": NOW + 10}));
        assert_eq!(verify(&token, &keys[0], &Expected::default()), Err(Fault::Signature));
    }
}

//! What strangers can do at the one route that is open to them, the providers' webhooks: no more than be refused.

use contract::{
    Timestamp,
    signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, SignedHeaders, TIMESTAMP_HEADER},
};
use foundation::testing::TestDatabase;
use futures_util::future::{BoxFuture, join_all, select_all};
use reqwest::StatusCode;
use serde_json::{Value, json};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use worker_service::hints::room::PLACES;

use crate::{
    fixture::in_time,
    hints::{HOOK, SECRET, Scene, Signer},
    routes::{begun, told},
};

/// A hint about nothing that runs, which is answered like any other.
fn hint() -> Value {
    json!({"data": {"id": "unheard-of"}})
}

/// Headers that could be the provider's, over a body that nobody has seen.
fn plausible(time: Timestamp) -> SignedHeaders {
    Secrets::parse(SECRET).unwrap().sign("evt_1", time, b"another body")
}

/// A webhook under these headers whose body does not come.
async fn announced(scene: &Scene, signed: &SignedHeaders, length: usize) -> TcpStream {
    let length = length.to_string();
    let headers = [
        (ID_HEADER, signed.id.as_str()),
        (TIMESTAMP_HEADER, signed.timestamp.as_str()),
        (SIGNATURE_HEADER, signed.signature.as_str()),
        ("content-length", length.as_str()),
    ];
    begun(&scene.service, "POST", HOOK, &headers).await
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_the_headers_tell_is_told_before_a_body_is_read() {
    let scene = Scene::start(TestDatabase::sqlite(), &[]).await;
    let now = Timestamp::now();
    let good = plausible(now);
    let old = plausible(Timestamp::from_micros(now.as_micros() - 301_000_000));
    let signature = |signature: &str| SignedHeaders { signature: signature.to_owned(), ..good.clone() };
    for (what, signed, length, status, code) in [
        ("too old", old, 1000, 401, "invalid_signature"),
        ("by no secret's length", signature("v1,AAAA"), 1000, 401, "invalid_signature"),
        ("by a forged token", signature("a.b.c"), 1000, 401, "invalid_signature"),
        ("by an empty signature", signature(""), 1000, 401, "invalid_signature"),
        ("too large", good.clone(), 64 * 1024 + 1, 413, "payload_too_large"),
    ] {
        let (given, problem) = told(announced(&scene, &signed, length).await).await;
        assert_eq!((given, &problem["code"]), (status, &json!(code)), "{what}");
    }
    let unsigned = begun(&scene.service, "POST", HOOK, &[("content-length", "1000")]).await;
    let (given, problem) = told(unsigned).await;
    assert_eq!((given, &problem["code"]), (401, &json!("invalid_signature")));
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_flood_of_forged_hints_takes_nothing_of_the_providers_rate() {
    let scene = Scene::start(TestDatabase::sqlite(), &[]).await;
    let (forged, body) = (Secrets::encode(&[7; 32]), hint());
    for _ in 0..4 {
        // Fewer than there are places for, so that each is looked at.
        let sending = (0..PLACES - 4).map(|_| scene.signed(&forged, "evt_1", &body));
        for answer in join_all(sending).await {
            assert_eq!(answer.status(), StatusCode::UNAUTHORIZED);
        }
    }
    assert_eq!(scene.signed(SECRET, "evt_2", &body).await.status(), StatusCode::NO_CONTENT);
    scene.end().await;
}

/// As many as there are places for, and one more: the oldest gives way.
async fn held_back(scene: &Scene) -> Vec<BoxFuture<'static, (u16, Value)>> {
    let signed = plausible(Timestamp::now());
    let mut waiting: Vec<BoxFuture<'static, (u16, Value)>> = Vec::new();
    for _ in 0..=PLACES {
        let stream = announced(scene, &signed, 1000).await;
        waiting.push(Box::pin(told(stream)));
    }
    let ((status, problem), _, waiting) = select_all(waiting).await;
    assert_eq!((status, &problem["code"]), (429, &json!("rate_limited")));
    waiting
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn bodies_that_are_held_back_keep_no_genuine_one_out() {
    let scene = Scene::start(TestDatabase::sqlite(), &[]).await;
    let held = held_back(&scene).await;
    for _ in 0..3 {
        assert_eq!(scene.signed(SECRET, "evt_2", &hint()).await.status(), StatusCode::NO_CONTENT);
    }
    drop(held);
    scene.end().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn who_is_known_by_a_token_has_a_place_of_its_own() {
    let signer = Signer::start().await;
    let key_set = signer.served.address.join("keys").unwrap();
    let scene = Scene::start(TestDatabase::sqlite(), &[("VEO3_WEBHOOK_JWKS_URL", key_set.as_str())]).await;
    let claims = json!({"exp": Timestamp::now().as_seconds() + 600});
    let token = signer.token(&json!({"alg": "ES256", "kid": "k"}), &claims);
    let body = hint().to_string();
    let length = body.len().to_string();
    let headers = [(SIGNATURE_HEADER, token.as_str()), ("content-length", length.as_str())];
    let mut slow = begun(&scene.service, "POST", HOOK, &headers).await;
    let held = held_back(&scene).await;
    slow.write_all(body.as_bytes()).await.unwrap();
    let mut status = [0; 12];
    in_time(slow.read_exact(&mut status)).await.unwrap();
    assert_eq!(std::str::from_utf8(&status), Ok("HTTP/1.1 204"));
    drop((slow, held));
    scene.end().await;
}

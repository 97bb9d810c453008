//! One try to deliver one webhook: signed now, sent, and what came back.

use std::{
    error::Error as _,
    time::{Duration, Instant, SystemTime},
};

use contract::{
    EventId, Timestamp,
    signing::{ID_HEADER, SIGNATURE_HEADER, Secrets, TIMESTAMP_HEADER},
};
use foundation::settings::Live;
use reqwest::{Client, StatusCode, header, redirect};
use telemetry::TraceParent;
use url::Url;

use super::schedule::retry_after;
use crate::store::{Webhook, WebhookTry};

/// How much of an answer is kept.
const ANSWER_KEPT: usize = 1_024;

/// What a try came to.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Verdict {
    /// Any 2xx.
    Taken,
    /// 410: nobody is there for the time being.
    Gone,
    /// Anything else, a redirect included; with what `Retry-After` asks for.
    Refused(Option<Duration>),
}

/// Sends webhooks to one endpoint. Belongs to the runtime that first uses it.
#[derive(Clone, Debug)]
pub(super) struct Sender {
    client: Client,
    url: Url,
    secrets: Live<Secrets>,
}

impl Sender {
    /// Needs rustls's default provider to be installed.
    pub(super) fn new(url: Url, secrets: Live<Secrets>, timeout: Duration) -> reqwest::Result<Self> {
        let client = Client::builder()
            .redirect(redirect::Policy::none())
            .timeout(timeout)
            .connect_timeout(timeout)
            .user_agent(concat!("reelay-worker/", env!("CARGO_PKG_VERSION")))
            .build()?;
        Ok(Self { client, url, secrets })
    }

    /// Where webhooks go.
    pub(super) fn url(&self) -> &str {
        self.url.as_str()
    }

    /// Makes a try. It takes no longer than the timeout.
    pub(super) async fn deliver(&self, webhook: &Webhook) -> (WebhookTry, Verdict) {
        self.attempt(&webhook.id, webhook.attempts, &webhook.body).await
    }

    /// The same for a body that stands in no outbox.
    pub(super) async fn attempt(&self, id: &EventId, number: i32, body: &str) -> (WebhookTry, Verdict) {
        let begun = Instant::now();
        let answered = self.send(id, body).await;
        let duration_ms = begun.elapsed().as_millis() as i64;
        let (status, answer, error, verdict) = match answered {
            Ok((status, answer, verdict)) => (Some(i32::from(status.as_u16())), Some(answer), None, verdict),
            Err(error) => (None, None, Some(described(&error)), Verdict::Refused(None)),
        };
        let made = WebhookTry {
            webhook_id: id.clone(),
            number,
            status,
            duration_ms,
            answer,
            error,
            created_at: Timestamp::now(),
        };
        (made, verdict)
    }

    async fn send(&self, id: &EventId, body: &str) -> reqwest::Result<(StatusCode, String, Verdict)> {
        let secrets = self.secrets.current();
        let signed = secrets.sign(id.as_str(), Timestamp::now(), body.as_bytes());
        let mut headers = header::HeaderMap::new();
        TraceParent::current().inject(&mut headers);
        let mut response = self
            .client
            .post(self.url.clone())
            .headers(headers)
            .header(header::CONTENT_TYPE, "application/json")
            .header(ID_HEADER, signed.id)
            .header(TIMESTAMP_HEADER, signed.timestamp)
            .header(SIGNATURE_HEADER, signed.signature)
            .body(body.to_owned())
            .send()
            .await?;
        let status = response.status();
        let wish = response.headers().get(header::RETRY_AFTER).and_then(|value| value.to_str().ok());
        let wish = wish.and_then(|text| retry_after(text, SystemTime::now()));
        let verdict = match status {
            _ if status.is_success() => Verdict::Taken,
            StatusCode::GONE => Verdict::Gone,
            _ => Verdict::Refused(wish),
        };
        let mut answer = Vec::new();
        // The status has decided already; an answer that breaks off is kept as far as it came.
        while answer.len() < ANSWER_KEPT
            && let Ok(Some(chunk)) = response.chunk().await
        {
            answer.extend_from_slice(&chunk);
        }
        answer.truncate(ANSWER_KEPT);
        // PostgreSQL keeps no NUL in a text.
        Ok((status, String::from_utf8_lossy(&answer).replace('\0', ""), verdict))
    }
}

/// An error with its causes, without the address, which may hold a password.
fn described(error: &reqwest::Error) -> String {
    let mut text = if error.is_timeout() {
        "timed out".to_owned()
    } else if error.is_connect() {
        "no connection".to_owned()
    } else {
        "no answer".to_owned()
    };
    let mut cause = error.source();
    while let Some(error) = cause {
        text = format!("{text}: {error}");
        cause = error.source();
    }
    text.chars().take(ANSWER_KEPT).collect()
}

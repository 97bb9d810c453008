//! How a provider is asked, whatever its words: one POST for a submission and what its answer means (I15, I16),
//! polls within limits of time and memory, and a video that stands inside of an answer.

use std::{path::Path, time::Duration};

use reqwest::{Client, Method, RequestBuilder, Response};
use url::Url;

use super::{
    Cancelled, Polled, ProviderSettings, Submitted,
    fetch::{self, Fetch},
    google::{self, Refusal},
    inline::{Abridged, Extract},
};
use crate::{
    jobs::state::Retry,
    media::{self, DownloadError, Downloaded, Saving},
};

/// The longest answer that is kept, without the videos in it.
const LONGEST_ANSWER: usize = 1024 * 1024;

/// An answer to a request of ours.
#[derive(Debug)]
pub enum Answer {
    /// The body of a success, without the content of long strings.
    Success(Vec<u8>),
    /// Anything else.
    Refusal(Refusal),
}

/// The clients of one provider. Belongs to the runtime that first uses it.
#[derive(Debug)]
pub(super) struct Caller {
    /// Without kept connections: one that the server closes at that moment would leave a submission's fate
    /// unknown for nothing.
    submitting: Client,
    asking: Client,
    submit_timeout: Duration,
    poll_timeout: Duration,
    /// Fetches what lies at the provider's own base, and elsewhere.
    pub(super) fetch: Fetch,
}

impl Caller {
    /// Clients after these settings. Speaks to nobody yet. Needs rustls's default provider to be installed.
    pub(super) fn new(base: &Url, common: &ProviderSettings) -> Self {
        // Building fails only without a TLS provider, which every binary installs first.
        let submitting = fetch::client(common).pool_max_idle_per_host(0).build().unwrap_or_default();
        let asking = fetch::client(common).build().unwrap_or_default();
        Self {
            fetch: Fetch::new(base.clone(), asking.clone(), common),
            submitting,
            asking,
            submit_timeout: common.submit_timeout,
            poll_timeout: common.poll_timeout,
        }
    }

    /// A submission to be, for [`submit`](Self::submit).
    pub(super) fn submission(&self, url: impl reqwest::IntoUrl) -> RequestBuilder {
        self.submitting.post(url)
    }

    /// Any other request to be, for [`ask`](Self::ask).
    pub(super) fn request(&self, method: Method, url: impl reqwest::IntoUrl) -> RequestBuilder {
        self.asking.request(method, url)
    }

    /// Sends a submission, once. `accepted` reads the operation's name from a success, and `refused` from one without a
    /// name why there is none.
    pub(super) async fn submit(
        &self,
        request: RequestBuilder,
        accepted: impl FnOnce(&[u8]) -> Option<String>,
        refused: impl FnOnce(&[u8]) -> Option<Refusal>,
    ) -> Submitted {
        match self.post(request).await {
            Ok(answer) => taken(answer, accepted, refused),
            Err(submitted) => submitted,
        }
    }

    /// Sends a submission, once. [`taken`] says what its answer means; the error is what it means that there is none.
    pub(super) async fn post(&self, request: RequestBuilder) -> Result<Answer, Submitted> {
        let unknown = |reason: &str| Err(Submitted::Unknown { reason: reason.to_owned() });
        let sent = async {
            let response = request.send().await.map_err(Some)?;
            self.read(response).await.map_err(|_| None::<reqwest::Error>)
        };
        match tokio::time::timeout(self.submit_timeout, sent).await {
            Ok(Ok(answer)) => Ok(answer),
            // Nothing was sent yet.
            Ok(Err(Some(error))) if error.is_connect() => {
                Err(Submitted::Rejected(google::unavailable(Retry::OnSchedule)))
            }
            Ok(Err(Some(error))) => unknown(&reason(&error)),
            Ok(Err(None)) => unknown("a broken answer"),
            Err(_) => unknown("no answer in time"),
        }
    }

    /// Sends a request that changes nothing, or that may be sent again.
    pub(super) async fn ask(&self, request: RequestBuilder) -> Result<Answer, String> {
        let whole = async {
            let response = self.send(request).await?;
            self.read(response).await.map_err(|error| error.to_string())
        };
        // An answer may hold a video, which takes as long as a download.
        let answer = tokio::time::timeout(self.fetch.limits.total, whole).await;
        answer.unwrap_or_else(|_| Err("no answer in time".to_owned()))
    }

    /// Asks how an operation stands, and has the answers that say so read: see [`told`].
    pub(super) async fn poll<T: From<Polled>>(
        &self,
        request: RequestBuilder,
        success: impl FnOnce(&[u8]) -> T,
        refused: impl FnOnce(&Refusal) -> Polled,
    ) -> T {
        told(self.ask(request).await, success, refused)
    }

    /// Asks for an operation to be given up.
    pub(super) async fn cancel(&self, request: RequestBuilder) -> Cancelled {
        match self.ask(request).await {
            Ok(Answer::Success(_)) => Cancelled::Done,
            Ok(Answer::Refusal(refusal)) => Cancelled::Unclear { reason: refusal.reason() },
            Err(reason) => Cancelled::Unclear { reason },
        }
    }

    /// Asks for an answer again and writes the video that stands in it into a file.
    pub(super) async fn extract(
        &self,
        request: RequestBuilder,
        pointer: &str,
        into: &Path,
    ) -> Result<Downloaded, DownloadError> {
        let limits = self.fetch.limits;
        let whole = async {
            let mut response = self.send(request).await.map_err(DownloadError::Interrupted)?;
            if !response.status().is_success() {
                return Err(DownloadError::Refused(response.status().as_u16()));
            }
            let (mut extract, mut saving) = (Extract::new(pointer), Saving::begin(into, limits.bytes).await?);
            let broken = |error: super::inline::Malformed| DownloadError::Interrupted(error.to_string());
            while !extract.is_whole() {
                let Some(chunk) = media::next(&mut response, limits.stall).await? else {
                    return Err(broken(super::inline::Malformed::Missing));
                };
                saving.write(&extract.feed(&chunk).map_err(broken)?).await?;
            }
            saving.end().await
        };
        tokio::time::timeout(limits.total, whole).await.map_err(|_| DownloadError::TooSlow)?
    }

    async fn send(&self, request: RequestBuilder) -> Result<Response, String> {
        match tokio::time::timeout(self.poll_timeout, request.send()).await {
            Ok(sent) => sent.map_err(|error| reason(&error)),
            Err(_) => Err("no answer in time".to_owned()),
        }
    }

    /// Reads an answer, or the beginning of one that is too long to be what was asked for.
    async fn read(&self, mut response: Response) -> Result<Answer, DownloadError> {
        let (status, headers) = (response.status(), response.headers().clone());
        let limits = self.fetch.limits;
        let stall = limits.stall.min(self.poll_timeout);
        // In base64, a video has a third more.
        let most = (limits.bytes / 3).saturating_mul(4).saturating_add(LONGEST_ANSWER as u64);
        let (mut abridged, mut size) = (Abridged::default(), 0_u64);
        while let Some(chunk) = media::next(&mut response, stall).await? {
            size = size.saturating_add(chunk.len() as u64);
            let is_json = abridged.feed(&chunk).is_ok();
            if !is_json || size > most || abridged.bytes().len() > LONGEST_ANSWER {
                break;
            }
        }
        Ok(if status.is_success() {
            Answer::Success(abridged.bytes().to_vec())
        } else {
            Answer::Refusal(Refusal::read(status, &headers, abridged.bytes()))
        })
    }
}

/// What the answer to a submission means. `accepted` reads the operation's name from a success, and `refused` from one
/// without a name why there is none.
pub(super) fn taken(
    answer: Answer,
    accepted: impl FnOnce(&[u8]) -> Option<String>,
    refused: impl FnOnce(&[u8]) -> Option<Refusal>,
) -> Submitted {
    let refusal = match answer {
        Answer::Refusal(refusal) => refusal,
        Answer::Success(body) => {
            if let Some(operation) = accepted(&body) {
                return Submitted::Accepted(operation);
            }
            match refused(&body) {
                Some(refusal) => refusal,
                None if is_json(&body) => {
                    return Submitted::Lost { reason: "a success that names no operation".to_owned() };
                }
                None => return Submitted::Unknown { reason: "a success in another's words".to_owned() },
            }
        }
    };
    if refusal.is_known() {
        Submitted::Rejected(refusal.failure())
    } else {
        Submitted::Unknown { reason: refusal.reason() }
    }
}

/// Whether a success speaks as providers do. A page that a proxy or a captive portal shows does not, nor does an empty
/// body: these say nothing about the submission. JSON that breaks off or is too long was begun by the provider.
fn is_json(body: &[u8]) -> bool {
    match serde_json::from_slice::<serde::de::IgnoredAny>(body) {
        Ok(_) => true,
        Err(error) => error.is_eof() && matches!(body.trim_ascii_start().first(), Some(b'{' | b'[')),
    }
}

/// What the answer to a poll says. `success` reads one that is an answer, perhaps to more than what was asked, and
/// `refused` one that is none, in whatever words the provider refuses.
pub(super) fn told<T: From<Polled>>(
    answer: Result<Answer, String>,
    success: impl FnOnce(&[u8]) -> T,
    refused: impl FnOnce(&Refusal) -> Polled,
) -> T {
    match answer {
        Ok(Answer::Success(body)) => success(&body),
        Ok(Answer::Refusal(refusal)) => refused(&refusal).into(),
        Err(reason) => Polled::Unclear { reason, wait: None }.into(),
    }
}

/// A failure in words, without the URL.
fn reason(error: &reqwest::Error) -> String {
    let kind = if error.is_timeout() {
        "no answer in time"
    } else if error.is_connect() {
        "no connection"
    } else if error.is_body() || error.is_decode() {
        "a broken answer"
    } else {
        "a broken connection"
    };
    kind.to_owned()
}

#[cfg(test)]
mod tests {
    use reqwest::{StatusCode, header::HeaderMap};

    use super::*;

    #[test]
    fn a_success_that_the_provider_gave_is_never_sent_again() {
        let unknown = |submitted: Submitted| match submitted {
            Submitted::Unknown { .. } => "unknown".to_owned(),
            Submitted::Lost { .. } => "lost".to_owned(),
            Submitted::Rejected(_) => "rejected".to_owned(),
            Submitted::Accepted(name) => name,
        };
        let accepted = |body: &[u8]| {
            let answer: serde_json::Value = google::object(body)?;
            answer["name"].as_str().filter(|name| google::is_plain(name)).map(str::to_owned)
        };
        for (body, expected) in [
            (r#"{"name":"op1"}"#, "op1"),
            (r#"{"name":""}"#, "lost"),
            (r#"{"name":"../files/x"}"#, "lost"),
            (r#"{"name":7}"#, "lost"),
            ("{}", "lost"),
            ("  {}\n", "lost"),
            (r#"["op1"]"#, "lost"),
            ("null", "lost"),
            // It says that it did not take it, or that it broke down over it.
            (r#"{"error":{"code":429,"message":"slow down"}}"#, "rejected"),
            (r#"[{"error":{"code":3,"message":"no"}}]"#, "rejected"),
            (r#"{"error":{"code":500,"message":"sorry"}}"#, "unknown"),
            (r#"{"name":"op1","error":{"code":3,"message":"no"}}"#, "op1"),
            (r#"{"name":"../x","error":{"code":3,"message":"no"}}"#, "lost"),
            (r#"{"error":{}}"#, "lost"),
            ("\"op1\"", "lost"),
            // It was begun by the provider, and breaks off.
            (r#"{"name":"op"#, "lost"),
            ("[", "lost"),
            ("", "unknown"),
            (" \n", "unknown"),
            ("<html>Sign in to this network</html>", "unknown"),
            ("OK", "unknown"),
            ("{ sign in }", "unknown"),
            ("\"", "unknown"),
        ] {
            let answer = Answer::Success(body.as_bytes().to_vec());
            assert_eq!(unknown(taken(answer, accepted, google::refused_within)), expected, "{body}");
        }
        let refusal = Refusal::read(StatusCode::UNAUTHORIZED, &HeaderMap::new(), b"{}");
        assert_eq!(unknown(taken(Answer::Refusal(refusal), accepted, google::refused_within)), "rejected");
    }
}

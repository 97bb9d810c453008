//! The short form of a generation that is polled: pure.

use contract::{ErrorCode, GenerationId, GenerationStatus, JobStatus, Timestamp, worker_api::JobSnapshot};
use serde::Serialize;
use utoipa::ToSchema;

use super::generation::Generation;
use crate::accounts::token::sha256;

/// When to ask again.
const POLL_AFTER_MS: u32 = 5000;

/// Where a generation stands, for those who poll.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct StatusView {
    /// The generation.
    pub id: GenerationId,
    /// Where it stands.
    pub status: GenerationStatus,
    /// 0–100. Never falls within an attempt.
    pub progress: i32,
    /// How many waiting jobs stand before it, from 1.
    pub queue_position: Option<i64>,
    /// Seconds until it is probably done, as the worker last said; `null` where nobody knows, as of one that is late.
    pub eta_seconds: Option<i64>,
    /// Whether this is its end.
    pub terminal: bool,
    /// When to ask again, in milliseconds; `null` at its end.
    pub poll_after_ms: Option<u32>,
    /// A link to the video.
    pub result_url: Option<String>,
    /// A link to its thumbnail.
    pub thumbnail_url: Option<String>,
    /// Why it failed, or `expired`, for programs.
    pub error_code: Option<ErrorCode>,
    /// The same for a person, in the language of the request.
    pub error_message: Option<String>,
    /// When it last changed.
    pub updated_at: Timestamp,
}

impl StatusView {
    /// Where a generation stands. What the worker says just now of the queue counts before the row, as long as
    /// both speak of the same state: a place in the queue changes without the job changing. But what it says may
    /// have been asked a moment ago, so a place behind the row's counts no more.
    #[must_use]
    pub fn new(generation: &Generation, now: Option<&JobSnapshot>) -> Self {
        let terminal = generation.status.is_terminal();
        let waits = |snapshot: &&JobSnapshot| {
            generation.status == GenerationStatus::Queued && snapshot.status == JobStatus::Confirmed
        };
        let is_behind = |snapshot: &JobSnapshot| match (snapshot.queue_position, generation.queue_position) {
            (Some(told), Some(known)) => told > known,
            (told, _) => told.is_none(),
        };
        let same = now.filter(|snapshot| {
            !terminal
                && generation.worker_job_id.as_ref() == Some(&snapshot.job_id)
                && generation.job.sequence == snapshot.sequence
                && !(waits(snapshot) && is_behind(snapshot))
        });
        let queue_position = same.filter(waits).map_or(generation.queue_position, |s| s.queue_position);
        Self {
            id: generation.id.clone(),
            status: generation.status,
            progress: generation.progress,
            queue_position,
            eta_seconds: same.map_or(generation.eta_seconds, |snapshot| snapshot.eta_seconds),
            terminal,
            poll_after_ms: (!terminal).then_some(POLL_AFTER_MS),
            result_url: generation.result_url.clone(),
            thumbnail_url: generation.thumbnail_url.clone(),
            error_code: generation.error_code,
            error_message: generation.error_message.clone(),
            updated_at: generation.updated_at,
        }
    }

    /// Names this state. Weak, because links differ each time they are made and are left out.
    #[must_use]
    pub fn etag(&self) -> String {
        let bare = Self { result_url: None, thumbnail_url: None, ..self.clone() };
        let json = serde_json::to_vec(&bare).unwrap_or_default();
        let digest: String = sha256(&json).chars().take(24).collect();
        format!("W/\"{digest}\"")
    }
}

/// Whether a header `If-None-Match` names this tag, by weak comparison.
#[must_use]
pub fn is_known(header: &str, etag: &str) -> bool {
    let bare = |tag: &str| tag.trim().trim_start_matches("W/").to_owned();
    header.trim() == "*" || header.split(',').any(|entry| bare(entry) == bare(etag))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::generations::{generation::tests::generation, state::tests::snapshot};

    #[test]
    fn the_tag_follows_the_state_and_not_the_links() {
        let mut generation = generation();
        let first = StatusView::new(&generation, None);
        generation.result_url = Some("http://signed.example/?X-Amz-Signature=1".to_owned());
        assert_eq!(StatusView::new(&generation, None).etag(), first.etag());
        generation.progress = 7;
        assert_ne!(StatusView::new(&generation, None).etag(), first.etag());
        let etag = first.etag();
        for (header, known) in [
            (etag.clone(), true),
            (etag.trim_start_matches("W/").to_owned(), true),
            (format!("\"x\", {etag}"), true),
            ("*".to_owned(), true),
            ("\"x\"".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_known(&header, &etag), known, "{header}");
        }
    }

    #[test]
    fn nobody_is_told_to_stand_further_back() {
        let mut waiting = generation();
        (waiting.status, waiting.queue_position) = (GenerationStatus::Queued, Some(3));
        waiting.worker_job_id = Some(contract::JobId::new());
        waiting.eta_seconds = Some(50);
        for (told, shown) in [
            (Some(2), (Some(2), Some(20))),
            (Some(3), (Some(3), Some(20))),
            (Some(4), (Some(3), Some(50))),
            (None, (Some(3), Some(50))),
        ] {
            let mut now = snapshot(&waiting, JobStatus::Confirmed);
            (now.sequence, now.queue_position) = (waiting.job.sequence, told);
            let view = StatusView::new(&waiting, Some(&now));
            assert_eq!((view.queue_position, view.eta_seconds), shown, "{told:?}");
        }
    }

    #[test]
    fn at_its_end_nobody_need_ask_again() {
        let mut generation = generation();
        assert_eq!(StatusView::new(&generation, None).poll_after_ms, Some(5000));
        generation.status = GenerationStatus::Failed;
        let view = StatusView::new(&generation, None);
        assert_eq!((view.terminal, view.poll_after_ms), (true, None));
    }
}

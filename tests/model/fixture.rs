//! The constants of the model: one user, one conversation, one generation, one worker's name, one moment.

use std::{str::FromStr, sync::LazyLock, time::Duration};

use api_service::{
    generations::{
        clarification::{ClarificationQuestion, Settled},
        generation::{Generation, Request},
        state::Quote,
        wording::Wording,
    },
    intent::Language,
};
use contract::{
    ErrorCode, JobId, Money, Parameters, Timestamp, WorkerId,
    worker_api::{JobError, JobResult},
};
use serde_json::{Map, Value, json};
use worker_service::jobs::state::Rules;

/// Every time in the model: what matters of time is said by actions (a lease lapses, the grace window ends).
pub const NOW: Timestamp = Timestamp::from_micros(1_795_426_200_000_000);
/// After everything: whatever waits has waited for too long.
pub const LATER: Timestamp = Timestamp::from_micros(1_796_031_000_000_000);
/// The grace window of an unknown submission; longer than any other wait.
pub const GRACE: Duration = Duration::from_mins(10);

/// An id that is the same in every run.
fn id<T: FromStr>(prefix: &str) -> T
where
    T::Err: std::fmt::Debug,
{
    format!("{prefix}{:032x}", 1).parse().expect("it is well-formed")
}

/// The one job's id; production makes a new one each time.
pub static JOB: LazyLock<JobId> = LazyLock::new(|| id(JobId::PREFIX));
/// Whoever runs it.
pub static WORKER: LazyLock<WorkerId> = LazyLock::new(|| id(WorkerId::PREFIX));
/// The retry rules: one retry.
pub static RULES: LazyLock<Rules> = LazyLock::new(|| Rules {
    deadline: Duration::from_mins(30),
    max_retries: 1,
    retry_delays: vec![Duration::from_secs(5)],
});
/// What a settled request comes to.
pub static QUOTE: LazyLock<Quote> = LazyLock::new(|| Quote {
    settled: Settled {
        prompt: "a paper boat".to_owned(),
        parameters: Parameters { duration: Some(8), ..Parameters::default() },
    },
    price: Money::usd_ten_thousandths(32_000),
    model: "Veo 3.1".to_owned(),
    wording: Wording::Kept,
});
/// Other words for it.
pub static WORDS: LazyLock<Wording> =
    LazyLock::new(|| Wording::Changed(Some("a small boat of paper".to_owned())));
/// The answers to the questions.
pub static RESPONSES: LazyLock<Map<String, Value>> =
    LazyLock::new(|| Map::from_iter([("duration".to_owned(), json!(8))]));

/// A generation that was just inserted, with a question open or without.
pub fn generation(asks: bool) -> Generation {
    let question: ClarificationQuestion = serde_json::from_value(json!({
        "id": "duration", "question": "How long?", "kind": "number", "default": 8, "required": true
    }))
    .expect("it is a question");
    let request = Request {
        conversation_id: id("conv_"),
        message_id: id("msg_"),
        user_id: id("user_"),
        provider: "veo3".to_owned(),
        model: "veo-3.1".to_owned(),
        prompt: "a paper boat".to_owned(),
        parameters: Parameters::default(),
        questions: if asks { vec![question] } else { Vec::new() },
        retry_of: None,
        language: Language::English,
    };
    Generation { id: id("gen_"), ..Generation::new(request, NOW) }
}

/// What a finished run has made.
pub fn result() -> JobResult {
    JobResult {
        video_url: "http://s3/video".to_owned(),
        thumbnail_url: "http://s3/thumbnail".to_owned(),
        video_key: "video".to_owned(),
        thumbnail_key: "thumbnail".to_owned(),
        duration: 8.0,
        file_size: 1,
        resolution: "1280x720".to_owned(),
        format: "mp4".to_owned(),
        sha256: "0".repeat(64),
        processing_time: 0.0,
        posters: Vec::new(),
    }
}

/// Why something failed.
pub fn error(code: ErrorCode) -> JobError {
    JobError::new(code, code.as_str(), true)
}

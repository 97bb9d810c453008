//! What becomes of a video that is made, and charged, when its download is refused.

use std::{
    path::PathBuf,
    sync::{Arc, Mutex},
};

use contract::{ErrorCode, ErrorReason, JobStatus};
use foundation::testing::TestDatabase;
use hyper::http::request::Parts;
use worker_service::jobs::state::snapshot;

use crate::{
    bench::Bench,
    fixture::on_both_databases,
    gate::{Fate, Gate},
};

on_both_databases! {
    a_refused_download_is_made_again_by_a_fresh_link,
    a_video_that_stays_away_is_gone_in_the_end,
    a_download_has_tries_of_its_own,
}

/// What a client asks for, in a letter: that a video be made (`s`), how it stands (`p`), the video (`d`), or something
/// else.
fn letter(head: &Parts) -> char {
    match head.uri.path() {
        path if path.ends_with(":predictLongRunning") => 's',
        path if path.contains("/operations/") => 'p',
        path if path.ends_with(":download") => 'd',
        _ => '-',
    }
}

/// A provider that answers the first downloads with these statuses and bodies, and what it was asked for, in letters.
async fn refusing(bench: &Bench, refusals: &'static [(u16, &'static str)]) -> (Gate, Arc<Mutex<String>>) {
    refusing_after(bench, 0, refusals).await
}

/// The same by one that takes none of so many submissions before.
async fn refusing_after(
    bench: &Bench,
    submissions: usize,
    refusals: &'static [(u16, &'static str)],
) -> (Gate, Arc<Mutex<String>>) {
    let asked = Arc::<Mutex<String>>::default();
    let noted = Arc::clone(&asked);
    let gate = Gate::before(&bench.provider(), move |head, _| {
        let mut noted = noted.lock().unwrap();
        let letter = letter(head);
        let earlier = noted.chars().filter(|noted| *noted == letter).count();
        noted.push(letter);
        drop(noted);
        if letter == 's' && earlier < submissions {
            return Fate::Refuse(429);
        }
        let refusal = refusals.get(earlier).filter(|_| letter == 'd');
        refusal.map_or(Fate::Pass, |&(status, body)| Fate::Replace(status, body))
    })
    .await;
    (gate, asked)
}

/// How often the video was asked for in a row, between questions how it stands.
fn downloads(asked: &Mutex<String>) -> Vec<usize> {
    let asked = asked.lock().unwrap().replace(['-', 's'], "");
    asked.split('p').map(str::len).filter(|count| *count > 0).collect()
}

/// A proxy that is being replaced, a file that cannot be seen yet, a link that has run out: whatever is said in place of
/// a video that is made, it is not paid for twice and not given up at once.
async fn a_refused_download_is_made_again_by_a_fresh_link(database: TestDatabase) {
    const NOT_FOUND: &str = r#"{"error":{"code":404,"message":"File not found","status":"NOT_FOUND"}}"#;
    let bench = Bench::start(database).await;
    let refusals =
        &[(404, ""), (410, ""), (404, NOT_FOUND), (302, ""), (403, "<html>"), (400, "{}"), (405, "")];
    let (gate, asked) = refusing(&bench, refusals).await;
    let workflow = bench.workflow_through(&gate.address, Arc::new(bench.storage.bucket()), &[]);
    let generation = bench.queued("a paper boat").await;
    let job = bench.run(&workflow, &generation).await;
    bench.assert_stored(&job).await;
    assert_eq!((job.life.attempt, job.life.retry_count), (1, 2));
    assert_eq!(downloads(&asked), [3, 3, 2], "before each retry it is asked for anew");
    assert_eq!(bench.submissions().await, 1);
}

async fn a_video_that_stays_away_is_gone_in_the_end(database: TestDatabase) {
    let bench = Bench::start(database).await;
    let (gate, asked) = refusing(&bench, &[(404, ""); 100]).await;
    let workflow = bench.workflow_through(&gate.address, Arc::new(bench.storage.bucket()), &[]);
    let generation = bench.queued("a video that is gone").await;
    let job = bench.run(&workflow, &generation).await;
    let told = job.life.error.as_ref().unwrap();
    assert_eq!((job.life.status, told.code), (JobStatus::Failed, ErrorCode::ProviderError));
    assert_eq!(told.reason, Some(ErrorReason::VideoGone));
    assert_eq!((job.life.attempt, job.life.retry_count), (1, 3));
    assert_eq!(downloads(&asked), [3, 3, 3, 3]);
    assert_eq!(bench.submissions().await, 1);
    assert!(bench.is_billable(&job).await);
    assert_eq!(bench.leftovers(), Vec::<PathBuf>::new());
}

/// However often the provider was asked before it took the video: what is made is fetched as patiently as any, and
/// never made again.
async fn a_download_has_tries_of_its_own(database: TestDatabase) {
    const FOR_A_WHILE: &[(u16, &str)] = &[(404, ""); 7];
    const FOR_EVER: &[(u16, &str)] = &[(404, ""); 100];
    let bench = Bench::start(database).await;
    for (refusals, tries, status) in [
        (FOR_A_WHILE, &[3, 3, 2][..], JobStatus::Completed),
        (FOR_EVER, &[3, 3, 3, 3][..], JobStatus::Failed),
    ] {
        let before = bench.submissions().await;
        let (gate, asked) = refusing_after(&bench, 3, refusals).await;
        let workflow = bench.workflow_through(&gate.address, Arc::new(bench.storage.bucket()), &[]);
        let generation = bench.queued("a paper boat").await;
        let job = bench.run(&workflow, &generation).await;
        assert_eq!((job.life.status, job.life.attempt), (status, 4));
        assert_eq!(downloads(&asked), tries);
        assert_eq!(asked.lock().unwrap().matches('s').count(), 4, "three were refused");
        assert_eq!(bench.submissions().await - before, 1);
        assert!(bench.is_billable(&job).await);
        let told = snapshot(&job, None, true);
        assert_eq!((told.retry_count, told.max_retries), (3, 3), "nobody is told of more than there may be");
    }
}

//! The queue: claims, limits, leases that are lost, rescues, and how a worker ends.

use std::{future::pending, sync::Arc, time::Duration};

use contract::{
    ErrorCode, GenerationId, JobId, JobStatus, Stage,
    worker_api::{DesiredState, JobError},
};
use foundation::testing::TestDatabase;
use futures_util::future::BoxFuture;
use telemetry::{catalogue, testing::Capture};
use tokio::{
    sync::{Semaphore, mpsc},
    time::Instant,
};
use tokio_util::sync::CancellationToken;
use worker_service::{
    jobs::{
        service::Jobs,
        state::{Input, Retry},
    },
    queue::{Lease, Limits, Runner, Running},
    store::{AttemptState, Claimed, Error, Store},
};

use crate::{
    fixture::{command, in_time, job, nonce, on_both_databases, open, queued, reaches, terms},
    wire::Wire,
};

on_both_databases! {
    two_workers_run_each_job_once,
    a_user_has_no_more_running_jobs_than_allowed,
    a_cancelled_job_loses_its_runner,
    a_cancel_through_another_replica_is_noticed_by_the_heartbeat,
    a_silent_workers_job_is_rescued,
    a_job_that_breaks_its_runner_three_times_is_poison,
    what_went_down_with_a_poison_job_goes_on,
    a_retry_that_would_come_too_late_is_not_waited_for,
    a_job_ends_at_its_deadline,
    a_job_whose_time_is_over_is_not_begun,
    a_submission_outlives_the_deadline,
    submissions_without_an_answer_do_not_keep_a_worker_from_ending,
    a_job_handed_back_takes_no_late_write,
    a_runner_that_finds_its_lease_lost_says_so_once,
    a_worker_that_ends_hands_its_jobs_back,
    a_worker_that_starts_again_takes_back_its_own_at_once,
    a_lost_lease_writes_nothing,
}

const LIMITS: Limits = Limits {
    running: 4,
    per_user: 2,
    heartbeat: Duration::from_millis(50),
    lease: Duration::from_secs(600),
    deadline: Duration::from_secs(600),
    shutdown: Duration::from_secs(600),
};

/// A worker that runs until it is stopped.
struct Worker {
    stop: CancellationToken,
    tasks: Vec<tokio::task::JoinHandle<()>>,
    running: Running,
    end_by: Box<dyn Fn(Instant) + Send>,
}

impl Worker {
    async fn start<W, Work>(store: &Store, name: &str, limits: Limits, work: W) -> Self
    where
        W: Fn(Lease) -> Work + Send + Sync + 'static,
        Work: Future<Output = Result<(), Error>> + Send + 'static,
    {
        let id = store.register_worker(name).await.unwrap();
        let (stop, running) = (CancellationToken::new(), Running::default());
        let runner = Runner::new(store.clone(), id, running.clone(), limits, work);
        let tasks = vec![
            tokio::spawn(Arc::clone(&runner).run(stop.clone())),
            tokio::spawn(Arc::clone(&runner).keep_alive(stop.clone())),
        ];
        Self { stop, tasks, running, end_by: Box::new(move |last| runner.end_by(last)) }
    }

    async fn end(self) {
        self.stop.cancel();
        for task in self.tasks {
            in_time(task).await.unwrap();
        }
    }
}

fn error() -> JobError {
    JobError::new(ErrorCode::ProviderError, "It came to nothing.", false)
}

/// Sends when it is dropped.
struct Told(mpsc::UnboundedSender<()>);

impl Drop for Told {
    fn drop(&mut self) {
        let _ = self.0.send(());
    }
}

/// Work that says that it has begun, holds its lease for ever, and says when it is dropped.
fn holding(
    began: mpsc::UnboundedSender<()>,
    dropped: mpsc::UnboundedSender<()>,
) -> impl Fn(Lease) -> BoxFuture<'static, Result<(), Error>> {
    move |lease: Lease| {
        let (began, told) = (began.clone(), Told(dropped.clone()));
        Box::pin(async move {
            began.send(()).unwrap();
            let _held = (lease, told);
            pending().await
        })
    }
}

async fn two_workers_run_each_job_once(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let mut jobs = Vec::new();
    for _ in 0..12 {
        jobs.push(queued(&store).await.generation_id);
    }
    let (ran, mut runs) = mpsc::unbounded_channel();
    let work = move |lease: Lease| {
        let ran = ran.clone();
        async move {
            ran.send(lease.job().generation_id.clone()).unwrap();
            lease.fail(None, error()).await
        }
    };
    let one = Worker::start(&store, "one", LIMITS, work.clone()).await;
    let other = Worker::start(&store, "other", LIMITS, work).await;
    for generation in &jobs {
        reaches(&store, generation, JobStatus::Failed).await;
    }
    one.end().await;
    other.end().await;
    let mut seen: Vec<GenerationId> = Vec::new();
    while let Ok(generation) = runs.try_recv() {
        seen.push(generation);
    }
    seen.sort();
    jobs.sort();
    assert_eq!(seen, jobs);
}

async fn a_user_has_no_more_running_jobs_than_allowed(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let first = command(DesiredState::Confirmed);
    for _ in 0..3 {
        let next = contract::worker_api::Command { generation_id: GenerationId::new(), ..first.clone() };
        store.take_command(&next, &nonce()).await.unwrap();
    }
    let (began, mut begun) = mpsc::unbounded_channel();
    let gate = Arc::new(Semaphore::new(0));
    let open_gate = Arc::clone(&gate);
    let work = move |lease: Lease| {
        let (began, gate) = (began.clone(), Arc::clone(&gate));
        async move {
            began.send(()).unwrap();
            gate.acquire().await.unwrap().forget();
            lease.fail(None, error()).await
        }
    };
    let worker = Worker::start(&store, "one", LIMITS, work).await;
    in_time(begun.recv()).await.unwrap();
    in_time(begun.recv()).await.unwrap();
    // Another one, with room for it, gets nothing of this user either.
    let another = store.register_worker("another").await.unwrap();
    assert!(store.claim(&another, 4, LIMITS.per_user).await.unwrap().is_empty());
    assert_eq!(worker.running.count(), 2);
    open_gate.add_permits(3);
    in_time(begun.recv()).await.unwrap();
    worker.end().await;
}

async fn a_cancelled_job_loses_its_runner(database: TestDatabase) {
    let limits = Limits { heartbeat: Duration::from_secs(600), ..LIMITS };
    lose_by_cancel(database, limits, true).await;
}

async fn a_cancel_through_another_replica_is_noticed_by_the_heartbeat(database: TestDatabase) {
    lose_by_cancel(database, LIMITS, false).await;
}

async fn lose_by_cancel(database: TestDatabase, limits: Limits, here: bool) {
    let logged = Capture::install().unwrap();
    let store = open(&database, terms()).await;
    let wanted = command(DesiredState::Confirmed);
    store.take_command(&wanted, &nonce()).await.unwrap();
    let (began, mut begun) = mpsc::unbounded_channel();
    let (dropped, mut drops) = mpsc::unbounded_channel();
    let work = holding(began, dropped);
    let worker = Worker::start(&store, "one", limits, work).await;
    in_time(begun.recv()).await.unwrap();
    let running = if here { worker.running.clone() } else { Running::default() };
    let cancel = contract::worker_api::Command { revision: 2, state: DesiredState::Cancelled, ..wanted };
    let answer = Jobs::new(store.clone(), running).take(&cancel, &nonce()).await.unwrap().answer;
    assert_eq!(answer.status, JobStatus::Cancelled);
    in_time(drops.recv()).await.unwrap();
    worker.end().await;
    // It is what the user wanted, and nothing that an operator should look at.
    assert_eq!(told_of(&logged, catalogue::QUEUE_MANAGER_HEARTBEAT_LOST, &answer.job_id), 0);
}

fn told_of(logged: &Capture, event: &str, id: &JobId) -> usize {
    logged.named(event).iter().filter(|record| record.text("jobId") == Some(id.as_str())).count()
}

/// Nothing says that the database is gone: it only answers no more.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_worker_whose_database_has_vanished_gives_its_jobs_up() {
    let database = TestDatabase::postgres().await;
    let wire = Wire::to(&database).await;
    let store = Store::open(&wire.settings(&database), terms()).await.unwrap();
    queued(&store).await;
    let (began, mut begun) = mpsc::unbounded_channel();
    let (dropped, mut drops) = mpsc::unbounded_channel();
    let work = holding(began, dropped);
    let limits = Limits { lease: Duration::from_secs(1), ..LIMITS };
    let worker = Worker::start(&store, "one", limits, work).await;
    in_time(begun.recv()).await.unwrap();
    wire.open.send(false).unwrap();
    in_time(drops.recv()).await.unwrap();
    worker.stop.cancel();
    worker.tasks.iter().for_each(tokio::task::JoinHandle::abort);
}

async fn a_silent_workers_job_is_rescued(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let generation = queued(&store).await.generation_id;
    let silent = store.register_worker("silent").await.unwrap();
    let claimed = store.claim(&silent, 1, 2).await.unwrap();
    assert_eq!(claimed.len(), 1);
    // The lease runs out, as it does when nobody renews it.
    store.abandon(&claimed[0].job.id, claimed[0].job.life.lease_epoch).await.unwrap();
    let (ran, mut runs) = mpsc::unbounded_channel();
    let work = move |lease: Lease| {
        let ran = ran.clone();
        async move {
            ran.send((lease.job().life.lease_epoch, lease.job().life.lost_leases)).unwrap();
            lease.fail(None, error()).await
        }
    };
    let worker = Worker::start(&store, "other", LIMITS, work).await;
    assert_eq!(in_time(runs.recv()).await, Some((claimed[0].job.life.lease_epoch + 1, 1)));
    reaches(&store, &generation, JobStatus::Failed).await;
    worker.end().await;
}

async fn a_job_that_breaks_its_runner_three_times_is_poison(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let (poison, good) = (queued(&store).await.generation_id, queued(&store).await.generation_id);
    let (ran, mut runs) = mpsc::unbounded_channel();
    let bad = poison.clone();
    let work = move |lease: Lease| {
        let (ran, breaks) = (ran.clone(), lease.job().generation_id == bad);
        async move {
            ran.send(breaks).unwrap();
            assert!(!breaks, "as the test wants it");
            lease.fail(None, error()).await
        }
    };
    let worker = Worker::start(&store, "one", LIMITS, work).await;
    let failed = reaches(&store, &poison, JobStatus::Failed).await;
    assert_eq!(failed.life.error.unwrap().code, ErrorCode::Poison);
    let other = reaches(&store, &good, JobStatus::Failed).await;
    assert_eq!(other.life.error.unwrap().code, ErrorCode::ProviderError);
    worker.end().await;
    let mut broke = 0;
    while let Ok(breaks) = runs.try_recv() {
        broke += u32::from(breaks);
    }
    assert_eq!(broke, 3);
}

/// I14: of two that go down with their worker again and again, the one to blame is found, and the other goes on.
async fn what_went_down_with_a_poison_job_goes_on(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let (bad, good) = (queued(&store).await.generation_id, queued(&store).await.generation_id);
    let mut together = 0;
    for _ in 0..8 {
        // A process that has died is started again under its name; what it ran is free.
        let worker = store.register_worker("one").await.unwrap();
        let claimed = store.claim(&worker, 4, 2).await.unwrap();
        together += usize::from(claimed.len() > 1);
        if let [Claimed { job, .. }] = claimed.as_slice()
            && job.generation_id == good
        {
            let input = Input::AttemptFailed { ended: None, error: error(), retry: Retry::Never };
            store.decide_and_commit(&job.id, job.life.lease_epoch, input).await.unwrap();
        }
    }
    assert_eq!(together, 2, "from the second time on each runs alone");
    let failed = reaches(&store, &bad, JobStatus::Failed).await;
    assert_eq!(failed.life.error.unwrap().code, ErrorCode::Poison);
    let other = reaches(&store, &good, JobStatus::Failed).await;
    assert_eq!(other.life.error.unwrap().code, ErrorCode::ProviderError);
}

/// I1: no pause leads beyond the deadline.
async fn a_retry_that_would_come_too_late_is_not_waited_for(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let generation = queued(&store).await.generation_id;
    let worker = Worker::start(&store, "one", LIMITS, |lease: Lease| async move {
        let retry = Retry::NotBefore(Duration::from_mins(31));
        lease.attempt_failed(None, error(), retry).await.map(drop)
    })
    .await;
    let failed = reaches(&store, &generation, JobStatus::Failed).await;
    assert_eq!((failed.life.error.unwrap().code, failed.life.retry_count), (ErrorCode::ProviderError, 0));
    worker.end().await;
}

async fn a_job_ends_at_its_deadline(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let generation = queued(&store).await.generation_id;
    let limits = Limits { deadline: Duration::from_millis(1), ..LIMITS };
    let worker = Worker::start(&store, "one", limits, |lease: Lease| async move {
        let _held = lease;
        pending().await
    })
    .await;
    let failed = reaches(&store, &generation, JobStatus::Failed).await;
    assert_eq!(failed.life.error.unwrap().code, ErrorCode::Timeout);
    worker.end().await;
}

async fn a_job_whose_time_is_over_is_not_begun(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let generation = queued(&store).await.generation_id;
    let limits = Limits { deadline: Duration::ZERO, ..LIMITS };
    let (began, mut begun) = mpsc::unbounded_channel();
    let worker = Worker::start(&store, "one", limits, move |lease: Lease| {
        began.send(()).unwrap();
        async move { lease.fail(None, error()).await }
    })
    .await;
    let failed = reaches(&store, &generation, JobStatus::Failed).await;
    assert_eq!(failed.life.error.unwrap().code, ErrorCode::Timeout);
    worker.end().await;
    assert!(begun.try_recv().is_err());
}

async fn a_submission_outlives_the_deadline(database: TestDatabase) {
    let store = open(&database, terms()).await;
    // On a slow machine a short deadline may pass before the work has begun, which shows nothing.
    for deadline in [20, 200, 2_000, 20_000].map(Duration::from_millis) {
        let generation = queued(&store).await.generation_id;
        let (began, mut begun) = mpsc::unbounded_channel();
        let work = move |mut lease: Lease| {
            let began = began.clone();
            async move {
                let _uncut = lease.uncut().await;
                began.send(()).unwrap();
                lease.begin_attempt(false).await?;
                // As a slow provider would: the deadline is over before it answers.
                tokio::time::sleep(deadline).await;
                lease.operation_accepted("operations/1").await?;
                pending().await
            }
        };
        let worker = Worker::start(&store, "one", Limits { deadline, ..LIMITS }, work).await;
        let ended = crate::fixture::eventually(|| async {
            let job = job(&store, &generation).await;
            (job.life.stage == Some(Stage::Generating) || job.life.status.is_terminal()).then_some(job)
        })
        .await;
        worker.stop.cancel();
        worker.tasks.iter().for_each(tokio::task::JoinHandle::abort);
        if begun.try_recv().is_ok() {
            assert_eq!(ended.life.stage, Some(Stage::Generating), "{:?}", ended.life);
            return;
        }
        assert_eq!(ended.life.status, JobStatus::Failed);
    }
    panic!("the work was never begun in time");
}

async fn submissions_without_an_answer_do_not_keep_a_worker_from_ending(database: TestDatabase) {
    const JOBS: usize = 50;
    let store = open(&database, terms()).await;
    let mut jobs = Vec::new();
    for _ in 0..JOBS {
        jobs.push(queued(&store).await.generation_id);
    }
    let (began, mut begun) = mpsc::unbounded_channel();
    let work = move |mut lease: Lease| {
        let began = began.clone();
        async move {
            let _uncut = lease.uncut().await;
            lease.begin_attempt(false).await?;
            began.send(()).unwrap();
            pending().await
        }
    };
    let limits = Limits { running: JOBS, shutdown: Duration::from_millis(1), ..LIMITS };
    let worker = Worker::start(&store, "one", limits, work).await;
    for _ in 0..JOBS {
        in_time(begun.recv()).await.unwrap();
    }
    (worker.end_by)(Instant::now() + Duration::from_millis(100));
    worker.end().await;
    for generation in &jobs {
        let left = job(&store, generation).await;
        assert_eq!((left.life.status, left.life.lease_owner), (JobStatus::Active, None));
    }
    // What became of the submissions is for whoever claims the jobs next to find unknown.
    let next = store.register_worker("next").await.unwrap();
    let claimed = store.claim(&next, 1, 2).await.unwrap();
    assert_eq!(claimed[0].attempts[0].state, AttemptState::Submitting);
}

async fn a_job_handed_back_takes_no_late_write(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let generation = queued(&store).await.generation_id;
    let worker = store.register_worker("one").await.unwrap();
    let claimed = store.claim(&worker, 1, 2).await.unwrap().remove(0);
    let (id, epoch) = (claimed.job.id.clone(), claimed.job.life.lease_epoch);
    let tokens = [(); 2].map(|()| CancellationToken::new());
    let [lost, stopping] = tokens;
    let mut cut_off = Lease::new(claimed.job, claimed.attempts, store.clone(), lost, stopping);
    store.decide_and_commit(&id, epoch, Input::Released).await.unwrap().unwrap();
    let released = job(&store, &generation).await;
    let late = cut_off.progress(Stage::Generating, 50, None).await;
    assert!(matches!(late, Err(Error::LostLease(_))), "{late:?}");
    assert_eq!(job(&store, &generation).await.life, released.life);
}

async fn a_runner_that_finds_its_lease_lost_says_so_once(database: TestDatabase) {
    let logged = Capture::install().unwrap();
    let store = open(&database, terms()).await;
    let id = queued(&store).await.id;
    let (got, mut leases) = mpsc::unbounded_channel();
    let work = move |lease: Lease| {
        let (give_back, again) = tokio::sync::oneshot::channel();
        got.send((lease, give_back)).unwrap();
        async move {
            let mut lease: Lease = again.await.unwrap();
            lease.progress(Stage::Generating, 50, None).await
        }
    };
    let limits = Limits { running: 1, heartbeat: Duration::from_secs(600), ..LIMITS };
    let worker = Worker::start(&store, "one", limits, work).await;
    let (lease, give_back) = in_time(leases.recv()).await.unwrap();
    store.abandon(&id, lease.job().life.lease_epoch).await.unwrap();
    let other = store.register_worker("other").await.unwrap();
    assert_eq!(store.claim(&other, 1, 2).await.unwrap().len(), 1);
    drop(give_back.send(lease));
    crate::fixture::eventually(|| async { (worker.running.count() == 0).then_some(()) }).await;
    worker.stop.cancel();
    for task in worker.tasks {
        task.abort();
    }
    assert_eq!(told_of(&logged, catalogue::QUEUE_MANAGER_HEARTBEAT_LOST, &id), 1);
}

async fn a_worker_that_ends_hands_its_jobs_back(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let (obedient, deaf) = (queued(&store).await.generation_id, queued(&store).await.generation_id);
    let (began, mut begun) = mpsc::unbounded_channel();
    let listens = obedient.clone();
    let work = move |lease: Lease| {
        let (began, listens) = (began.clone(), lease.job().generation_id == listens);
        async move {
            began.send(()).unwrap();
            if listens {
                lease.stopping().clone().cancelled().await;
                return lease.release().await;
            }
            let _held = lease;
            pending().await
        }
    };
    let limits = Limits { shutdown: Duration::from_millis(100), ..LIMITS };
    let worker = Worker::start(&store, "one", limits, work).await;
    in_time(begun.recv()).await.unwrap();
    in_time(begun.recv()).await.unwrap();
    worker.end().await;
    for generation in [&obedient, &deaf] {
        let left = job(&store, generation).await;
        assert_eq!((left.life.status, left.life.lease_owner), (JobStatus::Active, None));
    }
    // The leases would have held for ten minutes; handed back, the jobs are free, and nothing was lost.
    let next = store.register_worker("next").await.unwrap();
    let claimed = store.claim(&next, 4, 2).await.unwrap();
    assert_eq!(claimed.len(), 2);
    assert!(claimed.iter().all(|claimed| claimed.job.life.lost_leases == 0 && !claimed.rescued));
}

async fn a_worker_that_starts_again_takes_back_its_own_at_once(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let generation = queued(&store).await.generation_id;
    let first = store.register_worker("one").await.unwrap();
    assert_eq!(store.claim(&first, 1, 2).await.unwrap().len(), 1);
    let other = store.register_worker("other").await.unwrap();
    assert!(store.claim(&other, 1, 2).await.unwrap().is_empty());
    let again = store.register_worker("one").await.unwrap();
    let claimed = store.claim(&again, 1, 2).await.unwrap();
    assert_eq!(claimed[0].job.generation_id, generation);
    assert!(claimed[0].rescued);
}

async fn a_lost_lease_writes_nothing(database: TestDatabase) {
    let store = open(&database, terms()).await;
    let generation = queued(&store).await.generation_id;
    let (got, mut leases) = mpsc::unbounded_channel();
    let work = move |lease: Lease| {
        let got = got.clone();
        async move {
            got.send(lease).unwrap();
            pending().await
        }
    };
    let limits = Limits { running: 1, heartbeat: Duration::from_secs(600), ..LIMITS };
    let worker = Worker::start(&store, "one", limits, work).await;
    let lost = in_time(leases.recv()).await.unwrap();
    store.abandon(&lost.job().id, lost.job().life.lease_epoch).await.unwrap();
    let other = store.register_worker("other").await.unwrap();
    let claimed = store.claim(&other, 1, 2).await.unwrap();
    assert_eq!(claimed.len(), 1);
    let before = job(&store, &generation).await;
    assert!(matches!(lost.fail(None, error()).await, Err(Error::LostLease(_))));
    assert_eq!(job(&store, &generation).await.life, before.life);
    worker.stop.cancel();
    for task in worker.tasks {
        task.abort();
    }
}

//! The sweeper: what nobody needs goes, what somebody needs stays (I19).

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use contract::{
    ImageType, JobStatus, Stage, Timestamp, UploadId,
    worker_api::{Command, DesiredState, JobResult, Poster},
};
use foundation::{
    s3::{ObjectKey, S3Settings},
    testing::TestDatabase,
};
use hyper::Method;
use tokio_util::sync::CancellationToken;
use worker_service::{
    bucket::{Bucket, Description, Patience, S3Bucket},
    queue::Lease,
    settings::SweeperSettings,
    store::{ObjectState, Store, WebhookQuery},
    sweeper::{Sweeper, Swept},
    uploads::service::Uploads,
};

use crate::{
    fixture::{command, job, nonce, on_both_databases, open, terms},
    gate::{Fate, Gate},
    storage::Storage,
};

on_both_databases! {
    what_nobody_needs_goes_and_what_somebody_needs_stays,
    what_cannot_be_removed_holds_nothing_up,
    an_object_is_spared_until_it_has_been_garbage_for_a_while,
    however_many_rows_are_old_all_go,
    pictures_go_when_they_have_had_their_time,
}

/// A picture is not forgotten, whatever became of it: kept, half-stored, or past its time.
async fn pictures_go_when_they_have_had_their_time(database: TestDatabase) {
    let (storage, store) = (Storage::start().await, open(&database, terms()).await);
    let bucket: Arc<dyn Bucket> = Arc::new(storage.bucket());
    let hour = Duration::from_secs(3_600);
    let keep = async |kept: Duration| {
        let id = UploadId::new();
        let picture = Bytes::from_static(b"\xff\xd8\xff a picture");
        let uploads = Uploads::new(store.clone(), Arc::clone(&bucket), kept);
        let answer = uploads.keep(&id, ImageType::Jpeg, picture, &nonce()).await.unwrap();
        (id, answer.key.parse::<ObjectKey>().unwrap())
    };
    let (young, young_key) = keep(hour).await;
    let (old, _) = keep(Duration::ZERO).await;
    let half = UploadId::new();
    let half_key = ObjectKey::upload(&half, "png");
    store.begin_upload(&half, (half_key.as_str(), "0", 1), hour, &nonce()).await.unwrap();
    bucket.put_bytes(&half_key, Bytes::from_static(b"x"), &described("image/png")).await.unwrap();

    let spared = sweeper(&store, storage.bucket(), hour).sweep().await.unwrap();
    assert_eq!(spared, Swept::default(), "nobody may be at it any more");
    let swept = sweeper(&store, storage.bucket(), Duration::ZERO).sweep().await.unwrap();
    assert_eq!(swept, Swept { objects: 2, uploads: 0, left: 0 });
    assert_eq!(left(&storage.bucket()).await, [young_key]);
    assert!(store.upload(&young).await.unwrap().is_some());
    assert!(store.upload(&old).await.unwrap().is_none());
    assert!(!store.upload_stored(&half).await.unwrap(), "whoever comes back to it is told so");
    store.close();
}

fn sweeper(store: &Store, bucket: S3Bucket, grace: Duration) -> Sweeper {
    let settings =
        SweeperSettings { every: Duration::from_secs(600), grace, uploads_kept: Duration::from_secs(3_600) };
    Sweeper::new(store.clone(), Arc::new(bucket), &settings, Duration::ZERO)
}

fn described(content_type: &'static str) -> Description {
    Description { content_type, sha256: "0".repeat(64) }
}

/// A claimed job, and the command that asked for it.
async fn claimed(store: &Store) -> (Lease, Command) {
    let wanted = command(DesiredState::Confirmed);
    store.take_command(&wanted, &nonce()).await.unwrap();
    let worker = store.register_worker(&nonce()).await.unwrap();
    let claimed = store.claim(&worker, 1, 2).await.unwrap().remove(0);
    assert_eq!(claimed.job.generation_id, wanted.generation_id);
    let [lost, stopping] = [(); 2].map(|()| CancellationToken::new());
    (Lease::new(claimed.job, claimed.attempts, store.clone(), lost, stopping), wanted)
}

/// Stores an object under a lease, as the workflow does.
async fn stored(lease: &Lease, bucket: &S3Bucket, key: &ObjectKey) {
    lease.objects_begun([key]).await.unwrap();
    bucket.put_bytes(key, Bytes::from_static(b"content"), &described("video/mp4")).await.unwrap();
}

fn result(video: &ObjectKey, thumbnail: &ObjectKey, poster: &ObjectKey) -> JobResult {
    JobResult {
        video_url: format!("http://storage/{}", video.as_str()),
        thumbnail_url: format!("http://storage/{}", thumbnail.as_str()),
        video_key: video.as_str().to_owned(),
        thumbnail_key: thumbnail.as_str().to_owned(),
        duration: 4.0,
        file_size: 7,
        resolution: "1280x720".to_owned(),
        format: "mp4".to_owned(),
        sha256: "0".repeat(64),
        processing_time: 0.0,
        posters: vec![Poster {
            width: 320,
            height: 180,
            url: format!("http://storage/{}", poster.as_str()),
            key: poster.as_str().to_owned(),
        }],
    }
}

/// Makes a job's video, after an attempt that left an object behind: gives the keys of all four.
async fn completed(store: &Store, bucket: &S3Bucket) -> (Command, [ObjectKey; 4]) {
    let (mut lease, wanted) = claimed(store).await;
    lease.begin_attempt(false).await.unwrap();
    let epoch = lease.job().life.lease_epoch;
    let abandoned = ObjectKey::video(&wanted.generation_id, 0, epoch);
    let video = ObjectKey::video(&wanted.generation_id, 1, epoch);
    let thumbnail = ObjectKey::thumbnail(&wanted.generation_id, 1, epoch);
    let poster = ObjectKey::poster(&wanted.generation_id, 1, epoch, 320);
    for key in [&abandoned, &video, &thumbnail, &poster] {
        stored(&lease, bucket, key).await;
    }
    lease.complete(result(&video, &thumbnail, &poster)).await.unwrap();
    assert_eq!(job(store, &wanted.generation_id).await.life.status, JobStatus::Completed);
    (wanted, [abandoned, video, thumbnail, poster])
}

async fn discard(store: &Store, wanted: Command) {
    let cancel = Command { revision: 2, state: DesiredState::Cancelled, ..wanted };
    assert!(store.take_command(&cancel, &nonce()).await.unwrap().job.life.discarded);
}

async fn left(bucket: &S3Bucket) -> Vec<ObjectKey> {
    let mut keys: Vec<_> =
        bucket.list("", None).await.unwrap().objects.into_iter().map(|object| object.key).collect();
    keys.sort();
    keys
}

async fn what_nobody_needs_goes_and_what_somebody_needs_stays(database: TestDatabase) {
    let (storage, store) = (Storage::start().await, open(&database, terms()).await);
    let bucket = storage.bucket();
    let (_, [_, video, thumbnail, poster]) = completed(&store, &bucket).await;
    let (unwanted, _) = completed(&store, &bucket).await;
    discard(&store, unwanted).await;

    // One upload breaks off in its midst and is given up with its lease, another is under way.
    let large = tempfile::NamedTempFile::new().unwrap();
    large.as_file().set_len(20 * 1024 * 1024).unwrap();
    let mut open_uploads = Vec::new();
    let mut leases = Vec::new();
    for _ in 0..2 {
        let gate = Gate::before(&storage.settings.endpoint.clone().unwrap(), |head, _| {
            let is_part = head.uri.query().is_some_and(|query| query.contains("partNumber="));
            if is_part { Fate::Hang } else { Fate::Pass }
        })
        .await;
        let slow = S3Settings { endpoint: Some(gate.address.clone()), ..storage.settings.clone() };
        let slow = S3Bucket::new(&slow, Patience::default()).unwrap();
        let (lease, wanted) = claimed(&store).await;
        let key = ObjectKey::video(&wanted.generation_id, 1, lease.job().life.lease_epoch);
        lease.objects_begun([&key]).await.unwrap();
        let described = described("video/mp4");
        tokio::select! {
            stored = slow.put_file(&key, large.path(), &described) => panic!("it ends: {stored:?}"),
            () = gate.hangs() => {}
        }
        open_uploads.push(key);
        leases.push((lease, wanted));
    }
    let (_, broken) = leases.remove(0);
    let broken = job(&store, &broken.generation_id).await;
    store.abandon(&broken.id, broken.life.lease_epoch).await.unwrap();
    let next = store.register_worker("next").await.unwrap();
    let again = store.claim(&next, 1, 2).await.unwrap();
    assert_eq!(again[0].job.id, broken.id);
    assert_eq!(bucket.open_uploads("").await.unwrap().len(), 2);

    let sweeper = sweeper(&store, storage.bucket(), Duration::ZERO);
    let swept = sweeper.sweep().await.unwrap();
    // Of the completed job one object, of the discarded one four, and the row of the upload that broke off.
    assert_eq!(swept, Swept { objects: 6, uploads: 1, left: 0 });
    let mut needed = vec![video, thumbnail, poster];
    needed.sort();
    assert_eq!(left(&bucket).await, needed);
    let open_now = bucket.open_uploads("").await.unwrap();
    assert_eq!(open_now.iter().map(|upload| &upload.key).collect::<Vec<_>>(), [&open_uploads[1]]);
    // Nothing is left to do, and what is needed still is.
    assert_eq!(sweeper.sweep().await.unwrap(), Swept::default());
    assert_eq!(left(&bucket).await, needed);

    let (lease, wanted) = leases.remove(0);
    lease.fail(None, an_error()).await.unwrap();
    assert_eq!(sweeper.sweep().await.unwrap(), Swept { objects: 1, uploads: 1, left: 0 });
    assert_eq!(bucket.open_uploads("").await.unwrap(), []);
    let failed = job(&store, &wanted.generation_id).await;
    assert_eq!(store.objects(&failed.id).await.unwrap(), []);
}

fn an_error() -> contract::worker_api::JobError {
    contract::worker_api::JobError::new(contract::ErrorCode::ProviderError, "It came to nothing.", false)
}

async fn what_cannot_be_removed_holds_nothing_up(database: TestDatabase) {
    let (storage, store) = (Storage::start().await, open(&database, terms()).await);
    let bucket = storage.bucket();
    let mut keys = Vec::new();
    for _ in 0..3 {
        let (wanted, of_job) = completed(&store, &bucket).await;
        discard(&store, wanted).await;
        keys.extend(of_job);
    }
    keys.sort();
    // The first of all, in the order in which they are removed.
    let stuck = format!("/{}", keys[0].as_str());
    let refused = stuck.clone();
    let gate = Gate::before(&storage.settings.endpoint.clone().unwrap(), move |head, _| {
        let strikes = head.method == Method::DELETE && head.uri.path().ends_with(&refused);
        if strikes { Fate::Refuse(403) } else { Fate::Pass }
    })
    .await;
    let through = S3Settings { endpoint: Some(gate.address.clone()), ..storage.settings.clone() };
    let through = S3Bucket::new(&through, Patience::default()).unwrap();
    let swept = sweeper(&store, through, Duration::ZERO).sweep().await.unwrap();
    assert_eq!(swept, Swept { objects: keys.len() - 1, uploads: 0, left: 1 });
    assert_eq!(left(&bucket).await, keys[..1]);
    let swept = sweeper(&store, storage.bucket(), Duration::ZERO).sweep().await.unwrap();
    assert_eq!(swept, Swept { objects: 1, uploads: 0, left: 0 });
    assert_eq!(left(&bucket).await, []);
}

async fn an_object_is_spared_until_it_has_been_garbage_for_a_while(database: TestDatabase) {
    let (storage, store) = (Storage::start().await, open(&database, terms()).await);
    let bucket = storage.bucket();
    let (lease, wanted) = claimed(&store).await;
    let key = ObjectKey::video(&wanted.generation_id, 1, lease.job().life.lease_epoch);
    stored(&lease, &bucket, &key).await;
    let begun = store.objects(&lease.job().id).await.unwrap().remove(0);
    // Long after its upload began it becomes garbage: that is when the grace begins.
    let grace = Duration::from_secs(2);
    tokio::time::sleep(grace).await;
    let id = lease.job().id.clone();
    lease.fail(None, an_error()).await.unwrap();
    let garbage = store.objects(&id).await.unwrap().remove(0);
    assert_eq!((garbage.state, garbage.created_at), (ObjectState::Garbage, begun.created_at));
    assert!(garbage.changed_at > garbage.created_at + grace / 2, "{garbage:?}");
    assert_eq!(
        sweeper(&store, storage.bucket(), Duration::from_secs(600)).sweep().await.unwrap(),
        Swept::default()
    );
    // Older than this by its beginning, but not by its end, unless the machine slept meanwhile.
    let age = garbage.changed_at.since(garbage.created_at);
    let due = store.garbage(age, "", 10).await.unwrap();
    assert!(due.is_empty() || Timestamp::now().since(garbage.changed_at) >= age, "{due:?}");
    assert_eq!(store.garbage(Duration::ZERO, "", 10).await.unwrap().len(), 1);
    assert_eq!(store.garbage(Duration::ZERO, key.as_str(), 10).await.unwrap(), []);
}

async fn however_many_rows_are_old_all_go(database: TestDatabase) {
    const EVENTS: i32 = 1_100;
    let storage = Storage::start().await;
    let store = open(&database, terms()).await;
    let (mut lease, _) = claimed(&store).await;
    for number in 0..EVENTS {
        lease.progress(Stage::Generating, 1, Some(i64::from(number))).await.unwrap();
    }
    let count = || async {
        let query = WebhookQuery { limit: 10_000, ..WebhookQuery::default() };
        store.webhooks(&query).await.unwrap().len()
    };
    assert!(count().await > EVENTS as usize);
    sweeper(&store, storage.bucket(), Duration::ZERO).forget().await.unwrap();
    // The newest is still to be delivered.
    assert_eq!(count().await, 1);
}

//! The bucket and the links to its objects, against the embedded S3 server.

use std::{
    fmt::Write as _,
    fs::File,
    io::{Read, Seek, SeekFrom, Write},
    sync::atomic::{AtomicBool, Ordering},
    time::{Duration, Instant},
};

use bytes::Bytes;
use foundation::{
    s3::{Links, ObjectKey, S3Settings},
    settings::{Environment, Hidden, Live},
};
use hyper::{Method, http::request::Parts};
use sha2::{Digest, Sha256};
use worker_service::bucket::{Bucket, BucketError, Description, OpenUpload, Patience, S3Bucket};

use crate::{
    gate::{Fate, Gate},
    storage::Storage,
};

const MIB: u64 = 1024 * 1024;
const LIFETIME: Duration = Duration::from_mins(1);

fn key(text: &str) -> ObjectKey {
    text.parse().unwrap()
}

fn hex(digest: impl AsRef<[u8]>) -> String {
    digest.as_ref().iter().fold(String::new(), |mut text, byte| {
        write!(text, "{byte:02x}").unwrap();
        text
    })
}

fn video(sha256: &str) -> Description {
    Description { content_type: "video/mp4", sha256: sha256.to_owned() }
}

/// A file of the given size that is nearly all hole, marked around every border between parts.
fn sparse_file(size: u64) -> tempfile::NamedTempFile {
    let mut file = tempfile::NamedTempFile::new().unwrap();
    file.as_file().set_len(size).unwrap();
    for border in (0..size).step_by(8 * 1024 * 1024) {
        file.seek(SeekFrom::Start(border.saturating_sub(4))).unwrap();
        file.write_all(&border.to_be_bytes()).unwrap();
    }
    file.as_file().set_len(size).unwrap();
    file
}

fn sha256_of(file: &tempfile::NamedTempFile) -> String {
    let mut digest = Sha256::new();
    let mut file = File::open(file.path()).unwrap();
    let mut buffer = vec![0; 128 * 1024];
    while let read @ 1.. = file.read(&mut buffer).unwrap() {
        digest.update(&buffer[..read]);
    }
    hex(digest.finalize())
}

fn bucket_through(gate: &Gate, storage: &Storage, patience: Patience) -> S3Bucket {
    let settings = S3Settings { endpoint: Some(gate.address.clone()), ..storage.settings.clone() };
    S3Bucket::new(&settings, patience).unwrap()
}

fn is_part(head: &Parts, number: u32) -> bool {
    head.uri.query().is_some_and(|query| query.contains(&format!("partNumber={number}&")))
}

#[tokio::test]
async fn an_object_is_read_within_its_readers_bounds() {
    let storage = Storage::start().await;
    let bucket = storage.bucket();
    let key = key("uploads/upl_1.png");
    assert_eq!(bucket.get(&key, 10).await.unwrap(), None);
    let content = Bytes::from_static(b"0123456789");
    bucket.put_bytes(&key, content.clone(), &video("0")).await.unwrap();
    assert_eq!(bucket.get(&key, 10).await.unwrap(), Some(content));
    assert!(matches!(bucket.get(&key, 9).await, Err(BucketError::TooLarge)));
}

#[tokio::test]
async fn an_object_is_stored_described_and_removed() {
    let storage = Storage::start().await;
    let bucket = storage.bucket();
    let file = sparse_file(100_000);
    let key = key("generations/gen_1/1/video.mp4");
    assert_eq!(bucket.head(&key).await.unwrap(), None);

    bucket.put_file(&key, file.path(), &video("abc")).await.unwrap();
    let head = bucket.head(&key).await.unwrap().unwrap();
    assert_eq!((head.size, head.sha256.as_deref()), (100_000, Some("abc")));
    assert_eq!(head.content_type.as_deref(), Some("video/mp4"));
    assert!(head.etag.is_some());

    let answer = reqwest::get(storage.links().link(&key, LIFETIME)).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-type"], "video/mp4");
    assert_eq!(answer.headers()["cache-control"], "public, max-age=31536000, immutable");
    assert_eq!(hex(Sha256::digest(answer.bytes().await.unwrap())), sha256_of(&file));

    bucket.delete(&key).await.unwrap();
    assert_eq!(bucket.head(&key).await.unwrap(), None);
    bucket.delete(&key).await.unwrap();
    assert_eq!(storage.files(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn bytes_are_stored_even_none() {
    let storage = Storage::start().await;
    let bucket = storage.bucket();
    for (name, bytes) in [("a.jpg", Bytes::from_static(b"picture")), ("empty.jpg", Bytes::new())] {
        let object = Description { content_type: "image/jpeg", sha256: hex(Sha256::digest(&bytes)) };
        bucket.put_bytes(&key(name), bytes.clone(), &object).await.unwrap();
        let answer = reqwest::get(storage.links().link(&key(name), LIFETIME)).await.unwrap();
        assert_eq!(answer.headers()["content-type"], "image/jpeg");
        assert_eq!(answer.bytes().await.unwrap(), bytes);
    }
}

#[tokio::test]
async fn a_large_file_goes_up_in_parts_with_little_memory() {
    let storage = Storage::start().await;
    let bucket = storage.bucket();
    let (file, key) = (sparse_file(200 * MIB + 12_345), key("large.mp4"));
    let sha256 = sha256_of(&file);
    let before = memory("VmRSS");

    bucket.put_file(&key, file.path(), &video(&sha256)).await.unwrap();

    let head = bucket.head(&key).await.unwrap().unwrap();
    assert_eq!((head.size, head.sha256.as_deref()), (200 * MIB + 12_345, Some(&*sha256)));
    assert_eq!(bucket.open_uploads("").await.unwrap(), []);
    let mut answer = reqwest::get(storage.links().link(&key, LIFETIME)).await.unwrap();
    assert_eq!(answer.headers()["content-type"], "video/mp4");
    let mut digest = Sha256::new();
    while let Some(chunk) = answer.chunk().await.unwrap() {
        digest.update(&chunk);
    }
    assert_eq!(hex(digest.finalize()), sha256);
    // Client and server share this process; were the file or even its parts held, it would show.
    let grown = memory("VmHWM").saturating_sub(before);
    assert!(grown < 32 * MIB, "memory grew by {grown} bytes");
}

/// An entry of the kernel's account of this process, in bytes.
fn memory(entry: &str) -> u64 {
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let line = status.lines().find(|line| line.starts_with(entry)).unwrap();
    line.split_whitespace().nth(1).unwrap().parse::<u64>().unwrap() * 1024
}

#[tokio::test]
async fn what_fails_for_a_moment_is_tried_again() {
    let storage = Storage::start().await;
    let endpoint = storage.settings.endpoint.clone().unwrap();
    let gate = Gate::before(&endpoint, |_, seen| if seen < 2 { Fate::Refuse(503) } else { Fate::Pass }).await;
    let bucket = bucket_through(&gate, &storage, Patience::default());
    let file = sparse_file(1000);
    bucket.put_file(&key("a.mp4"), file.path(), &video("abc")).await.unwrap();
    assert_eq!(storage.bucket().head(&key("a.mp4")).await.unwrap().unwrap().size, 1000);
    assert_eq!(gate.seen(), 3);
}

#[tokio::test]
async fn what_will_not_pass_is_not_tried_again() {
    let storage = Storage::start().await;
    let endpoint = storage.settings.endpoint.clone().unwrap();
    let gate = Gate::before(&endpoint, |_, _| Fate::Refuse(403)).await;
    let bucket = bucket_through(&gate, &storage, Patience::default());
    let error = bucket.put_bytes(&key("a.jpg"), Bytes::new(), &video("")).await.unwrap_err();
    assert!(matches!(error, BucketError::Refused { status: 403, .. }), "{error}");
    assert_eq!(gate.seen(), 1);
}

#[tokio::test]
async fn a_failed_upload_leaves_nothing_open() {
    let storage = Storage::start().await;
    let endpoint = storage.settings.endpoint.clone().unwrap();
    let gate =
        Gate::before(&endpoint, |head, _| if is_part(head, 3) { Fate::Refuse(403) } else { Fate::Pass })
            .await;
    let bucket = bucket_through(&gate, &storage, Patience::default());
    let (file, key) = (sparse_file(40 * MIB), key("a.mp4"));
    let error = bucket.put_file(&key, file.path(), &video("abc")).await.unwrap_err();
    assert!(matches!(error, BucketError::Refused { operation: "UploadPart", status: 403, .. }), "{error}");
    assert_eq!(storage.bucket().open_uploads("").await.unwrap(), []);
    assert_eq!(storage.bucket().head(&key).await.unwrap(), None);
}

#[tokio::test]
async fn a_completion_whose_answer_is_lost_counts() {
    let storage = Storage::start().await;
    let endpoint = storage.settings.endpoint.clone().unwrap();
    let lost = AtomicBool::new(false);
    let gate = Gate::before(&endpoint, move |head, _| {
        let query = head.uri.query().unwrap_or_default();
        let completes = head.method == Method::POST && query.starts_with("uploadId=");
        if completes && !lost.swap(true, Ordering::SeqCst) { Fate::LoseAnswer } else { Fate::Pass }
    })
    .await;
    let bucket = bucket_through(&gate, &storage, Patience::default());
    let (file, key) = (sparse_file(20 * MIB), key("a.mp4"));
    bucket.put_file(&key, file.path(), &video("abc")).await.unwrap();
    assert_eq!(storage.bucket().head(&key).await.unwrap().unwrap().size, 20 * MIB);
}

#[tokio::test]
async fn an_upload_that_is_given_up_can_be_found_and_discarded() {
    let storage = Storage::start().await;
    let endpoint = storage.settings.endpoint.clone().unwrap();
    let gate =
        Gate::before(&endpoint, |head, _| if is_part(head, 2) { Fate::Hang } else { Fate::Pass }).await;
    let bucket = bucket_through(&gate, &storage, Patience::default());
    let file = sparse_file(20 * MIB);
    let lost = key("generations/gen_1/1/video.mp4");
    let object = video("abc");
    tokio::select! {
        stored = bucket.put_file(&lost, file.path(), &object) => panic!("it cannot end: {stored:?}"),
        () = gate.hangs() => {}
    }

    let bucket = storage.bucket();
    let open = bucket.open_uploads("generations/gen_1/").await.unwrap();
    assert_eq!(open.len(), 1);
    assert_eq!(open[0].key, lost);
    assert!(open[0].begun.is_some());
    assert_eq!(bucket.open_uploads("generations/gen_2/").await.unwrap(), []);

    let kept = key("generations/gen_2/1/video.mp4");
    for key in [&kept, &key("generations/gen_1/1/thumbnail.jpg")] {
        bucket.put_bytes(key, Bytes::from_static(b"x"), &object).await.unwrap();
    }
    bucket.discard("generations/gen_1/").await.unwrap();
    bucket.abort(&open[0]).await.unwrap();
    assert_eq!(bucket.open_uploads("").await.unwrap(), []);
    let left: Vec<_> = bucket.list("", None).await.unwrap().objects.into_iter().map(|o| o.key).collect();
    assert_eq!(left, std::slice::from_ref(&kept));
    bucket.delete(&kept).await.unwrap();
    assert_eq!(storage.files(), Vec::<std::path::PathBuf>::new());
}

#[tokio::test]
async fn a_hanging_server_is_given_up_on() {
    let storage = Storage::start().await;
    let gate = Gate::before(&storage.settings.endpoint.clone().unwrap(), |_, _| Fate::Hang).await;
    let short = Duration::from_millis(200);
    let patience = Patience { connect: short, request: short, operation: short, probe: short };
    let bucket = bucket_through(&gate, &storage, patience);
    for error in [bucket.head(&key("a")).await.map(drop), bucket.ready().await] {
        let error = error.unwrap_err();
        assert!(matches!(error, BucketError::Unreachable { .. }), "{error}");
    }
}

#[tokio::test]
async fn lists_come_in_pages_and_in_order() {
    let storage = Storage::start().await;
    let folder = storage.directory().join("reelay/generations");
    std::fs::create_dir(&folder).unwrap();
    for number in 0..1003 {
        std::fs::write(folder.join(format!("{number:04}")), b"x").unwrap();
    }
    std::fs::write(folder.join("not ours"), b"x").unwrap();
    std::fs::write(folder.join("../other"), b"x").unwrap();
    let bucket = storage.bucket();
    let first = bucket.list("generations/", None).await.unwrap();
    assert_eq!(first.objects.len(), 1000);
    assert_eq!((first.objects[7].key.as_str(), first.objects[7].size), ("generations/0007", 1));
    assert!(first.objects[7].modified.is_some());
    let second = bucket.list("generations/", first.next.as_deref()).await.unwrap();
    let names: Vec<_> = second.objects.iter().map(|object| object.key.as_str()).collect();
    assert_eq!(names, ["generations/1000", "generations/1001", "generations/1002"]);
    assert_eq!(second.next, None);
}

#[tokio::test]
async fn a_wrong_secret_opens_nothing_and_is_not_told() {
    let storage = Storage::start().await;
    storage.bucket().put_bytes(&key("a"), Bytes::from_static(b"x"), &video("")).await.unwrap();
    let settings = S3Settings {
        secret_access_key: Live::fixed(Hidden::new("not-the-secret")),
        ..storage.settings.clone()
    };
    let bucket = S3Bucket::new(&settings, Patience::default()).unwrap();
    for error in [
        bucket.ready().await,
        bucket.head(&key("a")).await.map(drop),
        bucket.put_bytes(&key("b"), Bytes::new(), &video("")).await,
    ] {
        let error = error.unwrap_err();
        assert!(matches!(error, BucketError::Refused { status: 403, .. }), "{error}");
        let told = format!("{error} {error:?}");
        assert!(!told.contains("not-the-secret") && !told.contains("test-key"), "{told}");
    }
    let answer = reqwest::get(Links::new(&settings).link(&key("a"), LIFETIME)).await.unwrap();
    assert_eq!(answer.status(), 403);
}

#[tokio::test]
async fn a_key_pair_in_files_is_changed_while_the_service_runs() {
    let storage = Storage::start().await;
    let files = tempfile::tempdir().unwrap();
    let file = |name: &str, text: &str| {
        let path = files.path().join(name);
        std::fs::write(&path, text).unwrap();
        path.display().to_string()
    };
    let environment = Environment::from_map(
        [
            ("S3_ENDPOINT", storage.settings.endpoint_address()),
            ("S3_REGION", storage.settings.region.clone()),
            ("S3_BUCKET", storage.settings.bucket.clone()),
            ("S3_ACCESS_KEY_ID_FILE", file("id", "yesterday")),
            ("S3_SECRET_ACCESS_KEY_FILE", file("secret", "yesterday")),
        ]
        .map(|(name, value)| (name.to_owned(), value))
        .into(),
    );
    let settings = S3Settings::read(&environment).unwrap();
    let (bucket, links) = (S3Bucket::new(&settings, Patience::default()).unwrap(), Links::new(&settings));
    storage.bucket().put_bytes(&key("a"), Bytes::from_static(b"x"), &video("")).await.unwrap();
    let followed = async || reqwest::get(links.link(&key("a"), LIFETIME)).await.unwrap().status().as_u16();
    assert!(matches!(bucket.ready().await, Err(BucketError::Refused { status: 403, .. })));
    assert_eq!(followed().await, 403);

    file("id", &storage.settings.access_key_id.current());
    file("secret", storage.settings.secret_access_key.current().reveal());
    assert_eq!(environment.refresh(), (2, vec![]));
    bucket.ready().await.unwrap();
    assert_eq!(followed().await, 200);
}

#[tokio::test]
async fn readiness_tells_a_bucket_that_is_there_from_one_that_is_not() {
    let storage = Storage::start().await;
    storage.bucket().ready().await.unwrap();
    let settings = S3Settings { bucket: "elsewhere".to_owned(), ..storage.settings.clone() };
    let missing = S3Bucket::new(&settings, Patience::default()).unwrap().ready().await.unwrap_err();
    assert!(matches!(missing, BucketError::Missing { .. }), "{missing}");
    let settings = storage.settings.clone();
    storage.stop().await;
    let gone = S3Bucket::new(&settings, Patience::default()).unwrap().ready().await.unwrap_err();
    assert!(matches!(gone, BucketError::Unreachable { .. }), "{gone}");
    assert!(!gone.to_string().contains("127.0.0.1"), "{gone}");
}

#[tokio::test]
async fn a_file_that_is_not_there_is_told_from_a_storage_that_fails() {
    let storage = Storage::start().await;
    let missing = storage.directory().join("no-such-file");
    let error = storage.bucket().put_file(&key("a"), &missing, &video("")).await.unwrap_err();
    assert!(matches!(error, BucketError::File(_)), "{error}");
}

#[tokio::test]
async fn a_link_serves_ranges_as_players_ask_for_them() {
    let storage = Storage::start().await;
    let object = Description { content_type: "video/mp4", sha256: String::new() };
    storage.bucket().put_bytes(&key("a.mp4"), Bytes::from_static(b"0123456789"), &object).await.unwrap();
    let link = storage.links().link(&key("a.mp4"), LIFETIME);
    let client = reqwest::Client::new();
    for (range, content, content_range) in [
        ("bytes=0-", "0123456789", "bytes 0-9/10"),
        ("bytes=2-4", "234", "bytes 2-4/10"),
        ("bytes=8-100", "89", "bytes 8-9/10"),
        ("bytes=-3", "789", "bytes 7-9/10"),
        ("bytes=-100", "0123456789", "bytes 0-9/10"),
        ("bytes=-9223372036854775808", "0123456789", "bytes 0-9/10"),
        ("bytes=-99999999999999999999999", "0123456789", "bytes 0-9/10"),
        ("bytes=9-99999999999999999999999", "9", "bytes 9-9/10"),
        ("Bytes=0-0", "0", "bytes 0-0/10"),
    ] {
        let answer = client.get(&link).header("range", range).send().await.unwrap();
        assert_eq!(answer.status(), 206, "{range}");
        assert_eq!(answer.headers()["content-range"], content_range, "{range}");
        assert_eq!(answer.headers()["content-type"], "video/mp4");
        assert_eq!(answer.headers()["access-control-allow-origin"], "*");
        assert_eq!(answer.headers()["accept-ranges"], "bytes", "{range}");
        assert_eq!(answer.text().await.unwrap(), content, "{range}");
    }
    for beyond in ["bytes=10-", "bytes=-0", "bytes=99999999999999999999999-"] {
        let answer = client.get(&link).header("range", beyond).send().await.unwrap();
        assert_eq!(answer.status(), 416, "{beyond}");
    }
}

/// As HTTP has it (RFC 9110, section 14.2): what is no range that is served is no mistake.
#[tokio::test]
async fn a_link_serves_the_whole_for_what_is_no_single_range() {
    let storage = Storage::start().await;
    storage.bucket().put_bytes(&key("a.mp4"), Bytes::from_static(b"0123456789"), &video("")).await.unwrap();
    std::fs::write(storage.directory().join(&storage.settings.bucket).join("empty.mp4"), b"").unwrap();
    let link = storage.links().link(&key("a.mp4"), LIFETIME);
    let client = reqwest::Client::new();
    for range in ["bytes=4-3", "bytes=0-1,3-4", "bytes=-", "bytes=", "bytes=a-b", "lines=0-4", "none"] {
        let answer = client.get(&link).header("range", range).send().await.unwrap();
        assert_eq!(answer.status(), 200, "{range}");
        assert_eq!(answer.headers()["accept-ranges"], "bytes", "{range}");
        assert!(answer.headers().get("content-range").is_none(), "{range}");
        assert_eq!(answer.text().await.unwrap(), "0123456789", "{range}");
    }
    let two = client.get(&link).header("range", "bytes=0-1").header("range", "bytes=3-4");
    assert_eq!(two.send().await.unwrap().status(), 200);
    let empty = storage.links().link(&key("empty.mp4"), LIFETIME);
    let answer = client.get(&empty).header("range", "bytes=-3").send().await.unwrap();
    assert_eq!(answer.status(), 416, "there is no last byte");
}

#[tokio::test]
async fn a_range_of_what_has_changed_is_the_whole_of_it() {
    let storage = Storage::start().await;
    storage.bucket().put_bytes(&key("a.mp4"), Bytes::from_static(b"0123456789"), &video("")).await.unwrap();
    let link = storage.links().link(&key("a.mp4"), LIFETIME);
    let client = reqwest::Client::new();
    let whole = client.get(&link).send().await.unwrap();
    let own = |name: &str| whole.headers()[name].to_str().unwrap().to_owned();
    let (tag, changed) = (own("etag"), own("last-modified"));
    for (condition, status, content) in [
        (tag.as_str(), 206, "789"),
        (&changed, 206, "789"),
        ("\"another\"", 200, "0123456789"),
        (&format!("W/{tag}"), 200, "0123456789"),
        ("Sun, 06 Nov 1994 08:49:37 GMT", 200, "0123456789"),
        ("nonsense", 200, "0123456789"),
    ] {
        for range in ["bytes=7-9", "bytes=-3"] {
            let request = client.get(&link).header("range", range).header("if-range", condition);
            let answer = request.send().await.unwrap();
            assert_eq!(answer.status(), status, "{range} {condition}");
            assert_eq!(answer.text().await.unwrap(), content, "{range} {condition}");
        }
    }
}

#[tokio::test]
async fn a_download_link_names_the_file() {
    let storage = Storage::start().await;
    storage.bucket().put_bytes(&key("a.mp4"), Bytes::from_static(b"x"), &video("")).await.unwrap();
    let link = storage.links().download_link(&key("a.mp4"), LIFETIME, "paper-boat.mp4");
    let answer = reqwest::get(link).await.unwrap();
    assert_eq!(answer.status(), 200);
    assert_eq!(answer.headers()["content-disposition"], "attachment; filename=\"paper-boat.mp4\"");
}

#[tokio::test]
async fn a_link_opens_one_object_for_its_time_alone() {
    let storage = Storage::start().await;
    for name in ["a", "b"] {
        storage.bucket().put_bytes(&key(name), Bytes::from_static(b"x"), &video("")).await.unwrap();
    }
    let links = storage.links();
    let link = links.link(&key("a"), LIFETIME);
    let status = async |url: &str| reqwest::get(url).await.unwrap().status().as_u16();
    assert_eq!(status(&link).await, 200);
    assert_eq!(status(&link.replace("/reelay/a?", "/reelay/b?")).await, 403);
    assert_eq!(status(&link.replace("X-Amz-Expires=60", "X-Amz-Expires=600")).await, 403);
    assert_eq!(status(&links.unsigned(&key("a"))).await, 403);

    let brief = links.link(&key("a"), Duration::from_secs(1));
    let deadline = Instant::now() + Duration::from_secs(30);
    while status(&brief).await != 403 {
        assert!(Instant::now() < deadline, "the link does not expire");
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
}

#[tokio::test]
async fn the_embedded_server_keeps_its_objects_and_drops_what_a_crash_left() {
    let storage = Storage::start().await;
    storage.bucket().put_bytes(&key("a"), Bytes::from_static(b"x"), &video("abc")).await.unwrap();
    for name in [".upload_id-00000000-0000-4000-8000-000000000000.part-1", ".tmp.0.internal.part"] {
        std::fs::write(storage.directory().join(name), b"half").unwrap();
    }
    let storage = Storage::start_in(storage.stop().await).await;
    let head = storage.bucket().head(&key("a")).await.unwrap().unwrap();
    assert_eq!((head.size, head.sha256.as_deref()), (1, Some("abc")));
    storage.bucket().delete(&key("a")).await.unwrap();
    assert_eq!(storage.files(), Vec::<std::path::PathBuf>::new());
    let unknown =
        OpenUpload { key: key("a"), id: "00000000-0000-4000-8000-000000000000".into(), begun: None };
    storage.bucket().abort(&unknown).await.unwrap();
}

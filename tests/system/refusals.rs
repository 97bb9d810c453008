//! A service that cannot use its database does not start, says why in one line that names the setting or the file, and
//! changes nothing (I21).

use std::path::Path;

use foundation::testing::TestDatabase;

use crate::harness::{
    Backend, Build,
    process::Recipe,
    system::{STORAGE_SECRET, WEBHOOK_SECRET, WORKER_API_SECRET},
};

/// Either service with a database, and else all that it needs.
fn service(part: &str, database: &str, folder: &Path) -> Recipe {
    Recipe::new(&["run", part], &folder.join(format!("{part}.log"))).with([
        ("DATABASE_URL", database),
        ("API_BIND", "127.0.0.1:0"),
        ("WORKER_BIND", "127.0.0.1:0"),
        ("WORKER_URL", "http://127.0.0.1:1"),
        ("WEBHOOK_URL", "http://127.0.0.1:1"),
        ("WORKER_API_SECRETS", WORKER_API_SECRET),
        ("WEBHOOK_SECRETS", WEBHOOK_SECRET),
        ("S3_ENDPOINT", "http://127.0.0.1:1"),
        ("S3_REGION", "us-east-1"),
        ("S3_BUCKET", "reelay"),
        ("S3_ACCESS_KEY_ID", "reelay"),
        ("S3_SECRET_ACCESS_KEY", STORAGE_SECRET),
        ("VEO3_API_KEY", "key"),
        ("RUST_LOG", "off"),
    ])
}

/// What a service says when it refuses to start.
async fn refusal(part: &str, database: &str, folder: &Path) -> String {
    let (status, said) = service(part, database, folder).fail().await;
    assert_eq!(status.code(), Some(1), "{said}");
    let said = said.trim().to_owned();
    assert_eq!(said.lines().count(), 1, "{said}");
    assert!(said.starts_with(&format!("{part}-service: ")), "{said}");
    said
}

#[tokio::test]
async fn a_file_that_is_no_database_is_refused_and_left_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("notes.sqlite");
    let notes = "These are notes, and no database. ".repeat(500);
    std::fs::write(&file, &notes).unwrap();
    for part in ["api", "worker"] {
        let said = refusal(part, &format!("sqlite://{}", file.display()), folder.path()).await;
        assert!(said.contains("not a database"), "{said}");
        assert_eq!(std::fs::read_to_string(&file).unwrap(), notes);
    }
}

/// A database that was cut in half, or that holds garbage where a table was.
#[tokio::test]
async fn a_damaged_database_is_refused() {
    let mut system = Build::on(Backend::Sqlite).quick(&[]).start().await;
    let user = system.user().await;
    let ordered = user.order("a boat of before the damage").await;
    user.until(&ordered, "completed").await;
    for part in ["api", "worker"] {
        assert!(system.process(part).stop().await.success());
        let file = system.folder.path().join(format!("{part}.sqlite"));
        let whole = std::fs::read(&file).unwrap();
        let half = &whole[..whole.len() / 2];
        let mut garbled = whole.clone();
        // The first page stays, which says that it is a database.
        garbled[4_096..].fill(0xa5);
        for damaged in [half, &garbled] {
            std::fs::write(&file, damaged).unwrap();
            let said = refusal(part, &format!("sqlite://{}", file.display()), system.folder.path()).await;
            assert!(said.contains("malformed") || said.contains("damaged"), "{said}");
        }
        std::fs::write(&file, &whole).unwrap();
        system.process(part).start_again().await;
    }
    // The whole files are as good as before.
    user.until(&ordered, "completed").await;
}

/// /proc takes no files, not even root's.
#[tokio::test]
async fn a_folder_that_takes_no_files_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["api", "worker"] {
        let said = refusal(part, "sqlite:///proc/reelay.sqlite", folder.path()).await;
        assert!(said.contains("cannot use /proc/reelay.sqlite"), "{said}");
    }
}

#[tokio::test]
async fn a_server_without_that_database_or_without_an_answer_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let database = TestDatabase::postgres().await;
    let (server, _) =
        database.url().rsplit_once('/').map(|(server, name)| (server.to_owned(), name.to_owned())).unwrap();
    for url in
        [format!("{server}/there_is_no_such_database"), "postgres://nobody@127.0.0.1:1/reelay".to_owned()]
    {
        for part in ["api", "worker"] {
            let said = refusal(part, &url, folder.path()).await;
            assert!(said.contains("cannot connect to the database"), "{said}");
        }
    }
}

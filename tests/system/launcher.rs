//! The launcher: what it keeps, how it ends, and how it says what is wrong.

use std::{net::TcpListener, os::unix::fs::PermissionsExt, process::Command};

use nix::sys::signal::Signal;
use serde_json::{Value, json};

use crate::harness::{
    Backend, Client, System, eventually,
    process::{Recipe, signal},
    system::launcher,
};

/// The account, the token, the secrets and what was in flight outlive the launcher (I1), even a kill -9.
async fn starts_again(backend: Backend) {
    let mut system = System::launched(backend, &[]).await;
    let facts = system.facts.clone();
    let user = Client::anonymous(&system.api).with_token(facts["token"].as_str().unwrap());
    let prompt = "a boat that sails on [sim:latency=3s]";
    let ordered = user.order(prompt).await;
    user.until(&ordered, "processing").await;

    system.process("launcher").kill().await;
    system.children_are_gone().await;
    system.process("launcher").start_again().await;
    let again: Value = serde_json::from_str(&system.process("launcher").line).unwrap();
    for same in
        ["email", "password", "token", "webhookSecret", "workerApiSecret", "s3SecretAccessKey", "dataDir"]
    {
        assert_eq!(again[same], facts[same], "{same}");
    }
    // It has free ports, which are others.
    let user = user.at(again["api"].as_str().unwrap());
    let done = user.until(&ordered, "completed").await;
    user.check_video(&done, 1280, 720, 4.0).await;
    system.provider = again["provider"].as_str().unwrap().to_owned();
    assert_eq!(system.submissions(prompt).await, 1);

    system.facts = again;
    let status = system.process("launcher").stop().await;
    assert!(status.success(), "{status}");
    system.children_are_gone().await;
}

#[tokio::test]
async fn starts_again_where_it_was_on_sqlite() {
    starts_again(Backend::Sqlite).await;
}

#[tokio::test]
async fn starts_again_where_it_was_on_postgres() {
    starts_again(Backend::Postgres).await;
}

/// The simulator tells when a video is done, so it is asked how it stands once and no more.
#[tokio::test]
async fn has_its_provider_tell_rather_than_be_asked() {
    let system = System::launched(Backend::Sqlite, &[]).await;
    let user = system.user().await;
    // Late enough that it would be asked several times.
    let ordered = user.order("a boat that is not asked after [sim:latency=5s]").await;
    let done = user.until(&ordered, "completed").await;
    user.check_video(&done, 1280, 720, 4.0).await;
    let told = eventually("the webhook was taken", async || {
        system.ledger().await.into_iter().next_back().filter(|submission| submission["told"] == true)
    })
    .await;
    assert_eq!(told["polls"], 1, "{told}");
}

/// A part that dies is started again, and the flow goes on.
#[tokio::test]
async fn keeps_its_parts_alive() {
    let mut system = System::launched(Backend::Sqlite, &[]).await;
    let user = system.user().await;
    let ordered = user.order("a boat that is not lost [sim:latency=3s]").await;
    user.until(&ordered, "processing").await;
    let pid = |part: &str| u32::try_from(system.facts["pids"][part].as_u64().unwrap()).unwrap();
    for part in ["worker", "api", "provider", "s3"] {
        signal(pid(part), Signal::SIGKILL);
    }
    let done = user.until(&ordered, "completed").await;
    user.check_video(&done, 1280, 720, 4.0).await;
    let status = system.process("launcher").stop().await;
    assert!(status.success(), "{status}");
    let said = std::fs::read_to_string(system.folder.path().join("launcher.log")).unwrap();
    assert!(
        said.contains("worker-service ended unexpectedly (signal 9)"),
        "{}",
        system.process("launcher").log().tail()
    );
}

/// The page's address answers, the account opens the API, and nobody else can read what is kept.
#[tokio::test]
async fn says_where_everything_is() {
    let system = System::launched(Backend::Sqlite, &[]).await;
    let facts = &system.facts;
    let anonymous = Client::anonymous(&system.api);
    let page = anonymous.get("/").await;
    assert_eq!(page.status, 200);
    assert!(page.headers["content-type"].to_str().unwrap().starts_with("text/html"));
    for path in ["/healthz", "/readyz", "/metrics", "/api/openapi.json", "/docs"] {
        assert_eq!(anonymous.get(path).await.status, 200, "{path}");
    }
    let login = json!({"email": facts["email"], "password": facts["password"]});
    anonymous.post("/api/auth/login", &login).await.expect(200);
    let me = anonymous.with_token(facts["token"].as_str().unwrap()).get("/api/auth/me").await.expect(200);
    assert_eq!(me["user"]["email"], facts["email"]);
    let worker = Client::anonymous(&system.worker);
    for path in ["/healthz", "/readyz", "/metrics"] {
        assert_eq!(worker.get(path).await.status, 200, "{path}");
    }
    let data = system.folder.path().join("data");
    let mode = |path: &std::path::Path| std::fs::metadata(path).unwrap().permissions().mode() & 0o777;
    assert_eq!((mode(&data), mode(&data.join("secrets.json"))), (0o700, 0o600));
}

#[tokio::test]
async fn a_second_launcher_on_the_same_data_is_refused() {
    let system = System::launched(Backend::Sqlite, &[]).await;
    let second =
        Recipe { log: system.folder.path().join("second.log"), ..launcher(system.folder.path(), None) };
    let (status, said) = second.fail().await;
    assert_eq!(status.code(), Some(1), "{said}");
    assert!(said.contains("another reelay") && said.contains("--data-dir"), "{said}");
    // The first has not noticed.
    assert_eq!(Client::anonymous(&system.api).get("/readyz").await.status, 200);
}

#[tokio::test]
async fn what_is_wrong_is_said_and_how_to_put_it_right() {
    let folder = tempfile::tempdir().unwrap();
    let taken = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = taken.local_addr().unwrap().port().to_string();
    std::fs::write(folder.path().join("file"), "").unwrap();
    let file = folder.path().join("file/data").display().to_string();
    let recipe = |change: &dyn Fn(&mut Vec<String>)| {
        let mut recipe = launcher(folder.path(), None);
        change(&mut recipe.arguments);
        recipe
    };
    let option = |name: &'static str, value: String| {
        recipe(&move |arguments: &mut Vec<String>| match arguments
            .iter()
            .position(|argument| argument == name)
        {
            Some(index) => arguments[index + 1].clone_from(&value),
            None => arguments.extend([name.to_owned(), value.clone()]),
        })
    };
    let setting = |name, value: &str| recipe(&|_| {}).with([(name, value)]);
    for (recipe, expected) in [
        (option("--api-port", port.clone()), vec![port.as_str(), "taken", "--api-port"]),
        (option("--data-dir", file.clone()), vec![file.as_str(), "--data-dir"]),
        (option("--database-url", "sqlite:///tmp/a.db".to_owned()), vec!["PostgreSQL", "--data-dir"]),
        (option("--database-url", "nonsense".to_owned()), vec!["--database-url", "postgres://"]),
        (setting("JOB_LEASE", "soon"), vec!["JOB_LEASE", "worker-service"]),
        (setting("S3_ENDPOINT", "here"), vec!["S3_ENDPOINT"]),
        (setting("LOG_FORMAT", "verse"), vec!["LOG_FORMAT"]),
    ] {
        let (status, said) = recipe.fail().await;
        assert!(!status.success(), "{said}");
        for word in expected {
            assert!(said.contains(word), "{word} in: {said}");
        }
    }
    // A database that is inherited is ignored, even one that makes no sense.
    let mut healthy =
        launcher(folder.path(), None).with([("DATABASE_URL", "mysql://elsewhere/db")]).start().await;
    assert!(healthy.stop().await.success());
}

/// Each part can be asked for its settings.
#[test]
fn help_lists_the_settings_of_each_part() {
    let help = |arguments: &[&str]| {
        let output = Command::new(crate::harness::process::REELAY).args(arguments).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout).unwrap()
    };
    for (arguments, words) in [
        (vec!["--help"], vec!["--data-dir", "--database-url", "generate", "run"]),
        (vec!["generate", "--help"], vec!["--yes", "--out", "--api-url"]),
        (vec!["run", "api", "--help"], vec!["API_BIND", "DATABASE_URL", "WORKER_URL", "PUBLIC_URL"]),
        (vec!["run", "worker", "--help"], vec!["WORKER_BIND", "WEBHOOK_URL", "VEO3_BASE_URL", "JOB_LEASE"]),
        (vec!["run", "s3", "--help"], vec!["S3_BIND", "S3_DATA_DIR"]),
        (vec!["run", "provider", "--help"], vec!["SIMULATOR_BIND", "--latency"]),
    ] {
        let text = help(&arguments);
        for word in words {
            assert!(text.contains(word), "{word} in {arguments:?}: {text}");
        }
    }
}

/// A service whose settings are missing or contradict each other says so in one line.
#[tokio::test]
async fn a_service_without_its_settings_does_not_start() {
    let folder = tempfile::tempdir().unwrap();
    for part in ["api", "worker"] {
        let recipe = Recipe::new(&["run", part], &folder.path().join(format!("{part}.log")));
        let (status, said) = recipe.fail().await;
        assert_eq!(status.code(), Some(2), "{said}");
        assert_eq!(said.lines().count(), 1, "{said}");
        assert!(said.contains("is not set"), "{said}");
    }
}

/// A child ends when its standard input does.
#[tokio::test]
async fn parts_end_with_whoever_started_them() {
    let mut system = System::separate(Backend::Sqlite, &[]).await;
    for name in ["api", "worker", "simulator", "storage"] {
        system.process(name).close_lifeline();
        let status = system.process(name).ended().await;
        assert!(status.success(), "{name}: {status}");
    }
}

/// However many submissions hang, a stop stays within its deadline: nobody has to be killed.
#[tokio::test]
async fn fifty_hanging_submissions_do_not_hold_up_a_stop() {
    const USERS: usize = 5;
    const ORDERS: usize = 10;
    let settings = [("WORKER_RUNNING_JOBS", "50"), ("WORKER_RUNNING_JOBS_PER_USER", "50")];
    let mut system = System::launched(Backend::Sqlite, &settings).await;
    let ordering = (0..USERS).map(async |_| {
        let user = system.user().await;
        for _ in 0..ORDERS {
            user.order("a boat that nobody sees [sim:hang]").await;
        }
    });
    futures_util::future::join_all(ordering).await;
    eventually("all are being submitted", async || {
        let submitting =
            system.events().into_iter().filter(|event| event["message"] == "[VEO3_SERVICE] Submitting");
        (submitting.count() == USERS * ORDERS).then_some(())
    })
    .await;
    assert!(system.process("launcher").stop().await.success());
    let released =
        system.events().into_iter().filter(|event| event["message"] == "[QUEUE_MANAGER] Job released");
    assert_eq!(released.count(), USERS * ORDERS);
    let log = std::fs::read_to_string(system.folder.path().join("launcher.log")).unwrap();
    assert!(!log.contains("did not stop within"), "{log}");
}

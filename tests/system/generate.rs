//! `reelay generate`: the whole job from the terminal.

use std::process::Output;

use serde_json::Value;
use tokio::process::Command;

use crate::harness::{Backend, LIMIT, System, process::REELAY, video};

async fn generate(arguments: &[&str], settings: &[(&str, &str)]) -> Output {
    let mut command = Command::new(REELAY);
    command.arg("generate").args(arguments).stdin(std::process::Stdio::null()).kill_on_drop(true);
    command.env_remove("DATABASE_URL").env_remove("REELAY_TOKEN").envs(settings.iter().copied());
    tokio::time::timeout(LIMIT, command.output()).await.expect("it ends").unwrap()
}

fn said(output: &Output) -> String {
    String::from_utf8_lossy(&output.stderr).into_owned()
}

#[tokio::test]
async fn makes_a_video_with_a_system_of_its_own() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("boat.mp4");
    let (out, temporary) = (file.to_str().unwrap(), folder.path().join("temporary"));
    std::fs::create_dir(&temporary).unwrap();
    let prompt = "a paper boat crosses a rainy street at dusk";
    let output = generate(&[prompt, "--yes", "--out", out], &[("TMPDIR", temporary.to_str().unwrap())]).await;
    assert!(output.status.success(), "{}", said(&output));
    assert_eq!(String::from_utf8_lossy(&output.stdout).trim(), out);
    let video = video::parse(&std::fs::read(&file).unwrap());
    assert_eq!((video.width, video.height), (1280, 720));
    assert!((video.duration - 8.0).abs() < 0.25, "{video:?}");
    // All that it started and wrote is gone again.
    assert_eq!(std::fs::read_dir(&temporary).unwrap().count(), 0);
}

#[tokio::test]
async fn makes_a_video_with_a_running_system() {
    let system = System::launched(Backend::Sqlite, &[]).await;
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("boat.mp4");
    let token = [("REELAY_TOKEN", system.facts["token"].as_str().unwrap())];
    let arguments = ["a boat", "--api-url", &system.api, "--yes", "--out", file.to_str().unwrap()];
    let asked = [&arguments[..], &["--duration", "4", "--aspect-ratio", "9:16"]].concat();
    let output = generate(&asked, &token).await;
    assert!(output.status.success(), "{}", said(&output));
    let video = video::parse(&std::fs::read(&file).unwrap());
    assert_eq!((video.width, video.height), (720, 1280));
    assert!((video.duration - 4.0).abs() < 0.25, "{video:?}");
    std::fs::remove_file(&file).unwrap();

    // What cannot be made is said, and leaves nothing.
    let arguments =
        ["a boat [sim:filtered]", "--api-url", &system.api, "--yes", "--out", file.to_str().unwrap()];
    let output = generate(&arguments, &token).await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
    assert!(said(&output).contains("content_filtered"), "{}", said(&output));
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);

    let output = generate(&arguments, &[("REELAY_TOKEN", "wrong")]).await;
    assert_eq!(output.status.code(), Some(1), "{}", said(&output));
}

/// Ctrl-C calls off what was asked for.
#[tokio::test]
async fn ctrl_c_cancels() {
    let system = System::launched(Backend::Sqlite, &[]).await;
    let token = system.facts["token"].as_str().unwrap();
    let user = crate::harness::Client::anonymous(&system.api).with_token(token);
    let folder = tempfile::tempdir().unwrap();
    let mut command = Command::new(REELAY);
    command
        .args(["generate", "a boat [sim:latency=60s]", "--yes", "--api-url", &system.api])
        .env("REELAY_TOKEN", token)
        .current_dir(folder.path())
        .stderr(std::process::Stdio::piped())
        .kill_on_drop(true);
    let child = command.spawn().unwrap();
    let generation: Value = crate::harness::eventually("it is being made", async || {
        let page = user.get("/api/generations").await.expect(200);
        page["items"].get(0).filter(|generation| generation["status"] == "processing").cloned()
    })
    .await;
    crate::harness::process::signal(child.id().unwrap(), nix::sys::signal::Signal::SIGINT);
    let output = tokio::time::timeout(LIMIT, child.wait_with_output()).await.expect("it ends").unwrap();
    assert_eq!(output.status.code(), Some(130), "{}", said(&output));
    assert_eq!(user.generation(&generation).await["status"], "cancelled");
    assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
}

#[tokio::test]
async fn nobody_to_ask_is_an_error_before_anything_is_started() {
    let output = generate(&["a boat"], &[]).await;
    assert_eq!(output.status.code(), Some(1));
    assert!(said(&output).contains("--yes"), "{}", said(&output));
    let output = generate(&["a boat", "--yes", "--out", "/nowhere/at/all.mp4"], &[]).await;
    assert!(said(&output).contains("/nowhere/at/all.mp4"), "{}", said(&output));
}

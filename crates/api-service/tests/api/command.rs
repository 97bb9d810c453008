//! The service as a program: what it says and how it ends.

use std::{
    io::{BufRead as _, BufReader},
    process::{Child, Command, Output, Stdio},
};

use foundation::testing::TestDatabase;

use crate::test_app::{WEBHOOK_SECRET, WORKER_API_SECRET};

fn program(database: &str) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_api-service"));
    command.env_clear().envs([
        ("API_BIND", "127.0.0.1:0"),
        ("API_THREADS", "1"),
        ("DATABASE_URL", database),
        ("WORKER_URL", "http://127.0.0.1:9"),
        ("WORKER_API_SECRETS", WORKER_API_SECRET),
        ("WEBHOOK_SECRETS", WEBHOOK_SECRET),
        ("S3_ENDPOINT", "http://127.0.0.1:9"),
        ("S3_BUCKET", "reelay"),
        ("S3_ACCESS_KEY_ID", "test-key"),
        ("S3_SECRET_ACCESS_KEY", "test-secret"),
        ("LOG_FORMAT", "json"),
    ]);
    command.stdin(Stdio::null());
    command
}

fn lines(bytes: &[u8]) -> Vec<String> {
    String::from_utf8_lossy(bytes).lines().map(str::to_owned).collect()
}

#[track_caller]
fn refused(output: &Output, code: i32, named: &str) {
    assert_eq!(output.status.code(), Some(code), "{output:?}");
    let told = lines(&output.stderr);
    assert!(matches!(told.as_slice(), [line] if line.contains(named)), "{told:?}");
    assert!(output.stdout.is_empty(), "{output:?}");
}

fn ask_to_stop(child: &Child) {
    let told = Command::new("kill").args(["-TERM", &child.id().to_string()]).status().unwrap();
    assert!(told.success());
}

#[test]
fn help_and_version_need_no_settings() {
    let ask = |option: &str| program("").env_clear().arg(option).output().unwrap();
    let help = ask("--help");
    assert!(help.status.success());
    let text = String::from_utf8(help.stdout).unwrap();
    for name in
        ["API_BIND [default: 127.0.0.1:8080]", "DATABASE_URL [required]", "METRICS_BIND", "LOG_FORMAT"]
    {
        assert!(text.contains(name), "{name}: {text}");
    }
    assert!(String::from_utf8(ask("--version").stdout).unwrap().starts_with("api-service "));
}

#[test]
fn a_bad_setting_is_one_line_that_names_it() {
    let with = |name: &str, value: &str| program("sqlite:///nowhere").env(name, value).output().unwrap();
    for (name, value) in [
        ("DATABASE_URL", ""),
        ("DATABASE_URL", "mysql://hunter2@x"),
        ("API_BIND", "everywhere"),
        ("WEBHOOK_SECRETS", WORKER_API_SECRET),
        ("LOG_FORMAT", "xml"),
    ] {
        let output = with(name, value);
        refused(&output, 2, name);
        assert!(!String::from_utf8_lossy(&output.stderr).contains("hunter2"));
    }
}

#[test]
fn an_address_that_is_taken_is_told() {
    let taken = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let address = taken.local_addr().unwrap().to_string();
    let database = TestDatabase::sqlite();
    let output = program(&database.url()).env("API_BIND", &address).output().unwrap();
    refused(&output, 1, &format!("cannot listen on {address}: address in use"));
}

#[test]
fn it_runs_until_it_is_told_to_stop_and_says_so() {
    let database = TestDatabase::sqlite();
    let mut child = program(&database.url()).stdout(Stdio::piped()).spawn().unwrap();
    let mut messages = Vec::new();
    for line in BufReader::new(child.stdout.take().unwrap()).lines() {
        let line: serde_json::Value = serde_json::from_str(&line.unwrap()).unwrap();
        let message = line["message"].as_str().unwrap().to_owned();
        if message == "[SERVICE] Listening" {
            let address = line["address"].as_str().unwrap();
            assert!(std::net::TcpStream::connect(address).is_ok(), "{address}");
            ask_to_stop(&child);
        }
        messages.push(message);
    }
    let ended = child.wait().unwrap();
    assert!(ended.success(), "{ended}");
    messages.retain(|message| message.starts_with("[SERVICE]"));
    assert_eq!(messages, ["[SERVICE] Listening", "[SERVICE] Stopping", "[SERVICE] Stopped"]);
}

#[test]
fn asked_to_stop_while_it_starts_it_ends_well() {
    let silent = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
    let database = format!("postgres://someone:secret@{}/reelay", silent.local_addr().unwrap());
    let child = program(&database).stdout(Stdio::piped()).spawn().unwrap();
    let _waiting = silent.accept().unwrap();
    ask_to_stop(&child);
    let output = child.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    let messages = lines(&output.stdout);
    let [.., stopping, stopped] = messages.as_slice() else { panic!("{messages:?}") };
    assert!(stopping.contains("[SERVICE] Stopping"), "{messages:?}");
    assert!(stopped.contains("[SERVICE] Stopped"), "{messages:?}");
}

//! The provider's official Python client against the simulator, unchanged.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{measured, program::Program};

/// The last version that speaks this wire protocol.
const SDK: &str = "google-genai==2.34.0";
const SCRIPT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/simulator/sdk.py");

/// A Python that has the client, made once under the target directory.
fn python() -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join("google-genai-2.34.0");
    std::fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (environment, ready) = (folder.join("venv"), folder.join("ready"));
    if !ready.exists() {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&environment);
        run(&mut make, "python3 with its module venv is needed (Debian: apt-get install python3-venv)");
        let mut install = Command::new(environment.join("bin/pip"));
        install.args(["install", "--quiet", "--disable-pip-version-check", SDK]);
        run(&mut install, "the client is installed from PyPI, once; is the network away?");
        std::fs::write(ready, SDK).unwrap();
    }
    environment.join("bin/python")
}

fn run(command: &mut Command, hint: &str) {
    let output = command.output();
    let ended = match &output {
        Ok(output) => output.status.success(),
        Err(_) => false,
    };
    assert!(ended, "{command:?} failed; {hint}\n{output:?}");
}

#[test]
fn the_official_client_works_unchanged() {
    let python = python();
    let program = Program::start(&["--latency", "500ms", "--render", "cached"]);
    let directory = tempfile::tempdir().unwrap();
    let video = directory.path().join("video.mp4");
    run(
        Command::new(python).arg(SCRIPT).arg(program.base()).arg(&video),
        "the client and the simulator do not understand each other",
    );
    let (width, height, seconds) = measured(&std::fs::read(video).unwrap());
    assert_eq!((width, height), (720, 1280));
    assert!((seconds - 6.0).abs() < 0.1, "{seconds}");
}

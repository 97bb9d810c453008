//! The provider's official Python client against the simulator, unchanged: for each wire protocol the last version
//! that speaks it.

use std::{
    fs::File,
    path::{Path, PathBuf},
    process::Command,
};

use crate::{measured, program::Program};

const SCRIPTS: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/simulator");
/// An account that opens nothing.
const ACCOUNT: &str =
    concat!(env!("CARGO_MANIFEST_DIR"), "/../worker-service/tests/worker/service-account.json");

/// A Python that has the client of this version, made once under the target directory.
fn python(version: &str) -> PathBuf {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("google-genai-{version}"));
    std::fs::create_dir_all(&folder).unwrap();
    let lock = File::create(folder.join("lock")).unwrap();
    lock.lock().unwrap();
    let (environment, ready) = (folder.join("venv"), folder.join("ready"));
    if !ready.exists() {
        let mut make = Command::new("python3");
        make.args(["-m", "venv", "--clear"]).arg(&environment);
        run(&mut make, "python3 with its module venv is needed (Debian: apt-get install python3-venv)");
        let mut install = Command::new(environment.join("bin/pip"));
        let client = format!("google-genai=={version}");
        install.args(["install", "--quiet", "--disable-pip-version-check"]).arg(&client);
        run(&mut install, "the client is installed from PyPI, once; is the network away?");
        std::fs::write(ready, client).unwrap();
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

/// Has a script make a portrait video of six seconds.
fn makes_a_video(version: &str, script: &str, arguments: &[&str]) {
    let python = python(version);
    let program = Program::start(&["--latency", "500ms", "--render", "cached"]);
    let directory = tempfile::tempdir().unwrap();
    let video = directory.path().join("video.mp4");
    let script = Path::new(SCRIPTS).join(script);
    run(
        // What the scripts share is imported, and leaves nothing compiled beside them.
        Command::new(python)
            .env("PYTHONDONTWRITEBYTECODE", "1")
            .arg(script)
            .arg(program.base())
            .args(arguments)
            .arg(&video),
        "the client and the simulator do not understand each other",
    );
    let (width, height, seconds) = measured(&std::fs::read(video).unwrap());
    assert_eq!((width, height), (720, 1280));
    assert!((seconds - 6.0).abs() < 0.1, "{seconds}");
}

#[test]
fn the_official_client_makes_veos_in_the_gemini_apis_shape() {
    makes_a_video("2.34.0", "sdk_gemini.py", &[]);
}

#[test]
fn the_official_client_makes_veos_on_vertex() {
    makes_a_video("3.4.0", "sdk_vertex.py", &[ACCOUNT]);
}

#[test]
fn the_official_client_makes_videos_by_interactions() {
    makes_a_video("3.4.0", "sdk_interactions.py", &[]);
}

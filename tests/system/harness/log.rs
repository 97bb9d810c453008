//! Log lines in JSON, as processes write them to files.

use std::path::{Path, PathBuf};

use serde_json::Value;

use super::eventually;

/// How much of a log is shown when a test fails.
const TAIL: usize = 30;

/// The log of one or several processes.
#[derive(Debug, Clone)]
pub(crate) struct LogFile(PathBuf);

impl LogFile {
    pub(crate) fn at(path: &Path) -> Self {
        Self(path.to_owned())
    }

    /// All of it so far.
    pub(crate) fn text(&self) -> String {
        std::fs::read_to_string(&self.0).unwrap_or_default()
    }

    /// All events so far. What is no JSON (a message of the launcher) is left out.
    pub(crate) fn events(&self) -> Vec<Value> {
        self.text().lines().filter_map(|line| serde_json::from_str(line).ok()).collect()
    }

    /// Waits for an event with this message that fits.
    pub(crate) async fn event(&self, message: &str, fits: impl Fn(&Value) -> bool) -> Value {
        let found = |event: &Value| event["message"] == message && fits(event);
        eventually(&format!("{message} is logged"), async || self.events().into_iter().find(|e| found(e)))
            .await
    }

    /// A copy of it that outlives the test, for whoever must find out what went wrong.
    pub(crate) fn kept(&self) -> PathBuf {
        let of_system = self.0.parent().and_then(Path::file_name).unwrap_or_default();
        let folder = Path::new(env!("CARGO_TARGET_TMPDIR")).join(of_system);
        let copy = folder.join(self.0.file_name().unwrap_or_default());
        let _ = std::fs::create_dir_all(&folder).and_then(|()| std::fs::copy(&self.0, &copy));
        copy
    }

    /// The last lines, for whoever must find out what went wrong.
    pub(crate) fn tail(&self) -> String {
        let text = self.text();
        let lines: Vec<_> = text.lines().collect();
        lines[lines.len().saturating_sub(TAIL)..].join("\n")
    }
}

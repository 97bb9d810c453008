//! The person at the terminal: lines are read on a thread of their own, so that waiting for one can be given up.

use std::io::{IsTerminal, Write};

use anyhow::{Context, Result};
use tokio::sync::mpsc;

use super::questions::yes_or_no;

/// Reads lines once the first one is needed.
#[derive(Debug)]
pub(super) struct Terminal {
    lines: Option<mpsc::UnboundedReceiver<String>>,
}

impl Terminal {
    pub(super) fn new() -> Self {
        Self { lines: None }
    }

    /// Whether there is somebody who can be asked.
    pub(super) fn is_there() -> bool {
        std::io::stdin().is_terminal() && std::io::stderr().is_terminal()
    }

    /// The next line that is typed.
    pub(super) async fn line(&mut self, prompt: &str) -> Result<String> {
        eprint!("{prompt}");
        let _ = std::io::stderr().flush();
        let lines = self.lines.get_or_insert_with(|| {
            let (sender, lines) = mpsc::unbounded_channel();
            // It ends with the process: nothing can wake it from its read.
            std::thread::spawn(move || {
                for line in std::io::stdin().lines().map_while(Result::ok) {
                    if sender.send(line).is_err() {
                        return;
                    }
                }
            });
            lines
        });
        lines.recv().await.context("the terminal was closed")
    }

    /// Whether the answer to a question that costs money is yes; anything unclear is asked again.
    pub(super) async fn agrees(&mut self, question: &str) -> Result<bool> {
        loop {
            let line = self.line(&format!("{question} [y/N] ")).await?;
            let line = line.trim();
            if let Some(answer) = if line.is_empty() { Some(false) } else { yes_or_no(line) } {
                return Ok(answer);
            }
        }
    }
}

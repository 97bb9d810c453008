//! Follows a generation to its end and shows how far it is. The event stream says when there is news; where there
//! is no stream, the clock does. What is true is always asked for.

use std::time::Duration;

use anyhow::Result;
use contract::{GenerationStatus, Stage};
use indicatif::{ProgressBar, ProgressStyle};
use reqwest::Response;
use serde_json::Value;
use tokio::time::Instant;

use super::Generation;
use crate::client::{Client, ClientError};

/// How often the bar moves by itself.
pub(super) const TICK: Duration = Duration::from_millis(100);
/// How long news are waited for before they are asked for: what the API asks of those who poll.
const POLL: Duration = Duration::from_secs(5);
/// How long an API that does not answer is given to come back.
const PATIENCE: Duration = Duration::from_secs(60);
/// The pause after a failed question.
const PAUSE: Duration = Duration::from_secs(1);

/// Waits until the generation is over and returns it as it then is.
pub(super) async fn until_over(client: &Client, mut generation: Generation) -> Result<Generation> {
    let bar = Bar::new();
    let path = format!("/api/generations/{}", generation.id);
    let mut news = None;
    let mut heard = Instant::now();
    loop {
        bar.show(&generation);
        if generation.status.is_terminal() {
            bar.end();
            return Ok(generation);
        }
        wait_for_news(client, &generation, &mut news).await;
        match client.get(&path).await {
            Ok(newer) => {
                generation = newer;
                heard = Instant::now();
            }
            Err(error) if passes(&error) && heard.elapsed() < PATIENCE => tokio::time::sleep(PAUSE).await,
            Err(error) => return Err(error.into()),
        }
    }
}

/// Whether asking again may help.
fn passes(error: &ClientError) -> bool {
    let temporary = |status: reqwest::StatusCode| status.is_server_error() || status.as_u16() == 429;
    matches!(error, ClientError::Unreachable(..)) || error.status().is_some_and(temporary)
}

/// Returns when the stream brings an event, or after a while without one.
async fn wait_for_news(client: &Client, generation: &Generation, news: &mut Option<News>) {
    let deadline = Instant::now() + POLL;
    if news.is_none() {
        let cursor = generation.events_cursor.as_ref().map_or_else(String::new, cursor_text);
        let path = format!("/api/generations/{}/events", generation.id);
        let opening = client.events(&path, &cursor);
        if let Ok(Ok(response)) = tokio::time::timeout_at(deadline, opening).await {
            *news = Some(News { response, line: Vec::new() });
        }
    }
    let event = async {
        match news {
            Some(stream) => stream.event().await,
            None => std::future::pending().await,
        }
    };
    if tokio::time::timeout_at(deadline, event).await == Ok(Heard::End) {
        // The next wait opens another one.
        *news = None;
        tokio::time::sleep(PAUSE).await;
    }
}

fn cursor_text(cursor: &Value) -> String {
    cursor.as_str().map_or_else(|| cursor.to_string(), str::to_owned)
}

/// An open stream of server-sent events.
struct News {
    response: Response,
    /// The line that has begun.
    line: Vec<u8>,
}

#[derive(Debug, PartialEq, Eq)]
enum Heard {
    /// Something has changed.
    Event,
    /// The stream is over.
    End,
}

impl News {
    /// Waits for the next event. Comments, which keep the connection alive, are passed over. Cancellation loses
    /// nothing that matters: after a wait the truth is asked for anyway.
    async fn event(&mut self) -> Heard {
        loop {
            match self.response.chunk().await {
                Ok(Some(bytes)) => {
                    if self.take(&bytes) {
                        return Heard::Event;
                    }
                }
                Ok(None) | Err(_) => return Heard::End,
            }
        }
    }

    /// Takes bytes in; true if they end the data line of an event.
    fn take(&mut self, bytes: &[u8]) -> bool {
        let mut found = false;
        for byte in bytes {
            if matches!(byte, b'\n' | b'\r') {
                found |= self.line.starts_with(b"data");
                self.line.clear();
            } else if self.line.len() < 4 {
                // No more of a line than tells what it is.
                self.line.push(*byte);
            }
        }
        found
    }
}

/// The progress bar; lines where there is no terminal to move one on.
struct Bar {
    bar: ProgressBar,
    said: std::cell::RefCell<String>,
}

impl Bar {
    fn new() -> Self {
        let bar = ProgressBar::new(100);
        if let Ok(style) = ProgressStyle::with_template("{bar:32} {pos:>3}%  {msg}  {elapsed}") {
            bar.set_style(style.progress_chars("━╸─"));
        }
        bar.enable_steady_tick(TICK);
        Self { bar, said: std::cell::RefCell::default() }
    }

    fn show(&self, generation: &Generation) {
        let now = doing(generation);
        if self.bar.is_hidden() && *self.said.borrow() != now {
            eprintln!("{now}");
            self.said.replace(now.clone());
        }
        self.bar.set_message(now);
        self.bar.set_position(generation.progress.unwrap_or(0).min(100));
    }

    fn end(&self) {
        self.bar.finish_and_clear();
    }
}

/// What is being done, for a person.
fn doing(generation: &Generation) -> String {
    let stage = match (generation.status, generation.stage) {
        (GenerationStatus::Queued, _) => match generation.queue_position {
            Some(position) if position > 1 => return format!("waiting, number {position} in the queue"),
            _ => "waiting for its turn",
        },
        (GenerationStatus::Processing, Some(Stage::Submitting)) => "handing it to the provider",
        (GenerationStatus::Processing, Some(Stage::Downloading)) => "downloading",
        (GenerationStatus::Processing, Some(Stage::Processing)) => "checking the video",
        (GenerationStatus::Processing, Some(Stage::Uploading)) => "storing the video",
        (GenerationStatus::Processing, Some(Stage::Retrying)) => "waiting for another try",
        (GenerationStatus::Processing, Some(Stage::Generating) | None) => "generating",
        (GenerationStatus::Completed, _) => "done",
        (GenerationStatus::Failed, _) => "failed",
        (GenerationStatus::Cancelled, _) => "cancelled",
        _ => "handing it to the worker",
    };
    stage.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn news() -> News {
        let empty = http::Response::new("");
        News { response: empty.into(), line: Vec::new() }
    }

    #[test]
    fn an_event_is_noticed_however_its_bytes_arrive() {
        let mut news = news();
        assert!(!news.take(b": still here\n\nid: 4\nevent: generation.upd"));
        assert!(!news.take(b"ated\nda"));
        assert!(!news.take(b"ta: {\"generation\": \"\"}"));
        assert!(news.take(b"\n\n"));
        assert!(!news.take(b": data\n\n"));
        assert!(news.take(b"data: {}\r\n\r\n"));
    }
}

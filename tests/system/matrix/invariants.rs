//! What must hold after any row, whatever happened in it: INVARIANTS by their numbers, read off what is left.

use std::{collections::BTreeSet, time::Duration};

use contract::Timestamp;
use serde_json::{Value, json};
use sha2::{Digest, Sha256};

use super::{story::Seen, world::World};
use crate::harness::video;

/// Something that must not be.
#[derive(Debug, Clone, serde::Serialize)]
pub(crate) struct Violation {
    /// `I1` to `I24`.
    pub(crate) invariant: &'static str,
    pub(crate) what: String,
}

/// Finds what is wrong with what is left.
pub(crate) struct Examiner<'a> {
    pub(crate) world: &'a World,
    pub(crate) seen: &'a Seen,
    /// Texts that nobody may read in a log.
    pub(crate) secrets: &'a [String],
    /// How long an unknown submission must be left alone.
    pub(crate) grace: Duration,
    /// Whether the provider tells by itself.
    pub(crate) is_hinted: bool,
    pub(crate) found: Vec<Violation>,
}

const TERMINAL: [&str; 3] = ["completed", "failed", "cancelled"];

fn is_terminal(status: &Value) -> bool {
    status.as_str().is_some_and(|status| TERMINAL.contains(&status))
}

/// Whether a column says so: SQLite has numbers for it.
pub(super) fn is_true(column: &Value) -> bool {
    *column == json!(true) || *column == 1
}

/// A time in a row, in microseconds: on PostgreSQL it is a text, on SQLite a number.
pub(super) fn micros(time: &Value) -> Option<i64> {
    match time {
        Value::Number(micros) => micros.as_i64(),
        Value::String(text) => text.parse::<Timestamp>().ok().map(Timestamp::as_micros),
        _ => None,
    }
}

/// The words that the provider is asked with: the prompt, or what the user has put in its place.
pub(super) fn words<'a>(world: &'a World, generation: &'a Value) -> &'a str {
    let job = world.rows("generation_job", "generation_id", &generation["id"]).next();
    let other = job.and_then(|job| job["enhanced_prompt"].as_str());
    other.or_else(|| generation["prompt"].as_str()).unwrap_or_default()
}

fn is_jpeg(bytes: &[u8]) -> bool {
    bytes.starts_with(&[0xff, 0xd8, 0xff]) && bytes.ends_with(&[0xff, 0xd9])
}

pub(super) fn hexadecimal(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().fold(String::new(), |hex, byte| format!("{hex}{byte:02x}"))
}

impl Examiner<'_> {
    pub(super) fn hold(&mut self, invariant: &'static str, holds: bool, what: impl FnOnce() -> String) {
        if !holds {
            self.found.push(Violation { invariant, what: what() });
        }
    }

    /// Everything.
    pub(crate) fn examine(mut self) -> Vec<Violation> {
        for generation in self.world.table("generation") {
            self.one_end(generation);
            self.history(generation);
            self.money(generation);
        }
        self.agreement();
        self.hints();
        self.hand_offs();
        self.charges();
        self.ownership();
        self.storage();
        self.listener();
        self.behaviour();
        self.secrecy();
        self.found
    }

    /// I1: there is an end. I3: it was told once, in the conversation.
    fn one_end(&mut self, generation: &Value) {
        let (world, id) = (self.world, &generation["id"]);
        self.hold("I1", is_terminal(&generation["status"]), || {
            format!("{id} is {} for ever", generation["status"])
        });
        let ends = |message: &&Value| {
            let says = match generation["status"].as_str() {
                Some("completed") => message["type"] == "generation_result",
                Some("failed") => message["type"] == "error",
                // A text without which the cancelled generation would have no answer.
                _ => message["type"] == "text",
            };
            message["role"] == "assistant" && says
        };
        let told = world.rows("message", "generation_id", id).filter(ends).count();
        self.hold("I3", told == 1, || format!("{id} ({}) was told {told} times", generation["status"]));
        let of_other_ends = world
            .rows("message", "generation_id", id)
            .filter(|message| {
                ["generation_result", "error"].contains(&message["type"].as_str().unwrap_or(""))
            })
            .count();
        let most = usize::from(generation["status"] != "cancelled");
        self.hold("I3", of_other_ends <= most, || format!("{id} has {of_other_ends} results or errors"));
    }

    /// I2: nothing follows the end. I5: progress does not fall within an attempt.
    fn history(&mut self, generation: &Value) {
        let mut events: Vec<_> = self
            .world
            .rows("event", "generation_id", &generation["id"])
            .filter(|event| event["name"] == "generation.updated")
            .collect();
        events.sort_by_key(|event| event["cursor"].as_i64());
        let mut last: Option<&Value> = None;
        for event in events {
            let now = &event["payload"];
            if let Some(before) = last {
                self.hold("I2", !is_terminal(&before["status"]), || {
                    format!("{} was {} and became {}", generation["id"], before["status"], now["status"])
                });
                let fell = before["attempt"] == now["attempt"]
                    && now["progress"].as_i64() < before["progress"].as_i64();
                self.hold("I5", !fell, || format!("{} fell to {}", before["progress"], now["progress"]));
            }
            last = Some(now);
        }
        self.hold("I2", last.is_some_and(|last| last["status"] == generation["status"]), || {
            format!("{}: the last event and the row differ", generation["id"])
        });
    }

    /// What the provider was asked for is what the user said yes to, in these words, and with the picture that came
    /// along.
    fn agreement(&mut self) {
        let pictures = usize::from(self.seen.picture.is_some());
        let agreed = self.seen.agreed.as_ref().map(|words| hexadecimal(words.as_bytes()));
        for submission in &self.world.ledger {
            let same = submission["promptSha256"].as_str() == agreed.as_deref();
            self.hold("words", same, || {
                format!("{} was submitted in words that nobody has agreed to", submission["operation"])
            });
            self.hold("picture", submission["images"] == json!(pictures), || {
                format!("{} was submitted with {} pictures", submission["operation"], submission["images"])
            });
        }
    }

    /// A provider that tells by itself is heard in the end, or the row has shown nothing of hints.
    fn hints(&mut self) {
        let hinted = self.is_hinted;
        for submission in self.world.ledger.iter().filter(|_| hinted) {
            let told = is_true(&submission["told"]);
            self.hold("hint", told, || format!("nobody hears of {}", submission["operation"]));
        }
    }

    /// I6, I7: what was committed has arrived. I8: the inbox holds what was delivered, once each. I9 is the way in which a row without webhooks comes to its end.
    fn hand_offs(&mut self) {
        let world = self.world;
        let commands = world.table("command").len();
        self.hold("I6", commands == 0, || format!("{commands} commands wait for ever"));
        for webhook in world.table("webhook") {
            let settled = webhook["state"] == "delivered" || webhook["state"] == "superseded";
            self.hold("I7", settled, || format!("webhook {} is {}", webhook["id"], webhook["state"]));
            let superseded = webhook["state"] == "superseded";
            let newer = world
                .rows("webhook", "job_id", &webhook["job_id"])
                .any(|other| other["sequence"].as_i64() > webhook["sequence"].as_i64());
            self.hold("I7", !superseded || newer, || format!("{} is superseded by nothing", webhook["id"]));
            let received = world.rows("inbox", "webhook_id", &webhook["id"]).count();
            let delivered = webhook["state"] == "delivered";
            self.hold("I8", !delivered || received == 1, || {
                format!("webhook {} is delivered and stands {received} times in the inbox", webhook["id"])
            });
        }
        let mut sequences = BTreeSet::new();
        for webhook in world.table("webhook") {
            let new = sequences.insert((webhook["job_id"].to_string(), webhook["sequence"].to_string()));
            self.hold("I7", new, || format!("a sequence was used twice: {}", webhook["sequence"]));
        }
        for generation in world.table("generation") {
            let jobs = world.rows("job", "generation_id", &generation["id"]).count();
            self.hold("I6", jobs == 1, || format!("{} has {jobs} jobs", generation["id"]));
            if let Some(job) = world.rows("job", "generation_id", &generation["id"]).next() {
                let agree = generation["status"] == job["status"]
                    // Called off while the worker was finishing: what it made is discarded.
                    || (generation["status"] == "cancelled" && (job["status"] == "failed" || is_true(&job["discarded"])));
                self.hold("I4", agree, || {
                    format!("{} is {}, its job is {}", generation["id"], generation["status"], job["status"])
                });
            }
        }
    }

    /// I11: nobody holds a job that has ended. I14: no job was given up that was not poison.
    fn ownership(&mut self) {
        for job in self.world.table("job") {
            let free = !is_terminal(&job["status"]) || job["lease_owner"].is_null();
            self.hold("I11", free, || format!("{} has ended and is held", job["id"]));
            let poison = job["error"]["code"] == "poison";
            self.hold("I14", !poison, || format!("{} was taken for poison", job["id"]));
        }
    }

    /// I18: what is completed is there. I19: nothing else is.
    fn storage(&mut self) {
        let (world, deleted) = (self.world, self.seen.deleted);
        let mut needed = BTreeSet::new();
        for job in world.table("job") {
            if job["status"] != "completed" || is_true(&job["discarded"]) {
                continue;
            }
            let result = &job["result"];
            let posters: Vec<_> = result["posters"].as_array().into_iter().flatten().collect();
            self.hold("I18", !posters.is_empty(), || format!("{} has no posters", job["id"]));
            for key in posters.iter().map(|poster| &poster["key"]).chain([&result["thumbnailKey"]]) {
                let key = key.as_str().unwrap_or_default();
                let picture = world.objects.get(key).and_then(|path| std::fs::read(path).ok());
                let is_whole = picture.is_none_or(|picture| is_jpeg(&picture));
                self.hold("I18", is_whole, || format!("{key} is no whole picture"));
                needed.insert(key.to_owned());
            }
            let video = result["videoKey"].as_str().unwrap_or_default();
            needed.insert(video.to_owned());
            let path = world.objects.get(video);
            let bytes = path.and_then(|path| std::fs::read(path).ok());
            self.hold("I18", bytes.is_some(), || format!("the video of {} is not there", job["id"]));
            if let Some(bytes) = bytes {
                let size = json!(bytes.len());
                self.hold("I18", result["fileSize"] == size, || {
                    format!("{}: {size} bytes, {} written down", job["id"], result["fileSize"])
                });
                self.hold("I18", result["sha256"] == hexadecimal(&bytes), || {
                    format!("{}: another checksum", job["id"])
                });
                let parsed = std::panic::catch_unwind(|| video::parse(&bytes));
                self.hold("I18", parsed.is_ok(), || format!("{} is no video", job["id"]));
            }
        }
        self.hold("I19", !deleted || needed.is_empty(), || {
            format!("the conversation was deleted, and {needed:?} are kept")
        });
        needed.extend(self.pictures());
        let there: BTreeSet<_> = world.objects.keys().cloned().collect();
        let missing: Vec<_> = needed.difference(&there).collect();
        self.hold("I18", missing.is_empty(), || format!("{missing:?} are not there"));
        let stray: Vec<_> = there.difference(&needed).collect();
        self.hold("I19", stray.is_empty(), || format!("nobody needs {stray:?}"));
        self.hold("I19", world.litter.is_empty(), || format!("litter: {:?}", world.litter));
    }

    /// The pictures that a user has and was told of, each of which is there as it was taken. I10: there is one for each
    /// that was sent, however often it was.
    fn pictures(&mut self) -> Vec<String> {
        let world = self.world;
        let kept = world.table("upload").iter().filter(|upload| is_true(&upload["stored"]));
        let mut keys = Vec::new();
        for upload in kept {
            let id = upload["id"].as_str();
            let is_told = id.is_some() && id == self.seen.picture.as_deref();
            self.hold("I10", is_told, || format!("{} is kept, and nobody was told of it", upload["id"]));
            let key = format!("uploads/{}.png", id.unwrap_or_default());
            let bytes = world.objects.get(&key).and_then(|path| std::fs::read(path).ok());
            let is_whole = bytes.is_some_and(|bytes| {
                upload["size"] == json!(bytes.len()) && upload["sha256"] == hexadecimal(&bytes)
            });
            self.hold("I18", is_whole, || format!("{key} is not there as it was taken"));
            keys.push(key);
        }
        keys
    }

    /// A listener that came back with its cursor has heard every event of its conversation, each once.
    fn listener(&mut self) {
        let heard: Vec<_> = self.seen.heard.iter().map(|event| event.cursor).collect();
        let expected: Vec<_> = (1..=heard.last().copied().unwrap_or(0)).collect();
        self.hold("I8", heard == expected, || format!("a listener heard {heard:?}"));
        let (world, conversation) = (self.world, &self.seen.generation["conversationId"]);
        for event in &self.seen.heard {
            let row = world
                .rows("event", "conversation_id", conversation)
                .find(|row| row["cursor"] == json!(event.cursor));
            let same = row.is_some_and(|row| row["name"] == event.name);
            self.hold("I8", same, || format!("event {} was heard and is not there", event.cursor));
        }
    }

    /// I21: what a fault took away was answered with 503, and nothing in a service panicked.
    fn behaviour(&mut self) {
        for wrong in &self.seen.wrong {
            self.found.push(Violation { invariant: "I21", what: wrong.clone() });
        }
        for line in self.world.logs.lines() {
            // A task that a fault has ended is begun again; one that panicked has a fault of its own.
            let broke = line.contains("panicked at");
            self.hold("I21", !broke, || line.chars().take(400).collect());
        }
    }

    /// I23: nothing that opens anything stands in a log.
    fn secrecy(&mut self) {
        for secret in self.secrets {
            let shown = self.world.logs.contains(secret.trim_start_matches("whsec_"));
            self.hold("I23", !shown, || "a secret is logged".to_owned());
        }
        let signed = self.world.logs.contains("X-Amz-Signature");
        self.hold("I23", !signed, || "a signed link is logged".to_owned());
    }
}

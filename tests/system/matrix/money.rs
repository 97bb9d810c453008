//! What must hold of submissions and of what they cost (I15–I17): judged by the provider's ledger, and by the worker's
//! own word only where the ledger cannot know.

use std::{collections::BTreeSet, time::Duration};

use serde_json::{Value, json};

use super::{
    invariants::{Examiner, hexadecimal, is_true, micros, words},
    story::Seen,
    world::World,
};
use crate::harness::Client;

/// What the provider accepted for a generation.
fn accepted<'a>(world: &'a World, generation: &Value) -> Vec<&'a Value> {
    let prompt = json!(hexadecimal(words(world, generation).as_bytes()));
    world.ledger.iter().filter(|submission| submission["promptSha256"] == prompt).collect()
}

/// Whether the provider itself says that nothing came of a submission, and so charges nothing for it. One that ended
/// without a video and without a word is none of these.
fn came_to_nothing(submission: &Value) -> bool {
    submission["state"] == "failed" || submission["state"] == "filtered"
}

/// Whether an attempt has written down the name of this submission.
fn names(attempt: &Value, submission: &Value) -> bool {
    let (operation, known) = (attempt["operation"].as_str(), submission["operation"].as_str());
    operation.zip(known).is_some_and(|(operation, known)| operation.ends_with(known))
}

/// Whether a video is owed for. The ledger decides: what the provider took, and did not report as come to nothing, is,
/// whatever the worker has made of it. Only where nobody has heard of a submission what became of it does it depend on
/// how the job ended.
fn is_owed(world: &World, generation: &Value) -> bool {
    let Some(job) = world.rows("job", "generation_id", &generation["id"]).next() else { return false };
    let attempts: Vec<_> = world.rows("attempt", "job_id", &job["id"]).collect();
    let taken = accepted(world, generation).into_iter().filter(|submission| !came_to_nothing(submission));
    let (named, nameless): (Vec<_>, Vec<_>) =
        taken.partition(|submission| attempts.iter().any(|attempt| names(attempt, submission)));
    // A submission whose answer was lost has no name here. There may be one in the ledger for each, and no more.
    let unknown = attempts.iter().filter(|attempt| attempt["state"] == "unknown").count();
    if !named.is_empty() || nameless.len() > unknown {
        return true;
    }
    let called_off = job["status"] == "cancelled";
    let is_late = job["error"]["code"] == "timeout";
    attempts.iter().any(|attempt| match attempt["state"].as_str() {
        // It ended while the submission was under way.
        Some("submitting") => true,
        // It was not waited for until anybody knew.
        Some("accepted") => called_off || is_late,
        // Who calls a job off before that is known pays; who is told that there will be no video does not.
        Some("unknown") => called_off,
        // The answer came, and had no name in it.
        Some("lost") => attempt["operation"].is_null(),
        _ => false,
    })
}

impl Examiner<'_> {
    /// I15: an attempt is one submission at most. I16, I17: no more submissions than were allowed.
    pub(super) fn money(&mut self, generation: &Value) {
        let (world, id) = (self.world, &generation["id"]);
        let accepted = accepted(world, generation);
        let Some(job) = world.rows("job", "generation_id", id).next() else {
            self.hold("I17", accepted.is_empty(), || format!("{id} was submitted without a job"));
            return;
        };
        let mut attempts: Vec<_> = world.rows("attempt", "job_id", &job["id"]).collect();
        attempts.sort_by_key(|attempt| attempt["number"].as_i64());
        let again = attempts.iter().filter(|attempt| is_true(&attempt["resubmission"]));
        let again = again.count();
        self.hold("I16", again <= 1, || format!("{id} was submitted again {again} times without knowing"));
        for pair in attempts.windows(2) {
            let begun = |attempt: &Value| micros(&attempt["created_at"]).unwrap_or_default();
            let pause = begun(pair[1]) - begun(pair[0]);
            let repeats = is_true(&pair[1]["resubmission"]);
            // A heartbeat's time apart, which a clock that has jumped may be wrong.
            let early = repeats && pause < self.grace.as_micros() as i64 - 1_000_000;
            self.hold("I16", !early, || format!("{id} was submitted again after {pause} µs"));
            let was_unknown = pair[0]["state"] == "unknown";
            self.hold("I16", repeats == was_unknown, || {
                format!("{id}: after one that was {}, a resubmission: {repeats}", pair[0]["state"])
            });
            let was_lost = pair[0]["state"] == "lost";
            self.hold("I17", !was_lost, || format!("{id} was submitted again after one that was lost"));
        }
        // By the provider's word: what the worker calls failed allows nothing.
        let failed = accepted.iter().filter(|submission| came_to_nothing(submission)).count();
        let allowed = 1 + failed + again;
        self.hold("I17", accepted.len() <= allowed, || {
            format!("{id}: the provider accepted {} submissions, {allowed} are allowed", accepted.len())
        });
        self.hold("I15", accepted.len() <= attempts.len(), || {
            format!("{id}: {} attempts, and the provider accepted {}", attempts.len(), accepted.len())
        });
        let mut operations: Vec<_> =
            attempts.iter().filter_map(|attempt| attempt["operation"].as_str()).collect();
        operations.sort_unstable();
        let count = operations.len();
        operations.dedup();
        self.hold("I15", operations.len() == count, || format!("{id}: an operation stands in two attempts"));
        let ledger: BTreeSet<_> = accepted.iter().filter_map(|entry| entry["operation"].as_str()).collect();
        let unknown =
            operations.iter().find(|operation| !ledger.iter().any(|known| operation.ends_with(known)));
        self.hold("I15", unknown.is_none(), || format!("{id}: the provider does not know {unknown:?}"));
    }

    /// What was held for a video is settled if [it is owed for](is_owed), and released otherwise.
    pub(super) fn charges(&mut self) {
        let world = self.world;
        for charge in world.table("charge") {
            let generation = world.rows("generation", "id", &charge["generation_id"]).next();
            let is_owed = generation.is_some_and(|generation| is_owed(world, generation));
            let expected = if is_owed { "settled" } else { "released" };
            self.hold("charge", charge["state"] == expected, || {
                format!("{} is {}, not {expected}", charge["generation_id"], charge["state"])
            });
        }
        for generation in world.table("generation") {
            let charges = world.rows("charge", "generation_id", &generation["id"]).count();
            let made = generation["status"] == "completed";
            self.hold("charge", !made || charges == 1, || {
                format!("{} was made and is charged {charges} times", generation["id"])
            });
        }
    }
}

/// What is found wrong about the money of a job that has ended so, after these attempts (how each stands, the
/// operation's name, and whether it repeats one of unknown fate), with these operations in the ledger.
fn wrong_with(
    job: &str,
    attempts: &[(&str, Option<&str>, bool)],
    ledger: &[(&str, &str)],
    charge: &str,
) -> Vec<&'static str> {
    let generation = json!({"id": "gen_1", "status": job, "prompt": "a boat"});
    let job = json!({"id": "job_1", "generation_id": "gen_1", "status": job});
    let attempt = |(index, (state, operation, repeats)): (usize, &(&str, Option<&str>, bool))| {
        json!({
            "job_id": "job_1", "number": index + 1, "state": state, "operation": operation,
            "resubmission": repeats, "created_at": 0,
        })
    };
    let attempts: Vec<_> = attempts.iter().enumerate().map(attempt).collect();
    let line = |(operation, state): &(&str, &str)| {
        let prompt = hexadecimal(b"a boat");
        json!({"operation": operation, "state": state, "promptSha256": prompt})
    };
    let charge = json!({"generation_id": "gen_1", "state": charge});
    let rows = [
        ("generation", vec![generation.clone()]),
        ("job", vec![job]),
        ("attempt", attempts),
        ("charge", vec![charge]),
    ];
    let world = World::of(rows, ledger.iter().map(line).collect());
    let seen = Seen {
        user: Client::anonymous("http://127.0.0.1:1"),
        generation: generation.clone(),
        agreed: None,
        answered: Vec::new(),
        picture: None,
        heard: Vec::new(),
        deleted: false,
        wrong: Vec::new(),
    };
    let grace = Duration::ZERO;
    let mut examiner =
        Examiner { world: &world, seen: &seen, secrets: &[], grace, is_hinted: false, found: Vec::new() };
    examiner.money(&generation);
    examiner.charges();
    examiner.found.iter().map(|violation| violation.invariant).collect()
}

#[test]
fn the_ledger_decides_what_may_be_submitted_and_what_is_owed() {
    let (a, b) = (Some("models/m/operations/a"), Some("models/m/operations/b"));
    let (of_a, of_b) = ("models/m/operations/a", "models/m/operations/b");
    let good: &[&str] = &[];
    for (job, attempts, ledger, charge, wrong) in [
        ("completed", &[("finished", a, false)][..], &[(of_a, "succeeded")][..], "settled", good),
        ("completed", &[("finished", a, false)], &[(of_a, "succeeded")], "released", &["charge"]),
        // It was submitted again because it was reported as failed; or because the worker says so.
        (
            "completed",
            &[("failed", a, false), ("finished", b, false)],
            &[(of_a, "failed"), (of_b, "succeeded")],
            "settled",
            good,
        ),
        (
            "completed",
            &[("failed", a, false), ("finished", b, false)],
            &[(of_a, "succeeded"), (of_b, "succeeded")],
            "settled",
            &["I17"],
        ),
        (
            "completed",
            &[("failed", a, false), ("finished", b, false)],
            &[(of_a, "empty"), (of_b, "succeeded")],
            "settled",
            &["I17"],
        ),
        (
            "completed",
            &[("rejected", None, false), ("finished", b, false)],
            &[(of_a, "succeeded"), (of_b, "succeeded")],
            "settled",
            &["I17"],
        ),
        // Once without knowing, and not under another name.
        (
            "completed",
            &[("unknown", None, false), ("finished", b, true)],
            &[(of_a, "succeeded"), (of_b, "succeeded")],
            "settled",
            good,
        ),
        (
            "completed",
            &[("unknown", None, false), ("finished", b, false)],
            &[(of_b, "succeeded")],
            "settled",
            &["I16"],
        ),
        (
            "completed",
            &[("accepted", a, false), ("finished", b, true)],
            &[(of_a, "succeeded"), (of_b, "succeeded")],
            "settled",
            &["I16"],
        ),
        // What has come to nothing costs nothing, whatever the worker calls it.
        ("failed", &[("failed", a, false)], &[(of_a, "failed")], "released", good),
        ("failed", &[("failed", a, false)], &[(of_a, "filtered")], "settled", &["charge"]),
        ("failed", &[("lost", a, false)], &[(of_a, "failed")], "settled", &["charge"]),
        ("failed", &[("failed", a, false)], &[(of_a, "succeeded")], "released", &["charge"]),
        ("failed", &[("rejected", None, false)], &[(of_a, "succeeded")], "released", &["charge"]),
        ("failed", &[("lost", a, false)], &[(of_a, "empty")], "settled", good),
        ("failed", &[("lost", None, false)], &[(of_a, "succeeded")], "released", &["charge"]),
        // The answer was lost: nobody pays who is told that there will be no video, and whoever did not wait does.
        ("failed", &[("unknown", None, false)], &[(of_a, "succeeded")], "released", good),
        ("failed", &[("unknown", None, false)], &[(of_a, "succeeded")], "settled", &["charge"]),
        ("failed", &[("unknown", None, false)], &[], "released", good),
        ("cancelled", &[("unknown", None, false)], &[], "released", &["charge"]),
        ("cancelled", &[("submitting", None, false)], &[], "settled", good),
        ("cancelled", &[("accepted", a, false)], &[(of_a, "failed")], "settled", good),
        ("cancelled", &[], &[], "settled", &["charge"]),
    ] {
        assert_eq!(
            wrong_with(job, attempts, ledger, charge),
            wrong,
            "{job}, {attempts:?}, {ledger:?}, {charge}"
        );
    }
}

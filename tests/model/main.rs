//! Exhaustive checks of the two lifecycles together: a generation in the API, its job in the worker, the outboxes
//! and the link between them, runners and the provider. Production's own pure functions decide; the model does
//! what I/O does around them, in every order and with every fault that its bounds allow. See `docs/MODEL.md`.

#![expect(clippy::expect_used, clippy::panic, reason = "a test that cannot go on fails")]

mod action;
mod api;
mod bounds;
mod defect;
mod drain;
mod fixture;
mod invariant;
mod properties;
mod report;
mod row;
mod runner;
mod worker;
mod world;

use bounds::{Bounds, Budget};
use defect::Defect;
use invariant::Invariant;
use report::{caught, check};

const NOTHING: Budget = Budget {
    drops: 0,
    duplicates: 0,
    refusals: 0,
    questions: 0,
    amendments: 0,
    rewordings: 0,
    crashes: 0,
    lapses: 0,
    stops: 0,
    unanswered: 0,
    failures: 0,
    progress: 0,
    deaths: 0,
    redeliveries: 0,
};

const BASE: Bounds = Bounds {
    name: "",
    budget: NOTHING,
    commands: 2,
    webhooks: 1,
    runners: 2,
    user_leaves: false,
    asks: false,
};

#[test]
fn over_a_link_that_loses() {
    let budget = Budget { drops: 2, ..NOTHING };
    check(Bounds { name: "link that loses", budget, webhooks: 2, ..BASE });
}

#[test]
fn over_a_link_that_repeats() {
    let budget = Budget { drops: 1, duplicates: 1, ..NOTHING };
    check(Bounds { name: "link that repeats", budget, ..BASE });
}

#[test]
fn with_a_user_who_changes_their_mind() {
    let budget = Budget { amendments: 1, rewordings: 1, ..NOTHING };
    check(Bounds { name: "user", budget, webhooks: 0, asks: true, user_leaves: true, ..BASE });
}

#[test]
fn with_a_user_who_leaves_over_a_bad_link() {
    let budget = Budget { drops: 1, ..NOTHING };
    check(Bounds { name: "user on a bad link", budget, commands: 1, user_leaves: true, ..BASE });
}

#[test]
fn with_workers_that_die_and_rise() {
    let budget = Budget { crashes: 2, lapses: 2, unanswered: 2, ..NOTHING };
    check(Bounds { name: "crashes", budget, commands: 1, webhooks: 0, ..BASE });
}

#[test]
fn with_a_user_who_leaves_workers_that_die() {
    let budget = Budget { crashes: 1, lapses: 1, unanswered: 1, ..NOTHING };
    check(Bounds { name: "crashes and user", budget, commands: 1, webhooks: 0, user_leaves: true, ..BASE });
}

#[test]
fn with_a_provider_that_fails() {
    let budget = Budget { unanswered: 2, failures: 2, progress: 1, crashes: 1, ..NOTHING };
    check(Bounds { name: "provider", budget, commands: 1, webhooks: 0, ..BASE });
}

#[test]
fn with_workers_that_are_stopped() {
    let budget = Budget { stops: 2, crashes: 1, lapses: 1, failures: 1, ..NOTHING };
    check(Bounds { name: "stops", budget, commands: 1, webhooks: 0, ..BASE });
}

#[test]
fn with_an_operator_and_dead_letters() {
    let budget = Budget { deaths: 1, redeliveries: 1, progress: 1, ..NOTHING };
    check(Bounds { name: "operator", budget, commands: 1, ..BASE });
}

#[test]
fn with_a_worker_that_refuses() {
    let budget = Budget { refusals: 1, duplicates: 1, ..NOTHING };
    check(Bounds { name: "refusals", budget, webhooks: 0, user_leaves: true, ..BASE });
}

#[test]
fn with_an_api_that_asks() {
    let budget = Budget { questions: 2, drops: 1, ..NOTHING };
    check(Bounds { name: "questions", budget, commands: 1, ..BASE });
}

/// A link on which everything can go wrong once, for faults that are put in.
const LINK: Bounds = Bounds {
    name: "",
    budget: Budget { drops: 1, duplicates: 1, progress: 1, ..NOTHING },
    webhooks: 2,
    ..BASE
};
/// Workers with which everything can go wrong once.
const WORKER: Bounds = Bounds {
    name: "",
    budget: Budget { crashes: 1, lapses: 1, unanswered: 1, ..NOTHING },
    commands: 1,
    webhooks: 0,
    ..BASE
};

#[test]
fn an_api_that_applies_old_snapshots_is_caught() {
    caught(LINK, Defect::AppliesOldSnapshots, Invariant::I4);
}

#[test]
fn an_api_that_changes_what_has_ended_is_caught() {
    caught(Bounds { user_leaves: true, ..LINK }, Defect::ChangesTheEnded, Invariant::I2);
}

#[test]
fn an_api_that_ends_silently_is_caught() {
    caught(LINK, Defect::EndsSilently, Invariant::I3);
}

#[test]
fn a_worker_that_takes_any_progress_is_caught() {
    let budget = Budget { progress: 2, ..NOTHING };
    caught(Bounds { budget, ..WORKER }, Defect::TakesAnyProgress, Invariant::I5);
}

#[test]
fn an_api_that_forgets_a_command_once_sent_is_caught() {
    caught(LINK, Defect::ForgetsTheCommand, Invariant::I6);
}

#[test]
fn a_worker_that_takes_silence_for_delivery_is_caught() {
    caught(LINK, Defect::TakesSilenceForDelivery, Invariant::I7);
}

#[test]
fn a_worker_that_counts_old_tries_is_caught() {
    let budget = Budget { deaths: 1, redeliveries: 1, ..NOTHING };
    caught(Bounds { budget, webhooks: 1, ..WORKER }, Defect::CountsOldTries, Invariant::I7);
}

#[test]
fn an_api_that_leaves_what_was_refused_is_caught() {
    let budget = Budget { refusals: 1, duplicates: 1, ..NOTHING };
    caught(Bounds { budget, ..LINK }, Defect::LeavesTheRefused, Invariant::I6);
}

#[test]
fn an_api_that_takes_other_words_after_the_yes_is_caught() {
    let budget = Budget { rewordings: 1, ..NOTHING };
    caught(Bounds { budget, ..WORKER }, Defect::RewordsTheConfirmed, Invariant::I6);
}

#[test]
fn an_api_without_an_inbox_is_caught() {
    caught(LINK, Defect::ForgetsTheInbox, Invariant::I8);
}

#[test]
fn a_runner_that_writes_without_the_lease_is_caught() {
    caught(WORKER, Defect::WritesWithoutTheLease, Invariant::I11);
}

#[test]
fn a_runner_that_posts_before_it_commits_is_caught() {
    caught(WORKER, Defect::PostsBeforeItCommits, Invariant::I15);
}

#[test]
fn a_runner_that_waits_for_no_grace_is_caught() {
    caught(WORKER, Defect::WaitsForNoGrace, Invariant::I16);
}

#[test]
fn a_runner_that_takes_silence_for_refusal_is_caught() {
    caught(WORKER, Defect::TakesSilenceForRefusal, Invariant::I17);
}

#[test]
fn a_runner_that_takes_the_lost_for_failed_is_caught() {
    for (unanswered, failures) in [(1, 0), (0, 1)] {
        let budget = Budget { unanswered, failures, ..NOTHING };
        caught(Bounds { budget, ..WORKER }, Defect::TakesTheLostForFailed, Invariant::I17);
    }
}

#[test]
fn a_runner_that_submits_what_was_accepted_is_caught() {
    caught(WORKER, Defect::SubmitsTheAccepted, Invariant::I17);
}

/// Wider bounds: `cargo xtask model --deep`.
mod deep {
    use super::*;

    #[test]
    #[ignore = "takes minutes"]
    fn everything_about_the_link() {
        let budget = Budget { drops: 1, duplicates: 1, ..NOTHING };
        check(Bounds { name: "deep: link and user", budget, webhooks: 2, user_leaves: true, ..BASE });
    }

    #[test]
    #[ignore = "takes minutes"]
    fn everything_about_workers() {
        let budget = Budget { crashes: 2, lapses: 2, unanswered: 1, failures: 1, stops: 1, ..NOTHING };
        check(Bounds { name: "deep: workers", budget, commands: 1, webhooks: 0, runners: 3, ..BASE });
    }

    #[test]
    #[ignore = "takes minutes"]
    fn everything_about_the_user() {
        let budget = Budget { amendments: 1, rewordings: 1, ..NOTHING };
        check(Bounds { name: "deep: user", budget, asks: true, user_leaves: true, ..BASE });
    }

    #[test]
    #[ignore = "takes minutes"]
    fn a_little_of_everything() {
        let budget = Budget { drops: 1, crashes: 1, lapses: 1, unanswered: 1, ..NOTHING };
        check(Bounds { name: "deep: everything", budget, commands: 1, ..BASE });
    }
}

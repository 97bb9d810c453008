//! The matrix: which fault happens to whom, in which story, on which database.

use std::{fmt, time::Duration};

use foundation::{crash::Place, settings::Setting};

use self::Moment as M;
use super::{story::Story, timers::Timers};
use crate::harness::{
    Backend,
    proxy::Wire,
    system::wire::{
        API_TO_DATABASE, API_TO_WORKER, PROVIDER_TO_WORKER, USER_TO_API, WORKER_TO_API, WORKER_TO_DATABASE,
        WORKER_TO_PROVIDER, WORKER_TO_STORAGE,
    },
};

/// One run of one story with one fault.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Row {
    pub(crate) backend: Backend,
    pub(crate) story: Story,
    pub(crate) fault: Fault,
    pub(crate) timers: Timers,
}

impl Row {
    /// Whether nothing but a hint brings the end: neither do hints stay away here, nor does anything happen to the
    /// worker after which it asks by itself.
    fn shows_hints(&self) -> bool {
        self.story.is_hinted() && matches!(self.fault, Fault::None | Fault::Forged { .. })
    }

    /// What both services are told: how fast the clocks run, and what the story needs.
    pub(crate) fn settings(&self) -> Vec<(&'static str, String)> {
        // Longer than any job's time: who does not hear the hint never asks, and the job ends as `timeout`.
        let unasked = self.shows_hints().then(|| ("POLL_INTERVAL", "1h".to_owned()));
        self.timers.settings().into_iter().chain(self.story.settings()).chain(unasked).collect()
    }
}

/// What goes wrong.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Fault {
    /// Nothing.
    None,
    /// A process dies at a point of its code.
    Crash { who: &'static str, point: String, back: Back },
    /// A process is killed when the story has come so far.
    Kill { who: &'static str, at: Moment, back: Back },
    /// A process is stopped by SIGTERM and started again.
    Restart { who: &'static str, at: Moment },
    /// A process sleeps for three leases and wakes.
    Freeze { who: &'static str, at: Moment },
    /// A wire is like this for a while, or until the story has come to its end.
    Wire { wire: &'static str, how: Wire, at: Moment, until: Until },
    /// Of two replicas, one is killed when the story has come so far, and nobody starts it again; of two workers, the
    /// one that has the job.
    Gone { who: &'static str, at: Moment },
    /// Of two workers, the one that has the job sleeps for three leases; the other takes the job over.
    Asleep { at: Moment },
    /// Hints come in the provider's name, before there is anything to tell and again: good ones, and forged ones.
    Forged { at: Moment },
    /// A process's clock is wrong from the start, by less than is refused.
    Skew { who: &'static str, seconds: i32 },
    /// A process's clock goes wrong by more than five minutes in the middle of the story, and is set right once each
    /// side has refused what the other says.
    Jump { who: &'static str, seconds: i32 },
    /// The disk with SQLite's files, the bucket, the provider's ledger, temporary files and logs is full for four
    /// leases.
    DiskFull { at: Moment },
    /// The PostgreSQL server crashes and comes back.
    DatabaseCrash { at: Moment },
}

/// When a process that died is started again.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Back {
    AtOnce,
    /// When its leases have run out.
    Late,
}

/// When a wire is mended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Until {
    /// After two leases.
    Soon,
    /// When the user has their answer.
    TheEnd,
}

/// How far a story has come, by the first line of the log that says so.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Moment {
    Start,
    Asked,
    Confirmed,
    Claimed,
    Submitting,
    Accepted,
    /// The operation's name is written down: nothing of the submission is unknown from here on.
    Polling,
    Downloading,
    Uploading,
}

impl Moment {
    /// Who says what; nothing for the start.
    pub(crate) const fn line(self) -> Option<(&'static str, &'static str)> {
        Some(match self {
            Self::Start => return None,
            Self::Asked => ("api", "[MESSAGE_CREATE] Returning response"),
            Self::Confirmed => ("api", "[GENERATION_CONFIRM] Generation updated in DB"),
            Self::Claimed => ("worker", "[QUEUE_MANAGER] Job claimed"),
            Self::Submitting => ("worker", "[VEO3_SERVICE] Submitting"),
            Self::Accepted => ("worker", "[VEO3_SERVICE] Operation accepted"),
            Self::Polling => ("worker", "[VEO3_SERVICE] Polling"),
            Self::Downloading => ("worker", "[VEO3_SERVICE] Downloading"),
            Self::Uploading => ("worker", "[GENERATION_WORKFLOW] Uploading to S3"),
        })
    }
}

/// Who comes by a place, and in which story. `None` for what no story of one user reaches.
const fn passing(place: Place) -> Option<(&'static str, Story)> {
    use Place as P;
    Some(match place {
        P::Registered
        | P::KeyClaimed
        | P::ConversationBegun
        | P::TurnTaken
        | P::Clarified
        | P::Confirmed
        | P::CommandsTaken
        | P::CommandSent
        | P::CommandAnswered
        | P::SnapshotApplied
        | P::JobsAsked
        | P::EventsPushed => ("api", Story::Video),
        // Whoever polls has the worker asked before the reconciler finds anything silent.
        P::JobsHeard => ("api", Story::Listens),
        P::Reworded => ("api", Story::Reworded),
        P::UploadReserved | P::UploadKept => ("api", Story::Picture),
        P::UploadBegun | P::PictureStored => ("worker", Story::Picture),
        P::Cancelled => ("api", Story::CalledOff),
        P::Expired => ("api", Story::Forgotten),
        P::ConversationDiscarded => ("api", Story::Deleted),
        P::CommandStored
        | P::WorkerRegistered
        | P::JobsClaimed
        | P::LeasesRenewed
        | P::AttemptBegun
        | P::Submitted
        | P::OperationAccepted
        | P::Polled
        | P::JobProgressed
        | P::Downloaded
        | P::ObjectBegun
        | P::VideoStored
        | P::ThumbnailStored
        | P::JobCompleted
        | P::JobReleased
        | P::WebhooksTaken
        | P::WebhookSent
        | P::WebhookSettled => ("worker", Story::Video),
        P::AttemptFailed => ("worker", Story::Fails),
        P::DeadlinePassed => ("worker", Story::NeverDone),
        P::ObjectRemoved => ("worker", Story::Deleted),
        // A worker that has forgotten a job has lost its database; and no user here asks for what is refused.
        P::CommandRenewed | P::AnswerKept => return None,
    })
}

/// Places that a story comes by more than once: what the second time finds is not what the first found.
const AGAIN: &[Place] = &[
    Place::KeyClaimed,
    Place::CommandsTaken,
    Place::CommandSent,
    Place::CommandStored,
    Place::CommandAnswered,
    Place::LeasesRenewed,
    Place::Polled,
    Place::JobProgressed,
    Place::WebhooksTaken,
    Place::WebhookSent,
    Place::WebhookSettled,
    Place::SnapshotApplied,
    Place::EventsPushed,
];

/// Points of the worker in other stories than that which comes by their place first: what is found there afterwards
/// is something else.
const ELSEWHERE: &[(Story, &str)] = &[
    // Before it is written down, nobody knows that it was taken: then it is repeated, once.
    (Story::Nameless, "after:submitted#1"),
    (Story::Nameless, "before:attempt_failed#1"),
    (Story::Nameless, "after:attempt_failed#1"),
    (Story::Unanswered, "after:submitted#1"),
    (Story::Unanswered, "before:attempt_failed#1"),
    (Story::Unanswered, "after:attempt_failed#1"),
    (Story::Empty, "before:attempt_failed#1"),
    (Story::Empty, "after:attempt_failed#1"),
    // The question that a hint has caused.
    (Story::Hinted, "before:polled#1"),
    (Story::Hinted, "after:polled#1"),
];

const STORIES: &[Story] = &[
    Story::Video,
    Story::Listens,
    Story::CalledOff,
    Story::Fails,
    Story::Filtered,
    Story::Throttled,
    Story::NeverDone,
    Story::Nameless,
    Story::Unanswered,
    Story::Empty,
    Story::Hinted,
    Story::Picture,
    Story::Reworded,
    Story::Forgotten,
    Story::Deleted,
];

const SLOW: Wire = Wire::Slow(Duration::from_millis(150));

/// All rows on a database, at a twentieth of the default timers.
pub(crate) fn all(backend: Backend) -> Vec<Row> {
    let mut rows = Vec::new();
    let mut add = |story, fault| rows.push(Row { backend, story, fault, timers: Timers::Twentieth });
    for story in STORIES {
        add(*story, Fault::None);
    }
    for place in Place::ALL {
        let Some((who, story)) = passing(*place) else { continue };
        let times = if AGAIN.contains(place) { 1..=2 } else { 1..=1 };
        for (time, side) in times.flat_map(|time| [(time, "before"), (time, "after")]) {
            let point = format!("{side}:{}#{time}", place.name());
            // One that dies at its start is started again at once.
            let backs = if *place == Place::WorkerRegistered {
                &[Back::AtOnce][..]
            } else {
                &[Back::AtOnce, Back::Late]
            };
            for back in backs {
                add(story, Fault::Crash { who, point: point.clone(), back: *back });
            }
        }
    }
    for (story, point) in ELSEWHERE {
        for back in [Back::AtOnce, Back::Late] {
            add(*story, Fault::Crash { who: "worker", point: (*point).to_owned(), back });
        }
    }
    let moments = [
        M::Asked,
        M::Confirmed,
        M::Claimed,
        M::Submitting,
        M::Accepted,
        M::Polling,
        M::Downloading,
        M::Uploading,
    ];
    for who in ["api", "worker"] {
        for at in moments {
            for back in [Back::AtOnce, Back::Late] {
                add(Story::Video, Fault::Kill { who, at, back });
            }
        }
        for at in [M::Confirmed, M::Submitting, M::Accepted, M::Uploading] {
            add(Story::Video, Fault::Restart { who, at });
            add(Story::Video, Fault::Freeze { who, at });
        }
        for seconds in [-235, 235] {
            add(Story::Video, Fault::Skew { who, seconds });
        }
    }
    for (who, at) in [("simulator", M::Submitting), ("simulator", M::Accepted), ("storage", M::Uploading)] {
        for back in [Back::AtOnce, Back::Late] {
            add(Story::Video, Fault::Kill { who, at, back });
        }
    }
    let wires = [
        (USER_TO_API, [M::Asked, M::Accepted]),
        (API_TO_WORKER, [M::Start, M::Confirmed]),
        (WORKER_TO_API, [M::Confirmed, M::Accepted]),
        (WORKER_TO_PROVIDER, [M::Confirmed, M::Accepted]),
        (WORKER_TO_STORAGE, [M::Downloading, M::Uploading]),
        (API_TO_DATABASE, [M::Asked, M::Accepted]),
        (WORKER_TO_DATABASE, [M::Asked, M::Accepted]),
    ];
    let wired = |wire| backend == Backend::Postgres || ![API_TO_DATABASE, WORKER_TO_DATABASE].contains(&wire);
    for (wire, moments) in wires.into_iter().filter(|(wire, _)| wired(*wire)) {
        for how in [Wire::Cut, Wire::Stalled, Wire::Deaf, SLOW] {
            for at in moments {
                add(Story::Video, Fault::Wire { wire, how, at, until: Until::Soon });
            }
        }
    }
    for at in [M::Start, M::Asked, M::Confirmed, M::Accepted, M::Uploading] {
        add(Story::Video, Fault::DiskFull { at });
    }
    // Not one webhook arrives before the user has the answer.
    for story in [Story::Video, Story::Listens, Story::Fails, Story::CalledOff, Story::Filtered, Story::Empty]
    {
        let lost = |how| Fault::Wire { wire: WORKER_TO_API, how, at: M::Start, until: Until::TheEnd };
        add(story, lost(Wire::Cut));
        add(story, lost(Wire::Deaf));
    }
    // Hints that come late, twice or never: the video is asked after all the same.
    for how in [Wire::Cut, Wire::Stalled, Wire::Deaf, SLOW] {
        let until = Until::TheEnd;
        add(Story::Hinted, Fault::Wire { wire: PROVIDER_TO_WORKER, how, at: M::Start, until });
    }
    for who in ["worker", "simulator"] {
        for back in [Back::AtOnce, Back::Late] {
            add(Story::Hinted, Fault::Kill { who, at: M::Accepted, back });
        }
    }
    add(Story::Hinted, Fault::Kill { who: "worker", at: M::Polling, back: Back::AtOnce });
    add(Story::Hinted, Fault::Freeze { who: "worker", at: M::Accepted });
    add(Story::Hinted, Fault::Restart { who: "worker", at: M::Accepted });
    add(Story::Hinted, Fault::Forged { at: M::Accepted });
    // The words are in whatever command comes through.
    for how in [Wire::Cut, Wire::Deaf] {
        let (at, until) = (M::Asked, Until::Soon);
        add(Story::Reworded, Fault::Wire { wire: API_TO_WORKER, how, at, until });
    }
    for (who, seconds) in [("api", -400), ("api", 400), ("worker", -400)] {
        add(Story::Video, Fault::Jump { who, seconds });
    }
    if backend == Backend::Postgres {
        for at in [M::Asked, M::Submitting, M::Accepted, M::Uploading] {
            add(Story::Video, Fault::DatabaseCrash { at });
        }
        // On SQLite a worker's clock is its database's, and what it put off while it was ahead waits for that time.
        add(Story::Video, Fault::Jump { who: "worker", seconds: 400 });
        for at in [M::Claimed, M::Submitting, M::Accepted, M::Polling, M::Downloading, M::Uploading] {
            add(Story::Video, Fault::Gone { who: "worker", at });
            add(Story::Video, Fault::Asleep { at });
        }
        for at in [M::Asked, M::Confirmed, M::Accepted, M::Uploading] {
            add(Story::Video, Fault::Gone { who: "api", at });
        }
        // The hint may come to the replica that does not have the job.
        add(Story::Hinted, Fault::Gone { who: "worker", at: M::Accepted });
        add(Story::Hinted, Fault::Asleep { at: M::Accepted });
    }
    rows
}

/// Some rows with the timers that a user has.
pub(crate) fn at_default_timers(backend: Backend) -> Vec<Row> {
    let crash = |who, point: &str, back| Fault::Crash { who, point: point.to_owned(), back };
    let mut faults = vec![
        Fault::None,
        crash("api", "after:turn_taken#1", Back::AtOnce),
        crash("api", "before:snapshot_applied#1", Back::Late),
        crash("worker", "after:job_completed#1", Back::Late),
        crash("worker", "after:operation_accepted#1", Back::Late),
        Fault::Kill { who: "worker", at: M::Polling, back: Back::AtOnce },
        Fault::Kill { who: "api", at: M::Polling, back: Back::Late },
        Fault::Freeze { who: "worker", at: M::Polling },
        Fault::Wire { wire: WORKER_TO_API, how: Wire::Cut, at: M::Start, until: Until::TheEnd },
        Fault::Wire { wire: API_TO_WORKER, how: Wire::Stalled, at: M::Confirmed, until: Until::Soon },
    ];
    if backend == Backend::Postgres {
        faults.push(Fault::Gone { who: "worker", at: M::Polling });
        faults.push(Fault::Asleep { at: M::Polling });
    }
    let row = |(story, fault)| Row { backend, story, fault, timers: Timers::Default };
    let lost = |how| Fault::Wire { wire: WORKER_TO_API, how, at: M::Start, until: Until::TheEnd };
    let videos = faults.into_iter().map(|fault| (Story::Video, fault));
    // I9, by the reconciler alone: whoever polls has the worker asked.
    let listens = [lost(Wire::Cut), lost(Wire::Deaf)].map(|fault| (Story::Listens, fault));
    // Whoever was to be told, and is not, asks.
    let untold = Fault::Wire { wire: PROVIDER_TO_WORKER, how: Wire::Cut, at: M::Start, until: Until::TheEnd };
    videos.chain(listens).chain([(Story::Hinted, untold)]).map(row).collect()
}

/// Some of the rows, for every run of the tests: those that need nothing to be installed and take little time.
pub(crate) fn few(backend: Backend) -> Vec<Row> {
    let crash = |who, point: &str, back| Fault::Crash { who, point: point.to_owned(), back };
    let mut faults = vec![
        (Story::Video, crash("api", "before:turn_taken#1", Back::AtOnce)),
        (Story::Video, crash("api", "after:snapshot_applied#1", Back::AtOnce)),
        (Story::Video, crash("worker", "before:job_completed#1", Back::Late)),
        (Story::CalledOff, Fault::Kill { who: "worker", at: M::Accepted, back: Back::AtOnce }),
        (
            Story::Video,
            Fault::Wire { wire: WORKER_TO_API, how: Wire::Deaf, at: M::Start, until: Until::TheEnd },
        ),
        (
            Story::Hinted,
            Fault::Wire { wire: PROVIDER_TO_WORKER, how: Wire::Cut, at: M::Start, until: Until::TheEnd },
        ),
        (Story::Hinted, Fault::None),
        (Story::Reworded, crash("api", "after:reworded#1", Back::AtOnce)),
        (Story::Picture, crash("api", "after:upload_kept#1", Back::AtOnce)),
    ];
    if backend == Backend::Postgres {
        faults.push((Story::Video, Fault::DatabaseCrash { at: M::Accepted }));
        faults.push((Story::Video, Fault::Gone { who: "worker", at: M::Polling }));
    }
    let row = |(story, fault)| Row { backend, story, fault, timers: Timers::Twentieth };
    faults.into_iter().map(row).collect()
}

/// Any row, by a number: the same one for the same number.
pub(crate) fn by_chance(backend: Backend, seed: u64) -> Row {
    let rows = all(backend);
    // Consecutive numbers are rows far apart (the multiplier is that of PCG).
    let index = seed.wrapping_add(1).wrapping_mul(6_364_136_223_846_793_005) >> 33;
    rows[index as usize % rows.len()].clone()
}

impl fmt::Display for Row {
    /// The name by which the row is run again.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let backend = match self.backend {
            Backend::Sqlite => "sqlite",
            Backend::Postgres => "postgres",
        };
        let timers = if self.timers == Timers::Default { "/default-timers" } else { "" };
        let word = |word: &dyn fmt::Debug| format!("{word:?}").to_lowercase();
        write!(f, "{backend}/{}/", word(&self.story))?;
        match &self.fault {
            Fault::None => write!(f, "nothing"),
            Fault::Crash { who, point, back } => write!(f, "crash/{who}/{point}/{}", word(back)),
            Fault::Kill { who, at, back } => write!(f, "kill/{who}/{}/{}", word(at), word(back)),
            Fault::Restart { who, at } => write!(f, "restart/{who}/{}", word(at)),
            Fault::Freeze { who, at } => write!(f, "freeze/{who}/{}", word(at)),
            Fault::Wire { wire, how, at, until } => {
                let how = if let Wire::Slow(_) = how { "slow".to_owned() } else { word(how) };
                write!(f, "wire/{wire}/{how}/{}/{}", word(at), word(until))
            }
            Fault::Gone { who, at } => write!(f, "gone/{who}/{}", word(at)),
            Fault::Asleep { at } => write!(f, "asleep/worker/{}", word(at)),
            Fault::Forged { at } => write!(f, "forged/{}", word(at)),
            Fault::Skew { who, seconds } => write!(f, "skew/{who}/{seconds:+}s"),
            Fault::Jump { who, seconds } => write!(f, "jump/{who}/{seconds:+}s"),
            Fault::DiskFull { at } => write!(f, "disk-full/{}", word(at)),
            Fault::DatabaseCrash { at } => write!(f, "database-crash/{}", word(at)),
        }?;
        f.write_str(timers)
    }
}

#[test]
fn there_are_enough_rows_and_each_has_its_name() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let names: std::collections::BTreeSet<_> = all(backend).iter().map(Row::to_string).collect();
        assert_eq!(names.len(), all(backend).len());
        assert!(names.len() >= 200, "{}", names.len());
        assert!(at_default_timers(backend).len() >= 10);
    }
}

#[test]
fn where_hints_are_shown_nothing_else_brings_the_end() {
    for backend in [Backend::Sqlite, Backend::Postgres] {
        let (all, few) = (all(backend), few(backend));
        let hinted = all.iter().chain(&few).filter(|row| row.story.is_hinted());
        let (shown, others): (Vec<_>, Vec<_>) = hinted.partition(|row| row.shows_hints());
        assert!(shown.len() >= 3 && others.len() >= 10, "{} and {}", shown.len(), others.len());
        for row in shown.iter().chain(&others) {
            let settings: std::collections::BTreeMap<_, _> = row.settings().into_iter().collect();
            let span = |name: &str| Duration::parse(&settings[name]).unwrap();
            let is_never_asked = span("POLL_INTERVAL") > span("JOB_DEADLINE");
            assert_eq!(is_never_asked, row.shows_hints(), "{row}");
        }
    }
}

//! Named points at which a test can have the process die: before and after each commit and each send on the way
//! from a user's message to the event that tells of the video. Unless `CRASH_AT` is set, passing one costs a look
//! at a flag.
//!
//! Death is `abort`: nothing is unwound, flushed or closed, as with kill -9. A commit's points come with
//! [`transaction!`](crate::transaction!), which takes the place's name; a send is wrapped in [`sending`].

use std::{
    fmt,
    io::Write as _,
    sync::{
        OnceLock,
        atomic::{AtomicU32, Ordering},
    },
};

use crate::settings::{Environment, Setting, SettingError};

macro_rules! places {
    ($($(#[doc = $about:literal])* $place:ident = $name:literal;)*) => {
        /// A commit or a send.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Place {
            $($(#[doc = $about])* $place,)*
        }

        impl Place {
            /// Every place, in the order in which a generation comes by.
            pub const ALL: &[Self] = &[$(Self::$place),*];

            /// Its name in `CRASH_AT`.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Self::$place => $name,)*
                }
            }
        }
    };
}

places! {
    /// api-service commits a new account.
    Registered = "registered";
    /// api-service commits the claim of an idempotency key.
    KeyClaimed = "key_claimed";
    /// api-service commits the answer to a request that changed nothing.
    AnswerKept = "answer_kept";
    /// api-service commits a new conversation.
    ConversationBegun = "conversation_begun";
    /// api-service commits that a picture is about to be stored.
    UploadReserved = "upload_reserved";
    /// worker-service commits that a picture is about to be uploaded.
    UploadBegun = "upload_begun";
    /// worker-service uploads the picture.
    PictureStored = "picture_stored";
    /// api-service commits that a picture is stored.
    UploadKept = "upload_kept";
    /// api-service commits a user's message with all that follows from it.
    TurnTaken = "turn_taken";
    /// api-service commits the answers to questions.
    Clarified = "clarified";
    /// api-service commits other words for a video that is not confirmed yet.
    Reworded = "reworded";
    /// api-service commits a user's yes.
    Confirmed = "confirmed";
    /// api-service commits that a user called a generation off.
    Cancelled = "cancelled";
    /// api-service commits that nobody confirmed a generation in time.
    Expired = "expired";
    /// api-service commits that a conversation is deleted.
    ConversationDiscarded = "conversation_discarded";
    /// api-service commits which commands it is about to send.
    CommandsTaken = "commands_taken";
    /// api-service sends a command to the worker.
    CommandSent = "command_sent";
    /// worker-service commits a command.
    CommandStored = "command_stored";
    /// api-service commits the worker's answer to a command.
    CommandAnswered = "command_answered";
    /// api-service puts a command that the worker has forgotten into the outbox again.
    CommandRenewed = "command_renewed";
    /// worker-service commits that it has started.
    WorkerRegistered = "worker_registered";
    /// worker-service commits that it has jobs.
    JobsClaimed = "jobs_claimed";
    /// worker-service commits that it still has them.
    LeasesRenewed = "leases_renewed";
    /// worker-service commits that a submission is about to be made.
    AttemptBegun = "attempt_begun";
    /// worker-service submits to the provider.
    Submitted = "submitted";
    /// worker-service commits the provider's name for the operation.
    OperationAccepted = "operation_accepted";
    /// worker-service asks the provider how an operation stands.
    Polled = "polled";
    /// worker-service commits how far a job has come.
    JobProgressed = "job_progressed";
    /// worker-service fetches the video.
    Downloaded = "downloaded";
    /// worker-service commits that an object is about to be uploaded.
    ObjectBegun = "object_begun";
    /// worker-service uploads the video.
    VideoStored = "video_stored";
    /// worker-service uploads the thumbnail and the posters.
    ThumbnailStored = "thumbnail_stored";
    /// worker-service commits that a job is completed.
    JobCompleted = "job_completed";
    /// worker-service commits that an attempt failed.
    AttemptFailed = "attempt_failed";
    /// worker-service commits that a job's time is over.
    DeadlinePassed = "deadline_passed";
    /// worker-service commits that it hands a job back.
    JobReleased = "job_released";
    /// worker-service commits which webhooks it is about to send.
    WebhooksTaken = "webhooks_taken";
    /// worker-service sends a webhook.
    WebhookSent = "webhook_sent";
    /// api-service commits what a webhook or the reconciler tells of a job.
    SnapshotApplied = "snapshot_applied";
    /// worker-service commits what became of a webhook.
    WebhookSettled = "webhook_settled";
    /// api-service asks the worker how jobs stand.
    JobsAsked = "jobs_asked";
    /// api-service commits that the worker has spoken of jobs, and said nothing new.
    JobsHeard = "jobs_heard";
    /// api-service hands events to those who listen.
    EventsPushed = "events_pushed";
    /// worker-service removes an object that nobody needs.
    ObjectRemoved = "object_removed";
}

crate::settings! {
    /// How tests have a service die.
    pub struct CrashSettings {
        /// For tests: the point at which the process dies, as before:job_completed or after:webhook_sent#2,
        /// which is the second time. Never set it on a system that is in use.
        pub at: Option<Point> = optional("CRASH_AT"),
    }
}

/// Which side of a place.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// All is prepared, nothing is done.
    Before,
    /// It is done, and nobody knows yet.
    After,
}

/// A point, and the how manieth passing of it is the last.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Point {
    side: Side,
    place: Place,
    passing: u32,
}

impl Setting for Point {
    fn parse(text: &str) -> Result<Self, String> {
        let form = || "must be before:PLACE or after:PLACE, perhaps with #N".to_owned();
        let (point, passing) = text.split_once('#').unwrap_or((text, "1"));
        let (side, name) = point.split_once(':').ok_or_else(form)?;
        let side = match side {
            "before" => Side::Before,
            "after" => Side::After,
            _ => return Err(form()),
        };
        let place = Place::ALL.iter().copied().find(|place| place.name() == name);
        let place = place.ok_or_else(|| {
            let names: Vec<_> = Place::ALL.iter().map(|place| place.name()).collect();
            format!("must name one of {}", names.join(", "))
        })?;
        let passing = passing.parse().ok().filter(|passing| *passing > 0).ok_or_else(form)?;
        Ok(Self { side, place, passing })
    }
}

impl fmt::Display for Point {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let side = match self.side {
            Side::Before => "before",
            Side::After => "after",
        };
        write!(f, "{side}:{}#{}", self.place.name(), self.passing)
    }
}

struct Armed {
    point: Point,
    passed: AtomicU32,
}

static ARMED: OnceLock<Armed> = OnceLock::new();

/// Reads `CRASH_AT` and makes ready. To be called once, at the process's start, when it can log.
pub fn arm(environment: &Environment) -> Result<(), SettingError> {
    if let Some(point) = CrashSettings::read(environment)?.at {
        telemetry::event!(WARN, SERVICE_CRASH_POINT_SET, point = %point);
        // A second call in one process keeps the first one's.
        let _ = ARMED.set(Armed { point, passed: AtomicU32::new(0) });
    }
    Ok(())
}

/// Passes a point. The process dies here if that was asked for.
pub fn pass(side: Side, place: Place) {
    if let Some(armed) = ARMED.get()
        && (armed.point.side, armed.point.place) == (side, place)
        && armed.passed.fetch_add(1, Ordering::Relaxed) + 1 == armed.point.passing
    {
        // Past the log, which may write later than this: who reads the output sees what happened.
        let _ = writeln!(std::io::stderr(), "CRASH_AT={}: this process dies now", armed.point);
        std::process::abort();
    }
}

/// Passes a point with what a commit comes to, unless that is an error or nothing.
pub fn pass_with<T, E>(side: Side, place: Place, result: &Result<T, E>, nothing: impl FnOnce(&T) -> bool) {
    if let Ok(value) = result
        && !nothing(value)
    {
        pass(side, place);
    }
}

/// Does a send, between its two points. Drops the send when dropped.
pub async fn sending<T>(place: Place, send: impl Future<Output = T>) -> T {
    pass(Side::Before, place);
    let answer = send.await;
    pass(Side::After, place);
    answer
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_point_is_read_and_written() {
        let point = Point::parse("after:webhook_sent#2").unwrap();
        assert_eq!(point, Point { side: Side::After, place: Place::WebhookSent, passing: 2 });
        assert_eq!(point.to_string(), "after:webhook_sent#2");
        assert_eq!(Point::parse("before:turn_taken").unwrap().to_string(), "before:turn_taken#1");
        for wrong in ["", "turn_taken", "at:turn_taken", "before:nowhere", "after:turn_taken#0", "after:#1"] {
            assert!(Point::parse(wrong).is_err(), "{wrong}");
        }
        assert!(Point::parse("before:nowhere").unwrap_err().contains("job_completed"));
    }

    #[test]
    fn names_are_unique() {
        let names: std::collections::BTreeSet<_> = Place::ALL.iter().map(|place| place.name()).collect();
        assert_eq!(names.len(), Place::ALL.len());
    }
}

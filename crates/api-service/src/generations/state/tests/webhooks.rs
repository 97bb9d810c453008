//! The webhooks of one job, delivered in any order, some never and some again and again: what comes of them is
//! what a fold over those that count says, written down here without [`decide`].

use contract::events::{self, Event, EventType, Received};
use proptest::sample::Index;

use super::*;

/// What the fold knows of a generation.
#[derive(Clone, Debug, PartialEq)]
struct Folded {
    status: Status,
    sequence: i64,
    attempt: i32,
    progress: i32,
    begun: bool,
    said: Option<MessageKind>,
}

impl Folded {
    fn of(generation: &Generation) -> Self {
        Self {
            status: generation.status,
            sequence: generation.job.sequence,
            attempt: generation.attempt,
            progress: generation.progress,
            begun: generation.started_at.is_some(),
            said: None,
        }
    }

    /// Whether an event counts (I2, I4).
    fn selects(&self, job: &JobSnapshot) -> bool {
        self.said.is_none() && job.sequence > self.sequence
    }

    fn take(&mut self, job: &JobSnapshot) {
        self.sequence = job.sequence;
        let told = job.progress.min(99);
        if job.attempt > self.attempt {
            (self.attempt, self.progress) = (job.attempt, told);
        } else {
            self.progress = self.progress.max(told);
        }
        // A job that came to nothing leaves open whether it ever began.
        self.begun |= match job.status {
            JobStatus::Failed | JobStatus::Cancelled => false,
            JobStatus::Active => true,
            JobStatus::Completed => job.started_at.is_some(),
            _ => job.started_at.is_some() || job.stage == Some(Stage::Retrying),
        };
        let (status, said) = match job.status {
            JobStatus::Completed => (Status::Completed, Some(MessageKind::GenerationResult)),
            JobStatus::Failed => (Status::Failed, Some(MessageKind::Error)),
            JobStatus::Cancelled => (Status::Cancelled, Some(MessageKind::Text)),
            _ if self.begun => (Status::Processing, None),
            _ => (Status::Queued, None),
        };
        if status == Status::Completed {
            self.progress = 100;
        }
        (self.status, self.said) = (status, said);
    }
}

prop_compose! {
    /// What a job says at one moment, whether or not it could say so after what it said before.
    fn any_event()(
        kind in proptest::sample::select(EventType::ALL),
        waiting in any::<bool>(),
        started in any::<bool>(),
        attempt in 0_i32..4,
        progress in 0_i32..=100,
        stage in proptest::option::of(proptest::sample::select(Stage::ALL)),
        position in proptest::option::of(1_i64..5),
    ) -> Event {
        let status = match kind {
            EventType::Started | EventType::Progress if waiting => JobStatus::Confirmed,
            EventType::Started | EventType::Progress => JobStatus::Active,
            EventType::Completed => JobStatus::Completed,
            EventType::Failed => JobStatus::Failed,
            EventType::Cancelled => JobStatus::Cancelled,
        };
        let data = JobSnapshot {
            attempt,
            progress,
            stage,
            queue_position: position.filter(|_| waiting),
            started_at: started.then_some(NOW),
            ..snapshot(&generation(), status)
        };
        Event { kind, timestamp: NOW, data }
    }
}

/// The events of a job by their sequence, in which ends are rare enough to be followed by more.
fn history() -> impl Strategy<Value = Vec<Event>> {
    let running = any_event().prop_filter("not over", |event| !event.data.status.is_terminal());
    proptest::collection::vec(prop_oneof![6 => running, 1 => any_event()], 1..16)
}

/// Applies events in their order; what the assistant said of it, too.
fn applied(mut generation: Generation, events: &[&Event]) -> (Generation, Vec<MessageKind>) {
    let mut said = Vec::new();
    for event in events {
        if let Ok(Decision::Change(change)) = decide(&generation, Input::Snapshot(&event.data), NOW) {
            said.extend(change.says.map(|(kind, _)| kind));
            generation = change.after;
        }
    }
    (generation, said)
}

proptest! {
    /// I2 to I5 for what comes over the wire, and the end is that of the events that count, applied alone.
    #[test]
    fn webhooks_in_any_order_come_to_what_those_that_count_come_to(
        start in proptest::sample::select(&[Status::Confirmed, Status::Queued, Status::Processing][..]),
        mut history in history(),
        deliveries in proptest::collection::vec(any::<Index>(), 0..40),
    ) {
        let mut generation = in_status(start);
        generation.worker_job_id = Some(JobId::new());
        let begin = generation.clone();
        for (sequence, event) in (0..).zip(&mut history) {
            event.data.sequence = sequence;
            event.data.job_id = begin.worker_job_id.clone().unwrap();
            let body = serde_json::to_vec(&event).unwrap();
            prop_assert!(
                matches!(events::parse(&body), Ok(Received::Known(_))),
                "only what a receiver takes is worth a try"
            );
        }
        let delivered: Vec<_> = deliveries.iter().map(|index| index.get(&history)).collect();

        let (mut fold, mut counting) = (Folded::of(&generation), Vec::new());
        for event in &delivered {
            let decision = decide(&generation, Input::Snapshot(&event.data), NOW).unwrap();
            if !fold.selects(&event.data) {
                let why = if fold.said.is_some() { Unchanged::Terminal } else { Unchanged::Late };
                prop_assert_eq!(decision, Decision::Nothing(why));
                continue;
            }
            let Decision::Change(change) = decision else {
                return Err(TestCaseError::fail(format!("{event:?} counts: {decision:?}")));
            };
            let falls = change.after.progress < generation.progress;
            prop_assert!(!falls || change.after.attempt > generation.attempt, "I5");
            fold.take(&event.data);
            counting.push(*event);
            generation = change.after;
            prop_assert_eq!(&Folded { said: fold.said, ..Folded::of(&generation) }, &fold);
        }

        let (through_all, said) = applied(begin.clone(), &delivered);
        prop_assert_eq!(&through_all, &generation);
        prop_assert_eq!(applied(begin, &counting), (through_all, said.clone()));
        // I3: one message with the end, and none without.
        prop_assert_eq!(generation.status.is_terminal(), fold.said.is_some());
        prop_assert_eq!(said, Vec::from_iter(fold.said));
    }
}

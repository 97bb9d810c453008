//! The state of the model: what both databases hold, what runs, what the provider did, and what is under way.

use std::hash::{DefaultHasher, Hash, Hasher};

use api_service::generations::generation::Generation;
use contract::{
    events::EventType,
    worker_api::{Command, CommandAnswer, JobSnapshot},
};
use worker_service::store::{Attempt, Job, WebhookState};

use crate::{bounds::Budget, invariant::Broken, row::Row};

/// Everything.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct World {
    pub api: Api,
    pub worker: Worker,
    /// Those that run the job, or believe that they do; the newest last.
    pub runners: Vec<Runner>,
    pub provider: Provider,
    pub network: Network,
    /// The faults and choices that may still happen.
    pub left: Budget,
    /// What was seen to break at a step.
    pub broken: Broken,
}

impl World {
    /// Tells worlds apart by what can happen in them without faults: all but what is left and what broke.
    pub fn core(&self) -> u64 {
        let Self { api, worker, runners, provider, network, left: _, broken: _ } = self;
        let mut hasher = DefaultHasher::new();
        (api, worker, runners, provider, network).hash(&mut hasher);
        hasher.finish()
    }
}

/// The API's database.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Api {
    pub generation: Row<Generation>,
    /// Whether its conversation was deleted.
    pub deleted: bool,
    /// How often the assistant has told its end (I3).
    pub ends: u8,
    /// The outbox's row (I6).
    pub outbox: Option<Row<Command>>,
    /// The webhooks that were taken, by their sequence; a webhook's id and its sequence name the same (I8).
    pub inbox: Sequences,
    /// Those of them that changed something.
    pub effects: Sequences,
}

/// The worker's database.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Worker {
    pub job: Option<Row<Job>>,
    pub attempts: Row<Vec<Attempt>>,
    /// The outbox, by sequence from 1.
    pub webhooks: Vec<Webhook>,
    /// Whether the job's lease has run out.
    pub lapsed: bool,
    /// Whether the job waits for the end of the grace window.
    pub in_grace: bool,
    /// Whether a grace window has ended.
    pub grace_over: bool,
    /// The epoch of the newest claim as long as nothing has ended it: who may write (I11). Counted by the model.
    pub holder: Option<u8>,
    /// How many claims there were.
    pub claims: u8,
}

/// A row of the worker's outbox.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Webhook {
    pub kind: EventType,
    pub state: WebhookState,
    /// Whether it was asked for again and no try has begun since. Stands for `attempts_before`, which says the same of
    /// a try by its number.
    pub asked_again: bool,
    /// Forgotten as soon as nothing can send it any more, so that equal worlds are equal.
    pub body: Option<Row<JobSnapshot>>,
}

/// A try to deliver a webhook.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Try {
    /// It was begun before the webhook was asked for again.
    OfBefore,
    /// Nobody has asked for it since.
    Newest,
}

/// A runner: its lease's copy of the job, and how far it is.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Runner {
    pub job: Row<Job>,
    pub attempts: Row<Vec<Attempt>>,
    /// Which claim it comes from.
    pub claim: u8,
    pub at: At,
}

/// How far a runner is: the next thing that it does.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum At {
    /// It looks what is written down of the attempts.
    Begin,
    /// The attempt is committed; it sends the POST.
    Post { resubmission: bool },
    /// The provider answered, or not; it writes that down.
    Posted(Posted),
    /// It asks the provider how the operation stands.
    Follow,
    /// It fetches and stores the video.
    Deliver,
}

/// How a POST ended for who sent it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Posted {
    /// The provider took it: the number of the operation in the ledger.
    Accepted(usize),
    /// No answer came.
    Unknown,
    /// It was taken, and the answer names no operation.
    Nameless,
    /// It was refused, for the time being or for good.
    Rejected { for_good: bool },
}

/// The provider, and its ledger.
#[derive(Clone, Debug, Default, PartialEq, Eq, Hash)]
pub struct Provider {
    /// Every POST that reached it.
    pub posts: Vec<Post>,
}

/// A POST in the ledger.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct Post {
    /// The attempt that it belongs to.
    pub attempt: i32,
    /// Whether it repeated one whose fate was unknown.
    pub resubmission: bool,
    pub state: Operation,
}

/// How the provider stands to a POST.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Operation {
    Refused,
    Making,
    Made,
    Failed { for_good: bool },
}

/// What is under way; nothing of it is in order.
#[derive(Clone, Debug, Default, PartialEq, Hash)]
pub struct Network {
    pub commands: Vec<Row<Command>>,
    pub answers: Vec<Answer>,
    pub webhooks: Vec<Event>,
    /// The sequences of webhooks that were answered 2xx.
    pub acknowledgements: Vec<i64>,
    /// What the worker answered when it was asked about the generation.
    pub status: Option<Row<Option<JobSnapshot>>>,
}

/// The answer to a command of this revision.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Answer {
    pub revision: i64,
    /// `None` is a refusal.
    pub said: Option<Row<CommandAnswer>>,
}

/// A webhook under way.
#[derive(Clone, Debug, PartialEq, Hash)]
pub struct Event {
    pub sequence: i64,
    pub kind: EventType,
    pub body: Row<JobSnapshot>,
}

impl Network {
    /// Whether a try of this webhook is under way: it, or the answer to it.
    pub fn is_trying(&self, sequence: i64) -> bool {
        self.webhooks.iter().any(|event| event.sequence == sequence)
            || self.acknowledgements.contains(&sequence)
    }

    /// Brings it into the one form that all orders of the same packets have.
    pub fn sort(&mut self) {
        self.commands.sort_by_key(|command| (command.revision, command.print()));
        self.answers.sort_by_key(|answer| (answer.revision, answer.said.as_ref().map(Row::print)));
        self.webhooks.sort_by_key(|event| (event.sequence, event.body.print()));
        self.acknowledgements.sort_unstable();
    }
}

/// A set of sequences.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct Sequences(u64);

impl Sequences {
    /// Adds one; says whether it is new.
    pub fn add(&mut self, sequence: i64) -> bool {
        let bit = 1_u64 << u32::try_from(sequence).expect("sequences are small in a bounded world");
        let new = self.0 & bit == 0;
        self.0 |= bit;
        new
    }

    pub fn has(self, sequence: i64) -> bool {
        self.0 >> sequence & 1 == 1
    }
}

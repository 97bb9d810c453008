//! What can happen, and stateright's view of it: from a world to all that can come next.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex},
};

use api_service::generations::{
    generation::Generation,
    state::{Change, Decision, Input, decide},
    wording::Wording,
};
use contract::{GenerationStatus as Status, JobStatus};
use stateright::{Model, Property};
use worker_service::store::WebhookState;

use crate::{
    bounds::Bounds,
    defect::Defect,
    drain::Drained,
    fixture::{self, NOW, QUOTE, RESPONSES, WORDS},
    invariant::Broken,
    properties,
    row::Row,
    runner::Move,
    world::{Answer, Api, Network, Provider, Sequences, Try, Worker, World},
};

/// One thing that happens. A packet is named by its place among those of its kind.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Action {
    UserAnswers,
    UserAmends,
    UserRewords,
    UserConfirms { rewords: bool },
    UserCancels,
    UserDeletes,
    Expires,
    SendCommand,
    CommandArrives { packet: usize, stays: bool },
    CommandIsLost { packet: usize },
    CommandIsRefused { packet: usize },
    AnswerArrives { packet: usize, stays: bool },
    AnswerIsLost { packet: usize },
    SendWebhook { sequence: i64 },
    WebhookArrives { packet: usize, stays: bool },
    WebhookIsLost { packet: usize },
    WebhookDies { sequence: i64, tried: Try },
    WebhookIsRedelivered { sequence: i64 },
    AcknowledgementArrives { packet: usize, stays: bool },
    AcknowledgementIsLost { packet: usize },
    ApiAsks,
    StatusArrives,
    StatusIsLost,
    JobIsClaimed,
    GraceEnds,
    LeaseLapses,
    WorkerCrashes,
    Runner { index: usize, does: Move },
}

/// The system under these bounds, perhaps with a fault in it.
pub struct System {
    pub bounds: Bounds,
    pub defect: Defect,
    /// What became of worlds that were left to themselves, by their [core](World::core).
    pub drained: Arc<Mutex<HashMap<u64, Drained>>>,
}

impl System {
    pub fn new(bounds: Bounds, defect: Defect) -> Self {
        Self { bounds, defect, drained: Arc::default() }
    }

    /// The world after an action; the same world where it changes nothing.
    pub fn after(&self, world: &World, action: Action) -> World {
        let (mut world, defect) = (world.clone(), self.defect);
        match action {
            Action::UserAnswers => {
                world.user(Input::Answered { responses: &RESPONSES, quote: &QUOTE }, defect);
            }
            Action::UserAmends => {
                world.left.amendments -= 1;
                world.user(Input::Amended(&QUOTE), defect);
            }
            Action::UserRewords => {
                let before = world.api.generation.clone();
                world.user(Input::Reworded(&WORDS), defect);
                // What is refused changes nothing at all.
                world.left.rewordings -= u8::from(world.api.generation != before);
            }
            Action::UserConfirms { rewords } => {
                world.left.rewordings -= u8::from(rewords);
                let wording = if rewords { WORDS.clone() } else { Wording::Kept };
                world.user(Input::Confirmed(Some(&QUOTE.price), &wording), defect);
            }
            Action::UserCancels => world.user(Input::Cancelled, defect),
            Action::UserDeletes => world.discard(defect),
            Action::Expires => world.expire(defect),
            Action::SendCommand => {
                world.send_command();
                if defect == Defect::ForgetsTheCommand {
                    world.api.outbox = None;
                }
            }
            Action::CommandArrives { packet, stays } => {
                let command = take(&mut world.network.commands, packet, stays, &mut world.left.duplicates);
                let said = world.take_command(&command);
                world.network.answers.push(Answer { revision: command.revision, said: Some(Row::new(said)) });
            }
            Action::CommandIsLost { packet } => {
                lose(&mut world.network.commands, packet, &mut world.left.drops);
            }
            Action::CommandIsRefused { packet } => {
                world.left.refusals -= 1;
                let revision = world.network.commands.remove(packet).revision;
                world.network.answers.push(Answer { revision, said: None });
            }
            Action::AnswerArrives { packet, stays } => {
                let answer = take(&mut world.network.answers, packet, stays, &mut world.left.duplicates);
                world.take_answer(&answer, defect);
            }
            Action::AnswerIsLost { packet } => {
                lose(&mut world.network.answers, packet, &mut world.left.drops);
            }
            Action::SendWebhook { sequence } => world.send_webhook(sequence),
            Action::WebhookArrives { packet, stays } => {
                let event = take(&mut world.network.webhooks, packet, stays, &mut world.left.duplicates);
                if world.take_webhook(event.sequence, event.kind, &event.body, defect) {
                    world.network.acknowledgements.push(event.sequence);
                }
            }
            Action::WebhookIsLost { packet } => {
                let sequence = world.network.webhooks[packet].sequence;
                lose(&mut world.network.webhooks, packet, &mut world.left.drops);
                if defect == Defect::TakesSilenceForDelivery {
                    world.record(sequence, Try::Newest, WebhookState::Delivered, defect);
                }
            }
            Action::WebhookDies { sequence, tried } => {
                world.left.deaths -= 1;
                world.record(sequence, tried, WebhookState::Dead, defect);
            }
            Action::WebhookIsRedelivered { sequence } => {
                world.left.redeliveries -= 1;
                world.redeliver(sequence);
            }
            Action::AcknowledgementArrives { packet, stays } => {
                let (network, left) = (&mut world.network, &mut world.left);
                let sequence = take(&mut network.acknowledgements, packet, stays, &mut left.duplicates);
                let again = world.webhook(sequence).asked_again;
                let tried = if again { Try::OfBefore } else { Try::Newest };
                world.record(sequence, tried, WebhookState::Delivered, defect);
            }
            Action::AcknowledgementIsLost { packet } => {
                lose(&mut world.network.acknowledgements, packet, &mut world.left.drops);
            }
            Action::ApiAsks => {
                world.left.questions -= 1;
                world.network.status = Some(Row::new(world.status()));
            }
            Action::StatusArrives => {
                if let Some(told) = world.network.status.take() {
                    world.take_status(told.as_ref(), defect);
                }
            }
            Action::StatusIsLost => {
                world.left.drops -= 1;
                world.network.status = None;
            }
            Action::JobIsClaimed => world.claim(),
            Action::GraceEnds => (world.worker.in_grace, world.worker.grace_over) = (false, true),
            Action::LeaseLapses => {
                world.left.lapses -= 1;
                world.worker.lapsed = true;
            }
            Action::WorkerCrashes => {
                world.left.crashes -= 1;
                world.crash();
            }
            Action::Runner { index, does } => world.run(index, does, defect),
        }
        world.forget_bodies();
        world.network.sort();
        world
    }
}

/// Takes a packet from the network; one that stays was a duplicate.
fn take<T: Clone>(packets: &mut Vec<T>, packet: usize, stays: bool, duplicates: &mut u8) -> T {
    if stays {
        *duplicates -= 1;
        return packets[packet].clone();
    }
    packets.remove(packet)
}

fn lose<T>(packets: &mut Vec<T>, packet: usize, drops: &mut u8) {
    *drops -= 1;
    packets.remove(packet);
}

/// The different packets of a kind: equal ones stand beside each other.
fn different<T: PartialEq>(packets: &[T]) -> impl Iterator<Item = usize> {
    (0..packets.len()).filter(|&place| place == 0 || packets[place] != packets[place - 1])
}

impl World {
    fn new(asks: bool) -> Self {
        let new = fixture::generation(asks);
        let quote = if asks { None } else { Some(&*QUOTE) };
        let created = decide(&new, Input::Created(quote), NOW);
        let Ok(Decision::Change(change)) = created else { panic!("a new generation begins") };
        let Change { after, command, .. } = *change;
        let outbox =
            command.map(|state| Row::new(api_service::generations::state::command(&after, state, None)));
        Self {
            api: Api {
                generation: Row::<Generation>::new(after),
                deleted: false,
                ends: 0,
                outbox,
                inbox: Sequences::default(),
                effects: Sequences::default(),
            },
            worker: Worker {
                job: None,
                attempts: Row::new(Vec::new()),
                webhooks: Vec::new(),
                lapsed: false,
                in_grace: false,
                grace_over: false,
                holder: None,
                claims: 0,
            },
            runners: Vec::new(),
            provider: Provider::default(),
            network: Network::default(),
            left: crate::bounds::Budget::default(),
            broken: Broken::default(),
        }
    }

    /// The worker's process dies. Restarted, it takes back its own leases at once (I14), so they have lapsed.
    fn crash(&mut self) {
        self.runners.clear();
        self.network.acknowledgements.clear();
        if self.worker.job.as_ref().is_some_and(|job| job.life.status == JobStatus::Active) {
            self.worker.lapsed = true;
        }
    }

    fn user_actions(&self, bounds: &Bounds, actions: &mut Vec<Action>) {
        if self.api.deleted {
            return;
        }
        let status = self.api.generation.status;
        match status {
            Status::PendingClarification => actions.push(Action::UserAnswers),
            Status::PendingConfirmation => {
                actions.push(Action::UserConfirms { rewords: false });
                if self.left.rewordings > 0 {
                    actions.push(Action::UserConfirms { rewords: true });
                }
                if self.left.amendments > 0 {
                    actions.push(Action::UserAmends);
                }
            }
            _ => {}
        }
        if self.left.rewordings > 0 && !status.is_terminal() {
            actions.push(Action::UserRewords);
        }
        if bounds.user_leaves {
            if !status.is_terminal() {
                actions.push(Action::UserCancels);
            }
            if matches!(status, Status::PendingClarification | Status::PendingConfirmation) {
                actions.push(Action::Expires);
            }
            actions.push(Action::UserDeletes);
        }
    }

    fn link_actions(&self, actions: &mut Vec<Action>) {
        let Network { commands, answers, webhooks, acknowledgements, status } = &self.network;
        let left = &self.left;
        let stays: &[bool] = if left.duplicates > 0 { &[false, true] } else { &[false] };
        let loses = left.drops > 0;
        for packet in different(commands) {
            actions.extend(stays.iter().map(|&stays| Action::CommandArrives { packet, stays }));
            actions.extend(loses.then_some(Action::CommandIsLost { packet }));
            let is_cancel = commands[packet].state == contract::worker_api::DesiredState::Cancelled;
            actions.extend((left.refusals > 0 && !is_cancel).then_some(Action::CommandIsRefused { packet }));
        }
        for packet in different(answers) {
            actions.extend(stays.iter().map(|&stays| Action::AnswerArrives { packet, stays }));
            actions.extend(loses.then_some(Action::AnswerIsLost { packet }));
        }
        for packet in different(webhooks) {
            actions.extend(stays.iter().map(|&stays| Action::WebhookArrives { packet, stays }));
            actions.extend(loses.then_some(Action::WebhookIsLost { packet }));
        }
        for packet in different(acknowledgements) {
            actions.extend(stays.iter().map(|&stays| Action::AcknowledgementArrives { packet, stays }));
            actions.extend(loses.then_some(Action::AcknowledgementIsLost { packet }));
        }
        if status.is_some() {
            actions.push(Action::StatusArrives);
            actions.extend(loses.then_some(Action::StatusIsLost));
        } else if left.questions > 0 && self.is_in_the_making() {
            actions.push(Action::ApiAsks);
        }
    }

    fn worker_actions(&self, bounds: &Bounds, actions: &mut Vec<Action>) {
        actions.extend(
            self.sendable(bounds.webhooks).into_iter().map(|sequence| Action::SendWebhook { sequence }),
        );
        for (sequence, row) in (1..).zip(&self.worker.webhooks) {
            let waits = row.state == WebhookState::Pending;
            let is_trying = self.network.is_trying(sequence);
            let dies = |tried| Action::WebhookDies { sequence, tried };
            actions.extend((waits && self.left.deaths > 0).then_some(dies(Try::Newest)));
            let too_late = waits && row.asked_again && is_trying && self.left.deaths > 0;
            actions.extend(too_late.then_some(dies(Try::OfBefore)));
            let again = (!waits || is_trying) && self.left.redeliveries > 0;
            actions.extend(again.then_some(Action::WebhookIsRedelivered { sequence }));
        }
        if self.is_claimable() && self.runners.len() < bounds.runners {
            actions.push(Action::JobIsClaimed);
        }
        if self.worker.in_grace {
            actions.push(Action::GraceEnds);
        }
        let active = self.worker.job.as_ref().is_some_and(|job| job.life.status == JobStatus::Active);
        if active && !self.worker.lapsed && self.left.lapses > 0 {
            actions.push(Action::LeaseLapses);
        }
        if self.left.crashes > 0 && !(self.runners.is_empty() && self.network.acknowledgements.is_empty()) {
            actions.push(Action::WorkerCrashes);
        }
        let mut moves = Vec::new();
        for index in 0..self.runners.len() {
            self.moves(index, &mut moves);
            actions.extend(moves.drain(..).map(|does| Action::Runner { index, does }));
        }
    }
}

impl Model for System {
    type State = World;
    type Action = Action;

    fn init_states(&self) -> Vec<World> {
        vec![World { left: self.bounds.budget, ..World::new(self.bounds.asks) }]
    }

    fn actions(&self, world: &World, actions: &mut Vec<Action>) {
        if world.broken.what().is_some() {
            return;
        }
        world.user_actions(&self.bounds, actions);
        if world.can_send_command(self.bounds.commands) {
            actions.push(Action::SendCommand);
        }
        world.link_actions(actions);
        world.worker_actions(&self.bounds, actions);
    }

    fn next_state(&self, world: &World, action: Action) -> Option<World> {
        Some(self.after(world, action)).filter(|after| after != world)
    }

    fn properties(&self) -> Vec<Property<Self>> {
        properties::of(&self.bounds)
    }
}

//! What is checked in every world, and what must be seen in some, so that no configuration is empty talk.

use contract::{GenerationStatus as Status, JobStatus};
use stateright::Property;
use worker_service::store::AttemptState;

use crate::{
    action::System,
    bounds::{Bounds, Budget},
    invariant::Invariant::{self, I1, I2, I3, I4, I5, I6, I7, I8, I11, I15, I16, I17},
    world::World,
};

/// Whether an invariant holds in a world: it broke at no step, and what is promised for the end comes true if the
/// world is left to itself from here.
fn holds(system: &System, world: &World, invariant: Invariant) -> bool {
    if let Some(broken) = world.broken.what() {
        return broken != invariant;
    }
    !matches!(invariant, I1 | I6 | I7) || system.drained(world) != Some(invariant)
}

macro_rules! always {
    ($($invariant:ident)*) => {
        vec![$(Property::always($invariant.name(), |system, world| holds(system, world, $invariant)),)*]
    };
}

/// The invariants, and what these bounds must let happen.
pub fn of(bounds: &Bounds) -> Vec<Property<System>> {
    let mut all = always![I1 I2 I3 I4 I5 I6 I7 I8 I11 I15 I16 I17];
    all.extend(sights(bounds));
    all
}

fn sights(bounds: &Bounds) -> Vec<Property<System>> {
    let Budget { crashes, lapses, unanswered, failures, stops, refusals, rewordings, redeliveries, .. } =
        bounds.budget;
    let mut sights = vec![Property::sometimes("the job is completed", |_, world: &World| {
        world.worker.job.as_ref().is_some_and(|job| job.life.status == JobStatus::Completed)
    })];
    if bounds.webhooks > 0 {
        sights.push(Property::sometimes("the generation is completed", |_, world: &World| {
            world.api.generation.status == Status::Completed
        }));
        sights.push(Property::sometimes(
            "a webhook overtakes the answer to the command",
            |_, world: &World| {
                !world.network.answers.is_empty() && world.api.generation.status == Status::Processing
            },
        ));
    }
    if bounds.user_leaves || stops > 0 || failures > 0 || refusals > 0 {
        sights.push(Property::sometimes("the job fails or is called off", |_, world: &World| {
            let job = world.worker.job.as_ref();
            job.is_some_and(|job| matches!(job.life.status, JobStatus::Failed | JobStatus::Cancelled))
        }));
    }
    if unanswered > 0 || crashes > 0 {
        sights.push(Property::sometimes("an unknown submission is repeated", |_, world: &World| {
            world.provider.posts.iter().any(|post| post.resubmission)
        }));
    }
    if unanswered > 0 || failures > 0 {
        sights.push(Property::sometimes("an attempt is lost", |_, world: &World| {
            world.worker.attempts.iter().any(|attempt| attempt.state == AttemptState::Lost)
        }));
    }
    if redeliveries > 0 {
        sights.push(Property::sometimes(
            "a webhook is asked for again while it is tried",
            |_, world: &World| {
                let mut rows = (1..).zip(&world.worker.webhooks);
                rows.any(|(sequence, row)| row.asked_again && world.network.is_trying(sequence))
            },
        ));
    }
    if rewordings > 0 {
        sights.push(Property::sometimes("it is asked for in other words", |_, world: &World| {
            !world.provider.posts.is_empty() && world.api.generation.enhanced_prompt.is_some()
        }));
    }
    if lapses > 0 {
        sights.push(Property::sometimes("a zombie runs beside the holder", |_, world: &World| {
            world.runners.len() > 1
        }));
    }
    sights
}

//! What the assistant says to a change of a generation.

use super::generation::Generation;

pub(super) fn clarification(_: &Generation) -> String {
    "Gladly. A few questions first.".to_owned()
}

pub(super) fn confirmation(generation: &Generation) -> String {
    let price = generation.estimated_cost.as_ref().map_or("", |price| &price.amount);
    format!("Ready to go. It will cost {price} US dollars. Shall I make it?")
}

pub(super) fn completed(_: &Generation) -> String {
    "Your video is ready.".to_owned()
}

pub(super) fn failed(generation: &Generation) -> String {
    let reason = generation.error_message.as_deref().unwrap_or("Something went wrong.");
    format!("There is no video this time. {reason}")
}

pub(super) fn cancelled(_: &Generation) -> String {
    "I have called it off.".to_owned()
}

pub(super) fn expired(_: &Generation) -> String {
    "I have called it off, since nobody confirmed it in time.".to_owned()
}

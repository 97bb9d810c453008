//! A user as the bench plays it: says what the video shall be, says yes, and hears how it goes.

use serde_json::{Value, json};

use crate::harness::{
    Client, System,
    client::{Events, id},
};

/// A message after which nothing is left to ask. Its number makes the prompt one of a kind, so that a repeated
/// submission is seen in the provider's ledger; `marker` is for the simulator.
pub(crate) fn message(number: usize, marker: &str) -> String {
    format!("Generate a 4-second landscape video showing a paper boat by the name of \"{number}\"{marker}")
}

/// New accounts: limits and the queue's fairness are by user.
pub(crate) async fn accounts(system: &System, count: usize) -> Vec<Client> {
    let mut accounts = Vec::with_capacity(count);
    for _ in 0..count {
        accounts.push(system.user().await);
    }
    accounts
}

/// The generation that a message has brought.
pub(crate) fn asked(answer: &Value) -> Value {
    let generation = &answer["generation"];
    assert_eq!(generation["status"], "pending_confirmation", "{answer:#}");
    generation.clone()
}

/// Says yes.
pub(crate) async fn confirm(client: &Client, generation: &Value) {
    client.act(generation, "confirm", &json!({})).await.expect(200);
}

/// Somebody in a conversation, listening to it.
pub(crate) struct User {
    pub(crate) client: Client,
    conversation: String,
    events: Events,
}

impl User {
    /// In a new conversation.
    pub(crate) async fn of(client: Client) -> Self {
        let conversation = client.post("/api/conversations", &json!({})).await.expect(201);
        let conversation = id(&conversation).to_owned();
        let events = client.listen(&format!("/api/conversations/{conversation}/events"), None).await;
        Self { client, conversation, events }
    }

    /// Asks for a video; its price is named at once.
    pub(crate) async fn ask(&self, number: usize) -> Value {
        let path = format!("/api/conversations/{}/messages", self.conversation);
        asked(&self.client.post(&path, &json!({"content": message(number, "")})).await.expect(201))
    }

    /// The next that is told of a generation: the generation as it is then.
    pub(crate) async fn heard(&mut self) -> Value {
        loop {
            let mut event = self.events.next().await.expect("the stream goes on");
            assert_ne!(event.name, "resync", "events were missed: {}", event.data);
            if event.name == "generation.updated" {
                return event.data["generation"].take();
            }
        }
    }

    /// Listens until this generation has come to its end.
    pub(crate) async fn end_of(&mut self, generation: &Value) -> Value {
        loop {
            let heard = self.heard().await;
            let is_over =
                ["completed", "failed", "cancelled"].iter().any(|status| heard["status"] == *status);
            if is_over && heard["id"] == generation["id"] {
                return heard;
            }
        }
    }

    /// The whole life of a video, which must come to a good end.
    pub(crate) async fn whole_life(&mut self, number: usize) {
        let generation = self.ask(number).await;
        confirm(&self.client, &generation).await;
        let end = self.end_of(&generation).await;
        assert_eq!(end["status"], "completed", "{end:#}");
    }
}

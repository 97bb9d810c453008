//! Two replicas of each service, started at once on one empty PostgreSQL database that both services share.

use std::collections::HashSet;

use futures_util::future::join_all;

use crate::harness::{Backend, System};

#[tokio::test]
async fn two_replicas_of_each_start_at_once_and_share_the_work() {
    let mut system = System::replicated(Backend::Postgres, 2, &[]).await;
    let user = system.user().await;
    let other_api = system.process("api-2").line.clone();
    let elsewhere = user.at(&other_api);

    let prompts: Vec<_> = (0..4).map(|number| format!("boat number {number}")).collect();
    let ordered = join_all(prompts.iter().enumerate().map(|(index, prompt)| {
        let at = if index % 2 == 0 { &user } else { &elsewhere };
        async move { at.order(prompt).await }
    }))
    .await;

    // What one replica commits, a listener at the other hears.
    let first = &ordered[0];
    let path = format!("/api/generations/{}/events", first["id"].as_str().unwrap());
    let cursor = first["eventsCursor"].to_string().replace('"', "");
    let mut events = elsewhere.listen(&path, Some(&cursor)).await;
    let mut heard = HashSet::new();
    while !heard.contains("completed") {
        let event = events.next().await.expect("the stream goes on");
        if event.name == "generation.updated" {
            heard.insert(event.data["generation"]["status"].as_str().unwrap().to_owned());
        }
    }

    for (generation, prompt) in ordered.iter().zip(&prompts) {
        let done = elsewhere.until(generation, "completed").await;
        user.check_video(&done, 1280, 720, 4.0).await;
        assert_eq!(system.submissions(prompt).await, 1, "{prompt}");
    }
}

//! Conversations: made, named, listed, removed, and nobody else's.

use contract::ConversationId;
use serde_json::{Value, json};
use url::form_urlencoded;

use crate::test_app::{TestApp, on_both_databases};

on_both_databases! {
    async fn a_conversation_has_a_life(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let created = user.post("/api/conversations", &json!({"title": " Boats "})).await;
        assert_eq!(created.status, 201);
        assert_eq!(created.body["title"], "Boats");
        assert_eq!(created.body["eventsCursor"], "0");
        let path = format!("/api/conversations/{}", created.body["id"].as_str().unwrap());
        assert_eq!(user.get(&path).await.body, created.body);

        let renamed = user.patch(&path, &json!({"title": "Ships"})).await;
        assert_eq!((renamed.status.as_u16(), &renamed.body["title"]), (200, &json!("Ships")));
        assert_eq!(user.patch(&path, &json!({})).await.body, renamed.body, "nothing said, nothing changed");
        assert_eq!(user.patch(&path, &json!({"title": null})).await.body["title"], Value::Null);
        let refused = user.patch(&path, &json!({"title": "x".repeat(201)})).await;
        refused.is_problem(422, "validation_failed");
        assert_eq!(refused.wrong_fields(), ["title"]);

        let messages = user.get(&format!("{path}/messages")).await;
        assert_eq!(messages.body, json!({"items": [], "nextCursor": null}));

        assert_eq!(user.delete(&path).await.status, 204);
        user.get(&path).await.is_problem(404, "not_found");
        user.get(&format!("{path}/messages")).await.is_problem(404, "not_found");
        user.patch(&path, &json!({"title": "Back"})).await.is_problem(404, "not_found");
        user.delete(&path).await.is_problem(404, "not_found");
        assert_eq!(user.get("/api/conversations").await.body["items"], json!([]));
        app.stop().await;
    }

    async fn a_conversation_is_called_after_its_first_message(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let path = format!("/api/conversations/{}", user.conversation().await);
        let say = async |words: &str| {
            let said = user.post(&format!("{path}/messages"), &json!({"content": words})).await;
            assert_eq!(said.status, 201, "{:?}", said.body);
            user.get(&path).await.body["title"].clone()
        };
        let title = say("Make me a video of a small paper boat\n crossing the street, at dusk").await;
        assert_eq!(title, "Make me a video of a small paper boat crossing the street…");
        assert_eq!(say("Hello!").await, title);
        assert_eq!(user.patch(&path, &json!({"title": null})).await.body["title"], Value::Null);
        assert_eq!(say("Thanks").await, Value::Null, "whoever took the name away wants none");

        let named = user.post("/api/conversations", &json!({"title": "Boats"})).await.body;
        let named = format!("/api/conversations/{}", named["id"].as_str().unwrap());
        user.post(&format!("{named}/messages"), &json!({"content": "Hello!"})).await;
        assert_eq!(user.get(&named).await.body["title"], "Boats");

        let begun = user.post("/api/generations", &json!({"prompt": "a paper boat"})).await.body;
        let begun = format!("/api/conversations/{}", begun["conversationId"].as_str().unwrap());
        assert_eq!(user.get(&begun).await.body["title"], "a paper boat");
        app.stop().await;
    }

    async fn conversations_are_found_by_their_words(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let (user, other) = (app.user().await, app.user().await);
        let titled = async |title: &str| {
            let made = user.post("/api/conversations", &json!({"title": title})).await;
            made.body["id"].as_str().unwrap().to_owned()
        };
        let boat = titled("Paper BOAT").await;
        let bridge = titled("Über die Brücke").await;
        let percent = titled("100% wool_hat").await;
        let gone = titled("A boat that sank").await;
        user.delete(&format!("/api/conversations/{gone}")).await;
        let said = format!("/api/conversations/{bridge}/messages");
        user.post(&said, &json!({"content": "Make me a video of a Boat under the bridge"})).await;
        let untitled = user.conversation().await;
        let found = async |q: &str| {
            let written: String = form_urlencoded::byte_serialize(q.as_bytes()).collect();
            let page = user.get(&format!("/api/conversations?q={written}")).await;
            assert_eq!(page.status, 200, "{q}: {:?}", page.body);
            let items = page.body["items"].as_array().unwrap();
            items.iter().map(|item| item["id"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        for (q, expected) in [
            ("boat", vec![&bridge, &boat]),
            ("  bOAT\tpaper", vec![&boat]),
            ("boat brücke", vec![&bridge]),
            ("über", vec![&bridge]),
            ("ÜBER BRÜ", vec![&bridge]),
            ("100%", vec![&percent]),
            ("%", vec![&percent]),
            ("l_h", vec![&percent]),
            ("p_per", vec![]),
            ("elephant", vec![]),
            (" ", vec![&untitled, &percent, &bridge, &boat]),
        ] {
            assert_eq!(found(q).await.iter().collect::<Vec<_>>(), expected, "{q}");
        }
        assert_eq!(other.get("/api/conversations?q=boat").await.body["items"], json!([]), "nobody else's");
        let first = user.get("/api/conversations?q=boat&limit=1").await.body;
        let next = format!("/api/conversations?q=boat&limit=1&cursor={}", first["nextCursor"].as_str().unwrap());
        let last = user.get(&next).await.body;
        assert_eq!((&last["items"][0]["id"], &last["nextCursor"]), (&json!(boat), &Value::Null));
        for q in ["a".repeat(201), "%00".to_owned(), "a+".repeat(9)] {
            let refused = user.get(&format!("/api/conversations?q={q}")).await;
            refused.is_problem(422, "validation_failed");
            assert_eq!(refused.wrong_fields(), ["q"]);
        }
        app.stop().await;
    }

    async fn a_list_is_read_page_by_page(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let mut made = Vec::new();
        for _ in 0..5 {
            made.push(user.conversation().await);
        }
        made.reverse();
        let mut seen = Vec::new();
        let mut query = "limit=2".to_owned();
        loop {
            let page = user.get(&format!("/api/conversations?{query}")).await;
            assert_eq!(page.status, 200, "{:?}", page.body);
            let items = page.body["items"].as_array().unwrap();
            assert!(items.len() <= 2);
            seen.extend(items.iter().map(|item| item["id"].as_str().unwrap().to_owned()));
            match page.body["nextCursor"].as_str() {
                Some(cursor) => query = format!("limit=2&cursor={cursor}"),
                None => break,
            }
        }
        assert_eq!(seen, made, "newest first, each once");
        for query in ["limit=0", "limit=101", "limit=x", "cursor=x"] {
            let refused = user.get(&format!("/api/conversations?{query}")).await;
            refused.is_problem(422, "validation_failed");
        }
        app.stop().await;
    }

    /// I22
    async fn anothers_conversation_and_none_look_the_same(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let (owner, other) = (app.user().await, app.user().await);
        let foreign = owner.conversation().await;
        let unknown = ConversationId::new().to_string();
        let mut answers: Vec<Vec<Value>> = Vec::new();
        for id in [&foreign, &unknown] {
            let path = format!("/api/conversations/{id}");
            let all = [
                other.get(&path).await,
                other.get(&format!("{path}/messages")).await,
                other.patch(&path, &json!({"title": "Mine"})).await,
                other.delete(&path).await,
            ];
            answers.push(all.into_iter().map(|mut answer| {
                answer.is_problem(404, "not_found");
                answer.body["requestId"] = Value::Null;
                answer.body
            }).collect());
        }
        assert_eq!(answers[0], answers[1]);
        assert_eq!(other.get("/api/conversations").await.body["items"], json!([]));
        assert_eq!(owner.get(&format!("/api/conversations/{foreign}")).await.body["title"], Value::Null);
        app.stop().await;
    }
}

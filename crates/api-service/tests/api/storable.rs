//! U+0000, which PostgreSQL cannot store, on every way in: refused with the field's name, on both databases.

use reqwest::Method;
use serde_json::{Value, json};

use crate::{
    generations::{path, priced},
    test_app::{PASSWORD, TestApp, on_both_databases, send},
};

on_both_databases! {
    async fn what_cannot_be_stored_is_refused_everywhere(database: TestDatabase) {
        let app = TestApp::start(database).await;
        let user = app.user().await;
        let generation = path(&priced(&user).await);
        let asked = user.post("/api/generations", &json!({"prompt": "a boat"})).await.body;
        let conversation = format!("/api/conversations/{}", user.conversation().await);
        let messages = format!("{conversation}/messages");
        let at = |rest: &str| format!("{generation}/{rest}");
        let boat = |key: &str, value: Value| {
            let mut request = json!({"prompt": "a boat"});
            request[key] = value;
            request
        };
        let post = Method::POST;
        let (register, create) = ("/api/auth/register".to_owned(), "/api/generations".to_owned());
        let account = |email: &str, password: &str, name: &str| {
            json!({"email": email, "password": password, "name": name})
        };
        for (method, path, body, field) in [
            (&post, &register, account("a\0@example.com", PASSWORD, "Ada"), "email"),
            (&post, &register, account("ada@example.com", &format!("{PASSWORD}\0"), "Ada"), "password"),
            (&post, &register, account("ada@example.com", PASSWORD, "A\0da"), "name"),
            (&post, &"/api/conversations".to_owned(), json!({"title": "a\0b"}), "title"),
            (&Method::PATCH, &conversation, json!({"title": "a\0b"}), "title"),
            (&post, &messages, json!({"content": "a video of a \0 boat"}), "content"),
            (&post, &messages, json!({"content": "a", "attachments": [{"url": "\0"}]}), "attachments[0].url"),
            (&post, &create, json!({"prompt": "a \0 boat"}), "prompt"),
            (&post, &create, boat("provider", json!("veo3\0")), "provider"),
            (&post, &create, boat("model", json!("\0")), "model"),
            (&post, &create, boat("conversationId", json!("conv_\0")), "conversationId"),
            (&post, &create, boat("messageId", json!("msg_\0")), "messageId"),
            (&post, &create, boat("parameters", json!({"style": "\0"})), "parameters.style"),
            (&post, &create, boat("parameters", json!({"negativePrompt": "\0"})), "parameters.negativePrompt"),
            (&post, &format!("{}/clarify", crate::generations::path(&asked)), json!({"responses": {"duration": "8\0"}}), "responses.duration"),
            (&post, &at("clarify"), json!({"responses": {"subject": "\0"}}), "responses.subject"),
            (&post, &at("clarify"), json!({"responses": {"\0": 1}}), "responses"),
            (&post, &at("confirm"), json!({"estimatedCost": {"amount": "3.20", "currency": "\0"}}), "estimatedCost.currency"),
            (&post, &at("cancel"), json!({"why": "\0"}), "why"),
            (&post, &at("retry"), json!({"why": "\0"}), "why"),
        ] {
            let answer = send(user.request(method.clone(), path).json(&body)).await;
            answer.is_problem(422, "validation_failed");
            assert_eq!(answer.wrong_fields(), [field], "{path} {body}");
        }
        for (path, field) in [
            ("/api/generations?status=%00", "status"),
            ("/api/generations?conversationId=conv_%00", "conversationId"),
            ("/api/generations?cursor=%00", "cursor"),
            // U+0000 in the form of a cursor.
            ("/api/generations?cursor=AA", "cursor"),
            ("/api/conversations?cursor=AA", "cursor"),
            ("/api/conversations?limit=%00", "limit"),
            (&format!("{messages}?cursor=AA"), "cursor"),
        ] {
            let answer = user.get(path).await;
            answer.is_problem(422, "validation_failed");
            assert_eq!(answer.wrong_fields(), [field], "{path}");
        }
        for path in ["/api/conversations/conv_%00", "/api/conversations/%00/messages", "/api/generations/gen_%00",
            "/api/generations/%00/status", "/api/generations/%00/video", "/api/generations/%00/thumbnail",
            "/api/generations/%00/poster",
            "/api/conversations/%00/events", "/api/generations/%00/events", "/%00"]
        {
            user.get(path).await.is_problem(404, "not_found");
        }
        // Nobody has such an address or password, which is all that a login says.
        for (email, password) in [("a\0@example.com", PASSWORD), (user.email.as_str(), "a\0 password")] {
            let answer = app.nobody().post("/api/auth/login", &json!({"email": email, "password": password})).await;
            answer.is_problem(401, "invalid_credentials");
        }
        assert_eq!(user.get(&generation).await.body["status"], "pending_confirmation", "nothing has happened");
        app.stop().await;
    }
}

//! Enhanced prompts, with a model that says what a test wants: they are seen, can be changed or left aside until the
//! yes, and what was agreed to is what the worker is told.

use std::sync::{Arc, Mutex};

use actix_web::{App, HttpResponse, HttpServer, web};
use contract::{JobStatus, worker_api::DesiredState};
use foundation::testing::TestDatabase;
use serde_json::{Value, json};
use tokio::sync::mpsc;

use crate::{
    generations::{becomes, id, path, priced, start, text},
    languages::{reply, say},
    test_app::{Caller, TestApp, on_both_databases},
    worker::{FakeWorker, tell},
};

const BETTER: &str =
    "A small folded paper boat drifts along a rain-soaked gutter at dusk, filmed low, in warm light.";

/// What a model does with a question.
#[derive(Clone)]
enum Says {
    /// It reads a message as one that asks for a video of this, and proposes this prompt to every question.
    Better(&'static str, Value),
    /// It answers with something else.
    Nonsense,
    /// It never answers.
    Nothing,
}

struct Shared {
    says: Mutex<Says>,
    asked: mpsc::UnboundedSender<Value>,
}

/// A server with chat completions. It ends with the test's runtime.
struct FakeModel {
    url: String,
    shared: Arc<Shared>,
    asked: mpsc::UnboundedReceiver<Value>,
}

impl FakeModel {
    fn start() -> Self {
        let (sender, asked) = mpsc::unbounded_channel();
        let says = Mutex::new(Says::Better("a paper boat", json!(BETTER)));
        let shared = Arc::new(Shared { says, asked: sender });
        let data = web::Data::from(Arc::clone(&shared));
        let server = HttpServer::new(move || {
            App::new().app_data(data.clone()).default_service(web::post().to(answer))
        });
        let server = server.workers(1).disable_signals().bind(("127.0.0.1", 0)).unwrap();
        let url = format!("http://{}/v1", server.addrs()[0]);
        tokio::spawn(server.run());
        Self { url, shared, asked }
    }

    fn says(&self, says: Says) {
        *self.shared.says.lock().unwrap() = says;
    }

    /// What it was asked since the last time, each as the situation that it was told.
    fn asked(&mut self) -> Vec<Value> {
        std::iter::from_fn(|| self.asked.try_recv().ok()).collect()
    }

    async fn app(&self, database: TestDatabase, worker: &FakeWorker, patience: &str) -> TestApp {
        self.app_with(database, worker, patience, &[]).await
    }

    async fn app_with(
        &self,
        database: TestDatabase,
        worker: &FakeWorker,
        patience: &str,
        more: &[(&str, &str)],
    ) -> TestApp {
        let settings = [
            ("WORKER_URL", worker.url.as_str()),
            ("INTENT_PROVIDER", "openai"),
            ("INTENT_MODEL", "small"),
            ("INTENT_BASE_URL", &self.url),
            ("INTENT_TIMEOUT", patience),
            ("PROMPT_ENHANCEMENT", "on"),
        ];
        TestApp::start_with(database, &[&settings[..], more].concat()).await
    }
}

async fn answer(body: web::Json<Value>, shared: web::Data<Shared>) -> HttpResponse {
    let situation = serde_json::from_str(body["messages"][1]["content"].as_str().unwrap()).unwrap();
    let _ = shared.asked.send(situation);
    let schema = &body["response_format"]["json_schema"]["schema"]["properties"];
    assert!(schema["enhancedPrompt"].is_object());
    let says = shared.says.lock().unwrap().clone();
    let text = match says {
        Says::Better(subject, better) if schema["intent"].is_object() => json!({
            "intent": "video", "language": "en", "subject": subject, "duration": 8, "aspectRatio": "16:9",
            "resolution": null, "style": null, "negativePrompt": null, "audio": null, "length": null,
            "enhancedPrompt": better,
        })
        .to_string(),
        Says::Better(_, better) => json!({"enhancedPrompt": better}).to_string(),
        Says::Nonsense => "A paper boat, but better.".to_owned(),
        Says::Nothing => std::future::pending().await,
    };
    HttpResponse::Ok().json(json!({"choices": [{"message": {"content": text}, "finish_reason": "stop"}]}))
}

async fn confirm(user: &Caller, generation: &Value, body: Value) -> Value {
    let answer = user.post(&format!("{}/confirm", path(generation)), &body).await;
    assert_eq!(answer.status, 200, "{:?}", answer.body);
    answer.body
}

/// What the worker is asked to make, once it is.
async fn ordered(worker: &mut FakeWorker, generation: &Value) -> String {
    loop {
        let (_, command) = worker.next_that_wants(DesiredState::Confirmed).await;
        if command.generation_id == id(generation) {
            return command.prompt;
        }
    }
}

on_both_databases! {
    async fn a_chat_shows_the_enhanced_prompt_and_takes_it_back(database: TestDatabase) {
        let (mut worker, mut model) = (FakeWorker::start(), FakeModel::start());
        let app = model.app(database, &worker, "30s").await;
        let user = app.user().await;
        let conversation = user.conversation().await;

        let told = say(&user, &conversation, "Make me a video of a paper boat, 8 seconds, landscape").await;
        let generation = told["generation"].clone();
        assert_eq!((text(&generation["prompt"]), text(&generation["enhancedPrompt"])), ("a paper boat", BETTER));
        assert_eq!(generation["parameters"]["duration"], 8);
        assert!(reply(&told).contains(BETTER) && reply(&told).contains("“use my own words”"), "{}", reply(&told));
        assert_eq!(model.asked().len(), 1, "the message was read in the same call");

        let own = say(&user, &conversation, "use my own words").await;
        assert_eq!((&own["generation"]["enhancedPrompt"], text(&own["reply"]["type"])), (&Value::Null, "confirmation"));
        assert_eq!(own["generation"]["estimatedCost"], generation["estimatedCost"]);
        assert!(!reply(&own).contains(BETTER) && reply(&own).contains("a paper boat."), "{}", reply(&own));
        let again = say(&user, &conversation, "use my own words").await;
        assert_eq!(text(&again["reply"]["type"]), "confirmation", "{}", reply(&again));

        // What is written by hand goes on with what is said.
        let mine = json!({"enhancedPrompt": "A paper boat on a lake."});
        let reworded = user.patch(&path(&generation), &mine).await;
        assert_eq!(reworded.status, 200, "{:?}", reworded.body);
        let upright = say(&user, &conversation, "make it vertical").await;
        assert!(reply(&upright).contains("A paper boat on a lake."), "{}", reply(&upright));
        assert_eq!(upright["generation"]["parameters"]["aspectRatio"], "9:16");
        say(&user, &conversation, "yes").await;
        assert_eq!(ordered(&mut worker, &generation).await, "A paper boat on a lake.");

        // Whatever repeats it keeps it, and asks nobody.
        tell(&app, worker.snapshot(&id(&generation), JobStatus::Failed, 1)).await;
        let failed = becomes(&user, &generation, "failed").await;
        let retried = user.post(&format!("{}/retry", path(&failed)), &json!({})).await.body;
        assert_eq!((&retried["prompt"], &retried["enhancedPrompt"]), (&failed["prompt"], &mine["enhancedPrompt"]));
        confirm(&user, &retried, json!({})).await;
        assert_eq!(ordered(&mut worker, &retried).await, "A paper boat on a lake.");
        tell(&app, worker.snapshot(&id(&retried), JobStatus::Completed, 1)).await;
        becomes(&user, &retried, "completed").await;
        let another = say(&user, &conversation, "another one").await;
        assert_eq!(another["generation"]["enhancedPrompt"], mine["enhancedPrompt"]);
        assert!(model.asked().is_empty(), "the rules knew every word");
        app.stop().await;
    }

    async fn a_direct_request_is_enhanced_and_can_be_changed_until_the_yes(database: TestDatabase) {
        let (mut worker, mut model) = (FakeWorker::start(), FakeModel::start());
        let app = model.app(database, &worker, "30s").await;
        let user = app.user().await;
        let generation = priced(&user).await;
        assert_eq!((text(&generation["prompt"]), text(&generation["enhancedPrompt"])), ("a paper boat", BETTER));
        let asked = model.asked();
        assert_eq!((asked.len(), &asked[0]["prompt"]), (1, &json!("a paper boat")));
        assert_eq!(user.get(&path(&generation)).await.body["enhancedPrompt"], BETTER);

        for body in [json!({"enhancedPrompt": " "}), json!({"enhancedPrompt": "boats ".repeat(2_000)})] {
            let refused = user.patch(&path(&generation), &body).await;
            refused.is_problem(422, "validation_failed");
            assert_eq!(refused.wrong_fields(), ["enhancedPrompt"]);
            let refused = user.post(&format!("{}/confirm", path(&generation)), &body).await;
            refused.is_problem(422, "validation_failed");
            assert_eq!(user.get(&path(&generation)).await.body["status"], "pending_confirmation");
        }
        user.patch(&path(&generation), &json!({"enhancedPrompt": "a\u{0}"})).await.is_problem(422, "validation_failed");
        app.user().await.patch(&path(&generation), &json!({"enhancedPrompt": "mine"})).await.is_problem(404, "not_found");

        let before = user.get(&path(&generation)).await.body;
        let same = user.patch(&path(&generation), &json!({})).await.body;
        assert_eq!((&same["eventsCursor"], &same["enhancedPrompt"]), (&before["eventsCursor"], &json!(BETTER)));
        let mine = user.patch(&path(&generation), &json!({"enhancedPrompt": " A boat in the rain. "})).await.body;
        assert_eq!(text(&mine["enhancedPrompt"]), "A boat in the rain.");
        assert_ne!(mine["eventsCursor"], before["eventsCursor"], "listeners are told");
        let edited = json!({"enhancedPrompt": "A boat in the snow.", "estimatedCost": mine["estimatedCost"]});
        assert_eq!(confirm(&user, &generation, edited).await["enhancedPrompt"], "A boat in the snow.");
        assert_eq!(ordered(&mut worker, &generation).await, "A boat in the snow.");
        let late = json!({"enhancedPrompt": "Something else."});
        user.patch(&path(&generation), &late).await.is_problem(409, "invalid_state");
        let still = confirm(&user, &generation, late).await;
        assert_eq!(still["enhancedPrompt"], "A boat in the snow.", "a second yes changes nothing");

        let other = priced(&user).await;
        assert_eq!(text(&other["enhancedPrompt"]), BETTER);
        let own = confirm(&user, &other, json!({"enhancedPrompt": null})).await;
        assert_eq!((&own["enhancedPrompt"], text(&own["prompt"])), (&Value::Null, "a paper boat"));
        assert_eq!(ordered(&mut worker, &other).await, "a paper boat");
        let third = priced(&user).await;
        confirm(&user, &third, json!({})).await;
        assert_eq!(ordered(&mut worker, &third).await, BETTER);
        app.stop().await;
    }

    /// Nobody needs a model to write a prompt of one's own.
    async fn without_a_model_the_words_can_be_changed_all_the_same(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;
        let asking = user.post("/api/generations", &json!({"prompt": "a paper boat"})).await.body;
        assert_eq!((&asking["status"], &asking["enhancedPrompt"]), (&json!("pending_clarification"), &Value::Null));
        let mine = json!({"enhancedPrompt": "A paper boat, filmed from above."});
        assert_eq!(user.patch(&path(&asking), &mine).await.body["status"], "pending_clarification");
        let answers = json!({"responses": {"duration": 8, "aspect_ratio": "16:9"}});
        let told = user.post(&format!("{}/clarify", path(&asking)), &answers).await.body;
        assert_eq!((&told["enhancedPrompt"], &told["prompt"]), (&mine["enhancedPrompt"], &json!("a paper boat")));
        confirm(&user, &told, json!({})).await;
        assert_eq!(ordered(&mut worker, &told).await, "A paper boat, filmed from above.");
        app.stop().await;
    }
}

/// What could not be begun anyway is refused before a model is asked, which costs time and money.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn nobody_is_asked_about_what_cannot_be_begun() {
    let (worker, mut model) = (FakeWorker::start(), FakeModel::start());
    let few = [("OPEN_GENERATIONS_PER_USER", "1")];
    let app = model.app_with(TestDatabase::sqlite(), &worker, "30s", &few).await;
    let (user, other) = (app.user().await, app.user().await);
    let foreign = other.conversation().await;
    let ask = async |conversation: &str| {
        let request = json!({"prompt": "a paper boat, 8 seconds, landscape", "conversationId": conversation});
        user.post("/api/generations", &request).await
    };
    for unknown in [foreign.as_str(), contract::ConversationId::new().as_str()] {
        ask(unknown).await.is_problem(404, "not_found");
    }
    assert!(model.asked().is_empty(), "there is no such conversation");
    let own = user.conversation().await;
    assert_eq!(text(&ask(&own).await.body["enhancedPrompt"]), BETTER);
    assert_eq!(model.asked().len(), 1);
    ask(&own).await.is_problem(429, "too_many_generations");
    let elsewhere = json!({"prompt": "a paper boat, 8 seconds, landscape"});
    user.post("/api/generations", &elsewhere).await.is_problem(429, "too_many_generations");
    assert!(model.asked().is_empty(), "there is no room");
    app.stop().await;
}

/// A model may come to take less than it did: what is tried again is then asked for in the user's own words.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_retry_keeps_no_words_that_the_model_takes_no_more() {
    let worker = FakeWorker::start();
    let app = start(TestDatabase::sqlite(), &worker).await;
    let user = app.user().await;
    let generation = priced(&user).await;
    let long = json!({"enhancedPrompt": "boats ".repeat(100).trim()});
    assert_eq!(user.patch(&path(&generation), &long).await.status, 200);
    assert_eq!(user.post(&format!("{}/cancel", path(&generation)), &json!({})).await.status, 200);
    let retry = format!("{}/retry", path(&generation));
    assert_eq!(user.post(&retry, &json!({})).await.body["enhancedPrompt"], long["enhancedPrompt"]);

    let token = user.token.clone();
    let models = include_str!("../../src/catalogue/models.json");
    let models = models.replace(r#""maxPromptBytes": 8192"#, r#""maxPromptBytes": 500"#);
    let settings = [("WORKER_URL", worker.url.as_str()), ("MODELS", &models)];
    let app = TestApp::start_with(app.stop().await.unwrap(), &settings).await;
    let user = app.holder_of(token);
    let retried = user.post(&retry, &json!({})).await;
    assert_eq!(retried.status, 201, "{:?}", retried.body);
    let retried = retried.body;
    assert_eq!((text(&retried["prompt"]), &retried["enhancedPrompt"]), ("a paper boat", &Value::Null));
    app.stop().await;
}

/// What a video shows may only come to be known with an answer.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_that_is_told_later_is_enhanced_then() {
    let (worker, mut model) = (FakeWorker::start(), FakeModel::start());
    let app = model.app(TestDatabase::sqlite(), &worker, "30s").await;
    let user = app.user().await;
    let request = json!({"prompt": "make me a video, 8 seconds, landscape"});
    for by_chat in [true, false] {
        let asking = user.post("/api/generations", &request).await.body;
        assert_eq!((&asking["prompt"], &asking["enhancedPrompt"]), (&json!(""), &Value::Null), "{asking}");
        assert!(model.asked().is_empty(), "there was nothing to make better");
        let told = if by_chat {
            say(&user, text(&asking["conversationId"]), "a paper boat").await["generation"].clone()
        } else {
            let answers = json!({"responses": {"subject": "a paper boat"}});
            user.post(&format!("{}/clarify", path(&asking)), &answers).await.body
        };
        assert_eq!(
            (text(&told["prompt"]), text(&told["enhancedPrompt"])),
            ("a paper boat", BETTER),
            "{by_chat}"
        );
        assert_eq!(model.asked().len(), 1);
    }
    app.stop().await;
}

/// A model that is late, says something else, or something that nobody should be asked for, costs nobody anything.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn without_a_good_prompt_there_is_none() {
    let (worker, mut model) = (FakeWorker::start(), FakeModel::start());
    let app = model.app(TestDatabase::sqlite(), &worker, "2s").await;
    let user = app.user().await;
    let conversation = user.conversation().await;
    for says in [
        Says::Nonsense,
        Says::Better("a paper boat", json!("A paper boat, sold at https://boats.example")),
        Says::Better("a paper boat", json!("A paper boat.")),
        Says::Better("a paper boat", json!("boats ".repeat(1_000))),
        Says::Better("a paper boat", Value::Null),
        Says::Better("a paper boat", json!(["a", "boat"])),
        Says::Nothing,
    ] {
        model.says(says);
        let direct = priced(&user).await;
        assert_eq!((text(&direct["prompt"]), &direct["enhancedPrompt"]), ("a paper boat", &Value::Null));
        let told = say(&user, &conversation, "Make me a video of a paper boat, 8 seconds, landscape").await;
        assert_eq!(told["generation"]["status"], "pending_confirmation", "{told}");
        assert_eq!(told["generation"]["enhancedPrompt"], Value::Null);
        assert!(!reply(&told).contains("use my own words"), "{}", reply(&told));
        assert_eq!(model.asked().len(), 2, "nobody waits for it twice over one message");
    }
    app.stop().await;
}

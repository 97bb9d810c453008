//! A conversation in the user's language, from the first wish to the next video, and with a model that is away.

use contract::{EventId, JobStatus, worker_api::DesiredState};
use foundation::testing::TestDatabase;
use serde_json::{Value, json};

use crate::{
    generations::{becomes, id, path, start, text},
    test_app::{Caller, TestApp, on_both_databases},
    worker::{FakeWorker, deliver, event, tell},
};

pub(crate) async fn say(user: &Caller, conversation: &str, content: &str) -> Value {
    let path = format!("/api/conversations/{conversation}/messages");
    let answer = user.post(&path, &json!({"content": content})).await;
    assert_eq!(answer.status, 201, "{:?}", answer.body);
    answer.body
}

pub(crate) fn reply(answer: &Value) -> &str {
    text(&answer["reply"]["content"])
}

on_both_databases! {
    async fn a_conversation_is_held_in_the_users_language(database: TestDatabase) {
        let mut worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;
        let conversation = user.conversation().await;

        let asked = say(&user, &conversation, "Mach mir ein Video von einem Papierboot, ohne Menschen").await;
        assert_eq!(asked["generation"]["prompt"], "einem Papierboot");
        assert_eq!(asked["generation"]["parameters"]["negativePrompt"], "Menschen");
        assert_eq!(asked["generation"]["clarificationQuestions"][0]["question"], "Wie lang soll es sein: 4, 6 oder 8 Sekunden?");
        assert!(reply(&asked).contains("Soll es"), "{}", reply(&asked));

        let told = say(&user, &conversation, "6 Sekunden, hochkant").await;
        assert_eq!(told["generation"]["parameters"]["aspectRatio"], "9:16");
        assert!(reply(&told).contains("Das kostet $"), "{}", reply(&told));

        let doubted = say(&user, &conversation, "ja, wenn es billiger wäre").await;
        assert_eq!(doubted["reply"]["type"], "text", "no yes: {}", reply(&doubted));
        // “ok” is of every language: the conversation goes on in the one that it began in.
        let confirmed = say(&user, &conversation, "ok").await;
        assert_ne!(confirmed["generation"]["status"], "pending_confirmation");
        let generation = confirmed["generation"].clone();
        worker.next_that_wants(DesiredState::Confirmed).await;

        tell(&app, worker.snapshot(&id(&generation), JobStatus::Completed, 2)).await;
        becomes(&user, &generation, "completed").await;
        let messages = user.get(&format!("/api/conversations/{conversation}/messages?limit=100")).await.body;
        let last = messages["items"].as_array().unwrap().last().unwrap().clone();
        assert_eq!((text(&last["type"]), text(&last["content"])), ("generation_result", "Dein Video ist fertig."));

        // What was made is where the next wish starts from.
        let longer = say(&user, &conversation, "mach es länger").await;
        let next = &longer["generation"];
        assert_ne!(next["id"], generation["id"]);
        assert_eq!((&next["prompt"], &next["parameters"]["duration"]), (&json!("einem Papierboot"), &json!(8)));
        assert_eq!(next["parameters"]["aspectRatio"], "9:16", "what was not named stays");
        assert_eq!(next["status"], "pending_confirmation", "and costs nothing before a yes");
        let longest = say(&user, &conversation, "noch länger").await;
        assert_eq!(reply(&longest), "Länger als 8 Sekunden geht nicht.");
        say(&user, &conversation, "nein danke").await;
        let again = say(&user, &conversation, "nochmal, aber quer").await;
        assert_eq!(again["generation"]["parameters"]["aspectRatio"], "16:9");
        assert_eq!(again["generation"]["parameters"]["duration"], 6, "like the one that was made");
        app.stop().await;
    }

    /// In the chat and on the card, whatever a worker of another age calls the reason.
    async fn why_there_is_no_video_is_told_in_the_users_language(database: TestDatabase) {
        let worker = FakeWorker::start();
        let app = start(database, &worker).await;
        let user = app.user().await;
        for (reason, told) in [
            ("picture_gone", "Ein Bild, aus dem dieses Video entstehen soll, ist nicht mehr da. Bitte lade es noch einmal hoch."),
            ("filtered_by_the_moon", "Der Sicherheitsfilter des Videoanbieters hat das nicht durchgelassen"),
        ] {
            let conversation = user.conversation().await;
            say(&user, &conversation, "Mach mir ein Video von einem Papierboot, 6 Sekunden, hochkant").await;
            let generation = say(&user, &conversation, "ja").await["generation"].clone();
            becomes(&user, &generation, "queued").await;
            let mut failed = serde_json::to_value(event(worker.snapshot(&id(&generation), JobStatus::Failed, 2))).unwrap();
            failed["data"]["error"]["reason"] = json!(reason);
            let answer = deliver(&app, EventId::new().as_str(), &serde_json::to_vec(&failed).unwrap()).await;
            assert_eq!(answer.status, 204, "{:?}", answer.body);
            let failed = becomes(&user, &generation, "failed").await;
            let message = text(&failed["errorMessage"]);
            assert!(message.starts_with(told), "{message}");
            let status = user.get(&format!("{}/status", path(&generation))).await.body;
            assert_eq!(text(&status["errorMessage"]), message);
            let said = user.get(&format!("/api/conversations/{conversation}/messages?limit=100")).await.body;
            let last = said["items"].as_array().unwrap().last().unwrap().clone();
            assert_eq!((text(&last["type"]), text(&last["content"])), ("error", message));
        }
        app.stop().await;
    }
}

/// A model that cannot be reached costs nobody anything: the rules read.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_model_that_is_away_is_not_missed() {
    let settings = [
        ("INTENT_PROVIDER", "openai"),
        ("INTENT_MODEL", "absent"),
        ("INTENT_BASE_URL", "http://127.0.0.1:9"),
    ];
    let app = TestApp::start_with(TestDatabase::sqlite(), &settings).await;
    let user = app.user().await;
    let conversation = user.conversation().await;
    let asked = say(&user, &conversation, "make a video of a cat, 8 seconds, vertical").await;
    assert_eq!(asked["generation"]["status"], "pending_confirmation");
    let other = say(&user, &conversation, "what a strange day it is").await;
    assert_eq!(other["reply"]["type"], "text");
    app.stop().await;
}

/// “Longer” and “shorter” answer the question for the length, compared with what would be taken otherwise.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_comparison_answers_the_question_for_the_length() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    let conversation = user.conversation().await;
    say(&user, &conversation, "make me a video of a paper boat").await;
    let longest = say(&user, &conversation, "make it longer").await;
    assert_eq!(reply(&longest), "It can't be longer than 8 seconds.");
    assert_eq!(longest["generation"]["status"], "pending_clarification", "the questions stay open");
    let shorter = say(&user, &conversation, "shorter, and vertical").await;
    let (parameters, prompt) = (&shorter["generation"]["parameters"], &shorter["generation"]["prompt"]);
    assert_eq!(
        (&parameters["duration"], &parameters["aspectRatio"]),
        (&json!(6), &json!("9:16")),
        "{shorter}"
    );
    assert_eq!(text(prompt), "a paper boat");
    assert!(reply(&shorter).contains("made with Veo"), "{}", reply(&shorter));
    app.stop().await;
}

/// What stands against a wish is said in the language of the wish.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_refusal_is_in_the_users_language() {
    let app = TestApp::start_with(TestDatabase::sqlite(), &[("BUDGET_PER_DAY", "1.00")]).await;
    let user = app.user().await;
    let conversation = user.conversation().await;
    say(&user, &conversation, "Mach mir ein Video von einem Papierboot, 8 Sekunden, hochkant").await;
    let impossible = say(&user, &conversation, "mach es 7 Sekunden lang").await;
    assert!(reply(&impossible).contains("4, 6 oder 8 Sekunden"), "{}", reply(&impossible));
    let too_dear = say(&user, &conversation, "ja").await;
    assert!(reply(&too_dear).starts_with("Dieses Video kostet $3.20"), "{}", reply(&too_dear));
    let generation = &too_dear["generation"];
    assert_eq!(generation["status"], "pending_confirmation");
    // On the card as in the chat.
    let refused = user.post(&format!("{}/confirm", path(generation)), &json!({})).await;
    refused.is_problem(402, "budget_exceeded");
    assert!(text(&refused.body["detail"]).starts_with("Dieses Video kostet $3.20"), "{:?}", refused.body);
    let long = json!({"enhancedPrompt": "boats ".repeat(2_000)});
    let refused = user.patch(&path(generation), &long).await;
    refused.is_problem(422, "validation_failed");
    assert!(text(&refused.body["errors"][0]["message"]).starts_with("Höchstens"), "{:?}", refused.body);
    app.stop().await;
}

/// Of several answers in one message, those that are right need not be given again.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_was_answered_rightly_is_not_forgotten() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    let of_a_cat = "make me a video of a cat";
    for (wish, wrong, left, right, duration, ratio, resolution) in [
        (of_a_cat, "7 seconds, vertical", json!(["duration"]), "8 seconds", 8, "9:16", "720p"),
        (of_a_cat, "6 seconds, square", json!(["aspect_ratio"]), "vertical", 6, "9:16", "720p"),
        (of_a_cat, "7 seconds, vertical, 1080p", json!(["duration"]), "8 seconds", 8, "9:16", "1080p"),
        (
            "make me a video",
            "7 seconds, vertical",
            json!(["subject", "duration"]),
            "a cat, 6 seconds",
            6,
            "9:16",
            "720p",
        ),
    ] {
        let conversation = user.conversation().await;
        say(&user, &conversation, wish).await;
        let partly = say(&user, &conversation, wrong).await;
        let generation = &partly["generation"];
        assert_eq!(text(&generation["status"]), "pending_clarification", "{partly}");
        assert_eq!(text(&partly["reply"]["type"]), "clarification", "{partly}");
        let questions = generation["clarificationQuestions"].as_array().unwrap();
        let ids: Vec<_> = questions.iter().map(|question| question["id"].clone()).collect();
        assert_eq!(Value::from(ids), left, "{wrong}");

        // The same once more changes nothing, and neither does what the route refuses.
        let known = user.get(&path(generation)).await.body;
        let again = say(&user, &conversation, wrong).await;
        let clarify = format!("{}/clarify", path(generation));
        let mixed = json!({"responses": {"duration": 7, "aspect_ratio": "16:9"}});
        user.post(&clarify, &mixed).await.is_problem(422, "validation_failed");
        let unchanged = user.get(&path(generation)).await.body;
        for key in ["updatedAt", "parameters", "clarificationQuestions"] {
            assert_eq!(
                (&again["generation"][key], &unchanged[key]),
                (&known[key], &known[key]),
                "{wrong}: {key}"
            );
        }

        let told = say(&user, &conversation, right).await;
        assert_eq!(text(&told["reply"]["type"]), "confirmation", "{}", reply(&told));
        let (generation, parameters) = (&told["generation"], &told["generation"]["parameters"]);
        assert_eq!(text(&generation["prompt"]), "a cat");
        assert_eq!(
            (&parameters["duration"], text(&parameters["aspectRatio"])),
            (&json!(duration), ratio),
            "{wrong}"
        );
        assert_eq!(text(&parameters["resolution"]), resolution, "{wrong}");
    }
    app.stop().await;
}

/// A subject that was kept, and is said again, answers; only a wish for another video begins one.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_subject_that_is_said_again_begins_no_second_video() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    let conversation = user.conversation().await;
    let asked = say(&user, &conversation, "make me a video").await;
    let partly = say(&user, &conversation, "a cat playing the piano, 7.5 seconds, vertical").await;
    let told = "That doesn't work yet. You wrote “7.5 seconds”; I can make it 4, 6 or 8 seconds long.";
    assert!(reply(&partly).starts_with(told), "{}", reply(&partly));
    assert_eq!(text(&partly["generation"]["prompt"]), "a cat playing the piano");
    let again = say(&user, &conversation, "a cat playing the piano, 4 seconds, 4k").await;
    let told = "That doesn't work yet. 4k only comes in 8 seconds, and you asked for 4.";
    assert!(reply(&again).starts_with(told), "{}", reply(&again));
    let settled = say(&user, &conversation, "720p").await;
    let generation = &settled["generation"];
    assert_eq!(generation["id"], asked["generation"]["id"]);
    assert_eq!(text(&generation["status"]), "pending_confirmation", "{generation}");
    assert_eq!(text(&generation["prompt"]), "a cat playing the piano");
    let parameters = &generation["parameters"];
    assert_eq!(
        (&parameters["duration"], text(&parameters["aspectRatio"]), text(&parameters["resolution"])),
        (&json!(4), "9:16", "720p")
    );

    let asked = say(&user, &conversation, "make me a video of a cat").await;
    let another = say(&user, &conversation, "make another video: a dog running in the park").await;
    assert_ne!(another["generation"]["id"], asked["generation"]["id"]);
    app.stop().await;
}

/// What is wrong with an answer is said in the language of the questions, in the chat and beside each question.
#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_wrong_answer_is_told_in_the_language_of_the_questions() {
    let app = TestApp::start(TestDatabase::sqlite()).await;
    let user = app.user().await;
    for (wish, wrong, no, open, only_a_yes, choose) in [
        (
            "make me a video of a cat, without sound",
            "7 seconds, vertical",
            "no",
            "I still need to know: How long should it be: 4, 6 or 8 seconds?",
            "That doesn't work yet. Veo 3.1 cannot do it otherwise. Say yes, or cancel.",
            "Choose one of these: 4 seconds, 6 seconds or 8 seconds.",
        ),
        (
            "mach mir ein Video von einer Katze, ohne Ton",
            "7 Sekunden, hochkant",
            "nein",
            "Das muss ich noch wissen: Wie lang soll es sein: 4, 6 oder 8 Sekunden?",
            "Das geht so noch nicht. Veo 3.1 kann es nicht anders. Sag ja, oder brich ab.",
            "Wähle eins davon: 4 Sekunden, 6 Sekunden oder 8 Sekunden.",
        ),
        (
            "hazme un video de un gato, sin sonido",
            "7 segundos, vertical",
            "no",
            "Todavía necesito saber: ¿Cuánto debe durar: 4, 6 o 8 segundos?",
            "Así todavía no funciona. Veo 3.1 no puede hacerlo de otra manera. Di que sí, o cancela.",
            "Elige una de estas opciones: 4 segundos, 6 segundos o 8 segundos.",
        ),
        (
            "fais-moi une vidéo d'un chat, sans son",
            "7 secondes, vertical",
            "non",
            "Il me faut encore savoir : Quelle durée : 4, 6 ou 8 secondes ?",
            "Ça ne marche pas encore. Veo 3.1 ne sait pas faire autrement. Dis oui, ou annule.",
            "Choisis parmi : 4 secondes, 6 secondes ou 8 secondes.",
        ),
        (
            "fammi un video di un gatto, senza audio",
            "7 secondi, verticale",
            "no",
            "Devo ancora sapere: Quanto deve durare: 4, 6 o 8 secondi?",
            "Così non va ancora. Veo 3.1 non può fare altrimenti. Di' sì, o annulla.",
            "Scegli tra: 4 secondi, 6 secondi o 8 secondi.",
        ),
        (
            "faz um vídeo de um gato, sem som",
            "7 segundos, vertical",
            "não",
            "Ainda preciso saber: Quanto deve durar: 4, 6 ou 8 segundos?",
            "Assim ainda não dá. Veo 3.1 não consegue fazer de outra forma. Diga sim, ou cancele.",
            "Escolha uma destas opções: 4 segundos, 6 segundos ou 8 segundos.",
        ),
    ] {
        let conversation = user.conversation().await;
        let asked = say(&user, &conversation, wish).await;
        assert_eq!(asked["generation"]["status"], "pending_clarification", "{asked}");
        assert_eq!(reply(&say(&user, &conversation, wrong).await), open);
        assert_eq!(reply(&say(&user, &conversation, no).await), only_a_yes);
        let clarify = format!("{}/clarify", path(&asked["generation"]));
        let refused = user.post(&clarify, &json!({"responses": {"duration": 7}})).await;
        refused.is_problem(422, "validation_failed");
        assert_eq!(refused.body["errors"], json!([{"field": "responses.duration", "message": choose}]));
    }
    // Whoever goes on in another language is answered in that of the questions, not in two at once.
    let conversation = user.conversation().await;
    say(&user, &conversation, "mach mir ein Video von einer Katze").await;
    let longest = say(&user, &conversation, "make it longer").await;
    assert_eq!(reply(&longest), "Länger als 8 Sekunden geht nicht.");
    app.stop().await;
}

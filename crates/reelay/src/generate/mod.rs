//! `reelay generate`: the whole job from the terminal. It speaks to the API as any other client does, to a system
//! that runs already or to one that it starts for itself and removes again.
//!
//! Standard output gets the name of the file that was made and nothing else; all talk goes to standard error.

mod follow;
mod questions;
mod terminal;
mod video_file;

use std::{
    path::Path,
    process::ExitCode,
    sync::{Mutex, PoisonError},
};

use anyhow::{Context, Result, bail};
use contract::{ErrorCode, GenerationStatus, Money, Parameters, Stage};
use foundation::shutdown::StopSignals;
use indicatif::{HumanBytes, ProgressBar};
use serde::Deserialize;
use serde_json::{Map, Value, json};

use self::{questions::Question, terminal::Terminal, video_file::VideoFile};
use crate::{
    cli::{GenerateOptions, UpOptions},
    client::Client,
    system::{LOG_FILE, LogTo, System},
};

/// The exit code of a program that was interrupted, as shells have it.
const INTERRUPTED: u8 = 130;
/// How much of the log is shown when a system does not start.
const LOG_LINES_SHOWN: usize = 15;

/// A generation, as far as the terminal shows it.
#[derive(Debug, Clone, Deserialize)]
#[serde(rename_all = "camelCase")]
struct Generation {
    id: String,
    status: GenerationStatus,
    /// What the provider is asked for in place of the prompt.
    #[serde(default)]
    enhanced_prompt: Option<String>,
    parameters: Option<Parameters>,
    clarification_questions: Option<Vec<Question>>,
    estimated_cost: Option<Money>,
    progress: Option<u64>,
    queue_position: Option<i64>,
    stage: Option<Stage>,
    result_url: Option<String>,
    file_size: Option<u64>,
    duration: Option<f64>,
    resolution: Option<String>,
    processing_time: Option<f64>,
    error_code: Option<ErrorCode>,
    error_message: Option<String>,
    /// A cursor for its events; only ever handed back.
    events_cursor: Option<Value>,
}

/// Makes a video and saves it.
pub(crate) async fn generate(options: GenerateOptions) -> Result<ExitCode> {
    if !options.yes && !Terminal::is_there() {
        bail!(
            "questions and the price need a terminal: with --yes every default is taken and the price accepted"
        );
    }
    // Before anything is paid for.
    let file = VideoFile::create(options.out.as_deref(), &options.prompt)?;
    let mut stop = StopSignals::hear(false).context("signals cannot be heard")?;
    match (&options.api_url, &options.token) {
        (Some(url), Some(token)) => {
            let client = Client::new(url.as_str(), Some(token))?;
            interruptible(&client, &options, file, false, &mut stop).await
        }
        _ => with_own_system(&options, file, &mut stop).await,
    }
}

/// Starts a system of its own on free ports and a temporary directory, and removes all of it afterwards.
async fn with_own_system(
    options: &GenerateOptions,
    file: VideoFile,
    stop: &mut StopSignals,
) -> Result<ExitCode> {
    let folder = tempfile::Builder::new().prefix("reelay-").tempdir().context("no temporary directory")?;
    let free = Some(0);
    let up = UpOptions {
        api_port: free,
        worker_port: free,
        provider_port: free,
        s3_port: free,
        ..UpOptions::default()
    };
    let waiting = ProgressBar::new_spinner().with_message("Starting Reelay");
    waiting.enable_steady_tick(follow::TICK);
    let started = tokio::select! {
        started = System::start(&up, folder.path(), LogTo::DataDir) => started,
        _ = stop.requested() => return Ok(ExitCode::from(INTERRUPTED)),
    };
    waiting.finish_and_clear();
    let system = match started {
        Ok(system) => system,
        Err(error) => {
            show_log(&folder.path().join(LOG_FILE));
            return Err(error);
        }
    };
    let client = Client::new(&system.facts().api, Some(&system.facts().token));
    let outcome = match client {
        Ok(client) => interruptible(&client, options, file, system.provider_is_simulated(), stop).await,
        Err(error) => Err(error.into()),
    };
    system.stop().await;
    drop(folder);
    outcome
}

fn show_log(path: &Path) {
    let text = std::fs::read_to_string(path).unwrap_or_default();
    let lines: Vec<_> = text.lines().collect();
    for line in lines.get(lines.len().saturating_sub(LOG_LINES_SHOWN)..).unwrap_or_default() {
        eprintln!("{line}");
    }
}

/// Makes the video, unless Ctrl-C or SIGTERM comes first: then what was asked for is cancelled.
async fn interruptible(
    client: &Client,
    options: &GenerateOptions,
    file: VideoFile,
    simulated: bool,
    stop: &mut StopSignals,
) -> Result<ExitCode> {
    let asked_for = Mutex::new(None);
    let outcome = tokio::select! {
        outcome = make(client, options, file, simulated, &asked_for) => outcome,
        _ = stop.requested() => {
            let id = asked_for.lock().unwrap_or_else(PoisonError::into_inner).take();
            if let Some(id) = id {
                cancel(client, &id).await?;
            }
            eprintln!("Cancelled.");
            return Ok(ExitCode::from(INTERRUPTED));
        }
    };
    outcome.map(|()| ExitCode::SUCCESS)
}

async fn make(
    client: &Client,
    options: &GenerateOptions,
    file: VideoFile,
    simulated: bool,
    asked_for: &Mutex<Option<String>>,
) -> Result<()> {
    let parameters = Parameters {
        duration: options.duration,
        aspect_ratio: options.aspect_ratio.clone(),
        resolution: options.resolution.clone(),
        ..Parameters::default()
    };
    let request = json!({"prompt": options.prompt, "parameters": parameters});
    let mut generation: Generation = client.post("/api/generations", &request).await?;
    asked_for.lock().unwrap_or_else(PoisonError::into_inner).replace(generation.id.clone());

    let mut terminal = Terminal::new();
    if generation.status == GenerationStatus::PendingClarification {
        let questions = generation.clarification_questions.clone().unwrap_or_default();
        let responses = if options.yes {
            questions::defaults(&questions)?
        } else {
            answers(&mut terminal, &questions).await?
        };
        let path = format!("/api/generations/{}/clarify", generation.id);
        generation = client.post(&path, &json!({"responses": responses})).await?;
    }
    if generation.status == GenerationStatus::PendingConfirmation {
        if options.own_words {
            generation.enhanced_prompt = None;
        }
        eprintln!("{}", summary(&generation, simulated));
        if !options.yes && !terminal.agrees("Make it?").await? {
            cancel(client, &generation.id).await?;
            bail!("nothing was made");
        }
        let path = format!("/api/generations/{}/confirm", generation.id);
        generation = client.post(&path, &agreement(&generation)).await?;
    }

    let generation = follow::until_over(client, generation).await?;
    match generation.status {
        GenerationStatus::Completed => save(client, &generation, file).await,
        GenerationStatus::Cancelled => bail!("the generation was cancelled"),
        _ => bail!("{}", reason(&generation)),
    }
}

async fn answers(terminal: &mut Terminal, questions: &[Question]) -> Result<Map<String, Value>> {
    let mut responses = Map::new();
    for question in questions {
        eprintln!("{}", question.shown());
        loop {
            let line = terminal.line("> ").await?;
            match question.read(&line) {
                Ok(Some(answer)) => _ = responses.insert(question.id.clone(), answer),
                Ok(None) => {}
                Err(problem) => {
                    eprintln!("{problem}");
                    continue;
                }
            }
            break;
        }
    }
    Ok(responses)
}

async fn cancel(client: &Client, id: &str) -> Result<()> {
    let path = format!("/api/generations/{id}/cancel");
    client.post::<Value>(&path, &json!({})).await.context("the generation could not be cancelled")?;
    Ok(())
}

async fn save(client: &Client, generation: &Generation, file: VideoFile) -> Result<()> {
    let link = generation.result_url.as_deref().context("the API names no video")?;
    let size = file.fill(client.open(link).await?, generation.file_size).await?;
    let path = file.keep()?;
    let facts = [
        generation.duration.map(|seconds| format!("{seconds:.1} s")),
        generation.resolution.clone(),
        Some(HumanBytes(size).to_string()),
        generation.processing_time.map(|seconds| format!("made in {seconds:.0} s")),
    ];
    eprintln!("Your video is ready: {}", facts.into_iter().flatten().collect::<Vec<_>>().join(", "));
    println!("{}", path.display());
    Ok(())
}

/// A yes to what was shown, in these words and at this price.
fn agreement(generation: &Generation) -> Value {
    json!({"estimatedCost": generation.estimated_cost, "enhancedPrompt": generation.enhanced_prompt})
}

/// What will be made and what it costs.
fn summary(generation: &Generation, simulated: bool) -> String {
    let parameters = generation.parameters.clone().unwrap_or_default();
    let what = [
        parameters.duration.map(|seconds| format!("{seconds} seconds")),
        parameters.aspect_ratio,
        parameters.resolution,
        parameters.style,
    ];
    let what = what.into_iter().flatten().collect::<Vec<_>>().join(", ");
    let cost = generation.estimated_cost.as_ref();
    let cost =
        cost.map_or_else(|| "no price known".to_owned(), |cost| format!("{} {}", cost.amount, cost.currency));
    let note = if simulated { " (simulated: nothing is charged)" } else { "" };
    let words = generation.enhanced_prompt.as_ref();
    let words = words.map_or_else(String::new, |words| {
        format!("It would be asked for in these words (--own-words keeps yours):\n  {}\n", plain(words))
    });
    format!("{words}{what}: {cost}{note}")
}

/// A text for a terminal, on which control characters do things.
fn plain(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { ' ' } else { c }).collect()
}

fn reason(generation: &Generation) -> String {
    let message = generation.error_message.as_deref().unwrap_or("the video could not be made");
    match generation.error_code {
        Some(code) => format!("{message} ({code})"),
        None => message.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn priced(enhanced: Option<&str>) -> Generation {
        serde_json::from_value(json!({
            "id": "gen_1", "status": "pending_confirmation", "enhancedPrompt": enhanced,
            "parameters": {"duration": 8, "aspectRatio": "16:9"},
            "estimatedCost": {"amount": "3.20", "currency": "USD"},
        }))
        .unwrap()
    }

    #[test]
    fn the_words_are_shown_with_the_price_and_agreed_to_with_it() {
        let better = priced(Some("A boat\u{1b}[2J at dusk."));
        let shown = summary(&better, false);
        assert!(shown.contains("  A boat [2J at dusk.\n") && shown.contains("--own-words"), "{shown}");
        assert!(shown.ends_with("8 seconds, 16:9: 3.20 USD"), "{shown}");
        assert_eq!(agreement(&better)["enhancedPrompt"], "A boat\u{1b}[2J at dusk.");
        let own = priced(None);
        assert_eq!(summary(&own, true), "8 seconds, 16:9: 3.20 USD (simulated: nothing is charged)");
        assert_eq!(agreement(&own)["enhancedPrompt"], Value::Null);
        assert_eq!(agreement(&own)["estimatedCost"]["amount"], "3.20");
    }
}

//! `cargo xtask intent`: how well messages are read, as a table for each language and kind of message. The rules read
//! them, or a model that the INTENT_… settings name. It needs no database.

use anyhow::Result;
use clap::{Args, ValueEnum};

use crate::step;

/// Who reads.
#[derive(Debug, Args)]
pub(crate) struct Options {
    /// A model instead of the rules; INTENT_MODEL, INTENT_API_KEY and, if need be, INTENT_BASE_URL say which. Each
    /// message is a request to it.
    #[arg(long)]
    provider: Option<Provider>,
}

#[derive(Clone, Copy, Debug, ValueEnum)]
enum Provider {
    Gemini,
    Openai,
}

/// The task itself.
pub(crate) fn run(options: &Options) -> Result<()> {
    let test = match options.provider {
        None => "labelled_messages_are_read_by_the_rules",
        Some(_) => "labelled_messages_are_read_by_the_model",
    };
    let mut cargo = step::cargo(&["test", "--workspace", "--all-features", "--lib", test, "--"]);
    cargo.args(["--nocapture", "--include-ignored"]);
    if let Some(provider) = options.provider {
        cargo.env(
            "INTENT_PROVIDER",
            match provider {
                Provider::Gemini => "gemini",
                Provider::Openai => "openai",
            },
        );
    }
    step::run(&mut cargo)
}

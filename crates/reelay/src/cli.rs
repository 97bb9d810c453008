//! The command line: what can be asked of the program, and nothing of how it is done.

use std::path::PathBuf;

use clap::{Args, Parser, Subcommand};
use url::Url;

/// Reelay: a chat that makes videos. Without a command, starts the whole system on this machine (`up`).
#[derive(Debug, Parser)]
#[command(name = "reelay", version, args_conflicts_with_subcommands = true)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Option<Command>,
    #[command(flatten)]
    pub(crate) up: UpOptions,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// Start the whole system on this machine and keep it running
    Up(UpOptions),
    /// Make a video from the terminal, with a running system or one that is started for it
    Generate(GenerateOptions),
    /// Run one part of the system alone, with its settings from the environment
    Run {
        #[command(subcommand)]
        part: RunPart,
    },
}

/// Where the system listens and keeps its data.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct UpOptions {
    /// Where databases, videos, secrets and the local account are kept [default: reelay in the user's data
    /// directory, such as ~/.local/share/reelay]
    #[arg(long, env = "REELAY_DATA_DIR", value_name = "DIRECTORY")]
    pub(crate) data_dir: Option<PathBuf>,

    /// Port of the page and the API; 0 takes a free one [default: 8080]
    #[arg(long, value_name = "PORT")]
    pub(crate) api_port: Option<u16>,

    /// Port of the worker; 0 takes a free one [default: 8081]
    #[arg(long, value_name = "PORT")]
    pub(crate) worker_port: Option<u16>,

    /// Port of the simulated provider; 0 takes a free one [default: 8082]
    #[arg(long, value_name = "PORT")]
    pub(crate) provider_port: Option<u16>,

    /// Port of the embedded object storage; 0 takes a free one [default: 8083]
    #[arg(long, value_name = "PORT")]
    pub(crate) s3_port: Option<u16>,

    /// Use this PostgreSQL database (postgres://…) rather than SQLite files
    #[arg(long, value_name = "URL", hide_env_values = true)]
    pub(crate) database_url: Option<String>,

    /// Once all is ready, print one line of JSON for scripts on standard output
    #[arg(long)]
    pub(crate) json: bool,
}

/// What to make, and with which system.
#[derive(Debug, Args)]
pub(crate) struct GenerateOptions {
    /// What the video shows
    pub(crate) prompt: String,

    /// Length in seconds
    #[arg(long, value_name = "SECONDS")]
    pub(crate) duration: Option<u32>,

    /// Width to height, such as 16:9
    #[arg(long, value_name = "W:H")]
    pub(crate) aspect_ratio: Option<String>,

    /// 720p, 1080p or 4k
    #[arg(long, value_name = "NAME")]
    pub(crate) resolution: Option<String>,

    /// Where the MP4 goes; what is there is replaced [default: a new file named after the prompt]
    #[arg(long, short, value_name = "FILE")]
    pub(crate) out: Option<PathBuf>,

    /// Have it asked for in these words, whatever better ones are proposed
    #[arg(long)]
    pub(crate) own_words: bool,

    /// Take the default of every question and accept the price
    #[arg(long, short)]
    pub(crate) yes: bool,

    /// A running system, such as http://127.0.0.1:8080; without it, one is started and removed again
    #[arg(long, value_name = "URL", requires = "token")]
    pub(crate) api_url: Option<Url>,

    /// The token of an account on that system (better given in the environment: others can see arguments)
    #[arg(long, env = "REELAY_TOKEN", hide_env_values = true, value_name = "TOKEN")]
    pub(crate) token: Option<String>,
}

#[derive(Debug, Subcommand)]
pub(crate) enum RunPart {
    /// api-service: the product's HTTP API and its page
    #[command(disable_help_flag = true)]
    Api(ServiceArguments),
    /// worker-service: the queue and the making of videos
    #[command(disable_help_flag = true)]
    Worker(ServiceArguments),
    /// The embedded object storage: an S3 server that keeps objects as files
    #[command(after_help = crate::run::s3_help())]
    S3(Lifeline),
    /// The simulated provider
    Provider {
        #[command(flatten)]
        options: veo_simulator::Options,
        #[command(flatten)]
        lifeline: Lifeline,
    },
}

/// Whether a part ends with whoever started it.
#[derive(Debug, Clone, Copy, Args)]
pub(crate) struct Lifeline {
    /// End when standard input ends, which the one who started this holds open
    #[arg(long)]
    pub(crate) end_with_parent: bool,
}

/// A service reads its own arguments (--help, --version).
#[derive(Debug, Args)]
pub(crate) struct ServiceArguments {
    #[command(flatten)]
    pub(crate) lifeline: Lifeline,
    #[arg(hide = true, trailing_var_arg = true, allow_hyphen_values = true)]
    pub(crate) rest: Vec<String>,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory;

    use super::*;

    #[test]
    fn the_command_line_is_consistent() {
        Cli::command().debug_assert();
    }

    #[test]
    fn up_is_the_default() {
        let cli = Cli::parse_from(["reelay", "--api-port", "0", "--json"]);
        assert!(cli.command.is_none() && cli.up.json);
        assert_eq!(cli.up.api_port, Some(0));
        let cli = Cli::parse_from(["reelay", "up", "--s3-port", "1"]);
        assert!(matches!(cli.command, Some(Command::Up(UpOptions { s3_port: Some(1), .. }))));
        assert!(Cli::try_parse_from(["reelay", "--json", "up"]).is_err());
    }

    #[test]
    fn parts_can_be_run_alone_and_services_get_their_own_arguments() {
        let part = |line: &[&str]| match Cli::parse_from(line).command {
            Some(Command::Run { part }) => part,
            other => panic!("{other:?}"),
        };
        assert!(matches!(
            part(&["reelay", "run", "s3", "--end-with-parent"]),
            RunPart::S3(Lifeline { end_with_parent: true })
        ));
        let RunPart::Api(arguments) = part(&["reelay", "run", "api", "--help"]) else { panic!() };
        assert!(!arguments.lifeline.end_with_parent);
        assert_eq!(arguments.rest, ["--help"]);
        let RunPart::Provider { options, .. } = part(&["reelay", "run", "provider", "--latency", "1s"])
        else {
            panic!()
        };
        assert_eq!(options.latency.as_secs(), 1);
    }

    #[test]
    fn a_strange_system_needs_a_token() {
        let line = ["reelay", "generate", "a boat", "--api-url", "http://127.0.0.1:1"];
        let error = Cli::try_parse_from(line).unwrap_err().to_string();
        assert!(error.contains("--token"), "{error}");
    }
}

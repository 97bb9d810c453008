//! What a simulator can be told, on the command line or in the environment.

use std::net::{Ipv4Addr, SocketAddr};
use std::num::NonZeroUsize;
use std::path::PathBuf;
use std::time::Duration;

use contract::signing::Secrets;

use crate::fault::{Fault, parse_duration};

const DEFAULT_LATENCY: &str = "4s";
const DEFAULT_PORT: u16 = 8082;

/// The settings of a simulator. [`Options::default`] is what the command line gives when it says nothing.
#[derive(Debug, Clone, clap::Args)]
pub struct Options {
    /// Address and port to serve on; port 0 picks a free one
    #[arg(long, env = "SIMULATOR_BIND", default_value_t = default_bind())]
    pub bind: SocketAddr,

    /// Where operations, videos and the ledger are kept; without it, in a temporary directory that goes away at
    /// the end
    #[arg(long, env = "SIMULATOR_DATA_DIR", value_name = "DIRECTORY")]
    pub data_dir: Option<PathBuf>,

    /// How long every video takes at least, such as 4s or 500ms
    #[arg(long, env = "SIMULATOR_LATENCY", default_value = DEFAULT_LATENCY, value_parser = parse_duration)]
    pub latency: Duration,

    /// Whether every prompt gets its own pictures
    #[arg(long, env = "SIMULATOR_RENDER", value_enum, default_value_t)]
    pub render: Render,

    /// What goes wrong with every request, as if its prompt asked for it; several are separated by commas
    #[arg(long = "fault", env = "SIMULATOR_FAULT", value_enum, value_delimiter = ',', value_name = "FAULT")]
    pub faults: Vec<Fault>,

    /// The only API key that is let in; without it, any that is not empty
    #[arg(long, env = "SIMULATOR_API_KEY", hide_env_values = true, value_name = "KEY")]
    pub api_key: Option<String>,

    /// The secret (whsec_…) that webhooks are signed with after Standard Webhooks; without it, with a token by a key
    /// of /.well-known/jwks.json
    #[arg(long, env = "SIMULATOR_WEBHOOK_SECRET", hide_env_values = true, value_name = "SECRET", value_parser = parse_secrets)]
    pub webhook_secret: Option<Secrets>,

    /// How many videos are rendered at the same time; by default one per core
    #[arg(long, env = "SIMULATOR_RENDER_THREADS", value_name = "COUNT")]
    pub render_threads: Option<NonZeroUsize>,
}

/// Where the pictures of a video come from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, clap::ValueEnum)]
pub enum Render {
    /// Every prompt has its own
    #[default]
    Full,
    /// One ready video per size and length is made once and given to all, for load tests
    Cached,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            bind: default_bind(),
            data_dir: None,
            latency: Duration::from_secs(4),
            render: Render::default(),
            faults: Vec::new(),
            api_key: None,
            webhook_secret: None,
            render_threads: None,
        }
    }
}

/// The error says nothing of the secret.
fn parse_secrets(text: &str) -> Result<Secrets, String> {
    Secrets::parse(text).map_err(|error| error.to_string())
}

fn default_bind() -> SocketAddr {
    SocketAddr::from((Ipv4Addr::LOCALHOST, DEFAULT_PORT))
}

#[cfg(test)]
mod tests {
    use clap::Parser;

    use super::*;

    #[derive(Parser)]
    struct Line {
        #[command(flatten)]
        options: Options,
    }

    #[test]
    fn the_command_line_and_the_default_agree() {
        let parsed = Line::parse_from(["veo-simulator"]).options;
        assert_eq!(format!("{parsed:?}"), format!("{:?}", Options::default()));
    }

    #[test]
    fn everything_can_be_said_on_the_command_line() {
        let line =
            "veo-simulator --bind 127.0.0.1:0 --data-dir d --latency 1m --render cached --fault 429,slow";
        let options = Line::parse_from(line.split(' ')).options;
        assert_eq!(options.bind.port(), 0);
        assert_eq!(options.latency, Duration::from_mins(1));
        assert_eq!(options.render, Render::Cached);
        assert_eq!(options.faults, [Fault::RateLimited, Fault::Slow]);
    }
}

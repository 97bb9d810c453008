//! A video provider on this machine: it speaks the real providers' wire protocols, renders real MP4s that follow
//! from the prompt, goes wrong on demand, and keeps a ledger of every submission that it accepted. Development
//! and tests run against it as production runs against the real one.
//!
//! It must know nothing of Reelay: whatever a client gets from it, a real provider could have sent. What only
//! the simulator has (`/ledger`, `/healthz`, `[sim:…]` in a prompt) stands apart from the protocols.
//!
//! A request's way through the files: [`http`] (the routes) → [`protocols`] (what is valid, how it is worded) →
//! [`operations`] (what is accepted, remembered and due; [`fault`], [`journal`]) → [`studio`] (files) →
//! [`render`] (pictures); and back to whoever asked for it, [`webhooks`]. Another protocol is another file in [`protocols`].

pub mod command;
mod download;
mod fault;
mod google;
mod http;
mod journal;
mod operations;
mod options;
mod protocols;
pub mod range;
mod render;
mod studio;
mod webhooks;

use std::io;
use std::net::SocketAddr;
use std::path::PathBuf;
use std::time::Instant;

use actix_web::dev::ServerHandle;
use actix_web::web::Data;
use actix_web::{App, HttpServer};
use tempfile::TempDir;
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;

pub use fault::Fault;
pub use options::{Options, Render};

use crate::http::Shared;
use crate::operations::Operations;

/// How many seconds downloads in flight have to end when the simulator is stopped.
const SHUTDOWN_SECONDS: u64 = 2;

/// Why a simulator did not start.
#[derive(Debug, thiserror::Error)]
pub enum StartError {
    /// The address is taken or not this machine's.
    #[error("cannot listen on {address}: {source}")]
    Bind {
        /// Where it was to listen.
        address: SocketAddr,
        /// What the system said.
        source: io::Error,
    },
    /// The data directory cannot be used.
    #[error("the data directory {} cannot be used: {source}", path.display())]
    DataDirectory {
        /// The directory.
        path: PathBuf,
        /// What is wrong with it.
        source: io::Error,
    },
}

/// A running simulator. Dropping it does not stop it; [`Simulator::stop`] does.
#[derive(Debug)]
pub struct Simulator {
    address: SocketAddr,
    operations: std::sync::Arc<Operations>,
    server: ServerHandle,
    serving: JoinHandle<io::Result<()>>,
    stopping: CancellationToken,
    /// The data directory, if it is only a temporary one.
    temporary: Option<TempDir>,
}

impl Simulator {
    /// Binds, takes up what the data directory remembers, and serves. Rendering goes on on the tokio
    /// runtime that this is called on.
    pub async fn start(options: Options) -> Result<Self, StartError> {
        let unusable = |source| StartError::DataDirectory { path: std::env::temp_dir(), source };
        let temporary = match &options.data_dir {
            Some(_) => None,
            None => Some(TempDir::with_prefix("veo-simulator-").map_err(unusable)?),
        };
        let directory =
            options.data_dir.clone().or_else(|| temporary.as_ref().map(|it| it.path().to_owned()));
        let directory = directory.unwrap_or_default();

        let stopping = CancellationToken::new();
        let opening = {
            let (options, directory, stopping) = (options.clone(), directory.clone(), stopping.clone());
            tokio::task::spawn_blocking(move || Operations::open(&options, &directory, stopping))
        };
        let operations = opening.await.map_err(|panicked| StartError::DataDirectory {
            path: directory,
            source: io::Error::other(panicked),
        })??;
        let api_key = options.api_key.filter(|key| !key.is_empty());
        let shared = Data::new(Shared { operations: std::sync::Arc::clone(&operations), api_key });
        let refused = |source| StartError::Bind { address: options.bind, source };
        let server = HttpServer::new(move || App::new().app_data(shared.clone()).configure(http::routes))
            .disable_signals()
            .shutdown_timeout(SHUTDOWN_SECONDS)
            .bind(options.bind)
            .map_err(refused)?;
        let address = server.addrs().first().copied().unwrap_or(options.bind);
        let server = server.run();
        let handle = server.handle();
        telemetry::event!(INFO, SERVICE_LISTENING, address = %address);
        let serving = tokio::spawn(server);
        Ok(Self { address, operations, server: handle, serving, stopping, temporary })
    }

    /// Where it listens: with the real port, if a free one was asked for.
    pub fn address(&self) -> SocketAddr {
        self.address
    }

    /// What a client takes for the provider's base URL.
    pub fn base_url(&self) -> String {
        format!("http://{}", self.address)
    }

    /// Serves until `shutdown` is ready, then stops in order. Fails if serving ends by itself.
    pub async fn run_until_stopped(mut self, shutdown: impl Future<Output = ()>) -> io::Result<()> {
        tokio::select! {
            () = shutdown => {}
            ended = &mut self.serving => {
                return Err(match ended {
                    Ok(Ok(())) => io::Error::other("the server ended by itself"),
                    Ok(Err(error)) => error,
                    Err(error) => io::Error::other(error),
                });
            }
        }
        self.stop().await;
        Ok(())
    }

    /// Stops: no new requests, a moment for those in flight, rendering given up (it is taken up again by the next
    /// start on the same data directory).
    pub async fn stop(self) {
        let begun = Instant::now();
        telemetry::event!(INFO, SERVICE_STOPPING, reason = "asked to");
        self.stopping.cancel();
        self.server.stop(true).await;
        self.operations.finish().await;
        drop(self.operations);
        drop(self.temporary);
        telemetry::event!(INFO, SERVICE_STOPPED, durationMs = begun.elapsed().as_millis() as u64);
    }
}

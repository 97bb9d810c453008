//! What the HTTP side of every service stands on: the program around it, its server and the stop in order, what
//! every request leaves behind, bodies within their limits, queries, and errors as the wire has them.
//!
//! It knows no service's routes, tables or words, and neither SQL nor remotes.

pub mod body;
mod connection;
mod directory;
mod error;
mod head;
mod observe;
mod program;
mod query;
mod server;
mod signature;
mod state;

pub use connection::Connection;
pub use directory::{Directory, unrouted};
pub use error::{AppError, AppResult};
pub use head::method;
pub use observe::{request_id, to_its_end};
pub use program::{Program, Stop};
pub use query::Query;
pub use server::{Listeners, OwnMetrics, RunError, Server, Serving, StartError, Stopping};
pub use signature::signed_headers;
pub use state::{at_home, follow_files, state_of};

//! What handlers share, the runtime that their work belongs to, and the files that settings come from.

use std::{future::Future, time::Duration};

use actix_web::{HttpRequest, web::Data};
use foundation::settings::Environment;
use tokio::runtime::Handle;
use tokio_util::sync::CancellationToken;
use tracing::{Instrument as _, Span};

use crate::{AppError, AppResult};

/// How often files of settings are read again.
const REFRESH: Duration = Duration::from_secs(10);

/// The state that a request's application has.
pub fn state_of<State: 'static>(request: &HttpRequest) -> AppResult<Data<State>> {
    let state = request.app_data::<Data<State>>();
    state.cloned().ok_or_else(|| AppError::internal("the application has no state"))
}

/// Runs work that writes, or that calls a remote, on the process's home runtime, to its end even if the client
/// goes away. The work begins at once, and what is returned is small: it only waits.
pub fn at_home<T, E>(
    home: &Handle,
    work: impl Future<Output = Result<T, E>> + Send + 'static,
) -> impl Future<Output = AppResult<T>>
where
    T: Send + 'static,
    E: Send + 'static,
    AppError: From<E>,
{
    let working = home.spawn(work.instrument(Span::current()));
    async move { Ok(working.await.map_err(AppError::internal)??) }
}

/// Follows the files that settings come from, until `stop` fires.
pub async fn follow_files(environment: Environment, stop: CancellationToken) {
    while stop.run_until_cancelled(tokio::time::sleep(REFRESH)).await.is_some() {
        let (changed, errors) = environment.refresh();
        if changed > 0 {
            tracing::info!(changed, "Settings were read again from their files");
        }
        for error in errors {
            tracing::warn!(%error, "A setting keeps its old value");
        }
    }
}

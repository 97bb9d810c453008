//! The routes of jobs: commands of api-service, and how its generations stand.

use actix_web::{
    HttpResponse, get,
    http::StatusCode,
    post,
    web::{Data, Path},
};
use contract::{
    GenerationId, Problem,
    worker_api::{Command, CommandAnswer, JobSnapshot, StatusAnswer, StatusRequest},
};
use telemetry::event;
use utoipa_actix_web::service_config::ServiceConfig;

use super::service::{Answered, faults};
use crate::{
    app::{State, body::Body},
    auth::{Fresh, Nonce},
    error::{AppError, AppResult},
};

/// The routes.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config
        .service(create)
        .service(statuses)
        .service(clarify)
        .service(confirm)
        .service(cancel)
        .service(status);
}

async fn take(state: &State, nonce: Nonce, command: Command) -> AppResult<Answered> {
    let faults = faults(&command);
    if !faults.is_empty() {
        return Err(AppError::validation(faults));
    }
    let (jobs, nonce) = (state.jobs().clone(), nonce.into_inner());
    state.at_home(async move { jobs.take(&command, &nonce).await }).await
}

/// A command whose path names the generation, too.
async fn take_for(state: &State, nonce: Nonce, path: &str, command: Command) -> AppResult<HttpResponse> {
    if command.generation_id != named(path)? {
        return Err(AppError::field("generationId", "must be the path's"));
    }
    Ok(HttpResponse::Ok().json(take(state, nonce, command).await?.answer))
}

fn named(path: &str) -> AppResult<GenerationId> {
    path.parse().map_err(|_| AppError::not_found("generation"))
}

/// Create a job
///
/// Like all commands, this carries the generation's whole desired state with a `revision`. The worker takes
/// it if it is newer than what it has, creating the job if it must, and answers with what is there then.
#[utoipa::path(
    tag = "jobs",
    request_body = Command,
    responses(
        (status = 201, description = "The job was created", body = CommandAnswer),
        (status = 200, description = "The generation has a job already", body = CommandAnswer),
        (status = 503, description = "`queue_full` or `unavailable`; `retry-after` says when to come again", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/generations")]
async fn create(state: Data<State>, nonce: Nonce, command: Body<Command>) -> AppResult<HttpResponse> {
    let command = command.into_inner();
    let generation = command.generation_id.clone();
    event!(INFO, WORKER_GENERATION_CREATE_REQUEST_RECEIVED, userId = %command.user_id, prompt = telemetry::prompt(&command.prompt), provider = command.provider);
    event!(INFO, WORKER_GENERATION_CREATE_CREATING_JOB, generationId = %generation);
    let Answered { answer, created } = take(&state, nonce, command).await?;
    if created {
        // A place of 0 is none: what is not confirmed does not wait yet.
        let place = answer.queue_position.unwrap_or(0);
        event!(INFO, WORKER_GENERATION_CREATE_JOB_CREATED, generationId = %generation, jobId = %answer.job_id, queuePosition = place);
    }
    event!(INFO, WORKER_GENERATION_CREATE_RETURNING_RESPONSE, generationId = %generation, status = %answer.status);
    let code = if created { StatusCode::CREATED } else { StatusCode::OK };
    Ok(HttpResponse::build(code).json(answer))
}

/// Take over answers to questions
#[utoipa::path(
    tag = "jobs",
    params(("id" = String, Path, description = "The generation")),
    request_body = Command,
    responses((status = 200, description = "What the worker has now", body = CommandAnswer))
)]
#[post("/generations/{id}/clarify")]
async fn clarify(
    state: Data<State>,
    nonce: Nonce,
    id: Path<String>,
    command: Body<Command>,
) -> AppResult<HttpResponse> {
    take_for(&state, nonce, &id, command.into_inner()).await
}

/// Put the job in the queue
#[utoipa::path(
    tag = "jobs",
    params(("id" = String, Path, description = "The generation")),
    request_body = Command,
    responses(
        (status = 200, description = "What the worker has now", body = CommandAnswer),
        (status = 503, description = "`queue_full` or `unavailable`; `retry-after` says when to come again", body = Problem, content_type = "application/problem+json"),
    )
)]
#[post("/generations/{id}/confirm")]
async fn confirm(
    state: Data<State>,
    nonce: Nonce,
    id: Path<String>,
    command: Body<Command>,
) -> AppResult<HttpResponse> {
    take_for(&state, nonce, &id, command.into_inner()).await
}

/// Stop the job
///
/// A job that has been completed already stays so, but what it stored is removed. For a generation that the
/// worker does not know, a cancelled job is stored.
#[utoipa::path(
    tag = "jobs",
    params(("id" = String, Path, description = "The generation")),
    request_body = Command,
    responses((status = 200, description = "What the worker has now", body = CommandAnswer))
)]
#[post("/generations/{id}/cancel")]
async fn cancel(
    state: Data<State>,
    nonce: Nonce,
    id: Path<String>,
    command: Body<Command>,
) -> AppResult<HttpResponse> {
    take_for(&state, nonce, &id, command.into_inner()).await
}

/// How a job stands
///
/// The same snapshot as in webhooks, with the same `sequence`.
#[utoipa::path(
    tag = "jobs",
    params(("id" = String, Path, description = "The generation")),
    responses(
        (status = 200, description = "The job's state", body = JobSnapshot),
        (status = 404, description = "`not_found`", body = Problem, content_type = "application/problem+json"),
    )
)]
#[get("/generations/{id}/status")]
async fn status(state: Data<State>, _: Fresh, id: Path<String>) -> AppResult<HttpResponse> {
    let (jobs, id) = (state.jobs().clone(), named(&id)?);
    let found = state.at_home(async move { jobs.status(&id).await }).await?;
    let snapshot = found.ok_or_else(|| AppError::not_found("generation"))?;
    Ok(HttpResponse::Ok().json(snapshot))
}

/// How many jobs stand
///
/// For the reconciler; at most 500 at once. Generations without a job are left out.
#[utoipa::path(
    tag = "jobs",
    request_body = StatusRequest,
    responses((status = 200, description = "The jobs' states, in no particular order", body = StatusAnswer))
)]
#[post("/generations/status")]
async fn statuses(state: Data<State>, _: Fresh, request: Body<StatusRequest>) -> AppResult<HttpResponse> {
    let ids = request.into_inner().ids;
    if ids.len() > StatusRequest::MAX_IDS {
        return Err(AppError::field("ids", format!("must be no more than {}", StatusRequest::MAX_IDS)));
    }
    let jobs = state.jobs().clone();
    let items = state.at_home(async move { jobs.statuses(&ids).await }).await?;
    Ok(HttpResponse::Ok().json(StatusAnswer { items }))
}

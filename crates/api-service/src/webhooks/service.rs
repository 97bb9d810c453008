//! What a webhook comes to. The body is not looked into before its signature is verified.

use contract::{
    Timestamp,
    events::{self, Event, Received},
    signing::SignedHeaders,
};
use telemetry::metric;

use crate::{
    error::{AppError, AppResult},
    generations::{Flow, service::observe, state::Input},
    store::{Changed, Origin, Outcome},
};

/// Takes a webhook in. To be called on the home runtime.
///
/// # Errors
/// 401 `invalid_signature` if it was not signed by a secret of ours just now, 422 `invalid_event` if it was and
/// is no event. Whatever else it is, it is taken, even if it changes nothing.
pub async fn receive(flow: &Flow, headers: Option<SignedHeaders>, body: &[u8]) -> AppResult<()> {
    let secrets = flow.webhook_secrets().current();
    let verified = headers
        .as_ref()
        .ok_or(contract::signing::Refusal::Headers)
        .and_then(|headers| secrets.verify(headers, body, Timestamp::now()).map(|()| headers.id.as_str()));
    let id = match verified {
        Ok(id) => id,
        Err(refusal) => {
            telemetry::event!(
                WARN, WEBHOOK_SIGNATURE_REFUSED,
                webhookId = headers.as_ref().map(|headers| shown(&headers.id)), reason = %refusal
            );
            count("refused");
            return Err(AppError::unauthorized("invalid_signature", "The signature is not valid."));
        }
    };
    let event = match events::parse(body) {
        Ok(Received::Known(event)) => event,
        Ok(Received::UnknownType(_)) => {
            telemetry::event!(INFO, WEBHOOK_LATE_EVENT_IGNORED, webhookId = id, reason = "unknown_type");
            count("unknown");
            return Ok(());
        }
        Err(error) => {
            count("invalid");
            return Err(AppError::unprocessable("invalid_event", error.to_string()));
        }
    };
    let job = &event.data;
    telemetry::event!(
        INFO, WEBHOOK_RECEIVED,
        event = event.kind.as_str(), jobId = %job.job_id, generationId = %job.generation_id
    );
    apply(flow, id, &event).await
}

async fn apply(flow: &Flow, id: &str, event: &Event) -> AppResult<()> {
    let job = &event.data;
    let outcome = flow.store().happen(&job.generation_id, Input::Snapshot(job), Origin::Webhook(id)).await?;
    let ignored = match outcome {
        Outcome::Changed(changed) => {
            log_applied(&changed);
            observe(&changed);
            count("applied");
            return Ok(());
        }
        Outcome::Duplicate => {
            telemetry::event!(INFO, WEBHOOK_DUPLICATE_IGNORED, webhookId = id, reason = "webhook_id");
            count("duplicate");
            return Ok(());
        }
        Outcome::Unchanged(why, _) => why.as_str(),
        Outcome::Unknown => "unknown_generation",
        Outcome::Rejected(_) => "rejected",
    };
    telemetry::event!(INFO, WEBHOOK_LATE_EVENT_IGNORED, webhookId = id, reason = ignored);
    count("late");
    Ok(())
}

fn log_applied(changed: &Changed) {
    let after = &changed.change.after;
    telemetry::event!(
        INFO, WEBHOOK_UPDATING_GENERATION,
        generationId = %after.id, status = %after.status
    );
    if let Some(message) = &changed.message {
        telemetry::event!(
            INFO, WEBHOOK_CREATING_MESSAGE,
            generationId = %after.id,
            conversationId = %after.conversation_id,
            messageType = message.kind.as_str()
        );
    }
    telemetry::event!(INFO, WEBHOOK_PROCESSED, generationId = %after.id);
}

fn count(outcome: &'static str) {
    metrics::counter!(metric::WEBHOOKS_RECEIVED, "outcome" => outcome).increment(1);
}

/// An id that nobody vouches for, cut so that it cannot fill the log.
fn shown(id: &str) -> &str {
    id.get(..64.min(id.len())).unwrap_or_default()
}

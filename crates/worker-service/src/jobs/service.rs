//! Takes the API's commands, and says how jobs stand.

use contract::{
    GenerationId,
    problem::FieldError,
    worker_api::{Command, CommandAnswer, JobSnapshot},
};
use telemetry::event;

use super::{
    log,
    state::{is_waiting, snapshot},
};
use crate::{
    queue::Running,
    store::{Error, Job, Store, TakenCommand},
};

/// The longest prompt, in bytes.
const LONGEST_PROMPT: usize = 8 * 1024;
/// The longest of the short texts.
const LONGEST_NAME: usize = 255;

/// The commands and questions of the API.
#[derive(Clone, Debug)]
pub struct Jobs {
    store: Store,
    running: Running,
}

/// What a command came to.
#[derive(Clone, Debug, PartialEq)]
pub struct Answered {
    /// What the API is told.
    pub answer: CommandAnswer,
    /// Whether the command made the job.
    pub created: bool,
}

impl Jobs {
    /// `running` are the jobs of this process, which a cancel must stop.
    #[must_use]
    pub fn new(store: Store, running: Running) -> Self {
        Self { store, running }
    }

    /// Takes a command if it is newer than what the job has, and answers what is there then. `nonce` is the
    /// id of the signed request that brought it.
    pub async fn take(&self, command: &Command, nonce: &str) -> Result<Answered, Error> {
        let came = self.store.take_command(command, nonce).await?;
        let queue_position = self.position(&came.job).await?;
        tell(&came, queue_position);
        let job = &came.job;
        if job.life.status.is_terminal() {
            self.running.cancel(&job.id);
        }
        let answer = CommandAnswer {
            generation_id: job.generation_id.clone(),
            job_id: job.id.clone(),
            status: job.life.status,
            queue_position,
            revision: job.wanted.revision,
        };
        Ok(Answered { answer, created: came.created() })
    }

    async fn position(&self, job: &Job) -> Result<Option<i64>, Error> {
        if is_waiting(job) { self.store.queue_position(job).await.map(Some) } else { Ok(None) }
    }

    /// How a generation's job stands, if there is one.
    pub async fn status(&self, generation: &GenerationId) -> Result<Option<JobSnapshot>, Error> {
        let Some(job) = self.store.job(generation).await? else { return Ok(None) };
        let position = self.position(&job).await?;
        let billable = self.store.billable(std::slice::from_ref(&job)).await?;
        Ok(Some(snapshot(&job, position, billable.contains(&job.id))))
    }

    /// How the jobs of many generations stand, those that there are.
    pub async fn statuses(&self, generations: &[GenerationId]) -> Result<Vec<JobSnapshot>, Error> {
        let jobs = self.store.jobs(generations).await?;
        let order = if jobs.iter().any(is_waiting) { self.store.queue_order().await? } else { Vec::new() };
        let places: std::collections::HashMap<_, _> = order.iter().zip(1_i64..).collect();
        let billable = self.store.billable(&jobs).await?;
        let place = |job: &Job| places.get(&job.id).copied().filter(|_| is_waiting(job));
        Ok(jobs.iter().map(|job| snapshot(job, place(job), billable.contains(&job.id))).collect())
    }
}

/// Logs what a command has changed.
fn tell(came: &TakenCommand, position: Option<i64>) {
    let (job, Some(taken)) = (&came.job, &came.taken) else { return };
    if taken.created {
        event!(INFO, JOB_MANAGER_CREATING_JOB, jobId = %job.id, generationId = %job.generation_id, userId = %job.user_id);
        event!(INFO, JOB_MANAGER_JOB_CREATED, jobId = %job.id, status = %job.life.status);
    } else {
        log::changing(&taken.job, &taken.change);
    }
    log::changed(&taken.job, &taken.change);
    if came.joined {
        event!(INFO, QUEUE_MANAGER_JOB_QUEUED, jobId = %job.id, queuePosition = position);
    }
}

/// What is wrong with a command that is well-formed.
#[must_use]
pub fn faults(command: &Command) -> Vec<FieldError> {
    let mut faults = Vec::new();
    let mut check = |wrong: bool, field: &str, message: &str| {
        if wrong {
            faults.push(FieldError::new(field, message));
        }
    };
    let Command { revision, prompt, provider, model, parameters, .. } = command;
    check(*revision < 1, "revision", "must be at least 1");
    check(prompt.len() > LONGEST_PROMPT, "prompt", "must be no longer than 8 KiB");
    let texts = [("prompt", Some(prompt)), ("provider", Some(provider)), ("model", Some(model))];
    let options = [
        ("parameters.style", parameters.style.as_ref()),
        ("parameters.negativePrompt", parameters.negative_prompt.as_ref()),
        ("parameters.aspectRatio", parameters.aspect_ratio.as_ref()),
        ("parameters.resolution", parameters.resolution.as_ref()),
        ("traceparent", command.traceparent.as_ref()),
    ];
    for (field, text) in texts.into_iter().chain(options) {
        // PostgreSQL keeps no NUL in a text.
        check(text.is_some_and(|text| text.contains('\0')), field, "must not contain the character NUL");
    }
    for (field, text) in [("provider", provider), ("model", model)] {
        let length = 1..=LONGEST_NAME;
        check(!length.contains(&text.len()), field, "must have 1 to 255 characters");
    }
    faults
}

#[cfg(test)]
mod tests {
    use contract::{ConversationId, Parameters, UserId, worker_api::DesiredState};

    use super::*;

    fn command() -> Command {
        Command {
            generation_id: GenerationId::new(),
            user_id: UserId::new(),
            conversation_id: ConversationId::new(),
            revision: 1,
            state: DesiredState::Pending,
            provider: "veo3".to_owned(),
            model: "veo-3.1".to_owned(),
            prompt: "A paper boat".to_owned(),
            parameters: Parameters::default(),
            priority: 0,
            traceparent: None,
        }
    }

    #[test]
    fn what_the_database_would_refuse_is_refused_before() {
        assert_eq!(faults(&command()), []);
        // Questions may be open: the subject may be missing still.
        assert_eq!(faults(&Command { prompt: String::new(), ..command() }), []);
        let style = Parameters { style: Some("a\0b".to_owned()), ..Parameters::default() };
        for (wrong, field) in [
            (Command { revision: 0, ..command() }, "revision"),
            (Command { prompt: "a".repeat(8_193), ..command() }, "prompt"),
            (Command { prompt: "\0".to_owned(), ..command() }, "prompt"),
            (Command { provider: String::new(), ..command() }, "provider"),
            (Command { model: "m".repeat(256), ..command() }, "model"),
            (Command { parameters: style, ..command() }, "parameters.style"),
        ] {
            let fields: Vec<_> = faults(&wrong).into_iter().map(|fault| fault.field).collect();
            assert_eq!(fields, [field]);
        }
    }
}

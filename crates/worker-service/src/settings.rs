//! The settings of worker-service, each area with its variables and defaults.

use std::{net::SocketAddr, time::Duration};

use contract::signing::Secrets;
use foundation::{
    database::DatabaseSettings,
    s3::S3Settings,
    settings::{Environment, Live, SettingError, Variable},
};
use url::Url;

use crate::{
    jobs::state::Rules,
    providers::{self, Providers},
    store::Terms,
    workflow::WorkflowSettings,
};

foundation::settings! {
    /// Where the worker listens, and for whom.
    pub struct HttpSettings {
        /// Address and port that api-service and operators reach the worker at.
        pub bind: SocketAddr = or_default("WORKER_BIND", "127.0.0.1:8081"),
        /// Address and port of /metrics; without it, the worker's own if that is a loopback address, else none.
        pub metrics_bind: Option<SocketAddr> = optional("METRICS_BIND"),
        /// Secrets (whsec_…, comma-separated) that sign api-service's requests.
        pub secrets: Live<Secrets> = live("WORKER_API_SECRETS"),
        /// How many pictures are taken at once, each of which is in memory until it is stored: as many as a replica of
        /// api-service hands over (its UPLOAD_CONCURRENCY).
        pub uploads: usize = or_default("WORKER_UPLOADS", "8"),
        /// How long another one waits for its turn before it is asked to come again. Shorter than api-service's patience
        /// (its UPLOAD_TIMEOUT), which storing the picture has to fit into, too.
        pub upload_wait: Duration = or_default("WORKER_UPLOAD_WAIT", "45s"),
        /// How long a picture may take to arrive.
        pub upload_timeout: Duration = or_default("WORKER_UPLOAD_TIMEOUT", "90s"),
        /// How long requests in flight may take to end at a shutdown.
        pub shutdown: Duration = or_default("HTTP_SHUTDOWN", "5s"),
        /// How long a shutdown may take as a whole: each of its stages gets what the ones before have left. A
        /// little less than whoever sends SIGTERM waits before SIGKILL.
        pub shutdown_timeout: Duration = or_default("SHUTDOWN_TIMEOUT", "20s"),
        /// How long of that the worker goes on as before while it says that it is not ready, so that a balancer
        /// turns away from it first.
        pub shutdown_notice: Duration = or_default("SHUTDOWN_NOTICE", "0s"),
    }
}

foundation::settings! {
    /// How jobs are run.
    pub struct QueueSettings {
        /// The worker's name: the same over restarts, so that it takes back its own jobs at once, and no
        /// other running worker's. Without it, the host's name and the port, or, on SQLite, where there is
        /// one worker only, always the same.
        pub name: Option<String> = optional("WORKER_NAME"),
        /// Jobs that this worker runs at once.
        pub running: usize = or_default("WORKER_RUNNING_JOBS", "4"),
        /// Jobs of one user that all workers together run at once.
        pub running_per_user: usize = or_default("WORKER_RUNNING_JOBS_PER_USER", "2"),
        /// Jobs that may wait in the queue; commands beyond that are asked to come again.
        pub depth: i64 = or_default("WORKER_QUEUE_DEPTH", "10000"),
        /// How long a job stays with a worker that is not heard of.
        pub lease: Duration = or_default("JOB_LEASE", "30s"),
        /// How often a worker says that it is alive.
        pub heartbeat: Duration = or_default("JOB_HEARTBEAT", "10s"),
        /// How long a job may take from its first start, with all its retries.
        pub deadline: Duration = or_default("JOB_DEADLINE", "30m"),
        /// How often a failed attempt is made again, and as often what the provider has taken is gone on with.
        pub max_retries: i32 = or_default("JOB_MAX_RETRIES", "3"),
        /// How long the first, second, … retry waits; the last stands for all that follow.
        pub retry_delays: Vec<Duration> = or_default("JOB_RETRY_DELAYS", "5s,30s,120s"),
        /// How long running jobs may take to come to a good point at a shutdown, before they are cut off. A
        /// submission that is under way is waited for as long as the shutdown as a whole allows.
        pub shutdown: Duration = or_default("JOB_SHUTDOWN", "10s"),
    }
}

foundation::settings! {
    /// How api-service is told.
    pub struct WebhookSettings {
        /// Where webhooks are sent.
        pub url: Url = required("WEBHOOK_URL"),
        /// Secrets (whsec_…, comma-separated) that sign webhooks, each of them; none of WORKER_API_SECRETS.
        pub secrets: Live<Secrets> = live("WEBHOOK_SECRETS"),
        /// How long one try may take.
        pub timeout: Duration = or_default("WEBHOOK_TIMEOUT", "10s"),
        /// Deliveries at once, each of another generation.
        pub parallel: usize = or_default("WEBHOOK_PARALLEL", "16"),
        /// How long the first retry waits; each further one twice as long, give or take a half.
        pub first_retry: Duration = or_default("WEBHOOK_FIRST_RETRY", "1s"),
        /// How long a retry waits at most.
        pub longest_retry: Duration = or_default("WEBHOOK_LONGEST_RETRY", "1h"),
        /// How long a webhook is tried before it joins the dead letters.
        pub lifetime: Duration = or_default("WEBHOOK_LIFETIME", "75h"),
        /// How long an endpoint rests that answers 410.
        pub pause: Duration = or_default("WEBHOOK_PAUSE", "1h"),
        /// How long webhooks are kept that were delivered or superseded.
        pub kept: Duration = or_default("WEBHOOK_KEPT", "7d"),
        /// How long deliveries in flight may take to end at a shutdown.
        pub shutdown: Duration = or_default("WEBHOOK_SHUTDOWN", "5s"),
    }
}

foundation::settings! {
    /// How what nobody needs is removed.
    pub struct SweeperSettings {
        /// How often to look.
        pub every: Duration = or_default("SWEEP_EVERY", "30s"),
        /// How long nobody must have needed an object before it is removed, so that no upload of it is still
        /// under way.
        pub grace: Duration = or_default("SWEEP_GRACE", "5m"),
        /// How long pictures are kept that users upload.
        pub uploads_kept: Duration = or_default("UPLOADS_KEPT", "30d"),
    }
}

/// All settings of the worker.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where it listens.
    pub http: HttpSettings,
    /// Where it keeps its data.
    pub database: DatabaseSettings,
    /// Where it keeps videos.
    pub s3: S3Settings,
    /// How it runs jobs.
    pub queue: QueueSettings,
    /// How it tells of them.
    pub webhooks: WebhookSettings,
    /// How it makes videos.
    pub workflow: WorkflowSettings,
    /// Who makes them, after each one's own variables.
    pub providers: Providers,
    /// How it cleans up.
    pub sweeper: SweeperSettings,
    /// Where all of these came from: secrets in files are read again from here.
    pub environment: Environment,
}

impl Settings {
    /// What `--help` says.
    pub fn areas() -> Vec<&'static [Variable]> {
        let own = [
            HttpSettings::VARIABLES,
            DatabaseSettings::VARIABLES,
            QueueSettings::VARIABLES,
            WebhookSettings::VARIABLES,
            S3Settings::VARIABLES,
            SweeperSettings::VARIABLES,
            WorkflowSettings::VARIABLES,
        ];
        own.into_iter().chain(providers::variables()).collect()
    }

    /// Reads all settings; the first that is missing or malformed is the error. Needs rustls's default
    /// provider to be installed, for the providers' clients.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let settings = Self {
            http: HttpSettings::read(environment)?,
            database: DatabaseSettings::read(environment)?,
            s3: S3Settings::read(environment)?,
            queue: QueueSettings::read(environment)?,
            webhooks: WebhookSettings::read(environment)?,
            workflow: WorkflowSettings::read(environment)?,
            providers: Providers::read(environment)?,
            sweeper: SweeperSettings::read(environment)?,
            environment: environment.clone(),
        };
        settings.check()?;
        Ok(settings)
    }

    fn check(&self) -> Result<(), SettingError> {
        let (queue, webhooks) = (&self.queue, &self.webhooks);
        let refuse = |name, reason: &str| Err(SettingError::Malformed { name, reason: reason.to_owned() });
        if webhooks.secrets.current().overlaps(&self.http.secrets.current()) {
            return refuse("WEBHOOK_SECRETS", "must share no secret with WORKER_API_SECRETS");
        }
        if self.http.shutdown_notice >= self.http.shutdown_timeout {
            return refuse("SHUTDOWN_NOTICE", "must be shorter than SHUTDOWN_TIMEOUT, of which it is a part");
        }
        if self.http.uploads == 0 {
            return refuse("WORKER_UPLOADS", "must be at least 1");
        }
        if queue.heartbeat.is_zero() || queue.heartbeat * 2 > queue.lease {
            return refuse("JOB_HEARTBEAT", "must be no more than half of JOB_LEASE");
        }
        if queue.running == 0 {
            return refuse("WORKER_RUNNING_JOBS", "must be at least 1");
        }
        if queue.running_per_user == 0 {
            return refuse("WORKER_RUNNING_JOBS_PER_USER", "must be at least 1");
        }
        if queue.max_retries < 0 {
            return refuse("JOB_MAX_RETRIES", "must not be negative");
        }
        if queue.retry_delays.is_empty() {
            return refuse("JOB_RETRY_DELAYS", "must hold at least one delay");
        }
        if webhooks.parallel == 0 {
            return refuse("WEBHOOK_PARALLEL", "must be at least 1");
        }
        if webhooks.timeout.is_zero() {
            return refuse("WEBHOOK_TIMEOUT", "must be longer than nothing");
        }
        if self.sweeper.every.is_zero() {
            return refuse("SWEEP_EVERY", "must be longer than nothing");
        }
        Ok(())
    }

    /// What queries need of the settings.
    #[must_use]
    pub fn terms(&self) -> Terms {
        Terms {
            rules: Rules {
                deadline: self.queue.deadline,
                max_retries: self.queue.max_retries,
                retry_delays: self.queue.retry_delays.clone(),
            },
            lease: self.queue.lease,
            webhook_lifetime: self.webhooks.lifetime,
            queue_depth: self.queue.depth,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
    const OTHER: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

    fn read(changes: &[(&str, &str)]) -> Result<Settings, SettingError> {
        let least = [
            ("DATABASE_URL", "sqlite:///tmp/worker.sqlite"),
            ("WORKER_API_SECRETS", SECRET),
            ("WEBHOOK_SECRETS", OTHER),
            ("WEBHOOK_URL", "http://127.0.0.1:8080/api/webhooks/worker"),
            ("S3_BUCKET", "reelay"),
            ("S3_ACCESS_KEY_ID", "id"),
            ("S3_SECRET_ACCESS_KEY", "secret"),
            ("VEO3_API_KEY", "key"),
        ];
        let _ = rustls::crypto::ring::default_provider().install_default();
        let entries =
            least.iter().chain(changes).map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        Settings::read(&Environment::from_map(entries.collect()))
    }

    #[test]
    fn the_defaults_are_the_contracts() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.http.bind, "127.0.0.1:8081".parse().unwrap());
        let queue = settings.queue;
        assert_eq!((queue.running, queue.running_per_user), (4, 2));
        let http = &settings.http;
        assert_eq!((http.uploads, http.upload_wait.as_secs(), http.upload_timeout.as_secs()), (8, 45, 90));
        let seconds = [queue.lease, queue.heartbeat, queue.deadline].map(|span| span.as_secs());
        assert_eq!(seconds, [30, 10, 1_800]);
        assert_eq!(queue.retry_delays, [5, 30, 120].map(Duration::from_secs));
        assert_eq!(settings.webhooks.lifetime, Duration::from_secs(75 * 3_600));
    }

    #[test]
    fn what_cannot_work_is_named() {
        for (changes, name) in [
            (&[("WEBHOOK_SECRETS", SECRET)][..], "WEBHOOK_SECRETS"),
            (&[("WEBHOOK_SECRETS", "")][..], "WEBHOOK_SECRETS"),
            (&[("WEBHOOK_URL", "localhost")][..], "WEBHOOK_URL"),
            (&[("SHUTDOWN_NOTICE", "20s")][..], "SHUTDOWN_NOTICE"),
            (&[("WORKER_UPLOADS", "0")][..], "WORKER_UPLOADS"),
            (&[("JOB_HEARTBEAT", "20s")][..], "JOB_HEARTBEAT"),
            (&[("WORKER_RUNNING_JOBS", "0")][..], "WORKER_RUNNING_JOBS"),
            (&[("JOB_RETRY_DELAYS", ",")][..], "JOB_RETRY_DELAYS"),
            (&[("WORKER_BIND", "8081")][..], "WORKER_BIND"),
            (&[("VEO3_API_KEY", "")][..], "VEO3_API_KEY"),
            (&[("PROVIDERS", "veo3,sora")][..], "PROVIDERS"),
            (&[("SUBMISSION_UNKNOWN", "retry")][..], "SUBMISSION_UNKNOWN"),
        ] {
            let error = read(changes).unwrap_err().to_string();
            assert!(error.contains(name), "{changes:?}: {error}");
        }
    }
}

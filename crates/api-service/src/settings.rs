//! What api-service can be told by environment variables, area by area.

use std::{net::SocketAddr, time::Duration};

use contract::signing::Secrets;
use foundation::{
    database::DatabaseSettings,
    s3::S3Settings,
    settings::{Environment, Live, SettingError, Variable},
};
use url::Url;

use crate::{
    app::proxies::Network,
    catalogue::{Catalogue, CatalogueSettings},
    generations::FlowSettings,
    intent::model::IntentSettings,
    push::PushSettings,
    uploads::UploadSettings,
    usage::BudgetSettings,
    worker_client::WorkerSettings,
};

foundation::settings! {
    /// Where the service listens, and for whom.
    pub struct HttpSettings {
        /// Address and port; port 0 takes a free one.
        pub bind: SocketAddr = or_default("API_BIND", "127.0.0.1:8080"),
        /// Where a browser reaches the service, for cookies, links and CORS. Without it, http:// and the address
        /// that it listens on.
        pub public_url: Option<Url> = optional("PUBLIC_URL"),
        /// Other pages that may call the service from a browser: origins, separated by commas.
        pub allowed_origins: Vec<Url> = or_default("ALLOWED_ORIGINS", ""),
        /// Where /metrics is served. Without it, on the service's own address if that is loopback, else nowhere.
        pub metrics_bind: Option<SocketAddr> = optional("METRICS_BIND"),
        /// Whose x-forwarded-for counts: addresses and ranges, separated by commas.
        pub trusted_proxies: Vec<Network> = or_default("TRUSTED_PROXIES", ""),
        /// Threads that answer requests; 0 for one a core.
        pub threads: usize = or_default("API_THREADS", "0"),
        /// How long a stop may take before what is still going on is cut off.
        pub shutdown_timeout: Duration = or_default("SHUTDOWN_TIMEOUT", "10s"),
        /// How long of that the service goes on as before while it says that it is not ready, so that a balancer
        /// turns away from it first.
        pub shutdown_notice: Duration = or_default("SHUTDOWN_NOTICE", "0s"),
        /// How long a request under an idempotency key keeps its repetitions away while it has no answer: if its
        /// process died, the key is free again after this.
        pub in_flight: Duration = or_default("IDEMPOTENCY_IN_FLIGHT", "60s"),
    }
}

/// What of a stop is kept for what comes after the last requests.
const AFTER_REQUESTS: Duration = Duration::from_secs(2);

impl HttpSettings {
    /// How long requests in flight may take to end at a stop: what the notice leaves of it, and a little less, so
    /// that the rest has its time, too.
    #[must_use]
    pub fn last_requests(&self) -> Duration {
        let left = self.shutdown_timeout.saturating_sub(self.shutdown_notice);
        left.saturating_sub(AFTER_REQUESTS).max(Duration::from_secs(1))
    }

    fn check(&self) -> Result<(), SettingError> {
        if self.shutdown_notice >= self.shutdown_timeout {
            let reason = "must be shorter than SHUTDOWN_TIMEOUT, of which it is a part".to_owned();
            return Err(SettingError::Malformed { name: "SHUTDOWN_NOTICE", reason });
        }
        Ok(())
    }
}

foundation::settings! {
    /// How often somebody may ask, on each replica.
    pub struct RateSettings {
        /// Messages a minute, for each user.
        pub messages_per_minute: u32 = or_default("RATE_MESSAGES_PER_MINUTE", "60"),
        /// Requests for videos beside the chat, retries among them, a minute, for each user.
        pub generations_per_minute: u32 = or_default("RATE_GENERATIONS_PER_MINUTE", "60"),
        /// Uploads of pictures a minute, for each user.
        pub uploads_per_minute: u32 = or_default("RATE_UPLOADS_PER_MINUTE", "60"),
        /// Reads of a generation's status a second, for each user.
        pub status_per_second: u32 = or_default("RATE_STATUS_PER_SECOND", "40"),
        /// Other requests a second, for each user.
        pub requests_per_second: u32 = or_default("RATE_REQUESTS_PER_SECOND", "100"),
        /// Registrations and logins a minute, for each address: many people may share one. Guesses at one account
        /// are counted by the account.
        pub sign_ins_per_minute: u32 = or_default("RATE_SIGN_INS_PER_MINUTE", "600"),
        /// Logins a minute, for each account.
        pub guesses_per_minute: u32 = or_default("RATE_GUESSES_PER_MINUTE", "20"),
    }
}

foundation::settings! {
    /// Accounts and sessions.
    pub struct AccountSettings {
        /// How long a session lasts.
        pub session_lifetime: Duration = or_default("SESSION_LIFETIME", "30d"),
        /// How many passwords are hashed at a time; each takes 19 MiB.
        pub password_concurrency: usize = or_default("PASSWORD_CONCURRENCY", "2"),
    }
}

foundation::settings! {
    /// What the two services know each other by.
    pub struct SecretSettings {
        /// Sign commands to the worker: whsec_… secrets, separated by commas. Every one signs.
        pub worker_api: Live<Secrets> = live("WORKER_API_SECRETS"),
        /// Verify the worker's webhooks: whsec_… secrets, separated by commas, others than those above.
        pub webhooks: Live<Secrets> = live("WEBHOOK_SECRETS"),
    }
}

/// All settings of the service.
#[derive(Clone, Debug)]
pub struct Settings {
    /// Where the service listens, and for whom.
    pub http: HttpSettings,
    /// Where it keeps its data.
    pub database: DatabaseSettings,
    /// Where the videos lie.
    pub s3: S3Settings,
    /// How conversations are listened to.
    pub push: PushSettings,
    /// How often somebody may ask.
    pub rates: RateSettings,
    /// Accounts and sessions.
    pub accounts: AccountSettings,
    /// How the intent of a message is found out.
    pub intent: IntentSettings,
    /// What the two services know each other by.
    pub secrets: SecretSettings,
    /// Where the worker is.
    pub worker: WorkerSettings,
    /// The limits and timers of generations.
    pub flow: FlowSettings,
    /// What each user may spend.
    pub budget: BudgetSettings,
    /// The models that there are.
    pub catalogue: Catalogue,
    /// What users may upload.
    pub uploads: UploadSettings,
    /// Where all this was read, to read the files among it again.
    pub environment: Environment,
}

impl Settings {
    /// What `--help` says, area by area.
    pub const AREAS: &'static [&'static [Variable]] = &[
        HttpSettings::VARIABLES,
        DatabaseSettings::VARIABLES,
        WorkerSettings::VARIABLES,
        SecretSettings::VARIABLES,
        S3Settings::VARIABLES,
        IntentSettings::VARIABLES,
        AccountSettings::VARIABLES,
        RateSettings::VARIABLES,
        FlowSettings::VARIABLES,
        BudgetSettings::VARIABLES,
        CatalogueSettings::VARIABLES,
        UploadSettings::VARIABLES,
        PushSettings::VARIABLES,
    ];

    /// Reads all settings; the first that is missing or malformed is the error.
    pub fn read(environment: &Environment) -> Result<Self, SettingError> {
        let settings = Self {
            http: HttpSettings::read(environment)?,
            database: DatabaseSettings::read(environment)?,
            secrets: SecretSettings::read(environment)?,
            s3: S3Settings::read(environment)?,
            push: PushSettings::read(environment)?,
            rates: RateSettings::read(environment)?,
            accounts: AccountSettings::read(environment)?,
            intent: IntentSettings::checked(environment)?,
            worker: WorkerSettings::read(environment)?,
            flow: FlowSettings::read(environment)?,
            budget: BudgetSettings::read(environment)?,
            catalogue: CatalogueSettings::read(environment)?.catalogue()?,
            uploads: UploadSettings::read(environment)?,
            environment: environment.clone(),
        };
        settings.http.check()?;
        if settings.secrets.worker_api.current().overlaps(&settings.secrets.webhooks.current()) {
            let reason = "has a secret in common with WORKER_API_SECRETS".to_owned();
            return Err(SettingError::Malformed { name: "WEBHOOK_SECRETS", reason });
        }
        Ok(settings)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const GOOD: &[(&str, &str)] = &[
        ("DATABASE_URL", "sqlite:///tmp/x"),
        ("WORKER_URL", "http://worker.example:8081"),
        ("WORKER_API_SECRETS", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
        ("WEBHOOK_SECRETS", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"),
        ("S3_BUCKET", "reelay"),
        ("S3_REGION", "auto"),
        ("S3_ENDPOINT", "http://s3.example:9000"),
        ("S3_ACCESS_KEY_ID", "key"),
        ("S3_SECRET_ACCESS_KEY", "secret"),
    ];

    fn read(changes: &[(&str, &str)]) -> Result<Settings, SettingError> {
        let entries = GOOD.iter().chain(changes).map(|(k, v)| ((*k).to_owned(), (*v).to_owned()));
        Settings::read(&Environment::from_map(entries.collect()))
    }

    #[test]
    fn little_has_to_be_said() {
        let settings = read(&[]).unwrap();
        assert_eq!(settings.http.bind, "127.0.0.1:8080".parse().unwrap());
        assert_eq!(settings.accounts.session_lifetime, Duration::from_secs(30 * 86_400));
        // Many people behind one address are let in; an account is guessed at slowly from wherever.
        assert_eq!((settings.rates.sign_ins_per_minute, settings.rates.guesses_per_minute), (600, 20));
        assert!(!format!("{settings:?}").contains("secret\""));
    }

    #[test]
    fn a_model_needs_its_name_and_its_key() {
        let missing = |changes: &[(&str, &str)]| read(changes).unwrap_err();
        let gemini = [("INTENT_PROVIDER", "gemini"), ("INTENT_MODEL", "m")];
        assert_eq!(missing(&[("INTENT_PROVIDER", "openai")]), SettingError::Missing("INTENT_MODEL"));
        assert_eq!(missing(&gemini), SettingError::Missing("INTENT_API_KEY"));
        let own_server = [
            ("INTENT_PROVIDER", "openai"),
            ("INTENT_MODEL", "a/b:7b"),
            ("INTENT_BASE_URL", "http://localhost/v1"),
        ];
        assert!(read(&own_server).is_ok(), "a server of one's own may need no key");
        let [provider, model] = gemini;
        let settings = read(&[provider, model, ("INTENT_API_KEY", "do-not-tell")]).unwrap();
        assert!(!format!("{settings:?}").contains("do-not-tell"));
    }

    #[test]
    fn prompts_are_enhanced_by_a_model_or_not_at_all() {
        let on = ("PROMPT_ENHANCEMENT", "on");
        let refused = read(&[on]).unwrap_err().to_string();
        assert!(
            refused.starts_with("PROMPT_ENHANCEMENT") && refused.contains("INTENT_PROVIDER"),
            "{refused}"
        );
        let model = [("INTENT_PROVIDER", "openai"), ("INTENT_MODEL", "m"), ("INTENT_API_KEY", "k")];
        assert!(read(&[&model[..], &[on]].concat()).is_ok());
        assert!(read(&[("PROMPT_ENHANCEMENT", "off")]).is_ok());
    }

    #[test]
    fn the_last_requests_get_what_is_left_of_a_stop() {
        for (timeout, notice, left) in
            [("10s", "0s", 8), ("30s", "15s", 13), ("10s", "9s", 1), ("2s", "0s", 1), ("1ms", "0s", 1)]
        {
            let http = read(&[("SHUTDOWN_TIMEOUT", timeout), ("SHUTDOWN_NOTICE", notice)]).unwrap().http;
            assert_eq!(http.last_requests().as_secs(), left, "{timeout} with {notice} of notice");
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (name, value) in [
            ("DATABASE_URL", ""),
            ("API_BIND", "8080"),
            ("TRUSTED_PROXIES", "proxy"),
            ("WEBHOOK_SECRETS", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"),
            ("INTENT_PROVIDER", "oracle"),
            ("INTENT_MODEL", "../other"),
            ("INTENT_BASE_URL", "models.example"),
            ("INTENT_API_KEY", "two words"),
            ("PROMPT_ENHANCEMENT", "yes"),
            ("ALLOWED_ORIGINS", "example.com"),
            ("SHUTDOWN_NOTICE", "10s"),
            ("SHUTDOWN_NOTICE", "1h"),
            ("BUDGET_PER_DAY", "a lot"),
            ("PROVIDERS", "sora"),
            ("MODELS", "{}"),
        ] {
            let message = read(&[(name, value)]).unwrap_err().to_string();
            assert!(message.starts_with(name), "{message}");
        }
    }
}

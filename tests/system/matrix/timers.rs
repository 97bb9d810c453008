//! How fast a row's clocks run.

use std::time::Duration;

use foundation::settings::{Setting, Variable};

/// Timers that stay as they are, each with its reason.
const KEPT: &[&str] = &[
    // How patient one party is with another: a machine that runs four systems at once is not twenty times faster.
    "STATUS_WAIT",
    "WORKER_CONNECT_TIMEOUT",
    "PROVIDER_CONNECT_TIMEOUT",
    "PUSH_AUTHENTICATION",
    "HTTP_SHUTDOWN",
    "WEBHOOK_SHUTDOWN",
    "JOB_SHUTDOWN",
    "SHUTDOWN_TIMEOUT",
    "SHUTDOWN_NOTICE",
    // How long something lasts that a row does not wait for.
    "SESSION_LIFETIME",
    "LINK_LIFETIME",
];

/// How much faster than by default.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Timers {
    /// As a user has them.
    Default,
    /// All of them divided by twenty.
    Twentieth,
}

impl Timers {
    const fn divisor(self) -> u32 {
        match self {
            Self::Default => 1,
            Self::Twentieth => 20,
        }
    }

    /// A span of the default timers, at this pace.
    pub(crate) fn span(self, of_default: Duration) -> Duration {
        of_default / self.divisor()
    }

    /// The settings that make it so: every timer of both services.
    pub(crate) fn settings(self) -> Vec<(&'static str, String)> {
        if self == Self::Default {
            return Vec::new();
        }
        let areas = api_service::settings::Settings::AREAS.iter().copied();
        let variables: Vec<&Variable> =
            areas.chain(worker_service::settings::Settings::areas()).flatten().collect();
        variables.iter().filter_map(|variable| Some((variable.name, self.scaled(variable)?))).collect()
    }

    fn scaled(self, variable: &Variable) -> Option<String> {
        let default = variable.default.filter(|_| !KEPT.contains(&variable.name))?;
        let spans: Option<Vec<_>> = default
            .split(',')
            .map(|span| Duration::parse(span).ok().map(|span| format!("{}ms", self.span(span).as_millis())))
            .collect();
        Some(spans?.join(","))
    }
}

#[test]
fn every_timer_is_divided_but_those_with_a_reason() {
    let settings: std::collections::BTreeMap<_, _> = Timers::Twentieth.settings().into_iter().collect();
    for (name, value) in [
        ("JOB_LEASE", "1500ms"),
        ("JOB_HEARTBEAT", "500ms"),
        ("JOB_RETRY_DELAYS", "250ms,1500ms,6000ms"),
        ("SUBMISSION_GRACE", "30000ms"),
        ("RECONCILE_SILENCE", "1500ms"),
        ("WEBHOOK_FIRST_RETRY", "50ms"),
    ] {
        assert_eq!(settings[name], value, "{name}");
    }
    assert!(!settings.contains_key("WORKER_RUNNING_JOBS") && !settings.contains_key("STATUS_WAIT"));
    assert!(Timers::Default.settings().is_empty());
}

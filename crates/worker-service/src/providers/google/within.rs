//! A refusal in the clothes of a success: its body is the error that others send with a status of its own. Pure.

use reqwest::StatusCode;
use serde_json::Value;

use super::{Refusal, RpcError, is_about_safety, rpc_error};

/// The HTTP status that says the same as an error without a number, by its words.
const WORDS: &[(StatusCode, &[&str])] = &[
    (
        StatusCode::PAYMENT_REQUIRED,
        &["balance", "credit", "prepaid", "payment", "insufficient fund", "insufficient_quota"],
    ),
    (StatusCode::TOO_MANY_REQUESTS, &["rate limit", "rate_limit", "too many", "quota", "exhausted"]),
    (StatusCode::UNAUTHORIZED, &["api key", "api_key", "unauthori", "unauthenticated", "permission"]),
    (
        StatusCode::BAD_REQUEST,
        &["invalid", "unsupported", "not supported", "not found", "required", "must be", "too long"],
    ),
];

/// Why a submission was not taken although the answer is a success: the provider's own error is in it, and no name of
/// anything that was begun.
#[must_use]
pub fn refused_within(body: &[u8]) -> Option<Refusal> {
    let answer: Value = serde_json::from_slice(body).ok()?;
    let is_begun = ["name", "id"].iter().any(|name| answer.get(name).is_some_and(|name| !name.is_null()));
    let error = rpc_error(body).filter(|error| *error != RpcError::default())?;
    (!is_begun).then(|| error.into_refusal())
}

impl RpcError {
    /// The refusal that this error would be with a status of its own.
    pub(in crate::providers) fn into_refusal(self) -> Refusal {
        let (status, wait) = (self.as_status(), self.retry_delay());
        Refusal { status, error: Some(self), wait, body: Vec::new() }
    }

    /// The HTTP status that says the same. A provider that broke down does not say that it took nothing, and whoever
    /// is overloaded in the clothes of a success may as well be a proxy that lost the answer; nor do words that nobody
    /// here knows (I16).
    fn as_status(&self) -> StatusCode {
        let own = u16::try_from(self.code).ok().filter(|code| (400..500).contains(code));
        if let Some(status) = own.and_then(|code| StatusCode::from_u16(code).ok()) {
            return status;
        }
        match self.code {
            0 => self.status_by_words(),
            // INVALID_ARGUMENT, FAILED_PRECONDITION, OUT_OF_RANGE, UNIMPLEMENTED
            3 | 9 | 11 | 12 => StatusCode::BAD_REQUEST,
            // NOT_FOUND
            5 => StatusCode::NOT_FOUND,
            // PERMISSION_DENIED, UNAUTHENTICATED
            7 | 16 => StatusCode::UNAUTHORIZED,
            // RESOURCE_EXHAUSTED
            8 => StatusCode::TOO_MANY_REQUESTS,
            _ => StatusCode::INTERNAL_SERVER_ERROR,
        }
    }

    fn status_by_words(&self) -> StatusCode {
        if is_about_safety(&self.message) {
            return StatusCode::BAD_REQUEST;
        }
        let words = format!("{} {}", self.status, self.message).to_lowercase();
        let found = WORDS.iter().find(|(_, about)| about.iter().any(|word| words.contains(word)));
        found.map_or(StatusCode::INTERNAL_SERVER_ERROR, |(status, _)| *status)
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use contract::ErrorCode;
    use serde_json::json;

    use super::*;
    use crate::jobs::state::Retry;

    #[test]
    fn an_error_without_a_name_is_a_refusal() {
        let details = json!([{"@type": "type.googleapis.com/google.rpc.RetryInfo", "retryDelay": "58s"}]);
        let after = Retry::NotBefore(Duration::from_secs(58));
        for (error, code, retry) in [
            (json!({"code": 429, "details": details}), ErrorCode::ProviderQuota, after),
            (json!({"code": 8, "details": details}), ErrorCode::ProviderQuota, after),
            (json!({"code": 402}), ErrorCode::ProviderQuota, Retry::Never),
            (json!({"code": 400, "message": "durationSeconds"}), ErrorCode::InvalidRequest, Retry::Never),
            (json!({"code": 3, "message": "API key not valid"}), ErrorCode::ProviderError, Retry::OnSchedule),
            (json!({"code": 3, "message": "usage guidelines"}), ErrorCode::ContentFiltered, Retry::Never),
            (json!({"code": 5}), ErrorCode::InvalidRequest, Retry::Never),
            (json!({"code": 16}), ErrorCode::ProviderError, Retry::OnSchedule),
            (json!({"message": "Insufficient balance"}), ErrorCode::ProviderQuota, Retry::Never),
            (json!({"status": "RESOURCE_EXHAUSTED"}), ErrorCode::ProviderQuota, Retry::OnSchedule),
            (json!({"message": "No permission"}), ErrorCode::ProviderError, Retry::OnSchedule),
            (
                json!({"message": "The safety system says no credit"}),
                ErrorCode::ContentFiltered,
                Retry::Never,
            ),
            (json!({"message": "The model is not found"}), ErrorCode::InvalidRequest, Retry::Never),
        ] {
            let body = json!({"error": error});
            for body in [body.clone(), json!([body])] {
                let refusal = refused_within(body.to_string().as_bytes()).unwrap();
                assert!(refusal.is_known(), "{body}");
                let failure = refusal.failure();
                assert_eq!((failure.error.code, failure.retry), (code, retry), "{body}");
            }
        }
    }

    #[test]
    fn a_provider_that_broke_down_may_have_taken_it() {
        let coded = [500, 502, 503, 504, 1, 2, 4, 13, 14, 15, 99, -1]
            .map(|code| json!({"code": code, "message": "An internal error has occurred."}));
        let worded = [
            json!({"message": "Internal server error"}),
            json!({"status": "DEADLINE_EXCEEDED"}),
            json!({"message": "upstream request timeout"}),
            json!({"code": "overloaded", "message": "busy"}),
            json!({"message": "no"}),
        ];
        for error in coded.into_iter().chain(worded) {
            let body = json!({"error": error});
            let refusal = refused_within(body.to_string().as_bytes()).unwrap();
            assert!(!refusal.is_known(), "{body}");
        }
    }

    #[test]
    fn what_names_something_or_says_nothing_refuses_nothing() {
        let error = json!({"code": 400, "message": "no"});
        for body in [
            json!({"name": "models/m/operations/o", "error": error}),
            json!({"name": "../x", "error": error}),
            json!({"id": 7, "error": error}),
            json!({"error": {}}),
            json!({"error": null}),
            json!({"error": "no"}),
            json!({"code": 400, "message": "no"}),
            json!({}),
            json!([]),
        ] {
            assert_eq!(refused_within(body.to_string().as_bytes()), None, "{body}");
        }
        assert!(refused_within(json!({"name": null, "error": error}).to_string().as_bytes()).is_some());
        assert_eq!(refused_within(br#"{"error":{"code":400,"message":"no"}"#), None, "it breaks off");
        assert_eq!(refused_within(b"<html>"), None);
    }
}

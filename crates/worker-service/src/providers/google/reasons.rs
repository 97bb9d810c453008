//! Which reason goes along with what Google says: only what a person could act on has one.

use serde_json::json;

use super::*;

#[test]
fn what_a_filter_is_about_goes_along() {
    for (reason, about, codes) in SUPPORT_CODES {
        for code in *codes {
            let told = filtered(&[&format!("Blocked. Support codes: {code}")]).error;
            assert_eq!((told.code, told.reason), (ErrorCode::ContentFiltered, Some(*reason)), "{code}");
            assert!(told.message.contains(about), "{code}: {}", told.message);
        }
    }
    let reason = |words: &str| filtered(&[words]).error.reason;
    assert_eq!(reason("Support codes: 1"), None);
    assert_eq!(reason("You have not been charged. Please try again."), Some(ErrorReason::FilteredMayPass));
}

#[test]
fn what_a_person_could_choose_or_wait_for_goes_along() {
    let own = |text: &str| json!({"error": {"code": 400, "message": text}});
    for (status, body, reason) in [
        (302, json!({}), Some(ErrorReason::NotLetIn)),
        (400, own("API key not valid."), Some(ErrorReason::NotLetIn)),
        (400, own("durationSeconds must be 8"), Some(ErrorReason::FormNotOffered)),
        (400, own("what?"), None),
        (401, json!({}), Some(ErrorReason::NotLetIn)),
        (402, json!({}), Some(ErrorReason::QuotaSpent)),
        (404, json!({}), Some(ErrorReason::ModelNotOffered)),
        (429, own("Requests per day exceeded."), Some(ErrorReason::QuotaSpent)),
        (429, json!({}), None),
        (503, json!({}), None),
    ] {
        let (status, body) = (StatusCode::from_u16(status).unwrap(), body.to_string());
        let failure = Refusal::read(status, &HeaderMap::new(), body.as_bytes()).failure();
        assert_eq!(failure.error.reason, reason, "{status} {body}");
    }
    for (words, reason) in
        [("The aspect ratio is not supported", Some(ErrorReason::FormNotOffered)), ("what?", None)]
    {
        let error = RpcError::saying(3, words.to_owned());
        assert_eq!(error.failure().error.reason, reason, "{words}");
    }
}

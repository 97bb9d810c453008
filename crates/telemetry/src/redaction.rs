//! The last net under the rule that no secret reaches a log line or an exported trace: the code that logs is
//! meant never to pass one, and where it does by mistake (a remote's error text that quotes a signed URL), it
//! is cut out here. This is no licence to log secrets: it knows only what ours look like.

use std::borrow::Cow;

/// What stands where a secret was.
pub(crate) const REDACTED: &str = "[redacted]";

/// A field whose name contains one of these (in lower case) is never shown.
const SECRET_FIELDS: &[&str] =
    &["password", "secret", "token", "authorization", "cookie", "signature", "apikey", "api_key"];

/// What follows one of these in a text is a secret.
const MARKERS: &[&str] = &["whsec_", "X-Amz-Signature=", "X-Amz-Credential=", "Bearer ", "?key=", "&key="];

/// Whether a field of this name holds a secret, whatever its value looks like.
pub(crate) fn is_secret_field(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    SECRET_FIELDS.iter().any(|secret| name.contains(secret))
}

/// The text without the secrets that it quotes.
pub(crate) fn scrub(text: &str) -> Cow<'_, str> {
    let mut clean = Cow::Borrowed(text);
    for marker in MARKERS {
        if clean.contains(marker) {
            clean = Cow::Owned(cut_after(&clean, marker));
        }
    }
    clean
}

/// Replaces the run of token characters behind each occurrence of the marker.
fn cut_after(text: &str, marker: &str) -> String {
    let mut parts = text.split(marker);
    let mut clean = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        let is_token = |c: char| c.is_ascii_alphanumeric() || "+/=_-.~%".contains(c);
        let rest = part.trim_start_matches(is_token);
        clean.push_str(marker);
        clean.push_str(REDACTED);
        clean.push_str(rest);
    }
    clean
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_follows_a_marker_is_cut_and_the_rest_stays() {
        for (text, clean) in [
            ("nothing to hide", "nothing to hide"),
            ("bad secret whsec_c2VjcmV0/+= given", "bad secret whsec_[redacted] given"),
            ("Authorization: Bearer abc.def-123", "Authorization: Bearer [redacted]"),
            (
                "GET http://s3/a.mp4?X-Amz-Credential=AK%2F1&X-Amz-Signature=00ff (timeout)",
                "GET http://s3/a.mp4?X-Amz-Credential=[redacted]&X-Amz-Signature=[redacted] (timeout)",
            ),
            ("https://host/v1?key=AIza1&alt=sse", "https://host/v1?key=[redacted]&alt=sse"),
            ("whsec_one,whsec_two", "whsec_[redacted],whsec_[redacted]"),
        ] {
            assert_eq!(scrub(text), clean);
        }
    }

    #[test]
    fn fields_named_after_secrets_are_known() {
        for name in ["password", "webhookSecret", "Set-Cookie", "accessToken", "apiKey", "x_signature"] {
            assert!(is_secret_field(name), "{name}");
        }
        for name in ["jobId", "authenticated", "videoKey", "userId", "cursor"] {
            assert!(!is_secret_field(name), "{name}");
        }
    }
}

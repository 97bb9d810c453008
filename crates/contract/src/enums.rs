//! Statuses, stages and error codes: one `snake_case` word each, the same in SQL, JSON, logs and metrics.

use std::{fmt, str::FromStr};

use serde::{Deserialize, Serialize};
use utoipa::ToSchema;

/// The text is none of an enumeration's words.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not one of: {allowed}")]
pub struct UnknownWord {
    /// The words that there are, separated by commas.
    pub allowed: String,
}

/// Declares an enumeration whose values are words on the wire and in the database. A word is matched as a token: a
/// matched literal comes wrapped, and the description of the schema would not read it and name the variants instead.
macro_rules! words {
    ($($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:tt,)* })*) => {$(
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, ToSchema)]
        #[cfg_attr(feature = "sql", derive(diesel::expression::AsExpression, diesel::deserialize::FromSqlRow))]
        #[cfg_attr(feature = "sql", diesel(sql_type = diesel::sql_types::Text))]
        pub enum $name { $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)* }

        impl $name {
            /// Every value, in the order of declaration.
            pub const ALL: &'static [Self] = &[$(Self::$variant,)*];

            /// The word on the wire and in the database.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)* }
            }
        }

        impl FromStr for $name {
            type Err = UnknownWord;
            fn from_str(text: &str) -> Result<Self, UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)*
                    _ => Err(UnknownWord { allowed: [$($word),*].join(", ") }),
                }
            }
        }

        impl TryFrom<String> for $name {
            type Error = UnknownWord;
            fn try_from(text: String) -> Result<Self, UnknownWord> {
                text.parse()
            }
        }

        impl fmt::Display for $name {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str(self.as_str())
            }
        }
    )*};
}

words! {
    /// Where a generation stands, as the API tells it.
    GenerationStatus {
        /// The assistant asked something that it needs to know.
        PendingClarification = "pending_clarification",
        /// The price is shown; the user has not said yes.
        PendingConfirmation = "pending_confirmation",
        /// The user said yes; the worker has not accepted yet.
        Confirmed = "confirmed",
        /// The worker has accepted; the job waits for its turn.
        Queued = "queued",
        /// The video is being made.
        Processing = "processing",
        /// The video is there. Terminal.
        Completed = "completed",
        /// There will be no video. Terminal.
        Failed = "failed",
        /// The user, or the passing of time, called it off. Terminal.
        Cancelled = "cancelled",
    }

    /// Where a job stands, as the worker tells it.
    JobStatus {
        /// Known, but questions are open.
        Pending = "pending",
        /// Known, but nobody has said yes.
        PendingConfirmation = "pending_confirmation",
        /// In the queue, or waiting for its next attempt.
        Confirmed = "confirmed",
        /// A worker holds its lease.
        Active = "active",
        /// Done, with a result. Terminal.
        Completed = "completed",
        /// Ended with an error. Terminal.
        Failed = "failed",
        /// Called off. Terminal.
        Cancelled = "cancelled",
    }

    /// What an active job is doing.
    Stage {
        /// Handing the request to the provider.
        Submitting = "submitting",
        /// The provider is making the video.
        Generating = "generating",
        /// Fetching the video from the provider.
        Downloading = "downloading",
        /// Checking the video and making its thumbnail.
        Processing = "processing",
        /// Storing video and thumbnail.
        Uploading = "uploading",
        /// Waiting for the next attempt.
        Retrying = "retrying",
    }

    /// Why a generation failed (or `expired`: why it was cancelled).
    ErrorCode {
        /// The provider's safety filter refused the prompt or the video.
        ContentFiltered = "content_filtered",
        /// The provider does not accept the request as it is.
        InvalidRequest = "invalid_request",
        /// The provider could not be reached for too long.
        ProviderUnavailable = "provider_unavailable",
        /// The provider's quota or prepaid credit is used up.
        ProviderQuota = "provider_quota",
        /// The provider accepted the request and then failed it.
        ProviderError = "provider_error",
        /// The job's deadline passed.
        Timeout = "timeout",
        /// What the provider delivered is not a video that can be played.
        InvalidVideo = "invalid_video",
        /// The video could not be stored.
        StorageError = "storage_error",
        /// It is unknown whether the provider took the request, and policy forbids sending it again.
        SubmissionUnknown = "submission_unknown",
        /// The job brought its worker down three times in the same step.
        Poison = "poison",
        /// A fault of ours.
        Internal = "internal",
        /// Nobody confirmed it in time.
        Expired = "expired",
    }

    /// What a person could act on when a video has failed, where the [`ErrorCode`] does not say it.
    ErrorReason {
        /// A filter sees a child.
        FilteredChild = "filtered_child",
        /// A filter sees a real, well-known person.
        FilteredCelebrity = "filtered_celebrity",
        /// A filter sees violence.
        FilteredViolence = "filtered_violence",
        /// A filter sees something sexual.
        FilteredSexual = "filtered_sexual",
        /// A filter sees something dangerous.
        FilteredDangerous = "filtered_dangerous",
        /// A filter sees hatred.
        FilteredHate = "filtered_hate",
        /// A filter sees what belongs to somebody else.
        FilteredThirdParty = "filtered_third_party",
        /// A filter took it that may let the same words pass the next time.
        FilteredMayPass = "filtered_may_pass",
        /// The provider does not make this length, shape or resolution.
        FormNotOffered = "form_not_offered",
        /// The model is not there, or not any more.
        ModelNotOffered = "model_not_offered",
        /// The quota of the day or the credit is used up.
        QuotaSpent = "quota_spent",
        /// The provider does not let us in: the operator's to mend.
        NotLetIn = "not_let_in",
        /// A picture that the video is made from is no longer kept.
        PictureGone = "picture_gone",
        /// A picture that the video is made from could not be fetched.
        PictureNotFetched = "picture_not_fetched",
        /// The provider has made the video and no longer has it.
        VideoGone = "video_gone",
        /// The provider has made the video, and it could not be fetched.
        VideoNotFetched = "video_not_fetched",
        /// The provider took the request and did not say how to ask for the video.
        SubmissionLost = "submission_lost",
    }
}

impl GenerationStatus {
    /// Whether this is an end: a terminal row never changes (I2).
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

impl JobStatus {
    /// Whether this is an end.
    #[must_use]
    pub const fn is_terminal(self) -> bool {
        matches!(self, Self::Completed | Self::Failed | Self::Cancelled)
    }
}

#[cfg(test)]
mod tests {
    use utoipa::PartialSchema;

    use super::*;

    #[test]
    fn words_survive_text_and_json() {
        for status in GenerationStatus::ALL {
            assert_eq!(status.as_str().parse(), Ok(*status));
            assert_eq!(serde_json::to_value(status).unwrap(), status.as_str());
        }
        for code in ErrorCode::ALL {
            assert_eq!(serde_json::to_value(code).unwrap(), code.as_str());
        }
        assert!("done".parse::<JobStatus>().is_err());
    }

    #[test]
    fn the_described_words_are_those_of_the_wire() {
        fn check<T: PartialSchema + fmt::Display>(all: &[T]) {
            let words: Vec<_> = all.iter().map(ToString::to_string).collect();
            let schema = serde_json::to_value(T::schema()).unwrap();
            assert_eq!(schema["enum"], serde_json::json!(words));
        }
        check(GenerationStatus::ALL);
        check(JobStatus::ALL);
        check(Stage::ALL);
        check(ErrorCode::ALL);
        check(ErrorReason::ALL);
    }
}

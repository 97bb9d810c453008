//! Pictures that users upload to have videos made from them. They are examined here, because whoever sends them is
//! ours to answer, and kept by the worker, because the API may only read the bucket.
//!
//! Nothing is ever fetched from an address that a user gives: a picture comes in a request's own body or not at all.

pub mod http;
mod jpeg;
pub mod picture;
pub mod service;

use std::time::Duration;

use contract::{ImageType, Timestamp, UploadId};
use serde::Serialize;
use utoipa::ToSchema;

foundation::settings! {
    /// What users may upload.
    pub struct UploadSettings {
        /// Pictures of one user that are kept at a time, at most.
        pub per_user: i64 = or_default("UPLOADS_PER_USER", "200"),
        /// Pictures that are taken in at the same time; further ones are asked to come again. Each takes up to
        /// 20 MiB.
        pub concurrency: usize = or_default("UPLOAD_CONCURRENCY", "8"),
        /// Of these, pictures that are examined at the same time. Each takes up to half a GiB.
        pub examinations: usize = or_default("UPLOAD_EXAMINATIONS", "2"),
        /// How long the worker may take to store a picture.
        pub timeout: Duration = or_default("UPLOAD_TIMEOUT", "90s"),
    }
}

/// A picture that is kept.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, ToSchema)]
#[serde(rename_all = "camelCase")]
pub struct Upload {
    /// Its id, to attach it by.
    pub id: UploadId,
    /// As it is kept.
    pub content_type: ImageType,
    /// Pixels, upright.
    pub width: u32,
    /// Pixels, upright.
    pub height: u32,
    /// Its size as it is kept.
    pub bytes: i64,
    /// SHA-256 of it as it is kept, in hexadecimal.
    pub sha256: String,
    /// When it was uploaded.
    pub created_at: Timestamp,
    /// Until when it can be attached.
    pub expires_at: Timestamp,
}

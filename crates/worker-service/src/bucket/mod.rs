//! The bucket in which videos and thumbnails are kept: what the workflow may ask of it, and the one client
//! that speaks to it. It knows no jobs; which objects are still needed is for others to say.
//!
//! Everything goes through [`Bucket`], so that another client is one more file beside `rusoto.rs`.

mod error;
mod multipart;
mod rusoto;
mod transport;

use std::path::Path;

use async_trait::async_trait;
use bytes::Bytes;
use contract::Timestamp;
use foundation::s3::ObjectKey;

pub use self::{
    error::BucketError,
    rusoto::{Patience, S3Bucket},
};

/// What a bucket does. Each operation tries again by itself while a failure looks transient, within a
/// bound, so an error here is worth a retry only much later.
#[async_trait]
pub trait Bucket: Send + Sync {
    /// Stores a file's content, streaming it from disk, in several parts if it is large.
    ///
    /// If it fails, nothing stays behind: neither an object nor an open upload. If the future is dropped
    /// midway an open upload may stay; [`Bucket::discard`] and the sweep remove it.
    async fn put_file(&self, key: &ObjectKey, path: &Path, object: &Description) -> Result<(), BucketError>;

    /// Stores bytes. All or nothing.
    async fn put_bytes(&self, key: &ObjectKey, bytes: Bytes, object: &Description)
    -> Result<(), BucketError>;

    /// An object's content; `None` if there is none. One of more than `limit` bytes is [`BucketError::TooLarge`],
    /// and no more of it is read.
    async fn get(&self, key: &ObjectKey, limit: usize) -> Result<Option<Bytes>, BucketError>;

    /// What is known of an object; `None` if there is none.
    async fn head(&self, key: &ObjectKey) -> Result<Option<Head>, BucketError>;

    /// Removes an object. That there is none is no error.
    async fn delete(&self, key: &ObjectKey) -> Result<(), BucketError>;

    /// Up to a thousand objects whose keys begin with `prefix`, in the order of their keys; the next ones
    /// with the page's cursor. Objects that are not ours, by the form of their key, are left out.
    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<Page, BucketError>;

    /// Multipart uploads of keys that begin with `prefix` and were neither completed nor aborted.
    async fn open_uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, BucketError>;

    /// Ends an open upload and frees its parts. That there is none is no error.
    async fn abort(&self, upload: &OpenUpload) -> Result<(), BucketError>;

    /// Whether the bucket can be used right now. One short try.
    async fn ready(&self) -> Result<(), BucketError>;

    /// Removes every object and every open upload whose key begins with `prefix`.
    async fn discard(&self, prefix: &str) -> Result<(), BucketError> {
        for upload in self.open_uploads(prefix).await? {
            self.abort(&upload).await?;
        }
        let mut cursor = None;
        loop {
            let page = self.list(prefix, cursor.as_deref()).await?;
            for object in page.objects {
                self.delete(&object.key).await?;
            }
            cursor = page.next;
            if cursor.is_none() {
                return Ok(());
            }
        }
    }
}

/// What is told of an object when it is stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Description {
    /// The media type that it is served with.
    pub content_type: &'static str,
    /// The SHA-256 of its content in lower-case hexadecimal, kept as metadata.
    pub sha256: String,
}

/// What the bucket says of an object.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Head {
    /// Bytes.
    pub size: u64,
    /// The server's mark of this content; its form differs from server to server.
    pub etag: Option<String>,
    /// The media type that it is served with.
    pub content_type: Option<String>,
    /// The SHA-256 that it was stored with.
    pub sha256: Option<String>,
}

/// Some of the objects under a prefix.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Page {
    /// In the order of their keys.
    pub objects: Vec<Listed>,
    /// Where the next page begins; `None` after the last.
    pub next: Option<String>,
}

/// An object in a list.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Listed {
    /// Its name.
    pub key: ObjectKey,
    /// Bytes.
    pub size: u64,
    /// When it was stored, by the server's clock.
    pub modified: Option<Timestamp>,
}

/// A multipart upload that was neither completed nor aborted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OpenUpload {
    /// The object that it would have become.
    pub key: ObjectKey,
    /// The server's name for the upload.
    pub id: String,
    /// When it was begun, by the server's clock.
    pub begun: Option<Timestamp>,
}

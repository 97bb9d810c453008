//! The bucket over `rusoto_s3`: requests, signatures and XML are its; transport, time limits, retries and
//! the reading of errors are ours, because it has none that are good enough.

use std::{
    collections::HashMap,
    future::Future,
    io::SeekFrom,
    path::{Path, PathBuf},
    time::Duration,
};

use async_trait::async_trait;
use backoff::ExponentialBackoffBuilder;
use bytes::{Bytes, BytesMut};
use contract::Timestamp;
use foundation::s3::{ObjectKey, S3Settings};
use futures_util::{StreamExt, TryStreamExt, stream};
use rusoto_core::ByteStream;
use rusoto_credential::{AwsCredentials, CredentialsError, ProvideAwsCredentials};
use rusoto_s3::{
    AbortMultipartUploadRequest, CompleteMultipartUploadRequest, CompletedMultipartUpload, CompletedPart,
    CreateMultipartUploadRequest, DeleteObjectRequest, GetObjectRequest, HeadObjectRequest,
    ListMultipartUploadsRequest, ListObjectsV2Request, PutObjectRequest, S3, S3Client, UploadPartRequest,
};
use tokio::{
    fs::File,
    io::{AsyncReadExt, AsyncSeekExt},
};
use tokio_util::io::ReaderStream;

use super::{
    Bucket, BucketError, Description, Head, Listed, OpenUpload, Page,
    multipart::{PARTS_AT_ONCE, Part, SINGLE_PUT_LIMIT, parts},
    transport::Transport,
};

/// Objects never change: a new attempt has a new key.
const CACHE_CONTROL: &str = "public, max-age=31536000, immutable";
/// The metadata entry that holds the content's SHA-256.
const SHA256: &str = "sha256";
/// How much of a file is read at a time.
const READ_SIZE: usize = 128 * 1024;

/// How long the bucket is waited for.
#[derive(Clone, Copy, Debug)]
pub struct Patience {
    /// For a connection.
    pub connect: Duration,
    /// For the answer to one request; an upload gets more, by its length.
    pub request: Duration,
    /// For a whole operation, after which no new try is begun.
    pub operation: Duration,
    /// For the readiness probe, which has one try.
    pub probe: Duration,
}

impl Default for Patience {
    fn default() -> Self {
        Self {
            connect: Duration::from_secs(5),
            request: Duration::from_secs(20),
            operation: Duration::from_mins(1),
            probe: Duration::from_secs(3),
        }
    }
}

/// Signs each request with the key pair as it is then.
struct CurrentKey(S3Settings);

#[async_trait]
impl ProvideAwsCredentials for CurrentKey {
    async fn credentials(&self) -> Result<AwsCredentials, CredentialsError> {
        Ok(self.0.credentials())
    }
}

/// A bucket on any S3 server. Belongs to the runtime that first uses it.
pub struct S3Bucket {
    client: S3Client,
    bucket: String,
    patience: Patience,
}

impl S3Bucket {
    /// A client for the bucket. Speaks to nobody yet. Needs rustls's default provider to be installed.
    pub fn new(settings: &S3Settings, patience: Patience) -> Result<Self, BucketError> {
        let transport = Transport::new(patience.connect, patience.request)
            .map_err(|error| BucketError::Setup(error.to_string()))?;
        let client = S3Client::new_with(transport, CurrentKey(settings.clone()), settings.client_region());
        Ok(Self { client, bucket: settings.bucket.clone(), patience })
    }

    /// Tries until it works, the failure is final, or patience ends.
    async fn retrying<T, Try, Trying>(&self, attempt: Try) -> Result<T, BucketError>
    where
        Try: Fn() -> Trying,
        Trying: Future<Output = Result<T, BucketError>>,
    {
        let schedule = ExponentialBackoffBuilder::new()
            .with_initial_interval(Duration::from_millis(200))
            .with_multiplier(2.0)
            .with_max_interval(Duration::from_secs(5))
            .with_max_elapsed_time(Some(self.patience.operation))
            .build();
        let attempt = &attempt;
        backoff::future::retry(schedule, || async move {
            attempt().await.map_err(|error| {
                if error.is_transient() {
                    backoff::Error::transient(error)
                } else {
                    backoff::Error::permanent(error)
                }
            })
        })
        .await
    }

    async fn put(&self, key: &ObjectKey, object: &Description, body: ByteStream) -> Result<(), BucketError> {
        let request = PutObjectRequest {
            bucket: self.bucket.clone(),
            key: key.to_string(),
            body: Some(body),
            content_type: Some(object.content_type.to_owned()),
            cache_control: Some(CACHE_CONTROL.to_owned()),
            metadata: Some(metadata(object)),
            ..PutObjectRequest::default()
        };
        let stored = self.client.put_object(request).await;
        stored.map(drop).map_err(|error| BucketError::of("PutObject", error))
    }

    async fn read(&self, key: &ObjectKey, limit: usize) -> Result<Bytes, BucketError> {
        let operation = "GetObject";
        let request = GetObjectRequest {
            bucket: self.bucket.clone(),
            key: key.to_string(),
            ..GetObjectRequest::default()
        };
        let found = self.client.get_object(request).await;
        let found = found.map_err(|error| BucketError::of(operation, error))?;
        let mut body = found.body.ok_or(BucketError::Senseless { operation })?;
        let mut content = BytesMut::new();
        let reading = async {
            while let Some(chunk) = body.next().await {
                let chunk = chunk.map_err(|error| BucketError::Unreachable {
                    operation,
                    reason: error.kind().to_string(),
                })?;
                if content.len() + chunk.len() > limit {
                    return Err(BucketError::TooLarge);
                }
                content.extend_from_slice(&chunk);
            }
            Ok(())
        };
        let in_time = tokio::time::timeout(self.patience.request, reading).await;
        in_time.unwrap_or_else(|_| {
            Err(BucketError::Unreachable { operation, reason: "the content did not come in time".to_owned() })
        })?;
        Ok(content.freeze())
    }

    async fn put_in_parts(
        &self,
        key: &ObjectKey,
        path: &Path,
        size: u64,
        object: &Description,
    ) -> Result<(), BucketError> {
        let parts = parts(size)?;
        let upload = OpenUpload {
            key: key.clone(),
            id: self.retrying(|| self.begin(key, object)).await?,
            begun: None,
        };
        let sent = self.send_parts(&upload, path, parts).await;
        let completed = match sent {
            Ok(parts) => self.retrying(|| self.complete(&upload, &parts)).await,
            Err(error) => Err(error),
        };
        // A completion whose answer was lost is refused when it is tried again, and some servers report a
        // failed one as a success: what counts is what is there.
        match (self.head(key).await, completed) {
            (Ok(Some(head)), _) if head.size == size && head.sha256.as_ref() == Some(&object.sha256) => {
                Ok(())
            }
            (looked, completed) => {
                // If this fails too the sweep will find the upload; the first failure says more.
                let _ = self.abort(&upload).await;
                Err(completed.and(looked).err().unwrap_or(BucketError::NotStored))
            }
        }
    }

    async fn begin(&self, key: &ObjectKey, object: &Description) -> Result<String, BucketError> {
        let request = CreateMultipartUploadRequest {
            bucket: self.bucket.clone(),
            key: key.to_string(),
            content_type: Some(object.content_type.to_owned()),
            cache_control: Some(CACHE_CONTROL.to_owned()),
            metadata: Some(metadata(object)),
            ..CreateMultipartUploadRequest::default()
        };
        let operation = "CreateMultipartUpload";
        let begun = self.client.create_multipart_upload(request).await;
        let begun = begun.map_err(|error| BucketError::of(operation, error))?;
        begun.upload_id.ok_or(BucketError::Senseless { operation })
    }

    /// Sends a few parts at a time. The first failure ends them all.
    async fn send_parts(
        &self,
        upload: &OpenUpload,
        path: &Path,
        parts: Vec<Part>,
    ) -> Result<Vec<CompletedPart>, BucketError> {
        let mut sent: Vec<CompletedPart> = stream::iter(parts)
            .map(|part| self.retrying(move || self.send_part(upload, path, part)))
            .buffer_unordered(PARTS_AT_ONCE)
            .try_collect()
            .await?;
        sent.sort_by_key(|part| part.part_number);
        Ok(sent)
    }

    async fn send_part(
        &self,
        upload: &OpenUpload,
        path: &Path,
        part: Part,
    ) -> Result<CompletedPart, BucketError> {
        let request = UploadPartRequest {
            bucket: self.bucket.clone(),
            key: upload.key.to_string(),
            upload_id: upload.id.clone(),
            part_number: part.number,
            body: Some(stretch(path, part.offset, part.length).await?),
            ..UploadPartRequest::default()
        };
        let operation = "UploadPart";
        let sent = self.client.upload_part(request).await;
        let sent = sent.map_err(|error| BucketError::of(operation, error))?;
        let e_tag = Some(sent.e_tag.ok_or(BucketError::Senseless { operation })?);
        Ok(CompletedPart { e_tag, part_number: Some(part.number) })
    }

    async fn complete(&self, upload: &OpenUpload, parts: &[CompletedPart]) -> Result<(), BucketError> {
        let request = CompleteMultipartUploadRequest {
            bucket: self.bucket.clone(),
            key: upload.key.to_string(),
            upload_id: upload.id.clone(),
            multipart_upload: Some(CompletedMultipartUpload { parts: Some(parts.to_vec()) }),
            ..CompleteMultipartUploadRequest::default()
        };
        let completed = self.client.complete_multipart_upload(request).await;
        completed.map(drop).map_err(|error| BucketError::of("CompleteMultipartUpload", error))
    }

    async fn page(&self, prefix: &str, cursor: Option<&str>, limit: i64) -> Result<Page, BucketError> {
        let request = ListObjectsV2Request {
            bucket: self.bucket.clone(),
            prefix: Some(prefix.to_owned()),
            continuation_token: cursor.map(ToOwned::to_owned),
            max_keys: Some(limit),
            ..ListObjectsV2Request::default()
        };
        let operation = "ListObjectsV2";
        let page = self.client.list_objects_v2(request).await;
        let page = page.map_err(|error| BucketError::of(operation, error))?;
        let next = page.next_continuation_token.filter(|_| page.is_truncated == Some(true));
        if page.is_truncated == Some(true) && next.is_none() {
            return Err(BucketError::Senseless { operation });
        }
        let listed = |object: rusoto_s3::Object| {
            Some(Listed {
                key: object.key?.parse().ok()?,
                size: u64::try_from(object.size?).ok()?,
                modified: time(object.last_modified),
            })
        };
        Ok(Page { objects: page.contents.into_iter().flatten().filter_map(listed).collect(), next })
    }

    async fn uploads(
        &self,
        prefix: &str,
        after: Option<&(String, Option<String>)>,
    ) -> Result<rusoto_s3::ListMultipartUploadsOutput, BucketError> {
        let request = ListMultipartUploadsRequest {
            bucket: self.bucket.clone(),
            prefix: Some(prefix.to_owned()),
            key_marker: after.map(|(key, _)| key.clone()),
            upload_id_marker: after.and_then(|(_, id)| id.clone()),
            ..ListMultipartUploadsRequest::default()
        };
        let page = self.client.list_multipart_uploads(request).await;
        page.map_err(|error| BucketError::of("ListMultipartUploads", error))
    }
}

#[async_trait]
impl Bucket for S3Bucket {
    async fn put_file(&self, key: &ObjectKey, path: &Path, object: &Description) -> Result<(), BucketError> {
        let size = tokio::fs::metadata(path).await.map_err(BucketError::File)?.len();
        if size > SINGLE_PUT_LIMIT {
            return self.put_in_parts(key, path, size, object).await;
        }
        self.retrying(|| async { self.put(key, object, stretch(path, 0, size).await?).await }).await
    }

    async fn put_bytes(
        &self,
        key: &ObjectKey,
        bytes: Bytes,
        object: &Description,
    ) -> Result<(), BucketError> {
        self.retrying(|| {
            let (length, bytes) = (bytes.len(), bytes.clone());
            let body = ByteStream::new_with_size(stream::once(async { Ok(bytes) }), length);
            self.put(key, object, body)
        })
        .await
    }

    async fn get(&self, key: &ObjectKey, limit: usize) -> Result<Option<Bytes>, BucketError> {
        let read = self.retrying(|| self.read(key, limit)).await;
        match read {
            Ok(content) => Ok(Some(content)),
            Err(BucketError::Missing { .. }) => Ok(None),
            Err(error) => Err(error),
        }
    }

    async fn head(&self, key: &ObjectKey) -> Result<Option<Head>, BucketError> {
        let operation = "HeadObject";
        let looked = self
            .retrying(|| async {
                let request = HeadObjectRequest {
                    bucket: self.bucket.clone(),
                    key: key.to_string(),
                    ..HeadObjectRequest::default()
                };
                let head = self.client.head_object(request).await;
                head.map_err(|error| BucketError::of(operation, error))
            })
            .await;
        let head = match looked {
            Ok(head) => head,
            Err(BucketError::Missing { .. }) => return Ok(None),
            Err(error) => return Err(error),
        };
        let size = head.content_length.and_then(|length| u64::try_from(length).ok());
        Ok(Some(Head {
            size: size.ok_or(BucketError::Senseless { operation })?,
            etag: head.e_tag,
            content_type: head.content_type,
            sha256: head.metadata.and_then(|mut entries| entries.remove(SHA256)),
        }))
    }

    async fn delete(&self, key: &ObjectKey) -> Result<(), BucketError> {
        let deleted = self
            .retrying(|| async {
                let request = DeleteObjectRequest {
                    bucket: self.bucket.clone(),
                    key: key.to_string(),
                    ..DeleteObjectRequest::default()
                };
                let deleted = self.client.delete_object(request).await;
                deleted.map(drop).map_err(|error| BucketError::of("DeleteObject", error))
            })
            .await;
        absent_is_fine(deleted)
    }

    async fn list(&self, prefix: &str, cursor: Option<&str>) -> Result<Page, BucketError> {
        self.retrying(|| self.page(prefix, cursor, 1000)).await
    }

    async fn open_uploads(&self, prefix: &str) -> Result<Vec<OpenUpload>, BucketError> {
        let mut found = Vec::new();
        let mut after = None;
        loop {
            let page = self.retrying(|| self.uploads(prefix, after.as_ref())).await?;
            let open = |upload: rusoto_s3::MultipartUpload| {
                Some(OpenUpload {
                    key: upload.key?.parse().ok()?,
                    id: upload.upload_id?,
                    begun: time(upload.initiated),
                })
            };
            found.extend(page.uploads.into_iter().flatten().filter_map(open));
            match page.next_key_marker.filter(|_| page.is_truncated == Some(true)) {
                Some(key) => after = Some((key, page.next_upload_id_marker)),
                None => return Ok(found),
            }
        }
    }

    async fn abort(&self, upload: &OpenUpload) -> Result<(), BucketError> {
        let aborted = self
            .retrying(|| async {
                let request = AbortMultipartUploadRequest {
                    bucket: self.bucket.clone(),
                    key: upload.key.to_string(),
                    upload_id: upload.id.clone(),
                    ..AbortMultipartUploadRequest::default()
                };
                let aborted = self.client.abort_multipart_upload(request).await;
                aborted.map(drop).map_err(|error| BucketError::of("AbortMultipartUpload", error))
            })
            .await;
        absent_is_fine(aborted)
    }

    async fn ready(&self) -> Result<(), BucketError> {
        // A list of one says more than HEAD, whose refusals have no body.
        let probe = self.page("", None, 1);
        match tokio::time::timeout(self.patience.probe, probe).await {
            Ok(page) => page.map(drop),
            Err(_) => Err(BucketError::Unreachable {
                operation: "ListObjectsV2",
                reason: "no answer in time".to_owned(),
            }),
        }
    }
}

fn metadata(object: &Description) -> HashMap<String, String> {
    HashMap::from([(SHA256.to_owned(), object.sha256.clone())])
}

fn time(text: Option<String>) -> Option<Timestamp> {
    text?.parse().ok()
}

fn absent_is_fine(result: Result<(), BucketError>) -> Result<(), BucketError> {
    match result {
        Err(BucketError::Missing { .. }) => Ok(()),
        other => other,
    }
}

/// A stretch of a file as a body of known length. If the file turns out shorter, the request fails.
async fn stretch(path: &Path, offset: u64, length: u64) -> Result<ByteStream, BucketError> {
    let mut file = File::open(PathBuf::from(path)).await.map_err(BucketError::File)?;
    file.seek(SeekFrom::Start(offset)).await.map_err(BucketError::File)?;
    let size = usize::try_from(length).map_err(|_| BucketError::TooLarge)?;
    Ok(ByteStream::new_with_size(ReaderStream::with_capacity(file.take(length), READ_SIZE), size))
}

//! The embedded object storage: an S3 server that keeps objects as files and checks signatures. For developing and
//! for the default run, on this machine alone unless it is told otherwise; a deployment brings its own S3.
//!
//! It knows nothing of Reelay: the services speak to it as to any other S3.

use std::{
    ffi::OsStr,
    io,
    net::SocketAddr,
    path::{Path, PathBuf},
    time::Duration,
};

use base64::{Engine, engine::general_purpose::URL_SAFE_NO_PAD};
use hyper::{
    Request,
    body::Incoming,
    header::{
        ACCESS_CONTROL_ALLOW_ORIGIN, ACCESS_CONTROL_EXPOSE_HEADERS, AUTHORIZATION, HeaderMap, HeaderValue,
        IF_RANGE, RANGE,
    },
    server::conn::http1,
    service::service_fn,
};
use hyper_util::{
    rt::{TokioIo, TokioTimer},
    server::graceful::GracefulShutdown,
};
use s3s::{
    S3, S3Request, S3Response, S3Result,
    auth::SimpleAuth,
    dto,
    dto::{
        AbortMultipartUploadInput, AbortMultipartUploadOutput, CompleteMultipartUploadInput,
        CompleteMultipartUploadOutput, DeleteObjectInput, DeleteObjectOutput, ETag, GetObjectInput,
        GetObjectOutput, HeadObjectInput, HeadObjectOutput, ListMultipartUploadsInput,
        ListMultipartUploadsOutput, Range, TimestampFormat,
    },
    s3_error,
    service::{S3Service, S3ServiceBuilder},
};
use s3s_fs::FileSystem;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;
use veo_simulator::range::{self, Asked};

/// How long a client may take over the head of a request.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long requests in flight are waited for at the end.
const DRAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// How long nothing is accepted after accepting failed, for example because all file handles are taken.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);

/// No object has more bytes, and `s3s` reads no greater number in a range.
const LARGEST: u64 = i64::MAX as u64;

/// What to serve, where, and to whom.
pub(crate) struct Options {
    /// Where to listen; port 0 takes a free one.
    pub(crate) address: SocketAddr,
    /// Where objects are kept; made if it is not there.
    pub(crate) directory: PathBuf,
    /// The bucket that shall be there.
    pub(crate) bucket: String,
    /// The one key pair that opens it.
    pub(crate) access_key_id: String,
    /// Its secret.
    pub(crate) secret_access_key: String,
}

/// A server that listens, and serves once it is run.
pub(crate) struct Server {
    listener: TcpListener,
    service: S3Service,
}

impl Server {
    /// Prepares the directory and the bucket, removes what a crash left behind, and listens.
    pub(crate) async fn bind(options: &Options) -> io::Result<Self> {
        tokio::fs::create_dir_all(options.directory.join(&options.bucket)).await?;
        let directory = options.directory.canonicalize()?;
        remove_lost_parts(&directory).await?;
        let files = FileSystem::new(&directory).map_err(|error| io::Error::other(format!("{error:?}")))?;
        let mut builder = S3ServiceBuilder::new(Store { files, directory });
        builder.set_auth(SimpleAuth::from_single(
            options.access_key_id.clone(),
            options.secret_access_key.clone(),
        ));
        let listener = TcpListener::bind(options.address).await?;
        Ok(Self { listener, service: builder.build() })
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until told to stop, then lets requests in flight end, for a few seconds.
    pub(crate) async fn run(self, stop: CancellationToken) {
        let connections = GracefulShutdown::new();
        let mut http = http1::Builder::new();
        http.timer(TokioTimer::new()).header_read_timeout(HEAD_TIMEOUT);
        loop {
            let accepted = tokio::select! {
                () = stop.cancelled() => break,
                accepted = self.listener.accept() => accepted,
            };
            let Ok((stream, _)) = accepted else {
                tokio::time::sleep(ACCEPT_PAUSE).await;
                continue;
            };
            let service = self.service.clone();
            let answer = service_fn(move |request| answer(service.clone(), request));
            let connection = connections.watch(http.serve_connection(TokioIo::new(stream), answer));
            // A connection that breaks is the client's to notice.
            tokio::spawn(async move { drop(connection.await) });
        }
        drop(self.listener);
        let _ = tokio::time::timeout(DRAIN_TIMEOUT, connections.shutdown()).await;
    }
}

/// Answers one request, and lets the scripts of any page read the answer: who has a signed link may.
async fn answer(
    service: S3Service,
    mut request: Request<Incoming>,
) -> Result<s3s::HttpResponse, s3s::HttpError> {
    reword_range(request.headers_mut());
    let mut response = service.call(request.map(s3s::Body::from)).await?;
    let headers = response.headers_mut();
    headers.insert(ACCESS_CONTROL_ALLOW_ORIGIN, HeaderValue::from_static("*"));
    headers.insert(
        ACCESS_CONTROL_EXPOSE_HEADERS,
        HeaderValue::from_static("Accept-Ranges, Content-Length, Content-Range, ETag"),
    );
    Ok(response)
}

/// Words a range as `s3s` reads it, and takes away what is none that is served: HTTP has the whole object for an answer
/// then (RFC 9110, section 14.2), while `s3s` refuses it. What is signed by the head stays as it is, because its range
/// may be signed along.
fn reword_range(headers: &mut HeaderMap) {
    if headers.contains_key(AUTHORIZATION) {
        return;
    }
    let mut all = headers.get_all(RANGE).iter();
    let only = all.next().filter(|_| all.next().is_none());
    let worded = only.and_then(|value| range::asked(value.to_str().ok()?)).and_then(|asked| {
        let worded = match asked {
            Asked::From(first, None) => format!("bytes={}-", first.min(LARGEST)),
            Asked::From(first, Some(last)) => format!("bytes={}-{}", first.min(LARGEST), last.min(LARGEST)),
            Asked::Last(length) => format!("bytes=-{}", length.min(LARGEST)),
        };
        HeaderValue::try_from(worded).ok()
    });
    match worded {
        Some(worded) => drop(headers.insert(RANGE, worded)),
        None => drop(headers.remove(RANGE)),
    }
}

/// The part of an object to send; the whole of it if what the client has a part of is no longer there.
fn part(range: Range, condition: Option<&HeaderValue>, object: &HeadObjectOutput) -> S3Result<Option<Range>> {
    if condition.is_some_and(|condition| !holds(condition, object)) {
        return Ok(None);
    }
    let size = object.content_length.and_then(|size| u64::try_from(size).ok()).unwrap_or_default();
    match range {
        Range::Int { .. } => Ok(Some(range)),
        Range::Suffix { length } if length == 0 || size == 0 => Err(s3_error!(InvalidRange)),
        Range::Suffix { length } => {
            Ok(Some(Range::Int { first: size.saturating_sub(length), last: Some(size - 1) }))
        }
    }
}

/// Whether `If-Range` names an object as it is: by its tag, or by when it was changed (RFC 9110, section 13.1.5).
fn holds(condition: &HeaderValue, object: &HeadObjectOutput) -> bool {
    let tag = object.e_tag.as_ref().and_then(ETag::as_strong).map(|tag| format!("\"{tag}\"").into_bytes());
    let changed = object.last_modified.as_ref().and_then(|time| {
        let mut text = Vec::new();
        time.format(TimestampFormat::HttpDate, &mut text).ok()?;
        Some(text)
    });
    [tag, changed].into_iter().flatten().any(|own| own == condition.as_bytes())
}

/// The file-based store of `s3s-fs`, and what Reelay needs that it lacks: it cannot list open uploads, keeps
/// a deleted object's metadata, calls a finished upload forbidden rather than unknown, fails at the end of an object
/// that is shorter than what is asked of it, and does not know `If-Range`.
///
/// It relies on how version 0.14.1 names its files, in the directory that holds the buckets:
/// `.upload-{id}.json` for an open upload, `.upload_id-{id}.part-{n}` for its parts, and metadata under
/// `.bucket-{bucket}.object-{key}` with both in base64.
struct Store {
    files: FileSystem,
    directory: PathBuf,
}

impl Store {
    /// What the names of an object's metadata files begin with.
    fn metadata_prefix(bucket: &str, key: &str) -> String {
        format!(".bucket-{}.object-{}", URL_SAFE_NO_PAD.encode(bucket), URL_SAFE_NO_PAD.encode(key))
    }

    /// Refuses the name of an upload that is not open.
    async fn check_open(&self, upload: &str) -> S3Result<()> {
        if is_open(&self.directory, upload).await { Ok(()) } else { Err(s3_error!(NoSuchUpload)) }
    }
}

async fn is_open(directory: &Path, upload: &str) -> bool {
    let plain = upload.bytes().all(|b| b.is_ascii_hexdigit() || b == b'-');
    plain && tokio::fs::try_exists(directory.join(format!(".upload-{upload}.json"))).await.unwrap_or(false)
}

/// Removes parts whose upload ended with the process that was joining them.
async fn remove_lost_parts(directory: &Path) -> io::Result<()> {
    let mut entries = tokio::fs::read_dir(directory).await?;
    while let Some(entry) = entries.next_entry().await? {
        let name = entry.file_name();
        let upload = name.to_str().and_then(|name| name.strip_prefix(".upload_id-")?.split_once(".part-"));
        if let Some((upload, _)) = upload
            && !is_open(directory, upload).await
        {
            tokio::fs::remove_file(entry.path()).await?;
        }
    }
    Ok(())
}

/// The key and the upload that the name of a metadata file speaks of, if it is one of an open upload.
fn open_upload(name: &OsStr, bucket_prefix: &str) -> Option<(String, String)> {
    let name = name.to_str()?.strip_prefix(bucket_prefix)?.strip_suffix(".metadata.json")?;
    let (key, upload) = name.split_once(".upload-")?;
    let key = String::from_utf8(URL_SAFE_NO_PAD.decode(key).ok()?).ok()?;
    Some((key, upload.to_owned()))
}

/// Writes `impl S3 for Store`: these operations go to `s3s-fs` as they are, the given functions are ours.
macro_rules! operations {
    ({$($name:ident($input:ident) -> $output:ident;)*} $($own:item)*) => {
        #[async_trait::async_trait]
        impl S3 for Store {
            $(async fn $name(
                &self,
                request: S3Request<dto::$input>,
            ) -> S3Result<S3Response<dto::$output>> {
                self.files.$name(request).await
            })*
            $($own)*
        }
    };
}

operations! {
    {
        head_bucket(HeadBucketInput) -> HeadBucketOutput;
        get_bucket_location(GetBucketLocationInput) -> GetBucketLocationOutput;
        list_buckets(ListBucketsInput) -> ListBucketsOutput;
        list_objects(ListObjectsInput) -> ListObjectsOutput;
        list_objects_v2(ListObjectsV2Input) -> ListObjectsV2Output;
        put_object(PutObjectInput) -> PutObjectOutput;
        create_multipart_upload(CreateMultipartUploadInput) -> CreateMultipartUploadOutput;
        upload_part(UploadPartInput) -> UploadPartOutput;
        list_parts(ListPartsInput) -> ListPartsOutput;
    }

    async fn get_object(
        &self,
        mut request: S3Request<GetObjectInput>,
    ) -> S3Result<S3Response<GetObjectOutput>> {
        let condition = request.headers.get(IF_RANGE).cloned();
        if let Some(range) = request.input.range
            && (condition.is_some() || matches!(range, Range::Suffix { .. }))
        {
            let GetObjectInput { bucket, key, .. } = request.input.clone();
            let asking = request.clone().map_input(|_| HeadObjectInput { bucket, key, ..HeadObjectInput::default() });
            let object = self.files.head_object(asking).await?.output;
            request.input.range = part(range, condition.as_ref(), &object)?;
        }
        let mut response = self.files.get_object(request).await?;
        response.output.accept_ranges = Some("bytes".to_owned());
        Ok(response)
    }

    async fn head_object(
        &self,
        request: S3Request<HeadObjectInput>,
    ) -> S3Result<S3Response<HeadObjectOutput>> {
        let mut response = self.files.head_object(request).await?;
        response.output.accept_ranges = Some("bytes".to_owned());
        Ok(response)
    }

    async fn delete_object(
        &self,
        request: S3Request<DeleteObjectInput>,
    ) -> S3Result<S3Response<DeleteObjectOutput>> {
        let prefix = Store::metadata_prefix(&request.input.bucket, &request.input.key);
        let response = self.files.delete_object(request).await?;
        for kind in ["metadata", "internal"] {
            match tokio::fs::remove_file(self.directory.join(format!("{prefix}.{kind}.json"))).await {
                Err(error) if error.kind() != io::ErrorKind::NotFound => {
                    return Err(s3s::S3Error::internal_error(error));
                }
                _ => {}
            }
        }
        Ok(response)
    }

    async fn complete_multipart_upload(
        &self,
        request: S3Request<CompleteMultipartUploadInput>,
    ) -> S3Result<S3Response<CompleteMultipartUploadOutput>> {
        self.check_open(&request.input.upload_id).await?;
        self.files.complete_multipart_upload(request).await
    }

    async fn abort_multipart_upload(
        &self,
        request: S3Request<AbortMultipartUploadInput>,
    ) -> S3Result<S3Response<AbortMultipartUploadOutput>> {
        self.check_open(&request.input.upload_id).await?;
        self.files.abort_multipart_upload(request).await
    }

    async fn list_multipart_uploads(
        &self,
        request: S3Request<ListMultipartUploadsInput>,
    ) -> S3Result<S3Response<ListMultipartUploadsOutput>> {
        let ListMultipartUploadsInput { bucket, prefix, .. } = request.input;
        let bucket_prefix = Store::metadata_prefix(&bucket, "");
        let wanted = prefix.as_deref().unwrap_or_default();
        let mut uploads = Vec::new();
        let internal = |error: io::Error| s3s::S3Error::internal_error(error);
        let mut entries = tokio::fs::read_dir(&self.directory).await.map_err(internal)?;
        while let Some(entry) = entries.next_entry().await.map_err(internal)? {
            let Some((key, upload)) = open_upload(&entry.file_name(), &bucket_prefix) else { continue };
            if key.starts_with(wanted) && is_open(&self.directory, &upload).await {
                let begun = entry.metadata().await.and_then(|metadata| metadata.modified());
                uploads.push(dto::MultipartUpload {
                    key: Some(key),
                    upload_id: Some(upload),
                    initiated: begun.ok().map(dto::Timestamp::from),
                    ..dto::MultipartUpload::default()
                });
            }
        }
        uploads.sort_by(|a, b| (&a.key, &a.upload_id).cmp(&(&b.key, &b.upload_id)));
        Ok(S3Response::new(ListMultipartUploadsOutput {
            bucket: Some(bucket),
            prefix,
            is_truncated: Some(false),
            uploads: Some(uploads),
            ..ListMultipartUploadsOutput::default()
        }))
    }
}

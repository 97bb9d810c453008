//! From a video that the provider has finished to one that is stored: fetch, examine, upload, complete.

use std::time::Duration;

use bytes::Bytes;
use contract::{
    ErrorCode, Stage,
    worker_api::{JobError, JobResult},
};
use foundation::{
    crash::{Place, sending},
    s3::ObjectKey,
};
use sha2::{Digest, Sha256};
use telemetry::{event, metric};

use super::{Run, estimate};
use crate::{
    bucket::Description,
    jobs::state::Retry,
    media::{self, DownloadError, Downloaded, Invalid, TemporaryFile, Video},
    providers::{Operation, Source},
    store::{AttemptState, Error},
};

/// How often a download is made before the job waits for a retry or fails.
const DOWNLOADS: u32 = 3;
/// How long after a failed one; longer with each.
const DOWNLOAD_PAUSE: Duration = Duration::from_millis(500);

/// A video on this machine, known to be one.
struct Fetched {
    file: TemporaryFile,
    content: Downloaded,
    video: Video,
}

/// A step came to nothing.
struct Ended {
    /// What this means for the attempt; `None` leaves the operation to be asked again.
    attempt: Option<AttemptState>,
    error: JobError,
    retry: Retry,
}

impl Run<'_> {
    /// Fetches, examines and stores a finished video, and completes the job.
    pub(super) async fn deliver(mut self, operation: &Operation, source: &Source) -> Result<(), Error> {
        let fetched = match self.fetch(operation, source).await? {
            Ok(fetched) => fetched,
            Err(ended) => return self.end(ended).await,
        };
        let job = self.lease.job();
        let (generation, attempt, epoch) = (&job.generation_id, job.life.attempt, job.life.lease_epoch);
        let video = ObjectKey::video(generation, attempt, epoch);
        let thumbnail = ObjectKey::thumbnail(generation, attempt, epoch);
        self.lease.object_begun(&video).await?;
        self.lease.object_begun(&thumbnail).await?;
        let eta = Some(estimate::AFTERWARDS / 2);
        self.lease.progress(Stage::Uploading, estimate::UPLOADING, eta).await?;
        let job = self.lease.job().id.clone();
        if self.workflow.is_r2 {
            event!(INFO, GENERATION_WORKFLOW_UPLOADING_TO_R2, jobId = %job, videoId = operation.name);
        } else {
            event!(INFO, GENERATION_WORKFLOW_UPLOADING_TO_S3, jobId = %job, videoId = operation.name);
        }
        if let Err(ended) = self.upload(&fetched, &video, &thumbnail).await {
            return self.end(ended).await;
        }
        let links = &self.workflow.links;
        let (video_url, thumbnail_url) = (links.unsigned(&video), links.unsigned(&thumbnail));
        event!(INFO, GENERATION_WORKFLOW_UPLOAD_COMPLETE, jobId = %job, videoUrl = video_url);
        let result = JobResult {
            video_url,
            thumbnail_url,
            video_key: video.into(),
            thumbnail_key: thumbnail.into(),
            duration: fetched.video.duration,
            file_size: fetched.content.size as i64,
            resolution: fetched.video.resolution(),
            format: "mp4".to_owned(),
            sha256: fetched.content.sha256,
            // Filled in when it is written.
            processing_time: 0.0,
        };
        self.lease.complete(result).await?;
        event!(INFO, GENERATION_WORKFLOW_COMPLETE, jobId = %job, status = "completed");
        Ok(())
    }

    async fn end(self, ended: Ended) -> Result<(), Error> {
        self.lease.attempt_failed(ended.attempt, ended.error, ended.retry).await.map(drop)
    }

    /// Downloads the video until it is one, a few times. A broken file is fetched anew once: what broke it may
    /// have been the way.
    async fn fetch(
        &mut self,
        operation: &Operation,
        source: &Source,
    ) -> Result<Result<Fetched, Ended>, Error> {
        let mut broken_before = false;
        let mut tries = 0;
        loop {
            tries += 1;
            let eta = Some(estimate::AFTERWARDS);
            self.lease.progress(Stage::Downloading, estimate::DOWNLOADING, eta).await?;
            let file = match self.workflow.workspace.file() {
                Ok(file) => file,
                Err(error) => return Ok(Err(Ended::after_download(&error.into()))),
            };
            let download = self.provider.download(operation, source, file.path());
            match sending(Place::Downloaded, download).await {
                Ok(content) => {
                    self.lease.progress(Stage::Processing, estimate::PROCESSING, eta).await?;
                    match media::examine(file.path().to_owned()).await {
                        Ok(video) => return Ok(Ok(Fetched { file, content, video })),
                        Err(error) => {
                            tracing::warn!(operation = operation.name, %error, "What was downloaded is no video");
                            if broken_before || tries >= DOWNLOADS {
                                return Ok(Err(Ended::after_examination(&error)));
                            }
                            broken_before = true;
                        }
                    }
                }
                Err(error) => {
                    tracing::warn!(operation = operation.name, %error, "A download failed");
                    if tries >= DOWNLOADS || !error.is_transient() {
                        return Ok(Err(Ended::after_download(&error)));
                    }
                }
            }
            tokio::time::sleep(DOWNLOAD_PAUSE * tries).await;
        }
    }

    async fn upload(&self, fetched: &Fetched, video: &ObjectKey, thumbnail: &ObjectKey) -> Result<(), Ended> {
        let bucket = &self.workflow.bucket;
        let sha256 = fetched.content.sha256.clone();
        let described = Description { content_type: "video/mp4", sha256 };
        let picture = Bytes::from(fetched.video.thumbnail.clone());
        let sha256 = media::hexadecimal(&Sha256::digest(&picture));
        let picture_described = Description { content_type: "image/jpeg", sha256 };
        let bytes = fetched.content.size + picture.len() as u64;
        let stored = async {
            sending(Place::VideoStored, bucket.put_file(video, fetched.file.path(), &described)).await?;
            let picture = bucket.put_bytes(thumbnail, picture, &picture_described);
            sending(Place::ThumbnailStored, picture).await
        };
        stored.await.map_err(|error| {
            tracing::warn!(%error, "A video could not be stored");
            Ended::not_stored()
        })?;
        metrics::counter!(metric::UPLOADED_BYTES).increment(bytes);
        Ok(())
    }
}

impl Ended {
    fn new(attempt: Option<AttemptState>, code: ErrorCode, message: &str, retry: Retry) -> Self {
        let retryable = code != ErrorCode::InvalidRequest;
        Self { attempt, error: JobError { code, message: message.to_owned(), retryable }, retry }
    }

    fn not_stored() -> Self {
        let message = "The video was made but could not be stored. Please try again later.";
        Self::new(None, ErrorCode::StorageError, message, Retry::OnSchedule)
    }

    fn after_download(error: &DownloadError) -> Self {
        match error {
            DownloadError::File(_) => Self::not_stored(),
            DownloadError::TooLarge | DownloadError::Forbidden(_) => Self::invalid(),
            DownloadError::Refused(_) if !error.is_transient() => {
                let message = "The video service no longer has the video that it made.";
                Self::new(None, ErrorCode::ProviderError, message, Retry::Never)
            }
            _ => {
                let message = "The video was made but could not be fetched. Please try again later.";
                Self::new(None, ErrorCode::ProviderUnavailable, message, Retry::OnSchedule)
            }
        }
    }

    fn after_examination(error: &Invalid) -> Self {
        match error {
            Invalid::Unreadable(_) => Self::not_stored(),
            Invalid::NotMp4(format) => {
                let message = format!("The video service delivered {format}, and not an MP4 video.");
                Self::new(None, ErrorCode::InvalidVideo, &message, Retry::Never)
            }
            _ => Self::invalid(),
        }
    }

    fn invalid() -> Self {
        let message = "The video service delivered something that cannot be played.";
        Self::new(None, ErrorCode::InvalidVideo, message, Retry::Never)
    }
}

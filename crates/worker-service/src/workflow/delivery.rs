//! From a video that the provider has finished to one that is stored: fetch, examine, upload, complete.

use std::time::Duration;

use bytes::Bytes;
use contract::{
    ErrorCode, ErrorReason, Stage,
    worker_api::{JobError, JobResult, Poster},
};
use foundation::{
    crash::{Place, sending},
    s3::ObjectKey,
};
use futures_util::future::try_join_all;
use sha2::{Digest, Sha256};
use telemetry::{event, metric};

use super::{Run, estimate, step};
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

/// Where what belongs to a video is stored.
struct Keys {
    video: ObjectKey,
    thumbnail: ObjectKey,
    /// In the order of the video's posters.
    posters: Vec<ObjectKey>,
}

impl Keys {
    fn all(&self) -> impl Iterator<Item = &ObjectKey> {
        [&self.video, &self.thumbnail].into_iter().chain(&self.posters)
    }
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
        let posters = fetched.video.posters.iter();
        let keys = Keys {
            video: ObjectKey::video(generation, attempt, epoch),
            thumbnail: ObjectKey::thumbnail(generation, attempt, epoch),
            posters: posters.map(|it| ObjectKey::poster(generation, attempt, epoch, it.width)).collect(),
        };
        self.lease.objects_begun(keys.all()).await?;
        let eta = Some(estimate::AFTERWARDS / 2);
        self.lease.progress(Stage::Uploading, estimate::UPLOADING, eta).await?;
        let job = self.lease.job().id.clone();
        if self.workflow.is_r2 {
            event!(INFO, GENERATION_WORKFLOW_UPLOADING_TO_R2, jobId = %job, videoId = operation.name);
        } else {
            event!(INFO, GENERATION_WORKFLOW_UPLOADING_TO_S3, jobId = %job, videoId = operation.name);
        }
        if let Err(ended) = self.upload(&fetched, &keys).await {
            return self.end(ended).await;
        }
        let links = &self.workflow.links;
        let (video_url, thumbnail_url) = (links.unsigned(&keys.video), links.unsigned(&keys.thumbnail));
        let posters = fetched.video.posters.iter().zip(keys.posters).map(|(poster, key)| Poster {
            width: poster.width,
            height: poster.height,
            url: links.unsigned(&key),
            key: key.into(),
        });
        event!(INFO, GENERATION_WORKFLOW_UPLOAD_COMPLETE, jobId = %job, videoUrl = video_url);
        let result = JobResult {
            video_url,
            thumbnail_url,
            video_key: keys.video.into(),
            thumbnail_key: keys.thumbnail.into(),
            duration: fetched.video.duration,
            file_size: fetched.content.size as i64,
            resolution: fetched.video.resolution(),
            format: "mp4".to_owned(),
            sha256: fetched.content.sha256,
            // Filled in when it is written.
            processing_time: 0.0,
            posters: posters.collect(),
        };
        self.lease.complete(result).await?;
        event!(INFO, GENERATION_WORKFLOW_COMPLETE, jobId = %job, status = "completed");
        Ok(())
    }

    async fn end(self, ended: Ended) -> Result<(), Error> {
        let retry = step::go_on(self.lease.job(), self.lease.attempts(), ended.retry);
        self.lease.attempt_failed(ended.attempt, ended.error, retry).await.map(drop)
    }

    /// Downloads the video until it is one, a few times. A broken file is fetched anew once: what broke it may
    /// have been the way. A video in another format is what the provider has made, and stays so.
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
                            let meant = matches!(&error, Invalid::NotMp4(format) if format.is_video());
                            if meant || broken_before || tries >= DOWNLOADS {
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

    /// Stores the video and then, all at once, its pictures, which are small.
    async fn upload(&self, fetched: &Fetched, keys: &Keys) -> Result<(), Ended> {
        let bucket = &self.workflow.bucket;
        let sha256 = fetched.content.sha256.clone();
        let described = Description { content_type: "video/mp4", sha256 };
        let Video { thumbnail, posters, .. } = &fetched.video;
        let jpegs: Vec<_> = std::iter::once(thumbnail).chain(posters.iter().map(|it| &it.jpeg)).collect();
        let bytes = fetched.content.size + jpegs.iter().map(|jpeg| jpeg.len() as u64).sum::<u64>();
        let pictures = std::iter::once(&keys.thumbnail).chain(&keys.posters).zip(jpegs);
        let storing = |(key, jpeg): (&ObjectKey, &Bytes)| {
            let (key, jpeg) = (key.clone(), jpeg.clone());
            async move {
                let sha256 = media::hexadecimal(&Sha256::digest(&jpeg));
                bucket.put_bytes(&key, jpeg, &Description { content_type: "image/jpeg", sha256 }).await
            }
        };
        let pictures: Vec<_> = pictures.map(storing).collect();
        let stored = async {
            let video = bucket.put_file(&keys.video, fetched.file.path(), &described);
            sending(Place::VideoStored, video).await?;
            sending(Place::ThumbnailStored, try_join_all(pictures)).await
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
        Self { attempt, error: JobError::new(code, message, retryable), retry }
    }

    fn because(self, reason: ErrorReason) -> Self {
        Self { error: self.error.because(reason), ..self }
    }

    fn not_stored() -> Self {
        let message = "The video was made but could not be stored. Please try again later.";
        Self::new(None, ErrorCode::StorageError, message, Retry::OnSchedule)
    }

    /// A retry asks first how the operation stands, which brings a fresh link; it is never submitted again.
    fn after_download(error: &DownloadError) -> Self {
        let retry = if error.is_transient() { Retry::OnSchedule } else { Retry::Never };
        match error {
            DownloadError::File(_) => Self::not_stored(),
            DownloadError::TooLarge | DownloadError::Forbidden(_) | DownloadError::Redirected(_) => {
                Self { retry, ..Self::invalid() }
            }
            DownloadError::Refused(404 | 410) => {
                let message = "The video service no longer has the video that it made.";
                Self::new(None, ErrorCode::ProviderError, message, retry).because(ErrorReason::VideoGone)
            }
            DownloadError::Refused(_) | DownloadError::Interrupted(_) | DownloadError::TooSlow => {
                let message = "The video was made but could not be fetched. Please try again later.";
                Self::new(None, ErrorCode::ProviderUnavailable, message, retry)
                    .because(ErrorReason::VideoNotFetched)
            }
        }
    }

    fn after_examination(error: &Invalid) -> Self {
        match error {
            Invalid::Unreadable(_) => Self::not_stored(),
            Invalid::NotMp4(format) => {
                let mut ended = Self::new(None, ErrorCode::InvalidVideo, &format.refusal(), Retry::Never);
                ended.error.delivered = Some(format.media_type().to_owned());
                ended
            }
            Invalid::Empty => {
                let message = "The video service delivered an empty file.";
                Self::new(None, ErrorCode::InvalidVideo, message, Retry::Never)
            }
            _ => Self::invalid(),
        }
    }

    fn invalid() -> Self {
        let message = "The video service delivered something that cannot be played.";
        Self::new(None, ErrorCode::InvalidVideo, message, Retry::Never)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::media::Format;

    #[test]
    fn people_and_programs_are_told_what_came_in_a_videos_place() {
        let no_video = "The video service delivered something that cannot be played.";
        for (error, message, delivered) in [
            (
                Invalid::NotMp4(Format::WebM),
                "The video service delivered a WebM file, and only MP4 is supported.",
                Some("video/webm"),
            ),
            (
                Invalid::NotMp4(Format::Page),
                "The video service delivered a web page and no video.",
                Some("text/html"),
            ),
            (Invalid::Empty, "The video service delivered an empty file.", None),
            (Invalid::Truncated, no_video, None),
            (Invalid::Broken("its parser gave up".to_owned()), no_video, None),
        ] {
            let ended = Ended::after_examination(&error);
            assert_eq!((ended.error.code, ended.retry), (ErrorCode::InvalidVideo, Retry::Never), "{error}");
            assert_eq!(ended.error.message, message);
            assert_eq!(ended.error.delivered.as_deref(), delivered, "{error}");
        }
        let ours = Ended::after_examination(&Invalid::Unreadable(std::io::Error::other("no disk")));
        assert_eq!((ours.error.code, ours.error.delivered), (ErrorCode::StorageError, None));
    }

    #[test]
    fn no_refusal_of_a_download_is_the_last_word() {
        use DownloadError::{File, Forbidden, Interrupted, Redirected, Refused, TooLarge, TooSlow};
        let (gone, missed) = (Some(ErrorReason::VideoGone), Some(ErrorReason::VideoNotFetched));
        let (error, unavailable) = (ErrorCode::ProviderError, ErrorCode::ProviderUnavailable);
        for (why, code, reason, retry) in [
            (Refused(404), error, gone, Retry::OnSchedule),
            (Refused(410), error, gone, Retry::OnSchedule),
            (Refused(304), unavailable, missed, Retry::OnSchedule),
            (Refused(400), unavailable, missed, Retry::OnSchedule),
            (Refused(401), unavailable, missed, Retry::OnSchedule),
            (Refused(403), unavailable, missed, Retry::OnSchedule),
            (Refused(405), unavailable, missed, Retry::OnSchedule),
            (Refused(502), unavailable, missed, Retry::OnSchedule),
            (Interrupted(String::new()), unavailable, missed, Retry::OnSchedule),
            (TooSlow, unavailable, missed, Retry::OnSchedule),
            (Redirected(String::new()), ErrorCode::InvalidVideo, None, Retry::OnSchedule),
            (Forbidden(String::new()), ErrorCode::InvalidVideo, None, Retry::Never),
            (TooLarge, ErrorCode::InvalidVideo, None, Retry::Never),
            (File(std::io::Error::other("no disk")), ErrorCode::StorageError, None, Retry::OnSchedule),
        ] {
            let ended = Ended::after_download(&why);
            let told = (ended.error.code, ended.error.reason, ended.retry);
            assert_eq!(told, (code, reason, retry), "{why:?}");
            assert_eq!(ended.attempt, None, "{why:?}: the operation stands");
        }
    }
}

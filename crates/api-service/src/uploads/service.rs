//! Takes pictures in, and says whether those that are attached to a request may be.

use std::{
    collections::HashMap,
    sync::{Arc, Mutex, PoisonError},
    time::Duration,
};

use bytes::Bytes;
use contract::{ImageInput, Timestamp, UploadId, UserId, images::LARGEST_IMAGE, problem::FieldError};
use foundation::s3::ObjectKey;
use tokio::sync::{OwnedSemaphorePermit, Semaphore};

use super::{
    Upload, UploadSettings,
    picture::{self, Declared, Picture, Refused},
};
use crate::{
    accounts::token::sha256,
    error::{AppError, AppResult},
    idempotency::{Answer, Ticket},
    store::Store,
    worker_client::{Failure, WorkerClient},
};

/// How long a picture may be on its way to the worker before its place is free again.
const RESERVED: Duration = Duration::from_secs(60 * 60);
/// What remains of a picture's time when it can no longer be attached, beyond what a request may wait for its yes:
/// time to make the video.
const TO_MAKE: Duration = Duration::from_secs(24 * 60 * 60);
/// More pictures than any model takes.
const MOST_IMAGES: usize = 8;

/// The service. One for a process.
#[derive(Debug)]
pub struct Uploads {
    store: Store,
    worker: WorkerClient,
    settings: UploadSettings,
    /// How long a request may wait for its yes.
    confirmation: Duration,
    places: Arc<Semaphore>,
    /// Counts by its references how many pictures of each user are under way.
    busy: Mutex<HashMap<UserId, Arc<()>>>,
    examinations: Arc<Semaphore>,
}

/// How many pictures one user may have under way.
const PLACES_PER_USER: usize = 2;

/// A place for a picture in memory; dropping it gives it back.
#[derive(Debug)]
pub struct InMemory {
    _place: OwnedSemaphorePermit,
    _own: Arc<()>,
}

impl Uploads {
    /// Pictures are kept by this worker; requests wait for their yes for at most `confirmation`.
    #[must_use]
    pub fn new(store: Store, worker: WorkerClient, settings: UploadSettings, confirmation: Duration) -> Self {
        Self {
            store,
            worker,
            places: Arc::new(Semaphore::new(settings.concurrency.max(1))),
            busy: Mutex::default(),
            examinations: Arc::new(Semaphore::new(settings.examinations.max(1))),
            settings,
            confirmation,
        }
    }

    /// A place for a picture in memory (I20), to be had before its body is read. Nobody has more than
    /// [`PLACES_PER_USER`], however slowly their pictures come.
    pub fn place(&self, user: &UserId) -> AppResult<InMemory> {
        let own = Arc::clone(
            self.busy.lock().unwrap_or_else(PoisonError::into_inner).entry(user.clone()).or_default(),
        );
        // One for the map's own.
        if Arc::strong_count(&own) > PLACES_PER_USER + 1 {
            return Err(AppError::rate_limited(Duration::from_secs(1)));
        }
        let place = Arc::clone(&self.places).try_acquire_owned();
        let place = place.map_err(|_| AppError::unavailable("as many pictures are taken in as may be"))?;
        Ok(InMemory { _place: place, _own: own })
    }

    /// Forgets who has no picture under way.
    pub fn tidy(&self) {
        let mut busy = self.busy.lock().unwrap_or_else(PoisonError::into_inner);
        busy.retain(|_, own| Arc::strong_count(own) > 1);
        busy.shrink_to_fit();
    }

    /// Takes a picture in: examined, kept by the worker, and then told of. Whatever fails, nothing is kept.
    pub async fn take(
        &self,
        user: &UserId,
        declared: Declared,
        sent: Bytes,
        ticket: Option<Ticket>,
    ) -> AppResult<Answer> {
        let (content_type, bytes) = (declared.media_type(), sent.len());
        telemetry::event!(INFO, UPLOAD_REQUEST_RECEIVED, userId = %user, contentType = content_type, bytes);
        let Picture { kind, width, height, content } =
            self.examine(declared, sent).await?.map_err(|refused| {
                telemetry::event!(INFO, UPLOAD_REFUSED, userId = %user, reason = refused.word());
                AppError::field("body", refused.to_string())
            })?;
        let now = Timestamp::now();
        let mut upload = Upload {
            id: UploadId::new(),
            content_type: kind,
            width,
            height,
            bytes: content.len() as i64,
            sha256: sha256(&content),
            created_at: now,
            expires_at: now + RESERVED,
        };
        self.store.reserve_upload(user, &upload, self.settings.per_user).await?;
        let kept = match self.worker.keep_picture(&upload.id, content, self.settings.timeout).await {
            Ok(kept) => kept,
            Err(failure) => {
                self.store.release_upload(&upload.id).await?;
                return Err(match failure {
                    Failure::Unavailable(cause) => AppError::unavailable(cause),
                    // It was examined here: the two of us do not agree.
                    refused @ Failure::Refused(_) => AppError::internal(refused),
                });
            }
        };
        upload.expires_at = expiry(now, kept.kept_until, self.confirmation);
        let answer = Answer::created(&upload);
        let keep = ticket.as_ref().map(|ticket| (ticket, &answer));
        self.store.keep_upload(&upload.id, upload.expires_at, keep).await?;
        telemetry::event!(INFO, UPLOAD_STORED, userId = %user, uploadId = %upload.id, bytes = upload.bytes);
        Ok(answer)
    }

    /// Examines on a thread of its own, so many at a time. A decoder that panics has met a broken picture.
    async fn examine(&self, declared: Declared, sent: Bytes) -> AppResult<Result<Picture, Refused>> {
        let turn = Arc::clone(&self.examinations).acquire_owned().await.map_err(AppError::internal)?;
        let work = tokio::task::spawn_blocking(move || {
            let examined = picture::examine(declared, &sent);
            drop(turn);
            examined
        });
        Ok(work.await.unwrap_or(Err(Refused::Broken)))
    }

    /// Where a picture of the user's lies. The same for one that is another's and one that never was (I22).
    pub async fn key(&self, user: &UserId, id: &UploadId) -> AppResult<ObjectKey> {
        let found = self.store.uploads(user, std::slice::from_ref(id), Timestamp::now()).await?;
        let upload = found.into_iter().next().ok_or_else(|| AppError::not_found("upload"))?;
        Ok(ObjectKey::upload(&upload.id, upload.content_type.extension()))
    }
}

/// Until when a picture can be attached that is kept until then: whatever it is attached to shall still find it when
/// it is made. Of a picture that is kept for a short time only, at least half of it.
fn expiry(now: Timestamp, kept_until: Timestamp, confirmation: Duration) -> Timestamp {
    let kept = kept_until.since(now);
    now + kept.saturating_sub(confirmation + TO_MAKE).max(kept / 2)
}

/// Checks that pictures are the user's own and still there, and that they are not too many for one request. What is
/// wrong is told under `field`. Which of them a model takes is for the catalogue to say.
pub async fn check(store: &Store, user: &UserId, images: &[ImageInput], field: &str) -> AppResult<()> {
    if images.is_empty() {
        return Ok(());
    }
    if images.len() > MOST_IMAGES {
        return Err(AppError::field(field, format!("At most {MOST_IMAGES} pictures.")));
    }
    let ids: Vec<_> = images.iter().map(|image| image.upload_id.clone()).collect();
    let found = store.uploads(user, &ids, Timestamp::now()).await?;
    let sizes: HashMap<_, _> = found.iter().map(|upload| (&upload.id, upload.bytes)).collect();
    let unknown = images.iter().enumerate().filter(|(_, image)| !sizes.contains_key(&image.upload_id));
    let errors: Vec<_> = unknown
        .map(|(index, _)| {
            let message = "There is no such upload, or it has expired. Upload the picture again.";
            FieldError::new(format!("{field}[{index}].uploadId"), message)
        })
        .collect();
    if !errors.is_empty() {
        return Err(AppError::validation(errors));
    }
    let together: i64 = images.iter().filter_map(|image| sizes.get(&image.upload_id)).sum();
    if together > LARGEST_IMAGE as i64 {
        return Err(AppError::field(field, "Together the pictures may have at most 20 MiB."));
    }
    Ok(())
}

/// 429: the user has as many pictures as one may have (I20).
pub(crate) fn too_many(kept: i64) -> AppError {
    AppError::limit_reached(
        "too_many_uploads",
        format!("{kept} of your pictures are kept. Wait until some of them expire."),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_attached_outlives_its_request() {
        let day = Duration::from_secs(24 * 60 * 60);
        let now = Timestamp::now();
        for (kept, confirmation, left) in [(30, 7, 22), (30, 28, 15), (2, 7, 1)] {
            let expires = expiry(now, now + day * kept, day * confirmation);
            assert_eq!(expires.since(now), day * left, "kept for {kept} days");
        }
        assert_eq!(expiry(now, now - day, day), now, "by a clock that is wrong");
    }
}

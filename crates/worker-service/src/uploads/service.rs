//! Keeps pictures, and fetches those that a video is made from.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use contract::{
    ImageInput, ImageType, UploadId,
    images::{LARGEST_IMAGE, UploadAnswer},
};
use foundation::{
    crash::{Place, sending},
    s3::ObjectKey,
};
use sha2::{Digest, Sha256};
use telemetry::event;

use crate::{
    bucket::{Bucket, BucketError, Description},
    media::hexadecimal,
    providers::Image,
    store::{self, Store},
};

/// Why a picture is not kept, or not fetched.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The database.
    #[error(transparent)]
    Store(#[from] store::Error),
    /// The bucket.
    #[error(transparent)]
    Bucket(#[from] BucketError),
}

/// The pictures. Cheap to clone.
#[derive(Clone)]
pub struct Uploads {
    store: Store,
    bucket: Arc<dyn Bucket>,
    kept: Duration,
}

impl std::fmt::Debug for Uploads {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Uploads").field("kept", &self.kept).finish_non_exhaustive()
    }
}

impl Uploads {
    /// Pictures in this bucket, each kept for so long.
    pub fn new(store: Store, bucket: Arc<dyn Bucket>, kept: Duration) -> Self {
        Self { store, bucket, kept }
    }

    /// Keeps a picture. It is written down before it is stored, so that the sweeper finds what breaks off between
    /// the two. `nonce` is the id of the signed request that brought it.
    pub async fn keep(
        &self,
        id: &UploadId,
        kind: ImageType,
        picture: Bytes,
        nonce: &str,
    ) -> Result<UploadAnswer, Error> {
        let key = ObjectKey::upload(id, kind.extension());
        let described =
            Description { content_type: kind.media_type(), sha256: hexadecimal(&Sha256::digest(&picture)) };
        let size = picture.len() as i64;
        let begun = self.store.begin_upload(id, (key.as_str(), &described.sha256, size), self.kept, nonce);
        let begun = begun.await?;
        sending(Place::PictureStored, self.bucket.put_bytes(&key, picture, &described)).await?;
        if !self.store.upload_stored(id).await? {
            // It took longer than the sweeper's grace; what has been stored now will be removed.
            return Err(store::Error::OtherPicture(id.clone()).into());
        }
        event!(INFO, WORKER_UPLOAD_STORED, uploadId = %id, bytes = size);
        Ok(UploadAnswer { upload_id: id.clone(), key: key.into(), kept_until: begun.keep_until })
    }

    /// Fetches the pictures that a video is made from; `None` if one of them is there no longer. Together they may
    /// have as many bytes as one.
    pub async fn fetch(&self, wanted: &[ImageInput]) -> Result<Option<Vec<Image>>, Error> {
        let (mut images, mut room) = (Vec::with_capacity(wanted.len()), LARGEST_IMAGE);
        for input in wanted {
            let Some(row) = self.store.upload(&input.upload_id).await? else { return Ok(None) };
            // A row that is no key of ours can have no object.
            let Ok(key) = row.key.parse::<ObjectKey>() else { return Ok(None) };
            let Some(content) = self.bucket.get(&key, room).await? else { return Ok(None) };
            let Some(kind) = ImageType::of(&content) else { return Ok(None) };
            room = room.saturating_sub(content.len());
            images.push(Image { role: input.role, kind, content });
        }
        Ok(Some(images))
    }
}

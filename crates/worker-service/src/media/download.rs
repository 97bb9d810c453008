//! Takes in a video that somebody sends, within hard limits of size and time, and takes its SHA-256 on the
//! way. It does not decide where to fetch from; that is the provider's.

use std::{fmt::Write as _, path::Path, time::Duration};

use bytes::Bytes;
use reqwest::{Response, StatusCode};
use sha2::{Digest, Sha256};
use tokio::{fs::File, io::AsyncWriteExt};

/// How much is taken.
#[derive(Clone, Copy, Debug)]
pub struct Limits {
    /// At most so many bytes.
    pub bytes: u64,
    /// How long nothing may come.
    pub stall: Duration,
    /// How long it may take in all; watched by whoever fetches.
    pub total: Duration,
}

/// What was taken in.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Downloaded {
    /// Bytes.
    pub size: u64,
    /// In lower-case hexadecimal digits.
    pub sha256: String,
}

/// Why there is no file.
#[derive(Debug, thiserror::Error)]
pub enum DownloadError {
    /// The connection could not be made, or broke.
    #[error("the download was interrupted: {0}")]
    Interrupted(String),
    /// It stood still, or took too long in all.
    #[error("the download took too long")]
    TooSlow,
    /// It was refused with this HTTP status.
    #[error("the download was refused with {0}")]
    Refused(u16),
    /// It leads to where nobody goes.
    #[error("the download leads astray: {0}")]
    Forbidden(String),
    /// A redirect leads to where nobody goes. Whoever sent it need not have been the provider.
    #[error("the download was redirected astray: {0}")]
    Redirected(String),
    /// There is more of it than is taken.
    #[error("the video is too large")]
    TooLarge,
    /// The file cannot be written.
    #[error("the file cannot be written: {0}")]
    File(#[from] std::io::Error),
}

impl DownloadError {
    /// Whether the same download may well succeed a little later. No refusal says that it may not, whatever its status:
    /// a proxy that is being replaced gives any, a file can be asked for before it can be seen, and a link can have run
    /// out where a fresh one is to be had.
    #[must_use]
    pub fn is_transient(&self) -> bool {
        match self {
            Self::Interrupted(_) | Self::TooSlow | Self::Refused(_) | Self::Redirected(_) | Self::File(_) => {
                true
            }
            Self::Forbidden(_) | Self::TooLarge => false,
        }
    }
}

/// A client's error in words, without the URL, which may be secret.
pub(crate) fn interrupted(error: reqwest::Error) -> DownloadError {
    DownloadError::Interrupted(error.without_url().to_string())
}

/// A file that is being written, its checksum taken on the way. If anything fails, what the file holds is of no
/// use.
pub(crate) struct Saving {
    file: File,
    digest: Sha256,
    size: u64,
    most: u64,
}

impl Saving {
    /// Begins a file of at most so many bytes.
    pub(crate) async fn begin(into: &Path, most: u64) -> Result<Self, DownloadError> {
        Ok(Self { file: File::create(into).await?, digest: Sha256::new(), size: 0, most })
    }

    /// Writes what comes next.
    pub(crate) async fn write(&mut self, bytes: &[u8]) -> Result<(), DownloadError> {
        self.size += bytes.len() as u64;
        if self.size > self.most {
            return Err(DownloadError::TooLarge);
        }
        self.digest.update(bytes);
        Ok(self.file.write_all(bytes).await?)
    }

    /// There is no more.
    pub(crate) async fn end(mut self) -> Result<Downloaded, DownloadError> {
        self.file.flush().await?;
        Ok(Downloaded { size: self.size, sha256: hexadecimal(&self.digest.finalize()) })
    }
}

/// Writes an answer's content into a file. If it fails, what the file holds is of no use.
pub(crate) async fn save(
    mut response: Response,
    into: &Path,
    limits: &Limits,
) -> Result<Downloaded, DownloadError> {
    if response.status() != StatusCode::OK {
        return Err(DownloadError::Refused(response.status().as_u16()));
    }
    if response.content_length().is_some_and(|length| length > limits.bytes) {
        return Err(DownloadError::TooLarge);
    }
    let mut saving = Saving::begin(into, limits.bytes).await?;
    while let Some(chunk) = next(&mut response, limits.stall).await? {
        saving.write(&chunk).await?;
    }
    saving.end().await
}

/// What comes next of an answer's content, if it comes before it has stood still for too long.
pub(crate) async fn next(response: &mut Response, stall: Duration) -> Result<Option<Bytes>, DownloadError> {
    let chunk = tokio::time::timeout(stall, response.chunk()).await;
    chunk.map_err(|_| DownloadError::TooSlow)?.map_err(interrupted)
}

/// Bytes in lower-case hexadecimal digits.
pub(crate) fn hexadecimal(bytes: &[u8]) -> String {
    bytes.iter().fold(String::with_capacity(bytes.len() * 2), |mut digits, byte| {
        // Writing into a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

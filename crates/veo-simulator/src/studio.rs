//! Where videos are made and kept: each clip is rendered once, at most so many at the same time, and a file that
//! got lost is made again when somebody asks for it.

use std::collections::{HashMap, HashSet};
use std::fmt::Write as _;
use std::io::{self, ErrorKind, Write as _};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, PoisonError};

use sha2::{Digest, Sha256};
use tokio::fs::File;
use tokio::sync::{OnceCell, Semaphore};
use tokio_util::sync::CancellationToken;

use crate::render::{Clip, RenderError, render};

/// Why a clip is not to be had.
#[derive(Debug, thiserror::Error)]
pub(crate) enum StudioError {
    #[error(transparent)]
    Render(#[from] RenderError),
    #[error("the clip cannot be kept: {0}")]
    Storage(#[from] io::Error),
    #[error("the renderer panicked")]
    Panicked,
}

/// The renderer and its shelf of finished clips.
#[derive(Debug)]
pub(crate) struct Studio {
    directory: PathBuf,
    permits: Semaphore,
    /// A full cell is a clip that was seen finished; an empty one is being made.
    shelf: Mutex<HashMap<String, Arc<OnceCell<()>>>>,
    stopping: CancellationToken,
}

impl Studio {
    /// Keeps its clips in `directory`, which exists.
    pub(crate) fn new(directory: PathBuf, at_once: usize, stopping: CancellationToken) -> Self {
        Self { directory, permits: Semaphore::new(at_once), shelf: Mutex::default(), stopping }
    }

    /// Removes every file but those of these clips: expired ones, and what a crash left half written.
    pub(crate) fn keep_only(&self, clips: impl Iterator<Item = Clip>) -> io::Result<()> {
        let kept: HashSet<PathBuf> = clips.map(|clip| self.path(&key(&clip))).collect();
        for entry in std::fs::read_dir(&self.directory)? {
            let path = entry?.path();
            if !kept.contains(&path) {
                std::fs::remove_file(path)?;
            }
        }
        Ok(())
    }

    /// Returns once the clip's file is there; whoever asks for the same clip meanwhile waits for the same work.
    pub(crate) async fn make(&self, clip: &Clip) -> Result<(), StudioError> {
        let key = key(clip);
        let cell = Arc::clone(self.shelf().entry(key.clone()).or_default());
        cell.get_or_try_init(|| self.render(clip, self.path(&key))).await.copied()
    }

    /// Opens the clip's file, making it first if need be.
    pub(crate) async fn open(&self, clip: &Clip) -> Result<File, StudioError> {
        let key = key(clip);
        self.make(clip).await?;
        match File::open(self.path(&key)).await {
            Err(error) if error.kind() == ErrorKind::NotFound => {
                tracing::warn!(clip = key, "A finished clip is gone; making it again");
                self.shelf().remove(&key);
                self.make(clip).await?;
                Ok(File::open(self.path(&key)).await?)
            }
            opened => Ok(opened?),
        }
    }

    async fn render(&self, clip: &Clip, path: PathBuf) -> Result<(), StudioError> {
        if tokio::fs::try_exists(&path).await? {
            return Ok(());
        }
        let _permit = self.permits.acquire().await.map_err(|_| RenderError::Stopping)?;
        let (clip, stopping) = (clip.clone(), self.stopping.clone());
        let directory = self.directory.clone();
        let work = move || {
            let video = render(&clip, || stopping.is_cancelled())?;
            write_whole(&directory, &path, &video)?;
            Ok(())
        };
        tokio::task::spawn_blocking(work).await.unwrap_or(Err(StudioError::Panicked))
    }

    fn shelf(&self) -> std::sync::MutexGuard<'_, HashMap<String, Arc<OnceCell<()>>>> {
        self.shelf.lock().unwrap_or_else(PoisonError::into_inner)
    }

    fn path(&self, key: &str) -> PathBuf {
        self.directory.join(format!("{key}.mp4"))
    }
}

/// A file appears under its name whole or not at all, whatever happens meanwhile.
fn write_whole(directory: &Path, path: &Path, content: &[u8]) -> io::Result<()> {
    let mut file = tempfile::NamedTempFile::new_in(directory)?;
    file.write_all(content)?;
    file.as_file().sync_data()?;
    file.persist(path)?;
    Ok(())
}

/// Clips with the same content share one file.
fn key(clip: &Clip) -> String {
    let Clip { words, width, height, seconds } = clip;
    sha256(&format!("{width}x{height} {seconds}s {words}"))
}

/// In lower-case hexadecimal digits.
pub(crate) fn sha256(text: &str) -> String {
    Sha256::digest(text).iter().fold(String::with_capacity(64), |mut digits, byte| {
        // Writing into a string cannot fail.
        let _ = write!(digits, "{byte:02x}");
        digits
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn studio(directory: &Path) -> Studio {
        Studio::new(directory.to_owned(), 1, CancellationToken::new())
    }

    fn tiny(words: &str) -> Clip {
        Clip { words: words.to_owned(), width: 64, height: 36, seconds: 1 }
    }

    async fn bytes(studio: &Studio, clip: &Clip) -> Vec<u8> {
        let mut content = Vec::new();
        let mut file = studio.open(clip).await.unwrap();
        tokio::io::AsyncReadExt::read_to_end(&mut file, &mut content).await.unwrap();
        content
    }

    #[tokio::test]
    async fn a_lost_clip_is_made_again_with_the_same_bytes() {
        let directory = tempfile::tempdir().unwrap();
        let studio = studio(directory.path());
        let clip = tiny("a boat");
        let before = bytes(&studio, &clip).await;
        std::fs::remove_file(studio.path(&key(&clip))).unwrap();
        assert_eq!(bytes(&studio, &clip).await, before);
        assert_ne!(bytes(&studio, &tiny("a kite")).await, before);
    }

    #[tokio::test]
    async fn only_clips_that_are_wanted_are_kept() {
        let directory = tempfile::tempdir().unwrap();
        let studio = studio(directory.path());
        let (old, new) = (tiny("old"), tiny("new"));
        studio.make(&old).await.unwrap();
        studio.make(&new).await.unwrap();
        studio.keep_only(std::iter::once(new.clone())).unwrap();
        assert!(!studio.path(&key(&old)).exists());
        assert!(studio.path(&key(&new)).exists());
    }

    #[tokio::test]
    async fn nothing_is_rendered_while_stopping() {
        let directory = tempfile::tempdir().unwrap();
        let studio = studio(directory.path());
        studio.stopping.cancel();
        let refused = studio.make(&tiny("late")).await;
        assert!(matches!(refused, Err(StudioError::Render(RenderError::Stopping))), "{refused:?}");
        assert_eq!(std::fs::read_dir(directory.path()).unwrap().count(), 0);
    }
}

//! The file that the video is saved to: written beside its place and moved there when it is whole.

use std::{
    fs::Permissions,
    io::Write,
    os::unix::fs::PermissionsExt,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, ensure};
use reqwest::Response;
use tempfile::NamedTempFile;

/// How much of a prompt becomes a file's name.
const NAME_LENGTH: usize = 48;

/// A place for a video. If it is dropped before it is kept, nothing stays behind.
#[derive(Debug)]
pub(super) struct VideoFile {
    /// Where it goes.
    path: PathBuf,
    /// Whether what is there may be replaced.
    replaces: bool,
    unfinished: NamedTempFile,
}

impl VideoFile {
    /// Makes sure that the place can be written to.
    pub(super) fn create(asked: Option<&Path>, prompt: &str) -> Result<Self> {
        let path = asked.map_or_else(|| PathBuf::from(format!("{}.mp4", name(prompt))), Path::to_owned);
        let cannot = || format!("cannot write {}", path.display());
        ensure!(!path.is_dir(), "{} is a directory: name a file in it", path.display());
        let folder = path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let unfinished = tempfile::Builder::new()
            .prefix(".reelay-")
            .suffix(".part")
            // As any file that a program saves; the user's mask takes away from it.
            .permissions(Permissions::from_mode(0o666))
            .tempfile_in(folder)
            .with_context(cannot)?;
        Ok(Self { path, replaces: asked.is_some(), unfinished })
    }

    /// Writes what the answer brings, and compares its size with what it should be. Returns the size.
    pub(super) async fn fill(&self, mut answer: Response, expected: Option<u64>) -> Result<u64> {
        let mut size = 0;
        let mut file = self.unfinished.as_file();
        while let Some(bytes) = answer.chunk().await.map_err(reqwest::Error::without_url)? {
            // A local file takes a chunk at once.
            file.write_all(&bytes).with_context(|| format!("cannot write {}", self.path.display()))?;
            size += bytes.len() as u64;
        }
        let expected = expected.unwrap_or(size);
        ensure!(size == expected && size > 0, "the video arrived with {size} of {expected} bytes");
        Ok(size)
    }

    /// Moves it to its place, or to one beside it where something else is and was not asked to go.
    pub(super) fn keep(self) -> Result<PathBuf> {
        let Self { path, replaces, mut unfinished } = self;
        let cannot = || format!("cannot write {}", path.display());
        if replaces {
            unfinished.persist(&path).with_context(cannot)?;
            return Ok(path);
        }
        let mut candidate = path.clone();
        for number in 2.. {
            match unfinished.persist_noclobber(&candidate) {
                Ok(_) => return Ok(candidate),
                Err(refused) if refused.error.kind() == std::io::ErrorKind::AlreadyExists => {
                    unfinished = refused.file;
                    let stem = path.file_stem().unwrap_or_default().to_string_lossy();
                    candidate = path.with_file_name(format!("{stem}-{number}.mp4"));
                }
                Err(refused) => return Err(refused.error).with_context(cannot),
            }
        }
        Err(std::io::Error::from(std::io::ErrorKind::AlreadyExists)).with_context(cannot)
    }
}

/// A file's name after a prompt: its first words, in letters and digits that every file system takes.
fn name(prompt: &str) -> String {
    let mut name = String::new();
    for word in prompt.split(|c: char| !c.is_ascii_alphanumeric()).filter(|word| !word.is_empty()) {
        if name.len() + word.len() >= NAME_LENGTH {
            break;
        }
        if !name.is_empty() {
            name.push('-');
        }
        name.push_str(&word.to_ascii_lowercase());
    }
    if name.is_empty() { "video".to_owned() } else { name }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_made_of_the_first_words() {
        assert_eq!(name("A paper boat, at dusk!"), "a-paper-boat-at-dusk");
        assert_eq!(name("../../etc/passwd"), "etc-passwd");
        assert_eq!(name("雨"), "video");
        assert!(name(&"boat ".repeat(100)).len() <= NAME_LENGTH);
    }

    #[test]
    fn what_was_asked_for_is_replaced_and_nothing_else() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("boat.mp4");
        std::fs::write(&path, "old").unwrap();
        let file = VideoFile::create(Some(&path), "").unwrap();
        assert_eq!(file.keep().unwrap(), path);
        assert_eq!(std::fs::read(&path).unwrap(), b"");
        let file = VideoFile { replaces: false, ..VideoFile::create(Some(&path), "").unwrap() };
        assert_eq!(file.keep().unwrap(), folder.path().join("boat-2.mp4"));
    }

    #[test]
    fn nothing_stays_behind_and_a_bad_place_is_named() {
        let folder = tempfile::tempdir().unwrap();
        drop(VideoFile::create(Some(&folder.path().join("boat.mp4")), "").unwrap());
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let nowhere = folder.path().join("nowhere/boat.mp4");
        let error = VideoFile::create(Some(&nowhere), "").unwrap_err().to_string();
        assert!(error.contains("nowhere/boat.mp4"), "{error}");
        assert!(VideoFile::create(Some(folder.path()), "").is_err());
    }
}

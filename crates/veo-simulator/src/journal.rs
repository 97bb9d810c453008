//! What must survive kill -9: a file of JSON lines that only ever grows. A line counts once it is on the disk,
//! and only then is whoever waits for it told, so what a client was told is never forgotten.
//!
//! Lines that arrive while the disk is busy are written together: one `fsync` serves them all.

use std::fs::{File, OpenOptions};
use std::io::{self, BufRead, BufReader, Seek, SeekFrom, Write};
use std::path::{Path, PathBuf};
use std::sync::mpsc;
use std::thread::JoinHandle;

use serde::{Serialize, de::DeserializeOwned};
use tokio::sync::oneshot;

/// A journal that cannot be opened.
#[derive(Debug, thiserror::Error)]
pub(crate) enum OpenError {
    #[error("another simulator is using it")]
    InUse,
    #[error("line {line} of {path} cannot be read: {source}")]
    Malformed { path: PathBuf, line: usize, source: serde_json::Error },
    #[error(transparent)]
    Io(#[from] io::Error),
}

/// The open end of a journal. Dropping it writes what is still waiting and gives the file free.
#[derive(Debug)]
pub(crate) struct Journal {
    /// There until the journal is dropped.
    lines: Option<mpsc::Sender<Line>>,
    writer: Option<JoinHandle<()>>,
}

#[derive(Debug)]
struct Line {
    text: Vec<u8>,
    written: oneshot::Sender<io::Result<()>>,
}

impl Journal {
    /// Opens or creates a journal and returns it with all its entries. Locks the file for as long as the journal
    /// is open. A last line that was torn off by a crash is cut away: nobody was told that it had been written.
    pub(crate) fn open<E: DeserializeOwned>(path: &Path) -> Result<(Self, Vec<E>), OpenError> {
        let mut file = OpenOptions::new().read(true).append(true).create(true).open(path)?;
        file.try_lock().map_err(|error| match error {
            std::fs::TryLockError::WouldBlock => OpenError::InUse,
            std::fs::TryLockError::Error(error) => error.into(),
        })?;
        let (entries, length) = read(&file, path)?;
        file.set_len(length)?;
        file.seek(SeekFrom::End(0))?;
        file.sync_all()?;
        if let Some(directory) = path.parent() {
            // The name of a new file is on the disk only when its directory is.
            File::open(directory)?.sync_all()?;
        }
        let (lines, arriving) = mpsc::channel();
        let writer = std::thread::Builder::new()
            .name("journal".to_owned())
            .spawn(move || write_all(&mut file, length, &arriving))?;
        Ok((Self { lines: Some(lines), writer: Some(writer) }, entries))
    }

    /// Appends an entry; returns when it is on the disk. Once called, it is written even if the future is
    /// dropped.
    pub(crate) async fn append(&self, entry: &impl Serialize) -> io::Result<()> {
        let mut text = serde_json::to_vec(entry)?;
        text.push(b'\n');
        let (written, answer) = oneshot::channel();
        let sent = self.lines.as_ref().is_some_and(|lines| lines.send(Line { text, written }).is_ok());
        let gone = || io::Error::other("the journal is closed");
        if sent { answer.await.map_err(|_| gone())? } else { Err(gone()) }
    }
}

impl Drop for Journal {
    fn drop(&mut self) {
        drop(self.lines.take());
        if self.writer.take().is_some_and(|writer| writer.join().is_err()) {
            tracing::error!("The journal's writer panicked");
        }
    }
}

/// All entries, and the length up to which the file is sound.
fn read<E: DeserializeOwned>(file: &File, path: &Path) -> Result<(Vec<E>, u64), OpenError> {
    let mut reader = BufReader::new(file);
    let mut entries = Vec::new();
    let mut length = 0;
    let mut line = Vec::new();
    loop {
        line.clear();
        let read = reader.read_until(b'\n', &mut line)?;
        if line.last() != Some(&b'\n') {
            return Ok((entries, length));
        }
        let entry = serde_json::from_slice(&line).map_err(|source| OpenError::Malformed {
            path: path.to_owned(),
            line: entries.len() + 1,
            source,
        })?;
        entries.push(entry);
        length += read as u64;
    }
}

/// The writing thread: ends when the journal is dropped.
fn write_all(file: &mut File, mut length: u64, arriving: &mpsc::Receiver<Line>) {
    while let Ok(first) = arriving.recv() {
        let mut text = first.text;
        let mut waiting = vec![first.written];
        for line in arriving.try_iter() {
            text.extend_from_slice(&line.text);
            waiting.push(line.written);
        }
        let outcome = file.write_all(&text).and_then(|()| file.sync_data());
        match &outcome {
            Ok(()) => length += text.len() as u64,
            Err(error) => {
                tracing::error!(%error, "The journal cannot be written");
                // Half a line (the disk is full, say) would spoil the next one.
                if let Err(error) = file.set_len(length) {
                    tracing::error!(%error, "The journal cannot be mended");
                }
            }
        }
        for written in waiting {
            let answer = match &outcome {
                Ok(()) => Ok(()),
                Err(error) => Err(io::Error::new(error.kind(), error.to_string())),
            };
            // Who no longer waits does not want to know.
            let _ = written.send(answer);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn open(path: &Path) -> Result<(Journal, Vec<String>), OpenError> {
        Journal::open(path)
    }

    #[tokio::test]
    async fn entries_come_back_in_order() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let (journal, entries) = open(&path).unwrap();
        assert!(entries.is_empty());
        for entry in ["one", "two\nlines", "three"] {
            journal.append(&entry).await.unwrap();
        }
        drop(journal);
        assert_eq!(open(&path).unwrap().1, ["one", "two\nlines", "three"]);
    }

    #[tokio::test]
    async fn a_torn_last_line_is_cut_away() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        std::fs::write(&path, "\"one\"\n\"tw").unwrap();
        let (journal, entries) = open(&path).unwrap();
        assert_eq!(entries, ["one"]);
        journal.append(&"three").await.unwrap();
        drop(journal);
        assert_eq!(open(&path).unwrap().1, ["one", "three"]);
    }

    #[test]
    fn a_spoilt_line_in_the_middle_is_named() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        std::fs::write(&path, "\"one\"\nnonsense\n\"three\"\n").unwrap();
        let error = open(&path).unwrap_err().to_string();
        assert!(error.starts_with("line 2 of "), "{error}");
    }

    #[test]
    fn one_journal_has_one_owner() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("journal");
        let _owner = open(&path).unwrap();
        assert!(matches!(open(&path), Err(OpenError::InUse)));
    }
}

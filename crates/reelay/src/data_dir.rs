//! The data directory: found or made, held by one launcher at a time, and what the launcher itself keeps in it.

use std::{
    env,
    fs::{self, DirBuilder, File, OpenOptions, TryLockError},
    io::{self, Read, Seek, Write},
    os::unix::fs::{DirBuilderExt, OpenOptionsExt},
    path::{Path, PathBuf},
    sync::{Mutex, PoisonError},
    time::Duration,
};

use anyhow::{Context, Result, bail};
use nix::{sys::signal::kill, unistd::Pid};

use crate::secrets::Secrets;

/// How long what is left of a launcher that was killed has to end. Its children notice within moments, then
/// finish what they are at.
const LEFTOVER_LIMIT: Duration = Duration::from_secs(40);
const LEFTOVER_LOOK: Duration = Duration::from_millis(50);

/// A data directory that is ours alone until this is dropped.
#[derive(Debug)]
pub(crate) struct DataDir {
    path: PathBuf,
    /// Locked; holds the ids of the processes that work on the directory, and nothing after an orderly end.
    lock: Mutex<File>,
}

impl DataDir {
    /// Makes the directory if need be and takes hold of it.
    pub(crate) fn open(path: &Path) -> Result<Self> {
        let cannot =
            || format!("cannot use the data directory {} (choose another with --data-dir)", path.display());
        DirBuilder::new().recursive(true).mode(0o700).create(path).with_context(cannot)?;
        let path = path.canonicalize().with_context(cannot)?;
        let mut lock = private(OpenOptions::new().create(true).read(true).write(true).truncate(false))
            .open(path.join("lock"))
            .with_context(cannot)?;
        match lock.try_lock() {
            Ok(()) => {}
            Err(TryLockError::WouldBlock) => {
                let mut holder = String::new();
                let _ = lock.read_to_string(&mut holder);
                let holder = holder.split_whitespace().next().unwrap_or("unknown");
                bail!(
                    "another reelay (process {holder}) is using {}: stop it, or choose another directory with --data-dir",
                    path.display()
                );
            }
            Err(TryLockError::Error(error)) => return Err(error).with_context(cannot),
        }
        Ok(Self { path, lock: Mutex::new(lock) })
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Waits for the children of a launcher that was killed on this directory: they still have its ports and
    /// files.
    pub(crate) async fn wait_for_leftovers(&self) -> Result<()> {
        let deadline = tokio::time::Instant::now() + LEFTOVER_LIMIT;
        let mut told = false;
        while let Some(pid) = self.recorded()?.into_iter().find(|pid| is_part(*pid)) {
            if !told {
                eprintln!("reelay: waiting for what is left of the last run (process {pid})");
                told = true;
            }
            if tokio::time::Instant::now() > deadline {
                bail!("process {pid} of the last run on {} does not end", self.path.display());
            }
            tokio::time::sleep(LEFTOVER_LOOK).await;
        }
        Ok(())
    }

    /// Writes down which processes work on the directory; the first is the launcher's own.
    pub(crate) fn record(&self, pids: &[u32]) -> io::Result<()> {
        let text: Vec<_> = pids.iter().map(u32::to_string).collect();
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        lock.set_len(0)?;
        lock.rewind()?;
        lock.write_all(text.join(" ").as_bytes())
    }

    fn recorded(&self) -> io::Result<Vec<i32>> {
        let mut text = String::new();
        let mut lock = self.lock.lock().unwrap_or_else(PoisonError::into_inner);
        lock.rewind()?;
        lock.read_to_string(&mut text)?;
        Ok(text.split_whitespace().filter_map(|word| word.parse().ok()).collect())
    }

    /// The secrets that were made for this directory; the first time, new ones.
    pub(crate) fn secrets(&self) -> Result<Secrets> {
        let path = self.path.join("secrets.json");
        match fs::read_to_string(&path) {
            Ok(text) => serde_json::from_str(&text).with_context(|| format!("{} is damaged", path.display())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => {
                let secrets = Secrets::new();
                self.keep(&secrets)?;
                Ok(secrets)
            }
            Err(error) => Err(error).with_context(|| format!("cannot read {}", path.display())),
        }
    }

    /// Keeps them, whole or not at all, for nobody else's eyes.
    pub(crate) fn keep(&self, secrets: &Secrets) -> Result<()> {
        let path = self.path.join("secrets.json");
        let new = self.path.join("secrets.json.new");
        let text = serde_json::to_string_pretty(secrets)?;
        let write = || {
            let mut file = private(OpenOptions::new().create(true).write(true).truncate(true)).open(&new)?;
            file.write_all(text.as_bytes())?;
            file.sync_all()?;
            fs::rename(&new, &path)
        };
        write().with_context(|| format!("cannot write {}", path.display()))
    }
}

fn private(options: &mut OpenOptions) -> &mut OpenOptions {
    options.mode(0o600)
}

/// Whether a recorded process still runs and is a launcher's child: after a restart of the machine or container
/// another may have its number. Where there is no `/proc` to tell, one that runs is taken for it.
fn is_part(pid: i32) -> bool {
    // No signal is sent; it is only asked whether one could be.
    let is_alive = pid > 0 && kill(Pid::from_raw(pid), None).is_ok();
    let is_ours = |line: Vec<u8>| String::from_utf8_lossy(&line).contains("--end-with-parent");
    is_alive && fs::read(format!("/proc/{pid}/cmdline")).map_or(true, is_ours)
}

/// The user's own place for such data.
pub(crate) fn default_path() -> Result<PathBuf> {
    let folder = |name| env::var_os(name).map(PathBuf::from).filter(|path| path.is_absolute());
    let base = if cfg!(target_os = "macos") {
        folder("HOME").map(|home| home.join("Library/Application Support"))
    } else {
        folder("XDG_DATA_HOME").or_else(|| folder("HOME").map(|home| home.join(".local/share")))
    };
    Ok(base.context("HOME is not set: say with --data-dir where data shall be kept")?.join("reelay"))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::PermissionsExt;

    use super::*;

    #[test]
    fn secrets_are_made_once_and_private() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("deep/reelay");
        let first = DataDir::open(&path).unwrap();
        let mut secrets = first.secrets().unwrap();
        assert_eq!(first.secrets().unwrap(), secrets);
        secrets.token = Some("token".to_owned());
        first.keep(&secrets).unwrap();
        drop(first);
        assert_eq!(DataDir::open(&path).unwrap().secrets().unwrap(), secrets);
        let mode = |path: &Path| fs::metadata(path).unwrap().permissions().mode() & 0o777;
        assert_eq!(mode(&path), 0o700);
        assert_eq!(mode(&path.join("secrets.json")), 0o600);
        assert!(!path.join("secrets.json.new").exists());
    }

    #[test]
    fn a_second_launcher_is_told_who_holds_the_directory() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDir::open(folder.path()).unwrap();
        first.record(&[4711, 4712]).unwrap();
        let error = DataDir::open(folder.path()).unwrap_err().to_string();
        assert!(error.contains("4711") && error.contains("--data-dir"), "{error}");
        drop(first);
        DataDir::open(folder.path()).unwrap();
    }

    #[test]
    fn a_place_that_cannot_be_is_named() {
        let folder = tempfile::tempdir().unwrap();
        fs::write(folder.path().join("file"), "").unwrap();
        let error = format!("{:#}", DataDir::open(&folder.path().join("file/inside")).unwrap_err());
        assert!(error.contains("file/inside") && error.contains("--data-dir"), "{error}");
    }

    #[tokio::test]
    async fn an_orderly_end_leaves_nothing_to_wait_for() {
        let folder = tempfile::tempdir().unwrap();
        let first = DataDir::open(folder.path()).unwrap();
        first.record(&[std::process::id()]).unwrap();
        assert_eq!(first.recorded().unwrap(), [std::process::id() as i32]);
        first.record(&[]).unwrap();
        first.wait_for_leftovers().await.unwrap();
    }
}

//! Where videos lie while they are looked at: a folder of this process, which goes away with it. What a process
//! that was killed left behind is removed by the next one (I19).

use std::{
    fs::{self, File, TryLockError},
    io,
    path::Path,
    sync::Arc,
};

pub use tempfile::NamedTempFile as TemporaryFile;
use tempfile::TempDir;

/// What the names of all such folders begin with.
const PREFIX: &str = "reelay-worker-";
/// The file in it that its process holds locked; the system lets go of it even after a kill -9.
const LOCK: &str = "lock";

/// A folder for temporary files. Cheap to clone; removed with the last clone.
#[derive(Clone, Debug)]
pub struct Workspace(Arc<Folder>);

#[derive(Debug)]
struct Folder {
    directory: TempDir,
    _lock: File,
}

impl Workspace {
    /// A new folder in `parent`. Removes those of processes that are no more. Blocks on files.
    pub fn open(parent: &Path) -> io::Result<Self> {
        fs::create_dir_all(parent)?;
        // Until our folder is locked it looks like one that nobody holds, so only one of us is at this at a time.
        let gate = File::open(parent)?;
        gate.lock()?;
        sweep(parent)?;
        let directory = TempDir::with_prefix_in(PREFIX, parent)?;
        let lock = File::create(directory.path().join(LOCK))?;
        lock.lock()?;
        drop(gate);
        Ok(Self(Arc::new(Folder { directory, _lock: lock })))
    }

    /// A new file, which is removed when it is dropped.
    pub fn file(&self) -> io::Result<TemporaryFile> {
        tempfile::Builder::new().suffix(".mp4").tempfile_in(self.0.directory.path())
    }

    /// Where the files are.
    #[must_use]
    pub fn path(&self) -> &Path {
        self.0.directory.path()
    }
}

/// Removes the folders that nobody holds.
fn sweep(parent: &Path) -> io::Result<()> {
    for entry in fs::read_dir(parent)? {
        let path = entry?.path();
        let ours = path.file_name().is_some_and(|name| name.to_string_lossy().starts_with(PREFIX));
        // One without a lock is somebody else's matter: ours are locked before the next may look.
        if let (true, Ok(lock)) = (ours, File::open(path.join(LOCK)))
            && !matches!(lock.try_lock(), Err(TryLockError::WouldBlock | TryLockError::Error(_)))
            && let Err(error) = fs::remove_dir_all(&path)
        {
            tracing::warn!(path = %path.display(), %error, "A folder of temporary files cannot be removed");
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_the_dead_left_behind_is_removed_and_what_lives_is_not() {
        let parent = tempfile::tempdir().unwrap();
        let dead = parent.path().join(format!("{PREFIX}dead"));
        fs::create_dir(&dead).unwrap();
        fs::write(dead.join(LOCK), "").unwrap();
        fs::write(dead.join("video.mp4"), "half").unwrap();
        let other = parent.path().join("somebody-elses");
        fs::create_dir(&other).unwrap();

        let first = Workspace::open(parent.path()).unwrap();
        let file = first.file().unwrap();
        let second = Workspace::open(parent.path()).unwrap();
        assert!(!dead.exists());
        assert!(other.exists() && file.path().exists() && second.path().exists());

        let path = first.path().to_owned();
        drop((file, first));
        assert!(!path.exists());
    }

    #[test]
    fn those_that_start_at_once_leave_each_other_alone() {
        let parent = tempfile::tempdir().unwrap();
        let open = || {
            for _ in 0..100 {
                let workspace = Workspace::open(parent.path()).unwrap();
                assert!(workspace.path().join(LOCK).exists());
                workspace.file().unwrap();
            }
        };
        std::thread::scope(|scope| {
            for _ in 0..8 {
                scope.spawn(open);
            }
        });
    }
}

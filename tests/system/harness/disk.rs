//! A small disk of a test's own, which it can fill. Making one is root's alone.

use std::{fs::File, io::Write as _, path::Path, process::Command};

use tempfile::TempDir;

/// How large it is: room for what one story leaves behind, and little more.
const SIZE: &str = "size=64m";

/// A disk in memory. Dropping it removes it.
#[derive(Debug)]
pub(crate) struct Disk {
    folder: TempDir,
}

impl Disk {
    /// Mounts one. Panics where that is not allowed.
    pub(crate) fn mount() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let mut mount = Command::new("mount");
        mount.args(["-t", "tmpfs", "-o", SIZE, "reelay-test"]).arg(folder.path());
        let status = mount.status().unwrap();
        assert!(status.success(), "a disk can be made by root alone (or in a container that may mount)");
        Self { folder }
    }

    pub(crate) fn path(&self) -> &Path {
        self.folder.path()
    }

    /// Writes until nothing more can be written.
    pub(crate) fn fill(&self) {
        let mut filler = File::create(self.filler()).unwrap();
        // Down to the last byte: what fits into less than a block would still be written.
        for size in [64 * 1024, 4 * 1024, 1] {
            let block = vec![0; size];
            while filler.write_all(&block).is_ok() {}
        }
    }

    /// Makes room again.
    pub(crate) fn free(&self) {
        std::fs::remove_file(self.filler()).unwrap();
    }

    fn filler(&self) -> std::path::PathBuf {
        self.path().join("filler")
    }
}

impl Drop for Disk {
    fn drop(&mut self) {
        let _ = Command::new("umount").arg("--lazy").arg(self.path()).status();
    }
}

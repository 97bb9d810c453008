//! A clock that is wrong, as far as a process can see; its timers go on as they are. By libfaketime.

use std::path::PathBuf;

use tempfile::NamedTempFile;

/// By how much it is wrong stands in a file, which the process looks at again every second.
#[derive(Debug)]
pub(crate) struct Clock(NamedTempFile);

impl Clock {
    /// One that is wrong by so many seconds.
    pub(crate) fn wrong_by(seconds: i32) -> Self {
        let clock = Self(NamedTempFile::new().unwrap());
        clock.set(seconds);
        clock
    }

    /// Makes it wrong by so many seconds from now on; by none, it is right.
    pub(crate) fn set(&self, seconds: i32) {
        std::fs::write(self.0.path(), format!("{seconds:+}s\n")).unwrap();
    }

    /// What gives it to a process.
    pub(crate) fn variables(&self) -> [(&'static str, String); 4] {
        let of_debian = std::fs::read_dir("/usr/lib").into_iter().flatten().flatten();
        let mut libraries = of_debian.map(|entry| entry.path().join("faketime/libfaketime.so.1"));
        let library: Option<PathBuf> = libraries.find(|path| path.exists());
        let library = library.expect("libfaketime (Debian: apt-get install faketime)");
        [
            ("LD_PRELOAD", library.display().to_string()),
            ("FAKETIME_TIMESTAMP_FILE", self.0.path().display().to_string()),
            ("FAKETIME_CACHE_DURATION", "1".to_owned()),
            ("FAKETIME_DONT_FAKE_MONOTONIC", "1".to_owned()),
        ]
    }
}

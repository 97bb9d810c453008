//! Ports for processes of tests: held by a lock file, so that tests in other processes take others, and chosen
//! where neither outgoing connections nor the launcher look for theirs.

use std::{
    fs::File,
    net::TcpListener,
    sync::atomic::{AtomicU16, Ordering},
};

const FIRST: u16 = 10_000;
const COUNT: u16 = 5_000;

/// A port that is ours until this is dropped.
#[derive(Debug)]
pub(crate) struct Port {
    pub(crate) number: u16,
    _lock: File,
}

impl Port {
    /// Takes a free one.
    pub(crate) fn take() -> Self {
        static NEXT: AtomicU16 = AtomicU16::new(0);
        let folder = std::env::temp_dir().join("reelay-test-ports");
        std::fs::create_dir_all(&folder).unwrap();
        // Each process begins somewhere else.
        let begin = (std::process::id().wrapping_mul(37) % u32::from(COUNT)) as u16;
        for _ in 0..COUNT {
            let number = FIRST + (begin + NEXT.fetch_add(1, Ordering::Relaxed)) % COUNT;
            let lock = File::create(folder.join(number.to_string())).unwrap();
            if lock.try_lock().is_ok() && TcpListener::bind(("127.0.0.1", number)).is_ok() {
                return Self { number, _lock: lock };
            }
        }
        panic!("no free port")
    }

    /// Where a process shall listen.
    pub(crate) fn bind(&self) -> String {
        format!("127.0.0.1:{}", self.number)
    }

    /// Where it is reached.
    pub(crate) fn url(&self) -> String {
        format!("http://{}", self.bind())
    }
}

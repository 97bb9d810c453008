//! Makes sure that the tests can have PostgreSQL. The tests themselves choose the server (see
//! `foundation::testing`): `TEST_DATABASE_URL`, the standard local port, or a private server that they start
//! from installed binaries. Here the binaries are installed where that is possible, and the private server is
//! stopped after the run.

use std::{
    net::{SocketAddr, TcpStream},
    path::{Path, PathBuf},
    time::Duration,
};

use anyhow::{Result, bail};
use nix::{
    sys::signal::{Signal, kill},
    unistd::{Pid, Uid},
};

use crate::step::{command, run};

/// Where the tests can find a server, or the means to start one.
#[derive(Debug, PartialEq, Eq)]
enum Found {
    Url,
    LocalPort,
    Binaries(PathBuf),
}

/// Finds PostgreSQL, or installs it (on Debian as root), or says what to install.
pub(crate) fn ensure() -> Result<()> {
    if let Some(found) = find() {
        println!("PostgreSQL: {}", describe(&found));
        return Ok(());
    }
    let debian = Path::new("/etc/debian_version").exists();
    if !(debian && Uid::effective().is_root()) {
        bail!("{}", what_to_install(debian));
    }
    // Debian would make a cluster of its own and start it on the standard port; the tests make theirs.
    let settings = Path::new("/etc/postgresql-common/createcluster.conf");
    if !settings.exists() {
        std::fs::create_dir_all("/etc/postgresql-common")?;
        std::fs::write(settings, "create_main_cluster = false\n")?;
    }
    apt_install(&["postgresql"])?;
    match find() {
        Some(found) => println!("PostgreSQL: {}", describe(&found)),
        None => bail!("PostgreSQL was installed, but its binaries were not found under /usr/lib/postgresql"),
    }
    Ok(())
}

/// Installs Debian packages without asking anything.
pub(crate) fn apt_install(packages: &[&str]) -> Result<()> {
    run(command("apt-get", &["update", "-q"]).env("DEBIAN_FRONTEND", "noninteractive"))?;
    let mut install = command("apt-get", &["install", "-q", "-y", "--no-install-recommends"]);
    run(install.args(packages).env("DEBIAN_FRONTEND", "noninteractive"))
}

fn find() -> Option<Found> {
    if std::env::var_os("TEST_DATABASE_URL").is_some_and(|url| !url.is_empty()) {
        return Some(Found::Url);
    }
    let standard = SocketAddr::from(([127, 0, 0, 1], 5432));
    if TcpStream::connect_timeout(&standard, Duration::from_secs(1)).is_ok() {
        return Some(Found::LocalPort);
    }
    let on_path: Vec<_> = std::env::var_os("PATH").iter().flat_map(std::env::split_paths).collect();
    binaries(Path::new("/usr/lib/postgresql"), &on_path).map(Found::Binaries)
}

/// The folder with `initdb` and `pg_ctl`: Debian's newest, or one of the search path's.
fn binaries(debian: &Path, on_path: &[PathBuf]) -> Option<PathBuf> {
    let version = |folder: &PathBuf| folder.file_name()?.to_str()?.parse::<u32>().ok();
    let mut versions: Vec<_> =
        std::fs::read_dir(debian).into_iter().flatten().flatten().map(|entry| entry.path()).collect();
    versions.sort_by_key(|folder| std::cmp::Reverse(version(folder)));
    let candidates = versions.into_iter().map(|folder| folder.join("bin")).chain(on_path.iter().cloned());
    candidates.into_iter().find(|folder| folder.join("initdb").exists() && folder.join("pg_ctl").exists())
}

fn describe(found: &Found) -> String {
    match found {
        Found::Url => "the server of TEST_DATABASE_URL".to_owned(),
        Found::LocalPort => "the server on 127.0.0.1:5432".to_owned(),
        Found::Binaries(folder) => format!("a private server from {}", folder.display()),
    }
}

fn what_to_install(debian: bool) -> &'static str {
    if debian {
        "the tests need PostgreSQL. Install its binaries (the tests start a server of their own): \
         sudo apt-get update && sudo apt-get install postgresql; or set TEST_DATABASE_URL to a server on which \
         they may create databases"
    } else {
        "the tests need PostgreSQL. Install its binaries (macOS: brew install postgresql; Fedora: dnf install \
         postgresql-server; Arch: pacman -S postgresql), or set TEST_DATABASE_URL to a server on which the tests \
         may create databases (postgres://user:password@host:5432/postgres)"
    }
}

/// The private server that the tests may start, as `foundation::testing` places it.
#[derive(Debug)]
pub(crate) struct PrivateServer {
    was_running: bool,
}

impl PrivateServer {
    /// Notes whether it runs already: then another test run started it, and needs it.
    pub(crate) fn before_the_run() -> Self {
        Self { was_running: pid().is_some() }
    }

    /// Stops it if this run's tests started it.
    pub(crate) fn stop(&self) {
        if let (false, Some(pid)) = (self.was_running, pid()) {
            // SIGINT is PostgreSQL's fast shutdown: open sessions are ended, files are left in order.
            if let Err(error) = kill(pid, Signal::SIGINT) {
                eprintln!("warning: the private PostgreSQL server (process {pid}) was not stopped: {error}");
            }
        }
    }
}

/// The private server's process, if it runs. Its first line of `postmaster.pid` is the process's id.
fn pid() -> Option<Pid> {
    let file = std::env::temp_dir().join("reelay-test-postgres/data/postmaster.pid");
    let pid = Pid::from_raw(std::fs::read_to_string(file).ok()?.lines().next()?.trim().parse().ok()?);
    kill(pid, None).is_ok().then_some(pid)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn install(folder: &Path) {
        std::fs::create_dir_all(folder).unwrap();
        for program in ["initdb", "pg_ctl"] {
            std::fs::write(folder.join(program), "").unwrap();
        }
    }

    #[test]
    fn the_newest_installed_version_is_taken_then_the_search_path() {
        let folder = tempfile::tempdir().unwrap();
        let (debian, other) = (folder.path().join("debian"), folder.path().join("other"));
        assert_eq!(binaries(&debian, std::slice::from_ref(&other)), None);
        install(&other);
        assert_eq!(binaries(&debian, std::slice::from_ref(&other)), Some(other.clone()));
        for version in ["9", "15", "17"] {
            install(&debian.join(version).join("bin"));
        }
        std::fs::remove_file(debian.join("17/bin/initdb")).unwrap();
        assert_eq!(binaries(&debian, &[other]), Some(debian.join("15/bin")));
    }
}

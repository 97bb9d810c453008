//! An object storage of a test's own: the embedded S3 server on a free port and a temporary directory.

use std::{
    net::{Ipv4Addr, SocketAddr},
    path::{Path, PathBuf},
};

use foundation::{
    s3::{Links, S3Settings},
    settings::{Hidden, Live},
};
use tokio::task::JoinHandle;
use tokio_util::sync::CancellationToken;
use worker_service::bucket::{Patience, S3Bucket};

use crate::s3::{Options, Server};

/// A running server. It ends with the test's runtime.
pub(crate) struct Storage {
    pub(crate) settings: S3Settings,
    directory: tempfile::TempDir,
    stop: CancellationToken,
    running: JoinHandle<()>,
}

impl Storage {
    pub(crate) async fn start() -> Self {
        Self::start_in(tempfile::tempdir().unwrap()).await
    }

    pub(crate) async fn start_in(directory: tempfile::TempDir) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let options = Options {
            address: SocketAddr::from((Ipv4Addr::LOCALHOST, 0)),
            directory: directory.path().join("s3"),
            bucket: "reelay".to_owned(),
            access_key_id: "test-key".to_owned(),
            secret_access_key: "test-secret".to_owned(),
        };
        let server = Server::bind(&options).await.unwrap();
        let settings = S3Settings {
            endpoint: Some(format!("http://{}", server.address().unwrap()).parse().unwrap()),
            region: "auto".to_owned(),
            bucket: options.bucket,
            access_key_id: Live::fixed(options.access_key_id),
            secret_access_key: Live::fixed(Hidden::new(options.secret_access_key)),
            public_endpoint: None,
            media_public_url: None,
        };
        let stop = CancellationToken::new();
        let running = tokio::spawn(server.run(stop.clone()));
        Self { settings, directory, stop, running }
    }

    /// Stops the server and gives back its directory, in which another can be started.
    pub(crate) async fn stop(self) -> tempfile::TempDir {
        self.stop.cancel();
        self.running.await.unwrap();
        self.directory
    }

    pub(crate) fn bucket(&self) -> S3Bucket {
        S3Bucket::new(&self.settings, Patience::default()).unwrap()
    }

    pub(crate) fn links(&self) -> Links {
        Links::new(&self.settings)
    }

    /// Where the server keeps its files, the bucket's objects in a folder of the bucket's name.
    pub(crate) fn directory(&self) -> PathBuf {
        self.directory.path().join("s3")
    }

    /// Every file that the server has on disk, of objects and otherwise.
    pub(crate) fn files(&self) -> Vec<PathBuf> {
        fn collect(directory: &Path, files: &mut Vec<PathBuf>) {
            for entry in std::fs::read_dir(directory).unwrap() {
                let path = entry.unwrap().path();
                if path.is_dir() { collect(&path, files) } else { files.push(path) }
            }
        }
        let mut files = Vec::new();
        collect(&self.directory(), &mut files);
        files
    }
}

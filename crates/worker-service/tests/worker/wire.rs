//! The network between a worker and PostgreSQL, which a test can let swallow everything.

use std::net::{Ipv4Addr, SocketAddr};

use foundation::{
    database::{DatabaseSettings, DatabaseUrl},
    testing::TestDatabase,
};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream, tcp},
    sync::watch,
};

/// A way to the server that swallows everything, as one to a host that has vanished does, unless it
/// is open.
pub(crate) struct Wire {
    address: SocketAddr,
    pub(crate) open: watch::Sender<bool>,
}

impl Wire {
    pub(crate) async fn to(database: &TestDatabase) -> Self {
        let DatabaseUrl::Postgres(url) = &database.settings().url else { panic!("not PostgreSQL") };
        let target = (url.host_str().unwrap().to_owned(), url.port().unwrap());
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = listener.local_addr().unwrap();
        let (open, opened) = watch::channel(true);
        tokio::spawn(async move {
            loop {
                let (near, _) = listener.accept().await.unwrap();
                let far = TcpStream::connect((target.0.as_str(), target.1)).await.unwrap();
                let ((from_near, to_near), (from_far, to_far)) = (near.into_split(), far.into_split());
                tokio::spawn(carry(from_near, to_far, opened.clone()));
                tokio::spawn(carry(from_far, to_near, opened.clone()));
            }
        });
        Self { address, open }
    }

    pub(crate) fn settings(&self, database: &TestDatabase) -> DatabaseSettings {
        let mut settings = database.settings().clone();
        if let DatabaseUrl::Postgres(url) = &mut settings.url {
            url.set_host(Some("127.0.0.1")).unwrap();
            url.set_port(Some(self.address.port())).unwrap();
        }
        settings
    }
}

async fn carry(mut from: tcp::OwnedReadHalf, mut to: tcp::OwnedWriteHalf, mut open: watch::Receiver<bool>) {
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(read @ 1..) = from.read(&mut buffer).await {
        if open.wait_for(|open| *open).await.is_err() || to.write_all(&buffer[..read]).await.is_err() {
            return;
        }
    }
}

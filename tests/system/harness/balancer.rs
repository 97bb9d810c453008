//! A small balancer, as a deployment has one before its replicas: new connections go in turn to those that say that
//! they are ready.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicBool, AtomicUsize, Ordering},
    },
    time::Duration,
};

use tokio::{
    io::copy_bidirectional,
    net::{TcpListener, TcpStream},
    task::JoinSet,
};

use super::{Client, ports::Port};

/// How often a replica is asked whether it is ready.
const EVERY: Duration = Duration::from_millis(50);

/// A balancer. Dropping it ends it.
#[derive(Debug)]
pub(crate) struct Balancer {
    port: Port,
    _working: JoinSet<()>,
}

#[derive(Debug)]
struct Replica {
    address: SocketAddr,
    is_ready: AtomicBool,
}

impl Balancer {
    /// Before these replicas, none of which need be there yet.
    pub(crate) async fn before(replicas: impl IntoIterator<Item = SocketAddr>) -> Self {
        let replica = |address| Replica { address, is_ready: AtomicBool::new(true) };
        let replicas: Arc<Vec<_>> = Arc::new(replicas.into_iter().map(replica).collect());
        let port = Port::take();
        let listener = TcpListener::bind(port.bind()).await.unwrap();
        let mut working = JoinSet::new();
        for index in 0..replicas.len() {
            working.spawn(watch(Arc::clone(&replicas), index));
        }
        working.spawn(async move {
            let next = AtomicUsize::new(0);
            while let Ok((near, _)) = listener.accept().await {
                let turn = next.fetch_add(1, Ordering::Relaxed);
                tokio::spawn(carry(near, Arc::clone(&replicas), turn));
            }
        });
        Self { port, _working: working }
    }

    pub(crate) fn url(&self) -> String {
        self.port.url()
    }
}

async fn watch(replicas: Arc<Vec<Replica>>, index: usize) {
    let replica = &replicas[index];
    let client = Client::anonymous(&format!("http://{}", replica.address));
    loop {
        let answer = client.request(reqwest::Method::GET, "/readyz").timeout(EVERY * 20).send().await;
        let is_ready = answer.is_ok_and(|answer| answer.status().is_success());
        replica.is_ready.store(is_ready, Ordering::Relaxed);
        tokio::time::sleep(EVERY).await;
    }
}

/// One connection, to the first replica in turn that takes it; those that say that they are not ready come last.
async fn carry(mut near: TcpStream, replicas: Arc<Vec<Replica>>, turn: usize) {
    let in_turn = || (0..replicas.len()).map(|offset| &replicas[(turn + offset) % replicas.len()]);
    let ready = in_turn().filter(|replica| replica.is_ready.load(Ordering::Relaxed));
    let others = in_turn().filter(|replica| !replica.is_ready.load(Ordering::Relaxed));
    for replica in ready.chain(others) {
        if let Ok(mut far) = TcpStream::connect(replica.address).await {
            let _ = (near.set_nodelay(true), far.set_nodelay(true));
            let _ = copy_bidirectional(&mut near, &mut far).await;
            return;
        }
    }
}

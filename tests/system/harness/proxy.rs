//! A wire between two parties that a test can cut, stall and delay, or on which answers are lost.

use std::{net::SocketAddr, time::Duration};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{
        TcpListener, TcpStream,
        tcp::{OwnedReadHalf, OwnedWriteHalf},
    },
    sync::watch,
    task::JoinHandle,
};

use super::ports::Port;

/// What a wire does to what goes over it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Wire {
    /// Nothing.
    Whole,
    /// Connections break, and new ones are closed at once.
    Cut,
    /// Connections stand, and nothing comes through.
    Stalled,
    /// Everything takes so much longer.
    Slow(Duration),
    /// Requests arrive; the connection breaks as soon as the answer begins.
    Deaf,
}

/// A wire to one address. Dropping it cuts it for good.
#[derive(Debug)]
pub(crate) struct Proxy {
    port: Port,
    wire: watch::Sender<Wire>,
    accepting: JoinHandle<()>,
}

impl Proxy {
    /// Listens on a free port for connections to `upstream`.
    pub(crate) async fn to(upstream: SocketAddr) -> Self {
        let port = Port::take();
        let (wire, state) = watch::channel(Wire::Whole);
        let listener = TcpListener::bind(port.bind()).await.unwrap();
        let accepting = tokio::spawn(async move {
            while let Ok((stream, _)) = listener.accept().await {
                if *state.borrow() != Wire::Cut {
                    tokio::spawn(carry(stream, upstream, state.clone()));
                }
            }
        });
        Self { port, wire, accepting }
    }

    pub(crate) fn address(&self) -> String {
        self.port.bind()
    }

    pub(crate) fn url(&self) -> String {
        self.port.url()
    }

    /// From now on the wire is like this.
    pub(crate) fn set(&self, wire: Wire) {
        self.wire.send_replace(wire);
    }
}

impl Drop for Proxy {
    fn drop(&mut self) {
        self.accepting.abort();
    }
}

/// One connection, until either side ends it or the wire breaks.
async fn carry(near: TcpStream, upstream: SocketAddr, state: watch::Receiver<Wire>) {
    let Ok(far) = TcpStream::connect(upstream).await else { return };
    let _ = (near.set_nodelay(true), far.set_nodelay(true));
    let (near_read, near_write) = near.into_split();
    let (far_read, far_write) = far.into_split();
    // Either way's end ends both: what is left of a broken connection is of no use to a test.
    tokio::select! {
        () = pump(near_read, far_write, state.clone(), false) => {}
        () = pump(far_read, near_write, state, true) => {}
    }
}

/// One way of a connection. What has arrived when a stalled wire is mended goes on.
async fn pump(
    mut from: OwnedReadHalf,
    mut to: OwnedWriteHalf,
    mut state: watch::Receiver<Wire>,
    answers: bool,
) {
    let mut buffer = vec![0; 16 * 1024];
    loop {
        let read = tokio::select! {
            read = from.read(&mut buffer) => read,
            changed = state.changed() => {
                if changed.is_err() || *state.borrow_and_update() == Wire::Cut {
                    return;
                }
                continue;
            }
        };
        let Ok(length) = read else { return };
        if length == 0 {
            return;
        }
        let Ok(wire) = state.wait_for(|wire| *wire != Wire::Stalled).await.map(|wire| *wire) else { return };
        match wire {
            Wire::Cut => return,
            Wire::Deaf if answers => return,
            Wire::Slow(span) => tokio::time::sleep(span).await,
            Wire::Whole | Wire::Deaf | Wire::Stalled => {}
        }
        if to.write_all(&buffer[..length]).await.is_err() {
            return;
        }
    }
}

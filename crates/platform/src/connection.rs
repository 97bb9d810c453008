//! The connection that a request came by, for whoever answers without end: when it is over, and a way to end it
//! although its other side takes nothing. The server itself has none: it asks a body for more only while there is
//! room for it, so that a body cannot even say that it has ended to somebody who does not read.

use std::{
    any::Any,
    net::{self, Shutdown},
    os::fd::AsFd as _,
    sync::{Arc, Weak},
    time::Duration,
};

use actix_web::{HttpRequest, dev::Extensions};
use tokio::{net::TcpStream, time::timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

/// A connection. It is not kept open by this.
#[derive(Clone, Debug)]
pub struct Connection {
    socket: Weak<net::TcpStream>,
    over: CancellationToken,
}

/// What goes when a connection does.
struct Kept {
    connection: Connection,
    _socket: Arc<net::TcpStream>,
    _over: DropGuard,
}

impl Connection {
    /// That by which a request came; nothing if the system had no second handle for it.
    pub fn of(request: &HttpRequest) -> Option<Self> {
        request.conn_data::<Kept>().map(|kept| kept.connection.clone())
    }

    /// Waits for its end, and ends it after this time. What was sent already is still on its way.
    pub async fn end_within(&self, limit: Duration) {
        if timeout(limit, self.over.cancelled()).await.is_ok() {
            return;
        }
        if let Some(socket) = self.socket.upgrade() {
            tracing::debug!("A connection whose other side took nothing is cut off");
            // It fails only where there is nothing left to end.
            let _ = socket.shutdown(Shutdown::Both);
        }
    }
}

/// Keeps hold of a connection that was accepted, by a handle beside the server's.
pub(crate) fn keep(accepted: &dyn Any, data: &mut Extensions) {
    let Some(stream) = accepted.downcast_ref::<TcpStream>() else { return };
    let Ok(handle) = stream.as_fd().try_clone_to_owned() else { return };
    let (socket, over) = (Arc::new(net::TcpStream::from(handle)), CancellationToken::new());
    let connection = Connection { socket: Arc::downgrade(&socket), over: over.clone() };
    data.insert(Kept { connection, _socket: socket, _over: over.drop_guard() });
}

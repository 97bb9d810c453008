//! An HTTP proxy that does to requests what networks and servers do: refuse, swallow the answer, hang, take their time.

use std::{
    future::poll_fn,
    net::Ipv4Addr,
    sync::{
        Arc,
        atomic::{AtomicUsize, Ordering},
    },
};

use bytes::Bytes;
use hyper::{
    Request, Response,
    body::{Body as _, Incoming},
    http::request::Parts,
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{
    net::TcpListener,
    sync::{Notify, Semaphore},
};
use url::Url;

/// What becomes of a request.
#[derive(Clone, Debug)]
pub(crate) enum Fate {
    /// It is passed on, and so is the answer.
    Pass,
    /// It is answered with this status and goes no further.
    Refuse(u16),
    /// It is passed on, and the answer is replaced by a 500.
    LoseAnswer,
    /// It is passed on, and the answer is replaced by this status and body.
    Replace(u16, &'static str),
    /// It is answered with this text and goes no further.
    Answer(String),
    /// It is never answered.
    Hang,
    /// It is passed on once the test lets it.
    Hold,
}

/// Decides over a request, given how many came before it.
type Decide = Box<dyn Fn(&Parts, usize) -> Fate + Send + Sync>;

/// A running proxy. It ends with the test's runtime.
pub(crate) struct Gate {
    pub(crate) address: Url,
    shared: Arc<Shared>,
}

struct Shared {
    target: Url,
    client: reqwest::Client,
    decide: Decide,
    seen: AtomicUsize,
    hanging: Notify,
    released: Semaphore,
}

impl Gate {
    /// A proxy before `target`.
    pub(crate) async fn before(
        target: &Url,
        decide: impl Fn(&Parts, usize) -> Fate + Send + Sync + 'static,
    ) -> Self {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap()).parse().unwrap();
        let shared = Arc::new(Shared {
            target: target.clone(),
            client: reqwest::Client::new(),
            decide: Box::new(decide),
            seen: AtomicUsize::new(0),
            hanging: Notify::new(),
            released: Semaphore::new(0),
        });
        let accepting = Arc::clone(&shared);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let shared = Arc::clone(&accepting);
                let service = service_fn(move |request| Arc::clone(&shared).answer(request));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { address, shared }
    }

    /// Resolves once a request hangs or is held.
    pub(crate) async fn hangs(&self) {
        self.shared.hanging.notified().await;
    }

    /// Lets every request go that is held, and hold no more.
    pub(crate) fn release(&self) {
        self.shared.released.close();
    }

    /// How many requests have come.
    pub(crate) fn seen(&self) -> usize {
        self.shared.seen.load(Ordering::SeqCst)
    }
}

impl Shared {
    async fn answer(
        self: Arc<Self>,
        request: Request<Incoming>,
    ) -> Result<Response<s3s::Body>, reqwest::Error> {
        let (head, body) = request.into_parts();
        let fate = (self.decide)(&head, self.seen.fetch_add(1, Ordering::SeqCst));
        let plain = |status: u16| Response::builder().status(status).body(s3s::Body::empty()).unwrap();
        match &fate {
            Fate::Refuse(status) => {
                // To the end, or the sender may find the connection reset before it has read the answer.
                let mut rest = std::pin::pin!(body);
                while poll_fn(|context| rest.as_mut().poll_frame(context)).await.is_some() {}
                return Ok(plain(*status));
            }
            Fate::Hang => {
                self.hanging.notify_one();
                std::future::pending::<()>().await;
            }
            Fate::Hold => {
                self.hanging.notify_one();
                // The end of the semaphore is the signal.
                let _ = self.released.acquire().await;
            }
            Fate::Answer(text) => {
                let answer = Response::builder().body(s3s::Body::from(Bytes::from(text.clone())));
                return Ok(answer.unwrap());
            }
            Fate::Pass | Fate::LoseAnswer | Fate::Replace(..) => {}
        }
        let url = self.target.join(head.uri.path_and_query().unwrap().as_str()).unwrap();
        let forwarded = self.client.request(head.method.clone(), url).headers(head.headers);
        let response = forwarded.body(reqwest::Body::wrap(body)).send().await?;
        let mut answer = Response::builder().status(response.status());
        *answer.headers_mut().unwrap() = response.headers().clone();
        let bytes: Bytes = response.bytes().await?;
        match fate {
            Fate::LoseAnswer => return Ok(plain(500)),
            Fate::Replace(status, body) => {
                let body = s3s::Body::from(Bytes::from_static(body.as_bytes()));
                return Ok(Response::builder().status(status).body(body).unwrap());
            }
            Fate::Pass | Fate::Refuse(_) | Fate::Answer(_) | Fate::Hang | Fate::Hold => {}
        }
        Ok(answer.body(s3s::Body::from(bytes)).unwrap())
    }
}

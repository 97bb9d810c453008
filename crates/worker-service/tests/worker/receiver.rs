//! A receiver of webhooks whose answers can be switched.

use std::{
    collections::VecDeque,
    future::poll_fn,
    net::Ipv4Addr,
    pin::Pin,
    sync::{Arc, Mutex},
};

use bytes::Bytes;
use contract::{
    Timestamp,
    signing::{Secrets, SignedHeaders},
};
use hyper::{
    Request, Response,
    body::{Body as _, Incoming},
    server::conn::http1,
    service::service_fn,
};
use hyper_util::rt::TokioIo;
use tokio::{net::TcpListener, sync::mpsc};
use url::Url;

pub(crate) const SECRET: &str = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";

/// What a receiver answers: a status and headers.
pub(crate) type Answer = (u16, &'static [(&'static str, &'static str)]);

/// A delivery as it came.
#[derive(Clone, Debug)]
pub(crate) struct Received {
    pub(crate) path: String,
    pub(crate) signed: SignedHeaders,
    pub(crate) body: Bytes,
}

impl Received {
    pub(crate) fn is_genuine(&self) -> bool {
        self.is_signed_by(SECRET)
    }

    pub(crate) fn is_signed_by(&self, secret: &str) -> bool {
        Secrets::parse(secret).unwrap().verify(&self.signed, &self.body, Timestamp::now()).is_ok()
    }

    pub(crate) fn event(&self) -> contract::events::Event {
        serde_json::from_slice(&self.body).unwrap()
    }
}

/// A running receiver. It ends with the test's runtime.
pub(crate) struct Receiver {
    pub(crate) url: Url,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    deliveries: mpsc::UnboundedReceiver<Received>,
}

impl Receiver {
    /// Answers these, one each, then 204.
    pub(crate) async fn start(answers: impl IntoIterator<Item = Answer>) -> Self {
        let _ = rustls::crypto::ring::default_provider().install_default();
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let url = format!("http://{}/hook", listener.local_addr().unwrap()).parse().unwrap();
        let answers = Arc::new(Mutex::new(answers.into_iter().collect::<VecDeque<_>>()));
        let (got, deliveries) = mpsc::unbounded_channel();
        let queue = Arc::clone(&answers);
        tokio::spawn(async move {
            loop {
                let (stream, _) = listener.accept().await.unwrap();
                let (queue, got) = (Arc::clone(&queue), got.clone());
                let service = service_fn(move |request| answer(request, Arc::clone(&queue), got.clone()));
                tokio::spawn(http1::Builder::new().serve_connection(TokioIo::new(stream), service));
            }
        });
        Self { url, answers, deliveries }
    }

    /// Answers this next.
    pub(crate) fn answer(&self, answer: Answer) {
        self.answers.lock().unwrap().push_back(answer);
    }

    /// The next delivery.
    pub(crate) async fn next(&mut self) -> Received {
        crate::fixture::in_time(self.deliveries.recv()).await.unwrap()
    }

    /// A delivery that has come, if there is one.
    pub(crate) fn came(&mut self) -> Option<Received> {
        self.deliveries.try_recv().ok()
    }
}

async fn answer(
    request: Request<Incoming>,
    answers: Arc<Mutex<VecDeque<Answer>>>,
    got: mpsc::UnboundedSender<Received>,
) -> Result<Response<s3s::Body>, hyper::Error> {
    let (head, body) = request.into_parts();
    let text = |name: &str| head.headers[name].to_str().unwrap().to_owned();
    let signed = SignedHeaders {
        id: text("webhook-id"),
        timestamp: text("webhook-timestamp"),
        signature: text("webhook-signature"),
    };
    let mut body = body;
    let mut bytes = Vec::new();
    while let Some(frame) = poll_fn(|context| Pin::new(&mut body).poll_frame(context)).await {
        if let Ok(data) = frame?.into_data() {
            bytes.extend_from_slice(&data);
        }
    }
    let body = Bytes::from(bytes);
    let _ = got.send(Received { path: head.uri.path().to_owned(), signed, body });
    let (status, headers) = answers.lock().unwrap().pop_front().unwrap_or((204, &[]));
    let mut response = Response::builder().status(status);
    for (name, value) in headers {
        response = response.header(*name, *value);
    }
    Ok(response.body(s3s::Body::from(Bytes::from_static(b"as told"))).unwrap())
}

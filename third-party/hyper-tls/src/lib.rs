//! A stand-in for the crate `hyper-tls`, wired in by `[patch.crates-io]`.
//!
//! `rusoto_core` does not compile without a TLS connector for its built-in HTTP client. Reelay never
//! uses that client: requests travel over our own transport on reqwest (`worker-service/src/bucket`).
//! This connector speaks plain HTTP only, and so keeps openssl and outdated TLS stacks out of the tree.

use std::task::{Context, Poll};

use hyper::{Uri, client::HttpConnector, service::Service};

/// A connector that has the name that `rusoto_core` asks for, and no TLS.
#[derive(Clone, Debug)]
pub struct HttpsConnector<T>(T);

impl HttpsConnector<HttpConnector> {
    /// Makes a plain HTTP connector.
    #[must_use]
    #[expect(clippy::new_without_default, reason = "mirrors the constructor of the crate it stands in for")]
    pub fn new() -> Self {
        Self(HttpConnector::new())
    }
}

impl<T: Service<Uri>> Service<Uri> for HttpsConnector<T> {
    type Response = T::Response;
    type Error = T::Error;
    type Future = T::Future;

    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<Result<(), Self::Error>> {
        self.0.poll_ready(context)
    }

    fn call(&mut self, uri: Uri) -> Self::Future {
        self.0.call(uri)
    }
}

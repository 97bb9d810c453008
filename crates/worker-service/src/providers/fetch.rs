//! Fetches a video from where a provider says that it is. The provider's key goes to the provider's own base
//! and nowhere else, not even along a redirect; every other address is looked at before anybody goes there
//! (I24).

use std::{path::Path, time::Duration};

use reqwest::{Client, RequestBuilder, Response, StatusCode, redirect};
use url::Url;

use super::{ProviderSettings, guard};
use crate::media::{self, DownloadError, Downloaded, Limits};

/// How many redirects are followed.
const MOST_REDIRECTS: usize = 5;

/// The client of a provider's own base. Nothing that it sends is ever redirected by itself.
pub(super) fn client(settings: &ProviderSettings) -> reqwest::ClientBuilder {
    Client::builder()
        .redirect(redirect::Policy::none())
        .retry(reqwest::retry::never())
        .connect_timeout(settings.connect_timeout)
        .user_agent(concat!("reelay/", env!("CARGO_PKG_VERSION")))
}

/// Reads a short answer. One of more bytes than `longest` is given up where that shows.
pub(super) async fn short(mut response: Response, longest: usize) -> Result<Vec<u8>, String> {
    let mut body = Vec::new();
    while let Some(chunk) = response.chunk().await.map_err(|error| error.without_url().to_string())? {
        body.extend_from_slice(&chunk);
        if body.len() > longest {
            return Err("the answer is too long".to_owned());
        }
    }
    Ok(body)
}

/// Whether a URL is of the same scheme, host and port as the base.
pub(super) fn is_own(base: &Url, url: &Url) -> bool {
    base.scheme() == url.scheme()
        && base.host() == url.host()
        && base.port_or_known_default() == url.port_or_known_default()
        && url.username().is_empty()
        && url.password().is_none()
}

/// What a provider's downloads have in common.
#[derive(Clone, Debug)]
pub(super) struct Fetch {
    /// Where the key may go.
    pub(super) base: Url,
    pub(super) own: Client,
    pub(super) connect_timeout: Duration,
    pub(super) limits: Limits,
}

impl Fetch {
    pub(super) fn new(base: Url, own: Client, settings: &ProviderSettings) -> Self {
        let limits = Limits {
            bytes: settings.largest_video,
            stall: settings.stall_timeout,
            total: settings.download_timeout,
        };
        Self { base, own, connect_timeout: settings.connect_timeout, limits }
    }

    /// Fetches a URL into a file. `authorise` adds the key to a request that goes to the base.
    pub(super) async fn fetch(
        &self,
        url: &Url,
        into: &Path,
        authorise: impl Fn(RequestBuilder) -> RequestBuilder + Send + Sync,
    ) -> Result<Downloaded, DownloadError> {
        let whole = async {
            let response = self.follow(url, authorise).await?;
            media::save(response, into, &self.limits).await
        };
        tokio::time::timeout(self.limits.total, whole).await.map_err(|_| DownloadError::TooSlow)?
    }

    async fn follow(
        &self,
        url: &Url,
        authorise: impl Fn(RequestBuilder) -> RequestBuilder + Send + Sync,
    ) -> Result<Response, DownloadError> {
        let mut url = url.clone();
        for redirects in 0..=MOST_REDIRECTS {
            let request = if is_own(&self.base, &url) {
                authorise(self.own.get(url.clone()))
            } else {
                match self.foreign(&url).await {
                    Err(DownloadError::Forbidden(reason)) if redirects > 0 => {
                        return Err(DownloadError::Redirected(reason));
                    }
                    request => request?,
                }
            };
            let answer = tokio::time::timeout(self.limits.stall, request.send());
            let response = answer.await.map_err(|_| DownloadError::TooSlow)?.map_err(media::interrupted)?;
            if !response.status().is_redirection() || response.status() == StatusCode::NOT_MODIFIED {
                return Ok(response);
            }
            let location = response.headers().get("location").and_then(|value| value.to_str().ok());
            let next = location.and_then(|location| url.join(location).ok());
            url = next.ok_or_else(|| DownloadError::Redirected("to nowhere".to_owned()))?;
        }
        Err(DownloadError::Redirected("too often".to_owned()))
    }

    /// A request to somebody else: without the key, and pinned to the addresses that were looked at.
    async fn foreign(&self, url: &Url) -> Result<RequestBuilder, DownloadError> {
        let forbidden = |error: guard::Forbidden| match error {
            guard::Forbidden::Unresolved => DownloadError::Interrupted(error.to_string()),
            other => DownloadError::Forbidden(other.to_string()),
        };
        let addresses = guard::public_addresses(url).await.map_err(forbidden)?;
        let mut client = Client::builder()
            .redirect(redirect::Policy::none())
            .no_proxy()
            .connect_timeout(self.connect_timeout)
            .user_agent(concat!("reelay/", env!("CARGO_PKG_VERSION")));
        if let Some(host) = url.host_str() {
            client = client.resolve_to_addrs(host, &addresses);
        }
        Ok(client.build().map_err(media::interrupted)?.get(url.clone()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn own_is_the_same_scheme_host_and_port() {
        let base: Url = "https://provider.example/proxy".parse().unwrap();
        for (text, own) in [
            ("https://provider.example/other", true),
            ("https://provider.example:443/other", true),
            ("http://provider.example/other", false),
            ("https://provider.example:8443/", false),
            ("https://provider.example.evil/", false),
            ("https://user@provider.example/", false),
        ] {
            assert_eq!(is_own(&base, &text.parse().unwrap()), own, "{text}");
        }
    }
}

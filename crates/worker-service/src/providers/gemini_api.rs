//! The address and the key of the Gemini API, by which Veo and Omni are both reached. The key goes in a header, to the
//! configured base alone.

use std::path::Path;

use foundation::settings::Live;
use reqwest::{Method, RequestBuilder};
use url::Url;

use super::{ApiKey, ProviderSettings, caller::Caller, google};
use crate::media::{DownloadError, Downloaded};

/// Clients of the API at one base, with one key. Belongs to the runtime that first uses it.
#[derive(Debug)]
pub(super) struct GeminiApi {
    /// Where it is served.
    pub(super) base: Url,
    key: Live<ApiKey>,
    pub(super) caller: Caller,
}

impl GeminiApi {
    /// Speaks to nobody yet. Needs rustls's default provider to be installed.
    pub(super) fn new(base: Url, key: Live<ApiKey>, common: &ProviderSettings) -> Self {
        Self { caller: Caller::new(&base, common), base, key }
    }

    /// A submission to be, for [`Caller::submit`].
    pub(super) fn submission(&self, path: &str) -> RequestBuilder {
        self.authorised(self.caller.submission(self.url(path)))
    }

    /// Any other request to be, for [`Caller::ask`].
    pub(super) fn request(&self, method: Method, path: &str) -> RequestBuilder {
        self.authorised(self.caller.request(method, self.url(path)))
    }

    /// Fetches a video into a file.
    pub(super) async fn fetch(&self, url: &Url, into: &Path) -> Result<Downloaded, DownloadError> {
        self.caller.fetch.fetch(url, into, |request| self.authorised(request)).await
    }

    fn url(&self, path: &str) -> String {
        format!("{}/v1beta/{path}", self.base.as_str().trim_end_matches('/'))
    }

    fn authorised(&self, request: RequestBuilder) -> RequestBuilder {
        google::with_key(request, &self.key.current())
    }
}

//! The web page: its files, built into the executable, compressed once.

use std::{collections::HashMap, io::Write as _, sync::OnceLock};

use actix_web::{
    HttpRequest, HttpResponse, get,
    http::header::{self, HeaderMap},
    web,
};
use bytes::Bytes;
use flate2::{Compression, write::GzEncoder};
use utoipa_actix_web::service_config::ServiceConfig;

use super::State;
use crate::{
    accounts::token::sha256,
    error::{AppError, AppResult},
};

macro_rules! files {
    ($($name:literal,)*) => {
        &[$((
            $name,
            include_bytes!(concat!(env!("CARGO_MANIFEST_DIR"), "/web/dist/", $name)).as_slice(),
        ),)*]
    };
}

/// Every file of the page, as the build of the page lists them: `npm run build` in `web/` writes both.
const FILES: &[(&str, &[u8])] = include!("../../web/dist/embed.in");

/// Where the files lie whose names change with their content.
const HASHED: &str = "assets/";

/// A file as it is served.
#[derive(Debug)]
pub(super) struct Asset {
    content_type: &'static str,
    cache: &'static str,
    plain: Bytes,
    gzip: Option<Bytes>,
    tag: String,
}

impl Asset {
    /// A file of this name and content.
    pub(super) fn new(name: &str, content: Bytes) -> Self {
        let gzip = compress(&content).filter(|gzip| gzip.len() < content.len()).map(Bytes::from);
        let tag = sha256(&content).chars().take(32).collect();
        // A name that does not change with the content has to be asked for each time, which costs a 304.
        let cache = if name.starts_with(HASHED) { "public, max-age=31536000, immutable" } else { "no-cache" };
        Self { content_type: content_type(name), cache, plain: content, gzip, tag }
    }

    /// The answer to a request for it.
    pub(super) fn answer(&self, request: &HttpRequest) -> HttpResponse {
        let gzip = self.gzip.as_ref().filter(|_| takes_gzip(request.headers()));
        let tag = format!("\"{}{}\"", self.tag, if gzip.is_some() { "-gzip" } else { "" });
        let known = request.headers().get(header::IF_NONE_MATCH).and_then(|value| value.to_str().ok());
        let is_known = known.is_some_and(|known| {
            known.split(',').any(|entry| entry.trim().trim_start_matches("W/") == tag || entry.trim() == "*")
        });
        let mut response = if is_known { HttpResponse::NotModified() } else { HttpResponse::Ok() };
        response
            .insert_header((header::ETAG, tag))
            .insert_header((header::CACHE_CONTROL, self.cache))
            .append_header((header::VARY, "accept-encoding"));
        if is_known {
            return response.finish();
        }
        response.insert_header((header::CONTENT_TYPE, self.content_type));
        match gzip {
            Some(gzip) => response.insert_header((header::CONTENT_ENCODING, "gzip")).body(gzip.clone()),
            None => response.body(self.plain.clone()),
        }
    }
}

fn compress(content: &[u8]) -> Option<Vec<u8>> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::best());
    encoder.write_all(content).ok()?;
    encoder.finish().ok()
}

fn takes_gzip(headers: &HeaderMap) -> bool {
    let accepted = headers.get(header::ACCEPT_ENCODING).and_then(|value| value.to_str().ok());
    accepted.unwrap_or_default().split(',').any(|entry| {
        let (coding, weight) = entry.split_once(';').unwrap_or((entry, "q=1"));
        let weight = weight.trim().strip_prefix("q=").and_then(|weight| weight.parse::<f32>().ok());
        coding.trim().eq_ignore_ascii_case("gzip") && weight.is_some_and(|weight| weight > 0.0)
    })
}

fn content_type(name: &str) -> &'static str {
    match name.rsplit_once('.').map_or("", |(_, extension)| extension) {
        "html" => "text/html; charset=utf-8",
        "css" => "text/css; charset=utf-8",
        "js" => "text/javascript; charset=utf-8",
        "svg" => "image/svg+xml",
        "webmanifest" => "application/manifest+json",
        "json" => "application/json",
        _ => "application/octet-stream",
    }
}

fn assets() -> &'static HashMap<&'static str, Asset> {
    static ASSETS: OnceLock<HashMap<&str, Asset>> = OnceLock::new();
    ASSETS.get_or_init(|| {
        FILES.iter().map(|(name, content)| (*name, Asset::new(name, Bytes::from_static(content)))).collect()
    })
}

/// The routes: the page itself, and each of its files.
pub fn routes(config: &mut ServiceConfig<'_>) {
    config.service(page);
    config.map(|config| {
        for (name, _) in FILES {
            let path = format!("/{name}");
            config
                .service(web::resource(path.as_str()).route(web::get().to(file)).route(web::head().to(file)));
        }
        config
    });
}

/// The page
///
/// Its addresses within itself stand in the fragment, so this is the only one for a browser.
#[utoipa::path(
    tag = "page",
    responses((status = 200, description = "The web page", body = String, content_type = "text/html")),
    security(())
)]
#[get("/")]
async fn page(request: HttpRequest, state: web::Data<State>) -> AppResult<HttpResponse> {
    let mut response = serve("index.html", &request)?;
    protect(&mut response, &state.content_policy);
    Ok(response)
}

async fn file(request: HttpRequest) -> AppResult<HttpResponse> {
    serve(request.path().trim_start_matches('/'), &request)
}

fn serve(name: &str, request: &HttpRequest) -> AppResult<HttpResponse> {
    let asset = assets().get(name).ok_or_else(|| AppError::not_found("address"))?;
    Ok(asset.answer(request))
}

/// Adds what a browser has to know of a page of ours before it runs it.
pub(super) fn protect(response: &mut HttpResponse, policy: &str) {
    let fixed = [
        (header::CONTENT_SECURITY_POLICY, policy),
        (header::X_FRAME_OPTIONS, "DENY"),
        (header::CROSS_ORIGIN_OPENER_POLICY, "same-origin"),
        (header::PERMISSIONS_POLICY, "camera=(), microphone=(), geolocation=(), payment=()"),
    ];
    for (name, value) in fixed {
        if let Ok(value) = value.parse() {
            response.headers_mut().insert(name, value);
        }
    }
}

/// The content policy of our pages: everything from ourselves, pictures and videos also from where media lie.
pub(super) fn content_policy(media: &[String]) -> String {
    let media = media.join(" ");
    format!(
        "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; \
         img-src 'self' data: {media}; media-src 'self' {media}; font-src 'self'; manifest-src 'self'; \
         base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
    )
}

#[cfg(test)]
mod tests {
    use std::{collections::BTreeSet, fs, path::Path};

    use super::*;

    fn collect(folder: &Path, prefix: &str, names: &mut BTreeSet<String>) {
        for entry in fs::read_dir(folder).unwrap() {
            let entry = entry.unwrap();
            let name = format!("{prefix}{}", entry.file_name().to_string_lossy());
            if entry.path().is_dir() {
                collect(&entry.path(), &format!("{name}/"), names);
            } else {
                names.insert(name);
            }
        }
    }

    #[test]
    fn every_file_of_the_page_is_built_in() {
        let mut there = BTreeSet::new();
        collect(&Path::new(env!("CARGO_MANIFEST_DIR")).join("web/dist"), "", &mut there);
        assert!(there.remove("embed.in"));
        let built_in: BTreeSet<_> = FILES.iter().map(|(name, _)| (*name).to_owned()).collect();
        assert_eq!(built_in, there);
        for (name, _) in FILES {
            assert_ne!(content_type(name), "application/octet-stream", "{name}");
        }
    }

    #[test]
    fn only_what_changes_its_name_is_kept_for_long() {
        for (name, kept) in [("index.html", false), ("theme.js", false), ("assets/page-1.js", true)] {
            let asset = Asset::new(name, Bytes::from_static(b"x"));
            assert_eq!(asset.cache.contains("immutable"), kept, "{name}");
        }
        assert!(FILES.iter().any(|(name, _)| name.starts_with(HASHED)));
    }

    #[test]
    fn gzip_is_sent_to_those_who_take_it() {
        for (accepted, takes) in [
            ("gzip", true),
            ("br, GZIP;q=0.5", true),
            ("gzip;q=0", false),
            ("gzip; q=0", false),
            ("br", false),
            ("", false),
        ] {
            let mut headers = HeaderMap::new();
            headers.insert(header::ACCEPT_ENCODING, accepted.parse().unwrap());
            assert_eq!(takes_gzip(&headers), takes, "{accepted}");
        }
    }
}

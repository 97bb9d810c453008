//! Where objects lie in an S3 bucket and how a browser reaches them: the settings that both services
//! share, the form of a key, and links, public or presigned.
//!
//! Nothing here speaks to the network: presigning is arithmetic. Storing and deleting is the worker's.

use std::{fmt, str::FromStr, time::Duration};

use contract::ids::{GenerationId, UploadId};
use rusoto_core::Region;
use rusoto_credential::AwsCredentials;
use rusoto_s3::{
    GetObjectRequest,
    util::{PreSignedRequest, PreSignedRequestOption},
};
use url::Url;

use crate::settings::{Hidden, Live};

crate::settings! {
    /// The bucket, how to reach it, and with which key. The variables are the same for both services; the
    /// API needs no more than a read-only key.
    pub struct S3Settings {
        /// Where requests go. Without it, AWS's own address for the region.
        pub endpoint: Option<Url> = optional("S3_ENDPOINT"),
        /// The region that signatures name; auto for R2.
        pub region: String = or_default("S3_REGION", "auto"),
        /// The bucket's name; requests are path style.
        pub bucket: String = required("S3_BUCKET"),
        /// The id of the key.
        pub access_key_id: Live<String> = live("S3_ACCESS_KEY_ID"),
        /// The key's secret.
        pub secret_access_key: Live<Hidden> = live("S3_SECRET_ACCESS_KEY"),
        /// The address of the bucket's server that a browser can reach, for which links are signed. Without
        /// it, the endpoint.
        pub public_endpoint: Option<Url> = optional("S3_PUBLIC_ENDPOINT"),
        /// Where the bucket's content is public. With it, links are not signed.
        pub media_public_url: Option<Url> = optional("MEDIA_PUBLIC_URL"),
    }
}

impl S3Settings {
    /// The address that requests go to.
    #[must_use]
    pub fn endpoint_address(&self) -> String {
        match &self.endpoint {
            Some(url) => base(url),
            None => format!("https://s3.{}.amazonaws.com", self.region),
        }
    }

    /// The region as the S3 client takes it: always our own endpoint with the region's name.
    #[must_use]
    pub fn client_region(&self) -> Region {
        Region::Custom { name: self.region.clone(), endpoint: self.endpoint_address() }
    }

    /// The key pair as it is now, as the S3 client takes it: to be asked for at each request.
    #[must_use]
    pub fn credentials(&self) -> AwsCredentials {
        let (id, secret) = (self.access_key_id.current(), self.secret_access_key.current());
        AwsCredentials::new(id.as_str(), secret.reveal(), None, None)
    }
}

/// A URL to which `/{path}` can be appended.
fn base(url: &Url) -> String {
    url.as_str().trim_end_matches('/').to_owned()
}

/// The name of an object: segments of ASCII letters, digits, `-`, `_` and `.`, joined by `/`, at most
/// 1024 bytes, no segment empty, `.` or `..`.
///
/// S3 allows more, but only these names mean the same to every server, URL parser and signature: a `..`
/// is folded away on the road and no longer fits the signature that was made over it.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ObjectKey(String);

/// What the key of every object begins with that belongs to a generation.
pub const ALL_GENERATIONS: &str = "generations/";
/// What the key of every picture begins with that a user has uploaded.
pub const ALL_UPLOADS: &str = "uploads/";

/// The text is not an object key of ours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("not a valid object key")]
pub struct MalformedKey;

impl ObjectKey {
    /// Where the video of one attempt lies. The attempt and the epoch of the lease are part of the name, so
    /// that a worker that lost its job cannot overwrite what the next one stores (I13).
    #[must_use]
    pub fn video(generation: &GenerationId, attempt: i32, epoch: i64) -> Self {
        Self(format!("{}{attempt}-{epoch}/video.mp4", Self::generation_prefix(generation)))
    }

    /// Where the thumbnail of one attempt lies.
    #[must_use]
    pub fn thumbnail(generation: &GenerationId, attempt: i32, epoch: i64) -> Self {
        Self(format!("{}{attempt}-{epoch}/thumbnail.jpg", Self::generation_prefix(generation)))
    }

    /// Where the poster of one attempt lies that is so many pixels wide.
    #[must_use]
    pub fn poster(generation: &GenerationId, attempt: i32, epoch: i64, width: u32) -> Self {
        Self(format!("{}{attempt}-{epoch}/poster-{width}.jpg", Self::generation_prefix(generation)))
    }

    /// Where an uploaded picture lies, whose type has this extension.
    #[must_use]
    pub fn upload(id: &UploadId, extension: &str) -> Self {
        Self(format!("{ALL_UPLOADS}{id}.{extension}"))
    }

    /// What the keys of all attempts of a generation begin with.
    #[must_use]
    pub fn generation_prefix(generation: &GenerationId) -> String {
        format!("{ALL_GENERATIONS}{generation}/")
    }

    /// The generation that the object belongs to, if it is one of [`ObjectKey::generation_prefix`].
    #[must_use]
    pub fn generation(&self) -> Option<GenerationId> {
        self.0.strip_prefix(ALL_GENERATIONS)?.split('/').next()?.parse().ok()
    }

    /// The key as text.
    #[must_use]
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl FromStr for ObjectKey {
    type Err = MalformedKey;

    fn from_str(text: &str) -> Result<Self, MalformedKey> {
        let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'-' | b'_' | b'.');
        let segment = |s: &str| !matches!(s, "" | "." | "..") && s.bytes().all(plain);
        let well_formed = text.len() <= 1024 && text.split('/').all(segment);
        if well_formed { Ok(Self(text.to_owned())) } else { Err(MalformedKey) }
    }
}

impl TryFrom<String> for ObjectKey {
    type Error = MalformedKey;

    fn try_from(text: String) -> Result<Self, MalformedKey> {
        text.parse()
    }
}

impl From<ObjectKey> for String {
    fn from(key: ObjectKey) -> Self {
        key.0
    }
}

impl AsRef<str> for ObjectKey {
    fn as_ref(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for ObjectKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The longest that S3 lets a presigned link live.
const LONGEST: Duration = Duration::from_hours(7 * 24);

/// Makes links to objects: unsigned ones, which are kept in rows and events, and those that a browser
/// follows.
pub struct Links {
    public: Option<String>,
    unsigned: String,
    region: Region,
    settings: S3Settings,
}

impl Links {
    /// Links after these settings.
    #[must_use]
    pub fn new(settings: &S3Settings) -> Self {
        let public = settings.media_public_url.as_ref().map(base);
        let private = || format!("{}/{}", settings.endpoint_address(), settings.bucket);
        let signed_for = settings.public_endpoint.as_ref().map_or_else(|| settings.endpoint_address(), base);
        Self {
            unsigned: public.clone().unwrap_or_else(private),
            public,
            region: Region::Custom { name: settings.region.clone(), endpoint: signed_for },
            settings: settings.clone(),
        }
    }

    /// The object's lasting address, which opens nothing by itself unless the bucket is public.
    #[must_use]
    pub fn unsigned(&self, key: &ObjectKey) -> String {
        format!("{}/{key}", self.unsigned)
    }

    /// A link that works in a plain `<video>` or `<img>`: the public one where there is one, else
    /// presigned and good for `lifetime` from now (held between one second and seven days).
    ///
    /// A presigned link is a bearer token: it must not be logged.
    #[must_use]
    pub fn link(&self, key: &ObjectKey, lifetime: Duration) -> String {
        self.make(key, lifetime, None)
    }

    /// The same, but a browser saves it under `file_name` rather than show it. A public link cannot ask
    /// for that and is as [`Links::link`] gives it. Characters of the name that do not belong into a
    /// plain file name become `-`.
    #[must_use]
    pub fn download_link(&self, key: &ObjectKey, lifetime: Duration, file_name: &str) -> String {
        let plain = |c: char| if c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.') { c } else { '-' };
        let file_name: String = file_name.chars().map(plain).take(128).collect();
        self.make(key, lifetime, Some(format!("attachment; filename=\"{file_name}\"")))
    }

    fn make(&self, key: &ObjectKey, lifetime: Duration, disposition: Option<String>) -> String {
        if self.public.is_some() {
            return self.unsigned(key);
        }
        let request = GetObjectRequest {
            bucket: self.settings.bucket.clone(),
            key: key.as_str().to_owned(),
            response_content_disposition: disposition,
            ..GetObjectRequest::default()
        };
        let expires_in = lifetime.clamp(Duration::from_secs(1), LONGEST);
        let credentials = self.settings.credentials();
        request.get_presigned_url(&self.region, &credentials, &PreSignedRequestOption { expires_in })
    }
}

impl fmt::Debug for Links {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Links").field("unsigned", &self.unsigned).finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn settings() -> S3Settings {
        S3Settings {
            endpoint: Some("http://storage:9000".parse().unwrap()),
            region: "auto".to_owned(),
            bucket: "reelay".to_owned(),
            access_key_id: Live::fixed("AKIDEXAMPLE".to_owned()),
            secret_access_key: Live::fixed(Hidden::new("do-not-tell")),
            public_endpoint: None,
            media_public_url: None,
        }
    }

    fn key() -> ObjectKey {
        "generations/gen_1/1/video.mp4".parse().unwrap()
    }

    fn query(link: &str, name: &str) -> Option<String> {
        let url: Url = link.parse().unwrap();
        url.query_pairs().find(|(found, _)| found == name).map(|(_, value)| value.into_owned())
    }

    #[test]
    fn rows_hold_an_unsigned_address() {
        let mut settings = settings();
        let expected = "http://storage:9000/reelay/generations/gen_1/1/video.mp4";
        assert_eq!(Links::new(&settings).unsigned(&key()), expected);
        settings.endpoint = None;
        settings.region = "eu-central-1".to_owned();
        let expected = "https://s3.eu-central-1.amazonaws.com/reelay/generations/gen_1/1/video.mp4";
        assert_eq!(Links::new(&settings).unsigned(&key()), expected);
    }

    #[test]
    fn with_a_public_address_nothing_is_signed() {
        let settings =
            S3Settings { media_public_url: Some("https://media.example/v/".parse().unwrap()), ..settings() };
        let links = Links::new(&settings);
        let expected = "https://media.example/v/generations/gen_1/1/video.mp4";
        assert_eq!(links.unsigned(&key()), expected);
        assert_eq!(links.link(&key(), Duration::from_mins(1)), expected);
        assert_eq!(links.download_link(&key(), Duration::from_mins(1), "boat.mp4"), expected);
    }

    #[test]
    fn links_are_signed_for_the_address_that_a_browser_reaches() {
        let settings =
            S3Settings { public_endpoint: Some("http://localhost:9000/s3".parse().unwrap()), ..settings() };
        let link = Links::new(&settings).link(&key(), Duration::from_hours(1));
        assert!(link.starts_with("http://localhost:9000/s3/reelay/generations/gen_1/1/video.mp4?"), "{link}");
        assert_eq!(query(&link, "X-Amz-Expires").as_deref(), Some("3600"));
        assert_eq!(query(&link, "X-Amz-SignedHeaders").as_deref(), Some("host"));
        assert!(query(&link, "X-Amz-Credential").unwrap().ends_with("/auto/s3/aws4_request"));
        assert!(!link.contains("do-not-tell"));
    }

    #[test]
    fn the_lifetime_stays_within_what_s3_allows() {
        let links = Links::new(&settings());
        let expires = |lifetime| query(&links.link(&key(), lifetime), "X-Amz-Expires").unwrap();
        assert_eq!(expires(Duration::ZERO), "1");
        assert_eq!(expires(Duration::MAX), "604800");
    }

    #[test]
    fn a_download_carries_a_harmless_file_name() {
        let link =
            Links::new(&settings()).download_link(&key(), Duration::from_mins(1), "a \"boat\"\r\n.mp4");
        let disposition = query(&link, "response-content-disposition");
        assert_eq!(disposition.as_deref(), Some("attachment; filename=\"a--boat---.mp4\""));
    }

    #[test]
    fn the_secret_is_never_shown() {
        let settings = settings();
        for shown in [format!("{settings:?}"), format!("{:?}", Links::new(&settings))] {
            assert!(!shown.contains("do-not-tell"), "{shown}");
        }
    }

    #[test]
    fn keys_that_would_break_a_signature_are_refused() {
        for text in ["a", "a/b.mp4", "generations/gen_1/12/thumbnail.jpg", "..a/b..", "A-_.z"] {
            assert!(text.parse::<ObjectKey>().is_ok(), "{text}");
        }
        let long = "a".repeat(1025);
        for text in
            ["", "/", "/a", "a/", "a//b", ".", "..", "a/../b", "a/.", "a b", "ä", "a?b", "a%2e", &long]
        {
            assert_eq!(text.parse::<ObjectKey>(), Err(MalformedKey), "{text}");
        }
    }

    #[test]
    fn a_key_tells_its_generation_attempt_and_lease() {
        let generation = GenerationId::new();
        let video = ObjectKey::video(&generation, 3, 7);
        assert_eq!(video.as_str(), format!("generations/{generation}/3-7/video.mp4"));
        let poster = ObjectKey::poster(&generation, 3, 7, 1280);
        assert_eq!(poster.as_str(), format!("generations/{generation}/3-7/poster-1280.jpg"));
        for key in [video, ObjectKey::thumbnail(&generation, 3, 7), poster] {
            assert!(key.as_str().starts_with(&ObjectKey::generation_prefix(&generation)));
            assert_eq!(key.as_str().parse(), Ok(key.clone()), "well-formed");
            assert_eq!(key.generation(), Some(generation.clone()));
        }
        assert_eq!("generations/gen_1/1/video.mp4".parse::<ObjectKey>().unwrap().generation(), None);
        let picture = ObjectKey::upload(&UploadId::new(), "png");
        assert_eq!(picture.as_str().parse(), Ok(picture.clone()), "well-formed");
        assert_eq!(picture.generation(), None, "of no generation");
        assert_eq!(generation.as_str().parse::<ObjectKey>().unwrap().generation(), None);
    }

    proptest! {
        #[test]
        fn a_key_comes_through_a_url_unchanged(text in "[ -~]{0,20}") {
            if let Ok(key) = text.parse::<ObjectKey>() {
                let url: Url = Links::new(&settings()).link(&key, Duration::from_mins(1)).parse().unwrap();
                prop_assert_eq!(url.path(), format!("/reelay/{key}"));
            }
        }
    }
}

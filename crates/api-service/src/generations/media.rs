//! Links to videos, thumbnails and posters. Rows, events and kept answers hold unsigned addresses; here they become
//! links that work in a plain `<video>` or `<img>`, each time anew.

use std::time::Duration;

use foundation::s3::{ALL_GENERATIONS, Links, ObjectKey, S3Settings};
use serde_json::{Map, Value};

use super::generation::Generation;

/// Makes links out of unsigned addresses.
#[derive(Debug)]
pub struct Media {
    links: Links,
    lifetime: Duration,
}

/// The fields that hold an address.
const FIELDS: [&str; 2] = ["resultUrl", "thumbnailUrl"];
/// The field that holds a list of objects, each with an address of its own, and where in each that is.
const POSTERS: (&str, &str) = ("posters", "url");

impl Media {
    /// Links after these settings, good for `lifetime` each.
    #[must_use]
    pub fn new(s3: &S3Settings, lifetime: Duration) -> Self {
        Self { links: Links::new(s3), lifetime }
    }

    /// A link to the object at this address, which may be unsigned or a link that has died. An address that is
    /// none of ours stays as it is.
    #[must_use]
    pub fn link(&self, address: &str) -> String {
        key(address).map_or_else(|| address.to_owned(), |key| self.links.link(&key, self.lifetime))
    }

    /// A link to an object of this key, which a browser saves if it has a name to save it by.
    #[must_use]
    pub fn link_to(&self, key: &str, save_as: Option<&str>) -> Option<String> {
        let key: ObjectKey = key.parse().ok()?;
        Some(match save_as {
            Some(name) => self.links.download_link(&key, self.lifetime, name),
            None => self.links.link(&key, self.lifetime),
        })
    }

    /// Gives a generation links that work.
    pub fn sign(&self, generation: &mut Generation) {
        let addresses = [&mut generation.result_url, &mut generation.thumbnail_url].into_iter().flatten();
        for address in addresses.chain(generation.posters.iter_mut().map(|poster| &mut poster.url)) {
            *address = self.link(address);
        }
    }

    /// Gives a generation links that work, in a body that is one, or that holds one as `generation`, or several
    /// as `items`.
    pub fn sign_json(&self, body: &mut Value) {
        let Some(object) = body.as_object_mut() else { return };
        for field in FIELDS {
            self.sign_field(object, field);
        }
        if let Some(Value::Array(posters)) = object.get_mut(POSTERS.0) {
            for poster in posters.iter_mut().filter_map(Value::as_object_mut) {
                self.sign_field(poster, POSTERS.1);
            }
        }
        if let Some(generation) = object.get_mut("generation") {
            self.sign_json(generation);
        }
        if let Some(Value::Array(items)) = object.get_mut("items") {
            for item in items {
                self.sign_json(item);
            }
        }
    }

    fn sign_field(&self, object: &mut Map<String, Value>, field: &str) {
        if let Some(Value::String(address)) = object.get_mut(field) {
            *address = self.link(address);
        }
    }
}

/// The key of the object at an address: whatever host and bucket stand before it.
fn key(address: &str) -> Option<ObjectKey> {
    let path = address.split(['?', '#']).next()?;
    let at = path.rfind(&format!("/{ALL_GENERATIONS}"))?;
    path.get(at + 1..)?.parse().ok()
}

#[cfg(test)]
mod tests {
    use contract::GenerationId;
    use foundation::settings::{Hidden, Live};
    use serde_json::json;

    use super::*;

    fn media(public: Option<&str>) -> Media {
        let settings = S3Settings {
            endpoint: Some("http://s3.internal:9000".parse().unwrap()),
            region: "auto".to_owned(),
            bucket: "reelay".to_owned(),
            access_key_id: Live::fixed("key".to_owned()),
            secret_access_key: Live::fixed(Hidden::new("secret")),
            public_endpoint: Some("https://media.example".parse().unwrap()),
            media_public_url: public.map(|url| url.parse().unwrap()),
        };
        Media::new(&settings, Duration::from_secs(3600))
    }

    #[test]
    fn an_address_becomes_a_link_wherever_it_stands() {
        let media = media(None);
        let unsigned =
            format!("http://s3.internal:9000/reelay/generations/{}/1-1/video.mp4", GenerationId::new());
        let link = media.link(&unsigned);
        assert!(link.starts_with("https://media.example/reelay/generations/gen_"), "{link}");
        assert!(link.contains("X-Amz-Signature="));
        assert!(media.link(&link).contains("X-Amz-Signature="), "a link that has died gets another");
        let poster = json!({"width": 320, "height": 180, "url": unsigned});
        let mut body = json!({"generation": {"resultUrl": unsigned, "thumbnailUrl": null, "posters": [poster]}, "message": {}});
        media.sign_json(&mut body);
        assert!(body["generation"]["posters"][0]["url"].as_str().unwrap().contains("X-Amz-Signature="));
        assert_eq!(body["generation"]["posters"][0]["width"], 320);
        assert!(body["generation"]["resultUrl"].as_str().unwrap().contains("X-Amz-Signature="));
        let mut page = json!({"items": [{"resultUrl": unsigned}], "nextCursor": null});
        media.sign_json(&mut page);
        assert!(page["items"][0]["resultUrl"].as_str().unwrap().contains("X-Amz-Signature="));
    }

    #[test]
    fn public_links_are_not_signed_and_foreign_ones_stay() {
        let id = GenerationId::new();
        let unsigned = format!("http://s3.internal:9000/reelay/generations/{id}/1-1/video.mp4");
        assert_eq!(
            media(Some("https://cdn.example/v")).link(&unsigned),
            format!("https://cdn.example/v/generations/{id}/1-1/video.mp4")
        );
        for foreign in ["https://elsewhere.example/video.mp4", "x", "", "http://h/generations/../secret"] {
            assert_eq!(media(None).link(foreign), foreign);
        }
    }
}

//! Pictures on Google's wires. Pure.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use contract::ImageRole;
use serde_json::{Map, Value, json};

use super::Image;

/// What an instance of Veo holds beside its prompt: the frames and the references.
#[must_use]
pub(super) fn of_instance(images: &[Image]) -> Map<String, Value> {
    let mut members = Map::new();
    let mut references = Vec::new();
    for image in images {
        let content = json!({
            "bytesBase64Encoded": STANDARD.encode(&image.content),
            "mimeType": image.kind.media_type(),
        });
        match image.role {
            ImageRole::FirstFrame => drop(members.insert("image".to_owned(), content)),
            ImageRole::LastFrame => drop(members.insert("lastFrame".to_owned(), content)),
            ImageRole::Reference => references.push(json!({"image": content, "referenceType": "asset"})),
        }
    }
    if !references.is_empty() {
        members.insert("referenceImages".to_owned(), references.into());
    }
    members
}

/// The input of an interaction: the prompt alone, or the pictures in their order and the prompt after them. It has
/// no roles; which of them a model takes is for the catalogue to say.
#[must_use]
pub(super) fn of_interaction(prompt: String, images: &[Image]) -> Value {
    if images.is_empty() {
        return prompt.into();
    }
    let picture = |image: &Image| {
        let data = STANDARD.encode(&image.content);
        json!({"type": "image", "data": data, "mime_type": image.kind.media_type()})
    };
    images.iter().map(picture).chain([json!({"type": "text", "text": prompt})]).collect()
}

#[cfg(test)]
mod tests {
    use bytes::Bytes;
    use contract::ImageType;

    use super::*;

    fn image(role: ImageRole, content: &'static str) -> Image {
        Image { role, kind: ImageType::Png, content: Bytes::from_static(content.as_bytes()) }
    }

    #[test]
    fn each_picture_stands_where_its_role_says() {
        let told = |text: &str| json!({"bytesBase64Encoded": STANDARD.encode(text), "mimeType": "image/png"});
        let frames = of_instance(&[image(ImageRole::LastFrame, "b"), image(ImageRole::FirstFrame, "a")]);
        assert_eq!(Value::from(frames), json!({"image": told("a"), "lastFrame": told("b")}));
        let references = of_instance(&[image(ImageRole::Reference, "c"), image(ImageRole::Reference, "d")]);
        let asset = |text| json!({"image": told(text), "referenceType": "asset"});
        assert_eq!(Value::from(references), json!({"referenceImages": [asset("c"), asset("d")]}));
        assert!(of_instance(&[]).is_empty());
    }

    #[test]
    fn an_interaction_has_the_pictures_before_the_prompt() {
        assert_eq!(of_interaction("a boat".to_owned(), &[]), json!("a boat"));
        let input = of_interaction("a boat".to_owned(), &[image(ImageRole::FirstFrame, "a")]);
        let picture = json!({"type": "image", "data": STANDARD.encode("a"), "mime_type": "image/png"});
        assert_eq!(input, json!([picture, {"type": "text", "text": "a boat"}]));
    }
}

//! Videos that come inside of an answer, as base64 in a JSON string of tens of MiB: read in pieces as they come,
//! never held in memory. Pure.
//!
//! An answer is read twice. First as a poll: [`Abridged`] keeps all of it but the content of long strings, so
//! that it is small and still JSON. Then, to fetch the video, it is asked for again: [`Extract`] decodes the one
//! string at the place where the poll found it.

use base64::{
    Engine as _,
    alphabet::STANDARD,
    engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig},
};

/// A longer string is a file, not a word.
const LONG: usize = 16 * 1024;
/// What an abridged answer has in place of a long string's content: not base64, and not empty.
const LEFT_OUT: &[u8] = b"(left out)";
/// Providers' answers nest a few levels.
const DEEPEST: usize = 64;
/// A longer name is none that anybody looks for.
const LONGEST_NAME: usize = 128;

/// Why an answer is not read on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Malformed {
    /// Brackets that do not match, or too many.
    #[error("the answer is no JSON")]
    Json,
    /// The string is not base64.
    #[error("the video is not in base64")]
    Base64,
    /// There is no such string, or it does not end.
    #[error("the video is not there")]
    Missing,
}

/// A place in a JSON document, as a JSON pointer (RFC 6901) names it.
#[must_use]
pub fn pointer(steps: &[&str]) -> String {
    steps.iter().fold(String::new(), |mut pointer, step| {
        pointer.push('/');
        pointer.push_str(step);
        pointer
    })
}

/// Who listens to a [`Scanner`].
trait Listener {
    /// What is not the content of a string that is a value.
    fn plain(&mut self, bytes: &[u8]);
    /// A string that is a value begins, there.
    fn begin(&mut self, place: &[Frame]);
    /// Content of that string: an escape sequence whole, or bytes without any.
    fn content(&mut self, bytes: &[u8]) -> Result<(), Malformed>;
    /// It ends.
    fn end(&mut self) -> Result<(), Malformed>;
}

/// Where in the document the scanner is: one frame for each open bracket.
#[derive(Debug)]
enum Frame {
    Object { name: Vec<u8>, before_colon: bool },
    Array { index: usize },
}

/// Follows the structure of a JSON document that comes in pieces. It takes much for JSON that is none: whoever
/// needs to know parses the outcome.
#[derive(Debug, Default)]
struct Scanner {
    frames: Vec<Frame>,
    inside: Inside,
}

#[derive(Debug, Default, PartialEq)]
enum Inside {
    #[default]
    Nothing,
    /// A string: the name of a member, or a value.
    String { is_name: bool },
    /// Likewise, behind a backslash, with what came from there on.
    Escape { is_name: bool, sequence: Vec<u8> },
}

impl Scanner {
    fn feed(&mut self, mut bytes: &[u8], listener: &mut impl Listener) -> Result<(), Malformed> {
        while let Some(first) = bytes.first() {
            match &mut self.inside {
                Inside::Nothing => {
                    self.structure(*first, listener)?;
                    bytes = &bytes[1..];
                }
                Inside::String { is_name } => {
                    let is_name = *is_name;
                    let end = bytes.iter().position(|b| matches!(b, b'"' | b'\\')).unwrap_or(bytes.len());
                    let (content, rest) = bytes.split_at(end);
                    self.string(is_name, content, listener)?;
                    bytes = rest;
                    match bytes.first() {
                        Some(b'"') => {
                            self.inside = Inside::Nothing;
                            if !is_name {
                                listener.end()?;
                            }
                            listener.plain(b"\"");
                            bytes = &bytes[1..];
                        }
                        Some(_) => {
                            self.inside = Inside::Escape { is_name, sequence: vec![b'\\'] };
                            bytes = &bytes[1..];
                        }
                        None => {}
                    }
                }
                Inside::Escape { is_name, sequence } => {
                    sequence.push(*first);
                    bytes = &bytes[1..];
                    let length = if sequence.get(1) == Some(&b'u') { 6 } else { 2 };
                    if sequence.len() >= length {
                        let (is_name, sequence) = (*is_name, std::mem::take(sequence));
                        self.inside = Inside::String { is_name };
                        self.string(is_name, &sequence, listener)?;
                    }
                }
            }
        }
        Ok(())
    }

    fn string(&mut self, is_name: bool, bytes: &[u8], listener: &mut impl Listener) -> Result<(), Malformed> {
        if !is_name {
            return if bytes.is_empty() { Ok(()) } else { listener.content(bytes) };
        }
        listener.plain(bytes);
        if let Some(Frame::Object { name, .. }) = self.frames.last_mut() {
            let room = LONGEST_NAME.saturating_sub(name.len());
            name.extend_from_slice(&bytes[..bytes.len().min(room)]);
        }
        Ok(())
    }

    fn structure(&mut self, byte: u8, listener: &mut impl Listener) -> Result<(), Malformed> {
        listener.plain(&[byte]);
        match byte {
            b'{' | b'[' if self.frames.len() >= DEEPEST => return Err(Malformed::Json),
            b'{' => self.frames.push(Frame::Object { name: Vec::new(), before_colon: true }),
            b'[' => self.frames.push(Frame::Array { index: 0 }),
            b'}' | b']' => {
                let is_object = matches!(self.frames.pop(), Some(Frame::Object { .. }));
                if is_object != (byte == b'}') {
                    return Err(Malformed::Json);
                }
            }
            b':' => {
                if let Some(Frame::Object { before_colon, .. }) = self.frames.last_mut() {
                    *before_colon = false;
                }
            }
            b',' => match self.frames.last_mut() {
                Some(Frame::Object { before_colon, .. }) => *before_colon = true,
                Some(Frame::Array { index }) => *index += 1,
                None => return Err(Malformed::Json),
            },
            b'"' => {
                let is_name = match self.frames.last_mut() {
                    Some(Frame::Object { name, before_colon: true }) => {
                        name.clear();
                        true
                    }
                    _ => false,
                };
                if !is_name {
                    listener.begin(&self.frames);
                }
                self.inside = Inside::String { is_name };
            }
            _ => {}
        }
        Ok(())
    }
}

/// An answer without the content of its long strings.
#[derive(Debug, Default)]
pub struct Abridged {
    scanner: Scanner,
    kept: Kept,
}

#[derive(Debug, Default)]
struct Kept {
    bytes: Vec<u8>,
    /// Where the content of the present string begins.
    begin: usize,
    leaving_out: bool,
}

impl Abridged {
    /// Reads what comes next.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        self.scanner.feed(bytes, &mut self.kept)
    }

    /// What is left of the answer so far.
    #[must_use]
    pub fn bytes(&self) -> &[u8] {
        &self.kept.bytes
    }
}

impl Listener for Kept {
    fn plain(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    fn begin(&mut self, _: &[Frame]) {
        self.begin = self.bytes.len();
        self.leaving_out = false;
    }

    fn content(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        if self.leaving_out {
            return Ok(());
        }
        if self.bytes.len() - self.begin + bytes.len() <= LONG {
            self.bytes.extend_from_slice(bytes);
        } else {
            self.bytes.truncate(self.begin);
            self.bytes.extend_from_slice(LEFT_OUT);
            self.leaving_out = true;
        }
        Ok(())
    }

    fn end(&mut self) -> Result<(), Malformed> {
        Ok(())
    }
}

/// The video in a string at one place of an answer.
#[derive(Debug)]
pub struct Extract {
    scanner: Scanner,
    found: Found,
}

#[derive(Debug)]
struct Found {
    wanted: String,
    state: State,
    decoder: Decoder,
}

#[derive(Debug, PartialEq)]
enum State {
    Before,
    Inside,
    After,
}

impl Extract {
    /// Of the string at this [`pointer`].
    #[must_use]
    pub fn new(pointer: &str) -> Self {
        let found = Found { wanted: pointer.to_owned(), state: State::Before, decoder: Decoder::default() };
        Self { scanner: Scanner::default(), found }
    }

    /// Reads what comes next, and gives what of the video was in it.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<Vec<u8>, Malformed> {
        self.scanner.feed(bytes, &mut self.found)?;
        Ok(std::mem::take(&mut self.found.decoder.decoded))
    }

    /// Whether the video is whole; what the answer says after it is of no interest.
    #[must_use]
    pub fn is_whole(&self) -> bool {
        self.found.state == State::After
    }
}

impl Found {
    fn is_wanted(&self, place: &[Frame]) -> bool {
        let mut rest = self.wanted.split('/').skip(1);
        let same = place.iter().all(|frame| {
            rest.next().is_some_and(|step| match frame {
                Frame::Object { name, .. } => step.as_bytes() == name,
                Frame::Array { index } => step == index.to_string(),
            })
        });
        same && rest.next().is_none()
    }
}

impl Listener for Found {
    fn plain(&mut self, _: &[u8]) {}

    fn begin(&mut self, place: &[Frame]) {
        if self.state == State::Before && self.is_wanted(place) {
            self.state = State::Inside;
        }
    }

    fn content(&mut self, bytes: &[u8]) -> Result<(), Malformed> {
        if self.state != State::Inside {
            return Ok(());
        }
        match bytes {
            [b'\\', b'u', digits @ ..] => self.decoder.push(&[unescaped(digits)?]),
            // A line that was broken.
            [b'\\', b'n' | b'r' | b't'] => Ok(()),
            [b'\\', sign] => self.decoder.push(&[*sign]),
            _ => self.decoder.push(bytes),
        }
    }

    fn end(&mut self) -> Result<(), Malformed> {
        if self.state == State::Inside {
            self.state = State::After;
            self.decoder.finish()?;
        }
        Ok(())
    }
}

/// The sign of a `\u` sequence: some servers write `=` so.
fn unescaped(digits: &[u8]) -> Result<u8, Malformed> {
    let digits = std::str::from_utf8(digits).map_err(|_| Malformed::Base64)?;
    u8::from_str_radix(digits, 16).map_err(|_| Malformed::Base64)
}

/// With or without padding at the end.
const ENGINE: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new().with_decode_padding_mode(DecodePaddingMode::Indifferent),
);

/// Decodes base64 that comes in pieces, in either alphabet.
#[derive(Debug, Default)]
struct Decoder {
    /// What is not decoded yet: the last group is, only when it is known to be the last.
    pending: Vec<u8>,
    decoded: Vec<u8>,
}

impl Decoder {
    fn push(&mut self, text: &[u8]) -> Result<(), Malformed> {
        self.pending.extend(text.iter().map(|sign| match sign {
            b'-' => b'+',
            b'_' => b'/',
            other => *other,
        }));
        let whole = self.pending.len().saturating_sub(1) / 4 * 4;
        self.decode(whole)
    }

    fn finish(&mut self) -> Result<(), Malformed> {
        self.decode(self.pending.len())
    }

    fn decode(&mut self, length: usize) -> Result<(), Malformed> {
        let group = self.pending.get(..length).unwrap_or_default();
        ENGINE.decode_vec(group, &mut self.decoded).map_err(|_| Malformed::Base64)?;
        self.pending.drain(..length);
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use base64::prelude::{BASE64_STANDARD, BASE64_URL_SAFE_NO_PAD};
    use proptest::prelude::*;
    use serde_json::{Value, json};

    use super::*;

    /// In pieces of this size.
    fn abridged(body: &[u8], piece: usize) -> Vec<u8> {
        let mut abridged = Abridged::default();
        for bytes in body.chunks(piece) {
            abridged.feed(bytes).unwrap();
        }
        abridged.bytes().to_vec()
    }

    fn extracted(body: &[u8], pointer: &str, piece: usize) -> Result<Vec<u8>, Malformed> {
        let (mut extract, mut video) = (Extract::new(pointer), Vec::new());
        for bytes in body.chunks(piece) {
            video.extend(extract.feed(bytes)?);
        }
        if extract.is_whole() { Ok(video) } else { Err(Malformed::Missing) }
    }

    #[test]
    fn a_long_string_is_left_out_and_all_else_is_kept() {
        let body = json!({
            "name": "a \"name\" with \\ and \u{e4}",
            "response": {"videos": [{"bytesBase64Encoded": "A".repeat(LONG + 1), "mimeType": "video/mp4"}]},
            "done": true,
        });
        let mut expected = body.clone();
        expected["response"]["videos"][0]["bytesBase64Encoded"] = "(left out)".into();
        for piece in [1, 7, 4096, usize::MAX] {
            let kept: Value = serde_json::from_slice(&abridged(body.to_string().as_bytes(), piece)).unwrap();
            assert_eq!(kept, expected);
        }
    }

    #[test]
    fn a_video_of_many_mebibytes_leaves_nothing_in_memory() {
        let mut kept = Abridged::default();
        kept.feed(br#"{"videos":[{"bytesBase64Encoded":""#).unwrap();
        let mut extract = Extract::new("/videos/0/bytesBase64Encoded");
        extract.feed(kept.bytes()).unwrap();
        let piece = vec![b'A'; 64 * 1024];
        for _ in 0..1_000 {
            kept.feed(&piece).unwrap();
            assert!(kept.bytes().len() <= LONG + 64);
            assert!(extract.feed(&piece).unwrap().len() <= piece.len());
            assert!(extract.found.decoder.pending.len() <= 4);
        }
        kept.feed(br#""}]}"#).unwrap();
        assert!(serde_json::from_slice::<Value>(kept.bytes()).is_ok());
    }

    #[test]
    fn the_string_at_the_place_is_decoded_and_no_other() {
        let (video, other) = (vec![0_u8, 255, 254, 62, 63, 7, 1], vec![9_u8; 30]);
        for engine in [&BASE64_STANDARD, &BASE64_URL_SAFE_NO_PAD] {
            let body = json!({"steps": [
                {"type": "user_input", "content": [{"type": "image", "data": engine.encode(&other)}]},
                {"type": "model_output", "content": [{"text": "data"}, {"data": engine.encode(&video)}]},
            ]});
            for piece in [1, 3, 1000] {
                let place = pointer(&["steps", "1", "content", "1", "data"]);
                assert_eq!(extracted(body.to_string().as_bytes(), &place, piece), Ok(video.clone()));
                let nowhere = pointer(&["steps", "1", "content", "2", "data"]);
                let missing = extracted(body.to_string().as_bytes(), &nowhere, piece);
                assert_eq!(missing, Err(Malformed::Missing));
            }
        }
    }

    #[test]
    fn signs_may_be_escaped() {
        let body = br#"{"data":"\/\/8\u003d"}"#;
        assert_eq!(extracted(body, "/data", 2), Ok(vec![255, 255]));
    }

    #[test]
    fn what_is_no_json_or_no_base64_is_said_to_be_none() {
        for body in [&b"{]"[..], b"}", b"1,2", "[".repeat(DEEPEST + 1).as_bytes()] {
            assert_eq!(Abridged::default().feed(body), Err(Malformed::Json));
        }
        for text in ["AA=A", "A", "AAAA=AAA", "\u{e4}\u{e4}"] {
            let body = json!({ "data": text }).to_string();
            assert_eq!(extracted(body.as_bytes(), "/data", 5), Err(Malformed::Base64), "{text}");
        }
        assert_eq!(extracted(br#"{"data":"AAAA"#, "/data", 5), Err(Malformed::Missing));
    }

    fn documents() -> impl Strategy<Value = Value> {
        let leaf = prop_oneof![
            Just(Value::Null),
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,20}".prop_map(Value::from),
        ];
        leaf.prop_recursive(4, 40, 5, |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 0..5).prop_map(Value::from),
                prop::collection::vec((".{0,8}", inner), 0..5)
                    .prop_map(|members| Value::Object(members.into_iter().collect())),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_has_no_long_strings_is_kept_byte_for_byte(document in documents(), piece in 1_usize..50) {
            let body = document.to_string();
            prop_assert_eq!(abridged(body.as_bytes(), piece), body.as_bytes());
        }

        #[test]
        fn a_video_comes_out_as_it_went_in(
            before in documents(),
            video in prop::collection::vec(any::<u8>(), 0..200),
            piece in 1_usize..50,
        ) {
            let body = json!([before, {"data": BASE64_STANDARD.encode(&video)}]).to_string();
            prop_assert_eq!(extracted(body.as_bytes(), "/1/data", piece), Ok(video));
        }

        #[test]
        fn nothing_makes_it_panic(body in prop::collection::vec(any::<u8>(), 0..300), piece in 1_usize..50) {
            let (mut kept, mut extract) = (Abridged::default(), Extract::new("/data"));
            for bytes in body.chunks(piece) {
                if kept.feed(bytes).is_err() {
                    break;
                }
                let _ = extract.feed(bytes);
            }
        }
    }
}

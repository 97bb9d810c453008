//! What a file is that is no MP4, by its first bytes: so that people are told what came instead of their video.

use std::fmt;

/// A kind of file, as far as its first bytes tell.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// MP4, by its brand.
    Mp4,
    /// QuickTime, which looks like MP4 but for its brand, and which not every browser plays.
    QuickTime,
    /// WebM.
    WebM,
    /// Matroska, of which WebM is a part.
    Matroska,
    /// AVI.
    Avi,
    /// The transport stream of MPEG-2.
    MpegTs,
    /// The program stream of MPEG-1 and MPEG-2.
    Mpeg,
    /// Flash video.
    Flash,
    /// Windows Media.
    WindowsMedia,
    /// Ogg.
    Ogg,
    /// A list of the pieces of a video, as HLS has it.
    HlsPlaylist,
    /// The same as DASH has it.
    DashManifest,
    /// One picture, or a few that move.
    Picture,
    /// A web page, or another text of tags.
    Page,
    /// A message for programs, such as an error.
    Json,
    /// Any other text.
    Text,
    /// Files in one, perhaps with a video among them.
    Archive,
    /// Anything else.
    Unknown,
}

/// How many bytes tell.
pub(super) const TELLING: usize = 512;

/// How far apart the packets of a transport stream begin.
const PACKET: usize = 188;

impl Format {
    /// Every kind.
    pub const ALL: [Self; 18] = [
        Self::Mp4,
        Self::QuickTime,
        Self::WebM,
        Self::Matroska,
        Self::Avi,
        Self::MpegTs,
        Self::Mpeg,
        Self::Flash,
        Self::WindowsMedia,
        Self::Ogg,
        Self::HlsPlaylist,
        Self::DashManifest,
        Self::Picture,
        Self::Page,
        Self::Json,
        Self::Text,
        Self::Archive,
        Self::Unknown,
    ];

    /// What a file's first bytes say that it is. They may be fewer than `TELLING` if the file is.
    #[must_use]
    pub fn of(bytes: &[u8]) -> Self {
        let is = |at: usize, expected: &[u8]| bytes.get(at..at + expected.len()) == Some(expected);
        let begins = |beginnings: &[&[u8]]| beginnings.iter().any(|beginning| bytes.starts_with(beginning));
        if is(4, b"ftyp") {
            let brand = bytes.get(8..12);
            return match brand {
                Some(b"qt  ") => Self::QuickTime,
                // HEIF and AVIF are pictures in the same boxes.
                Some(b"heic" | b"heix" | b"mif1" | b"msf1" | b"avif" | b"avis") => Self::Picture,
                _ => Self::Mp4,
            };
        }
        if begins(&[b"\x1a\x45\xdf\xa3"]) {
            Self::of_ebml(bytes)
        } else if is(0, b"RIFF") && is(8, b"AVI ") {
            Self::Avi
        } else if begins(&[b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"BM", b"II*\0", b"MM\0*"])
            || (is(0, b"RIFF") && is(8, b"WEBP"))
        {
            Self::Picture
        } else if is(4, b"moov") || is(4, b"wide") || is(4, b"mdat") {
            // Files without a brand are older than MP4.
            Self::QuickTime
        } else if is(0, b"\x47") && is(PACKET, b"\x47") {
            // One byte says little: the next packet must begin with it, too.
            Self::MpegTs
        } else if begins(&[b"\0\0\x01\xba", b"\0\0\x01\xb3"]) {
            Self::Mpeg
        } else if begins(&[b"FLV\x01"]) {
            Self::Flash
        } else if begins(&[b"\x30\x26\xb2\x75\x8e\x66\xcf\x11"]) {
            Self::WindowsMedia
        } else if begins(&[b"OggS"]) {
            Self::Ogg
        } else if begins(&[b"PK\x03\x04", b"PK\x05\x06", b"\x1f\x8b", b"7z\xbc\xaf\x27\x1c", b"Rar!\x1a\x07"])
        {
            Self::Archive
        } else {
            Self::of_text(bytes)
        }
    }

    /// Matroska and WebM say which of them they are in their header, the first box of the file.
    fn of_ebml(bytes: &[u8]) -> Self {
        if bytes.windows(8).any(|window| window == b"matroska") { Self::Matroska } else { Self::WebM }
    }

    fn of_text(bytes: &[u8]) -> Self {
        let text = bytes.strip_prefix(b"\xef\xbb\xbf").unwrap_or(bytes).trim_ascii_start();
        let is_text = text.iter().all(|byte| !byte.is_ascii_control() || byte.is_ascii_whitespace());
        if !is_text {
            return Self::Unknown;
        }
        match text {
            [] => Self::Unknown,
            [b'<', ..] if text.windows(4).any(|window| window == b"<MPD") => Self::DashManifest,
            [b'<', ..] => Self::Page,
            [b'{' | b'[', ..] => Self::Json,
            _ if text.starts_with(b"#EXTM3U") => Self::HlsPlaylist,
            _ => Self::Text,
        }
    }

    /// Whether it holds a video, or the way to one, though not as MP4. Then the provider has done this on purpose.
    #[must_use]
    pub const fn is_video(self) -> bool {
        match self {
            Self::Mp4
            | Self::QuickTime
            | Self::WebM
            | Self::Matroska
            | Self::Avi
            | Self::MpegTs
            | Self::Mpeg
            | Self::Flash
            | Self::WindowsMedia
            | Self::Ogg
            | Self::HlsPlaylist
            | Self::DashManifest => true,
            Self::Picture | Self::Page | Self::Json | Self::Text | Self::Archive | Self::Unknown => false,
        }
    }

    /// Its media type, or that of its kind; for programs.
    #[must_use]
    pub const fn media_type(self) -> &'static str {
        match self {
            Self::Mp4 => "video/mp4",
            Self::QuickTime => "video/quicktime",
            Self::WebM => "video/webm",
            Self::Matroska => "video/matroska",
            Self::Avi => "video/vnd.avi",
            Self::MpegTs => "video/mp2t",
            Self::Mpeg => "video/mpeg",
            Self::Flash => "video/x-flv",
            Self::WindowsMedia => "video/x-ms-asf",
            Self::Ogg => "video/ogg",
            Self::HlsPlaylist => "application/vnd.apple.mpegurl",
            Self::DashManifest => "application/dash+xml",
            Self::Picture => "image/*",
            Self::Page => "text/html",
            Self::Json => "application/json",
            Self::Text => "text/plain",
            Self::Archive => "application/zip",
            Self::Unknown => "application/octet-stream",
        }
    }

    /// What to tell people of whom a file came that is no MP4.
    #[must_use]
    pub fn refusal(self) -> String {
        if self.is_video() {
            format!("The video service delivered {self}, and only MP4 is supported.")
        } else {
            format!("The video service delivered {self} and no video.")
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Mp4 => "an MP4 file",
            Self::QuickTime => "a QuickTime file",
            Self::WebM => "a WebM file",
            Self::Matroska => "a Matroska file",
            Self::Avi => "an AVI file",
            Self::MpegTs => "an MPEG-TS file",
            Self::Mpeg => "an MPEG file",
            Self::Flash => "a Flash video",
            Self::WindowsMedia => "a Windows Media file",
            Self::Ogg => "an Ogg file",
            Self::HlsPlaylist => "an HLS playlist",
            Self::DashManifest => "a DASH manifest",
            Self::Picture => "a picture",
            Self::Page => "a web page",
            Self::Json => "a message in JSON",
            Self::Text => "a text",
            Self::Archive => "an archive",
            Self::Unknown => "a file of an unknown kind",
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    /// Two packets of a transport stream.
    fn packets() -> Vec<u8> {
        let packet = [&b"\x47\x40\x00\x10"[..], &[0xff; PACKET - 4]].concat();
        packet.repeat(2)
    }

    /// The header of a Matroska file, or of one of its kin.
    fn ebml(kind: &[u8]) -> Vec<u8> {
        let size = 0x80 | u8::try_from(kind.len()).unwrap();
        [&b"\x1a\x45\xdf\xa3\x9f\x42\x86\x81\x01\x42\xf7\x81\x01\x42\x82"[..], &[size], kind].concat()
    }

    #[test]
    fn the_first_bytes_say_what_it_is_and_people_are_told() {
        let only_mp4 = |what: &str| format!("The video service delivered {what}, and only MP4 is supported.");
        let no_video = |what: &str| format!("The video service delivered {what} and no video.");
        let table: Vec<(Vec<u8>, Format, String)> = [
            (&b"\0\0\0\x14ftypqt  \0\0\0\0qt  "[..], Format::QuickTime, only_mp4("a QuickTime file")),
            (b"\0\0\0\x08wide\0\0\x01\0mdat", Format::QuickTime, only_mp4("a QuickTime file")),
            (&ebml(b"webm"), Format::WebM, only_mp4("a WebM file")),
            (b"\x1a\x45\xdf\xa3\x9f\x42\x86", Format::WebM, only_mp4("a WebM file")),
            (&ebml(b"matroska"), Format::Matroska, only_mp4("a Matroska file")),
            (b"RIFF\0\0\0\0AVI LIST", Format::Avi, only_mp4("an AVI file")),
            (&packets(), Format::MpegTs, only_mp4("an MPEG-TS file")),
            (b"\0\0\x01\xba\x44\0\x04\0", Format::Mpeg, only_mp4("an MPEG file")),
            (b"FLV\x01\x05\0\0\0\x09", Format::Flash, only_mp4("a Flash video")),
            (
                b"\x30\x26\xb2\x75\x8e\x66\xcf\x11\xa6\xd9",
                Format::WindowsMedia,
                only_mp4("a Windows Media file"),
            ),
            (b"OggS\0\x02", Format::Ogg, only_mp4("an Ogg file")),
            (b"#EXTM3U\n#EXT-X-VERSION:3\n", Format::HlsPlaylist, only_mp4("an HLS playlist")),
            (
                b"<?xml version=\"1.0\"?>\n<MPD xmlns=\"urn:mpeg:dash:schema:mpd:2011\">",
                Format::DashManifest,
                only_mp4("a DASH manifest"),
            ),
            (b"\0\0\0\x18ftypheic", Format::Picture, no_video("a picture")),
            (b"RIFF\0\0\0\0WEBPVP8 ", Format::Picture, no_video("a picture")),
            (b"\x89PNG\r\n\x1a\n", Format::Picture, no_video("a picture")),
            (b"\xff\xd8\xff\xe0\0\x10JFIF", Format::Picture, no_video("a picture")),
            (b"GIF89a", Format::Picture, no_video("a picture")),
            (b"<!doctype html><title>Sign in</title>", Format::Page, no_video("a web page")),
            (b"\xef\xbb\xbf \n<?xml version", Format::Page, no_video("a web page")),
            (b"{\"error\": {\"code\": 403}}", Format::Json, no_video("a message in JSON")),
            (b"\n[]", Format::Json, no_video("a message in JSON")),
            (b"ftyp", Format::Text, no_video("a text")),
            (b"GET lost", Format::Text, no_video("a text")),
            (b"PK\x03\x04\x14\0", Format::Archive, no_video("an archive")),
            (b"\x1f\x8b\x08", Format::Archive, no_video("an archive")),
            (b"", Format::Unknown, no_video("a file of an unknown kind")),
            (b"\0\0\0\0", Format::Unknown, no_video("a file of an unknown kind")),
            // A packet without a second one says nothing.
            (&packets()[..PACKET], Format::Unknown, no_video("a file of an unknown kind")),
        ]
        .map(|(bytes, format, told)| (bytes.to_vec(), format, told))
        .to_vec();
        for (bytes, format, told) in &table {
            assert_eq!(Format::of(bytes), *format, "{bytes:?}");
            assert_eq!(format.refusal(), *told);
        }
        for mp4 in [&b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2"[..], b"\0\0\0\x18ftypmp42"] {
            assert_eq!(Format::of(mp4), Format::Mp4);
        }
        for format in Format::ALL {
            let in_table = format == Format::Mp4 || table.iter().any(|(_, found, _)| *found == format);
            assert!(in_table, "{format} is nowhere in the table");
        }
    }

    #[test]
    fn what_is_a_video_file_has_a_videos_media_type() {
        for format in Format::ALL {
            let list = matches!(format, Format::HlsPlaylist | Format::DashManifest);
            assert_eq!(format.media_type().starts_with("video/"), format.is_video() && !list, "{format}");
        }
    }

    proptest! {
        #[test]
        fn whatever_it_is_it_has_a_name(bytes in proptest::collection::vec(any::<u8>(), 0..TELLING)) {
            prop_assert!(Format::ALL.contains(&Format::of(&bytes)));
        }
    }
}

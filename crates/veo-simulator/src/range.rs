//! Which part of a file a `Range` header asks for (RFC 9110, section 14). Pure.
//!
//! HTTP lets a server make nothing of a header that it does not serve: of another unit, of several ranges, and
//! of what is malformed.

/// What is to be sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Wanted {
    /// The whole file.
    Whole,
    /// From the first byte to the last, both counted from 0 and both sent.
    Part {
        /// The first byte.
        first: u64,
        /// The last byte, not before the first and inside the file.
        last: u64,
    },
    /// A part that the file does not have: 416.
    NotThere,
}

/// What a header asks for of a file of `size` bytes.
#[must_use]
pub fn wanted(header: Option<&str>, size: u64) -> Wanted {
    match header.and_then(asked) {
        None => Wanted::Whole,
        Some(Asked::From(first, _)) if first >= size => Wanted::NotThere,
        Some(Asked::From(first, last)) => {
            Wanted::Part { first, last: last.unwrap_or(u64::MAX).min(size - 1) }
        }
        Some(Asked::Last(length)) if length == 0 || size == 0 => Wanted::NotThere,
        Some(Asked::Last(length)) => Wanted::Part { first: size.saturating_sub(length), last: size - 1 },
    }
}

/// What a header asks for, whatever the size of the file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Asked {
    /// From this byte on, to the end or to this one, which is not before the first.
    From(u64, Option<u64>),
    /// So many of the last bytes.
    Last(u64),
}

/// What a header asks for that is served; nothing if it is another.
#[must_use]
pub fn asked(header: &str) -> Option<Asked> {
    let (first, last) = ends(header)?;
    match (first.map(number), last.map(number)) {
        (Some(first), Some(last)) if first > last => None,
        (Some(first), last) => Some(Asked::From(first, last)),
        (None, Some(length)) => Some(Asked::Last(length)),
        (None, None) => None,
    }
}

/// The two numbers of a single well-formed range, either of which may be missing.
fn ends(header: &str) -> Option<(Option<&str>, Option<&str>)> {
    let (unit, range) = header.trim().split_once('=')?;
    let (first, last) = range.trim().split_once('-')?;
    let digits = |text: &str| text.bytes().all(|b| b.is_ascii_digit());
    let given = |text| Some(text).filter(|text: &&str| !text.is_empty());
    (unit.eq_ignore_ascii_case("bytes") && digits(first) && digits(last)).then(|| (given(first), given(last)))
}

/// A number of any length; what is beyond all files is as good as the largest.
fn number(digits: &str) -> u64 {
    digits.parse().unwrap_or(u64::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ranges_are_served_as_the_rfc_has_them() {
        let part = |first, last| Wanted::Part { first, last };
        for (header, expected) in [
            ("bytes=0-4", part(0, 4)),
            ("Bytes=0-0", part(0, 0)),
            ("bytes=5-", part(5, 9)),
            ("bytes=9-99999999999999999999999", part(9, 9)),
            ("bytes=-3", part(7, 9)),
            ("bytes=-99", part(0, 9)),
            ("bytes=10-", Wanted::NotThere),
            ("bytes=99999999999999999999999-", Wanted::NotThere),
            ("bytes=-0", Wanted::NotThere),
            ("bytes=4-3", Wanted::Whole),
            ("bytes=0-1,3-4", Wanted::Whole),
            ("bytes=0-4,x", Wanted::Whole),
            ("bytes=+1-+2", Wanted::Whole),
            ("bytes=-", Wanted::Whole),
            ("bytes=", Wanted::Whole),
            ("lines=0-4", Wanted::Whole),
            ("", Wanted::Whole),
        ] {
            assert_eq!(wanted(Some(header), 10), expected, "{header}");
        }
        assert_eq!(wanted(None, 10), Wanted::Whole);
        for header in ["bytes=0-", "bytes=0-0", "bytes=-1"] {
            assert_eq!(wanted(Some(header), 0), Wanted::NotThere, "{header}");
        }
    }
}

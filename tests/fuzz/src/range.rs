//! The `Range` header of a download.

use veo_simulator::range::{Wanted, wanted};

use crate::{number, text};

/// The header.
///
/// # Panics
/// If a property does not hold.
pub fn range(data: &[u8]) {
    let header = text(data);
    for size in [0, 1, 2, 10, 4096, u64::MAX, number(data)] {
        match wanted(Some(&header), size) {
            Wanted::Part { first, last } => {
                assert!(first <= last && last < size, "{header:?} of {size}: {first} to {last}");
                assert!(is_single(&header), "{header:?}");
            }
            Wanted::NotThere => assert!(is_single(&header), "{header:?}"),
            Wanted::Whole => {}
        }
    }
    let (first, rest) = (number(data), number(data.get(8..).unwrap_or_default()));
    well_formed(first, rest, number(data.get(16..).unwrap_or_default()));
}

/// What the standard says of three well-formed headers.
fn well_formed(first: u64, last: u64, size: u64) {
    let part = |first: u64, last: u64| Wanted::Part { first, last };
    let end = size.saturating_sub(1);
    let expected = match (first <= last, first < size) {
        (false, _) => Wanted::Whole,
        (true, false) => Wanted::NotThere,
        (true, true) => part(first, last.min(end)),
    };
    assert_eq!(wanted(Some(&format!("bytes={first}-{last}")), size), expected);
    let expected = if first < size { part(first, end) } else { Wanted::NotThere };
    assert_eq!(wanted(Some(&format!("bytes={first}-")), size), expected);
    let expected = if last == 0 || size == 0 { Wanted::NotThere } else { part(size - last.min(size), end) };
    assert_eq!(wanted(Some(&format!("bytes=-{last}")), size), expected);
}

/// Whether a header has the form of one range: `bytes=`, digits, one dash, digits.
fn is_single(header: &str) -> bool {
    let header = header.trim().to_ascii_lowercase();
    let Some(range) = header.strip_prefix("bytes=").map(str::trim) else { return false };
    range.matches('-').count() == 1
        && range.len() > 1
        && range.chars().all(|c| c == '-' || c.is_ascii_digit())
}

//! Whether a JPEG has come to its end. Decoders make do with half a picture and fill the rest with grey.

/// The marker that nothing follows.
const END: u8 = 0xd9;
/// The marker that the picture's own bytes follow.
const SCAN: u8 = 0xda;

/// Whether the picture ends with the marker that says so; what stands behind it does not matter. Markers within
/// segments, such as those of an embedded thumbnail, do not count.
pub(super) fn is_whole(bytes: &[u8]) -> bool {
    let Some(mut rest) = bytes.strip_prefix(&[0xff, 0xd8]) else { return false };
    loop {
        // Any number of 0xff may stand before a marker.
        let fill = rest.iter().take_while(|byte| **byte == 0xff).count();
        let Some(marker) = rest.get(fill).copied().filter(|_| fill > 0) else { return false };
        rest = rest.get(fill + 1..).unwrap_or_default();
        match marker {
            END => return true,
            // These stand alone.
            0x01 | 0xd0..=0xd8 => continue,
            _ => {}
        }
        let Some(length) = rest.first_chunk::<2>().map(|length| u16::from_be_bytes(*length)) else {
            return false;
        };
        let Some(behind) = rest.get(usize::from(length)..).filter(|_| length >= 2) else { return false };
        rest = if marker == SCAN { behind_scan(behind) } else { behind };
    }
}

/// From the next marker on that is none of a scan's own.
fn behind_scan(bytes: &[u8]) -> &[u8] {
    let is_marker = |pair: &[u8]| pair[0] == 0xff && !matches!(pair[1], 0x00 | 0xd0..=0xd7 | 0xff);
    bytes.windows(2).position(is_marker).and_then(|at| bytes.get(at..)).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    const APP: &[u8] = &[0xff, 0xe1, 0x00, 0x06, 0xff, 0xd8, 0xff, 0xd9];
    const SCANNED: &[u8] = &[0xff, 0xda, 0x00, 0x02, 1, 2, 0xff, 0x00, 3, 0xff, 0xd0, 4];

    #[test]
    fn a_picture_is_whole_when_its_own_end_is_there() {
        let start: &[u8] = &[0xff, 0xd8];
        let end: &[u8] = &[0xff, 0xd9];
        for (parts, whole) in [
            (&[start, APP, SCANNED, end][..], true),
            (&[start, APP, SCANNED, SCANNED, end], true),
            (&[start, APP, SCANNED, end, b"and a trailer"], true),
            (&[start, APP, SCANNED, &[0xff], end], true),
            (&[start, APP, SCANNED], false),
            (&[start, APP], false),
            (&[start, &APP[..5]], false),
            (&[start, APP, SCANNED, &[0xff]], false),
            (&[start, &[0xff, 0xe1, 0x00, 0x01], end], false),
            (&[b"no picture"], false),
            (&[], false),
        ] {
            assert_eq!(is_whole(&parts.concat()), whole, "{parts:?}");
        }
    }

    proptest! {
        #[test]
        fn it_comes_to_an_answer(bytes: Vec<u8>) {
            is_whole(&[&[0xff, 0xd8], &bytes[..]].concat());
        }
    }
}

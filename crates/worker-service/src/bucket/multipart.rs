//! How a file is cut into the parts of a multipart upload.

use super::BucketError;

/// Files up to this size go up in one request.
pub(super) const SINGLE_PUT_LIMIT: u64 = 16 * 1024 * 1024;
/// The size of every part but the last. S3 wants at least 5 MiB, R2 all of the same size.
pub(super) const PART_SIZE: u64 = 8 * 1024 * 1024;
/// How many parts are on their way at a time.
pub(super) const PARTS_AT_ONCE: usize = 4;
/// How many parts S3 allows.
const MOST_PARTS: u64 = 10_000;

/// A stretch of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Part {
    /// Counted from 1.
    pub(super) number: i64,
    /// Where it begins, in bytes.
    pub(super) offset: u64,
    /// Its length in bytes.
    pub(super) length: u64,
}

/// The parts of a file of `size` bytes, in order.
pub(super) fn parts(size: u64) -> Result<Vec<Part>, BucketError> {
    let count = size.div_ceil(PART_SIZE);
    if count > MOST_PARTS {
        return Err(BucketError::TooLarge);
    }
    let part = |index: u64| {
        let offset = index * PART_SIZE;
        Part { number: index as i64 + 1, offset, length: PART_SIZE.min(size - offset) }
    };
    Ok((0..count).map(part).collect())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn too_many_parts_are_refused() {
        assert_eq!(parts(PART_SIZE * MOST_PARTS).unwrap().len(), 10_000);
        assert!(matches!(parts(PART_SIZE * MOST_PARTS + 1), Err(BucketError::TooLarge)));
    }

    proptest! {
        #[test]
        fn parts_cover_the_file_and_are_equal_but_the_last(size in 1..PART_SIZE * 100) {
            let parts = parts(size).unwrap();
            let mut end = 0;
            for (index, part) in parts.iter().enumerate() {
                prop_assert_eq!(part.number, index as i64 + 1);
                prop_assert_eq!(part.offset, end);
                prop_assert!(part.length == PART_SIZE || index == parts.len() - 1);
                prop_assert!((1..=PART_SIZE).contains(&part.length));
                end += part.length;
            }
            prop_assert_eq!(end, size);
        }
    }
}

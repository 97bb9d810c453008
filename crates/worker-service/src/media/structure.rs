//! Looks over the boxes of an MP4 (ISO/IEC 14496-12) before a parser takes them at their word: is the file
//! whole, and is nothing in it so large that memory or time would run out? It does not judge what they say.

use std::io::{Read, Seek, SeekFrom};

use super::Invalid;

/// The largest index, which is parsed in memory; an hour of video has less than one megabyte.
const LARGEST_INDEX: u64 = 16 * 1024 * 1024;
/// The most samples in all tracks; an hour of pictures and sound has less than half a million.
const MOST_SAMPLES: u64 = 1_000_000;
/// The most boxes on the uppermost level.
const MOST_BOXES: usize = 10_000;
/// How deep boxes lie in each other at most.
const DEEPEST: usize = 8;

/// Goes over a whole file.
pub(super) fn check(file: &mut (impl Read + Seek), size: u64) -> Result<(), Invalid> {
    if size == 0 {
        return Err(Invalid::Empty);
    }
    let (mut position, mut boxes, mut index_bytes, mut samples) = (0, 0, 0, 0);
    while position < size {
        file.seek(SeekFrom::Start(position))?;
        let header = header(file, size - position)
            .map_err(|error| if boxes == 0 { Invalid::NotMp4 } else { error })?;
        if boxes == 0 && &header.name != b"ftyp" {
            return Err(Invalid::NotMp4);
        }
        boxes += 1;
        if boxes > MOST_BOXES {
            return Err(Invalid::OutOfBounds("its number of boxes"));
        }
        if header.size > size - position {
            return Err(Invalid::Truncated);
        }
        // These are what the parser reads; all else it passes over.
        if matches!(&header.name, b"ftyp" | b"moov" | b"moof" | b"emsg") {
            index_bytes += header.size;
            if index_bytes > LARGEST_INDEX {
                return Err(Invalid::OutOfBounds("its index"));
            }
            let mut content = vec![0; (header.size - header.length) as usize];
            file.read_exact(&mut content)?;
            if matches!(&header.name, b"moov" | b"moof") {
                samples += count(&content, 0)?;
                if samples > MOST_SAMPLES {
                    return Err(Invalid::OutOfBounds("its number of samples"));
                }
            }
        }
        position += header.size;
    }
    Ok(())
}

struct Header {
    name: [u8; 4],
    /// Of the whole box.
    size: u64,
    /// Of the header itself.
    length: u64,
}

/// Reads a box's header, of which `rest` bytes at most are there.
fn header(file: &mut impl Read, rest: u64) -> Result<Header, Invalid> {
    if rest < 8 {
        return Err(Invalid::Truncated);
    }
    let mut words = [0; 8];
    file.read_exact(&mut words)?;
    let [a, b, c, d, name @ ..] = words;
    let (size, length) = match u32::from_be_bytes([a, b, c, d]) {
        // It goes on to the end.
        0 => (rest, 8),
        1 if rest < 16 => return Err(Invalid::Truncated),
        1 => {
            let mut long = [0; 8];
            file.read_exact(&mut long)?;
            (u64::from_be_bytes(long), 16)
        }
        size => (size.into(), 8),
    };
    if size < length {
        return Err(Invalid::Broken("a box that is smaller than its header".to_owned()));
    }
    Ok(Header { name, size, length })
}

/// How many samples the tables in a box speak of.
fn count(mut content: &[u8], depth: usize) -> Result<u64, Invalid> {
    let mut samples = 0;
    while !content.is_empty() {
        let rest = content.len() as u64;
        let header = header(&mut content, rest)?;
        let length = (header.size - header.length) as usize;
        let (inside, after) = content
            .split_at_checked(length)
            .ok_or_else(|| Invalid::Broken("a box that is larger than the one around it".to_owned()))?;
        content = after;
        samples += match &header.name {
            b"trak" | b"mdia" | b"minf" | b"stbl" | b"traf" if depth < DEEPEST => count(inside, depth + 1)?,
            // Version and flags, the size of all, the count.
            b"stsz" => number(inside, 8),
            // Version and flags, the count.
            b"trun" => number(inside, 4),
            _ => 0,
        };
    }
    Ok(samples)
}

fn number(content: &[u8], at: usize) -> u64 {
    let bytes = content.get(at..at + 4).and_then(|bytes| bytes.try_into().ok());
    bytes.map_or(0, u32::from_be_bytes).into()
}

#[cfg(test)]
mod tests {
    use std::io::Cursor;

    use super::*;

    fn boxed(name: &str, content: &[u8]) -> Vec<u8> {
        let size = u32::try_from(content.len() + 8).unwrap();
        [&size.to_be_bytes()[..], name.as_bytes(), content].concat()
    }

    fn checked(parts: &[Vec<u8>]) -> Result<(), Invalid> {
        let file = parts.concat();
        check(&mut Cursor::new(&file), file.len() as u64)
    }

    fn with_samples(samples: u32) -> Vec<u8> {
        let sizes = [&[0; 4][..], &[0, 0, 0, 1], &samples.to_be_bytes()].concat();
        let table = boxed("stbl", &boxed("stsz", &sizes));
        boxed("moov", &boxed("trak", &boxed("mdia", &boxed("minf", &table))))
    }

    #[test]
    fn a_whole_file_passes_and_a_part_of_it_does_not() {
        let parts = [boxed("ftyp", b"isom"), with_samples(240), boxed("mdat", &[7; 100])];
        assert!(checked(&parts).is_ok());
        let file = parts.concat();
        for end in 1..file.len() {
            // A cut between boxes leaves a file that is whole but for what the index speaks of.
            let part = check(&mut Cursor::new(&file[..end]), end as u64);
            let between = end == 12 || end == file.len() - 108;
            assert_eq!(part.is_ok(), between, "{end}: {part:?}");
        }
    }

    #[test]
    fn what_would_eat_memory_is_refused() {
        let start = boxed("ftyp", b"isom");
        let many = checked(&[start.clone(), with_samples(u32::MAX)]);
        assert!(matches!(many, Err(Invalid::OutOfBounds("its number of samples"))), "{many:?}");
        let run = boxed("moof", &boxed("traf", &boxed("trun", &[0xff; 8])));
        assert!(matches!(checked(&[start.clone(), run]), Err(Invalid::OutOfBounds(_))));
        let large = boxed("moov", &vec![0; LARGEST_INDEX as usize]);
        assert!(matches!(checked(&[start.clone(), large]), Err(Invalid::OutOfBounds("its index"))));
        let mut boxes = vec![start];
        boxes.extend(std::iter::repeat_n(boxed("free", b""), MOST_BOXES));
        assert!(matches!(checked(&boxes), Err(Invalid::OutOfBounds("its number of boxes"))));
    }

    #[test]
    fn boxes_that_do_not_fit_are_broken() {
        let inside = [0, 0, 0, 200, b't', b'r', b'a', b'k'];
        assert!(matches!(checked(&[boxed("ftyp", b""), boxed("moov", &inside)]), Err(Invalid::Broken(_))));
        let tiny = vec![0, 0, 0, 3, b'f', b'r', b'e', b'e'];
        assert!(matches!(checked(&[boxed("ftyp", b""), tiny]), Err(Invalid::Broken(_))));
    }
}

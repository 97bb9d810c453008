//! Looks over the boxes of an MP4 (ISO/IEC 14496-12) before a parser takes them at their word: is the file
//! whole, and is nothing in it so large, or of no size at all, that memory or time would run out? It lets the
//! parser see no more than is needed ([`Shown`]), and does not judge what the boxes say.

use std::io::{Read, Seek, SeekFrom};

use super::{
    Invalid,
    format::{Format, TELLING},
};

/// The largest index, which is parsed in memory; an hour of video has less than one megabyte.
const LARGEST_INDEX: u64 = 16 * 1024 * 1024;
/// The most samples in all tracks; an hour of pictures and sound has less than half a million.
const MOST_SAMPLES: u64 = 1_000_000;
/// The most boxes on the uppermost level.
const MOST_BOXES: usize = 10_000;

/// A box that the parser is let into: where in its content its own boxes begin, and which of them it is shown.
struct Room {
    name: [u8; 4],
    begins: usize,
    shows: &'static [[u8; 4]],
}

/// All that the parser is let into. Whatever else there is, such as what people write about a video, says nothing
/// that is wanted here, and the parser follows its sizes wherever they lead.
const ROOMS: &[Room] = &[
    Room { name: *b"moov", begins: 0, shows: &[*b"mvhd", *b"trak", *b"mvex"] },
    Room { name: *b"trak", begins: 0, shows: &[*b"tkhd", *b"mdia"] },
    Room { name: *b"mdia", begins: 0, shows: &[*b"mdhd", *b"hdlr", *b"minf"] },
    Room { name: *b"minf", begins: 0, shows: &[*b"vmhd", *b"smhd", *b"dinf", *b"stbl"] },
    Room { name: *b"dinf", begins: 0, shows: &[*b"dref"] },
    // Version and flags, and a count, come before the boxes.
    Room { name: *b"dref", begins: 8, shows: &[*b"url "] },
    Room {
        name: *b"stbl",
        begins: 0,
        shows: &[*b"stsd", *b"stts", *b"ctts", *b"stss", *b"stsc", *b"stsz", *b"stco", *b"co64"],
    },
    Room { name: *b"stsd", begins: 8, shows: &[*b"avc1", *b"hvc1", *b"hev1", *b"av01", *b"vp08", *b"vp09"] },
    // The description of a picture comes before the boxes.
    Room { name: *b"avc1", begins: 78, shows: &[*b"avcC"] },
    Room { name: *b"mvex", begins: 0, shows: &[*b"mehd", *b"trex"] },
    Room { name: *b"moof", begins: 0, shows: &[*b"mfhd", *b"traf"] },
    Room { name: *b"traf", begins: 0, shows: &[*b"tfhd", *b"tfdt", *b"trun"] },
];

/// Behind these the parser looks no further in their room.
const READ_UNTIL: &[[u8; 4]] = &[*b"avcC"];

/// What stands in place of the name of a box that is not shown.
const HIDDEN: [u8; 4] = *b"free";

/// Goes over a whole file. What comes of it are the places of the names that [`Shown`] hides from the parser.
pub(super) fn check(file: &mut (impl Read + Seek), size: u64) -> Result<Vec<u64>, Invalid> {
    if size == 0 {
        return Err(Invalid::Empty);
    }
    let format = format(file)?;
    if format != Format::Mp4 {
        return Err(Invalid::NotMp4(format));
    }
    let (mut position, mut boxes, mut index_bytes) = (0, 0, 0);
    let mut index = Index::default();
    while position < size {
        file.seek(SeekFrom::Start(position))?;
        let header = header(file, size - position)?;
        boxes += 1;
        if boxes > MOST_BOXES {
            return Err(Invalid::OutOfBounds("its number of boxes"));
        }
        // It goes on to the end; so says only the last one, and only on this level.
        let whole = if header.size == 0 { size - position } else { header.size };
        if whole > size - position {
            return Err(Invalid::Truncated);
        }
        // These are what the parser reads; all else it passes over.
        if matches!(&header.name, b"ftyp" | b"moov" | b"moof") {
            index_bytes += whole;
            if index_bytes > LARGEST_INDEX {
                return Err(Invalid::OutOfBounds("its index"));
            }
            let mut content = vec![0; (whole - header.length) as usize];
            file.read_exact(&mut content)?;
            index.enter(header.name, &content, position + header.length)?;
        } else {
            index.hidden.push(position + 4);
        }
        position += whole;
    }
    Ok(index.hidden)
}

/// What the file's first bytes say that it is.
fn format(file: &mut (impl Read + Seek)) -> Result<Format, Invalid> {
    file.seek(SeekFrom::Start(0))?;
    let mut beginning = Vec::with_capacity(TELLING);
    file.take(TELLING as u64).read_to_end(&mut beginning)?;
    Ok(Format::of(&beginning))
}

/// What the boxes of the index have come to so far.
#[derive(Default)]
struct Index {
    samples: u64,
    hidden: Vec<u64>,
}

impl Index {
    /// Goes over the content of a box, which begins at a place in the file.
    fn enter(&mut self, name: [u8; 4], content: &[u8], place: u64) -> Result<(), Invalid> {
        match &name {
            // Version and flags, the size of all, the count.
            b"stsz" => self.samples += number(content, 8),
            // Version and flags, the count.
            b"trun" => self.samples += number(content, 4),
            _ => {}
        }
        if self.samples > MOST_SAMPLES {
            return Err(Invalid::OutOfBounds("its number of samples"));
        }
        let Some(room) = ROOMS.iter().find(|room| room.name == name) else { return Ok(()) };
        let mut rest = content.get(room.begins..).ok_or_else(too_small)?;
        while !rest.is_empty() {
            let place = place + (content.len() - rest.len()) as u64;
            let left = rest.len() as u64;
            let header = header(&mut rest, left)?;
            // A parser that goes on by nothing never comes to an end.
            let length = header.size.checked_sub(header.length).ok_or_else(too_small)?;
            let (inside, after) = rest
                .split_at_checked(length as usize)
                .ok_or_else(|| Invalid::Broken("a box that is larger than the one around it".to_owned()))?;
            if room.shows.contains(&header.name) {
                self.enter(header.name, inside, place + header.length)?;
                if READ_UNTIL.contains(&header.name) {
                    break;
                }
            } else {
                self.hidden.push(place + 4);
            }
            rest = after;
        }
        Ok(())
    }
}

fn too_small() -> Invalid {
    Invalid::Broken("a box that is smaller than its header".to_owned())
}

/// A file as the parser is shown it: the names of what it is not let into are those of empty space.
pub(super) struct Shown<R> {
    file: R,
    position: u64,
    hidden: Vec<u64>,
}

impl<R: Seek> Shown<R> {
    /// The file from its beginning, with the places of the names to hide, in their order.
    pub(super) fn new(mut file: R, hidden: Vec<u64>) -> std::io::Result<Self> {
        file.rewind()?;
        Ok(Self { file, position: 0, hidden })
    }
}

impl<R: Read> Read for Shown<R> {
    fn read(&mut self, buffer: &mut [u8]) -> std::io::Result<usize> {
        let length = self.file.read(buffer)?;
        let (start, end) = (self.position, self.position + length as u64);
        let first = self.hidden.partition_point(|name| name + 4 <= start);
        for name in self.hidden.iter().skip(first).take_while(|name| **name < end) {
            for (place, byte) in (*name..).zip(HIDDEN) {
                if (start..end).contains(&place) {
                    buffer[(place - start) as usize] = byte;
                }
            }
        }
        self.position = end;
        Ok(length)
    }
}

impl<R: Seek> Seek for Shown<R> {
    fn seek(&mut self, to: SeekFrom) -> std::io::Result<u64> {
        self.position = self.file.seek(to)?;
        Ok(self.position)
    }
}

struct Header {
    name: [u8; 4],
    /// Of the whole box; 0 if it does not say.
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
        1 if rest < 16 => return Err(Invalid::Truncated),
        1 => {
            let mut long = [0; 8];
            file.read_exact(&mut long)?;
            (u64::from_be_bytes(long), 16)
        }
        size => (size.into(), 8),
    };
    if size != 0 && size < length {
        return Err(too_small());
    }
    Ok(Header { name, size, length })
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

    fn checked(parts: &[Vec<u8>]) -> Result<Vec<u64>, Invalid> {
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

    /// The parser would stay at such a box for ever.
    #[test]
    fn a_box_of_no_size_is_broken_but_for_the_last_one() {
        let start = boxed("ftyp", b"");
        let endless = [0, 0, 0, 0, b'f', b'r', b'e', b'e', 1, 2, 3, 4];
        for outer in ["moov", "moof"] {
            let found = checked(&[start.clone(), boxed(outer, &endless)]);
            assert!(matches!(found, Err(Invalid::Broken(_))), "{outer}: {found:?}");
        }
        let entry = boxed("avc1", &[&[0; 78][..], &endless].concat());
        let table = boxed("stbl", &boxed("stsd", &[&[0; 8][..], &entry].concat()));
        let track = boxed("trak", &boxed("mdia", &boxed("minf", &table)));
        assert!(matches!(checked(&[start.clone(), boxed("moov", &track)]), Err(Invalid::Broken(_))));
        assert!(checked(&[start, endless.to_vec()]).is_ok());
    }

    #[test]
    fn what_is_not_needed_is_hidden_and_nothing_else() {
        let data = boxed("udta", &[0; 4]);
        let parts = [boxed("ftyp", b"isom"), boxed("moov", &data), with_samples(2), boxed("emsg", b"")];
        let file = parts.concat();
        let hidden = check(&mut Cursor::new(&file), file.len() as u64).unwrap();
        let expected =
            [&parts[0][..], &boxed("moov", &boxed("free", &[0; 4])), &parts[2], &boxed("free", b"")];
        let expected = expected.concat();
        for length in 1..20 {
            let mut shown = Shown::new(Cursor::new(&file), hidden.clone()).unwrap();
            let (mut read, mut piece) = (Vec::new(), vec![0; length]);
            while let Ok(length @ 1..) = shown.read(&mut piece) {
                read.extend_from_slice(&piece[..length]);
            }
            assert_eq!(read, expected, "in pieces of {length}");
        }
    }
}

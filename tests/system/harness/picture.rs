//! A picture such as a user uploads.

/// A PNG of 64 x 64 pixels in one colour.
pub(crate) fn png() -> Vec<u8> {
    let chunk = |name: &[u8; 4], content: &[u8]| {
        let named = [name, content].concat();
        let mut crc = flate2::Crc::new();
        crc.update(&named);
        let length = u32::try_from(content.len()).unwrap().to_be_bytes();
        [&length, &named[..], &crc.sum().to_be_bytes()].concat()
    };
    // Each line begins with the number of its filter.
    let lines = [&[0_u8][..], &[40, 90, 160].repeat(64)].concat().repeat(64);
    let mut packer = flate2::write::ZlibEncoder::new(Vec::new(), flate2::Compression::default());
    std::io::Write::write_all(&mut packer, &lines).unwrap();
    let side = 64_u32.to_be_bytes();
    [
        &b"\x89PNG\r\n\x1a\n"[..],
        &chunk(b"IHDR", &[&side[..], &side, &[8, 2, 0, 0, 0]].concat()),
        &chunk(b"IDAT", &packer.finish().unwrap()),
        &chunk(b"IEND", b""),
    ]
    .concat()
}

use std::io::Write;

use super::*;

fn record(big: bool, seconds: u32, fraction: u32, captured: u32, wire: u32, data: &[u8]) -> Vec<u8> {
    let numbers = [seconds, fraction, captured, wire];
    let mut out: Vec<u8> = numbers
        .iter()
        .flat_map(|n| if big { n.to_be_bytes() } else { n.to_le_bytes() })
        .collect();
    out.extend(data);
    out
}

fn header(magic: u32, big: bool, link: u32) -> Vec<u8> {
    let word = |n: u32| if big { n.to_be_bytes() } else { n.to_le_bytes() };
    let version: [u8; 4] = if big { [0, 2, 0, 4] } else { [2, 0, 4, 0] };
    [word(magic), version, word(0), word(0), word(65_535), word(link)].concat()
}

fn pcap() -> Vec<u8> {
    let mut file = header(0xa1b2_c3d4, false, 1);
    file.extend(record(false, 1_700_000_000, 5, 4, 4, b"abcd"));
    file.extend(record(false, 1_700_000_001, 6, 3, 9, b"xyz"));
    file
}

fn block(kind: u32, body: &[u8]) -> Vec<u8> {
    let mut body = body.to_vec();
    body.resize(body.len().next_multiple_of(4), 0);
    let length = (12 + body.len() as u32).to_le_bytes();
    [&kind.to_le_bytes()[..], &length, &body, &length].concat()
}

/// Nanosecond stamps, ten seconds added to each.
fn pcapng() -> Vec<u8> {
    let mut interface = vec![1, 0, 0, 0, 0, 0, 4, 0];
    interface.extend([9, 0, 1, 0, 9, 0, 0, 0]);
    interface.extend([14, 0, 8, 0, 10, 0, 0, 0, 0, 0, 0, 0]);
    interface.extend([0, 0, 0, 0]);
    let stamp = 1_700_000_000_000_000_007u64;
    let words = |numbers: &[u32]| -> Vec<u8> { numbers.iter().flat_map(|n| n.to_le_bytes()).collect() };
    let (high, low) = ((stamp >> 32) as u32, (stamp & 0xffff_ffff) as u32);
    [
        block(
            0x0a0d_0d0a,
            &[
                0x4d, 0x3c, 0x2b, 0x1a, 1, 0, 0, 0, 255, 255, 255, 255, 255, 255, 255, 255,
            ],
        ),
        block(1, &interface),
        block(5, &[0; 20]), // statistics: skipped
        block(6, &[words(&[0, high, low, 5, 5]), b"hello".to_vec()].concat()),
        block(3, &[words(&[3]), b"abc".to_vec()].concat()),
        block(2, &[words(&[0, high, low, 2, 8]), b"ok".to_vec()].concat()),
    ]
    .concat()
}

/// Time, bytes and length on the wire.
type Read = (i64, Vec<u8>, u32);

fn read(file: &[u8]) -> (Vec<Read>, Option<Warning>) {
    let mut reader = Reader::new("test".to_owned(), Box::new(Cursor::new(file.to_vec()))).expect("a capture");
    let mut frames = Vec::new();
    while let Some(frame) = reader.next_frame() {
        frames.push((frame.ts.0, frame.data.to_vec(), frame.orig_len));
    }
    (frames, reader.warning().cloned())
}

#[test]
fn both_byte_orders_and_both_resolutions_are_read() {
    for (magic, nanos) in [(0xa1b2_c3d4u32, 7_000), (0xa1b2_3c4d, 7)] {
        for big in [false, true] {
            let mut file = header(magic, big, 1);
            file.extend(record(big, 12, 7, 2, 2, b"ab"));
            assert_eq!(read(&file), (vec![(12_000_000_000 + nanos, b"ab".to_vec(), 2)], None));
        }
    }
}

#[test]
fn sections_interfaces_resolution_offset_and_all_packet_blocks_are_read() {
    let (frames, warning) = read(&pcapng());
    let stamped = 1_700_000_010_000_000_007;
    assert_eq!(
        frames,
        vec![
            (stamped, b"hello".to_vec(), 5),
            (0, b"abc".to_vec(), 3),
            (stamped, b"ok".to_vec(), 8)
        ]
    );
    assert_eq!(warning, None);
}

#[test]
fn compression_is_told_by_content() {
    let mut gzip = flate2::write::GzEncoder::new(Vec::new(), flate2::Compression::fast());
    gzip.write_all(&pcap()).expect("compress");
    let gzip = gzip.finish().expect("compress");
    let zstd = zstd::encode_all(&pcap()[..], 1).expect("compress");
    for file in [&gzip, &zstd] {
        assert!(is_capture(file));
        assert_eq!(read(file), read(&pcap()));
    }
    // Cut inside the compressed data: the same as a cut capture.
    assert!(read(&gzip[..gzip.len() - 12]).1.is_some());
}

#[test]
fn a_cut_anywhere_gives_what_was_whole_and_one_warning() {
    for file in [pcap(), pcapng()] {
        let (whole, _) = read(&file);
        for cut in 24..file.len() {
            let (frames, warning) = read(&file[..cut]);
            assert!(whole.starts_with(&frames), "cut at {cut}");
            if let Some(warning) = warning {
                assert_eq!(warning.damage, Damage::Cut, "cut at {cut}");
                assert_eq!(warning.number, frames.len() as u64 + 1);
                assert!(warning.offset <= cut as u64);
            }
        }
        // At most the ends of whole records are no damage.
        let quiet = (24..file.len()).filter(|cut| read(&file[..*cut]).1.is_none()).count();
        assert!(quiet <= 6, "{quiet} cuts were not noticed");
    }
}

#[test]
fn an_impossible_length_is_corrupt_and_says_where() {
    let mut file = pcap();
    let offset = file.len() as u64;
    file.extend(record(false, 1, 1, 0x7fff_ffff, 10, b"..."));
    let (frames, warning) = read(&file);
    assert_eq!(frames.len(), 2);
    let warning = warning.expect("a warning");
    assert_eq!(
        (warning.damage, warning.number, warning.offset),
        (Damage::Corrupt, 3, offset)
    );
    assert!(warning.to_string().contains("packet 3 at byte 63"), "{warning}");
}

#[test]
fn what_is_no_capture_is_refused_with_what_it_is() {
    for (content, says) in [
        (&b""[..], "empty"),
        (b"<html><body>", "3c 68 74 6d 6c"),
        (b"\xa1\xb2", "a1 b2"),
    ] {
        let error = Reader::new("page.html".to_owned(), Box::new(Cursor::new(content.to_vec()))).err();
        let text = error.expect("an error").to_string();
        assert!(
            text.contains("page.html") && text.contains(says) && text.contains("give a pcap"),
            "{text}"
        );
        assert!(!is_capture(content));
    }
    let wireless = header(0xa1b2_c3d4, false, 127);
    let error = Reader::new("w.pcap".to_owned(), Box::new(Cursor::new(wireless))).err();
    assert!(error.expect("an error").to_string().contains("802.11 with radiotap"));
}

#[test]
fn a_file_larger_than_the_window_streams_through_it() {
    let mut file = header(0xa1b2_c3d4, false, 1);
    for index in 0..40u8 {
        file.extend(record(false, index.into(), 0, 60_000, 60_000, &vec![index; 60_000]));
    }
    let (frames, warning) = read(&file);
    assert_eq!((frames.len(), warning), (40, None));
    assert!(
        frames
            .iter()
            .enumerate()
            .all(|(index, frame)| frame.1.iter().all(|byte| usize::from(*byte) == index))
    );
}

use super::*;

/// Hands segments over and writes down what comes out: bytes as they are, a gap as so many `?`.
fn text(segments: &[(u64, &[u8])], acks: &[u64]) -> (String, u64) {
    let (mut stream, mut budget) = (Stream::default(), Budget::default());
    let mut out = String::new();
    let mut each = |chunk: Chunk<'_>| match chunk {
        Chunk::Bytes(bytes) => out.push_str(&String::from_utf8_lossy(bytes)),
        Chunk::Gap(n) => out.extend(std::iter::repeat_n('?', n as usize)),
    };
    for (at, bytes) in segments {
        stream.segment(&mut budget, *at, bytes, true, &mut each);
    }
    let missed = acks.iter().map(|ack| stream.missed(&mut budget, *ack, &mut each)).sum();
    stream.release(&mut budget, true);
    assert_eq!(budget.held, 0);
    (out, missed)
}

#[test]
fn bytes_come_out_once_and_in_order() {
    assert_eq!(text(&[(1, b"abc"), (4, b"def")], &[]).0, "abcdef");
    assert_eq!(text(&[(4, b"def"), (1, b"abc")], &[]).0, "abcdef");
    assert_eq!(text(&[(1, b"abc"), (1, b"abc"), (2, b"bcdef")], &[]).0, "abcdef");
    assert_eq!(text(&[(7, b"g"), (5, b"ef"), (3, b"cd"), (1, b"ab")], &[]).0, "abcdefg");
}

#[test]
fn of_bytes_that_come_twice_the_first_win() {
    assert_eq!(text(&[(3, b"CD"), (2, b"xyzw"), (1, b"a")], &[]).0, "axCDw");
    assert_eq!(text(&[(1, b"abc"), (1, b"xyzd")], &[]).0, "abcd");
}

#[test]
fn what_is_acknowledged_and_missing_is_a_gap_and_never_spliced() {
    assert_eq!(text(&[(1, b"ab"), (5, b"ef")], &[7]), ("ab??ef".to_owned(), 2));
    assert_eq!(
        text(&[(1, b"ab"), (5, b"ef"), (9, b"i")], &[7, 12]),
        ("ab??ef??i??".to_owned(), 6)
    );
    assert_eq!(text(&[(1, b"ab"), (5, b"ef")], &[]), ("ab".to_owned(), 0));
}

#[test]
fn a_hole_is_given_up_where_nobody_acknowledges() {
    let (mut stream, mut budget) = (Stream::default(), Budget::default());
    let (mut bytes, mut gap) = (0, 0);
    for index in 0..20 {
        stream.segment(
            &mut budget,
            101 + index * 1000,
            &[0; 1000],
            false,
            &mut |chunk| match chunk {
                Chunk::Bytes(data) => bytes += data.len(),
                Chunk::Gap(n) => gap += n,
            },
        );
    }
    assert_eq!((bytes, gap), (20_000, 100));
}

#[test]
fn memory_is_bounded_per_direction_and_in_all() {
    let mut budget = Budget::default();
    let mut streams: Vec<Stream> = (0..400).map(|_| Stream::default()).collect();
    for stream in &mut streams {
        for index in 0..300 {
            stream.segment(&mut budget, 100 + index * 2000, &[0; 1000], true, &mut |_| {});
        }
        assert!(stream.held_bytes <= MAX_HELD);
    }
    assert!(budget.held <= MAX_HELD_ALL);
    assert!(budget.refused > 0);
    for stream in &mut streams {
        stream.turn_off(&mut budget);
    }
    assert_eq!(budget.held, 0);
}

//! What two ends say to each other as frames, under any segmentation, and what comes of it.

use std::net::Ipv4Addr;

use serde_json::Value;
use vigla_core::flow::Config;

use super::{ACK, CLIENT, FIN, Run, SERVER, SYN, tcp};

/// The first sequence numbers of both ends; the client's wraps.
pub const ISN: [u32; 2] = [0xffff_fff0, 7_000];

/// One direction's bytes of a conversation, in turn.
pub type Script = Vec<(usize, Vec<u8>)>;

/// Bytes behind their length, which takes `width` bytes.
pub fn vector(width: usize, bytes: &[u8]) -> Vec<u8> {
    let length = (bytes.len() as u32).to_be_bytes();
    [&length[4 - width..], bytes].concat()
}

fn record(kind: u8, payload: &[u8]) -> Vec<u8> {
    [&[kind, 3, 3][..], &vector(2, payload)].concat()
}

/// A session of TLS 1.3 that names `town.example`.
pub fn tls() -> Script {
    let name = vector(2, &[&[0][..], &vector(2, b"town.example")].concat());
    let extensions = [
        &[0, 0][..],
        &vector(2, &name),
        &[0, 43],
        &vector(2, &vector(1, &[3, 4, 3, 3])),
        &[0, 16],
        &vector(2, &vector(2, &vector(1, b"h2"))),
    ]
    .concat();
    let hello = [
        &[3, 3][..],
        &[7; 32],
        &vector(1, &[9; 32]),
        &vector(2, &[0x13, 1, 0x13, 2]),
        &vector(1, &[0]),
        &vector(2, &extensions),
    ]
    .concat();
    let answer = [
        &[3, 3][..],
        &[8; 32],
        &vector(1, &[9; 32]),
        &[0x13, 1, 0],
        &vector(2, &[0, 43, 0, 2, 3, 4, 0, 51, 0, 4, 0, 29, 0, 0]),
    ]
    .concat();
    let message = |kind: u8, body: &[u8]| [&[kind][..], &vector(3, body)].concat();
    let whole = message(1, &hello);
    // The client's hello lies in two records.
    let (first, second) = whole.split_at(50);
    vec![
        (0, [record(22, first), record(22, second)].concat()),
        (
            1,
            [record(22, &message(2, &answer)), record(20, &[1]), record(23, &[0; 40])].concat(),
        ),
        (0, [record(20, &[1]), record(23, &[0; 60])].concat()),
        (1, record(23, &[1; 400])),
    ]
}

/// A conversation as frames: each turn cut at `cuts`, pieces of a turn in the order that `mix` makes of them.
pub fn conversation(port: u16, script: &Script, cuts: &[usize], mix: u64) -> Vec<Vec<u8>> {
    between([(CLIENT, 40_000), (SERVER, port)], script, cuts, mix)
}

/// The same between any two ends; the first one opens.
pub fn between(ends: [(Ipv4Addr, u16); 2], script: &Script, cuts: &[usize], mix: u64) -> Vec<Vec<u8>> {
    let mut next = [ISN[0].wrapping_add(1), ISN[1].wrapping_add(1)];
    let mut frames = vec![
        tcp(ends[0], ends[1], ISN[0], 0, SYN, &[]),
        tcp(ends[1], ends[0], ISN[1], next[0], SYN | ACK, &[]),
        tcp(ends[0], ends[1], next[0], next[1], ACK, &[]),
    ];
    let mut state = mix | 1;
    let mut random = move |n: usize| {
        state = state
            .wrapping_mul(6_364_136_223_846_793_005)
            .wrapping_add(1_442_695_040_888_963_407);
        (state >> 33) as usize % n.max(1)
    };
    for (side, bytes) in script {
        let side = *side;
        let mut places: Vec<usize> = cuts.iter().map(|cut| cut % (bytes.len() + 1)).collect();
        places.extend([0, bytes.len()]);
        places.sort_unstable();
        places.dedup();
        let mut pieces: Vec<Vec<u8>> = Vec::new();
        for pair in places.windows(2) {
            let seq = next[side].wrapping_add(pair[0] as u32);
            let piece = tcp(
                ends[side],
                ends[1 - side],
                seq,
                next[1 - side],
                ACK,
                &bytes[pair[0]..pair[1]],
            );
            if mix != 0 && random(4) == 0 {
                pieces.push(piece.clone());
            }
            pieces.push(piece);
        }
        if mix != 0 {
            // An equal overlap of everything, and pieces in any order.
            for index in (1..pieces.len()).rev() {
                pieces.swap(index, random(index + 1));
            }
            if random(3) == 0 {
                pieces.push(tcp(ends[side], ends[1 - side], next[side], next[1 - side], ACK, bytes));
            }
        }
        frames.extend(pieces);
        next[side] = next[side].wrapping_add(bytes.len() as u32);
        frames.push(tcp(ends[1 - side], ends[side], next[1 - side], next[side], ACK, &[]));
    }
    frames.push(tcp(ends[0], ends[1], next[0], next[1], FIN | ACK, &[]));
    frames.push(tcp(ends[1], ends[0], next[1], next[0].wrapping_add(1), FIN | ACK, &[]));
    frames.push(tcp(
        ends[0],
        ends[1],
        next[0].wrapping_add(1),
        next[1].wrapping_add(1),
        ACK,
        &[],
    ));
    frames
}

/// Application events without what depends on time and place.
pub fn events(frames: &[Vec<u8>]) -> Vec<Value> {
    let mut run = Run::new(Config::default());
    for frame in frames {
        run.give(frame);
    }
    run.finish();
    let mut lines: Vec<Value> = run
        .lines
        .into_iter()
        .filter(|line| line["_path"] != "conn" && line["_path"] != "weird")
        .collect();
    for line in &mut lines {
        let fields = line.as_object_mut().expect("an event is an object");
        for name in ["ts", "uid", "rtt"] {
            fields.remove(name);
        }
    }
    lines
}

/// Holds that no cut, no order and no repetition changes what comes of a conversation.
pub fn holds_whatever_the_segmentation(port: u16, script: &Script) {
    let whole = events(&conversation(port, script, &[], 0));
    assert!(!whole.is_empty());
    let longest = script.iter().map(|(_, bytes)| bytes.len()).max().unwrap_or(0);
    for cut in 1..longest {
        let cut_once = events(&conversation(port, script, &[cut], 0));
        assert_eq!(cut_once, whole, "port {port} cut at {cut}");
    }
    let everywhere: Vec<usize> = (1..longest).collect();
    for mix in 0..20 {
        let mixed = events(&conversation(port, script, &everywhere, mix));
        assert_eq!(mixed, whole, "port {port} in single bytes, mixed by {mix}");
    }
}

/// Turns of text.
pub fn turns(turns: &[(usize, &str)]) -> Script {
    turns
        .iter()
        .map(|(side, words)| (*side, words.as_bytes().to_vec()))
        .collect()
}

/// What comes of several conversations, one after the other.
pub fn run_of(scripts: &[Vec<Vec<u8>>]) -> Run {
    let mut run = Run::new(Config::default());
    for frame in scripts.iter().flatten() {
        run.give(frame);
    }
    run.finish();
    run
}

//! What two ends say to each other, over TCP and UDP with right headers: every protocol's parser behind its detection.

use vigla_core::flow::Config;

use super::pieces::pieces;
use super::support::{ACK, CLIENT, FIN, Run, SERVER, SYN, tcp, udp};

/// Ports that the first byte chooses from: the usual ones of each protocol, and one of nobody.
const PORTS: [u16; 8] = [53, 80, 443, 8080, 5353, 445, 25, 9999];
const SEGMENT: usize = 1400;

/// The lead of a piece: port and transport, side.
pub fn run(data: &[u8]) {
    let Some((&first, rest)) = data.split_first() else {
        return;
    };
    let (client, server) = ((CLIENT, 50_000), (SERVER, PORTS[usize::from(first & 7)]));
    let is_tcp = first & 8 == 0;
    let mut run = Run::new(Config::default());
    let mut next = [1_u32, 1_000_000];
    if is_tcp {
        run.give(&tcp(client, server, 0, 0, SYN, b""));
        run.give(&tcp(server, client, 999_999, 1, SYN | ACK, b""));
    }
    for (lead, bytes) in pieces(rest, 1) {
        let side = usize::from(lead[0] & 1);
        let (from, to) = if side == 0 { (client, server) } else { (server, client) };
        if !is_tcp {
            run.give(&udp(from, to, &bytes[..bytes.len().min(60_000)]));
            continue;
        }
        for part in bytes.chunks(SEGMENT) {
            run.give(&tcp(from, to, next[side], next[1 - side], ACK, part));
            next[side] = next[side].wrapping_add(part.len() as u32);
        }
        // A gap, as a capture with drops has it.
        if lead[0] & 0x80 != 0 {
            next[side] = next[side].wrapping_add(500);
        }
    }
    if is_tcp {
        run.give(&tcp(client, server, next[0], next[1], FIN | ACK, b""));
        run.give(&tcp(server, client, next[1], next[0].wrapping_add(1), FIN | ACK, b""));
    }
    run.finish();
    // A parser's panic is caught where the sensor runs; under a fuzzer it is the finding.
    let tally = run.tally();
    let caught: Vec<(&str, u64)> = tally
        .iter()
        .filter(|(name, n)| name.contains("panic") && *n > 0)
        .collect();
    assert!(caught.is_empty(), "{caught:?}");
}

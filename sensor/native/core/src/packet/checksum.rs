//! The Internet checksum (RFC 1071).

use std::net::IpAddr;

/// Sums big-endian 16-bit words, folded as far as 32 bits allow.
fn sum(bytes: &[u8]) -> u64 {
    let mut total: u64 = 0;
    let mut chunks = bytes.chunks_exact(8);
    for chunk in &mut chunks {
        let word = u64::from_be_bytes(chunk.try_into().unwrap_or([0; 8]));
        // Two 32-bit halves: 2^32 = 1 modulo 65535, so halves may be added as they are.
        total += (word >> 32) + (word & 0xffff_ffff);
    }
    let mut rest = chunks.remainder();
    while let [first, second, more @ ..] = rest {
        total += u64::from(u16::from_be_bytes([*first, *second]));
        rest = more;
    }
    if let [last] = rest {
        total += u64::from(*last) << 8;
    }
    total
}

fn fold(mut total: u64) -> u16 {
    while total > 0xffff {
        total = (total & 0xffff) + (total >> 16);
    }
    total as u16
}

/// The checksum of `bytes`; 0 where they hold their own right checksum.
pub(crate) fn of(bytes: &[u8]) -> u16 {
    !fold(sum(bytes))
}

/// Whether a TCP, UDP or `ICMPv6` segment's checksum is right under its pseudo-header.
pub(crate) fn transport_ok(src: IpAddr, dst: IpAddr, protocol: u8, segment: &[u8]) -> bool {
    let addresses = match (src, dst) {
        (IpAddr::V4(a), IpAddr::V4(b)) => sum(&a.octets()) + sum(&b.octets()),
        (IpAddr::V6(a), IpAddr::V6(b)) => sum(&a.octets()) + sum(&b.octets()),
        _ => return false,
    };
    fold(addresses + u64::from(protocol) + segment.len() as u64 + sum(segment)) == 0xffff
}

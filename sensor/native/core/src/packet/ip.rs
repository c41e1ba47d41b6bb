//! IPv4 (RFC 791) and IPv6 (RFC 8200) headers, with extension headers.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use super::{Stop, be32};

/// Extension headers followed before a packet is given up.
const MAX_EXTENSIONS: usize = 16;

pub(crate) const ICMP: u8 = 1;
pub(crate) const IPV4: u8 = 4;
pub(crate) const TCP: u8 = 6;
pub(crate) const UDP: u8 = 17;
pub(crate) const IPV6: u8 = 41;
pub(crate) const GRE: u8 = 47;
pub(crate) const ICMPV6: u8 = 58;
pub(crate) const NO_NEXT: u8 = 59;

/// A fragment's place in its datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Piece {
    pub(crate) id: u32,
    /// First byte's offset in the datagram's payload.
    pub(crate) offset: usize,
    pub(crate) more: bool,
}

/// One IP packet.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Ip<'a> {
    pub(crate) src: IpAddr,
    pub(crate) dst: IpAddr,
    /// Protocol of the payload, after extension headers.
    pub(crate) protocol: u8,
    /// Whole length as the header says, in bytes.
    pub(crate) total_len: u32,
    /// Payload length as the header says; above `payload.len()` where the capture cut it.
    pub(crate) payload_len: usize,
    pub(crate) payload: &'a [u8],
    pub(crate) piece: Option<Piece>,
    /// Whether the header's checksum is right (always for IPv6).
    pub(crate) checksum_ok: bool,
}

/// Parses one IP packet; bytes after its own length (Ethernet padding) are cut off.
pub(crate) fn parse(data: &[u8]) -> Result<Ip<'_>, Stop> {
    match data.first().map(|byte| byte >> 4) {
        Some(4) => v4(data),
        Some(6) => v6(data),
        Some(_) => Err(Stop::Malformed),
        None => Err(Stop::Truncated),
    }
}

fn v4(data: &[u8]) -> Result<Ip<'_>, Stop> {
    let head = data.get(..20).ok_or(Stop::Truncated)?;
    let header_len = usize::from(head[0] & 0x0f) * 4;
    let mut total = usize::from(u16::from_be_bytes([head[2], head[3]]));
    if header_len < 20 {
        return Err(Stop::Malformed);
    }
    // Segmentation offload leaves 0: then the frame's length has to do.
    if total == 0 {
        total = data.len();
    }
    if total < header_len {
        return Err(Stop::Malformed);
    }
    if data.len() < header_len {
        return Err(Stop::Truncated);
    }
    let flags = u16::from_be_bytes([head[6], head[7]]);
    let (more, offset) = (flags & 0x2000 != 0, usize::from(flags & 0x1fff) * 8);
    let id = u32::from(u16::from_be_bytes([head[4], head[5]]));
    let address = |at: usize| IpAddr::V4(Ipv4Addr::new(head[at], head[at + 1], head[at + 2], head[at + 3]));
    Ok(Ip {
        src: address(12),
        dst: address(16),
        protocol: head[9],
        total_len: total as u32,
        payload_len: total - header_len,
        payload: &data[header_len..total.min(data.len())],
        piece: (more || offset > 0).then_some(Piece { id, offset, more }),
        checksum_ok: super::checksum::of(&data[..header_len]) == 0,
    })
}

fn v6(data: &[u8]) -> Result<Ip<'_>, Stop> {
    let head = data.get(..40).ok_or(Stop::Truncated)?;
    let mut length = usize::from(u16::from_be_bytes([head[4], head[5]]));
    if length == 0 && head[6] != NO_NEXT {
        length = jumbo(data).unwrap_or(data.len() - 40);
    }
    let address = |at: usize| -> Result<IpAddr, Stop> {
        let bytes: [u8; 16] = head[at..at + 16].try_into().map_err(|_| Stop::Truncated)?;
        Ok(IpAddr::V6(Ipv6Addr::from(bytes)))
    };
    let whole = &data[..data.len().min(40 + length)];
    let (mut protocol, mut at, mut piece) = (head[6], 40, None);
    let mut dst = address(24)?;
    for _ in 0..MAX_EXTENSIONS {
        let next = match protocol {
            // Hop-by-hop, routing, destination options, mobility, HIP, shim6: length in 8 bytes beyond the first 8.
            0 | 43 | 60 | 135 | 139 | 140 => {
                let extension = whole.get(at..at + 8).ok_or(Stop::Truncated)?;
                if protocol == 43 {
                    dst = final_destination(whole, at).unwrap_or(dst);
                }
                at += (usize::from(extension[1]) + 1) * 8;
                extension[0]
            }
            // Authentication header (RFC 4302): length in 4 bytes beyond the first 8.
            51 => {
                let extension = whole.get(at..at + 8).ok_or(Stop::Truncated)?;
                at += (usize::from(extension[1]) + 2) * 4;
                extension[0]
            }
            44 => {
                let extension = whole.get(at..at + 8).ok_or(Stop::Truncated)?;
                let place = u16::from_be_bytes([extension[2], extension[3]]);
                let id = be32(extension, 4).ok_or(Stop::Truncated)?;
                let (offset, more) = (usize::from(place & 0xfff8), place & 1 != 0);
                at += 8;
                // An atomic fragment (RFC 6946) is whole.
                if more || offset > 0 {
                    piece = Some(Piece { id, offset, more });
                    protocol = extension[0];
                    break;
                }
                extension[0]
            }
            _ => break,
        };
        protocol = next;
    }
    let payload = whole.get(at..).ok_or(Stop::Truncated)?;
    Ok(Ip {
        src: address(8)?,
        dst,
        protocol,
        total_len: (40 + length) as u32,
        payload_len: (40 + length).checked_sub(at).ok_or(Stop::Malformed)?,
        payload,
        piece,
        checksum_ok: true,
    })
}

/// Payload length of a jumbogram (RFC 2675): option 194 of a leading hop-by-hop header.
fn jumbo(data: &[u8]) -> Option<usize> {
    if data[6] != 0 || data.get(42..44)? != [194, 4] {
        return None;
    }
    Some(be32(data, 44)? as usize)
}

/// The last address of a source route (type 0) with segments left: checksums and flows are between the ends.
fn final_destination(packet: &[u8], at: usize) -> Option<IpAddr> {
    let (length, kind, left) = (usize::from(packet[at + 1]), packet[at + 2], packet[at + 3]);
    if kind != 0 || left == 0 || length < 2 {
        return None;
    }
    let bytes: [u8; 16] = packet
        .get(at + 8 + (length / 2 - 1) * 16..)?
        .get(..16)?
        .try_into()
        .ok()?;
    Some(IpAddr::V6(Ipv6Addr::from(bytes)))
}

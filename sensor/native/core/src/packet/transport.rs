//! TCP (RFC 9293), UDP (RFC 768) and ICMP headers.

use super::{Stop, be16, be32};

/// TCP control bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Flags(pub(crate) u8);

impl Flags {
    pub(crate) const fn fin(self) -> bool {
        self.0 & 0x01 != 0
    }
    pub(crate) const fn syn(self) -> bool {
        self.0 & 0x02 != 0
    }
    pub(crate) const fn rst(self) -> bool {
        self.0 & 0x04 != 0
    }
    pub(crate) const fn ack(self) -> bool {
        self.0 & 0x10 != 0
    }
}

/// One TCP segment.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Segment<'a> {
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    pub(crate) seq: u32,
    pub(crate) ack: u32,
    pub(crate) flags: Flags,
    pub(crate) window: u16,
    pub(crate) data: &'a [u8],
    /// Data length on the wire; above `data.len()` where the capture cut it.
    pub(crate) data_len: usize,
}

/// Parses a TCP header; `wire_len` is the payload length that IP says.
pub(crate) fn tcp(payload: &[u8], wire_len: usize) -> Result<Segment<'_>, Stop> {
    let head = payload.get(..20).ok_or(Stop::Truncated)?;
    let header_len = usize::from(head[12] >> 4) * 4;
    if header_len < 20 || header_len > wire_len {
        return Err(Stop::Malformed);
    }
    let flags = Flags(head[13]);
    Ok(Segment {
        src_port: u16::from_be_bytes([head[0], head[1]]),
        dst_port: u16::from_be_bytes([head[2], head[3]]),
        seq: be32(head, 4).ok_or(Stop::Truncated)?,
        ack: be32(head, 8).ok_or(Stop::Truncated)?,
        flags,
        window: u16::from_be_bytes([head[14], head[15]]),
        data: payload.get(header_len..).unwrap_or(&[]),
        data_len: wire_len - header_len,
    })
}

/// One UDP datagram.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Datagram<'a> {
    pub(crate) src_port: u16,
    pub(crate) dst_port: u16,
    /// 0 where the sender left it out.
    pub(crate) checksum: u16,
    pub(crate) data: &'a [u8],
    /// Data length on the wire; above `data.len()` where the capture cut it.
    pub(crate) data_len: usize,
}

/// Parses a UDP header; `wire_len` is the payload length that IP says.
pub(crate) fn udp(payload: &[u8], wire_len: usize) -> Result<Datagram<'_>, Stop> {
    let head = payload.get(..8).ok_or(Stop::Truncated)?;
    // A length of 0 stands for a jumbogram, a wrong one for a sender to distrust: IP's counts then.
    let said = usize::from(u16::from_be_bytes([head[4], head[5]]));
    let length = if said < 8 || said > wire_len { wire_len } else { said };
    let data_len = length.checked_sub(8).ok_or(Stop::Malformed)?;
    Ok(Datagram {
        src_port: u16::from_be_bytes([head[0], head[1]]),
        dst_port: u16::from_be_bytes([head[2], head[3]]),
        checksum: be16(head, 6).ok_or(Stop::Truncated)?,
        data: &payload[8..payload.len().min(length)],
        data_len,
    })
}

/// How an ICMP message stands for ports: its type, and its answer's type or, where there is none, its code.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Icmp {
    pub(crate) kind: u16,
    pub(crate) counterpart: u16,
    /// No answer belongs to it: each direction is a connection of its own.
    pub(crate) one_way: bool,
}

/// Question and answer types of ICMP (RFC 792, 950, 1256).
const PAIRS_V4: [(u8, u8); 5] = [(8, 0), (13, 14), (15, 16), (17, 18), (10, 9)];
/// Question and answer types of `ICMPv6` (RFC 4443, 4861, 2710, 4620, 6275).
const PAIRS_V6: [(u8, u8); 6] = [(128, 129), (133, 134), (135, 136), (130, 131), (139, 140), (144, 145)];

/// Reads type and code.
pub(crate) fn icmp(payload: &[u8], v6: bool) -> Result<Icmp, Stop> {
    let [kind, code, ..] = payload.get(..8).ok_or(Stop::Truncated)? else {
        return Err(Stop::Truncated);
    };
    let pairs: &[(u8, u8)] = if v6 { &PAIRS_V6 } else { &PAIRS_V4 };
    for (question, answer) in pairs {
        if kind == question {
            return Ok(Icmp {
                kind: u16::from(*kind),
                counterpart: u16::from(*answer),
                one_way: false,
            });
        }
        if kind == answer {
            return Ok(Icmp {
                kind: u16::from(*kind),
                counterpart: u16::from(*question),
                one_way: false,
            });
        }
    }
    Ok(Icmp {
        kind: u16::from(*kind),
        counterpart: u16::from(*code),
        one_way: true,
    })
}

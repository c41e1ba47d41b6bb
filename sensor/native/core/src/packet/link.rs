//! Link layers and what stands between them and IP: VLAN tags, `PPPoE`, MPLS, provider bridges and the like.

use super::{Stop, be16, be32};

/// Headers looked through before a frame is given up.
pub(crate) const MAX_HEADERS: usize = 8;

/// What the first header of a frame is, by its number in pcap files (LINKTYPE_*).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct LinkType(pub u32);

impl LinkType {
    /// Ethernet.
    pub const ETHERNET: Self = Self(1);
    /// IPv4 or IPv6 without a link header.
    pub const RAW: Self = Self(101);
}

struct Kind {
    number: u32,
    name: &'static str,
    served: bool,
}

const fn served(number: u32, name: &'static str) -> Kind {
    Kind {
        number,
        name,
        served: true,
    }
}

const fn named(number: u32, name: &'static str) -> Kind {
    Kind {
        number,
        name,
        served: false,
    }
}

/// Link types by number; those not served are named in the error.
const KINDS: [Kind; 24] = [
    served(0, "BSD loopback"),
    served(1, "Ethernet"),
    named(6, "Token Ring"),
    served(9, "PPP"),
    served(12, "raw IP"),
    served(14, "raw IP"),
    served(50, "PPP over HDLC"),
    served(101, "raw IP"),
    served(104, "Cisco HDLC"),
    named(105, "802.11"),
    served(108, "OpenBSD loopback"),
    served(113, "Linux cooked"),
    named(119, "802.11 with Prism header"),
    named(127, "802.11 with radiotap header"),
    named(163, "802.11 with AVS header"),
    named(189, "USB"),
    named(192, "PPI"),
    named(195, "802.15.4"),
    named(201, "Bluetooth HCI"),
    served(228, "raw IPv4"),
    served(229, "raw IPv6"),
    served(239, "Linux netfilter log"),
    named(253, "netlink"),
    served(276, "Linux cooked v2"),
];

/// Whether frames of this link type are decoded.
pub(crate) fn is_served(number: u32) -> bool {
    KINDS.iter().any(|kind| kind.number == number && kind.served)
}

/// The link type's name for messages.
pub(crate) fn name_of(number: u32) -> &'static str {
    KINDS
        .iter()
        .find(|kind| kind.number == number)
        .map_or("unknown", |kind| kind.name)
}

/// What the headers before IP said.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct LinkInfo {
    pub(crate) src: Option<[u8; 6]>,
    pub(crate) dst: Option<[u8; 6]>,
    /// Outer and inner VLAN identifier, where tagged.
    pub(crate) vlans: [Option<u16>; 2],
}

impl LinkInfo {
    fn tag(&mut self, vlan: u16) {
        let slot = usize::from(self.vlans[0].is_some());
        self.vlans[slot] = Some(vlan & 0x0fff);
    }
}

/// Strips everything before the IP header.
pub(crate) fn strip<'a>(link: LinkType, frame: &'a [u8], info: &mut LinkInfo) -> Result<&'a [u8], Stop> {
    match link.0 {
        1 => ethernet(frame, info, 0),
        0 | 108 => {
            // The address family in the capturing machine's byte order (BSDs differ on IPv6's number).
            let family = be32(frame, 0).ok_or(Stop::Truncated)?;
            match if family > 0xffff { family.swap_bytes() } else { family } {
                2 | 10 | 24 | 28 | 30 => Ok(&frame[4..]),
                _ => Err(Stop::NotIp),
            }
        }
        9 | 50 => ppp(frame.strip_prefix(&[0xff, 0x03]).unwrap_or(frame), info, 0),
        104 => after_ethertype(frame, 2, info, 0),
        113 => {
            if be16(frame, 4) == Some(6) {
                info.src = frame.get(6..12).and_then(|mac| mac.try_into().ok());
            }
            after_ethertype(frame, 14, info, 0)
        }
        276 => {
            let kind = be16(frame, 0).ok_or(Stop::Truncated)?;
            if frame.get(11) == Some(&6) {
                info.src = frame.get(12..18).and_then(|mac| mac.try_into().ok());
            }
            network(kind, frame.get(20..).ok_or(Stop::Truncated)?, info, 0)
        }
        239 => netfilter_log(frame),
        _ => Ok(frame),
    }
}

/// An Ethernet header and what follows; `depth` headers were seen before it.
pub(crate) fn ethernet<'a>(frame: &'a [u8], info: &mut LinkInfo, depth: usize) -> Result<&'a [u8], Stop> {
    info.dst = Some(
        frame
            .get(..6)
            .and_then(|mac| mac.try_into().ok())
            .ok_or(Stop::Truncated)?,
    );
    info.src = Some(
        frame
            .get(6..12)
            .and_then(|mac| mac.try_into().ok())
            .ok_or(Stop::Truncated)?,
    );
    after_ethertype(frame, 12, info, depth)
}

fn after_ethertype<'a>(frame: &'a [u8], at: usize, info: &mut LinkInfo, depth: usize) -> Result<&'a [u8], Stop> {
    let kind = be16(frame, at).ok_or(Stop::Truncated)?;
    network(kind, &frame[at + 2..], info, depth)
}

/// Follows an `EtherType` (IEEE registry) to IP.
pub(crate) fn network<'a>(kind: u16, data: &'a [u8], info: &mut LinkInfo, depth: usize) -> Result<&'a [u8], Stop> {
    if depth >= MAX_HEADERS {
        return Err(Stop::TooDeep);
    }
    let depth = depth + 1;
    match kind {
        0x0800 | 0x86dd => Ok(data),
        0x8100 | 0x88a8 | 0x9100 => {
            info.tag(be16(data, 0).ok_or(Stop::Truncated)?);
            after_ethertype(data, 2, info, depth)
        }
        // PPPoE session (RFC 2516): version, code, session, length, then PPP.
        0x8864 => ppp(data.get(6..).ok_or(Stop::Truncated)?, info, depth),
        0x8847 | 0x8848 => mpls(data, info, depth),
        // VN-Tag (802.1BR), 802.1ah I-TAG, Cisco FabricPath, transparent Ethernet bridging.
        0x8926 => after_ethertype(data, 4, info, depth),
        0x88e7 => ethernet(data.get(4..).ok_or(Stop::Truncated)?, info, depth),
        0x8903 => ethernet(data.get(2..).ok_or(Stop::Truncated)?, info, depth),
        0x6558 => ethernet(data, info, depth),
        0x894f => nsh(data, info, depth),
        // A length below 1536 stands for LLC (802.2); only SNAP with an EtherType leads to IP.
        0..=1500 => match data {
            [0xaa, 0xaa, 3, 0, 0, 0, ..] => after_ethertype(data, 6, info, depth),
            _ => Err(Stop::NotIp),
        },
        _ => Err(Stop::NotIp),
    }
}

fn ppp<'a>(data: &'a [u8], info: &mut LinkInfo, depth: usize) -> Result<&'a [u8], Stop> {
    // The protocol field may be compressed to one odd byte (RFC 1661, 6.5).
    let (protocol, rest) = match data {
        [first, rest @ ..] if first & 1 == 1 => (u16::from(*first), rest),
        [first, second, rest @ ..] => (u16::from_be_bytes([*first, *second]), rest),
        _ => return Err(Stop::Truncated),
    };
    match protocol {
        0x0021 | 0x0057 => Ok(rest),
        0x0281 => mpls(rest, info, depth),
        _ => Err(Stop::NotIp),
    }
}

/// Pops labels; the payload has no type of its own, so its first nibble decides (RFC 4928).
fn mpls<'a>(mut data: &'a [u8], info: &mut LinkInfo, depth: usize) -> Result<&'a [u8], Stop> {
    for _ in 0..16 {
        let label = be32(data, 0).ok_or(Stop::Truncated)?;
        data = &data[4..];
        if label & 0x100 != 0 {
            return match data.first().map(|byte| byte >> 4) {
                Some(4 | 6) => Ok(data),
                // A control word (RFC 4385) comes before an Ethernet pseudo-wire.
                Some(0) if depth < MAX_HEADERS => ethernet(data.get(4..).ok_or(Stop::Truncated)?, info, depth + 1),
                Some(_) if depth < MAX_HEADERS => ethernet(data, info, depth + 1),
                Some(_) => Err(Stop::TooDeep),
                None => Err(Stop::Truncated),
            };
        }
    }
    Err(Stop::TooDeep)
}

/// Network service header (RFC 8300): length in words, then the payload's protocol.
fn nsh<'a>(data: &'a [u8], info: &mut LinkInfo, depth: usize) -> Result<&'a [u8], Stop> {
    let head = data.get(..8).ok_or(Stop::Truncated)?;
    let rest = data.get(usize::from(head[1] & 0x3f) * 4..).ok_or(Stop::Truncated)?;
    match head[3] {
        1 | 2 => Ok(rest),
        3 => ethernet(rest, info, depth),
        _ => Err(Stop::NotIp),
    }
}

/// Netfilter log: attributes of (length, type) in the capturing machine's byte order; type 9 is the packet.
fn netfilter_log(frame: &[u8]) -> Result<&[u8], Stop> {
    let mut rest = frame.get(4..).ok_or(Stop::Truncated)?;
    while rest.len() >= 4 {
        let (length, kind) = (
            u16::from_le_bytes([rest[0], rest[1]]),
            u16::from_le_bytes([rest[2], rest[3]]),
        );
        let length = usize::from(length);
        if length < 4 || length > rest.len() {
            return Err(Stop::Malformed);
        }
        if kind & 0x7fff == 9 {
            return Ok(&rest[4..length]);
        }
        rest = rest.get(length.next_multiple_of(4)..).unwrap_or(&[]);
    }
    Err(Stop::NotIp)
}

//! Encapsulations inside IP, UDP: what follows is looked into only where it verifies; else the packet stays what it was.

use super::ip::{self, Ip};
use super::link::{LinkInfo, ethernet, network};
use super::{be16, be32};

/// A kind of tunnel, by the name Zeek gives it (`Tunnel::…`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Kind {
    Ip,
    Gre,
    Vxlan,
    Geneve,
    Teredo,
    Gtpv1,
    Ayiya,
}

impl Kind {
    /// Zeek's `tunnel_type`.
    pub(crate) const fn name(self) -> &'static str {
        match self {
            Self::Ip => "Tunnel::IP",
            Self::Gre => "Tunnel::GRE",
            Self::Vxlan => "Tunnel::VXLAN",
            Self::Geneve => "Tunnel::GENEVE",
            Self::Teredo => "Tunnel::TEREDO",
            Self::Gtpv1 => "Tunnel::GTPv1",
            Self::Ayiya => "Tunnel::AYIYA",
        }
    }

    /// What the outer connection's `service` says.
    pub(crate) const fn service(self) -> &'static str {
        match self {
            Self::Ip => "ip",
            Self::Gre => "gre",
            Self::Vxlan => "vxlan",
            Self::Geneve => "geneve",
            Self::Teredo => "teredo",
            Self::Gtpv1 => "gtpv1",
            Self::Ayiya => "ayiya",
        }
    }
}

/// An inner IP packet and the link headers, if any, before it.
pub(crate) struct Inner<'a> {
    pub(crate) kind: Kind,
    pub(crate) ip: &'a [u8],
    pub(crate) info: LinkInfo,
}

fn bare(kind: Kind, ip: &[u8]) -> Option<Inner<'_>> {
    let inner = ip::parse(ip).ok()?;
    plausible(&inner).then(|| Inner {
        kind,
        ip,
        info: LinkInfo::default(),
    })
}

fn framed(kind: Kind, frame: &[u8]) -> Option<Inner<'_>> {
    let mut info = LinkInfo::default();
    let ip = ethernet(frame, &mut info, 1).ok()?;
    ip::parse(ip).ok()?;
    Some(Inner { kind, ip, info })
}

/// Whether the inner packet holds together: a length that fits what carries it.
fn plausible(inner: &Ip<'_>) -> bool {
    inner.checksum_ok && inner.total_len >= 20
}

/// What an IP packet of this protocol carries, if it is a tunnel.
pub(crate) fn in_ip(protocol: u8, payload: &[u8]) -> Option<Inner<'_>> {
    match protocol {
        ip::IPV4 if payload.first()? >> 4 == 4 => bare(Kind::Ip, payload),
        ip::IPV6 if payload.first()? >> 4 == 6 => bare(Kind::Ip, payload),
        ip::GRE => gre(payload),
        _ => None,
    }
}

/// GRE (RFC 2784, 2890; PPTP's version 1, RFC 2637) and ERSPAN in it.
fn gre(payload: &[u8]) -> Option<Inner<'_>> {
    let flags = be16(payload, 0)?;
    let protocol = be16(payload, 2)?;
    let (checksum, routing, key, sequence) = (
        flags & 0x8000 != 0,
        flags & 0x4000 != 0,
        flags & 0x2000 != 0,
        flags & 0x1000 != 0,
    );
    let mut length = 4;
    match flags & 0x7 {
        0 => {
            if routing {
                return None;
            }
            length += 4 * (usize::from(checksum) + usize::from(key) + usize::from(sequence));
        }
        1 => length += 4 + 4 * (usize::from(sequence) + usize::from(flags & 0x0080 != 0)),
        _ => return None,
    }
    let rest = payload.get(length..)?;
    match protocol {
        0x0800 | 0x86dd => bare(Kind::Gre, rest),
        0x6558 => framed(Kind::Gre, rest),
        // ERSPAN: type I has no header of its own, type II one of 8 bytes, type III 12 or 20.
        0x88be if !sequence => framed(Kind::Gre, rest),
        0x88be => framed(Kind::Gre, rest.get(8..)?),
        0x22eb => {
            let subheader = rest.get(11)? & 1 != 0;
            framed(Kind::Gre, rest.get(if subheader { 20 } else { 12 }..)?)
        }
        0x8847 | 0x8848 | 0x8100 => {
            let mut info = LinkInfo::default();
            let ip = network(protocol, rest, &mut info, 1).ok()?;
            Some(Inner {
                kind: Kind::Gre,
                ip,
                info,
            })
        }
        0x880b => {
            let rest = rest.strip_prefix(&[0xff, 0x03]).unwrap_or(rest);
            match rest {
                [0x21 | 0x57, ip @ ..] | [0, 0x21 | 0x57, ip @ ..] => bare(Kind::Gre, ip),
                _ => None,
            }
        }
        _ => None,
    }
}

/// What a UDP datagram carries, if it is a tunnel: the port proposes, the content decides. A tunnel may carry no IP.
pub(crate) fn in_udp(src_port: u16, dst_port: u16, data: &[u8]) -> Option<(Kind, Option<Inner<'_>>)> {
    let either = |port| src_port == port || dst_port == port;
    match dst_port {
        4789 | 8472 => return vxlan(data),
        6081 => return geneve(data),
        _ => {}
    }
    let inner = if either(3544) {
        teredo(data)
    } else if either(2152) || either(2123) {
        gtp(data)
    } else if either(5072) {
        ayiya(data)
    } else {
        None
    };
    inner.map(|inner| (inner.kind, Some(inner)))
}

/// VXLAN (RFC 7348): flags with the I bit, reserved bytes, network identifier.
fn vxlan(data: &[u8]) -> Option<(Kind, Option<Inner<'_>>)> {
    (data.first()? & 0x08 != 0).then_some(())?;
    Some((Kind::Vxlan, framed(Kind::Vxlan, data.get(8..)?)))
}

/// Geneve (RFC 8926): version 0, options in words, protocol.
fn geneve(data: &[u8]) -> Option<(Kind, Option<Inner<'_>>)> {
    let first = data.first()?;
    (first >> 6 == 0).then_some(())?;
    let rest = data.get(8 + usize::from(first & 0x3f) * 4..)?;
    let inner = match be16(data, 2)? {
        0x6558 => framed(Kind::Geneve, rest),
        0x0800 | 0x86dd => bare(Kind::Geneve, rest),
        _ => return None,
    };
    Some((Kind::Geneve, inner))
}

/// Teredo (RFC 4380): authentication and origin indications, IPv6, then nothing but trailers (RFC 6081).
fn teredo(mut data: &[u8]) -> Option<Inner<'_>> {
    if be16(data, 0)? == 1 {
        let (id, auth) = (usize::from(*data.get(2)?), usize::from(*data.get(3)?));
        data = data.get(4 + id + auth + 9..)?;
    }
    if be16(data, 0)? == 0 {
        data = data.get(8..)?;
    }
    (data.first()? >> 4 == 6).then_some(())?;
    let length = ip::parse(data).ok()?.total_len as usize;
    let mut trailers = data.get(length..)?;
    while let [_, length, rest @ ..] = trailers {
        trailers = rest.get(usize::from(*length)..)?;
    }
    trailers.is_empty().then_some(())?;
    bare(Kind::Teredo, &data[..length])
}

/// GTPv1-U (3GPP TS 29.281): version 1, protocol type 1, message 255, optional fields and extension headers.
fn gtp(data: &[u8]) -> Option<Inner<'_>> {
    let head = data.get(..8)?;
    (head[0] >> 5 == 1 && head[0] & 0x10 != 0 && head[1] == 0xff).then_some(())?;
    (usize::from(be16(head, 2)?) == data.len() - 8).then_some(())?;
    let mut at = 8;
    if head[0] & 0x07 != 0 {
        let mut next = *data.get(11)?;
        at = 12;
        while head[0] & 0x04 != 0 && next != 0 {
            let length = usize::from(*data.get(at)?) * 4;
            (length >= 4).then_some(())?;
            next = *data.get(at + length - 1)?;
            at += length;
        }
    }
    bare(Kind::Gtpv1, data.get(at..)?)
}

/// AYIYA (draft-massar-v6ops-ayiya): identity and signature lengths in words, operation forward, IPv6 or IPv4.
fn ayiya(data: &[u8]) -> Option<Inner<'_>> {
    let head = be32(data, 0)?;
    let (identity, signature) = (1usize << (head >> 28), (head >> 20 & 0xf) as usize * 4);
    let (operation, next) = (head >> 8 & 0xf, (head & 0xff) as u8);
    // Operation 1 is forward.
    (operation == 1 && matches!(next, ip::IPV4 | ip::IPV6)).then_some(())?;
    bare(Kind::Ayiya, data.get(8 + identity + signature..)?)
}

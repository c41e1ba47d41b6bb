//! TLS records and handshake messages (RFC 5246, 8446) as far as they are in the clear.

use crate::packet::{be16, be32};

pub(super) const CHANGE_CIPHER_SPEC: u8 = 20;
pub(super) const ALERT: u8 = 21;
pub(super) const HANDSHAKE: u8 = 22;
pub(super) const APPLICATION_DATA: u8 = 23;
pub(super) const HEARTBEAT: u8 = 24;

pub(super) const CLIENT_HELLO: u8 = 1;
pub(super) const SERVER_HELLO: u8 = 2;

pub(super) const RECORD_HEADER: usize = 5;
/// 2^14 of plain text and what old ciphers may add.
const MAX_RECORD: usize = (1 << 14) + 2048;

/// A record's header: type and length; `None` where it is no TLS.
pub(super) fn record_header(head: [u8; RECORD_HEADER]) -> Option<(u8, usize)> {
    let length = usize::from(u16::from_be_bytes([head[3], head[4]]));
    let known = matches!(head[0], CHANGE_CIPHER_SPEC..=HEARTBEAT) && head[1] == 3 && length <= MAX_RECORD;
    known.then_some((head[0], length))
}

/// Reads vectors with a length before them, cut anywhere.
#[derive(Clone, Copy)]
pub(super) struct Cursor<'a>(pub(super) &'a [u8]);

impl<'a> Cursor<'a> {
    pub(super) fn take(&mut self, n: usize) -> Option<&'a [u8]> {
        let (taken, rest) = self.0.split_at_checked(n)?;
        self.0 = rest;
        Some(taken)
    }

    pub(super) fn u8(&mut self) -> Option<u8> {
        self.take(1).map(|bytes| bytes[0])
    }

    pub(super) fn u16(&mut self) -> Option<u16> {
        self.take(2).and_then(|bytes| be16(bytes, 0))
    }

    fn u24(&mut self) -> Option<usize> {
        let bytes = self.take(3)?;
        Some(usize::from(bytes[0]) << 16 | usize::from(bytes[1]) << 8 | usize::from(bytes[2]))
    }

    fn vector8(&mut self) -> Option<&'a [u8]> {
        let n = self.u8()?;
        self.take(n.into())
    }

    fn vector16(&mut self) -> Option<&'a [u8]> {
        let n = self.u16()?;
        self.take(n.into())
    }

    fn vector24(&mut self) -> Option<&'a [u8]> {
        let n = self.u24()?;
        self.take(n)
    }
}

/// Sixteen-bit numbers of a vector.
fn numbers(bytes: &[u8]) -> impl Iterator<Item = u16> {
    bytes.chunks_exact(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

/// Reserved values that clients sprinkle in (RFC 8701).
fn is_grease(value: u16) -> bool {
    value & 0x0f0f == 0x0a0a && value >> 8 == value & 0xff
}

/// What is used of a client hello.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ClientHello {
    pub(super) version: u16,
    pub(super) session_id: Vec<u8>,
    /// In the order offered, without reserved values; so are all lists here.
    pub(super) ciphers: Vec<u16>,
    pub(super) extensions: Vec<u16>,
    pub(super) server_name: Option<Vec<u8>>,
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) signature_algorithms: Vec<u16>,
    pub(super) versions: Vec<u16>,
    pub(super) has_ticket: bool,
    pub(super) has_psk: bool,
}

/// What is used of a server hello.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct ServerHello {
    pub(super) version: u16,
    pub(super) is_retry: bool,
    pub(super) session_id: Vec<u8>,
    pub(super) cipher: u16,
    pub(super) selected_version: Option<u16>,
    pub(super) group: Option<u16>,
    pub(super) alpn: Option<Vec<u8>>,
    pub(super) has_psk: bool,
}

/// The random of a hello retry request (RFC 8446, 4.1.3).
const RETRY: [u8; 32] = [
    0xcf, 0x21, 0xad, 0x74, 0xe5, 0x9a, 0x61, 0x11, 0xbe, 0x1d, 0x8c, 0x02, 0x1e, 0x65, 0xb8, 0x91, 0xc2, 0xa2, 0x11,
    0x16, 0x7a, 0xbb, 0x8c, 0x5e, 0x07, 0x9e, 0x09, 0xe2, 0xc8, 0xa8, 0x33, 0x9c,
];

/// Reads a client hello's body; damage among the extensions ends them.
pub(super) fn client_hello(body: &[u8]) -> Option<ClientHello> {
    let mut at = Cursor(body);
    let mut hello = ClientHello {
        version: at.u16()?,
        ..ClientHello::default()
    };
    at.take(32)?;
    hello.session_id = at.vector8()?.to_vec();
    hello.ciphers = numbers(at.vector16()?).filter(|cipher| !is_grease(*cipher)).collect();
    at.vector8()?;
    let mut extensions = Cursor(at.vector16().unwrap_or(&[]));
    while let (Some(kind), Some(data)) = (extensions.u16(), extensions.vector16()) {
        if is_grease(kind) {
            continue;
        }
        hello.extensions.push(kind);
        let mut data = Cursor(data);
        match kind {
            0 => hello.server_name = server_name(data),
            13 => {
                let listed = data.vector16().unwrap_or(&[]);
                hello.signature_algorithms = numbers(listed).filter(|value| !is_grease(*value)).collect();
            }
            16 => hello.alpn = first_protocol(data),
            35 => hello.has_ticket = !data.0.is_empty(),
            41 => hello.has_psk = true,
            43 => {
                let listed = data.vector8().unwrap_or(&[]);
                hello.versions = numbers(listed).filter(|value| !is_grease(*value)).collect();
            }
            _ => {}
        }
    }
    Some(hello)
}

/// Reads a server hello's body.
pub(super) fn server_hello(body: &[u8]) -> Option<ServerHello> {
    let mut at = Cursor(body);
    let mut hello = ServerHello {
        version: at.u16()?,
        ..ServerHello::default()
    };
    hello.is_retry = at.take(32)? == RETRY;
    // Drafts of 1.3 before 22 have no session identifier and no compression here.
    if hello.version >> 8 == 0x7f {
        hello.cipher = at.u16()?;
    } else {
        hello.session_id = at.vector8()?.to_vec();
        hello.cipher = at.u16()?;
        at.u8()?;
    }
    let mut extensions = Cursor(at.vector16().unwrap_or(&[]));
    while let (Some(kind), Some(data)) = (extensions.u16(), extensions.vector16()) {
        let mut data = Cursor(data);
        match kind {
            16 => hello.alpn = first_protocol(data),
            // The key share had number 40 in early drafts.
            40 | 51 => hello.group = data.u16(),
            41 => hello.has_psk = true,
            43 => hello.selected_version = data.u16(),
            _ => {}
        }
    }
    Some(hello)
}

/// The first host name of the extension (RFC 6066, 3).
fn server_name(mut data: Cursor<'_>) -> Option<Vec<u8>> {
    let mut list = Cursor(data.vector16()?);
    while let (Some(kind), Some(name)) = (list.u8(), list.vector16()) {
        if kind == 0 {
            return Some(name.to_vec());
        }
    }
    None
}

/// The first protocol of the extension (RFC 7301).
fn first_protocol(mut data: Cursor<'_>) -> Option<Vec<u8>> {
    Some(Cursor(data.vector16()?).vector8()?.to_vec())
}

/// The named curve of an ECDHE server key exchange (RFC 8422, 5.4).
pub(super) fn named_curve(body: &[u8]) -> Option<u16> {
    match body {
        [3, high, low, ..] => Some(u16::from_be_bytes([*high, *low])),
        _ => None,
    }
}

/// Certificates of a certificate message up to TLS 1.2, the sender's own first.
pub(super) fn certificates(body: &[u8]) -> Vec<&[u8]> {
    let mut found = Vec::new();
    let mut list = Cursor(Cursor(body).vector24().unwrap_or(&[]));
    while let Some(certificate) = list.vector24() {
        found.push(certificate);
    }
    found
}

/// A whole handshake message at the start: type, body, and its length with header.
pub(super) fn message(bytes: &[u8]) -> Option<(u8, &[u8], usize)> {
    let length = announced(bytes)?;
    Some((bytes[0], bytes.get(4..length)?, length))
}

/// Length with header of the handshake message at the start, once its header is there.
pub(super) fn announced(bytes: &[u8]) -> Option<usize> {
    Some((be32(bytes, 0)? & 0x00ff_ffff) as usize + 4)
}

/// Whether bytes start an SSL 2 client hello: its length, or `None`.
pub(super) fn v2_hello(head: &[u8]) -> Option<usize> {
    let head = head.get(..11)?;
    let length = usize::from(u16::from_be_bytes([head[0], head[1]]) & 0x7fff);
    let part = |at: usize| usize::from(u16::from_be_bytes([head[at], head[at + 1]]));
    let fits = head[0] & 0x80 != 0
        && head[2] == 1
        && matches!((head[3], head[4]), (0, 2) | (3, 0..=3))
        && 9 + part(5) + part(7) + part(9) == length
        && part(5) % 3 == 0;
    fits.then_some(length + 2)
}

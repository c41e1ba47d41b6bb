//! Lines, packets and name lists of SSH before encryption (RFC 4253).

/// How a version line starts.
pub(super) const START: &[u8] = b"SSH-";
pub(super) const KEXINIT: u8 = 20;
pub(super) const NEWKEYS: u8 = 21;
/// The server's part of a Diffie-Hellman (RFC 4253, 8) or elliptic-curve exchange (RFC 5656, 4): its host key comes first.
pub(super) const KEX_REPLY: u8 = 31;
/// The same with a group of the server's own (RFC 4419, 3).
pub(super) const GROUP_EXCHANGE_REPLY: u8 = 33;

/// Bytes of one packet (RFC 4253, 6.1).
const MAX_PACKET: usize = 35_000;
const COOKIE: usize = 16;

/// The bytes are no packet in clear.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct NotAPacket;

/// What one end offers, in the order it prefers; pairs are client to server, server to client.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Offer {
    pub(super) kex: String,
    pub(super) host_key: String,
    pub(super) cipher: [String; 2],
    pub(super) mac: [String; 2],
    pub(super) compression: [String; 2],
}

/// Whether a version line allows version 2: `2.0`, or `1.99` for both (RFC 4253, 5.1).
pub(super) fn speaks_two(line: &[u8]) -> bool {
    line.starts_with(b"SSH-2") || line.starts_with(b"SSH-1.99")
}

fn speaks_one(line: &[u8]) -> bool {
    line.starts_with(b"SSH-1")
}

/// The version that both lines allow, the higher one first.
pub(super) fn common_version(client: &[u8], server: &[u8]) -> Option<u64> {
    match [client, server] {
        lines if lines.iter().all(|line| speaks_two(line)) => Some(2),
        lines if lines.iter().all(|line| speaks_one(line)) => Some(1),
        _ => None,
    }
}

/// The payload of the packet at the start and the packet's length; `None` where more bytes are needed.
pub(super) fn packet(bytes: &[u8]) -> Result<Option<(&[u8], usize)>, NotAPacket> {
    let Some((head, rest)) = bytes.split_first_chunk::<4>() else {
        return Ok(None);
    };
    let length = u32::from_be_bytes(*head) as usize;
    if !(2..=MAX_PACKET).contains(&length) {
        return Err(NotAPacket);
    }
    let Some(packet) = rest.get(..length) else {
        return Ok(None);
    };
    let padding = usize::from(packet[0]);
    let payload = packet.get(1..length.saturating_sub(padding)).ok_or(NotAPacket)?;
    Ok(Some((payload, 4 + length)))
}

/// The string (RFC 4251, 5) at the start.
pub(super) fn string(bytes: &[u8]) -> Option<&[u8]> {
    let (head, rest) = bytes.split_first_chunk::<4>()?;
    rest.get(..u32::from_be_bytes(*head) as usize)
}

/// Reads KEXINIT (RFC 4253, 7.1) behind its number.
pub(super) fn offer(body: &[u8]) -> Option<Offer> {
    let mut rest = body.get(COOKIE..)?;
    let mut list = || {
        let names = string(rest)?;
        rest = &rest[4 + names.len()..];
        Some(super::text(names))
    };
    Some(Offer {
        kex: list()?,
        host_key: list()?,
        cipher: [list()?, list()?],
        mac: [list()?, list()?],
        compression: [list()?, list()?],
    })
}

/// The client's first name that the server has too.
pub(super) fn choice(client: &str, server: &str) -> Option<String> {
    let offered: std::collections::HashSet<&str> = server.split(',').collect();
    let name = client.split(',').find(|name| offered.contains(name))?;
    Some(name.to_owned())
}

/// What is chosen for both directions; Zeek's words where they differ.
pub(super) fn both_ways(client: &[String; 2], server: &[String; 2]) -> Option<String> {
    let [up, down] = [0, 1].map(|way| choice(&client[way], &server[way]));
    let (up, down) = (up?, down?);
    Some(if up == down {
        up
    } else {
        format!("To server: {up}, to client: {down}")
    })
}

/// A key's SHA-256 as OpenSSH prints it: base64 (RFC 4648) without padding.
pub(super) fn fingerprint(digest: &[u8]) -> String {
    const DIGITS: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
    let mut out = String::from("SHA256:");
    for part in digest.chunks(3) {
        let word = part
            .iter()
            .enumerate()
            .fold(0u32, |word, (at, byte)| word | u32::from(*byte) << (16 - 8 * at));
        for at in 0..=part.len() {
            out.push(char::from(DIGITS[(word >> (18 - 6 * at)) as usize & 63]));
        }
    }
    out
}

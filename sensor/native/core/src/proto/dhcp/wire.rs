//! One DHCP message (RFC 2131, 2132): fixed fields, magic number, options; also those that overflow into `file` and `sname`.

use std::borrow::Cow;
use std::net::Ipv4Addr;

const FIXED: usize = 236;
const MAGIC: [u8; 4] = [99, 130, 83, 99];
/// Options of one message that are looked at.
const MAX_OPTIONS: usize = 256;

const PAD: u8 = 0;
const OVERLOAD: u8 = 52;
const END: u8 = 255;

/// Options that the record asks for; others are stepped over.
#[derive(Debug, Default)]
pub(super) struct Options<'a> {
    pub(super) host_name: Option<Cow<'a, [u8]>>,
    pub(super) domain: Option<Cow<'a, [u8]>>,
    pub(super) requested: Option<Ipv4Addr>,
    /// Seconds.
    pub(super) lease: Option<u32>,
    pub(super) kind: Option<u8>,
    pub(super) message: Option<Cow<'a, [u8]>>,
    pub(super) client_id: Option<Cow<'a, [u8]>>,
    pub(super) fqdn: Option<Cow<'a, [u8]>>,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) is_request: bool,
    pub(super) xid: u32,
    pub(super) assigned: Ipv4Addr,
    pub(super) hardware: &'a [u8],
    pub(super) options: Options<'a>,
    /// An option runs beyond its field, or there are too many: what came before it counts.
    pub(super) damaged: bool,
}

/// Whether a datagram is a DHCP or BOOTP message.
pub(super) fn is_message(bytes: &[u8]) -> bool {
    bytes.get(FIXED..FIXED + 4) == Some(&MAGIC[..]) && matches!(bytes.first(), Some(1 | 2))
}

impl<'a> Message<'a> {
    /// Reads a datagram; `None` where it is no message.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        if !is_message(bytes) {
            return None;
        }
        let word = |at: usize| Some(u32::from_be_bytes(*bytes.get(at..)?.first_chunk()?));
        let mut message = Self {
            is_request: bytes[0] == 1,
            xid: word(4)?,
            assigned: Ipv4Addr::from_bits(word(16)?),
            hardware: bytes.get(28..28 + usize::from(bytes[2].min(16)))?,
            options: Options::default(),
            damaged: false,
        };
        let mut left = MAX_OPTIONS;
        let overload = message.read(bytes.get(FIXED + 4..)?, &mut left);
        // RFC 2131, 4.1: first `file`, then `sname`. An overload in there is not followed.
        if overload & 1 != 0 {
            message.read(&bytes[108..FIXED], &mut left);
        }
        if overload & 2 != 0 {
            message.read(&bytes[44..108], &mut left);
        }
        Some(message)
    }

    /// Reads one field's options; returns which other fields hold more.
    fn read(&mut self, mut bytes: &'a [u8], left: &mut usize) -> u8 {
        let mut overload = 0;
        while let Some((&code, rest)) = bytes.split_first() {
            bytes = rest;
            match code {
                PAD => continue,
                END => break,
                _ => {}
            }
            let value = rest
                .split_first()
                .and_then(|(length, rest)| rest.split_at_checked(usize::from(*length)));
            let Some((value, rest)) = value.filter(|_| *left > 0) else {
                self.damaged = true;
                break;
            };
            *left -= 1;
            bytes = rest;
            if code == OVERLOAD {
                overload = value.first().copied().unwrap_or(0);
            } else {
                self.option(code, value);
            }
        }
        overload
    }

    fn option(&mut self, code: u8, value: &'a [u8]) {
        let number = || value.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
        let options = &mut self.options;
        let long = match code {
            50 => return options.requested = options.requested.or(number().map(Ipv4Addr::from_bits)),
            51 => return options.lease = options.lease.or(number()),
            53 => return options.kind = options.kind.or(value.first().copied()),
            12 => &mut options.host_name,
            15 => &mut options.domain,
            56 => &mut options.message,
            61 => &mut options.client_id,
            81 => &mut options.fqdn,
            _ => return,
        };
        // RFC 3396: an option that comes again goes on.
        match long {
            Some(long) => long.to_mut().extend_from_slice(value),
            None => *long = Some(Cow::Borrowed(value)),
        }
    }
}

/// The name in a client's FQDN option (RFC 4702): text, or with the flag E labels as DNS has them.
pub(super) fn fqdn(option: &[u8]) -> Option<String> {
    let (head, name) = option.split_at_checked(3)?;
    if head[0] & 4 == 0 {
        return Some(super::text(name));
    }
    let mut labels = Vec::new();
    let mut rest = name;
    while let Some((&length, after)) = rest.split_first() {
        let Some((label, after)) = after.split_at_checked(usize::from(length)) else {
            break;
        };
        if length == 0 {
            break;
        }
        labels.push(super::text(label));
        rest = after;
    }
    Some(labels.join("."))
}

//! The block format (draft-ietf-opsawg-pcapng): sections, interfaces, enhanced, simple and old packet blocks.

use super::window::{Short, Window};
use super::{Damage, MAX_FRAME, Record};
use crate::event::Time;
use crate::packet::link;

const SECTION: u32 = 0x0a0d_0d0a;
const INTERFACE: u32 = 1;
const OLD_PACKET: u32 = 2;
const SIMPLE_PACKET: u32 = 3;
const ENHANCED_PACKET: u32 = 6;
/// Interfaces kept per section; frames of further ones are counted and skipped.
const MAX_INTERFACES: usize = 4096;

/// Whether these bytes start a section header block.
pub(super) fn is_section(head: &[u8]) -> bool {
    head.len() >= 12
        && head[..4] == SECTION.to_be_bytes()
        && matches!(head[8..12], [0x1a, 0x2b, 0x3c, 0x4d] | [0x4d, 0x3c, 0x2b, 0x1a])
}

#[derive(Debug, Clone, Copy)]
struct Interface {
    link: u32,
    snaplen: u32,
    /// Timestamp units a second.
    units: u64,
    /// `if_tsoffset`, in nanoseconds.
    shift: i64,
}

/// What the blocks read so far said.
#[derive(Debug, Default)]
pub(super) struct Sections {
    big_endian: bool,
    interfaces: Vec<Interface>,
}

impl Sections {
    fn u16(&self, bytes: &[u8]) -> u16 {
        let bytes = [bytes[0], bytes[1]];
        if self.big_endian {
            u16::from_be_bytes(bytes)
        } else {
            u16::from_le_bytes(bytes)
        }
    }

    fn u32(&self, bytes: &[u8]) -> u32 {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    /// Reads blocks up to and including the next packet's.
    pub(super) fn next(&mut self, window: &mut Window) -> Record {
        loop {
            let offset = window.offset();
            let head = match window.need(8) {
                Ok(head) => [head[0], head[1], head[2], head[3], head[4], head[5], head[6], head[7]],
                Err(short) => return short.into(),
            };
            // The section's own number reads the same in either byte order.
            if head[..4] == SECTION.to_be_bytes() {
                match window.need(12) {
                    Ok(head) if is_section(head) => self.big_endian = head[8] == 0x1a,
                    Ok(_) => return Record::Damaged(Damage::Corrupt),
                    Err(_) => return Record::Damaged(Damage::Cut),
                }
                self.interfaces.clear();
            }
            let (kind, length) = (self.u32(&head), self.u32(&head[4..]) as usize);
            if length < 12 || length % 4 != 0 {
                return Record::Damaged(Damage::Corrupt);
            }
            if !matches!(kind, INTERFACE | OLD_PACKET | SIMPLE_PACKET | ENHANCED_PACKET) {
                match window.skip(length as u64) {
                    Ok(()) => continue,
                    Err(Short::End | Short::Cut) => return Record::Damaged(Damage::Cut),
                }
            }
            if length > MAX_FRAME + 4096 {
                return Record::Damaged(Damage::Corrupt);
            }
            if window.need(length).is_err() {
                return Record::Damaged(Damage::Cut);
            }
            let block = window.consume(length);
            let body = block.start + 8..block.end - 4;
            let bytes = window.slice(body.clone());
            let found = match kind {
                INTERFACE => match self.interface(bytes) {
                    Some(interface) => {
                        if self.interfaces.len() < MAX_INTERFACES {
                            self.interfaces.push(interface);
                        }
                        continue;
                    }
                    None => None,
                },
                SIMPLE_PACKET => self.simple(bytes),
                _ => self.packet(kind, bytes),
            };
            return match found {
                None => Record::Damaged(Damage::Corrupt),
                Some(found) if !link::is_served(found.link) => Record::Skipped,
                Some(found) => {
                    let start = body.start + found.at;
                    let data = start..start + found.captured;
                    Record::Frame {
                        ts: found.ts,
                        link: found.link,
                        data,
                        orig_len: found.orig_len,
                        offset,
                    }
                }
            };
        }
    }

    fn interface(&self, body: &[u8]) -> Option<Interface> {
        let mut found = Interface {
            link: u32::from(self.u16(body.get(..2)?)),
            snaplen: self.u32(body.get(4..8)?),
            units: 1_000_000,
            shift: 0,
        };
        let mut rest = &body[8..];
        while rest.len() >= 4 {
            let (code, length) = (self.u16(rest), usize::from(self.u16(&rest[2..])));
            let value = rest.get(4..4 + length)?;
            match (code, value) {
                (0, _) => break,
                // if_tsresol: a power of ten, or of two with the top bit set.
                (9, [exponent]) => {
                    let (base, power) = if exponent & 0x80 == 0 {
                        (10u64, *exponent)
                    } else {
                        (2, exponent & 0x7f)
                    };
                    found.units = base.checked_pow(u32::from(power))?;
                }
                // if_tsoffset: seconds to add to every stamp.
                (14, bytes) if bytes.len() == 8 => {
                    let (first, second) = (u64::from(self.u32(bytes)), u64::from(self.u32(&bytes[4..])));
                    let raw = if self.big_endian {
                        first << 32 | second
                    } else {
                        second << 32 | first
                    };
                    found.shift = raw.cast_signed().saturating_mul(1_000_000_000);
                }
                _ => {}
            }
            rest = rest.get(4 + length.next_multiple_of(4)..).unwrap_or(&[]);
        }
        Some(found)
    }

    fn packet(&self, kind: u32, body: &[u8]) -> Option<Found> {
        let head = body.get(..20)?;
        let interface = if kind == ENHANCED_PACKET {
            self.u32(head)
        } else {
            u32::from(self.u16(head))
        };
        let interface = self.interfaces.get(interface as usize)?;
        let stamp = u64::from(self.u32(&head[4..])) << 32 | u64::from(self.u32(&head[8..]));
        let (captured, orig_len) = (self.u32(&head[12..]) as usize, self.u32(&head[16..]));
        if captured > body.len() - 20 || captured > MAX_FRAME {
            return None;
        }
        let ts = Time(nanoseconds(stamp, interface.units).saturating_add(interface.shift));
        Some(Found {
            ts,
            link: interface.link,
            at: 20,
            captured,
            orig_len,
        })
    }

    /// A simple packet block has no time: the epoch stands for it.
    fn simple(&self, body: &[u8]) -> Option<Found> {
        let interface = self.interfaces.first()?;
        let orig_len = self.u32(body.get(..4)?);
        let limit = if interface.snaplen == 0 {
            u32::MAX
        } else {
            interface.snaplen
        };
        let captured = (orig_len.min(limit) as usize).min(body.len() - 4);
        Some(Found {
            ts: Time(0),
            link: interface.link,
            at: 4,
            captured,
            orig_len,
        })
    }
}

struct Found {
    ts: Time,
    link: u32,
    at: usize,
    captured: usize,
    orig_len: u32,
}

fn nanoseconds(stamp: u64, units: u64) -> i64 {
    let nanos = u128::from(stamp) * 1_000_000_000 / u128::from(units);
    i64::try_from(nanos).unwrap_or(i64::MAX)
}

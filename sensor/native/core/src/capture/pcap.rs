//! The classic format (draft-ietf-opsawg-pcap): microseconds or nanoseconds, either byte order.

use super::window::Window;
use super::{Damage, MAX_FRAME, Record};
use crate::event::Time;

/// Length of the file header.
pub(super) const HEADER: usize = 24;
const RECORD: usize = 16;

/// What the file header says.
#[derive(Debug)]
pub(super) struct Header {
    big_endian: bool,
    nanos_per_unit: i64,
    pub(super) link: u32,
}

impl Header {
    pub(super) fn parse(head: &[u8]) -> Option<Self> {
        let magic: [u8; 4] = head.get(..4)?.try_into().ok()?;
        let (big_endian, nanos_per_unit) = match magic {
            [0xa1, 0xb2, 0xc3, 0xd4] => (true, 1000),
            [0xd4, 0xc3, 0xb2, 0xa1] => (false, 1000),
            [0xa1, 0xb2, 0x3c, 0x4d] => (true, 1),
            [0x4d, 0x3c, 0xb2, 0xa1] => (false, 1),
            _ => return None,
        };
        let mut header = Self {
            big_endian,
            nanos_per_unit,
            link: 0,
        };
        // The upper bits may say how long the frame check sequence is.
        header.link = header.u32(head.get(20..24)?) & 0x03ff_ffff;
        Some(header)
    }

    fn u32(&self, bytes: &[u8]) -> u32 {
        let bytes = [bytes[0], bytes[1], bytes[2], bytes[3]];
        if self.big_endian {
            u32::from_be_bytes(bytes)
        } else {
            u32::from_le_bytes(bytes)
        }
    }

    pub(super) fn next(&mut self, window: &mut Window) -> Record {
        let offset = window.offset();
        let head = match window.need(RECORD) {
            Ok(head) => head,
            Err(short) => return short.into(),
        };
        let (seconds, fraction) = (self.u32(head), self.u32(&head[4..]));
        let (captured, orig_len) = (self.u32(&head[8..]) as usize, self.u32(&head[12..]));
        if captured > MAX_FRAME {
            return Record::Damaged(Damage::Corrupt);
        }
        if window.need(RECORD + captured).is_err() {
            return Record::Damaged(Damage::Cut);
        }
        let whole = window.consume(RECORD + captured);
        let ts = Time(i64::from(seconds) * 1_000_000_000 + i64::from(fraction) * self.nanos_per_unit);
        Record::Frame {
            ts,
            link: self.link,
            data: whole.start + RECORD..whole.end,
            orig_len,
            offset,
        }
    }
}

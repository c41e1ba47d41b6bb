//! Packets that came twice within moments: a mirror that copies both where a frame comes in and where it goes out.

use crate::event::Time;
use crate::stats::{Report, Tally};

/// Nanoseconds within which an equal packet is the same one: no sender repeats itself so soon.
const WINDOW: i64 = 50_000_000;
/// One packet in so many is looked at, chosen by its content, so that its copy is looked at too.
const SAMPLED: u64 = 8;
/// Packets that are remembered; a later one takes an older one's place.
const SLOTS: usize = 4096;
/// Bytes of a packet's payload that tell it from others: a TCP header and the options that tell two acknowledgements apart.
const LOOKED_AT: usize = 40;

/// What was looked at lately. It does not grow.
#[derive(Debug)]
pub(super) struct Repeats {
    slots: Box<[(u64, Time)]>,
    compared: u64,
    repeated: u64,
}

impl Default for Repeats {
    fn default() -> Self {
        Self {
            slots: vec![(0, Time(i64::MIN)); SLOTS].into_boxed_slice(),
            compared: 0,
            repeated: 0,
        }
    }
}

impl Repeats {
    pub(super) fn packet(&mut self, ts: Time, data: &[u8]) {
        let Some((chosen, rest)) = beginning(data) else { return };
        if chosen % SAMPLED != 0 {
            return;
        }
        self.compared += 1;
        let print = rest.chunks(8).map(number).fold(chosen, mix);
        let slot = &mut self.slots[(print >> 32) as usize % SLOTS];
        // A copy leaves the time of the first as it is: copies of copies are found by it too.
        if slot.0 == print && ts.0.saturating_sub(slot.1.0).abs() <= WINDOW {
            self.repeated += 1;
        } else {
            *slot = (print, ts);
        }
    }
}

impl Report for Repeats {
    fn report(&self, tally: &mut Tally) {
        tally.add("place.compared", self.compared);
        tally.add("place.duplicates", self.repeated);
    }
}

/// A hash of a packet's header and of its payload's first bytes, and the bytes behind them that are looked at. Every packet
/// pays for this. What a router or a switch changes is left out: the time to live, the checksum over it, the tags.
fn beginning(data: &[u8]) -> Option<(u64, &[u8])> {
    // Of IPv4 length, number, fragment's place and protocol; of IPv6 length and what follows.
    let (numbers, ends, rest) = match data.first()? >> 4 {
        4 => {
            let header = usize::from(data[0] & 0x0f) * 4;
            let ends = word(data, 12)?;
            (
                word(data, 2)? & 0xffff_ffff_ffff_00ff,
                ends,
                data.get(header.max(20)..)?,
            )
        }
        6 => {
            let far = mix(word(data, 24)?, word(data, 32)?);
            let ends = mix(mix(word(data, 8)?, word(data, 16)?), far);
            (word(data, 4)? & 0xffff_ff00_0000_0000, ends, &data[40..])
        }
        _ => return None,
    };
    let rest = &rest[..rest.len().min(LOOKED_AT)];
    let first = word(rest, 0).unwrap_or_else(|| number(rest));
    let print = mix(mix(mix(0x9e37_79b9_7f4a_7c15, numbers), ends), first);
    Some((print ^ print >> 29, rest.get(8..).unwrap_or_default()))
}

fn word(data: &[u8], at: usize) -> Option<u64> {
    data.get(at..)?.first_chunk().map(|bytes| u64::from_be_bytes(*bytes))
}

/// At most eight bytes as a number.
fn number(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte))
}

const fn mix(print: u64, more: u64) -> u64 {
    (print ^ more).wrapping_mul(0xff51_afd7_ed55_8ccd).rotate_left(31)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn datagram(id: u16, ttl: u8, payload: u8) -> Vec<u8> {
        let mut data = vec![
            0x45, 0, 0, 60, 0, 0, 0, 0, ttl, 17, 0, ttl, 192, 0, 2, 1, 198, 51, 100, 7,
        ];
        data[4..6].copy_from_slice(&id.to_be_bytes());
        data.extend([payload; 40]);
        data
    }

    fn counted(packets: &[(i64, Vec<u8>)]) -> (u64, u64) {
        let mut repeats = Repeats::default();
        for (ts, data) in packets {
            repeats.packet(Time(*ts), data);
        }
        (repeats.compared, repeats.repeated)
    }

    #[test]
    fn a_copy_within_moments_is_one_though_a_router_passed_it_on() {
        let twice: Vec<_> = (0..4000)
            .flat_map(|id| {
                [
                    (i64::from(id) * 1_000_000, datagram(id, 64, 1)),
                    (i64::from(id) * 1_000_000 + 40, datagram(id, 63, 1)),
                ]
            })
            .collect();
        let (compared, repeated) = counted(&twice);
        assert!(compared > 700, "about one in eight: {compared}");
        assert_eq!(repeated * 2, compared);
    }

    #[test]
    fn what_is_late_or_differs_is_no_copy() {
        let others: Vec<_> = (0..4000)
            .flat_map(|id| {
                let at = i64::from(id) * 1_000_000;
                [
                    (at, datagram(id, 64, 1)),
                    (at, datagram(id, 64, 2)),
                    (at + WINDOW + 1, datagram(id, 64, 1)),
                ]
            })
            .collect();
        let (compared, repeated) = counted(&others);
        assert!(compared > 1000, "{compared}");
        assert_eq!(repeated, 0);
    }

    #[test]
    fn packets_that_are_cut_or_none_are_not_compared() {
        let whole = datagram(1, 64, 1);
        for cut in 0..20 {
            assert_eq!(beginning(&whole[..cut]), None);
        }
        assert_eq!(beginning(&[0x60; 39]), None);
        assert_eq!(beginning(&[0x90; 60]), None);
        // A header longer than the packet.
        assert_eq!(beginning(&[0x4f; 40]), None);
        assert!(beginning(&[0x60; 40]).is_some());
    }
}

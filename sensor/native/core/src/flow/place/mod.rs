//! What frames say of the place where the sensor watches, and no event carries: to whom they were sent, which VLANs they
//! belong to, whether the mirror copies twice, what time other machines have. Counters for `vigla-sensor doctor`.

mod clock;
mod repeats;

use crate::capture::Frame;
use crate::event::Time;
use crate::packet::link::LinkInfo;
use crate::stats::{Report, Tally};
use clock::Offsets;
use repeats::Repeats;

/// VLANs that are counted by their number; frames of others are counted together.
const MOST_VLANS: usize = 64;
/// Bytes that no frame of a network with an MTU of 1500 has, whatever stands before IP.
const LARGE: u32 = 1600;

/// Counters of one worker.
#[derive(Debug, Default)]
pub(super) struct Place {
    unicast: u64,
    multicast: u64,
    broadcast: u64,
    untagged: u64,
    vlans: Vec<(u16, u64)>,
    other_vlans: u64,
    cut: u64,
    large: u64,
    offloaded: u64,
    repeats: Repeats,
    ntp: Offsets,
    http: Offsets,
}

impl Place {
    /// Takes a frame and what its link headers said.
    pub(super) fn frame(&mut self, frame: &Frame<'_>, info: &LinkInfo) {
        match info.dst {
            Some([0xff, 0xff, 0xff, 0xff, 0xff, 0xff]) => self.broadcast += 1,
            Some([first, ..]) if first & 1 == 1 => self.multicast += 1,
            // Link types without a receiver carry what someone sent to someone.
            _ => self.unicast += 1,
        }
        match info.vlans[0] {
            None => self.untagged += 1,
            Some(vlan) => self.tagged(vlan),
        }
        self.cut += u64::from((frame.data.len() as u64) < u64::from(frame.orig_len));
        self.large += u64::from(frame.orig_len > LARGE);
        self.offloaded += u64::from(frame.offloaded);
    }

    fn tagged(&mut self, vlan: u16) {
        if let Some((_, frames)) = self.vlans.iter_mut().find(|(known, _)| *known == vlan) {
            *frames += 1;
        } else if self.vlans.len() < MOST_VLANS {
            self.vlans.push((vlan, 1));
        } else {
            self.other_vlans += 1;
        }
    }

    /// Takes an IP packet as it came, outside of all tunnels.
    pub(super) fn packet(&mut self, ts: Time, data: &[u8]) {
        self.repeats.packet(ts, data);
    }

    /// Takes a datagram of a time server's port.
    pub(super) fn ntp(&mut self, ts: Time, data: &[u8]) {
        if let Some(offset) = clock::of_ntp(ts, data) {
            self.ntp.add(offset);
        }
    }

    /// Takes a segment's bytes; counts where they begin a web server's answer that says when it was made.
    pub(super) fn http(&mut self, ts: Time, data: &[u8]) {
        if let Some(offset) = clock::of_http(ts, data) {
            self.http.add(offset);
        }
    }
}

impl Report for Place {
    fn report(&self, tally: &mut Tally) {
        tally.add("place.unicast", self.unicast);
        tally.add("place.multicast", self.multicast);
        tally.add("place.broadcast", self.broadcast);
        tally.add("place.untagged", self.untagged);
        for (vlan, frames) in &self.vlans {
            tally.add(&format!("place.vlan{{{vlan}}}"), *frames);
        }
        tally.add("place.vlan{other}", self.other_vlans);
        tally.add("place.cut", self.cut);
        tally.add("place.large", self.large);
        tally.add("place.offloaded", self.offloaded);
        self.repeats.report(tally);
        self.ntp.report("ntp", tally);
        self.http.report("http", tally);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packet::link::LinkType;

    fn frame(data: &[u8], orig_len: u32, offloaded: bool) -> Frame<'_> {
        Frame {
            ts: Time(0),
            link: LinkType::ETHERNET,
            data,
            orig_len,
            number: 1,
            offset: 0,
            offloaded,
        }
    }

    fn told(place: &Place) -> Tally {
        let mut tally = Tally::default();
        place.report(&mut tally);
        tally
    }

    #[test]
    fn frames_are_counted_by_receiver_size_and_tag() {
        let mut place = Place::default();
        let info = |dst: [u8; 6], vlan| LinkInfo {
            dst: Some(dst),
            vlans: [vlan, None],
            ..LinkInfo::default()
        };
        place.frame(&frame(&[0; 60], 60, false), &info([0xff; 6], None));
        place.frame(&frame(&[0; 60], 60, true), &info([0x33, 0x33, 0, 0, 0, 1], Some(10)));
        place.frame(&frame(&[0; 60], 1601, false), &info([2, 0, 0, 0, 0, 1], Some(10)));
        place.frame(&frame(&[0; 60], 1600, false), &LinkInfo::default());
        let tally = told(&place);
        for (name, n) in [
            ("place.broadcast", 1),
            ("place.multicast", 1),
            ("place.unicast", 2),
            ("place.untagged", 2),
            ("place.vlan{10}", 2),
            ("place.cut", 2),
            ("place.large", 1),
            ("place.offloaded", 1),
        ] {
            assert_eq!(tally.get(name), n, "{name}");
        }
    }

    #[test]
    fn a_flood_of_vlans_names_no_more_than_it_may() {
        let mut place = Place::default();
        for vlan in 0..4096 {
            place.tagged(vlan);
        }
        let tally = told(&place);
        let named = tally
            .iter()
            .filter(|(name, n)| name.starts_with("place.vlan") && *n > 0);
        assert_eq!(named.count(), MOST_VLANS + 1);
        assert_eq!(tally.get("place.vlan{other}"), 4096 - MOST_VLANS as u64);
    }
}

//! Connections that another one has announced: how they are followed is known before their first byte.

use std::collections::VecDeque;
use std::fmt;
use std::net::IpAddr;

use hashbrown::HashMap;

use super::Parser;
use crate::event::{ConnId, Time};
use crate::stats::{Report, Tally};

/// Nanoseconds in which an announced connection has to begin.
const LIFE: i64 = 60 * 1_000_000_000;
/// Announcements that are waited for; a further one ends the oldest.
const CAP: usize = 4096;

/// From where, to where: the originator's port is not known.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Place {
    pub(crate) orig_h: IpAddr,
    pub(crate) resp_h: IpAddr,
    pub(crate) resp_p: u16,
}

/// What was announced and has not come.
#[derive(Default)]
pub(crate) struct Announced {
    expected: HashMap<Place, (Time, Box<dyn Parser>), foldhash::fast::RandomState>,
    /// When each ends, oldest first; one that has come, or was announced anew, stays in it until then.
    ends: VecDeque<(Time, Place)>,
    told: u64,
    came: u64,
    expired: u64,
    evicted: u64,
}

impl fmt::Debug for Announced {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Announced")
            .field("expected", &self.expected.len())
            .finish_non_exhaustive()
    }
}

impl Announced {
    /// Waits for a connection that `parser` shall follow, named by it.
    pub(crate) fn announce(&mut self, now: Time, place: Place, parser: Box<dyn Parser>) {
        self.expire(now);
        if self.ends.len() >= CAP {
            let forgotten = self.forget_oldest();
            self.evicted += u64::from(forgotten);
        }
        let end = Time(now.0.saturating_add(LIFE));
        self.told += 1;
        self.expected.insert(place, (end, parser));
        self.ends.push_back((end, place));
    }

    /// The parser for a connection that begins now, where it was announced.
    pub(crate) fn take(&mut self, now: Time, id: &ConnId) -> Option<Box<dyn Parser>> {
        if self.expected.is_empty() {
            return None;
        }
        self.expire(now);
        let place = Place {
            orig_h: id.orig_h,
            resp_h: id.resp_h,
            resp_p: id.resp_p,
        };
        let (_, parser) = self.expected.remove(&place)?;
        self.came += 1;
        Some(parser)
    }

    fn expire(&mut self, now: Time) {
        while self.ends.front().is_some_and(|(end, _)| *end < now) {
            let forgotten = self.forget_oldest();
            self.expired += u64::from(forgotten);
        }
    }

    /// Whether the oldest was still waited for.
    fn forget_oldest(&mut self) -> bool {
        let Some((end, place)) = self.ends.pop_front() else {
            return false;
        };
        let current = self.expected.get(&place).is_some_and(|(until, _)| *until == end);
        current && self.expected.remove(&place).is_some()
    }
}

impl Report for Announced {
    fn report(&self, tally: &mut Tally) {
        tally.add("proto.announced", self.told);
        tally.add("proto.announced_came", self.came);
        tally.add("proto.announced_expired", self.expired);
        tally.add("proto.dropped{announced}", self.evicted);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Transport;
    use crate::proto::{Context, Dir, Next};

    struct Transfer;

    impl Parser for Transfer {
        fn name(&self) -> &'static str {
            "transfer"
        }
        fn data(&mut self, _: &mut Context<'_>, _: Dir, _: &[u8]) -> Next {
            Next::Bulk
        }
        fn gap(&mut self, _: &mut Context<'_>, _: Dir, _: u64) -> Next {
            Next::Bulk
        }
        fn finish(&mut self, _: &mut Context<'_>) {}
    }

    fn id(orig: u8, resp_p: u16) -> ConnId {
        ConnId {
            orig_h: IpAddr::from([192, 0, 2, orig]),
            orig_p: 20,
            resp_h: IpAddr::from([198, 51, 100, 1]),
            resp_p,
            transport: Transport::Tcp,
        }
    }

    fn tell(announced: &mut Announced, now: i64, orig: u8, resp_p: u16) {
        let ConnId { orig_h, resp_h, .. } = id(orig, resp_p);
        let place = Place { orig_h, resp_h, resp_p };
        announced.announce(Time(now), place, Box::new(Transfer));
    }

    #[test]
    fn a_connection_is_expected_once_and_not_for_ever() {
        let mut announced = Announced::default();
        tell(&mut announced, 0, 1, 1024);
        assert!(announced.take(Time(1), &id(2, 1024)).is_none());
        assert!(announced.take(Time(1), &id(1, 1025)).is_none());
        assert!(announced.take(Time(LIFE), &id(1, 1024)).is_some());
        assert!(announced.take(Time(LIFE), &id(1, 1024)).is_none());
        tell(&mut announced, 0, 1, 1024);
        assert!(announced.take(Time(LIFE + 1), &id(1, 1024)).is_none());
        // Announced anew it lives anew.
        tell(&mut announced, LIFE, 1, 1024);
        tell(&mut announced, LIFE + 5, 1, 1024);
        assert!(announced.take(Time(2 * LIFE + 3), &id(1, 1024)).is_some());
    }

    #[test]
    fn a_flood_of_announcements_shows_a_plateau() {
        let mut announced = Announced::default();
        for n in 0..100_000_u32 {
            tell(&mut announced, i64::from(n), (n >> 16) as u8, n as u16);
            // The same one again and again takes no place either.
            tell(&mut announced, i64::from(n), 9, 1024);
            assert!(announced.expected.len() <= CAP && announced.ends.len() <= CAP);
        }
        let mut tally = Tally::default();
        announced.report(&mut tally);
        let (told, gone) = (tally.get("proto.announced"), tally.get("proto.dropped{announced}"));
        assert_eq!(told, 200_000);
        // Of each pair the second only puts off the end of one that was there.
        assert_eq!(gone, 100_000 - (CAP as u64) / 2);
        assert!(announced.take(Time(100_000), &id(1, 34_463)).is_some());
        assert!(announced.take(Time(100_000), &id(0, 0)).is_none());
    }
}

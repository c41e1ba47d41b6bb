//! How far the clock that stamped a packet is from clocks of others: a time server's answer (NTP, RFC 5905) holds the moment
//! at which it was sent, a web server's its `Date` (RFC 9110, 6.6.1) in whole seconds. One may lie; doctor takes the median.

use jiff::fmt::rfc2822::DateTimeParser;

use crate::event::Time;
use crate::stats::Tally;

const SECOND: i64 = 1_000_000_000;
/// From 1900, where NTP's seconds begin, to 1970.
const NTP_EPOCH: i64 = 2_208_988_800;
/// Bytes of an answer in which `Date` is looked for.
const HEAD: usize = 1024;
/// A date like `Sun, 06 Nov 1994 08:49:37 GMT`.
const DATE: usize = 29;

/// Upper bounds of how far apart clocks are, in milliseconds, and their names; beyond the last it is `more`.
const STEPS: [(i64, &str); 6] = [
    (100, "100ms"),
    (1_000, "1s"),
    (5_000, "5s"),
    (60_000, "1m"),
    (3_600_000, "1h"),
    (86_400_000, "1d"),
];

/// How often our clock was so far behind or ahead of another.
#[derive(Debug, Default)]
pub(super) struct Offsets([[u64; STEPS.len() + 1]; 2]);

impl Offsets {
    /// Takes a difference in nanoseconds; above zero our clock is ahead.
    pub(super) fn add(&mut self, offset: i64) {
        let distance = offset.unsigned_abs() / 1_000_000;
        let step = STEPS.iter().position(|(most, _)| distance < most.unsigned_abs());
        self.0[usize::from(offset >= 0)][step.unwrap_or(STEPS.len())] += 1;
    }

    pub(super) fn report(&self, source: &str, tally: &mut Tally) {
        for (side, counts) in ["behind", "ahead"].iter().zip(&self.0) {
            let names = STEPS.iter().map(|(_, name)| *name).chain(["more"]);
            for (name, n) in names.zip(counts).filter(|(_, n)| **n > 0) {
                tally.add(&format!("place.clock{{{source},{side},{name}}}"), *n);
            }
        }
    }
}

/// Nanoseconds by which `ts` is ahead of the moment in a time server's answer, one way through the network included.
pub(super) fn of_ntp(ts: Time, data: &[u8]) -> Option<i64> {
    let head = data.get(..48)?;
    let (leap, version, mode, stratum) = (head[0] >> 6, head[0] >> 3 & 7, head[0] & 7, head[1]);
    // Servers' answers and broadcasts, of those that say that they know the time.
    if leap == 3 || !matches!(version, 1..=4) || !matches!(mode, 4 | 5) || !matches!(stratum, 1..=15) {
        return None;
    }
    let word = |at: usize| u32::from_be_bytes([head[at], head[at + 1], head[at + 2], head[at + 3]]);
    let (seconds, fraction) = (word(40), word(44));
    if seconds == 0 {
        return None;
    }
    let nanos = (i64::from(fraction) * SECOND) >> 32;
    // Its seconds turn over in 2036: the nearer of two eras is meant.
    let ours = (ts.0.div_euclid(SECOND) + NTP_EPOCH).rem_euclid(1 << 32);
    let ours = u32::try_from(ours).ok()?;
    let apart = i64::from(ours.wrapping_sub(seconds).cast_signed());
    Some(apart * SECOND + ts.0.rem_euclid(SECOND) - nanos)
}

/// The same for the beginning of a web server's answer that came from no cache.
pub(super) fn of_http(ts: Time, data: &[u8]) -> Option<i64> {
    let head = data.strip_prefix(b"HTTP/1.")?;
    let head = &head[..head.len().min(HEAD)];
    if header(head, b"\r\nage:").is_some() {
        return None;
    }
    let said = std::str::from_utf8(header(head, b"\r\ndate:")?.get(..DATE)?).ok()?;
    let made = DateTimeParser::new().parse_timestamp(said).ok()?;
    // Half a second: it was cut to whole ones.
    let theirs = i64::try_from(made.as_nanosecond()).ok()?.checked_add(SECOND / 2)?;
    ts.0.checked_sub(theirs)
}

/// What follows a header's name, in lower case here.
fn header<'a>(head: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let at = head
        .windows(name.len())
        .position(|window| window.eq_ignore_ascii_case(name))?;
    Some(head[at + name.len()..].trim_ascii_start())
}

#[cfg(test)]
mod tests {
    use super::*;

    /// 2026-11-24T10:00:00Z.
    const NOW: i64 = 1_795_514_400 * SECOND;

    fn answer(leap: u8, mode: u8, stratum: u8, seconds: u32, fraction: u32) -> Vec<u8> {
        let mut data = vec![0; 48];
        (data[0], data[1]) = (leap << 6 | 4 << 3 | mode, stratum);
        data[40..44].copy_from_slice(&seconds.to_be_bytes());
        data[44..48].copy_from_slice(&fraction.to_be_bytes());
        data
    }

    #[test]
    fn a_time_servers_answer_tells_how_far_ahead_we_are() {
        let sent = (NOW / SECOND + NTP_EPOCH) as u32;
        let half = answer(0, 4, 2, sent, 1 << 31);
        assert_eq!(of_ntp(Time(NOW + SECOND), &half), Some(SECOND / 2));
        assert_eq!(of_ntp(Time(NOW), &half), Some(-SECOND / 2));
        assert_eq!(
            of_ntp(Time(NOW - 3600 * SECOND), &answer(0, 5, 15, sent, 0)),
            Some(-3600 * SECOND)
        );
    }

    #[test]
    fn seconds_that_turned_over_are_the_nearer_era() {
        // 2036-02-07T06:28:16Z is second 0 of the next era.
        let turn = 2_085_978_496 * SECOND;
        assert_eq!(of_ntp(Time(turn), &answer(0, 4, 1, 5, 0)), Some(-5 * SECOND));
        assert_eq!(of_ntp(Time(turn), &answer(0, 4, 1, u32::MAX, 0)), Some(SECOND));
    }

    #[test]
    fn who_does_not_know_the_time_or_asks_for_it_is_not_believed() {
        let sent = (NOW / SECOND + NTP_EPOCH) as u32;
        for (leap, mode, stratum, seconds) in [
            (3, 4, 2, sent),
            (0, 3, 2, sent),
            (0, 4, 0, sent),
            (0, 4, 16, sent),
            (0, 4, 2, 0),
        ] {
            assert_eq!(of_ntp(Time(NOW), &answer(leap, mode, stratum, seconds, 0)), None);
        }
        let whole = answer(0, 4, 2, sent, 0);
        assert!((0..48).all(|cut| of_ntp(Time(NOW), &whole[..cut]).is_none()));
        assert!(of_ntp(Time(i64::MIN), &whole).is_some() && of_ntp(Time(i64::MAX), &whole).is_some());
    }

    #[test]
    fn a_web_servers_date_tells_it_in_whole_seconds() {
        let said = b"HTTP/1.1 200 OK\r\nServer: x\r\ndate: Tue, 24 Nov 2026 10:00:00 GMT\r\nContent-Length: 0\r\n\r\n";
        assert_eq!(of_http(Time(NOW), said), Some(-SECOND / 2));
        assert_eq!(of_http(Time(NOW + 90 * SECOND), said), Some(90 * SECOND - SECOND / 2));
        assert!((0..60).all(|cut| of_http(Time(NOW), &said[..cut]).is_none()));
    }

    #[test]
    fn a_caches_date_and_what_is_no_date_tell_nothing() {
        for head in [
            &b"HTTP/1.1 200 OK\r\nAge: 60\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n\r\n"[..],
            b"HTTP/1.1 200 OK\r\nDate: Tue, 99 Nov 2026 10:00:00 GMT\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nDate: \xff\xff, 24 Nov 2026 10:00:00 GMT\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nUpdate: Tue, 24 Nov 2026 10:00:00 GMT\r\n\r\n",
            b"GET / HTTP/1.1\r\nDate: Tue, 24 Nov 2026 10:00:00 GMT\r\n\r\n",
            b"HTTP/1.1 200 OK\r\nDate:",
        ] {
            assert_eq!(of_http(Time(NOW), head), None, "{}", String::from_utf8_lossy(head));
        }
    }

    #[test]
    fn differences_are_counted_by_side_and_distance() {
        let mut offsets = Offsets::default();
        for offset in [
            0,
            -99,
            100,
            -60_000,
            90_000_000,
            i64::MIN / 1_000_000,
            i64::MAX / 1_000_000,
        ] {
            offsets.add(offset * 1_000_000);
        }
        let mut tally = Tally::default();
        offsets.report("ntp", &mut tally);
        let told: Vec<_> = tally.iter().collect();
        assert_eq!(
            told,
            [
                ("place.clock{ntp,ahead,100ms}", 1),
                ("place.clock{ntp,ahead,1s}", 1),
                ("place.clock{ntp,ahead,more}", 2),
                ("place.clock{ntp,behind,100ms}", 1),
                ("place.clock{ntp,behind,1h}", 1),
                ("place.clock{ntp,behind,more}", 1),
            ]
        );
    }
}

//! The time of a line: formats of source definitions, and what a time without year or zone means. The wall clock is never asked.

use jiff::civil;
use jiff::tz::{AmbiguousOffset, TimeZone};

use crate::event::Time;

const NANOS: i64 = 1_000_000_000;
const DAY: i64 = 24 * 3600 * NANOS;
/// Lines of one sender may be this much out of order without being taken for October's second hour.
const DISORDER: i64 = 5 * 60 * NANOS;

/// What a line says of its time, before year and zone are settled.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Stamp {
    /// A moment.
    At(Time),
    /// A calendar date and time.
    Civil(Civil),
}

/// A calendar date and time as a device writes it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Civil {
    /// `None` where the header has none (RFC 3164).
    pub year: Option<i16>,
    /// 1-12.
    pub month: u8,
    /// 1-31.
    pub day: u8,
    /// 0-23.
    pub hour: u8,
    /// 0-59.
    pub minute: u8,
    /// 0-60.
    pub second: u8,
    /// Below a second.
    pub nanos: u32,
    /// Seconds east of UTC, where the line says so.
    pub offset: Option<i32>,
}

impl Civil {
    const EPOCH: Self = Self {
        year: None,
        month: 1,
        day: 1,
        hour: 0,
        minute: 0,
        second: 0,
        nanos: 0,
        offset: None,
    };

    fn is_valid(&self) -> bool {
        // 2000 stands for an unknown year: it has a 29th of February.
        civil::Date::new(
            self.year.unwrap_or(2000),
            self.month.cast_signed(),
            self.day.cast_signed(),
        )
        .is_ok()
            && self.hour < 24
            && self.minute < 60
            && self.second <= 60
    }
}

/// A compiled time format of a source definition.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Format {
    /// Seconds, milli-, micro- or nanoseconds since 1970 by magnitude; decimals allowed.
    EpochAuto,
    /// RFC 3339, or ISO 8601 with a blank for the `T`, with or without zone.
    Iso,
    /// `strptime` of the C library, the part that logs use.
    Strptime(Vec<Item>),
}

/// A step of a `strptime` format.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Item {
    /// This text.
    Literal(String),
    /// Any number of blanks, also none.
    Blanks,
    /// A conversion by its letter.
    Field(char),
}

impl Format {
    /// Compiles `epoch_auto`, `iso8601` or a `strptime` format of `%Y %y %m %d %e %b %H %M %S %f %T %F %z %Z %s %%`.
    ///
    /// # Errors
    /// Names the conversion that is not known.
    pub fn compile(format: &str) -> Result<Self, String> {
        match format {
            "epoch_auto" => return Ok(Self::EpochAuto),
            "iso8601" => return Ok(Self::Iso),
            _ => {}
        }
        let mut items = Vec::new();
        let mut letters = format.chars();
        while let Some(letter) = letters.next() {
            match letter {
                '%' => match letters.next() {
                    Some('%') => push_literal(&mut items, '%'),
                    Some('T') => fields(&mut items, "H:M:S"),
                    Some('F') => fields(&mut items, "Y-m-d"),
                    Some(field) if "YymdebHMSfzZs".contains(field) => items.push(Item::Field(field)),
                    other => {
                        let shown = other.map(String::from).unwrap_or_default();
                        return Err(format!(
                            "time format '{format}': unknown conversion '%{shown}'; known: %Y %y %m %d %e %b %H %M %S %f %T %F %z %Z %s %%, or epoch_auto, iso8601"
                        ));
                    }
                },
                ' ' => items.push(Item::Blanks),
                other => push_literal(&mut items, other),
            }
        }
        if items.iter().any(|item| matches!(item, Item::Field(_))) {
            Ok(Self::Strptime(items))
        } else {
            Err(format!(
                "time format '{format}' has no conversion; write for instance '%Y-%m-%d %H:%M:%S', epoch_auto or iso8601"
            ))
        }
    }

    /// Reads the whole of `text`; `None` when it is no time of this format.
    pub fn parse(&self, text: &str) -> Option<Stamp> {
        match self {
            Self::EpochAuto => epoch_auto(text).map(Stamp::At),
            Self::Iso => {
                let (civil, rest) = iso8601(text.as_bytes())?;
                rest.is_empty().then_some(Stamp::Civil(civil))
            }
            Self::Strptime(items) => strptime(items, text.as_bytes()),
        }
    }
}

fn push_literal(items: &mut Vec<Item>, letter: char) {
    if let Some(Item::Literal(text)) = items.last_mut() {
        text.push(letter);
    } else {
        items.push(Item::Literal(letter.to_string()));
    }
}

fn fields(items: &mut Vec<Item>, shape: &str) {
    for letter in shape.chars() {
        if letter.is_ascii_alphabetic() {
            items.push(Item::Field(letter));
        } else {
            push_literal(items, letter);
        }
    }
}

fn epoch_auto(text: &str) -> Option<Time> {
    let (whole, decimals) = text.split_once('.').unwrap_or((text, ""));
    if whole.is_empty() || whole.len() > 19 || !whole.bytes().chain(decimals.bytes()).all(|b| b.is_ascii_digit()) {
        return None;
    }
    let value: i64 = whole.parse().ok()?;
    // By magnitude: 10^11 seconds is the year 5138, 10^11 milliseconds is 1973.
    let unit = match value {
        0..100_000_000_000 => NANOS,
        100_000_000_000..100_000_000_000_000 => 1_000_000,
        100_000_000_000_000..100_000_000_000_000_000 => 1_000,
        _ => 1,
    };
    let mut fraction = 0;
    let mut weight = unit / 10;
    for digit in decimals.bytes() {
        fraction += i64::from(digit - b'0') * weight;
        weight /= 10;
    }
    value.checked_mul(unit)?.checked_add(fraction).map(Time)
}

/// Two digits' value at the start of `bytes`.
fn two(bytes: &[u8]) -> Option<u8> {
    match bytes {
        [a @ b'0'..=b'9', b @ b'0'..=b'9', ..] => Some((a - b'0') * 10 + (b - b'0')),
        _ => None,
    }
}

/// Decimals of a second to nanoseconds, and what follows them.
fn decimals(bytes: &[u8]) -> (u32, &[u8]) {
    let end = bytes.iter().position(|b| !b.is_ascii_digit()).unwrap_or(bytes.len());
    let mut nanos = 0;
    for place in 0..9 {
        nanos = nanos * 10 + bytes[..end].get(place).map_or(0, |digit| u32::from(digit - b'0'));
    }
    (nanos, &bytes[end..])
}

/// `Z`, `+02`, `+0200`, `+02:00` to seconds east of UTC.
fn offset(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let sign = match bytes {
        [b'Z' | b'z', rest @ ..] => return Some((0, rest)),
        [b'+', ..] => 1,
        [b'-', ..] => -1,
        _ => return None,
    };
    let hours = i32::from(two(&bytes[1..])?);
    let rest = &bytes[3..];
    let minutes_at = rest.strip_prefix(b":").unwrap_or(rest);
    let (minutes, rest) = match two(minutes_at) {
        Some(minutes) => (i32::from(minutes), &minutes_at[2..]),
        None => (0, rest),
    };
    (hours <= 15 && minutes < 60).then_some((sign * (hours * 3600 + minutes * 60), rest))
}

/// Zone names that devices write. Two-letter ambiguities (IST, CST) are left out: an unknown name is no time.
const ZONES: [(&str, i32); 12] = [
    ("UTC", 0),
    ("GMT", 0),
    ("Z", 0),
    ("EET", 2),
    ("EEST", 3),
    ("EEDT", 3),
    ("CET", 1),
    ("CEST", 2),
    ("WET", 0),
    ("WEST", 1),
    ("MSK", 3),
    ("TRT", 3),
];

/// Seconds east of UTC of a zone name, and what follows it.
pub fn zone_name(bytes: &[u8]) -> Option<(i32, &[u8])> {
    let end = bytes
        .iter()
        .position(|b| !b.is_ascii_alphabetic())
        .unwrap_or(bytes.len());
    let name = &bytes[..end];
    let (_, hours) = ZONES
        .iter()
        .find(|(known, _)| known.as_bytes().eq_ignore_ascii_case(name))?;
    Some((hours * 3600, &bytes[end..]))
}

const MONTHS: [&[u8; 3]; 12] = [
    b"jan", b"feb", b"mar", b"apr", b"may", b"jun", b"jul", b"aug", b"sep", b"oct", b"nov", b"dec",
];

/// An English month of three letters, 1-12.
pub fn month(bytes: &[u8]) -> Option<u8> {
    let name = bytes.get(..3)?.to_ascii_lowercase();
    MONTHS
        .iter()
        .position(|month| month[..] == name[..])
        .map(|index| index as u8 + 1)
}

/// RFC 3339 at the start of `bytes`, with `T` or a blank, the zone optional; and what follows.
pub fn iso8601(bytes: &[u8]) -> Option<(Civil, &[u8])> {
    let (date, clock) = (bytes.get(..10)?, bytes.get(11..)?);
    if date[4] != b'-' || date[7] != b'-' || !matches!(bytes[10], b'T' | b't' | b' ') {
        return None;
    }
    let year = i16::from(two(date)?) * 100 + i16::from(two(&date[2..])?);
    let (hour, minute) = (two(clock)?, two(clock.get(3..)?)?);
    if clock[2] != b':' || *clock.get(5)? != b':' {
        return None;
    }
    let second = two(&clock[6..])?;
    let mut rest = &clock[8..];
    let mut nanos = 0;
    if let [b'.' | b',', digits @ ..] = rest
        && digits.first().is_some_and(u8::is_ascii_digit)
    {
        (nanos, rest) = decimals(digits);
    }
    let mut east = None;
    if let Some((seconds, after)) = offset(rest) {
        (east, rest) = (Some(seconds), after);
    }
    let civil = Civil {
        year: Some(year),
        month: two(&date[5..])?,
        day: two(&date[8..])?,
        hour,
        minute,
        second,
        nanos,
        offset: east,
    };
    civil.is_valid().then_some((civil, rest))
}

fn small(bytes: &mut &[u8]) -> Option<u8> {
    number(bytes, 2).and_then(|value| u8::try_from(value).ok())
}

fn number(bytes: &mut &[u8], digits: usize) -> Option<i64> {
    let end = bytes
        .iter()
        .take(digits)
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(bytes.len().min(digits));
    if end == 0 {
        return None;
    }
    let value = bytes[..end]
        .iter()
        .fold(0, |sum, digit| sum * 10 + i64::from(digit - b'0'));
    *bytes = &bytes[end..];
    Some(value)
}

fn strptime(items: &[Item], mut bytes: &[u8]) -> Option<Stamp> {
    let mut civil = Civil::EPOCH;
    let mut epoch = None;
    for item in items {
        match item {
            Item::Literal(text) => bytes = bytes.strip_prefix(text.as_bytes())?,
            Item::Blanks => bytes = bytes.trim_ascii_start(),
            Item::Field(field) => match field {
                'Y' => civil.year = Some(i16::try_from(number(&mut bytes, 4)?).ok()?),
                'y' => {
                    let short = number(&mut bytes, 2)?;
                    civil.year = Some(i16::try_from(if short < 69 { 2000 + short } else { 1900 + short }).ok()?);
                }
                'm' => civil.month = small(&mut bytes)?,
                'd' | 'e' => {
                    bytes = bytes.trim_ascii_start();
                    civil.day = small(&mut bytes)?;
                }
                'b' => {
                    civil.month = month(bytes)?;
                    bytes = &bytes[3..];
                }
                'H' => civil.hour = small(&mut bytes)?,
                'M' => civil.minute = small(&mut bytes)?,
                'S' => civil.second = small(&mut bytes)?,
                'f' => {
                    bytes.first().filter(|b| b.is_ascii_digit())?;
                    (civil.nanos, bytes) = decimals(bytes);
                }
                'z' => {
                    let (seconds, rest) = offset(bytes)?;
                    (civil.offset, bytes) = (Some(seconds), rest);
                }
                'Z' => {
                    let (seconds, rest) = zone_name(bytes).or_else(|| offset(bytes))?;
                    (civil.offset, bytes) = (Some(seconds), rest);
                }
                _ => epoch = Some(number(&mut bytes, 18)?),
            },
        }
    }
    if !bytes.trim_ascii_end().is_empty() {
        return None;
    }
    match epoch {
        Some(seconds) => seconds
            .checked_mul(NANOS)?
            .checked_add(civil.nanos.into())
            .map(|ns| Stamp::At(Time(ns))),
        None => civil.is_valid().then_some(Stamp::Civil(civil)),
    }
}

/// What a year that is not written is measured against.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reference {
    /// This year, for the first line; later lines follow the one before.
    Year(i16),
    /// The latest such date not after this moment: a file's modification time.
    Before(Time),
}

/// One sender's clock: turns stamps into moments. A line's time is its own and never corrected.
#[derive(Debug, Clone)]
pub struct Clock {
    zone: TimeZone,
    reference: Reference,
    last: Option<Time>,
    /// Lines in October's doubled hour, resolved by order.
    pub doubled: u64,
    /// Lines in March's missing hour, moved forward.
    pub missing: u64,
    /// Lines without a time of their own.
    pub untimed: u64,
}

impl Clock {
    /// A clock of a sender in `zone`.
    pub fn new(zone: TimeZone, reference: Reference) -> Self {
        Self {
            zone,
            reference,
            last: None,
            doubled: 0,
            missing: 0,
            untimed: 0,
        }
    }

    /// The time of the line before, which a checkpoint keeps.
    pub fn last(&self) -> Option<Time> {
        self.last
    }

    /// Live: the line that follows was received at `now`, which years that are not written are nearest to.
    pub fn receive(&mut self, now: Time) {
        if let Reference::Before(time) = &mut self.reference {
            *time = now;
        }
    }

    /// Goes on after a restart.
    pub fn resume(&mut self, last: Option<Time>) {
        self.last = last;
    }

    /// The moment that `stamp` means.
    pub fn moment(&mut self, stamp: Stamp) -> Option<Time> {
        let time = match stamp {
            Stamp::At(time) => time,
            Stamp::Civil(civil) => self.settle(civil)?,
        };
        self.last = Some(time);
        Some(time)
    }

    /// The moment of a line that says none: the previous line's, else the reference.
    pub fn unsaid(&mut self) -> Time {
        self.untimed += 1;
        let reference = match self.reference {
            Reference::Before(time) => time,
            Reference::Year(year) => self
                .zone
                .to_timestamp(civil::date(year, 1, 1).at(0, 0, 0, 0))
                .map_or(Time(0), |timestamp| Time(nanos(timestamp))),
        };
        self.last.unwrap_or(reference)
    }

    fn settle(&mut self, civil: Civil) -> Option<Time> {
        if let Some(year) = civil.year {
            return self.in_year(civil, year);
        }
        // The year nearest the reference; of a date before and after the new year both may be near.
        let (near, slack) = match (self.last, self.reference) {
            // One line dated years ahead must not drag the others with it.
            (Some(last), Reference::Before(time)) if last.0 <= time.0.saturating_add(DAY) => (last, i64::MAX),
            (Some(last), Reference::Year(_)) => (last, i64::MAX),
            (None, Reference::Year(year)) => return self.in_year(civil, year),
            (_, Reference::Before(time)) => (time, DAY),
        };
        let year = self
            .zone
            .to_datetime(jiff::Timestamp::from_nanosecond(near.0.into()).ok()?)
            .year();
        let mut best: Option<(i64, i16)> = None;
        for candidate in [year - 1, year, year + 1] {
            let Some(time) = self.plain(civil, candidate) else {
                continue;
            };
            let ahead = time.0.saturating_sub(near.0);
            if ahead <= slack && best.is_none_or(|(distance, _)| ahead.abs() < distance) {
                best = Some((ahead.abs(), candidate));
            }
        }
        self.in_year(civil, best?.1)
    }

    /// `civil` in `year` without counting or order: to compare candidates.
    fn plain(&self, civil: Civil, year: i16) -> Option<Time> {
        let at = date_time(civil, year)?;
        let zoned = self.zone.to_ambiguous_timestamp(at).compatible().ok()?;
        Some(Time(nanos(zoned)))
    }

    fn in_year(&mut self, civil: Civil, year: i16) -> Option<Time> {
        let at = date_time(civil, year)?;
        let utc = local_nanos(civil, year)?;
        let east = |seconds: i32| Some(Time(utc.checked_sub(i64::from(seconds) * NANOS)?));
        if let Some(seconds) = civil.offset {
            return east(seconds);
        }
        match self.zone.to_ambiguous_timestamp(at).offset() {
            AmbiguousOffset::Unambiguous { offset } => east(offset.seconds()),
            AmbiguousOffset::Gap { before, .. } => {
                self.missing += 1;
                east(before.seconds())
            }
            AmbiguousOffset::Fold { before, after } => {
                self.doubled += 1;
                let first = east(before.seconds())?;
                match self.last {
                    Some(last) if first.0 < last.0 - DISORDER => east(after.seconds()),
                    _ => Some(first),
                }
            }
        }
    }
}

fn nanos(timestamp: jiff::Timestamp) -> i64 {
    i64::try_from(timestamp.as_nanosecond()).unwrap_or(i64::MAX)
}

fn date_time(civil: Civil, year: i16) -> Option<civil::DateTime> {
    civil::DateTime::new(
        year,
        civil.month.cast_signed(),
        civil.day.cast_signed(),
        civil.hour.cast_signed(),
        civil.minute.cast_signed(),
        civil.second.min(59).cast_signed(),
        civil.nanos.cast_signed(),
    )
    .ok()
}

/// Nanoseconds since 1970 as if the local time were UTC (Hinnant's days-from-civil).
fn local_nanos(civil: Civil, year: i16) -> Option<i64> {
    let (year, month) = (i64::from(year), i64::from(civil.month));
    let shifted = if month <= 2 { year - 1 } else { year };
    let era = shifted.div_euclid(400);
    let of_era = shifted.rem_euclid(400);
    let of_year = (153 * (month + if month > 2 { -3 } else { 9 }) + 2) / 5 + i64::from(civil.day) - 1;
    let days = era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468;
    let seconds = days * 86_400 + i64::from(civil.hour) * 3600 + i64::from(civil.minute) * 60 + i64::from(civil.second);
    seconds.checked_mul(NANOS)?.checked_add(civil.nanos.into())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn athens(reference: Reference) -> Clock {
        Clock::new(TimeZone::get("Europe/Athens").unwrap(), reference)
    }

    fn read(clock: &mut Clock, format: &str, text: &str) -> Option<i64> {
        clock
            .moment(Format::compile(format).unwrap().parse(text)?)
            .map(|time| time.0 / NANOS)
    }

    #[test]
    fn an_epoch_is_told_by_its_magnitude() {
        for text in [
            "1772349247",
            "1772349247000",
            "1772349247000000",
            "1772349247000000000",
            "1772349247.0",
        ] {
            assert_eq!(epoch_auto(text), Some(Time(1_772_349_247 * NANOS)), "{text}");
        }
        assert_eq!(epoch_auto("1772349247.123456"), Some(Time(1_772_349_247_123_456_000)));
        for text in ["", "x", "-5", "99999999999999999999", "1 2", "1.x"] {
            assert_eq!(epoch_auto(text), None, "{text}");
        }
    }

    #[test]
    fn formats_with_zone_name_offset_and_neither() {
        let mut clock = athens(Reference::Year(2026));
        let want = Some(1_772_349_247);
        assert_eq!(
            read(&mut clock, "%Y-%m-%d %H:%M:%S %z", "2026-03-01 09:14:07 +0200"),
            want
        );
        assert_eq!(read(&mut clock, "%F %T %Z", "2026-03-01 09:14:07 EET"), want);
        assert_eq!(read(&mut clock, "%F %T %Z", "2026-03-01 10:14:07 EEST"), want);
        assert_eq!(
            read(&mut clock, "%d/%b/%Y:%H:%M:%S %z", "01/Mar/2026:07:14:07 +0000"),
            want
        );
        assert_eq!(read(&mut clock, "%F %T", "2026-03-01 09:14:07"), want);
        assert_eq!(read(&mut clock, "iso8601", "2026-03-01T09:14:07.250+02:00"), want);
        assert_eq!(read(&mut clock, "%s", "1772349247"), want);
        assert_eq!(read(&mut clock, "%b %e %T", "Mar  1 09:14:07"), want);
        for bad in [
            "2026-13-01 09:14:07",
            "2026-02-30 09:14:07",
            "2026-03-01 24:14:07",
            "2026-03-01",
            "2026-03-01 09:14:07x",
        ] {
            assert_eq!(read(&mut clock, "%F %T", bad), None, "{bad}");
        }
        assert!(Format::compile("%Q").unwrap_err().contains("'%Q'"));
        assert!(Format::compile("plain").is_err());
    }

    #[test]
    fn no_year_is_the_latest_before_the_file_was_written_and_goes_over_the_new_year() {
        let written = Time(1_767_312_000 * NANOS); // 2026-01-02T00:00:00Z
        let mut clock = athens(Reference::Before(written));
        assert_eq!(read(&mut clock, "%b %d %T", "Dec 31 23:59:59"), Some(1_767_218_399));
        assert_eq!(read(&mut clock, "%b %d %T", "Jan 01 00:00:01"), Some(1_767_218_401));
        let mut clock = athens(Reference::Year(2025));
        assert_eq!(read(&mut clock, "%b %d %T", "Dec 31 23:59:59"), Some(1_767_218_399));
        assert_eq!(read(&mut clock, "%b %d %T", "Jan 01 00:00:01"), Some(1_767_218_401));
    }

    #[test]
    fn octobers_doubled_hour_goes_by_order_and_marchs_missing_hour_forward() {
        let mut clock = athens(Reference::Year(2026));
        let times: Vec<i64> = [
            "02:59:00", "03:10:00", "03:50:00", "03:49:00", "03:05:00", "03:40:00", "04:00:00",
        ]
        .iter()
        .map(|text| read(&mut clock, "%F %T", &format!("2026-10-25 {text}")).unwrap() - 1_792_886_400)
        .collect();
        // 2026-10-25T00:00:00Z is 03:00 summer time; at 01:00Z clocks go back to 03:00.
        assert_eq!(times, [-60, 600, 3000, 2940, 3900, 6000, 7200]);
        assert_eq!(clock.doubled, 5);
        assert_eq!(read(&mut clock, "%F %T", "2026-03-29 03:30:00"), Some(1_774_747_800)); // 01:30Z
        assert_eq!(clock.missing, 1);
    }

    #[test]
    fn one_line_dated_years_ahead_does_not_drag_the_others_with_it() {
        let mut clock = athens(Reference::Before(Time(1_767_312_000 * NANOS)));
        assert_eq!(read(&mut clock, "%F %T", "2099-01-01 00:00:00"), Some(4_070_901_600));
        assert_eq!(read(&mut clock, "%b %d %T", "Dec 31 23:59:59"), Some(1_767_218_399));
        clock.receive(Time(1_798_848_000 * NANOS)); // 2027-01-02
        assert_eq!(read(&mut clock, "%F %T", "2099-01-01 00:00:00"), Some(4_070_901_600));
        assert_eq!(read(&mut clock, "%b %d %T", "Dec 31 23:59:59"), Some(1_798_754_399));
    }

    #[test]
    fn a_line_without_time_takes_the_one_before() {
        let mut clock = athens(Reference::Before(Time(5)));
        assert_eq!(clock.unsaid(), Time(5));
        clock.moment(Stamp::At(Time(9)));
        assert_eq!((clock.unsaid(), clock.untimed), (Time(9), 2));
    }
}

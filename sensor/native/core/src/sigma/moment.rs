//! Parts of a time in UTC, for `minute hour day week month year`.

use jiff::Timestamp;
use jiff::civil::DateTime;
use jiff::tz::Offset;

use crate::event::Value;

/// The part of a time that a rule asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TimePart {
    /// 0-59.
    Minute,
    /// 0-23.
    Hour,
    /// 1-31.
    Day,
    /// ISO 8601 week, 1-53.
    Week,
    /// 1-12.
    Month,
    /// For instance 2026.
    Year,
}

impl TimePart {
    /// Sigma's word for it.
    pub fn parse(word: &str) -> Option<Self> {
        Some(match word {
            "minute" => Self::Minute,
            "hour" => Self::Hour,
            "day" => Self::Day,
            "week" => Self::Week,
            "month" => Self::Month,
            "year" => Self::Year,
            _ => return None,
        })
    }

    /// This part of a time: typed, or ISO 8601 text (UTC where it names no offset). `None` for what is no time.
    pub fn of(self, value: Value<'_>) -> Option<i64> {
        let utc = utc(value)?;
        Some(match self {
            Self::Minute => utc.minute().into(),
            Self::Hour => utc.hour().into(),
            Self::Day => utc.day().into(),
            Self::Week => utc.date().iso_week_date().week().into(),
            Self::Month => utc.month().into(),
            Self::Year => utc.year().into(),
        })
    }
}

fn utc(value: Value<'_>) -> Option<DateTime> {
    let timestamp = match value {
        Value::Time(time) => Timestamp::from_nanosecond(time.0.into()).ok()?,
        Value::Str(text) => timestamp(text)?,
        _ => return None,
    };
    Some(Offset::UTC.to_datetime(timestamp))
}

/// ISO 8601 text as a moment; UTC where it names no offset. Nothing shorter than a date, so that bare numbers are none.
pub fn timestamp(text: &str) -> Option<Timestamp> {
    if text.len() < 10 || text.as_bytes()[4] != b'-' {
        return None;
    }
    let local = || Offset::UTC.to_timestamp(text.parse::<DateTime>().ok()?).ok();
    text.parse().ok().or_else(local)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::event::Time;

    #[test]
    fn parts_are_of_utc() {
        let text = Value::Str("2027-01-01T01:30:00+02:00");
        assert_eq!(TimePart::Hour.of(text), Some(23));
        assert_eq!(TimePart::Minute.of(text), Some(30));
        assert_eq!(TimePart::Year.of(text), Some(2026));
        assert_eq!(TimePart::Week.of(text), Some(53));
        assert_eq!(TimePart::Day.of(Value::Str("2026-03-01 09:14:07")), Some(1));
        assert_eq!(
            TimePart::Month.of(Value::Time(Time(1_767_225_600_000_000_000))),
            Some(1)
        );
        assert_eq!(TimePart::Hour.of(Value::Str("12:30")), None);
        assert_eq!(TimePart::Hour.of(Value::Int(1_767_225_600)), None);
        assert_eq!(TimePart::Hour.of(Value::Str("not a time at all")), None);
    }
}

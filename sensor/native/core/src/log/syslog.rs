//! Syslog headers: RFC 5424, RFC 3164, and what devices send in their name. What has no header is all message.

use std::borrow::Cow;

use super::time::{Civil, iso8601, month};

/// A line without its header, and what the header said.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Header<'a> {
    /// Priority: facility × 8 + severity.
    pub priority: Option<u8>,
    /// When, as the header says it.
    pub time: Option<Civil>,
    /// Host name or address.
    pub host: Option<&'a str>,
    /// TAG of RFC 3164, APP-NAME of RFC 5424, or the `%ASA-6-302013` of a Cisco.
    pub tag: Option<&'a str>,
    /// Process id.
    pub process: Option<&'a str>,
    /// MSGID of RFC 5424.
    pub message_id: Option<&'a str>,
    /// Structured data: `sd.<id>.<name>` and value.
    pub structured: Vec<(String, Cow<'a, str>)>,
    /// What is left.
    pub message: &'a str,
}

/// Takes the header off `line`.
pub fn header(line: &str) -> Header<'_> {
    let (priority, rest) = match priority(line) {
        Some((priority, rest)) => (Some(priority), rest),
        None => (None, line),
    };
    if priority.is_some()
        && let Some(body) = rest.strip_prefix("1 ")
        && let Some(header) = rfc5424(body)
    {
        return Header { priority, ..header };
    }
    if priority.is_some() && rest.starts_with('%') {
        return Header {
            priority,
            ..cisco(rest).unwrap_or(Header {
                message: rest,
                ..Header::default()
            })
        };
    }
    match timestamp(rest) {
        Some((time, after)) => Header {
            priority,
            time: Some(time),
            ..after_time(after)
        },
        None => Header {
            priority,
            message: rest,
            ..Header::default()
        },
    }
}

/// `<0>` to `<191>`.
fn priority(line: &str) -> Option<(u8, &str)> {
    let rest = line.strip_prefix('<')?;
    let end = rest.as_bytes().iter().take(4).position(|b| *b == b'>')?;
    let digits = &rest[..end];
    if digits.is_empty() || !digits.bytes().all(|b| b.is_ascii_digit()) {
        return None;
    }
    digits
        .parse()
        .ok()
        .filter(|priority| *priority <= 191)
        .map(|priority| (priority, &rest[end + 1..]))
}

/// The time of a header and what follows it, the blank included: `Mar  1 09:14:07`, `Mar 01 2026 09:14:07`,
/// `2026-03-01T09:14:07.123+02:00`.
fn timestamp(text: &str) -> Option<(Civil, &str)> {
    let bytes = text.as_bytes();
    if bytes.get(10).is_some_and(|b| *b == b'T')
        && let Some((civil, rest)) = iso8601(bytes)
    {
        return Some((civil, &text[bytes.len() - rest.len()..])).filter(|(_, rest)| ends_time(rest));
    }
    let text = text.strip_prefix(['*', '.']).unwrap_or(text); // an unsynchronised Cisco clock says so
    let month = month(text.as_bytes())?;
    let rest = text.get(3..)?.strip_prefix(' ')?.trim_start_matches(' ');
    let (day, rest) = digits(rest, 2)?;
    let mut rest = rest.strip_prefix(' ')?;
    let mut year = None;
    if let Some((value, after)) = digits(rest, 4)
        && let Some(after) = after.strip_prefix(' ')
        && value > 31
    {
        (year, rest) = (Some(value), after);
    }
    let (hour, rest) = digits(rest, 2)?;
    let (minute, rest) = digits(rest.strip_prefix(':')?, 2)?;
    let (second, mut rest) = digits(rest.strip_prefix(':')?, 2)?;
    let mut nanos = 0;
    if let Some(fraction) = rest.strip_prefix('.') {
        let end = fraction
            .bytes()
            .position(|b| !b.is_ascii_digit())
            .unwrap_or(fraction.len());
        for place in 0..9 {
            nanos = nanos * 10
                + fraction.as_bytes()[..end]
                    .get(place)
                    .map_or(0, |digit| u32::from(digit - b'0'));
        }
        rest = &fraction[end..];
    }
    let mut offset = None;
    if let Some(after) = rest.strip_prefix(' ')
        && let Some((seconds, zone_rest)) = super::time::zone_name(after.as_bytes())
    {
        let after = &after[after.len() - zone_rest.len()..];
        if ends_time(after) && (after.is_empty() || after.starts_with([' ', ':'])) {
            (offset, rest) = (Some(seconds), after);
        }
    }
    if !ends_time(rest) || !(1..=31).contains(&day) || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let civil = Civil {
        year: year.map(u16::cast_signed),
        month,
        day: day as u8,
        hour: hour as u8,
        minute: minute as u8,
        second: second as u8,
        nanos,
        offset,
    };
    Some((civil, rest))
}

fn ends_time(rest: &str) -> bool {
    rest.is_empty() || rest.starts_with([' ', ':'])
}

fn digits(text: &str, most: usize) -> Option<(u16, &str)> {
    let end = text
        .bytes()
        .take(most)
        .position(|b| !b.is_ascii_digit())
        .unwrap_or(text.len().min(most));
    text[..end].parse().ok().map(|value| (value, &text[end..]))
}

/// What follows the time in RFC 3164: host and tag, a tag alone (pfSense, FreeBSD), or `: %ASA-…`.
fn after_time(rest: &str) -> Header<'_> {
    let rest = rest.trim_start_matches(' ');
    if let Some(message) = rest.strip_prefix(": ") {
        return cisco(message).unwrap_or(Header {
            message,
            ..Header::default()
        });
    }
    let (first, after) = rest.split_once(' ').unwrap_or((rest, ""));
    if let Some((tag, process)) = tag(first) {
        return Header {
            tag: Some(tag),
            process,
            message: after,
            ..Header::default()
        };
    }
    let host = Some(first).filter(|host| !host.is_empty());
    let after = after.trim_start_matches(' ');
    let (word, message) = after.split_once(' ').unwrap_or((after, ""));
    if word == ":" && message.starts_with('%') {
        return Header {
            host,
            ..cisco(message).unwrap_or(Header {
                message,
                ..Header::default()
            })
        };
    }
    match tag(word) {
        Some((tag, process)) => Header {
            host,
            tag: Some(tag),
            process,
            message,
            ..Header::default()
        },
        None => Header {
            host,
            message: after,
            ..Header::default()
        },
    }
}

/// `name:` or `name[process]:`; the colon may be missing after a bracket.
fn tag(word: &str) -> Option<(&str, Option<&str>)> {
    let bare = word.strip_suffix(':');
    let inner = bare.unwrap_or(word);
    if let Some(open) = inner.strip_suffix(']').and_then(|text| text.find('[')) {
        let (name, process) = (&inner[..open], &inner[open + 1..inner.len() - 1]);
        return is_tag(name).then_some((name, Some(process)));
    }
    bare.filter(|name| is_tag(name)).map(|name| (name, None))
}

fn is_tag(name: &str) -> bool {
    !name.is_empty()
        && name.len() <= 64
        && name
            .bytes()
            .all(|b| b.is_ascii_alphanumeric() || b"_-./()%@#".contains(&b))
}

/// `%ASA-6-302013: text`.
fn cisco(text: &str) -> Option<Header<'_>> {
    let (tag, message) = text.split_once(": ")?;
    (tag.starts_with('%') && is_tag(tag)).then(|| Header {
        tag: Some(tag),
        message,
        ..Header::default()
    })
}

/// RFC 5424 after `<PRI>1 `. `-` is absent.
fn rfc5424(text: &str) -> Option<Header<'_>> {
    let mut words = text.splitn(6, ' ');
    let mut next = || words.next().map(|word| Some(word).filter(|word| *word != "-"));
    let time = match next()? {
        None => None,
        Some(time) => {
            let (civil, rest) = iso8601(time.as_bytes())?;
            rest.is_empty().then_some(())?;
            Some(civil)
        }
    };
    let (host, tag, process, message_id) = (next()?, next()?, next()?, next()?);
    let (structured, rest) = structured_data(words.next()?)?;
    let message = rest.strip_prefix(' ').unwrap_or(rest);
    let message = message.strip_prefix('\u{feff}').unwrap_or(message);
    Some(Header {
        priority: None,
        time,
        host,
        tag,
        process,
        message_id,
        structured,
        message,
    })
}

type StructuredData<'a> = (Vec<(String, Cow<'a, str>)>, &'a str);

/// RFC 5424, 6.3: `-` or `[id name="value" ...]...`, and what follows. At most 64 values.
fn structured_data(text: &str) -> Option<StructuredData<'_>> {
    if let Some(rest) = text.strip_prefix('-') {
        return Some((Vec::new(), rest));
    }
    let mut values = Vec::new();
    let mut rest = text;
    while let Some(element) = rest.strip_prefix('[') {
        let end = element.find([' ', ']'])?;
        let id = &element[..end];
        let mut inner = &element[end..];
        loop {
            if let Some(after) = inner.strip_prefix(']') {
                rest = after;
                break;
            }
            let (name, quoted) = inner.trim_start_matches(' ').split_once("=\"")?;
            let (value, after) = quoted_value(quoted)?;
            if values.len() < 64 {
                values.push((format!("sd.{id}.{name}"), value));
            }
            inner = after;
        }
    }
    (rest.len() < text.len()).then_some((values, rest))
}

/// Up to the closing quote; `\"`, `\\` and `\]` are escapes, a backslash before anything else is itself.
fn quoted_value(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let bytes = text.as_bytes();
    let mut owned: Option<String> = None;
    let (mut plain, mut at) = (0, 0);
    loop {
        at += memchr::memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            let value = match owned {
                None => Cow::Borrowed(&text[..at]),
                Some(mut value) => {
                    value.push_str(&text[plain..at]);
                    Cow::Owned(value)
                }
            };
            return Some((value, &text[at + 1..]));
        }
        if matches!(bytes.get(at + 1), Some(b'"' | b'\\' | b']')) {
            let value = owned.get_or_insert_with(String::new);
            value.push_str(&text[plain..at]);
            plain = at + 1;
            at += 2;
        } else {
            at += 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn rfc5424_with_structured_data() {
        let line = "<165>1 2026-03-01T09:14:07.003+02:00 fw1 vpnd 731 ID47 [a@32473 user=\"x \\\"y\\\" \\]z\" n=\"1\"][b@32473] \u{feff}text here";
        let got = header(line);
        assert_eq!(
            (got.priority, got.host, got.tag, got.process),
            (Some(165), Some("fw1"), Some("vpnd"), Some("731"))
        );
        assert_eq!((got.message_id, got.message), (Some("ID47"), "text here"));
        let time = got.time.unwrap();
        assert_eq!(
            (time.year, time.hour, time.nanos, time.offset),
            (Some(2026), 9, 3_000_000, Some(7200))
        );
        let want = [("sd.a@32473.user", "x \"y\" ]z"), ("sd.a@32473.n", "1")];
        assert!(got.structured.iter().map(|(n, v)| (n.as_str(), v.as_ref())).eq(want));
        let nil = header("<34>1 - - - - - - text");
        assert_eq!((nil.time, nil.host, nil.tag, nil.message), (None, None, None, "text"));
    }

    #[test]
    fn rfc3164_and_what_devices_make_of_it() {
        type Case = (
            &'static str,
            Option<&'static str>,
            Option<&'static str>,
            Option<&'static str>,
            &'static str,
        );
        let table: [Case; 11] = [
            (
                "<134>Mar  1 09:14:07 fw1 filterlog[731]: 5,,,x",
                Some("fw1"),
                Some("filterlog"),
                Some("731"),
                "5,,,x",
            ),
            (
                "<134>Mar  1 09:14:07 filterlog[731]: 5,,,x",
                None,
                Some("filterlog"),
                Some("731"),
                "5,,,x",
            ),
            (
                "Mar  1 09:14:07 web1 nginx: 203.0.113.9 - -",
                Some("web1"),
                Some("nginx"),
                None,
                "203.0.113.9 - -",
            ),
            (
                "<134>Mar 01 2026 09:14:07 fw1 : %ASA-6-302013: Built",
                Some("fw1"),
                Some("%ASA-6-302013"),
                None,
                "Built",
            ),
            (
                "<134>Mar 01 2026 09:14:07: %ASA-6-302013: Built",
                None,
                Some("%ASA-6-302013"),
                None,
                "Built",
            ),
            (
                "<134>Mar 01 2026 09:14:07 EET: %ASA-6-302013: Built",
                None,
                Some("%ASA-6-302013"),
                None,
                "Built",
            ),
            ("<134>%ASA-6-302013: Built", None, Some("%ASA-6-302013"), None, "Built"),
            (
                "<189>date=2026-03-01 time=09:14:07",
                None,
                None,
                None,
                "date=2026-03-01 time=09:14:07",
            ),
            (
                "2026-03-01T09:14:07+02:00 web1 nginx: x",
                Some("web1"),
                Some("nginx"),
                None,
                "x",
            ),
            (
                "system,error,critical login failure for user x",
                None,
                None,
                None,
                "system,error,critical login failure for user x",
            ),
            (
                "<134>Mar  1 09:14:07 fw1 date=2026-03-01 time=x",
                Some("fw1"),
                None,
                None,
                "date=2026-03-01 time=x",
            ),
        ];
        for (line, host, tag, process, message) in table {
            let got = header(line);
            assert_eq!(
                (got.host, got.tag, got.process, got.message),
                (host, tag, process, message),
                "{line}"
            );
        }
        let got = header("<134>Mar 01 2026 09:14:07.250 EEST: %ASA-6-302013: Built")
            .time
            .unwrap();
        assert_eq!(
            (got.year, got.offset, got.nanos),
            (Some(2026), Some(10_800), 250_000_000)
        );
    }

    #[test]
    fn what_is_no_header_is_all_message() {
        for line in [
            "203.0.113.40 - - [01/Mar/2026:09:14:07 +0200] \"GET / HTTP/1.1\" 200 1",
            "{\"ts\": 1}",
            "<999>x",
            "<>x",
            "Marble 1 09:14:07 x",
            "Mar 99 09:14:07 fw1 x: y",
            "2026-03-01 09:14:07 x",
            "",
        ] {
            let got = header(line);
            assert_eq!(
                (got.message, got.host, got.tag, got.time),
                (line, None, None, None),
                "{line}"
            );
        }
    }

    #[test]
    fn a_header_cut_anywhere_stays_text() {
        let line = "<165>1 2026-03-01T09:14:07.003+02:00 fw1 vpnd 731 ID47 [a@1 u=\"x\\\"\"] Ά";
        for cut in (0..line.len()).filter(|cut| line.is_char_boundary(*cut)) {
            let got = header(&line[..cut]);
            assert!(line[..cut].ends_with(got.message));
        }
    }
}

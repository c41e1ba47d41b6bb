//! The combined log format of web servers (Apache's `mod_log_config`, nginx's predefined "combined"; "common" too), with a
//! virtual host before it and an X-Forwarded-For after it where they are there. Names are nginx's variables.

use std::borrow::Cow;
use std::net::IpAddr;

use crate::log::record::Record;

/// `[vhost] addr ident user [time] "request" status bytes ["referer" "agent" ["forwarded for"]]`; `-` is absent.
pub fn parse<'l>(message: &'l str, record: &mut Record<'_, 'l>) -> bool {
    let Some((before, rest)) = message.split_once(" [") else {
        return false;
    };
    let Some((time, rest)) = rest.split_once("] \"") else {
        return false;
    };
    let Some((request, rest)) = quoted(rest) else {
        return false;
    };
    let mut words = rest.trim_start().splitn(3, ' ');
    let (Some(status), Some(bytes)) = (words.next(), words.next()) else {
        return false;
    };
    if status.len() != 3 || !status.bytes().all(|b| b.is_ascii_digit()) || !who(before, record) {
        return false;
    }
    record.put("time_local", Cow::Borrowed(time));
    record.put("request", request);
    record.put("status", Cow::Borrowed(status));
    present(record, "body_bytes_sent", Cow::Borrowed(bytes));
    let mut rest = words.next().unwrap_or_default();
    for name in ["http_referer", "http_user_agent", "http_x_forwarded_for"] {
        let Some((value, after)) = rest.trim_start().strip_prefix('"').and_then(quoted) else {
            break;
        };
        present(record, name, value);
        rest = after;
    }
    true
}

fn present<'l>(record: &mut Record<'_, 'l>, name: &str, value: Cow<'l, str>) {
    if value != "-" && !value.is_empty() {
        record.put(name, value);
    }
}

/// What stands before the time. A user name may hold blanks; the first word that is an address tells where the others are.
fn who<'l>(text: &'l str, record: &mut Record<'_, 'l>) -> bool {
    let is_address = |word: &str| word.parse::<IpAddr>().is_ok();
    let Some((first, mut rest)) = text.split_once(' ') else {
        return false;
    };
    let mut address = first;
    if !is_address(first)
        && let Some((second, after)) = rest.split_once(' ')
        && is_address(second)
    {
        record.put("server_name", Cow::Borrowed(first));
        (address, rest) = (second, after);
    }
    let Some((identity, user)) = rest.split_once(' ') else {
        return false;
    };
    record.put("remote_addr", Cow::Borrowed(address));
    present(record, "remote_logname", Cow::Borrowed(identity));
    present(record, "remote_user", Cow::Borrowed(user));
    true
}

/// Up to the closing quote. `\"` and `\\` are taken back, `\xHH` stays as the server wrote it.
fn quoted(text: &str) -> Option<(Cow<'_, str>, &str)> {
    let bytes = text.as_bytes();
    let mut owned: Option<String> = None;
    let (mut plain, mut at) = (0, 0);
    loop {
        let mark = at + memchr::memchr2(b'"', b'\\', &bytes[at..])?;
        if bytes[mark] == b'"' {
            let value = match owned {
                None => Cow::Borrowed(&text[..mark]),
                Some(mut value) => {
                    value.push_str(&text[plain..mark]);
                    Cow::Owned(value)
                }
            };
            return Some((value, &text[mark + 1..]));
        }
        if matches!(bytes.get(mark + 1), Some(b'"' | b'\\')) {
            let value = owned.get_or_insert_with(String::new);
            value.push_str(&text[plain..mark]);
            plain = mark + 1;
            at = mark + 2;
        } else {
            at = mark + 1;
        }
    }
}

#[cfg(test)]
mod tests {
    use crate::log::parse::Parser;
    use crate::log::parse::tests::{fields, pairs};

    #[test]
    fn combined_with_user_virtual_host_and_forwarded_for() {
        let line = r#"www.example.gr:443 203.0.113.9 - Maria P [01/Mar/2026:09:14:07 +0200] "GET /a?b=\"c\"\x00 HTTP/1.1" 200 512 "https://x.example/" "Agent \\ 1" "198.51.100.7""#;
        assert_eq!(
            fields(&Parser::Combined, line),
            pairs(&[
                ("server_name", "www.example.gr:443"),
                ("remote_addr", "203.0.113.9"),
                ("remote_user", "Maria P"),
                ("time_local", "01/Mar/2026:09:14:07 +0200"),
                ("request", r#"GET /a?b="c"\x00 HTTP/1.1"#),
                ("status", "200"),
                ("body_bytes_sent", "512"),
                ("http_referer", "https://x.example/"),
                ("http_user_agent", r"Agent \ 1"),
                ("http_x_forwarded_for", "198.51.100.7"),
            ])
        );
    }

    #[test]
    fn common_without_the_last_two_and_absent_values() {
        assert_eq!(
            fields(
                &Parser::Combined,
                r#"2001:db8::9 - - [01/Mar/2026:09:14:07 +0200] "-" 408 -"#
            ),
            pairs(&[
                ("remote_addr", "2001:db8::9"),
                ("time_local", "01/Mar/2026:09:14:07 +0200"),
                ("request", "-"),
                ("status", "408"),
            ])
        );
    }

    #[test]
    fn what_is_cut_before_the_status_is_refused() {
        let line = r#"203.0.113.9 - - [01/Mar/2026:09:14:07 +0200] "GET / HTTP/1.1" 200 5"#;
        assert!(fields(&Parser::Combined, line).is_some());
        for cut in 0..line.len() - 2 {
            assert_eq!(fields(&Parser::Combined, &line[..cut]), None, "{}", &line[..cut]);
        }
        assert_eq!(fields(&Parser::Combined, "error: client sent [x] \"y\""), None);
    }
}

//! A mail's own headers (RFC 5322, 2.2), out of its lines.

use super::record::Smtp;
use super::{wire, words};
use crate::proto::text;

/// Bytes of one header, its continued lines included.
const MAX_HEADER: usize = 8 * 1024;
/// Bytes and lines of all headers of a mail.
const MAX_HEADERS: usize = 64 * 1024;
const MAX_HEADER_LINES: u32 = 500;
/// Addresses of one list, and bytes of one of them (RFC 5321, 4.5.3.1.3, and a name before it).
const MAX_ADDRESSES: usize = 128;
pub(super) const MAX_ADDRESS: usize = 512;
/// Hosts of a path.
const MAX_PATH: usize = 64;

/// The headers of one mail while they arrive.
#[derive(Debug, Default)]
pub(super) struct Headers {
    /// A header that the next line may continue.
    open: Vec<u8>,
    bytes: usize,
    lines: u32,
    /// Whether the body has begun.
    done: bool,
}

impl Headers {
    pub(super) fn is_done(&self) -> bool {
        self.done
    }

    /// Takes a line of the mail; the name of what is weird about it.
    pub(super) fn line(&mut self, line: &[u8], mail: &mut Smtp) -> Option<&'static str> {
        if self.done {
            return None;
        }
        self.bytes += line.len();
        self.lines += 1;
        if self.bytes > MAX_HEADERS || self.lines > MAX_HEADER_LINES {
            self.done = true;
            self.close(mail);
            return Some("smtp_excessive_headers");
        }
        if matches!(line.first(), Some(b' ' | b'\t')) && !self.open.is_empty() {
            let rest = line.trim_ascii();
            let room = MAX_HEADER.saturating_sub(self.open.len() + 1);
            self.open.push(b' ');
            self.open.extend_from_slice(&rest[..rest.len().min(room)]);
            return None;
        }
        let weird = self.close(mail);
        if line.is_empty() {
            self.done = true;
        } else {
            self.open.extend_from_slice(&line[..line.len().min(MAX_HEADER)]);
        }
        weird
    }

    /// The mail is over, whether or not its headers were.
    pub(super) fn close(&mut self, mail: &mut Smtp) -> Option<&'static str> {
        let header = std::mem::take(&mut self.open);
        let colon = memchr::memchr(b':', &header)?;
        let name = header[..colon].trim_ascii().to_ascii_uppercase();
        set(&name, text(header[colon + 1..].trim_ascii()), mail)
    }
}

fn set(name: &[u8], value: String, mail: &mut Smtp) -> Option<&'static str> {
    match name {
        b"DATE" => mail.date = Some(value),
        b"FROM" => mail.from = Some(words::decoded(&value)),
        b"REPLY-TO" => mail.reply_to = Some(words::decoded(&value)),
        b"MESSAGE-ID" => mail.msg_id = Some(value),
        b"IN-REPLY-TO" => mail.in_reply_to = Some(value),
        b"SUBJECT" => mail.subject = Some(words::decoded(&value)),
        b"X-MAILER" | b"USER-AGENT" | b"X-USER-AGENT" => {
            mail.is_webmail = wire::is_webmail(&value);
            mail.user_agent = Some(value);
        }
        b"TO" => return all(&value, &mut mail.to, "smtp_too_many_to_addresses"),
        b"CC" => return all(&value, &mut mail.cc, "smtp_too_many_cc_addresses"),
        b"X-ORIGINATING-IP" => mail.x_originating_ip = wire::hosts(&value).next(),
        b"RECEIVED" => return received(value, mail),
        _ => {}
    }
    None
}

fn all(value: &str, list: &mut Vec<String>, beyond: &'static str) -> Option<&'static str> {
    wire::addresses(value).find_map(|address| add(&words::decoded(address), list).then_some(beyond))
}

/// Adds to a set; true where it is full.
pub(super) fn add(address: &str, list: &mut Vec<String>) -> bool {
    let most = address.len().min(MAX_ADDRESS);
    let end = (0..=most).rev().find(|at| address.is_char_boundary(*at));
    let address = &address[..end.unwrap_or(0)];
    if list.iter().any(|known| known == address) {
        return false;
    }
    if list.len() >= MAX_ADDRESSES {
        return true;
    }
    list.push(address.to_owned());
    false
}

fn received(value: String, mail: &mut Smtp) -> Option<&'static str> {
    let from = wire::came_from(&value).map(|host| host.to_string());
    mail.second_received = mail.first_received.take();
    mail.first_received = Some(value);
    let from = from.filter(|from| mail.path.last() != Some(from))?;
    if mail.path.len() >= MAX_PATH {
        return Some("smtp_max_path_length_exceeded");
    }
    mail.path.push(from);
    None
}

//! DNS messages (RFC 1035, 4) from bytes: names with compression, questions, resource records as Zeek prints them.

use std::fmt::Write;
use std::net::{Ipv4Addr, Ipv6Addr};

use super::names;
use crate::packet::{be16, be32};
use crate::proto::text;

/// Length of a message's header.
pub(super) const HEADER: usize = 12;
/// Longest name, as text.
const MAX_NAME: usize = 255;
/// Compression pointers followed in one name.
const MAX_POINTERS: usize = 128;
/// Answers read of one message; a real one over UDP has room for some 250.
const MAX_ANSWERS: usize = 256;

/// Why a message was given up.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Stop {
    /// It is too short to be one.
    NotMine,
}

/// The fixed header.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) id: u16,
    flags: u16,
    pub(super) questions: u16,
    pub(super) answers: u16,
    pub(super) authorities: u16,
    pub(super) additionals: u16,
}

impl Header {
    pub(super) fn is_response(&self) -> bool {
        self.flags & 0x8000 != 0
    }
    pub(super) fn opcode(&self) -> u8 {
        (self.flags >> 11 & 0xf) as u8
    }
    pub(super) fn authoritative(&self) -> bool {
        self.flags & 0x0400 != 0
    }
    pub(super) fn truncated(&self) -> bool {
        self.flags & 0x0200 != 0
    }
    pub(super) fn recursion_desired(&self) -> bool {
        self.flags & 0x0100 != 0
    }
    pub(super) fn recursion_available(&self) -> bool {
        self.flags & 0x0080 != 0
    }
    /// The three bits that were reserved, two of which are AD and CD today.
    pub(super) fn z(&self) -> u8 {
        (self.flags >> 4 & 7) as u8
    }
    pub(super) fn rcode(&self) -> u16 {
        self.flags & 0xf
    }

    /// Whether operation and counts are such as are sent.
    pub(super) fn is_plausible(&self) -> bool {
        matches!(self.opcode(), 0..=2 | 4..=6) && (self.is_response() || self.rcode() == 0)
    }
}

/// Reads a header.
pub(super) fn header(bytes: &[u8]) -> Option<Header> {
    let head = bytes.get(..HEADER)?;
    let at = |index: usize| u16::from_be_bytes([head[index], head[index + 1]]);
    Some(Header {
        id: at(0),
        flags: at(2),
        questions: at(4),
        answers: at(6),
        authorities: at(8),
        additionals: at(10),
    })
}

/// One question.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Question {
    /// Lower case, without the final dot.
    pub(super) name: String,
    pub(super) kind: u16,
    pub(super) class: u16,
}

/// What is read of one message.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Message {
    pub(super) header: Header,
    /// The last question, as Zeek keeps it.
    pub(super) question: Option<Question>,
    /// Name of the first record of the answer section.
    pub(super) answered: Option<String>,
    /// Answers as text, and their time to live in seconds.
    pub(super) answers: Vec<(String, u32)>,
    pub(super) authorities: Vec<String>,
    /// Where reading stopped early, by Zeek's name for it.
    pub(super) damage: Option<&'static str>,
}

impl Message {
    /// Reads a message; damage within it ends the reading, not the message.
    pub(super) fn parse(bytes: &[u8]) -> Result<Self, Stop> {
        let header = header(bytes).ok_or(Stop::NotMine)?;
        let mut message = Self {
            header,
            question: None,
            answered: None,
            answers: Vec::new(),
            authorities: Vec::new(),
            damage: None,
        };
        if let Err(damage) = message.sections(bytes) {
            message.damage = Some(damage);
        }
        Ok(message)
    }

    fn sections(&mut self, bytes: &[u8]) -> Result<(), &'static str> {
        let mut at = HEADER;
        for _ in 0..self.header.questions.min(super::MAX_QUESTIONS) {
            let (question, next) = question(bytes, at)?;
            self.question = Some(question);
            at = next;
        }
        let counts = [self.header.answers, self.header.authorities];
        for (section, count) in counts.into_iter().enumerate() {
            for _ in 0..usize::from(count).min(MAX_ANSWERS) {
                let (record, next) = resource(bytes, at)?;
                at = next;
                let text = record.text(bytes);
                if section == 0 {
                    self.answered.get_or_insert(record.name);
                    if let Some(text) = text {
                        self.answers.push((text, record.ttl));
                    }
                } else if let Some(text) = text {
                    self.authorities.push(text);
                }
            }
        }
        Ok(())
    }
}

/// Whether a message holds together so well that it is DNS wherever it is found.
pub(super) fn is_sound(bytes: &[u8]) -> bool {
    let Some(header) = header(bytes) else { return false };
    let records = usize::from(header.answers) + usize::from(header.authorities) + usize::from(header.additionals);
    if !header.is_plausible() || header.questions == 0 || header.questions > 4 || records > MAX_ANSWERS {
        return false;
    }
    if !header.is_response() && header.opcode() == 0 && header.answers > 0 {
        return false;
    }
    let mut at = HEADER;
    for _ in 0..header.questions {
        match question(bytes, at) {
            Ok((question, next))
                if matches!(question.class & 0x7fff, 1..=4 | 254 | 255) && names::is_known_type(question.kind) =>
            {
                at = next;
            }
            _ => return false,
        }
    }
    for _ in 0..records {
        match resource(bytes, at) {
            Ok((_, next)) => at = next,
            Err(_) => return header.truncated(),
        }
    }
    at == bytes.len()
}

fn question(bytes: &[u8], at: usize) -> Result<(Question, usize), &'static str> {
    let (name, at) = name(bytes, at)?;
    let kind = be16(bytes, at).ok_or("DNS_truncated_quest")?;
    let class = be16(bytes, at + 2).ok_or("DNS_truncated_quest")?;
    Ok((Question { name, kind, class }, at + 4))
}

/// Reads a name (RFC 1035, 4.1.4); returns it in lower case and where the reading goes on.
fn name(bytes: &[u8], start: usize) -> Result<(String, usize), &'static str> {
    let mut raw: Vec<u8> = Vec::new();
    let (mut at, mut resume) = (start, None);
    let mut pointers = 0;
    loop {
        let length = usize::from(*bytes.get(at).ok_or("DNS_label_len_gt_pkt")?);
        match length {
            0 => {
                at += 1;
                break;
            }
            1..=63 => {
                let label = bytes.get(at + 1..at + 1 + length).ok_or("DNS_label_len_gt_pkt")?;
                if !raw.is_empty() {
                    raw.push(b'.');
                }
                raw.extend(label.iter().map(u8::to_ascii_lowercase));
                if raw.len() > MAX_NAME {
                    return Err("DNS_NAME_too_long");
                }
                at += 1 + length;
            }
            192.. => {
                let target = usize::from(be16(bytes, at).ok_or("DNS_label_len_gt_pkt")? & 0x3fff);
                resume.get_or_insert(at + 2);
                pointers += 1;
                // Pointing forward or at itself never ends well.
                if target >= at {
                    return Err("DNS_label_forward_compress_offset");
                }
                if pointers > MAX_POINTERS {
                    return Err("DNS_label_forward_compress_offset");
                }
                at = target;
            }
            _ => return Err("DNS_label_too_long"),
        }
    }
    Ok((
        String::from_utf8(raw).unwrap_or_else(|error| text(error.as_bytes())),
        resume.unwrap_or(at),
    ))
}

struct Resource {
    name: String,
    kind: u16,
    ttl: u32,
    /// Where its data lies in the message: names in it may point anywhere before.
    from: usize,
    to: usize,
}

fn resource(bytes: &[u8], at: usize) -> Result<(Resource, usize), &'static str> {
    let (name, at) = name(bytes, at)?;
    let short = "DNS_truncated_ans_too_short";
    let kind = be16(bytes, at).ok_or(short)?;
    let ttl = be32(bytes, at + 4).ok_or(short)?;
    let length = usize::from(be16(bytes, at + 8).ok_or(short)?);
    let from = at + 10;
    let to = from + length;
    if to > bytes.len() {
        return Err("DNS_truncated_RR_rdlength_lt_len");
    }
    Ok((
        Resource {
            name,
            kind,
            ttl,
            from,
            to,
        },
        to,
    ))
}

impl Resource {
    /// The record as Zeek prints it; `None` where it prints nothing or the data is damaged.
    fn text(&self, bytes: &[u8]) -> Option<String> {
        let data = &bytes[self.from..self.to];
        let name_at = |offset: usize| name(bytes, self.from + offset).ok().map(|(name, _)| name);
        match self.kind {
            1 => Some(Ipv4Addr::from(<[u8; 4]>::try_from(data).ok()?).to_string()),
            28 => Some(Ipv6Addr::from(<[u8; 16]>::try_from(data).ok()?).to_string()),
            2 | 5 | 6 | 12 | 39 => name_at(0),
            15 => name_at(2),
            33 => name_at(6),
            16 => strings("TXT", data),
            99 => strings("SPF", data),
            29 => {
                let [_, size, horizontal, vertical, ..] = data else {
                    return None;
                };
                Some(format!("LOC:  {size} {horizontal} {vertical}"))
            }
            43 | 59 => {
                let [_, _, algorithm, digest, ..] = data else {
                    return None;
                };
                Some(format!("DS {algorithm} {digest}"))
            }
            44 => {
                let mut out = String::from("SSHFP: ");
                for byte in data.get(2..)? {
                    // Writing to a string does not fail.
                    let _ = write!(out, "{byte:02x}");
                }
                Some(out)
            }
            46 => {
                let signer = name_at(18)?;
                let signer = if signer.is_empty() { "<Root>" } else { &signer };
                Some(format!("RRSIG {} {signer}", be16(data, 0)?))
            }
            47 => Some(format!("NSEC {} {}", self.name, name_at(0)?)),
            48 => Some(format!("DNSKEY {}", data.get(3)?)),
            50 => Some("NSEC3".to_owned()),
            51 => Some("NSEC3PARAM".to_owned()),
            65534 => Some("BIND9 signing signal".to_owned()),
            11 | 41 | 249 | 250 => None,
            35 => naptr(bytes, self.from, data),
            257 => {
                let (tag, value) = data.get(2..)?.split_at_checked(usize::from(*data.get(1)?))?;
                Some(format!("CAA {} {} {}", data[0], text(tag), text(value)))
            }
            kind => Some(format!("<unknown type={kind}>")),
        }
    }
}

/// Character strings (RFC 1035, 3.3), each with its length.
fn strings(kind: &str, mut data: &[u8]) -> Option<String> {
    let mut out = String::new();
    while let Some((length, rest)) = data.split_first() {
        let (string, rest) = rest.split_at_checked(usize::from(*length))?;
        let separator = if out.is_empty() { "" } else { " " };
        // Writing to a string does not fail.
        let _ = write!(out, "{separator}{kind} {length} {}", text(string));
        data = rest;
    }
    Some(out)
}

/// Naming authority pointer (RFC 3403): order, preference, flags, services, expression, replacement.
fn naptr(bytes: &[u8], from: usize, data: &[u8]) -> Option<String> {
    let mut out = format!("NAPTR {} {}", be16(data, 0)?, be16(data, 2)?);
    let mut at = 4;
    for _ in 0..3 {
        let length = usize::from(*data.get(at)?);
        let _ = write!(out, " {}", text(data.get(at + 1..at + 1 + length)?));
        at += 1 + length;
    }
    let (replacement, _) = name(bytes, from + at).ok()?;
    let _ = write!(out, " {replacement}");
    Some(out)
}

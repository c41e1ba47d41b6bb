//! One Kerberos message (RFC 4120, 5.4 and 5.9): a request to a distribution center, its reply, its error.

use crate::event::Time;
use crate::proto::der::{self, Element, Elements, Malformed};

/// Components of a name, and bytes of a text, that are read.
const MAX_COMPONENTS: usize = 32;
const MAX_TEXT: usize = 512;
/// Bits of `KDCOptions` (RFC 4120, 5.4.1), the first one highest.
const FORWARDABLE: u32 = 1 << (31 - 1);
const RENEWABLE: u32 = 1 << (31 - 8);
/// Tag of the application class, constructed.
const APPLICATION: u8 = 0x60;
const TICKET: u8 = APPLICATION | 1;

/// What a message is, by its number.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Request(Exchange),
    Reply(Exchange),
    Error,
}

/// Which service of a center is asked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Exchange {
    /// Authentication, for the first ticket.
    As,
    /// Tickets for services.
    Tgs,
}

impl Kind {
    fn of(tag: u8) -> Option<Self> {
        Some(match tag ^ APPLICATION {
            10 => Self::Request(Exchange::As),
            11 => Self::Reply(Exchange::As),
            12 => Self::Request(Exchange::Tgs),
            13 => Self::Reply(Exchange::Tgs),
            30 => Self::Error,
            _ => return None,
        })
    }
}

/// What a message says.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) kind: Kind,
    pub(super) client_name: Option<String>,
    /// The client's realm; in a request the one that is asked, which is the client's in an AS exchange.
    pub(super) realm: Option<String>,
    pub(super) service: Option<String>,
    pub(super) from: Option<Time>,
    pub(super) till: Option<Time>,
    pub(super) nonce: Option<i64>,
    /// Forwardable, renewable.
    pub(super) options: Option<[bool; 2]>,
    /// Encryption type of the ticket.
    pub(super) cipher: Option<i64>,
    pub(super) error_code: Option<i64>,
    pub(super) error_text: Option<String>,
    /// The list of pre-authentication data.
    pub(super) padata: Option<Element<'a>>,
    /// Something is malformed: what came before it counts.
    pub(super) damaged: bool,
}

/// Whether these bytes start a message, as far as they go, and the whole message's length; `None` where they do not, or are
/// too few to say so.
pub(super) fn start(bytes: &[u8]) -> Option<usize> {
    let (tag, length, header) = der::head(bytes).ok()??;
    let kind = Kind::of(tag)?;
    let (sequence, _, after) = der::head(bytes.get(header..)?).ok()??;
    // The version comes first, under 1 in requests and under 0 in all else.
    let version = if matches!(kind, Kind::Request(_)) { 0xa1 } else { 0xa0 };
    let begins = bytes.get(header + after..header + after + 5)? == [version, 3, der::INTEGER, 1, 5];
    (sequence == der::SEQUENCE && begins).then_some(header + length)
}

impl<'a> Message<'a> {
    /// Reads a message; `None` where it is none.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        start(bytes)?;
        let whole = Elements::as_far_as(bytes).next()?.ok()?;
        let mut message = Self {
            kind: Kind::of(whole.tag)?,
            client_name: None,
            realm: None,
            service: None,
            from: None,
            till: None,
            nonce: None,
            options: None,
            cipher: None,
            error_code: None,
            error_text: None,
            padata: None,
            damaged: false,
        };
        // One that is cut says what is left of it, and that is no fault of who sent it.
        message.damaged = message.read(whole).is_err() && whole.whole().is_ok();
        Some(message)
    }

    fn read(&mut self, whole: Element<'a>) -> Result<(), Malformed> {
        for field in whole.inside(der::SEQUENCE)?.elements() {
            let field = field?;
            match (self.kind, field.tag ^ 0xa0) {
                (Kind::Request(_), 3) | (Kind::Reply(_), 2) => self.padata = Some(field.inside(der::SEQUENCE)?),
                (Kind::Request(_), 4) => self.body(field)?,
                (Kind::Reply(_), 3) | (Kind::Error, 7) => self.realm = Some(text(field)?),
                (Kind::Reply(_), 4) | (Kind::Error, 8) => self.client_name = Some(name(field)?),
                (Kind::Reply(_), 5) => self.ticket(field)?,
                (Kind::Error, 6) => self.error_code = der::integer(field.value(der::INTEGER)?),
                (Kind::Error, 10) => self.service = Some(name(field)?),
                (Kind::Error, 11) => self.error_text = Some(text(field)?),
                _ => {}
            }
        }
        Ok(())
    }

    /// `KDC-REQ-BODY`.
    fn body(&mut self, body: Element<'_>) -> Result<(), Malformed> {
        for field in body.inside(der::SEQUENCE)?.elements() {
            let field = field?;
            match field.tag ^ 0xa0 {
                0 => {
                    let bits = field.value(der::BITS)?;
                    let bits = bits.get(1..).and_then(<[u8]>::first_chunk).ok_or(Malformed)?;
                    self.options = Some([FORWARDABLE, RENEWABLE].map(|bit| u32::from_be_bytes(*bits) & bit != 0));
                }
                1 => self.client_name = Some(name(field)?),
                2 => self.realm = Some(text(field)?),
                3 => self.service = Some(name(field)?),
                4 => self.from = time(field)?,
                5 => self.till = time(field)?,
                7 => self.nonce = der::integer(field.value(der::INTEGER)?),
                _ => {}
            }
        }
        Ok(())
    }

    fn ticket(&mut self, ticket: Element<'_>) -> Result<(), Malformed> {
        for field in ticket.inside(TICKET)?.inside(der::SEQUENCE)?.elements() {
            let field = field?;
            match field.tag ^ 0xa0 {
                2 => self.service = Some(name(field)?),
                3 => {
                    let etype = field.inside(der::SEQUENCE)?.inside(0xa0)?;
                    self.cipher = der::integer(etype.value(der::INTEGER)?);
                }
                _ => {}
            }
        }
        Ok(())
    }
}

/// A string of any kind, cut to what is read.
fn text(field: Element<'_>) -> Result<String, Malformed> {
    let string = field.elements().next().ok_or(Malformed)??.whole()?;
    Ok(super::text(&string[..string.len().min(MAX_TEXT)]))
}

/// `PrincipalName`: its components, joined as Kerberos writes them.
fn name(field: Element<'_>) -> Result<String, Malformed> {
    let mut fields = field.inside(der::SEQUENCE)?.elements();
    fields.expect(0xa0)?;
    let mut joined = String::new();
    let components = fields.expect(0xa1)?.inside(der::SEQUENCE)?.elements();
    for (at, component) in components.take(MAX_COMPONENTS).enumerate() {
        if at > 0 {
            joined.push('/');
        }
        let component = component?.whole()?;
        joined.push_str(&super::text(&component[..component.len().min(MAX_TEXT)]));
        if joined.len() >= MAX_TEXT {
            crate::proto::shorten(&mut joined, MAX_TEXT);
            break;
        }
    }
    Ok(joined)
}

/// `KerberosTime`: year to second in UTC, as text. One that is no date is nothing.
fn time(field: Element<'_>) -> Result<Option<Time>, Malformed> {
    Ok(moment(field.value(der::GENERALIZED_TIME)?))
}

fn moment(text: &[u8]) -> Option<Time> {
    let digits = text
        .strip_suffix(b"Z")
        .filter(|text| text.len() == 14 && text.iter().all(u8::is_ascii_digit))?;
    let civil = jiff::civil::DateTime::strptime("%Y%m%d%H%M%S", digits).ok()?;
    let moment = jiff::tz::TimeZone::UTC.to_timestamp(civil).ok()?;
    Some(Time(i64::try_from(moment.as_nanosecond()).ok()?))
}

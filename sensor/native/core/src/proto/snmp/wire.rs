//! One SNMP message: versions 1 (RFC 1157), 2c (RFC 1901, 3416) and 3 (RFC 3412), with the user of the security model that
//! everybody has (RFC 3414).

use crate::proto::der::{self, Element, Elements, Malformed};

/// `sysDescr.0` and `sysUpTime.0` (RFC 3418), as they stand in a binding.
const DESCRIPTION: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 1, 0];
const UP_TIME: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 3, 0];
const TIME_TICKS: u8 = 0x43;
/// The user-based security model.
const USERS: i64 = 3;

/// Which version a message is of; the number on the wire is another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Version {
    V1,
    V2c,
    V3,
}

/// What a message asks or says.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Operation {
    /// For values, or for those that come next.
    Get,
    GetBulk,
    Response,
    Set,
    /// Traps, informs, reports.
    Other,
}

/// A message.
#[derive(Debug)]
pub(super) struct Message<'a> {
    pub(super) version: Version,
    /// The community; of version 3 the user.
    pub(super) community: &'a [u8],
    /// None where it is encrypted or damaged.
    pub(super) operation: Option<Operation>,
    pub(super) bindings: u64,
    pub(super) description: Option<&'a [u8]>,
    /// Hundredths of a second since the device started.
    pub(super) up_time: Option<u64>,
    /// Its end is missing.
    pub(super) is_cut: bool,
    /// Something is malformed: what came before it counts.
    pub(super) damaged: bool,
}

impl<'a> Message<'a> {
    /// Reads a datagram; `None` where it is no message.
    pub(super) fn parse(bytes: &'a [u8]) -> Option<Self> {
        let whole = Elements::as_far_as(bytes).expect(der::SEQUENCE).ok()?;
        let mut fields = whole.elements();
        let version = match fields.value(der::INTEGER).ok()? {
            [0] => Version::V1,
            [1] => Version::V2c,
            [3] => Version::V3,
            _ => return None,
        };
        let mut message = Self {
            version,
            community: &[],
            operation: None,
            bindings: 0,
            description: None,
            up_time: None,
            is_cut: whole.whole().is_err(),
            damaged: false,
        };
        let result = if version == Version::V3 {
            let about = fields.expect(der::SEQUENCE).ok()?;
            message.secured(about, fields)
        } else {
            message.community = fields.value(der::OCTETS).ok()?;
            message.unit(&mut fields)
        };
        message.damaged = result.is_err() && !message.is_cut;
        Some(message)
    }

    /// Version 3 behind `msgGlobalData`: security parameters, then data in clear or not.
    fn secured(&mut self, about: Element<'a>, mut fields: Elements<'a>) -> Result<(), Malformed> {
        let mut about = about.elements();
        about.expect(der::INTEGER)?; // the message's number
        about.expect(der::INTEGER)?; // the largest answer
        about.expect(der::OCTETS)?; // flags
        let model = der::integer(about.value(der::INTEGER)?);
        let parameters = fields.value(der::OCTETS)?;
        if model == Some(USERS) {
            let mut parameters = Elements::of(parameters).expect(der::SEQUENCE)?.elements();
            parameters.expect(der::OCTETS)?; // the engine
            parameters.expect(der::INTEGER)?; // how often it started
            parameters.expect(der::INTEGER)?; // how long ago
            self.community = parameters.value(der::OCTETS)?;
        }
        let data = fields.next().ok_or(Malformed)??;
        match data.tag {
            der::SEQUENCE => {
                let mut scoped = data.elements();
                scoped.expect(der::OCTETS)?; // the engine
                scoped.expect(der::OCTETS)?; // the context
                self.unit(&mut scoped)
            }
            der::OCTETS => Ok(()), // encrypted
            _ => Err(Malformed),
        }
    }

    /// A protocol data unit.
    fn unit(&mut self, fields: &mut Elements<'a>) -> Result<(), Malformed> {
        let unit = fields.next().ok_or(Malformed)??;
        let operation = operation(unit.tag).ok_or(Malformed)?;
        self.operation = Some(operation);
        if operation == Operation::Other {
            return Ok(()); // the first trap has another form, and nothing of any of them is asked for
        }
        let mut unit = unit.elements();
        for _ in 0..3 {
            unit.expect(der::INTEGER)?; // number, status and index; in bulk requests two counts
        }
        for binding in unit.expect(der::SEQUENCE)?.elements() {
            let binding = binding?;
            self.bindings += 1;
            if operation != Operation::Response || binding.tag != der::SEQUENCE {
                continue;
            }
            let mut binding = binding.elements();
            let name = binding.value(der::OID)?;
            let value = binding.next().ok_or(Malformed)??;
            match (name, value.tag) {
                (DESCRIPTION, der::OCTETS) => self.description = Some(value.whole()?),
                (UP_TIME, TIME_TICKS) => self.up_time = der::unsigned(value.whole()?),
                _ => {}
            }
        }
        Ok(())
    }
}

fn operation(tag: u8) -> Option<Operation> {
    Some(match tag {
        0xa0 | 0xa1 => Operation::Get,
        0xa2 => Operation::Response,
        0xa3 => Operation::Set,
        0xa5 => Operation::GetBulk,
        0xa4 | 0xa6..=0xa8 => Operation::Other,
        _ => return None,
    })
}

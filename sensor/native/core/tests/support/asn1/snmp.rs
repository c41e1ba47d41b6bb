//! Messages of SNMP (RFC 1157, 3416, 3412).
#![allow(dead_code)] // each test uses some

use super::element;

/// `sysDescr.0`.
pub const DESCRIPTION: &[u8] = &[0x2b, 6, 1, 2, 1, 1, 1, 0];

/// A variable and its value, which is an element.
pub fn binding(name: &[u8], value: &[u8]) -> Vec<u8> {
    element(0x30, &[element(6, name), value.to_vec()].concat())
}

/// Hundredths of a second, in bytes.
pub fn ticks(bytes: &[u8]) -> Vec<u8> {
    element(0x43, bytes)
}

/// A protocol data unit.
pub fn unit(tag: u8, bindings: &[Vec<u8>]) -> Vec<u8> {
    let number = element(2, &[9]);
    let zero = element(2, &[0]);
    element(
        tag,
        &[number, zero.clone(), zero, element(0x30, &bindings.concat())].concat(),
    )
}

/// A message of version 1 (0) or 2c (1).
pub fn message(version: u8, community: &[u8], unit: &[u8]) -> Vec<u8> {
    element(
        0x30,
        &[element(2, &[version]), element(4, community), unit.to_vec()].concat(),
    )
}

/// A message of version 3 under a security model; `data` is in clear or encrypted.
pub fn secured(model: u8, user: &[u8], data: &[u8]) -> Vec<u8> {
    let number = |value: u8| element(2, &[value]);
    let about = element(0x30, &[number(1), number(99), element(4, &[4]), number(model)].concat());
    let parameters = [
        element(4, b"engine"),
        number(1),
        number(1),
        element(4, user),
        element(4, b""),
        element(4, b""),
    ];
    let parameters = element(4, &element(0x30, &parameters.concat()));
    element(0x30, &[number(3), about, parameters, data.to_vec()].concat())
}

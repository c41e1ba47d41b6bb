//! Messages of LDAP (RFC 4511).

use super::element;

/// A message around an operation's content.
pub fn message(id: u8, tag: u8, content: &[u8]) -> Vec<u8> {
    element(0x30, &[element(2, &[id]), element(tag, content)].concat())
}

pub fn octets(text: &str) -> Vec<u8> {
    element(4, text.as_bytes())
}

/// A bind by name and password.
pub fn bind(id: u8, name: &str, password: &str) -> Vec<u8> {
    let content = [element(2, &[3]), octets(name), element(0x80, password.as_bytes())].concat();
    message(id, 0x60, &content)
}

/// A response of this tag.
pub fn result(id: u8, tag: u8, code: u8, said: &str) -> Vec<u8> {
    message(id, tag, &[element(0x0a, &[code]), octets(""), octets(said)].concat())
}

/// A search below `base`.
pub fn search(id: u8, base: &str, filter: &[u8], attributes: &[&str]) -> Vec<u8> {
    let numbers = [
        element(0x0a, &[2]),
        element(0x0a, &[0]),
        element(2, &[0]),
        element(2, &[0]),
        element(1, &[0]),
    ];
    let names: Vec<u8> = attributes.iter().flat_map(|name| octets(name)).collect();
    message(
        id,
        0x63,
        &[octets(base), numbers.concat(), filter.to_vec(), element(0x30, &names)].concat(),
    )
}

/// `(name=value)`.
pub fn equal(name: &str, value: &str) -> Vec<u8> {
    element(0xa3, &[octets(name), octets(value)].concat())
}

/// `(name=*)`.
pub fn present(name: &str) -> Vec<u8> {
    element(0x87, name.as_bytes())
}

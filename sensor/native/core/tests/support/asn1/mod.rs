//! Elements of ASN.1 in its basic encoding (X.690).

pub mod kerberos;
pub mod ldap;
pub mod snmp;

/// One with a length of one byte, three or four.
pub fn element(tag: u8, content: &[u8]) -> Vec<u8> {
    let length = content.len();
    let head = if length < 128 {
        vec![tag, length as u8]
    } else if length < 0x1_0000 {
        vec![tag, 0x82, (length >> 8) as u8, length as u8]
    } else {
        vec![tag, 0x83, (length >> 16) as u8, (length >> 8) as u8, length as u8]
    };
    [head, content.to_vec()].concat()
}

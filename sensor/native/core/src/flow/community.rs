//! Community id, version 1 with seed 0 (github.com/corelight/community-id-spec): the same string as other tools give a flow.

use std::net::IpAddr;

use sha1::{Digest, Sha1};

use crate::event::{ConnId, Transport};

const BASE64: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

/// The text of a community id: `1:` and 28 characters of base64.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct CommunityId([u8; 30]);

impl CommunityId {
    /// Of a connection; `one_way` for ICMP messages that have no answer.
    pub(crate) fn new(id: &ConnId, protocol: u8, one_way: bool) -> Self {
        let ends = ((id.orig_h, id.orig_p), (id.resp_h, id.resp_p));
        let (first, second) = if one_way || ends.0 <= ends.1 {
            ends
        } else {
            (ends.1, ends.0)
        };
        let mut hash = Sha1::new();
        hash.update([0, 0]);
        for address in [first.0, second.0] {
            match address {
                IpAddr::V4(v4) => hash.update(v4.octets()),
                IpAddr::V6(v6) => hash.update(v6.octets()),
            }
        }
        hash.update([protocol, 0]);
        if !matches!(id.transport, Transport::Other(_)) {
            hash.update(first.1.to_be_bytes());
            hash.update(second.1.to_be_bytes());
        }
        Self(text(&hash.finalize()))
    }

    pub(crate) fn as_str(&self) -> &str {
        std::str::from_utf8(&self.0).unwrap_or("1:")
    }
}

fn text(hash: &[u8]) -> [u8; 30] {
    let mut out = *b"1:==========================A=";
    for (slot, chunk) in out[2..].chunks_exact_mut(4).zip(hash.chunks(3)) {
        let at = |index: usize| u32::from(chunk.get(index).copied().unwrap_or(0));
        let word = at(0) << 16 | at(1) << 8 | at(2);
        for (index, character) in slot.iter_mut().enumerate() {
            *character = if index <= chunk.len() {
                BASE64[(word >> (18 - 6 * index) & 0x3f) as usize]
            } else {
                b'='
            };
        }
    }
    out
}

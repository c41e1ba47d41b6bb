//! Which connection a packet belongs to: addresses, ports, protocol and encapsulation depth, the same for both directions.

use std::hash::{BuildHasher, Hasher};
use std::net::IpAddr;

use foldhash::fast::FixedState;

use crate::event::{Time, Transport, Uid};

/// Both ends of a packet in the order it goes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Ends {
    pub(crate) src: IpAddr,
    pub(crate) src_port: u16,
    pub(crate) dst: IpAddr,
    pub(crate) dst_port: u16,
    pub(crate) transport: Transport,
    /// IP protocol number.
    pub(crate) protocol: u8,
    /// No answer belongs to it: each direction is a connection of its own.
    pub(crate) one_way: bool,
    /// Encapsulations around it.
    pub(crate) depth: u8,
}

/// The same for both directions of a connection.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) struct Key([u8; 40]);

fn wide(address: IpAddr) -> ([u8; 16], u8) {
    match address {
        IpAddr::V4(v4) => (v4.to_ipv6_mapped().octets(), 4),
        IpAddr::V6(v6) => (v6.octets(), 6),
    }
}

impl Key {
    pub(crate) fn new(ends: &Ends) -> Self {
        let ((src, family), (dst, _)) = (wide(ends.src), wide(ends.dst));
        let (from, to) = ((src, ends.src_port), (dst, ends.dst_port));
        let (first, second) = if ends.one_way || from <= to {
            (from, to)
        } else {
            (to, from)
        };
        let mut key = [0; 40];
        key[..16].copy_from_slice(&first.0);
        key[16..32].copy_from_slice(&second.0);
        key[32..34].copy_from_slice(&first.1.to_be_bytes());
        key[34..36].copy_from_slice(&second.1.to_be_bytes());
        key[36] = ends.protocol;
        key[37] = ends.depth;
        key[38] = family | u8::from(ends.one_way) << 4;
        Self(key)
    }

    pub(crate) fn hash(&self, state: &FixedState) -> u64 {
        let mut hasher = state.build_hasher();
        hasher.write(&self.0);
        hasher.finish()
    }

    /// The connection's identifier: over start, key and ordinal, so that it is the same with any number of workers.
    pub(crate) fn uid(&self, seed: u64, start: Time, ordinal: u32) -> Uid {
        let half = |salt: u64| {
            let mut hasher = FixedState::with_seed(seed ^ salt).build_hasher();
            hasher.write_i64(start.0);
            hasher.write(&self.0);
            hasher.write_u32(ordinal);
            hasher.finish()
        };
        Uid::from_hash(u128::from(half(0x76_6967_6c61)) << 32 | u128::from(half(0x0075_6964) >> 32))
    }
}

//! Frames to addresses, ports and payload: link layers, encapsulations, IP, TCP and UDP headers. Borrows its input.
//!
//! Nothing here keeps state but [`fragment`], which puts IP fragments together within a fixed budget.

pub(crate) mod checksum;
pub(crate) mod fragment;
pub(crate) mod ip;
pub mod link;
pub(crate) mod transport;
pub(crate) mod tunnel;

/// Why a frame was not decoded further; each is a counter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Stop {
    /// Not IP (ARP, spanning tree, ...).
    NotIp,
    /// The frame ends inside a header.
    Truncated,
    /// A header contradicts itself.
    Malformed,
    /// More encapsulations than [`link::MAX_HEADERS`].
    TooDeep,
}

/// Big-endian 16 bits at `at`.
pub(crate) fn be16(bytes: &[u8], at: usize) -> Option<u16> {
    Some(u16::from_be_bytes(bytes.get(at..at + 2)?.try_into().ok()?))
}

/// Big-endian 32 bits at `at`.
pub(crate) fn be32(bytes: &[u8], at: usize) -> Option<u32> {
    Some(u32::from_be_bytes(bytes.get(at..at + 4)?.try_into().ok()?))
}

#[cfg(test)]
mod tests;

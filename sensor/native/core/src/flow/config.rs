//! Limits and times of the flow table.

use super::table::Class;

const SECOND: i64 = 1_000_000_000;

/// Limits and times; every one has a default.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Config {
    /// Connections kept; above it the oldest of the cheapest class ends early.
    pub flows: usize,
    /// Nanoseconds without a packet after which a TCP connection ends.
    pub tcp_idle: i64,
    /// Nanoseconds after which a TCP connection that was never answered ends.
    pub tcp_half_open: i64,
    /// Nanoseconds a closed TCP connection is still known.
    pub tcp_closed: i64,
    /// Nanoseconds without a datagram after which a UDP connection ends.
    pub udp_idle: i64,
    /// The same where each datagram is a question or an answer (DNS).
    pub udp_transaction_idle: i64,
    /// The same for ICMP and other protocols.
    pub other_idle: i64,
    /// Workers that share the machine's memory: each has this part of every cap.
    pub workers: usize,
    /// Key of the hashes that identifiers come from.
    pub seed: u64,
}

impl Default for Config {
    fn default() -> Self {
        Self {
            flows: 200_000,
            tcp_idle: 300 * SECOND,
            tcp_half_open: 30 * SECOND,
            tcp_closed: 5 * SECOND,
            udp_idle: 60 * SECOND,
            udp_transaction_idle: 10 * SECOND,
            other_idle: 30 * SECOND,
            workers: 1,
            seed: 0,
        }
    }
}

impl Config {
    /// Nanoseconds a connection of this class may be silent.
    pub(super) fn idle(&self, class: Class) -> i64 {
        match class {
            Class::HalfOpen => self.tcp_half_open,
            Class::Closed => self.tcp_closed,
            Class::OneWay | Class::Datagrams => self.udp_idle,
            Class::Transactions => self.udp_transaction_idle,
            Class::Other => self.other_idle,
            Class::Established => self.tcp_idle,
        }
    }
}

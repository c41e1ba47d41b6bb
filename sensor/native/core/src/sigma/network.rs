//! Networks: an address in any spelling against a prefix. `::ffff:a.b.c.d` counts as IPv4 too; a zone id is dropped.

use std::fmt;
use std::net::IpAddr;

use crate::event::Value;

/// An IPv4 or IPv6 prefix without host bits.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    prefix: u8,
}

impl Network {
    /// Reads `address/prefix`, or an address alone.
    ///
    /// # Errors
    /// What is wrong with it: no address, a prefix too long, host bits set.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
        let address: IpAddr = address
            .parse()
            .map_err(|_| format!("{text:?} is no network: {address:?} is no address"))?;
        let width = if address.is_ipv4() { 32 } else { 128 };
        let prefix = match prefix {
            None => width,
            Some(p) => p
                .parse()
                .ok()
                .filter(|p| *p <= width)
                .ok_or_else(|| format!("{text:?} is no network: the prefix is a number from 0 to {width}"))?,
        };
        let network = Self { address, prefix };
        if network.holds_bits_of(address) && masked(address, prefix) == bits(address) {
            Ok(network)
        } else {
            Err(format!("{text:?} has host bits set"))
        }
    }

    /// Its first address.
    pub fn address(&self) -> IpAddr {
        self.address
    }

    /// How many bits of it count.
    pub fn prefix(&self) -> u8 {
        self.prefix
    }

    /// Whether `address` lies in it.
    pub fn contains(&self, address: IpAddr) -> bool {
        if self.holds_bits_of(address) {
            return true;
        }
        match address {
            IpAddr::V6(v6) => v6.to_ipv4_mapped().is_some_and(|v4| self.holds_bits_of(IpAddr::V4(v4))),
            IpAddr::V4(_) => false,
        }
    }

    fn holds_bits_of(&self, address: IpAddr) -> bool {
        self.address.is_ipv4() == address.is_ipv4() && masked(address, self.prefix) == masked(self.address, self.prefix)
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}/{}", self.address, self.prefix)
    }
}

fn bits(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(v4) => u128::from(v4.to_bits()) << 96,
        IpAddr::V6(v6) => v6.to_bits(),
    }
}

fn masked(address: IpAddr, prefix: u8) -> u128 {
    bits(address) & u128::MAX.checked_shl(128 - u32::from(prefix)).unwrap_or(0)
}

/// The address that a value is, typed or as text; `None` for anything else.
pub fn address(value: Value<'_>) -> Option<IpAddr> {
    match value {
        Value::Addr(address) => Some(address),
        Value::Str(text) => text.split_once('%').map_or(text, |(address, _)| address).parse().ok(),
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn holds(network: &str, text: &str) -> bool {
        address(Value::Str(text)).is_some_and(|a| Network::parse(network).unwrap().contains(a))
    }

    #[test]
    fn any_spelling_of_an_address() {
        assert!(holds("10.0.0.0/8", "10.255.0.1"));
        assert!(!holds("10.0.0.0/8", "11.0.0.1"));
        assert!(holds("0.0.0.0/0", "198.51.100.7"));
        assert!(!holds("0.0.0.0/0", "2001:db8::1"));
        assert!(holds("2001:db8::/32", "2001:0DB8:0:0::1"));
        assert!(holds("fe80::/10", "fe80::1%eth0"));
        assert!(holds("192.0.2.0/24", "::ffff:192.0.2.9"));
        assert!(holds("192.0.2.9/32", "192.0.2.9"));
        assert!(holds("::/0", "::ffff:192.0.2.9"));
        assert!(!holds("10.0.0.0/8", "10.0.0.1.example"));
        assert!(!holds("10.0.0.0/8", ""));
    }

    #[test]
    fn what_is_no_network_is_refused() {
        for text in [
            "10.*",
            "10.0.0.1/8",
            "10.0.0.0/33",
            "2001:db8::1/64",
            "",
            "x/8",
            "10.0.0.0/",
        ] {
            assert!(Network::parse(text).is_err(), "{text:?}");
        }
    }
}

//! Which addresses are the site's own.

use std::net::IpAddr;

/// Networks as address and prefix length.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Networks(Vec<(IpAddr, u8)>);

/// Not to be routed in the Internet (RFC 1918, 6598, 4193, 4291): the site's own unless said otherwise.
pub const PRIVATE: [&str; 8] = [
    "10.0.0.0/8",
    "172.16.0.0/12",
    "192.168.0.0/16",
    "100.64.0.0/10",
    "127.0.0.0/8",
    "fc00::/7",
    "fe80::/10",
    "::1/128",
];

impl Default for Networks {
    fn default() -> Self {
        Self::parse(PRIVATE).unwrap_or(Self(Vec::new()))
    }
}

impl Networks {
    /// Reads networks like `192.0.2.0/24`; an address alone stands for itself.
    ///
    /// # Errors
    /// A sentence that names the entry that is no network.
    pub fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, String> {
        let mut networks = Vec::new();
        for text in texts {
            let (address, prefix) = text.split_once('/').map_or((text, None), |(a, p)| (a, Some(p)));
            let refuse = || format!("{text:?} is not a network: write an address and a prefix length, as 10.0.0.0/8");
            let address: IpAddr = address.trim().parse().map_err(|_| refuse())?;
            let most = if address.is_ipv4() { 32 } else { 128 };
            let prefix = match prefix {
                Some(prefix) => prefix.trim().parse().ok().filter(|p| *p <= most).ok_or_else(refuse)?,
                None => most,
            };
            networks.push((address, prefix));
        }
        Ok(Self(networks))
    }

    /// Whether the address lies in one of them.
    pub fn contains(&self, address: IpAddr) -> bool {
        self.0.iter().any(|(network, prefix)| match (network, address) {
            (IpAddr::V4(a), IpAddr::V4(b)) => u64::from(a.to_bits() ^ b.to_bits()) >> (32 - u32::from(*prefix)) == 0,
            (IpAddr::V6(a), IpAddr::V6(b)) => {
                *prefix == 0 || (a.to_bits() ^ b.to_bits()) >> (128 - u32::from(*prefix)) == 0
            }
            _ => false,
        })
    }
}

//! All networks that rules name, in one trie of address bits: which of them hold an address is one walk from its root.

use std::net::IpAddr;

use super::network::Network;

/// Index of a network.
pub type NetworkId = u32;

/// No node, no network.
const NONE: u32 = u32::MAX;

#[derive(Debug, Clone, Copy)]
struct Node {
    /// By the next bit.
    children: [u32; 2],
    /// The network that ends here.
    network: NetworkId,
}

const EMPTY: Node = Node {
    children: [NONE; 2],
    network: NONE,
};

/// Networks of one family.
#[derive(Debug, Clone)]
struct Trie(Vec<Node>);

impl Default for Trie {
    fn default() -> Self {
        Self(vec![EMPTY])
    }
}

impl Trie {
    /// The id at the end of `bits`; `id` where none was there.
    fn add(&mut self, bits: impl Iterator<Item = usize>, id: NetworkId) -> NetworkId {
        let mut at = 0;
        for bit in bits {
            let next = self.0.len() as u32;
            let child = &mut self.0[at].children[bit];
            if *child == NONE {
                *child = next;
                self.0.push(EMPTY);
                at = next as usize;
            } else {
                at = *child as usize;
            }
        }
        let network = &mut self.0[at].network;
        if *network == NONE {
            *network = id;
        }
        *network
    }

    fn along(&self, bits: impl Iterator<Item = usize>, each: &mut impl FnMut(NetworkId)) {
        let mut node = self.0[0];
        for bit in bits {
            if node.network != NONE {
                each(node.network);
            }
            match self.0.get(node.children[bit] as usize) {
                Some(child) => node = *child,
                None => return,
            }
        }
        if node.network != NONE {
            each(node.network);
        }
    }
}

/// The networks of a pack.
#[derive(Debug, Clone, Default)]
pub struct Networks {
    four: Trie,
    six: Trie,
    len: u32,
}

/// The bits of an address, highest first.
fn bits(address: IpAddr) -> impl Iterator<Item = usize> {
    let (bits, width) = match address {
        IpAddr::V4(four) => (u128::from(four.to_bits()), 32),
        IpAddr::V6(six) => (six.to_bits(), 128),
    };
    (0..width).rev().map(move |place| usize::from(bits >> place & 1 == 1))
}

impl Networks {
    /// The id of a network, which is added where it is new.
    pub fn id(&mut self, network: Network) -> NetworkId {
        let address = network.address();
        let trie = if address.is_ipv4() {
            &mut self.four
        } else {
            &mut self.six
        };
        let id = trie.add(bits(address).take(network.prefix().into()), self.len);
        self.len = self.len.max(id + 1);
        id
    }

    /// Calls `each` with every network that holds `address`, as [`Network::contains`] says: an IPv4 address written as IPv6
    /// (`::ffff:192.0.2.1`) lies in networks of both.
    pub fn holding(&self, address: IpAddr, each: &mut impl FnMut(NetworkId)) {
        match address {
            IpAddr::V4(_) => self.four.along(bits(address), each),
            IpAddr::V6(six) => {
                self.six.along(bits(address), each);
                if let Some(four) = six.to_ipv4_mapped() {
                    self.four.along(bits(IpAddr::V4(four)), each);
                }
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn network(four: bool, bits: u128, prefix: u8) -> Network {
        let (width, address) = if four {
            (32, IpAddr::V4((bits as u32).into()))
        } else {
            (128, IpAddr::V6(bits.into()))
        };
        let prefix = prefix % (width + 1);
        let host = u32::from(width - prefix);
        let address = match address {
            IpAddr::V4(four) => IpAddr::V4((four.to_bits() & u32::MAX.checked_shl(host).unwrap_or(0)).into()),
            IpAddr::V6(six) => IpAddr::V6((six.to_bits() & u128::MAX.checked_shl(host).unwrap_or(0)).into()),
        };
        Network::parse(&format!("{address}/{prefix}")).unwrap()
    }

    /// Bits that often share a beginning, mapped IPv4 among them.
    fn address_bits() -> impl Strategy<Value = u128> {
        let near = prop_oneof![Just(0_u128), Just(0x0a00_0000), Just(0xffff_0a00_0000), any::<u128>()];
        (near, 0..1_u128 << 12).prop_map(|(near, low)| near ^ low)
    }

    proptest! {
        #[test]
        fn the_trie_says_what_each_network_says(
            written in prop::collection::vec((any::<bool>(), address_bits(), any::<u8>()), 0..20),
            asked in prop::collection::vec((any::<bool>(), address_bits()), 0..20),
        ) {
            let mut networks = Networks::default();
            let all: Vec<(NetworkId, Network)> = written
                .into_iter()
                .map(|(four, bits, prefix)| {
                    let network = network(four, bits, prefix);
                    (networks.id(network), network)
                })
                .collect();
            for (four, bits) in asked {
                let address = if four { IpAddr::V4((bits as u32).into()) } else { IpAddr::V6(bits.into()) };
                let mut held = Vec::new();
                networks.holding(address, &mut |id| held.push(id));
                for (id, network) in &all {
                    prop_assert_eq!(held.contains(id), network.contains(address), "{} {}", network, address);
                }
            }
        }
    }

    #[test]
    fn a_network_has_one_id() {
        let mut networks = Networks::default();
        let ids = ["10.0.0.0/8", "10.0.0.0/9", "::/0", "0.0.0.0/0", "10.0.0.0/8", "::/0"]
            .map(|text| networks.id(Network::parse(text).unwrap()));
        assert_eq!(ids, [0, 1, 2, 3, 0, 2]);
    }
}

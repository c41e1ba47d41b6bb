//! One connection: what it keeps while it lives, and the record it becomes.

use std::net::{IpAddr, Ipv4Addr};

use super::community::CommunityId;
use super::history::{History, Scaled};
use super::key::{Ends, Key};
use super::record::{Conn, Side};
use super::table::Class;
use super::tcp::Tcp;
use super::tunnels::Parent;
use super::{Networks, Origin, ports};
use crate::event::{ConnId, Time, Transport};
use crate::packet::ip::Ip;
use crate::packet::transport::Segment;
use crate::packet::tunnel;
use crate::proto::Head;
use crate::proto::detect::App;

/// One connection.
pub(crate) struct Flow {
    pub(crate) head: FlowHead,
    pub(super) conn: Head,
    pub(super) app: App,
    pub(super) tcp: Option<Box<Tcp>>,
}

/// What every connection has.
pub(crate) struct FlowHead {
    pub(crate) key: Key,
    pub(super) protocol: u8,
    pub(super) one_way: bool,
    pub(super) first: Time,
    pub(super) last: Time,
    pub(super) ordinal: u32,
    pub(super) sides: [Side; 2],
    pub(super) history: History,
    pub(super) bad_checksums: [Scaled; 2],
    pub(super) missed: u64,
    pub(super) vlans: [Option<u16>; 2],
    pub(super) parents: Vec<Parent>,
    pub(super) is_tunnel: Option<tunnel::Kind>,
}

impl FlowHead {
    pub(super) fn count(&mut self, side: usize, packet: &Ip<'_>, origin: &Origin) {
        let counts = &mut self.sides[side];
        counts.packets += 1;
        counts.ip_bytes += u64::from(packet.total_len);
        counts.l2 = counts.l2.or(origin.info.src);
    }

    pub(super) fn datagram_class(&self, transactional: bool) -> Class {
        if transactional {
            Class::Transactions
        } else if self.sides.iter().all(|side| side.packets > 0) {
            Class::Datagrams
        } else {
            Class::OneWay
        }
    }

    /// Follows the connection's roles where they were turned over.
    pub(super) fn follow(&mut self, conn: &mut Head) {
        if conn.was_turned() {
            self.sides.swap(0, 1);
            self.bad_checksums.swap(0, 1);
            self.history.flip();
        }
    }
}

impl Flow {
    pub(super) fn new(
        key: Key,
        ends: &Ends,
        segment: Option<&Segment<'_>>,
        origin: &Origin,
        ordinal: u32,
        seed: u64,
    ) -> Self {
        let id = ConnId {
            orig_h: ends.src,
            orig_p: ends.src_port,
            resp_h: ends.dst,
            resp_p: ends.dst_port,
            transport: ends.transport,
        };
        let mut flow = Self {
            head: FlowHead {
                key,
                protocol: ends.protocol,
                one_way: ends.one_way,
                first: origin.ts,
                last: origin.ts,
                ordinal,
                sides: [Side::default(); 2],
                history: History::default(),
                bad_checksums: [Scaled::default(); 2],
                missed: 0,
                vlans: origin.info.vlans,
                parents: origin.parents.clone(),
                is_tunnel: None,
            },
            conn: Head::new(id, key.uid(seed, origin.ts, ordinal)),
            app: App::default(),
            tcp: None,
        };
        if sender_is_server(ends, segment) {
            flow.conn.turn_over();
            flow.head.follow(&mut flow.conn);
        }
        flow
    }

    pub(super) fn into_record(self, networks: &Networks) -> Conn {
        let Self { head, conn, tcp, .. } = self;
        let id = &conn.id;
        let [mut orig, mut resp] = head.sides;
        let (proto, state) = match id.transport {
            Transport::Tcp => match &tcp {
                Some(tcp) => {
                    orig.bytes = tcp.ends[0].size(&tcp.ends[1]);
                    resp.bytes = tcp.ends[1].size(&tcp.ends[0]);
                    ("tcp", tcp.conn_state())
                }
                None => ("tcp", "OTH"),
            },
            Transport::Udp => (
                "udp",
                match (orig.packets > 0, resp.packets > 0) {
                    (true, true) => "SF",
                    (true, false) => "S0",
                    (false, true) => "SHR",
                    (false, false) => "OTH",
                },
            ),
            Transport::Icmp => ("icmp", "OTH"),
            Transport::Other(_) => ("unknown_transport", "OTH"),
        };
        let duration = head.last.0 - head.first.0;
        Conn {
            proto,
            ip_proto: head.protocol,
            service: conn.service(),
            duration: (duration > 0).then_some(duration),
            orig,
            resp,
            l2: [orig.l2.map(mac), resp.l2.map(mac)],
            state,
            local: (networks.contains(id.orig_h), networks.contains(id.resp_h)),
            missed: head.missed,
            history: head.history,
            tunnel_parents: head
                .parents
                .iter()
                .map(|parent| parent.uid.as_str().to_owned())
                .collect(),
            community_id: CommunityId::new(id, head.protocol, head.one_way),
            vlans: head.vlans,
        }
    }
}

/// Whether a connection's first packet was more likely sent by its responder (Zeek's rule).
fn sender_is_server(ends: &Ends, segment: Option<&Segment<'_>>) -> bool {
    if segment.is_some_and(|segment| segment.flags.syn() && !segment.flags.ack()) {
        return false;
    }
    let likely = |port| ports::is_likely_server(ends.transport, port);
    if !likely(ends.src_port) || ends.dst == IpAddr::V4(Ipv4Addr::BROADCAST) {
        return false;
    }
    if !likely(ends.dst_port) {
        return true;
    }
    segment.is_some_and(|segment| !segment.flags.syn() && ends.src_port < ends.dst_port)
}

fn mac(bytes: [u8; 6]) -> String {
    use std::fmt::Write;
    let mut text = String::with_capacity(17);
    for (index, byte) in bytes.iter().enumerate() {
        let separator = if index == 0 { "" } else { ":" };
        // Writing to a string does not fail.
        let _ = write!(text, "{separator}{byte:02x}");
    }
    text
}

//! Tunnels between addresses (IP in IP, GRE): each gets an identifier of its own, as Zeek gives it, and a `tunnel` event.

use std::net::IpAddr;

use foldhash::fast::FixedState;
use hashbrown::HashMap;

use crate::event::{Body, ConnId, Event, EventSink, Time, Transport, Uid};
use crate::flow::key::{Ends, Key};
use crate::flow::record::Tunnel;
use crate::packet::ip::Ip;
use crate::packet::tunnel::Kind;
use crate::proto::Head;
use crate::stats::{Report, Tally};

/// Tunnels remembered; a further one evicts all, each then counts as new once more.
const CAP: usize = 4096;

/// A tunnel around a connection.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parent {
    pub(crate) uid: Uid,
}

/// Tunnels seen so far, by both addresses.
#[derive(Debug, Default)]
pub(crate) struct Tunnels {
    seen: HashMap<(IpAddr, IpAddr, Kind), Uid, FixedState>,
    found: u64,
    forgotten: u64,
}

impl Tunnels {
    /// The tunnel that an IP packet belongs to; a new one is reported.
    pub(crate) fn ip(&mut self, kind: Kind, packet: &Ip<'_>, seed: u64, ts: Time, sink: &mut dyn EventSink) -> Parent {
        let (src, dst) = (packet.src, packet.dst);
        let pair = if src <= dst { (src, dst, kind) } else { (dst, src, kind) };
        if let Some(uid) = self.seen.get(&pair) {
            return Parent { uid: *uid };
        }
        if self.seen.len() >= CAP {
            self.forgotten += self.seen.len() as u64;
            self.seen.clear();
        }
        let ends = Ends {
            src,
            src_port: 0,
            dst,
            dst_port: 0,
            transport: Transport::Other(packet.protocol),
            protocol: packet.protocol,
            one_way: false,
            depth: u8::MAX,
        };
        let uid = Key::new(&ends).uid(seed, ts, 0);
        self.seen.insert(pair, uid);
        self.found += 1;
        let id = ConnId {
            orig_h: src,
            orig_p: 0,
            resp_h: dst,
            resp_p: 0,
            transport: ends.transport,
        };
        emit(ts, &Head::new(id, uid), kind, "Tunnel::DISCOVER", sink);
        Parent { uid }
    }
}

/// Says that a tunnel was found, or ended.
pub(crate) fn emit(ts: Time, conn: &Head, kind: Kind, action: &'static str, sink: &mut dyn EventSink) {
    let record = Tunnel {
        kind: kind.name(),
        action,
    };
    sink.event(Event {
        ts,
        uid: Some(conn.uid),
        conn: Some(conn.id),
        body: Body::Typed(Box::new(record)),
    });
}

impl Report for Tunnels {
    fn report(&self, tally: &mut Tally) {
        tally.add("tunnel.found", self.found);
        tally.add("tunnel.dropped{table_full}", self.forgotten);
    }
}

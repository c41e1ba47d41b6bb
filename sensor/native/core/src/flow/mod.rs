//! The flow table: which connection a packet belongs to, and what `conn` says of it at its end.
//!
//! [`Traffic`] is the way in: frames go in, events come out, a packet is finished before the next one is looked at.

mod community;
mod config;
mod connection;
mod history;
mod key;
mod networks;
mod place;
mod ports;
pub(crate) mod record;
mod table;
mod tcp;
mod tunnels;
pub(crate) mod weird;

pub use config::Config;
pub use networks::{Networks, PRIVATE};

use crate::capture::Frame;
use crate::event::{Body, ConnId, Event, EventSink, Time, Transport};
use crate::packet::fragment::{Fragments, Outcome as Fragment};
use crate::packet::ip::{self, Ip};
use crate::packet::link::{self, LinkInfo};
use crate::packet::transport::{self, Segment};
use crate::packet::{Stop, checksum, tunnel};
use crate::proto::detect::{App, Detection};
use crate::proto::{self, Context, Dir, Limits};
use crate::stats::{Report, Tally};
use crate::stream::{Budget, Chunk};
use connection::Flow;
use key::{Ends, Key};
use place::Place;
use table::{CLASSES, Class, Table};
use tunnels::{Parent, Tunnels};
use weird::Limiter;

/// Where time servers answer from.
const NTP_PORT: u16 = 123;

#[derive(Debug, Default)]
struct Counts {
    packets: u64,
    not_ip: u64,
    truncated: u64,
    malformed: u64,
    too_deep: u64,
    bad_checksums: u64,
    tunnelled: u64,
    empty: u64,
    flows: u64,
    expired: u64,
    evicted: u64,
    peak: usize,
    events: u64,
}

/// Where a packet was found: its time, its link headers, and the tunnels around it.
struct Origin {
    ts: Time,
    info: LinkInfo,
    parents: Vec<Parent>,
    /// Checksums of what it carries were left to the card.
    offloaded: bool,
}

/// From frames to events, with all state between them.
pub struct Traffic {
    config: Config,
    table: Table,
    fragments: Fragments,
    budget: Budget,
    limiter: Limiter,
    limits: Limits,
    detection: Detection,
    tunnels: Tunnels,
    place: Place,
    counts: Counts,
    now: Time,
}

/// Counts events on their way out.
struct Counting<'a> {
    sink: &'a mut dyn EventSink,
    events: u64,
}

impl EventSink for Counting<'_> {
    fn event(&mut self, event: Event) {
        self.events += 1;
        self.sink.event(event);
    }
}

impl Traffic {
    /// Starts with nothing known. `networks` says which addresses are the site's own.
    pub fn new(config: Config, networks: Networks) -> Self {
        let workers = config.workers.max(1);
        Self {
            table: Table::new(config.flows / workers, config.seed),
            config,
            fragments: Fragments::sharing(workers),
            budget: Budget::sharing(workers),
            limiter: Limiter::default(),
            limits: Limits {
                networks,
                ..Limits::default()
            },
            detection: Detection::default(),
            tunnels: Tunnels::default(),
            place: Place::default(),
            counts: Counts::default(),
            now: Time(i64::MIN),
        }
    }

    /// Takes one frame; every event that it completes is emitted before this returns.
    pub fn frame(&mut self, frame: &Frame<'_>, sink: &mut dyn EventSink) {
        let mut sink = Counting { sink, events: 0 };
        self.counts.packets += 1;
        self.advance(frame.ts, &mut sink);
        let mut info = LinkInfo::default();
        let stripped = link::strip(frame.link, frame.data, &mut info);
        self.place.frame(frame, &info);
        match stripped {
            Ok(data) => {
                self.place.packet(frame.ts, data);
                let origin = Origin {
                    ts: frame.ts,
                    info,
                    parents: Vec::new(),
                    offloaded: frame.offloaded,
                };
                self.packet(&origin, data, &mut sink);
            }
            Err(stop) => self.stopped(stop),
        }
        self.counts.events += sink.events;
    }

    /// The input is over: ends every connection.
    pub fn finish(&mut self, sink: &mut dyn EventSink) {
        let mut sink = Counting { sink, events: 0 };
        for class in CLASSES {
            while let Some((at, _)) = self.table.oldest(class) {
                self.end_flow(at, false, &mut sink);
            }
        }
        self.limits.leases.get_mut().finish(&mut sink);
        self.counts.events += sink.events;
    }

    /// Moves the clock: connections that were idle too long end. Live inputs call it also when nothing comes.
    pub fn tick(&mut self, now: Time, sink: &mut dyn EventSink) {
        let mut sink = Counting { sink, events: 0 };
        self.advance(now, &mut sink);
        self.counts.events += sink.events;
    }

    fn advance(&mut self, ts: Time, sink: &mut dyn EventSink) {
        if ts <= self.now {
            return;
        }
        self.now = ts;
        for class in CLASSES {
            let idle = self.config.idle(class);
            while let Some((at, touched)) = self.table.oldest(class) {
                if touched.0.saturating_add(idle) >= ts.0 {
                    break;
                }
                self.counts.expired += 1;
                self.end_flow(at, false, sink);
            }
        }
        let leases = self.limits.leases.get_mut();
        if leases.is_due(ts) {
            leases.expire(ts, sink);
        }
    }

    fn stopped(&mut self, stop: Stop) {
        match stop {
            Stop::NotIp => self.counts.not_ip += 1,
            Stop::Truncated => self.counts.truncated += 1,
            Stop::Malformed => self.counts.malformed += 1,
            Stop::TooDeep => self.counts.too_deep += 1,
        }
    }

    fn packet(&mut self, origin: &Origin, data: &[u8], sink: &mut dyn EventSink) {
        let packet = match ip::parse(data) {
            Ok(packet) => packet,
            Err(stop) => return self.stopped(stop),
        };
        let Some(piece) = packet.piece else {
            return self.dispatch(origin, &packet, sink);
        };
        match self.fragments.add(origin.ts, &packet, piece) {
            Fragment::Waiting => {}
            Fragment::Refused(name) => self.bare_weird(origin.ts, name, &packet, sink),
            Fragment::Whole(payload) => {
                let header = packet.total_len as usize - packet.payload_len;
                let whole = Ip {
                    payload_len: payload.len(),
                    payload: &payload,
                    total_len: (header + payload.len()) as u32,
                    piece: None,
                    ..packet
                };
                self.dispatch(origin, &whole, sink);
            }
        }
    }

    /// A weird of a packet that belongs to no connection.
    fn bare_weird(&mut self, ts: Time, name: &'static str, packet: &Ip<'_>, sink: &mut dyn EventSink) {
        if self.limiter.allows(name, packet.src, ts) {
            let id = ConnId {
                orig_h: packet.src,
                orig_p: 0,
                resp_h: packet.dst,
                resp_p: 0,
                transport: Transport::Other(packet.protocol),
            };
            let record = record::Weird {
                name,
                addl: None,
                source: Some("IP"),
            };
            sink.event(Event {
                ts,
                uid: None,
                conn: Some(id),
                body: Body::Typed(Box::new(record)),
            });
        }
    }

    fn dispatch(&mut self, origin: &Origin, packet: &Ip<'_>, sink: &mut dyn EventSink) {
        self.counts.bad_checksums += u64::from(!packet.checksum_ok);
        if let Some(inner) = tunnel::in_ip(packet.protocol, packet.payload) {
            let parent = self.tunnels.ip(inner.kind, packet, self.config.seed, origin.ts, sink);
            return self.inner(origin, &inner, parent, sink);
        }
        let depth = origin.parents.len() as u8;
        let ends = |src_port, dst_port, transport, one_way| Ends {
            src: packet.src,
            src_port,
            dst: packet.dst,
            dst_port,
            transport,
            protocol: packet.protocol,
            one_way,
            depth,
        };
        match packet.protocol {
            ip::TCP => match transport::tcp(packet.payload, packet.payload_len) {
                Ok(segment) => {
                    let ends = ends(segment.src_port, segment.dst_port, Transport::Tcp, false);
                    self.tcp(origin, packet, &ends, &segment, sink);
                }
                Err(stop) => self.stopped(stop),
            },
            ip::UDP => match transport::udp(packet.payload, packet.payload_len) {
                Ok(datagram) => {
                    let ends = ends(datagram.src_port, datagram.dst_port, Transport::Udp, false);
                    self.udp(origin, packet, &ends, &datagram, sink);
                }
                Err(stop) => self.stopped(stop),
            },
            ip::ICMP | ip::ICMPV6 => match transport::icmp(packet.payload, packet.protocol == ip::ICMPV6) {
                Ok(icmp) => {
                    let ends = ends(icmp.kind, icmp.counterpart, Transport::Icmp, icmp.one_way);
                    self.other(origin, packet, &ends, Some(8), sink);
                }
                Err(stop) => self.stopped(stop),
            },
            // An IPv6 header with nothing behind it keeps address translators open; it is no connection.
            ip::NO_NEXT => self.counts.empty += 1,
            protocol => {
                let ends = ends(0, 0, Transport::Other(protocol), false);
                self.other(origin, packet, &ends, None, sink);
            }
        }
    }

    fn inner(&mut self, origin: &Origin, inner: &tunnel::Inner<'_>, parent: Parent, sink: &mut dyn EventSink) {
        if origin.parents.len() >= link::MAX_HEADERS {
            return self.stopped(Stop::TooDeep);
        }
        self.counts.tunnelled += 1;
        let mut parents = origin.parents.clone();
        parents.push(parent);
        let mut info = inner.info;
        if info.vlans == [None; 2] {
            info.vlans = origin.info.vlans;
        }
        self.packet(
            &Origin {
                ts: origin.ts,
                info,
                parents,
                offloaded: origin.offloaded,
            },
            inner.ip,
            sink,
        );
    }

    /// The connection of a packet and the side that sent it; a new one where there is none.
    fn flow(
        &mut self,
        origin: &Origin,
        ends: &Ends,
        segment: Option<&Segment<'_>>,
        sink: &mut dyn EventSink,
    ) -> (u32, usize) {
        let key = Key::new(ends);
        let mut ordinal = 0;
        if let Some(at) = self.table.find(&key) {
            if let Some(flow) = self.table.get_mut(at) {
                let reuse = segment.is_some_and(|segment| flow.tcp.as_ref().is_some_and(|tcp| tcp.is_reuse(segment)));
                if !reuse {
                    let id = &flow.conn.id;
                    let side = usize::from(!(id.orig_h == ends.src && id.orig_p == ends.src_port));
                    return (at, side);
                }
                if flow.head.first == origin.ts {
                    ordinal = flow.head.ordinal + 1;
                }
            }
            self.end_flow(at, false, sink);
        }
        while self.table.is_full() {
            let Some((at, _)) = CLASSES.iter().find_map(|class| self.table.oldest(*class)) else {
                break;
            };
            self.counts.evicted += 1;
            self.end_flow(at, true, sink);
        }
        let flow = Flow::new(key, ends, segment, origin, ordinal, self.config.seed);
        let side = usize::from(flow.conn.id.orig_h != ends.src || flow.conn.id.orig_p != ends.src_port);
        let class = match ends.transport {
            Transport::Tcp => Class::HalfOpen,
            Transport::Udp => Class::OneWay,
            _ => Class::Other,
        };
        self.counts.flows += 1;
        let at = self.table.insert(flow, class, self.now);
        self.counts.peak = self.counts.peak.max(self.table.len());
        (at, side)
    }

    fn tcp(&mut self, origin: &Origin, packet: &Ip<'_>, ends: &Ends, segment: &Segment<'_>, sink: &mut dyn EventSink) {
        self.place.http(origin.ts, segment.data);
        let (at, mut side) = self.flow(origin, ends, Some(segment), sink);
        let now = self.now;
        let Some(flow) = self.table.get_mut(at) else { return };
        let Flow { head, conn, app, tcp } = flow;
        let tcp = tcp.get_or_insert_default();
        if !origin.offloaded
            && packet.payload.len() >= packet.payload_len
            && !checksum::transport_ok(packet.src, packet.dst, packet.protocol, packet.payload)
        {
            self.counts.bad_checksums += 1;
            head.bad_checksums[side].hit(&mut head.history, side, b'C');
        }
        if !tcp.both_closed() {
            head.last = head.last.max(origin.ts);
        }
        head.count(side, packet, origin);
        let outcome = tcp.segment(side, segment, &mut head.history);
        if outcome.flip {
            conn.turn_over();
            head.follow(conn);
            side = 1 - side;
        }
        let peer = 1 - side;
        if head.sides.iter().map(|side| side.packets).sum::<u64>() == 1
            && let Some(parser) = self.limits.announced.borrow_mut().take(origin.ts, &conn.id)
        {
            conn.serve(parser.name());
            *app = App::Known(parser);
        }
        let mut context = Context {
            ts: origin.ts,
            head: conn,
            sink,
            limiter: &mut self.limiter,
            limits: &self.limits,
        };
        if let Some(name) = outcome.weird {
            context.weird(name, None, Some("TCP"));
        }
        let (budget, detection) = (&mut self.budget, &mut self.detection);
        if let Some(ack) = outcome.acks
            && ack > tcp.ends[peer].stream.next()
        {
            let mut missed = 0;
            tcp.ends[peer].stream.missed(budget, ack, &mut |chunk| {
                if let Chunk::Gap(n) = chunk {
                    missed += n;
                }
                app.stream(&proto::TCP, detection, &mut context, Dir::of(peer), chunk);
            });
            if missed > 0 && tcp.missed(peer, &mut head.history) {
                head.missed += missed;
            }
        }
        if let Some(start) = outcome.data_at {
            let acked = tcp.ends[side].data_acked() || tcp.half_open();
            tcp.ends[side]
                .stream
                .segment(budget, start, segment.data, acked, &mut |chunk| {
                    app.stream(&proto::TCP, detection, &mut context, Dir::of(side), chunk);
                });
        }
        if app.is_off() {
            for end in &mut tcp.ends {
                end.stream.turn_off(budget);
            }
        }
        for (side, end) in tcp.ends.iter_mut().enumerate() {
            if end.reaches_end() {
                app.end(detection, &mut context, Dir::of(side));
            }
        }
        let class = if tcp.over {
            Class::Closed
        } else if tcp.half_open() {
            Class::HalfOpen
        } else {
            Class::Established
        };
        self.table.touch(at, class, now);
    }

    fn udp(
        &mut self,
        origin: &Origin,
        packet: &Ip<'_>,
        ends: &Ends,
        datagram: &transport::Datagram<'_>,
        sink: &mut dyn EventSink,
    ) {
        if ends.src_port == NTP_PORT {
            self.place.ntp(origin.ts, datagram.data);
        }
        let (at, side) = self.flow(origin, ends, None, sink);
        let now = self.now;
        let Some(flow) = self.table.get_mut(at) else { return };
        let Flow { head, conn, app, .. } = flow;
        head.last = head.last.max(origin.ts);
        head.count(side, packet, origin);
        head.sides[side].bytes += datagram.data_len as u64;
        if datagram.checksum != 0
            && !origin.offloaded
            && packet.payload.len() >= packet.payload_len
            && !checksum::transport_ok(packet.src, packet.dst, packet.protocol, packet.payload)
        {
            self.counts.bad_checksums += 1;
            head.bad_checksums[side].hit(&mut head.history, side, b'C');
        }
        head.history.once(side, b'D');
        if let Some((kind, inner)) = tunnel::in_udp(ends.src_port, ends.dst_port, datagram.data) {
            conn.serve(kind.service());
            let parent = Parent { uid: conn.uid };
            *app = App::Off;
            // A tunnel is worth an event once something is seen in it.
            let inner = inner.filter(|inner| ip::parse(inner.ip).is_ok_and(|inner| inner.protocol != ip::NO_NEXT));
            if inner.is_some() && head.is_tunnel.replace(kind).is_none() {
                tunnels::emit(origin.ts, conn, kind, "Tunnel::DISCOVER", sink);
            }
            let class = head.datagram_class(false);
            self.table.touch(at, class, now);
            if let Some(inner) = inner {
                self.inner(origin, &inner, parent, sink);
            }
            return;
        }
        if !app.is_off() && datagram.data.len() >= datagram.data_len && !datagram.data.is_empty() {
            let mut context = Context {
                ts: origin.ts,
                head: conn,
                sink,
                limiter: &mut self.limiter,
                limits: &self.limits,
            };
            app.datagram(
                &proto::UDP,
                &mut self.detection,
                &mut context,
                Dir::of(side),
                datagram.data,
            );
        }
        let class = head.datagram_class(app.is_transactional());
        self.table.touch(at, class, now);
    }

    fn other(
        &mut self,
        origin: &Origin,
        packet: &Ip<'_>,
        ends: &Ends,
        header: Option<usize>,
        sink: &mut dyn EventSink,
    ) {
        let (at, side) = self.flow(origin, ends, None, sink);
        let now = self.now;
        if let Some(flow) = self.table.get_mut(at) {
            let head = &mut flow.head;
            head.last = head.last.max(origin.ts);
            head.count(side, packet, origin);
            if let Some(header) = header {
                head.sides[side].bytes += packet.payload_len.saturating_sub(header) as u64;
            }
            self.table.touch(at, Class::Other, now);
        }
    }

    /// Takes a connection out and says what it was.
    fn end_flow(&mut self, at: u32, evicted: bool, sink: &mut dyn EventSink) {
        let Some(mut flow) = self.table.remove(at) else { return };
        let ts = flow.head.last;
        let mut context = Context {
            ts,
            head: &mut flow.conn,
            sink,
            limiter: &mut self.limiter,
            limits: &self.limits,
        };
        flow.app.finish(&mut self.detection, &mut context);
        if evicted {
            flow.head.history.push(0, b'X');
        }
        if let Some(tcp) = &mut flow.tcp {
            for end in &mut tcp.ends {
                end.stream.release(&mut self.budget, true);
            }
        }
        if let Some(kind) = flow.head.is_tunnel {
            tunnels::emit(ts, &flow.conn, kind, "Tunnel::CLOSE", sink);
        }
        let (id, uid) = (flow.conn.id, flow.conn.uid);
        let first = flow.head.first;
        let record = flow.into_record(&self.limits.networks);
        sink.event(Event {
            ts: first,
            uid: Some(uid),
            conn: Some(id),
            body: Body::Typed(Box::new(record)),
        });
    }
}

impl Report for Traffic {
    fn report(&self, tally: &mut Tally) {
        let counts = &self.counts;
        tally.add("packet.frames", counts.packets);
        tally.add("packet.not_ip", counts.not_ip);
        tally.add("packet.dropped{truncated_header}", counts.truncated);
        tally.add("packet.dropped{malformed_header}", counts.malformed);
        tally.add("packet.dropped{too_many_headers}", counts.too_deep);
        tally.add("packet.bad_checksums", counts.bad_checksums);
        tally.add("packet.tunnelled", counts.tunnelled);
        tally.add("packet.without_payload", counts.empty);
        tally.add("flow.flows", counts.flows);
        tally.add("flow.open", self.table.len() as u64);
        tally.add("flow.open_peak", counts.peak as u64);
        tally.add("flow.expired", counts.expired);
        tally.add("flow.dropped{evicted}", counts.evicted);
        tally.add("event.emitted", counts.events);
        self.fragments.report(tally);
        self.budget.report(tally);
        self.limiter.report(tally);
        self.detection.report(tally);
        self.tunnels.report(tally);
        self.limits.leases.borrow().report(tally);
        self.limits.announced.borrow().report(tally);
        self.place.report(tally);
    }
}

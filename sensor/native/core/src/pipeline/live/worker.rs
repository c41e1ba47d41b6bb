//! A worker: one ring of every interface, all the connections in them, events out. A packet never changes its thread, and
//! both directions of a connection come to the same worker (see the fan-out), so that workers share nothing.

use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender};

use super::now;
use crate::capture::Frame;
use crate::capture::live::{RETIRE, Ring, Socket, wait};
use crate::event::{Event, EventSink, Time};
use crate::flow::Traffic;
use crate::packet::link::LinkType;
use crate::stats::{Report, Tally};

/// Events that cross to the core's thread together.
const BATCH: usize = 256;
/// Packets between two looks at orders.
const PASS: usize = 4096;
const MILLI: i64 = 1_000_000;
/// How long after its time a packet may still come to a ring: a block that is not full waits for [`RETIRE`].
const HOLD: i64 = (RETIRE as i64 + 25) * MILLI;
/// Longest wait for a packet.
const PAUSE: i32 = 50;
/// While a packet of one interface waits for those of another.
const HELD: Duration = Duration::from_millis(5);
/// How often counters are shown.
const SHOW: Duration = Duration::from_millis(200);
/// Reading goes on so long after the order to stop: packets of before it are on their way.
const LAST: Duration = Duration::from_millis(2 * RETIRE as u64 + 50);
/// A link header with two tags.
const HEADER: u32 = 22;

/// What a worker is told.
pub(super) enum Order {
    /// Read this ring as that interface's.
    Watch(usize, Box<Ring>, Facts),
    /// The interface is gone: read what is left of its ring, then close it.
    Leave(usize),
    /// End all connections, and then yourself.
    Stop,
}

/// What is known of an interface.
#[derive(Debug, Clone, Copy)]
pub(super) struct Facts {
    pub(super) link: LinkType,
    pub(super) mtu: u32,
}

/// What a worker says.
pub(super) enum Word {
    /// Events, each with the packet time at which it was complete.
    Events(Vec<(Event, Time)>),
    /// It has stopped.
    Done,
    /// It has panicked, with this message: packets are not seen any more.
    Died(String),
}

/// What one worker counted of one interface since the start.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Counted {
    pub(super) packets: u64,
    pub(super) bytes: u64,
    pub(super) truncated: u64,
    pub(super) over_mtu: u64,
    /// Nanoseconds between the latest packet and its reading.
    pub(super) lag: i64,
}

/// A worker's counters as others see them.
#[derive(Debug, Default)]
pub(super) struct Shown {
    pub(super) tally: Tally,
    pub(super) ports: Vec<Counted>,
}

struct Slot {
    ring: Box<Ring>,
    facts: Facts,
    leaving: Option<Instant>,
}

/// Events on their way to the core's thread.
struct Outbox {
    batch: Vec<(Event, Time)>,
    now: Time,
    lane: Sender<Word>,
}

impl Outbox {
    /// Waits while the lane is full: then rings fill, and the kernel counts what it drops.
    fn flush(&mut self) {
        if !self.batch.is_empty() {
            let batch = std::mem::replace(&mut self.batch, Vec::with_capacity(BATCH));
            // Without a core's thread the worker is about to be told to stop.
            let _ = self.lane.send(Word::Events(batch));
        }
    }
}

impl EventSink for Outbox {
    fn event(&mut self, event: Event) {
        self.batch.push((event, self.now));
        if self.batch.len() >= BATCH {
            self.flush();
        }
    }
}

/// What a pass over the rings met.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Pass {
    Busy,
    /// A packet waits until none that is older can come.
    Held,
    Idle,
}

/// One worker.
pub(super) struct Worker {
    slots: Vec<Option<Slot>>,
    traffic: Traffic,
    outbox: Outbox,
    orders: Receiver<Order>,
    shown: Arc<Mutex<Shown>>,
    counted: Vec<Counted>,
    number: u64,
}

impl Worker {
    pub(super) fn new(
        traffic: Traffic,
        ports: usize,
        lane: Sender<Word>,
        orders: Receiver<Order>,
        shown: Arc<Mutex<Shown>>,
    ) -> Self {
        Self {
            slots: (0..ports).map(|_| None).collect(),
            traffic,
            outbox: Outbox {
                batch: Vec::with_capacity(BATCH),
                now: Time(0),
                lane,
            },
            orders,
            shown,
            counted: vec![Counted::default(); ports],
            number: 0,
        }
    }

    /// Reads until it is told to stop.
    pub(super) fn run(&mut self) {
        let mut shown = Instant::now();
        let mut stopped: Option<Instant> = None;
        loop {
            while let Ok(order) = self.orders.try_recv() {
                match order {
                    Order::Watch(port, ring, facts) => {
                        self.drain(port);
                        self.slots[port] = Some(Slot {
                            ring,
                            facts,
                            leaving: None,
                        });
                    }
                    Order::Leave(port) => {
                        if let Some(slot) = &mut self.slots[port] {
                            slot.leaving = Some(Instant::now());
                        }
                    }
                    Order::Stop => stopped = stopped.or_else(|| Some(Instant::now())),
                }
            }
            let pass = self.pass();
            self.outbox.flush();
            if shown.elapsed() >= SHOW || pass == Pass::Idle {
                self.show();
                shown = Instant::now();
            }
            if stopped.is_some_and(|since| since.elapsed() >= LAST) {
                break;
            }
            match pass {
                Pass::Busy => {}
                Pass::Held => std::thread::sleep(HELD),
                Pass::Idle => self.rest(),
            }
        }
        for port in 0..self.slots.len() {
            self.drain(port);
        }
        self.traffic.finish(&mut self.outbox);
        self.outbox.flush();
        self.show();
    }

    /// Nothing has come: time goes on without packets, and rings of interfaces that are gone are closed.
    fn rest(&mut self) {
        let quiet = Time(now().0 - 2 * HOLD);
        self.outbox.now = self.outbox.now.max(quiet);
        self.traffic.tick(quiet, &mut self.outbox);
        self.outbox.flush();
        let over = Duration::from_millis(2 * u64::from(RETIRE));
        for slot in &mut self.slots {
            if slot
                .as_ref()
                .is_some_and(|slot| slot.leaving.is_some_and(|since| since.elapsed() >= over))
            {
                *slot = None;
            }
        }
        let sockets = || self.slots.iter().flatten().map(|slot| slot.ring.socket());
        // A fault that nobody takes off would end every wait at once.
        let faults = sockets().filter_map(Socket::fault).count();
        if faults > 0 {
            std::thread::sleep(HELD);
        }
        wait(sockets(), PAUSE);
    }

    /// Reads what lies in the rings, in the order of time over all of them.
    fn pass(&mut self) -> Pass {
        let clock = now();
        for read in 0..PASS {
            let Some((port, ts)) = self.first() else {
                return if read == 0 { Pass::Idle } else { Pass::Busy };
            };
            if self.must_wait(port, ts, clock) {
                return if read == 0 { Pass::Held } else { Pass::Busy };
            }
            self.read(port);
            if let Some(counted) = self.counted.get_mut(port)
                && read % 64 == 0
            {
                counted.lag = clock.0.saturating_sub(ts.0).max(0);
            }
        }
        Pass::Busy
    }

    /// The interface whose next packet is the oldest.
    fn first(&mut self) -> Option<(usize, Time)> {
        let heads = self.slots.iter_mut().enumerate();
        heads
            .filter_map(|(port, slot)| Some((port, slot.as_mut()?.ring.next_time()?)))
            .min_by_key(|(port, ts)| (*ts, *port))
    }

    /// Whether an older packet may still come by another interface. Not for long, and not while the ring fills.
    fn must_wait(&mut self, port: usize, ts: Time, clock: Time) -> bool {
        if self.slots.len() == 1 || clock.0.saturating_sub(ts.0) >= HOLD {
            return false;
        }
        let empty = self
            .slots
            .iter_mut()
            .flatten()
            .any(|slot| slot.leaving.is_none() && slot.ring.next_time().is_none());
        empty && self.slots[port].as_ref().is_some_and(|slot| !slot.ring.is_crowded())
    }

    /// Takes one packet.
    fn read(&mut self, port: usize) {
        let Self {
            slots,
            traffic,
            outbox,
            counted,
            number,
            ..
        } = self;
        let Some(slot) = slots[port].as_mut() else { return };
        let Some(packet) = slot.ring.peek() else { return };
        *number += 1;
        let counted = &mut counted[port];
        counted.packets += 1;
        counted.bytes += packet.data.len() as u64;
        counted.truncated += u64::from((packet.data.len() as u64) < u64::from(packet.orig_len));
        counted.over_mtu += u64::from(packet.orig_len > slot.facts.mtu.saturating_add(HEADER));
        outbox.now = outbox.now.max(packet.ts);
        let frame = Frame {
            ts: packet.ts,
            link: slot.facts.link,
            data: packet.data,
            orig_len: packet.orig_len,
            number: *number,
            offset: 0,
            offloaded: packet.offloaded,
        };
        traffic.frame(&frame, outbox);
        slot.ring.advance();
    }

    /// Reads everything that an interface's ring still has.
    fn drain(&mut self, port: usize) {
        while self.slots[port]
            .as_mut()
            .is_some_and(|slot| slot.ring.next_time().is_some())
        {
            self.read(port);
        }
        self.slots[port] = None;
    }

    fn show(&self) {
        let mut tally = Tally::default();
        self.traffic.report(&mut tally);
        let shown = Shown {
            tally,
            ports: self.counted.clone(),
        };
        *self.shown.lock().unwrap_or_else(PoisonError::into_inner) = shown;
    }
}

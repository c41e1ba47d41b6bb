//! The interfaces of a live sensor: opened with a ring for each worker, asked every second what the kernel dropped, opened
//! again when one that went away is back. What they counted leaves as counters and as `stats` events.

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, Sender, bounded, unbounded};

use super::stats_event::{self, State, Told};
use super::worker::{Counted, Facts, Order, Shown, Word, Worker};
use super::{message, now};
use crate::capture::live::{Link, Port, PortError, Ring, Watched, links};
use crate::event::{Event, Time};
use crate::flow::{Config, Traffic};
use crate::pipeline::Fault;
use crate::pipeline::settings::Settings;
use crate::stats::{Report, Tally};

/// Batches that may wait for the core's thread, of all workers together.
const LANE: usize = 64;
/// How often interfaces are looked at.
const LOOK: Duration = Duration::from_secs(1);
/// Looks between two events of an interface that loses nothing.
const QUIET: u32 = 10;
/// Longest pause, in looks, before an interface that could not be opened is tried again.
const PATIENCE: u32 = 32;

struct Hand {
    orders: Sender<Order>,
    shown: Arc<Mutex<Shown>>,
    thread: Option<JoinHandle<()>>,
}

struct Entry {
    watched: Watched,
    name: Arc<str>,
    port: Option<Port>,
    state: State,
    link: Option<Link>,
    /// Since the start.
    kernel: crate::capture::live::Statistics,
    card_lost: u64,
    opened: u64,
    flow_hash: u64,
    /// Looks until the next try, and how many the last pause had.
    pause: (u32, u32),
    /// What the last event said of the counters, and looks since then.
    told: Told,
    looks: u32,
}

/// All interfaces, and the workers that read them.
pub(super) struct Ports {
    entries: Vec<Entry>,
    hands: Vec<Hand>,
    pub(super) lane: Receiver<Word>,
    /// Names of all interfaces: connections of all of them meet in the same tables.
    pub(super) name: Arc<str>,
    looked: Instant,
    running: usize,
}

impl Ports {
    /// Opens all interfaces, and starts the workers. One that is not there is waited for; nothing is started when another
    /// fault is met.
    ///
    /// # Errors
    /// [`Fault::Input`]: no permission, or an interface that cannot be watched; [`Fault::Output`] when there is no thread.
    pub(super) fn open(settings: &Settings) -> Result<Self, Fault> {
        let workers = settings.workers();
        let mut entries = Vec::with_capacity(settings.interfaces.len());
        let mut first: Vec<Vec<(usize, Ring, Facts)>> = (0..workers).map(|_| Vec::new()).collect();
        for (place, watched) in settings.watched()?.into_iter().enumerate() {
            let mut entry = Entry::new(watched);
            match entry.open(workers) {
                Ok((facts, rings)) => {
                    for (hand, ring) in first.iter_mut().zip(rings) {
                        hand.push((place, ring, facts));
                    }
                }
                Err(PortError::Absent(_)) => {}
                Err(PortError::Refused(..)) if entry.link.as_ref().is_some_and(|link| !link.up) => {}
                Err(error) => return Err(Fault::Input(format!("interfaces: {error}"))),
            }
            entries.push(entry);
        }
        let (out, lane) = bounded(LANE);
        let mut hands = Vec::with_capacity(workers);
        for (number, rings) in first.into_iter().enumerate() {
            let config = Config {
                workers,
                ..settings.flows()
            };
            let traffic = Traffic::new(config, settings.networks()?);
            hands.push(Hand::start(number, traffic, entries.len(), out.clone())?);
            for (place, ring, facts) in rings {
                // A worker that has ended says so itself.
                let _ = hands[number].orders.send(Order::Watch(place, Box::new(ring), facts));
            }
        }
        let names: Vec<&str> = entries.iter().map(|entry| &*entry.name).collect();
        Ok(Self {
            name: names.join("+").into(),
            running: hands.len(),
            entries,
            hands,
            lane,
            looked: Instant::now(),
        })
    }

    /// Looks at the interfaces when it is time; `out` gets what is to be said.
    pub(super) fn look(&mut self, out: &mut dyn FnMut(Event, &Arc<str>)) {
        if self.looked.elapsed() >= LOOK {
            self.looked = Instant::now();
            self.look_now(false, out);
        }
    }

    fn look_now(&mut self, last: bool, out: &mut dyn FnMut(Event, &Arc<str>)) {
        let Ok(links) = links() else { return };
        let (workers, time) = (self.hands.len(), now());
        let all = self.shown_tally();
        for place in 0..self.entries.len() {
            let counted = self.counted(place);
            let entry = &mut self.entries[place];
            let before = entry.state;
            entry.count(links.iter().find(|link| link.name == entry.watched.name));
            if entry.is_gone() && entry.port.is_some() {
                entry.port = None;
                for hand in &self.hands {
                    let _ = hand.orders.send(Order::Leave(place));
                }
            }
            if entry.port.is_none() && entry.link.is_some() && !last && entry.is_due() {
                match entry.open(workers) {
                    Ok((facts, rings)) => {
                        for (hand, ring) in self.hands.iter().zip(rings) {
                            let _ = hand.orders.send(Order::Watch(place, Box::new(ring), facts));
                        }
                    }
                    Err(_) => entry.put_off(),
                }
            }
            entry.state = entry.now();
            entry.looks += 1;
            let told = Told::new(&entry.kernel, entry.card_lost, &counted, &all);
            let loses = told.pkts_dropped > entry.told.pkts_dropped || told.card_lost > entry.told.card_lost;
            if last || loses || entry.state != before || entry.looks >= QUIET {
                let event = stats_event::event(time, &entry.name, entry.state, &entry.told, &told);
                out(event, &entry.name);
                entry.told = told;
                entry.looks = 0;
            }
        }
    }

    /// Tells all workers to end their connections and stop; what they say comes by the lane, [`Word::Done`] last.
    pub(super) fn stop(&self) {
        for port in self.entries.iter().filter_map(|entry| entry.port.as_ref()) {
            port.close_ears();
        }
        for hand in &self.hands {
            let _ = hand.orders.send(Order::Stop);
        }
    }

    /// A worker has said that it is done. True when it was the last.
    pub(super) fn done(&mut self) -> bool {
        self.running = self.running.saturating_sub(1);
        self.running == 0
    }

    /// All workers are done: waits for their threads, and says the last counters.
    pub(super) fn finish(&mut self, out: &mut dyn FnMut(Event, &Arc<str>)) {
        for hand in &mut self.hands {
            if let Some(thread) = hand.thread.take() {
                let _ = thread.join();
            }
        }
        self.look_now(true, out);
    }

    fn counted(&self, place: usize) -> Counted {
        let mut sum = Counted::default();
        for hand in &self.hands {
            let shown = hand.shown.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(one) = shown.ports.get(place) {
                sum.packets += one.packets;
                sum.bytes += one.bytes;
                sum.truncated += one.truncated;
                sum.over_mtu += one.over_mtu;
                sum.lag = sum.lag.max(one.lag);
            }
        }
        sum
    }

    fn shown_tally(&self) -> Tally {
        let mut all = Tally::default();
        for hand in &self.hands {
            let shown = hand.shown.lock().unwrap_or_else(PoisonError::into_inner);
            for (name, n) in shown.tally.iter() {
                all.add(name, n);
            }
        }
        all
    }
}

impl Report for Ports {
    fn report(&self, tally: &mut Tally) {
        for (name, n) in self.shown_tally().iter() {
            tally.add(name, n);
        }
        tally.add("capture.workers", self.running as u64);
        for (place, entry) in self.entries.iter().enumerate() {
            let counted = self.counted(place);
            tally.add("capture.packets", counted.packets);
            tally.add("capture.bytes", counted.bytes);
            tally.add("capture.frames_truncated", counted.truncated);
            tally.add("capture.frames_over_mtu", counted.over_mtu);
            tally.add("capture.received", entry.kernel.packets);
            tally.add("capture.dropped{kernel}", entry.kernel.dropped);
            tally.add("capture.dropped{card}", entry.card_lost);
            tally.add("capture.freezes", entry.kernel.freezes);
            tally.add("capture.reopened", entry.opened.saturating_sub(1));
            tally.add("capture.fanout_by_flow_hash", entry.flow_hash);
            tally.add("capture.interfaces", 1);
            tally.add("capture.interfaces_down", u64::from(entry.state == State::Down));
            tally.add("capture.interfaces_absent", u64::from(entry.state == State::Absent));
            let one = |what: &str| format!("capture.interface.{}.{what}", entry.name);
            tally.add(&one("packets"), counted.packets);
            tally.add(&one("dropped"), entry.kernel.dropped);
            tally.add(&one("up"), u64::from(entry.state == State::Up));
        }
    }
}

impl Hand {
    fn start(number: usize, traffic: Traffic, ports: usize, lane: Sender<Word>) -> Result<Self, Fault> {
        let (orders, inbox) = unbounded();
        let shown = Arc::new(Mutex::new(Shown::default()));
        let board = Arc::clone(&shown);
        let run = move || {
            let words = lane.clone();
            let mut worker = Worker::new(traffic, ports, lane, inbox, board);
            let ended = catch_unwind(AssertUnwindSafe(|| worker.run()));
            // Without a core's thread there is nobody to tell.
            let _ = words.send(match ended {
                Ok(()) => Word::Done,
                Err(panic) => Word::Died(message(panic.as_ref())),
            });
        };
        let thread = std::thread::Builder::new()
            .name(format!("vigla-worker-{number}"))
            .spawn(run)
            .map_err(Fault::Output)?;
        Ok(Self {
            orders,
            shown,
            thread: Some(thread),
        })
    }
}

impl Drop for Ports {
    /// Rings are open as long as their workers run.
    fn drop(&mut self) {
        self.stop();
        let (_, nobody) = bounded(0);
        self.lane = nobody;
        for hand in &mut self.hands {
            if let Some(thread) = hand.thread.take() {
                let _ = thread.join();
            }
        }
    }
}

impl Entry {
    fn new(watched: Watched) -> Self {
        Self {
            name: watched.name.as_str().into(),
            watched,
            port: None,
            state: State::Absent,
            link: None,
            kernel: crate::capture::live::Statistics::default(),
            card_lost: 0,
            opened: 0,
            flow_hash: 0,
            pause: (0, 0),
            told: Told::default(),
            looks: 0,
        }
    }

    fn open(&mut self, workers: usize) -> Result<(Facts, Vec<Ring>), PortError> {
        self.link = links()
            .ok()
            .and_then(|links| links.into_iter().find(|link| link.name == self.watched.name));
        let (port, rings) = Port::open(&self.watched, workers)?;
        self.opened += 1;
        self.flow_hash += u64::from(!port.by_pair);
        self.pause = (0, 0);
        let facts = Facts {
            link: port.link,
            mtu: port.mtu,
        };
        self.port = Some(port);
        self.state = self.now();
        Ok((facts, rings))
    }

    /// Adds what kernel and card counted since the last look.
    fn count(&mut self, link: Option<&Link>) {
        if let Some(port) = &self.port {
            let counted = port.statistics();
            self.kernel.packets += counted.packets;
            self.kernel.dropped += counted.dropped;
            self.kernel.freezes += counted.freezes;
        }
        if let (Some(before), Some(link)) = (&self.link, link)
            && before.index == link.index
        {
            self.card_lost += u64::from(link.lost.wrapping_sub(before.lost));
        }
        self.link = link.cloned();
    }

    /// The interface that was opened is not there any more; another one may have its name.
    fn is_gone(&self) -> bool {
        let there = self.link.as_ref().map(|link| link.index);
        self.port.as_ref().is_some_and(|port| there != Some(port.index))
    }

    fn is_due(&mut self) -> bool {
        self.pause.0 = self.pause.0.saturating_sub(1);
        self.pause.0 == 0
    }

    fn put_off(&mut self) {
        let pause = (self.pause.1 * 2).clamp(1, PATIENCE);
        self.pause = (pause, pause);
    }

    fn now(&self) -> State {
        match (&self.port, &self.link) {
            (Some(_), Some(link)) if link.up => State::Up,
            (Some(_), Some(_)) => State::Down,
            (None, Some(_)) => State::Refused,
            (_, None) => State::Absent,
        }
    }
}

/// A sensor that starts where another ended: from when to when nobody watched.
pub(super) fn gap(name: &Arc<str>, since: Time) -> Event {
    stats_event::gap(now(), name, since)
}

//! The core's own thread: log files in turn, the events of all workers, time, checkpoints. Rules, behaviours and correlations
//! are here, after the fan-in, because state that is split loses alerts.

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::atomic::Ordering;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, Instant};

use crossbeam_channel::{Receiver, never, select};

use super::ports::{self, Ports};
use super::worker::Word;
use super::{Command, Shared, now};
use crate::event::{Event, Time};
use crate::log::lines::Sender;
use crate::log::source::Sources;
use crate::log::tail::Tail;
use crate::pipeline::Fault;
use crate::pipeline::checkpoint::{Checkpoint, FileState};
use crate::pipeline::core::Core;
use crate::pipeline::input::written;
use crate::pipeline::overlay::Overlay;
use crate::pipeline::queue::Chunk;
use crate::pipeline::replay::sources;
use crate::pipeline::settings::Settings;
use crate::sigma::Pack;
use crate::stats::{Report, Tally};

/// Bytes read of one file before the next has its turn.
const TURN: usize = 64 * 1024;
/// Batches of events taken from workers before files have their turn.
const BATCHES: usize = 64;
/// Pause when nothing had anything new.
const PAUSE: Duration = Duration::from_millis(50);
/// Shortest time between two checkpoints: one costs as much as all correlation state.
const INSTANT: Duration = Duration::from_secs(1);
/// The same where only traffic moved on: it cannot be read again, so that a later instant saves nothing but correlations.
const TRAFFIC_INSTANT: Duration = Duration::from_secs(5);

struct Followed {
    path: String,
    name: Arc<str>,
    tail: Tail,
    sender: Sender,
    /// The latest time of its events that can be.
    latest: Option<Time>,
    /// It had something to read at its last turn, and may have more.
    behind: bool,
}

/// Everything of the core's own thread.
pub(super) struct MainLoop {
    files: Vec<Followed>,
    core: Box<Core>,
    started: Instant,
    /// How far ahead of the clock an event may be dated, in nanoseconds.
    lateness: i64,
    /// When something was last read.
    fresh: Instant,
    /// Something was read of a file since the last checkpoint.
    dirty: bool,
    /// Traffic moved on since the last checkpoint.
    moved: bool,
    instant: Instant,
    dropped_checkpoint: u64,
    ports: Option<Ports>,
    /// Until when the run before this one watched interfaces.
    watched: Option<Time>,
    /// The latest packet time that events came with.
    traffic_time: Option<Time>,
    /// Events of traffic so far: each one's place in its input.
    taken: u64,
}

impl MainLoop {
    /// Ready to run; a checkpoint that cannot be read is counted.
    pub(super) fn new(settings: &Settings, pack: &Arc<Pack>, checkpoint: Option<&[u8]>) -> Result<Self, Fault> {
        let definitions = sources(pack)?;
        let mut core = Box::new(Core::new(Arc::clone(pack), settings, Overlay::default(), true)?);
        let mut dropped_checkpoint = 0;
        let mut before = match checkpoint.map(Checkpoint::read) {
            None => Checkpoint::default(),
            Some(Some(checkpoint)) => checkpoint,
            Some(None) => {
                dropped_checkpoint += 1;
                Checkpoint::default()
            }
        };
        if (!before.ordinals.is_empty() || !before.correlations.is_empty())
            && core.restore(&before.ordinals, &before.correlations).is_err()
        {
            dropped_checkpoint += 1;
        }
        let mut files: Vec<Followed> = Vec::with_capacity(settings.files.len());
        for file in &settings.files {
            let path = PathBuf::from(&file.path);
            if files.iter().any(|known| known.path == file.path) {
                return Err(Fault::Settings(format!("files: '{}' stands there twice", file.path)));
            }
            let time = path.metadata().map_or_else(|_| now(), |meta| written(&meta));
            let mut sender = settings.sender(&path, time, &definitions)?;
            let mut position = None;
            if let Some(state) = before.files.remove(&file.path) {
                sender.resume(state.memory);
                position = state.position;
            }
            let name = path
                .file_name()
                .map_or_else(|| file.path.clone(), |name| name.to_string_lossy().into_owned());
            let latest = sender.clock.last();
            let tail = Tail::new(path, position);
            files.push(Followed {
                path: file.path.clone(),
                name: name.into(),
                tail,
                sender,
                latest,
                behind: false,
            });
        }
        let started = Instant::now();
        Ok(Self {
            files,
            core,
            started,
            lateness: i64::from(settings.lateness_ms) * 1_000_000,
            fresh: started,
            dirty: false,
            instant: started,
            moved: false,
            dropped_checkpoint,
            ports: None,
            watched: before.watched.map(Time),
            traffic_time: None,
            taken: 0,
        })
    }

    /// Takes the interfaces.
    pub(super) fn watch(&mut self, ports: Ports) {
        self.ports = Some(ports);
    }

    pub(super) fn run(&mut self, shared: &Shared, orders: &Receiver<Command>) {
        let stopping = || shared.stopping.load(Ordering::Acquire);
        let mut reported = Instant::now();
        self.tell_gap(shared, &stopping);
        self.publish(shared);
        loop {
            let mut read = self.take_waiting(shared, &stopping);
            let hindmost = self.hindmost();
            for index in 0..self.files.len() {
                if self.files[index].behind && hindmost != Some(index) {
                    read = true; // it waits for its turn: see `time`
                    continue;
                }
                let (some, alerts) = self.turn(index);
                read |= some;
                self.hand_over(alerts, shared, &stopping);
                if stopping() {
                    break;
                }
            }
            self.look(shared, &stopping);
            let mut alerts = Vec::new();
            if let Some(time) = self.time() {
                self.core.advance(time, &mut |hit| {
                    alerts.push(hit.to_json());
                });
            }
            self.hand_over(alerts, shared, &stopping);
            let since = self.instant.elapsed();
            if (self.dirty && since >= INSTANT) || (self.moved && since >= TRAFFIC_INSTANT) {
                self.settle(shared, &stopping);
            }
            if reported.elapsed() >= INSTANT || (!read && reported.elapsed() >= PAUSE) {
                self.publish(shared);
                reported = Instant::now();
            }
            let order = if read {
                orders.try_recv().ok()
            } else {
                self.wait(orders, shared, &stopping)
            };
            match order {
                Some(Command::Swap(core, definitions, pinned)) => self.swap(core, &definitions, &pinned),
                Some(Command::Stop) => break,
                None if stopping() => break,
                None => {}
            }
        }
        self.close(shared, &stopping);
        self.settle(shared, &stopping);
        self.publish(shared);
    }

    /// Nothing new to read: the instant is kept before the pause, so that an idle sensor has lost nothing.
    fn wait(&mut self, orders: &Receiver<Command>, shared: &Shared, stopping: &dyn Fn() -> bool) -> Option<Command> {
        if self.dirty && self.instant.elapsed() >= PAUSE {
            self.settle(shared, stopping);
        }
        let lane = self.ports.as_ref().map_or_else(never, |ports| ports.lane.clone());
        select! {
            recv(orders) -> order => Some(order.unwrap_or(Command::Stop)),
            recv(lane) -> word => {
                if let Ok(word) = word {
                    self.take(word, shared, stopping);
                }
                None
            }
            default(PAUSE) => None,
        }
    }

    /// Says from when to when no interface was watched, where an earlier run knew until when it did.
    fn tell_gap(&mut self, shared: &Shared, stopping: &dyn Fn() -> bool) {
        if let (Some(ports), Some(since)) = (&self.ports, self.watched) {
            let name = Arc::clone(&ports.name);
            self.tell(vec![(ports::gap(&name, since), name)], shared, stopping);
        }
    }

    /// Takes what workers have sent.
    fn take_waiting(&mut self, shared: &Shared, stopping: &dyn Fn() -> bool) -> bool {
        let Some(lane) = self.ports.as_ref().map(|ports| ports.lane.clone()) else {
            return false;
        };
        let mut some = false;
        for word in lane.try_iter().take(BATCHES) {
            some = true;
            self.take(word, shared, stopping);
        }
        some
    }

    /// Takes what a worker says. True when all workers are done.
    fn take(&mut self, word: Word, shared: &Shared, stopping: &dyn Fn() -> bool) -> bool {
        let events = match word {
            Word::Events(events) => events,
            Word::Done => return self.ports.as_mut().is_none_or(Ports::done),
            // A worker's death ends the process visibly: it would be blind and not know it.
            Word::Died(what) => panic!("a worker ended: {what}"),
        };
        let Some(input) = self.ports.as_ref().map(|ports| Arc::clone(&ports.name)) else {
            return true;
        };
        let clock = now();
        let mut alerts = Vec::new();
        for (event, complete) in &events {
            self.taken += 1;
            self.core
                .event(event, &input, self.taken, Some(clock), Some(*complete), &mut |hit| {
                    alerts.push(hit.to_json());
                });
            self.traffic_time = self.traffic_time.max(Some(*complete));
        }
        self.fresh = Instant::now();
        self.moved = true;
        self.hand_over(alerts, shared, stopping);
        false
    }

    /// Looks at the interfaces when it is time.
    fn look(&mut self, shared: &Shared, stopping: &dyn Fn() -> bool) {
        let mut told = Vec::new();
        if let Some(ports) = &mut self.ports {
            ports.look(&mut |event, name| told.push((event, Arc::clone(name))));
        }
        if !told.is_empty() {
            // Whoever learns from an alert that an interface is down finds the counters saying it too.
            self.publish(shared);
        }
        self.tell(told, shared, stopping);
    }

    /// Takes events about the interfaces themselves.
    fn tell(&mut self, told: Vec<(Event, Arc<str>)>, shared: &Shared, stopping: &dyn Fn() -> bool) {
        let mut alerts = Vec::new();
        for (event, name) in told {
            self.taken += 1;
            self.core
                .event(&event, &name, self.taken, Some(event.ts), Some(event.ts), &mut |hit| {
                    alerts.push(hit.to_json());
                });
            self.moved = true;
        }
        self.hand_over(alerts, shared, stopping);
    }

    /// Ends the workers and takes their last events: every connection is over now.
    fn close(&mut self, shared: &Shared, stopping: &dyn Fn() -> bool) {
        let Some(ports) = &self.ports else { return };
        ports.stop();
        let lane = ports.lane.clone();
        for word in &lane {
            if self.take(word, shared, stopping) {
                break;
            }
        }
        let mut told = Vec::new();
        if let Some(ports) = &mut self.ports {
            ports.finish(&mut |event, name| told.push((event, Arc::clone(name))));
        }
        self.tell(told, shared, stopping);
    }

    /// Of the files that may have more to read, the one whose events are furthest behind: a backlog is read in its own order.
    fn hindmost(&self) -> Option<usize> {
        let behind = self.files.iter().enumerate().filter(|(_, file)| file.behind);
        behind.min_by_key(|(_, file)| file.latest).map(|(index, _)| index)
    }

    /// The time that correlations have come to. It is the events' own and not the clock's, so that a file that is read again,
    /// or a backlog, gives the same alerts: no further than the hindmost file that has more; else the latest event, and as
    /// much later as nothing was read since.
    fn time(&self) -> Option<Time> {
        if let Some(hindmost) = self.hindmost() {
            return self.files[hindmost].latest;
        }
        let latest = self.files.iter().filter_map(|file| file.latest).max();
        let latest = latest.max(self.traffic_time)?;
        let since = i64::try_from(self.fresh.elapsed().as_nanos()).unwrap_or(i64::MAX);
        Some(Time(latest.0.saturating_add(since)).min(now().max(latest)))
    }

    /// Reads a stretch of one file.
    fn turn(&mut self, index: usize) -> (bool, Vec<Vec<u8>>) {
        let Self {
            files,
            core,
            started,
            lateness,
            ..
        } = self;
        let Followed {
            name,
            tail,
            sender,
            latest,
            behind,
            ..
        } = &mut files[index];
        let now = now();
        let bound = Time(now.0.saturating_add(*lateness));
        sender.clock.receive(now);
        let mut alerts = Vec::new();
        let too_long = tail.counted().too_long;
        let read = tail.poll(started.elapsed(), TURN, &mut |line| {
            sender.line(line.bytes, &mut |event| {
                // What is dated later than can be correlates where the line before it did; what is older may be a backlog and
                // keeps its time.
                let receipt = (event.ts > bound).then(|| latest.unwrap_or(now));
                if receipt.is_none() {
                    *latest = (*latest).max(Some(event.ts));
                }
                core.event(&event, name, line.offset, Some(now), receipt, &mut |hit| {
                    alerts.push(hit.to_json());
                });
            });
        });
        sender.too_long(tail.counted().too_long - too_long);
        *behind = read;
        self.dirty |= read;
        if read {
            self.fresh = Instant::now();
        }
        (read, alerts)
    }

    fn hand_over(&mut self, alerts: Vec<Vec<u8>>, shared: &Shared, stopping: &dyn Fn() -> bool) {
        if !alerts.is_empty() {
            self.dirty = true;
            shared.queue.push(
                Chunk {
                    alerts: alerts.into(),
                    checkpoint: None,
                },
                stopping,
            );
        }
    }

    /// Hands over the instant after everything that was handed over.
    fn settle(&mut self, shared: &Shared, stopping: &dyn Fn() -> bool) {
        let files: BTreeMap<String, FileState> = self
            .files
            .iter()
            .map(|file| {
                let state = FileState {
                    position: file.tail.position(),
                    memory: file.sender.memory(),
                };
                (file.path.clone(), state)
            })
            .collect();
        let (ordinals, correlations) = self.core.snapshot();
        let checkpoint = Checkpoint {
            files,
            ordinals,
            correlations,
            watched: self.ports.as_ref().map(|_| now().0),
        }
        .to_bytes();
        shared.queue.push(
            Chunk {
                alerts: [].into(),
                checkpoint: Some(checkpoint),
            },
            stopping,
        );
        (self.dirty, self.moved) = (false, false);
        self.instant = Instant::now();
    }

    pub(super) fn swap(&mut self, mut core: Box<Core>, definitions: &Arc<Sources>, pinned: &[Option<usize>]) {
        let (ordinals, correlations) = self.core.snapshot();
        // Our own snapshot of a moment ago is readable.
        if core.restore(&ordinals, &correlations).is_err() {
            self.dropped_checkpoint += 1;
        }
        self.core = core;
        for (file, pinned) in self.files.iter_mut().zip(pinned) {
            file.sender.reload(Arc::clone(definitions), *pinned);
        }
    }

    pub(super) fn tally(&self) -> Tally {
        let mut tally = Tally::default();
        for file in &self.files {
            file.sender.report(&mut tally);
            let counts = file.tail.counted();
            for (what, n) in [
                ("bytes", counts.bytes),
                ("rotated", counts.rotated),
                ("truncated", counts.truncated),
                ("partial", counts.partial),
                ("dropped{lost}", counts.lost),
                ("empty", counts.empty),
                ("errors", counts.errors),
                ("absent", u64::from(!file.tail.present())),
            ] {
                tally.add(&format!("log.file.{what}"), n);
            }
        }
        if let Some(ports) = &self.ports {
            ports.report(&mut tally);
        }
        self.core.report(&mut tally);
        tally.add("checkpoint.dropped{unreadable}", self.dropped_checkpoint);
        tally
    }

    fn publish(&self, shared: &Shared) {
        *shared.tally.lock().unwrap_or_else(PoisonError::into_inner) = self.tally();
    }
}

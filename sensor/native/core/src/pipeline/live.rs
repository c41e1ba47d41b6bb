//! The sensor as it runs: log files are followed in a thread of the core's own, and alerts wait in a bounded queue for
//! whoever polls. Interfaces join here with the capture of live traffic.

use std::collections::BTreeMap;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::PathBuf;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender as Commands, channel};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, Instant, SystemTime, UNIX_EPOCH};

use super::Fault;
use super::checkpoint::{Checkpoint, FileState};
use super::core::Core;
use super::input::written;
use super::overlay::Overlay;
use super::queue::{Chunk, Queue};
use super::replay::sources;
use super::settings::Settings;
use crate::event::Time;
use crate::log::lines::Sender;
use crate::log::source::Sources;
use crate::log::tail::Tail;
use crate::sigma::Pack;
use crate::stats::{Report, Tally};

/// Bytes of alerts that may wait for a poll.
const QUEUE: usize = 8 << 20;
/// Bytes read of one file before the next has its turn.
const TURN: usize = 64 * 1024;
/// Pause when no file had anything new.
const PAUSE: Duration = Duration::from_millis(50);
/// Shortest time between two checkpoints: one costs as much as all correlation state.
const INSTANT: Duration = Duration::from_secs(1);

enum Command {
    Swap(Box<Core>, Arc<Sources>, Vec<Option<usize>>),
    Stop,
}

/// What one poll gives.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Polled {
    /// Alerts, JSON documents.
    pub alerts: Vec<Vec<u8>>,
    /// The instant after them: to be kept with them.
    pub checkpoint: Option<Vec<u8>>,
    /// Stopped, and nothing more will come.
    pub finished: bool,
}

struct Shared {
    queue: Queue,
    stopping: AtomicBool,
    tally: Mutex<Tally>,
    death: Mutex<Option<String>>,
}

struct Running {
    commands: Commands<Command>,
    thread: Option<JoinHandle<()>>,
}

/// The live sensor.
pub struct Sensor {
    settings: Settings,
    pack: Arc<Pack>,
    overlay: Vec<u8>,
    ready: Option<Box<Worker>>,
    running: Option<Running>,
    shared: Arc<Shared>,
}

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

struct Worker {
    files: Vec<Followed>,
    core: Box<Core>,
    started: Instant,
    /// How far ahead of the clock an event may be dated, in nanoseconds.
    lateness: i64,
    /// When something was last read.
    fresh: Instant,
    /// Something was read since the last checkpoint.
    dirty: bool,
    instant: Instant,
    dropped_checkpoint: u64,
}

impl Sensor {
    /// Prepares a sensor; nothing is read before [`Sensor::start`]. A checkpoint that cannot be read is counted, and files are
    /// read from their start: the ids of alerts that were sent already stay the same.
    ///
    /// # Errors
    /// [`Fault`]: settings or definitions that are wrong.
    pub fn new(settings: Settings, pack: Arc<Pack>, checkpoint: Option<&[u8]>) -> Result<Self, Fault> {
        let definitions = sources(&pack)?;
        let mut core = Box::new(Core::new(Arc::clone(&pack), &settings, Overlay::default(), true)?);
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
        let worker = Worker {
            files,
            core,
            started,
            lateness: i64::from(settings.lateness_ms) * 1_000_000,
            fresh: started,
            dirty: false,
            instant: started,
            dropped_checkpoint,
        };
        let shared = Shared {
            queue: Queue::new(QUEUE),
            stopping: AtomicBool::new(false),
            tally: Mutex::default(),
            death: Mutex::default(),
        };
        Ok(Self {
            settings,
            pack,
            overlay: b"{}".to_vec(),
            ready: Some(Box::new(worker)),
            running: None,
            shared: Arc::new(shared),
        })
    }

    /// Starts the core's thread. A second call does nothing.
    ///
    /// # Errors
    /// [`Fault::Output`] when the system gives no thread.
    pub fn start(&mut self) -> Result<(), Fault> {
        let Some(mut worker) = self.ready.take() else {
            return Ok(());
        };
        let (commands, orders) = channel();
        let shared = Arc::clone(&self.shared);
        let run = move || {
            let ended = catch_unwind(AssertUnwindSafe(|| worker.run(&shared, &orders)));
            if let Err(panic) = ended {
                let what = panic.downcast_ref::<String>().cloned();
                let what = what.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
                *shared.death.lock().unwrap_or_else(PoisonError::into_inner) = Some(what.unwrap_or_default());
            }
            shared.queue.close();
        };
        let thread = std::thread::Builder::new()
            .name("vigla-core".to_owned())
            .spawn(run)
            .map_err(Fault::Output)?;
        self.running = Some(Running {
            commands,
            thread: Some(thread),
        });
        Ok(())
    }

    /// At most `most` alerts, waiting up to `timeout` for the first, and the checkpoint to keep with them.
    ///
    /// # Errors
    /// The message of the panic that ended the core's thread, once all its alerts were given out.
    pub fn poll(&self, most: usize, timeout: Duration) -> Result<Polled, String> {
        let (alerts, checkpoint, finished) = self.shared.queue.pop(most.max(1), timeout);
        if finished && alerts.is_empty() {
            let death = self.shared.death.lock().unwrap_or_else(PoisonError::into_inner);
            if let Some(what) = death.as_ref() {
                return Err(what.clone());
            }
        }
        Ok(Polled {
            alerts,
            checkpoint,
            finished,
        })
    }

    /// Counters of all stages, of at most a second ago.
    pub fn stats(&self) -> Tally {
        match &self.ready {
            Some(worker) => worker.tally(),
            None => self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner).clone(),
        }
    }

    /// Runs another pack from the next line on; state of correlations that it did not change stays.
    ///
    /// # Errors
    /// [`Fault`]: the pack or its definitions are wrong, or the overlay in force names what it does not have. The pack before
    /// stays in force.
    pub fn reload(&mut self, pack: Arc<Pack>) -> Result<(), Fault> {
        let overlay = self.overlay.clone();
        self.swap(pack, &overlay)
    }

    /// Takes another overlay from the next line on.
    ///
    /// # Errors
    /// [`Fault::Settings`] naming what is wrong; the overlay before stays in force.
    pub fn overlay(&mut self, document: &[u8]) -> Result<(), Fault> {
        self.swap(Arc::clone(&self.pack), document)
    }

    fn swap(&mut self, pack: Arc<Pack>, document: &[u8]) -> Result<(), Fault> {
        let definitions = sources(&pack)?;
        let overlay = Overlay::read(document, &pack.program)?;
        let pinned = self
            .settings
            .files
            .iter()
            .map(|file| Settings::pinned(Some(file), &definitions))
            .collect::<Result<Vec<_>, _>>()?;
        let core = Box::new(Core::new(Arc::clone(&pack), &self.settings, overlay, true)?);
        if let Some(worker) = &mut self.ready {
            worker.swap(core, &definitions, &pinned);
        } else if let Some(running) = &self.running {
            // A thread that has ended says so at the next poll.
            let _ = running.commands.send(Command::Swap(core, definitions, pinned));
        }
        self.pack = pack;
        self.overlay = document.to_vec();
        Ok(())
    }

    /// Ends the core's thread. What it has found can still be polled, with the last checkpoint.
    pub fn stop(&mut self) {
        self.shared.stopping.store(true, Ordering::Release);
        match &mut self.running {
            Some(running) => {
                // A thread that has ended needs no order.
                let _ = running.commands.send(Command::Stop);
                if let Some(thread) = running.thread.take() {
                    let _ = thread.join();
                }
            }
            None => self.shared.queue.close(),
        }
    }
}

impl Drop for Sensor {
    fn drop(&mut self) {
        self.stop();
    }
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

impl Worker {
    fn run(&mut self, shared: &Shared, orders: &Receiver<Command>) {
        let stopping = || shared.stopping.load(Ordering::Acquire);
        let mut reported = Instant::now();
        self.publish(shared);
        loop {
            let mut read = false;
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
            let mut alerts = Vec::new();
            if let Some(time) = self.time() {
                self.core.advance(time, &mut |hit| {
                    alerts.push(hit.to_json());
                });
            }
            self.hand_over(alerts, shared, &stopping);
            if self.dirty && self.instant.elapsed() >= INSTANT {
                self.settle(shared, &stopping);
            }
            if reported.elapsed() >= INSTANT || !read {
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
        self.settle(shared, &stopping);
        self.publish(shared);
    }

    /// Nothing new to read: the instant is kept before the pause, so that an idle sensor has lost nothing.
    fn wait(&mut self, orders: &Receiver<Command>, shared: &Shared, stopping: &dyn Fn() -> bool) -> Option<Command> {
        if self.dirty && self.instant.elapsed() >= PAUSE {
            self.settle(shared, stopping);
        }
        match orders.recv_timeout(PAUSE) {
            Ok(order) => Some(order),
            Err(RecvTimeoutError::Timeout) => None,
            Err(RecvTimeoutError::Disconnected) => Some(Command::Stop),
        }
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
        let latest = self.files.iter().filter_map(|file| file.latest).max()?;
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
        }
        .to_bytes();
        shared.queue.push(
            Chunk {
                alerts: [].into(),
                checkpoint: Some(checkpoint),
            },
            stopping,
        );
        self.dirty = false;
        self.instant = Instant::now();
    }

    fn swap(&mut self, mut core: Box<Core>, definitions: &Arc<Sources>, pinned: &[Option<usize>]) {
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

    fn tally(&self) -> Tally {
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
        self.core.report(&mut tally);
        tally.add("checkpoint.dropped{unreadable}", self.dropped_checkpoint);
        tally
    }

    fn publish(&self, shared: &Shared) {
        *shared.tally.lock().unwrap_or_else(PoisonError::into_inner) = self.tally();
    }
}

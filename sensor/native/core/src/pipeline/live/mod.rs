//! The sensor as it runs: workers read interfaces ([`worker`]), a thread of the core's own follows log files and takes the
//! events of all workers through rules and correlations ([`main_loop`]), and alerts wait in a bounded queue for whoever polls.

mod main_loop;
mod ports;
mod stats_event;
mod worker;

use std::any::Any;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::thread::JoinHandle;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use crossbeam_channel::{Sender as Commands, unbounded};

use super::Fault;
use super::core::Core;
use super::overlay::Overlay;
use super::queue::Queue;
use super::replay::sources;
use super::settings::Settings;
use crate::event::Time;
use crate::log::source::Sources;
use crate::sigma::Pack;
use crate::stats::Tally;
use main_loop::MainLoop;
use ports::Ports;

pub use stats_event::FIELDS as STATS_FIELDS;

/// Bytes of alerts that may wait for a poll.
const QUEUE: usize = 8 << 20;

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
    ready: Option<Box<MainLoop>>,
    running: Option<Running>,
    shared: Arc<Shared>,
}

impl Sensor {
    /// Prepares a sensor; nothing is read before [`Sensor::start`]. A checkpoint that cannot be read is counted, and files are
    /// read from their start: the ids of alerts that were sent already stay the same.
    ///
    /// # Errors
    /// [`Fault`]: settings or definitions that are wrong.
    pub fn new(settings: Settings, pack: Arc<Pack>, checkpoint: Option<&[u8]>) -> Result<Self, Fault> {
        let ready = MainLoop::new(&settings, &pack, checkpoint)?;
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
            ready: Some(Box::new(ready)),
            running: None,
            shared: Arc::new(shared),
        })
    }

    /// Opens the interfaces and starts the threads. A second call does nothing.
    ///
    /// # Errors
    /// [`Fault::Input`] for an interface that this user may not watch, [`Fault::Output`] when the system gives no thread.
    pub fn start(&mut self) -> Result<(), Fault> {
        let Some(ready) = &mut self.ready else {
            return Ok(());
        };
        if !self.settings.interfaces.is_empty() {
            ready.watch(Ports::open(&self.settings)?);
        }
        let Some(mut worker) = self.ready.take() else {
            return Ok(());
        };
        *self.shared.tally.lock().unwrap_or_else(PoisonError::into_inner) = worker.tally();
        let (commands, orders) = unbounded();
        let shared = Arc::clone(&self.shared);
        let run = move || {
            let ended = catch_unwind(AssertUnwindSafe(|| worker.run(&shared, &orders)));
            if let Err(panic) = ended {
                *shared.death.lock().unwrap_or_else(PoisonError::into_inner) = Some(message(panic.as_ref()));
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

/// The message of a panic.
fn message(panic: &(dyn Any + Send)) -> String {
    let text = panic.downcast_ref::<String>().cloned();
    let text = text.or_else(|| panic.downcast_ref::<&str>().map(|text| (*text).to_owned()));
    text.unwrap_or_default()
}

fn now() -> Time {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    Time(i64::try_from(since.as_nanos()).unwrap_or(i64::MAX))
}

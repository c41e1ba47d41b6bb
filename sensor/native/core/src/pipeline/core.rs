//! Events to hits: rules, behaviours and correlations, in one place after the fan-in. Split state would lose alerts.

use std::collections::HashMap;
use std::sync::Arc;

use super::Fault;
use super::overlay::Overlay;
use super::settings::Settings;
use super::thresholds;
use crate::behaviour::Behaviours;
use crate::correlate::{self, Correlator};
use crate::event::{Event, Time};
use crate::jsonl::Wanted;
use crate::sigma::{Engine, Hit, Pack};
use crate::stats::{Report, Tally};

/// Rules, behaviours and correlations over all inputs.
pub struct Core {
    engine: Engine,
    behaviours: Behaviours,
    correlator: Correlator,
    overlay: Overlay,
    alerts: u64,
    withheld: HashMap<&'static str, u64>,
    correlated: Vec<Hit>,
}

impl Core {
    /// A core that runs `pack`; `live` says that events come as they happen and not in order.
    ///
    /// # Errors
    /// [`Fault::Settings`] for networks that are none.
    pub fn new(pack: Arc<Pack>, settings: &Settings, overlay: Overlay, live: bool) -> Result<Self, Fault> {
        let mut engine_settings = settings.engine()?;
        // What the municipality's hub says of a list replaces what the box has.
        engine_settings.lists.extend(overlay.lists().clone());
        Ok(Self {
            behaviours: Behaviours::new(&|_, field| thresholds::of(&pack.program, field)),
            correlator: Correlator::new(Arc::clone(&pack), settings.correlations(live)),
            engine: Engine::new(pack, engine_settings),
            overlay,
            alerts: 0,
            withheld: HashMap::new(),
            correlated: Vec::new(),
        })
    }

    /// Takes an event of `input`; hits that raise alerts go to `out`, a match before the correlations it completes. Live,
    /// `now` is the clock, which filters expire by; `receipt` is where an event correlates whose own time cannot be.
    pub fn event(
        &mut self,
        event: &Event,
        input: &Arc<str>,
        offset: u64,
        now: Option<Time>,
        receipt: Option<Time>,
        out: &mut dyn FnMut(Hit),
    ) {
        let Self {
            engine,
            behaviours,
            correlator,
            overlay,
            alerts,
            withheld,
            correlated,
        } = self;
        let mut hit = |hit: Hit| {
            let now = now.unwrap_or(hit.ts);
            if let Some(reason) = overlay.drops(&hit, now) {
                *withheld.entry(reason).or_insert(0) += 1;
                return;
            }
            correlator.hit(&hit, receipt, &mut |hit| correlated.push(hit));
            for hit in std::iter::once(hit).chain(correlated.drain(..)) {
                give(overlay, hit, alerts, withheld, out);
            }
        };
        engine.event(event, input, offset, &mut hit);
        let mut derived = |event: &Event| engine.event(event, input, offset, &mut hit);
        behaviours.event(event, &mut derived);
    }

    /// Time has come to `now`: see [`Correlator::advance`].
    pub fn advance(&mut self, now: Time, out: &mut dyn FnMut(Hit)) {
        let Self {
            correlator,
            overlay,
            alerts,
            withheld,
            ..
        } = self;
        correlator.advance(now, &mut |hit| give(overlay, hit, alerts, withheld, out));
    }

    /// All inputs are at their end.
    pub fn finish(&mut self, out: &mut dyn FnMut(Hit)) {
        let Self {
            correlator,
            overlay,
            alerts,
            withheld,
            ..
        } = self;
        correlator.finish(&mut |hit| give(overlay, hit, alerts, withheld, out));
    }

    /// Rules that cannot fire because a declared list has no values: (rule id, list).
    pub fn inactive(&self) -> Vec<(&str, &str)> {
        self.engine.inactive()
    }

    /// The names that rules can ask an event for.
    pub fn wanted(&self) -> &Arc<Wanted> {
        self.engine.wanted()
    }

    /// The pack that is run.
    pub fn pack(&self) -> &Arc<Pack> {
        self.engine.pack()
    }

    /// Ordinals and correlations as bytes.
    pub fn snapshot(&self) -> (Vec<u8>, Vec<u8>) {
        (self.engine.snapshot(), self.correlator.snapshot())
    }

    /// Takes the state of a snapshot.
    ///
    /// # Errors
    /// [`correlate::RestoreError`]: the correlations' part is not one; they start empty.
    pub fn restore(&mut self, ordinals: &[u8], correlations: &[u8]) -> Result<(), correlate::RestoreError> {
        self.engine.restore(ordinals);
        self.correlator.restore(correlations)
    }
}

/// A hit on its way out, unless it only feeds correlations or the overlay holds it back.
fn give(
    overlay: &Overlay,
    hit: Hit,
    alerts: &mut u64,
    withheld: &mut HashMap<&'static str, u64>,
    out: &mut dyn FnMut(Hit),
) {
    if !hit.alert {
        return;
    }
    if let Some(reason) = overlay.withholds(&hit) {
        *withheld.entry(reason).or_insert(0) += 1;
        return;
    }
    *alerts += 1;
    out(hit);
}

impl Report for Core {
    fn report(&self, tally: &mut Tally) {
        self.engine.report(tally);
        self.behaviours.report(tally);
        self.correlator.report(tally);
        tally.add("alerts", self.alerts);
        for (reason, n) in &self.withheld {
            tally.add(&format!("alerts.withheld{{{reason}}}"), *n);
        }
    }
}

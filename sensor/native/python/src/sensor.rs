//! The live sensor.

use std::collections::BTreeMap;
use std::sync::{Arc, RwLock, RwLockReadGuard, RwLockWriteGuard};
use std::time::Duration;

use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use vigla_core::pipeline::live::Sensor as Inner;
use vigla_core::pipeline::settings::Settings;
use vigla_core::sigma::Pack;

use crate::Batch;
use crate::errors::released;
use crate::offline::counters;

/// Watches interfaces and follows log files in threads of the core's own. `poll` and `stats` may be called while
/// another thread stops it.
#[pyclass(frozen, module = "vigla_native")]
pub struct Sensor(RwLock<Inner>);

impl Sensor {
    fn read(&self) -> RwLockReadGuard<'_, Inner> {
        self.0.read().unwrap_or_else(std::sync::PoisonError::into_inner)
    }

    fn write(&self) -> RwLockWriteGuard<'_, Inner> {
        self.0.write().unwrap_or_else(std::sync::PoisonError::into_inner)
    }
}

#[pymethods]
impl Sensor {
    #[new]
    #[pyo3(signature = (settings, pack, checkpoint=None))]
    fn new(py: Python<'_>, settings: &[u8], pack: &[u8], checkpoint: Option<&[u8]>) -> PyResult<Self> {
        released(py, || {
            let settings = Settings::read(settings)?;
            let pack = Arc::new(Pack::load(pack)?);
            Inner::new(settings, pack, checkpoint).map(|inner| Self(RwLock::new(inner)))
        })
    }

    /// Opens the interfaces and starts reading.
    fn start(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || self.write().start())
    }

    /// At most `max` alerts, waiting up to `timeout` seconds for the first.
    fn poll(&self, py: Python<'_>, max: usize, timeout: f64) -> PyResult<Batch> {
        let timeout = Duration::try_from_secs_f64(timeout)
            .map_err(|_| PyValueError::new_err("timeout: must be a number of seconds, not negative"))?;
        let polled = released(py, || Ok(self.read().poll(max, timeout)))?.map_err(|what| {
            PyRuntimeError::new_err(format!(
                "the core's thread ended by a panic: {what}; this is a fault of Vigla, please report it"
            ))
        })?;
        Ok(Batch::new(
            py,
            &polled.alerts,
            polled.checkpoint.as_deref(),
            polled.finished,
        ))
    }

    /// Counters of all stages.
    fn stats(&self, py: Python<'_>) -> PyResult<BTreeMap<String, u64>> {
        released(py, || Ok(counters(&self.read().stats())))
    }

    /// Runs another pack from the next line on; one that is refused changes nothing.
    fn reload(&self, py: Python<'_>, pack: &[u8]) -> PyResult<()> {
        released(py, || {
            let pack = Arc::new(Pack::load(pack)?);
            self.write().reload(pack)
        })
    }

    /// Takes another overlay; one that is refused changes nothing.
    fn overlay(&self, py: Python<'_>, document: &[u8]) -> PyResult<()> {
        released(py, || self.write().overlay(document))
    }

    /// Stops reading; what was found can still be polled, until `finished`.
    fn stop(&self, py: Python<'_>) -> PyResult<()> {
        released(py, || {
            self.write().stop();
            Ok(())
        })
    }
}

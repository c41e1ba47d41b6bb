//! The offline twins: files in, alerts or events out.

use std::collections::BTreeMap;
use std::fs::File;
use std::os::fd::BorrowedFd;
use std::path::PathBuf;
use std::sync::{Arc, Mutex};

use pyo3::prelude::*;
use vigla_core::pipeline::replay::{self, Replay as Inner};
use vigla_core::pipeline::settings::Settings;
use vigla_core::pipeline::{Fault, events as printing, explain};
use vigla_core::sigma::Pack;
use vigla_core::stats::Tally;

use crate::Batch;
use crate::errors::released;

pub(crate) fn counters(tally: &Tally) -> BTreeMap<String, u64> {
    tally.iter().map(|(name, n)| (name.to_owned(), n)).collect()
}

/// A file of ours over the caller's descriptor, which stays the caller's.
#[allow(unsafe_code)]
pub(crate) fn output(descriptor: i32) -> Result<File, Fault> {
    if descriptor < 0 {
        return Err(Fault::Output(std::io::Error::from_raw_os_error(9))); // EBADF
    }
    // SAFETY: the descriptor is the caller's for the length of this call and is only duplicated here; a closed one makes the
    // duplication fail.
    let borrowed = unsafe { BorrowedFd::borrow_raw(descriptor) };
    borrowed.try_clone_to_owned().map(File::from).map_err(Fault::Output)
}

/// Files to alerts. Deterministic: the same files give the same alerts in the same order.
#[pyclass(frozen, module = "vigla_native")]
pub struct Replay(Mutex<Inner>);

impl Replay {
    fn with<T: Send>(&self, py: Python<'_>, work: impl FnOnce(&mut Inner) -> T + Send) -> PyResult<T> {
        released(py, || {
            Ok(work(
                &mut self.0.lock().unwrap_or_else(std::sync::PoisonError::into_inner),
            ))
        })
    }
}

#[pymethods]
impl Replay {
    #[new]
    fn new(py: Python<'_>, settings: &[u8], pack: &[u8], paths: Vec<PathBuf>) -> PyResult<Self> {
        released(py, || {
            let settings = Settings::read(settings)?;
            let pack = Arc::new(Pack::load(pack)?);
            Inner::new(&settings, pack, &paths).map(|inner| Self(Mutex::new(inner)))
        })
    }

    /// Goes on until there are `max` alerts or the inputs are at their end.
    fn poll(&self, py: Python<'_>, max: usize) -> PyResult<Batch> {
        let (alerts, finished) = self.with(py, |inner| (inner.poll(max), inner.finished()))?;
        Ok(Batch::new(py, &alerts, None, finished))
    }

    /// Counters of all stages.
    fn stats(&self, py: Python<'_>) -> PyResult<BTreeMap<String, u64>> {
        self.with(py, |inner| counters(&inner.stats()))
    }

    /// What was wrong with inputs, and rules that cannot fire.
    fn warnings(&self, py: Python<'_>) -> PyResult<Vec<String>> {
        self.with(py, |inner| inner.warnings())
    }
}

/// Writes decoded events to the file descriptor `out`; returns counters and warnings.
#[pyfunction]
#[pyo3(signature = (paths, settings, out, pack=None))]
pub fn events(
    py: Python<'_>,
    paths: Vec<PathBuf>,
    settings: &[u8],
    out: i32,
    pack: Option<&[u8]>,
) -> PyResult<(BTreeMap<String, u64>, Vec<String>)> {
    released(py, || {
        let settings = Settings::read(settings)?;
        let sources = match pack {
            Some(pack) => Some(replay::sources(&Pack::load(pack)?)?),
            None => None,
        };
        let mut out = output(out)?;
        printing::events(&paths, &settings, sources.as_ref(), &mut out)
            .map(|(tally, warnings)| (counters(&tally), warnings))
    })
}

/// What would keep the configured interfaces from being watched: JSON.
#[pyfunction]
pub fn interfaces(py: Python<'_>, settings: &[u8]) -> PyResult<Vec<u8>> {
    released(py, || explain::interfaces(&Settings::read(settings)?))
}

/// Writes which definition took each line of `path`, one JSON object a line, to the file descriptor `out`.
#[pyfunction]
pub fn sources_explain(
    py: Python<'_>,
    pack: &[u8],
    settings: &[u8],
    path: PathBuf,
    out: i32,
) -> PyResult<BTreeMap<String, u64>> {
    released(py, || {
        let settings = Settings::read(settings)?;
        let sources = replay::sources(&Pack::load(pack)?)?;
        explain::lines(&path, &settings, &sources, &mut output(out)?).map(|tally| counters(&tally))
    })
}

//! Packs and rules: what a pack holds, why a rule matches, which lines match.

use std::collections::BTreeMap;
use std::io::BufWriter;
use std::path::PathBuf;
use std::sync::Arc;

use pyo3::prelude::*;
use vigla_core::pipeline::{Fault, explain as explaining};
use vigla_core::sigma::{Pack, cost, match_lines as matching};

use crate::errors::released;
use crate::offline::{counters, output};

/// Why a rule did or did not match an event, the `number`th of those in a row: a JSON tree.
#[pyfunction]
#[pyo3(signature = (pack, rule, event, settings=None, number=1))]
pub fn explain(
    py: Python<'_>,
    pack: &[u8],
    rule: &str,
    event: &[u8],
    settings: Option<&[u8]>,
    number: usize,
) -> PyResult<String> {
    released(py, || {
        explaining::rule(&Pack::load(pack)?, rule, event, number, settings.unwrap_or(b"{}"))
    })
}

/// Matches JSON lines; writes `{"line": n, "rules": [...]}` for each that matches to the file descriptor `out`.
#[pyfunction]
pub fn match_lines(
    py: Python<'_>,
    pack: &[u8],
    path: PathBuf,
    logsource: &[u8],
    out: i32,
) -> PyResult<BTreeMap<String, u64>> {
    released(py, || {
        let pack = Arc::new(Pack::load(pack)?);
        let logsource = explaining::logsource(logsource)?;
        let unreadable = |error: std::io::Error| Fault::Input(format!("{}: {error}", path.display()));
        let mut input = matching::open(&path).map_err(unreadable)?;
        let mut out = BufWriter::with_capacity(1 << 17, output(out)?);
        let settings = vigla_core::sigma::Settings::default();
        let tally = matching::match_lines(pack, settings, logsource, &mut input, &mut out).map_err(unreadable)?;
        Ok(counters(&tally))
    })
}

/// The verified manifest and the rules' metadata: JSON.
#[pyfunction]
pub fn pack_info(py: Python<'_>, pack: &[u8]) -> PyResult<Vec<u8>> {
    released(py, || explaining::pack(&Pack::load(pack)?))
}

/// What each rule costs the engine: JSON `{"rules": [{"id", "always", "needles", "share", "predicates"}], "needles"}`.
#[pyfunction]
pub fn index_report(py: Python<'_>, pack: &[u8]) -> PyResult<Vec<u8>> {
    released(py, || Ok::<_, Fault>(cost::report(&Pack::load(pack)?)))
}

/// Every field of the events that the core decodes or derives itself: JSON `{common, zeek: {path: names}, behaviour, vigla}`.
#[pyfunction]
pub fn fields() -> Vec<u8> {
    explaining::fields()
}

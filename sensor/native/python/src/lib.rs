//! The binding of [`vigla_core`]; it holds no logic. Bytes and paths go in, JSON comes out; Python's lock is released while
//! the core works, and a panic in the core becomes an exception.

mod errors;
mod offline;
mod rules;
mod sensor;

use pyo3::prelude::*;

/// What one poll gives: alerts, and the instant that they lead up to.
#[pyclass(frozen, get_all, module = "vigla_native")]
pub struct Batch {
    alerts: Vec<Py<pyo3::types::PyBytes>>,
    checkpoint: Option<Py<pyo3::types::PyBytes>>,
    finished: bool,
}

impl Batch {
    fn new(py: Python<'_>, alerts: &[Vec<u8>], checkpoint: Option<&[u8]>, finished: bool) -> Self {
        let bytes = |text: &[u8]| pyo3::types::PyBytes::new(py, text).unbind();
        Self {
            alerts: alerts.iter().map(|alert| bytes(alert)).collect(),
            checkpoint: checkpoint.map(bytes),
            finished,
        }
    }
}

#[pymodule]
fn vigla_native(module: &Bound<'_, PyModule>) -> PyResult<()> {
    let py = module.py();
    module.add("__version__", env!("CARGO_PKG_VERSION"))?;
    module.add("PackError", py.get_type::<errors::PackError>())?;
    module.add("InputError", py.get_type::<errors::InputError>())?;
    module.add("SettingsError", py.get_type::<errors::SettingsError>())?;
    module.add_class::<Batch>()?;
    module.add_class::<offline::Replay>()?;
    module.add_class::<sensor::Sensor>()?;
    module.add_function(wrap_pyfunction!(offline::events, module)?)?;
    module.add_function(wrap_pyfunction!(offline::interfaces, module)?)?;
    module.add_function(wrap_pyfunction!(offline::sources_explain, module)?)?;
    module.add_function(wrap_pyfunction!(rules::explain, module)?)?;
    module.add_function(wrap_pyfunction!(rules::fields, module)?)?;
    module.add_function(wrap_pyfunction!(rules::index_report, module)?)?;
    module.add_function(wrap_pyfunction!(rules::match_lines, module)?)?;
    module.add_function(wrap_pyfunction!(rules::pack_info, module)?)?;
    Ok(())
}

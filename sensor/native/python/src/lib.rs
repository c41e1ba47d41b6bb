//! The binding of [`vigla_core`]; it holds no logic.
use pyo3::prelude::*;

#[pymodule]
fn vigla_native(_module: &Bound<'_, PyModule>) -> PyResult<()> {
    Ok(())
}

//! Exceptions, and the wall that a panic in the core does not pass.

use std::panic::{AssertUnwindSafe, catch_unwind};

use pyo3::exceptions::{PyOSError, PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use vigla_core::pipeline::Fault;

pyo3::create_exception!(
    vigla_native,
    PackError,
    PyValueError,
    "The pack was refused: which member, why, what to do."
);
pyo3::create_exception!(
    vigla_native,
    InputError,
    PyValueError,
    "An input cannot be read: no capture, unknown link type, absent."
);
pyo3::create_exception!(
    vigla_native,
    SettingsError,
    PyValueError,
    "The settings say something that cannot be meant."
);

/// The exception of a fault.
pub fn raised(fault: &Fault) -> PyErr {
    match fault {
        Fault::Settings(_) => SettingsError::new_err(fault.to_string()),
        Fault::Pack(_) => PackError::new_err(fault.to_string()),
        Fault::Input(_) => InputError::new_err(fault.to_string()),
        Fault::Output(error) => match error.raw_os_error() {
            Some(number) => PyOSError::new_err((number, fault.to_string())),
            None => PyOSError::new_err(fault.to_string()),
        },
    }
}

/// Runs `work` without Python's lock.
pub fn released<T: Send>(py: Python<'_>, work: impl FnOnce() -> Result<T, Fault> + Send) -> PyResult<T> {
    let outcome = py.detach(|| catch_unwind(AssertUnwindSafe(work)));
    match outcome {
        Ok(result) => result.map_err(|fault| raised(&fault)),
        Err(panic) => Err(panicked(panic.as_ref())),
    }
}

/// The exception of a panic.
pub fn panicked(panic: &(dyn std::any::Any + Send)) -> PyErr {
    let what = panic
        .downcast_ref::<String>()
        .map(String::as_str)
        .or_else(|| panic.downcast_ref::<&str>().copied())
        .unwrap_or("no message");
    PyRuntimeError::new_err(format!(
        "the native core panicked: {what}; this is a fault of Vigla, please report it"
    ))
}

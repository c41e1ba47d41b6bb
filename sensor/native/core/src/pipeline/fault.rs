//! Why a way through the core cannot be taken. Messages say what, where and what to do.

use std::fmt;

use crate::capture::CaptureError;
use crate::sigma::PackError;

/// A fault that ends a call. What is wrong inside an input is counted or a warning, never one of these.
#[derive(Debug)]
pub enum Fault {
    /// The settings say something that cannot be meant.
    Settings(String),
    /// The pack was refused.
    Pack(PackError),
    /// An input cannot be read.
    Input(String),
    /// The output cannot be written.
    Output(std::io::Error),
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings(what) => write!(f, "settings: {what}"),
            Self::Pack(error) => error.fmt(f),
            Self::Input(what) => f.write_str(what),
            Self::Output(error) => write!(f, "the output cannot be written: {error}"),
        }
    }
}

impl std::error::Error for Fault {}

impl From<PackError> for Fault {
    fn from(error: PackError) -> Self {
        Self::Pack(error)
    }
}

impl From<CaptureError> for Fault {
    fn from(error: CaptureError) -> Self {
        Self::Input(error.to_string())
    }
}

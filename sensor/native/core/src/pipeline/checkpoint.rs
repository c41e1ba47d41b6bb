//! A checkpoint: one instant of input offsets, ordinals and correlation state. Its bytes are kept by the caller in the same
//! transaction as the alerts before it, so that offsets never run ahead of what they led to.

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};

use crate::log::lines::Memory;
use crate::log::tail::Position;

const MAGIC: &[u8; 8] = b"VGLCKP1\n";

/// What is kept of one followed file.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct FileState {
    /// Where reading goes on.
    pub position: Option<Position>,
    /// The sender's clock and ordinals.
    pub memory: Memory,
}

/// One instant.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Checkpoint {
    /// By path as the settings write it.
    pub files: BTreeMap<String, FileState>,
    /// Ordinals of recent events.
    pub ordinals: Vec<u8>,
    /// State of the correlations.
    pub correlations: Vec<u8>,
    /// When interfaces were last watched, in nanoseconds: traffic cannot be read again, but its absence can be told.
    pub watched: Option<i64>,
}

impl Checkpoint {
    /// As bytes: a mark, then three or four parts, each with its length before it (64 bits, little endian).
    pub fn to_bytes(&self) -> Vec<u8> {
        // A map of texts and numbers is always JSON.
        let files = serde_json::to_vec(&self.files).unwrap_or_default();
        let watched = self.watched.map(i64::to_le_bytes);
        let mut out = Vec::with_capacity(32 + files.len() + self.ordinals.len() + self.correlations.len());
        out.extend_from_slice(MAGIC);
        let parts: [&[u8]; 3] = [&files, &self.ordinals, &self.correlations];
        for part in parts.into_iter().chain(watched.as_ref().map(<[u8; 8]>::as_slice)) {
            out.extend_from_slice(&(part.len() as u64).to_le_bytes());
            out.extend_from_slice(part);
        }
        out
    }

    /// Reads it back; `None` for what is no whole checkpoint of this version.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let mut rest = bytes.strip_prefix(MAGIC)?;
        let mut part = || -> Option<Vec<u8>> {
            let (length, after) = rest.split_first_chunk::<8>()?;
            let length = usize::try_from(u64::from_le_bytes(*length))
                .ok()
                .filter(|n| *n <= after.len())?;
            let (part, after) = after.split_at(length);
            rest = after;
            Some(part.to_vec())
        };
        let (files, ordinals, correlations) = (part()?, part()?, part()?);
        // A sensor without interfaces writes no fourth part.
        let watched = part().map(TryInto::try_into).transpose().ok()?;
        let files = serde_json::from_slice(&files).ok()?;
        rest.is_empty().then_some(Self {
            files,
            ordinals,
            correlations,
            watched: watched.map(i64::from_le_bytes),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn comes_back_whole_and_no_damage_is_believed() {
        let state = FileState {
            position: None,
            memory: Memory {
                last: Some(5),
                ..Memory::default()
            },
        };
        let checkpoint = Checkpoint {
            files: BTreeMap::from([("x.log".to_owned(), state)]),
            ordinals: vec![1, 2, 3],
            correlations: vec![4; 100],
            watched: None,
        };
        let watched = Checkpoint {
            watched: Some(1_700_000_000_000_000_007),
            ..checkpoint.clone()
        };
        let bytes = checkpoint.to_bytes();
        let longer = watched.to_bytes();
        assert_eq!(Checkpoint::read(&bytes), Some(checkpoint));
        assert_eq!(Checkpoint::read(&longer), Some(watched));
        for cut in (0..longer.len()).filter(|cut| *cut != bytes.len()) {
            assert_eq!(Checkpoint::read(&longer[..cut]), None, "cut at {cut}");
        }
        assert_eq!(Checkpoint::read(&[bytes.as_slice(), b"x"].concat()), None);
        let mut huge = bytes;
        huge[8..16].copy_from_slice(&u64::MAX.to_le_bytes());
        assert_eq!(Checkpoint::read(&huge), None);
    }
}

//! Follows a growing file: over rotation (finish the old, then the new), truncation, and a stop of our own. The clock is the
//! caller's, so that tests need not wait.

use std::fs::{self, File};
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::{FileExt, MetadataExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::frame::{Framer, Line};

/// Bytes from a file's start whose hash tells it from another with its inode.
const HEAD: usize = 1024;
/// How long an unfinished last line waits for its end.
const PARTIAL: Duration = Duration::from_secs(5);
/// How long a renamed file is still read: its writer learns of the new one late.
const GRACE: Duration = Duration::from_secs(2);
const BLOCK: usize = 64 * 1024;

/// Which file it is, whatever its name.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Identity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
    /// Length of the hashed head, at most 1 KiB.
    pub head: usize,
    /// SHA-256 of the head, in hex.
    pub hash: String,
}

impl Identity {
    fn of(file: &File, head: usize) -> io::Result<Self> {
        let meta = file.metadata()?;
        let mut bytes = vec![0; head.min(HEAD)];
        let mut have = 0;
        while have < bytes.len() {
            match file.read_at(&mut bytes[have..], have as u64) {
                Ok(0) => break,
                Ok(n) => have += n,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        let hash = crate::sigma::pack::hex(&Sha256::digest(&bytes[..have]));
        Ok(Self {
            device: meta.dev(),
            inode: meta.ino(),
            head: have,
            hash,
        })
    }

    fn is(&self, file: &File) -> io::Result<bool> {
        Ok(Self::of(file, self.head)? == *self)
    }
}

/// Where reading goes on after a restart.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct Position {
    /// The file.
    pub identity: Identity,
    /// Up to here every line was given out.
    pub offset: u64,
}

/// Counters of a tail.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Counts {
    /// Bytes read.
    pub bytes: u64,
    /// Times that a new file took the old one's name.
    pub rotated: u64,
    /// Times that the file was cut and read from its start.
    pub truncated: u64,
    /// Unfinished last lines given out after their wait.
    pub partial: u64,
    /// Old files of a checkpoint that were not found again: what was left in them is lost.
    pub lost: u64,
    /// Lines beyond the limit.
    pub too_long: u64,
    /// Empty lines.
    pub empty: u64,
    /// Reads and opens that failed, absence apart.
    pub errors: u64,
}

struct Open {
    file: File,
    identity: Identity,
    framer: Framer,
    read: u64,
    /// When the last byte came.
    fresh: Duration,
    /// Since when another file has the name.
    renamed: Option<Duration>,
    /// The end was reached: the head is looked at again before more is read.
    idle: bool,
}

impl Open {
    fn at(file: File, offset: u64, now: Duration) -> io::Result<Self> {
        let identity = Identity::of(&file, HEAD)?;
        let mut open = Self {
            file,
            identity,
            framer: Framer::at(offset),
            read: offset,
            fresh: now,
            renamed: None,
            idle: false,
        };
        open.file.seek(SeekFrom::Start(offset))?;
        Ok(open)
    }
}

/// Follows one path.
pub struct Tail {
    path: PathBuf,
    open: Option<Open>,
    from: Option<Position>,
    /// What happened.
    pub counts: Counts,
    block: Vec<u8>,
}

impl Tail {
    /// Follows `path` from its start, or from where `from` says.
    pub fn new(path: PathBuf, from: Option<Position>) -> Self {
        Self {
            path,
            open: None,
            from,
            counts: Counts::default(),
            block: vec![0; BLOCK],
        }
    }

    /// Whether there is a file to read.
    pub fn present(&self) -> bool {
        self.open.is_some()
    }

    /// Where reading would go on.
    pub fn position(&self) -> Option<Position> {
        match &self.open {
            Some(open) => Some(Position {
                identity: open.identity.clone(),
                offset: open.framer.settled(),
            }),
            None => self.from.clone(),
        }
    }

    /// Reads at most about `budget` bytes and gives out the lines in them; false when there was nothing. `now` is any clock
    /// that only goes forward. A fault of the file is counted and tried again at the next call.
    pub fn poll(&mut self, now: Duration, budget: usize, each: &mut dyn FnMut(Line<'_>)) -> bool {
        match self.step(now, budget, each) {
            Ok(some) => some,
            Err(error) => {
                if error.kind() != io::ErrorKind::NotFound {
                    self.counts.errors += 1;
                }
                false
            }
        }
    }

    fn step(&mut self, now: Duration, budget: usize, each: &mut dyn FnMut(Line<'_>)) -> io::Result<bool> {
        if self.open.is_none() {
            self.open = Some(self.reopen(now)?);
        }
        let Some(open) = self.open.as_mut() else {
            return Ok(false);
        };
        let length = open.file.metadata()?.len();
        let changed = open.idle && length > open.read && !open.identity.is(&open.file)?;
        if length < open.read || changed {
            self.counts.truncated += 1;
            let file = open.file.try_clone()?;
            self.retire();
            self.open = Some(Open::at(file, 0, now)?);
            return Ok(true);
        }
        let mut got = 0;
        while got < budget {
            match open.file.read(&mut self.block) {
                Ok(0) => break,
                Ok(n) => {
                    got += n;
                    open.read += n as u64;
                    open.framer.push(&self.block[..n], each);
                }
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        self.counts.bytes += got as u64;
        if got > 0 {
            open.fresh = now;
            if open.identity.head < HEAD {
                open.identity = Identity::of(&open.file, HEAD)?;
            }
        }
        open.idle = got < budget;
        let next = open.idle && self.at_end(now, each)?;
        Ok(got > 0 || next)
    }

    /// Nothing more to read for now: a line without end, or another file under our name. True when the next file was opened.
    fn at_end(&mut self, now: Duration, each: &mut dyn FnMut(Line<'_>)) -> io::Result<bool> {
        let Some(open) = self.open.as_mut() else {
            return Ok(false);
        };
        if open.framer.partial() && now.saturating_sub(open.fresh) >= PARTIAL {
            self.counts.partial += 1;
            open.framer.finish(each);
        }
        let ours = |meta: &fs::Metadata| meta.dev() == open.identity.device && meta.ino() == open.identity.inode;
        match fs::metadata(&self.path) {
            Ok(meta) if ours(&meta) => open.renamed = None,
            // No new file yet: the old one is still the log.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => return Err(error),
            Ok(_) => {
                let since = *open.renamed.get_or_insert(now);
                if now.saturating_sub(since.max(open.fresh)) >= GRACE {
                    open.framer.finish(each);
                    self.counts.rotated += 1;
                    self.retire();
                    self.from = None;
                    self.open = Some(self.reopen(now)?);
                    return Ok(true);
                }
            }
        }
        Ok(false)
    }

    fn retire(&mut self) {
        if let Some(open) = self.open.take() {
            self.counts.too_long += open.framer.too_long;
            self.counts.empty += open.framer.empty;
        }
    }

    /// The file under our path, or the renamed one that a checkpoint was taken in.
    fn reopen(&mut self, now: Duration) -> io::Result<Open> {
        let Some(from) = self.from.clone() else {
            return Open::at(File::open(&self.path)?, 0, now);
        };
        match File::open(&self.path) {
            Ok(file) if from.identity.is(&file)? && file.metadata()?.len() >= from.offset => {
                self.from = None;
                return Open::at(file, from.offset, now);
            }
            Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
            _ => {}
        }
        if let Some(old) = self.renamed(&from.identity)? {
            self.from = None;
            return Open::at(old, from.offset, now);
        }
        let file = File::open(&self.path)?;
        let same = Identity::of(&file, 0)?;
        if same.inode == from.identity.inode && same.device == from.identity.device {
            self.counts.truncated += 1;
        } else {
            self.counts.lost += 1;
        }
        self.from = None;
        Open::at(file, 0, now)
    }

    /// The file of a checkpoint under another name in the same folder.
    fn renamed(&self, identity: &Identity) -> io::Result<Option<File>> {
        let folder = self
            .path
            .parent()
            .filter(|folder| !folder.as_os_str().is_empty())
            .unwrap_or(Path::new("."));
        for entry in fs::read_dir(folder)? {
            let entry = entry?;
            if entry.file_type()?.is_file()
                && entry.path() != self.path
                && let Ok(meta) = entry.metadata()
                && (meta.dev(), meta.ino()) == (identity.device, identity.inode)
            {
                let file = File::open(entry.path())?;
                if identity.is(&file)? {
                    return Ok(Some(file));
                }
            }
        }
        Ok(None)
    }

    /// Counters, those of the open file included.
    pub fn counted(&self) -> Counts {
        let mut counts = self.counts;
        if let Some(open) = &self.open {
            counts.too_long += open.framer.too_long;
            counts.empty += open.framer.empty;
        }
        counts
    }
}

#[cfg(test)]
mod tests;

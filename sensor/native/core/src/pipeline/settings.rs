//! Settings of the core as JSON: strict, every key with a default. What they name is checked where they are read.

use std::collections::BTreeMap;
use std::fs;
use std::path::Path;
use std::sync::Arc;

use jiff::tz::TimeZone;
use serde::Deserialize;

use super::Fault;
use crate::capture::live::{Program, Watched};
use crate::correlate;
use crate::event::{LogSource, Time};
use crate::flow;
use crate::log::lines::{Profile, Sender};
use crate::log::source::Sources;
use crate::log::text::Charset;
use crate::log::time::{Clock, Reference};
use crate::sigma;
use crate::sigma::network::Network;
use crate::strict;

/// More would leave each with too little of the memory.
const MOST_WORKERS: usize = 16;
/// Rings are memory that nothing else can have.
const MOST_RING_MB: usize = 1024;

/// Everything that a sensor says about itself.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Settings {
    /// The sensor's id; part of every event id.
    pub sensor: String,
    /// The site's own networks; empty means the private ones.
    pub local_networks: Vec<String>,
    /// Values of the pack's lists.
    pub lists: BTreeMap<String, Vec<String>>,
    /// Log source of JSON lines; with it, files that are no captures are JSON lines.
    pub logsource: Option<LogSourceText>,
    /// Zone of times that say none.
    pub zone: String,
    /// Log files: followed live; offline, what is known of a path that is replayed.
    pub files: Vec<FileSettings>,
    /// Interfaces to watch live.
    pub interfaces: Vec<InterfaceSettings>,
    /// Threads that decode live traffic; 0 means one less than the machine has cores.
    pub workers: usize,
    /// Memory.
    pub limits: Limits,
    /// How late a live event may be.
    pub lateness_ms: u32,
}

/// A log source in text.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct LogSourceText {
    /// For instance `windows`.
    pub product: Option<String>,
    /// For instance `process_creation`.
    pub category: Option<String>,
    /// For instance `security`.
    pub service: Option<String>,
}

impl From<LogSourceText> for LogSource {
    fn from(text: LogSourceText) -> Self {
        Self {
            product: text.product.map(Into::into),
            category: text.category.map(Into::into),
            service: text.service.map(Into::into),
        }
    }
}

/// One log file.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct FileSettings {
    /// Its path.
    pub path: String,
    /// The only definition that its lines are asked of.
    pub source: Option<String>,
    /// The device's name; the file's name by default.
    pub device: Option<String>,
    /// Zone of its times.
    pub zone: Option<String>,
    /// Year of its first line.
    pub year: Option<i16>,
    /// Its character set beside UTF-8.
    pub charset: Option<String>,
}

/// One interface.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct InterfaceSettings {
    /// Its name, as `ip link` prints it.
    pub name: String,
    /// Whether to see what is not sent to this machine, as a mirror port's frames are.
    #[serde(default = "promiscuous")]
    pub promiscuous: bool,
    /// MiB of its rings, all workers together.
    #[serde(default = "ring_mb")]
    pub ring_mb: usize,
    /// Bytes taken of each frame; 0 is all.
    #[serde(default)]
    pub snaplen: u32,
    /// A classic BPF program, as `tcpdump -ddd` prints it; empty is none.
    #[serde(default)]
    pub filter: String,
}

const fn promiscuous() -> bool {
    true
}

const fn ring_mb() -> usize {
    16
}

/// Caps of what traffic can grow.
#[derive(Debug, Clone, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Limits {
    /// Connections kept.
    pub flows: usize,
    /// Bytes of all correlations' state.
    pub correlation_bytes: usize,
}

impl Default for Limits {
    fn default() -> Self {
        Self {
            flows: flow::Config::default().flows,
            correlation_bytes: correlate::Settings::LIVE.bytes,
        }
    }
}

impl Default for Settings {
    fn default() -> Self {
        Self {
            sensor: "sensor".to_owned(),
            local_networks: Vec::new(),
            lists: BTreeMap::new(),
            logsource: None,
            zone: "Europe/Athens".to_owned(),
            files: Vec::new(),
            interfaces: Vec::new(),
            workers: 0,
            limits: Limits::default(),
            lateness_ms: 60_000,
        }
    }
}

impl Settings {
    /// Reads and checks settings.
    ///
    /// # Errors
    /// [`Fault::Settings`] with the key, and the nearest known one for an unknown key.
    pub fn read(bytes: &[u8]) -> Result<Self, Fault> {
        let settings: Self = strict::from_slice(bytes).map_err(Fault::Settings)?;
        settings.networks()?;
        zone("zone", &settings.zone)?;
        for (index, file) in settings.files.iter().enumerate() {
            let key = |name: &str| format!("files[{index}].{name}");
            if file.path.is_empty() {
                return Err(Fault::Settings(format!("{}: is empty", key("path"))));
            }
            if let Some(name) = &file.zone {
                zone(&key("zone"), name)?;
            }
            if let Some(label) = &file.charset {
                charset(&key("charset"), label)?;
            }
            if file.year.is_some_and(|year| !(1970..=2200).contains(&year)) {
                return Err(Fault::Settings(format!(
                    "{}: must be between 1970 and 2200",
                    key("year")
                )));
            }
        }
        settings.watched()?;
        if settings.workers > MOST_WORKERS {
            return Err(Fault::Settings(format!("workers: must be at most {MOST_WORKERS}")));
        }
        for (name, value, least) in [
            ("limits.flows", settings.limits.flows, 1),
            ("limits.correlation_bytes", settings.limits.correlation_bytes, 1 << 16),
        ] {
            if value < least {
                return Err(Fault::Settings(format!("{name}: must be at least {least}")));
            }
        }
        Ok(settings)
    }

    /// How many threads decode live traffic.
    pub fn workers(&self) -> usize {
        if self.workers > 0 {
            return self.workers;
        }
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        cores.saturating_sub(1).clamp(1, MOST_WORKERS)
    }

    /// The interfaces, checked.
    ///
    /// # Errors
    /// [`Fault::Settings`] with the key of the first mistake.
    pub fn watched(&self) -> Result<Vec<Watched>, Fault> {
        let mut found: Vec<Watched> = Vec::with_capacity(self.interfaces.len());
        for (index, interface) in self.interfaces.iter().enumerate() {
            let wrong = |key: &str, what: &str| Err(Fault::Settings(format!("interfaces[{index}].{key}: {what}")));
            let name = &interface.name;
            if name.is_empty() || name.len() > 15 || name.contains(|c: char| c == '/' || c.is_whitespace()) {
                return wrong(
                    "name",
                    &format!("'{name}' is no name of an interface; `ip -br link` lists them"),
                );
            }
            if found.iter().any(|known| known.name == *name) {
                return wrong("name", &format!("'{name}' stands there twice"));
            }
            if !(1..=MOST_RING_MB).contains(&interface.ring_mb) {
                return wrong("ring_mb", &format!("must be between 1 and {MOST_RING_MB}"));
            }
            if interface.snaplen != 0 && !(64..=262_144).contains(&interface.snaplen) {
                return wrong("snaplen", "must be 0 (whole frames) or between 64 and 262144");
            }
            let mut filter = None;
            if !interface.filter.trim().is_empty() {
                match Program::parse(&interface.filter) {
                    Ok(program) => filter = Some(program),
                    Err(what) => return wrong("filter", &what),
                }
            }
            if interface.snaplen != 0 {
                filter = Some(match filter {
                    Some(program) => program.cut(interface.snaplen),
                    None => Program::first(interface.snaplen),
                });
            }
            found.push(Watched {
                name: name.clone(),
                ring_bytes: interface.ring_mb << 20,
                promiscuous: interface.promiscuous,
                filter,
            });
        }
        Ok(found)
    }

    /// The site's networks, for connections.
    ///
    /// # Errors
    /// [`Fault::Settings`] naming the entry that is no network.
    pub fn networks(&self) -> Result<flow::Networks, Fault> {
        if self.local_networks.is_empty() {
            return Ok(flow::Networks::default());
        }
        flow::Networks::parse(self.local_networks.iter().map(String::as_str))
            .map_err(|what| Fault::Settings(format!("local_networks: {what}")))
    }

    /// What the engine needs.
    ///
    /// # Errors
    /// [`Fault::Settings`] naming the entry that is no network.
    pub fn engine(&self) -> Result<sigma::Settings, Fault> {
        let texts: Vec<&str> = if self.local_networks.is_empty() {
            flow::PRIVATE.to_vec()
        } else {
            self.local_networks.iter().map(String::as_str).collect()
        };
        let networks = texts.into_iter().map(Network::parse).collect::<Result<_, _>>();
        Ok(sigma::Settings {
            sensor: self.sensor.clone(),
            lists: self.lists.clone(),
            local_networks: networks.map_err(|what| Fault::Settings(format!("local_networks: {what}")))?,
        })
    }

    /// Limits of the flow table.
    pub fn flows(&self) -> flow::Config {
        flow::Config {
            flows: self.limits.flows,
            ..flow::Config::default()
        }
    }

    /// Limits of the correlations.
    pub fn correlations(&self, live: bool) -> correlate::Settings {
        let bytes = self.limits.correlation_bytes;
        if live {
            correlate::Settings {
                bytes,
                lateness: i64::from(self.lateness_ms) * 1_000_000,
                ..correlate::Settings::LIVE
            }
        } else {
            correlate::Settings {
                bytes,
                ..correlate::Settings::REPLAY
            }
        }
    }

    /// What is known of the file at `path`, if the settings have it.
    pub fn file(&self, path: &Path) -> Option<&FileSettings> {
        let whole = |path: &Path| fs::canonicalize(path).ok();
        self.files
            .iter()
            .find(|file| Path::new(&file.path) == path)
            .or_else(|| {
                let wanted = whole(path)?;
                self.files
                    .iter()
                    .find(|file| whole(Path::new(&file.path)).as_ref() == Some(&wanted))
            })
    }

    /// The place of the definition that a file is pinned to.
    ///
    /// # Errors
    /// [`Fault::Settings`] with the nearest definition when the pack has none of that id.
    pub fn pinned(file: Option<&FileSettings>, sources: &Sources) -> Result<Option<usize>, Fault> {
        let Some(id) = file.and_then(|file| file.source.as_deref()) else {
            return Ok(None);
        };
        sources.place(id).map(Some).ok_or_else(|| {
            let what = strict::refusal("files", "source", id, &sources.ids());
            Fault::Settings(format!("{what} (the pack's definitions are meant)"))
        })
    }

    /// The sender of the lines of the file at `path`, which was last written at `written`.
    ///
    /// # Errors
    /// As [`Settings::pinned`].
    pub fn sender(&self, path: &Path, written: Time, sources: &Arc<Sources>) -> Result<Sender, Fault> {
        let file = self.file(path);
        let name = path.file_name().map_or_else(
            || path.display().to_string(),
            |name| name.to_string_lossy().into_owned(),
        );
        let profile = Profile {
            device: Arc::from(file.and_then(|file| file.device.as_deref()).unwrap_or(&name)),
            pinned: Self::pinned(file, sources)?,
            charset: match file.and_then(|file| file.charset.as_deref()) {
                Some(label) => charset("charset", label)?,
                None => Charset::default(),
            },
            file: Some(name.clone()),
        };
        let zone = zone("zone", file.and_then(|file| file.zone.as_deref()).unwrap_or(&self.zone))?;
        let year = file.and_then(|file| file.year).or_else(|| year_in(&name));
        let reference = year.map_or(Reference::Before(written), Reference::Year);
        Ok(Sender::new(Arc::clone(sources), profile, Clock::new(zone, reference)))
    }
}

fn zone(key: &str, name: &str) -> Result<TimeZone, Fault> {
    TimeZone::get(name).map_err(|_| {
        Fault::Settings(format!(
            "{key}: '{name}' is no time zone; write one of the IANA names, as Europe/Athens"
        ))
    })
}

fn charset(key: &str, label: &str) -> Result<Charset, Fault> {
    Charset::named(label).ok_or_else(|| {
        Fault::Settings(format!(
            "{key}: '{label}' is no character set; write for instance windows-1253 or iso-8859-7"
        ))
    })
}

/// The year of a date in a file's name: `access-20260301.log`, `fw_2026-03-01.txt`.
fn year_in(name: &str) -> Option<i16> {
    let bytes = name.as_bytes();
    (0..bytes.len()).find_map(|at| {
        if at > 0 && bytes[at - 1].is_ascii_digit() {
            return None;
        }
        let digits = |from: usize, count: usize| -> Option<u16> {
            let text = name.get(from..from + count)?;
            text.bytes().all(|b| b.is_ascii_digit()).then(|| text.parse().ok())?
        };
        let year = digits(at, 4).filter(|year| (1990..2100).contains(year))?;
        let dash = usize::from(bytes.get(at + 4) == Some(&b'-'));
        let month = digits(at + 4 + dash, 2).filter(|month| (1..=12).contains(month));
        let day_at = at + 6 + 2 * dash;
        let day = digits(day_at, 2).filter(|day| (1..=31).contains(day));
        let ends = !bytes.get(day_at + 2).is_some_and(u8::is_ascii_digit);
        (month.is_some() && day.is_some() && ends).then_some(year.cast_signed())
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        Settings::read(text.as_bytes()).unwrap_err().to_string()
    }

    #[test]
    fn nothing_said_is_the_default() {
        let settings = Settings::read(b"{}").unwrap();
        assert_eq!(
            (settings.limits.flows, settings.limits.correlation_bytes),
            (200_000, 48 << 20)
        );
        assert_eq!(settings.correlations(true).lateness, 60_000_000_000);
        assert!(settings.networks().unwrap().contains("10.1.2.3".parse().unwrap()));
        assert!(
            settings
                .engine()
                .unwrap()
                .local_networks
                .iter()
                .any(|n| n.contains("10.1.2.3".parse().unwrap()))
        );
    }

    #[test]
    fn mistakes_are_named_with_their_key() {
        for (text, why) in [
            (
                r#"{"sensro": "x"}"#,
                "settings: sensro: unknown key 'sensro'; did you mean 'sensor'?",
            ),
            (
                r#"{"files": [{"path": "x", "zoen": "UTC"}]}"#,
                "files[0].zoen: unknown key 'zoen'; did you mean 'zone'?",
            ),
            (
                r#"{"files": [{"path": "x", "zone": "Europe/Atens"}]}"#,
                "files[0].zone: 'Europe/Atens' is no time zone",
            ),
            (r#"{"files": [{"path": "x", "charset": "greek?"}]}"#, "files[0].charset"),
            (r#"{"files": [{"path": "x", "year": 26}]}"#, "files[0].year"),
            (r#"{"local_networks": ["10.0.0.0/40"]}"#, "local_networks"),
            (r#"{"limits": {"flows": 0}}"#, "limits.flows: must be at least 1"),
            (r#"{"limits": {"folws": 1}}"#, "did you mean 'flows'"),
            (
                r#"{"interfaces": [{"name": "eth1", "filtr": ""}]}"#,
                "did you mean 'filter'",
            ),
            (r#"{"interfaces": [{}]}"#, "name"),
            (
                r#"{"interfaces": [{"name": "a b"}]}"#,
                "interfaces[0].name: 'a b' is no name",
            ),
            (
                r#"{"interfaces": [{"name": "eth1"}, {"name": "eth1"}]}"#,
                "interfaces[1].name: 'eth1' stands there twice",
            ),
            (
                r#"{"interfaces": [{"name": "eth1", "ring_mb": 0}]}"#,
                "interfaces[0].ring_mb",
            ),
            (
                r#"{"interfaces": [{"name": "eth1", "snaplen": 10}]}"#,
                "interfaces[0].snaplen",
            ),
            (
                r#"{"interfaces": [{"name": "eth1", "filter": "not port 443"}]}"#,
                "interfaces[0].filter: 'not' is no number",
            ),
            (r#"{"workers": 99}"#, "workers: must be at most 16"),
            ("[]", "settings: "),
        ] {
            assert!(refused(text).contains(why), "{}", refused(text));
        }
    }

    #[test]
    fn a_date_in_the_name_says_the_year() {
        for (name, year) in [
            ("access-20260301.log", Some(2026)),
            ("fw_2025-12-31.txt", Some(2025)),
            ("access.log.1", None),
            ("x20261301.log", None),
            ("x202603011.log", None),
            ("2026.log", None),
        ] {
            assert_eq!(year_in(name), year, "{name}");
        }
    }
}

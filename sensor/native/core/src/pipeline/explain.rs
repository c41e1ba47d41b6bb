//! Answers for people: why a rule matches an event, which definition took each line, what a pack holds.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Fault;
use super::input::{raw_objects, read_lines};
use super::settings::{LogSourceText, Settings};
use crate::capture::live;
use crate::event::LogSource;
use crate::json;
use crate::log::lines::Verdict;
use crate::log::source::Sources;
use crate::sigma::model::Metadata;
use crate::sigma::{Pack, explain as tree, jsonl};
use crate::stats::Tally;
use crate::strict;

/// A log source written as JSON.
///
/// # Errors
/// [`Fault::Settings`] naming an unknown key.
pub fn logsource(bytes: &[u8]) -> Result<LogSource, Fault> {
    strict::from_slice::<LogSourceText>(bytes)
        .map(Into::into)
        .map_err(|what| Fault::Settings(format!("logsource: {what}")))
}

/// Why the rule (an id, name or title) did or did not match `event`, a JSON tree. The event is a hit, a printed event or
/// fields alone; of several in a row the `number`th (from 1). The settings' log source, where they name one, is the event's.
///
/// # Errors
/// [`Fault::Settings`] for an unknown rule, naming the nearest; [`Fault::Input`] for what is no event.
pub fn rule(pack: &Pack, wanted: &str, event: &[u8], number: usize, settings: &[u8]) -> Result<String, Fault> {
    let program = &pack.program;
    let rule = program.find(wanted).ok_or_else(|| unknown(pack, wanted))?;
    let settings = Settings::read(settings)?;
    let mut objects = raw_objects(event).map_err(Fault::Input)?;
    let there = objects.len();
    if there == 0 || number == 0 || number > there {
        return Err(Fault::Input(format!(
            "there is no event {number}: the input holds {there}"
        )));
    }
    let raw = objects.swap_remove(number - 1);
    let (source, fields) = event_of(pack, raw, &program.rules[rule as usize].logsource);
    let source = settings.logsource.clone().map_or(source, LogSource::from);
    let event = jsonl::Reader::new(source)
        .event(&fields)
        .map_err(|error| Fault::Input(format!("the event cannot be read: {error}")))?;
    let engine = settings.engine()?;
    let lists = program.lists.filled(&engine.lists);
    let mut tree = tree::explain(program, &lists, &engine.local_networks, rule, &event);
    tree["event"] = json!({"number": number, "of": there});
    Ok(tree.to_string())
}

/// The refusal of a rule that the pack has not, or that reads no events.
fn unknown(pack: &Pack, wanted: &str) -> Fault {
    let program = &pack.program;
    let is = |metadata: &Metadata| {
        metadata.id == wanted || metadata.title == wanted || metadata.name.as_deref() == Some(wanted)
    };
    if let Some(found) = program.correlations.iter().find(|c| is(&c.metadata)) {
        return Fault::Settings(format!(
            "'{wanted}' is a correlation: it counts hits of rules and reads no event; explain one of {}",
            found.rules.join(", ")
        ));
    }
    let known: Vec<&str> = program
        .rules
        .iter()
        .flat_map(|rule| {
            let metadata = &rule.metadata;
            [
                Some(metadata.id.as_str()),
                Some(metadata.title.as_str()),
                metadata.name.as_deref(),
            ]
        })
        .flatten()
        .collect();
    Fault::Settings(match strict::nearest(wanted, &known) {
        Some(near) => format!("the pack has no rule '{wanted}'; did you mean '{near}'?"),
        None => format!(
            "the pack has no rule '{wanted}' (an id, name or title of its {} rules)",
            program.rules.len()
        ),
    })
}

/// The log source and fields (JSON) of a hit (`logsource`, `event`), of a printed traffic event (`_path`), or of fields alone,
/// which are taken to be of the rule's own log source.
fn event_of(pack: &Pack, raw: Vec<u8>, of_rule: &LogSource) -> (LogSource, Vec<u8>) {
    // What only the reader of events takes (it knows other limits) is no hit and no printed event.
    let document: Map<String, Value> = serde_json::from_slice(&raw).unwrap_or_default();
    let named = |value: &Value| serde_json::from_value::<LogSourceText>(value.clone()).map(LogSource::from);
    if let (Some(fields @ Value::Object(_)), Some(Ok(source))) =
        (document.get("event"), document.get("logsource").map(named))
    {
        return (source, fields.to_string().into_bytes());
    }
    let definitions: Value = serde_json::from_slice(&pack.sources).unwrap_or_default();
    let is_definition = |path: &str| {
        path == "json"
            || definitions["sources"]
                .as_array()
                .is_some_and(|list| list.iter().any(|source| source["id"] == path))
    };
    let source = match document.get("_path").and_then(Value::as_str) {
        Some(path) if path.starts_with("behaviour_") => LogSource {
            product: Some("vigla".into()),
            category: Some("behaviour".into()),
            service: Some(path.trim_start_matches("behaviour_").to_owned().into()),
        },
        Some(path) if !is_definition(path) => LogSource {
            product: Some("zeek".into()),
            category: None,
            service: Some(path.to_owned().into()),
        },
        _ => of_rule.clone(),
    };
    (source, raw)
}

/// Writes for each line of the file which definition took it and what it made of it.
///
/// # Errors
/// [`Fault`]: the file cannot be read, or the output cannot be written.
pub fn lines(path: &Path, settings: &Settings, sources: &Arc<Sources>, out: &mut dyn Write) -> Result<Tally, Fault> {
    let mut tally = Tally::default();
    let (mut text, mut number, mut failed) = (Vec::new(), 0_u64, None);
    let sender = read_lines(path, settings, sources, &mut |sender, line| {
        number += 1;
        let mut event = None;
        let verdict = sender.line(line, &mut |made| event = Some(made));
        let (outcome, source) = match &verdict {
            Verdict::Mapped(id) => ("mapped", Some(id)),
            Verdict::Skipped(id) => ("skipped", Some(id)),
            Verdict::Unparsed(id) => ("unparsed", Some(id)),
            Verdict::Unmatched => ("unmatched", None),
        };
        text.clear();
        text.extend_from_slice(format!("{{\"line\":{number},\"outcome\":\"{outcome}\",\"source\":").as_bytes());
        match source {
            Some(id) => json::text(&mut text, id.as_ref()),
            None => text.extend_from_slice(b"null"),
        }
        if let Some(event) = &event {
            text.extend_from_slice(b",\"event\":");
            json::event(&mut text, event);
        }
        text.extend_from_slice(b"}\n");
        if failed.is_none() {
            failed = out.write_all(&text).err();
        }
    })?;
    if let Some(error) = failed {
        return Err(Fault::Output(error));
    }
    out.flush().map_err(Fault::Output)?;
    sender.report(&mut tally);
    Ok(tally)
}

/// What a verified pack holds: `{"manifest", "sha256", "ecs", "sources", "rules", "correlations"}`, rules by their metadata.
///
/// # Errors
/// [`Fault::Pack`] when a member that is not read here is no JSON.
pub fn pack(pack: &Pack) -> Result<Vec<u8>, Fault> {
    let member = |name: &str, bytes: &[u8]| -> Result<Value, Fault> {
        serde_json::from_slice(bytes).map_err(|error| {
            crate::sigma::PackError {
                member: name.to_owned(),
                reason: error.to_string(),
            }
            .into()
        })
    };
    let program = &pack.program;
    let part = |part: &Option<std::borrow::Cow<'static, str>>| part.as_deref().map(str::to_owned);
    let rules: Vec<Value> = program
        .rules
        .iter()
        .map(|rule| {
            let source = &rule.logsource;
            json!({
                "metadata": rule.metadata, "alert": rule.alert, "lists": rule.lists,
                "logsource": {"product": part(&source.product), "category": part(&source.category), "service": part(&source.service)},
            })
        })
        .collect();
    let correlations: Vec<Value> = program
        .correlations
        .iter()
        .map(|c| json!({"metadata": c.metadata, "alert": c.alert, "type": c.kind.word(), "rules": c.rules}))
        .collect();
    let sources = crate::log::definition::read(&pack.sources).map_err(|reason| crate::sigma::PackError {
        member: "sources.json".to_owned(),
        reason,
    })?;
    let document = json!({
        "manifest": pack.manifest, "sha256": pack.sha256, "ecs": member("ecs.json", &pack.ecs)?,
        "sources": sources.ids(), "rules": rules, "correlations": correlations,
    });
    Ok(document.to_string().into_bytes())
}

/// What would keep each configured interface from being watched: a JSON list of `{"interface", "level", "problem"}`. `fault`
/// keeps a sensor from starting, `warning` leaves it without that interface for now.
///
/// # Errors
/// [`Fault::Settings`].
pub fn interfaces(settings: &Settings) -> Result<Vec<u8>, Fault> {
    let mut findings = Vec::new();
    for watched in settings.watched()? {
        let (level, problem) = match live::probe(&watched) {
            Ok(link) if link.up => continue,
            Ok(_) => (
                "warning",
                format!(
                    "{}: is down or has no carrier; `ip link set {} up`, and see to the cable",
                    watched.name, watched.name
                ),
            ),
            Err(error @ live::PortError::Absent(_)) => ("warning", error.to_string()),
            Err(error) => ("fault", error.to_string()),
        };
        findings.push(json!({"interface": watched.name, "level": level, "problem": problem}));
    }
    Ok(Value::from(findings).to_string().into_bytes())
}

/// Every field of the events that the core decodes or derives itself: JSON.
pub fn fields() -> Vec<u8> {
    let zeek: serde_json::Map<_, _> = crate::proto::kinds()
        .iter()
        .map(|kind| (kind.path.to_owned(), kind.names.into()))
        .collect();
    let behaviour: serde_json::Map<_, _> = crate::behaviour::EVENTS
        .iter()
        .map(|(service, names)| ((*service).to_owned(), (*names).into()))
        .collect();
    let sensor = json!({"sensor": super::live::STATS_FIELDS});
    serde_json::json!({"common": crate::event::COMMON, "zeek": zeek, "behaviour": behaviour, "vigla": sensor})
        .to_string()
        .into_bytes()
}

//! Answers for people: why a rule matches an event, which definition took each line, what a pack holds.

use std::io::Write;
use std::path::Path;
use std::sync::Arc;

use serde_json::{Map, Value, json};

use super::Fault;
use super::input::read_lines;
use super::settings::{LogSourceText, Settings};
use crate::event::LogSource;
use crate::json;
use crate::log::lines::Verdict;
use crate::log::source::Sources;
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

/// Why the rule (an id, name or title) did or did not match `event`, a printed event or a hit: a JSON tree.
///
/// # Errors
/// [`Fault::Settings`] for an unknown rule, [`Fault::Input`] for what is no event.
pub fn rule(pack: &Pack, wanted: &str, event: &[u8], settings: &[u8]) -> Result<String, Fault> {
    let program = &pack.program;
    let Some(rule) = program.find(wanted) else {
        let names: Vec<&str> = program
            .rules
            .iter()
            .filter_map(|rule| rule.metadata.more.get("name").and_then(Value::as_str))
            .collect();
        return Err(Fault::Settings(match strict::nearest(wanted, &names) {
            Some(name) => format!("the pack has no rule '{wanted}'; did you mean '{name}'?"),
            None => format!("the pack has no rule '{wanted}' (an id, name or title of a rule that reads events)"),
        }));
    };
    let document: Map<String, Value> = serde_json::from_slice(event)
        .map_err(|error| Fault::Input(format!("the event is no JSON object ({error})")))?;
    let (source, fields) = event_of(pack, &document, &program.rules[rule as usize].logsource);
    let text = Value::Object(fields).to_string();
    let event = jsonl::Reader::new(source)
        .event(text.as_bytes())
        .map_err(|error| Fault::Input(format!("the event cannot be read: {error}")))?;
    let engine = Settings::read(settings)?.engine()?;
    let lists = program.lists.filled(&engine.lists);
    Ok(tree::explain(program, &lists, &engine.local_networks, rule, &event).to_string())
}

/// The log source and fields of a hit (`logsource`, `event`), of a printed traffic event (`_path`), or of fields alone, which
/// are taken to be of the rule's own log source.
fn event_of(pack: &Pack, document: &Map<String, Value>, of_rule: &LogSource) -> (LogSource, Map<String, Value>) {
    let named = |value: &Value| serde_json::from_value::<LogSourceText>(value.clone()).map(LogSource::from);
    if let (Some(Value::Object(fields)), Some(Ok(source))) =
        (document.get("event"), document.get("logsource").map(named))
    {
        return (source, fields.clone());
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
    (source, document.clone())
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
    serde_json::json!({"common": crate::event::COMMON, "zeek": zeek, "behaviour": behaviour})
        .to_string()
        .into_bytes()
}

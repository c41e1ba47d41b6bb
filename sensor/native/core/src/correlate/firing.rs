//! From a window whose condition is met to the hit that says so.

use super::definition::Definition;
use super::entry::{Last, Reading};
use super::store::{Key, Quiet};
use crate::event::Time;
use crate::sigma::{Correlated, EventId, Hit, HitKind, digest};

/// The id of a hit: the same for the same events, whoever counts them.
pub fn identity(definition: &Definition, key: &Key, reading: &Reading) -> EventId {
    digest(&[
        b"correlation",
        definition.metadata.id.as_bytes(),
        &key.folded,
        &reading.end.to_be_bytes(),
        &reading.count.to_be_bytes(),
        &reading.samples.concat(),
    ])
}

/// What a hit says.
pub fn correlated(definition: &Definition, key: &Key, reading: Reading) -> Correlated {
    let names = definition.group_by.iter().cloned();
    Correlated {
        kind: definition.kind.word(),
        group: names.zip(key.group.iter().map(ToString::to_string)).collect(),
        start: Time(reading.start),
        end: Time(reading.end),
        timespan_ms: definition.timespan / 1_000_000,
        count: reading.count,
        value: reading.number.as_f64(),
        exact: definition.kind.is_numeric().then_some(!reading.sketched),
        repeats: 0,
        rules: definition.rules.clone(),
        samples: reading.samples,
    }
}

/// A correlation's hit, at `end`.
pub fn hit(definition: &Definition, member: u32, id: EventId, said: Correlated, last: &Last) -> Hit {
    let end = said.end;
    made(
        definition,
        member,
        id,
        HitKind::Correlation(Box::new(said)),
        end.0,
        last,
    )
}

fn made(definition: &Definition, member: u32, id: EventId, kind: HitKind, end: i64, last: &Last) -> Hit {
    let (HitKind::Correlation(said) | HitKind::Summary(said)) = &kind else {
        unreachable!("a correlation makes no hit of a single event")
    };
    let values = said.group.iter().map(|(_, value)| value.as_str().into());
    let keys = values.chain([said.value.to_string().into()]).map(Some).collect();
    Hit {
        id,
        member,
        rule: definition.metadata.id.as_str().into(),
        alert: definition.alert,
        ts: Time(end),
        input: last.input.clone(),
        offset: last.offset,
        source: last.source,
        logsource: last.logsource.clone(),
        event: last.event.clone(),
        matched: last.matched.clone(),
        keys,
        retimed: last.retimed,
        kind,
    }
}

/// What a quiet time leaves behind; nothing where nothing was repeated or the hit raised no alert.
pub fn summary(definition: &Definition, member: u32, quiet: Quiet) -> Option<Hit> {
    if quiet.repeats == 0 || !definition.alert {
        return None;
    }
    let id = digest(&[b"correlation-summary", &quiet.id]);
    let said = Correlated {
        repeats: quiet.repeats,
        ..*quiet.correlated
    };
    let end = quiet.end.saturating_add(definition.timespan);
    Some(made(
        definition,
        member,
        id,
        HitKind::Summary(Box::new(said)),
        end,
        &quiet.last,
    ))
}

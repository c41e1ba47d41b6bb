"""Between rows and nouns, both ways. No query here."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import Row

from vigla_console.alerts.folding import fold
from vigla_console.database.times import from_column, maybe_from, maybe_to, to_column
from vigla_console.incidents.models import (
    AlertGroup,
    Cluster,
    ClusterMember,
    Disposition,
    Entity,
    HistoryEntry,
    Incident,
    Phase,
    Reason,
    Severity,
    SeverityStep,
    State,
    WaitingOn,
)
from vigla_console.tenants.models import TenantId


def group_columns(group: AlertGroup) -> dict[str, Any]:
    """Every column of `alert_group`; entities are rows of their own."""
    return {
        "id": group.id,
        "tenant_id": group.tenant,
        "code": group.code,
        "fingerprint": group.fingerprint,
        "algorithm": group.algorithm,
        "rule": group.rule,
        "rule_name": group.rule_name,
        "level": int(group.level),
        "severity": int(group.severity),
        "steps": json.dumps([[step.reason, int(step.before), int(step.after)] for step in group.steps]),
        "risk": group.risk,
        "entity_kind": group.entity.kind,
        "entity_value": group.entity.value,
        "first_seen": to_column(group.first_seen),
        "last_seen": to_column(group.last_seen),
        "events": group.count,
        "alerts": group.alerts,
        "tactics": json.dumps(group.tactics),
        "techniques": json.dumps(group.techniques),
        "samples": json.dumps(group.samples),
        "state": group.state.value,
        "waiting_on": group.waiting_on.value,
        "waiting_since": maybe_to(group.waiting_since),
        "assignee": group.assignee,
        "assignee_name": group.assignee_name,
        "disposition": group.disposition,
        "reason": group.reason,
        "closed_through": maybe_to(group.closed_through),
        "previous": group.previous,
        "incident": group.incident,
        "cluster_tenants": group.cluster_tenants,
        "overdue": group.overdue,
        "opened": to_column(group.opened),
        "version": group.version,
        "search_text": search_text(group),
    }


def search_text(group: AlertGroup) -> str:
    """Folded words by which the queue's search finds a group."""
    values = (entity.value for entity in (group.entity, *group.entities))
    return " " + fold(" ".join((group.code, group.rule_name, *values)))


def group_of(row: Row[Any], entities: Iterable[Entity] = ()) -> AlertGroup:
    return AlertGroup(
        id=row.id,
        tenant=TenantId(row.tenant_id),
        code=row.code,
        fingerprint=row.fingerprint,
        algorithm=row.algorithm,
        rule=row.rule,
        rule_name=row.rule_name,
        level=Severity(row.level),
        severity=Severity(row.severity),
        steps=tuple(SeverityStep(why, Severity(a), Severity(b)) for why, a, b in json.loads(row.steps)),
        risk=row.risk,
        entity=Entity(row.entity_kind, row.entity_value),
        first_seen=from_column(row.first_seen),
        last_seen=from_column(row.last_seen),
        count=row.events,
        alerts=row.alerts,
        tactics=tuple(json.loads(row.tactics)),
        techniques=tuple(json.loads(row.techniques)),
        samples=tuple(json.loads(row.samples)),
        entities=tuple(entities),
        state=State(row.state),
        waiting_on=WaitingOn(row.waiting_on),
        waiting_since=maybe_from(row.waiting_since),
        assignee=row.assignee,
        assignee_name=row.assignee_name,
        disposition=Disposition(row.disposition) if row.disposition else None,
        reason=Reason(row.reason) if row.reason else None,
        closed_through=maybe_from(row.closed_through),
        previous=row.previous,
        incident=row.incident,
        cluster_tenants=row.cluster_tenants,
        overdue=bool(row.overdue),
        opened=from_column(row.opened),
        version=row.version,
    )


def incident_columns(incident: Incident) -> dict[str, Any]:
    return {
        "id": incident.id,
        "tenant_id": incident.tenant,
        "code": incident.code,
        "title": incident.title,
        "severity": int(incident.severity),
        "phase": incident.phase.value,
        "open": incident.open,
        "opened_by": incident.opened_by,
        "because": json.dumps(incident.because),
        "first_seen": to_column(incident.first_seen),
        "last_seen": to_column(incident.last_seen),
        "entities": json.dumps([[entity.kind, entity.value] for entity in incident.entities], ensure_ascii=False),
        "tactics": json.dumps(incident.tactics),
        "groups": incident.groups,
        "owner": incident.owner,
        "owner_name": incident.owner_name,
        "disposition": incident.disposition,
        "reason": incident.reason,
        "significant": incident.significant,
        "risk": incident.risk,
        "tlp": incident.tlp,
        "version": incident.version,
    }


def incident_of(row: Row[Any]) -> Incident:
    return Incident(
        id=row.id,
        tenant=TenantId(row.tenant_id),
        code=row.code,
        title=row.title,
        severity=Severity(row.severity),
        phase=Phase(row.phase),
        open=bool(row.open),
        opened_by=row.opened_by,
        because=tuple(json.loads(row.because)),
        first_seen=from_column(row.first_seen),
        last_seen=from_column(row.last_seen),
        entities=tuple(Entity(kind, value) for kind, value in json.loads(row.entities)),
        tactics=tuple(json.loads(row.tactics)),
        groups=row.groups,
        owner=row.owner,
        owner_name=row.owner_name,
        disposition=Disposition(row.disposition) if row.disposition else None,
        reason=Reason(row.reason) if row.reason else None,
        significant=row.significant,
        risk=row.risk,
        tlp=row.tlp,
        version=row.version,
    )


def cluster_of(row: Row[Any], members: Iterable[Row[Any]]) -> Cluster:
    return Cluster(
        id=row.id,
        code=row.code,
        kind=row.kind,
        rule=row.rule or None,
        rule_name=row.rule_name or None,
        indicator=Entity(row.indicator_kind, row.indicator_value) if row.indicator_value else None,
        severity=Severity(row.severity),
        first_seen=from_column(row.first_seen),
        last_seen=from_column(row.last_seen),
        members=tuple(
            ClusterMember(TenantId(m.tenant_id), from_column(m.first_seen), from_column(m.last_seen), m.n)
            for m in members
        ),
        version=row.version,
    )


def history_columns(entry: HistoryEntry, kind: str, object_id: str) -> dict[str, Any]:
    return {
        "tenant_id": entry.tenant,
        "object": kind,
        "object_id": object_id,
        "at": to_column(entry.at),
        "actor": entry.actor,
        "actor_name": entry.actor_name,
        "actor_body": entry.actor_body,
        "verb": entry.verb,
        "before": entry.before,
        "after": entry.after,
        "note": entry.note,
        "detail": json.dumps(entry.detail, ensure_ascii=False) if entry.detail else "",
    }


def history_of(row: Row[Any]) -> HistoryEntry:
    detail: Mapping[str, str] | None = json.loads(row.detail) if row.detail else None
    return HistoryEntry(
        at=from_column(row.at),
        tenant=TenantId(row.tenant_id),
        actor=row.actor,
        actor_name=row.actor_name,
        actor_body=row.actor_body,
        verb=row.verb,
        before=row.before,
        after=row.after,
        note=row.note,
        detail=dict(detail) if detail else None,
    )

"""`/api/v1`: groups, incidents, clusters and what can be done about them; the same services and rights as the pages."""

from dataclasses import dataclass
from datetime import datetime
from typing import Annotated

from fastapi import Body, Query

from vigla_console.alerts.models import Alert
from vigla_console.context import Context
from vigla_console.errors import Refused
from vigla_console.incidents.models import (
    AlertGroup,
    Cluster,
    Disposition,
    GroupFilter,
    HistoryEntry,
    Incident,
    Reason,
    Severity,
    State,
)
from vigla_console.permissions import Permission
from vigla_console.routing import Routes
from vigla_console.tenants.models import TenantId
from vigla_console.triage.service import Act, Closing


@dataclass(frozen=True, slots=True)
class Groups:
    """``next`` goes into `after`; ``total`` is capped at 1,000."""

    groups: list[AlertGroup]
    next: str | None
    total: int
    total_is_exact: bool


@dataclass(frozen=True, slots=True)
class GroupDetail:
    group: AlertGroup
    alerts: list[str]
    history: list[HistoryEntry]


@dataclass(frozen=True, slots=True)
class IncidentDetail:
    incident: Incident
    groups: list[AlertGroup]
    history: list[HistoryEntry]


@dataclass(frozen=True, slots=True)
class ActBody:
    """Of every verb: the version that was seen, and a key that makes a repeat no second act."""

    version: int
    form_key: str
    note: str = ""
    title: str = ""


@dataclass(frozen=True, slots=True)
class CloseBody:
    version: int
    form_key: str
    disposition: Disposition
    reason: Reason
    note: str = ""
    who: str = ""
    ticket: str = ""
    significant: str = ""


VERBS = ("ack", "escalate", "answer", "assign", "reopen", "undo")


def routes() -> Routes:
    """Every path with the right it needs."""
    table = Routes(prefix="/api/v1", form=False)
    table.get("/groups", needs=Permission.ALERTS_READ)(groups)
    table.get("/groups/{code}", needs=Permission.ALERTS_READ)(group)
    table.get("/groups/{code}/alerts/{event_id}", needs=Permission.ALERTS_READ)(alert)
    table.post("/groups/{code}/close", needs=Permission.ALERTS_READ)(close)
    table.post("/groups/{code}/promote", needs=Permission.ALERTS_READ)(promote)
    table.post("/groups/{code}/{verb}", needs=Permission.ALERTS_READ)(act)
    table.get("/incidents", needs=Permission.ALERTS_READ)(incidents)
    table.get("/incidents/{code}", needs=Permission.ALERTS_READ)(incident)
    table.post("/incidents/{code}/close", needs=Permission.ALERTS_READ)(close_incident)
    table.get("/clusters", needs=Permission.CLUSTERS_READ)(clusters)
    table.get("/clusters/{code}", needs=Permission.CLUSTERS_READ)(cluster)
    return table


def groups(
    context: Context,
    state: Annotated[list[State] | None, Query()] = None,
    level: Annotated[list[str] | None, Query()] = None,
    muni: Annotated[list[str] | None, Query()] = None,
    rule: Annotated[list[str] | None, Query()] = None,
    q: str = "",
    since: datetime | None = None,
    until: datetime | None = None,
    sort: str = "risk",
    size: int = 25,
    after: str | None = None,
) -> Groups:
    """The queue."""
    if sort not in ("risk", "last_seen"):
        raise Refused(f"sort {sort[:40]!r}: use risk or last_seen")
    for instant in (since, until):
        if instant is not None and instant.tzinfo is None:
            raise Refused("since and until need a zone, as in 2026-11-24T00:00:00Z")
    try:
        severities = frozenset(Severity.of_level(one) for one in level or ())
    except ValueError as error:
        raise Refused(str(error)) from None
    page = context.cases.groups(
        GroupFilter(
            states=frozenset(state or ()),
            severities=severities,
            tenants=frozenset(TenantId(one) for one in muni or ()),
            rules=frozenset(rule or ()),
            text=q,
            since=since,
            until=until,
            sort=sort,
            size=size,
            after=after,
        )
    )
    return Groups(list(page.groups), page.next, page.total, page.total_is_exact)


def group(context: Context, code: str) -> GroupDetail:
    found = context.cases.group(code)
    context.audit.record("group.view", found.code, [found.tenant], clear=found.tenant in context.scope.clear)
    return GroupDetail(found, list(context.cases.group_alerts(found)), list(context.cases.history(found)))


def alert(context: Context, code: str, event_id: str) -> dict[str, object]:
    """One document of a group, as it arrived."""
    return dict(_member(context, code, event_id).body)


def _member(context: Context, code: str, event_id: str) -> Alert:
    found = context.cases.group(code)
    context.audit.record("alert.view", found.code, [found.tenant], clear=found.tenant in context.scope.clear)
    return context.alert(found.tenant, event_id)


def act(context: Context, code: str, verb: str, body: Annotated[ActBody, Body()]) -> AlertGroup:
    done = Act(body.version, body.form_key)
    match verb:
        case "ack":
            return context.triage.ack(code, done)
        case "escalate":
            return context.triage.escalate(code, done, body.note)
        case "answer":
            return context.triage.answer(code, done, body.note)
        case "assign":
            return context.triage.assign(code, done)
        case "reopen":
            return context.triage.reopen(code, done, body.note)
        case "undo":
            return context.triage.undo(code, done)
        case _:
            raise Refused(f"no verb {verb[:40]!r}: {', '.join(VERBS)}, close, promote")


def close(context: Context, code: str, body: Annotated[CloseBody, Body()]) -> AlertGroup:
    return context.triage.close(code, Act(body.version, body.form_key), _closing(body))


def promote(context: Context, code: str, body: Annotated[ActBody, Body()]) -> Incident:
    return context.triage.promote(code, Act(body.version, body.form_key), body.title)


def incidents(context: Context, *, open_only: bool = True, limit: int = 50) -> list[Incident]:
    return list(context.cases.incidents(open_only=open_only, limit=min(limit, 200)))


def incident(context: Context, code: str) -> IncidentDetail:
    found = context.cases.incident(code)
    context.audit.record("incident.view", found.code, [found.tenant], clear=found.tenant in context.scope.clear)
    members = context.cases.incident_groups(found)
    return IncidentDetail(found, list(members), list(context.cases.history(found)))


def close_incident(context: Context, code: str, body: Annotated[CloseBody, Body()]) -> Incident:
    done = Act(body.version, body.form_key)
    return context.triage.close_incident(code, done, _closing(body), body.significant, body.note)


def clusters(context: Context, limit: int = 50) -> list[Cluster]:
    return list(context.cases.clusters(limit=min(limit, 200)))


def cluster(context: Context, code: str) -> Cluster:
    return context.cases.cluster(code)


def _closing(body: CloseBody) -> Closing:
    return Closing(body.disposition, body.reason, body.note, body.who, body.ticket)

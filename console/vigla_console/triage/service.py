"""The verbs of console.md 2.4. No HTTP, no SQL, no wall clock: rules of the matter only."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Protocol

from vigla_console.audit.interfaces import AuditLog
from vigla_console.clock import Clock
from vigla_console.errors import Conflict, Forbidden, Refused
from vigla_console.incidents.interfaces import CaseChange, CaseWriter
from vigla_console.incidents.models import (
    AlertGroup,
    Disposition,
    HistoryEntry,
    Incident,
    Phase,
    Reason,
    Severity,
    State,
    WaitingOn,
)
from vigla_console.permissions import Permission
from vigla_console.scope import Scope
from vigla_console.tenants.models import TenantId

LONGEST_NOTE = 4_000
UNDO_WITHIN = timedelta(minutes=10)
CLUSTER_FROM = 3
SIGNIFICANT = ("yes", "no", "unsure")


@dataclass(frozen=True, slots=True)
class Act:
    """What every form carries: the version the person saw and a key that makes a double click one act."""

    version: int
    form_key: str


@dataclass(frozen=True, slots=True)
class Closing:
    """How it ended. ``legitimate`` needs ``who`` and ``ticket``; ``true_impact`` needs the group to be in an
    incident.
    """

    disposition: Disposition
    reason: Reason
    note: str = ""
    who: str = ""
    ticket: str = ""


class Triage(Protocol):
    """Built with a Scope. Raises ``NotFound``, ``Forbidden``, ``Conflict`` (stale version or spent key) and ``Refused``
    (a rule says no).
    """

    def ack(self, code: str, act: Act) -> AlertGroup: ...
    def escalate(self, code: str, act: Act, note: str) -> AlertGroup: ...
    def answer(self, code: str, act: Act, note: str) -> AlertGroup: ...
    def close(self, code: str, act: Act, closing: Closing) -> AlertGroup: ...
    def promote(self, code: str, act: Act, title: str = "") -> Incident: ...
    def assign(self, code: str, act: Act) -> AlertGroup:
        """Claims it for the actor."""
        ...

    def reopen(self, code: str, act: Act, note: str) -> AlertGroup: ...
    def undo(self, code: str, act: Act) -> AlertGroup: ...
    def close_incident(self, code: str, act: Act, closing: Closing, significant: str, note: str) -> Incident: ...
    def set_phase(self, code: str, act: Act, phase: str) -> Incident: ...
    def may(self, verb: str, group: AlertGroup) -> bool:
        """Whether the button is shown; the verbs check again."""
        ...


_WAITING_FOR_LOOK = (State.NEW, State.ACKNOWLEDGED)
_FROM = {
    "ack": (State.NEW,),
    "escalate": _WAITING_FOR_LOOK,
    "answer": (State.ESCALATED,),
    "close": tuple(state for state in State if state.open),
    "promote": (*_WAITING_FOR_LOOK, State.ESCALATED),
    "assign": tuple(state for state in State if state.open),
    "reopen": (State.CLOSED,),
}
_UNDOABLE = ("ack", "escalate", "answer", "close", "assign", "reopen")


@dataclass(frozen=True, slots=True)
class TriageService:
    """See ``Triage``."""

    scope: Scope
    cases: CaseWriter
    audit: AuditLog
    clock: Clock

    def may(self, verb: str, group: AlertGroup) -> bool:
        if verb == "undo":
            return any(self._has_right(one, group) for one in ("ack", "answer"))
        return group.state in _FROM[verb] and self._has_right(verb, group)

    def ack(self, code: str, act: Act) -> AlertGroup:
        return self._act("ack", code, act, "", lambda group: replace(group, state=State.ACKNOWLEDGED))

    def escalate(self, code: str, act: Act, note: str) -> AlertGroup:
        def escalated(group: AlertGroup) -> AlertGroup:
            waiting = self.clock.now()
            return replace(group, state=State.ESCALATED, waiting_on=WaitingOn.SOC, waiting_since=waiting)

        return self._act("escalate", code, act, note, escalated)

    def answer(self, code: str, act: Act, note: str) -> AlertGroup:
        if not note.strip():
            raise Refused("an answer needs text: say what you found or what you need")

        def answered(group: AlertGroup) -> AlertGroup:
            turn = WaitingOn.MUNICIPALITY if self.scope.central else WaitingOn.SOC
            return replace(group, waiting_on=turn, waiting_since=self.clock.now(), overdue=False)

        return self._act("answer", code, act, note, answered)

    def close(self, code: str, act: Act, closing: Closing) -> AlertGroup:
        def closed(group: AlertGroup) -> AlertGroup:
            _check_closing(closing, in_incident=group.incident is not None)
            return _closed(group, closing)

        detail = {"disposition": closing.disposition.value, "reason": closing.reason.value}
        detail |= {name: text for name, text in (("who", closing.who), ("ticket", closing.ticket)) if text}
        return self._act("close", code, act, closing.note, closed, detail)

    def assign(self, code: str, act: Act) -> AlertGroup:
        actor = self.scope.actor

        def claimed(group: AlertGroup) -> AlertGroup:
            return replace(group, assignee=actor.id, assignee_name=actor.name)

        return self._act("assign", code, act, "", claimed)

    def reopen(self, code: str, act: Act, note: str) -> AlertGroup:
        if not note.strip():
            raise Refused("reopening needs a reason")

        def reopened(group: AlertGroup) -> AlertGroup:
            return replace(group, state=State.ACKNOWLEDGED, disposition=None, reason=None, closed_through=None)

        return self._act("reopen", code, act, note, reopened)

    def promote(self, code: str, act: Act, title: str = "") -> Incident:
        with self._change() as change:
            group = change.group(code)
            if not change.spend(act.form_key, "promote", code):
                return change.incident(group.incident or "")
            self._check("promote", group, act.version)
            now = replace(group, state=State.IN_INCIDENT, waiting_on=WaitingOn.NOBODY, version=group.version + 1)
            entry = self._entry("promote", group, now.state, title)
            if group.incident is None:
                return change.open_incident(now, title, entry)
            change.save_group(now, entry)
            incident = change.incident(group.incident)
            named = replace(incident, title=title.strip()[:200] or incident.title, version=incident.version + 1)
            change.save_incident(named, replace(entry, before="open", after="open"))
            return named

    def undo(self, code: str, act: Act) -> AlertGroup:
        with self._change() as change:
            group = change.group(code)
            if not change.spend(act.form_key, "undo", code):
                return group
            self._check_version(group, act.version)
            last = change.last_entry(group)
            if last is None or last.verb not in _UNDOABLE or last.detail is None or "was" not in last.detail:
                raise Refused("there is nothing to undo: the last act here cannot be taken back")
            if last.actor != self.scope.actor.id:
                raise Forbidden(
                    f"the last act is {last.actor_name}'s: only the same person takes it back", group.tenant
                )
            if self.clock.now() - last.at > UNDO_WITHIN:
                raise Refused("an act can be undone for ten minutes: use the next verb instead")
            restored = replace(_restored(group, last.detail["was"]), version=group.version + 1)
            change.save_group(restored, self._entry("undo", group, restored.state, "", {"undone": last.verb}))
            return restored

    def close_incident(self, code: str, act: Act, closing: Closing, significant: str, note: str) -> Incident:
        with self._change() as change:
            incident = change.incident(code)
            if not change.spend(act.form_key, "close_incident", code):
                return incident
            self._check_incident(incident, act.version, "close")
            if not incident.open:
                raise Conflict(f"{incident.code} is closed already")
            _check_closing(closing, in_incident=True)
            if incident.severity >= Severity.HIGH and (significant not in SIGNIFICANT or not note.strip()):
                raise Refused(
                    "from level high on, closing needs the significance decision (yes, no, unsure) and its reason"
                )
            for group in change.incident_groups(incident):
                if group.state.open:
                    gone = replace(_closed(group, closing), version=group.version + 1)
                    change.save_group(
                        gone, self._entry("close", group, gone.state, closing.note, {"with": incident.code})
                    )
            closed = replace(
                incident,
                open=False,
                disposition=closing.disposition,
                reason=closing.reason,
                significant=significant or None,
                version=incident.version + 1,
            )
            detail = {"disposition": closing.disposition.value, "significant": significant}
            change.save_incident(closed, self._incident_entry("close", incident, "closed", note, detail))
            return closed

    def set_phase(self, code: str, act: Act, phase: str) -> Incident:
        try:
            wanted = Phase(phase)
        except ValueError:
            raise Refused(f"no phase {phase[:40]!r}: {', '.join(Phase)}") from None
        with self._change() as change:
            incident = change.incident(code)
            if not change.spend(act.form_key, "set_phase", code):
                return incident
            self._check_incident(incident, act.version, "phase")
            moved = replace(incident, phase=wanted, version=incident.version + 1)
            change.save_incident(moved, self._incident_entry("phase", incident, wanted.value, ""))
            return moved

    @contextmanager
    def _change(self) -> Iterator[CaseChange]:
        """A transaction; what is forbidden within is undone, and then written down."""
        try:
            with self.cases.change() as change:
                yield change
        except Forbidden as refusal:
            tenants = [TenantId(refusal.tenant)] if refusal.tenant else []
            self.audit.record("refused", str(refusal), tenants, result="refused")
            raise

    def _act(
        self,
        verb: str,
        code: str,
        act: Act,
        note: str,
        step: Callable[[AlertGroup], AlertGroup],
        detail: dict[str, str] | None = None,
    ) -> AlertGroup:
        with self._change() as change:
            group = change.group(code)
            if not change.spend(act.form_key, verb, code):
                return group  # the same form again: a double click is one act
            self._check(verb, group, act.version)
            now = replace(step(group), version=group.version + 1)
            if now.state is not State.NEW:
                now = replace(now, overdue=now.overdue and now.waiting_on is WaitingOn.SOC)
            was = {"was": _snapshot(group)}
            change.save_group(now, self._entry(verb, group, now.state, note, (detail or {}) | was))
            return now

    def _check(self, verb: str, group: AlertGroup, version: int) -> None:
        if not self._has_right(verb, group):
            raise self._forbidden(verb, group.code, group.tenant)
        self._check_version(group, version)
        if group.state not in _FROM[verb]:
            raise Refused(f"{group.code} is {group.state}: {verb} starts from {', '.join(_FROM[verb])}")

    def _check_version(self, group: AlertGroup, version: int) -> None:
        if group.version != version:
            raise Conflict(f"{group.code} was changed by somebody else (version {group.version}, you saw {version})")

    def _check_incident(self, incident: Incident, version: int, verb: str) -> None:
        rights = (
            (Permission.INCIDENTS_OPEN,) if verb == "close" else (Permission.INCIDENTS_OPEN, Permission.INCIDENTS_PULL)
        )
        delegated = incident.tenant in self.scope.delegated and incident.severity < Severity.CRITICAL
        if verb == "close" and delegated:
            rights = (*rights, Permission.ALERTS_CLOSE_DELEGATED)
        if not any(self.scope.may(right, incident.tenant) for right in rights):
            raise self._forbidden(verb, incident.code, incident.tenant)
        if incident.version != version:
            raise Conflict(
                f"{incident.code} was changed by somebody else (version {incident.version}, you saw {version})"
            )

    def _has_right(self, verb: str, group: AlertGroup) -> bool:
        """console.md 1.2; a critical alert is never closed by the centre."""

        def may(permission: Permission) -> bool:
            return self.scope.may(permission, group.tenant)

        match verb:
            case "ack":
                return may(Permission.ALERTS_ACK)
            case "escalate":
                return may(Permission.ALERTS_ESCALATE)
            case "answer":
                return may(Permission.ALERTS_ANSWER)
            case "assign":
                return may(Permission.ALERTS_ASSIGN)
            case "promote":
                loud = group.severity >= Severity.HIGH or group.cluster_tenants >= CLUSTER_FROM
                asked = group.state is State.ESCALATED
                return may(Permission.INCIDENTS_OPEN) or (may(Permission.INCIDENTS_PULL) and (loud or asked))
            case "close" | "reopen":
                lent = group.tenant in self.scope.delegated and group.severity < Severity.CRITICAL
                return may(Permission.ALERTS_CLOSE) or (lent and may(Permission.ALERTS_CLOSE_DELEGATED))
            case _:
                return False

    def _forbidden(self, verb: str, code: str, tenant: TenantId) -> Forbidden:
        return Forbidden(f"{verb} of {code}: your role ({self.scope.actor.role}) has no right to it here", tenant)

    def _entry(
        self, verb: str, group: AlertGroup, after: State, note: str, detail: dict[str, str] | None = None
    ) -> HistoryEntry:
        return self._history(verb, group.tenant, group.state.value, after.value, note, detail)

    def _incident_entry(
        self, verb: str, incident: Incident, after: str, note: str, detail: dict[str, str] | None = None
    ) -> HistoryEntry:
        return self._history(verb, incident.tenant, incident.phase.value, after, note, detail)

    def _history(
        self, verb: str, tenant: TenantId, before: str, after: str, note: str, detail: dict[str, str] | None
    ) -> HistoryEntry:
        actor = self.scope.actor
        return HistoryEntry(
            at=self.clock.now(),
            tenant=tenant,
            actor=actor.id,
            actor_name=actor.name,
            actor_body=actor.body,
            verb=verb,
            before=before,
            after=after,
            note=_note(note),
            detail=detail,
        )


def _note(text: str) -> str:
    if len(text) > LONGEST_NOTE:
        raise Refused(f"the note has {len(text)} characters: at most {LONGEST_NOTE}")
    return text.strip()


def _check_closing(closing: Closing, *, in_incident: bool) -> None:
    allowed = closing.disposition.reasons
    if closing.reason not in allowed:
        raise Refused(f"{closing.disposition} needs one of these reasons: {', '.join(allowed)}")
    if closing.disposition is Disposition.LEGITIMATE and not (closing.who.strip() and closing.ticket.strip()):
        raise Refused("legitimate needs who did it and the ticket or document that says so")
    if closing.disposition is Disposition.TRUE_IMPACT and not in_incident:
        raise Refused("true_impact needs an incident: open one first, then close")


def _closed(group: AlertGroup, closing: Closing) -> AlertGroup:
    return replace(
        group,
        state=State.CLOSED,
        waiting_on=WaitingOn.NOBODY,
        waiting_since=None,
        disposition=closing.disposition,
        reason=closing.reason,
        closed_through=group.last_seen,
        overdue=False,
    )


def _snapshot(group: AlertGroup) -> str:
    return json.dumps(
        {
            "state": group.state,
            "waiting_on": group.waiting_on,
            "waiting_since": group.waiting_since.isoformat() if group.waiting_since else None,
            "assignee": group.assignee,
            "assignee_name": group.assignee_name,
            "disposition": group.disposition,
            "reason": group.reason,
            "closed_through": group.closed_through.isoformat() if group.closed_through else None,
            "overdue": group.overdue,
        }
    )


def _restored(group: AlertGroup, text: str) -> AlertGroup:
    was = json.loads(text)
    return replace(
        group,
        state=State(was["state"]),
        waiting_on=WaitingOn(was["waiting_on"]),
        waiting_since=datetime.fromisoformat(was["waiting_since"]) if was["waiting_since"] else None,
        assignee=was["assignee"],
        assignee_name=was["assignee_name"],
        disposition=Disposition(was["disposition"]) if was["disposition"] else None,
        reason=Reason(was["reason"]) if was["reason"] else None,
        closed_through=datetime.fromisoformat(was["closed_through"]) if was["closed_through"] else None,
        overdue=was["overdue"],
    )

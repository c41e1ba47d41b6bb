"""M3, one alert group: evidence first, then the verbs; and the forms of those verbs.

A refused or outdated act shows the page again with what was typed, never a dead end.
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from fastapi import Request, Response

from vigla_console.alerts.interfaces import StoreUnavailable
from vigla_console.alerts.models import Alert, BadAlert, PageRequest, parse_time
from vigla_console.alerts.query import AlertQuery
from vigla_console.context import Context
from vigla_console.errors import Conflict, Refused
from vigla_console.incidents.models import AlertGroup, Disposition, HistoryEntry, Incident
from vigla_console.permissions import Permission
from vigla_console.routing import Routes
from vigla_console.triage.service import UNDO_WITHIN
from vigla_console.web.forms import REFUSED, ClosingForm, Problem, Verb, VerbForm
from vigla_console.web.frame import frame_of
from vigla_console.web.labels import N_
from vigla_console.web.logtext import flat
from vigla_console.web.notices import Notice
from vigla_console.web.pages import Pages
from vigla_console.web.rows import rows, short_name, title
from vigla_console.web.slots import fill_all, values_of

VERBS = ("ack", "escalate", "answer", "close", "promote", "assign", "reopen", "undo")
UNDOABLE = ("ack", "escalate", "answer", "close", "assign", "reopen")  # what the service can take back
AROUND = timedelta(minutes=30)
MOST_AROUND = 20
MOST_MEMBERS = 20
_NOTE_NEEDED = N_("Write a few words first.")
_INCIDENT_FIRST = N_("Something that had an impact needs an incident: open one first, then close.")


@dataclass(frozen=True, slots=True)
class Typed:
    """What a form held that was not accepted, and why; ``verb`` says which form. ``conflict`` is the 409 banner."""

    verb: str = ""
    note: str = ""
    title: str = ""
    closing: ClosingForm = field(default_factory=ClosingForm)
    problems: tuple[Problem, ...] = ()
    conflict: bool = False


@dataclass(frozen=True, slots=True)
class AlertPages:
    """`/alerts/{code}` and its verbs."""

    pages: Pages

    def routes(self) -> Routes:
        routes = Routes()
        routes.get("/alerts/{code}", needs=Permission.ALERTS_READ)(self.show)
        for verb, handler in (
            ("ack", self.ack),
            ("assign", self.assign),
            ("undo", self.undo),
            ("escalate", self.escalate),
            ("answer", self.answer),
            ("reopen", self.reopen),
            ("promote", self.promote),
            ("close", self.close),
        ):
            # The service decides by the object; the route asks only for what every reader has.
            routes.post(f"/alerts/{{code}}/{verb}", needs=Permission.ALERTS_READ)(handler)
        return routes

    def show(self, request: Request, context: Context, code: str) -> Response:
        group = context.cases.group(code)
        context.audit.record("alert.view", group.code, [group.tenant], clear=True)  # nothing is masked yet: say so
        return self._page(request, context, group, Typed())

    def ack(self, request: Request, context: Context, code: str, form: Verb) -> Response:
        return self._act(request, context, code, Typed("ack"), form, lambda: context.triage.ack(code, form.act))

    def assign(self, request: Request, context: Context, code: str, form: Verb) -> Response:
        return self._act(request, context, code, Typed("assign"), form, lambda: context.triage.assign(code, form.act))

    def undo(self, request: Request, context: Context, code: str, form: Verb) -> Response:
        return self._act(request, context, code, Typed("undo"), form, lambda: context.triage.undo(code, form.act))

    def escalate(self, request: Request, context: Context, code: str, form: Verb) -> Response:
        def do() -> AlertGroup:
            return context.triage.escalate(code, form.act, form.note)

        return self._act(request, context, code, Typed("escalate", form.note), form, do)

    def answer(self, request: Request, context: Context, code: str, form: Verb) -> Response:
        def do() -> AlertGroup:
            return context.triage.answer(code, form.act, form.note)

        return self._act(request, context, code, _with_note("answer", form), form, do)

    def reopen(self, request: Request, context: Context, code: str, form: Verb) -> Response:
        def do() -> AlertGroup:
            return context.triage.reopen(code, form.act, form.note)

        return self._act(request, context, code, _with_note("reopen", form), form, do)

    def promote(self, request: Request, context: Context, code: str, form: Verb) -> Response:
        def do() -> Incident:
            return context.triage.promote(code, form.act, form.title)

        return self._act(request, context, code, Typed("promote", title=form.title), form, do)

    def close(self, request: Request, context: Context, code: str, form: Verb) -> Response:
        def do() -> AlertGroup:
            return context.triage.close(code, form.act, form.closing.closing())

        problems = list(form.closing.problems())
        if form.closing.ends_as(Disposition.TRUE_IMPACT) and context.cases.group(code).incident is None:
            problems.append(Problem("outcome", _INCIDENT_FIRST))
        typed = Typed("close", closing=form.closing, problems=tuple(problems))
        return self._act(request, context, code, typed, form, do)

    def _act(
        self,
        request: Request,
        context: Context,
        code: str,
        typed: Typed,
        form: VerbForm,
        do: Callable[[], AlertGroup | Incident],
    ) -> Response:
        """303 after the act; else the page again: 422 with the reason, 409 with what changed."""
        if not typed.problems:
            try:
                made = do()
            except Refused as refusal:
                typed = replace(typed, problems=(Problem(typed.verb, REFUSED, str(refusal)),))
            except Conflict:
                typed = replace(typed, conflict=True)
            else:
                place = "/incidents/" if isinstance(made, Incident) else "/alerts/"
                return self.pages.see_other(
                    context, form.back or f"{place}{made.code}", Notice(typed.verb, (made.code,))
                )
        group = context.cases.group(code)
        return self._page(request, context, group, typed, 409 if typed.conflict else 422)

    def _page(self, request: Request, context: Context, group: AlertGroup, typed: Typed, status: int = 200) -> Response:
        language = frame_of(request, context).language
        values = _evidence(context, group)
        history = context.cases.history(group)
        newest = values["newest"]
        text = context.rules.text(group.rule, language)
        unknown = self.pages.speech[language].text(N_("(unknown)"))
        tenant = context.tenants.get(group.tenant)
        return self.pages.page(
            request,
            context,
            "alert.html",
            status,
            group=group,
            title=title(context, group, language),
            texts=fill_all(text, values_of(newest, context.rules.ecs), unknown) if text is not None else None,
            rule=context.rules.rule(group.rule),
            municipality=short_name(tenant, language),
            body=tenant.title(language),
            foreign=group.tenant not in context.scope.clear,
            verbs=_verbs(context, group, history),
            similar=rows(context, context.cases.similar(group), language, ()),
            history=history,
            typed=typed,
            form_key=context.form_key(),
            now=context.clock.now(),
            **values,
        )


def _verbs(context: Context, group: AlertGroup, history: Sequence[HistoryEntry]) -> frozenset[str]:
    """What the reader may do now; undo only to whoever did the last act, while it can still be taken back."""
    verbs = {verb for verb in VERBS if verb != "undo" and context.triage.may(verb, group)}
    last = history[-1] if history else None
    mine = last is not None and last.actor == context.user.id and last.verb in UNDOABLE
    if last is not None and mine and context.clock.now() - last.at <= UNDO_WITHIN:
        verbs |= {"undo"} if context.triage.may("undo", group) else set()
    return frozenset(verbs)


def _with_note(verb: str, form: VerbForm) -> Typed:
    problems = () if form.note else (Problem(f"{verb}-note", _NOTE_NEEDED),)
    return Typed(verb, form.note, problems=problems)


@dataclass(frozen=True, slots=True)
class Counted:
    """What a correlation counted together: how many events, by which key, between when; and the number it measured."""

    count: int
    key: Sequence[tuple[str, object]]
    start: datetime
    end: datetime
    measure: str  # the correlation's type
    value: float | None
    sketched: bool  # a percentile or median of more numbers than are kept


def _correlation(alert: Alert | None) -> Counted | None:
    """None where there is none, or where it is not of the shape that the schema asks for."""
    found = alert.value("vigla.correlation") if alert is not None else None
    if not isinstance(found, Mapping):
        return None
    count, key = found.get("count"), found.get("group")
    try:
        start, end = (parse_time(found.get(name), name) for name in ("start", "end"))
    except BadAlert:
        return None
    if not isinstance(count, int) or not isinstance(key, Mapping):
        return None
    value = found.get("value")
    return Counted(
        count,
        list(key.items()),
        start,
        end,
        measure=str(found.get("type")),
        value=value if isinstance(value, int | float) and not isinstance(value, bool) else None,
        sketched=found.get("estimate") == "sketch",
    )


def _evidence(context: Context, group: AlertGroup) -> dict[str, Any]:
    """The documents behind the group; a store that is away leaves the rest of the page standing and says so."""
    members: list[Alert] = []
    around: list[Alert] = []
    missing = False
    try:
        found = (context.alerts.get(event_id) for event_id in context.cases.group_alerts(group, MOST_MEMBERS))
        members = [alert for alert in found if alert is not None]
        query = AlertQuery(
            since=group.first_seen - AROUND, until=group.last_seen + AROUND, municipality=group.tenant
        )  # fmt: skip
        around = list(context.alerts.search(query, PageRequest(MOST_AROUND)).alerts)
    except StoreUnavailable:
        missing = True
    newest = members[0] if members else None
    event = newest.value("vigla.event") if newest is not None else None
    matched = newest.value("vigla.matched") if newest is not None else None
    return {
        "newest": newest,
        "members": members,
        "around": around,
        "own": {alert.event_id for alert in members},
        "missing": missing,
        "event": list(event.items()) if isinstance(event, dict) else [],
        "matched": [row for row in matched if isinstance(row, dict)] if isinstance(matched, list) else [],
        "correlation": _correlation(newest),
        "fields": flat(newest.body) if newest is not None else [],
    }

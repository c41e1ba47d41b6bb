"""M1, the officer's ten minutes: one sentence, at most five things to do now, seven days, sensors, the SOC's week."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from fastapi import Request, Response

from vigla_console.context import Context
from vigla_console.incidents.models import GroupFilter, HistoryEntry, Severity, State, WaitingOn
from vigla_console.permissions import Permission
from vigla_console.routing import Routes
from vigla_console.sensors.models import Sensor
from vigla_console.web import days
from vigla_console.web.frame import frame_of
from vigla_console.web.pages import Pages
from vigla_console.web.rows import Row, incident_title, rows

MOST_TASKS = 5
_VERBS = ("ack", "escalate", "answer")
_UNDECIDED = frozenset({State.NEW, State.ACKNOWLEDGED})
_WORTH_A_DECISION = frozenset({Severity.CRITICAL, Severity.HIGH, Severity.MEDIUM})


@dataclass(frozen=True, slots=True)
class Task:
    """One line of "Do now": a group (``why``: `critical`, `question`, `undecided`) or a silent sensor (`silent`)."""

    why: str
    row: Row | None = None
    sensor: Sensor | None = None
    silent_for: timedelta | None = None


@dataclass(frozen=True, slots=True)
class HomePages:
    """`/`, and where the centre's people start instead."""

    pages: Pages

    def routes(self) -> Routes:
        routes = Routes()
        routes.get("/", needs=Permission.SIGNED_IN)(self.home)
        return routes

    def home(self, request: Request, context: Context) -> Response:
        if context.scope.may_somewhere(Permission.PICTURE_READ):
            return self.pages.see_other(context, "/soc")
        if not context.scope.may_somewhere(Permission.ALERTS_READ):
            return self.pages.see_other(context, "/profile")
        language = frame_of(request, context).language
        now = context.clock.now()
        undecided = GroupFilter(states=_UNDECIDED, severities=_WORTH_A_DECISION, size=MOST_TASKS)
        questions = GroupFilter(waiting_on=WaitingOn.MUNICIPALITY, size=MOST_TASKS)
        sensors = context.sensors.sensors()
        silent = [sensor for sensor in sensors if sensor.state(now) != "live"]
        decide = context.cases.counts(undecided)
        asked = context.cases.counts(questions)
        worst = context.cases.groups(undecided).groups
        tasks = _tasks(
            rows(context, context.cases.groups(questions).groups, language, _VERBS),
            rows(context, worst, language, _VERBS),
            [Task("silent", sensor=s, silent_for=now - s.last_seen if s.last_seen else None) for s in silent],
        )
        week = context.cases.days(days.edges(now))
        return self.pages.page(
            request,
            context,
            "home.html",
            decide=decide + asked,
            worst=max((group.severity for group in worst), default=None),
            tasks=tasks[:MOST_TASKS],
            more=max(0, decide + asked + len(silent) - MOST_TASKS),
            sensors=sensors,
            silent=silent,
            now=now,
            bars=days.bars(week),
            chart=(days.WIDTH, days.HEIGHT),
            soc_acts=_by_the_centre(context.cases.recent_history(now - timedelta(days=7))),
            incidents=[
                (incident, incident_title(context, incident, language))
                for incident in context.cases.incidents(limit=MOST_TASKS)
            ],
        )


def _tasks(questions: Sequence[Row], undecided: Sequence[Row], silent: Sequence[Task]) -> list[Task]:
    """Critical first, then what the SOC asked, then silent sensors, then the rest by risk; nothing twice."""
    critical = [row for row in undecided if row.group.severity is Severity.CRITICAL]
    rest = [row for row in undecided if row.group.severity is not Severity.CRITICAL]
    ordered = [
        *(Task("critical", row=row) for row in critical),
        *(Task("question", row=row) for row in questions),
        *silent,
        *(Task("undecided", row=row) for row in rest),
    ]
    seen: set[str] = set()
    tasks = []
    for task in ordered:
        code = task.row.group.code if task.row is not None else ""
        if not code or code not in seen:
            seen.add(code)
            tasks.append(task)
    return tasks


def _by_the_centre(history: Sequence[HistoryEntry]) -> list[HistoryEntry]:
    return [entry for entry in history if entry.actor_body == "SOC"]

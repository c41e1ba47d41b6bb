"""M4, a municipality's incident: phases as steps, what it is made of, and how it ends."""

from collections.abc import Callable
from dataclasses import dataclass, replace

from fastapi import Request, Response

from vigla_console.context import Context
from vigla_console.errors import Conflict, Refused
from vigla_console.incidents.models import Incident, Phase, Severity
from vigla_console.permissions import Permission
from vigla_console.routing import Routes
from vigla_console.web.forms import REFUSED, Problem, Verb
from vigla_console.web.frame import frame_of
from vigla_console.web.labels import N_, SIGNIFICANCE
from vigla_console.web.notices import Notice
from vigla_console.web.pages import Pages
from vigla_console.web.rows import incident_title, rows, short_name
from vigla_console.web.views.alert import Typed

_SIGNIFICANCE_NEEDED = N_("Decide whether the incident is significant: yes, no or unsure.")
_REASON_NEEDED = N_("Write in the note why you decided so: from level high on it is needed.")


@dataclass(frozen=True, slots=True)
class IncidentPages:
    """`/incidents`, `/incidents/{code}` and its verbs."""

    pages: Pages

    def routes(self) -> Routes:
        routes = Routes()
        routes.get("/incidents", needs=Permission.ALERTS_READ)(self.all)
        routes.get("/incidents/{code}", needs=Permission.ALERTS_READ)(self.show)
        routes.post("/incidents/{code}/phase", needs=Permission.ALERTS_READ)(self.phase)
        routes.post("/incidents/{code}/close", needs=Permission.ALERTS_READ)(self.close)
        return routes

    def all(self, request: Request, context: Context, closed: str = "") -> Response:
        language = frame_of(request, context).language
        incidents = context.cases.incidents(open_only=not closed, limit=100)
        return self.pages.page(
            request,
            context,
            "incidents.html",
            incidents=[(incident, incident_title(context, incident, language)) for incident in incidents],
            closed=bool(closed),
            several=len(context.scope.tenants) > 1,
            names={i.tenant: short_name(context.tenants.get(i.tenant), language) for i in incidents},
        )

    def show(self, request: Request, context: Context, code: str) -> Response:
        incident = context.cases.incident(code)
        context.audit.record("incident.view", incident.code, [incident.tenant], clear=True)  # nothing is masked yet
        return self._page(request, context, incident, Typed())

    def phase(self, request: Request, context: Context, code: str, form: Verb) -> Response:
        def do() -> Incident:
            return context.triage.set_phase(code, form.act, form.phase)

        return self._act(request, context, code, Typed("phase"), do)

    def close(self, request: Request, context: Context, code: str, form: Verb) -> Response:
        significant = form.closing.significant
        problems = list(form.closing.problems())
        if significant not in SIGNIFICANCE:
            problems.append(Problem("significant", _SIGNIFICANCE_NEEDED))
        if not form.note and context.cases.incident(code).severity >= Severity.HIGH:
            problems.append(Problem("close-note", _REASON_NEEDED))

        def do() -> Incident:
            return context.triage.close_incident(code, form.act, form.closing.closing(), significant, form.note)

        typed = Typed("close_incident", closing=form.closing, problems=tuple(problems))
        return self._act(request, context, code, typed, do)

    def _act(self, request: Request, context: Context, code: str, typed: Typed, do: Callable[[], Incident]) -> Response:
        """303 after the act; else the page again: 422 with the reason, 409 with what changed."""
        if not typed.problems:
            try:
                made = do()
            except Refused as refusal:
                typed = replace(typed, problems=(Problem(typed.verb, REFUSED, str(refusal)),))
            except Conflict:
                typed = replace(typed, conflict=True)
            else:
                return self.pages.see_other(context, f"/incidents/{made.code}", Notice(typed.verb, (made.code,)))
        incident = context.cases.incident(code)
        return self._page(request, context, incident, typed, 409 if typed.conflict else 422)

    def _page(
        self, request: Request, context: Context, incident: Incident, typed: Typed, status: int = 200
    ) -> Response:
        language = frame_of(request, context).language
        groups = context.cases.incident_groups(incident)
        may = context.scope.may(Permission.ALERTS_CLOSE, incident.tenant)
        tenant = context.tenants.get(incident.tenant)
        return self.pages.page(
            request,
            context,
            "incident.html",
            status,
            incident=incident,
            title=incident_title(context, incident, language),
            phases=list(Phase),
            rows=rows(context, groups, language, ()),
            history=context.cases.history(incident),
            body=tenant.title(language),
            foreign=incident.tenant not in context.scope.clear,
            may=may and incident.open,
            typed=typed,
            form_key=context.form_key(),
        )

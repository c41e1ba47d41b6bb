"""A group as a row of a list: its plain title in the reader's language, whose it is and where it leads."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from markupsafe import Markup

from vigla_console.context import RequestContext
from vigla_console.errors import NotFound
from vigla_console.incidents.models import AlertGroup, Cluster, Incident, State
from vigla_console.tenants.models import Tenant
from vigla_console.web.logtext import shown
from vigla_console.web.slots import fill

_LONGEST_TITLE = 200


@dataclass(frozen=True, slots=True)
class Row:
    """``verbs`` are those the reader may use on it now."""

    group: AlertGroup
    title: Markup
    municipality: str
    href: str
    verbs: frozenset[str]
    waiting: timedelta | None

    @property
    def open(self) -> bool:
        return self.group.state is not State.CLOSED


def rows(context: RequestContext, groups: Iterable[AlertGroup], language: str, verbs: tuple[str, ...]) -> list[Row]:
    now = context.clock.now()
    return [row(context, group, language, verbs, now) for group in groups]


def row(context: RequestContext, group: AlertGroup, language: str, verbs: tuple[str, ...], now: datetime) -> Row:
    since = group.waiting_since
    return Row(
        group=group,
        title=title(context, group, language),
        municipality=short_name(context.tenants.get(group.tenant), language),
        href=f"/alerts/{group.code}",
        verbs=frozenset(verb for verb in verbs if context.triage.may(verb, group)),
        waiting=now - since if since is not None else None,
    )


def title(context: RequestContext, group: AlertGroup, language: str) -> Markup:
    """The rule's plain title in ``language``; the rule's own name if no pack at the hub knows it."""
    text = context.rules.text(group.rule, language)
    if text is None:
        return Markup('<span lang="en">{}</span>').format(group.rule_name)
    return fill(text.title, {group.entity.kind: group.entity.value}, "…")


def incident_title(context: RequestContext, incident: Incident, language: str) -> Markup:
    """What a person called it; while it bears the name of the rule that opened it, that rule's plain title instead."""
    for code in incident.because:
        try:
            group = context.cases.group(code)
        except NotFound:
            continue
        if incident.title == f"{group.rule_name}: {group.entity.value}"[:_LONGEST_TITLE]:
            return Markup("{}: {}").format(title(context, group, language), shown(group.entity.value, _LONGEST_TITLE))
    return shown(incident.title, _LONGEST_TITLE)


def cluster_title(context: RequestContext, cluster: Cluster, language: str) -> Markup:
    """The rule's plain title of a burst; of an indicator, empty: its value says it."""
    text = context.rules.text(cluster.rule, language) if cluster.rule else None
    if text is not None:
        return fill(text.title, {}, "…")
    return Markup('<span lang="en">{}</span>').format(cluster.rule_name) if cluster.rule_name else Markup("")


def short_name(tenant: Tenant, language: str) -> str:
    """``Καλαμάτα``, ``Kalamata``."""
    return tenant.name_el if language == "el" else tenant.name_en

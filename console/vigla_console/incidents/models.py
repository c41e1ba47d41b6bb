"""Nouns of the case side: what the queue shows and people decide about. All frozen; a change is a new value with
`version` + 1.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from enum import IntEnum, StrEnum

from vigla_console.tenants.models import TenantId

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class Severity(IntEnum):
    """`event.severity` of the alert document (DESIGN 5.3); ``weight`` sorts the queue (console.md 2.1)."""

    INFORMATIONAL = 10
    LOW = 30
    MEDIUM = 50
    HIGH = 70
    CRITICAL = 90

    @property
    def level(self) -> str:
        """Sigma's word: informational, low, medium, high, critical."""
        return self.name.lower()

    @property
    def weight(self) -> int:
        return _WEIGHTS[self]

    @staticmethod
    def of_level(level: str) -> "Severity":
        """Raises ``ValueError`` for a word that is no level."""
        try:
            return Severity[level.upper()]
        except KeyError:
            raise ValueError(f"{level!r} is no level: informational, low, medium, high, critical") from None


_WEIGHTS = {
    Severity.CRITICAL: 100,
    Severity.HIGH: 60,
    Severity.MEDIUM: 25,
    Severity.LOW: 5,
    Severity.INFORMATIONAL: 1,
}


class State(StrEnum):
    """Where a group stands (console.md 2.4)."""

    NEW = "new"
    ACKNOWLEDGED = "acknowledged"
    ESCALATED = "escalated"
    IN_INCIDENT = "in_incident"
    CLOSED = "closed"

    @property
    def open(self) -> bool:
        return self is not State.CLOSED


class WaitingOn(StrEnum):
    """Whose turn it is in an escalation."""

    NOBODY = ""
    SOC = "soc"
    MUNICIPALITY = "municipality"


class Reason(StrEnum):
    """Why; each belongs to one disposition."""

    RULE_TOO_BROAD = "rule_too_broad"
    WRONG_ASSET_DATA = "wrong_asset_data"
    DAMAGED_DATA = "damaged_data"
    OUTDATED_INDICATOR = "outdated_indicator"
    BLOCKED = "blocked"
    STOPPED_IN_TIME = "stopped_in_time"
    NOT_VULNERABLE = "not_vulnerable"
    SERVICE_DOWN = "service_down"
    DATA_EXPOSED = "data_exposed"
    ACCOUNT_TAKEN = "account_taken"
    MONEY_LOST = "money_lost"
    MAINTENANCE = "maintenance"
    SECURITY_TEST = "security_test"
    CONTRACTOR = "contractor"
    BUSINESS_PROCESS = "business_process"
    NO_SUCH_ASSET = "no_such_asset"
    NOT_OUR_NETWORK = "not_our_network"
    DUPLICATE = "duplicate"


class Disposition(StrEnum):
    """How it ended; None means not triaged and is never a default. ``reasons`` are the only ones allowed."""

    FALSE_POSITIVE = "false_positive"
    TRUE_NO_IMPACT = "true_no_impact"
    TRUE_IMPACT = "true_impact"
    LEGITIMATE = "legitimate"
    NOT_APPLICABLE = "not_applicable"

    @property
    def reasons(self) -> tuple[Reason, ...]:
        return DISPOSITION_REASONS[self]

    @property
    def innocent(self) -> bool:
        """Says that nothing bad had happened."""
        return self in (Disposition.FALSE_POSITIVE, Disposition.LEGITIMATE, Disposition.NOT_APPLICABLE)


DISPOSITION_REASONS: dict[Disposition, tuple[Reason, ...]] = {
    Disposition.FALSE_POSITIVE: (
        Reason.RULE_TOO_BROAD,
        Reason.WRONG_ASSET_DATA,
        Reason.DAMAGED_DATA,
        Reason.OUTDATED_INDICATOR,
    ),
    Disposition.TRUE_NO_IMPACT: (Reason.BLOCKED, Reason.STOPPED_IN_TIME, Reason.NOT_VULNERABLE),
    Disposition.TRUE_IMPACT: (Reason.SERVICE_DOWN, Reason.DATA_EXPOSED, Reason.ACCOUNT_TAKEN, Reason.MONEY_LOST),
    Disposition.LEGITIMATE: (Reason.MAINTENANCE, Reason.SECURITY_TEST, Reason.CONTRACTOR, Reason.BUSINESS_PROCESS),
    Disposition.NOT_APPLICABLE: (Reason.NO_SUCH_ASSET, Reason.NOT_OUR_NETWORK, Reason.DUPLICATE),
}


@dataclass(frozen=True, slots=True, order=True)
class Entity:
    """Whom or what an alert is about: kind is `user`, `host`, `ip`, `domain`, `url`, `hash`, `ja4`, `sensor` or
    `other`; value canonical.
    """

    kind: str
    value: str


@dataclass(frozen=True, slots=True)
class SeverityStep:
    """One shown step from the rule's level to the group's severity: `spread`, `innocent_history`."""

    reason: str
    before: Severity
    after: Severity


@dataclass(frozen=True, slots=True)
class AlertGroup:
    """One row of the queue: a maximal run of one tenant's alerts of one fingerprint (console.md 2.1)."""

    id: str
    tenant: TenantId
    code: str  # A-XXXXXX
    fingerprint: str
    algorithm: str
    rule: str  # rule.uuid
    rule_name: str
    level: Severity  # the rule's own
    severity: Severity  # after the steps
    steps: tuple[SeverityStep, ...]
    risk: int
    entity: Entity
    first_seen: datetime
    last_seen: datetime
    count: int  # with what summaries and folded records carry
    alerts: int  # documents
    tactics: tuple[str, ...]  # ATT&CK tactic ids, TA0006
    techniques: tuple[str, ...]
    samples: tuple[str, ...]  # event ids, at most 20
    entities: tuple[Entity, ...]
    state: State = State.NEW
    waiting_on: WaitingOn = WaitingOn.NOBODY
    waiting_since: datetime | None = None
    assignee: str | None = None  # account id
    assignee_name: str | None = None
    disposition: Disposition | None = None
    reason: Reason | None = None
    closed_through: datetime | None = None
    previous: str | None = None  # code of the closed group this one follows
    incident: str | None = None  # code of its incident
    cluster_tenants: int = 1  # municipalities in its cluster: "appears in n - 1 others"
    overdue: bool = False
    version: int = 1
    opened: datetime = EPOCH  # when the hub made it


class Phase(StrEnum):
    """Phases of an incident, back allowed."""

    IDENTIFICATION = "identification"
    CONTAINMENT = "containment"
    ERADICATION = "eradication"
    RECOVERY = "recovery"
    LESSONS = "lessons"


@dataclass(frozen=True, slots=True)
class Incident:
    """One municipality's record (console.md 2.2). ``opened_by`` is the automatic rule (`critical`, `two_tactics_high`,
    `three_tactics_medium`) or `person`.
    """

    id: str
    tenant: TenantId
    code: str  # P-XXXXXX
    title: str
    severity: Severity
    phase: Phase
    open: bool
    opened_by: str
    because: tuple[str, ...]  # codes of the groups that fulfilled it
    first_seen: datetime
    last_seen: datetime
    entities: tuple[Entity, ...]
    tactics: tuple[str, ...]
    groups: int  # members
    owner: str | None = None
    owner_name: str | None = None
    disposition: Disposition | None = None
    reason: Reason | None = None
    significant: str | None = None  # yes, no, unsure: needed before level >= high closes
    risk: int = 0
    tlp: str = "amber+strict"
    version: int = 1


@dataclass(frozen=True, slots=True)
class ClusterMember:
    """One municipality's part in a cluster."""

    tenant: TenantId
    first_seen: datetime
    last_seen: datetime
    count: int


@dataclass(frozen=True, slots=True)
class Cluster:
    """The same thing in many municipalities (console.md 2.3). ``kind`` is `burst` (key: rule) or `indicator` (key:
    entity).
    """

    id: str
    code: str  # K-XXXXXX
    kind: str
    rule: str | None
    rule_name: str | None
    indicator: Entity | None
    severity: Severity
    first_seen: datetime
    last_seen: datetime
    members: tuple[ClusterMember, ...]
    version: int = 1

    @property
    def count(self) -> int:
        return sum(member.count for member in self.members)


@dataclass(frozen=True, slots=True)
class HistoryEntry:
    """One act on a group or incident, kept for ever; ``note`` of `escalate` and `answer` is the thread."""

    at: datetime
    tenant: TenantId
    actor: str
    actor_name: str
    actor_body: str
    verb: str
    before: str
    after: str
    note: str = ""
    detail: dict[str, str] | None = None


@dataclass(frozen=True, slots=True)
class GroupFilter:
    """What the queue asks for; an empty set means no condition, never "no rows". ``after`` is a signed cursor."""

    states: frozenset[State] = frozenset()
    severities: frozenset[Severity] = frozenset()
    tenants: frozenset[TenantId] = frozenset()
    rules: frozenset[str] = frozenset()
    tactic: str | None = None
    waiting_on: WaitingOn | None = None
    assignee: str | None = None
    unassigned: bool = False
    incident: str | None = None
    entity: Entity | None = None
    text: str = ""
    since: datetime | None = None
    until: datetime | None = None
    sort: str = "risk"  # or last_seen
    size: int = 25
    after: str | None = None


@dataclass(frozen=True, slots=True)
class GroupPage:
    """``total`` is capped at 1,000; ``total_is_exact`` False is shown as «1.000+»."""

    groups: Sequence[AlertGroup]
    next: str | None
    total: int
    total_is_exact: bool


@dataclass(frozen=True, slots=True)
class TenantPicture:
    """One tile: open groups by severity, what waits on the centre, the worst open one."""

    tenant: TenantId
    open_by_severity: dict[Severity, int]
    waiting_on_soc: int
    worst: Severity | None
    open_incidents: int


@dataclass(frozen=True, slots=True)
class DayCount:
    """Alerts of one Athenian day by severity."""

    day: datetime  # the instant at which it starts
    by_severity: dict[Severity, int]

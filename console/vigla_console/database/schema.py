"""Every table of the case database. Times are whole milliseconds UTC; lists are JSON text; a tenant row has
`tenant_id` in its keys.
"""

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Index, Integer, MetaData, Table, Text, text

METADATA = MetaData()


def _text(name: str, *, empty: bool = True, key: bool = False) -> "Column[str]":
    return Column(name, Text, nullable=False, primary_key=key, server_default="" if empty else None)


def _time(name: str, *, nullable: bool = False) -> "Column[int]":
    return Column(name, BigInteger, nullable=nullable)


IS_OPEN = text("state <> 'closed'")  # literal, so that the planner knows these indices by it


def _open_only(name: str, *columns: str) -> Index:
    """Over the few groups that are not closed: the queue and the picture."""
    return Index(name, *columns, sqlite_where=IS_OPEN, postgresql_where=IS_OPEN)


ACCOUNT = Table(
    "account",
    METADATA,
    _text("id", empty=False, key=True),
    Column("login", Text, nullable=False, unique=True),
    _text("name"),
    _text("password_hash"),
    _text("language"),
    Column("disabled", Boolean, nullable=False, default=False),
    _time("created"),
)

BINDING = Table(
    "binding",
    METADATA,
    Column("account_id", ForeignKey("account.id"), primary_key=True),
    _text("role", empty=False, key=True),
    _text("tenant_id", empty=False, key=True),  # "" at the centre
    _time("expires", nullable=True),
)

SESSION = Table(
    "session",
    METADATA,
    _text("token_hash", empty=False, key=True),
    Column("account_id", ForeignKey("account.id"), nullable=False, index=True),
    _text("csrf_token"),
    _time("created"),
    _time("last_seen"),
)

LOGIN_FAILURE = Table(
    "login_failure",
    METADATA,
    _text("key", empty=False, key=True),  # login or address, folded
    Column("failures", Integer, nullable=False),
    _time("last"),
)

SPENT_KEY = Table("spent_key", METADATA, _text("key_hash", empty=False, key=True), _time("at"))

SENSOR = Table(
    "sensor",
    METADATA,
    _text("id", empty=False, key=True),
    Column("tenant_id", Text, nullable=False, index=True),
    Column("credential_hash", Text, nullable=False, unique=True),
    Column("quarantined", Boolean, nullable=False, default=False),
    _time("created"),
    _time("last_seen", nullable=True),
    _time("last_content", nullable=True),
    _text("version"),
    _text("heartbeat"),
)

SENSOR_COUNTER = Table(
    "sensor_counter",
    METADATA,
    Column("sensor_id", ForeignKey("sensor.id"), primary_key=True),
    _text("name", empty=False, key=True),
    Column("n", BigInteger, nullable=False),
)

CONFLICT = Table(
    "conflict",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("tenant_id", Text, nullable=False, index=True),
    _text("event_id"),
    _text("sensor_id"),
    _time("at"),
    _text("body"),
)

ALERT_GROUP = Table(
    "alert_group",
    METADATA,
    _text("id", empty=False, key=True),
    Column("tenant_id", Text, nullable=False),
    Column("code", Text, nullable=False, unique=True),
    _text("fingerprint"),
    _text("algorithm"),
    _text("rule"),
    _text("rule_name"),
    Column("level", Integer, nullable=False),
    Column("severity", Integer, nullable=False),
    _text("steps"),
    Column("risk", Integer, nullable=False),
    _text("entity_kind"),
    _text("entity_value"),
    _time("first_seen"),
    _time("last_seen"),
    Column("events", BigInteger, nullable=False),  # `count` of the noun
    Column("alerts", BigInteger, nullable=False),
    _text("tactics"),
    _text("techniques"),
    _text("samples"),
    _text("state"),
    _text("waiting_on"),
    _time("waiting_since", nullable=True),
    Column("assignee", Text, nullable=True),
    Column("assignee_name", Text, nullable=True),
    Column("disposition", Text, nullable=True),
    Column("reason", Text, nullable=True),
    _time("closed_through", nullable=True),
    Column("previous", Text, nullable=True),
    Column("incident", Text, nullable=True, index=True),  # its code
    Column("cluster_tenants", Integer, nullable=False, default=1),
    Column("overdue", Boolean, nullable=False, default=False),
    _time("opened"),
    Column("version", Integer, nullable=False),
    _text("search_text"),
    Index("alert_group_fingerprint", "tenant_id", "fingerprint"),
    Index("alert_group_risk", "tenant_id", "state", "risk", "id"),
    Index("alert_group_risk_all", "risk", "id"),
    _open_only("alert_group_open_risk", "risk", "id"),
    _open_only("alert_group_open_last", "last_seen", "id"),
    _open_only("alert_group_open_picture", "tenant_id", "severity", "waiting_on"),
    Index("alert_group_last", "tenant_id", "last_seen", "id"),
    Index("alert_group_last_all", "last_seen", "id"),
    Index("alert_group_rule", "tenant_id", "rule", "last_seen"),
    Index("alert_group_judged", "fingerprint", "disposition"),
)

GROUP_REDIRECT = Table(
    "group_redirect",
    METADATA,
    _text("code", empty=False, key=True),  # of the group that was joined into another
    Column("tenant_id", Text, nullable=False),
    Column("group_id", Text, nullable=False),
)

GROUP_ALERT = Table(
    "group_alert",
    METADATA,
    _text("tenant_id", empty=False, key=True),
    _text("event_id", empty=False, key=True),
    Column("group_id", Text, nullable=False),
    _time("first"),
    _time("last"),
    Column("weight", BigInteger, nullable=False),
    Index("group_alert_group", "group_id", "last"),
)

GROUP_ENTITY = Table(
    "group_entity",
    METADATA,
    Column("group_id", Text, primary_key=True),
    _text("kind", empty=False, key=True),
    _text("value", empty=False, key=True),
    Column("tenant_id", Text, nullable=False),
    Column("joins", Boolean, nullable=False),  # by which groups meet in an incident
    Column("external", Boolean, nullable=False),  # by which municipalities meet in a cluster
    Index("group_entity_value", "tenant_id", "kind", "value"),
    Index("group_entity_everywhere", "kind", "value"),
)

INCIDENT = Table(
    "incident",
    METADATA,
    _text("id", empty=False, key=True),
    Column("tenant_id", Text, nullable=False, index=True),
    Column("code", Text, nullable=False, unique=True),
    _text("title"),
    Column("severity", Integer, nullable=False),
    _text("phase"),
    Column("open", Boolean, nullable=False),
    _text("opened_by"),
    _text("because"),
    _time("first_seen"),
    _time("last_seen"),
    _text("entities"),
    _text("tactics"),
    Column("groups", Integer, nullable=False),
    Column("owner", Text, nullable=True),
    Column("owner_name", Text, nullable=True),
    Column("disposition", Text, nullable=True),
    Column("reason", Text, nullable=True),
    Column("significant", Text, nullable=True),
    Column("risk", Integer, nullable=False),
    _text("tlp"),
    Column("touched", Boolean, nullable=False, default=False),  # a person acted: never merged away
    Column("merged_into", Text, nullable=True),
    Column("version", Integer, nullable=False),
)

SIGHTING = Table(
    "sighting",
    METADATA,
    _text("kind", empty=False, key=True),
    _text("value", empty=False, key=True),
    _text("tenant_id", empty=False, key=True),
    Column("hour", BigInteger, primary_key=True),
    _time("first"),
    _time("last"),
    Column("n", BigInteger, nullable=False),
)

CLUSTER = Table(
    "cluster",
    METADATA,
    _text("id", empty=False, key=True),
    Column("code", Text, nullable=False, unique=True),
    _text("kind"),
    _text("rule"),
    _text("rule_name"),
    _text("indicator_kind"),
    _text("indicator_value"),
    Column("severity", Integer, nullable=False),
    _time("first_seen"),
    _time("last_seen"),
    Column("version", Integer, nullable=False),
    Index("cluster_key", "kind", "rule", "indicator_kind", "indicator_value"),
    Index("cluster_last", "last_seen"),
)

CLUSTER_MEMBER = Table(
    "cluster_member",
    METADATA,
    Column("cluster_id", ForeignKey("cluster.id"), primary_key=True),
    _text("tenant_id", empty=False, key=True),
    _time("first_seen"),
    _time("last_seen"),
    Column("n", BigInteger, nullable=False),
)

ROLLUP = Table(
    "rollup",
    METADATA,
    _text("tenant_id", empty=False, key=True),
    Column("hour", BigInteger, primary_key=True),
    _text("rule", empty=False, key=True),
    Column("level", Integer, primary_key=True),
    Column("n", BigInteger, nullable=False),
    Index("rollup_rule", "rule", "hour"),
)

HISTORY = Table(
    "history",
    METADATA,
    Column("id", Integer, primary_key=True),
    Column("tenant_id", Text, nullable=False),
    _text("object"),  # group or incident
    _text("object_id"),
    _time("at"),
    _text("actor"),
    _text("actor_name"),
    _text("actor_body"),
    _text("verb"),
    _text("before"),
    _text("after"),
    _text("note"),
    _text("detail"),
    Index("history_object", "object", "object_id", "id"),
    Index("history_recent", "tenant_id", "at"),
)

AUDIT = Table(
    "audit",
    METADATA,
    _text("chain", empty=False, key=True),
    Column("seq", BigInteger, primary_key=True),
    _time("at"),
    _text("actor"),
    _text("actor_name"),
    _text("actor_body"),
    _text("actor_role"),
    _text("act"),
    _text("object"),
    _text("result"),
    _text("reason"),
    Column("clear", Boolean, nullable=False, default=False),
    _text("prev"),
    _text("hash"),
)

DELEGATION = Table("delegation", METADATA, _text("tenant_id", empty=False, key=True), _time("since"))

META = Table("meta", METADATA, _text("key", empty=False, key=True), _text("value"))

"""Decision rights: the one table of who may do what (console.md 1.2). No permission implies another."""

from enum import StrEnum

from vigla_console.tenants.models import Role


class Permission(StrEnum):
    """What a route or a verb needs; the value is the name written in the audit."""

    PUBLIC = "public"  # no session: log-in page, static files, health
    SENSOR = "sensor"  # a sensor's bearer credential, checked by ingest itself
    SIGNED_IN = "signed_in"  # any live session: own profile, log-out
    ALERTS_READ = "alerts.read"
    ALERTS_ACK = "alerts.ack"
    ALERTS_CLOSE = "alerts.close"
    ALERTS_CLOSE_DELEGATED = "alerts.close.delegated"
    ALERTS_ESCALATE = "alerts.escalate"
    ALERTS_ANSWER = "alerts.answer"
    ALERTS_ASSIGN = "alerts.assign"
    INCIDENTS_OPEN = "incidents.open"
    INCIDENTS_PULL = "incidents.pull"
    CLUSTERS_COUNT = "clusters.count"  # a municipality sees how many, never who
    CLUSTERS_READ = "clusters.read"
    PICTURE_READ = "picture.read"
    SENSORS_READ = "sensors.read"
    AUDIT_READ = "audit.read"
    PEOPLE_MANAGE = "people.manage"


_P = Permission
_VIEWER = frozenset({_P.SIGNED_IN, _P.ALERTS_READ, _P.CLUSTERS_COUNT, _P.SENSORS_READ})
_OFFICER = _VIEWER | {
    _P.ALERTS_ACK,
    _P.ALERTS_CLOSE,
    _P.ALERTS_ESCALATE,
    _P.ALERTS_ANSWER,
    _P.ALERTS_ASSIGN,
    _P.INCIDENTS_OPEN,
    _P.AUDIT_READ,
}
_ANALYST = frozenset(
    {
        _P.SIGNED_IN,
        _P.ALERTS_READ,
        _P.ALERTS_ANSWER,
        _P.ALERTS_ASSIGN,
        _P.ALERTS_CLOSE_DELEGATED,
        _P.INCIDENTS_PULL,
        _P.CLUSTERS_COUNT,
        _P.CLUSTERS_READ,
        _P.PICTURE_READ,
        _P.SENSORS_READ,
    }
)

ROLE_PERMISSIONS: dict[Role, frozenset[Permission]] = {
    Role.VIEWER: _VIEWER,
    Role.OFFICER: _OFFICER,
    Role.ADMIN: _VIEWER | {_P.PEOPLE_MANAGE},
    Role.ANALYST: _ANALYST,
    Role.LEAD: _ANALYST,
    Role.AUDITOR: frozenset({_P.SIGNED_IN, _P.AUDIT_READ}),
    Role.HUB_ADMIN: frozenset({_P.SIGNED_IN, _P.PEOPLE_MANAGE, _P.SENSORS_READ}),
}

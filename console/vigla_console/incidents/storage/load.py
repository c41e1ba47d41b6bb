"""Reads of groups and what hangs on them, shared by reader, changes and aggregation. The caller says which tenants."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

from sqlalchemy import Connection, Row, Select, select

from vigla_console.database.schema import ALERT_GROUP, GROUP_ENTITY
from vigla_console.incidents.models import AlertGroup, Entity
from vigla_console.incidents.storage.rows import group_of

CHUNK = 500  # values in one IN


def load_groups(connection: Connection, wanted: Select[Any]) -> list[AlertGroup]:
    """``wanted`` selects from `alert_group`; entities are fetched with it."""
    rows: Sequence[Row[Any]] = connection.execute(wanted).all()
    entities = entities_of(connection, [row.id for row in rows])
    return [group_of(row, entities.get(row.id, ())) for row in rows]


def groups_by_id(connection: Connection, ids: Iterable[str]) -> dict[str, AlertGroup]:
    found: dict[str, AlertGroup] = {}
    for chunk in chunks(ids):
        groups = load_groups(connection, select(ALERT_GROUP).where(ALERT_GROUP.c.id.in_(chunk)))
        found |= {group.id: group for group in groups}
    return found


def entities_of(connection: Connection, ids: Iterable[str]) -> dict[str, list[Entity]]:
    """Joining entities (not indicators) per group."""
    found: dict[str, list[Entity]] = defaultdict(list)
    for chunk in chunks(ids):
        wanted = (
            select(GROUP_ENTITY)
            .where(GROUP_ENTITY.c.group_id.in_(chunk), GROUP_ENTITY.c.joins.is_(True))
            .order_by(GROUP_ENTITY.c.kind, GROUP_ENTITY.c.value)
        )
        for row in connection.execute(wanted):
            found[row.group_id].append(Entity(row.kind, row.value))
    return found


def chunks(values: Iterable[str]) -> Iterable[tuple[str, ...]]:
    every = sorted(set(values))
    return [tuple(every[start : start + CHUNK]) for start in range(0, len(every), CHUNK)]

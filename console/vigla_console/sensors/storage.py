"""The fleet in the case database. A credential is 256 random bits shown once; its SHA-256 is what is kept."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, delete, func, insert, select, update

from vigla_console.audit.models import HUB
from vigla_console.audit.storage import Deed, append
from vigla_console.clock import Clock
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.schema import CONFLICT, SENSOR, SENSOR_COUNTER
from vigla_console.database.times import from_column, maybe_from, to_column
from vigla_console.errors import NotFound, Refused
from vigla_console.scope import Actor, Scope
from vigla_console.sensors.models import Sensor
from vigla_console.tenants.models import TenantId
from vigla_console.tokens import new_token, token_hash

MOST_CONFLICTS = 1_000  # per tenant; older ones go, the counter stays


@dataclass(frozen=True, slots=True)
class SqlSensors:
    """See ``SensorReader``."""

    scope: Scope
    database: CaseDatabase

    def sensors(self) -> Sequence[Sensor]:
        with self.database.read() as connection:
            wanted = select(SENSOR).where(SENSOR.c.tenant_id.in_(self.scope.tenants)).order_by(SENSOR.c.id)
            return [_sensor(row, _counters(connection, row.id)) for row in connection.execute(wanted).all()]

    def sensor(self, sensor_id: str) -> Sensor:
        wanted = select(SENSOR).where(SENSOR.c.id == sensor_id, SENSOR.c.tenant_id.in_(self.scope.tenants))
        with self.database.read() as connection:
            row = connection.execute(wanted).first()
            if row is None:
                raise NotFound(f"no sensor {sensor_id!r}")
            return _sensor(row, _counters(connection, sensor_id))


@dataclass(frozen=True, slots=True)
class SensorRegistry:
    """What comes before any Scope: which sensor a credential is, and what it was last heard saying."""

    database: CaseDatabase
    clock: Clock

    def add(self, sensor_id: str, tenant: TenantId) -> str:
        """Enrols a sensor; returns its credential, which is shown once. Raises ``Refused`` for a taken id."""
        if not sensor_id or len(sensor_id) > 64 or not sensor_id.replace("-", "").replace("_", "").isalnum():
            raise Refused("a sensor's id is 1 to 64 letters, digits, - and _")
        credential = new_token()
        with self.database.write() as connection:
            if connection.execute(select(SENSOR.c.id).where(SENSOR.c.id == sensor_id)).first():
                raise Refused(
                    f"the sensor {sensor_id!r} exists: use `vigla-console sensor rotate` for a new credential"
                )
            connection.execute(
                insert(SENSOR).values(
                    id=sensor_id,
                    tenant_id=tenant,
                    credential_hash=token_hash(credential),
                    quarantined=False,
                    created=to_column(self.clock.now()),
                )
            )
            self._audit(connection, tenant, Deed("sensor.add", f"sensor:{sensor_id}"))
        return credential

    def rotate(self, sensor_id: str) -> str:
        """A new credential; the old one ends at once. Raises ``NotFound``."""
        credential = new_token()
        with self.database.write() as connection:
            row = self._row(connection, sensor_id)
            values = {"credential_hash": token_hash(credential)}
            connection.execute(update(SENSOR).where(SENSOR.c.id == sensor_id).values(**values))
            self._audit(connection, TenantId(row.tenant_id), Deed("sensor.rotate", f"sensor:{sensor_id}"))
        return credential

    def quarantine(self, sensor_id: str, *, on: bool) -> None:
        """What a quarantined sensor sends is refused with 403. Raises ``NotFound``."""
        with self.database.write() as connection:
            row = self._row(connection, sensor_id)
            connection.execute(update(SENSOR).where(SENSOR.c.id == sensor_id).values(quarantined=on))
            deed = Deed("sensor.quarantine" if on else "sensor.release", f"sensor:{sensor_id}")
            self._audit(connection, TenantId(row.tenant_id), deed)

    def by_credential(self, credential: str) -> Sensor | None:
        with self.database.read() as connection:
            wanted = select(SENSOR).where(SENSOR.c.credential_hash == token_hash(credential))
            row = connection.execute(wanted).first()
            return _sensor(row, {}) if row else None

    def heard(self, sensor_id: str, counts: Mapping[str, int], *, content: bool) -> None:
        """Adds to the sensor's counters and stamps when it was heard."""
        now = to_column(self.clock.now())
        with self.database.write() as connection:
            stamps = {"last_seen": now, **({"last_content": now} if content else {})}
            connection.execute(update(SENSOR).where(SENSOR.c.id == sensor_id).values(**stamps))
            for name, n in counts.items():
                _add(connection, sensor_id, name, n)

    def heartbeat(self, sensor_id: str, document: Mapping[str, Any]) -> None:
        version = document.get("version")
        values = {
            "last_seen": to_column(self.clock.now()),
            "heartbeat": json.dumps(document, ensure_ascii=False),
            "version": version if isinstance(version, str) else "",
        }
        with self.database.write() as connection:
            connection.execute(update(SENSOR).where(SENSOR.c.id == sensor_id).values(**values))

    def keep_conflict(self, sensor: Sensor, event_id: str, body: str) -> None:
        """Into the bounded bin: the newest of each tenant stay."""
        with self.database.write() as connection:
            connection.execute(
                insert(CONFLICT).values(
                    tenant_id=sensor.tenant,
                    event_id=event_id,
                    sensor_id=sensor.id,
                    at=to_column(self.clock.now()),
                    body=body,
                )
            )
            kept = select(CONFLICT.c.id).where(CONFLICT.c.tenant_id == sensor.tenant)
            over = connection.execute(kept.order_by(CONFLICT.c.id.desc()).offset(MOST_CONFLICTS).limit(1)).scalar()
            if over is not None:
                gone = delete(CONFLICT).where(CONFLICT.c.tenant_id == sensor.tenant, CONFLICT.c.id <= over)
                connection.execute(gone)

    def conflicts(self, tenant: TenantId) -> int:
        with self.database.read() as connection:
            counted = select(func.count()).select_from(CONFLICT).where(CONFLICT.c.tenant_id == tenant)
            return connection.execute(counted).scalar_one()

    def _row(self, connection: Connection, sensor_id: str) -> Row[Any]:
        row = connection.execute(select(SENSOR).where(SENSOR.c.id == sensor_id)).first()
        if row is None:
            raise NotFound(f"no sensor {sensor_id!r}: see `vigla-console sensor list`")
        return row

    def _audit(self, connection: Connection, tenant: TenantId, deed: Deed) -> None:
        append(connection, self.clock, Actor("cli", "cli", "operator", HUB), [tenant], deed)


def _add(connection: Connection, sensor_id: str, name: str, n: int) -> None:
    where = (SENSOR_COUNTER.c.sensor_id == sensor_id, SENSOR_COUNTER.c.name == name)
    changed = connection.execute(update(SENSOR_COUNTER).where(*where).values(n=SENSOR_COUNTER.c.n + n))
    if changed.rowcount == 0:
        connection.execute(insert(SENSOR_COUNTER).values(sensor_id=sensor_id, name=name, n=n))


def _counters(connection: Connection, sensor_id: str) -> dict[str, int]:
    rows = connection.execute(select(SENSOR_COUNTER).where(SENSOR_COUNTER.c.sensor_id == sensor_id))
    return {row.name: row.n for row in rows}


def _sensor(row: Row[Any], counters: Mapping[str, int]) -> Sensor:
    return Sensor(
        id=row.id,
        tenant=TenantId(row.tenant_id),
        created=from_column(row.created),
        quarantined=bool(row.quarantined),
        last_seen=maybe_from(row.last_seen),
        last_content=maybe_from(row.last_content),
        version=row.version,
        counters=counters,
        heartbeat=json.loads(row.heartbeat) if row.heartbeat else None,
    )

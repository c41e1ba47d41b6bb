"""Takes alerts in: each line is judged alone, and nothing is answered before the store has it durably."""

import json
import logging
from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from vigla_console.alerts.interfaces import AlertStore
from vigla_console.alerts.models import Alert, BadAlert, PutResult, PutStatus, dotted
from vigla_console.ingest.schema import check
from vigla_console.ingest.unpack import Limits
from vigla_console.scope import Scope
from vigla_console.sensors.models import Sensor
from vigla_console.tenants.directory import TenantDirectory

LOG = logging.getLogger(__name__)


class Registry(Protocol):
    """What ingest needs of the fleet."""

    def by_credential(self, credential: str) -> Sensor | None: ...
    def heard(self, sensor_id: str, counts: Mapping[str, int], *, content: bool) -> None: ...
    def heartbeat(self, sensor_id: str, document: Mapping[str, Any]) -> None: ...
    def keep_conflict(self, sensor: Sensor, event_id: str, body: str) -> None: ...


class Alarm(Protocol):
    """Where a claim of another municipality is written down."""

    def __call__(self, sensor: Sensor, claimed: str, count: int) -> None: ...


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """``result`` is created, duplicate or rejected; the other three only with rejected."""

    id: str
    result: str
    type: str = ""
    detail: str = ""
    retry: bool = False

    def document(self) -> dict[str, Any]:
        answer: dict[str, Any] = {"id": self.id, "result": self.result}
        if self.result == "rejected":
            answer["reason"] = {"type": self.type, "detail": self.detail, "retry": self.retry}
        return answer


@dataclass(frozen=True, slots=True)
class IngestService:
    """``arrived`` wakes whoever aggregates."""

    store: Callable[[Scope], AlertStore]
    registry: Registry
    tenants: TenantDirectory
    limits: Limits
    alarm: Alarm
    arrived: Callable[[], None]

    def take(self, sensor: Sensor, lines: Sequence[bytes]) -> list[ItemAnswer]:
        """One answer per line, in order; raises ``StoreUnavailable``, and then nothing was stored."""
        judged = [self._judge(sensor, line) for line in lines]
        good = [item for item in judged if isinstance(item, Alert)]
        results = iter(self.store(Scope.of_sensor(sensor.id, sensor.tenant)).put(good)) if good else iter(())
        answers, counts = [], Counter[str]()
        for item in judged:
            if isinstance(item, ItemAnswer):
                answer, fate = item, f"rejected_{item.type}"
            else:
                answer, fate = self._answer(sensor, item, next(results))
            answers.append(answer)
            counts[fate] += 1
        self._note(sensor, counts)
        return answers

    def _judge(self, sensor: Sensor, line: bytes) -> Alert | ItemAnswer:
        if len(line) > self.limits.line_bytes:
            detail = f"{len(line)} bytes: an alert has at most {self.limits.line_bytes}"
            return ItemAnswer("", "rejected", "too_large", detail)
        try:
            document = dict(check(json.loads(line)))
        except BadAlert as error:
            return ItemAnswer(_id_of(line), "rejected", "schema", str(error))
        except (ValueError, RecursionError) as error:
            return ItemAnswer("", "rejected", "schema", f"no JSON: {error}"[:300])
        claimed = dotted(document, "organization.id")
        event_id = str(dotted(document, "event.id"))
        if claimed is not None and claimed != sensor.tenant:
            detail = f"organization.id is {str(claimed)[:60]!r}, this credential is of {sensor.tenant}"
            return ItemAnswer(event_id, "rejected", "tenant_mismatch", detail)
        document["organization"] = {"id": sensor.tenant, "name": self.tenants.get(sensor.tenant).title_el}
        return Alert.of(sensor.tenant, document)

    def _answer(self, sensor: Sensor, alert: Alert, result: PutResult) -> tuple[ItemAnswer, str]:
        match result.status:
            case PutStatus.CREATED | PutStatus.DUPLICATE:
                return ItemAnswer(alert.event_id, result.status.value), result.status.value
            case PutStatus.CONFLICT:
                body = json.dumps(alert.body, ensure_ascii=False)
                self.registry.keep_conflict(sensor, alert.event_id, body)
                return ItemAnswer(alert.event_id, "duplicate"), "conflict"
            case PutStatus.REJECTED:
                answer = ItemAnswer(alert.event_id, "rejected", result.type, result.detail, result.retry)
                return answer, f"rejected_{result.type}"

    def _note(self, sensor: Sensor, counts: Counter[str]) -> None:
        self.registry.heard(sensor.id, counts, content=bool(counts["created"] or counts["duplicate"]))
        if mismatched := counts["rejected_tenant_mismatch"]:
            LOG.error("sensor %s sent %d alerts in another municipality's name: is it stolen?", sensor.id, mismatched)
            self.alarm(sensor, "organization.id", mismatched)
        if counts["created"]:
            self.arrived()


def _id_of(line: bytes) -> str:
    try:
        found = dotted(json.loads(line), "event.id")
    except (ValueError, AttributeError, TypeError):
        return ""
    return found[:64] if isinstance(found, str) else ""

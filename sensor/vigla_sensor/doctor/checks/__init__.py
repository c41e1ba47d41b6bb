"""The questions, in the order in which they are asked. Each is a pure function from an observation to its findings."""

from collections.abc import Callable

from vigla_sensor.doctor.checks import box, clock, content, loss, mirror, networks
from vigla_sensor.doctor.finding import Finding, Severity
from vigla_sensor.doctor.observation import Observation

Check = Callable[[Observation], list[Finding]]

OF_THE_BOX: tuple[Check, ...] = (mirror.interfaces, clock.clock, loss.dropped, box.spool, box.rules)
"""Asked whatever comes."""
OF_TRAFFIC: tuple[Check, ...] = (
    mirror.directions,
    networks.translated,
    networks.vlans,
    networks.local,
    content.dns,
    content.encryption,
    loss.holes,
    loss.cut,
    loss.tables,
    content.duplicates,
    content.large,
    content.checksums,
    content.fan_out,
)
"""Asked where conversations come: of a port that is no mirror they would say what the first answer says."""
_ORDER = tuple(Severity)


def diagnose(seen: Observation) -> list[Finding]:
    """All findings, the gravest first."""
    found = mirror.kind(seen)
    blind = any(finding.severity is Severity.BLIND for finding in found)
    for check in OF_THE_BOX if blind else (*OF_TRAFFIC, *OF_THE_BOX):
        found += check(seen)
    return sorted(found, key=lambda finding: _ORDER.index(finding.severity))

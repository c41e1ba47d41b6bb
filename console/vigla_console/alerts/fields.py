"""The catalogue of fields a query may name. A name outside it is an error with the nearest one, never silence."""

from dataclasses import dataclass
from difflib import get_close_matches
from enum import StrEnum


class FieldType(StrEnum):
    """How values compare."""

    KEYWORD = "keyword"
    IP = "ip"
    INTEGER = "integer"


class UnknownField(ValueError):
    """A query named a field that is not in the catalogue."""


@dataclass(frozen=True, slots=True, order=True)
class Field:
    """``name`` is the ECS path; ``longest`` is `ignore_above`: longer values are stored but not indexed."""

    name: str
    type: FieldType
    longest: int = 1024

    @staticmethod
    def named(name: str) -> "Field":
        """Raises ``UnknownField`` naming the nearest."""
        try:
            return CATALOGUE[name]
        except KeyError:
            near = get_close_matches(name, CATALOGUE, n=1)
            hint = f"; did you mean {near[0]!r}?" if near else ""
            raise UnknownField(f"unknown field {name!r}{hint}") from None


_KEYWORDS = (
    "event.action event.dataset event.module event.category event.type "
    "rule.uuid rule.name rule.ruleset threat.tactic.id threat.technique.id "
    "observer.name observer.serial_number network.transport network.protocol network.community_id network.direction "
    "dns.question.name dns.question.type url.domain http.request.method user_agent.original "
    "tls.client.ja4 tls.client.server_name user.name host.name process.name file.name file.hash.sha256 "
    "related.user related.hosts related.hash vigla.level vigla.entity.kind vigla.entity.value"
)
_LONG = ("url.full", "url.original", "process.command_line")
_ADDRESSES = ("source.ip", "destination.ip", "related.ip")
_INTEGERS = ("event.severity", "source.port", "destination.port", "http.response.status_code", "network.bytes")

CATALOGUE: dict[str, Field] = {
    **{name: Field(name, FieldType.KEYWORD) for name in _KEYWORDS.split()},
    **{name: Field(name, FieldType.KEYWORD, 8000) for name in _LONG},
    **{name: Field(name, FieldType.IP) for name in _ADDRESSES},
    **{name: Field(name, FieldType.INTEGER) for name in _INTEGERS},
}

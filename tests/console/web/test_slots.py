"""What a slot of a rule's text finds in an alert."""

from typing import Any

from tests.console.build import document
from vigla_console.alerts.models import Alert
from vigla_console.tenants.models import TenantId
from vigla_console.web.slots import fill, values_of

TOWN = TenantId("kalamata")
ECS = {"c-ip": "source.ip", "src_ip": "source.ip"}


def alert(**event: Any) -> Alert:
    body = document(1)
    body["source"] = {"ip": "203.0.113.9"}
    body["vigla"] = {**body["vigla"], "event": event}
    body["vigla"].pop("correlation", None)
    return Alert.of(TOWN, body)


def test_a_field_of_the_event_is_taken_as_it_came() -> None:
    values = values_of(alert(**{"c-ip": "198.51.100.7"}), ECS)
    assert "198.51.100.7" in fill("{c-ip}", values, "(unknown)")


def test_an_alias_is_found_by_its_place_in_the_document() -> None:
    values = values_of(alert(**{"id.orig_h": "203.0.113.9"}), ECS)
    assert "203.0.113.9" in fill("{c-ip}", values, "(unknown)")


def test_what_is_nowhere_is_unknown() -> None:
    assert "(unknown)" in fill("{host}", values_of(alert(), ECS), "(unknown)")
    assert values_of(None, ECS) == {}

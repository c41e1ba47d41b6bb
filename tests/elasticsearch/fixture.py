"""Fixtures over the real server: one for all tests of a run, a fresh municipality with its key for each test."""

import json
import os
import secrets
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.elasticsearch import provision
from tests.elasticsearch.distribution import DEFAULT_VERSION
from tests.elasticsearch.errors import ProvisionError
from tests.elasticsearch.server import Server

DEPLOY = Path(__file__).resolve().parents[2] / "deploy" / "elasticsearch"
TEMPLATES = {
    "/_component_template/vigla-alerts@settings": "component-settings.json",
    "/_component_template/vigla-alerts@mappings": "component-mappings.json",
    "/_index_template/vigla-alerts": "index-template.json",
}


@dataclass(frozen=True, slots=True)
class Municipality:
    """A tenant that only one test uses. `api_key` can create documents in its indices and nothing else."""

    tenant: str
    api_key: str
    key_id: str


def require(error: ProvisionError) -> None:
    """Skips, saying why; fails where `VIGLA_REQUIRE_ELASTICSEARCH=1` makes absence a failure."""
    if os.environ.get("VIGLA_REQUIRE_ELASTICSEARCH") == "1":
        pytest.fail(f"Elasticsearch is required and cannot be had: {error}", pytrace=False)
    pytest.skip(f"no Elasticsearch: {error}")


def apply_templates(server: Server) -> None:
    """Puts the templates of `deploy/elasticsearch/`."""
    for path, name in TEMPLATES.items():
        status, answer = server.request("PUT", path, json.loads((DEPLOY / name).read_text(encoding="utf-8")))
        assert status == 200, answer


def new_municipality(server: Server) -> Municipality:
    """Mints a sensor's key as `deploy/elasticsearch/role-sensor.json` says."""
    tenant = f"t{secrets.token_hex(6)}"
    text = (DEPLOY / "role-sensor.json").read_text(encoding="utf-8")
    body = json.loads(text.replace("{tenant}", tenant).replace("{sensor}", f"{tenant}-1"))
    status, answer = server.request("POST", "/_security/api_key", body)
    assert status == 200, answer
    return Municipality(tenant, answer["encoded"], answer["id"])


@pytest.fixture(scope="session")
def elasticsearch_server() -> Iterator[Server]:
    """The shared server, with the project's templates. `VIGLA_ELASTICSEARCH_VERSION` chooses the version."""
    version = os.environ.get("VIGLA_ELASTICSEARCH_VERSION", DEFAULT_VERSION)
    with ExitStack() as stack:
        try:
            server = stack.enter_context(provision.shared(version))
        except ProvisionError as error:
            require(error)
            raise
        apply_templates(server)
        yield server


@pytest.fixture
def municipality(elasticsearch_server: Server) -> Municipality:
    """A fresh one for each test."""
    return new_municipality(elasticsearch_server)

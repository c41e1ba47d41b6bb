"""The contract of alert stores over each of them; the questions' own errors once."""

from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from tests.console.build import NOW, StandingClock
from tests.contract.alert_store_suite import SIGNER, AlertStoreContract
from tests.contract.alert_store_suite import TestTheQueryItself as TestQuery  # noqa: F401  collected here
from tests.contract.memory_alert_store import MemoryAlerts, MemoryAlertStore
from tests.elasticsearch.server import Server
from vigla_console.alerts.elasticsearch import Cluster, ElasticsearchAlertStore, Patience
from vigla_console.alerts.interfaces import AlertStore
from vigla_console.alerts.sqlite import AlertFile, SqliteAlertStore
from vigla_console.scope import Scope


@dataclass
class MemoryRig:
    memory: MemoryAlerts = field(default_factory=MemoryAlerts)

    def store(self, scope: Scope) -> AlertStore:
        return MemoryAlertStore(scope, self.memory, SIGNER)

    def settle(self) -> None:
        """Visible at once."""


@dataclass
class SqliteRig:
    file: AlertFile

    def store(self, scope: Scope) -> AlertStore:
        return SqliteAlertStore(scope, self.file, SIGNER)

    def settle(self) -> None:
        """Visible at once."""


class TestMemory(AlertStoreContract):
    @pytest.fixture
    def rig(self) -> MemoryRig:
        return MemoryRig()


class TestSqlite(AlertStoreContract):
    @pytest.fixture
    def rig(self, tmp_path: Path) -> SqliteRig:
        return SqliteRig(AlertFile(tmp_path / "alerts.db"))


@dataclass
class ElasticsearchRig:
    cluster: Cluster

    def store(self, scope: Scope) -> AlertStore:
        return ElasticsearchAlertStore(scope, self.cluster, SIGNER, Patience("30s", "30s"))

    def settle(self) -> None:
        """The store promises two seconds; the rig does not wait for them."""
        self.cluster.ask("POST", "/vigla-alerts-*/_refresh")
        self.cluster.forget_list()


@pytest.mark.elasticsearch
class TestElasticsearch(AlertStoreContract):
    examples = 15

    @pytest.fixture
    def rig(self, elasticsearch_server: Server) -> Iterator[ElasticsearchRig]:
        cluster = Cluster.connect(
            elasticsearch_server.url,
            elasticsearch_server.ca_file,
            StandingClock(NOW),
            user=("elastic", elasticsearch_server.password),
        )
        yield ElasticsearchRig(cluster)
        cluster.client.close()

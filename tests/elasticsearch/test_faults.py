"""Faults of the server itself, on one of its own: killed in mid-bulk and restarted, and its disk at flood stage."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.elasticsearch import provision, server
from tests.elasticsearch.errors import ProvisionError
from tests.elasticsearch.fixture import apply_templates, new_municipality, require
from tests.elasticsearch.rig import Rig, stored
from vigla_sensor.deliver.elasticsearch import Bulk

pytestmark = pytest.mark.elasticsearch


@pytest.fixture
def own_server() -> Iterator[server.Server]:
    """Broken by the test, so nobody else's."""
    try:
        with provision.alone("faults") as started:
            apply_templates(started)
            yield started
    except ProvisionError as error:
        require(error)


class _KillsTheServer:
    """Kills the server right before bulk number `at` would be answered."""

    def __init__(self, bulk: Bulk, victim: server.Server, at: int) -> None:
        self._bulk, self._victim, self._at, self.calls = bulk, victim, at, 0

    def __call__(self, api_key: str, operations: Sequence[bytes]) -> Mapping[str, Any]:
        self.calls += 1
        if self.calls == self._at:
            answer = self._bulk(api_key, operations)
            self._victim.kill()
            # The answer was on its way when the node died: nobody reads it.
            assert answer["items"]
            return self._bulk(api_key, operations)
        return self._bulk(api_key, operations)

    def close(self) -> None:
        self._bulk.close()


def test_a_server_killed_in_mid_bulk_loses_and_doubles_nothing(own_server: server.Server, tmp_path: Path) -> None:
    town = new_municipality(own_server)
    rig = Rig(own_server, town, tmp_path, lambda bulk: _KillsTheServer(bulk, own_server, 2))
    rig.spool.accept(rig.alerts(range(300)))
    rig.step()
    assert rig.courier.state.state == "waiting"
    assert rig.counted("delivered") == 100
    again = server.launch(own_server)
    states = set()
    for _ in range(30):
        rig.step(10)
        states.add(rig.courier.state.reason)
    assert not any("credential refused" in reason for reason in states)
    assert rig.counted("delivered") + rig.counted("already_there") == 300
    assert rig.counted("already_there") > 0
    ids = stored(again, town.tenant)
    assert len(ids) == len(set(ids)) == 300
    rig.close()
    again.stop()

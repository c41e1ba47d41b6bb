"""Delivery to the real server: exactly once in effect, whatever happens on the way."""

import json
import os
import signal
import ssl
import subprocess
import sys
import urllib.error
import urllib.request
from pathlib import Path

import pytest

from tests.elasticsearch.fixture import Municipality, apply_templates, new_municipality
from tests.elasticsearch.rig import Rig, stored
from tests.elasticsearch.server import Server
from vigla_sensor.spool import read_status

pytestmark = pytest.mark.elasticsearch
ROOT = Path(__file__).resolve().parents[2]


def test_ships_and_a_repeated_batch_is_already_there(
    elasticsearch_server: Server, municipality: Municipality, tmp_path: Path
) -> None:
    rig = Rig(elasticsearch_server, municipality, tmp_path / "first")
    alerts = rig.alerts(range(120))
    rig.spool.accept(alerts)
    rig.step()
    assert rig.counted("delivered") == 120
    assert stored(elasticsearch_server, municipality.tenant) == sorted(alert.event_id for alert in alerts)
    rig.close()
    # A new spool, as after a swap of the box: the same input again.
    again = Rig(elasticsearch_server, municipality, tmp_path / "second")
    again.spool.accept(alerts)
    again.step()
    assert again.counted("already_there") == 120
    assert len(stored(elasticsearch_server, municipality.tenant)) == 120
    again.close()


def test_the_stored_document_is_the_spooled_one_with_its_words(
    elasticsearch_server: Server, municipality: Municipality, tmp_path: Path
) -> None:
    rig = Rig(elasticsearch_server, municipality, tmp_path)
    (alert,) = rig.alerts(range(1), query="Πύλη.example")
    rig.spool.accept([alert])
    rig.step()
    status, answer = elasticsearch_server.request("GET", f"/{alert.index_name}/_doc/{alert.event_id}")
    assert status == 200
    document = answer["_source"]
    words = document["vigla"].pop("search_text").split()
    assert {"πυλη", "example"} <= set(words)
    assert document["event"].pop("sequence") == rig.spool.sequence(1)
    assert document == json.loads(alert.body)
    rig.close()


def test_a_key_can_create_in_its_own_indices_and_nothing_else(
    elasticsearch_server: Server, municipality: Municipality, tmp_path: Path
) -> None:
    foreign = new_municipality(elasticsearch_server)
    mine = Rig(elasticsearch_server, municipality, tmp_path / "a")
    other = Rig(elasticsearch_server, foreign, tmp_path / "b")
    other.spool.accept(other.alerts(range(3)))
    other.step()
    mine.spool.accept([*mine.alerts(range(10, 15)), *other.alerts(range(20, 22))])
    mine.step()
    (parked,) = mine.spool.parked("elasticsearch").items()
    assert parked[0].startswith(f"vigla-alerts-{foreign.tenant}-")
    assert parked[1].startswith("403 security_exception")
    assert mine.counted("delivered") == 5
    assert mine.courier.state.state == "flowing"
    assert len(stored(elasticsearch_server, foreign.tenant)) == 3
    index = mine.alerts(range(1))[0].index_name
    for method, path in (("GET", f"/{index}/_search"), ("DELETE", f"/{index}"), ("PUT", f"/{index}/_doc/{10:032x}")):
        assert _as_sensor(elasticsearch_server, municipality, method, path) == 403
    mine.close()
    other.close()


def _as_sensor(server: Server, town: Municipality, method: str, path: str) -> int:
    request = urllib.request.Request(f"{server.url}{path}", b"{}" if method == "PUT" else None, method=method)  # noqa: S310
    request.add_header("Authorization", f"ApiKey {town.api_key}")
    request.add_header("Content-Type", "application/json")
    context = ssl.create_default_context(cafile=str(server.ca_file))
    try:
        with urllib.request.urlopen(request, timeout=30, context=context) as answer:  # noqa: S310
            return int(answer.status)
    except urllib.error.HTTPError as error:
        with error:
            return error.code


def test_a_revoked_key_parks_and_its_successor_resumes_without_a_restart(
    elasticsearch_server: Server, municipality: Municipality, tmp_path: Path
) -> None:
    rig = Rig(elasticsearch_server, municipality, tmp_path)
    elasticsearch_server.request("DELETE", "/_security/api_key", {"ids": [municipality.key_id]})
    rig.spool.accept(rig.alerts(range(30)))
    rig.step()
    assert rig.courier.state.state == "parked"
    assert "credential refused" not in rig.courier.state.reason
    rig.step(5, times=30)
    assert rig.courier.state.reason.startswith("credential refused: HTTP 401")
    body = {
        "name": "again",
        "role_descriptors": {
            "w": {
                "cluster": [],
                "indices": [
                    {
                        "names": [f"vigla-alerts-{municipality.tenant}-*"],
                        "privileges": ["create_doc", "auto_configure"],
                    }
                ],
            }
        },
    }
    rig.key = elasticsearch_server.request("POST", "/_security/api_key", body)[1]["encoded"]
    rig.step(60)
    assert rig.counted("delivered") == 30
    rig.close()


def test_a_closed_index_parks_alone_and_resumes(
    elasticsearch_server: Server, municipality: Municipality, tmp_path: Path
) -> None:
    rig = Rig(elasticsearch_server, municipality, tmp_path)
    (first,) = rig.alerts(range(1))
    rig.spool.accept([first])
    rig.step()
    elasticsearch_server.request("POST", f"/{first.index_name}/_close")
    last_year = rig.alerts(range(86_400 * 350, 86_400 * 350 + 5))
    rig.spool.accept([*rig.alerts(range(1, 6)), *last_year])
    rig.step()
    assert rig.spool.parked("elasticsearch")[first.index_name].startswith("400 index_closed_exception")
    assert last_year[0].index_name != first.index_name
    assert rig.counted("delivered") == 6
    elasticsearch_server.request("POST", f"/{first.index_name}/_open")
    rig.step(61, times=3)
    assert rig.counted("delivered") == 11
    assert rig.spool.parked("elasticsearch") == {}
    rig.close()


def test_one_row_the_mapping_cannot_take_is_rejected_among_good_ones(
    elasticsearch_server: Server, municipality: Municipality, tmp_path: Path
) -> None:
    rig = Rig(elasticsearch_server, municipality, tmp_path)
    good = rig.alerts(range(5))
    (bad,) = rig.alerts(range(9, 10))
    spoiled = type(bad)(
        bad.event_id,
        bad.index_name,
        bad.severity,
        bad.fold_key,
        bad.body.replace(b'"ip":"10.0.0.5"', b'"ip":"not an address"'),
    )
    rig.spool.accept([*good, spoiled])
    rig.step()
    assert rig.counted("delivered") == 5
    assert rig.counted("dead_lettered") == 1
    assert rig.spool.redrive() == 1
    rig.close()


def test_an_index_with_a_strict_mapping_of_its_own_buries_nothing(
    elasticsearch_server: Server, municipality: Municipality, tmp_path: Path
) -> None:
    rig = Rig(elasticsearch_server, municipality, tmp_path)
    alerts = rig.alerts(range(8))
    body = {"mappings": {"dynamic": "strict", "properties": {"x": {"type": "keyword"}}}}
    # Made before the templates ever were: by hand, without what they would bring.
    elasticsearch_server.request("DELETE", "/_index_template/vigla-alerts")
    try:
        status, answer = elasticsearch_server.request("PUT", f"/{alerts[0].index_name}", body)
        assert status == 200, answer
    finally:
        apply_templates(elasticsearch_server)
    rig.spool.accept(alerts)
    rig.step(61, times=4)
    assert rig.counted("dead_lettered") == 0
    assert "strict_dynamic_mapping_exception" in rig.spool.parked("elasticsearch")[alerts[0].index_name]
    elasticsearch_server.request("DELETE", f"/{alerts[0].index_name}")
    rig.step(61, times=3)
    assert rig.counted("delivered") == 8
    rig.close()


@pytest.mark.parametrize("kill_at", [1, 2, 3])
def test_killed_between_send_and_acknowledge_every_id_is_there_once(
    elasticsearch_server: Server, municipality: Municipality, tmp_path: Path, kill_at: int
) -> None:
    key = tmp_path / "key"
    key.write_text(municipality.api_key, encoding="utf-8")
    (tmp_path / "sensor.toml").write_text(
        f"""
[sensor]
id = "{municipality.tenant}-1"
organization = {{id = "{municipality.tenant}", name = "Δήμος Δοκιμής"}}
[spool]
path = "spool.db"
min_free_bytes = 0
[sinks.elasticsearch]
url = "{elasticsearch_server.url}"
api_key = "file:key"
ca_file = "{elasticsearch_server.ca_file}"
""",
        encoding="utf-8",
    )
    assert _sensor(tmp_path, kill_at) == -signal.SIGKILL
    crashed = read_status(tmp_path / "spool.db")
    assert crashed.violations == ()
    assert sum(crashed.sinks["elasticsearch"].pending.values()) > 0
    in_store = stored(elasticsearch_server, municipality.tenant)
    assert len(in_store) > sum(
        counted.get("delivered", 0) for counted in crashed.sinks["elasticsearch"].counters.values()
    )
    assert _sensor(tmp_path, 0) == 0
    status = read_status(tmp_path / "spool.db")
    assert status.violations == ()
    assert sum(status.sinks["elasticsearch"].pending.values()) == 0
    ids = stored(elasticsearch_server, municipality.tenant)
    assert len(ids) == len(set(ids)) == 1000
    totals = status.sinks["elasticsearch"].counters[70]
    assert totals["delivered"] + totals["already_there"] == 1000
    assert totals["already_there"] > 0


def _sensor(folder: Path, kill_at: int) -> int:
    """A sensor process that reads the same thousand hits each time; killed after answer `kill_at` came."""
    command = [sys.executable, "-m", "tests.elasticsearch.dying_sensor", str(folder / "sensor.toml"), str(kill_at)]
    done = subprocess.run(command, cwd=ROOT, env={**os.environ, "PYTHONPATH": str(ROOT)}, timeout=120)
    return done.returncode

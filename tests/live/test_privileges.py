"""No user but one with CAP_NET_RAW can watch, and that user needs nothing else."""

from tests.live.apart import CAP_NET_RAW, NOBODY, apart
from tests.live.frames import answer, question
from tests.live.network import Network
from tests.live.watching import settings


def test_a_user_with_nothing_but_raw_sockets_watches(network: Network) -> None:
    with apart(settings("mirror0", workers=2), NOBODY, CAP_NET_RAW) as sensor:
        assert sensor.said == "ready"
        network.send("mirror0", [question(1, "a.example"), answer(1, "a.example")])
        found = sensor.finish()
    assert [hit["event"]["query"] for hit in found["hits"] if hit["rule"] == "dns"] == ["a.example"]
    assert found["stats"]["capture.fanout_by_flow_hash"] == 0


def test_without_it_the_start_is_refused_with_what_to_do(network: Network) -> None:
    with apart(settings("mirror0"), NOBODY, 0) as sensor:
        assert sensor.said.startswith("refused: interfaces: mirror0: this user may not open packet sockets")
        assert "CAP_NET_RAW" in sensor.said
        assert "AmbientCapabilities" in sensor.said

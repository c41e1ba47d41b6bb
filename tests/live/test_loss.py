"""What is lost is counted, to the packet, and a rule can see it."""

from tests.live.apart import apart
from tests.live.frames import question
from tests.live.network import Network
from tests.live.watching import settings

SENT = 20_000


def test_received_and_dropped_are_all_that_was_sent(network: Network) -> None:
    with apart(settings("mirror0", ring_mb=1, workers=2)) as sensor:
        assert sensor.said == "ready"
        sensor.pause()
        network.send("mirror0", [question(host, "flood.example") for host in range(1, 251)] * (SENT // 250))
        sensor.go_on()
        found = sensor.finish()
    counters = found["stats"]
    dropped = counters["capture.dropped{kernel}"]
    assert dropped > 0
    assert counters["capture.packets"] + dropped == counters["capture.received"] == SENT
    assert counters["packet.frames"] == counters["capture.packets"]
    assert counters["capture.freezes"] > 0
    told = [hit["event"] for hit in found["hits"] if hit["rule"] == "sensor"]
    assert sum(event["pkts_dropped"] for event in told) == dropped
    assert sum(event["pkts_link"] for event in told) == SENT
    assert sum(event["pkts_proc"] for event in told) == counters["capture.packets"]
    losing = next(event for event in told if event["pkts_dropped"] > 0)
    assert losing["interface"] == "mirror0"
    assert losing["gap_percent"] == 100 * losing["pkts_dropped"] / losing["pkts_link"]


def test_a_sensor_that_keeps_up_loses_nothing(network: Network) -> None:
    with apart(settings("mirror0")) as sensor:
        network.send("mirror0", [question(host, "calm.example") for host in range(1, 251)] * 8)
        found = sensor.finish()
    counters = found["stats"]
    assert counters["capture.packets"] == counters["capture.received"] == 2_000
    assert counters["capture.dropped{kernel}"] == counters["capture.dropped{card}"] == 0

"""Interfaces that go down and up, vanish and come back, or are not there at all: the sensor goes on, and says so."""

import json
import time

import pytest

from tests.live.frames import answer, question
from tests.live.network import Network
from tests.live.watching import Hit, Watching, everything, settings, watching
from vigla_sensor import engine


def states(found: Watching, interface: str = "mirror0") -> list[str]:
    """The states that events told of an interface, repetitions left out."""
    told = [event["state"] for event in found.of("sensor") if event["interface"] == interface]
    return [state for at, state in enumerate(told) if at == 0 or told[at - 1] != state]


def seen(found: Watching) -> set[str]:
    """Names that were asked for."""
    return {event["query"] for event in found.of("dns")}


def converse(network: Network, name: str) -> None:
    """A question with its answer, so that the event is there at once."""
    network.send("mirror0", [question(1, name), answer(1, name)])


def test_an_interface_goes_down_and_up(network: Network) -> None:
    with watching(settings("mirror0", workers=2)) as sensor:
        converse(network, "before.example")
        sensor.until(lambda found: "before.example" in seen(found))
        network.state("mirror0", "down")
        sensor.until(lambda found: states(found)[-1:] == ["down"])
        assert sensor.stats()["capture.interfaces_down"] == 1
        network.state("mirror0", "up")
        sensor.until(lambda found: states(found)[-1:] == ["up"])
        converse(network, "after.example")
        sensor.until(lambda found: "after.example" in seen(found))
        assert sensor.stats()["capture.reopened"] == 0


def test_an_interface_vanishes_and_comes_back(network: Network) -> None:
    with watching(settings("mirror0", "mirror1", workers=2)) as sensor:
        converse(network, "before.example")
        sensor.until(lambda found: "before.example" in seen(found))
        network.remove("mirror0")
        sensor.until(lambda found: states(found)[-1:] == ["absent"])
        counters = sensor.stats()
        assert (counters["capture.interfaces"], counters["capture.interfaces_absent"]) == (2, 1)
        network.pair("mirror0")
        sensor.until(lambda found: states(found)[-1:] == ["up"])
        converse(network, "after.example")
        sensor.until(lambda found: "after.example" in seen(found))
        sensor.stop()
        counters = sensor.stats()
        assert counters["capture.reopened"] == 1
        # The four of both conversations, counted over both lives of the interface.
        assert counters["capture.interface.mirror0.packets"] == counters["capture.received"] == 4


def test_one_that_is_not_there_yet_is_waited_for(network: Network) -> None:
    network.remove("mirror0")
    with watching(settings("mirror0")) as sensor:
        assert sensor.stats()["capture.interfaces_absent"] == 1
        network.pair("mirror0")
        sensor.until(lambda found: states(found)[-1:] == ["up"])
        converse(network, "late.example")
        sensor.until(lambda found: "late.example" in seen(found))


def test_one_that_is_down_at_the_start_is_waited_for(network: Network) -> None:
    network.state("mirror0", "down")
    with watching(settings("mirror0", workers=2)) as sensor:
        assert sensor.stats()["capture.interfaces_down"] == 1
        network.state("mirror0", "up")
        sensor.until(lambda found: states(found)[-1:] == ["up"])
        converse(network, "late.example")
        sensor.until(lambda found: "late.example" in seen(found))


def test_after_a_restart_the_time_without_a_watch_is_told(network: Network) -> None:
    started = time.time()
    with watching(settings("mirror0")) as first:
        converse(network, "first.example")
        first.until(lambda found: "first.example" in seen(found))
        first.stop()
    assert first.checkpoint is not None
    with watching(settings("mirror0"), first.checkpoint) as second:
        second.until(lambda found: bool(found.of("sensor")))
    (gap,) = (event for event in second.of("sensor") if event["state"] == "gap")
    assert started < gap["gap_start"] < gap["gap_end"] < time.time()
    assert gap["gap_seconds"] == pytest.approx(gap["gap_end"] - gap["gap_start"], abs=1e-3)
    assert "gap" not in states(first)


def test_check_says_what_is_wrong_with_each(network: Network) -> None:
    network.state("mirror1", "down")
    document = settings("mirror0", "mirror1", "nowhere", "lo")
    findings: list[Hit] = json.loads(engine.interfaces(document))
    told = {finding["interface"]: (finding["level"], finding["problem"]) for finding in findings}
    assert set(told) == {"mirror1", "nowhere", "lo"}
    assert told["mirror1"][0] == "warning"
    assert "ip link set mirror1 up" in told["mirror1"][1]
    assert told["nowhere"][0] == "warning"
    assert "no such interface" in told["nowhere"][1]
    with pytest.raises(ValueError, match=r"interfaces\[0\].filter: 'not' is no number.*tcpdump"):
        engine.interfaces(settings("mirror0", filter="not port 443"))


def test_the_kernel_is_asked_about_a_filter_too(network: Network) -> None:
    # Sound by itself, but its load of memory is never written to: only the kernel's own check sees that.
    document = settings("mirror0", filter="2\n96 0 0 3\n22 0 0 0\n")
    (finding,) = json.loads(engine.interfaces(document))
    assert finding["level"] == "fault"
    assert "the kernel refuses its filter" in finding["problem"]
    with pytest.raises(engine.InputError, match="mirror0: the kernel refuses its filter"):
        engine.Sensor(document, everything()).start()

"""Known packets in, exact events out: the same as a replay of the same frames, with any number of workers."""

import json
from pathlib import Path

import pytest

from tests.live.frames import answer, link, mixture, question, tagged, web
from tests.live.network import Network, ip
from tests.live.recorder import Recorder, write
from tests.live.watching import Hit, replayed, settings, watching


def identified(hits: list[Hit]) -> list[tuple[str, str, str]]:
    """Hits of traffic by id, in an order that no number of workers changes."""
    return sorted(
        (hit["rule"], hit["event_id"], json.dumps(hit["event"], sort_keys=True))
        for hit in hits
        if hit["kind"] == "match" and hit["rule"] != "sensor"
    )


@pytest.mark.parametrize("workers", [1, 2, 4])
def test_events_equal_the_replay_of_the_same_frames(network: Network, tmp_path: Path, workers: int) -> None:
    frames = mixture()
    with Recorder("mirror0") as recorder, watching(settings("mirror0", workers=workers)) as sensor:
        network.send("mirror0", frames)
        sensor.until_read(len(frames))
        sensor.stop()
    assert [data for _, data in recorder.packets] == frames
    # The name of an input is part of each id.
    capture = tmp_path / "mirror0"
    write(capture, recorder.packets)
    live, offline = identified(sensor.hits), identified(replayed([capture]))
    assert live == offline
    assert {rule for rule, _, _ in live} == {"conn", "dhcp", "dns", "http", "tunnel"}
    assert [sum(rule == wanted for rule, _, _ in live) for wanted in ("http", "dhcp")] == [40, 39]
    assert all(len(event["msg_types"]) == 4 for event in sensor.of("dhcp"))
    counters = sensor.stats()
    assert counters["capture.packets"] == counters["capture.received"] == len(frames)
    assert counters["capture.dropped{kernel}"] == counters["packet.bad_checksums"] == 0
    assert counters["capture.fanout_by_flow_hash"] == 0


def test_the_work_is_shared(network: Network) -> None:
    frames = [frame for host in range(1, 200) for frame in (question(host, "a.example"), answer(host, "a.example"))]
    with watching(settings("mirror0", workers=2)) as sensor:
        network.send("mirror0", frames)
        sensor.until_read(len(frames))
        sensor.stop()
    # Were both directions not together, there would be more connections than pairs.
    assert sensor.stats()["flow.flows"] == 199
    assert {event["conn_state"] for event in sensor.of("conn")} == {"SF"}


def test_vlan_tags_are_kept(network: Network) -> None:
    with watching(settings("mirror0")) as sensor:
        network.send("mirror0", [*tagged(1, 42), *tagged(2, 42, 7), question(3, "plain.example")])
        sensor.until_read(5)
        sensor.stop()
    found = {event["id.orig_h"]: (event.get("vlan"), event.get("inner_vlan")) for event in sensor.of("conn")}
    assert found == {"192.0.2.1": (42, None), "192.0.2.2": (42, 7), "192.0.2.3": (None, None)}


def test_two_interfaces_with_one_direction_each_are_one_connection(network: Network) -> None:
    conversations = [web(host, "/") for host in range(1, 20)]
    with watching(settings("mirror0", "mirror1", workers=2)) as sensor:
        for conversation in conversations:
            for frame in conversation:
                # 198.51.100.20 is the source of what the second port mirrors.
                network.send("mirror1" if frame[26:30] == bytes([198, 51, 100, 20]) else "mirror0", [frame])
        sensor.until_read(8 * len(conversations))
        sensor.stop()
    connections = sensor.of("conn")
    assert len(connections) == len(conversations)
    assert {event["conn_state"] for event in connections} == {"SF"}
    assert {event["history"] for event in connections} == {"ShADdFf"}
    assert len(sensor.of("http")) == len(conversations)
    assert {hit["input"] for hit in sensor.hits if hit["rule"] == "http"} == {"mirror0+mirror1"}


def test_correlations_count_over_all_workers(network: Network) -> None:
    frames = [make(1, f"n{number}.example") for number in range(3) for make in (question, answer)]
    with watching(settings("mirror0", workers=2)) as sensor:
        network.send("mirror0", frames)
        sensor.until(lambda found: len(found.of("busy")) == 1)


def test_a_quiet_line_still_ends_connections(network: Network) -> None:
    # A DNS conversation is over after ten seconds of silence: no packet comes any more that would say so.
    with watching(settings("mirror0")) as sensor:
        network.send("mirror0", [question(1, "quiet.example"), answer(1, "quiet.example")])
        sensor.until(lambda found: bool(found.of("conn")))
        assert sensor.of("conn")[0]["conn_state"] == "SF"


# tcpdump -y EN10MB -ddd 'ip and udp port 53'
DNS_ONLY = """13
40 0 0 12
21 0 10 2048
48 0 0 23
21 0 8 17
40 0 0 20
69 6 0 8191
177 0 0 14
72 0 0 14
21 2 0 53
72 0 0 16
21 0 1 53
6 0 0 262144
6 0 0 0
"""


def test_a_filter_takes_only_what_it_wants(network: Network) -> None:
    with watching(settings("mirror0", filter=DNS_ONLY, workers=2)) as sensor:
        network.send("mirror0", [*web(1, "/"), question(2, "wanted.example"), *web(3, "/")])
        sensor.until_read(1)
        sensor.stop()
    assert sensor.stats()["capture.received"] == 1
    assert [event["query"] for event in sensor.of("dns")] == ["wanted.example"]


def test_frames_are_cut_at_the_snaplen_and_counted(network: Network) -> None:
    long = bytes(link()) + bytes.fromhex("0800") + b"\0" * 300
    with watching(settings("mirror0", snaplen=96)) as sensor:
        network.send("mirror0", [long, question(1, "a.example")])
        sensor.until_read(2)
        sensor.stop()
    counters = sensor.stats()
    assert counters["capture.frames_truncated"] == 1
    assert counters["capture.bytes"] == 96 + len(question(1, "a.example"))


def test_frames_above_the_mtu_are_counted(network: Network) -> None:
    with watching(settings("mirror0")) as sensor:
        # A card that merges segments gives frames that its MTU does not allow; here the MTU is raised behind our back.
        for end in ("mirror0", network.wire("mirror0")):
            ip("link", "set", end, "mtu", "9000")
        network.send("mirror0", [question(1, "a.example"), bytes(link()) + bytes.fromhex("0800") + b"\0" * 4000])
        sensor.until_read(2)
        sensor.stop()
    assert sensor.stats()["capture.frames_over_mtu"] == 1

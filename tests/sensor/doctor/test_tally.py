"""From the core's hits to an observation: what each kind of connection tells, and that no flood grows a table."""

import json
from pathlib import Path
from typing import Any

import pytest

from vigla_sensor.doctor.observation import Box, Expected, Observation, Sides
from vigla_sensor.doctor.own import own_addresses
from vigla_sensor.doctor.probe import SENSOR, TRAFFIC
from vigla_sensor.doctor.tally import Tally
from vigla_sensor.doctor.tally.addresses import Addresses, Kind, network_of
from vigla_sensor.doctor.tally.connection import Connection
from vigla_sensor.doctor.tally.counters import clock_of, frames_of, loss_of

OUTWARD = {"local_orig": True, "local_resp": False}


def conn(**fields: Any) -> dict[str, Any]:
    return {
        "_path": "conn",
        "ts": 1_795_514_400.0,
        "id.orig_h": "10.20.1.5",
        "id.orig_p": 50_000,
        "id.resp_h": "198.51.100.7",
        "id.resp_p": 443,
        "proto": "tcp",
        "history": "ShADadFf",
        "orig_pkts": 6,
        "resp_pkts": 5,
        "orig_ip_bytes": 600,
        "resp_ip_bytes": 5_000,
        **OUTWARD,
        **fields,
    }


def hit(path: str, event: dict[str, Any]) -> bytes:
    rule = SENSOR if path == "stats" else TRAFFIC
    return json.dumps({"kind": "match", "rule": rule, "event": {**event, "_path": path}}).encode()


def observed(*events: dict[str, Any], own: frozenset[str] = frozenset()) -> Observation:
    tally = Tally(own)
    tally.add([hit("conn", event) for event in events])
    return tally.observation({}, ["f"], None, expected=Expected(), box=Box(), kernel_clock=None)


@pytest.mark.parametrize(
    ("fields", "both"),
    [
        ({}, True),
        # Nobody answered, as far as can be told.
        ({"history": "S", "orig_pkts": 3, "resp_pkts": 0}, None),
        ({"history": "SR", "orig_pkts": 2, "resp_pkts": 0}, None),
        # It acknowledged what was never seen.
        ({"history": "SAD", "orig_pkts": 4, "resp_pkts": 0}, False),
        ({"history": "^hadf", "orig_pkts": 0, "resp_pkts": 4}, False),
        # A reset alone may answer a forged packet.
        ({"history": "^r", "orig_pkts": 0, "resp_pkts": 1}, None),
        ({"proto": "udp", "id.resp_p": 53, "history": "D", "orig_pkts": 1, "resp_pkts": 0}, None),
        ({"proto": "udp", "id.resp_p": 53, "history": "d", "orig_pkts": 0, "resp_pkts": 1}, False),
        ({"proto": "udp", "id.resp_p": 5000, "history": "d", "orig_pkts": 0, "resp_pkts": 1}, None),
        ({"proto": "icmp", "history": ""}, None),
        ({"orig_pkts": 0, "resp_pkts": 0}, None),
    ],
)
def test_whether_both_sides_were_seen(fields: dict[str, Any], both: bool | None) -> None:
    assert Connection.read(conn(**fields)).both_seen is both


@pytest.mark.parametrize(
    ("fields", "encrypted"),
    [
        ({"service": "ssl"}, True),
        ({"service": "ssl,http"}, True),
        ({"service": "http", "id.resp_p": 443}, False),
        ({}, True),
        ({"id.resp_p": 80}, False),
        ({"proto": "udp"}, True),
        ({"proto": "unknown_transport", "ip_proto": 50, "id.resp_p": 0}, True),
    ],
)
def test_what_is_encrypted(fields: dict[str, Any], encrypted: bool) -> None:
    assert Connection.read(conn(**fields)).is_encrypted is encrypted


def test_directions_are_told_by_what_was_seen() -> None:
    only_out = {"history": "SAD", "orig_pkts": 4, "resp_pkts": 0}
    only_in = {"history": "^had", "orig_pkts": 0, "resp_pkts": 4}
    served = {"local_orig": False, "local_resp": True}
    within = {"local_orig": True, "local_resp": True, "id.resp_h": "10.20.1.9"}
    seen = observed(conn(), conn(**only_out), conn(**only_in), conn(**only_out | served), conn(**only_in | within))
    assert seen.sides == Sides(both=1, outward=1, inward=2, within=1)


def test_vlans_have_their_own_sides() -> None:
    lone = {"history": "SAD", "orig_pkts": 4, "resp_pkts": 0}
    seen = observed(conn(vlan=10), conn(vlan=20, **lone), conn(**lone))
    assert seen.vlan_sides == {10: Sides(both=1), 20: Sides(outward=1)}


def test_ends_are_sorted_by_kind() -> None:
    seen = observed(
        conn(),
        conn(**{"id.orig_h": "203.0.113.7", "local_orig": False}),
        conn(**{"id.resp_h": "10.0.0.1", "local_resp": True}),
        conn(**{"id.resp_h": "224.0.0.251", "proto": "udp", "id.resp_p": 5353}),
        conn(**{"id.resp_h": "10.20.1.255", "proto": "udp", "resp_pkts": 0}),
        conn(**{"id.orig_h": "fe80::1", "id.resp_h": "fe80::2"}),
        conn(**{"id.orig_h": "10.20.1.200"}),
        own=frozenset({"10.20.1.200"}),
    )
    reach = seen.reach
    assert (reach.own, reach.group, reach.other) == (1, 3, 3)
    assert (reach.inside, reach.crossing, reach.outside) == (1, 1, 1)
    assert (reach.foreign, reach.hosts) == (1, 1)
    assert dict(reach.strangers) == {"203.0.113.0/24": 1, "198.51.100.0/24": 1}
    # Only what is between two machines is content.
    assert sum(n for n, _ in seen.content.services.values()) == 3


def test_dns_is_what_a_name_server_is_asked() -> None:
    asked = {"proto": "udp", "id.resp_p": 53, "service": "dns"}
    seen = observed(
        conn(**asked),
        conn(**asked),
        conn(**asked | {"id.orig_h": "10.20.1.6"}),
        conn(**asked | {"id.resp_p": 5355}),
        conn(**{"id.resp_p": 853}),
    )
    assert (seen.content.dns, seen.content.askers, seen.content.hidden_dns) == (3, 2, 1)


def test_handshakes_with_a_name_are_counted() -> None:
    tally = Tally()
    tally.add([hit("ssl", {"server_name": "www.example"}), hit("ssl", {}), hit("quic", {"server_name": "www.example"})])
    seen = tally.observation({}, ["f"], None, expected=Expected(), box=Box(), kernel_clock=None)
    assert (seen.content.named, seen.content.events) == (2, {"ssl": 2, "quic": 1})


def test_ports_are_as_the_last_event_says() -> None:
    tally = Tally()
    for state, packets in (("gap", 0), ("up", 5), ("up", 7), ("down", 0)):
        tally.add([hit("stats", {"interface": "eth1", "state": state, "pkts_proc": packets})])
    seen = tally.observation({}, ["eth1"], 12.0, expected=Expected(), box=Box(), kernel_clock=(True, 0.5))
    assert [(port.name, port.state, port.packets) for port in seen.ports] == [("eth1", "down", 12)]
    assert (seen.live, seen.seconds, seen.clock.synchronized) == (True, 12.0, True)


def test_a_flood_of_addresses_vlans_and_services_is_counted_and_not_kept() -> None:
    tally = Tally()
    for number in range(20_000):
        address = f"{130 + number % 30}.{number // 250 % 250}.{number % 250}.{number % 251}"
        event = conn(**{"id.orig_h": address, "local_orig": False}, vlan=number % 4096, service=f"s{number}")
        event |= {"id.resp_p": 53, "service": "dns"} if number % 2 else {}
        tally.add([hit("conn", event)])
    seen = tally.observation({}, ["f"], None, expected=Expected(), box=Box(), kernel_clock=None)
    assert seen.forgotten > 10_000
    assert len(seen.vlan_sides) <= 64
    assert len(seen.content.services) <= 64
    assert seen.content.askers <= 8_192
    assert seen.reach.peers <= 8_192
    assert seen.reach.outside == 20_000
    assert seen.sides.judged == 20_000


@pytest.mark.parametrize(
    "event",
    [
        {},
        {"ts": "x", "orig_pkts": None, "vlan": "10", "id.resp_p": True, "history": 7, "service": ["a"]},
        {"id.orig_h": "\x1b[2J", "id.resp_h": "no address", "proto": "tcp"},
        conn(orig_pkts=-3, resp_pkts=10**30, duration=-5.0, vlan=10**9),
    ],
)
def test_an_event_that_is_not_as_it_should_be_stops_nothing(event: dict[str, Any]) -> None:
    seen = observed(event, conn())
    assert seen.reach.other >= 1


def test_counters_become_numbers_by_name() -> None:
    counters = {
        "packet.frames": 9,
        "place.vlan{10}": 4,
        "place.vlan{20}": 0,
        "place.vlan{other}": 2,
        "place.clock{ntp,ahead,1s}": 3,
        "place.clock{http,behind,more}": 4,
        "place.clock{gps,ahead,1s}": 5,
        "capture.dropped{kernel}": 6,
        "flow.dropped{evicted}": 7,
    }
    frames = frames_of(counters)
    assert (frames.total, frames.vlans, frames.tagged_others) == (9, {10: 4}, 2)
    assert (loss_of(counters).kernel, loss_of(counters).evicted) == (6, 7)
    known = clock_of(counters, None)
    assert (known.ntp, known.http, known.synchronized) == ({("ahead", "1s"): 3}, {("behind", "more"): 4}, None)


def test_kinds_of_addresses() -> None:
    kinds = Addresses()
    for text, kind in {
        "10.1.2.3": Kind.PRIVATE,
        "100.64.0.1": Kind.PRIVATE,
        "fd00::1": Kind.PRIVATE,
        # Documentation's, which Python calls private.
        "192.0.2.1": Kind.PUBLIC,
        "2001:db8::1": Kind.PUBLIC,
        "255.255.255.255": Kind.GROUP,
        "ff02::fb": Kind.GROUP,
        "169.254.1.1": Kind.NEAR,
        "0.0.0.0": Kind.NEAR,
        "::1": Kind.NEAR,
        "eth0": Kind.NONE,
    }.items():
        assert kinds.kind(text) is kind, text
    assert (network_of("203.0.113.9"), network_of("2001:db8:1:2::9")) == ("203.0.113.0/24", "2001:db8:1::/48")


def test_own_addresses_are_read_from_the_system(tmp_path: Path) -> None:
    trie, v6 = tmp_path / "fib_trie", tmp_path / "if_inet6"
    trie.write_text(
        "Main:\n  +-- 0.0.0.0/0 3 0 5\n     |-- 192.0.2.0\n        /24 link UNICAST\n     |-- 192.0.2.9\n"
        "        /32 host LOCAL\n     |-- 127.0.0.1\n        /32 host LOCAL\n     |-- 192.0.2.255\n"
        "        /32 link BROADCAST\n",
        encoding="ascii",
    )
    v6.write_text("20010db8000000000000000000000009 02 40 00 80 eth0\nbroken\n\n", encoding="ascii")
    assert own_addresses(trie, v6) == {"192.0.2.9", "2001:db8::9"}
    assert own_addresses(tmp_path / "none", tmp_path / "none") == frozenset()

"""The tally: hits of the probe's rules in, an observation out."""

import json
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from vigla_sensor.doctor.observation import Box, Content, Expected, Observation, Port, Sides
from vigla_sensor.doctor.probe import SENSOR
from vigla_sensor.doctor.tally.bounded import Counted
from vigla_sensor.doctor.tally.connection import Connection
from vigla_sensor.doctor.tally.counters import clock_of, frames_of, loss_of
from vigla_sensor.doctor.tally.reach import Reaching

_MOST_VLANS, _MOST_SERVICES, _MOST_ASKERS = 64, 64, 8_192
_DNS_OVER_TLS = 853


class Tally:
    """Counts what is seen. Memory is bounded, whatever comes."""

    def __init__(self, own: frozenset[str] = frozenset()) -> None:
        self._reaching = Reaching(own)
        self._events = Counted[str](64)
        self._sides: dict[int | None, list[int]] = {None: [0, 0, 0, 0]}
        self._services: dict[str, list[int]] = {}
        self._bytes = self._encrypted = self._named = self._dns = self._hidden_dns = 0
        self._askers = Counted[str](_MOST_ASKERS)
        self._missed = self._stream = self._forgotten = 0
        self._ports: dict[str, Port] = {}
        self._span: tuple[float, float] | None = None

    @property
    def seen(self) -> int:
        """Connections so far."""
        return self._events.get("conn")

    def add(self, hits: Sequence[bytes]) -> None:
        """Takes hits as the core hands them over (docs/native-boundary.md)."""
        for hit in hits:
            document = json.loads(hit)
            event = document["event"]
            if document["rule"] == SENSOR:
                self._port(event)
                continue
            path = str(event.get("_path", ""))
            self._events.add(path)
            if path == "conn":
                self._connection(Connection.read(event))
            elif path in ("ssl", "quic") and event.get("server_name"):
                self._named += 1

    def _port(self, event: Mapping[str, Any]) -> None:
        name, state = str(event.get("interface", "")), str(event.get("state", ""))
        if state == "gap":
            return
        before = self._ports.get(name, Port(name, state))
        self._ports[name] = replace(before, state=state, packets=before.packets + int(event.get("pkts_proc", 0)))

    def _connection(self, conn: Connection) -> None:
        first, last = self._span or (conn.start, conn.end)
        self._span = (min(first, conn.start), max(last, conn.end))
        if not self._reaching.add(conn):
            return
        self._content(conn)
        both = conn.both_seen
        if both is not None:
            self._side(None, conn, both)
            if conn.vlan is not None:
                self._side(conn.vlan, conn, both)
        if both and conn.proto == "tcp":
            self._missed += conn.missed
            self._stream += conn.stream

    def _side(self, vlan: int | None, conn: Connection, both: bool) -> None:
        if vlan not in self._sides and len(self._sides) > _MOST_VLANS:
            self._forgotten += 1
            return
        counts = self._sides.setdefault(vlan, [0, 0, 0, 0])
        if both:
            counts[0] += 1
            return
        sender, other = conn.local if conn.sent[0] else reversed(conn.local)
        counts[3 if sender == other else 1 if sender else 2] += 1

    def _content(self, conn: Connection) -> None:
        self._bytes += conn.bytes
        self._encrypted += conn.bytes if conn.is_encrypted else 0
        name = conn.service
        if name not in self._services and len(self._services) >= _MOST_SERVICES:
            self._forgotten += 1
        else:
            counts = self._services.setdefault(name, [0, 0])
            counts[0] += 1
            counts[1] += conn.bytes
        if conn.is_dns:
            self._dns += 1
            self._askers.add(conn.orig)
        self._hidden_dns += int(conn.port == _DNS_OVER_TLS and conn.proto == "tcp")

    def observation(
        self,
        counters: Mapping[str, int],
        inputs: Sequence[str],
        seconds: float | None,
        *,
        expected: Expected,
        box: Box,
        kernel_clock: tuple[bool, float] | None,
        warnings: Sequence[str] = (),
    ) -> Observation:
        """All that was seen. `seconds` of a live watch; None: of files, over how long their connections were.

        `kernel_clock` is (synchronized, offset in milliseconds), None where the packets were stamped elsewhere.
        """
        first, last = self._span or (0.0, 0.0)
        sides = {vlan: Sides(*counts) for vlan, counts in self._sides.items()}
        return Observation(
            live=seconds is not None,
            inputs=tuple(inputs),
            seconds=last - first if seconds is None else seconds,
            frames=frames_of(counters),
            loss=replace(loss_of(counters), missed_bytes=self._missed, stream_bytes=self._stream),
            ports=tuple(self._ports.values()),
            sides=sides[None],
            vlan_sides={vlan: seen for vlan, seen in sides.items() if vlan is not None},
            reach=self._reaching.reach(),
            content=Content(
                services={name: (n, size) for name, (n, size) in self._services.items()},
                bytes=self._bytes,
                encrypted=self._encrypted,
                events=self._events.items(),
                named=self._named,
                dns=self._dns,
                askers=len(self._askers),
                hidden_dns=self._hidden_dns,
            ),
            clock=clock_of(counters, kernel_clock),
            expected=expected,
            box=box,
            by_flow_hash=counters.get("capture.fanout_by_flow_hash", 0),
            forgotten=self._forgotten + self._reaching.forgotten + self._askers.forgotten,
            warnings=tuple(warnings),
        )

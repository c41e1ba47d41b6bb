"""Who the ends of connections are."""

from vigla_sensor.doctor.observation import Reach
from vigla_sensor.doctor.tally.addresses import Addresses, Kind, network_of
from vigla_sensor.doctor.tally.bounded import Counted
from vigla_sensor.doctor.tally.connection import Connection

_MOST = 8_192
_HUBS = 4
"""More addresses than these are no address translator."""


class Reaching:
    """Counts connections by their ends; `own` are the box's addresses, whose connections say nothing of the mirror."""

    def __init__(self, own: frozenset[str]) -> None:
        self._own = own
        self._addresses = Addresses()
        self._counts = dict.fromkeys(("own", "group", "other", "inside", "crossing", "outside", "foreign"), 0)
        self._outside, self._strangers = Counted[str](_MOST), Counted[str](_MOST)
        self._insiders, self._remotes = Counted[str](_MOST), Counted[str](_MOST)
        self._hosts = Counted[str](_MOST)

    def add(self, conn: Connection) -> bool:
        """Counts it; whether it is one that the mirror shows between two machines."""
        if conn.orig in self._own or conn.resp in self._own:
            self._counts["own"] += 1
            return False
        kinds = [self._addresses.kind(conn.orig), self._addresses.kind(conn.resp)]
        # A subnet's broadcast address is told by nobody but its end and its silence.
        lonely = conn.resp.endswith(".255") and conn.proto == "udp" and conn.sent[1] == 0
        if lonely or not {Kind.GROUP, Kind.NEAR, Kind.NONE}.isdisjoint(kinds):
            self._counts["group"] += 1
            return False
        self._counts["other"] += 1
        public = kinds.count(Kind.PUBLIC)
        self._counts[("inside", "crossing", "outside")[public]] += 1
        if public == 2:
            self._outside.add(conn.orig)
            self._outside.add(conn.resp)
        if public == 1:
            first = kinds[0] is Kind.PUBLIC
            self._insiders.add(conn.resp if first else conn.orig)
            self._remotes.add(conn.orig if first else conn.resp)
        if not any(conn.local):
            self._counts["foreign"] += 1
            for network in {network_of(conn.orig), network_of(conn.resp)}:
                self._strangers.add(network)
        elif conn.local[0]:
            self._hosts.add(conn.orig)
        return True

    def reach(self) -> Reach:
        """What was counted."""
        hubs = self._outside.top(_HUBS)
        return Reach(
            **self._counts,
            hubs=hubs,
            peers=len(self._outside) - len(hubs),
            strangers=self._strangers.top(_HUBS),
            insiders=self._insiders.top(_HUBS),
            remotes=len(self._remotes),
            hosts=len(self._hosts),
        )

    @property
    def _tables(self) -> tuple[Counted[str], ...]:
        return self._outside, self._strangers, self._insiders, self._remotes, self._hosts

    @property
    def forgotten(self) -> int:
        """What did not fit."""
        return sum(table.forgotten for table in self._tables)

"""A courier over the real server with a clock that is told, and what the store then holds."""

from collections.abc import Callable
from pathlib import Path

from tests.elasticsearch.fixture import Municipality
from tests.elasticsearch.server import Server
from tests.sensor.support.clock import FakeClock
from tests.sensor.support.packs import dns_hit, pack_bytes
from tests.sensor.support.sinks import InlineExecutor
from vigla_sensor.alert import Alert, Composer, Identity, Pack
from vigla_sensor.deliver import Courier
from vigla_sensor.deliver.elasticsearch import Bulk, ClientBulk, ElasticsearchSink
from vigla_sensor.spool import Limits, Spool, Status, open_spool, read_status

NANOSECONDS = 1_000_000_000


class Rig:
    """`key` may be changed while it runs, as a file would be; `bulk` wraps the real one."""

    def __init__(
        self, server: Server, town: Municipality, folder: Path, wrap: Callable[[Bulk], Bulk] = lambda bulk: bulk
    ) -> None:
        self.server, self.town, self.clock, self.key = server, town, FakeClock(), town.api_key
        self.path = folder / "spool.db"
        self.spool: Spool = open_spool(
            self.path, ("elasticsearch",), self.clock, Limits(min_free_bytes=0, ballast_bytes=0)
        )
        bulk = wrap(ClientBulk(server.url, server.ca_file, 30.0))
        self.courier = Courier(ElasticsearchSink(bulk, lambda: self.key), self.spool, self.clock, InlineExecutor())
        self.compose = composer(town.tenant, self.clock).compose

    def alerts(self, names: range, **event: object) -> list[Alert]:
        """Composed ones, with ids by number."""
        start = int(self.clock.now().timestamp()) * NANOSECONDS
        return [self.compose(dns_hit(f"{name:032x}", ts=start - name * NANOSECONDS, **event)) for name in names]

    def step(self, seconds: float = 0.0, times: int = 1) -> None:
        """Lets time pass and moves the courier until nothing more is due."""
        for _ in range(times):
            self.clock.advance(seconds)
            while self.courier.tick():
                self.courier.land()

    def close(self) -> None:
        self.courier.close()
        self.spool.close()

    def books(self) -> Status:
        status = read_status(self.path)
        assert status.violations == ()
        return status

    def counted(self, fate: str) -> int:
        return sum(counted.get(fate, 0) for counted in self.books().sinks["elasticsearch"].counters.values())


def composer(tenant: str, clock: FakeClock) -> Composer:
    """Composes for a municipality, with a pack by hand."""
    identity = Identity.of(f"{tenant}-1", "", (tenant, "Δήμος Δοκιμής"), "0.1.0", ("10.0.0.0/8",))
    return Composer(Pack.read(pack_bytes()), identity, clock.now)


def stored(server: Server, tenant: str) -> list[str]:
    """The ids in all indices of a municipality, each as often as it is there."""
    server.request("POST", f"/vigla-alerts-{tenant}-*/_refresh")
    status, answer = server.request(
        "POST", f"/vigla-alerts-{tenant}-*/_search", {"size": 10_000, "_source": False, "query": {"match_all": {}}}
    )
    assert status == 200, answer
    return sorted(hit["_id"] for hit in answer["hits"]["hits"])

"""What can be configured: the keys, their types and their defaults. No reading here."""

from dataclasses import dataclass, field
from pathlib import Path

from vigla_sensor.config.secrets import SecretRef


@dataclass(frozen=True, slots=True)
class Organization:
    """The municipality the sensor belongs to: stable slug and the name people know."""

    id: str
    name: str


@dataclass(frozen=True, slots=True)
class SensorIdentity:
    """Who the sensor is. `local_networks` tells inside from outside."""

    id: str
    organization: Organization
    serial_number: str = ""
    local_networks: tuple[str, ...] = ("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fc00::/7")


@dataclass(frozen=True, slots=True)
class PackSettings:
    """The compiled rules (`.vpk`) and the optional overlay document."""

    path: Path
    overlay: Path | None = None


@dataclass(frozen=True, slots=True)
class LogFile:
    """A log file to follow. `source` pins a definition; `year` is its first line's, `charset` of text beyond UTF-8."""

    path: Path
    source: str | None = None
    device: str | None = None
    zone: str | None = None
    year: int | None = None
    charset: str | None = None


@dataclass(frozen=True, slots=True)
class Interface:
    """An interface to watch. `ring_mb` (MiB) is shared by all workers; `snaplen` 0 takes whole frames; `filter` is the
    classic BPF program that `tcpdump -ddd` prints; `vlans` are those that must be there: `doctor` misses them."""

    name: str
    promiscuous: bool = True
    ring_mb: int = 16
    snaplen: int = 0
    filter: str = ""
    vlans: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class LimitSettings:
    """Caps of what traffic can grow; the core has defaults."""

    flows: int | None = None
    correlation_bytes: int | None = None


@dataclass(frozen=True, slots=True)
class SpoolSettings:
    """Where alerts wait and how much they may take (bytes)."""

    path: Path = Path("/var/lib/vigla-sensor/spool.db")
    max_bytes: int = 512 * 1024 * 1024
    min_free_bytes: int = 256 * 1024 * 1024
    ballast_bytes: int = 8 * 1024 * 1024
    dead_bytes: int = 64 * 1024 * 1024


@dataclass(frozen=True, slots=True)
class HubSettings:
    """The console's ingest. `ca_file` replaces the system's authorities; plain `http` is for loopback only."""

    url: str
    credential: SecretRef
    ca_file: Path | None = None
    timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class ElasticsearchSettings:
    """An Elasticsearch cluster, with an API key that can only create documents in this municipality's indices."""

    url: str
    api_key: SecretRef
    ca_file: Path | None = None
    timeout_seconds: float = 30.0


@dataclass(frozen=True, slots=True)
class Sinks:
    """Where alerts go; each configured sink gets every alert."""

    hub: HubSettings | None = None
    elasticsearch: ElasticsearchSettings | None = None


@dataclass(frozen=True, slots=True)
class Settings:
    """The whole file. `lists` fills the pack's value lists; `zone` is of log lines that name none; `workers` are
    threads that decode traffic, 0 meaning one less than there are cores."""

    sensor: SensorIdentity
    pack: PackSettings | None = None
    interfaces: tuple[Interface, ...] = ()
    workers: int = 0
    files: tuple[LogFile, ...] = ()
    lists: dict[str, tuple[str, ...]] = field(default_factory=dict)
    limits: LimitSettings = LimitSettings()
    zone: str = "Europe/Athens"
    lateness_ms: int = 60_000
    heartbeat_seconds: float = 60.0
    spool: SpoolSettings = field(default_factory=SpoolSettings)
    sinks: Sinks = field(default_factory=Sinks)

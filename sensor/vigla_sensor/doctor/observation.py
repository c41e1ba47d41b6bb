"""What was seen at a port, as numbers: all that the checks know. Nothing here judges."""

from collections.abc import Mapping
from dataclasses import dataclass, field


@dataclass(frozen=True, slots=True)
class Frames:
    """Frames of all interfaces, or of the files. `vlans` by the outer tag's number; `tagged_others` had further ones.

    `cut` came shorter than they were sent; `large` are beyond any frame of a network with an MTU of 1500; `over_mtu`
    beyond the interface's own (live only). `duplicates` of `compared` packets came twice within 50 ms.
    """

    total: int = 0
    unicast: int = 0
    multicast: int = 0
    broadcast: int = 0
    untagged: int = 0
    vlans: Mapping[int, int] = field(default_factory=dict)
    tagged_others: int = 0
    cut: int = 0
    large: int = 0
    over_mtu: int = 0
    offloaded: int = 0
    bad_checksums: int = 0
    compared: int = 0
    duplicates: int = 0


@dataclass(frozen=True, slots=True)
class Loss:
    """What was lost. `received`, `kernel` and `card` are live only; `missed_bytes` of `stream_bytes` were acknowledged
    and never seen; `evicted` and `flows` are connections, `panics` parsers that failed."""

    received: int = 0
    kernel: int = 0
    card: int = 0
    missed_bytes: int = 0
    stream_bytes: int = 0
    evicted: int = 0
    flows: int = 0
    panics: int = 0


@dataclass(frozen=True, slots=True)
class Port:
    """An interface at the end of the watch: `state` is `up`, `down`, `absent` or `refused`."""

    name: str
    state: str
    packets: int = 0


@dataclass(frozen=True, slots=True)
class Sides:
    """Connections of which it can be told whether both directions were seen: `both`, or only what one side sent though
    the other answered. The latter by where it was going: `outward`, `inward`, `within` the site (or between others).
    """

    both: int = 0
    outward: int = 0
    inward: int = 0
    within: int = 0

    @property
    def one(self) -> int:
        """Seen from one side only."""
        return self.outward + self.inward + self.within

    @property
    def judged(self) -> int:
        """All of which it can be told."""
        return self.both + self.one


@dataclass(frozen=True, slots=True)
class Reach:
    """Connections by who their ends are. `own` are of the sensor's box, `group` went to a broadcast or multicast
    address, `other` are all else, each counted once more: `inside` between private addresses, `crossing` between a
    private and a public one, `outside` between public ones. `foreign` have no end in the configured local networks.

    `hubs` are the addresses with most `outside` connections and how many; `peers` is how many addresses these have.
    `insiders` are the private ends of most `crossing` ones, `remotes` how many public ends these have.
    `strangers` are the networks with most ends of `foreign` connections. `hosts` are inside addresses that began any.
    """

    own: int = 0
    group: int = 0
    other: int = 0
    inside: int = 0
    crossing: int = 0
    outside: int = 0
    foreign: int = 0
    hubs: tuple[tuple[str, int], ...] = ()
    peers: int = 0
    strangers: tuple[tuple[str, int], ...] = ()
    insiders: tuple[tuple[str, int], ...] = ()
    remotes: int = 0
    hosts: int = 0


@dataclass(frozen=True, slots=True)
class Content:
    """What the connections carried: `services` are connections and IP bytes by Zeek's service name (`-`: not told).

    `encrypted` of `bytes`. `events` by log (`dns`, `ssl`, ...). `named` TLS handshakes said whom they want. `askers`
    are addresses that asked DNS, `hidden_dns` connections to DNS over TLS.
    """

    services: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    bytes: int = 0
    encrypted: int = 0
    events: Mapping[str, int] = field(default_factory=dict)
    named: int = 0
    dns: int = 0
    askers: int = 0
    hidden_dns: int = 0


@dataclass(frozen=True, slots=True)
class Clock:
    """The clock that stamped the packets. `synchronized` and `offset_ms` are what the kernel says (live only).

    `ntp` and `http` are how often it was so far from a time server's or a web server's: by (side, step), side `ahead`
    or `behind`, step a name of `vigla_sensor.doctor.clocks.STEPS`.
    """

    synchronized: bool | None = None
    offset_ms: float = 0.0
    ntp: Mapping[tuple[str, str], int] = field(default_factory=dict)
    http: Mapping[tuple[str, str], int] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Expected:
    """What the configuration says. `networks_said`: it names local networks beside the private ones."""

    networks_said: bool = False
    vlans: tuple[int, ...] = ()
    snaplen: int = 0
    filtered: bool = False


@dataclass(frozen=True, slots=True)
class Box:
    """What the box says of itself, beside traffic: None where it was not asked (files, no configuration).

    `waiting`, `dead` and `dropped` alerts of the spool, whose books have `violations`; `free` bytes of its disk, of
    which it wants `wanted`. `silent_rules` are sentences about rules that cannot fire.
    """

    waiting: int | None = None
    dead: int = 0
    dropped: int = 0
    violations: int = 0
    free: int | None = None
    wanted: int = 0
    silent_rules: int = 0


@dataclass(frozen=True, slots=True)
class Observation:
    """All that was seen. `seconds`: how long was watched, or over how long the files were recorded.

    `vlan_sides` are the sides of connections by VLAN. `forgotten` counts what did not fit into bounded tables.
    `by_flow_hash`: the kernel refused the program that keeps fragments and tunnels together.
    """

    live: bool
    inputs: tuple[str, ...]
    seconds: float
    frames: Frames = Frames()
    loss: Loss = Loss()
    ports: tuple[Port, ...] = ()
    sides: Sides = Sides()
    vlan_sides: Mapping[int, Sides] = field(default_factory=dict)
    reach: Reach = Reach()
    content: Content = Content()
    clock: Clock = Clock()
    expected: Expected = Expected()
    box: Box = Box()
    by_flow_hash: int = 0
    forgotten: int = 0
    warnings: tuple[str, ...] = ()

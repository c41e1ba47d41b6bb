"""The core's counters as parts of an observation."""

import re
from collections.abc import Mapping

from vigla_sensor.doctor.observation import Clock, Frames, Loss

_VLAN = re.compile(r"place\.vlan\{(\d+)\}")
_CLOCK = re.compile(r"place\.clock\{(\w+),(ahead|behind),(\w+)\}")


def frames_of(counters: Mapping[str, int]) -> Frames:
    """Frames by receiver, tag, size and soundness."""
    get = counters.get
    return Frames(
        total=get("packet.frames", 0),
        unicast=get("place.unicast", 0),
        multicast=get("place.multicast", 0),
        broadcast=get("place.broadcast", 0),
        untagged=get("place.untagged", 0),
        vlans={int(found[1]): n for name, n in counters.items() if n and (found := _VLAN.fullmatch(name))},
        tagged_others=get("place.vlan{other}", 0),
        cut=get("place.cut", 0),
        large=get("place.large", 0),
        over_mtu=get("capture.frames_over_mtu", 0),
        offloaded=get("place.offloaded", 0),
        bad_checksums=get("packet.bad_checksums", 0),
        compared=get("place.compared", 0),
        duplicates=get("place.duplicates", 0),
    )


def loss_of(counters: Mapping[str, int]) -> Loss:
    """What kernel, card and tables lost; what connections missed is not among the counters."""
    get = counters.get
    return Loss(
        received=get("capture.received", 0),
        kernel=get("capture.dropped{kernel}", 0),
        card=get("capture.dropped{card}", 0),
        evicted=get("flow.dropped{evicted}", 0),
        flows=get("flow.flows", 0),
        panics=get("proto.dropped{analyzer_panic}", 0),
    )


def clock_of(counters: Mapping[str, int], kernel: tuple[bool, float] | None) -> Clock:
    """What others' clocks said, and this box's kernel where it stamped the packets."""
    found = {"ntp": dict[tuple[str, str], int](), "http": dict[tuple[str, str], int]()}
    for name, n in counters.items():
        if (parts := _CLOCK.fullmatch(name)) and parts[1] in found:
            found[parts[1]][parts[2], parts[3]] = n
    synchronized, offset = kernel or (None, 0.0)
    return Clock(synchronized, offset, found["ntp"], found["http"])

"""What can be read of what comes: names, clear text, whole and single frames."""

from vigla_sensor.doctor.checks.mirror import ENOUGH
from vigla_sensor.doctor.finding import Finding, Severity, Share, Size, Slot
from vigla_sensor.doctor.observation import Observation

_MOSTLY_ENCRYPTED = 0.5
_RESOLVERS, _HOSTS = 2, 10
"""So few ask DNS while so many talk: they ask somebody inside, whose questions alone are seen."""
_DUPLICATED, _SOMEWHAT_DUPLICATED = 0.05, 0.005
_LARGE = 0.001
_BAD, _SOMEWHAT_BAD = 0.1, 0.01


def dns(seen: Observation) -> list[Finding]:
    """Whether questions to name servers are seen, and whose."""
    content, reach = seen.content, seen.reach
    slots: dict[str, Slot] = {
        "dns": content.dns,
        "askers": content.askers,
        "hosts": reach.hosts,
        "others": reach.other,
        "hidden": content.hidden_dns,
    }
    if not content.dns:
        if reach.other < ENOUGH:
            return [Finding("dns", "dns_unknown", Severity.UNKNOWN, slots)]
        return [Finding("dns", "dns_hidden" if content.hidden_dns else "dns_none", Severity.WARNING, slots)]
    if content.askers <= _RESOLVERS and reach.hosts >= _HOSTS:
        return [Finding("dns", "dns_resolver", Severity.NOTE, slots)]
    return [Finding("dns", "dns_seen", Severity.FINE, slots)]


def encryption(seen: Observation) -> list[Finding]:
    """The share of bytes that nobody without a key can read."""
    content = seen.content
    if not content.bytes:
        return []
    share = Share(content.encrypted, content.bytes)
    handshakes = content.events.get("ssl", 0) + content.events.get("quic", 0)
    slots: dict[str, Slot] = {
        "encrypted": Size(content.encrypted),
        "bytes": Size(content.bytes),
        "share": share,
        "named": content.named,
        "handshakes": handshakes,
    }
    mostly = share.value >= _MOSTLY_ENCRYPTED
    return [
        Finding(
            "encryption",
            "encrypted_mostly" if mostly else "encrypted_partly",
            Severity.NOTE if mostly else Severity.FINE,
            slots,
        )
    ]


def duplicates(seen: Observation) -> list[Finding]:
    """Packets that the mirror gives twice."""
    frames = seen.frames
    share = Share(frames.duplicates, frames.compared)
    slots: dict[str, Slot] = {"duplicates": frames.duplicates, "compared": frames.compared, "share": share}
    if frames.compared < ENOUGH:
        return [Finding("duplicates", "duplicates_unknown", Severity.UNKNOWN, slots)]
    if share.value >= _SOMEWHAT_DUPLICATED:
        severity = Severity.WARNING if share.value >= _DUPLICATED else Severity.NOTE
        return [Finding("duplicates", "duplicates", severity, slots)]
    return [Finding("duplicates", "duplicates_none", Severity.FINE, slots)]


def large(seen: Observation) -> list[Finding]:
    """Frames that no wire carries in one piece: the card has put several together."""
    frames = seen.frames
    n = max(frames.large, frames.over_mtu)
    share = Share(n, frames.total)
    if share.value < _LARGE:
        return []
    return [Finding("large", "large_live" if seen.live else "large_file", Severity.NOTE, {"large": n, "share": share})]


def checksums(seen: Observation) -> list[Finding]:
    """Checksums that are wrong, or left to a card: frames were taken before the card had finished them."""
    frames = seen.frames
    bad, left = Share(frames.bad_checksums, frames.total), Share(frames.offloaded, frames.total)
    found = []
    if bad.value >= _SOMEWHAT_BAD:
        severity = Severity.WARNING if bad.value >= _BAD else Severity.NOTE
        found.append(Finding("checksums", "checksums_bad", severity, {"bad": frames.bad_checksums, "share": bad}))
    if left.value >= _SOMEWHAT_BAD:
        slots: dict[str, Slot] = {"left": frames.offloaded, "share": left}
        found.append(Finding("checksums", "checksums_left", Severity.NOTE, slots))
    return found or [Finding("checksums", "checksums_right", Severity.FINE, {"bad": frames.bad_checksums})]


def fan_out(seen: Observation) -> list[Finding]:
    """The kernel refused the program that keeps what belongs together on one worker."""
    if not seen.by_flow_hash:
        return []
    return [Finding("fan_out", "fan_out_refused", Severity.NOTE, {"n": seen.by_flow_hash})]

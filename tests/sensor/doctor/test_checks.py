"""Every check by itself: an observation in, findings out; ordinary ones, edges, and numbers that cannot be."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigla_sensor.doctor import Finding, Observation, Severity, diagnose
from vigla_sensor.doctor.checks import OF_THE_BOX, OF_TRAFFIC, box, clock, content, loss, mirror, networks
from vigla_sensor.doctor.clocks import STEPS, median
from vigla_sensor.doctor.finding import Share
from vigla_sensor.doctor.observation import Box, Clock, Content, Expected, Frames, Loss, Port, Reach, Sides
from vigla_sensor.doctor.texts import LANGUAGES, read_texts

FRAMES = Frames(total=10_000, unicast=9_900, broadcast=60, multicast=40, untagged=10_000, compared=1_250)
REACH = Reach(group=20, other=500, inside=100, crossing=400, hosts=40)
HEALTHY = Observation(
    live=True,
    inputs=("eth1",),
    seconds=600.0,
    frames=FRAMES,
    loss=Loss(received=10_000, stream_bytes=5_000_000, flows=520),
    ports=(Port("eth1", "up", 10_000),),
    sides=Sides(both=480, outward=4),
    reach=REACH,
    content=Content(services={"dns": (200, 40_000)}, bytes=8_000_000, encrypted=2_000_000, dns=200, askers=40),
    clock=Clock(True, 0.4, {("ahead", "100ms"): 30}),
)


def ids(findings: list[Finding]) -> list[str]:
    return [finding.id for finding in findings]


def seen(**parts: Any) -> Observation:
    return replace(HEALTHY, **parts)


def test_a_healthy_port_calls_for_nothing() -> None:
    found = diagnose(HEALTHY)
    assert [finding.id for finding in found if finding.severity is not Severity.FINE] == ["vlans_none"]
    assert {"mirror", "both_sides", "nat_inside", "dns_seen", "dropped_none", "clock_right_ntp"} <= set(ids(found))


@pytest.mark.parametrize(
    ("port", "expected"),
    [
        ("up", "interfaces_up"),
        ("down", "interface_down"),
        ("absent", "interface_absent"),
        ("refused", "interface_refused"),
    ],
)
def test_interfaces_are_told_by_their_state(port: str, expected: str) -> None:
    found = mirror.interfaces(seen(ports=(Port("eth1", port),)))
    assert ids(found) == [expected]
    assert found[0].severity.calls == (port != "up")


def test_files_have_no_interfaces_and_no_drops() -> None:
    assert mirror.interfaces(seen(live=False)) == []
    assert loss.dropped(seen(live=False)) == []


@pytest.mark.parametrize(
    ("frames", "reach", "expected"),
    [
        (Frames(), Reach(), "silent"),
        (Frames(total=900, broadcast=900), Reach(group=40), "no_mirror"),
        # Unknown unicast that a switch floods is no mirror either.
        (Frames(total=900, broadcast=880, unicast=20), Reach(group=40, other=5), "no_mirror"),
        (Frames(total=900, broadcast=300, unicast=600), Reach(group=40, own=12), "only_own"),
        (Frames(total=900, unicast=900), Reach(other=50, inside=50), "no_internet"),
        (Frames(total=90, unicast=90), Reach(other=5, crossing=5), "little"),
        (FRAMES, REACH, "mirror"),
    ],
)
def test_what_kind_of_port_it_is(frames: Frames, reach: Reach, expected: str) -> None:
    assert ids(mirror.kind(seen(frames=frames, reach=reach))) == [expected]


def test_of_a_port_that_is_no_mirror_nothing_more_is_said_about_traffic() -> None:
    found = diagnose(seen(frames=Frames(total=10, broadcast=10), reach=Reach(group=4)))
    assert set(ids(found)) == {"no_mirror", "interfaces_up", "clock_right_ntp", "clock_synchronized", "dropped_none"}


@pytest.mark.parametrize(
    ("sides", "expected", "severity"),
    [
        (Sides(both=19), "sides_unknown", Severity.UNKNOWN),
        (Sides(both=20), "both_sides", Severity.FINE),
        (Sides(both=100, outward=4), "both_sides", Severity.FINE),
        (Sides(both=94, within=6), "one_sided_some", Severity.NOTE),
        (Sides(both=75, outward=10, inward=15), "one_sided_many", Severity.WARNING),
        (Sides(outward=100), "one_sided_inward", Severity.BLIND),
        (Sides(both=10, inward=90), "one_sided_outward", Severity.BLIND),
        (Sides(both=10, inward=45, outward=45), "one_sided_all", Severity.BLIND),
        (Sides(within=100), "one_sided_all", Severity.BLIND),
    ],
)
def test_directions(sides: Sides, expected: str, severity: Severity) -> None:
    found = mirror.directions(seen(sides=sides))
    assert [(finding.id, finding.severity) for finding in found] == [(expected, severity)]


HUB = (("203.0.113.7", 400),)


@pytest.mark.parametrize(
    ("reach", "expected"),
    [
        (Reach(other=10, outside=10, hubs=(("203.0.113.7", 10),), peers=10), "nat_unknown"),
        (Reach(other=400, outside=400, hubs=HUB, peers=90), "nat_only"),
        # Two addresses of a translator.
        (Reach(other=400, outside=400, hubs=(("203.0.113.7", 200), ("203.0.113.8", 190)), peers=90), "nat_only"),
        # One peer only: who is the translator cannot be told, and one server may be what everybody wants.
        (Reach(other=400, outside=400, hubs=HUB, peers=1), "nat_inside"),
        # A site with public addresses inside, whose computers all ask one server.
        (Reach(other=400, outside=400, hubs=HUB, peers=90, hosts=80), "nat_inside"),
        (Reach(other=400, outside=400, hubs=(("203.0.113.7", 30), ("203.0.113.8", 30)), peers=90), "nat_inside"),
        (Reach(other=800, outside=400, crossing=400, hubs=HUB, peers=90), "nat_both"),
        (Reach(other=500, inside=100, crossing=400), "nat_inside"),
        # Translated twice: the firewall's outer address is a private one.
        (Reach(other=400, crossing=400, insiders=(("192.168.1.2", 400),), remotes=90, hosts=1), "nat_one"),
        (Reach(other=500, inside=100, crossing=400, insiders=(("10.0.0.9", 400),), remotes=90, hosts=1), "nat_inside"),
        (Reach(other=400, crossing=400, insiders=(("10.0.0.9", 400),), remotes=1, hosts=1), "nat_inside"),
        (Reach(other=49, crossing=49, insiders=(("10.0.0.9", 49),), remotes=40, hosts=1), "nat_inside"),
        (Reach(other=400, crossing=400, insiders=(("10.0.0.9", 200), ("10.0.0.8", 20)), remotes=90), "nat_inside"),
    ],
)
def test_sides_of_the_address_translation(reach: Reach, expected: str) -> None:
    assert ids(networks.translated(seen(reach=reach))) == [expected]


@pytest.mark.parametrize(
    ("frames", "expected", "answer"),
    [
        ({}, (), ["vlans_none"]),
        ({}, (10, 20), ["vlans_stripped"]),
        ({10: 5}, (), ["vlans_there"]),
        ({10: 5, 20: 5}, (10, 20), ["vlans_all"]),
        ({10: 5, 30: 5}, (10, 20), ["vlans_missing"]),
    ],
)
def test_vlans_are_missed_only_where_they_were_expected(
    frames: dict[int, int], expected: tuple[int, ...], answer: list[str]
) -> None:
    observation = seen(frames=replace(FRAMES, vlans=frames), expected=Expected(vlans=expected))
    assert ids(networks.vlans(observation)) == answer


def test_a_vlan_with_one_direction_is_named_unless_all_are_so() -> None:
    frames = replace(FRAMES, vlans={10: 50, 20: 50, 30: 3})
    sides = {10: Sides(both=100), 20: Sides(outward=40), 30: Sides(outward=3)}
    found = networks.vlans(seen(frames=frames, vlan_sides=sides))
    assert [(finding.id, finding.slots["vlans"]) for finding in found] == [("vlans_one_sided", (20,))]
    # Where everything is one-sided, that is said once.
    assert ids(networks.vlans(seen(frames=frames, vlan_sides=sides, sides=Sides(outward=100)))) == ["vlans_there"]


@pytest.mark.parametrize(
    ("reach", "said", "expected"),
    [
        (Reach(other=19, foreign=19), False, []),
        (Reach(other=400, foreign=2), False, ["local_private"]),
        (Reach(other=400, foreign=2), True, ["local_said"]),
        (
            Reach(other=400, foreign=100, strangers=(("203.0.113.0/24", 99), ("192.0.2.0/24", 50))),
            True,
            ["local_likely"],
        ),
        (Reach(other=400, foreign=100, strangers=(("203.0.113.0/24", 60),)), False, ["local_unlikely"]),
    ],
)
def test_local_networks(reach: Reach, said: bool, expected: list[str]) -> None:
    found = networks.local(seen(reach=reach, expected=Expected(networks_said=said)))
    assert ids(found) == expected
    assert all(finding.slots["networks"] == ("203.0.113.0/24",) for finding in found if finding.id == "local_likely")


@pytest.mark.parametrize(
    ("content_", "reach", "expected"),
    [
        (Content(dns=5, askers=5), REACH, "dns_seen"),
        (Content(dns=90, askers=1), REACH, "dns_resolver"),
        (Content(dns=90, askers=1), replace(REACH, hosts=3), "dns_seen"),
        (Content(), REACH, "dns_none"),
        (Content(hidden_dns=4), REACH, "dns_hidden"),
        (Content(), Reach(other=3, crossing=3), "dns_unknown"),
    ],
)
def test_dns(content_: Content, reach: Reach, expected: str) -> None:
    assert ids(content.dns(seen(content=content_, reach=reach))) == [expected]


def test_encryption_is_told_by_bytes() -> None:
    assert ids(content.encryption(seen(content=Content(bytes=100, encrypted=50)))) == ["encrypted_mostly"]
    assert ids(content.encryption(seen(content=Content(bytes=100, encrypted=49)))) == ["encrypted_partly"]
    assert content.encryption(seen(content=Content())) == []


@pytest.mark.parametrize(
    ("kernel", "card", "expected"),
    [
        (0, 0, [("dropped_none", Severity.FINE)]),
        (9, 9, [("dropped_none", Severity.FINE)]),
        (10, 0, [("dropped_kernel", Severity.NOTE)]),
        (100, 0, [("dropped_kernel", Severity.WARNING)]),
        (1_000, 0, [("dropped_kernel", Severity.BLIND)]),
        (0, 200, [("dropped_card", Severity.WARNING)]),
        (100, 200, [("dropped_kernel", Severity.WARNING), ("dropped_card", Severity.WARNING)]),
    ],
)
def test_drops_of_ten_thousand(kernel: int, card: int, expected: list[tuple[str, Severity]]) -> None:
    found = loss.dropped(seen(loss=Loss(received=10_000, kernel=kernel, card=card)))
    assert [(finding.id, finding.severity) for finding in found] == expected


@pytest.mark.parametrize(
    ("missed", "whole", "expected"),
    [(0, 99_999, []), (0, 100_000, ["holes_none"]), (100, 100_000, ["holes"]), (10**12, 100_000, ["holes"])],
)
def test_holes_need_enough_bytes(missed: int, whole: int, expected: list[str]) -> None:
    found = loss.holes(seen(loss=Loss(missed_bytes=missed, stream_bytes=whole)))
    assert ids(found) == expected
    assert all(finding.slots["share"].value <= 1 for finding in found if isinstance(finding.slots["share"], Share))


def test_what_was_cut_off_is_not_called_lost_by_the_mirror() -> None:
    lost = Loss(missed_bytes=50_000, stream_bytes=100_000)
    assert ids(loss.holes(seen(loss=lost))) == ["holes"]
    assert loss.holes(seen(loss=lost, frames=replace(FRAMES, cut=5_000))) == []


def test_cut_frames_are_told_by_who_cuts_them() -> None:
    some = replace(FRAMES, cut=500)
    assert ids(loss.cut(HEALTHY)) == ["cut_none"]
    assert ids(loss.cut(seen(frames=some))) == ["cut_live"]
    assert ids(loss.cut(seen(frames=some, expected=Expected(snaplen=96)))) == ["cut_configured"]
    assert ids(loss.cut(seen(frames=some, live=False, expected=Expected(snaplen=96)))) == ["cut_file"]
    assert loss.cut(seen(frames=replace(FRAMES, cut=1)))[0].severity is Severity.NOTE


def test_tables_that_were_too_small() -> None:
    assert loss.tables(HEALTHY) == []
    found = loss.tables(seen(loss=Loss(evicted=10, flows=1_000, panics=2), forgotten=7))
    assert ids(found) == ["evicted", "panics", "forgotten"]
    assert found[0].severity is Severity.WARNING


@pytest.mark.parametrize(
    ("frames", "expected"),
    [
        (replace(FRAMES, compared=19, duplicates=19), [("duplicates_unknown", Severity.UNKNOWN)]),
        (replace(FRAMES, compared=1_000, duplicates=4), [("duplicates_none", Severity.FINE)]),
        (replace(FRAMES, compared=1_000, duplicates=5), [("duplicates", Severity.NOTE)]),
        (replace(FRAMES, compared=1_000, duplicates=500), [("duplicates", Severity.WARNING)]),
    ],
)
def test_duplicates(frames: Frames, expected: list[tuple[str, Severity]]) -> None:
    found = content.duplicates(seen(frames=frames))
    assert [(finding.id, finding.severity) for finding in found] == expected


def test_large_frames_and_checksums() -> None:
    assert content.large(HEALTHY) == []
    assert ids(content.large(seen(frames=replace(FRAMES, over_mtu=100)))) == ["large_live"]
    assert ids(content.large(seen(frames=replace(FRAMES, large=100), live=False))) == ["large_file"]
    assert ids(content.checksums(seen(frames=replace(FRAMES, bad_checksums=99)))) == ["checksums_right"]
    assert ids(content.checksums(seen(frames=replace(FRAMES, bad_checksums=100, offloaded=100)))) == [
        "checksums_bad",
        "checksums_left",
    ]
    assert ids(content.fan_out(seen(by_flow_hash=1))) == ["fan_out_refused"]


@pytest.mark.parametrize(
    ("known", "expected"),
    [
        (Clock(), ["clock_unknown"]),
        (Clock(False), ["clock_unsynchronized"]),
        (Clock(None, 0.0, {("ahead", "1h"): 4}), ["clock_unknown"]),
        (Clock(None, 0.0, {("ahead", "1h"): 5}), ["clock_off_ntp"]),
        (Clock(None, 0.0, {("behind", "5s"): 5}), ["clock_right_ntp"]),
        # Too few time servers' answers: web servers are asked.
        (Clock(None, 0.0, {("ahead", "1s"): 1}, {("behind", "more"): 9}), ["clock_off_http"]),
        # Synchronized with a clock that is wrong.
        (Clock(True, 1.5, {("ahead", "1d"): 9}), ["clock_off_ntp", "clock_synchronized"]),
    ],
)
def test_clocks(known: Clock, expected: list[str]) -> None:
    assert ids(clock.clock(seen(clock=known))) == expected


def test_a_few_that_lie_do_not_move_the_middle() -> None:
    lies = {("behind", "more"): 3, ("ahead", "more"): 4, ("ahead", "100ms"): 10}
    assert median(lies) == ("ahead", "100ms")
    assert median({}) is None
    assert median({("behind", "1s"): 1}) == ("behind", "1s")


def test_what_the_box_says() -> None:
    assert box.spool(HEALTHY) == []
    assert ids(box.spool(seen(box=Box(waiting=0, free=10, wanted=5)))) == ["spool_fine"]
    sick = Box(waiting=5_000, dead=1, dropped=2, violations=1, free=1, wanted=5)
    assert ids(box.spool(seen(box=sick))) == [
        "disk_short",
        "spool_books",
        "spool_dropped",
        "spool_dead",
        "spool_waiting",
    ]
    assert ids(box.rules(seen(box=Box(silent_rules=2)))) == ["rules_silent"]


COUNTS = st.integers(0, 2**64 - 1)
OFFSETS = st.dictionaries(st.tuples(st.sampled_from(["ahead", "behind"]), st.sampled_from(STEPS)), COUNTS)
SIDES = st.builds(Sides, COUNTS, COUNTS, COUNTS, COUNTS)
WORDS = st.text(st.characters(exclude_characters="{}"), max_size=40)
NAMED = st.lists(st.tuples(WORDS, COUNTS), max_size=4).map(tuple)
OBSERVATIONS = st.builds(
    Observation,
    live=st.booleans(),
    inputs=st.lists(st.text(max_size=20), max_size=3).map(tuple),
    seconds=st.floats(0, 1e9),
    frames=st.builds(Frames, *[COUNTS] * 5, vlans=st.dictionaries(st.integers(0, 4095), COUNTS, max_size=20)),
    loss=st.builds(Loss, *[COUNTS] * 8),
    ports=st.lists(st.builds(Port, WORDS, st.sampled_from(["up", "down", "absent"])), max_size=3).map(tuple),
    sides=SIDES,
    vlan_sides=st.dictionaries(st.integers(0, 4095), SIDES, max_size=4),
    reach=st.builds(
        Reach, *[COUNTS] * 7, hubs=NAMED, peers=COUNTS, strangers=NAMED, insiders=NAMED, remotes=COUNTS, hosts=COUNTS
    ),
    content=st.builds(Content, bytes=COUNTS, encrypted=COUNTS, dns=COUNTS, askers=COUNTS, hidden_dns=COUNTS),
    clock=st.builds(Clock, st.none() | st.booleans(), st.floats(-1e9, 1e9), OFFSETS, OFFSETS),
    box=st.builds(Box, st.none() | COUNTS, COUNTS, COUNTS, COUNTS, st.none() | COUNTS, COUNTS, COUNTS),
)


@given(OBSERVATIONS)
def test_whatever_the_numbers_each_question_has_an_answer_in_both_languages(observation: Observation) -> None:
    found = diagnose(observation)
    severities = [tuple(Severity).index(finding.severity) for finding in found]
    assert severities == sorted(severities)
    for language in LANGUAGES:
        texts = read_texts(language)
        for finding in found:
            said = texts.said(finding)
            assert said.title
            assert "{" not in said.title + said.evidence + said.why + "".join(said.do)
            # Who is told that something must be done is told what.
            assert bool(said.why and said.do) or not finding.severity.calls


def test_all_checks_are_asked() -> None:
    rooms = (mirror, networks, content, loss, clock, box)
    public = {
        getattr(room, name)
        for room in rooms
        for name in vars(room)
        if not name.startswith("_") and getattr(getattr(room, name), "__module__", "") == room.__name__
    }
    assert public == {*OF_THE_BOX, *OF_TRAFFIC, mirror.kind}

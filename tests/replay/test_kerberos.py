"""A capture with Kerberos in it, composed by another implementation: its events, and SigmaHQ's rule about them."""

import json
from pathlib import Path

import pytest
from scapy.utils import wrpcap

from tests.replay.tickets import working_day
from tests.sigma.corpora import CORPORA, REQUIRED
from vigla_rules.compiling import compile_trees
from vigla_rules.layout import read_tree
from vigla_sensor import engine

KERBEROASTING = CORPORA / "sigmahq/rules/network/zeek/zeek_susp_kerberos_rc4.yml"
OUR_WORDS = """\
title: A Ticket of a Service Under RC4
id: 00000000-0000-4000-8000-000000000088
author: tests
logsource: {product: zeek, service: kerberos}
detection:
    selection: {request_type: TGS, cipher: rc4-hmac, client|startswith: maria/, success: true}
    condition: selection
level: medium
"""


@pytest.fixture
def capture(tmp_path: Path) -> Path:
    path = tmp_path / "day.pcap"
    wrpcap(str(path), working_day())
    return path


def found(rule: str, capture: Path, folder: Path) -> list[dict[str, object]]:
    """Events that a rule meets."""
    folder.mkdir()
    (folder / "rule.yml").write_text(rule, encoding="utf-8")
    built = compile_trees([read_tree(folder)], (), lambda _done, _total: None)
    assert not built.refused
    replay = engine.Replay(b'{"sensor": "s"}', built.data, [str(capture)])
    batch = replay.poll(1000)
    assert batch.finished
    return [json.loads(alert)["event"] for alert in batch.alerts]


def test_a_rule_meets_the_ticket_under_rc4_and_no_other(capture: Path, tmp_path: Path) -> None:
    (event,) = found(OUR_WORDS, capture, tmp_path / "rules")
    assert event["service"] == "MSSQLSvc/db.town.example:1433"
    assert event["client"] == "maria/TOWN.EXAMPLE"
    assert (event["forwardable"], event["renewable"]) == (True, True)


@pytest.mark.corpora
@pytest.mark.skipif(
    not KERBEROASTING.is_file() and not REQUIRED,
    reason=f"NOT RUN: no SigmaHQ at ../shared/corpora ({KERBEROASTING.name})",
)
def test_the_rule_of_sigmahq_fires(capture: Path, tmp_path: Path) -> None:
    events = found(KERBEROASTING.read_text(encoding="utf-8"), capture, tmp_path / "rules")
    assert [event["service"] for event in events] == ["MSSQLSvc/db.town.example:1433"]


def test_the_log_in_is_one_event_though_it_was_asked_for_proof_first(capture: Path, tmp_path: Path) -> None:
    everything = OUR_WORDS.replace(
        "request_type: TGS, cipher: rc4-hmac, client|startswith: maria/, success: true", "ts|exists: true"
    )
    events = found(everything, capture, tmp_path / "rules")
    assert [(event["request_type"], event["cipher"]) for event in events] == [
        ("AS", "aes256-cts-hmac-sha1-96"),
        ("TGS", "aes256-cts-hmac-sha1-96"),
        ("TGS", "rc4-hmac"),
    ]

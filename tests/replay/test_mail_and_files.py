"""Captures with FTP and mail in them, composed by the pack's recipes: what rules meet in their events."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.rules.pack.reading import recipes
from vigla_rules.compiling import compile_trees
from vigla_rules.layout import read_tree
from vigla_sensor import engine

RULE = """\
title: One
id: 00000000-0000-4000-8000-000000000021
author: tests
logsource: {{product: zeek, service: {service}}}
detection:
    selection: {selection}
    condition: selection
level: medium
"""
CLIENT, SERVER = "10.0.0.5", "203.0.113.9"


def found(
    service: str, selection: Mapping[str, Any], steps: Sequence[Mapping[str, Any]], folder: Path
) -> list[dict[str, Any]]:
    """Events of a composed capture that meet a rule of one selection."""
    capture = folder / "steps.pcap"
    recipes("traffic").steps(capture, steps=steps)
    (folder / "rules").mkdir()
    rule = RULE.format(service=service, selection=json.dumps(selection, ensure_ascii=False))
    (folder / "rules/rule.yml").write_text(rule, encoding="utf-8")
    built = compile_trees([read_tree(folder / "rules")], (), lambda _done, _total: None)
    assert not built.refused
    replay = engine.Replay(b'{"sensor": "s"}', built.data, [str(capture)])
    batch = replay.poll(1000)
    assert batch.finished
    return [json.loads(alert)["event"] for alert in batch.alerts]


def test_guessed_passwords_are_counted_and_not_told(tmp_path: Path) -> None:
    guess = {"client": CLIENT, "server": SERVER, "user": "admin", "password": "s3cret", "outcome": "refused"}
    events = found("ftp", {"command": "PASS", "reply_code": 530}, [{"ftp": guess, "times": 5}], tmp_path)
    assert [(event["user"], event["password"], event["arg"]) for event in events] == [
        ("admin", "<hidden>", "<hidden>")
    ] * 5


@pytest.mark.parametrize(("upload", "command"), [(False, "RETR"), (True, "STOR")])
def test_a_transferred_program_is_known_by_its_bytes(upload: bool, command: str, tmp_path: Path) -> None:
    step = {"client": CLIENT, "server": SERVER, "name": "notes.txt", "content": "MZ\x00 a program", "upload": upload}
    (event,) = found("ftp", {"mime_type": "application/x-dosexec"}, [{"ftp": step}], tmp_path)
    assert (event["command"], event["arg"]) == (command, f"ftp://{SERVER}/pub/notes.txt")
    assert event["password"] == "guest@client.example"


def test_the_transfers_connection_is_named(tmp_path: Path) -> None:
    step = {"client": CLIENT, "server": SERVER, "content": "x" * 5000}
    (event,) = found("conn", {"service": "ftp-data"}, [{"ftp": step}], tmp_path)
    assert (event["id.resp_p"], event["resp_bytes"]) == (50000, 5000)


@pytest.mark.parametrize("charset", ["utf-8", "iso-8859-7", "windows-1253"])
def test_a_greek_subject_is_read_in_any_character_set(charset: str, tmp_path: Path) -> None:
    subject = "Τιμολόγιο της Δημοτικής Επιχείρησης Ύδρευσης: πληρώστε σήμερα"
    step = {
        "client": SERVER,
        "server": CLIENT,
        "subject": subject,
        "charset": charset,
        "recipients": ["a@town.example"],
    }
    (event,) = found("smtp", {"subject|contains": "ΤΙΜΟΛΌΓΙΟ"}, [{"smtp": step}], tmp_path)
    assert event["subject"] == subject
    assert (event["rcptto"], event["last_reply"]) == (["a@town.example"], "250 2.0.0 queued")


def test_a_refused_mail_is_told_as_refused(tmp_path: Path) -> None:
    step = {"client": SERVER, "server": CLIENT, "reply": "550 5.7.1 spam", "headers": {"X-Mailer": "SquirrelMail/1.4"}}
    (event,) = found("smtp", {"last_reply|startswith": "550"}, [{"smtp": step}], tmp_path)
    assert event["is_webmail"] is True

"""Small pack directories on disk."""

from collections.abc import Callable
from pathlib import Path

import pytest

RULE = """\
title: Tor Gateway Looked Up
id: 00000000-0000-4000-8000-000000000001
name: tor_gateway
status: experimental
description: A host asked for a gateway to the Tor network.
references: [https://attack.mitre.org/techniques/T1090/003/]
author: Vigla
date: 2026-11-24
tags: [attack.command-and-control, attack.t1090.003]
logsource: {product: zeek, service: dns}
detection:
    selection:
        query|endswith: .onion.example
    condition: selection
falsepositives: [A researcher of the university library]
level: high
fields: [id.orig_h, query]
"""
PACK_TOML = """\
name = "test"
version = "1"
created = 2026-11-24
[roster.tor_gateway]
detection = "C4"
rsit_class = "malicious-code"
rsit_type = "infected-system"
per_100_users_day = 0.1
priority = 0
mandatory = false
"""
TEXT = """\
title: {title}
summary: "{word} {{query}}"
what: {word}
why: {word}
now: [{word}, {word}, {word}]
escalate: {word}
innocent: {word}
"""
SAMPLE = """\
rule: tor_gateway
true_positives:
  - {name: asked, log: asked.log}
true_negatives:
  - {name: another name, log: other.log}
  - {name: a name that contains it, log: contains.log}
"""


def write(path: Path, text: str) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text, encoding="utf-8")
    return path


@pytest.fixture(autouse=True)
def _of_no_user(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither the cache nor the language of whoever runs the tests."""
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
    monkeypatch.setenv("LC_ALL", "C.UTF-8")


@pytest.fixture
def pack_dir(tmp_path: Path) -> Path:
    """A pack directory in which nothing is wrong but the missing lock."""
    root = tmp_path / "pack"
    write(root / "pack.toml", PACK_TOML)
    write(root / "detections/c2/tor_gateway.yml", RULE)
    write(root / "texts/el/c2/tor_gateway.yml", TEXT.format(title="Ζητήθηκε το δίκτυο Tor", word="κάτι"))
    write(root / "texts/en/c2/tor_gateway.yml", TEXT.format(title="The Tor network was asked for", word="something"))
    write(root / "samples/c2/tor_gateway/sample.yml", SAMPLE)
    for name in ("asked", "other", "contains"):
        write(root / f"samples/c2/tor_gateway/{name}.log", "a line\n")
    return root


@pytest.fixture
def writer() -> Callable[[Path, str], Path]:
    """Writes a text file and the folders above it."""
    return write

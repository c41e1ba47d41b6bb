"""How entries hang together: each hash covers its entry and the hash before, so nothing is rewritten quietly. Pure."""

import hashlib
import json
from collections.abc import Iterable
from dataclasses import astuple, replace
from datetime import datetime

from vigla_console.audit.models import AuditEntry

GENESIS = "0" * 64


def seal(entry: AuditEntry) -> AuditEntry:
    """The entry with its hash."""
    return replace(entry, hash=entry_hash(entry))


def entry_hash(entry: AuditEntry) -> str:
    """SHA-256 over every member but `hash` itself, as a JSON list."""
    members = [m.isoformat() if isinstance(m, datetime) else m for m in astuple(replace(entry, hash=""))]
    return hashlib.sha256(json.dumps(members, ensure_ascii=False, separators=(",", ":")).encode()).hexdigest()


def first_fault(entries: Iterable[AuditEntry]) -> str | None:
    """What is wrong with a chain read from its beginning, or None."""
    prev = GENESIS
    for seq, entry in enumerate(entries, start=1):
        place = f"chain {entry.chain}, entry {entry.seq}"
        if entry.seq != seq:
            return f"{place}: entry {seq} is missing"
        if entry.prev != prev:
            return f"{place}: does not follow the entry before it"
        if entry.hash != entry_hash(entry):
            return f"{place}: was changed after it was written"
        prev = entry.hash
    return None

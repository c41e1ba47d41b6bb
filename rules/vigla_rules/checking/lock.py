"""``pack.lock``: id → SHA-256 → version. Changed content gets a new version, a removed rule stays with its reason."""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from vigla_rules.drafts import Draft
from vigla_rules.findings import Finding
from vigla_rules.layout import read_lock
from vigla_rules.vpk import write_pack

Entry = dict[str, object]


@dataclass(frozen=True, slots=True)
class Lock:
    """What is locked, by id."""

    rules: dict[str, Entry]
    removed: dict[str, Entry]


def load_lock(root: Path) -> Lock:
    """The lock of a pack directory; empty where there is none."""
    raw = read_lock(root / "pack.lock")
    return Lock(raw["rules"], raw["removed"])


def save_lock(root: Path, lock: Lock) -> None:
    """Writes it, sorted by id."""
    ordered = {name: dict(sorted(table.items())) for name, table in (("rules", lock.rules), ("removed", lock.removed))}
    write_pack(root / "pack.lock", (json.dumps(ordered, ensure_ascii=False, indent=1) + "\n").encode())


def check_lock(root: Path, drafts: Iterable[Draft]) -> list[Finding]:
    """Where the lock and the rules differ."""
    lock = load_lock(root)
    path = str(root / "pack.lock")
    findings = []
    present = {draft.meta.id: draft for draft in drafts}
    for rule, draft in present.items():
        entry = lock.rules.get(rule)
        line, column = draft.placed.at("id")
        if entry is None or entry.get("sha256") != draft.meta.digest:
            reason = "the rule is not locked" if entry is None else "the rule changed since it was locked"
            findings.append(
                Finding(
                    draft.placed.path,
                    line,
                    column,
                    "error",
                    "lock",
                    reason,
                    "run `vigla-rules lock`",
                    rule,
                    draft.meta.title,
                )
            )
    for rule, entry in lock.rules.items():
        if rule not in present:
            reason = f"rule {entry.get('name')} ({rule}) is locked and gone"
            findings.append(Finding(path, 1, 1, "error", "lock", reason, "run `vigla-rules lock --reason TEXT`"))
    return findings


def update_lock(lock: Lock, drafts: Iterable[Draft], reason: str | None) -> tuple[Lock, list[str]]:
    """The lock brought up to date, and what stands against it; with objections nothing should be written."""
    objections = []
    rules: dict[str, Entry] = {}
    for draft in drafts:
        meta, before = draft.meta, lock.rules.get(draft.meta.id)
        version = int(str(before["version"])) if before else 1
        if before and before.get("sha256") != meta.digest:
            if meta.modified is None or meta.modified == before.get("modified"):
                objections.append(
                    f"{draft.placed.path}: changed, but `modified` is not; set it to the day of the change"
                )
            version += 1
        if meta.id in lock.removed:
            objections.append(f"{draft.placed.path}: id {meta.id} belonged to a removed rule; give it a new one")
        rules[meta.id] = {"sha256": meta.digest, "version": version, "name": meta.name, "modified": meta.modified}
    removed = dict(lock.removed)
    for rule, entry in lock.rules.items():
        if rule in rules:
            continue
        if reason is None:
            objections.append(f"rule {entry.get('name')} ({rule}) is gone; say why with --reason TEXT")
        removed[rule] = {"version": entry["version"], "name": entry.get("name"), "reason": reason}
    return Lock(rules, removed), objections

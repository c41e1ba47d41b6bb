"""Sigma tags to `threat.*`: tactics by their names, techniques by their numbers (MITRE ATT&CK Enterprise and ICS)."""

import json
import re
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any

_TECHNIQUE = re.compile(r"attack\.(t\d{4})(\.\d{3})?", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Tactic:
    """Its number and its name, e.g. `TA0006`, `Credential Access`."""

    id: str
    name: str


@cache
def tactics() -> dict[str, Tactic]:
    """By the tag's own spelling, e.g. `credential-access`."""
    document = json.loads(resources.files(__package__).joinpath("attack_tactics.json").read_text(encoding="utf-8"))
    return {tag: Tactic(row["id"], row["name"]) for tag, row in document["tactics"].items()}


def threat(tags: tuple[str, ...]) -> dict[str, Any]:
    """`threat.tactic.{id,name}` and `threat.technique.id`, in the tags' order; empty if no tag is of ATT&CK.

    A sub-technique counts as its technique in `technique.id` and as itself in `technique.subtechnique.id` (ECS).
    """
    known = tactics()
    found = [known[name] for tag in tags if (name := _tactic_name(tag)) in known]
    techniques: list[str] = []
    subtechniques: list[str] = []
    for tag in tags:
        if match := _TECHNIQUE.fullmatch(tag):
            techniques.append(match[1].upper())
            if match[2]:
                subtechniques.append(match[1].upper() + match[2])
    result: dict[str, Any] = {}
    if found:
        unique = list(dict.fromkeys(found))
        result["tactic"] = {"id": [tactic.id for tactic in unique], "name": [tactic.name for tactic in unique]}
    if techniques:
        result["technique"] = {"id": list(dict.fromkeys(techniques))}
        if subtechniques:
            result["technique"]["subtechnique"] = {"id": list(dict.fromkeys(subtechniques))}
    return result


def _tactic_name(tag: str) -> str:
    """Both spellings in use, `attack.credential-access` and the older `attack.credential_access`."""
    return tag.lower().removeprefix("attack.").replace("_", "-") if tag.lower().startswith("attack.") else ""

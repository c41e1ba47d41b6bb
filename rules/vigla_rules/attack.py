"""Tags of ATT&CK: which techniques there are (shipped, nothing is downloaded) and what a rule's tags name."""

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from importlib.resources import files

# fmt: off
TACTICS = frozenset({
    "reconnaissance", "resource-development", "initial-access", "execution", "persistence",
    "privilege-escalation", "stealth", "defense-evasion", "defense-impairment", "credential-access",
    "discovery", "lateral-movement", "collection", "command-and-control", "exfiltration",
    "impact", "inhibit-response-function", "impair-process-control", "evasion",
})
# fmt: on
_TECHNIQUE = re.compile(r"attack\.(?:ics\.)?(t\d{4}(?:\.\d{3})?)")
_ICS = re.compile(r"T0[89]\d\d")
"""ICS techniques share a number range; they are taken by their shape."""


@dataclass(frozen=True, slots=True)
class Techniques:
    """ATT&CK's techniques: names by id (``T1110.001``), ``None`` where only the id is known."""

    names: Mapping[str, str | None]

    def knows(self, technique: str) -> bool:
        """Whether there is such a technique."""
        return technique in self.names or bool(_ICS.fullmatch(technique))


def read_techniques() -> Techniques:
    """The shipped list."""
    return Techniques(
        json.loads(files("vigla_rules").joinpath("data/attack.json").read_text(encoding="utf-8"))["techniques"]
    )


def techniques_of(tags: Iterable[str]) -> list[str]:
    """Technique ids that tags name, in their order."""
    found = (_TECHNIQUE.fullmatch(tag.lower()) for tag in tags)
    return list(dict.fromkeys(match[1].upper() for match in found if match))


def tactics_of(tags: Iterable[str]) -> list[str]:
    """Tactics that tags name, as ATT&CK's Navigator spells them (``credential-access``)."""
    named = (tag.lower().removeprefix("attack.").replace("_", "-") for tag in tags if tag.lower().startswith("attack."))
    return list(dict.fromkeys(name for name in named if name in TACTICS))

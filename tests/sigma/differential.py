"""Random rules of one test each over random events, through our engine and rsigma: each disagreement with its cause.

Deterministic: the draws are hypothesis's, derandomized. A disagreement that no row of ``CAUSES`` explains is new, and
one to triage; what it comes to belongs into ``cases.jsonl``.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tests.sigma.conformance import framed, yaml_text
from tests.sigma.corpora import native_hits
from tests.sigma.packs import compiled
from tests.sigma.strategies import EVENT, ITEMS, KEYWORDS, NAMES

Fields = dict[str, object]
ID = "00000000-0000-4000-8000-000000000001"


@dataclass(frozen=True, slots=True)
class Question:
    """One rule of one test over one event, answered differently."""

    key: str
    value: object
    event: Fields
    ours: bool

    @property
    def modifiers(self) -> set[str]:
        """Behind the field's name."""
        return set(self.key.split("|")[1:])

    @property
    def keyword(self) -> bool:
        """No field is named."""
        return not self.key.split("|")[0]

    @property
    def found(self) -> object:
        """What the event has under the name; ``...`` when nothing."""
        name = self.key.split("|")[0]
        if name == "a.b":
            inner = self.event.get("a", {})
            return inner.get("b", ...) if isinstance(inner, dict) else ...
        return self.event.get(name, ...)

    @property
    def texts(self) -> list[str]:
        """The rule's values that are texts."""
        return [one for one in listed(self.value) if isinstance(one, str)]


def listed(value: object) -> list[object]:
    """A list's members, a scalar alone."""
    return value if isinstance(value, list) else [value]


def _number(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _greek(value: object) -> bool:
    return any(letter in "σςΣµμΜϐβΒΪϊKk" for letter in str(value))


def _event_text(q: Question) -> str:
    seen = q.event if q.keyword or "fieldref" in q.modifiers else None if q.found is ... else q.found
    return json.dumps(seen, ensure_ascii=False)


def _anchored_wildcard(q: Question) -> bool:
    inner = [text.strip("*") for text in q.texts]
    return bool(q.modifiers & {"startswith", "endswith"}) and any(c in text for text in inner for c in "*?")


def _across_newline(q: Question) -> bool:
    return any(c in text for text in q.texts for c in "*?") and "\\n" in _event_text(q)


def _number_as_keyword(q: Question) -> bool:
    return q.keyword and q.ours and any(_number(one) for one in listed(q.value))


def _keyword_in_no_text(q: Question) -> bool:
    texts = [value.casefold() for value in q.event.values() if isinstance(value, str)]
    in_text = any(word.casefold() in text for word in q.texts for text in texts)
    return q.keyword and q.ours and not in_text and not (_greek(q.value) and _greek(_event_text(q)))


def _large(q: Question) -> bool:
    return any(digits in f"{q.value} {_event_text(q)}" for digits in ("90071992", "92233720"))


def _folding(q: Question) -> bool:
    return (_greek(q.value) or "fieldref" in q.modifiers) and _greek(_event_text(q))


TIMES = {"minute", "hour", "day", "week", "month", "year"}
THEIRS, SPECIFICATION = "theirs", "specification"
Cause = tuple[str, str, Callable[[Question], bool]]
# Whose, why (as in cases.jsonl), and when; the first that holds counts.
CAUSES: Sequence[Cause] = (
    (SPECIFICATION, "`neq` is false on an absent field", lambda q: "neq" in q.modifiers and q.ours and q.found is ...),
    (
        THEIRS,
        "keywords with a modifier are compared with whole values, each value alone",
        lambda q: q.keyword and bool(q.modifiers),
    ),
    (THEIRS, "a number as keyword is not looked for in texts", _number_as_keyword),
    (THEIRS, "keywords look at texts alone, not at numbers and booleans", _keyword_in_no_text),
    (
        SPECIFICATION,
        "numbers are seconds since 1970",
        lambda q: bool(q.modifiers & TIMES) and any(map(_number, listed(q.found))),
    ),
    (THEIRS, "`/` is never exchanged (trap 8)", lambda q: "windash" in q.modifiers),
    (THEIRS, "a wildcard inside an anchored value is a letter (trap 7)", _anchored_wildcard),
    (THEIRS, "wildcards do not cross newlines (trap 11)", _across_newline),
    (
        THEIRS,
        "where one byte is left over, a character that depends on what follows is kept",
        lambda q: "base64offset" in q.modifiers,
    ),
    (SPECIFICATION, "a mapped address is IPv6 alone", lambda q: "cidr" in q.modifiers and "::ffff" in _event_text(q)),
    (
        SPECIFICATION,
        "null counts as absent",
        lambda q: "exists" in q.modifiers and (q.found is None or isinstance(q.found, list)),
    ),
    (
        SPECIFICATION,
        "null is not looked for in lists",
        lambda q: q.value is None and isinstance(q.found, list),
    ),
    (SPECIFICATION, "null equals null", lambda q: "fieldref" in q.modifiers and "null" in _event_text(q)),
    (
        THEIRS,
        "two lists are compared whole, not by element",
        lambda q: "fieldref" in q.modifiers and "[" in _event_text(q),
    ),
    (THEIRS, "numbers are 64-bit, or floats", _large),
    (
        SPECIFICATION,
        "a rule's number equals text that is that number",
        lambda q: _number(q.value) and '"' in _event_text(q),
    ),
    (THEIRS, "lower case letter by letter is no folding (trap 10)", _folding),
)


@dataclass(slots=True)
class Outcome:
    """What a run came to."""

    rules: int = 0
    refused: int = 0
    events: int = 0
    asked: int = 0
    known: Counter[tuple[str, str]] = field(default_factory=Counter)
    new: list[Question] = field(default_factory=list)


def drawn(strategy: st.SearchStrategy[object], number: int) -> list[object]:
    """The same members every time."""
    found: list[object] = []

    @settings(
        max_examples=number,
        derandomize=True,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(strategy)
    def collect(member: object) -> None:
        found.append(member)

    collect()
    return found


def items(number: int) -> Iterator[tuple[str, object]]:
    """Keys with modifiers, and their values; lists of a municipality left out."""
    tests = st.one_of(
        st.tuples(NAMES, ITEMS).map(lambda drawn: (drawn[0] + drawn[1][0], drawn[1][1])),
        KEYWORDS.map(lambda drawn: next(iter(drawn.items())) if isinstance(drawn, dict) else ("", drawn)),
    )
    for key, value in drawn(tests, number):  # type: ignore[misc]  # pairs, by the strategy above
        if "expand" not in key:
            yield key, value


def run(path: str, number: int = 1500, events: int = 150) -> Outcome:
    """``number`` of rules over ``events``; about half a minute."""
    outcome = Outcome(events=events)
    happened = [event for event in drawn(EVENT, events) if isinstance(event, dict)]
    lines = [json.dumps(event, ensure_ascii=False).encode() for event in happened]
    with tempfile.TemporaryDirectory() as scratch:
        numbered = Path(scratch) / "events.ndjson"
        numbered.write_text("".join(json.dumps({**e, "__line": f"#{at}"}) + "\n" for at, e in enumerate(happened)))
        for key, value in items(number):
            text = yaml_text(framed({"detection": {"s": {key: value} if key else value, "condition": "s"}}, 1))
            built = compiled([text])
            theirs = None if built.refused else _theirs(path, Path(scratch) / "rule.yml", text, numbered)
            if theirs is None:
                outcome.refused += 1
                continue
            ours = native_hits(built.data, lines, "case").get(ID, set())
            outcome.rules += 1
            outcome.asked += len(lines)
            for at in sorted(ours ^ theirs):
                question = Question(key, value, happened[at], at in ours)
                cause = next(((whose, why) for whose, why, holds in CAUSES if holds(question)), None)
                if cause is None:
                    outcome.new.append(question)
                else:
                    outcome.known[cause] += 1
    return outcome


def _theirs(path: str, rule: Path, text: str, events: Path) -> set[int] | None:
    rule.write_text(text, encoding="utf-8")
    command = [path, "engine", "eval", "-q", "-r", str(rule), "-e", f"@{events}", "--include-event"]
    done = subprocess.run(
        [*command, "--input-format", "json", "--output-format", "ndjson"], capture_output=True, check=False
    )
    if done.returncode or b"error" in done.stderr:
        return None
    return {int(json.loads(line)["event"]["__line"][1:]) for line in done.stdout.splitlines()}

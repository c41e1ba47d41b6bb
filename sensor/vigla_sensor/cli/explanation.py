"""An explanation (docs/native-boundary.md) as indented lines for people, in Greek or English, colored on a terminal."""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

_TEXT = 160
"""Characters of a value that are shown."""
_SEVERAL = 8
"""Values of a list that are shown."""

# On a terminal's screen a control character of an event could move the cursor, or worse.
_CONTROLS = {code: f"\\x{code:02x}" for code in (*range(0x20), *range(0x7F, 0xA0))}


@dataclass(frozen=True, slots=True)
class Words:
    """What is said in one language. `verdicts` and `nodes` by the core's words."""

    matches: str
    differs: str
    event: str
    lists: str
    through: str
    other: str
    guard: str
    gates: str
    condition: str
    keywords: str
    found: str
    nothing: str
    more: str
    verdicts: Mapping[str, str]
    nodes: Mapping[str, str]
    operators: Mapping[str, str]


ENGLISH = Words(
    matches="matches",
    differs="does not match",
    event="event {number} of {of}",
    lists="cannot fire: the list {} is not filled",
    through="as {}",
    other="this rule does not serve it",
    guard="not from where this rule looks",
    gates="class of the event",
    condition="condition",
    keywords="any field",
    found="found",
    nothing="nothing",
    more="and {} more",
    verdicts={"true": "true", "false": "false", "missing": "missing"},
    nodes={"and": "all of", "or": "any of", "not": "not"},
    operators={
        "eq": "is",
        "contains": "contains",
        "startswith": "starts with",
        "endswith": "ends with",
        "wildcard": "is like",
        "num": "is the number",
        "bool": "is",
        "null": "is absent or null",
        "empty": "is empty",
        "exists": "is present:",
        "re": "matches the expression",
        "cidr": "lies in",
        "lt": "is less than",
        "lte": "is at most",
        "gt": "is more than",
        "gte": "is at least",
        "fieldref": "against the field",
        "list": "is in the list",
        "time": "is at the time",
    },
)
GREEK = Words(
    matches="ταιριάζει",
    differs="δεν ταιριάζει",
    event="συμβάν {number} από {of}",
    lists="δεν μπορεί να σημάνει: η λίστα {} είναι κενή",
    through="ως {}",
    other="ο κανόνας δεν αφορά αυτή την πηγή",
    guard="όχι από εκεί που κοιτάζει ο κανόνας",
    gates="είδος του συμβάντος",
    condition="συνθήκη",
    keywords="οποιοδήποτε πεδίο",
    found="βρέθηκε",
    nothing="τίποτα",
    more="και άλλα {}",
    verdicts={"true": "ναι", "false": "όχι", "missing": "λείπει"},
    nodes={"and": "όλα τα", "or": "κάποιο από τα", "not": "όχι"},
    operators={
        "eq": "είναι",
        "contains": "περιέχει",
        "startswith": "αρχίζει με",
        "endswith": "τελειώνει σε",
        "wildcard": "μοιάζει με",
        "num": "είναι ο αριθμός",
        "bool": "είναι",
        "null": "απουσιάζει ή είναι null",
        "empty": "είναι κενό",
        "exists": "υπάρχει:",
        "re": "ταιριάζει στην έκφραση",
        "cidr": "ανήκει στο",
        "lt": "είναι μικρότερο από",
        "lte": "είναι το πολύ",
        "gt": "είναι μεγαλύτερο από",
        "gte": "είναι τουλάχιστον",
        "fieldref": "σε σχέση με το πεδίο",
        "list": "είναι στη λίστα",
        "time": "είναι την ώρα",
    },
)

_COLORS = {"true": "32", "false": "31", "missing": "33", "title": "1", "dim": "2"}


@dataclass(frozen=True, slots=True)
class Paint:
    """Colors text where that is wanted."""

    on: bool

    def __call__(self, text: str, how: str) -> str:
        return f"\x1b[{_COLORS[how]}m{text}\x1b[0m" if self.on and how in _COLORS else text


def language(environment: Mapping[str, str]) -> str:
    """`el` or `en`, by the locale (POSIX: `LC_ALL` before `LC_MESSAGES` before `LANG`)."""
    chosen = next((environment[name] for name in ("LC_ALL", "LC_MESSAGES", "LANG") if environment.get(name)), "")
    return "el" if chosen.lower().startswith("el") else "en"


def colored(environment: Mapping[str, str], terminal: bool) -> bool:
    """Colors on a terminal, unless `NO_COLOR` says otherwise (no-color.org) or the terminal is a dumb one."""
    return terminal and not environment.get("NO_COLOR") and environment.get("TERM") != "dumb"


def lines(tree: Mapping[str, Any], words: Words, paint: Paint) -> Iterator[str]:
    """The whole explanation. A view through which the rule is not asked is one line."""
    matches = bool(tree["matches"])
    verdict = paint(words.matches if matches else words.differs, "true" if matches else "false")
    yield f"{paint(_plain(tree['title']), 'title')} ({_plain(tree['rule'])}): {verdict}"
    if tree["event"]["of"] > 1:
        yield paint(words.event.format(**tree["event"]), "dim")
    for name in tree["inactive_lists"]:
        yield paint(words.lists.format(_plain(name)), "missing")
    for view in tree["views"]:
        yield from _view(view, words, paint)


def _view(view: Mapping[str, Any], words: Words, paint: Paint) -> Iterator[str]:
    source = "/".join(_plain(part) for part in view["logsource"].values() if part) or "?"
    line = words.through.format(source)
    if not view["serves"]:
        yield f"{line}: {paint(words.other, 'dim')}"
        return
    if not view["guard"]:
        yield f"{line}: {paint(words.guard, 'dim')}"
        return
    yield line
    if view["gates"]:
        yield f"  {words.gates}"
        for gate in view["gates"]:
            yield from _node(gate, 2, words, paint)
    yield f"  {words.condition}"
    yield from _node(view["condition"], 2, words, paint)


def _node(node: Mapping[str, Any], depth: int, words: Words, paint: Paint) -> Iterator[str]:
    """Depth first with a stack of its own: a rule may be deeper than Python's."""
    waiting = [(node, depth)]
    width = max(len(word) for word in words.verdicts.values())
    while waiting:
        node, depth = waiting.pop()
        verdict = str(node["verdict"])
        named = f"{_plain(node['selection'])}: " if "selection" in node else ""
        kind = next((kind for kind in words.nodes if kind in node), None)
        said = words.nodes[kind] if kind else _test(node, words, paint)
        yield f"{'  ' * depth}{paint(words.verdicts[verdict].ljust(width), verdict)}  {named}{said}"
        if kind:
            waiting += [(child, depth + 1) for child in reversed(node[kind])]


def _test(node: Mapping[str, Any], words: Words, paint: Paint) -> str:
    field = words.keywords if node["field"] is None else _plain(node["field"])
    said = f"{field} {words.operators.get(node['op'], node['op'])}"
    if node["value"] not in (None, ""):
        said += f" {_value(node['value'], words)}"
    if node["verdict"] == "missing":
        return said
    actual = node["actual"]
    shown = words.nothing if actual is None else _value(actual, words)
    return said + paint(f"  ({words.found}: {shown})", "dim")


def _value(value: Any, words: Words) -> str:
    if isinstance(value, list):
        shown = ", ".join(_value(each, words) for each in value[:_SEVERAL])
        rest = len(value) - _SEVERAL
        return f"[{shown}, {words.more.format(rest)}]" if rest > 0 else f"[{shown}]"
    text = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False)
    text = _plain(text[:_TEXT]) + ("…" if len(text) > _TEXT else "")
    return f'"{text}"' if isinstance(value, str) else text


def _plain(text: object) -> str:
    return str(text).translate(_CONTROLS)

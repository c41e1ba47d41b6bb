"""An obvious reader of log lines by source definitions: the twin of the native one, for the pack's definitions.

Written from the design's words (pack.md 2), not from the core: two that agree are worth more than one.
"""

from __future__ import annotations

import datetime
import re
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import unquote_to_bytes

Fields = dict[str, Any]
COMBINED = re.compile(
    r"(?:(?P<server_name>\S+) )?(?P<remote_addr>[0-9a-fA-F.:]+) \S+ (?P<remote_user>.*?) \[(?P<time_local>[^\]]+)\] "
    r'"(?P<request>(?:[^"\\]|\\.)*)" (?P<status>\d{3}) (?P<body_bytes_sent>\S+)'
    r'(?: "(?P<http_referer>(?:[^"\\]|\\.)*)" "(?P<http_user_agent>(?:[^"\\]|\\.)*)")?'
)
HEADER = re.compile(r"(?P<time>\S+) (?P<host>\S+) [\w-]+\[\d+\]: ")
CAPTURES = {"ip": r"[0-9a-fA-F.:]+", "port": r"\d{1,5}", "int": r"-?\d+", "word": r"\S+?", "rest": r".*"}
PAIR = re.compile(r'(\w+)=("(?:[^"\\]|\\.)*"|[^\s"]*)')


def event(definition: Mapping[str, Any], line: str) -> tuple[float, Mapping[str, str], Fields] | None:
    """Time in seconds, log source and fields of the line's event; ``None`` when it is skipped."""
    raw = parse(definition["parse"], line)
    for branch in definition["events"]:
        if all(holds(test, raw.get(name)) for name, test in branch["when"].items()):
            return moment(definition, raw), branch["logsource"], {**raw, **ours(branch, raw)}
    return None


def claimed(definition: dict[str, Any], line: str) -> bool:
    """By what the line itself shows: its tag, or all of the texts. A file's name is not in it."""
    return any(
        all(text in line for text in match["contains"]) if "contains" in match else tagged(match.get("tag", []), line)
        for match in definition["match"]
    )


def tagged(tags: str | list[str], line: str) -> bool:
    return any(re.search(rf" {tag}\[\d+\]: ", line) for tag in ([tags] if isinstance(tags, str) else tags))


def key_value(line: str) -> Fields:
    """Pairs; quotes and their escapes are taken off."""
    return {key: re.sub(r"\\(.)", r"\1", value.strip('"')) for key, value in PAIR.findall(line)}


def combined(line: str) -> Fields:
    """nginx's variables; what is ``-`` is absent."""
    found = COMBINED.match(line)
    if found is None:
        return {}
    return {name: value for name, value in found.groupdict().items() if value not in (None, "-", "")}


def pattern(templates: Mapping[str, str], line: str) -> Fields:
    """The first template that the message after the header fits; its captures, and the header's host and time."""
    head = HEADER.match(line)
    if head is None:
        return {}
    for name, template in templates.items():
        parts = re.split(r"\{(\w+):(\w+)\}", template)
        pieces = [re.escape(parts[0])]
        for capture, kind, literal in zip(parts[1::3], parts[2::3], parts[3::3], strict=True):
            group = f"(?P<{capture}>{CAPTURES[kind]})" if capture != "_" else CAPTURES[kind]
            pieces.append(group + re.escape(literal))
        found = re.fullmatch("".join(pieces), line[head.end() :])
        if found is not None:
            return {"template": name, "syslog.host": head["host"], "syslog.time": head["time"], **found.groupdict()}
    return {}


def parse(how: Mapping[str, Any], line: str) -> Fields:
    match how["kind"]:
        case "kv":
            return key_value(line)
        case "combined":
            return combined(line)
        case _:
            return pattern(how["templates"], line)


def holds(test: Any, value: str | None) -> bool:
    if isinstance(test, Mapping):
        ((how, wanted),) = test.items()
        if how == "present":
            return (value is not None) is wanted
        wanted = wanted if isinstance(wanted, list) else [wanted]
        return value is not None and any(
            value.startswith(text) if how == "startswith" else text in value for text in wanted
        )
    return value in (test if isinstance(test, list) else [test])


def ours(branch: Mapping[str, Any], raw: Fields) -> Fields:
    """Our fields; one that cannot be made is left out."""
    made: Fields = {}
    for name, how in branch.get("fields", {}).items():
        value: Any
        if isinstance(how, str):
            value = raw.get(how)
        elif "derive" in how:
            terms = [raw[term] for term in re.findall(r"\w+", how["derive"])[1:] if term in raw]
            value = sum(map(int, terms)) if terms else None
        else:
            value = int(raw[how["from"]]) if how["from"] in raw else None
        if value is not None:
            made[name] = value
    for name, table in branch.get("table", {}).items():
        word = table.get(raw.get(table["from"], ""))
        if word is not None:
            made[name] = word
    for call in branch.get("derive", []):
        function, argument = call.rstrip(")").split("(")
        made.update(DERIVATIONS[function]({**raw, **made}.get(argument, "")))
    return made


def request(text: str) -> Fields:
    method, uri, version = text.split(" ", 1)[0], text.split(" ", 1)[1].rsplit(" ", 1)[0], text.rsplit(" ", 1)[1]
    return {"cs-method": method, "cs-uri": uri, "cs-version": version}


def uri(text: str) -> Fields:
    stem, mark, query = text.partition("?")
    decoded = decode(stem) + (mark and mark + decode(query.replace("+", " ")))
    made: Fields = {"cs-uri-stem": stem, "cs-uri-decoded": decoded, "cs-uri-shape": re.sub(r"[0-9]+", "#", decoded)}
    if mark:
        made["cs-uri-query"] = query
    runs = re.findall(r"[0-9]+", decoded)
    if runs:
        made["cs-uri-number"] = max(runs, key=len)
    return made


def decode(text: str) -> str:
    return unquote_to_bytes(text).decode("utf-8", "replace")


DERIVATIONS: dict[str, Callable[[str], Fields]] = {"request": request, "uri": uri}


def moment(definition: Mapping[str, Any], raw: Fields) -> float:
    """By the first of the definition's times that the line has, in seconds since 1970."""
    for how in definition["time"]:
        if how["format"] == "header":
            return datetime.datetime.fromisoformat(raw["syslog.time"]).timestamp()
        names = how.get("fields") or [how["field"]]
        if all(name in raw for name in names):
            text = " ".join(raw[name] for name in names)
            if how["format"] == "epoch_auto":
                return float(int(text) / 10 ** max(0, len(text) - 10))
            return datetime.datetime.strptime(text, how["format"]).astimezone().timestamp()
    raise ValueError(f"no time in {raw}")

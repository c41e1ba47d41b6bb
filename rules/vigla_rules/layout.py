"""What is read from a directory: a pack directory's parts, or any tree of Sigma files."""

import datetime
import json
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from vigla_rules.documents import plain, read_mapping
from vigla_rules.files import RuleFile
from vigla_rules.findings import Finding, Refusal, did_you_mean
from vigla_rules.walking import one_file, rule_files

RULE_FOLDERS = ("detections", "correlations", "filters")
LANGUAGES = ("el", "en")
LIST_TYPES = ("ip", "user", "host", "domain", "country", "hash", "text")
_KEYS = {"name", "version", "minimum_sensor", "created", "ruleset", "license", "lists", "roster"}
_LIST_KEYS = {"type", "el", "en"}
_ROSTER_KEYS = {"detection", "rsit_class", "rsit_type", "per_100_users_day", "priority", "mandatory"}


class LayoutError(ValueError):
    """A data file of the pack that cannot be used: what, where, what to do."""


@dataclass(frozen=True, slots=True)
class PackSettings:
    """``pack.toml``, checked."""

    name: str = "sigma"
    version: str = "0"
    minimum_sensor: str = "0.1.0"
    created: str = "1980-01-01"
    ruleset: str = "sigma"
    license: str | None = None
    lists: dict[str, dict[str, str]] = field(default_factory=dict)
    roster: dict[str, dict[str, object]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Tree:
    """One directory to compile. ``settings`` is ``None`` where it is no pack directory.

    ``credit`` names rule set and license of rules that name none; ``notices`` are further files that travel with them.
    """

    root: Path
    files: list[RuleFile]
    settings: PackSettings | None
    credit: PackSettings = field(default_factory=PackSettings)
    notices: dict[str, bytes] = field(default_factory=dict)
    aliases: list[object] = field(default_factory=list)
    ecs: dict[str, object] = field(default_factory=dict)
    sources: dict[str, dict[str, object]] = field(default_factory=dict)
    texts: dict[str, dict[str, dict[str, object]]] = field(default_factory=dict)
    versions: dict[str, int] = field(default_factory=dict)
    problems: list[Finding] = field(default_factory=list)


def is_pack(root: Path) -> bool:
    """Whether the directory is laid out as a pack."""
    return (root / "detections").is_dir()


def read_tree(root: Path) -> Tree:
    """Reads a directory; raises ``LayoutError`` for a data file that cannot be used, with its path."""
    problems: list[Finding] = []
    if root.is_file():
        return Tree(root.parent, one_file(root, problems), None, problems=problems)
    if not root.is_dir():
        raise LayoutError(f"{root}: no such directory; name a directory of Sigma rules")
    if not is_pack(root):
        return Tree(root, rule_files(root, (".",), problems), None, problems=problems)
    settings = read_settings(root / "pack.toml")
    return Tree(
        root=root,
        files=rule_files(root, RULE_FOLDERS, problems),
        settings=settings,
        credit=settings,
        aliases=cast("list[object]", read_data(root / "aliases.yml").get("aliases", [])),
        ecs=read_data(root / "ecs.yml"),
        sources=_sources(root, problems),
        texts=_texts(root, problems),
        versions=read_versions(root / "pack.lock"),
        problems=problems,
    )


def read_sigmahq(root: Path) -> list[Tree]:
    """The rule trees of a SigmaHQ checkout, under its own license and with the text of it."""
    folders = [path for path in sorted(root.glob("rules*")) if path.is_dir() and path.name != "rules-placeholder"]
    license_file = root / "LICENSE.Detection.Rules.md"
    if not folders or not license_file.is_file():
        raise LayoutError(f"{root}: no SigmaHQ checkout; it holds rules/ and {license_file.name}")
    credit = PackSettings(ruleset="sigmahq", license="DRL-1.1")
    notices = {f"rules/sigmahq/{license_file.name}": license_file.read_bytes()}
    trees = []
    for folder in folders:
        tree = read_tree(folder)
        files = [RuleFile(file.path, f"sigmahq/{folder.name}/{file.relative}", file.data) for file in tree.files]
        trees.append(Tree(root, files, None, credit, notices, problems=tree.problems))
    return trees


def read_settings(path: Path) -> PackSettings:
    """``pack.toml``; defaults where there is none."""
    if not path.is_file():
        return PackSettings()
    try:
        raw = tomllib.loads(path.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise LayoutError(f"{path}: {error}; mend the TOML") from None
    _known(path, "", raw, _KEYS)
    for section, allowed in (("lists", _LIST_KEYS), ("roster", _ROSTER_KEYS)):
        for name, entry in raw.get(section, {}).items():
            if not isinstance(entry, dict):
                raise LayoutError(f"{path}: {section}.{name} is no table; write [{section}.{name}]")
            _known(path, f"{section}.{name}.", entry, allowed)
    for name, entry in raw.get("lists", {}).items():
        if entry.get("type") not in LIST_TYPES or not entry.get("el") or not entry.get("en"):
            raise LayoutError(f"{path}: lists.{name} needs type (one of {', '.join(LIST_TYPES)}), el and en")
    created = raw.get("created")
    if created is not None:
        raw["created"] = created.isoformat() if isinstance(created, datetime.date) else str(created)
    for key in ("name", "version", "minimum_sensor", "ruleset", "license"):
        if key in raw and not isinstance(raw[key], str):
            raise LayoutError(f"{path}: {key} = {raw[key]!r} is no text; put it in quotes")
    return PackSettings(**raw)


def read_versions(path: Path) -> dict[str, int]:
    """Rule versions by id from ``pack.lock``; empty where there is none."""
    return {rule: int(str(entry["version"])) for rule, entry in read_lock(path)["rules"].items()}


def read_lock(path: Path) -> dict[str, dict[str, dict[str, object]]]:
    """``pack.lock``: ``rules`` and ``removed`` by id."""
    if not path.is_file():
        return {"rules": {}, "removed": {}}
    try:
        lock = json.loads(path.read_text(encoding="utf-8"))
        return {"rules": dict(lock["rules"]), "removed": dict(lock.get("removed", {}))}
    except (ValueError, KeyError, TypeError) as error:
        raise LayoutError(f"{path}: not a lock file ({error}); write it anew with `vigla-rules lock`") from None


def _known(path: Path, prefix: str, table: dict[str, object], allowed: set[str]) -> None:
    for key in table:
        if key not in allowed:
            advice = did_you_mean(key, sorted(allowed), f"known: {', '.join(sorted(allowed))}")
            raise LayoutError(f"{path}: unknown key '{prefix}{key}'; {advice}")


def read_data(path: Path) -> dict[str, object]:
    """A YAML file of one map; empty where there is none. Raises ``LayoutError``."""
    if not path.is_file():
        return {}
    try:
        return cast("dict[str, object]", plain(read_mapping(path.read_bytes())))
    except Refusal as refusal:
        raise LayoutError(f"{path}:{refusal.place[0]}: {refusal.reason}; {refusal.suggestion}") from None


def _sources(root: Path, problems: list[Finding]) -> dict[str, dict[str, object]]:
    found = {}
    for path in sorted((root / "sources").glob("*.yml")):
        definition = read_data(path)
        definition.pop("samples", None)
        if definition.get("id") != path.stem:
            reason = f"id {definition.get('id')!r} differs from the file's name"
            problems.append(Finding(str(path), 1, 1, "error", "source", reason, f"write `id: {path.stem}`"))
        found[path.stem] = definition
    return found


def _texts(root: Path, problems: list[Finding]) -> dict[str, dict[str, dict[str, object]]]:
    """Texts by language and then by ``area/name`` of the rule they are for."""
    found: dict[str, dict[str, dict[str, object]]] = {}
    for language in LANGUAGES:
        folder = root / "texts" / language
        found[language] = {}
        for path in sorted(folder.rglob("*.yml")):
            try:
                found[language][path.relative_to(folder).with_suffix("").as_posix()] = read_data(path)
            except LayoutError as error:
                problems.append(Finding(str(path), 1, 1, "error", "text", str(error), "mend the file"))
    return found

"""Reads a pack (`docs/pack-format.md`) for its texts and metadata; matching is the sensor's matter.

The whole pack is refused if a member's hash differs, is missing or is not in the manifest.
"""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from vigla_console.rules.models import RuleInfo, RuleText

FORMAT = 1
LARGEST_PACK = 64 * 1024 * 1024
LARGEST_UNPACKED = 256 * 1024 * 1024
LANGUAGES = ("el", "en")


class BadPack(ValueError):
    """The pack is refused whole; the message says which member and why."""


@dataclass(frozen=True, slots=True)
class PackBook:
    """See ``RuleBook``."""

    version: str
    infos: Mapping[str, RuleInfo]
    texts: Mapping[str, Mapping[str, RuleText]] = field(default_factory=dict)
    ecs: Mapping[str, str] = field(default_factory=dict)

    def rule(self, rule_id: str) -> RuleInfo | None:
        return self.infos.get(rule_id)

    def text(self, rule_id: str, language: str) -> RuleText | None:
        return self.texts.get(language, {}).get(rule_id)

    def rules(self) -> Mapping[str, RuleInfo]:
        return self.infos


def no_pack() -> PackBook:
    """Where no pack is configured: alerts show what their documents carry."""
    return PackBook("", {})


def read_pack(path: Path) -> PackBook:
    """Raises ``BadPack`` naming the file."""
    try:
        if path.stat().st_size > LARGEST_PACK:
            raise BadPack(f"larger than {LARGEST_PACK} bytes")
        return parse_pack(path.read_bytes())
    except OSError as error:
        raise BadPack(f"pack {path}: {error.strerror}; build it with `vigla-rules compile`") from error
    except BadPack as error:
        raise BadPack(f"pack {path}: {error}") from None


def parse_pack(data: bytes) -> PackBook:
    """Raises ``BadPack``."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = _members(archive)
    except (zipfile.BadZipFile, NotImplementedError, EOFError, OSError, RuntimeError) as error:
        raise BadPack(f"no readable ZIP ({error})") from None
    manifest = _json(members, "manifest.json")
    if manifest.get("format") != FORMAT:
        raise BadPack(f"format {manifest.get('format')!r}: this console reads format {FORMAT}")
    _verify(members, manifest)
    rules = _json(members, "rules.json")
    texts = _json(members, "texts.json")
    listed = [*rules.get("rules", []), *rules.get("correlations", [])]
    infos = {entry["id"]: _info(entry, members) for entry in listed}
    return PackBook(
        version=str(manifest.get("version", "")),
        infos=infos,
        texts={
            language: {rule_id: _text(rule_id, block) for rule_id, block in texts.get(language, {}).items()}
            for language in LANGUAGES
        },
        ecs=_ecs(members),
    )


def _members(archive: zipfile.ZipFile) -> dict[str, bytes]:
    if sum(info.file_size for info in archive.infolist()) > LARGEST_UNPACKED:
        raise BadPack(f"unpacks to more than {LARGEST_UNPACKED} bytes")
    names = [info.filename for info in archive.infolist()]
    if len(names) != len(set(names)):
        raise BadPack("a member occurs twice")
    return {name: archive.read(name) for name in names}


def _verify(members: Mapping[str, bytes], manifest: Mapping[str, Any]) -> None:
    listed = manifest.get("members")
    if not isinstance(listed, dict):
        raise BadPack("manifest.json lists no members")
    for name in sorted(listed.keys() | (members.keys() - {"manifest.json"})):
        if name not in members:
            raise BadPack(f"member {name} is missing")
        if name not in listed:
            raise BadPack(f"member {name} is not in the manifest")
        if hashlib.sha256(members[name]).hexdigest() != listed[name]:
            raise BadPack(f"member {name} was altered: its SHA-256 is not the manifest's; fetch the pack again")


def _json(members: Mapping[str, bytes], name: str) -> dict[str, Any]:
    if name not in members:
        raise BadPack(f"member {name} is missing")
    try:
        document = json.loads(members[name])
    except ValueError as error:
        raise BadPack(f"member {name} is no JSON: {error}") from None
    if not isinstance(document, dict):
        raise BadPack(f"member {name} is no JSON object")
    return document


def _ecs(members: Mapping[str, bytes]) -> dict[str, str]:
    try:
        return {row["field"]: row["ecs"] for row in _json(members, "ecs.json")["fields"] if "ecs" in row}
    except (KeyError, TypeError) as error:
        raise BadPack(f"ecs.json: {error!r}") from None


def _info(entry: Mapping[str, Any], members: Mapping[str, bytes]) -> RuleInfo:
    try:
        source = members.get(f"rules/{entry['path']}", b"") or members.get(entry["path"], b"")
        return RuleInfo(
            id=entry["id"],
            name=entry["name"],
            title=entry["title"],
            description=entry.get("description") or "",
            author=entry["author"],
            license=entry.get("license") or "",
            level=entry["level"],
            tags=tuple(entry.get("tags", ())),
            references=tuple(entry.get("references", ())),
            falsepositives=tuple(entry.get("falsepositives", ())),
            fields=tuple(entry.get("fields", ())),
            path=entry["path"],
            mandatory=bool(entry.get("mandatory", False)),
            timespan_ms=int(entry.get("timespan_ms") or 0),
            group_by=tuple(entry.get("group_by", ())),
            source=source.decode("utf-8", "replace"),
        )
    except (KeyError, TypeError, ValueError) as error:
        raise BadPack(f"rules.json: rule {entry.get('id', '?')}: {error!r}") from None


def _text(rule_id: str, block: Mapping[str, Any]) -> RuleText:
    try:
        return RuleText(
            title=str(block["title"]),
            summary=str(block["summary"]),
            what=str(block["what"]),
            why=str(block["why"]),
            now=tuple(str(step) for step in block["now"]),
            escalate=str(block["escalate"]),
            innocent=str(block["innocent"]),
        )
    except (KeyError, TypeError) as error:
        raise BadPack(f"texts.json: rule {rule_id}: {error!r}") from None

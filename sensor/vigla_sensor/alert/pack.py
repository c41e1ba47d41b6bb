"""What the alert needs from a pack (`docs/pack-format.md`): rule metadata and the ECS table."""

import hashlib
import io
import json
import zipfile
import zlib
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from vigla_sensor.alert.alert import Severity
from vigla_sensor.alert.ecs import EcsTable

FORMAT = 1
_READ = ("rules.json", "ecs.json")
_MAX_MEMBER = 256 * 1024 * 1024
# A reader of an older interpreter raises the ZIP module's own kinds for what is only one thing: not a readable ZIP.
_ZIP_FAULTS = (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, RuntimeError, OSError)


class PackFault(ValueError):
    """The pack is refused whole: which member, why, what to do."""


@dataclass(frozen=True, slots=True)
class RuleInfo:
    """A rule's or correlation's metadata, as shown on every alert."""

    id: str
    title: str
    description: str
    authors: tuple[str, ...]
    license: str
    level: str
    version: str
    ruleset: str
    tags: tuple[str, ...]
    references: tuple[str, ...]
    fields: tuple[str, ...]

    @property
    def severity(self) -> Severity:
        return Severity.of_level(self.level)


@dataclass(frozen=True, slots=True)
class Pack:
    """Metadata of a pack whose members were checked against the manifest."""

    name: str
    version: str
    sha256: str
    created: datetime | None
    rules: Mapping[str, RuleInfo]
    ecs: EcsTable

    @classmethod
    def read(cls, data: bytes) -> "Pack":
        """Reads a `.vpk`. Raises `PackFault` if it is no pack, of another format, or a member was altered."""
        try:
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                manifest = _json(_member(archive, "manifest.json"), "manifest.json")
                _check_format(manifest)
                members = {name: _checked(archive, name, manifest) for name in _READ}
        except _ZIP_FAULTS as error:
            raise PackFault(f"not a readable pack ({error}): compile it again with `vigla-rules compile`") from error
        rules = _json(members["rules.json"], "rules.json")
        found = {}
        for kind in ("rules", "correlations"):
            for entry in rules.get(kind, []):
                rule = _rule(entry, kind)
                found[rule.id] = rule
        return cls(
            name=str(manifest["name"]),
            version=str(manifest["version"]),
            sha256=hashlib.sha256(data).hexdigest(),
            created=_instant(manifest.get("created")),
            rules=found,
            ecs=EcsTable.of(_json(members["ecs.json"], "ecs.json")),
        )


def _member(archive: zipfile.ZipFile, name: str) -> bytes:
    try:
        info = archive.getinfo(name)
    except KeyError as error:
        raise PackFault(f"{name}: member is missing; fetch or compile the pack again") from error
    if info.file_size > _MAX_MEMBER:
        raise PackFault(f"{name}: {info.file_size} bytes are more than {_MAX_MEMBER}; this is not a pack of ours")
    return archive.read(info)


def _check_format(manifest: dict[str, Any]) -> None:
    if manifest.get("format") != FORMAT:
        raise PackFault(
            f"manifest.json: format {manifest.get('format')!r} is not {FORMAT}, the one this sensor reads; "
            "update the sensor or compile the pack with a `vigla-rules` of the same version"
        )
    if not isinstance(manifest.get("members"), dict) or not manifest.get("name") or not manifest.get("version"):
        raise PackFault("manifest.json: `name`, `version` or `members` is missing; compile the pack again")


def _checked(archive: zipfile.ZipFile, name: str, manifest: dict[str, Any]) -> bytes:
    data = _member(archive, name)
    expected, found = manifest["members"].get(name), hashlib.sha256(data).hexdigest()
    if expected != found:
        raise PackFault(
            f"{name}: SHA-256 {found} is not {expected} of the manifest: the pack was altered or damaged; "
            "fetch it again"
        )
    return data


def _json(data: bytes, name: str) -> dict[str, Any]:
    try:
        document = json.loads(data)
    except ValueError as error:
        raise PackFault(f"{name}: not JSON ({error}); compile the pack again") from error
    if not isinstance(document, dict):
        raise PackFault(f"{name}: must be an object; compile the pack again")
    return document


def _instant(text: object) -> datetime | None:
    if not isinstance(text, str):
        return None
    try:
        parsed = datetime.fromisoformat(text)
    except ValueError:
        return None
    return parsed if parsed.tzinfo else parsed.replace(tzinfo=UTC)


def _rule(entry: dict[str, Any], kind: str) -> RuleInfo:
    identifier = entry.get("id")
    if not identifier or not entry.get("title"):
        raise PackFault(f"rules.json: an entry of `{kind}` has no id or title; compile the pack again")
    level = entry.get("level") or "medium"
    if level.upper() not in Severity.__members__:
        raise PackFault(f"rules.json: rule {identifier} has the unknown level {level!r}; compile the pack again")
    # The Detection Rule License asks for the author on every message, so an empty one is said, not left out.
    authors = tuple(name.strip() for name in str(entry.get("author") or "").split(",") if name.strip())
    return RuleInfo(
        id=str(identifier),
        title=str(entry["title"]),
        description=str(entry.get("description") or ""),
        authors=authors or ("not stated",),
        license=str(entry.get("license") or "not stated"),
        level=level,
        version=str(entry.get("version") or 1),
        ruleset=str(entry.get("ruleset") or "vigla"),
        tags=tuple(entry.get("tags") or ()),
        references=tuple(entry.get("references") or ()),
        fields=tuple(entry.get("fields") or ()),
    )

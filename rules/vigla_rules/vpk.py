"""The pack's file: a ZIP, the same bytes for the same members (docs/pack-format.md), written whole or not at all."""

import hashlib
import io
import json
import zipfile
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

FORMAT = 1
MANIFEST = "manifest.json"
REQUIRED = ("canary.json", "ecs.json", "rules.json", "sources.json", "texts.json")
MAX_MEMBER = 256 << 20
_EPOCH = (1980, 1, 1, 0, 0, 0)


class PackError(ValueError):
    """A file that is no usable pack: what, where, what to do."""


@dataclass(frozen=True, slots=True)
class Pack:
    """A pack that was read and verified: members by name, the manifest apart."""

    manifest: dict[str, object]
    members: dict[str, bytes]

    def json(self, name: str) -> dict[str, object]:
        """One JSON member."""
        value = json.loads(self.members[name])
        assert isinstance(value, dict)  # noqa: S101  # read_pack has looked
        return value


def canonical(value: object) -> bytes:
    """JSON as packs hold it: keys in their order, no blanks, UTF-8."""
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"), allow_nan=False).encode()


def pack_bytes(manifest: Mapping[str, object], members: Mapping[str, bytes]) -> bytes:
    """The ZIP; ``members`` and their hashes are entered into the manifest here."""
    hashes = {name: hashlib.sha256(members[name]).hexdigest() for name in sorted(members)}
    whole = {**members, MANIFEST: canonical({**manifest, "format": FORMAT, "members": hashes})}
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        for name in sorted(whole):
            info = zipfile.ZipInfo(name, _EPOCH)
            info.compress_type = zipfile.ZIP_DEFLATED
            info.create_system = 3
            info.external_attr = 0o100644 << 16
            archive.writestr(info, whole[name], compresslevel=6)
    return buffer.getvalue()


def write_pack(path: Path, data: bytes) -> None:
    """Writes beside the target and renames: a reader never sees half a pack."""
    path.parent.mkdir(parents=True, exist_ok=True)
    part = path.with_name(path.name + ".part")
    part.write_bytes(data)
    part.replace(path)


def read_pack(path: Path) -> Pack:
    """Reads and verifies a pack; raises ``PackError``."""
    try:
        with zipfile.ZipFile(path) as archive:
            for info in archive.infolist():
                if info.file_size > MAX_MEMBER:
                    raise PackError(f"{path}: member {info.filename} is larger than {MAX_MEMBER} bytes; get it anew")
            members = {name: archive.read(name) for name in archive.namelist()}
    except (zipfile.BadZipFile, OSError, EOFError, NotImplementedError, ValueError) as error:
        if isinstance(error, PackError):
            raise
        raise PackError(f"{path}: no pack ({error}); build it with `vigla-rules compile`") from None
    if MANIFEST not in members:
        raise PackError(f"{path}: member {MANIFEST} is missing; build the pack anew")
    manifest = _object(path, MANIFEST, members.pop(MANIFEST))
    if manifest.get("format") != FORMAT:
        raise PackError(f"{path}: format {manifest.get('format')!r}, this version reads {FORMAT}; update vigla-rules")
    _verify(path, manifest.get("members"), members)
    for name in REQUIRED:
        _object(path, name, members[name])
    return Pack(manifest, members)


def _verify(path: Path, hashes: object, members: Mapping[str, bytes]) -> None:
    if not isinstance(hashes, dict):
        raise PackError(f"{path}: {MANIFEST} lists no members; build the pack anew")
    for name in (*REQUIRED, *hashes):
        if name not in members:
            raise PackError(f"{path}: member {name} is missing; get the pack anew")
    for name, data in members.items():
        if name not in hashes:
            raise PackError(f"{path}: member {name} is not in {MANIFEST}; get the pack anew")
        if hashlib.sha256(data).hexdigest() != hashes[name]:
            raise PackError(f"{path}: member {name} was altered (its SHA-256 differs); get the pack anew")


def _object(path: Path, name: str, data: bytes) -> dict[str, object]:
    try:
        value = json.loads(data)
    except ValueError as error:
        raise PackError(f"{path}: member {name} is no JSON ({error}); build the pack anew") from None
    if not isinstance(value, dict):
        raise PackError(f"{path}: member {name} is no JSON object; build the pack anew")
    return value

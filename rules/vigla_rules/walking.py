"""Finds the rule files below a directory. What cannot be a rule file is a finding and never stops the others."""

import os
import stat
from collections.abc import Iterator
from pathlib import Path

from vigla_rules.documents import MAX_BYTES
from vigla_rules.files import RuleFile
from vigla_rules.findings import Code, Finding

SUFFIX = ".yml"
MAX_FILES = 200_000


def rule_files(root: Path, folders: tuple[str, ...], problems: list[Finding]) -> list[RuleFile]:
    """The ``*.yml`` below ``folders`` of ``root`` (``"."``: all of it), folder by folder, sorted by their parts.

    Links to folders are not followed; a link to a file must stay inside ``root``.
    """
    inside = os.path.realpath(root)
    found = [path for folder in folders for path in sorted(_walked(root, folder), key=_parts)]
    if len(found) > MAX_FILES:
        problems.append(_problem(str(root), Code.TOO_LARGE, f"{len(found)} rule files", f"at most {MAX_FILES} a run"))
        found = found[:MAX_FILES]
    files = []
    for path in found:
        full = os.path.join(root, path)  # noqa: PTH118  # thousands of files: pathlib takes longer than reading them
        shown = full.encode(errors="backslashreplace").decode() if _odd(full) else full
        if isinstance(read := _read(full, inside), bytes):
            files.append(RuleFile(shown, "/".join(_parts(path)), read))
        else:
            problems.append(_problem(shown, *read))
    return files


def one_file(path: Path, problems: list[Finding]) -> list[RuleFile]:
    """A file that was named itself."""
    read = _read(str(path), os.path.realpath(path.parent))
    if isinstance(read, bytes):
        return [RuleFile(str(path), path.name, read)]
    problems.append(_problem(str(path), *read))
    return []


def _walked(root: Path, folder: str) -> Iterator[str]:
    """Paths relative to ``root`` of all that is named like a rule file."""
    top = os.path.join(root, folder) if folder != "." else str(root)  # noqa: PTH118
    cut = len(str(root)) + 1
    for above, directories, names in os.walk(top):
        directories.sort()
        for name in (*names, *directories):
            if name.endswith(SUFFIX):
                yield os.path.join(above, name)[cut:]  # noqa: PTH118


def _parts(path: str) -> list[str]:
    return path.split(os.sep)  # noqa: PTH206


def _read(path: str, inside: str) -> bytes | tuple[Code, str, str]:
    if _odd(path):
        return Code.YAML, "the file's name is not UTF-8", "rename it"
    try:
        seen = os.lstat(path)
        if stat.S_ISLNK(seen.st_mode):
            target = os.path.realpath(path)
            if not target.startswith(os.path.join(inside, "")):  # noqa: PTH118
                return Code.YAML, "a link that leads out of the directory", "copy the file here"
            seen = os.stat(path)  # noqa: PTH116
        if not stat.S_ISREG(seen.st_mode):
            what = "a directory" if stat.S_ISDIR(seen.st_mode) else "no regular file"
            return Code.YAML, f"{what}, named like a rule", "rename it: a rule is a file"
        if seen.st_size > MAX_BYTES:
            return Code.TOO_LARGE, f"the file has {seen.st_size} bytes, at most {MAX_BYTES} are read", "split it"
        with open(path, "rb") as file:  # noqa: PTH123
            return file.read(MAX_BYTES + 1)
    except (OSError, ValueError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else str(error)
        return Code.YAML, f"the file cannot be read: {reason}", "mend its permissions"


def _odd(path: str) -> bool:
    return any("\ud800" <= char <= "\udfff" for char in path) if not path.isascii() else False


def _problem(path: str, code: Code, reason: str, suggestion: str) -> Finding:
    return Finding(path, 1, 1, "error", code.value, reason, suggestion)

"""Reads hostile YAML: bounded in size, depth and values, no aliases, no duplicate keys, and every key has a line."""

import datetime
import re
from dataclasses import dataclass
from typing import Protocol

import yaml

from vigla_rules.findings import At, Code, Refusal

MAX_BYTES = 1 << 20
MAX_DEPTH = 64
MAX_VALUES = 10_000
_FRONT = re.compile(r"^[ \t?:-]+", re.MULTILINE)


class _Mark(Protocol):
    """PyYAML's mark, of either implementation."""

    line: int
    column: int


@dataclass(frozen=True, slots=True)
class Document:
    """One YAML document: plain Python values and the marks of the nodes they came from."""

    value: object
    root: yaml.Node

    def place(self, at: At) -> tuple[int, int]:
        """Line and column, from 1, of the deepest node on the way ``at`` that exists."""
        node = mark_node = self.root
        for key in at:
            found = _child(node, key)
            if found is None:
                break
            mark_node, node = found
        mark = mark_node.start_mark
        return mark.line + 1, mark.column + 1


def read_documents(data: bytes) -> list[Document]:
    """The documents of one file, empty ones left out.

    Raises ``Refusal`` (``yaml`` or ``too-large``) with its ``place``.
    """
    if len(data) > MAX_BYTES:
        raise Refusal(Code.TOO_LARGE, f"the file has {len(data)} bytes, at most {MAX_BYTES} are read", "split it")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        before = data[: error.start].decode(errors="replace")
        place = before.count("\n") + 1, error.start - data.rfind(b"\n", 0, error.start)
        raise Refusal(Code.YAML, f"byte {error.start} is not UTF-8", "save the file as UTF-8", place=place) from None
    try:
        return _documents(text)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark
        place = (mark.line + 1, mark.column + 1) if mark else (1, 1)
        raise Refusal(Code.YAML, str(error.problem or error.context), "mend the YAML", place=place) from None
    except yaml.reader.ReaderError as error:
        reason = f"not readable as YAML: character #x{error.character:x} is not allowed"
        plain = text.encode()
        place = plain.count(b"\n", 0, error.position) + 1, error.position - plain.rfind(b"\n", 0, error.position)
        raise Refusal(Code.YAML, reason, "remove it", place=place) from None
    except (yaml.YAMLError, ValueError, RecursionError) as error:
        raise Refusal(Code.YAML, f"not readable as YAML: {error}", "mend the YAML") from None


def read_mapping(data: bytes) -> dict[str, object]:
    """The one mapping of a data file such as ``ecs.yml``; raises ``Refusal`` for anything else."""
    documents = read_documents(data)
    if len(documents) != 1 or not isinstance(documents[0].value, dict):
        raise Refusal(Code.YAML, "one mapping was expected", "write one document of keys and values")
    return documents[0].value


def plain(value: object) -> object:
    """A YAML value as JSON has it: dates become their text."""
    if isinstance(value, dict):
        return {str(key): plain(member) for key, member in value.items()}
    if isinstance(value, list):
        return [plain(member) for member in value]
    return value.isoformat() if isinstance(value, datetime.date | datetime.datetime) else value


def _documents(text: str) -> list[Document]:
    if _deepest_possible(text) > MAX_DEPTH:
        _check_depth(text)
    loader = yaml.CSafeLoader(text)
    found = []
    try:
        while loader.check_node():
            root = loader.get_node()
            if root is None:
                break
            _check(root)
            value = loader.construct_document(root)
            if value is not None:
                found.append(Document(value, root))
    finally:
        loader.dispose()
    return found


def _deepest_possible(text: str) -> int:
    """An upper bound of the nesting: every level takes a bracket or a column in front of its line."""
    brackets = text.count("[") + text.count("{")
    return brackets + max((match.end() - match.start() for match in _FRONT.finditer(text)), default=0)


def _check_depth(text: str) -> None:
    """Counts nesting by events: the composer recurses in C, and a deep file would end the process."""
    depth = 0
    for event in yaml.parse(text, Loader=yaml.CSafeLoader):
        if isinstance(event, yaml.CollectionStartEvent):
            depth += 1
        elif isinstance(event, yaml.CollectionEndEvent):
            depth -= 1
        if depth > MAX_DEPTH:
            raise Refusal(
                Code.TOO_LARGE, f"nested deeper than {MAX_DEPTH}", "flatten it", place=_place(event.start_mark)
            )


def _check(root: yaml.Node) -> None:
    seen: set[int] = set()
    stack = [(root, 1)]
    while stack:
        node, depth = stack.pop()
        place = _place(node.start_mark)
        if id(node) in seen:
            raise Refusal(Code.YAML, "an alias (`*name`) is used", "write the value out", place=place)
        seen.add(id(node))
        if depth > MAX_DEPTH:
            raise Refusal(Code.TOO_LARGE, f"nested deeper than {MAX_DEPTH}", "flatten it", place=place)
        if len(seen) > 4 * MAX_VALUES:
            raise Refusal(Code.TOO_LARGE, f"more than {MAX_VALUES} values", "split the file", place=place)
        if isinstance(node, yaml.MappingNode):
            _check_keys(node)
            stack.extend((child, depth + 1) for pair in node.value for child in pair)
        elif isinstance(node, yaml.SequenceNode):
            stack.extend((child, depth + 1) for child in node.value)


def _check_keys(node: yaml.MappingNode) -> None:
    keys: set[str] = set()
    for key, _ in node.value:
        if not isinstance(key, yaml.ScalarNode):
            raise Refusal(Code.YAML, "a key is not a word", "write a plain key", place=_place(key.start_mark))
        if key.value in keys:
            reason = f"key '{key.value}' occurs twice"
            raise Refusal(Code.YAML, reason, "keep one of them", place=_place(key.start_mark))
        keys.add(key.value)


def _place(mark: _Mark | None) -> tuple[int, int]:
    return (mark.line + 1, mark.column + 1) if mark is not None else (1, 1)


def _child(node: yaml.Node, key: str | int) -> tuple[yaml.Node, yaml.Node] | None:
    """The node whose mark stands for ``key``, and the node below it."""
    if isinstance(node, yaml.MappingNode):
        for name, value in node.value:
            if isinstance(name, yaml.ScalarNode) and name.value == str(key):
                return name, value
    elif isinstance(node, yaml.SequenceNode) and isinstance(key, int) and key < len(node.value):
        return node.value[key], node.value[key]
    return None

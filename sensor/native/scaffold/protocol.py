"""Begins a protocol: a folder with the four parts of its neighbors, entered in every table where a protocol must stand.

    make protocol NAME=finger [OVER=tcp|udp] [PORTS=79]

What it writes compiles, and its tests pass; then its greeting is replaced by the protocol's own units. Nothing is
written unless everything can be. Only the standard library: it runs before anything is installed.
"""

import argparse
import re
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

TEMPLATES = Path(__file__).parent / "templates"
ROOT = Path(__file__).resolve().parents[3]
PROTO = Path("sensor/native/core/src/proto")
TABLES = PROTO / "mod.rs"
FIELDS = Path("rules/vigla_rules/data/fields.toml")
ECS = Path("rules/pack/ecs.yml")
_NAME = re.compile(r"[a-z][a-z0-9]{1,15}")
_RUST = """as async await box break const crate do dyn else enum extern false fn for if impl in let loop match mod move
mut priv pub ref return self static struct super trait true try type unsafe use virtual where while yield"""
_ROOM = "detect labels record tests text wire"
_TAKEN = frozenset(f"{_RUST} {_ROOM}".split())
_LEFT = """{name} stands in its folder and in all tables; `make lane-rust` compiles it. Still yours:
  * {folder}: replace the greeting by the protocol's units, fields (Zeek's names) and state
  * the same fields, in their order, in {fields}; then `make format` and this page: docs/fields.md
  * {ecs}: rows for fields that an alert should carry
  * sensor/native/core/tests: a conversation through frames; sensor/native/fuzz/seeds.py: a seed
  * tests/replay/eve.py and tests/bench/corpora.py, where the corpora know it; CHANGELOG.md"""


class Refused(ValueError):
    """It cannot be begun: why, and what to do."""


@dataclass(frozen=True, slots=True)
class Protocol:
    """`name` as in events, `over` `tcp` or `udp`, `ports` where servers usually have it."""

    name: str
    over: str
    ports: tuple[int, ...]

    @property
    def title(self) -> str:
        """The type's name."""
        return self.name.capitalize()


def files(protocol: Protocol) -> dict[Path, str]:
    """The four parts, by their path."""
    folder = PROTO / protocol.name
    cases = _template(f"cases.{protocol.over}.rs", protocol)
    return {
        folder / "mod.rs": _template(f"mod.{protocol.over}.rs", protocol),
        folder / "wire.rs": _template("wire.rs", protocol),
        folder / "record.rs": _template("record.rs", protocol),
        folder / "tests.rs": _template("tests.rs", protocol).replace("CASES\n", cases),
    }


def _template(name: str, protocol: Protocol) -> str:
    words = {
        "NAME": protocol.name,
        "Title": protocol.title,
        "UPPER": protocol.name.upper(),
        "TRANSPORT": protocol.over.capitalize(),
    }
    text = (TEMPLATES / name).read_text(encoding="utf-8")
    return re.sub("|".join(words), lambda found: words[found[0]], text)


def tables(text: str, protocol: Protocol) -> str:
    """`proto/mod.rs` with the module, the record's schema and the row that finds it."""
    name, title = protocol.name, protocol.title
    text = _sorted_in(text, r"^(?:pub\(crate\) )?mod (\w+);\n", f"pub(crate) mod {name};\n", name)
    text = _counted(text, r"pub fn kinds\(\) -> \[&'static Kind; (\d+)\]", TABLES)
    text = _sorted_in(
        text, r"^        (\w+)::record::\w+::schema\(\),\n", f"        {name}::record::{title}::schema(),\n", name
    )
    table = protocol.over.upper()
    text = _counted(text, rf"pub\(crate\) static {table}: \[Protocol; (\d+)\]", TABLES)
    ports = ", ".join(map(str, protocol.ports))
    row = (
        f"    Protocol {{\n        probe: {name}::probe,\n        ports: &[{ports}],\n"
        f"        start: Start::Parser(|_| Box::<{name}::{title}>::default()),\n    }},\n"
    )
    start = _found(text, rf"pub\(crate\) static {table}: ", TABLES).start()
    end = text.index("\n];", start) + 1
    return text[:end] + row + text[end:]


def field_table(text: str, protocol: Protocol) -> str:
    """`fields.toml` with the record's fields, in the order of `record.rs`."""
    names = re.findall(r'name: "(\w+)"', files(protocol)[PROTO / protocol.name / "record.rs"])
    quoted = ", ".join(f'"{name}"' for name in names)
    row = f"{protocol.name} = [{quoted}]\n"
    start = _found(text, r"^\[zeek\]\n", FIELDS).end()
    end = text.index("\n[", start)
    return text[:start] + _sorted_in(text[start:end], r"^(\w+) = \[.*\]\n", row, protocol.name) + text[end:]


def categories(text: str, protocol: Protocol) -> str:
    """`ecs.yml` with the categories of its alerts, before the row for all that Zeek names."""
    name = protocol.name
    when = f"{{product: zeek, service: {name}}}"
    row = f"  - {{when: {when}, category: [network], type: [protocol], protocol: {name}}}\n"
    at = _found(text, r"^  - \{when: \{product: zeek\}, ", ECS).start()
    return text[:at] + row + text[at:]


CHANGES: Mapping[Path, Callable[[str, Protocol], str]] = {TABLES: tables, FIELDS: field_table, ECS: categories}
"""Everything outside of the folder in which a protocol must stand."""


def begin(protocol: Protocol, root: Path) -> None:
    """Writes folder and tables below `root`. Raises `Refused`, with nothing written."""
    if not _NAME.fullmatch(protocol.name) or protocol.name in _TAKEN:
        raise Refused(
            f"{protocol.name!r}: a name is 2 to 16 small letters and digits, and no word of Rust or of proto/"
        )
    folder = root / PROTO / protocol.name
    known = _found((root / FIELDS).read_text(encoding="utf-8"), r"^\[zeek\]\n((?:.+\n)*)", FIELDS)[1]
    if folder.exists() or re.search(rf"^{protocol.name} = ", known, re.MULTILINE):
        raise Refused(f"{protocol.name}: there is one already: {folder}, or its fields in {FIELDS}")
    wanted = {path: change((root / path).read_text(encoding="utf-8"), protocol) for path, change in CHANGES.items()}
    folder.mkdir()
    for path, text in {**files(protocol), **wanted}.items():
        (root / path).write_text(text, encoding="utf-8")


def _found(text: str, pattern: str, path: Path) -> "re.Match[str]":
    found = re.search(pattern, text, re.MULTILINE)
    if found is None:
        raise Refused(f"{path}: nothing matches {pattern!r}; it was rewritten, and {Path(__file__).name} must follow")
    return found


def _counted(text: str, pattern: str, path: Path) -> str:
    """The number that the pattern's group finds, one more."""
    found = _found(text, pattern, path)
    return text[: found.start(1)] + str(int(found[1]) + 1) + text[found.end(1) :]


def _sorted_in(text: str, pattern: str, row: str, name: str) -> str:
    """A row before the first whose name comes later, else behind the last."""
    rows = list(re.finditer(pattern, text, re.MULTILINE))
    if not rows:
        raise Refused(f"nothing matches {pattern!r}; {Path(__file__).name} must follow what was rewritten")
    later = next((found.start() for found in rows if found[1] > name), rows[-1].end())
    return text[:later] + row + text[later:]


def main(arguments: list[str] | None = None) -> int:
    """The command; 2 where it is refused."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("name")
    parser.add_argument("--over", choices=("tcp", "udp"), default="tcp")
    parser.add_argument("--ports", default="", help="for instance 79,8079")
    parser.add_argument("--root", type=Path, default=ROOT, help="the checkout; default: this one")
    options = parser.parse_args(arguments)
    ports = tuple(int(port) for port in options.ports.split(",") if port)
    protocol = Protocol(options.name, options.over, ports)
    try:
        begin(protocol, options.root)
    except Refused as error:
        sys.stderr.write(f"protocol: {error}\n")
        return 2
    print(_LEFT.format(name=protocol.name, folder=PROTO / protocol.name, fields=FIELDS, ecs=ECS))
    return 0


if __name__ == "__main__":
    sys.exit(main())

"""``vigla-rules fields``: what events a pack's sensor produces and which fields they have, as Markdown."""

import argparse
import sys
from collections.abc import Iterator

from vigla_rules.checking.fields import FieldTable, read_fields, spelled
from vigla_rules.layout import is_pack, read_tree

_HEAD = """# Fields

Written by `vigla-rules fields rules/pack`; a test fails when it is stale. What a rule may name, by log source: the
core's decoders (Zeek's names), the source definitions of the pack, and the aliases through which an event also serves
rules of another log source. *+* means that the device's own names stay beside these.

| Log source | Fields |
|---|---|
"""


def fields_page(table: FieldTable) -> str:
    """The page; one row a log source, in their order."""
    return _HEAD + "".join(f"{row}\n" for row in _rows(table))


def _rows(table: FieldTable) -> Iterator[str]:
    merged: dict[str, tuple[set[str], bool]] = {}
    for origin in table.origins:
        names, is_open = merged.setdefault(spelled(origin.logsource), (set(), False))
        merged[spelled(origin.logsource)] = (names | origin.fields, is_open or origin.is_open)
    for name, (names, is_open) in sorted(merged.items()):
        listed = " ".join(f"`{field}`" for field in sorted(names))
        yield f"| {name} | {listed}{' +' if is_open else ''} |"


def fields_command(options: argparse.Namespace) -> int:
    """Prints the page; 2 where the directory is no pack."""
    if not is_pack(options.directory):
        sys.stderr.write(f"vigla-rules: {options.directory}: no pack directory (it has no detections/)\n")
        return 2
    sys.stdout.write(fields_page(read_fields(read_tree(options.directory))))
    return 0

"""Folding: what "the same but for case" means for rules and events alike (sigma.md, trap 10).

Unicode *simple* case folding (CaseFolding.txt, statuses C and S) of every character: one stays one, so that ``?``
counts the same. ``Σ σ ς`` fold together, so do ``µ μ`` and ``ϐ β``; accents stay. Python's ``str.casefold`` is *full*
folding (``ΐ`` becomes three characters) and ``str.lower`` knows the final sigma: neither is used. The table is
generated once and shared with the native core: ``python -m vigla_rules.folding python|rust`` prints both forms from
the running interpreter's Unicode data.
"""

import sys
import unicodedata
from functools import lru_cache

from vigla_rules.folding_table import RUNS
from vigla_rules.folding_table import VERSION as _VERSION

Run = tuple[int, int, int, int]
_ADDED = {0x1FD3: 0x390, 0x1FE3: 0x3B0, 0xFB05: 0xFB06}
"""Status S since Unicode 15.1: the Greek letters with dialytika and oxia, and the long s t."""
_LAYOUT = "`(first, last, step, delta)`: every `step`-th character from `first` to `last` folds to itself plus `delta`."


def fold(text: str) -> str:
    """The folded form of a text, character by character."""
    return text.lower() if text.isascii() else text.translate(mapping())


@lru_cache(maxsize=1)
def mapping() -> dict[int, int]:
    """Code point → folded code point, ASCII included."""
    table = {code: code + 32 for code in range(ord("A"), ord("Z") + 1)}
    for first, last, step, delta in RUNS:
        table.update((code, code + delta) for code in range(first, last + 1, step))
    return table


def runs() -> list[Run]:
    """``(first, last, step, delta)`` beyond ASCII, from the interpreter's Unicode data."""
    found: list[Run] = []
    for code in range(0x80, 0x110000):
        folded = _simple(code)
        if folded == code:
            continue
        if found:
            first, last, step, delta = found[-1]
            gap = code - last
            if folded - code == delta and (gap == step or (first == last and gap in (1, 2))):
                found[-1] = (first, code, gap, delta)
                continue
        found.append((code, code, 1, folded - code))
    return found


def rust_table(table: tuple[Run, ...] = RUNS) -> str:
    """``core/src/sigma/folding_table.rs``."""
    rows = _wrapped(
        [f"({first:#X}, {last:#X}, {step}, {delta}),".replace("0X", "0x") for first, last, step, delta in table]
    )
    return (
        "//! Unicode simple case folding beyond ASCII (CaseFolding.txt, statuses C and S), Unicode "
        f"{_VERSION}. Generated: see [`super::folding`].\n\n"
        f"/// {_LAYOUT}\n"
        f"#[rustfmt::skip]\npub(super) const RUNS: [(u32, u32, u32, i32); {len(table)}] = [\n{rows}];\n"
    )


def python_table(table: list[Run]) -> str:
    """``vigla_rules/folding_table.py``."""
    rows = _wrapped([f"(0x{first:X}, 0x{last:X}, {step}, {delta})," for first, last, step, delta in table])
    return (
        f'"""Unicode simple case folding beyond ASCII, Unicode {unicodedata.unidata_version}. Generated: see `folding`.'
        f"\n\n{_LAYOUT}\n"
        '"""\n\n'
        f'VERSION = "{unicodedata.unidata_version}"\n'
        f"# fmt: off\nRUNS: tuple[tuple[int, int, int, int], ...] = (\n{rows})\n# fmt: on\n"
    )


def _simple(code: int) -> int:
    """What folds to one character does so; what folds to several keeps to its lower case if that is one."""
    char = chr(code)
    if len(char.casefold()) == 1:
        return ord(char.casefold())
    return ord(char.lower()) if len(char.lower()) == 1 and char.lower() != char else _ADDED.get(code, code)


def _wrapped(cells: list[str], width: int = 118) -> str:
    lines = ["   "]
    for cell in cells:
        if len(lines[-1]) + 1 + len(cell) > width:
            lines.append("   ")
        lines[-1] += " " + cell
    return "\n".join(lines) + "\n"


if __name__ == "__main__":
    sys.stdout.write(rust_table() if sys.argv[1:] == ["rust"] else python_table(runs()))

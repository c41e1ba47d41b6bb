"""Events as one SQLite table, as pySigma's SQLite backend wants it. Runs in the oracle's environment."""

from __future__ import annotations

import json
import re
import sqlite3
from collections.abc import Iterable, Mapping
from functools import lru_cache

TABLE = "logs"
FULLTEXT = "__ft"
HEADER = "header "
"""Prefix of the columns that hold the header alone; a blank cannot stand in an event's field name."""

Value = object
Row = Mapping[str, Value]


def parsed(line: str | bytes) -> dict[str, Row]:
    """``{"fields": {...}, "header": {...}}``; numbers keep the digits they came with."""
    read: dict[str, Row] = json.loads(line, parse_int=str, parse_float=str)
    return read


def text(value: Value) -> str | None:
    """A cell: lists joined by blanks (an empty one is absent), booleans by their word."""
    if isinstance(value, list):
        parts = [part for part in map(text, value) if part is not None]
        return " ".join(parts) if parts else None
    if value is None or isinstance(value, str):
        return value
    return str(value).lower() if isinstance(value, bool) else str(value)


@lru_cache(maxsize=4096)
def _pattern(source: str) -> re.Pattern[str]:
    return re.compile(source)


def _regexp(pattern: str, value: str | None) -> bool:
    return value is not None and _pattern(pattern).search(value) is not None


def open_table(
    rows: Iterable[Mapping[str, Row]], *, header_columns: bool = False, times: bool = False
) -> sqlite3.Connection:
    """A table ``logs`` in memory, a ``TEXT COLLATE NOCASE`` column per field; row ids are places from 1.

    ``header_columns`` adds ``header NAME`` for what gates read; ``times`` keeps ``timestamp`` a number.
    """
    held = list(rows)
    columns: dict[str, str] = {}
    for row in held:
        for name in row["fields"]:
            columns.setdefault(name.lower(), name)
        if header_columns:
            for name in row.get("header", {}):
                columns.setdefault(HEADER + name.lower(), HEADER + name)
    columns.pop("timestamp", None)
    connection = sqlite3.connect(":memory:")
    connection.create_function("regexp", 2, _regexp, deterministic=True)
    names = [_quoted(name) for name in columns.values()]
    declared = ", ".join([f"{name} TEXT COLLATE NOCASE" for name in names] + [f"{FULLTEXT} TEXT", "timestamp REAL"])
    connection.execute(f"CREATE TABLE {TABLE} ({declared})")
    marks = ", ".join("?" * (len(names) + 2))
    insert = f"INSERT INTO {TABLE} VALUES ({marks})"  # noqa: S608  # our own marks
    connection.executemany(insert, (_cells(row, columns, times=times) for row in held))
    return connection


def _cells(row: Mapping[str, Row], columns: Mapping[str, str], *, times: bool) -> list[object]:
    cells: dict[str, str] = {}
    for name, value in row["fields"].items():
        if (cell := text(value)) is not None:
            cells.setdefault(name.lower(), cell)
    for name, value in row.get("header", {}).items():
        if (cell := text(value)) is not None:
            cells.setdefault(HEADER + name.lower(), cell)
    everything = "\n".join(cell for value in row["fields"].values() if (cell := text(value)) is not None)
    time = float(str(row["fields"]["timestamp"])) if times else None
    return [*(cells.get(name) for name in columns), everything, time]


def row_ids(connection: sqlite3.Connection, where: str) -> set[int]:
    """Places (from 0) of the rows that a converted condition selects; columns that only rules name are added."""
    sql = f"SELECT rowid FROM {TABLE} WHERE {where}"  # noqa: S608  # the backend's own SQL
    while True:
        try:
            return {row[0] - 1 for row in connection.execute(sql)}
        except sqlite3.OperationalError as error:
            missing = re.fullmatch(r"no such column: (.+)", str(error))
            if missing is None:
                raise
            connection.execute(f"ALTER TABLE {TABLE} ADD COLUMN {_quoted(missing[1])} TEXT COLLATE NOCASE")


def _quoted(name: str) -> str:
    return "`" + name.replace("`", "``") + "`"

"""Folding by its golden cases, and against the tokenizer that reads its result."""

import json
import sqlite3
import unicodedata
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigla_console.alerts.folding import LONGEST_WORD, fold

CASES = json.loads((Path(__file__).parents[2] / "contract" / "fold.json").read_text(encoding="utf-8"))["cases"]


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["text"])
def test_golden(case: dict[str, str]) -> None:
    assert fold(case["text"]) == case["folded"]


@given(st.text())
def test_folding_again_changes_nothing(text: str) -> None:
    assert fold(fold(text)) == fold(text)


@given(st.text())
def test_only_letters_and_digits_stay(text: str) -> None:
    assert all(c == " " or unicodedata.category(c)[0] in "LN" for c in fold(text))
    assert all(len(word) <= LONGEST_WORD for word in fold(text).split())


def test_the_tokenizer_agrees_on_every_letter() -> None:
    """`unicode61` splits folded text exactly at its spaces; its older Unicode drops New Tai Lue vowels and two Vedic
    signs.
    """
    connection = sqlite3.connect(":memory:")
    connection.execute("CREATE VIRTUAL TABLE w USING fts5 (t, tokenize = 'unicode61 remove_diacritics 0')")
    connection.execute("CREATE VIRTUAL TABLE v USING fts5vocab (w, 'row')")
    words = {word for point in range(0x110000) if not 0xD800 <= point < 0xE000 for word in fold(chr(point)).split()}
    connection.executemany("INSERT INTO w VALUES (?)", [(word,) for word in words])
    tokens = {row[0] for row in connection.execute("SELECT term FROM v")}
    known = {chr(point) for point in (*range(0x19B0, 0x19CA), 0x1CF2, 0x1CF3)}
    assert words ^ tokens <= known
    connection.close()

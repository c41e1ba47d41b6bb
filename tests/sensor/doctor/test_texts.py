"""Words: both languages say the same things with the same slots, and numbers are as each language writes them."""

import re
import string
from pathlib import Path

import pytest

import vigla_sensor.doctor
from vigla_sensor.doctor import LANGUAGES, Finding, Severity, read_texts
from vigla_sensor.doctor.clocks import STEPS
from vigla_sensor.doctor.finding import Share, Size, Slot, Step

GREEK, ENGLISH = read_texts("el"), read_texts("en")
_TABLES = {"words", "units", "steps", "sides"}
CHECKS = Path(vigla_sensor.doctor.__file__).parent / "checks"


def slots(text: str) -> set[str]:
    return {name for _, name, _, _ in string.Formatter().parse(text) if name}


def test_both_languages_have_the_same_texts_with_the_same_slots() -> None:
    assert GREEK.tables.keys() == ENGLISH.tables.keys()
    for name, table in ENGLISH.tables.items():
        other = GREEK.tables[name]
        assert table.keys() == other.keys(), name
        for key, text in table.items():
            if isinstance(text, list):
                assert len(text) == len(other[key]), (name, key)
                assert [slots(step) for step in text] == [slots(step) for step in other[key]], (name, key)
            else:
                assert slots(text) == slots(other[key]), (name, key)


def test_commands_stand_alike_in_both() -> None:
    for name, table in ENGLISH.tables.items():
        for ours, theirs in zip(table.get("do", ()), GREEK.tables[name].get("do", ()), strict=True):
            assert sorted(re.findall(r"`[^`]+`", ours)) == sorted(re.findall(r"`[^`]+`", theirs)), (name, ours)


def test_greek_is_greek() -> None:
    for name, table in GREEK.tables.items():
        if name not in _TABLES:
            assert re.search("[α-ωά-ώ]", table["title"]), name


def test_every_finding_of_a_check_has_words_and_every_text_a_check() -> None:
    sources = "".join(path.read_text(encoding="utf-8") for path in CHECKS.glob("*.py"))
    named = set(re.findall(r'"((?:[a-z]+_)*[a-z]+)"', sources))
    written = set(ENGLISH.tables) - _TABLES
    composed = {name for name in written if name.startswith(("interface_", "one_sided_", "clock_off_", "clock_right_"))}
    assert written - named - composed == set()


@pytest.mark.parametrize(
    ("value", "greek", "english"),
    [
        (1_234_567, "1.234.567", "1,234,567"),
        (Share(1, 3), "33,3 %", "33.3 %"),
        (Share(0, 0), "0 %", "0 %"),
        (Share(7, 7), "100 %", "100 %"),
        (Share(99_999, 100_000), "99,9 %", "99.9 %"),
        (Share(1, 5_000), "0,02 %", "0.02 %"),
        (Size(999), "999 bytes", "999 bytes"),
        (Size(1_500_000), "1,5 MB", "1.5 MB"),
        (Size(2**63), "9.223.372,0 TB", "9,223,372.0 TB"),
        (0.25, "0,2", "0.2"),
        ((10, 20), "10, 20", "10, 20"),
        ((), "κανένα", "none"),
        (Step("ahead", "1m"), "5 δευτερόλεπτα έως ένα λεπτό μπροστά", "5 seconds to a minute ahead"),
        ("eth1\x1b[2J", "eth1\\x1b[2J", "eth1\\x1b[2J"),
        (("\x07",), "\\x07", "\\x07"),
    ],
)
def test_values_as_people_read_them(value: Slot, greek: str, english: str) -> None:
    assert (GREEK.slot(value), ENGLISH.slot(value)) == (greek, english)


@pytest.mark.parametrize(
    ("seconds", "english"),
    [
        (0.5, "0.5 s"),
        (45, "45 s"),
        (60, "1 min"),
        (90, "1.5 min"),
        (600, "10 min"),
        (7_200, "2 h"),
        (172_800, "2 days"),
    ],
)
def test_spans(seconds: float, english: str) -> None:
    assert ENGLISH.span(seconds) == english


def test_steps_have_names_in_both() -> None:
    for language in LANGUAGES:
        assert set(read_texts(language).tables["steps"]) == set(STEPS)


def test_a_finding_without_words_is_a_fault() -> None:
    with pytest.raises(KeyError):
        ENGLISH.said(Finding("x", "nothing_like_this", Severity.NOTE))

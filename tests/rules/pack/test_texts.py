"""Texts for people: both languages, five blocks, lengths that fit the page, slots that the alert can fill."""

import re
from pathlib import Path

import pytest

from tests.rules.pack.reading import LANGUAGES, PACK, Rule, alerting, load, rules

BLOCKS = ["title", "summary", "what", "why", "now", "escalate", "innocent"]
CASES = [pytest.param(rule, lang, id=f"{lang}-{rule.name}") for rule in alerting() for lang in LANGUAGES]
SLOT = re.compile(r"\{([^{}]*)\}")
FIRST_WORD = re.compile(r"[Α-ΩΆΈΉΊΌΎΏA-Z][^\s,]*")


def text_of(rule: Rule, language: str) -> dict[str, object]:
    return load(PACK / "texts" / language / rule.place.with_suffix(".yml"))


def sentences(text: dict[str, object]) -> list[str]:
    return [part for value in text.values() for part in (value if isinstance(value, list) else [str(value)])]


@pytest.mark.parametrize(("rule", "language"), CASES)
def test_blocks_and_lengths(rule: Rule, language: str) -> None:
    text = text_of(rule, language)
    assert list(text) == BLOCKS
    assert len(str(text["title"])) <= 70
    assert len(str(text["summary"])) <= 140
    steps = text["now"]
    assert isinstance(steps, list)
    assert 3 <= len(steps) <= 5
    assert all(FIRST_WORD.match(step) and step.endswith(".") for step in steps)


@pytest.mark.parametrize(("rule", "language"), CASES)
def test_slots_come_from_the_rule(rule: Rule, language: str) -> None:
    slots = {slot for part in sentences(text_of(rule, language)) for slot in SLOT.findall(part)}
    assert slots <= set(rule.fields)
    assert not SLOT.search(str(text_of(rule, language)["title"])), "titles stand in lists, where nothing fills slots"


@pytest.mark.parametrize("rule", alerting(), ids=lambda rule: rule.name)
def test_greek_is_greek(rule: Rule) -> None:
    letters = [c for part in sentences(text_of(rule, "el")) for c in SLOT.sub("", part) if c.isalpha()]
    greek = sum("\u0370" <= c <= "\u03ff" or "\u1f00" <= c <= "\u1fff" for c in letters)
    assert greek / len(letters) > 0.85


@pytest.mark.parametrize("rule", alerting(), ids=lambda rule: rule.name)
def test_both_languages_use_the_same_slots_where_they_count(rule: Rule) -> None:
    def slots(language: str) -> set[str]:
        return {slot for part in sentences(text_of(rule, language)) for slot in SLOT.findall(part)}

    assert slots("el") == slots("en")


@pytest.mark.parametrize("language", LANGUAGES)
def test_titles_differ_and_no_text_is_left_over(language: str) -> None:
    folder = PACK / "texts" / language
    files = {path.relative_to(folder).with_suffix("") for path in folder.rglob("*.yml")}
    assert files <= {Path(rule.place) for rule in rules()}
    titles = [load(path)["title"] for path in folder.rglob("*.yml")]
    assert len(set(titles)) == len(titles)

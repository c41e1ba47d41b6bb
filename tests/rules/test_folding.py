"""One folding for rules and events, and the same table in the native core."""

from pathlib import Path

import pytest

from vigla_rules.folding import fold, mapping, rust_table

TABLE = Path(__file__).parents[2] / "sensor/native/core/src/sigma/folding_table.rs"


@pytest.mark.parametrize(
    ("left", "right"),
    [
        ("ΟΔΟΣ", "οδος"),
        ("οδοσ", "οδος"),
        ("µ", "μ"),
        ("ϐ", "Β"),
        ("ẞ", "ß"),
        ("K", "k"),
        ("ᾈ", "ᾀ"),
        ("Ά", "ά"),
        ("ΐ", "\u1fd3"),
        ("ABC", "abc"),
        ("Ж", "ж"),
    ],
)
def test_folds_alike(left: str, right: str) -> None:
    assert fold(left) == fold(right)


@pytest.mark.parametrize(("left", "right"), [("Ελλάδα", "ΕΛΛΑΔΑ"), ("ß", "ss"), ("İ", "i"), ("ΐ", "ι"), ("ı", "i")])
def test_does_not_fold_alike(left: str, right: str) -> None:
    assert fold(left) != fold(right)


def test_a_prefix_stays_a_prefix() -> None:
    assert fold("ΟΔΟΣΤΡΩΜΑ").startswith(fold("οδος")), "a final sigma in the rule, a middle one in the event"


def test_every_character_stays_one_and_folding_is_settled_after_once() -> None:
    for code in range(0x110000):
        if not 0xD800 <= code < 0xE000:
            char = chr(code)
            folded = fold(char)
            assert len(folded) == 1
            assert fold(folded) == folded


def test_the_core_has_the_same_table() -> None:
    assert TABLE.read_text(encoding="utf-8") == rust_table(), "run `python -m vigla_rules.folding rust`"
    assert len(mapping()) > 1400

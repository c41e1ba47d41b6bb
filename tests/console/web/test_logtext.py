"""Text from the network never becomes markup and never hides a character."""

import unicodedata

from hypothesis import given
from hypothesis import strategies as st

from vigla_console.web.logtext import LONGEST, flat, shown
from vigla_console.web.slots import fill


def test_markup_is_text() -> None:
    assert shown("<b onclick=x>&'\"") == "&lt;b onclick=x&gt;&amp;&#39;&#34;"


def test_control_and_bidirectional_characters_are_codes() -> None:
    text = shown("a\u202eb\u0000c\u200bd\u2028e")
    assert str(text) == (
        'a<span class="code-point">U+202E</span>b<span class="code-point">U+0000</span>c'
        '<span class="code-point">U+200B</span>d<span class="code-point">U+2028</span>e'
    )


def test_long_text_is_cut_and_says_how_much() -> None:
    text = str(shown("x" * (LONGEST + 7)))
    assert text == "x" * LONGEST + '<span class="code-point">+7</span>'


def test_other_values() -> None:
    assert shown(None) == "null"
    assert shown(True) == "true"
    assert shown(["a", 1, None]) == "a, 1, null"
    assert shown({"a": {"b": 2}}) == "a: b: 2"


@given(st.text())
def test_whatever_comes_nothing_unseen_and_no_tag_goes_out(text: str) -> None:
    out = str(shown(text))
    assert not any(unicodedata.category(one) in ("Cc", "Cf", "Zl", "Zp") for one in out)
    rest = out.replace('<span class="code-point">', "").replace("</span>", "")
    assert "<" not in rest
    assert ">" not in rest


def test_flat_keeps_the_order_and_empty_objects() -> None:
    assert flat({"a": {"b": 1, "c": {}}, "d": [1]}) == [("a.b", 1), ("a.c", {}), ("d", [1])]


def test_slots_are_marked_escaped_and_bounded() -> None:
    out = fill("Ο {user.name} & η {x}, {y}.", {"user.name": "<i>\u202e", "x": "1" * 500}, "(άγνωστο)")
    assert '<b class="slot" lang="en">&lt;i&gt;<span class="code-point">U+202E</span></b>' in out
    assert "&amp;" in out
    assert "+380" in out
    assert "<i>(άγνωστο)</i>" in out


def test_a_value_with_a_slot_in_it_is_not_filled_again() -> None:
    assert "{b}" in fill("{a}", {"a": "{b}", "b": "secret"}, "?")
    assert "secret" not in fill("{a}", {"a": "{b}", "b": "secret"}, "?")

"""Both languages are complete: every message has Greek, none is left over, and no template holds words of its own."""

import re
from html.parser import HTMLParser
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog
from babel.messages.extract import extract_from_dir
from babel.messages.pofile import read_po
from jinja2 import Environment

import vigla_console.web
from vigla_console.incidents.models import Disposition, Phase, Reason, Severity, State, WaitingOn
from vigla_console.web import labels

WEB = Path(vigla_console.web.__file__).parent
PO = WEB / "locale" / "el" / "LC_MESSAGES" / "messages.po"
KEYWORDS = {"_": None, "gettext": None, "ngettext": (1, 2), "N_": None}
JINJA = {"extensions": "jinja2.ext.i18n", "newstyle_gettext": "true", "trim_blocks": "true", "silent": "false"}
SPOKEN = {"aria-label", "title", "placeholder", "alt", "label"}  # attributes that people hear or read
BLOCK = re.compile(r"\{\{.*?\}\}|\{%.*?%\}|\{#.*?#\}", re.DOTALL)
ATTRIBUTE = re.compile(r"[a-z-]+=\"[^\"]*\"")
LETTERS = re.compile(r"[^\W\d_]{2,}")


def used() -> set[str]:
    """The ids in the code and the templates; of a plural, the singular."""
    found = extract_from_dir(
        str(WEB),
        [("**.py", "python"), ("templates/**.html", "jinja2")],
        {"templates/**.html": JINJA},
        KEYWORDS,
    )
    return {message if isinstance(message, str) else message[0] for _, _, message, _, _ in found}


@pytest.fixture(scope="module")
def greek() -> Catalog:
    with PO.open("rb") as file:
        return read_po(file, locale="el")


def test_every_message_is_in_the_greek_catalog_and_nothing_else_is(greek: Catalog) -> None:
    known = {message.id if isinstance(message.id, str) else message.id[0] for message in greek if message.id}
    assert used() - known == set(), "without Greek"
    assert known - used() == set(), "no longer used"


def test_no_translation_is_empty_fuzzy_or_english(greek: Catalog) -> None:
    for message in greek:
        if not message.id:
            continue
        forms = [message.string] if isinstance(message.string, str) else list(message.string)
        assert all(forms), message.id
        assert not message.fuzzy, message.id
        assert any(re.search(r"[Α-Ωα-ωά-ώ]", form) for form in forms), f"no Greek in {message.id!r}"


def test_placeholders_are_the_same_on_both_sides(greek: Catalog) -> None:
    holder = re.compile(r"%\((\w+)\)s")
    for message in greek:
        ids = [message.id] if isinstance(message.id, str) else list(message.id)
        strings = [message.string] if isinstance(message.string, str) else list(message.string)
        wanted = {name for one in ids for name in holder.findall(one)}
        assert all(set(holder.findall(one)) == wanted for one in strings), message.id


class Words(HTMLParser):
    """Collects what a template says outside of Jinja: text, and attributes that are read aloud."""

    def __init__(self) -> None:
        super().__init__()
        self.said: list[str] = []

    def handle_data(self, data: str) -> None:
        self.said += LETTERS.findall(ATTRIBUTE.sub(" ", data))  # a macro may hold attributes alone

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        del tag
        for name, value in attrs:
            if name in SPOKEN and value:
                self.said += LETTERS.findall(value)


# Names of keys on the keyboard are the same in every language.
SAME_EVERYWHERE = {"Enter"}


@pytest.mark.parametrize("template", sorted(WEB.glob("templates/**/*.html")), ids=lambda path: path.name)
def test_no_template_holds_literal_text(template: Path) -> None:
    source = template.read_text(encoding="utf-8")
    Environment(extensions=["jinja2.ext.i18n"], autoescape=True).parse(source)
    parser = Words()
    parser.feed(BLOCK.sub(" ", source))
    assert set(parser.said) - SAME_EVERYWHERE == set()


def test_the_literal_text_test_finds_literal_text() -> None:
    parser = Words()
    parser.feed(BLOCK.sub(" ", '<p title="Τίτλος">{{ _("fine") }} forgotten</p>'))
    assert parser.said == ["Τίτλος", "forgotten"]


@pytest.mark.parametrize(
    ("kind", "table"),
    [
        (Severity, labels.SEVERITIES),
        (Severity, labels.SEVERITY_LETTERS),
        (State, labels.STATES),
        (WaitingOn, labels.WAITING),
        (Disposition, labels.DISPOSITIONS),
        (Reason, labels.REASONS),
        (Phase, labels.PHASES),
    ],
    ids=lambda value: getattr(value, "__name__", ""),
)
def test_every_code_has_a_label(kind: type, table: dict[object, str]) -> None:
    assert set(kind) == set(table)  # type: ignore[call-overload]


def test_no_template_asks_for_inline_style_or_script() -> None:
    for template in WEB.glob("templates/**/*.html"):
        source = template.read_text(encoding="utf-8")
        assert not re.search(r"\bstyle=|<style|\bon[a-z]+=\"|hx-on|javascript:|\|safe\b", source), template.name
        for script in re.findall(r"<script[^>]*>", source):
            assert 'nonce="{{ frame.nonce }}"' in script
            assert "src=" in script

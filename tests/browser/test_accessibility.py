"""axe-core finds nothing on any page, light and dark, in both languages, at 1280 and 320 pixels; nothing is wider."""

import os
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.browser import places
from tests.browser.conftest import REQUIRED, Visitor
from tests.browser.hub import ROOT, LiveHub

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]
AXE = ROOT / "console" / "node_modules" / "axe-core" / "axe.min.js"
WHO = {
    ("municipality", "el"): "officer",
    ("municipality", "en"): "english",
    ("centre", "el"): "analyst",
    ("centre", "en"): "english_analyst",
}


@pytest.fixture(scope="module")
def axe() -> str:
    if not AXE.exists():
        message = f"{AXE} is missing: `npm ci` in console/"
        if os.environ.get(REQUIRED) == "1":
            pytest.fail(message)
        pytest.skip(f"SKIPPED LOUDLY: {message}")
    return Path(AXE).read_text(encoding="utf-8")


def violations(page: object, axe: str) -> list[str]:
    page.evaluate(axe)  # type: ignore[attr-defined]
    found = page.evaluate("axe.run(document, {resultTypes: ['violations']})")["violations"]  # type: ignore[attr-defined]
    return [f"{v['id']}: {node['html'][:200]}" for v in found for node in v["nodes"][:3]]


# Greek in all four forms, English in two that hold each theme and each width once: every pair occurs.
FORMS = [("el", "light", 1280), ("el", "light", 320), ("el", "dark", 1280), ("el", "dark", 320)]
FORMS += [("en", "light", 1280), ("en", "dark", 320)]


@pytest.mark.parametrize(("language", "theme", "width"), FORMS)
@pytest.mark.parametrize("place", ["municipality", "centre"])
def test_every_page(live: LiveHub, visit: Visit, axe: str, place: str, language: str, theme: str, width: int) -> None:
    # Only axe itself needs the policy out of its way; the policy has its own tests.
    visitor = visit(WHO[place, language], width=width, color_scheme=theme, bypass_csp=True)
    faults = []
    for path in places.central(live) if place == "centre" else places.municipal(live):
        page = visitor.open(path)
        assert page.locator("html").get_attribute("lang") == language
        page.evaluate("document.querySelectorAll('main details').forEach((one) => { one.open = true; })")
        faults += [f"{path} {fault}" for fault in violations(page, axe)]
        wide = page.evaluate("document.documentElement.scrollWidth")
        if wide > width:
            faults.append(f"{path} is {wide} pixels wide")
    assert faults == []


@pytest.mark.parametrize("theme", ["light", "dark"])
@pytest.mark.parametrize("width", [1280, 320])
def test_pages_without_a_session_and_errors(live: LiveHub, visit: Visit, axe: str, theme: str, width: int) -> None:
    faults = violations(visit(None, width=width, color_scheme=theme, bypass_csp=True).page, axe)
    visitor = visit("officer", width=width, color_scheme=theme, bypass_csp=True)
    for path, status in places.WRONG.items():
        faults += [f"{path} {fault}" for fault in violations(visitor.open(path, status), axe)]
    assert faults == []


def test_axe_finds_what_is_wrong(visit: Visit, axe: str) -> None:
    """The positive control: a button without a name is found."""
    page = visit(None, bypass_csp=True).page
    page.evaluate("document.getElementById('main').append(document.createElement('button'))")
    assert any(fault.startswith("button-name") for fault in violations(page, axe))


def test_targets_are_large_enough(live: LiveHub, visit: Visit) -> None:
    """WCAG 2.2, 2.5.8: buttons, inputs and links of navigation measure at least 24 by 24 pixels."""
    visitor = visit("officer", width=320)
    for path in places.municipal(live):
        page = visitor.open(path)
        small = page.evaluate(
            """() => [...document.querySelectorAll('button, input:not([type=hidden]), select, nav a, summary')]
              .filter((e) => e.checkVisibility() && !e.closest('.govgr-visually-hidden'))
              .map((e) => [e.outerHTML.slice(0, 120), e.getBoundingClientRect()])
              .filter(([, box]) => box.width > 0 && (box.width < 24 || box.height < 24) && box.height > 0)
              .map(([html, box]) => `${html} ${box.width}x${box.height}`)"""
        )
        # A checkbox of 22 pixels stands in a label that is the target.
        assert [one for one in small if 'type="checkbox"' not in one and 'type="radio"' not in one] == [], path


def test_the_skip_link_and_the_main_part_take_focus(visit: Visit) -> None:
    page = visit("officer").page
    page.keyboard.press("Tab")
    assert page.evaluate("document.activeElement.className") == "skip-link"
    assert page.evaluate("document.activeElement.getBoundingClientRect().top") >= 0
    page.keyboard.press("Enter")
    assert page.evaluate("document.activeElement.id") == "main"


def test_the_theme_of_the_profile_beats_the_device(visit: Visit) -> None:
    visitor = visit("viewer", color_scheme="light", java_script_enabled=False)
    page = visitor.open("/profile")
    background = "getComputedStyle(document.body).backgroundColor"
    light = page.evaluate(background)
    page.get_by_label("σκοτεινή").check()
    page.get_by_role("button", name="Αποθήκευση").click()
    assert page.locator("html").get_attribute("class") == "dark"
    assert page.evaluate(background) != light
    assert page.locator(".notice").inner_text() == "Οι ρυθμίσεις σας αποθηκεύτηκαν."

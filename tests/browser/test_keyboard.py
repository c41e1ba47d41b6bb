"""The centre's keyboard: by the key's place, so that it works while the layout is Greek; silent for municipalities."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visitor

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]

PRESS = """([code, key, shift]) => document.activeElement.dispatchEvent(
  new KeyboardEvent('keydown', {code, key, shiftKey: shift, bubbles: true, cancelable: true}))"""


def test_rows_are_walked_and_opened_in_the_greek_layout(visit: Visit) -> None:
    analyst = visit("analyst")
    page = analyst.open("/soc/queue")
    page.evaluate(PRESS, ["KeyJ", "ξ", False])
    page.evaluate(PRESS, ["KeyJ", "ξ", False])
    second = page.locator("tr[data-row]").nth(1)
    assert "here" in (second.get_attribute("class") or "")
    page.evaluate(PRESS, ["KeyK", "κ", False])
    first = page.locator("tr[data-row]").first
    assert "here" in (first.get_attribute("class") or "")
    page.evaluate(PRESS, ["KeyX", "χ", False])
    assert first.locator("input[type=checkbox]").is_checked()
    wanted = first.locator("[data-open]").get_attribute("href")
    page.keyboard.press("Enter")
    page.wait_for_url(f"**{wanted}")
    page.evaluate(PRESS, ["KeyG", "γ", False])
    page.evaluate(PRESS, ["KeyS", "σ", False])
    page.wait_for_url("**/soc")
    assert analyst.gather() == []


def test_the_list_of_keys_opens_and_typing_is_left_alone(visit: Visit) -> None:
    page = visit("analyst").open("/soc/queue")
    page.evaluate(PRESS, ["Slash", "?", True])
    assert page.locator("#keys").is_visible()
    page.keyboard.press("Escape")
    page.focus("#search")
    page.evaluate(PRESS, ["KeyJ", "ξ", False])
    assert page.locator("tr.here").count() == 0


def test_municipalities_have_no_single_keys(visit: Visit) -> None:
    page = visit("officer").open("/alerts")
    page.evaluate(PRESS, ["KeyG", "γ", False])
    page.evaluate(PRESS, ["KeyS", "σ", False])
    assert page.url.endswith("/alerts")


def test_the_search_box_finds_a_code_and_a_municipality(visit: Visit) -> None:
    page = visit("analyst").open("/soc")
    page.fill("#search", "ορεστιαδοσ")
    page.keyboard.press("Enter")
    page.wait_for_url("**/soc/queue?muni=orestiada")
    code = page.locator("tr[data-row] .code").first.inner_text()
    page.fill("#search", code.lower())
    page.keyboard.press("Enter")
    page.wait_for_url(f"**/alerts/{code}")

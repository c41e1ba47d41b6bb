"""The content security policy holds on every page: nothing of ours breaks it, and what breaks it is stopped."""

from collections.abc import Callable

import pytest

from tests.browser import places
from tests.browser.conftest import Visitor
from tests.browser.hub import LiveHub

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]


@pytest.mark.parametrize("who", ["officer", "analyst"])
def test_no_page_gives_a_report_or_an_error(live: LiveHub, visit: Visit, who: str) -> None:
    visitor = visit(who)
    for path in places.central(live) if who == "analyst" else places.municipal(live):
        page = visitor.open(path)
        assert page.evaluate("typeof htmx") == "object", f"{path}: htmx did not load"
        assert visitor.gather() == [], path


def test_error_pages_keep_the_policy_too(visit: Visit) -> None:
    visitor = visit("officer")
    for path, status in places.WRONG.items():
        visitor.open(path, status)
        # The browser writes a line of its own about each such status.
        ours = [line for line in visitor.gather() if "the server responded with a status of" not in line]
        assert ours == [], path


def test_the_policy_stops_a_script_and_trusted_types_stop_markup(visit: Visit) -> None:
    """The positive control of the tests above: reports are heard when there is something to report."""
    visitor = visit("officer")
    page = visitor.page
    refused = page.evaluate(
        """() => {
          const script = document.createElement('script');
          try { script.textContent = 'window.__ran = true'; document.head.append(script); } catch (error) {}
          try { document.getElementById('main').innerHTML = '<b>x</b>'; return false; } catch (error) { return true; }
        }"""
    )
    assert refused, "assigning markup must throw under Trusted Types"
    page.wait_for_function("window.__reports.length > 0")
    assert page.evaluate("window.__ran") is None
    assert any("require-trusted-types-for" in line for line in visitor.gather())


def test_markup_and_controls_of_a_log_line_are_shown_as_text(live: LiveHub, visit: Visit) -> None:
    visitor = visit("officer")
    code = places.group(live, "orestiada", "canary").code
    for path in ("/alerts", f"/alerts/{code}"):
        page = visitor.open(path)
        assert page.locator("img").count() == 0
        text = page.locator("main").inner_text()
        assert "<img src=x onerror=alert(1)>" in text
        assert "U+202E" in text
        assert "\u202e" not in page.content()
        assert "\x07" not in page.content()
    assert visitor.gather() == []


def test_every_answer_carries_its_own_nonce(live: LiveHub, visit: Visit) -> None:
    page = visit(None).page
    policies = {page.request.get(f"{live.address}/login").headers["content-security-policy"] for _ in range(3)}
    assert len(policies) == 3
    assert all("default-src 'none'" in policy and "unsafe" not in policy for policy in policies)

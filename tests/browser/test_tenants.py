"""What one municipality sees of another: nothing, on no page, by no code, in no count."""

from collections.abc import Callable

import pytest

from tests.browser import places
from tests.browser.conftest import Visitor
from tests.browser.hub import LiveHub, canary

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]


def test_a_neighbor_sees_only_its_own(live: LiveHub, visit: Visit) -> None:
    neighbor = visit("neighbor")
    paths = ["/", "/alerts", "/alerts?state=open,closed", "/incidents", "/incidents?closed=1", "/sources", "/audit"]
    own = places.group(live, "mytilini", "canary").code
    seen = ""
    for path in [*paths, f"/alerts/{own}", "/alerts?q=protokollo2", f"/alerts?q={canary('orestiada')}"]:
        page = neighbor.open(path)
        text = page.content().replace(f'value="{canary("orestiada")}"', "").replace(f"q={canary('orestiada')}", "")
        for foreign in (canary("orestiada"), canary("kalamata"), "orestiada-1", "Ορεστιάδ", "198.51.100.77"):
            assert foreign not in text, f"{path} shows {foreign}"
        seen += text
    assert canary("mytilini") in seen, "the search for canaries works"


def test_a_foreign_code_is_answered_like_an_unknown_one(live: LiveHub, visit: Visit) -> None:
    neighbor = visit("neighbor")
    foreign = places.group(live, "orestiada", "protokollo2").code
    known = neighbor.open(f"/alerts/{foreign}", 404).locator("main").inner_text()
    unknown = neighbor.open("/alerts/A-ZZZZZZ", 404).locator("main").inner_text()
    assert known == unknown
    for path in ("/soc", "/soc/queue", "/soc/clusters", "/soc/municipalities"):
        neighbor.open(path, 403)


def test_a_municipality_learns_how_many_others_but_never_who(live: LiveHub, visit: Visit) -> None:
    code = places.group(live, "mytilini", "203.0.113.9").code
    text = visit("neighbor").open(f"/alerts/{code}").locator("main").inner_text()
    assert "εμφανίζεται και σε 2 άλλους δήμους" in text
    assert "Καλαμάτα" not in text


def test_without_a_session_every_page_leads_to_the_log_in(live: LiveHub, visit: Visit) -> None:
    stranger = visit(None)
    for path in [*places.municipal(live), *places.central(live)]:
        if path == "/accessibility":
            continue
        page = stranger.open(path)
        assert page.url.startswith(f"{live.address}/login?back=")

"""One alert from the task on the home page to its end, by two people, with JavaScript and without."""

from collections.abc import Callable

import pytest

from tests.browser.conftest import Visitor
from tests.browser.hub import SUCCESS_AFTER_FAILURES, LiveHub, alert

pytestmark = pytest.mark.browser

Visit = Callable[..., Visitor]


def fresh(live: LiveHub, user: str) -> None:
    """A group of its own for one test."""
    before = live.groups()
    event = {"username": user, "src_ip": "198.51.100.80", "outcome": "success"}
    live.send(
        "orestiada",
        alert(f"success-{user}", "orestiada", SUCCESS_AFTER_FAILURES, 70, ("user", user), event, minutes_ago=5),
    )
    live.settled(before + 1)


@pytest.mark.parametrize("scripts", [True, False], ids=["with-javascript", "without-javascript"])
def test_help_is_asked_given_and_the_alert_closed(live: LiveHub, visit: Visit, scripts: bool) -> None:
    user = f"dimarchos{int(scripts)}"
    fresh(live, user)
    officer = visit("officer", java_script_enabled=scripts)
    officer.open(f"/alerts?q={user}")
    row = officer.page.locator("tbody tr", has_text=user)
    assert row.count() == 1
    row.get_by_role("link").first.click()
    page = officer.page
    page.wait_for_selector("h1")
    for block in ("Τι συνέβη", "Γιατί μας νοιάζει", "Τι κάνω τώρα", "Πότε κλιμακώνω", "Αθώες εξηγήσεις"):
        assert page.get_by_role("heading", name=block).count() == 1
    assert user in page.locator("main").inner_text()
    code = page.locator(".crumbs .code").inner_text()

    page.get_by_role("button", name="Το είδα").click()
    page.wait_for_selector(".state--acknowledged")
    page.fill("#escalate-note", "Δεν ήταν ο υπάλληλος.")
    page.get_by_role("button", name="Ζητώ βοήθεια").click()
    page.wait_for_selector(".state--escalated")

    analyst = visit("analyst", java_script_enabled=scripts)
    analyst.open("/soc/queue?waiting=soc")
    analyst.page.locator("tr", has_text=code).get_by_role("link").first.click()
    analyst.page.wait_for_selector("#answer-note")
    assert "Δεν ήταν ο υπάλληλος." in analyst.page.locator("main").inner_text()
    assert analyst.page.locator(".bar").inner_text().startswith("Κεντρικό SOC")
    analyst.page.fill("#answer-note", "Κλείστε τον λογαριασμό και αλλάξτε κωδικό.")
    analyst.page.get_by_role("button", name="Αποστολή απάντησης").click()
    analyst.page.wait_for_selector(".state--waiting")

    officer.open("/")
    task = page.locator(".task", has_text=user)
    assert "το SOC σας ρωτά" in task.inner_text()
    task.get_by_role("link", name="Απάντηση").click()
    page.wait_for_selector("#close summary")
    assert "Κλείστε τον λογαριασμό" in page.locator("main").inner_text()
    page.locator("#close summary").click()
    page.select_option("#outcome", "true_no_impact:stopped_in_time")
    page.fill("#close-note", "Άλλαξε ο κωδικός.")
    page.locator("#close").get_by_role("button", name="Κλείσιμο").click()
    page.wait_for_selector(".state--closed")
    assert "Πραγματικό χωρίς επίπτωση" in page.locator(".facts").inner_text()
    assert "Αναίρεση" in page.locator(".card--act").inner_text()
    history = page.locator("section", has=page.locator("#history")).inner_text()
    for act in ("το είδε", "ζήτησε βοήθεια", "απάντησε", "το έκλεισε", "Μαρία Δήμου", "Ελένη Ιωάννου"):
        assert act in history
    assert officer.gather() == analyst.gather() == []


def test_a_form_that_cannot_be_accepted_comes_back_filled_in(live: LiveHub, visit: Visit) -> None:
    fresh(live, "syntirisi")
    officer = visit("officer", java_script_enabled=False)
    page = officer.open("/alerts?q=syntirisi")
    page.locator("tbody tr", has_text="syntirisi").get_by_role("link").first.click()
    page.locator("#close summary").click()
    page.select_option("#outcome", "legitimate:contractor")
    page.fill("#close-note", "Έργο του αναδόχου")
    page.locator("#close").get_by_role("button", name="Κλείσιμο").click()
    summary = page.locator(".errors")
    assert summary.get_by_role("link").count() == 2
    assert page.input_value("#outcome") == "legitimate:contractor"
    assert page.input_value("#close-note") == "Έργο του αναδόχου"
    page.fill("#who", "Ανάδοχος δικτύου")
    page.fill("#ticket", "ΑΠ 1234")
    page.locator("#close").get_by_role("button", name="Κλείσιμο").click()
    page.wait_for_selector(".state--closed")
    assert "ΑΠ 1234" in page.locator("main").inner_text()


def test_the_slower_of_two_people_sees_what_the_other_did(live: LiveHub, visit: Visit) -> None:
    fresh(live, "dyo")
    first, second = visit("officer"), visit("english")
    first.open("/alerts?q=dyo").locator("tbody tr", has_text="dyo").get_by_role("link").first.click()
    first.page.wait_for_selector("#escalate-note")
    second.page.goto(first.page.url)
    first.page.get_by_role("button", name="Το είδα").click()
    first.page.wait_for_selector(".state--acknowledged")
    second.page.fill("#escalate-note", "please look")
    second.page.get_by_role("button", name="I ask for help").click()
    second.page.wait_for_selector(".errors")
    assert "Somebody else changed it first" in second.page.locator(".errors").inner_text()
    assert "Ελένη Ιωάννου" in second.page.locator(".errors").inner_text()
    assert second.page.input_value("#escalate-note") == "please look"


def test_several_rows_are_seen_at_once(live: LiveHub, visit: Visit) -> None:
    for user in ("omada1", "omada2"):
        fresh(live, user)
    officer = visit("officer", java_script_enabled=False)
    page = officer.open("/alerts?state=new&q=omada")
    for box in page.locator("input[name=chosen]").all():
        box.check()
    page.get_by_role("button", name="Είδα τις επιλεγμένες").click()
    assert page.locator(".notice").inner_text() == "2 έγιναν · 0 είχαν αλλάξει · 0 απέτυχαν"


def test_what_comes_in_meanwhile_is_said_and_moves_nothing(live: LiveHub, visit: Visit) -> None:
    officer = visit("officer")
    page = officer.open("/alerts")
    rows = page.locator("tbody tr").count()
    fresh(live, "argoporia")
    page.evaluate("document.querySelector('.news').dispatchEvent(new CustomEvent('every'))")
    page.wait_for_selector(".news a")
    assert page.locator(".news").inner_text() == "1 νέα · εμφάνιση"
    assert page.locator("tbody tr").count() == rows
    page.locator(".news a").click()
    page.wait_for_selector("text=argoporia")
    assert officer.gather() == []


def test_an_incident_is_walked_through_its_phases_and_closed(live: LiveHub, visit: Visit) -> None:
    fresh(live, "peristatiko")
    officer = visit("officer", java_script_enabled=False)
    page = officer.open("/alerts?q=peristatiko")
    page.locator("tbody tr", has_text="peristatiko").get_by_role("link").first.click()
    page.locator("#promote summary").click()
    page.fill("#promote-title", "Παραβίαση λογαριασμού")
    page.get_by_role("button", name="Άνοιγμα περιστατικού").click()
    assert page.locator("h1").inner_text() == "Παραβίαση λογαριασμού"
    page.get_by_role("button", name="Περιορισμός").click()
    assert page.locator("[aria-current=step]").inner_text().endswith("Περιορισμός")
    page.select_option("#outcome", "true_impact:account_taken")
    page.get_by_label("Όχι", exact=True).check()
    page.get_by_role("button", name="Κλείσιμο περιστατικού").click()
    assert page.locator(".errors").get_by_role("link").count() == 1, "a decision from high on needs its reason"
    page.fill("#close-note", "Δεν χάθηκε τίποτα.")
    page.get_by_label("Όχι", exact=True).check()
    page.get_by_role("button", name="Κλείσιμο περιστατικού").click()
    page.wait_for_selector(".state--closed")
    assert "Πραγματικό με επίπτωση" in page.locator(".facts").inner_text()


def test_a_viewer_reads_and_cannot_act(visit: Visit) -> None:
    viewer = visit("viewer")
    page = viewer.open("/alerts?q=protokollo2")
    page.locator("tbody tr").first.get_by_role("link").first.click()
    page.wait_for_selector(".card--act")
    assert page.locator(".card--act button").count() == 0
    assert "όχι να ενεργήσετε" in page.locator(".card--act").inner_text()

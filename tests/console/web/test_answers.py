"""Pages as answers: where forms lead, what errors look like, what never leaves the site."""

import secrets
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest

from tests.console.build import PASSWORD, House, Person, build_house, document
from vigla_console.incidents.models import GroupFilter
from vigla_console.tenants.models import Binding, Role, TenantId
from vigla_console.web.notices import Notice
from vigla_console.web.pages import local
from vigla_console.web.site import MissingAssets, site


@pytest.fixture
def pages(tmp_path: Path) -> Iterator[House]:
    made = build_house(tmp_path / "hub", site=site())
    yield made
    made.hub.close()


def code(house: House) -> str:
    return house.hub.cases(house.everyone()).groups(GroupFilter()).groups[0].code


def post(person: Person, path: str, **fields: str) -> object:
    csrf = person.client.headers["x-csrf-token"]
    data = {"csrf_token": csrf, "form_key": secrets.token_hex(8), "version": "1", **fields}
    return person.client.post(path, data=data, follow_redirects=False)


@pytest.mark.parametrize(
    "address",
    [
        "//evil.example",
        "https://evil.example",
        "/\\evil.example",
        "javascript:alert(1)",
        "",
        "alerts",
        "/a\r\nb",
        "\t/x",
    ],
)
def test_no_form_leads_away_from_the_site(address: str) -> None:
    assert local(address) == "/"


def test_local_addresses_are_kept() -> None:
    assert local("/alerts?level=high&q=α") == "/alerts?level=high&q=α"


def test_signing_in_goes_where_one_wanted_and_out_again(pages: House) -> None:
    pages.user("eleni", Binding(Role.OFFICER, TenantId("kalamata")))
    client = pages.client()
    refused = client.get("/alerts?q=x", follow_redirects=False)
    assert (refused.status_code, refused.headers["location"]) == (303, "/login?back=%2Falerts")
    wrong = client.post("/login", data={"login": "eleni", "password": "no", "back": "/alerts"})
    assert wrong.status_code == 401
    assert "Λάθος όνομα ή κωδικός." in wrong.text
    assert 'value="eleni"' in wrong.text
    right = client.post(
        "/login", data={"login": "eleni", "password": PASSWORD, "back": "/alerts"}, follow_redirects=False
    )
    assert (right.status_code, right.headers["location"]) == (303, "/alerts")


def test_an_act_without_the_token_of_the_session_is_refused(pages: House) -> None:
    pages.take(document("one"))
    officer = pages.officer()
    del officer.client.headers["x-csrf-token"]
    answer = officer.client.post(f"/alerts/{code(pages)}/ack", data={"version": "1", "form_key": "k"})
    assert answer.status_code == 403
    assert "Δεν έχετε δικαίωμα" in answer.text


def test_a_stale_form_is_409_and_a_double_click_is_one_act(pages: House) -> None:
    pages.take(document("one"))
    officer = pages.officer()
    first = post(officer, f"/alerts/{code(pages)}/ack", form_key="same")
    again = post(officer, f"/alerts/{code(pages)}/ack", form_key="same")
    assert (first.status_code, again.status_code) == (303, 303)  # type: ignore[attr-defined]
    stale = post(officer, f"/alerts/{code(pages)}/escalate", note="help")
    assert stale.status_code == 409  # type: ignore[attr-defined]
    assert "Το άλλαξε πρώτα κάποιος άλλος" in stale.text  # type: ignore[attr-defined]
    assert ">help</textarea>" in stale.text  # type: ignore[attr-defined]


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({"outcome": ""}, "Επιλέξτε πώς έληξε"),
        ({"outcome": "false_positive:contractor"}, "Επιλέξτε πώς έληξε"),
        ({"outcome": "legitimate:contractor", "who": "x"}, "Γράψτε το αίτημα"),
        ({"outcome": "true_impact:service_down"}, "ανοίξτε πρώτα ένα"),
    ],
)
def test_closing_without_what_it_needs_is_422_in_greek(pages: House, fields: dict[str, str], said: str) -> None:
    pages.take(document("one"))
    answer = post(pages.officer(), f"/alerts/{code(pages)}/close", **fields)
    assert answer.status_code == 422  # type: ignore[attr-defined]
    assert said in answer.text  # type: ignore[attr-defined]


def test_an_unknown_filter_is_422_with_the_nearest_one(pages: House) -> None:
    answer = pages.officer().client.get("/alerts?levl=high")
    assert answer.status_code == 422
    assert "Το πλησιέστερο γνωστό είναι «level»." in answer.text


@pytest.mark.parametrize("path", ["/alerts/A-NONE22", "/incidents/P-NONE22", "/nowhere"])
def test_the_unknown_is_404_in_greek_and_english(pages: House, path: str) -> None:
    officer = pages.officer()
    assert "Δεν υπάρχει τέτοια σελίδα" in officer.client.get(path).text
    assert officer.client.get(path).status_code == 404


def test_empty_lists_say_whether_silence_can_be_trusted(pages: House) -> None:
    officer = pages.officer()
    assert "ούτε και αισθητήρας" in officer.client.get("/alerts").text
    pages.sensor("kalamata")
    assert "η σιωπή δεν είναι αξιόπιστη" in officer.client.get("/alerts").text


def test_a_long_list_is_paged_by_key(pages: House) -> None:
    pages.take(*(document(n, entity=("ip", f"192.0.2.{n}")) for n in range(1, 31)))
    officer = pages.officer()
    first = officer.client.get("/alerts").text
    assert first.count('class="cards__main"') == 25
    after = first.split("after=", 1)[1].split('"', 1)[0]
    second = officer.client.get(f"/alerts?after={after}")
    assert second.text.count('class="cards__main"') == 5
    foreign = pages.officer("mytilini").client.get(f"/alerts?after={after}")
    assert foreign.status_code == 422, "a cursor is good for its own session and filter only"


def test_news_says_how_many_came_and_nothing_when_none_did(pages: House) -> None:
    officer = pages.officer()
    assert "/alerts/news?known=0" in officer.client.get("/alerts").text
    pages.take(document("one", at=pages.clock.now() - timedelta(days=3)))
    news = officer.client.get("/alerts/news?known=0")
    assert "1 νέα · εμφάνιση" in news.text, "a backlog that comes late is news too"
    assert "<html" not in news.text
    for silent in ("known=1", "known=5", "known=x", ""):
        assert officer.client.get(f"/alerts/news?{silent}").status_code == 204


def test_looking_at_an_alert_is_written_into_the_audit(pages: House) -> None:
    pages.take(document("one"))
    pages.analyst().client.get(f"/alerts/{code(pages)}")
    audit = pages.officer().client.get("/audit?foreign=1").text
    assert "alert.view" in audit
    assert code(pages) in audit


def test_a_notice_is_shown_once_and_only_what_we_wrote(pages: House) -> None:
    pages.take(document("one"))
    officer = pages.officer()
    post(officer, f"/alerts/{code(pages)}/ack")
    assert "σημειώθηκε ότι το είδατε" in officer.client.get("/alerts").text
    assert "σημειώθηκε ότι το είδατε" not in officer.client.get("/alerts").text
    for forged in ("ack", "ack|<b>", "nothing|x", "ack|a|b", "%00", "ack|" + "x" * 500):
        assert Notice.read(forged) is None
    assert Notice.read("ack|A-7F3K2Q") == Notice("ack", ("A-7F3K2Q",))


def test_without_its_assets_the_console_does_not_start(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr("vigla_console.web.site.resources.files", lambda _: tmp_path)
    with pytest.raises(MissingAssets, match="npm ci && npm run assets"):
        site()

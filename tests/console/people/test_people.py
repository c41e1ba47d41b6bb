"""Signing in and staying in: throttled, bounded in time, ended for good, and never readable from the database."""

from datetime import timedelta

import pytest

from tests.console.build import CHEAP, NOW, PASSWORD, House
from vigla_console.errors import Refused
from vigla_console.people.models import LoginRefused, Throttled
from vigla_console.people.rules import LONGEST_WAIT, wait_seconds, weakness
from vigla_console.people.storage import SqlAccounts
from vigla_console.tenants.models import Binding, Role, TenantId

OFFICER = Binding(Role.OFFICER, TenantId("kalamata"))


def test_wrong_name_wrong_password_and_disabled_sound_alike(house: House) -> None:
    house.user("maria", OFFICER)
    texts = set()
    for login, password in (("maria", "wrong password"), ("nobody", PASSWORD), ("", "")):
        with pytest.raises(LoginRefused) as refused:
            house.hub.sessions.sign_in(login, password, "192.0.2.1")
        texts.add(str(refused.value))
    assert len(texts) == 1


def test_the_name_is_found_in_any_case(house: House) -> None:
    house.user("maria", OFFICER)
    assert house.hub.sessions.sign_in(" MARIA ", PASSWORD, "192.0.2.1").session.user.login == "maria"


def test_failures_slow_down_a_name_and_an_address(house: House) -> None:
    house.user("maria", OFFICER)
    sessions = house.hub.sessions
    for n in range(5):
        with pytest.raises(LoginRefused):
            sessions.sign_in("maria", "wrong password", f"192.0.2.{n}")
    with pytest.raises(Throttled) as throttled:
        sessions.sign_in("maria", PASSWORD, "192.0.2.99")
    assert throttled.value.seconds == 5
    house.clock.advance(seconds=5)
    assert sessions.sign_in("maria", PASSWORD, "192.0.2.99")
    for n in range(20):
        with pytest.raises(LoginRefused):
            sessions.sign_in(f"guess{n}", "wrong password", "198.51.100.7")
    with pytest.raises(Throttled):
        sessions.sign_in("maria", PASSWORD, "198.51.100.7")
    assert sessions.sign_in("maria", PASSWORD, "192.0.2.99"), "others go on"


def test_waits_grow_and_end() -> None:
    assert [wait_seconds(n, 5, NOW, NOW) for n in (4, 5, 6, 7, 99)] == [0, 5, 10, 20, LONGEST_WAIT]
    assert wait_seconds(99, 5, NOW - timedelta(hours=2), NOW) == 0


def test_half_an_hour_idle_ends_it(house: House) -> None:
    house.user("maria", OFFICER)
    sessions = house.hub.sessions
    token = sessions.sign_in("maria", PASSWORD, "192.0.2.1").token
    house.clock.advance(minutes=29)
    assert sessions.find(token)
    house.clock.advance(minutes=29)
    assert sessions.find(token), "each use counts anew"
    house.clock.advance(minutes=30)
    assert sessions.find(token) is None
    house.clock.advance(minutes=-30)
    assert sessions.find(token) is None, "gone for good"


def test_twelve_hours_end_it_however_busy(house: House) -> None:
    house.user("maria", OFFICER)
    token = house.hub.sessions.sign_in("maria", PASSWORD, "192.0.2.1").token
    for _ in range(35):
        house.clock.advance(minutes=20)
        assert house.hub.sessions.find(token)
    house.clock.advance(minutes=20)
    assert house.hub.sessions.find(token) is None


def test_signing_out_and_a_new_password_end_sessions(house: House) -> None:
    house.user("maria", OFFICER)
    sessions = house.hub.sessions
    first, second = (sessions.sign_in("maria", PASSWORD, "192.0.2.1").token for _ in range(2))
    sessions.sign_out(first)
    assert sessions.find(first) is None
    assert sessions.find(second)
    SqlAccounts(house.hub.database, house.clock, CHEAP).set_password("maria", "another long password")
    assert sessions.find(second) is None
    with pytest.raises(LoginRefused):
        sessions.sign_in("maria", PASSWORD, "192.0.2.1")


def test_neither_passwords_nor_tokens_are_in_the_database(house: House) -> None:
    house.user("maria", OFFICER)
    token = house.hub.sessions.sign_in("maria", PASSWORD, "192.0.2.1").token
    for path in house.settings.storage.directory.iterdir():
        content = path.read_bytes()
        assert token.encode() not in content
        assert PASSWORD.encode() not in content
        assert path.stat().st_mode & 0o077 == 0, f"{path.name} is readable by others"


@pytest.mark.parametrize("password", ["short", "maria's password", "aaaaaaaaaaaaaaaa", "x" * 300])
def test_a_weak_password_is_refused(house: House, password: str) -> None:
    assert weakness(password, "maria")
    with pytest.raises(Refused, match="password"):
        SqlAccounts(house.hub.database, house.clock, CHEAP).add("maria", "Μαρία", password, [OFFICER], "el")


def test_a_login_is_one_persons(house: House) -> None:
    house.user("maria", OFFICER)
    with pytest.raises(Refused, match="taken"):
        house.user("Maria", OFFICER)


def test_an_expired_binding_gives_nothing(house: House) -> None:
    soon = house.clock.now() + timedelta(days=1)
    user = house.user("guest", Binding(Role.OFFICER, TenantId("kalamata"), soon))
    assert house.scope(user).tenants == {"kalamata"}
    house.clock.advance(days=1)
    assert house.scope(user).tenants == frozenset()


def test_a_central_role_is_held_at_no_town_and_a_local_one_at_a_town() -> None:
    with pytest.raises(ValueError, match="at the centre"):
        Binding(Role.ANALYST, TenantId("kalamata"))
    with pytest.raises(ValueError, match="needs the tenant"):
        Binding(Role.OFFICER)

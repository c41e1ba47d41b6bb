"""One chain per municipality: whatever is changed, taken out or cut off afterwards is found, and nobody reads a
foreign one.
"""

import pytest
from sqlalchemy import delete, text, update

from tests.console.build import House, document
from vigla_console.audit.models import HUB
from vigla_console.audit.storage import AuditVerifier
from vigla_console.cli import main
from vigla_console.database.schema import AUDIT
from vigla_console.errors import Forbidden
from vigla_console.incidents.models import GroupFilter
from vigla_console.tenants.models import Binding, Role, TenantId

KALAMATA, MYTILINI = TenantId("kalamata"), TenantId("mytilini")


@pytest.fixture
def written(house: House) -> House:
    officer, other = house.officer(), house.officer("mytilini")
    log = house.hub.audit(house.scope(officer.user))
    for n in range(5):
        log.record("group.view", f"A-{n}", [KALAMATA])
    house.hub.audit(house.scope(other.user)).record("group.view", "A-X", [MYTILINI])
    return house


def verifier(house: House) -> AuditVerifier:
    return AuditVerifier(house.hub.database, house.clock)


def test_an_untouched_log_holds(written: House) -> None:
    assert verifier(written).faults() == []
    assert verifier(written).record_heads()
    assert not verifier(written).record_heads(), "written down only when something moved"
    assert verifier(written).faults() == []


@pytest.mark.parametrize(
    "column", ["actor", "actor_name", "actor_body", "actor_role", "act", "object", "result", "reason"]
)
def test_any_changed_word_is_found(written: House, column: str) -> None:
    with written.hub.database.write() as connection:
        where = (AUDIT.c.chain == KALAMATA, AUDIT.c.seq == 3)
        connection.execute(update(AUDIT).where(*where).values({column: "somebody else"}))
    (fault,) = verifier(written).faults()
    assert "chain kalamata, entry 3: was changed" in fault


def test_a_changed_time_or_flag_is_found(written: House) -> None:
    for change in ("at = at - 1000", "clear = 1"):
        with written.hub.database.write() as connection:
            connection.execute(text(f"UPDATE audit SET {change} WHERE chain = 'kalamata' AND seq = 2"))  # noqa: S608
        assert verifier(written).faults()


def test_a_missing_entry_is_found(written: House) -> None:
    with written.hub.database.write() as connection:
        connection.execute(delete(AUDIT).where(AUDIT.c.chain == KALAMATA, AUDIT.c.seq == 2))
    (fault,) = verifier(written).faults()
    assert "entry 2 is missing" in fault


def test_a_chain_cut_short_is_found_by_the_hubs(written: House) -> None:
    verifier(written).record_heads()
    with written.hub.database.write() as connection:
        connection.execute(delete(AUDIT).where(AUDIT.c.chain == KALAMATA, AUDIT.c.seq >= 5))
    (fault,) = verifier(written).faults()
    assert "chain kalamata" in fault
    assert "hub's chain" in fault


def test_a_chain_forged_as_a_whole_is_found_by_the_hubs(written: House) -> None:
    verifier(written).record_heads()
    with written.hub.database.write() as connection:
        connection.execute(delete(AUDIT).where(AUDIT.c.chain == MYTILINI))
    assert verifier(written).faults()


def test_chains_are_each_their_own(written: House) -> None:
    user = written.user("reader", Binding(Role.OFFICER, KALAMATA))
    log = written.hub.audit(written.scope(user))
    assert {entry.chain for entry in log.entries(KALAMATA)} == {"kalamata"}
    for foreign in (MYTILINI, TenantId(HUB)):
        with pytest.raises(Forbidden):
            log.entries(foreign)


def test_the_soc_reads_no_municipalitys_log(written: House) -> None:
    with pytest.raises(Forbidden):
        written.hub.audit(written.scope(written.analyst().user)).entries(KALAMATA)


def test_people_of_elsewhere_can_be_listed_alone(house: House) -> None:
    house.take(document(1))
    analyst = house.analyst()
    group = house.hub.cases(house.everyone()).groups(GroupFilter()).groups[0]
    assert analyst.client.get(f"/api/v1/groups/{group.code}").status_code == 200
    officer = house.officer()
    entries = house.hub.audit(house.scope(officer.user)).entries(KALAMATA, foreign_only=True)
    assert [(e.act, e.object, e.actor_body, e.clear) for e in entries if e.act == "group.view"] == [
        ("group.view", group.code, "SOC", False)
    ]


def test_the_command_says_so(
    written: House, tmp_path_factory: pytest.TempPathFactory, capsys: pytest.CaptureFixture[str]
) -> None:
    config = tmp_path_factory.mktemp("config") / "console.toml"
    config.write_text(f'[storage]\ndirectory = "{written.settings.storage.directory}"\n')
    assert main(["--config", str(config), "verify-audit"]) == 0
    assert "holds" in capsys.readouterr().out
    with written.hub.database.write() as connection:
        connection.execute(update(AUDIT).where(AUDIT.c.seq == 1, AUDIT.c.chain == KALAMATA).values(act="nothing"))
    assert main(["--config", str(config), "verify-audit"]) == 1
    assert "chain kalamata, entry 1" in capsys.readouterr().out

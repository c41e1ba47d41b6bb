"""The commands an operator types, from an empty folder to a hub with people and sensors."""

from pathlib import Path

import pytest

from tests.console.build import CHEAP
from vigla_console.cli import main
from vigla_console.clock import SystemClock
from vigla_console.database.engine import CaseDatabase
from vigla_console.demo import TOWNS, prepare
from vigla_console.sensors.storage import SensorRegistry


@pytest.fixture
def config(tmp_path: Path) -> Path:
    path = tmp_path / "console.toml"
    path.write_text(f'[storage]\ndirectory = "{tmp_path / "data"}"\n')
    return path


def run(config: Path, *words: str) -> int:
    return main(["--config", str(config), *words])


def test_from_nothing_to_people_and_sensors(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "user", "list") == 2
    assert "migrate" in capsys.readouterr().err
    assert run(config, "migrate") == 0
    assert main(["migrate", "--config", str(config)]) == 0, "again changes nothing"
    assert main(["user", "list", "--config", str(config)]) == 0
    password = config.parent / "password"
    password.write_text("a long enough password\n")
    words = ("user", "add", "maria", "--role", "officer@kalamata", "--password-file", str(password))
    assert run(config, *words) == 0
    assert run(config, *words) == 2
    assert "taken" in capsys.readouterr().err
    assert run(config, "user", "list") == 0
    assert "officer@kalamata" in capsys.readouterr().out
    assert run(config, "sensor", "add", "kalamata-1", "--tenant", "kalamata") == 0
    credential = capsys.readouterr().out.strip()
    database = CaseDatabase.at(config.parent / "data" / "cases.db")
    sensor = SensorRegistry(database, SystemClock()).by_credential(credential)
    assert sensor is not None
    assert sensor.tenant == "kalamata"
    assert run(config, "sensor", "rotate", "kalamata-1") == 0
    assert capsys.readouterr().out.strip() != credential
    assert run(config, "sensor", "list") == 0
    assert "never" in capsys.readouterr().out
    assert run(config, "verify-audit", "--json") == 0
    assert capsys.readouterr().out.strip() == '{"faults": []}'
    database.close()


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (("user", "add", "x", "--role", "king"), "no role 'king'"),
        (("user", "add", "x", "--role", "officer@atlantis"), "no tenant 'atlantis'"),
        (("user", "add", "x", "--role", "analyst@kalamata"), "at the centre"),
        (("user", "add", "x", "--role", "officer"), "needs the tenant"),
        (("sensor", "add", "a b", "--tenant", "kalamata"), "sensor's id"),
        (("sensor", "rotate", "nobody"), "sensor list"),
        (("elasticsearch", "check"), "https://"),
        (("serve",), "no TLS"),
    ],
)
def test_a_mistake_is_said_and_exits_two(
    config: Path, words: tuple[str, ...], message: str, capsys: pytest.CaptureFixture[str]
) -> None:
    run(config, "migrate")
    assert run(config, *words) == 2
    assert message in capsys.readouterr().err


def test_a_municipality_is_found_by_any_name(config: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(config, "tenant", "find", "Ηράκλειο") == 0
    assert len(capsys.readouterr().out.splitlines()) == 2
    assert run(config, "tenant", "find", "Atlantis") == 1
    assert run(config, "tenant", "list") == 0
    assert len(capsys.readouterr().out.splitlines()) == 332


def test_the_demo_prepares_log_ins_and_credentials(tmp_path: Path) -> None:
    folder = tmp_path / "demo"
    first = prepare(folder, SystemClock(), CHEAP)
    again = prepare(folder, SystemClock(), CHEAP)
    assert [one.login for one in first] == [one.login for one in again] == ["officer", "analyst"]
    assert {one.password for one in first}.isdisjoint(one.password for one in again)
    assert again[0].password in (folder / "logins.txt").read_text()
    database = CaseDatabase.at(folder / "cases.db")
    for town in TOWNS:
        path = folder / "credentials" / f"{town}-1"
        assert path.stat().st_mode & 0o077 == 0
        sensor = SensorRegistry(database, SystemClock()).by_credential(path.read_text())
        assert sensor is not None
        assert sensor.tenant == town
    database.close()

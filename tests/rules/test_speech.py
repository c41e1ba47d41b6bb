"""What the commands say: the same ids and slots in both languages, and help in the user's own."""

import re
import tomllib
from pathlib import Path

import pytest

from vigla_rules.cli import main
from vigla_rules.speech import LANGUAGES, read_speech, spoken_language

ROOT = Path(__file__).resolve().parents[2] / "rules" / "vigla_rules"
TABLE = tomllib.loads((ROOT / "data" / "messages.toml").read_text(encoding="utf-8"))
SLOT = re.compile(r"\{(\w+)\}")


@pytest.mark.parametrize("message", sorted(TABLE))
def test_both_languages_say_it_with_the_same_slots(message: str) -> None:
    row = TABLE[message]
    assert set(row) == set(LANGUAGES)
    assert sorted(SLOT.findall(row["en"])) == sorted(SLOT.findall(row["el"]))
    assert re.search("[α-ωά-ώ]", row["el"])


def test_every_id_in_the_code_is_in_the_table() -> None:
    sources = "\n".join(path.read_text(encoding="utf-8") for path in ROOT.rglob("*.py"))
    assert set(re.findall(r"\bsay\(\s*\"([\w.]+)\"", sources)) <= set(TABLE)


@pytest.mark.parametrize(
    ("environment", "language"),
    [
        ({}, "en"),
        ({"LANG": "el_GR.UTF-8"}, "el"),
        ({"LANG": "de_DE.UTF-8"}, "en"),
        ({"LANG": "el_GR.UTF-8", "LC_MESSAGES": "en_GB.UTF-8"}, "en"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "el_GR"}, "el"),
        ({"LANG": "el_CY.UTF-8", "LC_ALL": ""}, "el"),
    ],
)
def test_the_language_is_the_environments(environment: dict[str, str], language: str) -> None:
    assert spoken_language(environment) == language


COMMANDS = sorted(set(re.findall(r"_command\(commands, say, \"(\w+)\"", (ROOT / "cli.py").read_text(encoding="utf-8"))))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("command", COMMANDS)
def test_help_of_every_command(
    command: str, language: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("LC_ALL", {"el": "el_GR.UTF-8", "en": "C.UTF-8"}[language])
    monkeypatch.setenv("COLUMNS", "400")
    with pytest.raises(SystemExit) as caught:
        main([command, "--help"])
    assert caught.value.code == 0
    printed = capsys.readouterr().out
    say = read_speech(language)
    assert say(command) in printed
    assert say("options") + ":" in printed
    assert say("help") in printed

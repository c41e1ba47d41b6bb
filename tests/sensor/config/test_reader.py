"""The configuration: what is read, and that every mistake says where and what to do."""

from pathlib import Path

import pytest

from vigla_sensor.config import ConfigError, SecretRef, load, parse

GOOD = """
[sensor]
id = "kalamata-1"
local_networks = ["10.0.0.0/8"]
organization = {id = "kalamata", name = "Δήμος Καλαμάτας"}

[pack]
path = "vigla.vpk"

[lists]
telework_users = ["user7"]

[[files]]
path = "/var/log/fortigate.log"
source = "fortigate"
zone = "Europe/Athens"

[spool]
path = "spool.db"

[sinks.hub]
url = "https://hub.example:8443"
credential = "file:hub.credential"
timeout_seconds = 10
"""


def test_reads_types_and_resolves_paths(tmp_path: Path) -> None:
    (tmp_path / "sensor.toml").write_text(GOOD, encoding="utf-8")
    settings = load(tmp_path / "sensor.toml")
    assert settings.sensor.organization.name == "Δήμος Καλαμάτας"
    assert settings.lists == {"telework_users": ("user7",)}
    assert settings.files[0].path == Path("/var/log/fortigate.log")
    assert settings.pack is not None
    assert settings.pack.path == tmp_path / "vigla.vpk"
    assert settings.sinks.hub is not None
    assert settings.sinks.hub.credential == SecretRef("file", str(tmp_path / "hub.credential"))
    assert settings.sinks.hub.timeout_seconds == 10.0


@pytest.mark.parametrize(
    ("old", "new", "says"),
    [
        ("local_networks", "local_network", ":4: sensor.local_network: unknown key; did you mean 'local_networks'"),
        ("[spool]", "[spoool]", "sensor.toml:18: spoool: unknown key; did you mean 'spool'"),
        ('source = "fortigate"', 'sorce = "x"', r":15: files\[0\].sorce: unknown key; did you mean 'source'"),
        ('id = "kalamata-1"', "id = 7", "sensor.toml:3: sensor.id: must be text, not a whole number"),
        ('id = "kalamata-1"\n', "", "sensor.id: is missing"),
        ('{id = "kalamata"', '{id = "aghios-nikolaos"', "sensor.organization.id: .* never a hyphen"),
        ("10.0.0.0/8", "10.0.0.1/8", r"local_networks\[0\]: 10.0.0.1/8 has host bits set"),
        ("https://hub", "http://hub", "sinks.hub.url: .* not encrypted"),
        ("https://hub", "https://me:secret@hub", "sinks.hub.url: holds a user or password"),
        ("https://hub.example:8443", "hub.example", "sinks.hub.url: .* must be an address"),
        ("file:hub.credential", "0123456789abcdef", "sinks.hub.credential: .* a secret never stands in this file"),
        ("file:hub.credential", "systemd:../x", "sinks.hub.credential: .* must be a plain name"),
        ('path = "spool.db"', "max_bytes = 10", "spool.max_bytes: must be at least"),
        ('telework_users = ["user7"]', 'telework_users = "user7"', "lists.telework_users: must be a list, not text"),
        ("timeout_seconds = 10", "timeout_seconds = 0", "sinks.hub.timeout_seconds: must be positive"),
        ("[lists]", "[lists", "sensor.toml:10: not valid TOML"),
    ],
)
def test_a_mistake_says_where_and_what(old: str, new: str, says: str) -> None:
    assert old in GOOD
    with pytest.raises(ConfigError, match=says):
        parse(GOOD.replace(old, new))


def test_an_absent_file_is_a_configuration_error(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match=r"none\.toml: cannot be read"):
        load(tmp_path / "none.toml")


def test_secrets_are_read_when_asked(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "hub").write_text("abc123\n", encoding="utf-8")
    monkeypatch.setenv("CREDENTIALS_DIRECTORY", str(tmp_path))
    assert SecretRef.parse("systemd:hub").read() == "abc123"
    (tmp_path / "hub").write_text("two words", encoding="utf-8")
    with pytest.raises(ValueError, match="must hold one credential"):
        SecretRef.parse("systemd:hub").read()

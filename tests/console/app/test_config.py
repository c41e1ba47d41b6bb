"""The configuration file: typed, and an unknown key is an error with the nearest known one."""

import re
from pathlib import Path

import pytest

from vigla_console.config import BadConfig, is_loopback, read_settings

GOOD = """
[server]
host = "0.0.0.0"
port = 443
public_url = "https://vigla.example"
tls_certificate = "/etc/vigla/hub.pem"
tls_key = "/etc/vigla/hub.key"
[storage]
alerts = "elasticsearch"
[elasticsearch]
url = "https://es.example:9200"
ca_file = "/etc/vigla/ca.pem"
password_file = "/run/credentials/es"
[incidents]
gap_hours = 12
common_indicators = ["192.0.2.53", "update.example"]
[incidents.shared]
kalamata = ["10.0.0.2", "dc1"]
"""


def written(folder: Path, text: str) -> Path:
    path = folder / "console.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_a_whole_file_is_read_and_safe(tmp_path: Path) -> None:
    settings = read_settings(written(tmp_path, GOOD))
    settings.refuse_insecure()
    assert settings.server.tls_key == Path("/etc/vigla/hub.key")
    assert settings.incidents.shared == {"kalamata": ("10.0.0.2", "dc1")}
    assert settings.incidents.common_indicators == ("192.0.2.53", "update.example")
    assert settings.ingest.lines == 500


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[server]\nhots = 'x'", "unknown key server.hots; did you mean server.host?"),
        ("[sever]\n", "unknown key sever; did you mean server?"),
        ("[server]\nport = '443'", "server.port must be a whole number, not '443'"),
        ("[server]\nport = true", "server.port must be a whole number"),
        ("[server]\nbehind_tls_proxy = 1", "server.behind_tls_proxy must be true or false"),
        ("server = 1", "server must be a table"),
        ("[storage]\ndirectory = 5", "storage.directory must be text"),
        ("[incidents]\ncommon_indicators = 'x'", "must be a list of text"),
        ("[incidents.shared]\nkalamata = [1]", "incidents.shared.kalamata must be a list of text"),
        ("demo = true", "demo is a command"),
        ("[server\n", "console.toml"),
    ],
)
def test_a_mistake_says_where_and_what(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(BadConfig, match=re.escape(message)):
        read_settings(written(tmp_path, text))


def test_a_missing_file_is_named(tmp_path: Path) -> None:
    with pytest.raises(BadConfig, match=r"nowhere\.toml"):
        read_settings(tmp_path / "nowhere.toml")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (('alerts = "elasticsearch"', 'alerts = "tape"'), "storage.alerts"),
        (("https://es.example", "http://es.example"), "elasticsearch.url"),
        (('password_file = "/run/credentials/es"', ""), "password_file"),
    ],
)
def test_an_unsafe_store_is_refused(tmp_path: Path, change: tuple[str, str], message: str) -> None:
    with pytest.raises(BadConfig, match=re.escape(message)):
        read_settings(written(tmp_path, GOOD.replace(*change))).refuse_insecure()


@pytest.mark.parametrize(
    ("host", "expected"),
    [("127.0.0.1", True), ("::1", True), ("localhost", True), ("0.0.0.0", False), ("vigla.example", False)],
)
def test_loopback(host: str, expected: bool) -> None:
    assert is_loopback(host) is expected

"""Both sides of the store find an alert by the same words: the sensor's sink and the hub's stores."""

import json
from pathlib import Path

import pytest

from vigla_console.alerts.indexed import search_text as hub_words
from vigla_sensor.alert.folding import search_text as sensor_words

ALERTS = Path(__file__).parent / "alerts"


@pytest.mark.parametrize("path", sorted(ALERTS.glob("*.json")), ids=lambda path: path.stem)
def test_the_same_words(path: Path) -> None:
    document = json.loads(path.read_text(encoding="utf-8"))
    document["message"] = "Ἀποτυχία σύνδεσης ΟΔΥΣΣΕΥΣ " + "x" * 200 + " y" * 9000
    assert sensor_words(document) == hub_words(document)
    assert "οδυσσευσ" in sensor_words(document).split()

"""The Elasticsearch sink against the suite, and what only that client can meet."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest

from tests.contract.sink_suite import BATCH, SinkSuite, unpacked
from tests.sensor.support.http_server import Request, Response, Scripted
from vigla_sensor.deliver import Sink
from vigla_sensor.deliver.elasticsearch import FILTER_PATH, ClientBulk, ElasticsearchSink
from vigla_sensor.deliver.outcome import ParkSink, Retry


class TestElasticsearch(SinkSuite):
    headers = {  # noqa: RUF012
        "Content-Type": "application/vnd.elasticsearch+json;compatible-with=8",
        "X-Elastic-Product": "Elasticsearch",
    }

    def sink(self, url: str, credential: Any) -> Sink:
        return ElasticsearchSink(ClientBulk(url, None, 0.5), credential)

    def document(self, results: Sequence[tuple[str, str]]) -> dict[str, Any]:
        there = {"type": "version_conflict_engine_exception", "reason": "document already exists"}
        items: list[dict[str, dict[str, Any]]] = [
            {"create": {"_id": each, "status": 201 if result == "created" else 409}} for each, result in results
        ]
        for item, (_, result) in zip(items, results, strict=True):
            if result == "there":
                item["create"]["error"] = there
        return {"took": 1, "errors": any(result == "there" for _, result in results), "items": items}

    def ids(self, request: Request) -> list[str]:
        actions = unpacked(request).splitlines()[::2]
        return [json.loads(line)["create"]["_id"] for line in actions]

    def test_it_asks_for_little_and_creates(self, server: Scripted) -> None:
        self.outcomes(server)
        (request,) = server.requests
        assert request.path.startswith("/_bulk?")
        assert all(part.split(".")[-1] in request.path for part in FILTER_PATH)
        assert request.headers["authorization"] == "ApiKey secret"
        action, document = (json.loads(line) for line in unpacked(request).splitlines()[:2])
        assert action == {"create": {"_index": BATCH[0].index_name, "_id": BATCH[0].event_id}}
        assert "0" in document["vigla"]["search_text"].split()

    def test_an_envelope_that_contradicts_its_items_settles_nothing(self, server: Scripted) -> None:
        whole = server.answer
        server.answer = lambda request: self.reply({**json.loads(whole(request).body), "errors": True})
        assert all(isinstance(outcome, Retry) and outcome.contradiction for outcome in self.outcomes(server))

    def test_something_that_is_not_elasticsearch_parks_and_keeps(self, server: Scripted) -> None:
        whole = server.answer
        server.answer = lambda request: Response(200, whole(request).body, {"Content-Type": "application/json"})
        assert all(isinstance(outcome, ParkSink) for outcome in self.outcomes(server))
        assert len(server.requests) == 1

    def test_statuses_that_the_client_would_retry_are_asked_once(self, server: Scripted) -> None:
        for status in (429, 502, 503, 504):
            server.requests.clear()
            server.answer = lambda _, status=status: self.reply({"error": "x", "status": status}, status)  # type: ignore[misc]
            self.outcomes(server)
            assert len(server.requests) == 1

    def test_a_bad_authority_file_is_said_at_the_start(self, tmp_path: Path) -> None:
        with pytest.raises(OSError, match="No such file"):
            ClientBulk("https://127.0.0.1:1", tmp_path / "none.pem", 1.0)

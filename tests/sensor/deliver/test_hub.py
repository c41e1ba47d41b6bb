"""The hub sink against the suite, and the hub's own words."""

import json
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

from tests.contract.sink_suite import BATCH, SinkSuite, unpacked
from tests.sensor.support.http_server import Request, Scripted
from vigla_sensor.deliver import Sink
from vigla_sensor.deliver.answers import Answered
from vigla_sensor.deliver.http import HttpTransport
from vigla_sensor.deliver.hub import HubSink
from vigla_sensor.deliver.outcome import Delivered, ParkIndex, Reject, Retry


class TestHub(SinkSuite):
    def sink(self, url: str, credential: Any) -> Sink:
        return HubSink(HttpTransport(url, None, 0.5), credential)

    def document(self, results: Sequence[tuple[str, str]]) -> dict[str, Any]:
        words = {"created": "created", "there": "duplicate"}
        return {"items": [{"id": each, "result": words[result]} for each, result in results]}

    def ids(self, request: Request) -> list[str]:
        return [json.loads(line)["event"]["id"] for line in unpacked(request).splitlines()]

    def test_it_speaks_as_the_contract_says(self, server: Scripted) -> None:
        self.outcomes(server)
        (request,) = server.requests
        assert request.path == "/ingest/v1/alerts"
        assert request.headers["content-type"] == "application/x-ndjson"
        assert request.headers["content-encoding"] == "zstd"
        assert len(request.body) < sum(len(each.body) for each in BATCH)

    def test_rejected_lines_are_judged_alone(self, server: Scripted) -> None:
        def answer(request: Request) -> Any:
            ids = self.ids(request)
            items: list[dict[str, Any]] = [{"id": each, "result": "created"} for each in ids]
            items[1] = {"id": ids[1], "result": "rejected", "reason": {"type": "schema", "detail": "x", "retry": False}}
            items[3] = {"id": ids[3], "result": "rejected", "reason": {"type": "unavailable", "retry": True}}
            return self.reply({"items": items})

        server.answer = answer
        outcomes = self.outcomes(server)
        assert outcomes[1] == Reject(200, "schema", "x")
        assert outcomes[3] == ParkIndex("unavailable")
        assert [outcomes[n] for n in (0, 2, 4)] == [Delivered()] * 3

    def test_a_cut_body_is_sent_again_smaller(self, server: Scripted) -> None:
        server.answer = lambda _: self.reply({"status": 400, "title": "the body is cut"}, 400)
        assert self.outcomes(server) == [Retry("HTTP 400 : the body is cut", smaller=True)] * 5

    def test_the_servers_date_is_heard(self, server: Scripted) -> None:
        whole = server.answer
        server.answer = lambda request: self.reply(
            whole(request).body, headers={"Date": "Tue, 24 Nov 2026 10:00:00 GMT"}
        )
        answer = self.answer(server.url)
        assert isinstance(answer, Answered)
        assert answer.date is not None
        assert answer.date.astimezone(UTC).date() >= datetime(2026, 1, 1, tzinfo=UTC).date()

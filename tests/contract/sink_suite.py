"""What every sink owes the courier, over a real HTTP server with scripted replies. A sink's test module subclasses it.

A sink sends once, answers per item, and never says that something was stored without a result of its own for it.
"""

import gzip
import json
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import closing
from typing import Any

import pytest
import zstandard

from tests.sensor.support.alerts import alert
from tests.sensor.support.http_server import Request, Response, Scripted, serve
from vigla_sensor.alert.alert import with_sequence
from vigla_sensor.deliver import Sink
from vigla_sensor.deliver.answers import Answer, Silence, Silent
from vigla_sensor.deliver.outcome import AlreadyThere, Delivered, Outcome, ParkSink, Retry
from vigla_sensor.deliver.triage import triage
from vigla_sensor.spool import SpooledAlert

BATCH = [
    SpooledAlert(n, each.event_id, each.index_name, 50, with_sequence(each.body, 1000 + n))
    for n, each in enumerate(alert(f"{name}", size=300) for name in range(5))
]


def unpacked(request: Request) -> bytes:
    """The body as it was before the wire."""
    match request.headers.get("content-encoding"):
        case "zstd":
            return zstandard.ZstdDecompressor().decompressobj().decompress(request.body)
        case "gzip":
            return gzip.decompress(request.body)
        case _:
            return request.body


class SinkSuite:
    """Subclasses give `sink`, `document` (the answer to ids with results) and `headers` that the real server sends."""

    headers: dict[str, str] = {"Content-Type": "application/json"}  # noqa: RUF012

    def sink(self, url: str, credential: Any) -> Sink:
        raise NotImplementedError

    def document(self, results: Sequence[tuple[str, str]]) -> dict[str, Any]:
        """The answer for (id, `created` or `there`)."""
        raise NotImplementedError

    def ids(self, request: Request) -> list[str]:
        """The ids a request holds, in their order."""
        raise NotImplementedError

    @pytest.fixture
    def server(self) -> Iterator[Scripted]:
        with serve(lambda request: self.reply(self.document([(each, "created") for each in self.ids(request)]))) as it:
            yield it

    def reply(self, document: Any, status: int = 200, **more: Any) -> Response:
        body = document if isinstance(document, bytes) else json.dumps(document).encode()
        return Response(status, body, {**self.headers, **more.pop("headers", {})}, **more)

    def outcomes(self, server: Scripted) -> list[Outcome]:
        return triage(self.answer(server.url), [each.event_id for each in BATCH])

    def answer(self, url: str, credential: Callable[[], str] = lambda: "secret") -> Answer:
        with closing(self.sink(url, credential)) as sink:
            return sink.send(BATCH)

    def test_every_document_is_sent_whole_and_settled(self, server: Scripted) -> None:
        assert self.outcomes(server) == [Delivered()] * 5
        (request,) = server.requests
        assert self.ids(request) == [each.event_id for each in BATCH]
        assert request.headers["authorization"].endswith(" secret")
        lines = unpacked(request).splitlines()
        for each in BATCH:
            sent = next(json.loads(line) for line in lines if each.event_id.encode() in line and b'"event"' in line)
            assert sent["event"]["sequence"] == 1000 + each.number

    def test_there_already_is_success(self, server: Scripted) -> None:
        server.answer = lambda request: self.reply(
            self.document([(each, "there" if n % 2 else "created") for n, each in enumerate(self.ids(request))])
        )
        assert self.outcomes(server) == [Delivered(), AlreadyThere()] * 2 + [Delivered()]

    @pytest.mark.parametrize("change", ["short", "swapped", "doubled", "foreign", "none"])
    def test_an_answer_that_does_not_fit_settles_nothing(self, server: Scripted, change: str) -> None:
        def answer(request: Request) -> Response:
            ids = self.ids(request)
            changed = {
                "short": ids[:-1],
                "swapped": [ids[1], ids[0], *ids[2:]],
                "doubled": [*ids, ids[0]],
                "foreign": [*ids[:-1], "ff" * 16],
                "none": [],
            }[change]
            return self.reply(self.document([(each, "created") for each in changed]))

        server.answer = answer
        assert all(isinstance(outcome, Retry) and outcome.contradiction for outcome in self.outcomes(server))

    @pytest.mark.parametrize("cut", [1, 40])
    def test_a_cut_answer_is_unknown(self, server: Scripted, cut: int) -> None:
        whole = server.answer
        server.answer = lambda request: Response(200, whole(request).body, self.headers, cut=cut)
        assert all(isinstance(outcome, Retry) for outcome in self.outcomes(server))

    @pytest.mark.parametrize("body", [b"", b"null", b"[]", b'{"items": 3}', b"{}", b"\xff\xfe", b'{"items": [3]}'])
    def test_a_success_that_is_none_settles_nothing(self, server: Scripted, body: bytes) -> None:
        server.answer = lambda _: self.reply(body)
        assert all(isinstance(outcome, Retry | ParkSink) for outcome in self.outcomes(server))

    def test_a_page_of_html_settles_nothing(self, server: Scripted) -> None:
        server.answer = lambda _: Response(200, b"<html>welcome to the hotel</html>", {"Content-Type": "text/html"})
        assert all(isinstance(outcome, Retry | ParkSink) for outcome in self.outcomes(server))

    @pytest.mark.parametrize(
        ("status", "kind"),
        [(429, Retry), (500, Retry), (502, Retry), (503, Retry), (401, ParkSink), (403, ParkSink), (404, ParkSink)],
    )
    def test_a_refusal_keeps_everything(self, server: Scripted, status: int, kind: type) -> None:
        server.answer = lambda _: self.reply({"error": "no", "status": status}, status)
        assert [type(outcome) for outcome in self.outcomes(server)] == [kind] * 5

    def test_redirects_are_not_followed(self, server: Scripted) -> None:
        server.answer = lambda _: self.reply({}, 302, headers={"Location": f"{server.url}/elsewhere"})
        assert all(isinstance(outcome, ParkSink) for outcome in self.outcomes(server))
        assert len(server.requests) == 1

    def test_how_long_to_wait_is_heard(self, server: Scripted) -> None:
        server.answer = lambda _: self.reply({"error": "busy", "status": 429}, 429, headers={"Retry-After": "17"})
        assert all(isinstance(outcome, Retry) and outcome.after == 17.0 for outcome in self.outcomes(server))

    def test_nobody_listens(self) -> None:
        with serve(lambda _: Response()) as gone:
            url = gone.url
        answer = self.answer(url)
        assert isinstance(answer, Silent)
        assert answer.why is Silence.CONNECT

    def test_a_server_that_takes_its_time(self, server: Scripted) -> None:
        late = threading.Event()

        def answer(_: Request) -> Response:
            late.wait(5)
            return self.reply({})

        server.answer = answer
        answered = self.answer(server.url)
        late.set()
        assert isinstance(answered, Silent)
        assert answered.why is Silence.TIMEOUT

    @pytest.mark.parametrize("fault", [OSError("gone"), ValueError("empty")])
    def test_a_credential_that_cannot_be_read_parks_and_sends_nothing(self, server: Scripted, fault: Exception) -> None:
        def credential() -> str:
            raise fault

        answer = self.answer(server.url, credential)
        assert isinstance(answer, Silent)
        assert answer.why is Silence.CREDENTIAL
        assert server.requests == []

    def test_a_new_credential_is_used_at_once(self, server: Scripted) -> None:
        secrets = iter(["first", "second"])
        with closing(self.sink(server.url, lambda: next(secrets))) as sink:
            sink.send(BATCH)
            sink.send(BATCH)
        assert [request.headers["authorization"].split()[1] for request in server.requests] == ["first", "second"]

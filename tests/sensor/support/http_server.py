"""A server on loopback that answers by a script: complete, cut in the middle, late, or not at all."""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Request:
    path: str
    headers: dict[str, str]
    body: bytes


@dataclass(frozen=True, slots=True)
class Response:
    """`cut`: so many bytes of the body are held back and the connection closed."""

    status: int = 200
    body: bytes = b""
    headers: dict[str, str] = field(default_factory=dict)
    cut: int = 0


Script = Callable[[Request], Response]


@dataclass(slots=True)
class Scripted:
    """`answer` may be replaced while it runs; `requests` keeps what came."""

    url: str
    answer: Script
    requests: list[Request] = field(default_factory=list)


@contextmanager
def serve(answer: Script) -> Iterator[Scripted]:
    """Listens on a free port of 127.0.0.1 until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def _handle(self) -> None:
            body = self.rfile.read(int(self.headers.get("content-length", 0)))
            request = Request(self.path, {name.lower(): value for name, value in self.headers.items()}, body)
            scripted.requests.append(request)
            response = scripted.answer(request)
            self.send_response(response.status)
            for name, value in response.headers.items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(response.body)))
            if response.cut:
                self.close_connection = True
            with suppress(ConnectionError):  # a client that has given up waiting
                self.end_headers()
                self.wfile.write(response.body[: len(response.body) - response.cut])

        do_POST = do_PUT = do_GET = _handle  # noqa: N815

        def log_message(self, format: str, *arguments: object) -> None:  # noqa: A002
            """Silent."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    scripted = Scripted(f"http://127.0.0.1:{server.server_address[1]}", answer)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield scripted
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

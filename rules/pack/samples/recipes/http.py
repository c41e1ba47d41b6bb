"""One HTTP/1.1 request and its response in clear text (RFC 9112)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from .frames import Conversation, Frame, client_port

REASONS = {
    200: "OK",
    204: "No Content",
    302: "Found",
    304: "Not Modified",
    403: "Forbidden",
    404: "Not Found",
    500: "Internal Server Error",
}


def frames(
    *,
    time: float,
    flow: int,
    client: str,
    server: str,
    host: str,
    uri: str = "/",
    method: str = "GET",
    port: int = 80,
    status: int = 200,
    agent: str = "Mozilla/5.0 (X11; Linux x86_64)",
    headers: Mapping[str, str] | None = None,
    content_type: str = "text/html",
    body: str = "<html></html>",
    sent: str = "",
) -> Iterator[Frame]:
    """Connection, request (``sent`` is its body), response, end. ``headers`` are added to the request."""
    lines = [f"{method} {uri} HTTP/1.1", f"Host: {host}", f"User-Agent: {agent}", "Accept: */*"]
    lines += [f"{name}: {value}" for name, value in (headers or {}).items()]
    if sent:
        lines.append(f"Content-Length: {len(sent.encode())}")
    request = "\r\n".join([*lines, "", sent]).encode()
    answer = [
        f"HTTP/1.1 {status} {REASONS[status]}",
        "Server: nginx",
        f"Content-Type: {content_type}",
        f"Content-Length: {len(body.encode())}",
    ]
    talk = Conversation((client, client_port(flow)), (server, port), time, flow)
    yield from talk.open()
    yield from talk.client_sends(request)
    yield from talk.server_sends("\r\n".join([*answer, "", body]).encode())
    yield from talk.close()

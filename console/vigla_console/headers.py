"""What every answer carries, and how much a request may weigh. Pure ASGI; the nonce is new for each answer."""

import secrets
from collections.abc import Mapping
from dataclasses import dataclass

from starlette.datastructures import MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

LARGEST_FORM = 256 * 1024
INGEST = "/ingest/"  # weighs its bodies itself, while unpacking
STATIC = "/static/"

_ALWAYS: Mapping[str, str] = {
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
    "x-frame-options": "DENY",
    "permissions-policy": "camera=(), geolocation=(), microphone=(), payment=(), usb=()",
}


def content_security_policy(nonce: str) -> str:
    """console.md 6; Trusted Types on."""
    return (
        f"default-src 'none'; script-src 'self' 'nonce-{nonce}'; style-src 'self'; img-src 'self' data:; "
        "font-src 'self'; connect-src 'self'; base-uri 'none'; form-action 'self'; frame-ancestors 'none'; "
        "require-trusted-types-for 'script'; trusted-types htmx"
    )


def answer_headers(nonce: str, *, https: bool) -> dict[str, str]:
    """All but caching; ``https`` adds HSTS."""
    headers = {"content-security-policy": content_security_policy(nonce), **_ALWAYS}
    if https:
        headers["strict-transport-security"] = "max-age=63072000; includeSubDomains"
    return headers


@dataclass(frozen=True, slots=True)
class SecurityHeaders:
    """``request.state.nonce`` is the nonce of the answer's own policy."""

    app: ASGIApp
    https: bool

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            await self.app(scope, receive, send)
            return
        nonce = secrets.token_urlsafe(16)
        scope.setdefault("state", {})["nonce"] = nonce
        static = scope["path"].startswith(STATIC)

        async def with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                for name, value in answer_headers(nonce, https=self.https).items():
                    headers[name] = value
                headers.setdefault("cache-control", "public, max-age=3600" if static else "no-store")
            await send(message)

        await self.app(scope, receive, with_headers)


class BodyTooLarge(ValueError):
    """413: the body weighs more than any form of ours."""


@dataclass(frozen=True, slots=True)
class BodyLimit:
    """Refuses bodies over ``most`` bytes, counted as they come, whatever `Content-Length` says."""

    app: ASGIApp
    most: int = LARGEST_FORM

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(INGEST):
            await self.app(scope, receive, send)
            return
        seen = 0

        async def counted() -> Message:
            nonlocal seen
            message = await receive()
            seen += len(message.get("body", b""))
            if seen > self.most:
                raise BodyTooLarge(f"the request body is larger than {self.most} bytes")
            return message

        await self.app(scope, counted, send)

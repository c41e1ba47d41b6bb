"""From what went wrong to an answer: problem documents for programs, pages for people, and never a trace for either."""

import json
import logging
from collections.abc import Mapping
from dataclasses import dataclass

from fastapi import FastAPI, Request, Response
from fastapi.exceptions import RequestValidationError
from starlette.exceptions import HTTPException

from vigla_console.alerts.fields import UnknownField
from vigla_console.alerts.interfaces import BadCursor, StoreUnavailable
from vigla_console.alerts.query import BadQuery
from vigla_console.errors import Conflict, Forbidden, NotFound, Refused
from vigla_console.guard import ForgedForm, NeedsSession
from vigla_console.headers import BodyTooLarge, answer_headers
from vigla_console.people.models import LoginRefused, Throttled
from vigla_console.routing import Site

LOG = logging.getLogger(__name__)

STATUS: Mapping[type[Exception], int] = {
    NeedsSession: 401,
    LoginRefused: 401,
    Forbidden: 403,
    ForgedForm: 403,
    NotFound: 404,
    Conflict: 409,
    BodyTooLarge: 413,
    Refused: 422,
    BadQuery: 422,
    UnknownField: 422,
    BadCursor: 422,
    RequestValidationError: 422,
    Throttled: 429,
    StoreUnavailable: 503,
}
_FOR_PROGRAMS = ("/api/", "/ingest/", "/health")


def no_store(document: object, status: int = 200, media_type: str = "application/json") -> Response:
    """JSON as it is."""
    return Response(json.dumps(document, ensure_ascii=False, default=str).encode(), status, media_type=media_type)


@dataclass(frozen=True, slots=True)
class Answers:
    """Registers one handler for all of `STATUS`, for unknown paths, and for our own mistakes."""

    site: Site
    https: bool

    def register(self, app: FastAPI) -> None:
        for kind in STATUS:
            app.add_exception_handler(kind, self.known)
        app.add_exception_handler(HTTPException, self.http)
        app.add_exception_handler(Exception, self.unknown)

    def known(self, request: Request, error: Exception) -> Response:
        status = next(STATUS[kind] for kind in type(error).__mro__ if kind in STATUS)
        answer = self._answer(request, status, error, _title(error))
        if isinstance(error, Throttled):
            answer.headers["retry-after"] = str(error.seconds)
        if isinstance(error, StoreUnavailable):
            LOG.error("store unavailable: %s", error)
            answer.headers["retry-after"] = "30"
        return answer

    def http(self, request: Request, error: Exception) -> Response:
        status = error.status_code if isinstance(error, HTTPException) else 500
        answer = self._answer(request, status, error, "no such path" if status == 404 else str(error))
        if isinstance(error, HTTPException):
            answer.headers.update(error.headers or {})
        return answer

    def unknown(self, request: Request, error: Exception) -> Response:
        """Answered outside the middleware, hence with its headers."""
        LOG.error("%s %s failed", request.method, request.url.path, exc_info=error)
        answer = self._answer(request, 500, error, "the console failed; its log says where")
        for name, value in answer_headers(getattr(request.state, "nonce", ""), https=self.https).items():
            answer.headers[name] = value
        answer.headers["cache-control"] = "no-store"
        return answer

    def _answer(self, request: Request, status: int, error: Exception, title: str) -> Response:
        if request.url.path.startswith(_FOR_PROGRAMS):
            return no_store({"status": status, "title": title}, status, "application/problem+json")
        return self.site.error(request, getattr(request.state, "context", None), status, error)


def _title(error: Exception) -> str:
    if isinstance(error, RequestValidationError):
        return "; ".join(f"{'.'.join(map(str, e['loc']))}: {e['msg']}" for e in error.errors()[:5])
    return str(error)

"""Turns a template and values into an answer: the one place that knows Jinja, the frame and the formats."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from urllib.parse import urlsplit

from fastapi import Request, Response
from fastapi.responses import HTMLResponse, RedirectResponse
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from vigla_console import __version__
from vigla_console.context import RequestContext
from vigla_console.tenants.municipalities import load
from vigla_console.web import labels, logtext
from vigla_console.web.frame import THEMES, frame_of
from vigla_console.web.i18n import Speech, speeches
from vigla_console.web.notices import COOKIE as NOTICE_COOKIE
from vigla_console.web.notices import Notice


@dataclass(frozen=True, slots=True)
class Pages:
    """One template environment per language, made at start."""

    speech: Mapping[str, Speech]
    environments: Mapping[str, Environment]

    @staticmethod
    def load() -> "Pages":
        speech = speeches()
        municipalities = load()
        environments = {
            language: _environment(spoken, {row.id: row.formal_name(language) for row in municipalities})
            for language, spoken in speech.items()
        }
        return Pages(speech, environments)

    def page(
        self,
        request: Request,
        context: RequestContext | None,
        template: str,
        status: int = 200,
        **values: Any,
    ) -> HTMLResponse:
        """``template`` in the reader's language inside the frame; a notice is shown once and forgotten."""
        frame = frame_of(request, context)
        body = self.environments[frame.language].get_template(template).render(frame=frame, **values)
        response = HTMLResponse(body, status)
        if frame.notice is not None:
            response.delete_cookie(NOTICE_COOKIE, path="/", httponly=True, samesite="strict")
        return response

    def see_other(self, context: RequestContext, address: str, notice: Notice | None = None) -> Response:
        """303 to a page of ours after an act, with a word on what was done."""
        response = RedirectResponse(local(address), 303)
        if notice is not None:
            notice.put(response, secure=context.services.secure_cookies)
        return response


def local(address: str, otherwise: str = "/") -> str:
    """``address`` if it is a path of this site, else ``otherwise``: a form must not send people elsewhere."""
    parts = urlsplit(address)
    fine = address.startswith("/") and not address.startswith(("//", "/\\")) and not parts.scheme and not parts.netloc
    clean = fine and "\\" not in address and address.isprintable()
    return address if clean else otherwise


def _environment(speech: Speech, bodies: Mapping[str, str]) -> Environment:
    """``bodies`` are municipalities' full names by id: history and audit keep ids."""
    environment = Environment(
        loader=PackageLoader("vigla_console.web"),
        extensions=["jinja2.ext.i18n"],
        autoescape=True,
        undefined=StrictUndefined,
        auto_reload=False,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.install_gettext_translations(speech.catalog, newstyle=True)  # type: ignore[attr-defined]
    environment.filters["when"] = lambda instant: _when(speech, instant)
    environment.filters["day"] = speech.day
    environment.filters["ago"] = speech.ago
    environment.filters["number"] = speech.number
    environment.filters["log"] = logtext.shown
    environment.filters["word"] = lambda message: speech.text(message).rpartition("|")[2]
    environment.filters["filled"] = lambda message, values: speech.text(message) % values
    environment.filters["body"] = lambda name: bodies.get(name, name)
    environment.globals["labels"] = labels
    environment.globals["themes"] = THEMES
    environment.globals["version"] = __version__
    return environment


def _when(speech: Speech, instant: datetime) -> Markup:
    return Markup('<time datetime="{}">{}</time>').format(
        instant.isoformat(timespec="seconds").replace("+00:00", "Z"), speech.clock(instant)
    )

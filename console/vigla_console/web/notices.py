"""What the act before did, said once on the next page.

It travels in a short-lived cookie as a code and plain arguments, so a redirect keeps its clean address; text comes from
this table only, never from the cookie.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import quote, unquote

from fastapi import Response

from vigla_console.web.labels import N_

COOKIE = "vigla_notice"
_LONGEST = 400
_ARGUMENT = re.compile(r"[\w .,:+\-]{0,80}", re.UNICODE)

# code → (message id, names of its arguments)
NOTICES: Mapping[str, tuple[str, tuple[str, ...]]] = {
    "ack": (N_("%(code)s: noted that you have seen it."), ("code",)),
    "escalate": (N_("%(code)s: the SOC has been asked for help."), ("code",)),
    "answer": (N_("%(code)s: your answer was sent."), ("code",)),
    "close": (N_("%(code)s: closed."), ("code",)),
    "assign": (N_("%(code)s: it is yours now."), ("code",)),
    "reopen": (N_("%(code)s: open again."), ("code",)),
    "undo": (N_("%(code)s: the last act was undone; both stay in the history."), ("code",)),
    "promote": (N_("%(code)s: incident opened."), ("code",)),
    "phase": (N_("%(code)s: phase changed."), ("code",)),
    "close_incident": (N_("%(code)s: incident closed."), ("code",)),
    "bulk": (N_("%(done)s done · %(changed)s had changed · %(failed)s failed"), ("done", "changed", "failed")),
    "profile": (N_("Your settings were saved."), ()),
    "signed_out": (N_("You have signed out."), ()),
}


@dataclass(frozen=True, slots=True)
class Notice:
    """A code of `NOTICES` with its arguments, in order."""

    code: str
    arguments: tuple[str, ...] = ()

    @property
    def message(self) -> str:
        return NOTICES[self.code][0]

    @property
    def values(self) -> dict[str, str]:
        return dict(zip(NOTICES[self.code][1], self.arguments, strict=True))

    def put(self, response: Response, *, secure: bool) -> None:
        """Leaves it for the next page."""
        text = quote("|".join((self.code, *self.arguments)), safe="")
        response.set_cookie(COOKIE, text, max_age=60, path="/", httponly=True, samesite="strict", secure=secure)

    @staticmethod
    def read(cookie: str) -> "Notice | None":
        """None for anything but a known code with well-formed arguments."""
        code, *arguments = unquote(cookie[:_LONGEST]).split("|")
        known = NOTICES.get(code)
        if known is None or len(known[1]) != len(arguments):
            return None
        if not all(_ARGUMENT.fullmatch(argument) for argument in arguments):
            return None
        return Notice(code, tuple(arguments))

"""The few ways a domain says no; `web` and `api` translate them into answers, and nothing else of theirs escapes a
domain.
"""


class NotFound(LookupError):
    """There is no such thing inside the Scope: 404, the same answer for a foreign and an unknown id."""


class Conflict(RuntimeError):
    """Somebody else changed it first, or the form was sent before: 409, show the page again."""


class Refused(ValueError):
    """The rules of the matter forbid it: 422, the message says why and what to do."""


class Forbidden(PermissionError):
    """The actor can see it but has no right to this act: 403. ``tenant`` is whose audit log records the refusal."""

    def __init__(self, message: str, tenant: str = "") -> None:
        super().__init__(message)
        self.tenant = tenant

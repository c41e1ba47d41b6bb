"""Nouns of signing in."""

from dataclasses import dataclass
from datetime import datetime

from vigla_console.tenants.models import User


class LoginRefused(ValueError):
    """Wrong name or password, or a disabled account: one message for all three."""


class Throttled(RuntimeError):
    """Too many failures; ``seconds`` until the next try is heard."""

    def __init__(self, seconds: int) -> None:
        super().__init__(f"too many failed log-ins: try again in {seconds} s")
        self.seconds = seconds


@dataclass(frozen=True, slots=True)
class Session:
    """A live session. The token is in the cookie only; the database keeps its SHA-256."""

    user: User
    csrf_token: str
    created: datetime
    last_seen: datetime
    expires: datetime  # whichever comes first: 30 minutes idle or 12 hours


@dataclass(frozen=True, slots=True)
class SignedIn:
    """``token`` goes into the cookie and nowhere else."""

    token: str
    session: Session

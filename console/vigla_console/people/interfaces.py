"""Seams of `people/`."""

from collections.abc import Sequence
from typing import Protocol

from vigla_console.people.models import Session, SignedIn
from vigla_console.tenants.models import Binding, User


class Sessions(Protocol):
    """Signing in and staying in."""

    def sign_in(self, login: str, password: str, remote: str) -> SignedIn:
        """Raises ``LoginRefused`` or ``Throttled``."""
        ...

    def find(self, token: str) -> Session | None:
        """The live session, its idle time counted anew; None if it is unknown, idle or over."""
        ...

    def sign_out(self, token: str) -> None: ...
    def set_language(self, user: User, language: str) -> None: ...


class Accounts(Protocol):
    """What the command line needs; raises ``Refused`` for a taken login or a weak password."""

    def add(self, login: str, name: str, password: str, bindings: Sequence[Binding], language: str) -> User: ...
    def all(self) -> Sequence[User]: ...

"""Accounts and sessions in the case database. A session's token is random, in the cookie only; its SHA-256 is the
key here.
"""

import secrets
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import Connection, delete, insert, select, update

from vigla_console.audit.models import HUB
from vigla_console.audit.storage import Deed, append
from vigla_console.clock import Clock
from vigla_console.database.engine import CaseDatabase
from vigla_console.database.schema import ACCOUNT, BINDING, LOGIN_FAILURE, SESSION
from vigla_console.database.times import from_column, maybe_from, maybe_to, to_column
from vigla_console.errors import Refused
from vigla_console.people.models import LoginRefused, Session, SignedIn, Throttled
from vigla_console.people.passwords import Passwords
from vigla_console.people.rules import (
    FREE_FAILURES,
    FREE_FAILURES_ADDRESS,
    LONGEST,
    TOUCH_EVERY,
    expires,
    wait_seconds,
    weakness,
)
from vigla_console.scope import Actor
from vigla_console.tenants.models import Binding, Role, TenantId, User
from vigla_console.tokens import new_token, token_hash

LANGUAGES = ("el", "en")


@dataclass(frozen=True, slots=True)
class SqlAccounts:
    """See ``Accounts``."""

    database: CaseDatabase
    clock: Clock
    passwords: Passwords

    def add(self, login: str, name: str, password: str, bindings: Sequence[Binding], language: str = "el") -> User:
        login = login.strip().casefold()
        if not login or len(login) > 64 or any(c.isspace() for c in login):
            raise Refused("a login is 1 to 64 characters without spaces")
        if (reason := weakness(password, login)) is not None:
            raise Refused(reason)
        if language not in LANGUAGES:
            raise Refused(f"language {language!r}: use el or en")
        hashed = self.passwords.hash(password)
        user = User(secrets.token_hex(8), login, name.strip() or login, language, tuple(bindings))
        with self.database.write() as connection:
            if connection.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.login == login)).first():
                raise Refused(f"the login {login!r} is taken: see `vigla-console user list`")
            connection.execute(
                insert(ACCOUNT).values(
                    id=user.id,
                    login=login,
                    name=user.name,
                    password_hash=hashed,
                    language=language,
                    disabled=False,
                    created=to_column(self.clock.now()),
                )
            )
            for binding in bindings:
                connection.execute(
                    insert(BINDING).values(
                        account_id=user.id,
                        role=binding.role.value,
                        tenant_id=binding.tenant or "",
                        expires=maybe_to(binding.expires),
                    )
                )
            roles = ", ".join(f"{b.role}@{b.tenant or 'centre'}" for b in bindings)
            deed = Deed("account.add", f"account:{login}", reason=roles)
            append(connection, self.clock, Actor("cli", "cli", "operator", HUB), chains_of(user), deed)
        return user

    def set_password(self, login: str, password: str) -> None:
        """Raises ``Refused``; ends every session of the account."""
        if (reason := weakness(password, login)) is not None:
            raise Refused(reason)
        hashed = self.passwords.hash(password)
        with self.database.write() as connection:
            found = connection.execute(select(ACCOUNT.c.id).where(ACCOUNT.c.login == login.casefold())).first()
            if found is None:
                raise Refused(f"no account {login!r}: see `vigla-console user list`")
            connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == found.id).values(password_hash=hashed))
            connection.execute(delete(SESSION).where(SESSION.c.account_id == found.id))
            deed = Deed("account.password", f"account:{login}")
            append(connection, self.clock, Actor("cli", "cli", "operator", HUB), [], deed)

    def all(self) -> Sequence[User]:
        with self.database.read() as connection:
            ids = [row.id for row in connection.execute(select(ACCOUNT.c.id).order_by(ACCOUNT.c.login))]
            return [user for one in ids if (user := _user(connection, one)) is not None]


@dataclass(frozen=True, slots=True)
class SqlSessions:
    """See ``Sessions``."""

    database: CaseDatabase
    clock: Clock
    passwords: Passwords

    def sign_in(self, login: str, password: str, remote: str) -> SignedIn:
        login = login.strip().casefold()[:64]
        keys = ((f"login:{login}", FREE_FAILURES), (f"from:{remote}", FREE_FAILURES_ADDRESS))
        with self.database.read() as connection:
            wait = max(self._wait(connection, key, free) for key, free in keys)
            row = connection.execute(
                select(ACCOUNT.c.id, ACCOUNT.c.password_hash, ACCOUNT.c.disabled).where(ACCOUNT.c.login == login)
            ).first()
            user = _user(connection, row.id) if row else None
        if wait:
            raise Throttled(wait)
        right = self.passwords.verify(password[:1024], row.password_hash if row else None)
        if user is None or not right or user.disabled:
            self._failed([key for key, _ in keys], login, remote, user)
            raise LoginRefused("the name or the password is wrong")
        return self._begin(user, remote)

    def _begin(self, user: User, remote: str) -> SignedIn:
        now = from_column(to_column(self.clock.now()))
        token, csrf = new_token(), new_token()
        with self.database.write() as connection:
            connection.execute(delete(LOGIN_FAILURE).where(LOGIN_FAILURE.c.key == f"login:{user.login}"))
            connection.execute(delete(SESSION).where(SESSION.c.created < to_column(now - LONGEST)))
            connection.execute(
                insert(SESSION).values(
                    token_hash=token_hash(token),
                    account_id=user.id,
                    csrf_token=csrf,
                    created=to_column(now),
                    last_seen=to_column(now),
                )
            )
            self._audit(connection, user, Deed("session.begin", f"account:{user.login}", reason=f"from {remote}"))
        return SignedIn(token, Session(user, csrf, now, now, expires(now, now)))

    def find(self, token: str) -> Session | None:
        if not token:
            return None
        now, key = self.clock.now(), token_hash(token)
        with self.database.read() as connection:
            row = connection.execute(select(SESSION).where(SESSION.c.token_hash == key)).first()
            user = _user(connection, row.account_id) if row else None
        if row is None or user is None or user.disabled:
            return None
        created, last_seen = from_column(row.created), from_column(row.last_seen)
        if now >= expires(created, last_seen):
            with self.database.write() as connection:
                connection.execute(delete(SESSION).where(SESSION.c.token_hash == key))
            return None
        if now - last_seen >= TOUCH_EVERY:
            last_seen = now
            with self.database.write() as connection:
                connection.execute(update(SESSION).where(SESSION.c.token_hash == key).values(last_seen=to_column(now)))
        return Session(user, row.csrf_token, created, last_seen, expires(created, last_seen))

    def sign_out(self, token: str) -> None:
        session = self.find(token)
        if session is None:
            return
        with self.database.write() as connection:
            connection.execute(delete(SESSION).where(SESSION.c.token_hash == token_hash(token)))
            self._audit(connection, session.user, Deed("session.end", f"account:{session.user.login}"))

    def set_language(self, user: User, language: str) -> None:
        if language not in LANGUAGES:
            raise Refused(f"language {language!r}: use el or en")
        with self.database.write() as connection:
            connection.execute(update(ACCOUNT).where(ACCOUNT.c.id == user.id).values(language=language))

    def _wait(self, connection: Connection, key: str, free: int) -> int:
        row = connection.execute(select(LOGIN_FAILURE).where(LOGIN_FAILURE.c.key == key)).first()
        return wait_seconds(row.failures, free, from_column(row.last), self.clock.now()) if row else 0

    def _failed(self, keys: Iterable[str], login: str, remote: str, user: User | None) -> None:
        now = self.clock.now()
        with self.database.write() as connection:
            # Old failures go first: guessed names cannot fill the table for longer than a day.
            day_ago = to_column(now - timedelta(days=1))
            connection.execute(delete(LOGIN_FAILURE).where(LOGIN_FAILURE.c.last < day_ago))
            for key in keys:
                row = connection.execute(select(LOGIN_FAILURE).where(LOGIN_FAILURE.c.key == key)).first()
                values = {"failures": row.failures + 1 if row else 1, "last": to_column(now)}
                if row:
                    connection.execute(update(LOGIN_FAILURE).where(LOGIN_FAILURE.c.key == key).values(**values))
                else:
                    connection.execute(insert(LOGIN_FAILURE).values(key=key, **values))
            deed = Deed("session.begin", f"account:{login}", result="refused", reason=f"from {remote}")
            if user is not None:
                self._audit(connection, user, deed)
            else:
                append(connection, self.clock, Actor("", login, "none", ""), [HUB], deed)

    def _audit(self, connection: Connection, user: User, deed: Deed) -> None:
        chains = chains_of(user)
        roles = ", ".join(sorted({binding.role.value for binding in user.bindings})) or "none"
        actor = Actor(user.id, user.name, roles, "SOC" if user.central else ", ".join(sorted(chains)))
        append(connection, self.clock, actor, chains, deed)


def chains_of(user: User) -> list[str]:
    """The chains that record an account's own comings and goings: its municipalities', or the hub's."""
    return [binding.tenant for binding in user.bindings if binding.tenant is not None]


def _user(connection: Connection, account_id: str) -> User | None:
    row = connection.execute(select(ACCOUNT).where(ACCOUNT.c.id == account_id)).first()
    if row is None:
        return None
    bindings = connection.execute(select(BINDING).where(BINDING.c.account_id == account_id))
    return User(
        id=row.id,
        login=row.login,
        name=row.name,
        language=row.language,
        bindings=tuple(
            Binding(Role(b.role), TenantId(b.tenant_id) if b.tenant_id else None, maybe_from(b.expires))
            for b in bindings
        ),
        disabled=bool(row.disabled),
    )

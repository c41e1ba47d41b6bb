"""Argon2id through pwdlib; the cost is a parameter so that tests are quick."""

from dataclasses import dataclass, field

from pwdlib import PasswordHash
from pwdlib.hashers.argon2 import Argon2Hasher


@dataclass(frozen=True, slots=True)
class Passwords:
    """``memory_kib`` and ``rounds`` as RFC 9106 recommends for constrained memory."""

    memory_kib: int = 65536
    rounds: int = 3
    _hash: PasswordHash = field(init=False, repr=False)
    _nobody: str = field(init=False, repr=False)

    def __post_init__(self) -> None:
        hasher = PasswordHash((Argon2Hasher(time_cost=self.rounds, memory_cost=self.memory_kib, parallelism=1),))
        object.__setattr__(self, "_hash", hasher)
        object.__setattr__(self, "_nobody", hasher.hash("nobody has this password"))

    def hash(self, password: str) -> str:
        return self._hash.hash(password)

    def verify(self, password: str, known: str | None) -> bool:
        """False for an unknown account too, after the same work: timing tells no one which names exist."""
        right = self._hash.verify(password, known or self._nobody)
        return right and known is not None

"""One line of the audit log."""

from dataclasses import dataclass
from datetime import datetime

HUB = "hub"  # the chain of the hub itself; no tenant id can be equal to a reserved word of the directory


@dataclass(frozen=True, slots=True)
class AuditEntry:
    """``chain`` is a tenant id or ``HUB``; ``hash`` covers all other members and ``prev``."""

    chain: str
    seq: int
    at: datetime
    actor: str
    actor_name: str
    actor_body: str
    actor_role: str
    act: str
    object: str
    result: str
    reason: str
    clear: bool
    prev: str
    hash: str

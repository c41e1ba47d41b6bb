"""Page cursors: sort values, signed together with the question and the Scope they were made for, so that none
travels.
"""

import base64
import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass

from vigla_console.alerts.interfaces import BadCursor


@dataclass(frozen=True, slots=True)
class CursorSigner:
    """``secret`` is the hub's own, at least 32 bytes."""

    secret: bytes

    def __post_init__(self) -> None:
        if len(self.secret) < 32:
            raise ValueError("a cursor secret has at least 32 bytes")

    def sign(self, values: Sequence[str | int], question: str) -> str:
        """Opaque text for `after`."""
        payload = json.dumps(list(values), ensure_ascii=False, separators=(",", ":")).encode()
        return base64.urlsafe_b64encode(self._mac(payload, question) + payload).decode().rstrip("=")

    def open(self, cursor: str, question: str) -> list[str | int]:
        """The sort values; raises ``BadCursor`` if it was altered or made for another question or Scope."""
        try:
            raw = base64.urlsafe_b64decode(cursor + "=" * (-len(cursor) % 4))
        except ValueError:
            raise BadCursor("the page cursor is damaged: start from the first page") from None
        mac, payload = raw[:16], raw[16:]
        if not hmac.compare_digest(mac, self._mac(payload, question)):
            raise BadCursor("the page cursor was made for another list: start from the first page")
        values: list[str | int] = json.loads(payload)
        return values

    def _mac(self, payload: bytes, question: str) -> bytes:
        key = hashlib.sha256(self.secret + b"cursor").digest()
        return hmac.digest(key, question.encode() + b"\0" + payload, "sha256")[:16]

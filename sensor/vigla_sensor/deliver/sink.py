"""The seam of a sink."""

from collections.abc import Sequence
from typing import Protocol

from vigla_sensor.deliver.answers import Answer
from vigla_sensor.spool.model import SpooledAlert


class Sink(Protocol):
    """Sends a batch once. No retry, no sleep, no memory of what failed: the courier has all that.

    Called from a thread that owns nothing else. Raises nothing but programming errors.
    """

    @property
    def name(self) -> str:
        """As the configuration calls it, and the spool."""
        ...

    def send(self, batch: Sequence[SpooledAlert]) -> Answer:
        """What the other side said."""
        ...

    def close(self) -> None:
        """Ends its connections; nothing is sent after it."""
        ...

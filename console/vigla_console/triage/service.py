"""The verbs of console.md 2.4. No HTTP, no SQL, no wall clock: rules of the matter only."""

from dataclasses import dataclass
from typing import Protocol

from vigla_console.incidents.models import AlertGroup, Disposition, Incident, Reason


@dataclass(frozen=True, slots=True)
class Act:
    """What every form carries: the version the person saw and a key that makes a double click one act."""

    version: int
    form_key: str


@dataclass(frozen=True, slots=True)
class Closing:
    """How it ended. ``legitimate`` needs ``who`` and ``ticket``; ``true_impact`` needs the group to be in an
    incident.
    """

    disposition: Disposition
    reason: Reason
    note: str = ""
    who: str = ""
    ticket: str = ""


class Triage(Protocol):
    """Built with a Scope. Raises ``NotFound``, ``Forbidden``, ``Conflict`` (stale version or spent key) and ``Refused``
    (a rule says no).
    """

    def ack(self, code: str, act: Act) -> AlertGroup: ...
    def escalate(self, code: str, act: Act, note: str) -> AlertGroup: ...
    def answer(self, code: str, act: Act, note: str) -> AlertGroup: ...
    def close(self, code: str, act: Act, closing: Closing) -> AlertGroup: ...
    def promote(self, code: str, act: Act, title: str = "") -> Incident: ...
    def assign(self, code: str, act: Act) -> AlertGroup:
        """Claims it for the actor."""
        ...

    def reopen(self, code: str, act: Act, note: str) -> AlertGroup: ...
    def undo(self, code: str, act: Act) -> AlertGroup: ...
    def close_incident(self, code: str, act: Act, closing: Closing, significant: str, note: str) -> Incident: ...
    def set_phase(self, code: str, act: Act, phase: str) -> Incident: ...
    def may(self, verb: str, group: AlertGroup) -> bool:
        """Whether the button is shown; the verbs check again."""
        ...

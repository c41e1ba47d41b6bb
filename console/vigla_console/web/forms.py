"""What forms carry, read and checked: the act's version and key, and how something was closed.

Messages are ids of the catalog; a problem names the field it belongs to, so that the page can link to it.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated

from fastapi import Depends, Form

from vigla_console.incidents.models import Disposition, Reason
from vigla_console.triage.service import Act, Closing
from vigla_console.web.labels import N_

Text = Annotated[str, Form(max_length=4000)]
Key = Annotated[str, Form(max_length=200)]


REFUSED = N_("The rules of the matter do not allow it:")


@dataclass(frozen=True, slots=True)
class Problem:
    """``field`` is the id of the input to link to; ``message`` a message id; ``detail`` a service's own words."""

    field: str
    message: str
    detail: str = ""


@dataclass(frozen=True, slots=True)
class ClosingForm:
    """The inputs of "Close", kept as typed so that a refused form comes back filled in. ``outcome`` is
    ``disposition:reason``.
    """

    outcome: str = ""
    note: str = ""
    who: str = ""
    ticket: str = ""
    significant: str = ""

    def problems(self) -> Sequence[Problem]:
        """What must be mended before a service sees it."""
        found = []
        chosen = self._chosen()
        if chosen is None:
            found.append(Problem("outcome", N_("Choose how it ended and why.")))
        elif chosen[0] is Disposition.LEGITIMATE:
            if not self.who.strip():
                found.append(Problem("who", N_("Write who did it: a legitimate activity has a name.")))
            if not self.ticket.strip():
                found.append(Problem("ticket", N_("Write the request or ticket it belongs to.")))
        return found

    def closing(self) -> Closing:
        """Only for a form without problems."""
        chosen = self._chosen()
        if chosen is None:
            raise ValueError("a form with problems has no closing")
        disposition, reason = chosen
        return Closing(disposition, reason, self.note.strip(), self.who.strip(), self.ticket.strip())

    def ends_as(self, disposition: Disposition) -> bool:
        """Whether this disposition was chosen."""
        chosen = self._chosen()
        return chosen is not None and chosen[0] is disposition

    def _chosen(self) -> tuple[Disposition, Reason] | None:
        left, _, right = self.outcome.partition(":")
        try:
            disposition, reason = Disposition(left), Reason(right)
        except ValueError:
            return None
        return (disposition, reason) if reason in disposition.reasons else None


@dataclass(frozen=True, slots=True)
class VerbForm:
    """Everything a verb's form may carry; each verb reads its part. ``back`` is where to go afterwards, if not here."""

    act: Act
    note: str
    title: str
    phase: str
    back: str
    closing: ClosingForm


def verb_form(
    version: Annotated[int, Form(ge=0)] = 0,
    form_key: Key = "",
    note: Text = "",
    title: Text = "",
    phase: Text = "",
    back: Text = "",
    outcome: Text = "",
    who: Text = "",
    ticket: Text = "",
    significant: Text = "",
) -> VerbForm:
    """Reads the form; a field that is not there is empty."""
    closing = ClosingForm(outcome, note, who, ticket, significant)
    return VerbForm(Act(version, form_key), note.strip(), title.strip(), phase, back, closing)


Verb = Annotated[VerbForm, Depends(verb_form)]

"""What a sink was told, before anybody judges it."""

from dataclasses import dataclass
from datetime import datetime
from enum import Enum


class Silence(Enum):
    """Why nothing is known about a batch: it may have been stored or not."""

    CONNECT = "no connection"
    TIMEOUT = "no answer in time"
    BROKEN = "the answer was cut, or not what the protocol says"
    PRODUCT = "something between answers in the server's place"
    CERTIFICATE = "the server's certificate is not trusted"
    CREDENTIAL = "the credential cannot be read"


@dataclass(frozen=True, slots=True)
class ItemAnswer:
    """Elasticsearch's word on one document of a bulk request."""

    event_id: str
    status: int
    type: str = ""
    reason: str = ""
    failure_store: bool = False


@dataclass(frozen=True, slots=True)
class HubAnswer:
    """The hub's word on one line: `created`, `duplicate` or `rejected` with type, detail and whether to retry."""

    event_id: str
    result: str
    type: str = ""
    detail: str = ""
    retry: bool = False


@dataclass(frozen=True, slots=True)
class Answered:
    """Every document has an answer of its own, in their order. `errors`: what the envelope claims, None if nothing."""

    items: tuple[ItemAnswer | HubAnswer, ...]
    errors: bool | None = None
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Refused:
    """The request as a whole was answered with a status that is no success. `retry_after` in seconds."""

    status: int
    type: str = ""
    reason: str = ""
    retry_after: float | None = None
    date: datetime | None = None


@dataclass(frozen=True, slots=True)
class Silent:
    """No answer that could be read."""

    why: Silence
    detail: str


Answer = Answered | Refused | Silent

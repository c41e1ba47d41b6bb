"""The one table from answers to outcomes, for all sinks (delivery.md 3). Pure and total."""

from collections.abc import Sequence

from vigla_sensor.deliver.answers import Answer, Answered, HubAnswer, ItemAnswer, Refused, Silence, Silent
from vigla_sensor.deliver.outcome import AlreadyThere, Delivered, Outcome, ParkIndex, ParkSink, Reject, Retry

MAX_RETRY_AFTER = 300.0
"""Seconds of `Retry-After` that are honored."""

_DOCUMENT_FAULTS = frozenset(
    {
        "document_parsing_exception",
        "strict_dynamic_mapping_exception",
        "mapper_parsing_exception",
        "illegal_argument_exception",
    }
)
_BAD_BODY = frozenset({"action_request_validation_exception", "illegal_argument_exception", "parse_exception"})


def triage(answer: Answer, event_ids: Sequence[str]) -> list[Outcome]:
    """One outcome for each document of the batch, in their order."""
    match answer:
        case Answered():
            return _answered(answer, event_ids)
        case Refused():
            return [_refused(answer, single=len(event_ids) == 1)] * len(event_ids)
        case Silent():
            return [_silent(answer)] * len(event_ids)


def _answered(answer: Answered, event_ids: Sequence[str]) -> list[Outcome]:
    """Matched by position *and* id: nothing is settled without a result of its own."""
    found = [item.event_id for item in answer.items]
    if found != list(event_ids):
        said = f"the answer names {len(found)} documents, not the {len(event_ids)} that were sent in their order"
        return [Retry(said, contradiction=True)] * len(event_ids)
    failures = any(isinstance(item, ItemAnswer) and item.status >= 300 for item in answer.items)
    if answer.errors is not None and answer.errors != failures:
        said = f"the answer says errors: {str(answer.errors).lower()}, its items say the opposite"
        return [Retry(said, contradiction=True)] * len(event_ids)
    stored = any(isinstance(item, ItemAnswer) and item.status in (200, 201) for item in answer.items)
    return [_item(item, others=stored) if isinstance(item, ItemAnswer) else _line(item) for item in answer.items]


def _item(item: ItemAnswer, *, others: bool) -> Outcome:
    said = f"{item.status} {item.type or 'no type'}: {item.reason}".rstrip(": ")
    match item.status:
        case 200 | 201:
            return ParkIndex(f"{said}: the index became a data stream") if item.failure_store else Delivered()
        case 409 if item.type == "version_conflict_engine_exception":
            return AlreadyThere()
        case 400 if item.type in _DOCUMENT_FAULTS:
            return Reject(item.status, item.type, item.reason, needs_proof=True)
        case 429 if item.type == "es_rejected_execution_exception":
            return Retry(said, smaller=True)
        case status if 500 <= status < 600 and not others:
            return Retry(said)
        case _:
            return ParkIndex(said)


def _line(line: HubAnswer) -> Outcome:
    match line.result:
        case "created":
            return Delivered()
        case "duplicate":
            return AlreadyThere()
        case "rejected" if not line.retry:
            return Reject(200, line.type, line.detail)
        case "rejected":
            return ParkIndex(f"{line.type}: {line.detail}".rstrip(": "))
        case _:
            return Retry(f"the hub answered {line.result!r}, which this version does not know", contradiction=True)


def _refused(answer: Refused, *, single: bool) -> Outcome:
    said = f"HTTP {answer.status} {answer.type}: {answer.reason}".rstrip(": ")
    after = None if answer.retry_after is None else min(max(answer.retry_after, 0.0), MAX_RETRY_AFTER)
    match answer.status:
        case 429 | 503:
            return Retry(said, smaller=answer.status == 429, after=after)
        case status if 500 <= status < 600:
            return Retry(said, after=after)
        case 400 if answer.type == "media_type_header_exception":
            return ParkSink(said)
        case 400 if answer.type in _BAD_BODY or not answer.type:
            # One bad line fails the whole request: halve until it stands alone.
            return Reject(400, answer.type, answer.reason, needs_proof=True) if single else Retry(said, smaller=True)
        case 413:
            return Reject(413, answer.type or "too_large", answer.reason) if single else Retry(said, smaller=True)
        case 401:
            return ParkSink(said, credential=True)
        case _:
            return ParkSink(said)


def _silent(answer: Silent) -> Outcome:
    said = f"{answer.why.value}: {answer.detail}".rstrip(": ")
    match answer.why:
        case Silence.TIMEOUT:
            return Retry(said, smaller=True)
        case Silence.CONNECT | Silence.BROKEN:
            return Retry(said)
        case Silence.PRODUCT | Silence.CERTIFICATE | Silence.CREDENTIAL:
            return ParkSink(said)

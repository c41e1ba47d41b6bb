"""The triage table, row by row, and that it is total."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from vigla_sensor.deliver.answers import Answered, HubAnswer, ItemAnswer, Refused, Silence, Silent
from vigla_sensor.deliver.outcome import AlreadyThere, Delivered, ParkIndex, ParkSink, Reject, Retry
from vigla_sensor.deliver.triage import MAX_RETRY_AFTER, triage


def item(status: int, kind: str = "", *, store: bool = False) -> ItemAnswer:
    return ItemAnswer("a", status, kind, "why", store)


@pytest.mark.parametrize(
    ("answer", "outcome"),
    [
        (item(201), Delivered),
        (item(200), Delivered),
        (item(201, store=True), ParkIndex),
        (item(409, "version_conflict_engine_exception"), AlreadyThere),
        (item(409, "something_else"), ParkIndex),
        (item(400, "document_parsing_exception"), Reject),
        (item(400, "strict_dynamic_mapping_exception"), Reject),
        (item(400, "index_closed_exception"), ParkIndex),
        (item(400, "validation_exception"), ParkIndex),
        (item(400, "unheard_of_exception"), ParkIndex),
        (item(401, "security_exception"), ParkIndex),
        (item(403, "security_exception"), ParkIndex),
        (item(403, "cluster_block_exception"), ParkIndex),
        (item(404, "index_not_found_exception"), ParkIndex),
        (item(429, "cluster_block_exception"), ParkIndex),
        (item(429, "es_rejected_execution_exception"), Retry),
        (item(500), Retry),
        (item(418), ParkIndex),
        (HubAnswer("a", "created"), Delivered),
        (HubAnswer("a", "duplicate"), AlreadyThere),
        (HubAnswer("a", "rejected", "schema", "x", False), Reject),
        (HubAnswer("a", "rejected", "unavailable", "x", True), ParkIndex),
        (HubAnswer("a", "maybe"), Retry),
    ],
)
def test_items(answer: ItemAnswer | HubAnswer, outcome: type) -> None:
    assert [type(found) for found in triage(Answered((answer,)), ["a"])] == [outcome]


def test_a_document_fault_needs_proof_and_a_final_word_of_the_hub_does_not() -> None:
    (parsing,) = triage(Answered((item(400, "document_parsing_exception"),)), ["a"])
    (schema,) = triage(Answered((HubAnswer("a", "rejected", "schema", "x"),)), ["a"])
    assert isinstance(parsing, Reject)
    assert parsing.needs_proof
    assert isinstance(schema, Reject)
    assert not schema.needs_proof


def test_an_items_5xx_parks_its_index_if_others_succeed() -> None:
    answer = Answered((ItemAnswer("a", 500), ItemAnswer("b", 201)))
    assert [type(found) for found in triage(answer, ["a", "b"])] == [ParkIndex, Delivered]


@pytest.mark.parametrize(
    "answer",
    [
        Answered((ItemAnswer("a", 201),)),
        Answered((ItemAnswer("b", 201), ItemAnswer("a", 201))),
        Answered((ItemAnswer("a", 201), ItemAnswer("x", 201))),
        Answered((ItemAnswer("a", 201), ItemAnswer("b", 201)), errors=True),
        Answered((ItemAnswer("a", 201), ItemAnswer("b", 409, "version_conflict_engine_exception")), errors=False),
        Answered(()),
    ],
)
def test_what_does_not_fit_the_question_settles_nothing(answer: Answered) -> None:
    for outcome in triage(answer, ["a", "b"]):
        assert isinstance(outcome, Retry)
        assert outcome.contradiction


@pytest.mark.parametrize(
    ("answer", "outcome", "single"),
    [
        (Refused(429, retry_after=7), Retry("HTTP 429", smaller=True, after=7.0), None),
        (Refused(503), Retry("HTTP 503"), None),
        (Refused(502), Retry("HTTP 502"), None),
        (Refused(503, retry_after=9999), Retry("HTTP 503", after=MAX_RETRY_AFTER), None),
        (Refused(400, "media_type_header_exception"), ParkSink("HTTP 400 media_type_header_exception"), None),
        (
            Refused(400, "action_request_validation_exception", "x"),
            Retry("HTTP 400 action_request_validation_exception: x", smaller=True),
            Reject(400, "action_request_validation_exception", "x", needs_proof=True),
        ),
        (
            Refused(400, "", "the body is cut"),
            Retry("HTTP 400 : the body is cut", smaller=True),
            Reject(400, "", "the body is cut", needs_proof=True),
        ),
        (Refused(413), Retry("HTTP 413", smaller=True), Reject(413, "too_large", "")),
        (Refused(401), ParkSink("HTTP 401", credential=True), None),
        (Refused(403, "security_exception"), ParkSink("HTTP 403 security_exception"), None),
        (Refused(302), ParkSink("HTTP 302"), None),
        (Refused(415), ParkSink("HTTP 415"), None),
        (Silent(Silence.TIMEOUT, "x"), Retry("no answer in time: x", smaller=True), None),
        (Silent(Silence.CONNECT, "x"), Retry("no connection: x"), None),
        (Silent(Silence.CERTIFICATE, "x"), ParkSink("the server's certificate is not trusted: x"), None),
        (Silent(Silence.CREDENTIAL, "x"), ParkSink("the credential cannot be read: x"), None),
    ],
)
def test_whole_requests(answer: Refused | Silent, outcome: object, single: object) -> None:
    assert triage(answer, ["a", "b"]) == [outcome, outcome]
    assert triage(answer, ["a"]) == [single or outcome]


TEXT = st.sampled_from(("", "document_parsing_exception", "cluster_block_exception", "security_exception", "x"))
ITEMS = st.builds(ItemAnswer, st.sampled_from("abc"), st.integers(-1, 999), TEXT, st.text(max_size=3), st.booleans())
LINES = st.builds(HubAnswer, st.sampled_from("abc"), TEXT, TEXT, TEXT, st.booleans())
ANSWERS = (
    st.builds(Answered, st.lists(ITEMS | LINES, max_size=4).map(tuple), st.none() | st.booleans())
    | st.builds(Refused, st.integers(-1, 999), TEXT, TEXT, st.none() | st.floats(-5, 1e9))
    | st.builds(Silent, st.sampled_from(Silence), TEXT)
)


@given(ANSWERS, st.lists(st.sampled_from("abc"), min_size=1, max_size=4))
def test_every_answer_has_an_outcome_for_every_document(
    answer: Answered | Refused | Silent, event_ids: list[str]
) -> None:
    outcomes = triage(answer, event_ids)
    assert len(outcomes) == len(event_ids)
    settled = [outcome for outcome in outcomes if isinstance(outcome, Delivered | AlreadyThere)]
    if settled:
        # Nothing is settled without a result of its own, at its place, with its id.
        assert isinstance(answer, Answered)
        assert [each.event_id for each in answer.items] == event_ids
    for outcome in outcomes:
        if isinstance(outcome, Retry) and outcome.after is not None:
            assert 0 <= outcome.after <= MAX_RETRY_AFTER

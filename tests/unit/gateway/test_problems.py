"""Problem documents: the table from error to status, and nothing of the input in them (reliability.md, fact 4)."""

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from council.errors import DecisionPendingError, KeyConflictError, UnknownRealmError
from council.ledger.port import InvalidCursorError, LedgerUnavailableError, RecordRefusedError
from gateway.problems import Problem, http_problem, pending, problem_of, safe_path
from policies.contracts.reading import read_request
from policies.faults import Fault, InvalidInputError
from tests.unit.gateway.scripted import CANARY
from tests.unit.requests import as_bytes, request_document


@pytest.mark.parametrize(
    ("error", "slug", "status"),
    [
        (InvalidInputError([Fault("", "an object repeats a key")]), "unreadable-body", 400),
        (InvalidInputError([Fault("/realm_id", "required field is missing")]), "invalid-request", 422),
        (UnknownRealmError(CANARY, ["aelvyndor"]), "unknown-realm", 422),
        (KeyConflictError(CANARY, "d-1"), "key-conflict", 422),
        (RecordRefusedError(CANARY), "record-refused", 422),
        (LedgerUnavailableError(CANARY, retry_after_s=2), "ledger-unavailable", 503),
        (InvalidCursorError(CANARY), "invalid-parameters", 422),
    ],
)
def test_every_error_of_the_caller_or_the_store_has_its_problem(error: Exception, slug: str, status: int) -> None:
    problem = problem_of(error)

    assert problem is not None
    assert (problem.slug, problem.status) == (slug, status)
    document = problem.document("c-1").decode()
    assert CANARY not in document
    assert json.loads(document)["type"] == f"urn:problem-type:council:{slug}"
    assert json.loads(document)["correlation_id"] == "c-1"


def test_a_defect_of_ours_has_no_row_in_the_table() -> None:
    assert problem_of(RuntimeError("boom")) is None


def test_an_unavailable_store_says_when_to_come_back() -> None:
    problem = problem_of(LedgerUnavailableError("locked", retry_after_s=2))

    assert problem is not None
    assert problem.headers["Retry-After"] == "2"


def test_a_pending_decision_says_where_it_will_stand() -> None:
    told = pending(DecisionPendingError("d-7"))

    assert told.location == "/internal/council/decisions/d-7"
    assert json.loads(told.body) == {"status": "pending", "decision_id": "d-7"}


def test_a_path_shows_identifiers_and_indices_only() -> None:
    assert safe_path("/world_snapshot/factions/<b>x/influence") == "/world_snapshot/factions/*/influence"
    assert safe_path("/proposed_change/effects/12/faction_id") == "/proposed_change/effects/12/faction_id"
    assert safe_path("/" + "a" * 65) == "/*"
    assert safe_path("") == ""


@settings(max_examples=200)
@given(st.text())
def test_whatever_a_path_holds_only_plain_segments_come_out(text: str) -> None:
    for segment in safe_path(f"/{text}").split("/")[1:]:
        assert segment in ("*", "") or (segment.isascii() and segment.replace("_", "a").isalnum())


def test_what_the_snapshot_names_is_not_repeated_as_a_suggestion() -> None:
    """`did_you_mean` names factions of the snapshot: good on a command line, an echo in a problem."""
    document = request_document()
    document["world_snapshot"]["factions"] = {CANARY: {"influence": 100}}
    with pytest.raises(InvalidInputError) as caught:
        read_request(as_bytes(document))
    assert CANARY in str(caught.value)  # else this test could not fail

    problem = problem_of(caught.value)

    assert problem is not None
    assert CANARY not in problem.document("c-1").decode()


def test_a_long_list_of_faults_is_cut_and_says_so() -> None:
    problem = problem_of(InvalidInputError([Fault(f"/effects/{n}", "wrong") for n in range(40)]))

    assert problem is not None
    assert len(problem.more["faults"]) == 32
    assert problem.detail == "the first 32 of 40 faults are listed"


def test_a_bare_status_becomes_a_problem_with_its_headers() -> None:
    assert http_problem(405, {"Allow": "GET"}) == Problem(
        "method-not-allowed", 405, "method not allowed", "", {"Allow": "GET"}
    )

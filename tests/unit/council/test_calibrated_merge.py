"""A vote weighs what its confidence is worth: in the merge, its record, its explanation, its flips and its filter."""

import json
from dataclasses import replace
from fractions import Fraction
from typing import Any

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli.render_arithmetic import render_arithmetic
from council.explain import recorded_flips
from council.flip import flips
from council.merge import Ballot, Seats, Term, merge
from council.merge_lines import merge_line
from council.replay import replay
from council.seating import seats_for
from policies.canonical import plain_canonical_json
from policies.faults import InvalidInputError
from policies.loading import policy_from_document
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError
from policies.verdicts import MEMBERS, STRICTNESS, VERDICTS, Verdict
from tests.unit.evals.recorded import recorded, shipped

STEPS = ((0, 0), (500, 400), (900, 1000))
ONE = Fraction(1)


def seats(*, tables: bool = True) -> Seats:
    used = frozenset(["lore", "risk"])
    return Seats(
        dict.fromkeys(("governor", "lore", "risk"), ONE),
        use_confidence=used,
        calibration=dict.fromkeys(used, STEPS) if tables else {},
    )


def calibrated(policy: Policy) -> Policy:
    """Return the policy as designers write it, with a table for every member."""
    document = json.loads(json.dumps(policy.document))
    for member in document["members"].values():
        member |= {"confidence": "use", "calibration": [[0, 300], [700, 650], [950, 900]]}
    return policy_from_document(document)


def test_a_vote_weighs_what_its_confidence_is_worth_and_the_term_says_both() -> None:
    merged = merge(
        seats(), [Ballot("governor", "approve"), Ballot("lore", "reject", 650), Ballot("risk", "reject", 950)]
    )
    assert merged.terms == (
        Term("governor", ONE, 1000, "approve", True),
        Term("lore", ONE, 400, "reject", True, None, 650),
        Term("risk", ONE, 1000, "reject", True, None, 950),
    )
    assert merged.shares["reject"] == Fraction(1400, 2400)


def test_a_confidence_that_is_worth_nothing_makes_an_abstention() -> None:
    merged = merge(
        seats(), [Ballot("governor", "approve"), Ballot("lore", "approve", 499), Ballot("risk", "approve", 500)]
    )
    assert merged.terms[1] == Term("lore", ONE, 1000, "quarantine", False, "no_confidence", 499)
    assert merged.coverage == Fraction(2, 3)


def test_without_a_table_a_confidence_is_worth_what_it_claims() -> None:
    ballots = [Ballot("governor", "approve"), Ballot("lore", "reject", 650), Ballot("risk", "reject", 0)]
    assert [(term.unit, term.confidence) for term in merge(seats(tables=False), ballots).terms] == [
        (1000, None),
        (650, None),
        (1000, None),
    ]


@given(
    st.lists(st.tuples(st.sampled_from(VERDICTS), st.integers(0, 1000)), min_size=3, max_size=3),
    st.integers(0, 2),
    st.sampled_from(VERDICTS),
)
def test_a_vote_that_grows_stricter_at_the_same_worth_never_makes_the_verdict_milder(
    votes: list[tuple[Verdict, int]], at: int, other: Verdict
) -> None:
    members = ("governor", "lore", "risk")
    ballots = [Ballot(member, *vote) for member, vote in zip(members, votes, strict=True)]
    changed = list(ballots)
    changed[at] = ballots[at]._replace(verdict=other)
    low, high = sorted([ballots, changed], key=lambda cast: STRICTNESS[cast[at].verdict or "quarantine"])
    assert STRICTNESS[merge(seats(), low).verdict] <= STRICTNESS[merge(seats(), high).verdict]


@given(st.lists(st.tuples(st.sampled_from(VERDICTS), st.integers(0, 1000)), min_size=3, max_size=3))
def test_a_table_that_claims_nothing_new_changes_nothing_but_the_trace(votes: list[tuple[Verdict, int]]) -> None:
    """Steps 0 to 1000 by 20 are read exactly where the confidences are multiples of 20."""
    ballots = [Ballot(m, v, c // 20 * 20) for m, (v, c) in zip(("governor", "lore", "risk"), votes, strict=True)]
    identity = tuple((step * 20, step * 20) for step in range(51))
    tables = replace(seats(), calibration={"lore": identity, "risk": identity})
    plain = merge(seats(tables=False), ballots)
    same = merge(tables, ballots)
    assert same._replace(terms=()) == plain._replace(terms=())
    assert [term.unit for term in same.terms] == [term.unit for term in plain.terms]


def test_seats_take_tables_only_where_confidence_weighs() -> None:
    policy = calibrated(shipped())
    ignored = replace(policy, members={**policy.members, "lore": replace(policy.members["lore"], use_confidence=False)})
    assert set(seats_for(policy, "impact_dispute", MEMBERS).calibration) == set(MEMBERS)
    assert set(seats_for(ignored, "impact_dispute", MEMBERS).calibration) == set(MEMBERS) - {"lore"}


def test_records_show_claim_and_worth_replay_alike_and_turn_alike() -> None:
    policy = calibrated(shipped())
    decisions = [decision for decision in recorded(policy=policy) if decision.record["merge"]]
    terms = [term for decision in decisions for term in decision.record["merge"]["terms"] if term["voted"]]
    assert terms and all(term["unit"] == expected_worth(term["confidence"]) for term in terms)
    for decision in decisions:
        assert replay(plain_canonical_json(decision.record), policy) == ()
        assert recorded_flips(decision.record, policy) is not None


def expected_worth(confidence: int) -> int:
    return 900 if confidence >= 950 else 650 if confidence >= 700 else 300


def test_records_without_tables_say_nothing_of_claims() -> None:
    terms = [term for decision in recorded() if decision.record["merge"] for term in decision.record["merge"]["terms"]]
    assert terms and not any("confidence" in term for term in terms)


def test_flips_look_the_worth_up_as_the_merge_does() -> None:
    """Approvals of 1000 (governor) and 400 (lore) against a reject worth 1000: risk alone holds 1000 of 2400, above a third.

    Its weight w carries while w >= (w + 7/5) / 3, so the verdict turns just below 7/10. Claims instead of worths (650 for lore)
    would have put that at 33/40.
    """
    ballots = [Ballot("governor", "approve"), Ballot("lore", "approve", 650), Ballot("risk", "reject", 950)]
    found = flips(seats(), ballots)
    assert found.weight is not None
    assert (found.weight.member, found.weight.beyond, found.weight.is_strict) == ("risk", Fraction(7, 10), True)


def test_the_explanation_shows_claim_and_worth_of_every_term() -> None:
    decision = next(
        d for d in recorded(policy=calibrated(shipped())) if d.record["merge"] and d.record["answer"]["votes"]
    )
    console = Console(width=120, record=True, file=None, quiet=False, force_terminal=False)
    with console.capture() as captured:
        console.print(render_arithmetic(decision.record["merge"]))
    term = decision.record["merge"]["terms"][0]
    assert f"confidence {term['confidence']}, worth {term['unit']} by calibration" in captured.get()


def merged_line(**policy: Any) -> Any:
    votes = [{"member": "lore", "verdict": "reject", "confidence": 650}, {"member": "risk", "verdict": "approve"}]
    line = {"policy": {"weights": {"lore": 1, "risk": 1}, **policy}, "votes": votes}
    return orjson.loads(merge_line(orjson.dumps(line)))


def test_the_filter_reads_tables_too() -> None:
    table = {"lore": [[0, 0], [500, 400], [900, 1000]]}
    assert merged_line(confidence={"lore": "use"}, calibration=table)["shares"]["reject"] == "2/7"
    assert merged_line(calibration=table)["shares"]["reject"] == "1/2"


def test_the_filter_names_the_step_that_is_wrong() -> None:
    with pytest.raises(InvalidInputError) as caught:
        merged_line(confidence={"lore": "use"}, calibration={"lore": [[0, 500], [900, 400]]})
    assert [fault.path for fault in caught.value.faults] == ["/policy/calibration/lore/1/1"]


def test_a_recorded_policy_with_a_bad_table_is_refused() -> None:
    document = json.loads(json.dumps(shipped().document))
    document["members"]["lore"]["calibration"] = [[5, 1]]
    with pytest.raises(InvalidPolicyError):
        policy_from_document(document)

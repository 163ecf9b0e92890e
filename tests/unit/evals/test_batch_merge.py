"""The merge in arrays is the merge: equal in every verdict, for every rule, weight, quota, absence and confidence."""

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from council.merge import Ballot, FiredRule, merge
from council.seating import seats_for
from evals.batch_merge import ABSENT, UNSEATED, VoteBatch, merge_batch
from policies.policy import Policy
from policies.verdicts import DECISION_TYPES, MEMBERS, RULE_OUTCOMES, STRICTNESS, VERDICTS, Verdict
from tests.unit.evals.recorded import shipped

SHIPPED = shipped()
WEIGHTS = st.sampled_from([Fraction(1), Fraction(2), Fraction(1, 3), Fraction(7, 5), Fraction(12)])
ODD_WEIGHTS = st.sampled_from([Fraction(1), Fraction(10**15 + 1, 10**15), Fraction(3, 10**12 + 39)])
QUOTAS = st.lists(
    st.sampled_from(
        [Fraction(1, 5), Fraction(1, 3), Fraction(2, 5), Fraction(1, 2), Fraction(2, 3), Fraction(99, 100)]
    ),
    min_size=3,
    max_size=3,
).map(sorted)


@st.composite
def policies(draw: st.DrawFn, weights: st.SearchStrategy[Fraction] = WEIGHTS) -> Policy:
    members = {
        member: replace(
            SHIPPED.members[member],
            use_confidence=draw(st.booleans()),
            calibration=draw(st.sampled_from([None, None, ((0, 0), (333, 500), (901, 1000))])),
        )
        for member in MEMBERS
    }
    return replace(
        SHIPPED,
        members=members,
        weights={kind: {member: draw(weights) for member in MEMBERS} for kind in DECISION_TYPES},
        quotas=dict(zip(VERDICTS[1:], draw(QUOTAS), strict=True)),
        quorum=draw(st.sampled_from([Fraction(0), Fraction(3, 5), Fraction(2, 3), Fraction(1)])),
        merge_rule=draw(st.sampled_from(["quota", "quota", "quota", "plurality", "median", "strictest"])),
        absent_counts_as=draw(st.sampled_from(VERDICTS[1:])),
        confidence_floor=draw(st.sampled_from([Fraction(0), Fraction(0), Fraction(1, 10), Fraction(1, 2)])),
        required={kind: tuple(draw(st.sets(st.sampled_from(MEMBERS), max_size=2))) for kind in DECISION_TYPES},
    )


@st.composite
def batches(draw: st.DrawFn) -> VoteBatch:
    rows = draw(st.lists(_rows(), min_size=1, max_size=12))
    types, verdicts, confidences, fired, asked = zip(*rows, strict=True)
    return VoteBatch(
        np.array(types, np.int8),
        np.array(verdicts, np.int8),
        np.array(confidences, np.int16),
        np.array(fired, np.int8),
        np.array(asked, bool),
    )


@st.composite
def _rows(draw: st.DrawFn) -> tuple[int, list[int], list[int], int, bool]:
    fired = draw(st.integers(0, 3))
    asked = fired < 2 or draw(st.booleans())
    states = st.sampled_from([0, 1, 2, 3, ABSENT, UNSEATED] if asked else [ABSENT, UNSEATED])
    verdicts = draw(st.lists(states, min_size=5, max_size=5).filter(lambda row: set(row) != {UNSEATED}))
    confidences = draw(st.lists(st.sampled_from([0, 1, 333, 900, 1000]), min_size=5, max_size=5))
    return draw(st.integers(0, 2)), verdicts, confidences, fired, asked


def by_the_scalar_merge(batch: VoteBatch, row: int, policy: Policy) -> int:
    states = dict(zip(MEMBERS, batch.verdicts[row].tolist(), strict=True))
    confidences = dict(zip(MEMBERS, batch.confidences[row].tolist(), strict=True))
    seated = tuple([member for member in MEMBERS if states[member] != UNSEATED])
    ballots = [
        Ballot(member, None if states[member] == ABSENT else VERDICTS[states[member]], confidences[member])
        for member in seated
        if batch.asked[row]
    ]
    rank = int(batch.fired[row])
    fired = [FiredRule("r", RULE_OUTCOMES[rank - 1])] if rank else []
    seats = seats_for(policy, DECISION_TYPES[int(batch.decision_types[row])], seated)
    return STRICTNESS[merge(seats, ballots, fired).verdict]


def assert_equal_to_the_scalar_merge(batch: VoteBatch, drawn: Sequence[Policy]) -> None:
    expected = [[by_the_scalar_merge(batch, row, policy) for row in range(len(batch.fired))] for policy in drawn]
    assert merge_batch(batch, drawn).tolist() == expected


@given(batches(), st.lists(policies(), min_size=1, max_size=4))
def test_many_decisions_under_many_policies_are_merged_as_one_by_one(batch: VoteBatch, drawn: list[Policy]) -> None:
    assert_equal_to_the_scalar_merge(batch, drawn)


@given(batches(), st.lists(policies(ODD_WEIGHTS), min_size=1, max_size=2))
def test_weights_too_fine_for_machine_words_are_merged_exactly_all_the_same(
    batch: VoteBatch, drawn: list[Policy]
) -> None:
    assert_equal_to_the_scalar_merge(batch, drawn)


def test_a_share_that_meets_its_quota_exactly_carries() -> None:
    """Two of six equal votes of confidence 1 are a third: quota 1/3 is reached, the next finer one is not."""
    members = {member: replace(SHIPPED.members[member], use_confidence=True) for member in MEMBERS}
    quotas: dict[Verdict, Fraction] = {
        "modify": Fraction(1, 3),
        "reject": Fraction(333334, 10**6),
        "quarantine": Fraction(1, 2),
    }
    policy = replace(SHIPPED, members=members, quotas=quotas, required=dict.fromkeys(DECISION_TYPES, ()))
    verdicts = np.array([[2, 0, 0, UNSEATED, UNSEATED]], np.int8)
    batch = VoteBatch(
        np.zeros(1, np.int8), verdicts, np.full((1, 5), 999, np.int16), np.zeros(1, np.int8), np.ones(1, bool)
    )
    assert merge_batch(batch, [policy]).tolist() == [[1]]
    assert_equal_to_the_scalar_merge(batch, [policy])


def test_a_confidence_weighs_what_its_calibration_table_says() -> None:
    """Two rejections that claim 900 and are worth 100 each hold 200 of 3,200 units, not 1,800 of 4,800."""
    table = ((0, 0), (800, 100))
    members = {member: SHIPPED.members[member] for member in MEMBERS}
    for member in MEMBERS[:2]:
        members[member] = replace(SHIPPED.members[member], use_confidence=True, calibration=table)
    policy = replace(SHIPPED, members=members, required=dict.fromkeys(DECISION_TYPES, ()))
    plain = replace(policy, members={**members, **{name: SHIPPED.members[name] for name in MEMBERS[:2]}})
    batch = VoteBatch(
        np.zeros(1, np.int8),
        np.array([[2, 2, 0, 0, 0]], np.int8),
        np.full((1, 5), 900, np.int16),
        np.zeros(1, np.int8),
        np.ones(1, bool),
    )
    assert merge_batch(batch, [policy, plain]).tolist() == [[0], [2]]
    assert_equal_to_the_scalar_merge(batch, [policy, plain])

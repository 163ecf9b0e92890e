"""The merge of labelled votes in arrays is the scalar merge: for any weights, quotas, quorum, absence and confidence."""

from fractions import Fraction
from random import Random

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from council.merge import Ballot as MergeBallot
from council.merge import Seats, merge
from evals.ballot_board import board_of, sums, verdicts
from evals.jury import Ballot, JuryItem
from policies.verdicts import STRICTNESS, VERDICTS

MEMBERS = ("ana", "bo", "cy", "di")
STEPS = ((0, 0), (300, 450), (800, 1000))


def drawn_seats(random: Random, *, is_fine: bool) -> Seats:
    top = 10**15 if is_fine else 9
    quotas = sorted(Fraction(part := random.randint(1, 9), part + random.randint(1, 9)) for _ in range(3))
    used = frozenset(member for member in MEMBERS if random.random() < 0.4)
    return Seats(
        {member: Fraction(random.randint(1, top), random.randint(1, top)) for member in MEMBERS},
        dict(zip(VERDICTS[1:], quotas, strict=True)),
        quorum=Fraction(random.randint(0, 5), 5),
        required=frozenset(member for member in MEMBERS if random.random() < 0.1),
        use_confidence=used,
        absent_counts_as=random.choice(VERDICTS[1:]),
        calibration={member: STEPS for member in used if random.random() < 0.5},
    )


def drawn_item(random: Random, place: int, *, leaves_out_silent: bool) -> JuryItem:
    ballots = {
        member: Ballot(random.choice((*VERDICTS, None)), random.choice((0, 1, 299, 300, 999, 1000)))
        for member in MEMBERS
        if random.random() < 0.8
    }
    if not ballots or (leaves_out_silent and all(ballot.verdict is None for ballot in ballots.values())):
        ballots["ana"] = Ballot("approve")
    return JuryItem(str(place), random.choice(("one", "two")), ballots, None, random.choice(VERDICTS))


def by_the_scalar_merge(item: JuryItem, seats: Seats, *, leaves_out_silent: bool) -> int:
    seated = [m for m in MEMBERS if m in item.ballots and not (leaves_out_silent and item.ballots[m].verdict is None)]
    votes = [MergeBallot(m, item.ballots[m].verdict, item.ballots[m].confidence) for m in seated]
    mine = Seats(
        {member: seats.weights[member] for member in seated}, seats.quotas, seats.quorum, seats.required,
        seats.use_confidence, seats.absent_counts_as, calibration=seats.calibration,
    )  # fmt: skip
    return STRICTNESS[merge(mine, votes).verdict]


@settings(max_examples=300)
@given(st.integers(0, 2**63), st.booleans(), st.booleans())
def test_votes_in_arrays_are_merged_as_one_by_one(seed: int, is_fine: bool, leaves_out: bool) -> None:
    random = Random(seed)
    first, second = drawn_seats(random, is_fine=is_fine), drawn_seats(random, is_fine=is_fine)
    seats = {"one": first, "two": second}
    items = [drawn_item(random, place, leaves_out_silent=leaves_out) for place in range(8)]
    board = board_of(items, MEMBERS, leaves_out_silent=leaves_out)
    # Quotas are those of one policy, so they are the same for every class.
    found = verdicts(sums(board, seats), first.quotas)
    expected = [
        by_the_scalar_merge(
            item,
            Seats(
                seats[item.decision_class].weights, first.quotas, seats[item.decision_class].quorum,
                seats[item.decision_class].required, seats[item.decision_class].use_confidence,
                seats[item.decision_class].absent_counts_as, calibration=seats[item.decision_class].calibration,
            ),
            leaves_out_silent=leaves_out,
        )
        for item in items
    ]  # fmt: skip
    assert found.tolist() == expected


def test_items_without_a_label_are_left_out() -> None:
    items = [JuryItem("1", "", {"ana": Ballot("approve")}, None, None), JuryItem("2", "", {}, None, "reject")]
    board = board_of(items, ("ana",), leaves_out_silent=False)
    assert board.labels.tolist() == [STRICTNESS["reject"]]


def test_an_item_that_nobody_voted_on_is_held() -> None:
    board = board_of([JuryItem("1", "", {"ana": Ballot(None)}, None, "approve")], ("ana",), leaves_out_silent=True)
    seats = {"": Seats({"ana": Fraction(1)}, quorum=Fraction(0))}
    assert np.array_equal(verdicts(sums(board, seats), seats[""].quotas), [STRICTNESS["quarantine"]])

"""`explain --flip`: the smallest change that would have turned the verdict (council.md, replay and what-if)."""

from fractions import Fraction

from hypothesis import given, settings
from hypothesis import strategies as st

from council.flip import QuotaFlip, VoteFlip, WeightFlip, flips
from council.merge import Ballot, FiredRule, Seats, merge
from policies.verdicts import VERDICTS, Verdict

FIVE = Seats({member: Fraction(1) for member in "abcde"})


def ballots(*verdicts: Verdict) -> list[Ballot]:
    return [Ballot(member, verdict) for member, verdict in zip("abcde", verdicts, strict=True)]


def test_one_more_objection_would_have_turned_a_lone_one() -> None:
    """One of five at modify is 1/5, below the third; any second objection makes it 2/5."""
    found = flips(FIVE, ballots("approve", "approve", "approve", "approve", "modify"))
    assert found.votes == tuple(VoteFlip(((member, "modify"),), "modify") for member in "abcd")


def test_the_quota_that_would_have_turned_it_is_the_share_itself() -> None:
    found = flips(FIVE, ballots("approve", "approve", "approve", "approve", "modify"))
    assert found.quota == QuotaFlip("modify", Fraction(1, 3), Fraction(1, 5), False, "modify")


def test_the_weight_that_would_have_turned_it_solves_the_share_for_the_quota() -> None:
    """The objector's w / (4 + w) reaches 1/3 at w = 2."""
    found = flips(FIVE, ballots("approve", "approve", "approve", "approve", "modify"))
    assert found.weight == WeightFlip("e", Fraction(1), Fraction(2), False, "modify")


def test_a_verdict_held_by_a_veto_says_that_votes_cannot_turn_it_milder() -> None:
    found = flips(
        FIVE, ballots("approve", "approve", "approve", "approve", "approve"), [FiredRule("canon_lock", "quarantine")]
    )
    assert found.held_by_rules
    assert (found.votes, found.weight, found.quota) == ((), None, None)


def test_nobody_was_asked_so_nothing_about_votes_could_turn_it() -> None:
    assert flips(FIVE, [], [FiredRule("canon_lock", "reject")]).held_by_rules


@settings(max_examples=150, deadline=None)
@given(st.lists(st.sampled_from(VERDICTS), min_size=5, max_size=5), st.lists(st.integers(1, 5), min_size=5, max_size=5))
def test_every_flip_does_turn_the_verdict(verdicts: list[Verdict], weights: list[int]) -> None:
    seats = Seats({member: Fraction(weight) for member, weight in zip("abcde", weights, strict=True)})
    cast = ballots(*verdicts)
    now = merge(seats, cast).verdict
    found = flips(seats, cast)
    for flip in found.votes:
        changed = {ballot.member: ballot for ballot in cast} | {m: Ballot(m, v) for m, v in flip.changes}
        assert merge(seats, list(changed.values())).verdict == flip.verdict != now
    if found.weight is not None:
        nudge = Fraction(1, 10**9) * (1 if found.weight.beyond >= found.weight.weight else -1)
        weight = found.weight.beyond + (nudge if found.weight.is_strict else 0)
        moved = Seats({**seats.weights, found.weight.member: weight})
        assert merge(moved, cast).verdict == found.weight.verdict != now
    if found.quota is not None:
        quota = found.quota.beyond + (Fraction(1, 10**9) if found.quota.is_strict else 0)
        moved = Seats(seats.weights, {**seats.quotas, found.quota.level: quota})
        assert merge(moved, cast).verdict == found.quota.verdict != now

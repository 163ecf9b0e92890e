"""What turned a verdict: the one thing that does it alone, or those that it took."""

from dataclasses import replace
from fractions import Fraction
from typing import Any

from council.merge import Ballot, FiredRule, Seats
from evals.turning import Cause, Footing, explained, turned_by
from policies.verdicts import MEMBERS, Verdict

EQUAL = Seats({member: Fraction(1) for member in MEMBERS})
TWO_REJECT = tuple([Ballot(member, "reject" if at < 2 else "approve") for at, member in enumerate(MEMBERS)])


def footing(verdict: Verdict, seats: Seats = EQUAL, ballots: tuple[Ballot, ...] = TWO_REJECT, **parts: Any) -> Footing:
    return Footing("council", verdict, seats, ballots)._replace(**parts)


def half_for_all() -> Seats:
    return replace(EQUAL, quotas=dict.fromkeys(EQUAL.quotas, Fraction(1, 2)))


def test_a_quota_that_turns_a_verdict_alone_is_named_with_its_shares() -> None:
    # Two of five reject: 2/5 reaches a third and not a half. Members who reject count at modify too, so both quotas must rise.
    why = explained(footing("reject"), footing("approve", half_for_all()))
    assert [cause.name for cause in why.causes] == ["merge.quotas.modify", "merge.quotas.reject"]
    assert {cause.how for cause in why.causes} == {"needed"}
    assert [(level.verdict, level.share_after, level.quota_after) for level in why.levels] == [
        ("reject", Fraction(2, 5), Fraction(1, 2)),
        ("modify", Fraction(2, 5), Fraction(1, 2)),
    ]


def test_a_vote_that_turns_a_verdict_alone_leaves_out_what_changes_nothing() -> None:
    turned = (TWO_REJECT[0], Ballot("fairness", "approve"), *TWO_REJECT[2:])
    other_quorum = replace(EQUAL, quorum=Fraction(1, 2))
    causes = turned_by(footing("reject"), footing("approve", other_quorum, turned))
    assert causes == (Cause("member", "fairness", "votes approve, before votes reject"),)


def test_a_weight_is_told_as_its_part_of_the_mass() -> None:
    # 4 of 8 units reject instead of 2 of 5: a quota of 1/2 is reached.
    heavy = replace(half_for_all(), weights={**EQUAL.weights, "governor": Fraction(4)})
    causes = turned_by(footing("approve", half_for_all()), footing("reject", heavy))
    assert causes == (Cause("member", "governor", "holds 1/2 of the mass, before 1/5"),)


def test_a_rule_that_ends_the_review_is_the_cause_and_the_votes_that_follow_are_not() -> None:
    veto = footing("reject", ballots=(), path="veto", fired=(FiredRule("canon_lock", "reject"),))
    approve = tuple([Ballot(member, "approve") for member in MEMBERS])
    causes = turned_by(veto, footing("approve", ballots=approve))
    assert causes == (Cause("rule", "canon_lock", "canon_lock no longer fires"),)
    back = turned_by(footing("approve", ballots=approve), veto)
    assert back == (Cause("rule", "canon_lock", "canon_lock fires: reject"),)


def test_of_two_vetoes_that_are_gone_both_were_needed() -> None:
    fired = (FiredRule("canon_lock", "reject"), FiredRule("oath", "reject"))
    veto = footing("reject", ballots=(), path="veto", fired=fired)
    causes = turned_by(veto, footing("approve", ballots=tuple([Ballot(member, "approve") for member in MEMBERS])))
    assert [(cause.name, cause.how) for cause in causes] == [("canon_lock", "needed"), ("oath", "needed")]


def test_a_case_that_is_convened_no_more_names_the_reason_that_fell_away() -> None:
    before = footing("reject", convened_by=("sovereign_action",))
    after = Footing("fast", "approve", None)
    assert turned_by(before, after) == (
        Cause("invocation", "sovereign_action", "sovereign_action no longer convenes the council"),
    )


def test_where_the_merge_says_the_same_the_conditions_are_what_differs() -> None:
    asks = (*[Ballot(member, "modify") for member in MEMBERS],)
    before = footing("modify", ballots=asks)
    after = footing("reject", ballots=asks, fired_on_modified=("whale_floor",))
    assert turned_by(before, after) == (Cause("rule", "whale_floor", "whale_floor fires on the modified change"),)


def test_what_an_absent_member_counts_as_is_named() -> None:
    absent = replace(EQUAL, absent_counts_as="modify")
    silent = tuple([Ballot(member, None) if at < 2 else Ballot(member, "approve") for at, member in enumerate(MEMBERS)])
    # Two of five silent: coverage is 3/5 and reaches the quorum; they count at quarantine, or at modify.
    causes = turned_by(footing("quarantine", ballots=silent), footing("modify", absent, silent))
    assert causes == (Cause("number", "merge.absent_counts_as", "merge.absent_counts_as is modify, before quarantine"),)

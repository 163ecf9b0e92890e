"""A jury's whole report: members, what they reach together, and words of caution."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from fractions import Fraction

import pytest

from evals.jury import Ballot, Jury, JuryItem
from evals.jury_merging import Merger, ablate, independent_accuracy, merged_right
from evals.jury_report import JuryReport, jury_report, jury_reports
from policies.verdicts import Verdict
from tests.unit.evals.recorded import shipped

_VERDICTS: Mapping[str, Verdict | None] = {"a": "approve", "m": "modify", "r": "reject", "q": "quarantine", ".": None}


def jury(rows: Sequence[str], members: Sequence[str] = ("ann", "bob", "cyd"), decision_class: str = "") -> Jury:
    """A row is the label, a space, and one letter a member; "." abstains, "-" was not asked."""
    items = []
    for place, row in enumerate(rows):
        label, votes = row.split()
        ballots = {member: Ballot(_VERDICTS[vote]) for member, vote in zip(members, votes, strict=True) if vote != "-"}
        items.append(JuryItem(f"item-{place}", decision_class, ballots, None, _VERDICTS[label]))
    return Jury(tuple(members), tuple(items), "test")


def reported(rows: Sequence[str]) -> JuryReport:
    return jury_report("all", jury(rows), Merger())


def test_a_member_is_judged_by_its_votes_on_labelled_items_alone() -> None:
    found = reported(["r rra", "r a.r", "a ara", "r .-r", ". rrr"])
    ann, bob, _ = found.members
    # ann: r, a, a right twice of three votes on labelled items; she also abstained once.
    assert (ann.asked, ann.abstained) == (5, 1)
    assert ann.accuracy is not None and ann.accuracy.n == 3
    assert ann.accuracy.estimate == pytest.approx(2 / 3)
    assert (ann.unsafe_approvals, ann.needless_holds) == (1, 0)
    assert ann.confusion == {"reject": {"reject": 1, "approve": 1, "abstained": 1}, "approve": {"approve": 1}}
    assert (bob.asked, bob.abstained, bob.needless_holds) == (4, 1, 1)
    # Four labelled items: right twice, wrong once, silent once.
    assert ann.chances == (Fraction(1, 2), Fraction(1, 4), Fraction(1, 4))
    # Always sure, right two times in three: off by a third.
    assert ann.ece == ann.brier == Fraction(1, 3)


def test_equal_weights_take_the_median_of_those_who_voted() -> None:
    merger = Merger()
    cases = {"rra": "reject", "raa": "approve", "r.a": "reject", "..a": "approve", "...": None, "amq": "modify"}
    for votes, verdict in cases.items():
        assert merger.verdict("", jury([f"r {votes}"]).items[0].ballots) == verdict


def test_a_policy_merges_with_its_own_weights_and_quotas() -> None:
    members = ("governor", "fairness", "lore", "narrative", "risk")
    items = jury(["r rraaa", "r raaaa"], members, "sovereign_action").items
    # Five equal members and quotas of a third: two of five can tighten, one cannot.
    assert merged_right(items, Merger(shipped())) == [True, False]
    assert merged_right(items, Merger()) == [False, False]


def test_ablation_shows_who_is_needed() -> None:
    # cyd is right where the others split; without it the tie goes to the stricter.
    rows = ["a raa"] * 10 + ["r rar"] * 2
    found = {each.member: each for each in ablate(jury(rows).labelled, ("ann", "bob", "cyd"), Merger())}
    # Without cyd: r and a tie to reject, so the ten approvals are lost. Without bob: ann and cyd tie alike.
    assert found["cyd"].difference.estimate == pytest.approx(-10 / 12)
    assert found["cyd"].turned == 10
    assert found["cyd"].p_value == pytest.approx(2 / 2**10)
    assert found["ann"].accuracy.estimate == 1


def test_independent_members_would_reach_the_enumerated_accuracy() -> None:
    # All labels reject; each is right 3 times in 4, and all three err on the same quarter. Apart: at least two of three
    # right (a tie cannot be): 27/64 + 3 * 9/64 = 54/64. Together: 3/4.
    items = jury(["r rrr"] * 30 + ["r aaa"] * 10).labelled
    found = independent_accuracy(items, ("ann", "bob", "cyd"), Merger())
    assert found is not None
    apart, gap = found
    assert apart.estimate == pytest.approx(54 / 64)
    assert gap.estimate == pytest.approx(54 / 64 - 3 / 4)
    assert 0 < gap.low < gap.estimate < gap.high


def test_members_that_err_apart_leave_no_gap() -> None:
    # Two members, every combination as often as independence says: right 1/2 each, a quarter of the items a combination.
    # Ties go to the stricter, reject, the label: 3/4 right either way.
    items = jury(["r rr", "r ra", "r ar", "r aa"] * 5, ("ann", "bob")).labelled
    found = independent_accuracy(items, ("ann", "bob"), Merger())
    assert found is not None
    assert found[0].estimate == pytest.approx(3 / 4)
    assert found[1].estimate == pytest.approx(0)


def test_errors_in_common_make_votes_worth_less() -> None:
    together = reported(["r rrr"] * 30 + ["r aaa"] * 10).collective
    assert together is not None
    assert together.mean_correlation == pytest.approx(1)
    assert together.effective_votes == pytest.approx(1)
    # Condorcet's figure for three members of 3/4: 54/64.
    assert together.independent_majority == Fraction(54, 64)


def test_only_members_that_ever_erred_count_towards_effective_votes() -> None:
    # cyd is always right: nothing is known of whom it would err with, and ann and bob are worth one vote, not three.
    found = reported(["r rrr"] * 30 + ["r aar"] * 10).collective
    assert found is not None
    assert found.erring_members == 2
    assert found.effective_votes == pytest.approx(1)


def test_the_best_member_is_set_beside_the_merged_votes() -> None:
    found = reported(["r raa", "r rar", "a aar", "a aaa", "r r.."]).collective
    assert found is not None
    assert (found.best_member, found.best.estimate, found.merged.estimate) == ("ann", 1, 0.8)
    assert found.merged_over_best.estimate == pytest.approx(-0.2)


def test_power_stands_beside_accuracy() -> None:
    found = reported(["r rra"])
    assert found.power == dict.fromkeys(("ann", "bob", "cyd"), Fraction(1, 3))


def test_without_labels_only_agreement_is_told() -> None:
    found = reported([". rra", ". aaa", ". rrr"])
    assert found.collective is None
    assert all(member.accuracy is None and member.chances is None for member in found.members)
    assert found.agreement["Krippendorff alpha, nominal"] is not None
    assert found.cautions == ("no labelled decision: nobody can say who is right, only who agrees with whom",)


def test_few_decisions_are_cautioned_against_in_words() -> None:
    # ann and bob are never wrong; cyd errs 5 times in 12, and 5 flips one way prove nothing.
    found = reported(["r rra"] * 5 + ["r rrr"] * 6 + ["a aaa", ". rrr"])
    assert found.cautions == (
        "12 labelled decisions: no member can be told from another",
        "ann was never wrong in 12: its accuracy lies above 0.76, not at 1",
        "bob was never wrong in 12: its accuracy lies above 0.76, not at 1",
        "ann, bob, cyd: confidence never differs, so it says nothing about single votes",
        "calibration from at most 12 votes a member is mostly noise, 100 are a start",
        "1 of 13 decisions have no settled label and count for agreement only",
    )


def test_members_that_differ_beyond_chance_are_not_called_alike() -> None:
    found = reported(["r rra"] * 40)
    assert not any("told from another" in caution for caution in found.cautions)


def test_verdicts_that_no_label_has_are_named() -> None:
    found = reported(["r rrq", "a aaa"])
    assert "no label says quarantine, though members vote so: how well they do it cannot be known" in found.cautions


def test_every_class_has_a_report_of_its_own_where_asked() -> None:
    both = jury(["r rra"] * 3, decision_class="one")
    other = jury(["a aaa"] * 2, decision_class="two")
    found = jury_reports(both._replace(items=(*both.items, *other.items)), Merger(), by="class")
    assert [(each.group, each.items) for each in found] == [("all", 5), ("one", 3), ("two", 2)]


def test_confidence_that_weighs_leaves_independence_uncounted() -> None:
    policy = shipped()
    weighing = {member: replace(seat, use_confidence=True) for member, seat in policy.members.items()}
    merger = Merger(replace(policy, members=weighing))
    members = ("governor", "fairness", "lore", "narrative", "risk")
    items = jury(["r rraaa"], members, "sovereign_action").items
    assert merger.weighs_confidence
    assert independent_accuracy(items, members, merger) is None


def test_dawid_skene_is_set_against_the_labels() -> None:
    found = reported(["r rrr"] * 6 + ["a aaa"] * 6 + ["r aaa"] * 3).dawid_skene
    assert found is not None and found.labels_matched is not None
    # It believes the three who err together: 12 of 15 labels matched.
    assert found.labels_matched.estimate == pytest.approx(12 / 15)

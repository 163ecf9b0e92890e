"""Tuning: it finds what is there, says so when nothing is, and learns from no one's agreement and no one else's labels."""

from dataclasses import replace
from fractions import Fraction
from random import Random

import numpy as np
import pytest

from council.merge import Seats
from evals.ballot_board import board_of
from evals.errors import EvalsError, NotEnoughError
from evals.jury import Ballot, Jury, JuryItem
from evals.tuning import Tuning, tune
from evals.tuning_trial import held_out
from evals.tuning_ways import Options, Tuner
from policies.verdicts import MEMBERS, VERDICTS, Verdict
from tests.unit.evals.tuned_juries import drawn_jury, equal_seats

QUICK = Options(folds=4, repeats=1)
UNEQUAL = (0.95, 0.6, 0.3, 0.3, 0.0)
"""One member that knows, one that half knows, and three that mostly guess."""


def without_labels(jury: Jury) -> Jury:
    return jury._replace(items=tuple([item._replace(label=None) for item in jury.items]))


def joined(*juries: Jury) -> Jury:
    return juries[0]._replace(items=tuple([item for jury in juries for item in jury.items]))


@pytest.fixture(scope="module")
def found() -> Tuning:
    return tune(drawn_jury(3, 240, UNEQUAL), equal_seats(), QUICK)


def test_unequal_members_get_unequal_weights_and_the_gain_is_shown(found: Tuning) -> None:
    assert found.chosen == "learned"
    assert found.gain.low > 0
    weights = found.scheme.weights["impact_dispute"]
    assert max(weights, key=weights.__getitem__) == MEMBERS[0]
    assert min(weights.values()) == weights[MEMBERS[4]] < weights[MEMBERS[1]]


def test_the_ways_are_compared_on_the_same_held_out_decisions(found: Tuning) -> None:
    assert [each.way for each in found.scored] == ["current", "blind", "quotas", "learned"]
    by_way = {each.way: each for each in found.scored}
    assert by_way["current"].saved is None
    assert found.gain.estimate == pytest.approx(by_way["current"].loss - by_way["learned"].loss)
    assert all(each.accuracy.n == 240 for each in found.scored)


def test_tuning_twice_says_the_same() -> None:
    jury = drawn_jury(5, 60, UNEQUAL)
    assert tune(jury, equal_seats(), QUICK) == tune(jury, equal_seats(), QUICK)


def test_on_pure_noise_no_gain_is_shown_in_at_least_19_of_20_runs() -> None:
    """Votes of skilled and unskilled members, with the labels dealt anew among the items; 40 seeds, so 2 may go wrong."""
    shown, notes = 0, tune(drawn_jury(0, 80, UNEQUAL), equal_seats(), QUICK).notes
    for seed in range(40):
        jury = drawn_jury(seed, 80, UNEQUAL, is_noise=True)
        board = board_of(jury.items, MEMBERS, leaves_out_silent=False)
        tuner = Tuner(board, equal_seats(), notes, QUICK, chooses_quotas=True)
        shown += held_out(tuner, lambda: None).chosen() != "current"
    assert shown <= 2


def test_a_stricter_policy_is_no_gain_where_hearing_nobody_would_do_as_well() -> None:
    """On noise, unsafe approvals at 5 make quarantine for all the cheapest: stricter quotas save much, and hear nothing."""
    jury = drawn_jury(11, 120, UNEQUAL, is_noise=True)
    found = tune(jury, equal_seats(), QUICK)
    by_way = {each.way: each for each in found.scored}
    saved = by_way["quotas"].saved
    assert saved is not None and saved.low > 0
    assert found.chosen == "current" and not found.is_shown
    assert found.scheme.quotas == dict.fromkeys(VERDICTS[1:], Fraction(1, 3))


def test_agreement_alone_teaches_nothing() -> None:
    with pytest.raises(NotEnoughError) as caught:
        tune(without_labels(drawn_jury(1, 100, UNEQUAL)), equal_seats(), QUICK)
    assert "0 labels, and 30 are the least" in caught.value.what
    assert "council eval label" in caught.value.fix


def test_too_few_labels_are_counted_per_class() -> None:
    jury = joined(drawn_jury(1, 29, UNEQUAL), drawn_jury(2, 5, UNEQUAL, decision_class="major_trigger"))
    with pytest.raises(NotEnoughError) as caught:
        tune(jury, equal_seats("impact_dispute", "major_trigger"), QUICK)
    assert "impact_dispute: 29 labels" in caught.value.what and "major_trigger: 5 labels" in caught.value.what


def test_labels_that_are_all_alike_teach_nothing() -> None:
    items = [JuryItem(str(at), "x", {"ana": Ballot("approve")}, None, "approve") for at in range(50)]
    with pytest.raises(NotEnoughError, match="nearly all labels are alike"):
        tune(Jury(("ana",), tuple(items), "s"), {"x": Seats({"ana": Fraction(1)})}, QUICK)


def test_a_class_without_labels_keeps_its_weights_and_with_it_all_keep_their_quotas() -> None:
    seats = equal_seats("impact_dispute", "major_trigger")
    found = tune(drawn_jury(3, 120, UNEQUAL), seats, QUICK)
    assert [(note.decision_class, note.how) for note in found.notes] == [
        ("impact_dispute", "learned"),
        ("major_trigger", "kept"),
    ]
    assert found.fullest.weights["major_trigger"] == seats["major_trigger"].weights
    assert found.fullest.quotas == seats["major_trigger"].quotas
    assert "major_trigger" in found.quotas_kept
    assert "quotas" not in [each.way for each in found.scored]


def test_weights_are_borrowed_only_when_asked_and_it_is_said() -> None:
    seats = equal_seats("impact_dispute", "major_trigger")
    found = tune(drawn_jury(3, 120, UNEQUAL), seats, QUICK._replace(borrows=True))
    borrowed = found.notes[1]
    assert (borrowed.how, borrowed.why) == ("borrowed", "learned from all 120 labels of all classes together")
    assert found.fullest.weights["major_trigger"] == found.fullest.weights["impact_dispute"]
    assert found.quotas_kept == ""


def test_only_the_classes_asked_for_change() -> None:
    jury = joined(drawn_jury(1, 60, UNEQUAL), drawn_jury(2, 60, UNEQUAL, decision_class="major_trigger"))
    seats = equal_seats("impact_dispute", "major_trigger")
    found = tune(jury, seats, QUICK._replace(only=frozenset(["major_trigger"]), borrows=True))
    assert [(note.how, note.why) for note in found.notes] == [("kept", "not asked for"), ("learned", "")]
    assert found.fullest.weights["impact_dispute"] == seats["impact_dispute"].weights
    assert found.fullest.quotas == seats["impact_dispute"].quotas


def test_quotas_stay_when_asked() -> None:
    found = tune(drawn_jury(3, 60, UNEQUAL), equal_seats(), QUICK._replace(keeps_quotas=True))
    assert found.fullest.quotas == equal_seats()["impact_dispute"].quotas
    assert found.quotas_kept == "as asked"


@pytest.mark.parametrize("borrows", [False, True])
def test_a_held_out_item_has_no_say_in_what_it_is_judged_by(borrows: bool) -> None:
    """Turning the labels of one fold changes nothing of what is learned on the others, from a class itself or from all."""
    jury, seats = drawn_jury(7, 200, UNEQUAL), equal_seats("impact_dispute", "major_trigger")
    rows = np.arange(0, 200, 2)
    other = [
        item._replace(label="approve" if item.label != "approve" else "reject") if place % 2 else item
        for place, item in enumerate(jury.items)
    ]
    options = QUICK._replace(calibrates=frozenset(MEMBERS), borrows=borrows)
    notes = tune(jury, seats, options).notes
    schemes = []
    for items in (jury.items, other):
        board = board_of(items, MEMBERS, leaves_out_silent=False)
        schemes.append(Tuner(board, seats, notes, options, chooses_quotas=True).scheme("calibrated", rows))
    assert schemes[0] == schemes[1]
    assert (schemes[0].weights["major_trigger"] != seats["major_trigger"].weights) is borrows


def test_unequal_weights_are_also_held_against_equal_ones() -> None:
    seats = {"impact_dispute": Seats({**dict.fromkeys(MEMBERS, Fraction(1)), "risk": Fraction(3)})}
    found = tune(drawn_jury(3, 60, UNEQUAL), seats, QUICK)
    assert [each.way for each in found.scored] == ["current", "blind", "equal", "quotas", "learned"]


def test_only_quotas_can_be_tuned() -> None:
    seats = {"impact_dispute": replace(equal_seats()["impact_dispute"], rule="median")}
    with pytest.raises(EvalsError, match="only the quota rule"):
        tune(drawn_jury(3, 60, UNEQUAL), seats, QUICK)


def test_members_that_err_together_are_named() -> None:
    jury = drawn_jury(3, 120, UNEQUAL)
    twins = [item._replace(ballots={**item.ballots, "lore": item.ballots["fairness"]}) for item in jury.items]
    found = tune(jury._replace(items=tuple(twins)), equal_seats(), QUICK)
    pair = found.together[0]
    assert (pair.first, pair.second) == ("fairness", "lore")
    assert pair.correlation.estimate == pytest.approx(1)


def claiming_jury(count: int, *, is_honest: bool) -> Jury:
    """Return members whose confidence of 950 goes with votes that are right, and 600 with guesses; or with neither."""
    random = Random(4)
    items = []
    for place in range(count):
        label: Verdict = random.choice(("approve", "reject"))
        ballots: dict[str, Ballot] = {}
        for member in MEMBERS:
            knows = random.random() < 0.5
            verdict: Verdict = label if knows and random.random() < 0.95 else random.choice(("approve", "reject"))
            claims = knows if is_honest else random.random() < 0.5
            ballots[member] = Ballot(verdict, 950 if claims else 600)
        items.append(JuryItem(str(place), "impact_dispute", ballots, None, label))
    return Jury(MEMBERS, tuple(items), "claims")


def test_confidence_is_calibrated_only_where_that_saves_too() -> None:
    options = QUICK._replace(calibrates=frozenset(MEMBERS))
    honest = tune(claiming_jury(400, is_honest=True), equal_seats(), options)
    assert honest.chosen == "calibrated"
    assert set(honest.scheme.tables) == set(MEMBERS)
    for table in honest.scheme.tables.values():
        assert [confidence for confidence, _ in table] == [0, 950]
        assert table[0][1] < 700
        assert table[1][1] > 850
    empty = tune(claiming_jury(400, is_honest=False), equal_seats(), options)
    assert empty.chosen != "calibrated"
    assert not empty.scheme.tables


def test_a_table_never_makes_a_vote_an_abstention() -> None:
    """Every vote that claims 600 is wrong, so its worth would be 0, which would count it as absent at quarantine."""
    items = [
        JuryItem(str(at), "x", {"a": Ballot("reject" if at % 2 else "approve", 600 if at % 2 else 900)}, None,
                 "approve" if at % 2 or at % 4 else "reject")
        for at in range(80)
    ]  # fmt: skip
    board = board_of(items, ("a",), leaves_out_silent=False)
    seats = {"x": Seats({"a": Fraction(1)})}
    notes = tune(Jury(("a",), tuple(items), "s"), seats, QUICK).notes
    tuner = Tuner(board, seats, notes, QUICK._replace(calibrates=frozenset("a")), chooses_quotas=True)
    assert tuner.scheme("calibrated", np.arange(80)).tables["a"][0] == (0, 1)

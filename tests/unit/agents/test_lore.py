"""The lore judge: its table of votes, and cures that work (register rows S0-53, S0-62)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.lore import find_evidence, judge
from policies.evidence import values_of
from policies.signals.lore import SIGNALS, THRESHOLDS
from policies.votes import Vote
from tests.unit.agents.member_cases import FIRE, GAIN, TAKE, Json, case_of, fact, lock, modified
from world.case import Case

LIMITS = {name: spec.default for name, spec in THRESHOLDS.items()}
OPEN = fact("gate-of-ash", "status", "open")


def vote_on(case: Case) -> Vote:
    return judge(case, values_of(find_evidence(case)), LIMITS)


def test_every_signal_found_is_in_the_catalogue_with_its_bounds() -> None:
    found = values_of(
        find_evidence(case_of([OPEN], lore_constraints=[lock("immutable", "gate-of-ash", "status", "sealed")]))
    )
    assert list(found) == [spec.name for spec in SIGNALS]
    assert all(spec.low <= found[spec.name] <= spec.high for spec in SIGNALS)
    assert (found["canon_locks"], found["canon_locks_touched"], found["canon_direct_violations"]) == (1, 1, 1)


def test_a_broken_immutable_lock_is_rejected_by_name_and_effect() -> None:
    vote = vote_on(case_of([GAIN, OPEN], lore_constraints=[lock("immutable", "gate-of-ash", "status", "sealed")]))
    assert (vote.verdict, vote.confidence, vote.modifications) == ("reject", 1000, ())
    assert vote.reasons[0].text == "effect 1 says otherwise than lock 'lock:gate-of-ash' (immutable)"
    assert vote.reasons[0].evidence == ("canon_direct_violations",)


def test_what_only_a_person_may_allow_is_quarantined_even_beside_a_broken_lock() -> None:
    locks = [lock("immutable", "gate-of-ash", "status", "sealed"), lock("requires_human", "t-3", "controller", "veil")]
    vote = vote_on(case_of([OPEN, TAKE], lore_constraints=locks))
    assert vote.verdict == "quarantine"
    assert any("only a person may allow it" in reason.text for reason in vote.reasons)


@pytest.mark.parametrize(
    ("effects", "locks", "dropped"),
    [
        ([GAIN, OPEN], [lock("sealed_until", "gate-of-ash", "status", "sealed", until="season-2")], [1]),
        ([fact("tower", "floor", "3"), GAIN], [lock("monotonic", "tower", "floor", "4")], [0]),
        ([GAIN, fact("vorn", "location", "x")], [lock("immutable", "vorn", "status", "dead")], [1]),
        ([TAKE, GAIN, {**TAKE, "to": "free_cities"}], [], [0, 2]),
        ([TAKE, TAKE], [], [1]),
    ],
)
def test_what_breaks_canon_is_dropped_where_the_rest_stands_alone(
    effects: list[Json], locks: list[Json], dropped: list[int]
) -> None:
    case = case_of(effects, lore_constraints=locks)
    vote = vote_on(case)
    assert [(item.effect, item.drop) for item in vote.modifications] == [(at, True) for at in dropped]
    assert vote_on(modified(case, vote)).verdict == "approve"


def test_nothing_is_salvaged_where_all_of_it_breaks_canon_or_the_actor_is_dead() -> None:
    sealed = [lock("sealed_until", "gate-of-ash", "status", "sealed", until="season-2")]
    assert vote_on(case_of([OPEN], lore_constraints=sealed)).verdict == "reject"
    dead = [lock("immutable", "u-9", "status", "dead")]
    assert vote_on(case_of([GAIN], lore_constraints=dead, actor={"user_id": "u-9"})).verdict == "reject"


def test_nothing_is_salvaged_where_the_rest_breaks_canon_without_what_is_dropped() -> None:
    """Raising the dead is dropped as no growth; without it the dead would stand in the city."""
    effects = [fact("vorn", "status", "alive"), fact("vorn", "location", "grand-gate-city"), GAIN]
    assert vote_on(case_of(effects, lore_constraints=[lock("monotonic", "vorn", "status", "dead")])).verdict == "reject"


def test_a_seal_opens_with_the_trigger_that_is_being_judged() -> None:
    locks = [lock("sealed_until", "gate-of-ash", "status", "sealed", until="age_of_iron")]
    case = case_of([FIRE, OPEN], lore_constraints=locks, decision_type="major_trigger")
    assert vote_on(case).verdict == "approve"
    assert vote_on(case_of([FIRE, OPEN], lore_constraints=locks)).verdict == "quarantine"


def test_words_that_code_cannot_compare_lower_confidence_and_are_told() -> None:
    """(s + 1) / (s + t + 1): one structured and two in words give 2/4."""
    locks = [lock("immutable", "x", "status", "y"), "Archons never appear.", "The Tower has no fixed layout."]
    vote = vote_on(case_of([GAIN], lore_constraints=locks))
    assert (vote.verdict, vote.confidence) == ("approve", 500)
    assert vote.reasons[1].text == "2 constraints in plain words were not judged by rules"
    assert vote_on(case_of([GAIN])).confidence == 1000


def test_many_violations_are_told_shortly_and_counted_whole() -> None:
    effects = [fact(f"s-{i}", "status", "open") for i in range(20)]
    case = case_of(effects, lore_constraints=[lock("immutable", f"s-{i}", "status", "sealed") for i in range(20)])
    assert values_of(find_evidence(case))["canon_direct_violations"] == 20
    assert [len(vote_on(case).reasons), vote_on(case).reasons[-1].text] == [9, "and 12 more"]


modes = st.sampled_from(
    ["immutable", "monotonic", "requires_verdict", "requires_human", "sealed_until", "forbidden_assertion"]
)
names = st.sampled_from(["gate", "vorn", "t-3", "empire"])
words = st.sampled_from(["sealed", "open", "dead", "alive", "3", "4"])
predicates = st.sampled_from(["status", "location", "controller", "through", "capital_of"])
effects_drawn = st.lists(
    st.one_of(st.builds(fact, names, predicates, words), st.sampled_from([GAIN, TAKE, FIRE])), max_size=5
)
locks_drawn = st.lists(st.builds(lock, modes, names, predicates, words), max_size=4)


@given(effects_drawn, locks_drawn)
@settings(max_examples=150)
def test_a_modified_change_never_breaks_canon_again(effects: list[Json], locks: list[Json]) -> None:
    case = case_of(effects, lore_constraints=locks)
    vote = vote_on(case)
    assert (vote.verdict == "approve") == (sum(list(values_of(find_evidence(case)).values())[3:]) == 0)
    if vote.verdict == "modify":
        assert vote_on(modified(case, vote)).verdict == "approve"


@given(effects_drawn, locks_drawn, st.text(alphabet="abc .", max_size=20))
@settings(max_examples=50)
def test_the_words_of_a_player_and_of_a_lock_change_nothing(effects: list[Json], locks: list[Json], told: str) -> None:
    worded = [{**each, "statement": told} for each in locks]
    plain, spoken = case_of(effects, lore_constraints=locks), case_of(effects, lore_constraints=worded, narrative=told)
    assert vote_on(plain) == vote_on(spoken)

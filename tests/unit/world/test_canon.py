"""Canon locks: what each mode allows, and what follows from facts (register rows S0-53, S0-62; domain.md C8)."""

from collections.abc import Sequence

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.agents.member_cases import FIRE, GAIN, TAKE, Json, case_of, fact, lock
from world.canon import examine, grows
from world.canon_terms import plain


def breaches(effects: list[Json], locks: Sequence[Json | str], **fields: object) -> list[tuple[str, str, int | None]]:
    found = examine(case_of(effects, lore_constraints=locks, **fields))
    return [(breach.severity, breach.kind, breach.effect) for breach in found.breaches]


@pytest.mark.parametrize(
    ("mode", "locked", "says", "severity"),
    [
        ("immutable", "sealed", "open", "direct"),
        ("immutable", "sealed", "sealed", None),
        ("immutable", None, "open", "direct"),
        ("monotonic", "9", "10", None),
        ("monotonic", "10", "9", "direct"),
        ("monotonic", "9", "many", "direct"),
        ("monotonic", "floor 1, floor 2", "floor 2, floor 1, floor 3", None),
        ("monotonic", "floor 1, floor 2", "floor 3", "direct"),
        ("monotonic", None, "9", "human"),
        ("sealed_until", "sealed", "open", "direct"),
        ("forbidden_assertion", "archon", "archon", "direct"),
        ("forbidden_assertion", "archon", "mist", None),
        ("forbidden_assertion", None, "mist", "direct"),
        ("requires_human", "sealed", "open", "human"),
        ("requires_human", "sealed", "sealed", None),
        ("requires_verdict", "sealed", "open", None),
    ],
)
def test_each_mode_allows_what_its_table_row_says(
    mode: str, locked: str | None, says: str, severity: str | None
) -> None:
    found = breaches([fact("gate", "seal", says)], [lock(mode, "gate", "seal", locked)])
    assert found == ([] if severity is None else [(severity, "locked", 0)])


def test_a_lock_is_touched_even_where_it_is_not_broken() -> None:
    locks = [lock("immutable", "other", "seal", "x"), lock("requires_verdict", "gate", "seal", "sealed")]
    assert examine(case_of([fact("gate", "seal", "open")], lore_constraints=locks)).touched == (1,)


def test_constraints_in_plain_words_are_counted_and_never_judged() -> None:
    found = examine(
        case_of([fact("gate", "status", "open")], lore_constraints=["The gate stays sealed. Never open it."])
    )
    assert (found.locks, found.texts, found.breaches) == (0, 1, ())


@pytest.mark.parametrize("says", ["Archon", " ARCHON ", "arc\u200bhon", "ａｒｃｈｏｎ"])
def test_spelling_does_not_walk_around_a_lock(says: str) -> None:
    found = breaches([fact("Watcher", "Nature", says)], [lock("forbidden_assertion", "watcher", "nature", "archon")])
    assert found == [("direct", "locked", 0)]


def test_the_own_key_of_a_sovereign_opens_no_seal_without_a_person() -> None:
    effects = [fact("gate", "status", "open"), FIRE]
    locks = [lock("sealed_until", "gate", "status", "sealed", until="age_of_iron")]
    assert breaches(effects, locks) == [("human", "locked", 0)]
    assert breaches(effects, locks, decision_type="major_trigger") == []
    assert breaches(effects[:1], locks, decision_type="major_trigger") == [("direct", "locked", 0)]


def test_a_transfer_says_who_controls_a_territory() -> None:
    assert breaches([GAIN, TAKE], [lock("immutable", "t-3", "owner", "veil")]) == [("direct", "locked", 1)]


def test_a_trigger_says_that_it_fired() -> None:
    assert breaches([FIRE], [lock("requires_human", "age_of_iron", "status", "dormant")]) == [("human", "locked", 0)]


@pytest.mark.parametrize(
    ("effect", "is_deed"),
    [
        (fact("vorn", "location", "grand-gate-city"), True),
        (fact("legion-9", "commander", "vorn"), True),
        (fact("vorn", "remembered_as", "hero"), False),
        (fact("vorn", "status", "dead"), False),
    ],
)
def test_the_dead_do_not_act(effect: Json, is_deed: bool) -> None:
    found = breaches([effect], [lock("immutable", "vorn", "status", "dead")])
    assert found == ([("derived", "dead_acts", 0)] if is_deed else [])


def test_a_dead_actor_and_a_destroyed_faction_that_gains_are_found() -> None:
    locks: list[Json | str] = [
        lock("immutable", "empire", "status", "destroyed"),
        lock("immutable", "u-9", "status", "dead"),
    ]
    found = breaches([GAIN], locks, actor={"user_id": "u-9"})
    assert found == [("derived", "dead_acts", 0), ("derived", "dead_acts", None)]


def test_a_lock_that_forbids_saying_someone_is_dead_does_not_make_them_dead() -> None:
    assert breaches([fact("vorn", "location", "x")], [lock("forbidden_assertion", "vorn", "status", "dead")]) == []


def test_a_revival_that_the_council_may_decide_lets_them_act_again() -> None:
    effects = [fact("vorn", "status", "alive"), fact("vorn", "location", "x")]
    assert breaches(effects, [lock("requires_verdict", "vorn", "status", "dead")]) == []
    assert breaches(effects, [lock("immutable", "vorn", "status", "dead")]) == [("direct", "locked", 0)]


def test_nobody_passes_through_a_sealed_gate() -> None:
    locks: list[Json | str] = [lock("immutable", "gate", "status", "sealed")]
    assert breaches([fact("host", "through", "Gate")], locks) == [("derived", "sealed_way", 0)]
    assert breaches([fact("host", "location", "gate")], locks) == []


def test_a_second_capital_is_found_against_a_lock_and_within_a_change() -> None:
    city = fact("grand-gate-city", "capital_of", "empire")
    assert breaches([city], [lock("immutable", "iron-keep", "capital_of", "empire")]) == [("derived", "exclusive", 0)]
    assert breaches([city, fact("iron-keep", "capital_of", "empire")], []) == [("derived", "exclusive", 1)]


def test_contradicting_effects_are_all_named_and_lists_are_free() -> None:
    pair = [fact("kaen", "status", "active"), fact("kaen", "status", "revealed")]
    assert breaches(pair, []) == [("derived", "contradiction", 0), ("derived", "contradiction", 1)]
    assert breaches([fact("kaen", "ally_of", "sira"), fact("kaen", "ally_of", "thol")], []) == []


def test_a_territory_moves_once_in_a_change() -> None:
    assert breaches([TAKE, TAKE], []) == [("derived", "repeated", 1)]
    other = {**TAKE, "to": "free_cities"}
    assert [kind for _, kind, _ in breaches([TAKE, other], [])] == ["contradiction", "contradiction"]


def test_an_asserted_controller_must_be_the_one_the_change_leads_to() -> None:
    says = fact("t-3", "controller", "empire")
    assert breaches([says], []) == [("derived", "not_controller", 0)]
    assert breaches([TAKE, says], []) == []


def test_growth_needs_both_to_be_numbers_or_both_lists() -> None:
    assert [grows("1/3", "0.5"), grows("2", "two"), grows("two", "2"), grows("a|b", "b, a")] == [
        True,
        False,
        False,
        True,
    ]


@given(st.text(st.characters(exclude_categories=["Cc", "Cs"]), max_size=40))
@settings(max_examples=100)
def test_the_plain_form_is_stable_under_case_and_spaces_at_the_ends(text: str) -> None:
    assert plain(f" {text} ") == plain(text)


@given(
    st.permutations([fact("kaen", "status", "a"), fact("kaen", "status", "b"), fact("x", "status", "c"), TAKE, GAIN])
)
@settings(max_examples=60)
def test_the_order_of_effects_does_not_change_what_is_broken(effects: list[Json]) -> None:
    found = examine(case_of(effects, lore_constraints=[lock("immutable", "x", "status", "d")])).breaches
    assert sorted(breach.kind for breach in found) == ["contradiction", "contradiction", "locked"]


def test_the_largest_request_is_examined_whole() -> None:
    locks = [lock("immutable", f"s-{i}", "status", "sealed") for i in range(256)]
    effects = [fact(f"s-{i}", "status", "open") for i in range(64)]
    assert len(examine(case_of(effects, lore_constraints=locks)).breaches) == 64


def test_of_several_locks_on_one_fact_the_one_that_never_moves_is_named() -> None:
    locks = [lock("monotonic", "gate", "seal", "sealed"), lock("immutable", "gate", "seal", "sealed")]
    found = examine(case_of([fact("gate", "seal", "open")], lore_constraints=locks))
    assert [(breach.mode, breach.lock) for breach in found.breaches] == [("immutable", 1)]
    assert found.touched == (0, 1)

"""What a chapter hears of the world: the laws of selection (domain.md C10; S0-70 to S0-76, S0-117)."""

import math
from collections.abc import Sequence
from itertools import pairwise
from random import Random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.faults import InvalidInputError
from story.context.items import Candidate, OmittedFor, Viewpoint, WorldContext
from story.context.scoring import terms_of
from story.context.selecting import BUDGET, budget_of, select, tokens_of
from tests.unit.story.context_cases import (
    CHAPTER,
    NOW,
    candidate_lists,
    item,
    one_candidate,
    view,
    viewpoints,
)

BUDGETS = st.sampled_from([0, 30, 100, 250, 400])


def ids(context: WorldContext) -> list[str]:
    return [each.candidate.item_id for each in context.items]


def why(context: WorldContext) -> dict[str, OmittedFor]:
    return {each.item_id: each.why for each in context.omitted}


def plain_rel(candidate: Candidate, seen: Viewpoint) -> int:
    """C10's sum, written down once more."""
    steps = [seen.distances[place] for place in candidate.places if place in seen.distances]
    near = 1_000 // (1 + min(steps)) if steps and min(steps) <= 12 else 0
    own = max([seen.involvement.get(name, 0) for name in candidate.entities], default=0)
    age = seen.tick - candidate.tick
    new = int(1_000 * math.exp2(-(age % 8) / 8) + 0.5) >> age // 8
    words = {word for name in candidate.entities for word in (name, *name.replace("_", "-").split("-"))}
    shared, tagged = len(seen.thread_entities & {*candidate.entities}), len(seen.thread_tags & words)
    match = min(1_000, 600 * shared + 200 * tagged)
    return (350 * near + 250 * own + 150 * candidate.magnitude + 150 * new + 100 * match) // 1_000


def plain_passes(each: Candidate, seen: Viewpoint) -> bool:
    steps = min([seen.distances[place] for place in each.places if place in seen.distances], default=99)
    is_near = each.seen_within is not None and steps <= each.seen_within
    is_visible = each.seen_by is None or seen.faction_id in each.seen_by or is_near
    has_reason = each.magnitude >= 700 or bool(seen.thread_entities & {*each.entities})
    is_late_enough = seen.last_global is None or seen.chapter - seen.last_global >= 3
    if not is_visible or (each.scope == "global" and not (has_reason and is_late_enough)):
        return False
    shown = seen.last_shown.get(each.item_id)
    is_new = each.is_event and seen.last_tick is not None and each.tick > seen.last_tick
    is_sticky = is_new or bool(seen.acted & {each.subject, *each.places})
    is_rested = shown is None or seen.chapter - shown > 3 or is_sticky
    is_known = not each.places or seen.tick - each.tick >= steps
    return each.is_must or (is_known and is_rested and plain_rel(each, seen) >= 350)


def plain_select(candidates: Sequence[Candidate], seen: Viewpoint, budget: int) -> list[str]:
    """C10 as a designer would write it down: all gates, then one list, picked from the top."""

    taken: list[Candidate] = []
    order = sorted(
        [each for each in candidates if plain_passes(each, seen)],
        key=lambda one: (not one.is_must, -plain_rel(one, seen), seen.last_shown.get(one.item_id, 0), one.item_id),
    )
    for each in order:
        is_crowded = len(taken) >= 4 and not each.is_must
        is_second = each.scope == "global" and any(one.scope == "global" for one in taken)
        spent = sum(tokens_of(one) for one in taken)
        if each.subject in {one.subject for one in taken} or is_crowded or is_second:
            continue
        if spent + tokens_of(each) <= budget:
            taken.append(each)
    return [each.item_id for each in taken]


@settings(max_examples=400)
@given(candidate_lists(), viewpoints(), BUDGETS)
def test_the_choice_is_the_one_that_the_design_describes(
    candidates: list[Candidate], seen: Viewpoint, budget: int
) -> None:
    assert ids(select(candidates, seen, budget=budget)) == plain_select(candidates, seen, budget)


@given(one_candidate(), viewpoints())
def test_relevance_is_the_designs_sum(candidate: Candidate, seen: Viewpoint) -> None:
    assert terms_of(candidate, seen).relevance == plain_rel(candidate, seen)


@given(candidate_lists(), viewpoints(), BUDGETS)
def test_every_law_of_a_context_holds(candidates: list[Candidate], seen: Viewpoint, budget: int) -> None:
    context = select(candidates, seen, budget=budget)
    chosen = [each.candidate for each in context.items]
    assert context.used == sum(each.tokens for each in context.items) <= budget
    assert len({each.subject for each in chosen}) == len(chosen)
    others = [each for each in chosen if not each.is_must]
    assert len(others) <= 4
    assert len(chosen) <= 4 or all(each.is_must for each in chosen)
    assert sum(each.scope == "global" for each in chosen) <= 1
    assert all(each.terms.relevance >= 350 for each in context.items if not each.candidate.is_must)
    assert {each.item_id for each in candidates} == {*ids(context), *why(context)}
    assert len(context.omitted) == len(candidates) - len(chosen) == len(tuple(context.omitted))


@given(candidate_lists(), viewpoints(), st.randoms(use_true_random=False))
def test_the_order_of_candidates_changes_nothing(candidates: list[Candidate], seen: Viewpoint, shuffle: Random) -> None:
    shuffled = list(candidates)
    shuffle.shuffle(shuffled)
    assert select(shuffled, seen) == select(candidates, seen)


@given(candidate_lists(), one_candidate(), viewpoints())
def test_a_candidate_that_no_gate_lets_through_changes_nothing(
    candidates: list[Candidate], more: Candidate, seen: Viewpoint
) -> None:
    others = [each for each in candidates if each.item_id != more.item_id]
    alone = select([more], seen)
    if not alone.items:
        assert select([*others, more], seen).items == select(others, seen).items


@given(candidate_lists(), viewpoints())
def test_what_is_kept_secret_from_the_player_is_never_chosen(candidates: list[Candidate], seen: Viewpoint) -> None:
    for each in select(candidates, seen).items:
        secret, within = each.candidate.seen_by, each.candidate.seen_within
        steps = [seen.distances[place] for place in each.candidate.places if place in seen.distances]
        is_near = within is not None and bool(steps) and min(steps) <= within
        assert secret is None or seen.faction_id in secret or is_near


@given(st.lists(candidate_lists(), min_size=3, max_size=9), viewpoints())
def test_no_three_chapters_in_a_row_tell_of_the_whole_realm_twice(
    chapters: list[list[Candidate]], seen: Viewpoint
) -> None:
    """Each chapter remembers what the ones before it told."""
    told: list[bool] = []
    seen = seen._replace(last_global=None)
    for candidates in chapters:
        context = select(candidates, seen)
        told.append(any(each.candidate.scope == "global" for each in context.items))
        seen = seen._replace(chapter=seen.chapter + 1, last_global=seen.chapter if told[-1] else seen.last_global)
    assert all(sum(told[at : at + 3]) <= 1 for at in range(len(told)))


@given(candidate_lists(), viewpoints())
def test_what_is_bigger_is_told_as_well(candidates: list[Candidate], seen: Viewpoint) -> None:
    """Growing one chosen item, alone, never loses it to the gates."""
    for each in select(candidates, seen).items:
        bigger = each.candidate._replace(magnitude=1_000)
        assert ids(select([bigger], seen)) == [bigger.item_id]


def test_nothing_is_a_good_answer() -> None:
    assert select([], view()) == WorldContext((), (), BUDGET, 0, "", NOW)


def test_the_terms_are_worked_out_as_the_design_says() -> None:
    """At one step, own part 400, magnitude 900, eight ticks old, one entity and one tag shared.

    350 * 500 + 250 * 400 + 150 * 900 + 150 * 500 + 100 * (600 + 200) = 565,000
    """
    seen = view(involvement={"veil": 400}, thread_entities=frozenset(["mirror-gate"]), thread_tags=frozenset(["gate"]))
    told = item(places=("mirror-gate",), factions=("veil",), magnitude=900, tick=NOW - 8)
    assert terms_of(told, seen) == (500, 400, 900, 500, 800, 565)


def test_each_gate_says_why_and_gives_its_numbers() -> None:
    seen = view(last_shown={"told": CHAPTER - 3}, last_global=CHAPTER - 2)
    candidates = [
        item("secret", seen_by=("empire",), seen_within=1, places=("grand-gate-city",)),
        item("late", places=("grand-gate-city",), tick=NOW - 1),
        item("cut-off", places=("mutation-forest",)),
        item("small", scope="global", magnitude=699),
        item("soon", scope="global", magnitude=700),
        item("dull", places=("grand-gate-city",), tick=NOW - 40, magnitude=100),
        item("told"),
    ]
    context = select(candidates, seen)
    assert context.items == ()
    assert {each.item_id: (each.why, each.told) for each in context.omitted} == {
        "secret": (
            "not_visible", "only empire or whoever is within 1 step of it may know of it; the hero stands with free_cities",
        ),
        "late": ("not_yet_known", "news of tick 99 needs 2 ticks to arrive; it is tick 100"),
        "cut-off": ("not_yet_known", "no road leads from far-wilds to mutation-forest"),
        "small": (
            "global_without_reason",
            "it is of the whole realm, its magnitude is 699 of 700, and no open thread names it",
        ),
        "soon": ("global_too_soon", "chapter 5 told of the whole realm; the next may in chapter 8"),
        "dull": (
            "irrelevant",
            "relevance 136: locality 333, involvement 0, magnitude 100, recency 31, threads 0; 350 are needed",
        ),
        "told": ("cooling_down", "chapter 4 told it; it rests until chapter 8"),
    }  # fmt: skip


def test_each_crowded_out_item_says_by_what() -> None:
    big = {"told": "x" * 1_000}
    candidates = [
        item("a", subject="one", magnitude=1_000),
        item("b", subject="one"),
        item("c", scope="global", magnitude=1_000),
        item("d", scope="global"),
        item("e", facts=big, magnitude=700),
        item("f", magnitude=600),
        item("g", magnitude=500),
        item("h", magnitude=400),
    ]
    context = select(candidates, view(), budget=100)
    assert ids(context) == ["a", "c", "f", "g"]
    assert why(context) == {"b": "same_subject", "d": "too_many_global", "e": "over_budget", "h": "too_many"}
    told = {each.item_id: each.told for each in context.omitted}
    # {"item_id":"e","kind":"control","scope":"local","told":"xxx…"} is 1,059 bytes: 265 tokens; a costs 12, c 13.
    assert told["e"] == "it takes 265 tokens; 75 are left"
    assert told["b"] == "another item tells of one"


def test_of_equal_items_the_one_told_longest_ago_comes_first() -> None:
    """Yarn's rule: never told, then chapter 1, then chapter 2; then by id."""
    candidates = [item("b"), item("a"), item("old"), item("older")]
    seen = view(last_shown={"old": 2, "older": 1})
    assert ids(select(candidates, seen)) == ["a", "b", "older", "old"]


def test_an_item_rests_three_chapters_and_is_told_in_the_fourth() -> None:
    rested = [why(select([item("x")], view(last_shown={"x": CHAPTER - gap}))).get("x") for gap in (1, 2, 3, 4)]
    assert rested == ["cooling_down", "cooling_down", "cooling_down", None]


def test_what_the_player_acts_on_does_not_cool_down() -> None:
    shown = {"x": CHAPTER - 1}
    assert ids(select([item("x")], view(last_shown=shown, acted=frozenset(["far-wilds"])))) == ["x"]
    assert ids(select([item("x")], view(last_shown=shown, acted=frozenset(["mirror-gate"])))) == []


def test_what_happens_again_is_news_again_and_what_goes_on_is_not() -> None:
    seen = view(last_shown={"x": CHAPTER - 1}, last_tick=NOW - 1)
    assert ids(select([item("x", is_event=True)], seen)) == ["x"]
    assert ids(select([item("x", is_event=True, tick=NOW - 1)], seen)) == []
    assert ids(select([item("x")], seen)) == []


def test_the_players_own_news_needs_no_relevance_and_exceeds_the_cap_but_not_the_budget() -> None:
    mine = [item(f"mine-{at}", is_must=True, magnitude=0, tick=NOW - 90, places=()) for at in range(6)]
    context = select([*mine, item("other")], view())
    assert ids(context) == [f"mine-{at}" for at in range(6)]
    assert why(context) == {"other": "too_many"}
    # {"item_id":"mine-0","kind":"control","scope":"local"} is 53 bytes: 14 tokens.
    assert ids(select(mine, view(), budget=30)) == ["mine-0", "mine-1"]


def test_news_arrives_one_step_of_the_map_a_tick() -> None:
    told = item("x", places=("grand-gate-city",), tick=NOW, magnitude=1_000, factions=("veil",))
    seen = view(involvement={"veil": 500})
    assert [ids(select([told], seen._replace(tick=NOW + late))) for late in (0, 1, 2)] == [[], [], ["x"]]


def test_a_thread_that_names_it_lets_something_of_the_whole_realm_in() -> None:
    told = item("x", scope="global", magnitude=300, factions=("veil",))
    assert ids(select([told], view())) == []
    assert ids(select([told], view(thread_tags=frozenset(["veil"])))) == []
    assert ids(select([told], view(thread_entities=frozenset(["veil"])))) == ["x"]


def test_nothing_far_off_and_foreign_is_told_however_big_and_new_it_is() -> None:
    """Size and news are worth 300 together."""
    told = item("x", scope="global", places=(), magnitude=1_000)
    assert why(select([told], view())) == {"x": "irrelevant"}
    assert ids(select([told], view(involvement={"x": 200}))) == ["x"]


def test_the_reason_of_every_omission_is_what_decided() -> None:
    """Leaving out what crowded an item out lets it in."""
    candidates = [item(name, subject=subject) for name, subject in zip("abcdef", "pqrstp", strict=True)]
    context = select(candidates, view())
    assert why(context) == {"e": "too_many", "f": "same_subject"}
    assert "e" in ids(select([each for each in candidates if each.item_id != "a"], view()))


def test_omissions_are_listed_by_how_near_they_came() -> None:
    candidates = [item(f"x-{at}", magnitude=100 * at, subject="one") for at in range(9)]
    context = select(candidates, view())
    relevances = [each.terms.relevance for each in context.omitted if each.terms is not None]
    assert relevances == sorted(relevances, reverse=True)
    assert [each.item_id for each in context.omitted[:2]] == ["x-7", "x-6"]
    assert context.omitted[0] == next(iter(context.omitted))
    assert hash(context.omitted) == hash(tuple(context.omitted))


def test_the_budget_is_a_quarter_of_the_prompt_and_never_more_than_four_hundred() -> None:
    assert [budget_of(tokens) for tokens in (-1, 0, 400, 1_599, 1_600, 9_000)] == [0, 0, 100, 399, 400, 400]
    for budget in (-1, 401):
        with pytest.raises(InvalidInputError, match="0 to 400"):
            select([], view(), budget=budget)


def test_a_far_place_counts_up_to_twelve_steps() -> None:
    """1000 / 13 = 76 at twelve steps, nothing at thirteen."""
    told = item("x")
    found = [terms_of(told, view(distances={"far-wilds": steps})).locality for steps in (0, 3, 12, 13)]
    assert found == [1_000, 250, 76, 0]
    assert all(near > far for near, far in pairwise(found))


def test_a_secret_of_others_is_seen_by_whoever_is_near_enough() -> None:
    seen = view(involvement={"x": 1_000})
    places = {"far-wilds": 0, "mirror-gate": 1, "grand-gate-city": 2}
    told = {name: item("x", places=(name,), tick=NOW - 9, seen_by=("empire",), seen_within=1) for name in places}
    assert [name for name, each in told.items() if select([each], seen).items] == ["far-wilds", "mirror-gate"]
    assert ids(select([told["grand-gate-city"]], seen._replace(faction_id="empire"))) == ["x"]


def test_one_thing_of_the_whole_realm_is_enough_whatever_stands_between() -> None:
    candidates = [
        item("first", scope="global", magnitude=1_000),
        item("second", magnitude=900),
        item("third", scope="global", magnitude=800),
    ]
    assert ids(select(candidates, view())) == ["first", "second"]
    assert why(select(candidates, view())) == {"third": "too_many_global"}


def test_a_tag_of_a_thread_may_tip_the_scales() -> None:
    """At two steps: (350 * 333 + 150 * 720 + 150 * 771) / 1000 = 340; one shared tag is worth 20."""
    told = item("x", places=("grand-gate-city",), magnitude=720, tick=NOW - 3)
    assert why(select([told], view())) == {"x": "irrelevant"}
    assert ids(select([told], view(thread_tags=frozenset(["gate"])))) == ["x"]

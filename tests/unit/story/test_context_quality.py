"""Noise, recall and quiet chapters, measured over generated worlds (issue 6, proof; domain.md C10)."""

from collections.abc import Sequence

import pytest

from story.context.items import Candidate, Chosen, Viewpoint, WorldContext
from story.context.noise import link_of
from story.context.own import Own
from story.context.quality import Quality, measure, quality_to_wire, wilson
from story.context.scoring import terms_of
from story.context.selecting import tokens_of
from tests.unit.story.context_cases import item, view


@pytest.fixture(scope="module")
def quality() -> Quality:
    return measure(worlds=4, players=8, chapters=14)


def test_the_targets_of_the_design_are_met(quality: Quality) -> None:
    assert quality.chapters == 4 * 8 * 14
    assert quality.noise.estimate < 0.05
    assert quality.recall.estimate > 0.95
    assert quality.quiet.estimate >= 0.60
    assert quality.noise.high < 0.05  # not only by luck
    assert quality.recall.low > 0.95
    assert quality.passes


def test_there_was_something_to_choose_from_and_to_leave_out(quality: Quality) -> None:
    """A measure over worlds in which nothing happens would pass whatever is chosen."""
    assert quality.recall.of > 200
    assert {"control", "recap", "verdict"} <= set(quality.kinds)
    assert {"not_yet_known", "not_visible", "cooling_down", "irrelevant", "global_without_reason"} <= set(
        quality.omitted
    )


def test_a_bulletin_of_the_biggest_news_is_noise_and_forgets_what_matters() -> None:
    """The measure fails a choice that knows nothing of the player: the four biggest, newest things of the realm."""

    def bulletin(candidates: Sequence[Candidate], seen: Viewpoint) -> WorldContext:
        order = sorted(candidates, key=lambda each: (-each.magnitude, -each.tick, each.item_id))
        items = [Chosen(each, terms_of(each, seen), tokens_of(each), "") for each in order[:4]]
        return WorldContext(tuple(items), (), 400, 0)

    found = measure(worlds=2, players=6, chapters=14, choose=bulletin)
    assert found.noise.estimate > 0.05
    assert found.recall.estimate < 0.95
    assert not found.passes


def test_the_same_seed_gives_the_same_report_and_another_seed_another() -> None:
    first = quality_to_wire(measure(seed=1, worlds=1, players=2, chapters=6))
    assert first == quality_to_wire(measure(seed=1, worlds=1, players=2, chapters=6))
    assert first != quality_to_wire(measure(seed=2, worlds=1, players=2, chapters=6))


def test_no_chapters_are_no_proof() -> None:
    found = measure(worlds=1, players=0)
    assert (found.chapters, found.passes) == (0, False)


def test_the_interval_is_wilsons() -> None:
    """Newcombe 1998, Statistics in Medicine 17, 857-872, table I, method 3: 81 of 263 and 0 of 20."""
    share = wilson(81, 263)
    assert (round(share.low, 4), round(share.high, 4)) == (0.2553, 0.3662)
    none = wilson(0, 20)
    assert (none.low, round(none.high, 4)) == (0.0, 0.1611)
    assert wilson(20, 20).high == 1.0
    assert wilson(0, 0) == (0, 0, 0.0, 1.0)


def test_the_rubric_names_what_links_an_item() -> None:
    own = Own("u-1", "veil", points={"veil": {"mirror-gate": 5_000}})
    far = item("control/far", places=("mutation-forest",), factions=("veil",))
    assert link_of(far, view(), own) is None  # what its faction does far away is still far away
    assert link_of(item("ranking/veil", places=(), factions=("veil",)), view(), own) == "deed"
    assert link_of(item("control/x", places=("mirror-gate",)), view(), own) == "deed"
    assert link_of(far, view(thread_tags=frozenset(["forest"])), own) == "thread"
    assert link_of(far, view(thread_entities=frozenset(["veil"])), own) == "thread"
    assert link_of(item("control/y", places=("grand-gate-city",)), view(), own) == "place"
    assert link_of(item("recap/u-1", kind="recap", places=()), view(), own) == "deed"

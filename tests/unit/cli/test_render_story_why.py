"""Why a beat was chosen, drawn: what fitted as well is not said to be behind, and an item's numbers stand once."""

from typing import Any

from rich.console import Console

from cli.render_story_why import render_context, render_why

TERMS = {"relevance": 757, "locality": 500, "involvement": 838, "magnitude": 900, "recency": 917, "thread_match": 1000}
TOLD = "relevance 757: locality 500, involvement 838, magnitude 900, recency 917, threads 1000; 73 tokens"
CHOSEN = {"item_id": "verdict/d-1", "terms": TERMS, "why": TOLD, "tokens": 73}


def why(fit: int, rivals: list[list[Any]]) -> dict[str, Any]:
    beat = {
        "number": 1, "storylet": "letter_arrives", "kind": "personal", "purpose": "setup", "mood": "uneasy", "tension": 3,
        "place": "far-wilds", "items": [], "decisions": [],
    }  # fmt: skip
    explained = {"storylet": "letter_arrives", "fit": fit, "terms": {"tension": -1_000}, "rivals": rivals}
    return {
        "plan": {"pacing": "build_up", "chapter_tension": 3, "emotional_arc": "uneasy", "beats": [beat]},
        "beats": [explained], "context": {"chosen": [CHOSEN], "omitted": []}, "objections": [], "writing": [],
        "deeds": [], "tick_number": 1, "snapshot_id": "s-1", "correlation_id": None,
    }  # fmt: skip


def drawn(parts: list[Any]) -> str:
    console = Console(width=200, record=True, file=None, quiet=False)
    with console.capture() as captured:
        console.print(*parts, sep="\n")
    return " ".join(captured.get().split())


def test_what_fits_as_well_is_named_as_such_and_only_the_rest_is_behind() -> None:
    """Within half a step of the best, 500 milli, a draw decides: 200 may be played where 500 was there."""
    told = drawn(render_why(why(200, [["territory_contested", 500], ["quiet_hour", -10]])))
    assert "by lot among what fits within 500 of the best, as territory_contested 500" in told
    assert "ahead of quiet_hour -10" in told
    assert "ahead of territory_contested" not in told


def test_what_fits_best_by_far_is_ahead_of_all() -> None:
    told = drawn(render_why(why(3_000, [["quiet_hour", 2_499]])))
    assert "ahead of quiet_hour 2499" in told
    assert "by lot" not in told


def test_an_items_numbers_stand_once() -> None:
    told = drawn(render_why(why(200, [])))
    assert told.count("locality") == 1
    assert told.count("73 tokens") == 1
    document = {
        "budget": {"used": 73, "tokens": 400}, "chapter": 2, "story_id": "s-1", "tick_number": 1, "chosen": [CHOSEN],
        "omitted": [], "why": {"chosen": [CHOSEN], "omitted": []},
    }  # fmt: skip
    assert drawn(render_context(document)).count("locality") == 1

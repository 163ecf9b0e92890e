"""The beat that a deed was done in: held against the plan, told by the recap, and shown to whoever asks why (S0-73)."""

from typing import Any

import orjson
import pytest

from cli.console import draw
from cli.render_story import deeds_table
from cli.render_story_why import render_why
from cli.story_close import _given
from gateway.story_views import closed_view, why_view
from policies.faults import InvalidInputError
from story.planner.plan import Plan
from story.tale.outcome import Deed
from tests.unit.story.told_stories import TellingRealm, plan_of

PATROL = {"action_type": "patrol_complete", "faction_id": "free_cities"}


async def told() -> tuple[TellingRealm, Plan]:
    realm = await TellingRealm().seed()
    return realm, plan_of(await realm.plan())


async def test_a_beat_that_the_chapter_does_not_have_is_refused_by_its_field_before_anything_is_written() -> None:
    realm, plan = await told()
    beats = len(plan.beats)
    assert beats < 8
    with pytest.raises(InvalidInputError) as refused:
        await realm.close(1, deeds=[{**PATROL, "beat": 1}, {**PATROL, "beat": 8}])

    (fault,) = refused.value.faults
    assert (fault.path, fault.message) == ("/outcome/deeds/1/beat", "the chapter has no beat 8")
    assert fault.fix == f"write 1 to {beats}, or leave it out"
    assert (await realm.tale()).chapter == 0


async def test_a_deed_without_a_place_is_told_where_its_beat_plays() -> None:
    """Without a beat the recap could only say that something was done somewhere."""
    realm, plan = await told()
    last = plan.beats[-1]
    closed = await realm.close(1, deeds=[{**PATROL, "beat": last.number}])
    elsewhere, _ = await told()
    unplaced = await elsewhere.close(1, deeds=[PATROL])

    assert last.place == "contested-borderlands"
    assert "Contested Borderlands" in orjson.loads(closed.chapter.recap or b"")["lines"][0]["text"]
    assert "Contested Borderlands" not in orjson.loads(unplaced.chapter.recap or b"")["lines"][0]["text"]
    act = orjson.loads((await realm.stories.deeds("s-1", 1))[0].candidate)
    assert "target_id" not in act, "what the world counts is what the engine said"


async def test_why_shows_the_beat_that_each_deed_came_from_and_passes_over_those_that_failed(
    capsys: pytest.CaptureFixture[str],
) -> None:
    realm, _ = await told()
    outcome: list[dict[str, Any]] = [
        {**PATROL, "beat": 3, "success": False},
        {**PATROL, "beat": 2},
        {**PATROL, "action_type": "sabotage", "faction_id": "empire"},
    ]
    closed = await realm.close(1, deeds=outcome)
    deeds = await realm.stories.deeds("s-1", 1)
    why = why_view(closed.chapter, deeds)
    draw(*render_why(why))
    drawn = capsys.readouterr().out

    beats = [(each["action_type"], each["beat"]) for each in why["deeds"]]
    assert beats == [("patrol_complete", 2), ("sabotage", None), ("chapter_complete", None)]
    assert [each["beat"] for each in closed_view(closed.chapter, deeds)["deeds"]] == [2, None, None]
    assert drawn.count("done here patrol_complete") == 1
    assert "beat 2" in drawn


def test_deeds_without_beats_have_no_column_for_them(capsys: pytest.CaptureFixture[str]) -> None:
    row = {"action_type": "sabotage", "faction_id": None, "target_id": None, "beat": None, "state": "given_up"}
    draw(deeds_table([{**row, "told": ""}]))
    assert capsys.readouterr().out.split() == ["†", "given", "up", "sabotage"]


@pytest.mark.parametrize(
    ("text", "deed"),
    [
        ("patrol_complete@2", Deed(action_type="patrol_complete", beat=2)),
        (
            "patrol_complete:empire:far-wilds@3",
            Deed(action_type="patrol_complete", faction_id="empire", territory_id="far-wilds", beat=3),
        ),
        ("patrol_complete::far-wilds", Deed(action_type="patrol_complete", territory_id="far-wilds")),
        ("odd@name:empire", Deed(action_type="odd@name", faction_id="empire")),
    ],
)
def test_a_deed_at_the_command_line_may_say_its_beat(text: str, deed: Deed) -> None:
    assert _given([text], [], None, 0).deeds == (deed,)

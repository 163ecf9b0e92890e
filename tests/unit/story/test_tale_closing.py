"""The close of a chapter: what stays of it in the tale, and what an engine may say of it."""

from dataclasses import replace

import pytest

from policies.faults import InvalidInputError
from story.planner.plan import Beat, Plan
from story.tale.closing import close_tale
from story.tale.outcome import ChapterOutcome, Deed, Entered, Moved, PlayerNow, combat_of, events_of, outcome_from
from story.tale.tale import CastMember, Fact, Mention, Promise, Thread
from tests.unit.story.planner_tales import opened

THREAD = Thread("t", "who-burned-the-archive", "a-life", ("far-wilds",), tension=30)
MAREN = CastMember("maren", "Maren", "healer", "far-wilds")
TALE = replace(
    opened(), threads={"t": THREAD}, cast={"maren": MAREN}, facts={}, losses=60, mentions=(Mention("old", -11, True),)
)  # fmt: skip


def _beat(storylet: str, **changes: object) -> Beat:
    beat = Beat(
        1, storylet, "personal", "rising", 5, "dialogue", "calm", 400, "", ("hero", "maren"), "far-wilds", "t", "advanced",
        slots={"hero": "hero", "place": "far-wilds", "npc": "maren", "promise": "keep-the-secret"},
    )  # fmt: skip
    return beat._replace(**changes)  # type: ignore[arg-type]


def _plan(*beats: Beat, **changes: object) -> Plan:
    plan = Plan("s-1", 1, "en", beats, 5, "build_up", "calm", (), (), (), (), "calm", 1)
    return plan._replace(**changes)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("advance", "status", "tension"),
    # 1 for each of the beat's 5 steps of tension; what is paid rests, what is taken up again starts at 20 at least.
    [("advanced", "open", 35), ("paid", "paid", 0), ("paused", "paused", 30), ("opened", "open", 30)],
)
def test_a_thread_goes_on_as_the_beat_says(advance: str, status: str, tension: int) -> None:
    after = close_tale(TALE, _plan(_beat("quiet_hour", advance=advance)), ChapterOutcome())
    assert after.threads["t"] == THREAD._replace(status=status, tension=tension, last_advanced=1)  # type: ignore[arg-type]


def test_a_promise_is_made_kept_and_broken_by_its_beats() -> None:
    made = close_tale(TALE, _plan(_beat("promise_made", promise_id="p")), ChapterOutcome())
    assert made.promises == {"p": Promise("p", "t", "hero", "maren", "keep-the-secret", 1, 6)}
    for storylet, status in (("promise_kept", "kept"), ("promise_broken", "broken")):
        settled = close_tale(made, _plan(_beat(storylet, promise_id="p"), chapter=2), ChapterOutcome())
        assert settled.promises["p"].status == status


def test_whoever_is_there_was_met_and_knows_what_came_out() -> None:
    fact = Fact("a-key/found_at", "a-key", "found_at", "far-wilds", 1)
    after = close_tale(TALE, _plan(_beat("clue_found", facts=(fact.fact_id,)), facts=(fact,)), ChapterOutcome())
    assert after.cast["maren"] == MAREN._replace(met=1, knows=("a-key/found_at",))
    assert after.facts == {"a-key/found_at": fact}


def test_the_dead_are_dead_for_good_and_no_longer_travel_along() -> None:
    joined = close_tale(
        TALE,
        _plan(_beat("quiet_hour")),
        ChapterOutcome(joined=("maren",), entered=(Entered(territory_id="ancient-ruins"),)),
    )
    assert joined.cast["maren"].place == joined.player.place == "ancient-ruins"
    dead = close_tale(joined, _plan(_beat("quiet_hour"), chapter=2), ChapterOutcome(deaths=("maren",)))
    assert dead.cast["maren"].status == "dead"
    assert (dead.facts["maren/status"].value, dead.facts["maren/travels_with"].value) == ("dead", "nobody")
    later = close_tale(dead, _plan(_beat("quiet_hour"), chapter=3), ChapterOutcome(departures=("maren",)))
    assert later.cast["maren"].status == "dead"


def test_mentions_older_than_twelve_chapters_are_forgotten_and_decisions_never() -> None:
    world = _beat(
        "verdict_approved", kind="world", advance="none", thread_id=None, items=("verdict/d-1",), decisions=("d-1",)
    )
    plan = _plan(world, world_changes_used=("verdict/d-1",), verdicts_cited=("d-1",), globals_used=("verdict/d-1",))
    after = close_tale(TALE, plan, ChapterOutcome(), tick=7)
    assert after.mentions == (Mention("verdict/d-1", 1, True),)
    assert (after.decisions, after.tick, after.storylets) == (("d-1",), 7, {"verdict_approved": 1})


def test_losses_fade_by_a_third_a_chapter_and_fights_press_on_the_next() -> None:
    after = close_tale(
        TALE, _plan(_beat("quiet_hour")), ChapterOutcome(losses=20, tags=("duel", "empire_encounter", "rest"))
    )
    assert (after.losses, after.combat, after.tension) == (2 * 60 // 3 + 20, 80, 50)
    assert combat_of(ChapterOutcome(tags=("duel",) * 5)) == 100


def test_the_hero_is_where_the_last_way_led_unless_the_player_went_elsewhere() -> None:
    crossing = _beat("crossing", slots={"hero": "hero", "place": "far-wilds", "destination": "ancient-ruins"})
    assert close_tale(TALE, _plan(crossing), ChapterOutcome()).player.place == "ancient-ruins"
    elsewhere = ChapterOutcome(entered=(Entered(territory_id="bleeding-gate"),), player=PlayerNow(act=3, notoriety=60))
    after = close_tale(TALE, _plan(crossing), elsewhere)
    assert (after.player.place, after.player.notoriety, after.arc.act) == ("bleeding-gate", 60, 3)
    assert events_of(elsewhere, {"bleeding-gate": "empire"}).entered == (("bleeding-gate", "empire"),)


@pytest.mark.parametrize(
    ("tags", "said", "cleared"),
    [(("floor_2_completed", "floor_1_completed"), None, 2), (("duel",), None, 1), (("floor_3_completed",), 0, 0)],
)
def test_a_floor_that_a_tag_calls_completed_is_cleared_unless_the_engine_says_a_number(
    tags: tuple[str, ...], said: int | None, cleared: int
) -> None:
    """Document 004: the Watcher comes when the player completes floor 1 of the Tower (S4-17)."""
    tale = replace(TALE, player=replace(TALE.player, floors_cleared=1))
    outcome = ChapterOutcome(tags=tags, player=PlayerNow(floors_cleared=said))
    assert close_tale(tale, _plan(_beat("quiet_hour")), outcome).player.floors_cleared == cleared


def test_a_plan_of_another_story_or_chapter_and_strangers_are_refused_all_at_once() -> None:
    plan = _plan(_beat("quiet_hour"), story_id="s-2", chapter=4)
    with pytest.raises(InvalidInputError) as refused:
        close_tale(
            TALE, plan, ChapterOutcome(deaths=("nemo",), moved=(Moved(entity_id="nemo", territory_id="far-wilds"),))
        )
    paths = [fault.path for fault in refused.value.faults]
    assert paths == ["/plan/story_id", "/plan/chapter", "/outcome/deaths/0", "/outcome/moved/0"]


def test_an_outcome_is_read_as_an_engine_sends_it() -> None:
    document = {
        "deeds": [{"action_type": "patrol_complete", "beat": 2}],
        "tags": ["duel"],
        "player": {"act": 2},
        "losses": 5,
    }
    expected = ChapterOutcome(
        deeds=(Deed(action_type="patrol_complete", beat=2),), tags=("duel",), losses=5, player=PlayerNow(act=2)
    )
    assert outcome_from(document) == expected
    assert outcome_from({}) == ChapterOutcome()


@pytest.mark.parametrize(
    ("document", "path"),
    [
        ([], ""),
        ({"losses": 101}, "/losses"),
        ({"losses": "5"}, "/losses"),
        ({"losses": True}, "/losses"),
        ({"loss": 5}, "/loss"),
        ({"deeds": [{}]}, "/deeds/0/action_type"),
        ({"deeds": [{"action_type": "x", "points": 900}]}, "/deeds/0/points"),
        ({"player": {"act": 5}}, "/player/act"),
        ({"tags": [""]}, "/tags/0"),
        ({"text": "x" * 20_001}, "/text"),
    ],
)
def test_what_is_no_outcome_is_refused_with_its_place(document: object, path: str) -> None:
    with pytest.raises(InvalidInputError) as refused:
        outcome_from(document)
    assert [fault.path for fault in refused.value.faults] == [path]
    assert all(fault.fix and "see the contract" not in fault.fix for fault in refused.value.faults)

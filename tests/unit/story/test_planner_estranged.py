"""After somebody was accused, or was told of a broken promise, no friendly beat with them follows in the same chapter."""

from tests.unit.story.planner_tales import chapters

HARSH = ("accusation", "promise_broken")


def test_nobody_sits_down_to_supper_with_whom_the_chapter_accused() -> None:
    seen = 0
    for seed in range(30):
        for _, planned in chapters(seed, 12):
            fallen_out: set[str] = set()
            for beat in planned.plan.beats:
                npc = beat.slots.get("npc")
                assert npc not in fallen_out, (seed, planned.plan.chapter, beat.number)
                if beat.storylet in HARSH and npc is not None:
                    fallen_out.add(npc)
            seen += bool(fallen_out)
    assert seen > 5

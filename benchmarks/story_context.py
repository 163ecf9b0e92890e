"""What a chapter hears of a world of 10,000 candidates: under 10 ms, against a plain sort of the same scores.

The peers know every score beforehand and only sort: the bare numbers, and rows of score, last chapter and id as the pick order
wants them. Candidates lie in 400 territories; in the first world the hero's thread and deeds touch a few of them, in the second
everything lies at the hero's feet, so that all of it is relevant, and the third is the worst case: nobody lets the hero know of
anything, so that all is looked at in vain.

python -m benchmarks.story_context [--json]
"""

import gc
import sys
import time
from collections.abc import Callable, Sequence
from functools import partial
from typing import Any, Final

from benchmarks.report import Row, print_report
from policies.draws import Draws
from story.context.items import Candidate, Viewpoint, WorldContext
from story.context.scoring import terms_of
from story.context.selecting import select

CANDIDATES: Final = 10_000
TERRITORIES: Final = tuple([f"territory-{number}" for number in range(400)])
FACTIONS: Final = tuple([f"faction-{number}" for number in range(8)])
NOW: Final = 1_000
ROUNDS: Final = 15
BOUND_MS: Final = 10
_WORLDS: Final = (("a wide world", 40, False), ("everything at hand", 1, False), ("all kept secret", 40, True))
"""Name, steps from end to end, whether all is kept secret."""


def measure() -> list[Row]:
    """Time the selection in both worlds, each beside its sorts, and the listing of everything that was left out."""
    rows = []
    for what, steps, is_secret in _WORLDS:
        candidates, view = _candidates(Draws(7), is_secret=is_secret), _viewpoint(steps)
        scores = [terms_of(each, view).relevance for each in candidates]
        keyed = [(-score, 0, each.item_id) for score, each in zip(scores, candidates, strict=True)]
        relevant = sum(score >= 350 for score in scores)
        choose = partial(select, candidates, view)
        ours, bare, sort = _together(choose, partial(sorted, scores), partial(sorted, keyed))
        bound = f"< {BOUND_MS} ms"
        rows.append(Row(f"{what}, {relevant:,} relevant: select", _told(ours), "1.00", bound))
        rows.append(Row("  a sort of the rows it would pick from", _told(sort), f"{sort / ours:.2f} x ours", ""))
        rows.append(Row("  a sort of the bare scores", _told(bare), f"{bare / ours:.2f} x ours", ""))
        (listing,) = _together(partial(_with_omissions, choose), rounds=3)
        rows.append(Row("  select, and every omission with its reason", _told(listing), "", ""))
    return rows


def _candidates(draws: Draws, *, is_secret: bool) -> list[Candidate]:
    found = [_candidate(number, draws) for number in range(CANDIDATES)]
    return [each._replace(seen_by=()) for each in found] if is_secret else found


def _candidate(number: int, draws: Draws) -> Candidate:
    place = draws.one_of(TERRITORIES, "place", number)
    sides = tuple(sorted({draws.one_of(FACTIONS, "side", number, side) for side in range(2)}))
    is_global = draws.below(10, "global", number) == 0
    return Candidate(
        item_id=f"control/{place}/{number}",
        kind="control",
        subject=place,
        scope="global" if is_global else "local",
        magnitude=draws.between(0, 1_000, "magnitude", number),
        tick=NOW - draws.below(30, "age", number),
        places=() if is_global else (place,),
        factions=sides,
        entities=(place, *sides),
        seen_by=sides if draws.below(5, "secret", number) == 0 else None,
        facts={"territory": place, "controller": sides[0], "change": "war", "rival": sides[-1]},
    )


def _viewpoint(steps: int) -> Viewpoint:
    """A hero in the first territory of a world so many steps wide."""
    return Viewpoint(
        user_id="u-1",
        place=TERRITORIES[0],
        faction_id=FACTIONS[1],
        chapter=20,
        tick=NOW,
        distances={place: number * steps // len(TERRITORIES) for number, place in enumerate(TERRITORIES)},
        involvement={TERRITORIES[0]: 600, TERRITORIES[3]: 250, FACTIONS[1]: 700},
        thread_entities=frozenset([TERRITORIES[5], FACTIONS[2]]),
        thread_tags=frozenset(["gate", "territory-9"]),
        last_shown={},
        last_global=15,
    )


def _together(*works: Callable[[], Any], rounds: int = ROUNDS) -> Sequence[float]:
    """Return the best CPU time of each in seconds, turn and turn about, so that a busy machine slows all of them alike."""
    best = [float("inf")] * len(works)
    for _ in range(rounds):
        for at, work in enumerate(works):
            gc.collect()
            started = time.process_time()
            work()
            best[at] = min(best[at], time.process_time() - started)
    return best


def _with_omissions(choose: Callable[[], WorldContext]) -> int:
    return len(tuple(choose().omitted))


def _told(seconds: float) -> str:
    return f"{seconds * 1_000:.1f} ms"


if __name__ == "__main__":
    print_report("What a chapter hears of 10,000 candidates", measure(), as_json="--json" in sys.argv)

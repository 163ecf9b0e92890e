"""Planning a chapter without a model: chapters a second on one core, counted in processor time.

    python -m benchmarks.story_planning [--json] [--chapters N] [--rounds N]

Tales go on chapter by chapter, so that early and late chapters are both in it, each with four items of news, a verdict of every
kind among them, and threats on stage. Beside it, what the close of a chapter and the check of every invariant take.
"""

import argparse
import time
from collections.abc import Callable, Sequence
from dataclasses import replace
from statistics import median
from typing import Final, NamedTuple, TypeVar

from benchmarks.report import Row, print_report
from policies.draws import Draws
from story.context.items import Candidate, Chosen, HeardVerdict, ItemKind, Terms, WorldContext
from story.planner.invariants import faults_of_plan
from story.planner.plan import Plan
from story.planner.planning import Planned, plan_chapter
from story.planner.pools import load_pools
from story.planner.storylets_document import load_storylets
from story.tale.closing import close_tale
from story.tale.opening import open_tale
from story.tale.outcome import ChapterOutcome
from story.tale.tale import Tale
from story.threat.environment import ThreatEnvironment
from story.threat.staging import Stage, on_stage
from world.realm.rules_document import default_world_path, load_world

Item = TypeVar("Item")
BOUND: Final = 200
"""Chapters a second."""
LENGTH: Final = 20
"""Chapters of one tale."""
_WORLD: Final = load_world(default_world_path())
_REALM: Final = _WORLD.new_realm("realm-1")
_POOLS: Final = load_pools()
_STORYLETS: Final = load_storylets()
_THREAT: Final = ThreatEnvironment((1, 2), "vorn", watcher_active=True, enforcement_intensity=45, tower_instability=35)


class _Case(NamedTuple):
    """What one chapter is planned from."""

    tale: Tale
    context: WorldContext
    verdicts: tuple[HeardVerdict, ...]
    stages: tuple[Stage, ...]


def main() -> None:
    """Run the benchmark and print its table or JSON."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--chapters", type=int, default=200)
    parser.add_argument("--rounds", type=int, default=5)
    args = parser.parse_args()
    cases = _cases(args.chapters)
    plans = [_plan(case).plan for case in cases]
    both = list(zip(cases, plans, strict=True))
    rates = {
        "planning a chapter": _rate(cases, _plan, args.rounds),
        "closing it": _rate(both, _closed, args.rounds),
        "checking every invariant": _rate(both, _checked, args.rounds),
    }
    bounds = {"planning a chapter": f">= {BOUND} /s"}
    rows = [
        Row(f"{what}, {1e3 / rate:.2f} ms each", f"{rate:,.0f} /s", "", bounds.get(what, ""))
        for what, rate in rates.items()
    ]
    title = (
        f"Planning {args.chapters:,} chapters of tales of {LENGTH}, one core, processor time, median of {args.rounds}"
    )
    print_report(title, rows, as_json=args.json)


def _cases(count: int) -> list[_Case]:
    """Return chapters of tales that go on, each tale with a seed of its own."""
    cases: list[_Case] = []
    while len(cases) < count:
        seed = len(cases)
        tale = open_tale(
            f"s-{seed}", "realm-1", "u-1", hero_name="Ari", language="en", faction_id="free_cities", place="far-wilds",
            archetype="seeker", seed=seed, pools=_POOLS, realm=_REALM,
        )  # fmt: skip
        for _ in range(LENGTH):
            case = _case(replace(tale, threat=_THREAT), seed)
            cases.append(case)
            tale = close_tale(case.tale, _plan(case).plan, ChapterOutcome())
    return cases[:count]


def _case(tale: Tale, seed: int) -> _Case:
    chapter = tale.chapter + 1
    verdicts = (
        HeardVerdict(f"d-{chapter}a", "approve", "sovereign_action", "far-wilds", "empire", chapter),
        HeardVerdict(
            f"d-{chapter}m", "modify", "sovereign_action", "far-wilds", "veil", chapter, ("The garrison leaves first.",)
        ),
        HeardVerdict(
            f"d-{chapter}r", "reject", "sovereign_action", "ancient-ruins", "empire", chapter, (), "dominance"
        ),
        HeardVerdict(f"d-{chapter}q", "quarantine", "sovereign_action", "ancient-ruins", "empire", chapter),
    )
    items = [_item(f"verdict/{each.decision_id}", "verdict", each.subject, each.decision_id) for each in verdicts]
    items.append(_item("ranking/empire", "ranking", "empire", None, faction="empire", direction="rises"))
    stages = on_stage(tale.threat, tale.player, signs=_POOLS.signs, draws=Draws(seed), chapter=chapter)
    return _Case(tale, WorldContext(tuple(items), (), 400, 200), verdicts, stages)


def _item(item_id: str, kind: ItemKind, subject: str, decision: str | None, **facts: str) -> Chosen:
    candidate = Candidate(
        item_id, kind, subject, "local", 500, 1, (subject,), (), (subject,), facts=facts, decision_id=decision
    )
    return Chosen(candidate, Terms(500, 100, 500, 500, 0, 500), 40, "")


def _plan(case: _Case) -> Planned:
    return plan_chapter(
        case.tale, case.context, case.verdicts, stages=case.stages, locks=_WORLD.locks, pools=_POOLS, storylets=_STORYLETS,
        seed=1, realm=_REALM,
    )  # fmt: skip


def _closed(both: tuple[_Case, Plan]) -> Tale:
    return close_tale(both[0].tale, both[1], ChapterOutcome())


def _checked(both: tuple[_Case, Plan]) -> None:
    case, plan = both
    faults = faults_of_plan(
        plan, case.tale, case.context, case.verdicts, stages=case.stages, locks=_WORLD.locks, realm=_REALM
    )
    assert not faults, faults


def _rate(items: Sequence[Item], work: Callable[[Item], object], rounds: int) -> float:
    """Return how many items are done in a second of processor time: the median of some rounds."""
    rates = []
    for _ in range(rounds):
        started = time.process_time()
        for item in items:
            work(item)
        rates.append(len(items) / (time.process_time() - started))
    return median(rates)


if __name__ == "__main__":
    main()

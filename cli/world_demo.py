"""`council world demo`: a day in a realm, played in seconds and told."""

import asyncio
import logging
from typing import Annotated, Any

import typer

from cli.console import draw, progress
from cli.options import AsJson, PolicyFile
from cli.output import write_json
from cli.render_world_day import render_day
from cli.running import new_app
from cli.world_opening import WorldFile, world_file
from evals.statistics.intervals import wilson
from gateway.settings import read_settings
from world.demo.day import DAY, SEED, Setting, play_day
from world.demo.tale import DayReport, chosen_recaps
from world.persistence.memory import MemoryStore

app = new_app()


@app.command()
def demo(
    *,
    ticks: Annotated[int, typer.Option("--ticks", min=1, max=960, metavar="N", help="How many; a day has 96.")] = DAY,
    seed: Annotated[int, typer.Option("--seed", help="Another seed is another day.")] = SEED,
    world: WorldFile = None,
    policy: PolicyFile = None,
    as_json: AsJson = False,
) -> None:
    """Play a day in a realm with simulated people, and tell it.

    Guilds, casual players, a whale with alts, bots and replayers act; the pipeline judges them, the realm ticks, the real council
    decides what it is asked, in this process and by its rules. The same seed tells the same day. Nothing is kept.
    """
    report = day(seed, ticks, world, policy)
    if as_json:
        write_json(day_document(report))
    else:
        draw(*render_day(report))


def day(seed: int, ticks: int, world: str | None, policy: str | None) -> DayReport:
    """Play a day with a council of its own, which keeps its decisions in memory: nothing of the day is to stay."""
    # Late: the council loads LangGraph, which --help must not wait for.
    from gateway.bootstrap import open_council  # noqa: PLC0415
    from gateway.in_process import InProcessReviewClient  # noqa: PLC0415

    async def play() -> DayReport:
        settings = read_settings(database_url="memory://", policy_path=policy)
        council = await open_council(settings)
        try:
            reviews = InProcessReviewClient(council.service)
            setting = Setting(world_file(world, settings), MemoryStore(), reviews, seed, ticks)
            with progress("ticks of the day", ticks) as step:
                return await play_day(setting, on_tick=step)
        finally:
            await council.close()

    logging.getLogger("world").addHandler(logging.NullHandler())
    return asyncio.run(play())


def day_document(report: DayReport) -> dict[str, Any]:
    """Return a day as one JSON document: shares in ppm, points in milli-points."""
    catch = report.catch()
    return {
        "realm_id": report.realm_id,
        "seed": report.seed,
        "ticks": report.ticks,
        "hash": report.hash,
        "shares": report.shares,
        "meters": report.meters,
        "conflicts": [{**each._asdict(), "rounds": [one._asdict() for one in each.rounds]} for each in report.fights],
        "territory_changes": [each._asdict() for each in report.moves],
        "triggers": [each._asdict() for each in report.fired],
        "decisions": [each._asdict() for each in report.heard],
        "accounts": [
            {**each._asdict(), "player": _player(each.player), "is_caught": each.is_caught} for each in report.tallies
        ],
        "exploiters": {
            **catch._asdict(),
            "precision": wilson(catch.caught, catch.caught + catch.falsely),
            "recall": wilson(catch.caught, catch.caught + catch.missed),
        },
        "recaps": [each._asdict() for each in chosen_recaps(report)],
    }


def _player(player: Any) -> dict[str, Any]:
    return {**player._asdict(), "plan": player.plan.name if player.plan is not None else None}

"""`council eval prompts`: one suite over versions of prompts and models, as a matrix."""

import asyncio
import re
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, cast

import typer

from cli.console import draw, progress
from cli.errors import CliError
from cli.exits import Exit
from cli.options import AsJson
from cli.output import note, write_json
from cli.policy_files import policy_path
from cli.render_prompts import render_matrix
from cli.running import new_app
from cli.suite_runs import CLOCK
from council.moments import iso
from evals.gates import judge_gates
from evals.model_council import models_council
from evals.prompt_matrix import Cell, Figures, Matrix, Standing, matrix_of
from evals.prompt_versions import PromptVersion, read_versions
from evals.results import CaseResult, Mode, Run
from evals.run_headers import header_of
from evals.run_log import in_order
from evals.runner import PARALLEL, run_tasks
from evals.statistics.intervals import Interval
from evals.suite import Suite
from evals.suite_document import load_suite
from evals.tasks import Selection, Task, tasks_of
from gateway.settings import key_variables, read_settings
from policies.faults import did_you_mean
from policies.loading import load_policy
from policies.policy import Policy

app = new_app()
MODES: Final = ("live", "cassette")
POLICY_MODELS: Final = "the policy's"


@app.command()
def prompts(
    suite: Annotated[Path, typer.Argument(metavar="SUITE", help="Suite file; docs/evals/suites.md explains it.")],
    *,
    versions: Annotated[
        list[Path] | None,
        typer.Option("--prompts", metavar="DIR", help="A version of the prompts, or 'shipped'; may be repeated."),
    ] = None,
    models: Annotated[
        list[str] | None,
        typer.Option("--models", metavar="SPEC", help="Models, as COUNCIL_MODELS has them; may be repeated."),
    ] = None,
    mode: Annotated[str, typer.Option("--mode", "-m", metavar="MODE", help="live or cassette: who answers.")] = "live",
    policy: Annotated[
        str | None, typer.Option("--policy", "-p", metavar="FILE", help="Instead of the suite's, or the one in force.")
    ] = None,
    cassette: Annotated[
        Path | None, typer.Option("--cassette", metavar="FILE", help="Replay it (cassette), or record into it (live).")
    ] = None,
    repeat: Annotated[int, typer.Option("--repeat", "-k", min=1, max=1000, help="Judge every case so often.")] = 1,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=256, help="Cases whose models are asked at once.")
    ] = PARALLEL,
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="Only cases with this tag.")] = None,
    case: Annotated[list[str] | None, typer.Option("--case", "-c", metavar="ID", help="Only this case.")] = None,
    as_json: AsJson = False,
) -> None:
    """Run one suite over versions of prompts and models, and show how each combination fares against the first.

    A directory holds prompt files as agents/prompts does; what it lacks is the shipped file. The first --prompts with the
    first --models is the baseline. One cassette serves all combinations: record it with --mode live --cassette FILE, and
    every later look at it costs nothing. Differences are tested case by case (exact McNemar), corrected for how many
    combinations there are.

    Exit 0: every combination judged every case. 2: something could not be judged.
    """
    if mode not in MODES:
        raise CliError(f"unknown mode {mode!r}", did_you_mean(mode, MODES))
    if mode == "cassette" and cassette is None:
        raise CliError(
            "mode cassette replays a cassette, and none is named", "--cassette FILE; --mode live records one"
        )
    read = read_versions(versions or [])
    loaded = load_suite(suite, load_policy(policy_path(policy)) if policy is not None else None)
    chosen = _policies(policy or (str(loaded.policy) if loaded.policy is not None else None), models or [])
    tasks = tasks_of(loaded, decisions=None, selection=Selection(tuple(tag or ()), tuple(case or ())), repeats=repeat)
    plan = Plan(loaded, tasks, cast("Mode", mode), cassette, repeat, parallel)
    note(f"council: {len(read)} prompts × {len(chosen)} models × {len(tasks)} results")
    with progress("combinations", len(read) * len(chosen) * len(tasks)) as advance:
        cells = asyncio.run(_cells(plan, read, chosen, advance))
    matrix = matrix_of(cells)
    if mode == "cassette":  # what was measured is the replay
        matrix = matrix._replace(figures=tuple([each._replace(p50_ms=None, p95_ms=None) for each in matrix.figures]))
    if as_json:
        write_json(_document(matrix, cells, read))
    else:
        draw(*render_matrix(matrix, read, mode=mode, suite=loaded.suite_id))
    if any(figures.unjudged for figures in matrix.figures):
        raise typer.Exit(Exit.UNJUDGED)


class Plan(NamedTuple):
    """What every combination has in common."""

    suite: Suite
    tasks: tuple[Task, ...]
    mode: Mode
    cassette: Path | None
    repeats: int
    parallel: int


def _policies(file: str | None, specs: Sequence[str]) -> dict[str, Policy]:
    """Return the policy with each choice of models laid over it, by the choice as it was written."""
    if len(set(specs)) < len(specs):
        raise CliError("the same models are named twice", "name every choice once")
    if specs:
        return {spec: load_policy(policy_path(file), spec) for spec in specs}
    spec = read_settings().models
    return {spec or POLICY_MODELS: load_policy(policy_path(file), spec)}


def _without_urls(spec: str) -> str:
    """Return a choice of models as it may be shown: a URL may hold a password."""
    return ",".join(re.split("@https?://", entry.strip())[0] for entry in spec.split(","))


async def _cells(
    plan: Plan, versions: Sequence[PromptVersion], chosen: Mapping[str, Policy], advance: Callable[[], None]
) -> list[Cell]:
    """Run every combination, one after the other: together they would share an endpoint's limits and slow each other."""
    found = []
    for version in versions:
        for spec, policy in chosen.items():
            found.append(Cell(version.name, _without_urls(spec), await _run(plan, version, policy, advance)))
    return found


async def _run(plan: Plan, version: PromptVersion, policy: Policy, advance: Callable[[], None]) -> Run:
    header = header_of(
        plan.suite, policy, plan.mode, plan.tasks, repeats=plan.repeats, selection=Selection(),
        started_at=iso(CLOCK.now()), version="", prompts=version.folder,
    )  # fmt: skip
    results: list[CaseResult] = []

    def done(result: CaseResult) -> None:
        results.append(result._replace(record=None))
        advance()

    is_live = plan.mode == "live"
    roads = {"record": plan.cassette} if is_live else {"replay": plan.cassette}
    keys = key_variables() if is_live else {}
    async with models_council(policy, CLOCK, keys, **roads, prompts=version.folder) as decide:
        await run_tasks(plan.tasks, decide, done, parallel=plan.parallel)
    ordered = in_order(header, results)
    return Run(header, ordered, judge_gates(plan.suite.gates, ordered, is_narrowed=True), is_complete=True)


def _document(matrix: Matrix, cells: Sequence[Cell], versions: Sequence[PromptVersion]) -> dict[str, Any]:
    return {
        "prompts": [
            {"name": version.name, "folder": str(version.folder), "changed": version.changed} for version in versions
        ],
        "level": matrix.level,
        "combinations": [
            {**_figures(figures), "policy": cell.run.header.policy_hash, "prompt_hashes": cell.run.header.prompts}
            for figures, cell in zip(matrix.figures, cells, strict=True)
        ],
        "against_the_first": [_standing(standing) for standing in matrix.standings],
        "best": matrix.best,
    }


def _figures(figures: Figures) -> dict[str, Any]:
    return {
        **figures._asdict(),
        "accuracy": _interval(figures.accuracy),
        "by_axis": {axis: _interval(found) for axis, found in figures.by_axis.items()},
        "cost_usd": str(figures.cost_usd),
    }


def _standing(standing: Standing) -> dict[str, Any]:
    change = standing.change
    return {
        "prompts": standing.prompts,
        "models": standing.models,
        "lost": change.lost if change else None,
        "gained": change.gained if change else None,
        "difference": _interval(change.difference) if change else None,
        "p_value": change.p_value if change else None,
        "corrected_p_value": standing.corrected,
        "is_different": standing.is_different,
    }


def _interval(found: Interval | None) -> dict[str, Any] | None:
    return found._asdict() if found is not None else None

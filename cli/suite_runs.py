"""Suites judged from the command line: where decisions, models and logs come from, and how far a run has come."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from contextlib import AbstractAsyncContextManager, asynccontextmanager, contextmanager, nullcontext
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError
from importlib.metadata import version as version_of
from pathlib import Path
from typing import Final, NamedTuple

from cli.console import progress
from cli.eval_sources import decisions_from
from cli.output import note
from council.moments import iso
from evals.exports import ExportFile
from evals.gates import judge_gates
from evals.modes import Clock, Decide, by_rules, from_records
from evals.results import CaseResult, Gate, Mode, Run, RunHeader
from evals.run_headers import header_of
from evals.run_log import RunLog, in_order, open_log
from evals.runner import run_tasks
from evals.suite import Suite
from evals.tasks import Selection, Task, tasks_of
from gateway.settings import key_variables
from policies.policy import Policy

CLOCK: Final = Clock(lambda: datetime.now(UTC), time.perf_counter)


class Options(NamedTuple):
    """What the command was called with."""

    mode: Mode
    policy: str | None
    models: str | None
    cassette: Path | None
    source: str | None
    database: str | None
    repeats: int
    parallel: int
    out: Path | None
    selection: Selection


def judge_suite(
    suite: Suite, policy: Policy, options: Options
) -> tuple[RunHeader, tuple[CaseResult, ...], tuple[Gate, ...]]:
    """Judge a suite under a policy, going on with the log of `options.out` where it was begun.

    Returns:
        The run's header, its results in the order of the suite without their records, and how its gates fare.

    Raises:
        EvalsError: where there is nothing to judge, or the log is of another run.
    """
    with _source(suite, options) as source:
        tasks = tasks_of(
            suite,
            decisions=source,
            selection=options.selection,
            repeats=options.repeats,
            with_cases=options.mode != "recorded",
        )
        header = header_of(
            suite, policy, options.mode, tasks, repeats=options.repeats, selection=options.selection,
            started_at=iso(CLOCK.now()), version=_version(),
        )  # fmt: skip
        log = open_log(options.out, header) if options.out is not None else None
        if isinstance(log, Run):
            note(f"council: {options.out} holds this run already; nothing was run again")
            return log.header, log.results, log.gates
        with log if log is not None else nullcontext():
            return _run(suite, policy, options, source, tasks, header, log)


def _run(
    suite: Suite,
    policy: Policy,
    options: Options,
    source: ExportFile | None,
    tasks: tuple[Task, ...],
    header: RunHeader,
    log: RunLog | None,
) -> tuple[RunHeader, tuple[CaseResult, ...], tuple[Gate, ...]]:
    results = [result._replace(record=None) for result in log.done] if log is not None else []
    judged = {(result.case, result.repeat) for result in results}
    left = [task for task in tasks if (task.subject.case, task.subject.repeat) not in judged]
    if judged:
        note(f"council: {len(judged)} of {len(tasks)} results are in {options.out}; going on with the rest")
    with progress(suite.suite_id, len(tasks)) as advance:
        advance(len(judged))

        def done(result: CaseResult) -> None:
            if log is not None:
                log.append(result)
            results.append(result._replace(record=None))  # the log keeps it; here it would fill the memory
            advance()

        try:
            asyncio.run(_decide(left, policy, options, source, done))
        except KeyboardInterrupt:
            if log is not None:
                note(f"council: stopped; {len(results)} of {len(tasks)} results are kept, the same command goes on")
            raise
    ordered = in_order(header, results)
    gates = judge_gates(suite.gates, ordered, is_narrowed=bool(header.selection))
    if log is not None and not any(result.error for result in ordered):
        log.close(len(ordered), gates)
    return log.header if log is not None else header, ordered, gates


async def _decide(
    tasks: list[Task], policy: Policy, options: Options, source: ExportFile | None, done: Callable[[CaseResult], None]
) -> None:
    async with decider(policy, options, source) as decide:
        await run_tasks(tasks, decide, done, parallel=options.parallel)


@asynccontextmanager
async def decider(policy: Policy, options: Options, source: ExportFile | None) -> AsyncIterator[Decide]:
    """Open whatever decides cases in the chosen mode."""
    match options.mode:
        case "rules":
            yield by_rules(policy, CLOCK)
        case "recorded":
            assert source is not None
            yield from_records(policy, source)
        case "cassette":
            async with _models(policy, {}, replay=options.cassette) as decide:
                yield decide
        case "live":
            async with _models(policy, key_variables(), record=options.cassette) as decide:
                yield decide


def _models(
    policy: Policy, keys: Mapping[str, str], *, replay: Path | None = None, record: Path | None = None
) -> AbstractAsyncContextManager[Decide]:
    from evals.model_council import models_council  # noqa: PLC0415 - the graph and the models' client take seconds

    return models_council(policy, CLOCK, keys, replay=replay, record=record)


@contextmanager
def _source(suite: Suite, options: Options) -> Iterator[ExportFile | None]:
    """Open what queries choose from: nothing where the suite has none, or where nobody says whose decisions."""
    is_named = options.source is not None or options.database is not None
    if not suite.queries or not (is_named or options.mode == "recorded"):
        if suite.queries:
            note(
                "council: its queries are left out: --from EXPORT or --database URL says which decisions they choose from"
            )
        yield None
        return
    with decisions_from(options.source, options.database) as source:
        yield source


def _version() -> str:
    try:
        return version_of("world-council")
    except PackageNotFoundError:
        return "from source"

"""The runner: decides the cases of a run side by side and hands every result on as soon as it is known."""

import asyncio
from collections.abc import Callable, Iterable, Iterator

from evals.case_results import unjudged
from evals.modes import Decide
from evals.results import CaseResult
from evals.tasks import Task

PARALLEL = 8
"""Cases under way at once unless told otherwise. Only models take time that others can use; rules are as fast one by one."""


async def run_tasks(
    tasks: Iterable[Task], decide: Decide, done: Callable[[CaseResult], None], *, parallel: int = PARALLEL
) -> None:
    """Decide every case.

    A case that breaks the council is a result that could not be judged: it takes no other result with it.

    Args:
        tasks: in the order in which they are begun.
        done: takes each result, in the order in which they are known.
        parallel: cases under way at once, at least 1.
    """
    waiting = iter(tasks)
    async with asyncio.TaskGroup() as workers:
        for _ in range(parallel):
            workers.create_task(_work(waiting, decide, done))


async def _work(waiting: Iterator[Task], decide: Decide, done: Callable[[CaseResult], None]) -> None:
    for task in waiting:
        done(await _judged(task, decide))
        await asyncio.sleep(0)  # rules never wait, and the keyboard must get a word in


async def _judged(task: Task, decide: Decide) -> CaseResult:
    try:
        return await decide(task)
    except Exception as error:  # noqa: BLE001 - whatever it is, it belongs to one case
        return unjudged(task.subject, f"{type(error).__name__} while the case was decided: {error}")

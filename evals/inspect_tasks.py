"""Suites as tasks of inspect-ai: `inspect eval evals/inspect_tasks.py@council_suite -T suite=FILE --model none`.

The council decides, so inspect's own model is never asked. Needs the extra `evals`.
"""

import os
import time
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import orjson
from inspect_ai import Task, task
from inspect_ai.dataset import MemoryDataset, Sample
from inspect_ai.model import ModelOutput
from inspect_ai.scorer import Score, Scorer, Target, accuracy, scorer, stderr
from inspect_ai.solver import Generate, Solver, TaskState, solver
from pydantic import TypeAdapter

from evals.errors import EvalsError
from evals.exports import ExportFile, open_export
from evals.inspect_samples import EXPECTED_SCORE, LABEL_SCORE, MODEL, answer_text, metadata_of, scores_of
from evals.modes import Clock, Decide, by_rules, from_records
from evals.results import CaseResult
from evals.run_log import line_of
from evals.suite_document import load_suite
from evals.tasks import Selection, tasks_of
from evals.tasks import Task as CaseTask
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy

CLOCK: Final = Clock(lambda: datetime.now(UTC), time.perf_counter)
_RESULT: Final = "council_result"
_READ: Final = TypeAdapter(CaseResult)


@task
def council_suite(
    suite: str,
    mode: str = "rules",
    policy: str | None = None,
    models: str | None = None,
    cassette: str | None = None,
    export: str | None = None,
) -> Task:
    """Judge the cases of a suite; inspect's epochs are the repeats.

    Budgets of the policy hold per case here; `council eval run` holds them over the whole run.

    Args:
        suite: suite file.
        mode: rules, recorded, cassette or live, as `council eval run --mode` has them.
        policy: policy file; the suite's own, or the one that ships, unless given.
        models: models over the policy's, as COUNCIL_MODELS has them.
        cassette: calls that mode cassette replays.
        export: recorded decisions that the suite's queries choose from.

    Raises:
        EvalsError: for a mode that there is not, or one that lacks what it needs.
        InvalidFileError: where the suite or the export is faulty.
    """
    source = open_export(export) if export is not None else None
    read = load_suite(Path(suite))
    decides = load_policy(policy or read.policy or default_policy_path(), models)
    council = _Council(decides, mode, Path(cassette) if cassette is not None else None, source)
    cases = tasks_of(read, decisions=source, selection=Selection(), repeats=1, with_cases=mode != "recorded")
    return Task(
        dataset=MemoryDataset([_sample(case) for case in cases], name=read.suite_id),
        solver=council_decides({case.subject.case: case for case in cases}, council),
        scorer=[matches_label(), meets_expectations()],
        name=read.suite_id,
        version=read.content_hash[:12],
        fail_on_error=False,
        metadata={"mode": mode, "policy": decides.policy_id, "policy_hash": decides.content_hash},
    )


@solver
def council_decides(cases: Mapping[str, CaseTask], council: "_Council") -> Solver:
    """Decide a sample's case by the council, and keep its result for the scorers."""

    async def solve(state: TaskState, generate: Generate) -> TaskState:
        case = cases[str(state.sample_id)]
        repeat = state.epoch - 1
        key = f"{case.request_key.rpartition('/')[0]}/{repeat}"
        async with council.decider() as decide:
            result = await decide(replace(case, subject=case.subject._replace(repeat=repeat), request_key=key))
        if result.error:
            raise EvalsError(result.error)
        state.store.set(_RESULT, _written(result))
        state.metadata = metadata_of(result)
        state.output = ModelOutput.from_content(model=MODEL, content=answer_text(result))
        state.completed = True
        return state

    return solve


@scorer(metrics=[accuracy(), stderr()], name=LABEL_SCORE)
def matches_label() -> Scorer:
    """Whether the verdict is the case's label."""
    return _scored(LABEL_SCORE, "the case has no label")


@scorer(metrics=[accuracy(), stderr()], name=EXPECTED_SCORE)
def meets_expectations() -> Scorer:
    """Whether every expectation of the case holds."""
    return _scored(EXPECTED_SCORE, "nothing is expected of the case")


class _Council:
    """Opens what decides, once per case: inspect-ai has no place to close it after the last one."""

    def __init__(self, policy: Policy, mode: str, cassette: Path | None, export: ExportFile | None) -> None:
        if mode not in ("rules", "recorded", "cassette", "live"):
            raise EvalsError(f"unknown mode {mode!r}", "name rules, recorded, cassette or live")
        if mode == "cassette" and cassette is None:
            raise EvalsError("mode cassette replays a cassette, and none is named", "-T cassette=FILE")
        if mode == "recorded" and export is None:
            raise EvalsError("mode recorded judges recorded decisions, and none are named", "-T export=FILE")
        self._policy, self._mode, self._cassette, self._export = policy, mode, cassette, export

    @asynccontextmanager
    async def decider(self) -> AsyncIterator[Decide]:
        """Open whatever decides cases in the chosen mode."""
        if self._mode == "rules":
            yield by_rules(self._policy, CLOCK)
            return
        if self._mode == "recorded":
            assert self._export is not None
            yield from_records(self._policy, self._export)
            return
        from evals.model_council import models_council  # noqa: PLC0415 - the graph and the models' client take seconds

        keys = dict(os.environ) if self._mode == "live" else {}
        async with models_council(self._policy, CLOCK, keys, replay=self._cassette) as decide:
            yield decide


def _sample(case: CaseTask) -> Sample:
    subject = case.subject
    text = case.read.canonical.decode() if case.read is not None else case.error
    return Sample(id=subject.case, input=text, target=subject.label or "")


def _scored(name: str, otherwise: str) -> Scorer:
    async def score(state: TaskState, target: Target) -> Score:
        result = _READ.validate_python(state.store.get(_RESULT))
        return scores_of(result).get(name) or Score.unscored(answer=result.verdict, explanation=otherwise)

    return score


def _written(result: CaseResult) -> Any:
    """Return a result as plain JSON, without its record: inspect-ai keeps the store in its log."""
    return orjson.loads(line_of(result._replace(record=None)._asdict()))

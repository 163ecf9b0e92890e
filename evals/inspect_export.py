"""A run log as a log of inspect-ai, so that `inspect view` shows it beside other evaluations.

Needs the extra `evals`; importing it takes a second or more.
"""

import os
import re
from collections.abc import Sequence
from contextlib import suppress
from importlib.metadata import version as version_of
from pathlib import Path
from statistics import fmean

from inspect_ai.log import (
    EvalConfig,
    EvalDataset,
    EvalLog,
    EvalMetric,
    EvalResults,
    EvalSample,
    EvalScore,
    EvalSpec,
    EvalStats,
    write_eval_log,
)
from inspect_ai.scorer import CORRECT

from evals.errors import EvalsError
from evals.inspect_samples import EXPECTED_SCORE, LABEL_SCORE, MODEL, sample_of
from evals.results import Run, RunHeader

_UNFIT = re.compile(r"[^A-Za-z0-9._-]+")


def export_run(run: Run, directory: Path) -> Path:
    """Write a run as a log of inspect-ai into a directory, which is made where it is missing.

    The file is JSON, for the same run gives the same bytes; writing again replaces it whole.

    Raises:
        EvalsError: where it cannot be written.
    """
    header = run.header
    stamp = _UNFIT.sub("-", header.started_at)
    path = directory / f"{stamp}_{_UNFIT.sub('-', header.suite)}_{_UNFIT.sub('-', header.run_id)}.json"
    partial = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        directory.mkdir(parents=True, exist_ok=True)
        write_eval_log(log_of(run), partial, format="json")
        partial.replace(path)
    except OSError as error:
        with suppress(OSError):
            partial.unlink()
        told = f"cannot write to {str(directory)!r}: {(error.strerror or str(error)).lower()}"
        raise EvalsError(told, "name a directory that you may write to") from None
    return path


def log_of(run: Run) -> EvalLog:
    """Return a run as a log of inspect-ai; a run that is not finished is one that was cancelled."""
    header = run.header
    samples = [sample_of(result, header.run_id) for result in run.results]
    return EvalLog(
        status="success" if run.is_complete else "cancelled",
        eval=_spec(header, samples),
        results=_results(samples),
        stats=EvalStats(started_at=header.started_at, completed_at=header.started_at),
        samples=samples,
    )


def _spec(header: RunHeader, samples: Sequence[EvalSample]) -> EvalSpec:
    ids = list(dict.fromkeys(str(sample.id) for sample in samples))
    return EvalSpec(
        eval_id=header.run_id,
        run_id=header.run_id,
        created=header.started_at,
        task=header.suite,
        task_id=header.suite_hash[:22],
        task_version=header.suite_hash[:12],
        dataset=EvalDataset(name=header.suite, samples=len(ids), sample_ids=ids),
        model=f"{MODEL}/{header.policy_id}-{header.policy_version}",
        config=EvalConfig(epochs=header.repeats),
        packages={"inspect_ai": version_of("inspect-ai"), "world-council": header.version},
        metadata={
            "mode": header.mode,
            "policy": f"{header.policy_id} version {header.policy_version}",
            "policy_hash": header.policy_hash,
            "suite_hash": header.suite_hash,
            "models": dict(header.models),
            "prompts": dict(header.prompts),
        },
    )


def _results(samples: Sequence[EvalSample]) -> EvalResults:
    scores = [_score(name, samples) for name in (LABEL_SCORE, EXPECTED_SCORE)]
    judged = sum(sample.error is None for sample in samples)
    return EvalResults(
        total_samples=len(samples), completed_samples=judged, scores=[score for score in scores if score.scored_samples]
    )


def _score(name: str, samples: Sequence[EvalSample]) -> EvalScore:
    values = [sample.scores[name].value == CORRECT for sample in samples if sample.scores and name in sample.scores]
    metrics = {"accuracy": EvalMetric(name="accuracy", value=fmean(values))} if values else {}
    return EvalScore(
        name=name, scorer=name, scored_samples=len(values), unscored_samples=len(samples) - len(values), metrics=metrics
    )

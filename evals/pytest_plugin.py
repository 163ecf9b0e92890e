"""Suites as pytest items: every case and every gate of `*.suite.yaml` is a test of its own name.

    pytest -p evals.pytest_plugin suites/ [--council-policy FILE] [--council-cassette FILE]

Cases are judged by rules, or with a cassette by the models recorded on it; a test never asks a live model. Tags, axis and
decision type are keywords: `-k exploit`.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from evals.errors import EvalsError
from evals.gates import judge_gates
from evals.modes import Clock, by_rules
from evals.results import CaseResult, Gate
from evals.runner import run_tasks
from evals.stories import story
from evals.suite import Suite
from evals.suite_document import load_suite
from evals.tasks import Selection, Task, tasks_of
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError

ENDING = ".suite.yaml"
_CLOCK = Clock(lambda: datetime.now(UTC), time.perf_counter)


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options of suites."""
    group = parser.getgroup("council", "suites of the council")
    group.addoption("--council-policy", metavar="FILE", help="policy to judge suites by, instead of their own")
    group.addoption("--council-cassette", metavar="FILE", help="cassette that the members' models answer from")


def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> "SuiteFile | None":
    """Collect suites, and leave every other file alone."""
    if not file_path.name.endswith(ENDING):
        return None
    found: SuiteFile = SuiteFile.from_parent(parent, path=file_path)
    return found


class CaseFailedError(Exception):
    """a case failed an expectation, or could not be judged

    Args:
        lines: why, as `council eval run` tells it.
    """

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        super().__init__("\n".join(lines))


class SuiteFile(pytest.File):
    """One suite; it is judged whole when the first of its items runs."""

    def collect(self) -> Iterator[pytest.Item]:
        """Yield an item per case, then one per gate.

        Raises:
            pytest.Collector.CollectError: naming every fault of the suite or the policy.
        """
        suite, policy = self._loaded()
        judged = _Judged(suite, policy, self.config.getoption("--council-cassette"))
        for case in suite.cases:
            item = CaseItem.from_parent(self, name=case.case_id, judged=judged)
            item.extra_keyword_matches.update({*case.tags, case.decision_type, *([case.axis] if case.axis else [])})
            yield item
        if suite.cases:
            for gate in suite.gates:
                yield GateItem.from_parent(self, name=gate.text, judged=judged)

    def _loaded(self) -> tuple[Suite, Policy]:
        chosen = self.config.getoption("--council-policy")
        try:
            policy = load_policy(chosen) if chosen else None
            suite = load_suite(self.path, policy)
            return suite, policy or load_policy(suite.policy or default_policy_path())
        except (EvalsError, InvalidPolicyError) as error:
            raise self.CollectError(str(error)) from None


class _Judged:
    """The results of a suite, judged when they are first asked for."""

    def __init__(self, suite: Suite, policy: Policy, cassette: str | None) -> None:
        self.suite = suite
        self._policy = policy
        self._cassette = cassette
        self._results: dict[str, CaseResult] = {}

    def result(self, case_id: str) -> CaseResult:
        return self._all()[case_id]

    def gate(self, text: str) -> Gate:
        gates = judge_gates(self.suite.gates, list(self._all().values()))
        return next(gate for gate in gates if gate.gate == text)

    def _all(self) -> dict[str, CaseResult]:
        if not self._results:
            asyncio.run(self._judge())
        return self._results

    async def _judge(self) -> None:
        tasks = tasks_of(self.suite, decisions=None, selection=Selection(), repeats=1)
        if self._cassette is None:
            await run_tasks(tasks, by_rules(self._policy, _CLOCK), self._keep)
        else:
            await self._replay(tasks, Path(self._cassette))

    async def _replay(self, tasks: tuple[Task, ...], cassette: Path) -> None:
        from evals.model_council import models_council  # noqa: PLC0415 - the models' client takes seconds to load

        async with models_council(self._policy, _CLOCK, {}, replay=cassette) as decide:
            await run_tasks(tasks, decide, self._keep)

    def _keep(self, result: CaseResult) -> None:
        self._results[result.case] = result._replace(record=None)


class _SuiteItem(pytest.Item):
    def __init__(self, *, judged: _Judged, **attributes: Any) -> None:
        super().__init__(**attributes)
        self.judged = judged

    def repr_failure(self, excinfo: pytest.ExceptionInfo[BaseException], style: Any = None) -> Any:
        """Return the story of a case, or what is wrong with the question; a defect of ours keeps its traceback."""
        if isinstance(excinfo.value, CaseFailedError):
            return "\n".join(excinfo.value.lines)
        if isinstance(excinfo.value, EvalsError):
            return str(excinfo.value)
        return super().repr_failure(excinfo, style)


class CaseItem(_SuiteItem):
    """One case."""

    def runtest(self) -> None:
        """Fail where the case was not judged, or does not meet an expectation."""
        result = self.judged.result(self.name)
        if not result.passed:
            raise CaseFailedError(story(result, self.judged.suite))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return where the case stands."""
        case = self.judged.suite.case(self.name)
        assert case is not None
        return Path(case.file), case.line - 1, self.name


class GateItem(_SuiteItem):
    """One gate, over all cases of its suite."""

    def runtest(self) -> None:
        """Fail where the gate does not hold, or nothing can be measured."""
        gate = self.judged.gate(self.name)
        if not gate.passed:
            found = "nothing to measure" if gate.value is None else f"found {gate.value:.4g}"
            raise CaseFailedError((f"the gate {gate.gate} does not hold: {found}",))

    def reportinfo(self) -> tuple[Path, int, str]:
        """Return the suite's file."""
        return self.path, 0, self.name

"""Metamorphic checks run: every case decided once as it is and once per variant, and compared as results come in."""

from collections.abc import Callable, Iterator, Sequence
from typing import NamedTuple

from evals.metamorphic import Relation
from evals.metamorphic_judging import (
    Sampled,
    Seen,
    Subjected,
    Tried,
    Violation,
    compared,
    moved_signals,
    original_task,
    seen_of,
    variants,
)
from evals.modes import Decide
from evals.results import CaseResult, Mode
from evals.runner import PARALLEL, run_tasks
from evals.tasks import Task
from policies.policy import Policy


class Unanswered(NamedTuple):
    """A request, or a variant of one, that could not be decided."""

    case_id: str
    relation: str
    """"" where it is the request itself."""
    error: str


class Findings(NamedTuple):
    """What came of the checks."""

    tried: tuple[Tried, ...]
    """Per relation, in the order of the relations."""
    violations: tuple[Violation, ...]
    """In the order of relations, cases, samples."""
    unanswered: tuple[Unanswered, ...]


class _Ledger:
    """Keeps what is needed of results as they come in, and nothing of what held."""

    def __init__(self, relations: Sequence[Relation], mode: Mode, policy: Policy) -> None:
        self._relations = relations
        self._mode = mode
        self._policy = policy
        self.originals: dict[str, Seen] = {}
        self.under_way: dict[str, tuple[Sampled, str]] = {}
        self.violations: list[Violation] = []
        self.unanswered: list[Unanswered] = []
        self.counts: dict[str, dict[str, int]] = {
            relation.name: dict.fromkeys(("checked", "not_applicable", "unjudged", "broken"), 0)
            for relation in relations
        }

    def original(self, result: CaseResult) -> None:
        seen = seen_of(result, {})
        if seen is None:
            self.unanswered.append(Unanswered(result.case, "", result.error))
        else:
            self.originals[result.case] = seen

    def variant(self, result: CaseResult) -> None:
        sampled, case_id = self.under_way.pop(result.case)
        relation, count = sampled.relation, self.counts[sampled.relation.name]
        before, after = self.originals.get(case_id), seen_of(result, sampled.variant.old_names)
        if before is None or after is None:
            count["unjudged"] += 1
            if after is None:
                self.unanswered.append(Unanswered(case_id, relation.name, result.error))
            return
        count["checked"] += 1
        broken = compared(relation, before, after, mode=self._mode, policy=self._policy)
        if broken:
            count["broken"] += 1
            moved = moved_signals(before, after)
            self.violations.append(Violation(relation.name, case_id, sampled.sample, broken, before, after, moved))

    def findings(self, cases: Sequence[Subjected]) -> Findings:
        order = {relation.name: at for at, relation in enumerate(self._relations)}
        places = {case.case_id: at for at, case in enumerate(cases)}
        ranked = sorted(self.violations, key=lambda found: (order[found.relation], places[found.case_id], found.sample))
        tried = [Tried(name, **count) for name, count in self.counts.items()]
        unanswered = sorted(self.unanswered, key=lambda each: (places[each.case_id], order.get(each.relation, -1)))
        return Findings(tuple(tried), tuple(ranked), tuple(unanswered))


async def check_relations(
    cases: Sequence[Subjected],
    relations: Sequence[Relation],
    decide: Decide,
    *,
    policy: Policy,
    mode: Mode,
    seed: int,
    samples: int,
    parallel: int = PARALLEL,
    done: Callable[[], None] = lambda: None,
) -> Findings:
    """Decide every case and every variant of it, and return where a relation did not hold.

    Args:
        cases: with ids of their own each.
        done: called after every decision.
    """
    ledger = _Ledger(relations, mode, policy)

    def take(keep: Callable[[CaseResult], None]) -> Callable[[CaseResult], None]:
        def taken(result: CaseResult) -> None:
            keep(result)
            done()

        return taken

    await run_tasks([original_task(case) for case in cases], decide, take(ledger.original), parallel=parallel)
    await run_tasks(_begun(cases, relations, ledger, seed, samples), decide, take(ledger.variant), parallel=parallel)
    return ledger.findings(cases)


def _begun(
    cases: Sequence[Subjected], relations: Sequence[Relation], ledger: _Ledger, seed: int, samples: int
) -> Iterator[Task]:
    """Yield the tasks of variants one by one, made only when a worker is free to decide them."""
    for case in cases:
        for each in variants([case], relations, seed=seed, samples=samples):
            if isinstance(each, Sampled):
                ledger.under_way[each.task.subject.case] = (each, case.case_id)
                yield each.task
            else:
                ledger.counts[each[0]]["not_applicable"] += 1

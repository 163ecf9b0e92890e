"""What a run is to judge: every case of a suite, and every recorded decision that its queries take, once per repeat."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from evals.case_results import Subject
from evals.decisions import Decision
from evals.errors import NotEnoughError
from evals.suite import Case, Query, Suite, Where
from policies.canonical import canonical_json
from policies.contracts.reading import ReadRequest, read_request
from policies.faults import InvalidInputError, did_you_mean


@dataclass(frozen=True, slots=True)
class Task:
    """One case in one of its repeats.

    Attributes:
        subject: what its result is about.
        read: its request; None where a recorded one is no longer valid, which `error` then says.
        request_key: what its record is filed under.
        decision: the recorded decision that it is, of a query.
        error: why it cannot be judged.
    """

    subject: Subject
    read: ReadRequest | None
    request_key: str
    decision: Decision | None = None
    error: str = ""


class Selection(NamedTuple):
    """Which cases of a suite are run; empty takes all."""

    tags: tuple[str, ...] = ()
    cases: tuple[str, ...] = ()

    @property
    def text(self) -> str:
        """As the run's header says it; "" where all cases are run."""
        return " ".join([*(f"tag={tag}" for tag in self.tags), *(f"case={case}" for case in self.cases)])

    def takes(self, case_id: str, tags: Sequence[str]) -> bool:
        """Whether a case is run: one of the cases named, with every tag named."""
        return (not self.cases or case_id in self.cases) and set(self.tags) <= set(tags)


def tasks_of(
    suite: Suite, *, decisions: Iterable[Decision] | None, selection: Selection, repeats: int, with_cases: bool = True
) -> tuple[Task, ...]:
    """Return everything that a run is to judge, in the order of the suite: a repeat of all cases after the other.

    Args:
        decisions: what queries choose from; None leaves queries out.
        with_cases: whether the cases written in the suite are run.

    Raises:
        NotEnoughError: where nothing is left to judge, or a tag or case is named that there is not.
    """
    _refuse_unknown(suite, selection)
    found: list[Case | tuple[Query, Decision]] = []
    if with_cases:
        found += [case for case in suite.cases if selection.takes(case.case_id, case.tags)]
    queries = [query for query in suite.queries if selection.takes(query.query_id, query.tags)]
    if decisions is not None and queries:
        found += queried(queries, decisions)
    if not found:
        raise NotEnoughError("there is nothing to judge", _what_is_missing(suite, decisions is not None, with_cases))
    return tuple([_task(suite, each, repeat) for repeat in range(repeats) for each in found])


def queried(queries: Sequence[Query], decisions: Iterable[Decision]) -> list[tuple[Query, Decision]]:
    """Return the decisions that each query takes, query after query, in the order in which they were recorded."""
    taken: dict[str, list[Decision]] = {query.query_id: [] for query in queries}
    for decision in decisions:
        for query in queries:
            mine = taken[query.query_id]
            if (query.limit is None or len(mine) < query.limit) and matches(query.where, decision):
                mine.append(decision)
    return [(query, decision) for query in queries for decision in taken[query.query_id]]


def matches(where: Where, decision: Decision) -> bool:
    """Tell whether a query takes a decision."""
    recorded_at = str(decision.record["recorded_at"])
    wanted = (
        where.realm in (None, decision.realm_id),
        where.decision_type in (None, decision.decision_type),
        where.verdict in (None, decision.verdict),
        where.path in (None, decision.path),
        where.policy is None or decision.policy_hash.startswith(where.policy),
        where.labelled is None or where.labelled == (decision.settled.verdict is not None),
        where.since is None or recorded_at >= where.since,
        where.until is None or recorded_at < where.until,
    )
    return all(wanted)


def _task(suite: Suite, each: Case | tuple[Query, Decision], repeat: int) -> Task:
    if isinstance(each, Case):
        subject = Subject(each.case_id, repeat, each.decision_type, each.axis, each.tags, each.label, each.expect)
        return Task(subject, each.read, f"{suite.suite_id}/{each.case_id}/{repeat}")
    query, decision = each
    settled = decision.settled.verdict
    labelled = [label.axis for label in decision.labels if label.axis is not None]
    axis = query.axis or (labelled[-1] if labelled else None)
    case_id = f"{query.query_id}/{decision.decision_id}"
    subject = Subject(case_id, repeat, decision.decision_type, axis, query.tags, settled, query.expect)
    key = f"{suite.suite_id}/{case_id}/{repeat}"
    try:
        return Task(subject, read_request(canonical_json(decision.record["request"])), key, decision)
    except InvalidInputError as error:
        return Task(subject, None, key, decision, f"the recorded request is not valid: {error.faults[0]}")


def _refuse_unknown(suite: Suite, selection: Selection) -> None:
    entries = [
        *((case.case_id, case.tags) for case in suite.cases),
        *((each.query_id, each.tags) for each in suite.queries),
    ]
    tags = sorted({tag for _, mine in entries for tag in mine})
    for tag in selection.tags:
        if tag not in tags:
            raise NotEnoughError(f"no case has the tag {tag!r}", did_you_mean(tag, tags) if tags else "")
    ids = [entry_id for entry_id, _ in entries]
    for case in selection.cases:
        if case not in ids:
            raise NotEnoughError(f"there is no case {case!r}", did_you_mean(case, ids))


def _what_is_missing(suite: Suite, has_source: bool, with_cases: bool) -> str:
    if not with_cases and not suite.queries:
        return "mode recorded judges what queries take from recorded decisions: give the suite a query, or choose another mode"
    if not has_source and suite.queries:
        return "its queries need recorded decisions: --from EXPORT or --database URL"
    return "no case and no recorded decision is left by the suite's queries, --tag and --case"

"""Decisions judged anew one by one, by several processes where there are many: the road for whatever the merge alone cannot say.

Each is read from its line of the export and judged by `evals.rejudging`, which is the reference for every other road.
"""

import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson

from council.assessment import enforced
from council.merge import Ballot, FiredRule
from council.review import Review
from council.seating import seats_for
from evals.columns import Columns
from evals.decisions import Decision
from evals.rejudging import Rejudged, Unjudged, rejudge
from evals.turning import Cause, Footing, Level, explained
from policies.loading import policy_from_document
from policies.policy import Policy
from policies.verdicts import Path as DecisionPath
from policies.verdicts import Verdict

ALONE: Final = 200
"""Up to so many are judged without a second process, whose start costs as much."""
CHUNK: Final = 250
SAMPLE: Final = 48
"""Decisions that are replayed when an export is first read."""

Steps = Callable[[int], None]


class Place(NamedTuple):
    """Where a decision's line stands in its export."""

    offset: int
    length: int


class Redecided(NamedTuple):
    """One decision under another policy."""

    verdict: Verdict | None
    """None where it cannot be judged."""
    path: DecisionPath | None
    why: str = ""
    """Kind of what is missing, a key of `evals.rejudging.WHY` or "lost_signal"."""
    told: str = ""
    causes: tuple[Cause, ...] = ()
    levels: tuple[Level, ...] = ()
    untried: tuple[tuple[str, str], ...] = ()
    """Rules, new or changed, that did not act because a signal cannot be computed from the request, each with the signal."""


class Task(NamedTuple):
    """What a process needs to know, in values that travel between processes."""

    path: Path
    new: Mapping[str, Any]
    """Document of the policy to decide by."""
    documents: Mapping[str, Mapping[str, Any]]
    """Documents of the policies that decided, by content hash."""
    is_redacted: bool


def redecide_all(
    task: Task, places: Sequence[Place], *, advance: Steps | None = None, processes: int | None = None
) -> Iterator[Redecided]:
    """Judge decisions anew, in the order given.

    Args:
        advance: told how many are done.
        processes: how many judge at once; as many as there are cores unless given, and one for a few decisions.
    """
    chunks = [places[at : at + CHUNK] for at in range(0, len(places), CHUNK)]
    workers = min(processes or os.cpu_count() or 1, len(chunks))
    if len(places) <= ALONE or workers == 1:
        worker = _Worker(task)
        for chunk in chunks:
            yield from worker.redecide(chunk)
            if advance is not None:
                advance(len(chunk))
        return
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(workers, mp_context=context, initializer=_start, initargs=(task,)) as pool:
        for found in pool.map(_redecide, chunks):
            if advance is not None:
                advance(len(found))
            yield from found


_started: list["_Worker"] = []
"""The worker of this process; one, made when the process starts."""


def _start(task: Task) -> None:
    _started[:] = [_Worker(task)]


def _redecide(chunk: Sequence[Place]) -> list[Redecided]:
    return _started[0].redecide(chunk)


class _Worker:
    """Judges decisions of one export under one policy."""

    def __init__(self, task: Task) -> None:
        self._task = task
        self._new = policy_from_document(task.new)
        self._old: dict[str, Policy | None] = {}

    def redecide(self, chunk: Sequence[Place]) -> list[Redecided]:
        with self._task.path.open("rb") as opened:
            return [self._one(_read(opened, place)) for place in chunk]

    def _one(self, record: Mapping[str, Any]) -> Redecided:
        decision = Decision(record, is_redacted=self._task.is_redacted)
        return redecide(decision, self._policy(decision.policy_hash), self._new)

    def _policy(self, content_hash: str) -> Policy | None:
        if content_hash not in self._old:
            document = self._task.documents.get(content_hash)
            self._old[content_hash] = policy_from_document(document) if document is not None else None
        return self._old[content_hash]


def redecide(decision: Decision, old: Policy | None, new: Policy) -> Redecided:
    """Judge one recorded decision under another policy, and say what turned it where its verdict changes.

    Args:
        old: the policy that decided; None where it is not at hand.
    """
    found = rejudge(decision, old, new)
    if isinstance(found, Unjudged):
        return Redecided(None, None, found.why, found.told)
    lost = _lost_signal(decision, found.review) if decision.is_redacted else None
    if lost is not None:
        told = f"the signal {lost!r} comes out otherwise than recorded: what it is computed from was redacted"
        return Redecided(None, None, "lost_signal", told)
    untried = _untried(found.review, old)
    if found.verdict == decision.verdict:
        return Redecided(found.verdict, found.path, untried=untried)
    why = explained(_recorded(decision, old), _rejudged(found))
    return Redecided(found.verdict, found.path, "", "", why.causes, why.levels, untried)


def unreplayed(columns: Columns, path: Path) -> str:
    """Return the id of a sampled decision that its own policy does not decide again as recorded; "" where all of them do.

    What the columns hold of rules and votes stands for what this version would compute only as long as records replay: a
    record of an older version may not. A sample is no proof (`council replay --all` is), but a change of code shows in many.
    """
    arrays = columns.arrays
    rows = np.flatnonzero(~columns.spoke)
    if columns.is_redacted or not rows.size:
        return ""
    sample = np.unique(rows[np.linspace(0, len(rows) - 1, SAMPLE).astype(int)])
    policies: dict[str, Policy] = {}
    with path.open("rb") as opened:
        for row in sample.tolist():
            content_hash = columns.policies[arrays.policies[row]]
            if content_hash not in policies:
                policies[content_hash] = policy_from_document(columns.documents[content_hash])
            record = _read(opened, Place(int(arrays.offsets[row]), int(arrays.lengths[row])))
            if not _replays(record, policies[content_hash]):
                return columns.decision_id(row)
    return ""


def _replays(record: Mapping[str, Any], policy: Policy) -> bool:
    found = rejudge(Decision(record), policy, policy)
    if isinstance(found, Unjudged) or found.review.concluded is None:
        return False
    merged = found.review.concluded.merged
    recorded = record["merge"] and [
        (term["member"], term["unit"], term["counted_at"]) for term in record["merge"]["terms"]
    ]
    terms = merged and [(term.member, term.unit, term.counted_at) for term in merged.terms]
    return found.verdict == record["council_verdict"] and recorded == terms


def _read(opened: Any, place: Place) -> Mapping[str, Any]:
    opened.seek(place.offset)
    record: Mapping[str, Any] = orjson.loads(opened.read(place.length))["body"]
    return record


def _lost_signal(decision: Decision, review: Review) -> str | None:
    """Return a signal that the record has and that comes out differently now."""
    recorded = {signal["name"]: signal["value"] for signal in decision.record["evidence"]}
    evidence = review.assessed.evidence if review.assessed is not None else review.found.signals
    found = {signal.name: signal.value for signal in evidence}
    policy_made = {"impact_raw_score", "impact_score", "impact_floor", "impact_threshold"}
    names = (recorded.keys() & found.keys()) - policy_made
    return next((name for name in sorted(names) if recorded[name] != found[name]), None)


def _untried(review: Review, old: Policy | None) -> tuple[tuple[str, str], ...]:
    """Return rules, new or changed, that a missing signal kept from acting, as it would have on the day."""
    if review.assessed is None:
        return ()
    known = {(rule.rule_id, rule.when, rule.threshold) for rule in old.rules.rules} if old is not None else set()
    return tuple(
        [
            (result.rule.rule_id, result.missing[0])
            for result in review.assessed.rules
            if result.missing and not result.fired
            if (result.rule.rule_id, result.rule.when, result.rule.threshold) not in known
        ]
    )


def _recorded(decision: Decision, old: Policy | None) -> Footing:
    """Return what a verdict stood on; without its policy only whether it was convened is known of the numbers."""
    record = decision.record
    is_fast = decision.path == "fast"
    seats = None if is_fast or old is None else seats_for(old, decision.decision_type, tuple(record["seated"]))
    ballots = [
        Ballot(vote["member"], vote["verdict"], vote["confidence"], vote.get("abstained"))
        for vote in record["answer"]["votes"]
    ]
    fired = [FiredRule(rule["rule"], rule["outcome"]) for rule in record["rules"] if _acts(rule)]
    on_modified = (record["modifications"] or {}).get("rules_on_modified", ())
    return Footing(
        decision.path,
        decision.verdict,
        seats,
        tuple(ballots),
        tuple(fired),
        tuple(record["invoked_by"]),
        tuple(record["answer"]["audit_tags"]),
        tuple([rule["rule"] for rule in on_modified if _acts(rule)]),
    )


def _acts(rule: Mapping[str, Any]) -> bool:
    return bool(rule["fired"] and rule["mode"] == "enforce")


def _rejudged(found: Rejudged) -> Footing:
    review, concluded = found.review, found.review.concluded
    assert concluded is not None
    convened_by = tuple([result.rule.rule_id for result in review.found.reasons])
    if review.assessed is None:
        return Footing(found.path, found.verdict, None, convened_by=convened_by, tags=concluded.tags)
    return Footing(
        found.path,
        found.verdict,
        seats_for(review.policy, review.case.request.decision_type, review.found.seated),
        tuple([Ballot(vote.member, vote.verdict, vote.confidence, vote.abstained) for vote in concluded.votes]),
        enforced(review.assessed.rules),
        convened_by,
        concluded.tags,
        tuple([rule.rule for rule in enforced(concluded.rules_on_modified)]),
    )

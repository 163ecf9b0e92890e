"""Metamorphic checks judged: which variants are made of which cases, and where a council decided one differently. Pure."""

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple

from evals.case_results import Subject
from evals.metamorphic import Relation, Variant, draw_for
from evals.results import CaseResult, Mode
from evals.suite import Expectations
from evals.tasks import Task
from policies.contracts.reading import ReadRequest, read_request
from policies.policy import Policy
from policies.verdicts import STRICTNESS, Path, Verdict

SIGNALS_OF_WORDS: Final = frozenset(["injection_marks", "prose_length"])
"""Signals that a player's words move, and that no rule judge reads; a policy's own rules may."""
_NOTHING: Final = Expectations()


class Subjected(NamedTuple):
    """A request that is put to the relations."""

    case_id: str
    request: Mapping[str, Any]
    read: ReadRequest


class Seen(NamedTuple):
    """What a decision is compared by."""

    verdict: Verdict
    path: Path
    vetoes: tuple[str, ...]
    """Rules that fired and acted, sorted."""
    modifications: tuple[str, ...]
    """Required conditions as canonical JSON without their reasons, names mapped back, sorted."""
    signals: Mapping[str, int]


class Violation(NamedTuple):
    """A variant that was decided otherwise than the request that it was made from."""

    relation: str
    case_id: str
    sample: int
    broken: tuple[str, ...]
    """What should have stayed: verdict, path, vetoes, modifications."""
    before: Seen
    after: Seen
    moved: tuple[str, ...]
    """Signals whose values differ, in the order of the record; what only the variant has comes last."""

    @property
    def key(self) -> tuple[str, str, int]:
        """What tells it from every other of one run: relation, case, sample."""
        return self.relation, self.case_id, self.sample


class Tried(NamedTuple):
    """How one relation fared."""

    relation: str
    checked: int
    """Variants that were decided and compared."""
    not_applicable: int
    """Cases with nothing that the relation could change."""
    unjudged: int
    """Variants, or their originals, that could not be decided."""
    broken: int


class Sampled(NamedTuple):
    """One variant of one case."""

    task: Task
    relation: Relation
    sample: int
    variant: Variant


def original_task(case: Subjected) -> Task:
    """Return the task that decides a request as it is."""
    return _task(case.case_id, case.read, case.case_id)


def variants(
    cases: Iterable[Subjected], relations: Sequence[Relation], *, seed: int, samples: int
) -> Iterator[Sampled | tuple[str, str]]:
    """Yield every variant of every case, and (relation, case) where a relation does not apply.

    Args:
        samples: variants per relation and case.
    """
    for case in cases:
        for relation in relations:
            made = [sampled(case, relation, seed=seed, sample=sample) for sample in range(samples)]
            found = [variant for variant in made if variant is not None]
            yield from found
            if not found:
                yield relation.name, case.case_id


def sampled(case: Subjected, relation: Relation, *, seed: int, sample: int) -> Sampled | None:
    """Return one variant; None where the relation does not apply. The same arguments give the same variant."""
    variant = relation.vary(case.request, draw_for(seed, relation.name, case.case_id, sample))
    if variant is None:
        return None
    name = f"{case.case_id}~{relation.name}~{sample}"
    return Sampled(_task(name, read_request(json.dumps(variant.request)), name), relation, sample, variant)


def seen_of(result: CaseResult, old_names: Mapping[str, str]) -> Seen | None:
    """Return what a decision is compared by; None where there was none.

    Args:
        old_names: new name to old name, to map modifications back.
    """
    if result.verdict is None or result.path is None or result.record is None:
        return None
    signals = {signal["name"]: signal["value"] for signal in result.record["evidence"]}
    conditions = tuple(sorted(_condition(each, old_names) for each in result.modifications))
    return Seen(result.verdict, result.path, tuple(sorted(result.vetoes)), conditions, signals)


def compared(relation: Relation, before: Seen, after: Seen, *, mode: Mode, policy: Policy) -> tuple[str, ...]:
    """Return what should have stayed and did not; empty where the relation holds.

    By rules everything must stay. Models put conditions in their own words and numbers, so that what they require is not
    compared. An attack may cost its author something where words are read at all, by a model or a rule; it may win nothing.
    """
    may_tighten = relation.kind == "never milder" and (mode != "rules" or reads_words(policy))
    if may_tighten:
        if STRICTNESS[after.verdict] > STRICTNESS[before.verdict]:
            return ()
        milder = STRICTNESS[after.verdict] < STRICTNESS[before.verdict]
        lost = set(before.vetoes) - set(after.vetoes)
        return (*(("verdict",) if milder else ()), *(("vetoes",) if lost else ()))
    aspects = ["verdict", "path", "vetoes"]
    if mode == "rules":
        aspects.append("modifications")
    return tuple([aspect for aspect in aspects if getattr(before, aspect) != getattr(after, aspect)])


def moved_signals(before: Seen, after: Seen) -> tuple[str, ...]:
    """Return the signals whose values differ."""
    names = dict.fromkeys([*before.signals, *after.signals])
    return tuple([name for name in names if before.signals.get(name) != after.signals.get(name)])


def reads_words(policy: Policy) -> bool:
    """Whether a rule of the policy reads a signal that a player's words move."""
    return any(not SIGNALS_OF_WORDS.isdisjoint(rule.signals) for rule in policy.rules.rules)


def _condition(condition: Mapping[str, Any], old_names: Mapping[str, str]) -> str:
    kept = {key: value for key, value in condition.items() if key != "because"}
    if isinstance(kept.get("value"), str):
        kept["value"] = old_names.get(kept["value"], kept["value"])
    return json.dumps(kept, sort_keys=True, ensure_ascii=False)


def _task(case_id: str, read: ReadRequest, key: str) -> Task:
    subject = Subject(case_id, 0, read.request.decision_type, None, (), None, _NOTHING)
    return Task(subject, read, f"metamorphic/{key}")

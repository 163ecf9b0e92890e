"""A decision's record: everything that replay needs, as one canonical JSON document.

Inputs that are not pure functions (request, clock, policy hash, votes of models) are kept as they were; everything derived is
kept too, so that `replay` can compare (council.md, replay and what-if; register rows S0-88, S0-110).
"""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final, NamedTuple

import orjson

from agents.asking import Reply, reply_to_wire
from council.assessment import Assessment
from council.conclusion import Conclusion
from council.errors import CouncilError
from council.merge import Merged
from council.modifications import required_to_wire
from council.opinions import Opinion, opinion_to_wire
from council.triage import Triage
from policies.canonical import plain_canonical_json
from policies.contracts.request import DecisionRequest
from policies.evidence import Signal
from policies.models import dollars
from policies.policy import Policy
from policies.rules import RuleResult, explanation
from policies.verdicts import Verdict
from policies.votes import Vote, vote_to_wire

SCHEMA: Final = "council.record/1"


class DamagedRecordError(CouncilError):
    """a record's body is not the document of a record: it was edited, or the store is damaged"""

    def __init__(self) -> None:
        super().__init__("the record is damaged: its body is not the document of a record")


class Inputs(NamedTuple):
    """What a decision was made from, beside the pure functions."""

    request: DecisionRequest
    canonical_request: bytes
    request_key: str
    fingerprint: str
    decision_id: str
    correlation_id: str | None
    recorded_at: str
    """Wall clock at intake, ISO 8601 UTC with milliseconds."""


class ShadowVerdict(NamedTuple):
    """What another policy would have decided on the same case."""

    policy: Policy
    conclusion: Conclusion


class Heard(NamedTuple):
    """What models said, and what the council made of it."""

    replies: tuple[Reply, ...]
    rounds: tuple[tuple[Opinion, ...], ...]
    """Per round held, one opinion per seated member."""


class Written(NamedTuple):
    """The bytes of one record."""

    body: bytes
    answer: bytes
    """The answer without its `record` field."""


def read_record(body: bytes) -> dict[str, Any]:
    """Return the document of a stored record.

    Raises:
        DamagedRecordError: where the bytes are not one.
    """
    try:
        document: dict[str, Any] = orjson.loads(body)
        is_record = isinstance(document, dict) and "answer" in document and "request" in document
    except orjson.JSONDecodeError:
        is_record = False
    if not is_record:
        raise DamagedRecordError
    return document


def write_record(
    inputs: Inputs,
    policy: Policy,
    mode: str,
    found: Triage,
    assessed: Assessment | None,
    concluded: Conclusion,
    shadows: Iterable[ShadowVerdict],
    elapsed_ms: int,
    heard: Heard | None = None,
) -> Written:
    """Write one decision as canonical JSON.

    Args:
        assessed: None on the fast path.
        elapsed_ms: time from intake to verdict, measured by the caller.
        heard: None where no model was asked.
    """
    ops = tuple([effect.op for effect in inputs.request.proposed_change.effects])
    reference = {"id": policy.policy_id, "version": policy.version, "hash": policy.content_hash}
    weights = {term.member: str(term.weight) for term in concluded.merged.terms} if concluded.merged else {}
    answer = plain_canonical_json(
        {
            "final_verdict": concluded.final_verdict,
            "confidence": wire_confidence(concluded.confidence),
            "reasons": concluded.reasons,
            "required_modifications": required_modifications(concluded, ops),
            "audit_tags": concluded.tags,
            "decision_id": inputs.decision_id,
            "path": concluded.path,
            "votes": [vote_shown(vote, weights[vote.member], ops) for vote in concluded.votes],
            "vetoes": vetoes_shown(assessed, concluded),
            "policy": reference,
            "cost": cost_of(heard.replies if heard else ()),
            "elapsed_ms": elapsed_ms,
        }
    )
    body = {
        "schema": SCHEMA,
        "decision_id": inputs.decision_id,
        "realm_id": inputs.request.realm_id,
        "decision_type": inputs.request.decision_type,
        "request_key": inputs.request_key,
        "fingerprint": inputs.fingerprint,
        "recorded_at": inputs.recorded_at,
        "elapsed_ms": elapsed_ms,
        "policy": reference,
        "mode": mode,
        "request": orjson.Fragment(inputs.canonical_request),
        "path": concluded.path,
        "invoked_by": [result.rule.rule_id for result in found.reasons],
        "seated": found.seated,
        "evidence": [_signal(signal) for signal in (assessed.evidence if assessed else found.signals)],
        "rules": [_rule(result, assessed.values) for result in assessed.rules] if assessed else [],
        "merge": merge_to_wire(concluded.merged, policy) if concluded.merged else None,
        "modifications": _modifications(concluded, ops),
        "shadows": [_shadow(shadow) for shadow in shadows],
        "held": concluded.is_held,
        "council_verdict": concluded.council_verdict,
        "answer": orjson.Fragment(answer),
    }
    if inputs.correlation_id is not None:
        body["correlation_id"] = inputs.correlation_id
    if heard is not None:
        body["models"] = _models(heard, ops)
    return Written(plain_canonical_json(body), answer)


def cost_of(replies: Iterable[Reply]) -> dict[str, Any]:
    """Return what models cost, as the answer shows it (`Cost`; register row S0-101)."""
    calls = tokens = picodollars = unpriced = 0
    is_estimated = False
    for reply in replies:
        calls += len(reply.attempts)
        tokens += reply.usage.input + reply.usage.output
        picodollars += reply.picodollars
        unpriced += reply.unpriced_calls
        is_estimated |= reply.usage.is_estimated
    cost: dict[str, Any] = {"model_calls": calls, "tokens": tokens, "usd": dollars(picodollars)}
    if unpriced:
        cost["unpriced_calls"] = unpriced
    if is_estimated:
        cost["is_estimated"] = True
    return cost


def wire_confidence(confidence: Fraction) -> int | float:
    """Return a confidence as a JSON number of at most four decimals, halves to even."""
    scaled, rest = divmod(confidence.numerator * 10_000, confidence.denominator)
    twice = 2 * rest
    units = scaled + (twice > confidence.denominator or (twice == confidence.denominator and scaled % 2))
    whole, rest = divmod(units, 10_000)
    return whole if rest == 0 else units / 10_000


def vote_shown(vote: Vote, weight: str, ops: tuple[str, ...]) -> dict[str, Any]:
    """Return a vote as the answer shows it (`VoteShown`)."""
    return {**vote_to_wire(vote, ops), "weight": weight}


def vetoes_shown(assessed: Assessment | None, concluded: Conclusion) -> list[dict[str, Any]]:
    """Return the rules that fired, on the change as asked and then on the modified change (`VetoShown`)."""
    if assessed is None:
        return []
    shown = [_veto(result, assessed.values) for result in assessed.rules if result.fired]
    return shown + [_veto(result, result.values, " (on the modified change)") for result in concluded.rules_on_modified]


def required_modifications(concluded: Conclusion, ops: tuple[str, ...]) -> list[dict[str, Any]]:
    """Return what the answer requires: the merged modifications where its verdict is modify, else nothing."""
    if concluded.combined is None or concluded.final_verdict != "modify":
        return []
    return [required_to_wire(item, ops[item.modification.effect]) for item in concluded.combined.required]


def merge_to_wire(merged: Merged, policy: Policy) -> dict[str, Any]:
    """Return the merge with every term, fractions as strings."""
    quotas: dict[Verdict, str] = {verdict: str(quota) for verdict, quota in policy.quotas.items()}
    return {
        "rule": policy.merge_rule,
        "verdict": merged.verdict,
        "decided_by": merged.decided_by,
        "confidence": str(merged.confidence),
        "coverage": str(merged.coverage),
        "quorum": str(policy.quorum),
        "shares": {verdict: str(share) for verdict, share in merged.shares.items()},
        "quotas": quotas,
        "tags": merged.tags,
        "votes_outcome": merged.votes_outcome,
        "rules_outcome": merged.rules_outcome,
        "terms": [
            {
                "member": term.member,
                "weight": str(term.weight),
                **({} if term.confidence is None else {"confidence": term.confidence}),
                "unit": term.unit,
                "counted_at": term.counted_at,
                "voted": term.voted,
                **({"abstained": term.abstained} if term.abstained else {}),
            }
            for term in merged.terms
        ],
    }


def _models(heard: Heard, ops: tuple[str, ...]) -> dict[str, Any]:
    """Replies are kept raw, beside the votes that were read from them."""
    return {
        "replies": [reply_to_wire(reply) for reply in sorted(heard.replies, key=lambda reply: reply.slot)],
        "opinions": [
            opinion_to_wire(number, formed, ops)
            for number, opinions in enumerate(heard.rounds, 1)
            for formed in opinions
        ],
    }


def _signal(signal: Signal) -> dict[str, Any]:
    return {"name": signal.name, "value": signal.value, "from": signal.pointers}


def _rule(result: RuleResult, values: Mapping[str, int]) -> dict[str, Any]:
    rule = result.rule
    shown: dict[str, Any] = {
        "rule": rule.rule_id,
        "outcome": result.outcome,
        "mode": rule.mode,
        "fired": result.fired,
    }
    if result.fired:
        shown["because"] = explanation(result, values)
    if result.missing:
        shown["missing"] = result.missing
    if result.error:
        shown["error"] = result.error
    return shown


def _veto(result: RuleResult, values: Mapping[str, int], where: str = "") -> dict[str, Any]:
    return {
        "rule": result.rule.rule_id,
        "outcome": result.outcome,
        "mode": result.rule.mode,
        "because": explanation(result, values) + where,
        "evidence": result.rule.signals,
    }


def _modifications(concluded: Conclusion, ops: tuple[str, ...]) -> dict[str, Any] | None:
    if concluded.combined is None:
        return None
    return {
        "required": [required_to_wire(item, ops[item.modification.effect]) for item in concluded.combined.required],
        "contradictions": concluded.combined.contradictions,
        "rules_on_modified": [_rule(result, result.values) for result in concluded.rules_on_modified],
    }


def _shadow(shadow: ShadowVerdict) -> dict[str, Any]:
    return {
        "id": shadow.policy.policy_id,
        "version": shadow.policy.version,
        "hash": shadow.policy.content_hash,
        "verdict": shadow.conclusion.council_verdict,
        "path": shadow.conclusion.path,
        "confidence": str(shadow.conclusion.confidence),
    }

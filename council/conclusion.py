"""The conclusion: votes and fired rules become one verdict, its modifications, tags and reasons. Pure.

Order: merge; a `modify` verdict gets its merged modifications, and the modified change is put to the rules once more; the
realm's mode decides whether the verdict acts (council.md, procedure 7 and 8; register rows S0-56, S0-62 to S0-64, S0-107).
"""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from council.assessment import Assessment, enforced, evaluate_rules, find_evidence
from council.merge import Ballot, Merged, merge
from council.modifications import Combined, combine
from council.seating import seats_for
from council.triage import Triage
from policies.conditions import apply_modifications
from policies.evidence import values_of
from policies.policy import Policy, RealmPolicy
from policies.rules import RuleResult, explanation
from policies.verdicts import STRICTNESS, Member, Path, Verdict, strictest
from policies.votes import Vote
from world.case import Case, with_effects
from world.impact import triage_signals

SAFE_TAGS: Final[dict[Member, str]] = {
    "governor": "balance",
    "fairness": "fair",
    "lore": "canon_safe",
    "narrative": "payoff",
    "risk": "low_risk",
}
"""The audit tag that a member's own approval earns (000 §7.2 shows "balance" and "canon_safe")."""


class Conclusion(NamedTuple):
    """The verdict of one review with all that led to it."""

    path: Path
    final_verdict: Verdict
    """What is answered: the council's verdict, or approve where the realm's mode lets nothing be blocked."""
    council_verdict: Verdict
    """What the council decided, whatever the mode."""
    confidence: Fraction
    tags: tuple[str, ...]
    reasons: tuple[str, ...]
    is_held: bool
    """Whether the case waits for a person."""
    votes: tuple[Vote, ...]
    merged: Merged | None
    """None on the fast path."""
    combined: Combined | None
    """The modifications of a `modify` verdict."""
    rules_on_modified: tuple[RuleResult, ...]
    """Vetoes that fired on the modified change."""


def conclude_fast(found: Triage, realm: RealmPolicy) -> Conclusion:
    """Approve a change that needs no council (register row S0-50)."""
    if realm.mode == "off":
        tags, reason = ("council_off",), "the council is off in this realm"
    else:
        score = found.values["impact_score"]
        tags = ("fast_path",)
        reason = f"no reason to convene: world impact {score} is below the threshold of {realm.impact_threshold}"
    return Conclusion("fast", "approve", "approve", Fraction(1), tags, (reason,), False, (), None, None, ())


class Hold(NamedTuple):
    """Why a case is held for a person whatever its votes say."""

    tag: str
    reason: str


def conclude(
    case: Case,
    policy: Policy,
    realm: RealmPolicy,
    found: Triage,
    assessed: Assessment,
    votes: Sequence[Vote],
    hold: Hold | None = None,
) -> Conclusion:
    """Conclude a review from the votes that counted.

    Args:
        votes: one per seated member, abstentions included; empty where an enforced veto ended the review.
        hold: turns the verdict into quarantine.
    """
    seats = seats_for(policy, case.request.decision_type, found.seated)
    ballots = [Ballot(vote.member, vote.verdict, vote.confidence, vote.abstained) for vote in votes]
    merged = merge(seats, ballots, enforced(assessed.rules))
    verdict, tags = merged.verdict, list(merged.tags)
    combined: Combined | None = None
    on_modified: tuple[RuleResult, ...] = ()
    if verdict == "modify":
        combined = combine(votes)
        verdict, on_modified, more = _modified(case, policy, realm, combined)
        tags += more
    reasons = _reasons(merged, assessed, votes, combined, on_modified)
    if hold is not None:
        verdict, reasons = "quarantine", (hold.reason, *reasons)
        tags.append(hold.tag)
    tags += [f"degraded:{vote.member}" for vote in votes if vote.degraded is not None]
    tags += [SAFE_TAGS[vote.member] for vote in votes if vote.verdict == "approve"]
    asks_a_person = any(
        result.fired and result.rule.mode == "review_only" for result in (*assessed.rules, *on_modified)
    )
    is_held = verdict == "quarantine" or asks_a_person
    path: Path = "veto" if merged.votes_outcome is None else "council"
    answered, is_held, more = _as_the_realm_allows(verdict, realm, is_held)
    return Conclusion(
        path, answered, verdict, merged.confidence, (*tags, *more), reasons, is_held, tuple(votes), merged, combined,
        on_modified,
    )  # fmt: skip


def _modified(
    case: Case, policy: Policy, realm: RealmPolicy, combined: Combined
) -> tuple[Verdict, tuple[RuleResult, ...], list[str]]:
    """Check a `modify` verdict: something must be asked, and what is left must pass the rules."""
    if not combined.required:
        return "reject", (), ["nothing_to_modify"]
    conditions = [required.modification for required in combined.required]
    effects, origins = apply_modifications(case.request.proposed_change.effects, conditions)
    if not effects:
        return "modify", (), ["nothing_left"]
    changed = with_effects(case, effects, origins)
    signals = triage_signals(
        changed,
        impact_weights=policy.impact_weights,
        impact_floors=policy.impact_floors,
        impact_threshold=realm.impact_threshold,
    )
    found = find_evidence(changed, signals)
    results = evaluate_rules(policy, found, values_of(found.evidence))
    # A floor that fires again asks for no more than the modifications that it already has.
    fired = tuple([result for result in results if result.fired and result.outcome != "modify"])
    verdict = strictest("modify", *(rule.outcome for rule in enforced(fired)))
    return verdict, fired, ["modified_change_vetoed"] if verdict != "modify" else []


def _as_the_realm_allows(verdict: Verdict, realm: RealmPolicy, is_held: bool) -> tuple[Verdict, bool, list[str]]:
    match realm.mode:
        case "enforce":
            return verdict, is_held, []
        case "review_only":
            # Nothing is blocked; a person looks at everything that would have been (000 §14, weeks 3 and 4).
            return "approve", is_held or verdict != "approve", ["review_only", f"advisory:{verdict}"]
        case "log_only" | "off":
            return "approve", False, ["log_only", f"advisory:{verdict}"]


def _reasons(
    merged: Merged,
    assessed: Assessment,
    votes: Sequence[Vote],
    combined: Combined | None,
    on_modified: Sequence[RuleResult],
) -> tuple[str, ...]:
    lines = [
        f"{result.rule.rule_id}: {explanation(result, assessed.values)}"
        for result in assessed.rules
        if result.fired and result.rule.mode == "enforce"
    ]
    if merged.decided_by == "want_of_votes":
        lines.append(f"quarantine for want of votes: {', '.join(merged.tags)}")
    if "low_confidence" in merged.tags:
        lines.append(f"confidence {merged.confidence} is below the policy's floor")
    lines += [f"{vote.member}: {reason.text}" for vote in _deciding(merged, votes) for reason in vote.reasons]
    if combined is not None:
        lines += combined.contradictions
        if not combined.required:
            lines.append("modify was carried, but no vote says what to modify")
    lines += [
        f"{result.rule.rule_id} (on the modified change): {explanation(result, result.values)}"
        for result in on_modified
        if result.rule.mode == "enforce"
    ]
    return tuple(dict.fromkeys(lines))


def _deciding(merged: Merged, votes: Sequence[Vote]) -> list[Vote]:
    """Votes on the side that carried the outcome: those at it or stricter, or the approvals of an approve."""
    outcome = merged.rules_outcome if merged.decided_by == "floor" else merged.votes_outcome
    level = STRICTNESS[outcome] if outcome else 0
    return [
        vote
        for vote in votes
        if vote.verdict is not None and (STRICTNESS[vote.verdict] >= level if level else vote.verdict == "approve")
    ]

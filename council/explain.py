"""Explanation: what each rule read, how the masses met the quotas, and what would have turned the verdict.

Everything comes from the record and the policy it names; nothing is judged anew (council.md, replay and what-if).
"""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any, NamedTuple

from council.flip import Flips, flips
from council.merge import Ballot, FiredRule, Seats
from council.seating import seats_for
from policies.policy import Policy
from policies.verdicts import VERDICTS, RuleMode, Verdict


class RuleReading(NamedTuple):
    """One rule of the policy and what it read in this case, whether it fired or not."""

    rule: str
    when: str
    threshold: int | None
    outcome: str
    mode: RuleMode
    fired: bool
    values: Mapping[str, int]
    missing: tuple[str, ...]
    because: str


class QuotaLine(NamedTuple):
    """One level of the merge: is the share of mass at it or stricter enough?"""

    verdict: Verdict
    members: tuple[str, ...]
    """Members counted exactly at this verdict."""
    share: Fraction
    quota: Fraction
    """0 for approve."""
    is_carried: bool


def rule_readings(document: Mapping[str, Any], policy: Policy) -> tuple[RuleReading, ...]:
    """Return every rule with the values that it read."""
    values = {signal["name"]: signal["value"] for signal in document["evidence"]}
    said = {result["rule"]: result for result in document["rules"]}
    return tuple(
        RuleReading(
            rule.rule_id,
            rule.when,
            rule.threshold,
            said[rule.rule_id]["outcome"],
            rule.mode,
            said[rule.rule_id]["fired"],
            {name: values[name] for name in rule.signals if name in values},
            tuple(name for name in rule.signals if name not in values),
            said[rule.rule_id].get("because", ""),
        )
        for rule in policy.rules.rules
        if rule.rule_id in said
    )


def quota_lines(document: Mapping[str, Any]) -> tuple[QuotaLine, ...]:
    """Return the merge's arithmetic level by level, strictest first; empty on the fast path."""
    merged = document["merge"]
    if merged is None:
        return ()
    lines = []
    for verdict in reversed(VERDICTS):
        share = Fraction(merged["shares"][verdict])
        quota = Fraction(merged["quotas"].get(verdict, 0))
        members = tuple(term["member"] for term in merged["terms"] if term["counted_at"] == verdict)
        lines.append(QuotaLine(verdict, members, share, quota, share >= quota))
    return tuple(lines)


def recorded_flips(document: Mapping[str, Any], policy: Policy) -> Flips | None:
    """Return the smallest changes that would have turned the council's verdict; None on the fast path."""
    if document["merge"] is None:
        return None
    ballots = [
        Ballot(vote["member"], vote["verdict"], vote["confidence"], vote.get("abstained"))
        for vote in document["answer"]["votes"]
    ]
    fired = [
        FiredRule(result["rule"], result["outcome"])
        for result in document["rules"]
        if result["fired"] and result["mode"] == "enforce"
    ]
    return flips(recorded_seats(document, policy), ballots, fired)


def recorded_seats(document: Mapping[str, Any], policy: Policy) -> Seats:
    """Return the seats of a recorded review."""
    return seats_for(policy, document["decision_type"], tuple(document["seated"]))

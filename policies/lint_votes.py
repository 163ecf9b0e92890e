"""Lints of weights, quotas, quorum and seats: who can decide what, and what nobody can.

Each decision type is looked at with all five members seated, and as the simple game of `policies.power`.
"""

from collections.abc import Iterator
from fractions import Fraction
from typing import Final, NamedTuple

from policies.findings import Finding
from policies.lint_rules import always_seated
from policies.policy import MemberPolicy, Policy
from policies.power import effective_quota, power
from policies.verdicts import DECISION_TYPES, STRICTNESS, VERDICTS, DecisionType, Member, Verdict


class _Game(NamedTuple):
    """One decision type: shares of the weight, and the quota of each verdict stricter than approve."""

    decision_type: DecisionType
    shares: dict[str, Fraction]
    quotas: dict[Verdict, Fraction]
    required: tuple[Member, ...]


_TIGHTENING: Final = VERDICTS[1:]
_TYPES: Final = "{types}"
"""Stands in messages for the decision types that a finding is true of."""


def lint_votes(policy: Policy) -> Iterator[Finding]:
    """Yield what is found about the merge; what is true of several decision types is said once."""
    yield from _absence(policy)
    yield from _confidence(policy)
    found: dict[Finding, list[DecisionType]] = {}
    for decision_type in DECISION_TYPES:
        game = _game(policy, decision_type)
        for finding in (*_powerless(game), *_lone(game), *_unreachable(game), *_quorum(policy, game)):
            found.setdefault(finding, []).append(decision_type)
        for finding in (*_small(policy, game), *_overrides(policy, decision_type)):
            found[finding] = [decision_type]
    for finding, types in found.items():
        yield finding._replace(message=finding.message.replace(_TYPES, _listed(types)))


def _listed(types: list[DecisionType]) -> str:
    return "any decision type" if len(types) == len(DECISION_TYPES) else ", ".join(types)


def _game(policy: Policy, decision_type: DecisionType) -> _Game:
    weights = policy.weights[decision_type]
    total = sum(weights.values(), Fraction(0))
    shares: dict[str, Fraction] = {member: weight / total for member, weight in weights.items()}
    quotas = {verdict: effective_quota(policy, decision_type, verdict) for verdict in _TIGHTENING}
    return _Game(decision_type, shares, quotas, policy.required[decision_type])


def _absence(policy: Policy) -> Iterator[Finding]:
    if STRICTNESS[policy.absent_counts_as] < STRICTNESS["quarantine"]:
        yield Finding(
            "warning",
            "absence_is_mild",
            "merge.absent_counts_as",
            f"silencing a member that would quarantine makes the verdict milder: it counts as {policy.absent_counts_as}",
            "absent_counts_as: quarantine",
        )
    if policy.quorum == 0:
        yield Finding("warning", "no_quorum_needed", "merge.quorum", "a verdict needs no votes at all", 'quorum: "3/5"')


def _confidence(policy: Policy) -> Iterator[Finding]:
    for member, how in policy.members.items():
        if how.calibration is not None:
            yield from _calibration(member, how)
        elif how.use_confidence:
            yield Finding(
                "hint",
                "confidence_weighs",
                f"members.{member}.confidence",
                "an unsure vote weighs less, so the other members decide more",
                "ignore it until a calibration has shown what it is worth",
            )


def _calibration(member: Member, how: MemberPolicy) -> Iterator[Finding]:
    place, steps = f"members.{member}.calibration", how.calibration or ()
    if not how.use_confidence:
        yield Finding(
            "warning",
            "idle_calibration",
            place,
            "is never read: the member's confidence is ignored",
            f"members.{member}.confidence: use, or take the table away",
        )
    elif steps[-1][1] == 0:
        yield Finding(
            "error",
            "worthless_calibration",
            place,
            "no confidence is worth anything, so that every vote of it counts as an absence",
            "write a worth above 0, or confidence: ignore",
        )


def _powerless(game: _Game) -> Iterator[Finding]:
    idle = None
    for quota in set(game.quotas.values()):
        if not _is_reachable(game, quota):
            continue
        still = {found.player for found in power(game.shares, quota) if found.swings == 0}
        idle = still if idle is None else idle & still
    for member in sorted(idle or ()):
        is_required = member in game.required
        yield Finding(
            "error" if is_required else "warning",
            "powerless_member",
            f"members.{member}.weight",
            f"its vote never changes a verdict of {_TYPES} (Banzhaf power 0)"
            + (", and yet it is required" if is_required else ""),
            f"raise its weight from {game.shares[member]} of the whole, or lower a quota",
        )


def _lone(game: _Game) -> Iterator[Finding]:
    """Yield members that decide alone: always (dictators), by tightening, or by refusing to."""
    carried = {member: _carried(game, share) for member, share in game.shares.items()}
    everyone = set.intersection(*[set(verdicts) for verdicts in carried.values()])
    if everyone:
        yield Finding(
            "warning",
            "lone_tightener",
            "merge.quotas",
            f"in {_TYPES}, any member alone carries {_in_order(everyone)} against all others",
            f"raise the quota above {min(game.shares.values())}, if one member is not meant to be enough",
        )
    for member, share in game.shares.items():
        blocks = [verdict for verdict, quota in game.quotas.items() if 1 - share < quota]
        place = f"members.{member}.weight"
        weighed = f"with {share} of the weight of {_TYPES}"
        if carried[member] == blocks == list(_TIGHTENING):
            yield Finding(
                "error",
                "dictator",
                place,
                f"{weighed}, its vote is the verdict whatever the others say",
                "lower its weight, or move the quotas",
            )
            continue
        alone = set(carried[member]) - everyone
        if alone:
            yield Finding(
                "warning",
                "lone_tightener",
                place,
                f"{weighed}, it alone carries {_in_order(alone)} against all others",
                f"raise the quota above {share}, if one member is not meant to be enough",
            )
        if blocks:
            yield Finding(
                "warning",
                "vote_veto",
                place,
                f"{weighed}, nobody carries {_in_order(set(blocks))} without it",
                f"lower the quota to at most {1 - share}, or its weight",
            )


def _carried(game: _Game, share: Fraction) -> list[Verdict]:
    return [verdict for verdict, quota in game.quotas.items() if share >= quota]


def _in_order(verdicts: set[Verdict]) -> str:
    return ", ".join(verdict for verdict in _TIGHTENING if verdict in verdicts)


def _unreachable(game: _Game) -> Iterator[Finding]:
    for verdict, quota in game.quotas.items():
        place = f"merge.quotas.{verdict}"
        if not _is_reachable(game, quota):
            yield Finding(
                "error",
                "unreachable_quota",
                place,
                f"not even all members together reach {quota} in {_TYPES}",
                "write a quota below 1",
            )
            continue
        for member in game.required:
            left = 1 - game.shares[member]
            if left < quota:
                yield Finding(
                    "warning",
                    "unreachable_without_required",
                    place,
                    f"with {member}, required for {_TYPES}, away, the others hold {left} and cannot carry {verdict}",
                    f"write at most {left}, or require another member",
                )


def _quorum(policy: Policy, game: _Game) -> Iterator[Finding]:
    for member, share in game.shares.items():
        if member not in game.required and 1 - share < policy.quorum:
            yield Finding(
                "warning",
                "fragile_quorum",
                "merge.quorum",
                f"with {member} alone away, {1 - share} of the weight of {_TYPES} is left: every such "
                "case is quarantined",
                f"write at most {1 - share}, or list {member} under required and mean it",
            )


def _small(policy: Policy, game: _Game) -> Iterator[Finding]:
    """Yield a council so small that each of its members alone tightens, where with all five none could."""
    always = always_seated(policy, game.decision_type)
    least = [member for member in game.shares if member in game.required or member in always]
    if not least or len(least) == len(game.shares):
        return
    smallest = min(game.shares[member] for member in least) / sum(game.shares[member] for member in least)
    greatest = max(game.shares.values())
    carried = {verdict for verdict, quota in game.quotas.items() if smallest >= quota > greatest}
    if carried:
        yield Finding(
            "hint",
            "small_council",
            f"required.{game.decision_type}",
            f"where only {', '.join(least)} sit, each of them alone carries {_in_order(carried)}",
            "seat more members, if one is not meant to be enough",
        )


def _overrides(policy: Policy, decision_type: DecisionType) -> Iterator[Finding]:
    overrides = policy.document.get("weights")
    given = overrides.get(decision_type, {}) if isinstance(overrides, dict) else {}
    for member in given:
        if policy.weights[decision_type][member] == policy.members[member].weight:
            yield Finding(
                "hint",
                "idle_override",
                f"weights.{decision_type}.{member}",
                "is the member's weight anyway",
                "remove it",
            )


def _is_reachable(game: _Game, quota: Fraction) -> bool:
    return sum(game.shares.values()) >= quota

"""What turned a verdict: the parts of a decision that differ under another policy, each tried alone.

A part turns a verdict alone where the old decision, with nothing but this part from the new policy, merges to the new verdict.
Where no part does it alone, those count without which the new decision would fall back; where there is none either, all that
differ did it together. Exact: every trial is a merge (`council.merge`).
"""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from fractions import Fraction
from typing import Final, Literal, NamedTuple

from council.merge import Ballot, FiredRule, Seats, merge
from policies.verdicts import STRICTNESS, VERDICTS, Path, Verdict

_OFF: Final = "council_off"
"""Tag of a case in a realm whose council is off (`council.conclusion`)."""
CauseKind = Literal["member", "rule", "number", "invocation", "conditions", "models"]
"""`number`: a number of the merge; `invocation`: whether the council convened; `conditions`: what became of a merge to modify;
`models`: a case held because of what its models said."""
How = Literal["alone", "needed", "together"]


class Cause(NamedTuple):
    """One thing that turned a verdict."""

    kind: CauseKind
    name: str
    """The member, the rule, the key of the policy."""
    told: str
    how: How = "alone"


class Footing(NamedTuple):
    """What a verdict stood on under one policy."""

    path: Path
    verdict: Verdict
    """The council's verdict."""
    seats: Seats | None
    """None on the fast path."""
    ballots: tuple[Ballot, ...] = ()
    fired: tuple[FiredRule, ...] = ()
    """Enforced rules that fired on the change as asked."""
    convened_by: tuple[str, ...] = ()
    tags: tuple[str, ...] = ()
    fired_on_modified: tuple[str, ...] = ()
    """Enforced rules that fired on the change as modified."""


class Level(NamedTuple):
    """One level of the merge under both policies: the share of mass at it or stricter against its quota."""

    verdict: Verdict
    share_before: Fraction
    quota_before: Fraction
    share_after: Fraction
    quota_after: Fraction


class _Ground(NamedTuple):
    """What a merge reads."""

    seats: Seats
    ballots: Mapping[str, Ballot]
    fired: Mapping[str, FiredRule]

    def verdict(self) -> Verdict:
        ballots = [self.ballots[member] for member in self.seats.weights if member in self.ballots]
        is_ended = any(rule.outcome != "modify" for rule in self.fired.values()) and not ballots
        return merge(self.seats, [] if is_ended else ballots, tuple(self.fired.values())).verdict


class _Part(NamedTuple):
    """One thing that differs."""

    cause: Cause
    put: Callable[[_Ground, _Ground], _Ground]
    """Return the first ground with this part from the second."""


def turned_by(old: Footing, new: Footing) -> tuple[Cause, ...]:
    """Return what turned a verdict: what did it alone, else what it took."""
    if old.path == "fast" or new.path == "fast":
        return tuple(_convening(old, new))
    if old.seats is None or new.seats is None:
        return (Cause("number", "policy", "the policy that decided is not at hand, so its numbers are not known"),)
    before, after = _ground(old, old.seats), _ground(new, new.seats)
    if before.verdict() == after.verdict():
        return tuple(_after_the_merge(old, new))
    parts = list(_parts(before, after))
    alone = [part.cause for part in parts if part.put(before, after).verdict() == after.verdict()]
    if alone:
        return tuple(alone)
    needed = [part.cause for part in parts if part.put(after, before).verdict() != after.verdict()]
    if needed:
        return tuple([cause._replace(how="needed") for cause in needed])
    return tuple([part.cause._replace(how="together") for part in parts])


class Explained(NamedTuple):
    """Why a verdict changed."""

    causes: tuple[Cause, ...]
    levels: tuple[Level, ...]
    """Those between the two verdicts, strictest first, where votes or quotas turned it."""


def explained(old: Footing, new: Footing) -> Explained:
    """Return what turned a verdict, with the shares and quotas where they did."""
    causes = turned_by(old, new)
    is_by_votes = any(cause.kind == "member" or cause.name.startswith("merge.quotas") for cause in causes)
    if not is_by_votes or old.seats is None or new.seats is None:
        return Explained(causes, ())
    before, after = merge(old.seats, old.ballots, old.fired), merge(new.seats, new.ballots, new.fired)
    span = sorted((STRICTNESS[before.verdict], STRICTNESS[after.verdict]))
    levels = [
        Level(at, before.shares[at], old.seats.quotas[at], after.shares[at], new.seats.quotas[at])
        for at in reversed(VERDICTS[max(1, span[0]) : span[1] + 1])
    ]
    return Explained(causes, tuple(levels))


def _ground(footing: Footing, seats: Seats) -> _Ground:
    fired = {rule.rule: rule for rule in footing.fired}
    return _Ground(seats, {ballot.member: ballot for ballot in footing.ballots}, fired)


def _convening(old: Footing, new: Footing) -> Iterator[Cause]:
    if _OFF in new.tags or _OFF in old.tags:
        yield Cause("invocation", "realms", f"the council {'is' if _OFF in new.tags else 'was'} off in this realm")
        return
    for reason in old.convened_by:
        if reason not in new.convened_by:
            yield Cause("invocation", reason, f"{reason} no longer convenes the council")
    for reason in new.convened_by:
        if reason not in old.convened_by:
            yield Cause("invocation", reason, f"{reason} convenes the council")


def _after_the_merge(old: Footing, new: Footing) -> Iterator[Cause]:
    """The merge came to the same: what follows it made the difference."""
    for tag in ("text_made_milder", "milder_than_rules"):
        if (tag in old.tags) != (tag in new.tags):
            yield Cause("models", tag, f"{'is' if tag in new.tags else 'was'} held: {tag}")
    if ("nothing_to_modify" in old.tags) != ("nothing_to_modify" in new.tags):
        told = "nothing says what to modify" if "nothing_to_modify" in new.tags else "there is something to modify now"
        yield Cause("conditions", "nothing_to_modify", told)
    for rule in dict.fromkeys([*old.fired_on_modified, *new.fired_on_modified]):
        if (rule in old.fired_on_modified) != (rule in new.fired_on_modified):
            fires = "fires" if rule in new.fired_on_modified else "no longer fires"
            yield Cause("rule", rule, f"{rule} {fires} on the modified change")


def _parts(old: _Ground, new: _Ground) -> Iterator[_Part]:
    if old.ballots and new.ballots:
        # Where a veto has ended the review on one side, that members were asked on the other follows from it.
        yield from _members(old, new)
    yield from _rules(old, new)
    yield from _numbers(old.seats, new.seats)


def _members(old: _Ground, new: _Ground) -> Iterator[_Part]:
    for member in dict.fromkeys([*old.seats.weights, *new.seats.weights]):
        told = "; ".join(_member_told(member, old, new))
        if told:
            cause = Cause("member", member, told)
            yield _Part(cause, lambda mine, other, member=member: _with_member(mine, other, member))  # type: ignore[misc]


def _member_told(member: str, old: _Ground, new: _Ground) -> Iterator[str]:
    sat, sits = member in old.seats.weights, member in new.seats.weights
    if sat != sits:
        yield "sits now" if sits else "sits no more"
        return
    before, after = old.ballots.get(member), new.ballots.get(member)
    if _said(before) != _said(after):
        yield f"{_said(after)}, before {_said(before)}"
    masses = [_own_mass(ground) for ground in (old, new)]
    shares = [mass[member] / sum(mass.values(), Fraction(0)) for mass in masses]
    if masses[0][member] != masses[1][member] and shares[0] != shares[1]:
        yield f"holds {shares[1]} of the mass, before {shares[0]}"


def _said(ballot: Ballot | None) -> str:
    if ballot is None:
        return "was not asked"
    return "abstains" if ballot.verdict is None else f"votes {ballot.verdict}"


def _own_mass(ground: _Ground) -> dict[str, Fraction]:
    terms = merge(ground.seats, list(ground.ballots.values())).terms
    return {term.member: term.weight * term.unit for term in terms}


def _with_member(mine: _Ground, other: _Ground, member: str) -> _Ground:
    """Return a ground with one member's seat, weight, confidence and vote from another."""
    seats = mine.seats
    weights = {
        name: (other.seats if name == member else seats).weights[name]
        for name in dict.fromkeys([*seats.weights, *other.seats.weights])
        if name in (other.seats if name == member else seats).weights
    }
    uses = (seats.use_confidence - {member}) | (other.seats.use_confidence & {member})
    steps = {name: found for name, found in seats.calibration.items() if name != member}
    steps |= {name: found for name, found in other.seats.calibration.items() if name == member}
    ballots = {name: ballot for name, ballot in mine.ballots.items() if name != member}
    if member in other.ballots:
        ballots[member] = other.ballots[member]
    if not weights:
        return mine
    return mine._replace(seats=replace(seats, weights=weights, use_confidence=uses, calibration=steps), ballots=ballots)


def _rules(old: _Ground, new: _Ground) -> Iterator[_Part]:
    for rule in dict.fromkeys([*old.fired, *new.fired]):
        before, after = old.fired.get(rule), new.fired.get(rule)
        if before == after:
            continue
        if before and after:
            told = f"{rule} says {after.outcome}, before {before.outcome}"
        else:
            told = f"{rule} fires: {after.outcome}" if after else f"{rule} no longer fires"
        yield _Part(Cause("rule", rule, told), lambda mine, other, rule=rule: _with_rule(mine, other, rule))  # type: ignore[misc]


def _with_rule(mine: _Ground, other: _Ground, rule: str) -> _Ground:
    fired = {name: found for name, found in mine.fired.items() if name != rule}
    if rule in other.fired:
        fired[rule] = other.fired[rule]
    # A veto that ended the review hides the votes: without it, those of the other side are what would be cast.
    return mine._replace(fired=fired, ballots=mine.ballots or other.ballots)


def _numbers(old: Seats, new: Seats) -> Iterator[_Part]:
    for verdict in VERDICTS[1:]:
        if old.quotas[verdict] != new.quotas[verdict]:
            told = f"the quota of {verdict} is {new.quotas[verdict]}, before {old.quotas[verdict]}"
            cause = Cause("number", f"merge.quotas.{verdict}", told)
            yield _Part(cause, lambda mine, other, verdict=verdict: _with_quota(mine, other, verdict))  # type: ignore[misc]
    for field, key in _NUMBERS.items():
        before, after = getattr(old, field), getattr(new, field)
        if before != after:
            cause = Cause("number", key, f"{key} is {_shown(after)}, before {_shown(before)}")
            yield _Part(cause, lambda mine, other, field=field: _with_number(mine, other, field))  # type: ignore[misc]


_NUMBERS: Mapping[str, str] = {
    "quorum": "merge.quorum",
    "required": "required",
    "absent_counts_as": "merge.absent_counts_as",
    "confidence_floor": "merge.confidence_floor",
    "rule": "merge.rule",
}


def _shown(value: object) -> str:
    return ", ".join(sorted(value)) or "nobody" if isinstance(value, frozenset) else str(value)


def _with_quota(mine: _Ground, other: _Ground, verdict: Verdict) -> _Ground:
    quotas = {**mine.seats.quotas, verdict: other.seats.quotas[verdict]}
    return mine._replace(seats=replace(mine.seats, quotas=quotas))


def _with_number(mine: _Ground, other: _Ground, field: str) -> _Ground:
    changes: dict[str, object] = {field: getattr(other.seats, field)}
    return mine._replace(seats=replace(mine.seats, **changes))  # type: ignore[arg-type]

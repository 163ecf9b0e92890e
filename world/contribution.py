"""Who stands behind a change: supporting points by account and by cluster of linked accounts (domain.md C1; row S0-52).

Clusters are those of `world.clusters`. The number of clusters that the caps are made from is counted without links that
a player can claim: fewer clusters would mean wider caps.

No text that a player can write (notes, evidence other than those two ids) is read here.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from itertools import pairwise
from typing import Final, NamedTuple

from policies.contracts.request import ImpactCandidate
from policies.numbers import scaled
from world.balance import gini
from world.case import Case
from world.clusters import link

SATURATION: Final = 120_000
"""C of eff(x) = x * C / (x + C), milli-points per cluster (domain.md C1)."""
DUPLICATE_MS: Final = 10_000
"""The same act on the same target by the same account within this time is one act told twice."""
VAGUE_MS: Final = 1_000
"""The same, where an event names neither target nor chapter, so that equal acts are less telling."""
INFLATED: Final = 2
"""An event is inflated above this many times the median of its action type (C1: the catalogue fixes base points)."""
LEAST_OF_TYPE: Final = 3
"""Events of one action type needed before its median says anything."""

_EPOCH: Final = datetime(1970, 1, 1, tzinfo=UTC)


class Contribution(NamedTuple):
    """Supporting points, summed. Milli-points unless said otherwise; negative points support nothing and count 0."""

    events: int
    """Events that speak for the side that gains."""
    users: int
    clusters: int
    """Clusters, every link counted."""
    linked: int
    """Accounts beyond the first of each cluster."""
    total: int
    effective: int
    """Points after saturation per cluster."""
    top_user: int
    top_cluster: int
    top5: int
    """Points of the five largest clusters."""
    gini: int | None
    """Permille over clusters; None where nobody has points."""
    supported: int
    """Points that count within the caps, duplicates left out."""
    duplicates: tuple[int, ...]
    """Events that repeat an earlier one, as indices into `supporting_events`, ascending."""
    inflated: int
    """Points in excess of the median of their action type, of events above twice that median."""
    ring: int
    """Permille: how much of a ring the most suspicious cluster is (see `ring_of`)."""


def contribution_of(case: Case) -> Contribution | None:
    """Sum up who supports a change; None where no event does."""
    events = case.request.supporting_events
    if not events:
        return None
    chosen = supporters(case)
    hard, soft = link(events)
    counted = events if len(chosen) == len(events) else [events[index] for index in chosen]
    scored = [(event.user_id, milli(event.base_points)) for event in counted]
    by_user = _sums(scored)
    repeated: tuple[int, ...] = ()
    if len(by_user) < len(chosen) or len({event.event_id for event in counted}) < len(chosen):
        repeated = duplicates_of(events, chosen)
    members: Mapping[str, int] = {}
    by_cluster = by_user
    if len(set(soft.values())) < len(soft):
        by_cluster, members = _grouped(by_user, soft)
    by_hard = by_cluster if soft is hard else _grouped(by_user, hard)[0]
    left = by_user
    if repeated:
        told_twice = set(repeated)
        left = _sums([pair for index, pair in zip(chosen, scored, strict=True) if index not in told_twice])
    total = sum(by_cluster.values())
    ranked = sorted(by_cluster.values(), reverse=True)
    return Contribution(
        events=len(chosen),
        users=len(by_user),
        clusters=len(by_cluster),
        linked=len(by_user) - len(by_cluster),
        total=total,
        effective=sum([saturated(amount) for amount in ranked]),
        top_user=max(by_user.values()),
        top_cluster=ranked[0],
        top5=sum(ranked[:5]),
        gini=_gini(ranked, by_hard),
        supported=supported_points(left, soft, total, len([amount for amount in by_hard.values() if amount])),
        duplicates=repeated,
        inflated=_inflated(counted, scored),
        ring=ring_of(by_cluster, members, total),
    )


def supporters(case: Case) -> list[int]:
    """Return indices of the events that speak for the side that gains.

    An event without a faction speaks for every side; one of another faction speaks against. Where no effect says who
    gains, or no event speaks for them, all events count: there is then nothing to tell them apart by.
    """
    events = case.request.supporting_events
    sides: set[str | None] = set()
    for effect in case.request.proposed_change.effects:
        if effect.op == "faction_delta":
            if effect.amount > 0:
                sides.add(effect.faction_id)
        elif effect.op == "territory_transfer":
            sides.add(effect.to)
    actor = case.request.proposed_change.actor
    if not sides and actor is not None and actor.faction_id is not None:
        sides.add(actor.faction_id)
    if not sides:
        return list(range(len(events)))
    sides.add(None)
    chosen = [index for index, event in enumerate(events) if event.faction_id in sides]
    return chosen or list(range(len(events)))


def duplicates_of(events: Sequence[ImpactCandidate], chosen: Iterable[int]) -> tuple[int, ...]:
    """Return events that repeat an earlier one: the same id, or the same act of the same account within `DUPLICATE_MS`.

    An act is the account, action, target, story and chapter: typed fields. Evidence and notes are left out, or a word
    changed in them would make one act two.
    """
    ids: set[str] = set()
    repeated: set[int] = set()
    by_user: dict[str, list[int]] = {}
    for index in chosen:
        event = events[index]
        if event.event_id in ids:
            repeated.add(index)
        ids.add(event.event_id)
        by_user.setdefault(event.user_id, []).append(index)
    for same in by_user.values():
        if len(same) > 1:
            repeated.update(_told_again(events, same))
    return tuple(sorted(repeated))


def supported_points(by_user: Mapping[str, int], cluster_of: Mapping[str, str], total: int, clusters: int) -> int:
    """Return the points that count within the caps of domain.md C1, whose excess is dropped.

    With n contributing clusters and a total of T: a cluster counts at most max(8 %, 2/n) of T, an account at most
    max(5 %, 1.5/n). So one cluster alone is never capped, nobody else is there to be outvoted; of two, no account
    counts more than three quarters.

    Worked: ten accounts of which one has 900 of 990 points and nine have 10 each. T = 990, account cap 15 % = 148.5,
    supported 148 + 90 = 238 of 990.
    """
    if clusters == 0:
        return 0
    cluster_cap = max(80 * total // 1000, 2 * total // clusters)
    user_cap = max(50 * total // 1000, 3 * total // (2 * clusters))
    if len(by_user) == clusters and max(by_user.values()) <= user_cap <= cluster_cap:
        return sum(by_user.values())
    capped: dict[str, int] = {}
    for user, amount in by_user.items():
        root = cluster_of[user]
        capped[root] = capped.get(root, 0) + min(amount, user_cap)
    return sum([min(amount, cluster_cap) for amount in capped.values()])


def saturated(amount: int) -> int:
    """Return eff(x) = x * C / (x + C) with C = 120 points, milli-points (domain.md C1): 1,200 points count as 109."""
    return amount * SATURATION // (amount + SATURATION)


def inflated_points(amounts: Sequence[int]) -> int:
    """Return the points above the median, of events of one action type above twice that median.

    The catalogue fixes the base points of an action (C1), so events of one type should agree. Fewer than three events,
    or a median of 0, say nothing.

    >>> inflated_points([25, 25, 25, 1000]), inflated_points([25, 1000])
    (975, 0)
    """
    if len(amounts) < LEAST_OF_TYPE or min(amounts) == max(amounts):
        return 0
    middle = sorted(amounts)[(len(amounts) - 1) // 2]
    return sum([amount - middle for amount in amounts if amount > INFLATED * middle]) if middle else 0


def ring_of(by_cluster: Mapping[str, int], members: Mapping[str, int], total: int) -> int:
    """Return how much of a ring the most suspicious cluster is, permille: (k - 2) / (k - 1) * min(1, 2 * share).

    With k accounts: two may be siblings at one machine and count nothing; three are half a ring, six 800. A ring that
    holds half of the points or more counts in full, a smaller one in proportion.
    """
    worst = 0
    for root, k in members.items():
        if k > 2 and total:
            worst = max(worst, 1000 * (k - 2) * min(total, 2 * by_cluster[root]) // ((k - 1) * total))
    return worst


def milli(points: float) -> int:
    """Return points in milli-points, exactly; negative points support nothing and count 0."""
    if points <= 0:
        return 0
    return int(points) * 1000 if points.is_integer() else scaled(points, 1000)


def epoch_ms(moment: datetime) -> int:
    """Return whole milliseconds since 1970 of an aware moment, rounded down; no floats in between."""
    since = moment - _EPOCH
    return since.days * 86_400_000 + since.seconds * 1000 + since.microseconds // 1000


def _sums(scored: Iterable[tuple[str, int]]) -> dict[str, int]:
    sums: dict[str, int] = {}
    for user, amount in scored:
        sums[user] = sums.get(user, 0) + amount
    return sums


def _told_again(events: Sequence[ImpactCandidate], same: Sequence[int]) -> list[int]:
    """Return which events of one account tell an act of its own again."""
    acts: dict[tuple[str | None, ...], list[tuple[int, int]]] = {}
    for index in same:
        event = events[index]
        act: tuple[str | None, ...] = (event.action_type, event.target_id, event.chapter_id, event.story_id)
        acts.setdefault(act, []).append((epoch_ms(event.created_at), index))
    again = []
    for act, moments in acts.items():
        window = VAGUE_MS if act[1] is None and act[2] is None else DUPLICATE_MS
        moments.sort()
        again += [later for (start, _), (end, later) in pairwise(moments) if end - start <= window]
    return again


def _inflated(counted: Sequence[ImpactCandidate], scored: Sequence[tuple[str, int]]) -> int:
    by_type: dict[str, list[int]] = {}
    for event, (_, amount) in zip(counted, scored, strict=True):
        by_type.setdefault(event.action_type, []).append(amount)
    return sum([inflated_points(amounts) for amounts in by_type.values()])


def _grouped(by_user: Mapping[str, int], cluster_of: Mapping[str, str]) -> tuple[dict[str, int], dict[str, int]]:
    """Return points and number of accounts per cluster."""
    points: dict[str, int] = {}
    members: dict[str, int] = {}
    for user, amount in by_user.items():
        root = cluster_of[user]
        points[root] = points.get(root, 0) + amount
        members[root] = members.get(root, 0) + 1
    return points, members


def _gini(ranked: Sequence[int], by_hard: Mapping[str, int]) -> int | None:
    # Joining two small clusters can make the whole look more equal, so a claimed link may not lower the figure.
    merged, unmerged = gini(ranked), gini(list(by_hard.values())) if len(by_hard) != len(ranked) else None
    return merged if unmerged is None or merged is None else max(merged, unmerged)

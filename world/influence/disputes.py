"""What an act in review is disputed for: the acts that bear on it, how grave they are, and whether they accuse the account.

A rhythm that no person has, a replay, or several accounts on one machine speak against whoever acts so: the whole day is
shown, and the warning names the account. Pace alone does not. A guild on a raid night, or two who share a machine, are fast
and human; their burst is shown without an accusation while it lasts, so that its points are held to what is trusted, and an
act after it is judged by its own hour. Without that, one burst would put everything under dispute for 24 hours. Pure.
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from policies.contracts.request import ImpactCandidate
from world.anomaly import WINDOWS, Z_FULL, anomaly_of, anscombe
from world.contribution import epoch_ms
from world.influence.judging import REVIEW_FROM, Judged

HUMAN_RHYTHM: Final = 200
"""Entropy deficit, permille, below which a rhythm is a person's: 99 of 100 simulated people lie below 193 (domain.md C6)."""
RING_FROM: Final = 3
"""Accounts on one device or session from which they are looked at as a ring; two are a household."""
NEAR_MS: Final = 3_600_000
"""A burst lasts until an hour has passed without it."""


class Dispute(NamedTuple):
    """What the council is shown of an act in review."""

    events: tuple[ImpactCandidate, ...]
    """Oldest first; the act itself is the last."""
    severity: int
    """Permille."""
    accuses: bool
    """Whether the warning names the account."""
    told: str


def dispute_of(candidate: ImpactCandidate, judged: Judged, recent: Sequence[ImpactCandidate]) -> Dispute:
    """Return what an act is disputed for.

    Args:
        recent: what the same account, device and session did in the last 24 hours, oldest first.
    """
    events = (*recent, candidate)
    if not _is_human(judged):
        return Dispute(events, judged.anomaly, accuses=True, told="the rhythm is not known to be a person's")
    if len({event.user_id for event in events}) >= RING_FROM:
        return Dispute(events, judged.anomaly, accuses=True, told="several accounts act on one device or session")
    at = epoch_ms(candidate.created_at)
    near = tuple([event for event in events if abs(at - epoch_ms(event.created_at)) < NEAR_MS])
    pace = _pace(events, near, candidate)
    if pace >= REVIEW_FROM or not _shows_all(events, judged):
        return Dispute(events, judged.anomaly, accuses=False, told="a burst in the rhythm of a person")
    return Dispute(near, pace, accuses=False, told="after such a burst; the hour itself is calm")


def _is_human(judged: Judged) -> bool:
    """Whether enough acts show a rhythm and it is a person's; what is not known is not taken for one."""
    entropy = judged.terms.get("entropy")
    return entropy is not None and entropy < HUMAN_RHYTHM and not judged.terms.get("replays")


def _shows_all(events: Sequence[ImpactCandidate], judged: Judged) -> bool:
    """Whether the acts are as fast as those that were judged, and none of the burst is missing."""
    found = anomaly_of(events)
    assert found is not None
    judged_velocity: int = judged.terms.get("velocity", 0)
    return found.velocity >= judged_velocity


def _pace(events: Sequence[ImpactCandidate], near: Sequence[ImpactCandidate], candidate: ImpactCandidate) -> int:
    """Return how fast the account and its device are within an hour of the act, and over the day that ends with it."""
    _, of_a_day = WINDOWS[-1]
    mine = sum(event.user_id == candidate.user_id for event in events)
    shared = sum(event.device_id == candidate.device_id for event in events) if candidate.device_id is not None else 0
    found = anomaly_of(near)
    assert found is not None
    return max(found.velocity, min(1_000, anscombe(max(mine, shared), of_a_day) * 1_000 // Z_FULL))

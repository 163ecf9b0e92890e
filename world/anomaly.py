"""The anomaly score of supporting events: velocity, entropy and replay, joined by noisy-OR (domain.md C6; row S0-55).

Only what the request itself shows is computed. A cohort's learned rates are not in it: expected counts are constants;
action mix and action order are measured against the action types that the case shows, and left out where it shows one
only, because the sim selects events by what they support. Integers throughout; windows and gaps in milliseconds.
"""

from collections.abc import Collection, Mapping, Sequence
from datetime import datetime
from itertools import pairwise
from math import isqrt
from typing import Final, NamedTuple, Protocol, TypeVar

from world.balance import entropy, log2
from world.contribution import epoch_ms

WINDOWS: Final = ((60_000, 1), (900_000, 4), (3_600_000, 12), (86_400_000, 96))
"""(window in ms, expected acts of one account in it): a minute, a tick, an hour, a day.

Supporting events are deeds that count for the realm, not key strokes: four in a tick of 15 minutes is a busy player. A
minute and a day allow bursts and long sessions. Designers tune what follows from the score, not these.
"""
Z_FULL: Final = 12_000
"""z at which velocity is certain, milli standard deviations (C6: clamp(z / 12))."""
LEAST_EVENTS: Final = 20
"""Events of one account needed before entropy says anything (C6)."""
TIMING_BUCKETS: Final = 24
BOUND_ACTIONS: Final = 450
"""Normalised entropy below which an action mix is narrow, permille (C6, Ea)."""
BOUND_TIMING: Final = 450
"""The same for inter-arrival times (C6, Et)."""
BOUND_SEQUENCE: Final = 350
"""The same for the next action given the last (C6, Ec)."""
REPLAY_FACTOR: Final = 4
"""A quarter of the events replayed is certain replay; one of many may be an honest redelivery."""
STRAY_LEAST_MS: Final = 86_400_000
STRAY_FACTOR: Final = 8
"""An event strays where it lies further from the median moment than a day and than eight times the median distance."""


K = TypeVar("K", str, str | None)


class Act(Protocol):
    """What is read of an event; an `ImpactCandidate` has it, and so has an act of the influence ledger (`Recent`)."""

    @property
    def event_id(self) -> str: ...
    @property
    def realm_id(self) -> str: ...
    @property
    def user_id(self) -> str: ...
    @property
    def device_id(self) -> str | None: ...
    @property
    def action_type(self) -> str: ...
    @property
    def faction_id(self) -> str | None: ...
    @property
    def base_points(self) -> float: ...
    @property
    def target_id(self) -> str | None: ...
    @property
    def story_id(self) -> str | None: ...
    @property
    def chapter_id(self) -> str | None: ...
    @property
    def created_at(self) -> datetime: ...


class Anomaly(NamedTuple):
    """What is odd about the events, permille unless said otherwise. None where too few events show it."""

    velocity: int
    timing: int | None
    """Et: how much too regular the moments are."""
    actions: int | None
    """Ea: how much too narrow the mix of actions is."""
    sequence: int | None
    """Ec: how much too predictable the next action is."""
    entropy: int | None
    """E: the three joined as in C6."""
    replays: tuple[int, ...]
    """Events that repeat an earlier one exactly, as indices into `supporting_events`."""
    strays: tuple[int, ...]
    """Events far from the others in time, as indices."""
    score: int
    """A = 1000 - (1000-V)(1000-E)(1000-D)/10^6, what could not be computed left out."""


_CALM: Final = Anomaly(0, None, None, None, None, (), (), 0)
"""One event has nothing beside it that could be odd."""


class Deficits(NamedTuple):
    """Entropy deficits of one account's events, permille."""

    timing: int
    actions: int | None
    sequence: int | None
    joined: int


def anomaly_of(
    events: Sequence[Act], moments: Sequence[int] | None = None, refused: Collection[int] = ()
) -> Anomaly | None:
    """Score supporting events; None where there are none.

    Args:
        events: what is looked at.
        moments: when they happened, milliseconds since 1970, where the caller has it already.
        refused: places of those that were refused for a fault: whoever mends it and sends the act again replays nothing.
    """
    if not events:
        return None
    if len(events) == 1:
        return _CALM
    if moments is None:
        moments = [epoch_ms(event.created_at) for event in events]
    by_user = _places([event.user_id for event in events])
    fast = velocity(events, by_user, moments)
    replays = replays_of(events, by_user, moments, refused)
    worst = _worst_deficits(events, by_user, moments)
    replay = min(1000, 1000 * REPLAY_FACTOR * len(replays) // len(events))
    joined = worst.joined if worst is not None else None
    return Anomaly(
        fast,
        worst.timing if worst is not None else None,
        worst.actions if worst is not None else None,
        worst.sequence if worst is not None else None,
        joined,
        replays,
        strays_of(moments),
        noisy_or(fast, joined or 0, replay),
    )


def noisy_or(*scores: int) -> int:
    """Return 1000 - the product of (1000 - s) / 1000: any one warning suffices, several add up. Rounded up.

    >>> noisy_or(500, 500), noisy_or(0, 300), noisy_or()
    (750, 300, 0)
    """
    calm = 1000
    for score in scores:
        calm = calm * (1000 - score) // 1000
    return 1000 - calm


def velocity(events: Sequence[Act], by_user: Mapping[str, Sequence[int]], moments: Sequence[int]) -> int:
    """Return V of the fastest account or device over the worst window, permille."""
    if len(by_user) == 1:  # no device has more of them
        return min(1000, _burst(sorted(moments)) * 1000 // Z_FULL)
    worst = 0
    of_users = list(by_user.values())
    by_device = _places([event.device_id for event in events])
    # An account with a device of its own has the same events under both.
    of_devices = [each for device, each in by_device.items() if device is not None and each not in of_users]
    for indices in [*of_users, *of_devices]:
        if len(indices) > 1:
            worst = max(worst, _burst(sorted([moments[index] for index in indices])))
    return min(1000, worst * 1000 // Z_FULL)


def anscombe(count: int, expected: int) -> int:
    """Return z = 2 * (sqrt(n + 3/8) - sqrt(l + 3/8)) in milli standard deviations, 0 where n is no more than expected.

    Source: F. J. Anscombe, The transformation of Poisson data, 1948, doi 10.1093/biomet/35.3-4.246. Worked: 30 acts
    where 4 are expected give 2 * (5.511 - 2.092) = 6.84.
    """
    if count <= expected:
        return 0
    return 2 * (isqrt((8 * count + 3) * 125_000) - isqrt((8 * expected + 3) * 125_000))


def replays_of(
    events: Sequence[Act],
    by_user: Mapping[str, Sequence[int]],
    moments: Sequence[int],
    refused: Collection[int] = (),
) -> tuple[int, ...]:
    """Return events with the id of an earlier one, or equal to one in every typed field but the id.

    Evidence and notes are left out: a player can write them, and a changed word must not hide a replay.
    """
    found = _same_ids(events)
    for indices in by_user.values():
        # What is equal happened at one moment; comparing numbers first is cheap.
        if len(indices) > len({moments[index] for index in indices}):
            found += _equal_payloads(events, [index for index in indices if index not in refused])
    return tuple(sorted(set(found))) if found else ()


def strays_of(moments: Sequence[int]) -> tuple[int, ...]:
    """Return which moments lie far from the others, before or after; none among fewer than three."""
    if len(moments) < 3 or max(moments) - min(moments) <= STRAY_LEAST_MS:
        return ()
    ordered = sorted(moments)
    middle = ordered[len(ordered) // 2]
    distances = [abs(moment - middle) for moment in moments]
    limit = max(STRAY_LEAST_MS, STRAY_FACTOR * sorted(distances)[len(distances) // 2])
    return tuple([index for index, distance in enumerate(distances) if distance > limit])


def deficits(actions: Sequence[str], moments: Sequence[int], kinds: int) -> Deficits:
    """Return the entropy deficits of one account's acts, in order of time (C6).

    Args:
        actions: action types.
        moments: milliseconds, ascending; as many as actions, at least three.
        kinds: action types that the whole case shows.
    """
    n = len(actions)
    gaps = [quarter_octave(later - earlier) for earlier, later in pairwise(moments)]
    timing = _deficit(entropy(_counts(gaps)), min(TIMING_BUCKETS, n - 1), BOUND_TIMING)
    if kinds < 2:
        return Deficits(timing, None, None, timing)
    mix, order = entropy(_counts(actions)), _conditional(actions)
    narrow = _deficit(mix, min(kinds, n), BOUND_ACTIONS)
    looping = _deficit(order, min(kinds, n), BOUND_SEQUENCE)
    return Deficits(timing, narrow, looping, max(timing, (narrow + looping) // 2, (narrow + timing + looping) // 3))


def quarter_octave(gap: int) -> int:
    """Return floor(4 * log2(gap)) exactly; -1 for no gap at all.

    >>> quarter_octave(1), quarter_octave(2), quarter_octave(1000), quarter_octave(0)
    (0, 4, 39, -1)
    """
    return (gap**4).bit_length() - 1 if gap > 0 else -1


def _places(keys: Sequence[K]) -> dict[K, Sequence[int]]:
    """Return where each key stands, rising."""
    if len(set(keys)) == 1:
        return {keys[0]: range(len(keys))}
    found: dict[K, list[int]] = {}
    for place, key in enumerate(keys):
        found.setdefault(key, []).append(place)
    return dict(found)


def _burst(moments: Sequence[int]) -> int:
    """Return z of the worst window of moments in order."""
    worst, count = 0, len(moments)
    for window, expected in WINDOWS:
        if count > expected:
            worst = max(worst, anscombe(_most_within(moments, window), expected))
    return worst


def _most_within(moments: Sequence[int], window: int) -> int:
    if moments[-1] - moments[0] < window:
        return len(moments)
    most = 0
    for end, moment in enumerate(moments):
        if moment - moments[end - most] < window:  # one more than the most so far ends here
            most += 1
    return most


def _same_ids(events: Sequence[Act]) -> list[int]:
    ids = [event.event_id for event in events]
    if len(set(ids)) == len(ids):
        return []
    first = {event_id: index for index, event_id in reversed(list(enumerate(ids)))}
    return [index for index, event_id in enumerate(ids) if first[event_id] != index]


def _equal_payloads(events: Sequence[Act], indices: Sequence[int]) -> list[int]:
    seen: set[tuple[object, ...]] = set()
    found = []
    for index in indices:
        event = events[index]
        payload = (
            event.created_at,
            event.action_type,
            event.base_points,
            event.target_id,
            event.faction_id,
            event.story_id,
            event.chapter_id,
            event.realm_id,
        )
        if payload in seen:
            found.append(index)
        seen.add(payload)
    return found


def _worst_deficits(
    events: Sequence[Act], by_user: Mapping[str, Sequence[int]], moments: Sequence[int]
) -> Deficits | None:
    if len(events) < LEAST_EVENTS:
        return None
    kinds = len({event.action_type for event in events})
    found = []
    for indices in by_user.values():
        if len(indices) >= LEAST_EVENTS:
            ordered = sorted(indices, key=moments.__getitem__)
            found.append(deficits([events[i].action_type for i in ordered], [moments[i] for i in ordered], kinds))
    return max(found, key=lambda each: each.joined, default=None)


def _deficit(found: int, kinds: int, bound: int) -> int:
    """Return d(h, b) = max(0, (b - h) / b), permille, for an entropy normalised by log2 of the kinds possible."""
    normalised = 1000 * found // log2(kinds)
    return max(0, (bound - normalised) * 1000 // bound)


def _conditional(actions: Sequence[str]) -> int:
    """Return H(next | last) = H(pairs) - H(last), millionths of a bit."""
    pairs = list(pairwise(actions))
    return max(0, entropy(_counts(pairs)) - entropy(_counts(actions[:-1])))


def _counts(items: Sequence[object]) -> list[int]:
    counts: dict[object, int] = {}
    for item in items:
        counts[item] = counts.get(item, 0) + 1
    return list(counts.values())

"""What an act is disputed for: bursts of people are told from scripts and rings, and end with their hour."""

from datetime import UTC, datetime
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.contracts.request import ImpactCandidate
from policies.draws import Draws
from tests.unit.world.living_realm import candidate
from world.anomaly import anomaly_of
from world.demo.draws import gap
from world.influence.disputes import Dispute, dispute_of
from world.influence.judging import REVIEW_FROM, Judged

START = 1_772_323_200_000
DRAWS = Draws(2)
ACTIONS = ("faction_quest_complete", "caravan_guarded", "duel_won", "patrol_complete", "tower_floor_cleared")
SECOND = 1_000
HOUR = 3_600_000


def acts(moments: list[int], users: int = 1, actions: int = 0) -> list[ImpactCandidate]:
    """Return acts at moments after the start, taken in turn by accounts on one device.

    Args:
        actions: how many kinds are done in a fixed order; 0: five kinds by chance.
    """
    return [
        candidate(
            event_id=f"e-{number}",
            user_id=f"user-{number % users}",
            faction_id="veil",
            action_type=ACTIONS[number % actions] if actions else DRAWS.one_of(ACTIONS, "act", number),
            base_points=1,
            created_at=datetime.fromtimestamp((START + at) / 1_000, UTC).isoformat(),
            device_id="device-1",
        )
        for number, at in enumerate(moments)
    ]


def human(count: int, median: int) -> list[int]:
    return list(accumulate(gap(DRAWS, median, "gap", number) for number in range(count)))


def disputed(events: list[ImpactCandidate]) -> Dispute:
    """Dispute the last act with the terms that the pipeline finds."""
    found = anomaly_of(events)
    assert found is not None
    terms = {"velocity": found.velocity, "entropy": found.entropy, "replays": len(found.replays)}
    return dispute_of(events[-1], Judged("in_review", None, None, False, found.score, terms), events[:-1])


def test_a_burst_in_the_rhythm_of_a_person_is_shown_whole_and_accuses_nobody() -> None:
    """Fifty deeds with a median of 45 s, a mean of 92 s: some 39 in an hour where 12 are expected, z about 5.5 of 12."""
    events = acts(human(50, 45 * SECOND))
    found = disputed(events)
    assert (found.events, found.accuses) == (tuple(events), False)
    assert REVIEW_FROM <= found.severity < 700


def test_an_act_after_a_burst_is_judged_by_its_own_hour() -> None:
    burst = human(50, 45 * SECOND)
    events = acts([*burst, burst[-1] + HOUR])
    assert anomaly_of(events).score >= REVIEW_FROM, "the pipeline still looks at the whole day"  # type: ignore[union-attr]
    found = disputed(events)
    assert (found.events, found.severity, found.accuses) == ((events[-1],), 0, False)


def test_a_burst_lasts_for_an_hour() -> None:
    burst = human(50, 45 * SECOND)
    assert len(disputed(acts([*burst, burst[-1] + HOUR // 8])).events) == 51


def test_a_burst_that_came_in_one_batch_is_no_calm_hour() -> None:
    """The ledger does not have the rest of the batch yet: the act alone would look calm."""
    events = acts(human(50, 45 * SECOND))
    found = anomaly_of(events)
    assert found is not None
    terms = {"velocity": found.velocity, "entropy": found.entropy, "replays": 0}
    alone = dispute_of(events[-1], Judged("in_review", None, None, False, found.score, terms), [])
    assert (alone.events, alone.severity, alone.accuses) == ((events[-1],), found.score, False)


def test_a_day_without_rest_is_no_calm_hour() -> None:
    """170 acts in 24 hours where 96 are expected: z = 2 * (13.05 - 9.82) = 6.47, of 12 that is 539 permille."""
    day = human(170, 4 * 60 * SECOND)
    assert day[-1] < 24 * HOUR
    found = disputed(acts(day))
    assert (len(found.events), found.accuses) == (170, False)


@pytest.mark.parametrize(
    "events",
    [
        pytest.param(acts([600 * SECOND * number for number in range(40)], actions=4), id="a loop to the second"),
        pytest.param(acts(human(14, 2 * SECOND)), id="too few acts to know the rhythm"),
        pytest.param(acts(human(60, 45 * SECOND), users=3), id="three accounts on one device"),
        pytest.param([*acts(human(40, 45 * SECOND)), acts(human(40, 45 * SECOND))[-1]], id="a replay"),
    ],
)
def test_scripts_rings_and_replays_are_accused_by_everything_that_is_known(events: list[ImpactCandidate]) -> None:
    found = disputed(events)
    assert (found.events, found.accuses) == (tuple(events), True)
    assert found.severity == anomaly_of(events).score  # type: ignore[union-attr]


def test_two_who_share_a_machine_are_no_ring() -> None:
    assert not disputed(acts(human(60, 45 * SECOND), users=2)).accuses


@given(st.lists(st.integers(0, 20 * HOUR), min_size=1, max_size=60), st.integers(1, 4), st.integers(0, 4))
def test_the_act_itself_is_always_shown_last_and_nothing_is_made_up(
    moments: list[int], users: int, actions: int
) -> None:
    events = acts(sorted(moments), users, actions)
    found = disputed(events)
    assert found.events[-1] == events[-1]
    assert list(found.events) == [event for event in events if event in found.events]
    assert found.severity <= anomaly_of(events).score  # type: ignore[union-attr]

"""The world-impact score and what else triage sees (domain.md C5; register rows S0-46 to S0-50)."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.evidence import values_of
from policies.signals.triage import SIGNALS
from tests.unit.world.world_cases import case, delta, event, fact, meter, place, transfer, trigger
from world.case import Case
from world.impact import triage_signals

WEIGHTS = {
    "magnitude": 25,
    "scope": 20,
    "irreversibility": 15,
    "canon_proximity": 15,
    "population": 10,
    "novelty": 5,
    "contention": 5,
    "concentration": 5,
}
FLOORS = {"sovereign_action": 80, "major_trigger": 70, "canon_conflict": 60, "anomaly": 50}
SEALED = {
    "id": "lock:gate",
    "mode": "immutable",
    "subject": "gate-of-ash",
    "predicate": "status",
    "object": "sealed",
}
HELD = {**SEALED, "subject": "t-3", "predicate": "controller", "object": "veil"}
UNSAID = {**SEALED, "mode": "forbidden_assertion", "subject": "will", "predicate": "nature", "object": None}


def seen(one: Case) -> dict[str, int]:
    return values_of(triage_signals(one, impact_weights=WEIGHTS, impact_floors=FLOORS, impact_threshold=60))


def test_a_small_gain_scores_low_and_takes_the_fast_path() -> None:
    # +0.3 for the Empire: 41.3/100.3 = 41.1765 %, a move of 1,765 ppm: 88 of 1,000. Scope of a share 700, concentration
    # 500 (two users). (25 * 88 + 20 * 700 + 15 * 0 + 5 * 0 + 5 * 500) / 70 = 267 permille: 27 points.
    found = seen(case(delta("empire", 0.3), events=[event(0), event(1)]))
    assert found["impact_magnitude"] == 88
    assert (found["impact_raw_score"], found["impact_score"], found["impact_floor"]) == (27, 27, 0)
    assert found["impact_coverage"] == 700


def test_terms_that_the_request_does_not_bear_are_left_out() -> None:
    found = seen(case(delta("empire", 0.3)))
    assert {"impact_canon_proximity", "impact_contention", "impact_concentration"}.isdisjoint(found)
    assert found["impact_coverage"] == 600


def test_two_points_of_a_meter_are_the_greatest_magnitude() -> None:
    """More than that in a tick needs a council (domain.md C4)."""
    assert seen(case(meter("stability", -2)))["impact_magnitude"] == 1000
    assert seen(case(meter("stability", 1)))["impact_magnitude"] == 500


def test_a_territory_weighs_its_part_of_the_strategic_value() -> None:
    # Two of 1,000 is 2,000 ppm: a tenth of the 20,000 that saturate.
    places = {"t-1": place("veil", 2), **{f"t-{n}": place("veil", 99.8) for n in range(2, 12)}}
    assert seen(case(transfer("t-1", "veil", "empire"), places=places))["impact_magnitude"] == 100


@pytest.mark.parametrize(
    ("decision_type", "effects", "flags", "locks", "floor"),
    [
        ("sovereign_action", [delta("empire", 0.1)], [], [], 80),
        ("major_trigger", [delta("empire", 0.1)], [], [], 70),
        ("impact_dispute", [trigger("age_of_iron")], [], [], 70),
        ("impact_dispute", [fact("gate-of-ash", "status", "open")], [], [SEALED], 60),
        ("impact_dispute", [delta("empire", 0.1)], [{"code": "spike", "severity": 0.4}], [], 50),
        ("impact_dispute", [delta("empire", 0.1)], [{"code": "spike", "severity": 0.39}], [], 0),
    ],
)
def test_floors_lift_the_score_and_say_so(
    decision_type: str, effects: list[Any], flags: list[Any], locks: list[Any], floor: int
) -> None:
    """Register rows S0-47, S0-48, S0-49; domain.md C5."""
    found = seen(case(*effects, decision_type=decision_type, flags=flags, locks=locks))
    assert found["impact_floor"] == (floor if floor > found["impact_raw_score"] else 0)
    assert found["impact_score"] == max(floor, found["impact_raw_score"])


def test_a_sovereign_actor_in_a_dispute_does_not_get_the_sovereign_floor() -> None:
    found = seen(case(delta("empire", 0.1), actor={"faction_id": "empire", "sovereign": True}))
    assert (found["actor_is_sovereign"], found["is_sovereign_action"], found["impact_floor"]) == (1, 0, 0)


@pytest.mark.parametrize(
    ("effect", "lock", "conflict"),
    [
        (fact("gate-of-ash", "status", "open"), SEALED, 1),
        (fact("gate-of-ash", "status", "sealed"), SEALED, 0),
        (fact("gate-of-ash", "keeper", "vorn"), SEALED, 0),
        (transfer("t-3", "veil", "empire"), HELD, 1),
        (fact("will", "nature", "dream"), UNSAID, 1),
        (fact("will", "nature", "dream"), {**UNSAID, "object": "god"}, 0),
        (fact("gate-of-ash", "status", "open"), "The Gate of Ash stays sealed.", 0),
    ],
)
def test_a_direct_canon_conflict_is_seen(effect: dict[str, Any], lock: Any, conflict: int) -> None:
    """Register row S0-49. A lock sent as text is left to the lore member."""
    assert seen(case(effect, locks=[lock]))["canon_conflict"] == conflict


@pytest.mark.parametrize(
    ("effect", "near"),
    [
        (transfer("t-3", "veil", "empire"), 1000),  # the locked place itself
        (delta("veil", 1.0), 500),  # its controller
        (transfer("t-4", "veil", "empire"), 500),  # an effect names the veil, which controls t-3
        (delta("empire", 1.0), 333),  # controls t-2, a neighbour of t-3
        (delta("free_cities", 1.0), 0),
    ],
)
def test_canon_proximity_falls_with_hops(effect: dict[str, Any], near: int) -> None:
    lock = {**SEALED, "subject": "t-3", "predicate": "founder", "object": None}
    assert seen(case(effect, locks=[lock]))["impact_canon_proximity"] == near


def test_events_of_the_other_side_stand_against() -> None:
    # 75 points for, 25 against: 2 * 25 / 100 = 0.5. The largest supporter has 50 of 75.
    events = [event(0, base_points=50), event(1), event(2, faction_id="veil")]
    found = seen(case(delta("empire", 1.0), events=events))
    assert (found["impact_contention"], found["impact_concentration"]) == (500, 666)


def test_two_users_of_one_device_are_one_supporter() -> None:
    found = seen(case(delta("empire", 1.0), events=[event(0, device_id="d"), event(1, device_id="d")]))
    assert found["impact_concentration"] == 1000


def test_flags_join_by_noisy_or_and_text_counts_as_half() -> None:
    # 1 - (1 - 0.5) * (1 - 0.6) = 0.8.
    found = seen(case(flags=["looks odd", {"code": "spike", "severity": 0.6}]))
    assert (found["anomaly"], found["flag_severity_max"], found["flag_count"]) == (800, 600, 2)


def test_killing_a_named_thing_is_the_least_reversible() -> None:
    assert seen(case(fact("vorn", "status", "Dead")))["impact_irreversibility"] == 1000
    assert seen(case(fact("vorn", "location", "t-1")))["impact_irreversibility"] == 700


EFFECTS = st.one_of(
    st.builds(
        delta, st.sampled_from(["empire", "veil", "free_cities"]), st.integers(-10_000, 10_000).map(lambda c: c / 100)
    ),
    st.builds(meter, st.sampled_from(["stability", "chaos"]), st.integers(-100, 100)),
    st.sampled_from([transfer("t-3", "veil", "empire"), transfer("t-5", "free_cities", "veil")]),
    st.builds(trigger, st.sampled_from(["age_of_iron", "relic_storm"])),
    st.builds(fact, st.just("gate-of-ash"), st.just("status"), st.sampled_from(["open", "sealed", "destroyed"])),
)


@given(
    st.lists(EFFECTS, max_size=5),
    st.sampled_from(["sovereign_action", "major_trigger", "impact_dispute"]),
    st.lists(st.integers(0, 5).map(event), max_size=4),
    st.booleans(),
)
def test_every_signal_is_in_the_catalogue_and_in_its_range(
    effects: list[Any], decision_type: str, events: list[Any], has_lock: bool
) -> None:
    catalogue = {spec.name: spec for spec in SIGNALS}
    one = case(*effects, decision_type=decision_type, events=events, locks=[SEALED] if has_lock else [])
    for name, value in seen(one).items():
        assert catalogue[name].low <= value <= catalogue[name].high, name

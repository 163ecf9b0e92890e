"""What of the taxonomy a chapter may show, and who steps back for a named villain (S4-18, S4-41 to S4-47, S4-56, S4-57, K14)."""

from dataclasses import replace
from pathlib import Path

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

import story
from policies.draws import Draws
from story.threat.environment import GENERALS, PlayerState, ThreatEnvironment
from story.threat.reach import empire_permille, is_in_influence
from story.threat.staging import ENCOUNTERS, UNITS, Stage, on_stage
from world.realm.rules_document import default_world_path, load_world

DATA = Path(story.__file__).parent / "data"
POOLS = yaml.safe_load((DATA / "pools.yaml").read_text(encoding="utf-8"))
SIGNS = {kind: tuple(signs) for kind, signs in POOLS["signs"].items()}
PLAYER = PlayerState("u-1", identity_coherence=30, tower_floor=2, floors_cleared=2)
ALL = ThreatEnvironment(
    active_empire_tiers=(1, 2, 3, 4),
    general_zone_affiliation="mireth",
    watcher_active=True,
    enforcement_intensity=75,
    lieutenant_unit_deployed=True,
    tower_instability=85,
    identity_echo_present=True,
    world_anomaly_active=True,
    echo_seed="the-one-without-a-road",
)


def staged(environment: ThreatEnvironment = ALL, player: PlayerState = PLAYER, **more: int) -> dict[str, Stage]:
    return {stage.storylet: stage for stage in on_stage(environment, player, signs=SIGNS, draws=Draws(7), **more)}


def test_a_quiet_world_shows_nothing() -> None:
    assert staged(ThreatEnvironment(), PlayerState("u")) == {}


def test_everything_at_work_has_a_storylet_with_the_slots_that_its_text_needs() -> None:
    storylets = yaml.safe_load((DATA / "storylets.yaml").read_text(encoding="utf-8"))["storylets"]
    shown = staged()

    assert set(shown) == {
        "watcher_sign", "patrol_met", "unit_near", "tower_shifts", "echo_speaks", "experiment_asks", "anomaly_seen",
    }  # fmt: skip
    for name, stage in shown.items():
        assert storylets[name]["kind"] == "threat"
        assert sorted(stage.slots) == sorted(storylets[name]["slots"])


@given(st.sampled_from(GENERALS), st.integers(1, 100), st.integers(0, 3))
def test_a_named_villain_halves_every_encounter_and_the_unit_stands_behind(
    general: str, intensity: int, floor: int
) -> None:
    environment = replace(ALL, general_zone_affiliation=general, enforcement_intensity=intensity)  # type: ignore[arg-type]
    player = replace(PLAYER, tower_floor=floor)
    alone, behind = staged(environment, player), staged(environment, replace(player, named_villain_active=True))

    assert "unit_near" in alone
    assert "unit_near" not in behind
    assert behind["unit_behind"].slots == {"unit": UNITS[general]}  # type: ignore[index]
    for name in ENCOUNTERS & behind.keys():
        assert behind[name].weight == alone[name].weight // 2


@pytest.mark.parametrize(
    ("player", "instability", "signs"),
    [
        (replace(PLAYER, identity_coherence=60), 45, {"floor-unknown-again"}),
        (replace(PLAYER, floors_cleared=1), 45, {"mirror-self"}),
        (replace(PLAYER, floors_cleared=1, identity_coherence=60), 75, {"room-not-on-any-map"}),
    ],
)
def test_the_tower_forgets_known_floors_mirrors_the_broken_and_grows_rooms(
    player: PlayerState, instability: int, signs: set[str]
) -> None:
    environment = ThreatEnvironment(tower_instability=instability)

    assert {staged(environment, player, chapter=at)["tower_shifts"].slots["sign"] for at in range(20)} == signs


@pytest.mark.parametrize(("floor", "instability"), [(0, 90), (2, 39)])
def test_the_tower_does_not_shift_for_who_is_outside_or_steady(floor: int, instability: int) -> None:
    assert "tower_shifts" not in staged(
        ThreatEnvironment(tower_instability=instability), replace(PLAYER, tower_floor=floor)
    )


def test_seekers_and_wanderers_meet_mireths_creations_more_often() -> None:
    weights = {
        kind: staged(player=replace(PLAYER, archetype=kind))["experiment_asks"].weight
        for kind in ("seeker", "wanderer", "rebel")
    }

    assert weights["seeker"] == weights["wanderer"] > weights["rebel"]


def test_the_empires_strength_in_the_realm_weighs_its_patrols() -> None:
    assert staged(realm_permille=500)["patrol_met"].weight < staged(realm_permille=1_000)["patrol_met"].weight


def test_the_empire_reaches_where_it_holds_borders_or_has_a_fifth() -> None:
    realm = load_world(default_world_path()).new_realm("realm-1")

    assert is_in_influence(realm, "bleeding-gate")
    assert is_in_influence(realm, "far-wilds")
    assert is_in_influence(realm, "mutation-forest")
    assert not is_in_influence(realm, "mirror-gate")
    assert is_in_influence(realm, "nowhere-on-the-map")
    assert 500 < empire_permille(realm) < 1_000

"""Verdicts reach the world exactly as written, or not at all (S0-83)."""

import pytest

from policies.contracts.effects import CanonAssert, FactionDelta, MeterDelta, TerritoryTransfer, TriggerFire
from policies.numbers import PPM
from world.realm.applying import StaleError, apply_effects
from world.realm.pot import is_whole
from world.realm.revising import concluded
from world.realm.rules_document import default_world_path, load_world
from world.realm.shares import realm_shares
from world.realm.state import state_hash

WORLD = load_world(default_world_path())
REALM = WORLD.new_realm("r")


def transfer(territory: str, old: str | None, new: str) -> TerritoryTransfer:
    return TerritoryTransfer.model_validate(
        {"op": "territory_transfer", "territory_id": territory, "from": old, "to": new}
    )


def test_a_delta_moves_a_share_and_the_others_pay_pro_rata() -> None:
    before = realm_shares(REALM)
    found = apply_effects(REALM, [FactionDelta(op="faction_delta", faction_id="empire", amount=2.5)], WORLD.rules)
    after = realm_shares(found.realm)
    # 25,000 ppm on top make the whole 1,025,000; the share of that is what is left.
    assert after["empire"] == pytest.approx((before["empire"] + 25_000) * PPM / (PPM + 25_000), abs=1)
    assert sum(after.values()) == PPM


def test_a_transfer_changes_the_controller_and_gives_it_a_footing() -> None:
    found = apply_effects(REALM, [transfer("far-wilds", "free_cities", "veil")], WORLD.rules)
    territory = found.realm.territories["far-wilds"]
    assert (territory.controller, territory.phase) == ("veil", "protected")
    assert is_whole(territory.shares)
    assert max(territory.shares, key=territory.shares.__getitem__) == "veil"
    assert [move.territory_id for move in found.moves] == ["far-wilds"]


def test_a_revision_is_a_snapshot_of_its_own_in_the_chain() -> None:
    found = apply_effects(REALM, [MeterDelta(op="meter_delta", meter="chaos", amount=5)], WORLD.rules)
    assert found.realm.snapshot_id == "snap-0.1"
    assert found.realm.previous == state_hash(REALM)
    assert found.realm.meters["chaos"] == 23_000


def test_a_trigger_fires_with_its_effects_once_a_season() -> None:
    once = apply_effects(REALM, [TriggerFire(op="trigger_fire", trigger_id="age_of_iron")], WORLD.rules)
    assert once.fired == ("age_of_iron",)
    assert once.realm.meters["tension"] == 43_000
    with pytest.raises(StaleError, match="has fired in this season already"):
        apply_effects(once.realm, [TriggerFire(op="trigger_fire", trigger_id="age_of_iron")], WORLD.rules)


def test_a_fact_becomes_true() -> None:
    found = apply_effects(
        REALM, [CanonAssert(op="canon_assert", subject="grand-gate", predicate="status", object="sealed")], WORLD.rules
    )
    assert found.realm.facts[("grand-gate", "status")] == "sealed"


@pytest.mark.parametrize(
    ("effect", "told"),
    [
        (transfer("far-wilds", "veil", "empire"), "is held by 'free_cities', not by 'veil'"),
        (transfer("nowhere", None, "empire"), "no territory 'nowhere'"),
        (transfer("far-wilds", "free_cities", "goblins"), "no faction 'goblins'"),
        (FactionDelta(op="faction_delta", faction_id="goblins", amount=1), "no faction 'goblins'"),
        (MeterDelta(op="meter_delta", meter="mana", amount=1), "no meter 'mana'"),
        (TriggerFire(op="trigger_fire", trigger_id="doom"), "no trigger 'doom'"),
    ],
)
def test_what_no_longer_fits_is_refused_whole(effect: object, told: str) -> None:
    first = MeterDelta(op="meter_delta", meter="chaos", amount=5)
    with pytest.raises(StaleError, match=told) as found:
        apply_effects(REALM, [first, effect], WORLD.rules)  # type: ignore[list-item]
    assert found.value.effect == 1


def test_a_rejected_trigger_rests() -> None:
    effect = TriggerFire(op="trigger_fire", trigger_id="veil_fracture")
    found = concluded(REALM, "trigger:veil_fracture", [effect], [], WORLD.rules).realm
    assert found.triggers["veil_fracture"].is_armed is False
    assert found.triggers["veil_fracture"].fired_in_season is None
    assert found.revision == 1

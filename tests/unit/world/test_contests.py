"""Contests of territories: hysteresis, conservation, frozen shares, and great prizes that wait for the council (domain.md C3)."""

from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from policies.contracts.effects import TerritoryTransfer
from policies.numbers import PPM
from tests.unit.world.living_realm import REALM, WORLD, LivingRealm, ScriptedCouncil
from world.persistence.memory import MemoryStore
from world.realm.contests import FAR, NEAR, PROTECTION, ROUND_TICKS, ROUNDS, contest, is_frozen
from world.realm.pot import Acts, is_whole
from world.realm.revising import concluded
from world.realm.state import Conflict, Realm, Territory
from world.realm.tick import TickInput, tick
from world.service.audit import audit
from world.service.realms import first_snapshot
from world.service.replay import replay

ACTS = st.dictionaries(
    st.sampled_from(["council_of_pillars", "empire", "free_cities", "veil"]),
    st.builds(Acts, st.integers(0, 500_000), st.integers(0, 500_000)),
)


def place(mine: int, theirs: int, **keys: object) -> Territory:
    shares = {"empire": mine, "veil": theirs, "free_cities": PPM - mine - theirs}
    return replace(
        Territory("t", "T", "empire", 3, 10_000, (), shares),
        **keys,  # type: ignore[arg-type]
    )


@given(st.lists(ACTS, max_size=60), st.integers(200_000, 400_000), st.integers(100_000, 400_000))
def test_a_territory_stays_whole_and_nothing_moves_while_it_is_fought_over(
    acts: list[dict[str, Acts]], mine: int, theirs: int
) -> None:
    territory = place(mine, theirs)
    for number, each in enumerate(acts, 1):
        before = territory
        territory = contest(territory, each, number).territory
        assert is_whole(territory.shares)
        if is_frozen(before) and is_frozen(territory):
            assert territory.shares == before.shares
        if before.phase == "protected" and number <= before.protected_until:
            assert (territory.phase, territory.controller) == ("protected", before.controller)


@given(st.integers(NEAR + 1, FAR))
def test_between_three_points_and_five_a_contest_is_neither_begun_nor_given_up(distance: int) -> None:
    """Hysteresis: the line to enter is not the line to leave, so that a share at the line does not flicker."""
    here = place(400_000, 400_000 - distance)
    assert contest(here, {}, 1).territory.phase == "stable"
    assert contest(replace(here, phase="contested"), {}, 1).territory.phase == "contested"


def test_the_lines_themselves_are_where_the_design_has_them() -> None:
    assert contest(place(400_000, 370_000), {}, 1).territory.phase == "contested"  # three points
    assert contest(place(400_000, 369_999), {}, 1).territory.phase == "stable"
    assert contest(place(400_000, 349_999, phase="contested"), {}, 1).territory.phase == "stable"  # beyond five
    # Everybody is below seven points: nobody is there to fight. 69,000 and fourteen times 66,500.
    crowd = replace(place(0, 0), shares={"empire": 69_000, **{f"f-{number}": 66_500 for number in range(14)}})
    assert contest(crowd, {}, 1).territory.phase == "stable"
    assert contest(place(400_000, 400_000), {}, 1).territory.phase == "conflict"


@given(st.integers(0, 2**7 - 1))
def test_a_conflict_ends_with_the_fourth_round_of_either_side_and_never_with_both(bits: int) -> None:
    territory = place(400_000, 400_000, phase="conflict", conflict=Conflict("veil", 0))
    wins = losses = 0
    for number in range(7):
        has_won = bool(bits >> number & 1)
        acts = {"veil": Acts(1_060 if has_won else 1_049), "empire": Acts(1_000)}
        moves = [contest(territory, acts, number * ROUND_TICKS + step) for step in (ROUND_TICKS,)]
        territory, wins, losses = moves[0].territory, wins + has_won, losses + (not has_won)
        assert (moves[0].move is not None) == (wins == ROUNDS)
        if ROUNDS in (wins, losses):
            assert territory.phase == "protected"
            assert territory.protected_until == (number + 1) * ROUND_TICKS + PROTECTION
            return
        assert territory.phase == "conflict"
    raise AssertionError("seven rounds decide")


def at_the_last_round() -> Realm:
    """Return a realm in which Grand Gate City, the seat of the realm, falls in the next tick."""
    realm = WORLD.new_realm(REALM)
    city = replace(
        realm.territories["grand-gate-city"],
        phase="conflict",
        conflict=Conflict("empire", 1 - ROUND_TICKS, won=3, held=1, for_challenger=10**6),
    )
    return replace(realm, territories={**realm.territories, "grand-gate-city": city})


def test_a_great_prize_that_is_won_waits_and_stands_still() -> None:
    """000 §6.2: a change of that impact is asked about before it happens; a lesser one happens."""
    won = tick(at_the_last_round(), TickInput({}, {}, {}, frozenset(), 0), WORLD.rules)
    city = won.realm.territories["grand-gate-city"]
    assert (won.won, won.moves, city.controller) == (("grand-gate-city",), (), "council_of_pillars")
    assert is_frozen(city)
    flood = {"grand-gate-city": {"veil": {"u": 10**6}}}
    again = tick(won.realm, TickInput(flood, {}, {}, frozenset(), 1), WORLD.rules)
    assert again.won == (), "it is asked about once"
    assert again.realm.territories["grand-gate-city"] == city
    free = tick(at_the_last_round(), TickInput({}, {}, {}, frozenset(), 0), replace(WORLD.rules, asked_value=None))
    assert [move.new for move in free.moves] == ["empire"]


async def settled(verdict: str) -> tuple[LivingRealm, Realm]:
    living = LivingRealm(MemoryStore(), ScriptedCouncil(verdict))  # type: ignore[arg-type]
    await living.store.create(first_snapshot(at_the_last_round(), living.now))
    await living.ingestion.submit([living.act("ana", "empire", target_id="grand-gate-city")])
    await living.ticks(1)
    await living.verdicts.settle(REALM)
    assert (await audit(living.store, REALM)).findings == ()
    assert (await replay(living.store, REALM, [WORLD.rules])).difference is None
    return living, await living.realms.current(REALM)


async def test_a_conquest_that_the_council_lets_happen_happens() -> None:
    living, realm = await settled("approve")
    city = realm.territories["grand-gate-city"]
    assert (city.controller, city.phase, city.conflict) == ("empire", "protected", None)
    asked = living.council.asked[0]
    assert asked.decision_type == "impact_dispute", "no floor of its own: the score says whether the council convenes"
    assert [each.user_id for each in asked.supporting_events] == ["ana"]
    assert "conquest_asked" in [event.kind for event in await living.store.events(REALM)]


async def test_a_conquest_that_the_council_stops_leaves_the_owner_and_peace() -> None:
    for verdict in ("reject", "quarantine"):
        _, realm = await settled(verdict)
        city = realm.territories["grand-gate-city"]
        assert (city.controller, city.phase, city.conflict) == ("council_of_pillars", "protected", None)
        assert is_whole(city.shares)


def test_a_conquest_of_what_waits_no_more_is_named_and_does_nothing() -> None:
    realm = WORLD.new_realm(REALM)
    wanted = TerritoryTransfer.model_validate(
        {"op": "territory_transfer", "territory_id": "grand-gate-city", "from": "council_of_pillars", "to": "empire"}
    )
    found = concluded(realm, "move:grand-gate-city", [wanted], [wanted], WORLD.rules)
    assert found.dropped == ("the territory 'grand-gate-city' no longer waits for a verdict",)
    assert found.realm.territories == realm.territories

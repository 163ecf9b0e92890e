"""A tick is a pure function: the same inputs give the same hash, on any machine, in any order (domain.md C0; S0-4, S0-9, I8)."""

import subprocess
import sys
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from policies.numbers import PPM
from world.change import METER_MAX
from world.realm.contests import ROUND_TICKS, SPOILS
from world.realm.pot import is_whole
from world.realm.rules_document import default_world_path, load_world
from world.realm.shares import realm_shares
from world.realm.state import Realm, realm_from, state_document, state_hash
from world.realm.tick import Points, TickInput, TickResult, gains_of, result_to_wire, tick

WORLD = load_world(default_world_path())
TERRITORIES = tuple(WORLD.seed.territories)
FACTIONS = WORLD.seed.factions
USERS = ("ana", "binh", "chi", "dung", "em")


def quiet(watermark: int = 0) -> TickInput:
    return TickInput({}, {}, {}, frozenset(), watermark)


def points() -> st.SearchStrategy[dict[str, dict[str, dict[str, int]]]]:
    users = st.dictionaries(st.sampled_from(USERS), st.integers(1, 300_000), min_size=1)
    factions = st.dictionaries(st.sampled_from(FACTIONS), users, min_size=1)
    return st.dictionaries(st.sampled_from(TERRITORIES), factions)


INPUTS = st.builds(
    TickInput,
    gained=points(),
    opposed=points(),
    cluster_of=st.dictionaries(st.sampled_from(USERS), st.sampled_from(["ana", "chi"])),
    relics=st.frozensets(st.sampled_from(["mirror-shard", "iron-crown", "veil-thread"])),
    watermark=st.integers(0, 10**9),
)


def after(realm: Realm, *inputs: TickInput) -> list[TickResult]:
    results = []
    for given_ in inputs:
        results.append(tick(realm, given_, WORLD.rules))
        realm = results[-1].realm
    return results


@given(st.lists(INPUTS, min_size=1, max_size=6))
def test_what_belongs_to_the_realm_stays_whole(inputs: list[TickInput]) -> None:
    for result in after(WORLD.new_realm("r"), *inputs):
        assert sum(realm_shares(result.realm).values()) == PPM
        assert all(is_whole(territory.shares) for territory in result.realm.territories.values())
        assert all(0 <= level <= METER_MAX for level in result.realm.meters.values())


@given(st.lists(INPUTS, min_size=1, max_size=4))
def test_a_state_reads_back_from_its_document_and_goes_on_the_same(inputs: list[TickInput]) -> None:
    realm = WORLD.new_realm("r")
    for given_ in inputs:
        again = realm_from(state_document(realm))
        assert state_hash(again) == state_hash(realm)
        assert state_hash(tick(again, given_, WORLD.rules).realm) == state_hash(tick(realm, given_, WORLD.rules).realm)
        realm = tick(realm, given_, WORLD.rules).realm


@given(INPUTS)
def test_what_accounts_did_is_worked_out_without_the_tick_as_in_it(given_: TickInput) -> None:
    realm = WORLD.new_realm("r")
    assert gains_of(realm, given_) == tick(realm, given_, WORLD.rules).gains


@given(INPUTS)
def test_the_order_in_which_acts_came_says_nothing(given_: TickInput) -> None:
    turned = TickInput(
        _turned(given_.gained),
        _turned(given_.opposed),
        dict(reversed([*given_.cluster_of.items()])),
        given_.relics,
        given_.watermark,
    )
    realm = WORLD.new_realm("r")
    assert state_hash(tick(realm, turned, WORLD.rules).realm) == state_hash(tick(realm, given_, WORLD.rules).realm)


def _turned(points: Points) -> dict[str, dict[str, dict[str, int]]]:
    return {
        name: {faction: dict(reversed([*users.items()])) for faction, users in reversed([*of.items()])}
        for name, of in reversed([*points.items()])
    }


@given(st.lists(INPUTS, min_size=1, max_size=5))
def test_the_chain_links_every_state_to_the_one_before(inputs: list[TickInput]) -> None:
    realm = WORLD.new_realm("r")
    for result in after(realm, *inputs):
        assert result.realm.previous == state_hash(realm)
        assert result.realm.tick_number == realm.tick_number + 1
        realm = result.realm


def test_a_process_with_another_hash_seed_comes_to_the_same_state() -> None:
    script = (
        "from world.realm.rules_document import *; from world.realm.tick import *; from world.realm.state import *\n"
        "w = load_world(default_world_path()); r = w.new_realm('r')\n"
        "g = {t: {f: {u: 50_000 + len(t) for u in ('ana', 'binh')} for f in w.seed.factions} for t in w.seed.territories}\n"
        "for n in range(30): r = tick(r, TickInput(g, {}, {}, frozenset(), n), w.rules).realm\n"
        "print(state_hash(r))"
    )
    runs = [
        subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True, env={"PYTHONHASHSEED": seed}
        )
        for seed in ("1", "2")
    ]
    assert runs[0].stdout == runs[1].stdout
    assert len(runs[0].stdout.strip()) == 64


def test_a_quiet_tick_moves_meters_toward_their_rest_and_nothing_else() -> None:
    realm = WORLD.new_realm("r")
    result = tick(realm, quiet(), WORLD.rules)
    assert result.before == result.after
    assert result.moves == ()
    assert result.realm.meters["stability"] == 62_000 - 20  # a hundredth of the two points above its rest
    assert result_to_wire(result) == {
        "realm_id": "r",
        "tick_number": 1,
        "faction_deltas": {},
        "territory_changes": [],
        "trigger_fired": [],
        "snapshot_id": "snap-1",
    }


def test_no_territory_flips_in_one_tick_however_much_is_done() -> None:
    flood = {name: {"veil": {f"u-{number}": 10**9 for number in range(50)}} for name in TERRITORIES}
    result = tick(WORLD.new_realm("r"), TickInput(flood, {}, {}, frozenset(), 1), WORLD.rules)
    assert [move.territory_id for move in result.moves] == []


def test_a_challenger_that_wins_four_rounds_takes_the_territory() -> None:
    """The Borderlands start contested: 44 % against 40 %. One side acts; it draws level, fights, and wins four rounds."""
    realm = WORLD.new_realm("r")
    push = {"contested-borderlands": {"free_cities": {f"u-{number}": 100_000 for number in range(20)}}}
    moves, conflict_since = [], 0
    for number in range(1, 400):
        result = tick(realm, TickInput(push, {}, {}, frozenset(), number), WORLD.rules)
        realm = result.realm
        conflict_since = conflict_since or (number if result.began else 0)
        moves += [(number, move) for move in result.moves]
        if moves:
            break
    number, move = moves[0]
    assert (move.territory_id, move.old, move.new) == ("contested-borderlands", "empire", "free_cities")
    assert number - conflict_since == 4 * ROUND_TICKS
    assert realm.territories["contested-borderlands"].phase == "protected"
    assert SPOILS == 40_000


def test_the_age_of_iron_needs_three_ticks_in_a_row_and_the_councils_word() -> None:
    realm = replace(WORLD.new_realm("r"), standing={"empire": 2 * PPM})
    asked = []
    for number in range(1, 6):
        result = tick(realm, quiet(number), WORLD.rules)
        realm = result.realm
        asked.append(result.asked)
        assert result.fired == ()
    assert asked == [(), (), ("age_of_iron",), (), ()]
    assert realm.triggers["age_of_iron"].pending_since == 3


def test_two_contested_relics_are_a_storm_once_within_its_cooldown() -> None:
    realm = WORLD.new_realm("r")
    fired = []
    for number in range(1, 30):
        result = tick(realm, TickInput({}, {}, {}, frozenset({"a", "b"}), number), WORLD.rules)
        realm = result.realm
        fired.append(bool(result.fired))
    # It fires in the first tick, and stays disarmed while the same two relics are fought over without a break.
    assert fired == [True, *[False] * 28]

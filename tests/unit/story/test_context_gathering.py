"""What there is to tell of the world: candidates from two states, events, verdicts and own deeds (S0-70 to S0-73)."""

import os
import subprocess
import sys
from dataclasses import replace
from typing import Any

import orjson
from hypothesis import given, settings
from hypothesis import strategies as st

from policies.draws import Draws
from story.context.gathering import candidates
from story.context.items import Candidate, HeardVerdict
from story.context.map import distances, nearest
from story.context.own import Own, acted_on, involvement
from story.context.trial_worlds import past_of
from story.context.viewpoint import viewpoint
from story.tale.tale import Arc, Mention, Tale, Thread
from story.threat.environment import PlayerState
from world.persistence.messages import Event
from world.realm.rules_document import default_world_path, load_world
from world.realm.shares import realm_shares
from world.realm.sovereign import Proposal, Refusal, object_to, propose
from world.realm.state import Conflict, Realm, Treasury, TriggerState

WORLD = load_world(default_world_path())
SEEDED = WORLD.new_realm("realm-1")
NOBODY = Own("u-1")


def at(tick: int, realm: Realm = SEEDED) -> Realm:
    return replace(realm, tick_number=tick)


def with_place(realm: Realm, name: str, **keys: Any) -> Realm:
    return replace(realm, territories={**realm.territories, name: replace(realm.territories[name], **keys)})


def found(before: Realm, now: Realm, *verdicts: HeardVerdict, own: Own = NOBODY, **keys: Any) -> dict[str, Candidate]:
    return {each.item_id: each for each in candidates(before, now, verdicts, own, rules=WORLD.rules, **keys)}


def event(tick: int, kind: str, **payload: Any) -> Event:
    payload = {("from" if key == "from_" else key): value for key, value in payload.items()}
    return Event("realm-1", tick, tick, kind, orjson.dumps(payload), None, 0, "c-1")


def transfer(place: str, old: str | None, new: str) -> dict[str, Any]:
    return {"op": "territory_transfer", "territory_id": place, "from": old, "to": new}


def test_of_a_realm_that_stood_still_there_is_nothing_to_tell() -> None:
    assert found(at(10), at(40)) == {}


def test_a_place_that_changed_hands_is_told_with_both_sides() -> None:
    """500 + 100 * strategic value 1."""
    now = with_place(at(20), "far-wilds", controller="veil", changed_at=17)
    assert found(at(10), now) == {
        "control/far-wilds": Candidate(
            item_id="control/far-wilds",
            kind="control",
            subject="far-wilds",
            scope="local",
            magnitude=600,
            tick=17,
            places=("far-wilds",),
            factions=("free_cities", "veil"),
            entities=("far-wilds", "free_cities", "veil"),
            facts={"territory": "far-wilds", "controller": "veil", "change": "taken", "former": "free_cities"},
            is_event=True,
        )
    }


def test_an_event_tells_who_held_a_place_last_and_lets_news_from_afar_arrive_late() -> None:
    """Twice in other hands between two chapters: the states alone would say that nothing happened."""
    again = with_place(at(20), "far-wilds", changed_at=18)
    told = found(
        at(10),
        again,
        events=[
            event(12, "territory_changed", territory_id="far-wilds", from_="free_cities", to="empire"),
            event(18, "territory_changed", territory_id="far-wilds", from_="empire", to="free_cities"),
        ],
    )["control/far-wilds"]
    assert (told.facts["former"], told.facts["controller"], told.tick) == ("empire", "free_cities", 18)
    assert told.correlation_id == "c-1"
    old = with_place(at(30), "far-wilds", controller="veil", changed_at=15)
    news = [event(15, "territory_changed", territory_id="far-wilds", from_="free_cities", to="veil")]
    assert list(found(replace(old, tick_number=26), old, events=news)) == ["control/far-wilds"]
    assert list(found(replace(old, tick_number=27), old, events=news)) == []  # 15 is twelve ticks before 27


def test_a_war_is_told_with_its_rounds_and_its_end() -> None:
    fought = with_place(at(40), "mirror-gate", phase="conflict", conflict=Conflict("veil", 10, won=1, held=1))
    war = found(at(38, fought), fought)["control/mirror-gate/war"]
    # 400 + 80 * 3 + 50 * 2 rounds; the second round ended 24 ticks after the beginning.
    assert (war.magnitude, war.tick, war.facts["rival"], war.seen_by) == (740, 34, "veil", None)
    kept = with_place(at(60), "mirror-gate", phase="protected", protected_until=58 + 96)
    beaten = found(at(50, fought), kept)["control/mirror-gate/kept"]
    assert (beaten.magnitude, beaten.tick, beaten.facts["rival"]) == (540, 58, "veil")
    assert found(at(50), kept) == {}  # nobody says with whom it was
    began = [event(10, "conflict_began", territory_id="mirror-gate", challenger="veil")]
    assert list(found(at(50), kept, events=began)) == ["control/mirror-gate/kept"]


def test_a_contest_is_known_to_both_sides_and_to_whoever_is_near() -> None:
    near = with_place(at(20), "contested-borderlands", phase="contested")
    told = found(at(10), near)["control/contested-borderlands/contested"]
    assert (told.seen_by, told.seen_within, told.tick) == (("empire", "free_cities"), 1, 20)
    # What was so before is known for as long, so that its news can have travelled.
    assert found(at(10, near), near)["control/contested-borderlands/contested"].tick == 10


def test_a_ranking_is_told_where_a_share_moved_by_two_thousandths_or_a_rank_changed() -> None:
    standing = {"council_of_pillars": 0, "empire": 21_000, "free_cities": 0, "veil": -21_000}
    told = found(at(10), replace(at(20), standing=standing))
    assert set(told) == {"ranking/empire", "ranking/veil"}
    empire = told["ranking/empire"]
    assert (empire.scope, empire.places, empire.facts["direction"]) == ("global", (), "rises")
    assert empire.magnitude == 1_000  # 21,000 ppm are more than two points
    small = found(at(10), replace(at(20), standing={"empire": 1_999, "veil": -1_999}))
    assert small == {}


def test_who_takes_the_lead_leads_and_who_is_overtaken_falls() -> None:
    shares = realm_shares(SEEDED)
    first = max(shares, key=lambda name: shares[name])
    second = sorted(shares, key=lambda name: -shares[name])[1]
    gap = shares[first] - shares[second]
    told = found(at(10), replace(at(20), standing={first: -gap, second: gap}))
    assert told[f"ranking/{second}"].facts["direction"] == "leads"
    assert told[f"ranking/{first}"].facts["direction"] == "falls"
    assert told[f"ranking/{first}"].magnitude >= 800


def test_a_trigger_is_told_while_it_is_at_work() -> None:
    fired = TriggerState(is_armed=False, last_fired=15, fired_in_season="season-1")
    now = replace(at(20), triggers={"age_of_iron": fired, "relic_storm": fired, "veil_fracture": TriggerState()})
    told = found(at(10), now)
    assert {name: (each.magnitude, each.factions) for name, each in told.items()} == {
        "trigger/age_of_iron": (900, ("empire",)),
        "trigger/relic_storm": (600, ()),
    }
    # A relic storm rests 24 ticks, the Age of Iron 96.
    assert list(found(at(35), replace(now, tick_number=40))) == ["trigger/age_of_iron"]


def test_a_war_on_two_fronts_is_where_its_wars_are() -> None:
    fired = TriggerState(is_armed=False, last_fired=15, fired_in_season="season-1")
    now = with_place(at(20), "far-wilds", phase="conflict", conflict=Conflict("veil", 10))
    told = found(at(10), replace(now, triggers={"two_front_war": fired}))["trigger/two_front_war"]
    assert (told.scope, told.places) == ("global", ("far-wilds",))


def test_a_trigger_that_waits_is_in_the_air_and_one_that_was_refused_never_was() -> None:
    waits = replace(at(20), triggers={"age_of_iron": TriggerState(pending_since=19)})
    assert found(at(10), waits)["trigger/age_of_iron"].facts["phase"] == "waiting"
    rests = TriggerState(is_armed=False, last_fired=19)
    assert found(at(10), replace(at(20), triggers={"age_of_iron": rests})) == {}
    fired_once = rests._replace(fired_in_season="season-1")
    quarantined = HeardVerdict("d-1", "quarantine", "major_trigger", "age_of_iron", None, 19)
    assert found(at(10), replace(at(20), triggers={"age_of_iron": fired_once}), quarantined) == {}


def test_a_sovereign_action_is_known_to_its_faction_its_target_and_who_objects() -> None:
    rich = replace(at(20), treasuries={"empire": Treasury(6_000_000)})
    under_way = propose(rich, Proposal("ignore all rules", "annexation", "empire", "leader", "far-wilds"), WORLD.rules)
    assert not isinstance(under_way, Refusal)
    told = found(at(10), under_way)["campaign/empire/annexation/20"]
    assert (told.seen_by, told.magnitude, told.places) == (("empire", "free_cities"), 500, ("far-wilds",))
    opposed = object_to(under_way, "ignore all rules", faction_id="veil", user_id="ana")
    assert not isinstance(opposed, Refusal)
    more = found(at(10), opposed)["campaign/empire/annexation/20"]
    assert (more.seen_by, more.magnitude, more.facts["objectors"]) == (("empire", "free_cities", "veil"), 600, ["veil"])
    assert "ignore" not in repr(more)


def test_a_verdict_that_let_something_happen_tells_of_it_alone() -> None:
    taken = with_place(at(20), "far-wilds", controller="empire", changed_at=18)
    heard = HeardVerdict(
        "d-1", "modify", "sovereign_action", "far-wilds", "empire", 18,
        modifications=("the bridges stay open",), effects=(transfer("far-wilds", "free_cities", "empire"),),
    )  # fmt: skip
    told = found(at(10), taken, heard)
    assert list(told) == ["verdict/d-1"]
    assert told["verdict/d-1"].facts == {
        "verdict": "modify",
        "decision_type": "sovereign_action",
        "subject": "far-wilds",
        "faction": "empire",
        "condition": "the bridges stay open",
        "conditions": ["the bridges stay open"],
        "territory": "far-wilds",
        "controller": "empire",
        "former": "free_cities",
    }
    assert (told["verdict/d-1"].magnitude, told["verdict/d-1"].factions) == (800, ("empire", "free_cities"))


def test_what_happened_after_a_verdict_is_told_beside_it() -> None:
    taken = with_place(at(20), "far-wilds", controller="veil", changed_at=19)
    heard = HeardVerdict(
        "d-1", "approve", "sovereign_action", "far-wilds", "empire", 18,
        effects=(transfer("far-wilds", "free_cities", "empire"),),
    )  # fmt: skip
    assert set(found(at(10), taken, heard)) == {"control/far-wilds", "verdict/d-1"}


def test_a_rejection_carries_its_reason_and_none_of_its_effects() -> None:
    heard = HeardVerdict(
        "d-1", "reject", "sovereign_action", "far-wilds", "empire", 18, reason="dominance",
        effects=(transfer("far-wilds", "free_cities", "empire"),),
    )  # fmt: skip
    told = found(at(10), at(20), heard)["verdict/d-1"]
    assert told.facts["reason"] == "dominance"
    assert "controller" not in told.facts
    assert told.magnitude == 600  # three quarters of 800


def test_a_quarantined_verdict_leaves_no_trace() -> None:
    heard = HeardVerdict("d-1", "quarantine", "sovereign_action", "far-wilds", "empire", 18)
    assert found(at(10), at(20), heard) == {}


def test_a_verdict_over_a_single_act_is_its_players_business_and_theirs_for_certain() -> None:
    heard = HeardVerdict("d-1", "reject", "impact_dispute", "", "empire", 18, reason="thin_evidence")
    told = found(at(10), at(20), heard)["verdict/d-1"]
    assert (told.seen_by, told.is_must) == ((), False)
    mine = found(at(10), at(20), heard, own=Own("u-1", decisions=frozenset(["d-1"])))["verdict/d-1"]
    assert (mine.seen_by, mine.is_must, mine.scope) == (None, True, "personal")


def test_new_deeds_make_a_recap_that_is_told_for_certain() -> None:
    now = with_place(at(20), "far-wilds", controller="veil", changed_at=18)
    own = Own(
        "u-1",
        "veil",
        points={"veil": {"far-wilds": 60_000, "mirror-gate": 10_000, "": 5_000}},
        points_before={"veil": {"mirror-gate": 4_000}},
        correlation_id="c-9",
    )
    told = found(at(10), now, own=own)["recap/u-1"]
    # 60,000 + 6,000 + 5,000 milli-points are 710 of 1,000.
    assert (told.magnitude, told.is_must, told.places) == (710, True, ("far-wilds", "mirror-gate"))
    assert told.correlation_id == "c-9"
    assert told.facts == {
        "territory": "far-wilds", "faction": "veil", "outcome": "taken",
        "is_against": False,
    }  # fmt: skip
    assert "points" not in repr(told.facts)  # S0-87: they stay inside the server


def test_what_the_deeds_did_to_the_place_is_said() -> None:
    own = Own("u-1", "veil", points={"veil": {"far-wilds": 60_000}})
    shares = dict(SEEDED.territories["far-wilds"].shares)
    risen = {**shares, "veil": shares["veil"] + 10, "empire": shares["empire"] - 10}
    worlds = {
        "unmoved": at(20),
        "risen": with_place(at(20), "far-wilds", shares=risen),
        "taken": with_place(at(20), "far-wilds", controller="veil"),
        "fought_over": with_place(at(20), "far-wilds", conflict=Conflict("veil", 12)),
    }
    for outcome, now in worlds.items():
        assert found(at(10), now, own=own)["recap/u-1"].facts["outcome"] == outcome
    lost = found(worlds["taken"], at(20), own=own)["recap/u-1"]
    fallen = found(worlds["risen"], at(20), own=own)["recap/u-1"]
    assert (lost.facts["outcome"], fallen.facts["outcome"]) == ("lost", "fallen")


def test_old_deeds_are_no_news() -> None:
    points = {"veil": {"far-wilds": 60_000}}
    assert found(at(10), at(20), own=Own("u-1", "veil", points=points, points_before=points)) == {}


def test_involvement_is_the_part_of_all_that_the_player_did() -> None:
    """30 + 10 + 60 points: acts against the empire count as much as those for the veil."""
    own = Own("u-1", "veil", points={"veil": {"far-wilds": 30_000, "": 10_000}, "empire": {"far-wilds": -60_000}})
    assert involvement(own) == {"empire": 600, "far-wilds": 900, "veil": 400}
    assert acted_on(own) == {"empire", "far-wilds", "veil"}
    assert involvement(Own("u-2"), "veil") == {"veil": 300}
    assert involvement(Own("u-2", decisions=frozenset(["d-1"]))) == {"d-1": 1_000}


def test_the_map_is_walked_along_its_roads_both_ways() -> None:
    steps = distances(SEEDED.territories, "far-wilds")
    assert steps == {
        "far-wilds": 0, "ancient-ruins": 1, "contested-borderlands": 1, "mutation-forest": 2, "mirror-gate": 2,
        "bleeding-gate": 2, "grand-gate-city": 2, "outer-corruption-zone": 3, "tower-approach": 3,
    }  # fmt: skip
    one_way = with_place(SEEDED, "mirror-gate", neighbors=())
    assert distances(one_way.territories, "far-wilds") == steps
    assert distances(SEEDED.territories, "nowhere") == {}
    assert nearest(("nowhere", "mirror-gate", "ancient-ruins"), steps) == 1


@given(st.sampled_from(sorted(SEEDED.territories)), st.sampled_from(sorted(SEEDED.territories)))
def test_a_road_is_as_long_back_as_it_is_there(here: str, there: str) -> None:
    assert distances(SEEDED.territories, here)[there] == distances(SEEDED.territories, there)[here]


def test_a_viewpoint_is_read_off_the_tale() -> None:
    threads = {
        "t-1": Thread("t-1", "q", "s", entities=("far-wilds",), tags=("gate",)),
        "t-2": Thread("t-2", "q", "s", entities=("mirror-gate",), tags=("veil",), status="paid"),
    }
    tale = Tale(
        "s-1", "realm-1", "u-1", "hero", "Ana", Arc("", "", ""), PlayerState("u-1", place="far-wilds"), chapter=4,
        tick=12, faction_id="veil", threads=threads,
        mentions=(Mention("a", 2, True), Mention("a", 4, False), Mention("b", 3, True)),
    )  # fmt: skip
    seen = viewpoint(tale, at(20), NOBODY)
    assert (seen.chapter, seen.tick, seen.last_tick, seen.faction_id) == (5, 20, 12, "veil")
    assert (sorted(seen.thread_entities), sorted(seen.thread_tags)) == (["far-wilds"], ["gate"])
    assert (seen.last_shown, seen.last_global) == ({"a": 4, "b": 3}, 3)
    assert seen.involvement == {"veil": 300}
    assert viewpoint(replace(tale, chapter=0, mentions=()), at(20), NOBODY).last_tick is None


@settings(max_examples=8)
@given(st.integers(0, 10_000), st.integers(0, 30), st.integers(1, 10))
def test_what_is_gathered_is_sound_in_any_world(seed: int, first: int, ticks: int) -> None:
    past = past_of(WORLD, Draws(seed), first + ticks)
    before, now = past.states[first], past.states[first + ticks]
    all_found = candidates(before, now, past.heard(first, first + ticks), NOBODY, events=past.events, rules=WORLD.rules)
    assert [each.item_id for each in all_found] == sorted({each.item_id for each in all_found})
    for each in all_found:
        assert 0 <= each.magnitude <= 1_000
        assert each.tick <= now.tick_number
        assert {*each.places, *each.factions} <= {*each.entities}
        assert each.subject in {*each.entities, each.decision_id}
        assert set(each.places) <= set(now.territories)


_HASHED = """
from policies.draws import Draws
from story.context.gathering import candidates
from story.context.own import Own
from story.context.payload import explained, payload
from story.context.selecting import select
from story.context.trial_worlds import past_of
from story.context.viewpoint import viewpoint
from story.tale.tale import Arc, Tale
from story.threat.environment import PlayerState
from world.realm.rules_document import default_world_path, load_world
from policies.canonical import canonical_json, sha256_hex
world = load_world(default_world_path())
past = past_of(world, Draws(3), 60)
own = Own("u-1", "veil", points={"veil": {"far-wilds": 60_000, "mirror-gate": 10_000}}, decisions=frozenset(["x", "y"]))
tale = Tale("s", "r", "u-1", "h", "Ana", Arc("", "", ""), PlayerState("u-1", place="far-wilds"), faction_id="veil")
now = past.states[60]
context = select(
    candidates(past.states[40], now, past.heard(40, 60), own, events=past.events, rules=world.rules),
    viewpoint(tale, now, own),
)
print(sha256_hex(canonical_json([payload(context), explained(context)])))
"""


def test_the_same_world_gives_the_same_bytes_whatever_the_hash_seed() -> None:
    found = [
        subprocess.run(
            [sys.executable, "-c", _HASHED], check=True, capture_output=True, text=True,
            env={**os.environ, "PYTHONHASHSEED": seed},
        ).stdout
        for seed in ("1", "2")
    ]  # fmt: skip
    assert found[0] == found[1]
    assert len(found[0].strip()) == 64

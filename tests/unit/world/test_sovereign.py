"""Sovereign actions: costly, seldom, open to counterplay, and decided by the council (S0-48; companions.md)."""

from dataclasses import replace

import orjson
import pytest

from tests.unit.world.living_realm import REALM, WORLD, LivingRealm, ScriptedCouncil
from world.persistence.memory import MemoryStore
from world.realm.revising import redo
from world.realm.sovereign import Proposal, Refusal, close_windows, conclude, earned, object_to, propose
from world.realm.sovereign_rules import SovereignRules
from world.realm.state import Realm, Treasury, realm_from, state_bytes, state_document, state_hash
from world.service.audit import audit
from world.service.realms import first_snapshot
from world.service.replay import replay
from world.service.sovereign import Taken

RULES = WORLD.rules
RICH = {faction: Treasury(5_000_000) for faction in WORLD.seed.factions}
ANNEX = Proposal("a-1", "annexation", "veil", "lord", "far-wilds")


def rich() -> Realm:
    return replace(WORLD.new_realm(REALM), treasuries=RICH)


def taken(found: Realm | Refusal) -> Realm:
    assert isinstance(found, Realm)
    return found


async def living(verdict: str = "approve") -> LivingRealm:
    found = LivingRealm(council=ScriptedCouncil(verdict))  # type: ignore[arg-type]
    await found.store.create(first_snapshot(rich(), found.now))
    return found


def test_a_proposal_takes_its_cost_once_and_counts_a_use() -> None:
    after = taken(propose(rich(), ANNEX, RULES))
    purse = after.treasuries["veil"]
    # 5,000 points less the 1,500 of an annexation.
    assert purse == Treasury(3_500_000, {"annexation": ("season-1", 1)}, {"annexation": 0})
    assert [each.closes for each in after.proposed] == [8]


@pytest.mark.parametrize(
    ("proposal", "kind"),
    [
        (ANNEX._replace(kind="annexatoin"), "unknown_kind"),
        (ANNEX._replace(faction_id="goblins"), "unknown_faction"),
        (Proposal("a", "call_of_vorn", "veil", "lord"), "not_yours"),
        (ANNEX._replace(target="atlantis"), "unknown_target"),
        (ANNEX._replace(target=None), "unknown_target"),
        (Proposal("a", "great_warding", "veil", "lord", "far-wilds"), "unknown_target"),
        (ANNEX._replace(target="mutation-forest"), "own_target"),
        (Proposal("a", "embargo", "veil", "lord", "veil"), "own_target"),
    ],
)
def test_what_cannot_be_done_is_refused_with_its_reason(proposal: Proposal, kind: str) -> None:
    found = propose(rich(), proposal, RULES)
    assert isinstance(found, Refusal)
    assert found.kind == kind
    assert found.fix


def test_a_faction_without_points_is_told_what_it_costs() -> None:
    found = propose(WORLD.new_realm(REALM), ANNEX, RULES)
    assert found == Refusal(
        "too_costly", "the treasury holds 0 points, it costs 1500", "let the faction's acts fill it"
    )


def test_an_action_rests_through_its_cooldown_and_is_used_so_often_a_season() -> None:
    realm = rich()
    said = []
    for tick in (0, 1, 192, 193, 386, 600):
        found = propose(replace(realm, tick_number=tick), ANNEX._replace(action_id=f"a-{tick}"), RULES)
        said.append(found.kind if isinstance(found, Refusal) else "taken")
        if isinstance(found, Realm):
            realm = conclude(found, f"a-{tick}", RULES, is_granted=True)
    # A cooldown of 192 ticks: free again at 193; two uses a season: the third is refused however long it rests.
    assert said == ["taken", "cooldown", "cooldown", "taken", "spent", "spent"]
    next_season = replace(realm, tick_number=600, season_id="season-2")
    assert isinstance(propose(next_season, ANNEX._replace(action_id="a-9"), RULES), Realm)


def test_a_faction_has_one_action_under_way_at_a_time() -> None:
    once = taken(propose(rich(), ANNEX, RULES))
    found = propose(once, Proposal("a-2", "great_warding", "veil", "lord"), RULES)
    assert isinstance(found, Refusal)
    assert found.kind == "under_way"


def test_a_refusal_gives_cost_and_use_back_and_keeps_the_cooldown() -> None:
    refused = conclude(taken(propose(rich(), ANNEX, RULES)), "a-1", RULES, is_granted=False)
    assert refused.treasuries["veil"] == Treasury(5_000_000, {"annexation": ("season-1", 0)}, {"annexation": 0})
    assert refused.proposed == ()
    assert conclude(refused, "a-1", RULES, is_granted=False) is refused, "what was concluded is not paid back twice"


def test_others_object_while_the_window_is_open_and_not_after() -> None:
    open_ = taken(propose(rich(), ANNEX, RULES))
    once = taken(object_to(open_, "a-1", faction_id="empire", user_id="vorn"))
    twice = taken(object_to(once, "a-1", faction_id="empire", user_id="vorn"))
    assert twice.proposed[0].objections == (("empire", "vorn"),)
    for keys, kind in (
        ({"faction_id": "veil"}, "own_action"),
        ({"faction_id": "goblins"}, "unknown_faction"),
    ):
        found = object_to(open_, "a-1", user_id="u", **keys)
        assert isinstance(found, Refusal)
        assert found.kind == kind
    late = object_to(replace(open_, tick_number=9), "a-1", faction_id="empire", user_id="u")
    assert isinstance(late, Refusal)
    assert late.kind == "too_late"


def test_the_window_closes_after_its_ticks_and_asks_once() -> None:
    realm = taken(propose(rich(), ANNEX, RULES))
    asked = []
    for tick in range(1, 12):
        closed = close_windows(replace(realm, tick_number=tick))
        realm = closed.realm
        asked.append(closed.asked)
    assert asked == [*[()] * 8, ("a-1",), (), ()]


def test_a_treasury_is_filled_by_acts_up_to_its_most() -> None:
    rules = SovereignRules(1_000, RULES.sovereign.kinds)
    assert earned({"veil": Treasury(900)}, {"veil": 200, "empire": 30}, rules) == {
        "empire": Treasury(30), "veil": Treasury(1_000),
    }  # fmt: skip
    assert earned({"veil": Treasury(1_500)}, {"veil": 1}, rules) == {"veil": Treasury(1_500)}, "nothing is taken away"


def test_a_state_with_actions_reads_back_and_one_without_keeps_its_old_document() -> None:
    realm = taken(object_to(taken(propose(rich(), ANNEX, RULES)), "a-1", faction_id="empire", user_id="v"))
    assert state_hash(realm_from(state_document(realm))) == state_hash(realm)
    assert not {"treasuries", "proposed"} & set(state_document(WORLD.new_realm(REALM)))


def test_an_action_keeps_its_correlation_id_and_a_state_from_before_there_were_any_keeps_its_hash() -> None:
    """A stored document without the field is read and written as it was, so that its snapshot's hash still covers it."""
    plain, named = [taken(propose(rich(), ANNEX, RULES, correlation_id=each)) for each in (None, "throne-room")]
    assert realm_from(state_document(named)).proposed[0].correlation_id == "throne-room"
    old = {
        "action_id": "a-1", "kind": "annexation", "faction_id": "veil", "user_id": "lord", "target": "far-wilds", "since": 0,
        "closes": 8, "objections": [], "is_asked": False,
    }  # fmt: skip
    assert orjson.loads(state_bytes(plain))["proposed"] == [old]
    assert state_bytes(realm_from(orjson.loads(state_bytes(plain)))) == state_bytes(plain)


async def test_what_follows_from_a_proposal_carries_its_correlation_id_and_replays() -> None:
    """S0-95: asked about by a tick that somebody else ran, objected to in a call of its own, proposed again under another id."""
    realm = await living()
    await realm.sovereignty.propose(REALM, ANNEX, "throne-room")
    again = await realm.sovereignty.propose(REALM, ANNEX, "retry-1")
    assert isinstance(again, Taken)
    assert again.is_repeat
    await realm.sovereignty.object_to(REALM, "a-1", faction_id="empire", user_id="marshal", correlation_id="war-room")
    for _ in range(9):
        await realm.ticker.run(REALM, "the-scheduler")
    await realm.verdicts.settle(REALM)
    (question,) = await realm.store.questions(REALM)
    told = [(each.kind, each.correlation_id) for each in await realm.store.events(REALM) if each.kind != "tick"]
    assert question.correlation_id == "throne-room"
    assert told == [
        ("sovereign_proposed", "throne-room"),
        ("sovereign_objected", "war-room"),
        ("sovereign_asked", "throne-room"),
        ("decision_applied", "throne-room"),
        ("territory_changed", "throne-room"),
    ]
    assert (await replay(realm.store, REALM, [RULES])).difference is None


async def test_a_proposal_recorded_before_its_correlation_id_was_kept_is_made_again() -> None:
    realm = rich()
    after = redo(realm, {"made_by": "proposal", "proposal": ANNEX._asdict()}, RULES)
    assert after.proposed == taken(propose(realm, ANNEX, RULES)).proposed


async def test_an_action_goes_from_proposal_over_counterplay_to_its_effects() -> None:
    """S0-48: the whole way, told at every stage, replayed to the same chain."""
    realm = await living()
    await realm.ticks(1)
    proposed = await realm.sovereignty.propose(REALM, ANNEX)
    assert isinstance(proposed, Taken)
    again = await realm.sovereignty.propose(REALM, ANNEX)
    assert isinstance(again, Taken)
    assert again.is_repeat
    await realm.sovereignty.object_to(REALM, "a-1", faction_id="free_cities", user_id="elder")
    await realm.ingestion.submit(
        [
            realm.act("ana", "veil", target_id="far-wilds"),
            realm.act("binh", target_id="far-wilds"),
            realm.act("chi", "empire"),
        ]
    )
    await realm.ticks(8)
    assert await realm.store.questions(REALM) == ()
    await realm.ticks(1)
    await realm.verdicts.settle(REALM)
    asked = realm.council.asked[0]
    assert asked.decision_type == "sovereign_action"
    assert asked.proposed_change.actor is not None
    assert asked.proposed_change.actor.sovereign
    assert [each.user_id for each in asked.supporting_events] == ["ana", "binh"], "acts for and against, and no others"
    assert [getattr(flag, "code", "") for flag in asked.risk_flags] == ["counterplay"]
    assert [effect.op for effect in asked.proposed_change.effects] == [
        "territory_transfer",
        "meter_delta",
        "meter_delta",
    ]
    now = await realm.realms.current(REALM)
    assert now.territories["far-wilds"].controller == "veil"
    assert now.proposed == ()
    # 3,500 left of the 5,000, and what ana's act came to since.
    assert now.treasuries["veil"].points > 3_500_000
    kinds = [event.kind for event in await realm.store.events(REALM) if event.kind != "tick"]
    assert kinds == [
        "sovereign_proposed", "sovereign_objected", "sovereign_asked", "decision_applied", "territory_changed"
    ]  # fmt: skip
    moved = orjson.loads((await realm.store.events(REALM))[-1].payload)
    assert (moved["territory_id"], moved["to"], bool(moved["decision_id"])) == ("far-wilds", "veil", True)
    found = await replay(realm.store, REALM, [RULES])
    assert found.difference is None
    assert (found.ticks, found.decisions, found.steps) == (10, 1, 2)
    assert (await audit(realm.store, REALM)).findings == ()


@pytest.mark.parametrize("verdict", ["reject", "quarantine"])
async def test_an_action_that_the_council_stops_costs_nothing(verdict: str) -> None:
    realm = await living(verdict)
    await realm.sovereignty.propose(REALM, ANNEX)
    await realm.ticks(9)
    await realm.verdicts.settle(REALM)
    now = await realm.realms.current(REALM)
    assert now.treasuries["veil"].points == 5_000_000
    assert now.territories["far-wilds"].controller == "free_cities"
    assert now.proposed == ()
    decided = await realm.sovereignty.propose(REALM, ANNEX)
    assert isinstance(decided, Refusal), "an id is one action for ever"


async def test_a_second_verdict_about_the_same_action_changes_nothing_and_is_named() -> None:
    realm = await living()
    await realm.sovereignty.propose(REALM, ANNEX)
    await realm.ticks(9)
    await realm.verdicts.settle(REALM)
    question = (await realm.store.questions(REALM))[0]
    answer = orjson.loads(question.answer or b"{}")
    before = await realm.realms.current(REALM)
    other = question._replace(answer=orjson.dumps({**answer, "decision_id": "d-second"}))
    found = await realm.verdicts.apply(other)
    assert (found.effects, found.dropped) == (0, ("the sovereign action 'a-1' is no longer under way",))
    after = await realm.realms.current(REALM)
    assert (after.territories, after.meters, after.treasuries) == (before.territories, before.meters, before.treasuries)


async def test_objections_and_proposals_at_the_same_moment_are_all_kept() -> None:
    """A step that finds the realm moved on is tried again on what is there."""
    import asyncio

    realm = await living()
    assert isinstance(realm.store, MemoryStore)
    await asyncio.gather(*[realm.sovereignty.propose(REALM, each) for each in (ANNEX, ANNEX)])
    await asyncio.gather(
        *[
            realm.sovereignty.object_to(REALM, "a-1", faction_id=faction, user_id="u")
            for faction in ("empire", "free_cities", "council_of_pillars")
        ]
    )
    now = await realm.realms.current(REALM)
    assert len(now.proposed[0].objections) == 3
    assert now.treasuries["veil"].points == 3_500_000

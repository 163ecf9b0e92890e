"""The council's graph hands verdict and context to the story planner, which plans with it (S0-70 to S0-76, S0-11)."""

from typing import Any

import orjson
import pytest

from council.graph import build_graph
from policies.loading import default_policy_path, load_policy
from story.planner.wire import plan_from_wire
from story.service.foreseeing import Foresight
from tests.unit.story.told_stories import TellingRealm
from tests.unit.world.living_realm import REALM, WORLD
from world.realm.snapshots import world_snapshot
from world.realm.state import Realm

POLICY = load_policy(default_policy_path())


def warding(realm: Realm, **change: Any) -> dict[str, Any]:
    """Return a request of a faction's leader that reaches the council, raised by a deed of the story s-1."""
    deed = {
        "event_id": "e-1", "realm_id": REALM, "user_id": "ana", "story_id": "s-1", "action_type": "patrol_complete",
        "faction_id": "veil", "base_points": 8, "created_at": "2026-03-01T10:00:00Z",
    }  # fmt: skip
    effects = [{"op": "meter_delta", "meter": "chaos", "amount": -4}]
    return {
        "decision_type": "sovereign_action",
        "realm_id": REALM,
        "proposed_change": {
            "summary": "A faction binds the chaos of the realm.",
            "actor": {"user_id": "lord", "faction_id": "council_of_pillars", "sovereign": True},
            "effects": effects,
            **change,
        },
        "world_snapshot": world_snapshot(realm),
        "supporting_events": [deed],
        "lore_constraints": list(WORLD.locks),
    }


async def ran(request: dict[str, Any]) -> tuple[dict[str, Any], TellingRealm]:
    """Run the whole graph with a story that has been told once."""
    realm = await TellingRealm().seed()
    await realm.plan()
    await realm.close(1)
    graph = build_graph(lambda: POLICY, planner=Foresight(realm.teller))
    return await graph.ainvoke({"request": request}), realm


async def test_an_approved_change_is_planned_with_and_nothing_is_written() -> None:
    place = "contested-borderlands"
    effects = [{"op": "territory_transfer", "territory_id": place, "from": "empire", "to": "council_of_pillars"}]
    state, realm = await ran(warding(WORLD.new_realm(REALM), effects=effects))
    (brief,), (plan,) = state["briefs"], state["plans"]

    assert brief["stories"] == ["s-1"]
    assert set(brief["world_context"]) == {
        "faction_ranking", "local_territory_control", "active_triggers", "contribution_recap",
    }  # fmt: skip
    assert plan["story_id"] == "s-1"
    assert plan["chapter"] == 2
    told = plan_from_wire(plan)
    verdict = state["verdicts"][0]["final_verdict"]
    expected = {"approve": "verdict_approved", "modify": "verdict_modified", "reject": "verdict_rejected"}
    assert expected[verdict] in [beat.storylet for beat in told.beats]
    assert await realm.stories.chapter("s-1", 2) is None


async def test_what_breaks_canon_reaches_the_plan_as_a_refusal_with_its_reason_and_nothing_else() -> None:
    effects = [{"op": "canon_assert", "subject": "grand-gate-city", "predicate": "terrain", "object": "harbor"}]
    state, _ = await ran(warding(WORLD.new_realm(REALM), effects=effects))
    (brief,) = state["briefs"]

    assert brief["final_verdict"] == "reject"
    assert brief["heard"]["reason"] == "canon_lock"
    assert brief["heard"]["effects"] == []
    assert "harbor" not in orjson.dumps(state["plans"]).decode()


async def test_a_story_that_nobody_keeps_is_passed_over() -> None:
    request = warding(WORLD.new_realm(REALM))
    request["supporting_events"][0]["story_id"] = "s-unknown"
    state, _ = await ran(request)

    assert state["plans"] == []


@pytest.mark.parametrize("has_planner", [True, False])
def test_the_planner_is_a_node_of_its_own_at_the_end(has_planner: bool) -> None:
    realm = TellingRealm()
    graph = build_graph(lambda: POLICY, planner=Foresight(realm.teller) if has_planner else None)
    nodes = graph.get_graph().nodes

    assert ("story" in nodes) is has_planner

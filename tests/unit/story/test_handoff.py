"""What the planner receives: the four fields of world_context, after the verdict (S0-70 to S0-73)."""

from policies.contracts.reading import validate_request
from story.handoff import MAX_ITEMS, planner_brief
from tests.unit.requests import request_document
from world.case import Case, open_case


def case_of_the_design() -> Case:
    return open_case(validate_request(request_document()))


def test_the_ranking_is_that_after_the_change_with_what_each_faction_gained() -> None:
    """41/33/26 and +12 for the empire is 53/33/26 of 112: 47.3214, 29.4643 and 23.2143 percent."""
    case = case_of_the_design()
    brief = planner_brief(case, "approve", case.effects)
    assert brief["world_context"]["faction_ranking"] == [
        {"rank": 1, "faction_id": "empire", "share_ppm": 473_214, "change_ppm": 63_214},
        {"rank": 2, "faction_id": "veil", "share_ppm": 294_643, "change_ppm": -35_357},
        {"rank": 3, "faction_id": "free_cities", "share_ppm": 232_143, "change_ppm": -27_857},
    ]


def test_territories_near_the_change_show_their_controller_afterwards() -> None:
    case = case_of_the_design()
    brief = planner_brief(case, "approve", case.effects)
    assert brief["world_context"]["local_territory_control"] == [
        {"territory_id": "t-3", "controller": "empire", "is_changed": True}
    ]
    assert brief["world_context"]["active_triggers"] == [{"trigger_id": "age_of_iron", "phase": "fired"}]


def test_nothing_has_changed_where_the_verdict_lets_nothing_happen() -> None:
    brief = planner_brief(case_of_the_design(), "reject", ())
    context = brief["world_context"]
    assert brief["final_verdict"] == "reject"
    assert [faction["change_ppm"] for faction in context["faction_ranking"]] == [0, 0, 0]
    assert context["local_territory_control"] == [{"territory_id": "t-3", "controller": "veil", "is_changed": False}]
    assert context["active_triggers"] == []


def test_the_recap_counts_acts_and_shows_no_points() -> None:
    """S0-87: points stay inside the server."""
    document = request_document()
    event = document["supporting_events"][0]
    document["supporting_events"] = [
        {**event, "event_id": f"e-{index}", "user_id": f"u-{index % 6}"} for index in range(13)
    ]
    brief = planner_brief(open_case(validate_request(document)), "approve", ())
    recap = brief["world_context"]["contribution_recap"]
    assert recap[0] == {"user_id": "u-0", "events": 3}
    assert len(recap) == MAX_ITEMS

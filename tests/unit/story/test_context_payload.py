"""The wire shape of a context: 000 §9's four fields always there, verdicts, and what was left out and why (S0-70 to 73)."""

from typing import Any

from hypothesis import given

from story.context.items import Candidate, Viewpoint
from story.context.payload import explained, payload
from story.context.selecting import select
from tests.unit.story.context_cases import item, view

FIELDS = ("faction_ranking", "local_territory_control", "active_triggers", "contribution_recap")
WAR = {"territory": "far-wilds", "controller": "veil", "change": "war", "rival": "empire"}
MATTERS = view(involvement={"veil": 900, "d-1": 1_000, "u-1": 1_000}, thread_entities=frozenset(["veil"]))


def told(*candidates: Candidate, seen: Viewpoint = MATTERS) -> dict[str, Any]:
    return payload(select(candidates, seen, snapshot_id="snap-100"))


def test_every_field_is_there_where_nothing_was_chosen() -> None:
    assert payload(select([], view(), snapshot_id="snap-100")) == {
        "snapshot_id": "snap-100",
        "tick_number": 100,
        "faction_ranking": [],
        "local_territory_control": [],
        "active_triggers": [],
        "contribution_recap": [],
        "campaigns": [],
        "verdicts": [],
        "budget": {"tokens": 400, "used": 0},
        "omitted": [],
        "omitted_count": 0,
    }


def test_each_kind_of_item_is_a_row_of_its_field() -> None:
    ranking = {
        "faction": "veil", "direction": "rises", "rank": 2, "former_rank": 3, "share_ppm": 290_000, "change_ppm": 9_000,
    }  # fmt: skip
    recap = {
        "territory": "far-wilds", "faction": "veil", "outcome": "risen",
        "is_against": False,
    }  # fmt: skip
    found = told(
        item("ranking/veil", kind="ranking", subject="veil", scope="global", factions=("veil",), facts=ranking),
        item("control/far-wilds/war", facts=WAR),
        item("recap/u-1", kind="recap", subject="u-1", scope="personal", facts=recap, is_must=True),
    )
    assert found["faction_ranking"] == [
        {"item_id": "ranking/veil", "rank": 2, "faction_id": "veil", "share_ppm": 290_000, "change_ppm": 9_000,
         "direction": "rises"},
    ]  # fmt: skip
    assert found["local_territory_control"] == [
        {"item_id": "control/far-wilds/war", "territory_id": "far-wilds", "controller": "veil", "is_changed": False,
         "change": "war", "rival": "empire"},
    ]  # fmt: skip
    assert found["contribution_recap"] == [
        {"item_id": "recap/u-1", "user_id": "u-1", "territory_id": "far-wilds", "faction_id": "veil",
         "outcome": "risen", "is_against": False},
    ]  # fmt: skip


def test_a_verdict_stands_among_the_verdicts_and_where_it_changed_the_world() -> None:
    facts = {
        "verdict": "approve", "decision_type": "sovereign_action", "subject": "far-wilds", "faction": "veil",
        "territory": "far-wilds", "controller": "veil", "former": None, "trigger": "age_of_iron",
    }  # fmt: skip
    found = told(item("verdict/d-1", kind="verdict", decision_id="d-1", factions=("veil",), facts=facts))
    assert found["verdicts"] == [
        {"item_id": "verdict/d-1", "decision_id": "d-1", "final_verdict": "approve",
         "decision_type": "sovereign_action", "subject": "far-wilds", "faction_id": "veil", "conditions": [],
         "reason": None},
    ]  # fmt: skip
    assert found["local_territory_control"][0]["former"] is None
    assert found["local_territory_control"][0]["is_changed"] is True
    assert found["active_triggers"] == [{"item_id": "verdict/d-1", "trigger_id": "age_of_iron", "phase": "fired"}]


def test_what_was_left_out_says_why_and_the_list_can_be_cut() -> None:
    candidates = [
        item(f"control/far-wilds/{at}", subject="far-wilds", magnitude=100 * at, facts=WAR) for at in range(5)
    ]
    context = select(candidates, view())
    found = payload(context, most_omitted=2)
    assert found["omitted_count"] == 4
    assert found["omitted"][0] == {
        "item_id": "control/far-wilds/3",
        "kind": "control",
        "why": "same_subject",
        "told": "another item tells of far-wilds",
        "relevance": 545,  # 350 at home, 45 of 300 magnitude, 150 of this tick
    }
    assert len(payload(context)["omitted"]) == 4


def test_an_explanation_gives_every_term() -> None:
    found = explained(select([item("a", facts=WAR), item("b", places=("mutation-forest",))], view()))
    assert found["chosen"][0]["terms"] == {
        "locality": 1_000, "involvement": 0, "magnitude": 800, "recency": 1_000, "thread_match": 0, "relevance": 620,
    }  # fmt: skip
    assert found["chosen"][0]["why"].startswith("relevance 620: locality 1000")
    assert found["omitted"][0]["terms"]["relevance"] == 270


@given(...)
def test_the_four_fields_of_the_document_are_always_lists(names: list[str]) -> None:
    candidates = [item(f"control/{name}", facts={"territory": "t", "controller": None}) for name in sorted(set(names))]
    found = told(*candidates)
    assert all(isinstance(found[field], list) for field in FIELDS)

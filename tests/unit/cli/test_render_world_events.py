"""Every kind of event that the world tells is a sentence in the terminal, never raw JSON."""

import pytest

from cli.render_world_events import event_sentence

ANNEXATION = {
    "action_id": "a-1",
    "kind": "annexation",
    "faction_id": "veil",
    "target": "far-wilds",
    "closes": 12,
    "objections": ["empire", "free_cities"],
}


@pytest.mark.parametrize(
    ("kind", "told"),
    [
        ("sovereign_proposed", "veil: annexation, far-wilds; others may object until tick 12"),
        ("sovereign_objected", "veil: annexation, far-wilds; against it: empire, free_cities"),
        ("sovereign_asked", "veil: annexation, far-wilds; the council is asked, against it: empire, free_cities"),
    ],
)
def test_a_sovereign_action_is_told_with_who_and_on_what(kind: str, told: str) -> None:
    assert event_sentence(kind, ANNEXATION) == told


def test_an_action_without_a_target_or_objections_says_so() -> None:
    quiet = {**ANNEXATION, "kind": "great_warding", "target": None, "objections": []}
    assert event_sentence("sovereign_asked", quiet) == (
        "veil: great warding; the council is asked, nobody stands against it"
    )


def test_a_conquest_waits_for_the_council() -> None:
    assert event_sentence("conquest_asked", {"territory_id": "far-wilds", "name": "Far Wilds"}) == (
        "Far Wilds was won, and the council is asked"
    )


def test_a_verdict_says_what_it_required() -> None:
    told = {"verdict": "modify", "summary": "Veil, Far Wilds: A faction takes a territory by decree.", "dropped": []}
    required = ["withheld:territory_transfer", "lowered:faction_delta"]
    assert event_sentence("decision_applied", {**told, "conditions": required}) == (
        "≈ modify: Veil, Far Wilds: A faction takes a territory by decree."
        " (the territory transfer withheld, the faction delta lowered)"
    )


def test_an_event_of_another_version_is_shown_as_it_is() -> None:
    assert event_sentence("sovereign_asked", {"action_id": "a-1"}) == '{"action_id":"a-1"}'

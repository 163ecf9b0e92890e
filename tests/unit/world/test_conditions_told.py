"""What of a verdict's modifications is told to everybody: what they did to which kind of effect, never their numbers."""

from typing import Any

from pydantic import TypeAdapter

from policies.contracts.effects import Effect, RequiredModification
from world.realm.telling import asked_of, conditions_told

ANNEXATION: list[dict[str, Any]] = [
    {"op": "meter_delta", "meter": "stability", "amount": -4},
    {"op": "territory_transfer", "territory_id": "far-wilds", "from": "free_cities", "to": "veil"},
    {"op": "faction_delta", "faction_id": "veil", "amount": 3},
]
EFFECTS: tuple[Effect, ...] = TypeAdapter(tuple[Effect, ...]).validate_python(ANNEXATION)


def required(**fields: Any) -> RequiredModification:
    return RequiredModification.model_validate(fields)


def test_a_change_is_about_the_first_thing_that_its_effects_name() -> None:
    assert asked_of(EFFECTS) == "far-wilds"
    assert asked_of(EFFECTS[:1]) == ""


def test_dropping_what_was_asked_itself_withholds_it_and_dropping_what_comes_with_it_does_not() -> None:
    """Else a story would tell that the Veil may have the Far Wilds, without some part of it."""
    assert conditions_told(EFFECTS, [required(effect=1, drop=True)]) == ["withheld:territory_transfer"]
    assert conditions_told(EFFECTS, [required(effect=2, drop=True)]) == ["dropped:faction_delta"]


def test_bounds_are_told_without_their_numbers_and_each_once() -> None:
    bounds = [
        required(effect=2, field="amount", max=1),
        required(effect=2, field="amount", max=1.5),
        required(effect=0, field="amount", min=-2),
        required(effect=1, field="to", value="empire"),
    ]
    assert conditions_told(EFFECTS, bounds) == [
        "lowered:faction_delta",
        "raised:meter_delta",
        "changed:territory_transfer",
    ]

"""What a verdict lets happen of a change: all of it, what its conditions leave, or nothing. Pure."""

from collections.abc import Sequence

from policies.conditions import apply_modifications
from policies.contracts.answer import Answer
from policies.contracts.effects import Effect
from policies.votes import modification_from_wire


def effects_allowed(effects: Sequence[Effect], answer: Answer) -> tuple[Effect, ...]:
    """Return the effects that an answer lets happen, its required modifications applied as written."""
    match answer.final_verdict:
        case "approve":
            return tuple(effects)
        case "modify":
            conditions = [
                modification_from_wire(required.model_dump(exclude_none=True), effects[required.effect].op)
                for required in answer.required_modifications
            ]
            return apply_modifications(effects, conditions)[0]
        case _:
            return ()

"""The recap: what a player's acts did to the world, as rows that prose and pages can tell (S0-73; companions.md, reads)."""

from collections.abc import Mapping
from typing import Any


def recap_of(context: Mapping[str, Any], language: str) -> dict[str, Any]:
    """Return what the chapter knew of the player's part in the world.

    Args:
        context: the payload of the chapter's world context.
        language: of its sentences.
    """
    return {
        "language": language,
        "deeds": list(context["contribution_recap"]),
        "verdicts": [each for each in context["verdicts"] if each.get("is_own")],
        "tick_number": context["tick_number"],
    }

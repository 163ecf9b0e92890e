"""What the next chapters would be with a verdict that was given just now: the planner at the end of the council's graph."""

from collections.abc import Mapping, Sequence
from typing import Any

from story.errors import UnknownStoryError
from story.handoff import heard_of
from story.planner.wire import plan_to_wire
from story.service.telling import StoryTeller


class Foresight:
    """A `StoryPlanner` over the tales of the ledger; nothing is written, the chapter is told when its engine asks.

    Args:
        teller: plans.
    """

    def __init__(self, teller: StoryTeller) -> None:
        self._teller = teller

    async def plans(self, brief: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Return the next chapter of every story whose deeds were heard; one that nobody keeps here is passed over."""
        heard = heard_of(brief)
        found = []
        for story_id in brief["stories"]:
            try:
                planned = await self._teller.foresee(story_id, heard)
            except UnknownStoryError:
                continue
            found.append(plan_to_wire(planned.plan))
        return found

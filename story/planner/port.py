"""The story planner as the council's graph sees it: it is handed verdict and context, and says what comes of them."""

from collections.abc import Mapping, Sequence
from typing import Any, Protocol


class StoryPlanner(Protocol):
    """Plans the chapters that hear of a decision."""

    async def plans(self, brief: Mapping[str, Any]) -> Sequence[Mapping[str, Any]]:
        """Return the plan of the next chapter of every story that the decision concerns (`story.planner.wire`).

        Args:
            brief: what the council hands on (`story.handoff.planner_brief`).
        """
        ...

"""The story in a trace: `story.plan` and `story.close`, under the correlation id of the player's chapter (register row S0-95).

The chapter's deeds carry the id on: `influence.submit`, `world.tick` and `world.apply_decision` have it too
(`gateway.world_spans`).
"""

from gateway.story_parts import Teller
from gateway.world_spans import WorldSpans
from story.service.telling import PlanAsk, Told
from story.tale.outcome import ChapterOutcome


class TracedTeller:
    """Draws each chapter that is planned or closed.

    Args:
        teller: does the work.
        spans: of the world, whose traces they continue.
    """

    def __init__(self, teller: Teller, spans: WorldSpans) -> None:
        self._teller = teller
        self._spans = spans

    async def plan(self, ask: PlanAsk) -> Told:
        """Tell the next chapter; raises what the teller raises."""
        following = ask.correlation_id
        with self._spans.opened("story.plan", ask.realm_id, correlation_id=following, story_id=ask.story_id) as span:
            found = await self._teller.plan(ask)
            told = found.chapter.told
            span.set({"council.chapter": told.number, "council.snapshot_id": told.snapshot_id})
        return found

    async def close(self, story_id: str, number: int, outcome: ChapterOutcome) -> Told:
        """Close a chapter; raises what the teller raises."""
        with self._spans.opened("story.close", "", story_id=story_id, chapter=number) as span:
            found = await self._teller.close(story_id, number, outcome)
            # The chapter's own, not this call's: its deeds carry it on.
            span.set({"council.correlation_id": found.chapter.told.correlation_id})
        return found

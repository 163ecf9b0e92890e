"""The story teller, counted: what is told and closed, how long it takes, what was held against it."""

import time

import orjson

from gateway.story_metrics import StoryMetrics
from gateway.story_parts import Teller
from story.service.telling import PlanAsk, Told
from story.tale.outcome import ChapterOutcome


class WatchedTeller:
    """Stands before a story teller and counts.

    Args:
        teller: does the work.
        metrics: of the story.
    """

    def __init__(self, teller: Teller, metrics: StoryMetrics) -> None:
        self._teller = teller
        self._metrics = metrics

    async def plan(self, ask: PlanAsk) -> Told:
        """Tell the next chapter; raises what the teller raises."""
        started = time.perf_counter()
        found = await self._teller.plan(ask)
        seconds = time.perf_counter() - started
        if found.is_repeat:
            self._metrics.repeats.labels("plan").inc()
            return found
        why = orjson.loads(found.chapter.told.why)
        self._metrics.told(
            found.chapter,
            seconds,
            faults=len(why["writing"]),
            objections=len(why["objections"]),
            fallback=why["fallback"],
        )
        return found

    async def close(self, story_id: str, number: int, outcome: ChapterOutcome) -> Told:
        """Close a chapter; raises what the teller raises."""
        found = await self._teller.close(story_id, number, outcome)
        if found.is_repeat:
            self._metrics.repeats.labels("close").inc()
        else:
            self._metrics.closed.inc()
        return found

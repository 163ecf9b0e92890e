"""The story's metrics for Prometheus: how much is told, by whom, how long it takes, and what becomes of players' deeds.

Labels are words of closed sets: never a story, a player or a text.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Histogram

from story.ledger.port import Chapter

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Up to the wall clock limit of a model's writing."""


class StoryMetrics:
    """What one process counts of stories, in the registry of its other metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        self.chapters = Counter(
            "story_chapters_told", "Chapters planned and told, by language and whose words they are.",
            ["language", "author"], registry=registry,
        )  # fmt: skip
        self.repeats = Counter(
            "story_replayed_chapters", "Plans and closes answered from the ledger.", ["step"], registry=registry
        )
        self.planning_seconds = Histogram(
            "story_planning_duration_seconds", "From the question to a told chapter, its commit included.",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.lint_faults = Counter(
            "story_lint_faults", "Faults that the lint held against texts; none of a model's was shipped.",
            ["language"], registry=registry,
        )  # fmt: skip
        self.objections = Counter(
            "story_plan_objections", "What the council held against plans, which were made again.", registry=registry
        )
        self.closed = Counter("story_chapters_closed", "Chapters closed.", registry=registry)
        self.deeds = Counter(
            "story_deeds_sent", "Deeds of chapters by what the world made of them.", ["state"], registry=registry
        )

    def told(self, chapter: Chapter, seconds: float, *, faults: int, objections: int) -> None:
        """Count a chapter that was told now."""
        self.chapters.labels(chapter.told.language, chapter.told.author).inc()
        self.planning_seconds.observe(seconds)
        self.objections.inc(objections)
        if faults:
            self.lint_faults.labels(chapter.told.language).inc(faults)

"""The story's metrics for Prometheus: how much is told, by whom, how long it takes, and what becomes of players' deeds.

Labels are words of closed sets, and models, which operators name: never a story, a player or a text.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.metric_children import MetricChildren
from gateway.story_answers import Answered
from policies.models import PICODOLLARS
from story.ledger.port import Chapter

_SECONDS: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0)
"""Up to the wall clock limit of a model's writing."""


class StoryMetrics(MetricChildren):
    """What one process counts of stories, in the registry of its other metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._told(registry)
        self._deeds(registry)
        self._models(registry)

    def _told(self, registry: CollectorRegistry) -> None:
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

    def _deeds(self, registry: CollectorRegistry) -> None:
        self.deeds = Counter(
            "story_deeds_sent", "Deeds of chapters by what the world made of them.", ["state"], registry=registry
        )
        self.unsent = Gauge(
            "story_deeds_unsent", "Deeds that wait for the world (pending), and those that were given up.",
            ["state"], registry=registry,
        )  # fmt: skip

    def _models(self, registry: CollectorRegistry) -> None:
        """What the models of stories do: `role` is story_writer or story_critic, models are named by the settings."""
        of_model = ["role", "model"]
        self.model_replies = Counter(
            "story_model_replies", "Questions to models of stories, by what came of them: text, or why there is none.",
            [*of_model, "outcome"], registry=registry,
        )  # fmt: skip
        self.model_calls = Counter(
            "story_model_calls", "HTTP calls to models of stories, retries included.", of_model, registry=registry
        )
        self.model_seconds = Histogram(
            "story_model_duration_seconds", "From a question to a model of stories to its reply.", ["role"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.model_tokens = Counter(
            "story_model_tokens", "Tokens used by stories; cached ones are part of the input.", [*of_model, "kind"],
            registry=registry,
        )  # fmt: skip
        self.model_usd = Counter(
            "story_model_cost_usd", "Dollars spent on models of stories.", of_model, registry=registry
        )
        self.unpriced_calls = Counter(
            "story_model_unpriced_calls", "Calls of stories to models that the policy has no price for.", ["model"],
            registry=registry,
        )  # fmt: skip
        self.templates = Counter(
            "story_template_chapters", "Chapters told in the grammar's own words although a model was asked, by why.",
            ["because"], registry=registry,
        )  # fmt: skip

    def told(self, chapter: Chapter, seconds: float, *, faults: int, objections: int, fallback: str) -> None:
        """Count a chapter that was told now.

        Args:
            fallback: why a chapter that a model was asked for is the grammar's; empty otherwise.
        """
        self.chapters.labels(chapter.told.language, chapter.told.author).inc()
        self.planning_seconds.observe(seconds)
        self.objections.inc(objections)
        if faults:
            self.lint_faults.labels(chapter.told.language).inc(faults)
        if fallback:
            self.child(self.templates, fallback).inc()

    def answered(self, answer: Answered) -> None:
        """Count what a model of stories did with one task."""
        role, model = answer.role, answer.model
        self.child(self.model_replies, role, model, answer.outcome).inc()
        self.child(self.model_calls, role, model).inc(answer.calls)
        self.child(self.model_seconds, role).observe(answer.seconds)
        used = {"input": answer.usage.input, "cached": answer.usage.cached, "output": answer.usage.output}
        for kind, tokens in used.items():
            if tokens:
                self.child(self.model_tokens, role, model, kind).inc(tokens)
        if answer.picodollars:
            self.child(self.model_usd, role, model).inc(answer.picodollars / PICODOLLARS)
        if answer.unpriced_calls:
            self.child(self.unpriced_calls, model).inc(answer.unpriced_calls)

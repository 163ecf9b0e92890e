"""Metrics for Prometheus (register rows S0-92, S0-93, S0-98, S0-100).

The council's invocation rate is the share of `path="council"` and `path="veto"` in `council_reviews_total`; its reject and
quarantine rates are shares by `verdict`. Labels come from closed sets and from the policy, never from a request.
"""

from typing import Final

from prometheus_client import (
    CollectorRegistry,
    Counter,
    Gauge,
    Histogram,
    ProcessCollector,
    disable_created_metrics,
    generate_latest,
)
from prometheus_client.exposition import CONTENT_TYPE_LATEST

from gateway.metric_children import MetricChildren

CONTENT_TYPE: Final = CONTENT_TYPE_LATEST
_SECONDS: Final = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)


class Metrics(MetricChildren):
    """All counters of one process, in a registry of their own."""

    def __init__(self) -> None:
        super().__init__()
        disable_created_metrics()  # type: ignore[no-untyped-call]  # the library has no types for it
        registry = self.registry = CollectorRegistry()
        self.reviews = Counter(
            "council_reviews", "Decisions recorded.", ["decision_type", "path", "verdict"], registry=registry
        )
        self.held = Counter("council_held", "Decisions that wait for a person.", registry=registry)
        self.replayed = Counter(
            "council_replayed_answers", "Requests answered from the record of the same key.", registry=registry
        )
        self.abstentions = Counter(
            "council_abstentions", "Members without a vote, by kind.", ["member", "kind"], registry=registry
        )
        self.vetoes = Counter("council_vetoes", "Rules that fired.", ["rule", "mode", "outcome"], registry=registry)
        self.rules_skipped = Counter(
            "council_rules_skipped",
            "Rules skipped because a signal they name was missing.",
            ["rule"],
            registry=registry,
        )
        self.review_seconds = Histogram(
            "council_review_duration_seconds", "From the body's arrival to the answer.", ["path"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.append_seconds = Histogram(
            "council_ledger_append_duration_seconds", "From a written record to its commit.",
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.ledger_unavailable = Counter(
            "council_ledger_unavailable", "Records that could not be written.", registry=registry
        )
        self.pending = Counter(
            "council_pending_answers", "Requests whose deadline passed before their verdict.", registry=registry
        )
        self.problems = Counter("council_problems", "Problem documents sent.", ["problem", "status"], registry=registry)
        self.policy_reloads = Counter(
            "council_policy_reloads", "Edits of the policy file taken up or refused.", ["result"], registry=registry
        )
        self.policy_refused = Gauge(
            "council_policy_file_refused", "1 where the policy file as it stands is not in force.", registry=registry
        )
        self.policy_version = Gauge("council_policy_version", "Version of the policy in force.", registry=registry)
        self.in_flight = Gauge("council_reviews_in_flight", "Reviews under way.", registry=registry)
        self._models(registry)
        self._trust(registry)
        ProcessCollector(registry=registry)

    def _models(self, registry: CollectorRegistry) -> None:
        """What members' models do. Models and endpoints are named by the policy, never by a request."""
        of_model = ["member", "model"]
        self.model_replies = Counter(
            "council_model_replies", "Questions to members' models, by what came of them: vote, or why there is none.",
            [*of_model, "outcome"], registry=registry,
        )  # fmt: skip
        self.model_calls = Counter(
            "council_model_calls", "HTTP calls to models, retries included.", of_model, registry=registry
        )
        self.member_seconds = Histogram(
            "council_member_duration_seconds", "From the question to a member's model to its reply.", ["member"],
            buckets=_SECONDS, registry=registry,
        )  # fmt: skip
        self.model_tokens = Counter(
            "council_model_tokens", "Tokens used; cached ones are part of the input.", [*of_model, "kind"],
            registry=registry,
        )  # fmt: skip
        self.model_usd = Counter("council_model_cost_usd", "Dollars spent on models.", of_model, registry=registry)
        self.unpriced_calls = Counter(
            "council_model_unpriced_calls", "Calls to models that the policy has no price for.", ["model"],
            registry=registry,
        )  # fmt: skip
        self.budget_refusals = Counter(
            "council_budget_refusals", "Questions not asked because a budget was spent, by what happens then.",
            ["when_spent"], registry=registry,
        )  # fmt: skip
        self.breaker_state = Gauge(
            "council_breaker_state", "Circuit breaker of an endpoint: 0 closed, 1 half open, 2 open.", ["endpoint"],
            registry=registry,
        )  # fmt: skip
        self.breaker_openings = Counter(
            "council_breaker_openings", "Times that a circuit breaker opened.", ["endpoint"], registry=registry
        )
        self.degraded = Counter(
            "council_degraded_votes", "Rule votes that stood in for a model that failed.", ["member", "kind"],
            registry=registry,
        )  # fmt: skip

    def _trust(self, registry: CollectorRegistry) -> None:
        """Who is turned away, and whether the keys and the shared limits are as they should be."""
        self.tokens_refused = Counter(
            "council_tokens_refused", "Tokens that were missing or not good.", ["audience", "reason"], registry=registry
        )
        self.keys_refused = Gauge(
            "council_key_file_refused", "1 where the key set as it stands is not in force.", registry=registry
        )
        self.rate_limited = Counter(
            "council_rate_limited", "Acts refused by a rate limit: of a user, a device or a session.", ["key"],
            registry=registry,
        )  # fmt: skip
        self.rate_fallback = Gauge(
            "council_rate_limits_local", "1 where Redis does not answer and a stricter limit of this process holds.",
            registry=registry,
        )  # fmt: skip
        self.rate_fallbacks = Counter(
            "council_rate_limit_fallbacks", "Times that Redis did not answer a rate limit.", registry=registry
        )

    def exposition(self) -> bytes:
        """Return all metrics in the Prometheus text format."""
        return generate_latest(self.registry)

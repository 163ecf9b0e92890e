"""The world's metrics for Prometheus (register rows S0-90 to S0-94, S0-96, S0-97; 000 §12).

Labels are realms, which operators make, and words of closed sets: never a player, an act or a text of a request.
"""

from typing import Final

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram

from gateway.metric_children import MetricChildren

_TICK_S: Final = (0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0)
"""Up to the length of a lease: a tick that takes longer is thrown away."""
_COMMIT_S: Final = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)
_LAG_S: Final = (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 300.0)
_ANOMALY: Final = (0.0, 100.0, 200.0, 300.0, 399.0, 500.0, 600.0, 699.0, 800.0, 900.0, 1_000.0)
"""399 and 699 are the last scores that are counted and reviewed (domain.md C6): their buckets are the routes."""
NO_KIND: Final = "none"


class WorldMetrics(MetricChildren):
    """What one process counts of the world, in the registry of its other metrics."""

    def __init__(self, registry: CollectorRegistry) -> None:
        super().__init__()
        self._ticks(registry)
        self._influence(registry)
        self._council(registry)
        self._events(registry)

    def _ticks(self, registry: CollectorRegistry) -> None:
        self.tick_seconds = Histogram(
            "world_tick_duration_seconds", "From the lease to the commit of a tick.", ["realm_id"],
            buckets=_TICK_S, registry=registry,
        )  # fmt: skip
        self.ticks = Counter(
            "world_ticks", "Ticks that reached the store: committed, lease_lost, moved_on or unavailable.",
            ["realm_id", "outcome"], registry=registry,
        )  # fmt: skip
        self.last_tick = Gauge(
            "world_tick_last_timestamp_seconds", "When a realm last ticked, whichever process did it; or when it was made.",
            ["realm_id"], registry=registry,
        )  # fmt: skip
        self.tick_number = Gauge(
            "world_tick_number", "Number of a realm's latest tick.", ["realm_id"], registry=registry
        )
        self.tick_interval = Gauge("world_tick_interval_seconds", "Seconds between ticks, as set.", registry=registry)

    def _influence(self, registry: CollectorRegistry) -> None:
        self.acts = Counter(
            "world_influence_acts", "Acts by what became of them at their arrival, and why they were rejected.",
            ["realm_id", "state", "kind"], registry=registry,
        )  # fmt: skip
        self.moves = Counter(
            "world_influence_transitions", "Acts in review or quarantine by what became of them later.",
            ["realm_id", "state"], registry=registry,
        )  # fmt: skip
        self.anomaly = Histogram(
            "world_influence_anomaly_score", "Anomaly score of acts that were scored, 0 to 1,000.",
            buckets=_ANOMALY, registry=registry,
        )  # fmt: skip
        self.submit_seconds = Histogram(
            "world_influence_commit_duration_seconds", "From a judged batch of acts to its commit.",
            buckets=_COMMIT_S, registry=registry,
        )  # fmt: skip
        self.unavailable = Counter(
            "world_store_unavailable",
            "Writes that the world's database did not take.",
            ["operation"],
            registry=registry,
        )

    def _council(self, registry: CollectorRegistry) -> None:
        self.applied = Counter(
            "world_decisions_applied", "Decisions of the council that the world took up, by verdict.",
            ["realm_id", "verdict"], registry=registry,
        )  # fmt: skip
        self.dropped = Counter(
            "world_effects_dropped", "Effects of decisions that no longer fitted the realm.", ["realm_id"],
            registry=registry,
        )  # fmt: skip
        self.questions = Gauge(
            "world_questions_waiting", "Questions to the council that wait to be asked (open) or applied (answered).",
            ["state"], registry=registry,
        )  # fmt: skip

    def _events(self, registry: CollectorRegistry) -> None:
        self.event_lag = Histogram(
            "world_event_lag_seconds", "From the commit of an event to its place in the feed's ring.",
            buckets=_LAG_S, registry=registry,
        )  # fmt: skip
        self.backlog = Gauge(
            "world_outbox_backlog", "Messages that wait for the bus; a look counts at most 1,000.", registry=registry
        )
        self.backlog_age = Gauge(
            "world_outbox_oldest_age_seconds", "How long the oldest message has been seen waiting for the bus.",
            registry=registry,
        )  # fmt: skip
        self.dead_letters = Gauge(
            "world_bus_dead_letters",
            "Messages that a consumer gave up on and nobody has sent again.",
            registry=registry,
        )
        self.readers = Gauge("world_feed_readers", "Readers of the feed.", ["transport"], registry=registry)
        self.feed_dropped = Counter(
            "world_feed_dropped", "Readers of the feed that were let go, by reason.", ["reason"], registry=registry
        )
        self.looks_failed = Counter(
            "world_watch_failures", "Looks at the world's store for these metrics that failed.", registry=registry
        )

"""A ledger that tells of every decision it commits: one log line and its counters, whoever asked and however long ago.

Telling at the commit, not at the answer, counts a decision once whether its caller waited, gave up or was cut off.
"""

import logging
import time
from typing import Any, cast

import orjson

from council.ledger.port import Ledger, LedgerUnavailableError, NewRecord, OpenReview, StoredRecord
from gateway.metrics import Metrics

_log = logging.getLogger("gateway.decisions")


def observed(ledger: Ledger, metrics: Metrics) -> Ledger:
    """Return the ledger with its appends counted, timed and logged."""
    return cast("Ledger", _ObservedLedger(ledger, metrics))


class _ObservedLedger:
    """Stands before a ledger; everything but what writes decisions and their reviews goes straight through."""

    def __init__(self, ledger: Ledger, metrics: Metrics) -> None:
        self._ledger = ledger
        self._metrics = metrics

    def __getattr__(self, name: str) -> Any:
        return getattr(self._ledger, name)

    async def append(self, new: NewRecord) -> StoredRecord:
        started = time.perf_counter()
        try:
            stored = await self._ledger.append(new)
        except LedgerUnavailableError:
            self._tell_unavailable(new)
            raise
        self._metrics.append_seconds.observe(time.perf_counter() - started)
        self._tell(new, orjson.loads(new.answer))
        return stored

    async def open_review(self, review: OpenReview) -> OpenReview:
        try:
            return await self._ledger.open_review(review)
        except LedgerUnavailableError:
            self._tell_unavailable(review)
            raise

    def _tell_unavailable(self, lost: NewRecord | OpenReview) -> None:
        self._metrics.ledger_unavailable.inc()
        _log.warning("ledger unavailable", extra={"correlation_id": lost.correlation_id, "realm_id": lost.realm_id})

    def _tell(self, new: NewRecord, answer: dict[str, Any]) -> None:
        metrics = self._metrics
        metrics.child(metrics.reviews, new.decision_type, new.path, new.verdict).inc()
        if new.held:
            metrics.held.inc()
        for vote in answer["votes"]:
            if "abstained" in vote:
                metrics.child(metrics.abstentions, vote["member"], vote["abstained"]).inc()
            if "degraded" in vote:
                metrics.child(metrics.degraded, vote["member"], vote["degraded"]).inc()
        for fired in answer["vetoes"]:
            metrics.child(metrics.vetoes, fired["rule"], fired["mode"], fired["outcome"]).inc()
        if b'"missing":' in new.body:
            self._tell_skipped(new)
        if _log.isEnabledFor(logging.INFO):
            _log.info("decided", extra=_line(new, answer))

    def _tell_skipped(self, new: NewRecord) -> None:
        for rule in orjson.loads(new.body)["rules"]:
            if rule.get("missing") and not rule["fired"]:
                self._metrics.child(self._metrics.rules_skipped, rule["rule"]).inc()


def _line(new: NewRecord, answer: dict[str, Any]) -> dict[str, Any]:
    """Return the canonical line of one decision: ids and numbers, no text of the request."""
    votes = answer["votes"]
    return {
        "decision_id": new.decision_id,
        "realm_id": new.realm_id,
        "correlation_id": new.correlation_id,
        "decision_type": new.decision_type,
        "verdict": new.verdict,
        "path": new.path,
        "held": new.held,
        "votes": len(votes),
        "abstained": sum(vote["verdict"] is None for vote in votes),
        "duration_ms": answer["elapsed_ms"],
        "model_calls": answer["cost"]["model_calls"],
        "policy_hash": new.policy_hash,
    }

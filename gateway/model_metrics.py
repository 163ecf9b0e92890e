"""Counts what members' models do: replies, time, tokens, money, breakers (register rows S0-92, S0-101; reliability.md L18)."""

from collections.abc import Sequence
from typing import Final

from agents.asking import Question, Reply
from agents.ports import Observer
from gateway.metrics import Metrics
from policies.models import PICODOLLARS

BREAKER: Final = {"closed": 0, "half_open": 1, "open": 2}


class MeteredModels:
    """An observer that counts."""

    def __init__(self, metrics: Metrics) -> None:
        self._metrics = metrics

    def asked(self, question: Question) -> None:
        """Count nothing yet."""

    def replied(self, question: Question, reply: Reply) -> None:
        """Count a reply, its calls, its tokens and its price."""
        metrics, member, model = self._metrics, reply.slot.member, reply.model
        metrics.child(metrics.model_replies, member, model, reply.failed or "vote").inc()
        metrics.child(metrics.model_calls, member, model).inc(len(reply.attempts))
        metrics.child(metrics.member_seconds, member).observe(reply.latency_ms / 1000)
        used = {"input": reply.usage.input, "cached": reply.usage.cached, "output": reply.usage.output}
        for kind, tokens in used.items():
            if tokens:
                metrics.child(metrics.model_tokens, member, model, kind).inc(tokens)
        if reply.picodollars:
            metrics.child(metrics.model_usd, member, model).inc(reply.picodollars / PICODOLLARS)
        if reply.unpriced_calls:
            metrics.child(metrics.unpriced_calls, model).inc(reply.unpriced_calls)
        if reply.failed == "budget":
            metrics.child(metrics.budget_refusals, question.models.budgets.when_spent).inc()

    def breaker(self, endpoint: str, state: str) -> None:
        """Show a breaker's state, and count its openings."""
        self._metrics.child(self._metrics.breaker_state, endpoint).set(BREAKER[state])
        if state == "open":
            self._metrics.child(self._metrics.breaker_openings, endpoint).inc()


class Observers:
    """Several observers as one."""

    def __init__(self, observers: Sequence[Observer]) -> None:
        self._observers = observers

    def asked(self, question: Question) -> None:
        """Tell all of them."""
        for observer in self._observers:
            observer.asked(question)

    def replied(self, question: Question, reply: Reply) -> None:
        """Tell all of them."""
        for observer in self._observers:
            observer.replied(question, reply)

    def breaker(self, endpoint: str, state: str) -> None:
        """Tell all of them."""
        for observer in self._observers:
            observer.breaker(endpoint, state)

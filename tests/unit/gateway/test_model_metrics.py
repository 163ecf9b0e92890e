"""What models do, counted (S0-92, S0-101; L18)."""

from typing import Any

from agents.asking import Question, Reply, Slot, Usage, unanswered
from gateway.made_up_case import question_to
from gateway.metrics import Metrics
from gateway.model_metrics import MeteredModels, Observers
from policies.models import PICODOLLARS
from tests.unit.council.scripted import MODEL, model_policy, raw_vote, reply_with

QUESTION: Question = question_to("lore", model_policy())
LORE = Slot("lore", 1)


def counted(*replies: Reply) -> dict[str, float]:
    """Return every sample about models after some replies."""
    metrics = Metrics()
    observer = MeteredModels(metrics)
    for reply in replies:
        observer.replied(QUESTION, reply)
    return samples(metrics)


def samples(metrics: Metrics) -> dict[str, float]:
    found = {}
    for line in metrics.exposition().decode().splitlines():
        if line.startswith(("council_model", "council_budget", "council_breaker", "council_member_duration_seconds_c")):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


def test_a_reply_is_counted_with_its_calls_tokens_and_price() -> None:
    reply = reply_with(LORE, raw_vote("approve"), picodollars=PICODOLLARS // 4)
    assert counted(reply, reply) == {
        f'council_model_replies_total{{member="lore",model="{MODEL}",outcome="vote"}}': 2,
        f'council_model_calls_total{{member="lore",model="{MODEL}"}}': 2,
        'council_member_duration_seconds_count{member="lore"}': 2,
        f'council_model_tokens_total{{kind="input",member="lore",model="{MODEL}"}}': 2400,
        f'council_model_tokens_total{{kind="cached",member="lore",model="{MODEL}"}}': 2000,
        f'council_model_tokens_total{{kind="output",member="lore",model="{MODEL}"}}': 160,
        f'council_model_cost_usd_total{{member="lore",model="{MODEL}"}}': 0.5,
    }


def test_calls_without_a_price_and_refusals_of_a_budget_are_told_apart() -> None:
    unpriced = reply_with(LORE, raw_vote("approve"), picodollars=0)._replace(is_priced=False, usage=Usage(10, 0, 2))
    found = counted(unpriced, unanswered(LORE, MODEL, "budget", "the budget for today is spent"))
    assert found[f'council_model_unpriced_calls_total{{model="{MODEL}"}}'] == 1
    assert found['council_budget_refusals_total{when_spent="rules"}'] == 1
    assert found[f'council_model_replies_total{{member="lore",model="{MODEL}",outcome="budget"}}'] == 1


def test_a_breaker_shows_its_state_and_counts_its_openings() -> None:
    metrics = Metrics()
    observer = MeteredModels(metrics)
    for state in ("open", "half_open", "open", "half_open", "closed"):
        observer.breaker("openai", state)
    assert samples(metrics) == {
        'council_breaker_state{endpoint="openai"}': 0,
        'council_breaker_openings_total{endpoint="openai"}': 2,
    }


def test_several_observers_see_the_same() -> None:
    seen: list[tuple[str, Any]] = []

    class Sees:
        def asked(self, question: Question) -> None:
            seen.append(("asked", question.slot))

        def replied(self, question: Question, reply: Reply) -> None:
            seen.append(("replied", reply.failed))

        def breaker(self, endpoint: str, state: str) -> None:
            seen.append((endpoint, state))

    both = Observers([Sees(), Sees()])
    both.asked(QUESTION)
    both.replied(QUESTION, unanswered(LORE, MODEL, "timeout", ""))
    both.breaker("openai", "open")
    assert seen == [item for item in (("asked", LORE), ("replied", "timeout"), ("openai", "open")) for _ in range(2)]

"""What models of stories do, counted, and why the grammar's own text was told (S0-92, S0-101)."""

from typing import Any

import pytest
from prometheus_client import CollectorRegistry, generate_latest

from agents.asking import Usage
from agents.models.calls import Call, CallError, Completion
from agents.models.endpoints import Endpoints
from gateway.settings import read_settings
from gateway.story_answers import Answered
from gateway.story_metrics import StoryMetrics
from gateway.story_models import open_writer
from gateway.story_telling import WatchedTeller
from policies.loading import default_policy_path, load_policy, policy_from_document
from policies.models import PICODOLLARS
from story.ledger.memory import MemoryStoryStore
from story.service.hearing import Listener
from story.service.telling import PlanAsk, StoryTeller
from tests.unit.story.told_stories import LIBRARY, TellingRealm, hero
from tests.unit.world.living_realm import REALM, WORLD

SHIPPED = load_policy(default_policy_path())
WRITER = 'model="ollama/x",role="story_writer"'


class Saying:
    """A client that says one thing, or fails one way."""

    def __init__(self, reply: Completion | CallError) -> None:
        self._reply = reply

    async def complete(self, call: Call) -> Completion:
        if isinstance(self._reply, CallError):
            raise self._reply
        return self._reply

    async def close(self) -> None:
        """Close nothing."""


def samples(registry: CollectorRegistry) -> dict[str, float]:
    """Return every sample about models and templates, but for the buckets of time."""
    found = {}
    for line in generate_latest(registry).decode().splitlines():
        is_ours = line.startswith(("story_model", "story_template"))
        if is_ours and not any(part in line for part in ("_bucket", "_sum", "_created")):
            name, _, value = line.rpartition(" ")
            found[name] = float(value)
    return found


async def told(client: Saying | None, **settings: str) -> tuple[dict[str, float], dict[str, Any]]:
    """Tell one chapter with a model; return what was counted and the chapter's labels."""
    realm, registry = await TellingRealm().seed(), CollectorRegistry()
    metrics = StoryMetrics(registry)
    document: Any = {**SHIPPED.document}
    prices = {"ollama/x": {"input": "1", "cached": "1", "output": "2"}}
    policy = policy_from_document({**document, "models": {**document["models"], "prices": prices, "retries": 0}})
    named = {"COUNCIL_STORY_MODEL": "ollama/x"} if client is not None else {}
    writer = open_writer(
        read_settings({**named, **settings}),
        lambda: policy,
        Endpoints({}, opener=lambda endpoint, key: client),  # type: ignore[arg-type,return-value]
        MemoryStoryStore(),
        answered=metrics.answered,
    )
    listener = Listener(realm.living.store, realm.living.realms)
    teller = StoryTeller(realm.stories, listener, WORLD, LIBRARY, writer, None, lambda: realm.living.now)
    found = await WatchedTeller(teller, metrics).plan(PlanAsk("s-1", REALM, "ana", hero()))
    return samples(registry), {"author": found.chapter.told.author}


async def test_a_model_that_writes_nothing_usable_is_counted_with_its_cost_and_the_template_with_its_reason() -> None:
    """Three rounds of 1,000 tokens in (1,000,000 picodollars each) and 500 out (2,000,000 each): 3 x 0.002 dollars."""
    found, labels = await told(Saying(Completion("{}", Usage(1_000, 200, 500))))
    assert labels == {"author": "template"}
    assert found == {
        'story_model_replies_total{model="ollama/x",outcome="text",role="story_writer"}': 3,
        f"story_model_calls_total{{{WRITER}}}": 3,
        'story_model_duration_seconds_count{role="story_writer"}': 3,
        f'story_model_tokens_total{{kind="input",{WRITER}}}': 3_000,
        f'story_model_tokens_total{{kind="cached",{WRITER}}}': 600,
        f'story_model_tokens_total{{kind="output",{WRITER}}}': 1_500,
        f"story_model_cost_usd_total{{{WRITER}}}": pytest.approx(0.006),
        'story_template_chapters_total{because="held"}': 1,
    }


@pytest.mark.parametrize(
    ("reply", "settings", "kind"),
    [
        (CallError("timeout", "too slow"), {}, "timeout"),
        (CallError("refused", "it refuses"), {}, "refused"),
        (Completion("{}", None), {"COUNCIL_STORY_DAY_USD": "0.000001"}, "budget"),
    ],
)
async def test_a_call_that_failed_is_counted_by_kind_and_so_is_the_template(
    reply: Completion | CallError, settings: dict[str, str], kind: str
) -> None:
    found, _ = await told(Saying(reply), **settings)
    assert found[f'story_template_chapters_total{{because="{kind}"}}'] == 1
    assert found[f'story_model_replies_total{{model="ollama/x",outcome="{kind}",role="story_writer"}}'] == 1


async def test_where_no_model_is_set_up_nothing_is_counted_of_models() -> None:
    assert await told(None) == ({}, {"author": "template"})


def test_calls_without_a_price_are_told_apart_from_free_ones() -> None:
    registry = CollectorRegistry()
    metrics = StoryMetrics(registry)
    unpriced = Answered("story_critic", "lab/y", "text", 2, Usage(10, 0, 2), 0, is_priced=False, seconds=1.0)
    metrics.answered(unpriced)
    metrics.answered(unpriced._replace(is_priced=True, picodollars=PICODOLLARS // 4))
    metrics.answered(unpriced._replace(calls=0, usage=Usage(), outcome="unreachable"))
    found = samples(registry)

    assert found['story_model_unpriced_calls_total{model="lab/y"}'] == 2
    assert found['story_model_cost_usd_total{model="lab/y",role="story_critic"}'] == 0.25
    assert found['story_model_replies_total{model="lab/y",outcome="unreachable",role="story_critic"}'] == 1

"""The models of stories behind their port: settings, keys of calls, retries, budgets (S0-101: money fails closed)."""

from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.asking import Usage
from agents.models.calls import Call, CallError, Completion
from agents.models.endpoints import Endpoints
from gateway.errors import SettingsError
from gateway.settings import Settings, read_settings
from gateway.story_model_uses import story_uses
from gateway.story_models import ModelScribe, open_scribe, open_writer
from gateway.story_purse import DayPurse, Reserved
from policies.loading import default_policy_path, load_policy, policy_from_document
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError
from story.ledger.memory import MemoryStoryStore
from story.ledger.port import Booked
from story.service.composing import TemplateWriter
from story.writing.port import Completed, Role, ScribeError, ScribeTask
from story.writing.prompting import probe_task
from story.writing.writer import ModelWriter
from world.errors import StoreUnavailableError

SHIPPED = load_policy(default_policy_path())
DOWN = CallError("unreachable", "it is down", is_retryable=True, is_endpoint_fault=True, retry_after_s=0.0)
NOW = datetime(2026, 11, 21, 23, 59, tzinfo=UTC)


class ScriptedClient:
    """Says what it is told to, and keeps the calls."""

    def __init__(self, *replies: Completion | CallError) -> None:
        self._replies = list(replies)
        self.calls: list[Call] = []

    async def complete(self, call: Call) -> Completion:
        self.calls.append(call)
        reply = self._replies.pop(0) if len(self._replies) > 1 else self._replies[0]
        if isinstance(reply, CallError):
            raise reply
        return reply

    async def close(self) -> None:
        """Close nothing."""


def priced() -> Policy:
    """Return the shipped policy with a price: 1 and 2 dollars per million tokens."""
    document: Any = {**SHIPPED.document}
    prices = {"ollama/x": {"input": "1", "cached": "1", "output": "2"}}
    return policy_from_document({**document, "models": {**document["models"], "prices": prices}})


def scribe_of(client: ScriptedClient, policy: Policy = SHIPPED, **settings: str) -> ModelScribe:
    """Return the scribe of settings over a scripted client."""
    endpoints = Endpoints({}, opener=lambda endpoint, key: client)
    return open_scribe(given(**settings), lambda: policy, endpoints, MemoryStoryStore(), now=lambda: NOW)


def given(**settings: str) -> Settings:
    """Return settings with a model for writing."""
    return read_settings({"COUNCIL_STORY_MODEL": "ollama/x", **{f"COUNCIL_{k}": v for k, v in settings.items()}})


async def ask(scribe: ModelScribe, role: Role = "story_writer") -> Completed:
    return await scribe.complete(probe_task(role))


def test_stories_are_written_by_the_grammar_unless_a_model_is_named() -> None:
    endpoints = Endpoints({})
    assert isinstance(open_writer(read_settings({}), lambda: SHIPPED, endpoints, MemoryStoryStore()), TemplateWriter)
    assert isinstance(open_writer(given(), lambda: SHIPPED, endpoints, MemoryStoryStore()), ModelWriter)
    for nothing in ("", "rules"):
        settings = read_settings({"COUNCIL_STORY_MODEL": nothing})
        assert isinstance(open_writer(settings, lambda: SHIPPED, endpoints, MemoryStoryStore()), TemplateWriter)


def test_a_model_is_named_as_the_councils_are() -> None:
    settings = given(STORY_MODEL="lab/qwen3-8b@q4@http://10.0.0.7:8000/v1", STORY_CRITIC="openai/gpt-4.1-mini")
    uses = story_uses(settings, SHIPPED)

    assert {role: use.name for role, use in uses.items()} == {
        "story_writer": "lab/qwen3-8b@q4",
        "story_critic": "openai/gpt-4.1-mini",
    }
    assert uses["story_writer"].endpoint.base_url == "http://10.0.0.7:8000/v1"
    assert uses["story_critic"].endpoint.key == "OPENAI_API_KEY"
    assert not any(use.reads_player_text for use in uses.values())


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"STORY_MODEL": "gpt-5"}, "COUNCIL_STORY_MODEL: the entry 'gpt-5': names no model"),
        ({"STORY_MODEL": "ollama/x,ollama/y"}, "COUNCIL_STORY_MODEL: says twice"),
        ({"STORY_MODEL": "lore=ollama/x"}, "COUNCIL_STORY_MODEL: names more than one model, or a member"),
        ({"STORY_MODEL": "ollama/x@http://me:hunter22@h/v1"}, "holds a name or a password"),
        ({"STORY_MODEL": "ollama/x", "STORY_CRITIC": "y"}, "COUNCIL_STORY_CRITIC: the entry 'y': names no model"),
        ({"STORY_CRITIC": "ollama/x"}, "COUNCIL_STORY_CRITIC reads what nobody writes"),
        ({"STORY_TIMEOUT_S": "0"}, "COUNCIL_STORY_TIMEOUT_S"),
        ({"STORY_DAY_USD": "-1"}, "COUNCIL_STORY_DAY_USD"),
    ],
)
def test_settings_that_cannot_be_used_name_their_variable(variables: dict[str, str], told: str) -> None:
    with pytest.raises(SettingsError) as caught:
        read_settings({f"COUNCIL_{name}": value for name, value in variables.items()})
    assert told in str(caught.value)
    assert "hunter22" not in str(caught.value)


def test_an_endpoint_that_the_policy_does_not_know_is_told_with_the_variable() -> None:
    with pytest.raises(InvalidPolicyError) as caught:
        open_writer(given(STORY_MODEL="olama/x"), lambda: SHIPPED, Endpoints({}), MemoryStoryStore())
    assert "COUNCIL_STORY_MODEL: the entry 'olama/x': the endpoint 'olama' is not known" in str(caught.value)


async def test_a_writer_and_a_critic_have_keys_of_their_own() -> None:
    client = ScriptedClient(Completion("{}", Usage(10, 0, 5)))
    scribe = scribe_of(client, STORY_CRITIC="ollama/y")
    await ask(scribe)
    await ask(scribe, "story_critic")

    keys = [call.key for call in client.calls]
    assert [(key.member, key.model, key.round, key.attempt) for key in keys] == [
        ("story_writer", "ollama/x", 1, 0),
        ("story_critic", "ollama/y", 1, 0),
    ]
    assert len({key.prompt_hash for key in keys}) == 2
    assert {call.tool for call in client.calls} == {"answer"}


async def test_what_may_pass_is_tried_again_and_what_may_not_is_told() -> None:
    client = ScriptedClient(DOWN, Completion("{}", None))
    assert (await ask(scribe_of(client))).text == "{}"
    assert [call.key.attempt for call in client.calls] == [0, 1]

    refused = ScriptedClient(CallError("refused", "the model refused to answer"))
    with pytest.raises(ScribeError, match="refused to answer") as caught:
        await ask(scribe_of(refused))
    assert (caught.value.kind, len(refused.calls)) == ("refused", 1)


async def test_a_rung_that_an_endpoint_refuses_is_stepped_down_from() -> None:
    no_form = CallError("unreachable", "no such form", form_refused=True)
    client = ScriptedClient(no_form, Completion("{}", None))
    await ask(scribe_of(client))
    assert [call.form for call in client.calls] == ["json_schema", "function_calling"]


async def test_a_call_is_booked_at_its_price() -> None:
    """10 tokens in at 1,000,000 picodollars each, 5 out at 2,000,000: 20,000,000."""
    client = ScriptedClient(Completion("{}", Usage(10, 0, 5)))
    assert (await ask(scribe_of(client, priced()))).picodollars == 20_000_000


async def test_a_day_without_money_left_asks_nobody() -> None:
    client = ScriptedClient(Completion("{}", Usage(10, 0, 5)))
    with pytest.raises(ScribeError) as caught:
        await ask(scribe_of(client, priced(), STORY_DAY_USD="0.001"))
    assert (caught.value.kind, client.calls) == ("budget", [])
    assert (await ask(scribe_of(client, STORY_DAY_USD="0"))).text == "{}", "without a price nothing can be counted"


async def test_an_endpoint_without_its_key_is_told() -> None:
    scribe = open_scribe(given(STORY_MODEL="openai/x"), lambda: SHIPPED, Endpoints({}), MemoryStoryStore())
    with pytest.raises(ScribeError, match="OPENAI_API_KEY"):
        await ask(scribe)


async def test_a_defect_of_a_client_is_no_more_than_a_model_that_failed() -> None:
    class Broken(ScriptedClient):
        async def complete(self, call: Call) -> Completion:
            raise ZeroDivisionError

    with pytest.raises(ScribeError, match="ZeroDivisionError"):
        await ask(scribe_of(Broken(DOWN)))


async def test_a_purse_gives_back_what_was_not_spent_and_begins_anew_each_day() -> None:
    days = [NOW, NOW, NOW, NOW.replace(day=22)]
    purse = DayPurse(100, MemoryStoryStore(), lambda: days.pop(0))
    held = await purse.reserve(80)
    assert held == Reserved("2026-11-21", 80)
    assert "0.00000000002 of 0.0000000001 USD are left" in str((await purse.reserve(30)).refused)
    await purse.settle(held, 10)
    assert (await purse.reserve(90)).refused is None
    assert (await purse.reserve(100)).refused is None


async def test_what_is_given_back_after_midnight_goes_to_the_day_that_it_came_from() -> None:
    days, store = [NOW, NOW.replace(day=22)], MemoryStoryStore()
    purse = DayPurse(100, store, lambda: days.pop(0))
    held = await purse.reserve(80)
    await purse.reserve(50)
    await purse.settle(held, 5)
    assert [(await store.book(day, 0)).total for day in ("2026-11-21", "2026-11-22")] == [5, 50]


async def test_a_purse_whose_database_is_away_pays_nothing_and_keeps_what_was_written() -> None:
    class Away:
        async def book(self, day: str, picodollars: int, limit: int | None = None) -> Booked:
            raise StoreUnavailableError("it is down")

    purse = DayPurse(100, Away(), lambda: NOW)
    refused = await purse.reserve(1)
    assert refused.refused == "what writing cost today could not be read (StoreUnavailableError)"
    await purse.settle(Reserved("2026-11-21", 80), 10)
    assert (await purse.reserve(0)).refused is None, "what has no price is held to no budget"


def test_the_probe_is_the_same_every_time_and_says_who_is_asked() -> None:
    tasks: Sequence[ScribeTask] = [probe_task("story_writer"), probe_task("story_critic")]
    assert [task.prompt for task in tasks] == ["writer/1", "critic/1"]
    assert probe_task("story_writer") == tasks[0]

"""Endpoints: opened once and kept, their keys, and the forms of structured output that they understand."""

import asyncio
import dataclasses
import subprocess
import sys
from typing import Any

import pytest

from agents.models.endpoints import Endpoints
from agents.models.gate import GateStatus
from policies.models import Endpoint
from tests.unit.agents.models.fake_models import (
    VOTE,
    Answer,
    Desk,
    form_refused,
    outcome,
    question,
)
from tests.unit.agents.models.virtual_time import in_virtual_time


def test_a_form_that_an_endpoint_does_not_know_is_found_out_once() -> None:
    """The ladder of structured output: two calls more than the policy's retries, and only the first time."""
    desk = Desk([Answer(form_refused()), Answer(form_refused()), VOTE])
    first, second = desk.ask(question(structured="auto", retries=0), question(structured="auto", retries=0))
    assert [call.form for call in desk.client.calls] == ["json_schema", "function_calling", "prompt", "prompt"]
    assert [outcome(first), outcome(second)] == [(None, "", 3), (None, "", 1)]
    assert first.parameters["form"] == second.parameters["form"] == "prompt"
    assert [each.failed for each in first.attempts] == ["unreachable", "unreachable", None]
    assert [call.key.attempt for call in desk.client.calls] == [0, 1, 2, 0]
    assert desk.client.at_s[:3] == pytest.approx([0.0, 0.1, 0.2])


def test_a_model_that_does_not_know_a_form_says_nothing_about_its_neighbour() -> None:
    desk = Desk([Answer(form_refused()), VOTE])
    other = question(structured="auto")
    other = other._replace(use=dataclasses.replace(other.use, model="m-2"))
    desk.ask(question(structured="auto"), other)
    assert [(call.model, call.form) for call in desk.client.calls] == [
        ("m-1", "json_schema"),
        ("m-1", "function_calling"),
        ("m-2", "json_schema"),
    ]


def test_a_form_that_the_policy_names_is_kept() -> None:
    desk = Desk([Answer(form_refused())])
    (reply,) = desk.ask(question(structured="json_schema", retries=3))
    assert outcome(reply) == ("unreachable", "HTTP 400: no such form", 1)
    assert [call.form for call in desk.client.calls] == ["json_schema"]


def test_a_key_that_is_not_set_is_named_and_no_call_is_made() -> None:
    desk = Desk([VOTE])
    (reply,) = desk.ask(question(key="LAB_KEY"))
    because = "environment variable 'LAB_KEY' is not set: put the key of endpoint 'lab' into it"
    assert (outcome(reply), desk.client.calls) == (("unreachable", because, 0), [])
    (reply,) = Desk([VOTE], environ={"LAB_KEY": "k"}).ask(question(key="LAB_KEY"))
    assert reply.failed is None


def test_an_endpoint_is_opened_once_however_many_ask_and_whatever_it_is_called() -> None:
    opened: list[tuple[str, str | None]] = []
    desk = Desk([VOTE], environ={"LAB_KEY": "k-1"})

    async def asked() -> None:
        def opener(endpoint: Endpoint, key: str | None) -> Any:
            opened.append((endpoint.name, key))
            return desk.client

        judge = desk.judge(opener)
        one = question(key="LAB_KEY")
        renamed = dataclasses.replace(one.use, endpoint=dataclasses.replace(one.use.endpoint, name="renamed"))
        await asyncio.gather(*[judge.ask(one) for _ in range(5)])
        await judge.ask(one._replace(use=renamed))
        await judge.ask(question())
        endpoints = judge._endpoints
        assert [status.endpoint for status in endpoints.statuses()] == ["lab", "lab"]
        await endpoints.close()
        await endpoints.close()
        assert endpoints.statuses() == ()

    in_virtual_time(asked())
    assert opened == [("lab", "k-1"), ("lab", None)]
    assert desk.client.closed == 2


def test_a_process_that_asks_no_model_does_not_wait_for_the_library() -> None:
    """langchain-openai takes seconds to import."""
    code = "import sys, agents.models.judge; sys.exit('langchain_openai' in sys.modules or 'openai' in sys.modules)"
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


async def test_warming_opens_real_clients_and_leaves_a_missing_key_to_the_first_question() -> None:
    endpoints = Endpoints({})
    await endpoints.warm([question().use, question(key="NO_SUCH_KEY").use])
    try:
        assert endpoints.statuses() == (GateStatus("lab", "closed", 0.0, 0, 0),)
    finally:
        await endpoints.close()


async def test_members_who_come_first_together_share_one_client() -> None:
    """The client is built in a thread, and others ask meanwhile: two gates would be two limits."""
    endpoints = Endpoints({})
    try:
        first, *others = await asyncio.gather(*[endpoints.opened(question().use.endpoint) for _ in range(5)])
        assert all(other is first for other in others)
    finally:
        await endpoints.close()

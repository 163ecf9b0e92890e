"""The model judge: one reply to every question, whatever the endpoint does (reliability.md, L1 to L17, I10)."""

import asyncio
import json
import logging
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.asking import Attempt, Reply, Slot, Usage
from agents.models.calls import CallError
from agents.models.pricing import most_cost
from agents.prompting import write_prompt
from policies.canonical import canonical_json, sha256_hex
from policies.models import Structured
from tests.unit.agents.models.fake_models import (
    LENGTH,
    PRICE,
    VOTE,
    Answer,
    Desk,
    FakePurse,
    cut_short,
    down,
    outcome,
    question,
)
from tests.unit.agents.models.virtual_time import in_virtual_time
from tests.unit.agents.questions import raw_reply

REFUSED = CallError("refused", "the model refused to answer", raw="no", usage=Usage(10, 0, 2))
DENIED = CallError("unreachable", "HTTP 401", is_endpoint_fault=True)
LIMITED_S = 6.0


def test_a_vote_comes_back_whole() -> None:
    desk, asked = Desk([VOTE]), question()
    (reply,) = desk.ask(asked)
    prompt = write_prompt(asked, form="json_schema")
    assert reply == Reply(
        slot=Slot("lore", 1),
        prompt=prompt.name,
        prompt_hash=prompt.static_hash,
        model="lab/m-1",
        parameters={"temperature": 0.0, "max_output_tokens": 800, "form": "json_schema"},
        request_hash=sha256_hex(canonical_json(prompt.messages)),
        attempts=(Attempt(raw_reply(), None, "", 100),),
        failed=None,
        because="",
        usage=Usage(1_000, 600, 50),
        picodollars=400 * 400_000 + 600 * 100_000 + 50 * 1_600_000,
        is_priced=True,
        latency_ms=100,
    )
    assert desk.observer.seen == ["lore/1/full", reply]
    assert desk.purse.reserved == [most_cost(PRICE, LENGTH, 800)]
    assert desk.purse.settled == [(most_cost(PRICE, LENGTH, 800), reply.picodollars)]


def test_a_call_is_known_by_what_was_asked() -> None:
    """The key of its recording: member, prompt, model, parameters, request, repeat and attempt."""
    desk, asked = Desk([Answer(down()), VOTE]), question()._replace(repeat=3, slot=Slot("lore", 2, "twin"))
    (reply,) = desk.ask(asked)
    first, second = [call.key for call in desk.client.calls]
    assert first == (
        "lore",
        reply.prompt_hash,
        "lab/m-1",
        '{"form":"json_schema","max_output_tokens":800,"temperature":0}',
        reply.request_hash,
        2,
        "twin",
        3,
        0,
    )
    assert second == first._replace(attempt=1)
    call = desk.client.calls[0]
    assert (call.model, call.temperature, call.max_output_tokens, call.form) == ("m-1", 0.0, 800, "json_schema")


@pytest.mark.parametrize("timeout_ms", [400, 6_000])
def test_the_wall_clock_ends_a_call_that_never_does(timeout_ms: int) -> None:
    """L1, L2: to the moment; the money is counted as if all had been said."""
    desk = Desk([Answer(raw_reply(), after_s=1_000.0)])
    (reply,) = desk.ask(question(timeout_ms=timeout_ms, retries=3))
    because = f"no answer within {timeout_ms} ms"
    assert (outcome(reply), desk.took_s, reply.latency_ms) == (("timeout", because, 1), timeout_ms / 1000, timeout_ms)
    assert reply.attempts == (Attempt(None, "timeout", because, timeout_ms),)
    assert reply.usage == Usage(-(-LENGTH // 4), 0, 800, is_estimated=True)
    assert desk.purse.settled == [(desk.purse.reserved[0], reply.picodollars)]
    assert reply.picodollars > 0


def test_retries_and_waits_are_inside_the_same_clock() -> None:
    """L1: two slow faults and a hanging call take no longer than one hanging call."""
    desk = Desk([Answer(down(), after_s=2.0), Answer(down(), after_s=2.0), Answer("", after_s=100.0)])
    (reply,) = desk.ask(question(retries=3))
    assert (outcome(reply)[0], outcome(reply)[2], desk.took_s) == ("timeout", 3, LIMITED_S)


@pytest.mark.parametrize(
    ("error", "calls"),
    [
        pytest.param(down(), 3, id="L6"),
        pytest.param(CallError("unparsed", "HTML", is_retryable=True, is_endpoint_fault=True), 3, id="L9"),
        pytest.param(CallError("unreachable", "quota", is_endpoint_fault=True, retry_after_s=1.0), 1, id="L5"),
        pytest.param(DENIED, 1, id="L7"),
        pytest.param(REFUSED, 1, id="L12"),
        pytest.param(CallError("off_schema", "a tool that nobody offered"), 1, id="L17"),
        pytest.param(cut_short(), 2, id="L11: once more"),
    ],
)
def test_only_what_may_pass_is_tried_again(error: CallError, calls: int) -> None:
    desk = Desk([Answer(error)])
    (reply,) = desk.ask(question(retries=2))
    assert outcome(reply) == (error.kind, error.because, calls)
    assert len(desk.client.calls) == calls


def test_a_retry_waits_longer_each_time_and_never_as_long_as_the_last_member() -> None:
    """L6: 0.2 s doubled, and up to 0.2 s of jitter."""
    waits: list[list[float]] = []
    for _ in range(20):
        desk = Desk([Answer(down(), after_s=0.0)])
        desk.ask(question(retries=3))
        at_s = desk.client.at_s
        waits.append([later - earlier for earlier, later in pairwise(at_s)])
    for number, shortest in enumerate([0.2, 0.4, 0.8]):
        drawn = [each[number] for each in waits]
        assert all(shortest <= wait_s <= shortest + 0.2 + 1e-6 for wait_s in drawn)
        assert len(set(drawn)) == len(drawn)


def test_a_retry_is_never_earlier_than_the_endpoint_asked_for() -> None:
    """L3."""
    desk = Desk([Answer(down(2.0)), VOTE])
    (reply,) = desk.ask(question())
    assert reply.failed is None
    assert 2.1 <= desk.client.at_s[1] <= 2.3 + 1e-6
    assert reply.retry_after_s is None


@pytest.mark.parametrize("told_s", [5.95, 3600.0])
def test_a_retry_that_does_not_fit_is_not_made_and_nobody_waits_for_it(told_s: float) -> None:
    """L3, L4."""
    desk = Desk([Answer(down(told_s))])
    first, second = desk.ask(question(retries=3), question())
    assert (outcome(first), first.latency_ms) == (("unreachable", "HTTP 503", 1), 100)
    assert first.retry_after_s == -int(-told_s // 1)
    if told_s > LIMITED_S:
        assert (second.failed, second.attempts, second.latency_ms, second.retry_after_s) == ("unreachable", (), 0, 3600)
        assert second.because == "endpoint 'lab' asked to be left alone for 3600.0 s more"
        assert (second.picodollars, second.usage, desk.purse.settled[1][1]) == (0, Usage(), 0)


@pytest.mark.parametrize(
    ("raw", "kind"),
    [("approve!", "unparsed"), (raw_reply(verdict="allow"), "off_schema"), (raw_reply() * 2, "unparsed")],
)
def test_a_reply_without_a_vote_is_asked_for_once_more_and_not_fed_back(raw: str, kind: str) -> None:
    """L14: one repair, at once, and the same words to the model, whatever the policy's retries."""
    desk = Desk([Answer(raw)])
    (reply,) = desk.ask(question(retries=3))
    assert (reply.failed, [each.raw for each in reply.attempts]) == (kind, [raw, raw])
    assert desk.client.calls[0].messages == desk.client.calls[1].messages
    assert desk.client.at_s == [0.0, 0.1]
    assert (reply.usage, reply.picodollars) == (
        Usage(2_000, 1_200, 100),
        2 * (400 * 400_000 + 600 * 100_000 + 80_000_000),
    )
    (mended,) = Desk([Answer(raw), VOTE]).ask(question())
    assert outcome(mended) == (None, "", 2)
    (once,) = Desk([Answer(raw)]).ask(question(retries=0))
    assert len(once.attempts) == 1


def test_after_a_reply_that_was_cut_off_a_shorter_one_is_asked_for() -> None:
    """L11."""
    desk, asked = Desk([Answer(cut_short()), VOTE]), question()
    (reply,) = desk.ask(asked)
    assert [call.messages for call in desk.client.calls] == [
        write_prompt(asked, form="json_schema").messages,
        write_prompt(asked, form="json_schema", is_short=True).messages,
    ]
    assert reply.attempts[0] == Attempt('{"findings": [', "unparsed", "cut off", 100)
    assert reply.request_hash == sha256_hex(canonical_json(desk.client.calls[1].messages))
    assert reply.usage == Usage(1_900, 600, 850)


def test_a_member_that_finds_no_place_in_time_made_no_call() -> None:
    desk = Desk([Answer(raw_reply(), after_s=1.0)])

    async def asked() -> list[Reply]:
        judge = desk.judge()
        return await asyncio.gather(*[judge.ask(question(concurrency=1, timeout_ms=1_500)) for _ in range(3)])

    first, second, third = in_virtual_time(asked())
    assert outcome(first) == (None, "", 1)
    assert outcome(second) == ("timeout", "no answer within 1500 ms", 1)
    assert outcome(third) == ("timeout", "no call could be made within 1500 ms", 0)
    assert len(desk.client.calls) == 2


def test_members_who_fail_together_are_all_tried_again() -> None:
    """L6: one hiccup under a whole council, five faults at the same moment, costs nobody's vote."""
    desk = Desk([Answer(down())] * 5 + [VOTE])

    async def asked() -> list[Reply]:
        judge = desk.judge()
        return await asyncio.gather(*[judge.ask(question(concurrency=16)) for _ in range(5)])

    assert [outcome(reply) for reply in in_virtual_time(asked())] == [(None, "", 2)] * 5


def test_an_endpoint_that_is_dead_is_left_alone_and_probed_once() -> None:
    """L20: five straight faults, then no call until the probe."""
    desk = Desk([Answer(down(), after_s=0.0)])
    replies = desk.ask(*[question(retries=0, timeout_ms=900)] * 8)
    assert [len(reply.attempts) for reply in replies] == [1] * 5 + [0] * 3
    assert replies[-1].because == "endpoint 'lab' keeps failing and is left alone for 1.0 s more"
    assert replies[-1].retry_after_s == 1
    assert [seen for seen in desk.observer.seen if isinstance(seen, tuple) and seen[0] == "lab"] == [("lab", "open")]


@pytest.mark.parametrize("defect", [ValueError("a player's words"), KeyError("x"), RecursionError(), AssertionError()])
def test_a_defect_of_the_client_is_a_failed_member(defect: Exception) -> None:
    desk = Desk([Answer(defect)])
    (reply,) = desk.ask(question())
    assert outcome(reply) == ("unparsed", f"the reply could not be read ({type(defect).__name__})", 1)
    assert desk.purse.settled == [(desk.purse.reserved[0], reply.picodollars)]


def test_a_defect_of_our_own_is_a_failed_member_too(caplog: pytest.LogCaptureFixture) -> None:
    nothing: Any = None
    broken = question()._replace(case=nothing)
    (reply,) = Desk([VOTE]).ask(broken)
    assert (reply.failed, reply.attempts) == ("unreachable", ())
    assert reply.because.startswith("AttributeError at ")
    assert [record.levelname for record in caplog.records] == ["ERROR"]


@pytest.mark.parametrize(
    ("answer", "level"),
    [
        pytest.param(DENIED, "ERROR", id="L7: a key"),
        pytest.param(CallError("unreachable", "quota", is_endpoint_fault=True), "ERROR", id="L5: a quota"),
        pytest.param(CallError("unreachable", "HTTP 404"), "ERROR", id="L7: a model's name"),
        pytest.param(down(), "WARNING", id="L6"),
        pytest.param(REFUSED, "WARNING", id="L12"),
        pytest.param(down(3600.0), "WARNING", id="L4"),
    ],
)
def test_a_failure_is_one_line_of_ids_and_an_error_where_a_person_must_act(
    answer: CallError, level: str, caplog: pytest.LogCaptureFixture
) -> None:
    (reply,) = Desk([Answer(answer)]).ask(question(retries=0))
    (record,) = caplog.records
    own = {name: value for name, value in vars(record).items() if name not in vars(logging.makeLogRecord({}))}
    own.pop("message", None)
    assert (record.levelname, record.getMessage(), record.name) == (level, "model_failed", "agents.models.judge")
    assert own == {
        "decision_id": "d-1",
        "member": "lore",
        "endpoint": "lab",
        "model": "m-1",
        "kind": reply.failed,
        "attempt": 1,
        "latency_ms": 100,
    }


def test_a_gate_that_is_closed_wakes_nobody_at_night(caplog: pytest.LogCaptureFixture) -> None:
    Desk([Answer(down(3600.0))]).ask(question(), question())
    assert [record.levelname for record in caplog.records] == ["WARNING", "WARNING"]


def test_a_vote_is_no_news(caplog: pytest.LogCaptureFixture) -> None:
    Desk([VOTE]).ask(question())
    assert caplog.records == []


ANSWERS = st.builds(
    Answer,
    what=st.one_of(
        st.just(raw_reply()),
        st.text(max_size=20),
        st.sampled_from([raw_reply(verdict="allow"), "null", "[" * 20_000, '{"a": 1e999}', "\ud800"]),
        st.sampled_from([ValueError("x"), KeyError(), RecursionError(), TimeoutError(), OSError(), StopAsyncIteration()]),
        st.builds(
            CallError,
            st.sampled_from(["timeout", "unreachable", "unparsed", "off_schema", "refused"]),
            st.just("failed"),
            is_retryable=st.booleans(),
            is_endpoint_fault=st.booleans(),
            retry_after_s=st.none() | st.floats(0, 5000),
            raw=st.none() | st.text(max_size=10),
            form_refused=st.booleans(),
            usage=st.none() | st.just(Usage(5, 1, 2)),
            is_truncated=st.booleans(),
        ),
    ),
    after_s=st.sampled_from([0.0, 0.1, 2.0, 100.0]),
    usage=st.none() | st.just(Usage(10, 5, 3)),
)  # fmt: skip


@settings(max_examples=150)
@given(
    script=st.lists(ANSWERS, min_size=1, max_size=12),
    retries=st.integers(0, 3),
    structured=st.sampled_from(["auto", "json_schema", "prompt"]),
    refuses_from=st.integers(0, 8),
)
def test_whatever_an_endpoint_does_every_question_gets_one_reply_in_time(
    script: list[Answer], retries: int, structured: Structured, refuses_from: int
) -> None:
    """L1 to L18, I10: three questions in a row against anything at all."""
    desk = Desk(script, FakePurse(refuses_from=refuses_from))
    asked = question(retries=retries, structured=structured)
    replies = desk.ask(asked, asked, asked)
    finding_out = 2 if structured == "auto" else 0
    assert desk.took_s <= 3 * LIMITED_S + 1e-6
    for reply in replies:
        assert reply.latency_ms <= 6_000
        assert len(reply.attempts) <= 1 + retries + finding_out
        votes = [each.failed is None for each in reply.attempts]
        assert (reply.failed is None) == (votes[-1:] == [True])
        assert not any(votes[:-1])
        assert json.loads(json.dumps(reply.parameters)) == reply.parameters
    assert len(desk.client.calls) == sum(len(reply.attempts) for reply in replies)
    assert len(desk.client.calls) <= 3 * (1 + retries) + finding_out
    assert [reserved for reserved, _ in desk.purse.settled] == desk.purse.reserved
    assert sum(spent for _, spent in desk.purse.settled) == sum(reply.picodollars for reply in replies)

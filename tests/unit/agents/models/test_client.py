"""The model client over real sockets: what it sends, what it reads, how it treats connections, and that it stays a ChatOpenAI."""

import asyncio
import gc
import time
from collections.abc import Awaitable
from pathlib import Path
from typing import Any, get_args

import httpx2
import openai
import orjson
import pytest
from langchain_core.caches import InMemoryCache
from langchain_core.callbacks import AsyncCallbackHandler
from langchain_core.exceptions import ModelRateLimitError, ModelTimeoutError
from langchain_core.globals import set_llm_cache
from langchain_core.runnables import RunnableLambda
from langchain_openai import ChatOpenAI
from langgraph.graph import END, START, StateGraph
from pydantic import BaseModel

from agents.asking import MAX_RAW, Usage
from agents.models.calls import CallError, CallKey, Completion, Form, current_call, current_headers
from agents.models.client import Client, open_client
from agents.models.transport import MAX_BODY
from policies.models import Endpoint
from tests.unit.agents.models.wire_server import Say, WireServer, a_call, answer, completion, fault, serving

REPLY = '{"verdict":"approve"}'
USAGE = Usage(120, 100, 30)
OK = answer(completion())
SCHEMA = {"type": "object", "properties": {"verdict": {"type": "string"}}}
MESSAGES = [{"role": "system", "content": "You judge."}, {"role": "user", "content": "A case."}]


class AVerdict(BaseModel):
    """Say a verdict."""

    verdict: str


async def drip(writer: asyncio.StreamWriter) -> None:
    """One byte at a time, for ever (L2)."""
    writer.write(b"HTTP/1.1 200 OK\r\ncontent-length: 60000\r\n\r\n")
    for _ in range(60_000):
        writer.write(b" ")
        await writer.drain()
        await asyncio.sleep(0.01)


async def drip_head(writer: asyncio.StreamWriter) -> None:
    """The same, before the reply has even begun."""
    writer.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(60_000):
        writer.write(b"x-%d: 1\r\n" % number)
        await writer.drain()
        await asyncio.sleep(0.02)


async def hang(_: asyncio.StreamWriter) -> None:
    """No answer at all (L1)."""
    await asyncio.Event().wait()


async def completed(server: WireServer, form: Form = "json_schema", **changes: Any) -> Completion:
    client = open_client(server.endpoint(), key=None)
    try:
        return await client.complete(a_call(form, **changes))
    finally:
        await client.close()


FORMS: dict[Form, dict[str, Any]] = {
    "json_schema": {
        "response_format": {"type": "json_schema", "json_schema": {"name": "vote", "strict": True, "schema": SCHEMA}}
    },
    "function_calling": {
        "tools": [{"type": "function", "function": {"name": "vote", "strict": True, "parameters": SCHEMA}}],
        "tool_choice": {"type": "function", "function": {"name": "vote"}},
    },
    "prompt": {},
}


@pytest.mark.parametrize("form", get_args(Form))
async def test_a_call_sends_the_messages_and_its_form_and_nothing_else(form: Form) -> None:
    async with serving(OK) as server:
        result = await completed(server, form)
    assert result == Completion(REPLY, USAGE)
    [received] = server.received
    assert received.path == "/v1/chat/completions"
    assert received.body == {
        "model": "m",
        "messages": MESSAGES,
        "max_tokens": 800,
        "temperature": 0.0,
        "stream": False,
        **FORMS[form],
    }


async def test_no_temperature_leaves_it_to_the_endpoint() -> None:
    async with serving(OK) as server:
        await completed(server, "prompt", temperature=None)
    assert "temperature" not in server.received[0].body


async def test_the_arguments_of_the_offered_tool_are_the_text() -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "vote", "arguments": REPLY}}]
    reply = answer(completion(None, finish="tool_calls", message={"tool_calls": calls}))
    async with serving(reply) as server:
        assert await completed(server, "function_calling") == Completion(REPLY, USAGE)


async def test_half_the_arguments_stay_half() -> None:
    """Nothing is repaired on the way to the parser (L11)."""
    calls = [{"id": "1", "type": "function", "function": {"name": "vote", "arguments": REPLY[:12]}}]
    reply = answer(completion(None, finish="tool_calls", message={"tool_calls": calls}))
    async with serving(reply) as server:
        assert await completed(server, "function_calling") == Completion(REPLY[:12], USAGE)


async def test_a_server_that_ignores_the_tool_may_still_answer_in_words() -> None:
    async with serving(OK) as server:
        assert await completed(server, "function_calling") == Completion(REPLY, USAGE)


class Sent(httpx2.AsyncBaseTransport):
    """Keeps what would go to the network, and what is known about it there."""

    def __init__(self, _: httpx2.AsyncBaseTransport) -> None:
        self.bodies: list[Any] = []
        self.keys: list[CallKey | None] = []

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        self.bodies.append(orjson.loads(request.content))
        self.keys.append(current_call.get())
        return httpx2.Response(200, content=completion(), request=request)


@pytest.mark.parametrize(
    ("base_url", "limit"),
    [
        ("https://api.openai.com/v1", "max_completion_tokens"),
        ("https://eu.api.openai.com/v1", "max_completion_tokens"),
        ("https://mine.openai.azure.com/openai/v1", "max_completion_tokens"),
        ("http://127.0.0.1:11434/v1", "max_tokens"),
        ("https://notopenai.com/v1", "max_tokens"),
    ],
)
async def test_each_server_is_given_its_limit_by_the_name_it_heeds(base_url: str, limit: str) -> None:
    sent: list[Sent] = []

    def around(inner: httpx2.AsyncBaseTransport) -> Sent:
        sent.append(Sent(inner))
        return sent[0]

    client = open_client(Endpoint("e", base_url, None, "auto", 4), key=None, around=around)
    call = a_call()
    await client.complete(call)
    await client.close()
    assert {name for name in sent[0].bodies[0] if name.startswith("max")} == {limit}
    assert sent[0].keys == [call.key]
    assert current_call.get() is None


@pytest.mark.parametrize(
    ("usage", "expected"),
    [
        ({"prompt_tokens": 9, "completion_tokens": 2}, Usage(9, 0, 2)),
        ({"prompt_tokens": 9, "completion_tokens": 0, "prompt_tokens_details": None}, Usage(9, 0, 0)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": 10}}, Usage(9, 0, 2)),
        ({"prompt_tokens": 9, "completion_tokens": 2, "prompt_tokens_details": {"cached_tokens": "8"}}, Usage(9, 0, 2)),
        (None, None),
        ({}, None),
        ([], None),
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        ({"prompt_tokens": -9, "completion_tokens": 2}, None),
        ({"prompt_tokens": 9.5, "completion_tokens": 2}, None),
        ({"prompt_tokens": True, "completion_tokens": 2}, None),
        ({"prompt_tokens": 10**12, "completion_tokens": 2}, None),
    ],
)
async def test_usage_is_counted_or_missing_but_never_nonsense(usage: object, expected: Usage | None) -> None:
    """L18."""
    async with serving(answer(completion(usage=usage))) as server:
        assert await completed(server) == Completion(REPLY, expected)


async def test_only_our_headers_are_sent_whatever_the_environment_says(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """An endpoint without a key never sees the key of another; no proxy comes between."""
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login someone password secret\n")
    netrc.chmod(0o600)
    for name, value in {
        "OPENAI_API_KEY": "sk-of-another-endpoint",
        "OPENAI_ADMIN_KEY": "sk-admin",
        "OPENAI_ORG_ID": "org",
        "OPENAI_PROJECT_ID": "project",
        "OPENAI_CUSTOM_HEADERS": "X-Custom: 1",
        "OPENAI_BASE_URL": "http://127.0.0.1:1/",
        "OPENAI_API_BASE": "http://127.0.0.1:1/",
        "OPENAI_PROXY": "http://127.0.0.1:1/",
        "HTTP_PROXY": "http://127.0.0.1:1/",
        "ALL_PROXY": "http://127.0.0.1:1/",
        "NETRC": str(netrc),
    }.items():
        monkeypatch.setenv(name, value)
    async with serving(OK) as server:
        client = open_client(server.endpoint(), key=None)
        token = current_headers.set({"traceparent": "00-1-2-01"})
        await client.complete(a_call())
        await client.chat.with_structured_output(AVerdict).ainvoke("A case.")
        current_headers.reset(token)
        await client.close()
    ours, of_the_sdk = [dict(received.headers) for received in server.received]
    assert int(ours.pop("content-length")) > 0
    assert ours == {
        "host": f"127.0.0.1:{server.port}",
        "accept": "application/json",
        "accept-encoding": "identity",
        "content-type": "application/json",
        "user-agent": "world-council",
        "connection": "keep-alive",
        "traceparent": "00-1-2-01",
    }
    assert {name for name in of_the_sdk if not name.startswith("x-stainless")} == {*ours, "content-length"}


async def test_no_connection_is_opened_after_the_first_round() -> None:
    errors = [fault("429 x"), fault("500 x"), fault("400 x")]
    async with serving(*[OK] * 5, *errors, OK) as server:
        client = open_client(server.endpoint(concurrency=5), key=None)
        for _ in range(6):
            await asyncio.gather(*[client.complete(a_call()) for _ in range(5)], return_exceptions=True)
        assert len(server.received) == 30
        assert server.opened <= 5
        await client.close()


async def test_no_more_connections_are_opened_than_the_endpoint_has_places() -> None:
    async with serving(OK) as server:
        client = open_client(server.endpoint(concurrency=2), key=None)
        await asyncio.gather(*[client.complete(a_call()) for _ in range(12)])
        assert server.opened <= 2
        await client.close()


@pytest.mark.parametrize("slowly", [drip, drip_head, hang])
async def test_a_cancelled_call_leaves_no_socket_open(slowly: Say) -> None:
    """L1 and L2: the wall clock is the caller's, and it holds while bytes arrive."""
    async with serving(slowly) as server:
        client = open_client(server.endpoint(), key=None)
        started = time.monotonic()
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.3):
                await client.complete(a_call())
        assert time.monotonic() - started < 1
        async with asyncio.timeout(2):
            await server.all_closed.wait()
        assert server.open == 0
        await client.close()


async def test_a_client_works_on_after_a_cancelled_call() -> None:
    async with serving(drip, OK) as server:
        client = open_client(server.endpoint(concurrency=1), key=None)
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await client.complete(a_call())
        assert await client.complete(a_call()) == Completion(REPLY, USAGE)
        await client.close()


async def test_an_endless_reply_is_left_unread_and_its_connection_closed() -> None:
    """L16: what the client takes in is the cap and some buffers, not what is sent."""
    written = 0

    async def endless(writer: asyncio.StreamWriter) -> None:
        nonlocal written
        writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n\r\n")
        while True:
            writer.write(b" " * 65_536)
            await writer.drain()
            written += 65_536

    async with serving(endless) as server:
        client = open_client(server.endpoint(), key=None)
        with pytest.raises(CallError, match="larger than may be read"):
            await client.complete(a_call())
        async with asyncio.timeout(2):
            await server.all_closed.wait()
        await client.close()
    assert written < MAX_BODY + 8_000_000  # the sockets' own buffers


async def test_a_text_of_the_longest_length_is_read_however_it_is_escaped() -> None:
    text = "ế" * (MAX_RAW // 3)
    body = completion(text).decode().replace("ế", "\\u1ebf").encode()
    async with serving(answer(body)) as server:
        assert (await completed(server)).text == text


async def test_a_closed_client_fails_like_any_other() -> None:
    async with serving(OK) as server:
        client = open_client(server.endpoint(), key=None)
        await client.complete(a_call())
        await client.close()
        with pytest.raises(CallError):
            await client.complete(a_call())
    assert server.open == 0


def test_opening_a_client_needs_no_event_loop_and_closing_it_unused_is_fine() -> None:
    client = open_client(Endpoint("e", "https://api.openai.com/v1", "KEY", "auto", 4), key="k")
    asyncio.run(client.close())
    gc.collect()


class Listener(AsyncCallbackHandler):
    """What LangChain tells those who listen."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []

    async def on_chat_model_start(self, serialized: Any, messages: Any, **kwargs: Any) -> None:
        self.heard.append(("start", kwargs["invocation_params"]["model"]))

    async def on_llm_end(self, response: Any, **kwargs: Any) -> None:
        self.heard.append(("end", response.generations[0][0].text))

    async def on_llm_error(self, error: BaseException, **kwargs: Any) -> None:
        self.heard.append(("error", type(error).__name__))


async def listening_by_config(client: Client, listener: Listener) -> Completion:
    async def ask(_: object) -> Completion:
        return await client.complete(a_call())

    return await RunnableLambda(ask).ainvoke(None, config={"callbacks": [listener]})


async def listening_by_graph(client: Client, listener: Listener) -> Completion:
    async def node(state: dict[str, Any]) -> dict[str, Any]:
        return {"result": await client.complete(a_call())}

    graph: Any = StateGraph(dict)
    graph.add_node("node", node)
    graph.add_edge(START, "node")
    graph.add_edge("node", END)
    state = await graph.compile().ainvoke({}, config={"callbacks": [listener]})
    result: Completion = state["result"]
    return result


async def listening_by_client(client: Client, listener: Listener) -> Completion:
    client.chat.callbacks = [listener]
    return await client.complete(a_call())


@pytest.mark.parametrize("way", [listening_by_config, listening_by_graph, listening_by_client])
async def test_callbacks_hear_of_a_call_however_they_were_hung_in(way: Any) -> None:
    listener = Listener()
    async with serving(OK, fault("429 x")) as server:
        client = open_client(server.endpoint(), key=None)
        result: Awaitable[Completion] = way(client, listener)
        assert await result == Completion(REPLY, USAGE)
        with pytest.raises(CallError):
            await way(client, listener)
        await client.close()
    assert listener.heard == [("start", "m"), ("end", REPLY), ("start", "m"), ("error", "OpenAIRateLimitError")]


async def test_a_cache_of_langchain_is_asked() -> None:
    set_llm_cache(InMemoryCache())
    try:
        async with serving(OK) as server:
            client = open_client(server.endpoint(), key=None)
            first, second = await client.complete(a_call()), await client.complete(a_call())
            await client.close()
    finally:
        set_llm_cache(None)
    assert (first.text, second.text, len(server.received)) == (REPLY, REPLY, 1)


async def test_it_is_a_chat_openai_to_whoever_invokes_it() -> None:
    async with serving(OK) as server:
        client = open_client(server.endpoint(), key=None)
        message = await client.chat.ainvoke([("system", "You judge."), ("human", "A case.")], model="m", max_tokens=9)
        [streamed] = [chunk async for chunk in client.chat.astream("A case.", model="m")]
        await client.close()
    assert isinstance(client.chat, ChatOpenAI)
    assert message.content == streamed.content == REPLY
    assert message.response_metadata == {
        "finish_reason": "stop",
        "model_name": "served-model",
        "model_provider": "openai",
        "id": "chatcmpl-1",
        "token_usage": {
            "prompt_tokens": 120,
            "completion_tokens": 30,
            "prompt_tokens_details": {"cached_tokens": 100},
        },
    }
    assert message.usage_metadata == {
        "input_tokens": 120,
        "output_tokens": 30,
        "total_tokens": 150,
        "input_token_details": {"cache_read": 100},
    }
    assert server.received[0].body == {"model": "m", "messages": MESSAGES, "max_tokens": 9, "stream": False}


async def test_structured_output_of_langchain_works_on_it() -> None:
    calls = [{"id": "1", "type": "function", "function": {"name": "AVerdict", "arguments": REPLY}}]
    called = answer(completion(None, finish="tool_calls", message={"tool_calls": calls}))
    async with serving(OK, OK, called) as server:
        client = open_client(server.endpoint(), key=None)
        chat = client.chat
        by_schema = chat.with_structured_output({"title": "vote", "description": "", **SCHEMA}, method="json_schema")
        assert await by_schema.ainvoke("A case.") == {"verdict": "approve"}
        by_class = chat.with_structured_output(AVerdict, method="json_schema")
        assert await by_class.ainvoke("A case.") == AVerdict(verdict="approve")
        by_tool = chat.with_structured_output(AVerdict, method="function_calling")
        assert await by_tool.ainvoke("A case.") == AVerdict(verdict="approve")
        await client.close()


ERRORS: list[tuple[str, type[Exception]]] = [
    ("400 x", openai.BadRequestError),
    ("401 x", openai.AuthenticationError),
    ("403 x", openai.PermissionDeniedError),
    ("404 x", openai.NotFoundError),
    ("418 x", openai.APIStatusError),
    ("429 x", ModelRateLimitError),
    ("500 x", openai.InternalServerError),
]


@pytest.mark.parametrize(("status", "kind"), ERRORS)
async def test_it_raises_what_a_chat_openai_raises(status: str, kind: type[Exception]) -> None:
    async with serving(fault(status)) as server:
        client = open_client(server.endpoint(), key=None)
        with pytest.raises(kind):
            await client.chat.ainvoke("A case.", model="m")
        await client.close()
    assert len(server.received) == 1


class Slow(httpx2.AsyncBaseTransport):
    """Gives up, as a recorder may that repeats a call nobody waited for."""

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        raise httpx2.ReadTimeout("given up", request=request)


async def test_a_timeout_below_it_is_a_timeout_above_it() -> None:
    client = open_client(Endpoint("e", "http://127.0.0.1:1/v1", None, "auto", 4), key=None, around=lambda _: Slow())
    with pytest.raises(ModelTimeoutError):
        await client.chat.ainvoke("A case.")
    with pytest.raises(CallError, match="endpoint 'e' did not answer in time"):
        await client.complete(a_call())
    await client.close()


async def test_it_is_awaited_only() -> None:
    client = open_client(Endpoint("e", "http://127.0.0.1:1/v1", None, "auto", 4), key=None)
    with pytest.raises(NotImplementedError, match="use ainvoke"):
        client.chat.invoke("A case.")
    await client.close()

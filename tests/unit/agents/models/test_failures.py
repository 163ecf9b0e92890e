"""Every row of the fault table that one call can show (reliability.md, L1 to L20), over real sockets."""

import asyncio
import gzip
import json
from dataclasses import dataclass, replace
from typing import Any

import httpx2
import openai
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from langchain_openai.chat_models.base import OpenAIRefusalError
from openai.types.chat import ChatCompletion

from agents.asking import MAX_RAW, Usage
from agents.models.calls import CallError, Completion, Form
from agents.models.client import Client, open_client
from agents.models.failures import LONGEST_WAIT_S, call_error, key_fault, retry_after_s
from agents.models.transport import MAX_BODY
from policies.models import Endpoint
from tests.unit.agents.models.wire_server import Say, a_call, answer, completion, fault, raw, serving

SPENT = Usage(120, 100, 30)
ENDPOINT = Endpoint("local", "http://127.0.0.1:1/v1", None, "auto", 4)


@dataclass(frozen=True)
class Case:
    """One fault and what it means for the member."""

    id: str
    reply: Say
    kind: str
    because: str
    is_retryable: bool = False
    is_endpoint_fault: bool = False
    retry_after_s: float | None = None
    raw: str | None = None
    form_refused: bool = False
    usage: Usage | None = None
    is_truncated: bool = False
    form: Form = "json_schema"


def message(**changes: Any) -> Say:
    return answer(completion(None, message=changes))


def passing(name: str, reply: Say, because: str, **changes: Any) -> Case:
    """A fault of the endpoint that may pass."""
    return Case(name, reply, "unreachable", because, is_retryable=True, is_endpoint_fault=True, **changes)


def garbled(name: str, body: bytes, because: str, **changes: Any) -> Case:
    """HTTP 200 with something that is no completion."""
    given = {"is_retryable": True, "is_endpoint_fault": True, "raw": body.decode(), **changes}
    return Case(name, answer(body), "unparsed", because, **given)


NO_COMPLETION = "the reply is JSON, but no completion of the OpenAI protocol"
TOOL_CALLED = "the model called a tool that nobody offered; nothing was executed"
CUT_OFF = "the reply was cut off at the most output tokens allowed"
CALLS = [{"id": "1", "type": "function", "function": {"name": "delete_world", "arguments": "{}"}}]
BROKE = "the connection to endpoint 'local' broke"
HTML = b"<html><body>Welcome to nginx</body></html>"
LONG = "x" * (MAX_RAW + 1)

CASES = [
    passing(
        "L3 429 seconds",
        fault("429 Too Many", retry_after="7"),
        "endpoint 'local' answered HTTP 429",
        retry_after_s=7.0,
    ),
    passing(
        "L3 429 milliseconds", fault("429 x", retry_after_ms="250", retry_after="9"), "HTTP 429", retry_after_s=0.25
    ),
    passing(
        "L3 429 date",
        fault("429 x", date="Mon, 02 Mar 2026 10:00:00 GMT", retry_after="Mon, 02 Mar 2026 10:00:30 GMT"),
        "HTTP 429",
        retry_after_s=30.0,
    ),
    passing("L3 429 garbage", fault("429 x", retry_after="soon"), "HTTP 429"),
    passing(
        "L4 429 an hour", fault("429 x", "rate_limit_exceeded", retry_after="3600"), "rate_limit", retry_after_s=3600.0
    ),
    Case(
        "L5 quota",
        fault("429 x", "insufficient_quota", retry_after="20"),
        "unreachable",
        "endpoint 'local' answered HTTP 429 insufficient_quota: the quota or the money at the provider is spent",
        is_endpoint_fault=True,
        retry_after_s=20.0,
    ),
    Case("L5 no money", fault("402 Payment"), "unreachable", "money at the provider is spent", is_endpoint_fault=True),
    passing("L6 500", fault("500 Oops", "server_error"), "endpoint 'local' answered HTTP 500 server_error"),
    passing("L6 502 with HTML", answer(HTML, "502 Bad Gateway"), "endpoint 'local' answered HTTP 502"),
    passing("L6 503", answer(b"", "503 Unavailable", retry_after="2"), "HTTP 503", retry_after_s=2.0),
    passing("L6 529", fault("529 Overloaded"), "HTTP 529"),
    passing("L6 408", fault("408 Timeout"), "HTTP 408"),
    passing("L6 409", fault("409 Conflict"), "HTTP 409"),
    Case("L7 400", fault("400 Bad", "invalid_request_error"), "unreachable", "check the model's parameters"),
    Case(
        "L7 401",
        fault("401 No", "invalid_api_key"),
        "unreachable",
        "endpoint 'local' answered HTTP 401 invalid_api_key: it wants a key: name the environment variable that holds it",
        is_endpoint_fault=True,
    ),
    Case("L7 403", fault("403 No"), "unreachable", "HTTP 403 some_error: it wants a key"),
    Case("L7 404", fault("404 x", "model_not_found"), "unreachable", "check the model's name and base_url"),
    Case("a redirect", answer(b"", "302 Found", location="http://127.0.0.1:1/"), "unreachable", "it answers elsewhere"),
    passing("L8 cut HTTP", raw(b"HTTP/1.1 200 OK\r\ncontent-length: 900\r\n\r\n{"), f"{BROKE} (ContentLengthError)"),
    passing("L8 closed", raw(b""), f"{BROKE} (ServerDisconnectedError)"),
    passing("L8 no HTTP", raw(b"SSH-2.0-OpenSSH_9.2\r\n\r\n"), BROKE),
    garbled("L9 cut JSON", completion()[:-40], "the reply is not JSON"),
    garbled("L9 empty", b"", "the reply is empty"),
    garbled("L9 HTML", HTML, "the reply is not JSON"),
    garbled("L9 NaN", b'{"choices": NaN}', "the reply is not JSON"),
    garbled("L9 a list", b"[]", "the reply is JSON, but no object"),
    garbled("L9 error object", b'{"error": {"code": "overloaded"}}', "the reply is an error object under HTTP 200"),
    garbled("L9 quota object", b'{"error": {"type": "insufficient_quota"}}', "error object", is_retryable=False),
    garbled("L10 empty choices", b'{"choices": []}', f"{NO_COMPLETION} (IndexError)"),
    garbled("L10 no choices", b'{"id": "x"}', f"{NO_COMPLETION} (KeyError)"),
    garbled("L10 null choices", b'{"choices": null}', f"{NO_COMPLETION} (TypeError)"),
    garbled("L10 null message", b'{"choices": [{"message": null}]}', f"{NO_COMPLETION} (AttributeError)"),
    garbled("L10 content is no text", b'{"choices": [{"message": {"content": 7}}]}', f"{NO_COMPLETION} (TypeError)"),
    Case("no content", answer(completion(None)), "unparsed", "the reply is empty", is_retryable=True, usage=SPENT),
    Case(
        "L11 length",
        answer(completion('{"verdict":"appr', finish="length")),
        "unparsed",
        CUT_OFF,
        is_retryable=True,
        raw='{"verdict":"appr',
        usage=SPENT,
        is_truncated=True,
    ),
    Case(
        "L12 refusal",
        message(refusal="I cannot."),
        "refused",
        "the model refused to answer",
        raw="I cannot.",
        usage=SPENT,
    ),
    Case(
        "L13 content filter",
        answer(completion("half", finish="content_filter")),
        "refused",
        "the provider's content filter stopped the answer",
        raw="half",
        usage=SPENT,
    ),
    Case("L13 filtered prompt", fault("400 x", "content_filter"), "refused", "the provider refused the text"),
    Case(
        "L16 20 MB", answer(b" " * 20_000_000), "unparsed", "the reply of endpoint 'local' is larger than may be read"
    ),
    Case(
        "L16 20 MB of unknown length",
        raw(b"HTTP/1.1 200 OK\r\n\r\n" + b" " * (MAX_BODY + 1)),
        "unparsed",
        "the reply of endpoint 'local' is larger than may be read",
    ),
    Case(
        "L16 long text",
        answer(completion(LONG)),
        "unparsed",
        "the reply is longer than 65536 bytes",
        raw=LONG[:-1],
        usage=SPENT,
    ),
    Case(
        "L16 long text of few characters",
        answer(completion("ế" * (MAX_RAW // 3 + 1))),
        "unparsed",
        "the reply is longer than 65536 bytes",
        raw="ế" * (MAX_RAW // 3),
        usage=SPENT,
    ),
    Case(
        "L17 tool call",
        message(tool_calls=CALLS),
        "off_schema",
        TOOL_CALLED,
        raw=orjson.dumps(CALLS).decode(),
        usage=SPENT,
    ),
    Case(
        "L17 another tool than the one offered",
        message(tool_calls=CALLS),
        "off_schema",
        TOOL_CALLED,
        raw=orjson.dumps(CALLS).decode(),
        usage=SPENT,
        form="function_calling",
    ),
    Case(
        "L17 two calls of the tool offered",
        message(tool_calls=[{"id": "1", "type": "function", "function": {"name": "vote", "arguments": "{}"}}] * 2),
        "off_schema",
        TOOL_CALLED,
        raw=orjson.dumps(
            [{"id": "1", "type": "function", "function": {"name": "vote", "arguments": "{}"}}] * 2
        ).decode(),
        usage=SPENT,
        form="function_calling",
    ),
    Case(
        "L17 arguments that are no text",
        message(tool_calls=[{"id": "1", "type": "function", "function": {"name": "vote", "arguments": {}}}]),
        "off_schema",
        TOOL_CALLED,
        raw='[{"id":"1","type":"function","function":{"name":"vote","arguments":{}}}]',
        usage=SPENT,
        form="function_calling",
    ),
    Case(
        "L17 old function call", message(function_call={"name": "f"}), "off_schema", TOOL_CALLED, raw="[]", usage=SPENT
    ),
    Case(
        "compressed",
        answer(gzip.compress(b" " * 10**7), content_encoding="gzip"),
        "unparsed",
        "endpoint 'local' compressed its reply, which nobody asked for",
        is_retryable=True,
        is_endpoint_fault=True,
    ),
]


async def failure(client: Client, form: Form = "json_schema") -> CallError:
    with pytest.raises(CallError) as caught:
        await client.complete(a_call(form))
    return caught.value


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.id)
async def test_each_fault_is_known_for_what_it_is_after_one_request(case: Case) -> None:
    async with serving(case.reply) as server:
        client = open_client(server.endpoint(), key=None)
        error = await failure(client, case.form)
        await client.close()
    assert case.because in error.because
    found = {name: getattr(error, name) for name in vars(case).keys() & vars(error).keys() - {"because"}}
    assert found == {name: getattr(case, name) for name in found}
    assert len(found) == 8
    assert len(server.received) == 1
    assert "\n" not in error.because and error.because[0].islower()


async def test_a_refused_connection_is_unreachable_and_says_where() -> None:
    """L20."""
    async with serving() as server:
        endpoint = server.endpoint()
    client = open_client(endpoint, key=None)
    error = await failure(client)
    await client.close()
    assert (error.kind, error.is_retryable, error.is_endpoint_fault) == ("unreachable", True, True)
    assert error.because.startswith(
        f"no connection to endpoint 'local' (Cannot connect to host 127.0.0.1:{server.port} "
    )


async def test_an_unknown_host_is_unreachable() -> None:
    """L20."""
    client = open_client(replace(ENDPOINT, base_url="http://nope.invalid/v1"), key=None)
    error = await failure(client)
    await client.close()
    assert (error.kind, error.is_retryable, error.is_endpoint_fault) == ("unreachable", True, True)


REFUSED_FORMS: list[tuple[Form, str, str]] = [
    ("json_schema", "400 x", "'response_format' of type 'json_schema' is not supported with this model"),
    ("json_schema", "400 x", "Invalid schema for response_format 'vote'"),
    ("json_schema", "422 x", "response_format: extra fields not permitted"),
    ("json_schema", "500 x", "failed to parse grammar"),
    ("function_calling", "400 x", "registry.ollama.ai/library/gemma:2b does not support tools"),
    ("function_calling", "404 x", "No endpoints found that support tool use"),
    ("function_calling", "500 x", "tools param requires --jinja flag"),
    ("function_calling", "501 x", "tool_choice is not implemented"),
]


@pytest.mark.parametrize(("form", "status", "said"), REFUSED_FORMS)
async def test_an_endpoint_that_does_not_know_the_form_asks_for_the_next_rung(
    form: Form, status: str, said: str
) -> None:
    async with serving(fault(status, message=said)) as server:
        client = open_client(server.endpoint(), key=None)
        error = await failure(client, form)
        await client.close()
    assert (error.kind, error.form_refused, error.is_retryable, error.is_endpoint_fault) == (
        "unreachable",
        True,
        False,
        False,
    )
    assert error.because.endswith(f"it does not know structured output by {form}")


NOT_ABOUT_FORMS: list[tuple[Form, str, str]] = [
    ("prompt", "400 x", "response_format is not supported"),
    ("json_schema", "401 x", "response_format is not supported for this key"),
    ("json_schema", "503 x", "structured output is busy"),
    ("json_schema", "400 x", "maximum context length is 8192 tokens, 9000 in the messages, 90 in the response_format"),
    ("function_calling", "400 x", "unknown parameter temperature"),
]


@pytest.mark.parametrize(("form", "status", "said"), NOT_ABOUT_FORMS)
async def test_other_refusals_leave_the_form_alone(form: Form, status: str, said: str) -> None:
    async with serving(fault(status, message=said)) as server:
        client = open_client(server.endpoint(), key=None)
        error = await failure(client, form)
        await client.close()
    assert not error.form_refused


@pytest.mark.parametrize(
    "body", ['{"error": "no tools here"}', '{"detail": [{"loc": ["tools"]}]}', "no tools", '{"message": "tools"}']
)
async def test_errors_of_servers_with_forms_of_their_own_are_read(body: str) -> None:
    async with serving(answer(body.encode(), "400 x")) as server:
        client = open_client(server.endpoint(), key=None)
        error = await failure(client, "function_calling")
        await client.close()
    assert error.form_refused


CANARY = "sk-canary-4711-never-print"


async def test_a_refused_key_is_named_by_its_variable_and_never_shown(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """L7, with an endpoint that repeats the key wherever it can."""
    caplog.set_level("DEBUG")
    echo = answer(f'{{"error":{{"message":"bad key {CANARY}","code":"{CANARY}"}}}}'.encode(), "401 Unauthorized")
    async with serving(echo, answer(f"<html>{CANARY}</html>".encode())) as server:
        client = open_client(server.endpoint(key="MODEL_KEY"), key=CANARY)
        refused, page = await failure(client), await failure(client)
        await client.close()
    assert server.received[0].headers["authorization"] == f"Bearer {CANARY}"
    assert refused.because == (
        "endpoint 'local' answered HTTP 401: it refuses the key in environment variable 'MODEL_KEY': check that key"
    )
    assert page.raw == f"<html>{'*' * len(CANARY)}</html>"
    seen = [caplog.text, repr(client), repr(client.chat), repr(vars(client))]
    for error in (refused, page):
        assert error.__cause__ is None and (error.__context__ is None or error.__suppress_context__)
        seen += [repr(error), str(error), repr(vars(error))]
    assert not [text for text in seen if CANARY in text]


@pytest.mark.parametrize(
    ("key", "because"),
    [
        (None, "environment variable 'MODEL_KEY' is not set: put the key of endpoint 'local' into it"),
        ("", "environment variable 'MODEL_KEY' is not set: put the key of endpoint 'local' into it"),
        (
            "two words",
            "environment variable 'MODEL_KEY' holds no key: a key has no spaces, line breaks or characters beyond ASCII",
        ),
        (
            "clé",
            "environment variable 'MODEL_KEY' holds no key: a key has no spaces, line breaks or characters beyond ASCII",
        ),
    ],
)
async def test_a_key_that_cannot_be_one_is_never_sent(key: str | None, because: str) -> None:
    async with serving(answer(completion())) as server:
        client = open_client(server.endpoint(key="MODEL_KEY"), key=key)
        error = await failure(client)
        await client.close()
    assert (error.kind, error.because, error.is_retryable) == ("unreachable", because, False)
    assert server.received == []


async def test_a_key_keeps_the_line_break_of_its_file_to_itself() -> None:
    async with serving(answer(completion())) as server:
        client = open_client(server.endpoint(key="MODEL_KEY"), key=f"{CANARY}\n")
        await client.complete(a_call())
        await client.close()
    assert server.received[0].headers["authorization"] == f"Bearer {CANARY}"
    assert key_fault(server.endpoint(), None) is None


REQUEST = httpx2.Request("POST", "http://127.0.0.1/")
STRAY: list[tuple[BaseException, str, bool, bool]] = [
    (openai.APITimeoutError(REQUEST), "timeout", True, True),
    (httpx2.ReadTimeout("slow"), "timeout", True, True),
    (TimeoutError(), "timeout", True, True),
    (openai.APIConnectionError(request=REQUEST), "unreachable", True, True),
    (httpx2.RemoteProtocolError("odd"), "unreachable", True, True),
    (ConnectionResetError(), "unreachable", True, True),
    (
        openai.LengthFinishReasonError(completion=ChatCompletion.model_validate_json(completion(usage=None))),
        "unparsed",
        True,
        False,
    ),
    (openai.ContentFilterFinishReasonError(), "refused", False, False),
    (OpenAIRefusalError("no"), "refused", False, False),
    (KeyError("choices"), "unparsed", True, False),
    (AttributeError("x"), "unparsed", True, False),
    (RecursionError(), "unparsed", True, False),
]


@pytest.mark.parametrize(("error", "kind", "is_retryable", "is_endpoint_fault"), STRAY)
def test_whatever_else_the_libraries_raise_is_a_failed_member(
    error: BaseException, kind: str, is_retryable: bool, is_endpoint_fault: bool
) -> None:
    found = call_error(error, ENDPOINT, "json_schema", now_s=0.0)
    assert (found.kind, found.is_retryable, found.is_endpoint_fault) == (kind, is_retryable, is_endpoint_fault)


def test_an_older_failure_in_the_context_is_not_this_one() -> None:
    try:
        try:
            raise CallError("refused", "an older one")
        except CallError:
            raise KeyError("x")  # noqa: B904 - the context is the point
    except KeyError as error:
        assert call_error(error, ENDPOINT, "prompt", now_s=0.0).kind == "unparsed"


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({}, None),
        ({"retry-after": "0"}, 0.0),
        ({"retry-after": " 1.5 "}, 1.5),
        ({"retry-after-ms": "x", "retry-after": "3"}, 3.0),
        ({"retry-after": "-5"}, None),
        ({"retry-after": "inf"}, None),
        ({"retry-after": "nan"}, None),
        ({"retry-after": "1e3"}, None),
        ({"retry-after": str(LONGEST_WAIT_S + 1)}, None),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT"}, 90.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 -0000"}, 90.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:00:00 GMT"}, 0.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT", "date": "Thu, 01 Jan 1970 00:01:00 GMT"}, 40.0),
        ({"retry-after": "Thu, 01 Jan 1970 00:01:40 GMT", "date": "yesterday"}, 90.0),
        ({"retry-after": "Thu, 99 Jan 1970 00:01:40 GMT"}, None),
    ],
)
def test_a_wait_is_read_from_seconds_milliseconds_and_dates(headers: dict[str, str], seconds: float | None) -> None:
    """L3; the clock says 10 s after 1970 where the reply says no date."""
    assert retry_after_s(headers, now_s=10.0) == seconds


@given(st.text(max_size=40) | st.from_regex(r"[0-9.eE+\-]{1,30}"))
def test_no_header_makes_the_wait_endless_or_negative(value: str) -> None:
    wait = retry_after_s({"retry-after": value, "retry-after-ms": value}, now_s=0.0)
    assert wait is None or 0.0 <= wait <= LONGEST_WAIT_S


class Canned(httpx2.AsyncBaseTransport):
    """Answers every request alike, without sockets."""

    def __init__(self, status: int, body: bytes, headers: list[tuple[str, str]]) -> None:
        self._answer = (status, body, headers)

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        status, body, headers = self._answer
        return httpx2.Response(status, content=body, headers=headers, request=request)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)
NAMES = st.sampled_from(["content", "refusal", "tool_calls", "function_call", "function", "name", "arguments", "role"])
parts = st.dictionaries(NAMES, json_values | st.lists(st.dictionaries(NAMES, json_values)), max_size=4)


def as_json(value: Any) -> bytes:
    return json.dumps(value).encode()  # unlike orjson, it writes NaN and huge integers


bodies = st.one_of(
    st.binary(max_size=200),
    json_values.map(as_json),
    st.builds(
        lambda message, usage, finish: as_json(
            {"choices": [{"message": message, "finish_reason": finish}], "usage": usage}
        ),
        parts,
        json_values | st.dictionaries(st.sampled_from(["prompt_tokens", "completion_tokens"]), json_values),
        json_values | st.sampled_from(["stop", "length"]),
    ),
    st.builds(lambda code, text: as_json({"error": {"code": code, "message": text}}), json_values, st.text()),
)


@given(
    st.sampled_from([200, 200, 201, 302, 400, 401, 404, 422, 429, 500, 503]),
    bodies,
    st.sampled_from(["json_schema", "function_calling", "prompt"]),
)
def test_whatever_comes_back_is_a_completion_or_a_call_error(status: int, body: bytes, form: Form) -> None:
    """Measured fact 3: any exception at all is this member failed."""

    async def outcome() -> Completion | CallError:
        client = open_client(ENDPOINT, key=None, around=lambda _: Canned(status, body, []))
        try:
            return await client.complete(a_call(form))
        except CallError as error:
            return error
        finally:
            await client.close()

    result = asyncio.run(outcome())
    if isinstance(result, Completion):
        assert 0 < len(result.text.encode()) <= MAX_RAW
    else:
        assert result.raw is None or len(result.raw.encode()) <= MAX_RAW

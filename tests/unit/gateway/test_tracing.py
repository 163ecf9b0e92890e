"""The council in a trace: which spans there are, what they say, and what they never say (issue 3, point 9)."""

import asyncio
import io
import json
import logging
import sys
import threading
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from typing import Any

import httpx2
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor, SimpleSpanProcessor, SpanExporter, SpanExportResult
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.semconv._incubating.attributes import gen_ai_attributes as names
from opentelemetry.trace import SpanKind, StatusCode, format_span_id, format_trace_id

from agents.models.calls import current_headers
from agents.models.client import open_client
from agents.models.endpoints import Endpoints
from agents.models.judge import ModelJudge
from agents.tracing import current_correlation_id, current_span
from council.graph import build_graph
from council.ledger.memory import MemoryLedger
from council.ledger.port import decision_id_of
from council.service import CouncilService
from gateway.correlation import follow
from gateway.errors import SettingsError
from gateway.exporting import ExportedTracing
from gateway.logs import JsonLines
from gateway.spans import provider_of
from gateway.tracing import NoTracing, exporters_of, open_tracing
from policies.policy import Policy
from policies.verdicts import MEMBERS
from tests.models.councils import council_document, council_with
from tests.unit.agents.models.wire_server import Say, WireServer, a_call, answer, completion, fault, serving
from tests.unit.council.scripted import raw_vote, with_member
from tests.unit.gateway.scripted import CANARY
from tests.unit.requests import as_bytes

TRACE_ID, CALLER = "4bf92f3577b34da6a3ce929d0e0e4736", "00f067aa0ba902b7"
TRACEPARENT = f"00-{TRACE_ID}-{CALLER}-01"
KEY = "k-1"
APPROVING = answer(completion(raw_vote("approve")))


class Drawn:
    """Tracing into memory, and what was drawn."""

    def __init__(self) -> None:
        self.memory = InMemorySpanExporter()
        provider = TracerProvider(shutdown_on_exit=False)
        provider.add_span_processor(SimpleSpanProcessor(self.memory))
        self.tracing = ExportedTracing(provider)

    def named(self, start: str) -> list[ReadableSpan]:
        return [span for span in self.memory.get_finished_spans() if span.name.startswith(start)]

    def one(self, name: str) -> ReadableSpan:
        (span,) = self.named(name)
        return span


@pytest.fixture
def drawn() -> Drawn:
    return Drawn()


def attributes_of(span: ReadableSpan) -> dict[str, Any]:
    return dict(span.attributes or {})


def span_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return format_span_id(span.context.span_id)


def trace_id(span: ReadableSpan) -> str:
    assert span.context is not None
    return format_trace_id(span.context.trace_id)


def parent_of(span: ReadableSpan) -> str | None:
    return format_span_id(span.parent.span_id) if span.parent is not None else None


@asynccontextmanager
async def council(policy: Policy, drawn: Drawn) -> AsyncIterator[CouncilService]:
    """A council that is drawn, as the composition root puts it together."""
    ledger, tracing = MemoryLedger(), drawn.tracing
    endpoints = Endpoints({}, around=tracing.around)
    await endpoints.warm([member.model for member in policy.members.values() if member.model is not None])
    judge = tracing.judge(ModelJudge(endpoints))
    try:
        yield CouncilService(ledger=ledger, current_policy=lambda: policy, graph=build_graph(lambda: policy, judge))
    finally:
        await endpoints.close()


async def review(server: WireServer, drawn: Drawn, traceparent: str | None = TRACEPARENT, **how: Any) -> dict[str, Any]:
    """Review the usual request, asked from within somebody's trace."""
    how = {"timeout_s": "5", "retries": 0, **how}
    policy = with_member(council_with(server.endpoint().base_url, default="m", **how), "lore", temperature="0.2")
    document = council_document(request_id=KEY)
    document["proposed_change"]["narrative"] = f"{CANARY} says a player"
    headers = {b"traceparent": traceparent.encode()} if traceparent is not None else {}
    follow(headers.items(), headers)
    async with council(policy, drawn) as service:
        with drawn.tracing.tracer.workflow(KEY, document["realm_id"]) as span:
            reviewed = await service.review(as_bytes(document))
            span.concluded(reviewed.verdict, reviewed.path)
    found: dict[str, Any] = json.loads(reviewed.answer)
    return found


async def test_a_review_is_drawn_with_its_members_and_their_calls_inside(drawn: Drawn) -> None:
    async with serving(APPROVING) as server:
        answered = await review(server, drawn)
        port = server.port

    assert answered["final_verdict"] == "approve"
    workflow = drawn.one("invoke_workflow")
    decision_id = decision_id_of(KEY)
    assert (workflow.name, workflow.kind, parent_of(workflow)) == ("invoke_workflow council", SpanKind.INTERNAL, CALLER)
    assert attributes_of(workflow) == {
        "gen_ai.operation.name": "invoke_workflow",
        "gen_ai.workflow.name": "council",
        "council.decision_id": decision_id,
        "council.realm_id": "realm-1",
        "council.verdict": "approve",
        "council.path": "council",
    }
    agents = {span.name.partition(" ")[2]: span for span in drawn.named("invoke_agent")}
    assert set(agents) == set(MEMBERS)
    assert {parent_of(span) for span in agents.values()} == {span_id(workflow)}
    lore = attributes_of(agents["lore"])
    assert lore.pop("gen_ai.agent.version").startswith("lore/")
    assert lore == {
        "gen_ai.operation.name": "invoke_agent",
        "gen_ai.agent.name": "lore",
        "gen_ai.provider.name": "faulty",
        "gen_ai.request.model": "m@lore",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 800,
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.cache_read.input_tokens": 100,
        "gen_ai.usage.output_tokens": 30,
        "council.decision_id": decision_id,
        "council.realm_id": "realm-1",
        "council.round": 1,
        "council.variant": "full",
        "council.member.verdict": "approve",
    }
    chats = {str(attributes_of(span)["gen_ai.agent.name"]): span for span in drawn.named("chat")}
    assert {name: parent_of(span) for name, span in chats.items()} == {
        name: span_id(span) for name, span in agents.items()
    }
    assert (chats["lore"].name, chats["lore"].kind) == ("chat m@lore", SpanKind.CLIENT)
    assert attributes_of(chats["lore"]) == {
        "gen_ai.operation.name": "chat",
        "gen_ai.provider.name": "faulty",
        "gen_ai.agent.name": "lore",
        "gen_ai.request.model": "m@lore",
        "gen_ai.request.temperature": 0.2,
        "gen_ai.request.max_tokens": 800,
        "gen_ai.response.finish_reasons": ("stop",),
        "gen_ai.usage.input_tokens": 120,
        "gen_ai.usage.output_tokens": 30,
        "server.address": "127.0.0.1",
        "server.port": port,
        "council.attempt": 0,
    }
    assert {trace_id(span) for span in drawn.memory.get_finished_spans()} == {TRACE_ID}
    assert {span.status.status_code for span in drawn.memory.get_finished_spans()} == {StatusCode.UNSET}


async def test_each_call_carries_its_own_place_in_the_callers_trace_on(drawn: Drawn) -> None:
    async with serving(APPROVING) as server:
        await review(server, drawn)

    sent = {each.body["model"]: each.headers["traceparent"] for each in server.received}
    assert sent == {
        span.name.removeprefix("chat "): f"00-{TRACE_ID}-{span_id(span)}-01" for span in drawn.named("chat")
    }


async def test_a_review_that_nobody_traces_begins_a_trace_of_its_own(drawn: Drawn) -> None:
    async with serving(APPROVING) as server:
        await review(server, drawn, traceparent=None)

    workflow = drawn.one("invoke_workflow")
    assert workflow.parent is None
    assert {trace_id(span) for span in drawn.memory.get_finished_spans()} == {trace_id(workflow)}


async def test_a_trace_that_the_caller_left_out_is_not_drawn_but_carried_on(drawn: Drawn) -> None:
    async with serving(APPROVING) as server:
        await review(server, drawn, traceparent=TRACEPARENT[:-2] + "00")

    assert drawn.memory.get_finished_spans() == ()
    sent = {each.headers["traceparent"].rsplit("-", 2)[0] for each in server.received}
    assert sent == {f"00-{TRACE_ID}"}
    assert {each.headers["traceparent"][-2:] for each in server.received} == {"00"}


def everything_said(spans: list[ReadableSpan]) -> str:
    return "".join([span.to_json() for span in spans])


async def test_nothing_that_a_player_or_a_model_wrote_is_in_a_span(drawn: Drawn) -> None:
    vote = completion(raw_vote("approve", reasoning=CANARY), finish=CANARY, model=CANARY, id=CANARY)
    async with serving(answer(vote), fault("500 Oops", message=CANARY), answer(CANARY.encode())) as server:
        await review(server, drawn, retries=1)

    spans = list(drawn.memory.get_finished_spans())
    assert any(CANARY in json.dumps(each.body) for each in server.received)
    assert CANARY not in everything_said(spans)
    assert {
        name for span in drawn.named("chat") for name in attributes_of(span).get("gen_ai.response.finish_reasons", ())
    } == {"other"}


async def hanging(_: asyncio.StreamWriter) -> None:
    await asyncio.Event().wait()


@pytest.mark.parametrize(
    ("reply", "call", "member"),
    [
        (fault("429 Too Many"), "429", "unreachable"),
        (answer(b"{}"), None, "unparsed"),
        (answer(completion(None, message={"refusal": "no"})), None, "refused"),
        (hanging, "CancelledError", "timeout"),
    ],
)
async def test_what_fails_is_shown_by_its_type_alone(drawn: Drawn, reply: Say, call: str | None, member: str) -> None:
    async with serving(reply) as server:
        # Only who hangs is to be cut off: on a busy machine an answer may take its time.
        answered = await review(server, drawn, timeout_s="0.5" if reply is hanging else "10")

    assert answered["final_verdict"] == "quarantine"
    for span in drawn.named("chat"):
        assert attributes_of(span).get("error.type") == call
        assert span.status.is_ok is (call is None)
    for span in drawn.named("invoke_agent"):
        attributes = attributes_of(span)
        assert (attributes["error.type"], attributes["council.abstained"]) == (member, member)
        assert "council.member.verdict" not in attributes
        assert (span.status.status_code, span.status.description, span.events) == (StatusCode.ERROR, None, ())
    assert len(drawn.named("chat")) == len(drawn.named("invoke_agent")) == len(MEMBERS)
    assert drawn.one("invoke_workflow").status.status_code is StatusCode.UNSET


async def test_a_review_that_ends_in_an_error_shows_its_type_and_not_its_message(drawn: Drawn) -> None:
    with pytest.raises(ValueError, match=CANARY), drawn.tracing.tracer.workflow(KEY, "realm-1"):
        raise ValueError(CANARY)

    span = drawn.one("invoke_workflow")
    assert attributes_of(span)["error.type"] == "ValueError"
    assert (span.status.status_code, span.events) == (StatusCode.ERROR, ())
    assert CANARY not in everything_said([span])
    assert current_span.get() is None


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**63) | st.floats(allow_nan=False) | st.text(max_size=3),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["choices", "finish_reason", "usage", "prompt_tokens", "completion_tokens", "model", "max_tokens"]
            ),
            inner,
            max_size=4,
        )
    ),
    max_leaves=8,
)


@given(sent=JSON, came=JSON)
async def test_whatever_an_endpoint_writes_its_call_is_drawn_without_its_words(sent: Any, came: Any) -> None:
    class Saying(httpx2.AsyncBaseTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            return httpx2.Response(200, content=orjson.dumps(came))

    drawn = Drawn()
    request = httpx2.Request("POST", "https://api.openai.com/v1/chat/completions", content=orjson.dumps(sent))
    response = await drawn.tracing.around(Saying()).handle_async_request(request)

    assert response.content == orjson.dumps(came)
    attributes = attributes_of(drawn.one("chat"))
    assert attributes["server.port"] == 443
    assert {type(attributes.get(f"gen_ai.usage.{way}_tokens")) for way in ("input", "output")} <= {int, type(None)}
    assert set(attributes.get("gen_ai.response.finish_reasons", ())) <= {"other"}


async def test_closing_closes_what_is_wrapped(drawn: Drawn) -> None:
    closed = []

    class Closing(httpx2.AsyncBaseTransport):
        async def aclose(self) -> None:
            closed.append(self)

    await drawn.tracing.around(Closing()).aclose()

    assert len(closed) == 1


def test_the_names_are_those_of_the_installed_conventions(drawn: Drawn) -> None:
    known = {value for name, value in vars(names).items() if name.startswith("GEN_AI_")}
    operations = {each.value for each in names.GenAiOperationNameValues}
    used = {
        "gen_ai.agent.name", "gen_ai.agent.version", "gen_ai.operation.name", "gen_ai.provider.name",
        "gen_ai.request.max_tokens", "gen_ai.request.model", "gen_ai.request.temperature",
        "gen_ai.response.finish_reasons", "gen_ai.usage.cache_read.input_tokens", "gen_ai.usage.input_tokens",
        "gen_ai.usage.output_tokens", "gen_ai.workflow.name",
    }  # fmt: skip

    assert used <= known
    assert {"invoke_workflow", "invoke_agent", "chat"} <= operations


@pytest.mark.parametrize(
    ("host", "provider"),
    [
        ("api.openai.com", "openai"),
        ("ours.openai.azure.com", "azure.ai.openai"),
        ("api.groq.com", "groq"),
        ("x.ai", "x_ai"),
        ("notopenai.com", "local"),
        ("127.0.0.1", "local"),
    ],
)
def test_a_provider_is_known_by_its_host_and_else_called_as_the_policy_calls_it(host: str, provider: str) -> None:
    assert provider_of(host, "local") == provider


# --- Log lines ---


async def test_log_lines_of_a_review_name_its_correlation_id_and_its_place_in_the_trace(drawn: Drawn) -> None:
    out = io.StringIO()
    handler = logging.StreamHandler(out)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("agents.models.judge")
    logger.addHandler(handler)
    token = current_correlation_id.set("tick-7")
    try:
        async with serving(fault("401 No")) as server:
            policy = council_with(server.endpoint().base_url, timeout_s="5")
            async with council(policy, drawn) as service:
                await service.review(as_bytes(council_document(correlation_id="tick-7")))
    finally:
        current_correlation_id.reset(token)
        logger.removeHandler(handler)

    lines = [json.loads(line) for line in out.getvalue().splitlines()]
    assert {line["correlation_id"] for line in lines} == {"tick-7"}
    assert sorted(line["span_id"] for line in lines) == sorted(span_id(span) for span in drawn.named("invoke_agent"))


# --- Without OpenTelemetry ---


async def test_without_a_tracer_the_callers_trace_is_passed_on_as_it_came() -> None:
    headers = [(b"traceparent", TRACEPARENT.encode()), (b"tracestate", b"a=1"), (b"tracestate", b"b=2")]
    async with serving(answer(completion())) as server:
        client = open_client(server.endpoint(), key=None, around=NoTracing().around)
        follow(headers, dict(headers))
        await client.complete(a_call())
        follow([], {})
        await client.complete(a_call())
        await client.close()

    first, second = [each.headers for each in server.received]
    assert (first["traceparent"], first["tracestate"]) == (TRACEPARENT, "a=1,b=2")
    assert not {"traceparent", "tracestate"} & set(second)
    assert current_headers.get() == {}


def test_nothing_is_drawn_or_wrapped_where_nobody_asks() -> None:
    tracing, judge, transport = open_tracing({}), ModelJudge(Endpoints({})), httpx2.AsyncHTTPTransport()

    assert isinstance(tracing, NoTracing)
    assert tracing.judge(judge) is judge
    assert tracing.around(transport) is transport
    with tracing.tracer.workflow(KEY, "realm-1") as span:
        span.concluded("approve", "fast")
        assert current_span.get() is None


ENDPOINT = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.mark.parametrize(
    ("environ", "exporters"),
    [
        ({}, ()),
        (ENDPOINT, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://x"}, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_ENDPOINT": " "}, ()),
        ({"OTEL_TRACES_EXPORTER": "console, OTLP"}, ("console", "otlp")),
        ({**ENDPOINT, "OTEL_TRACES_EXPORTER": "none"}, ()),
        ({**ENDPOINT, "OTEL_SDK_DISABLED": "True"}, ()),
        ({**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "console", "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ("console",)),
    ],
)
def test_the_standard_variables_say_where_traces_go(environ: Mapping[str, str], exporters: tuple[str, ...]) -> None:
    assert exporters_of(environ) == exporters


@pytest.mark.parametrize(
    ("environ", "said"),
    [
        (
            {"OTEL_TRACES_EXPORTER": "otpl"},
            "OTEL_TRACES_EXPORTER: unknown exporter 'otpl'; did you mean 'otlp'?",
        ),
        (
            {**ENDPOINT, "OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"},
            "OTEL_EXPORTER_OTLP_PROTOCOL='grpc': only http/protobuf is spoken; unset it, or set it to http/protobuf",
        ),
    ],
)
def test_a_variable_that_cannot_be_used_is_named_with_the_fix(environ: Mapping[str, str], said: str) -> None:
    with pytest.raises(SettingsError) as caught:
        open_tracing(environ)

    assert caught.value.faults == (said,)


def test_traces_that_are_asked_for_without_the_extra_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in [
        name for name in sys.modules if name.startswith(("opentelemetry", "gateway.exporting", "gateway.spans"))
    ]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, "opentelemetry", None)

    with pytest.raises(SettingsError) as caught:
        open_tracing(ENDPOINT)

    assert caught.value.faults == (
        "OTEL_EXPORTER_OTLP_ENDPOINT asks for traces, and OpenTelemetry is not installed; "
        "install world-council[otel], or unset it",
    )


# --- A collector ---


class Collector(BaseHTTPRequestHandler):
    """Takes traces as OTLP over HTTP."""

    taken: list[tuple[str, ExportTraceServiceRequest]]

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.taken.append((self.path, ExportTraceServiceRequest.FromString(body)))
        self.send_response(200)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing."""


@pytest.fixture
def collector() -> Iterator[HTTPServer]:
    Collector.taken = []
    with HTTPServer(("127.0.0.1", 0), Collector) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        yield server
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("service", [None, "council-of-tests"])
async def test_traces_reach_a_collector_before_the_process_ends(
    collector: HTTPServer, monkeypatch: pytest.MonkeyPatch, service: str | None
) -> None:
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", f"http://127.0.0.1:{collector.server_port}")
    if service is not None:
        monkeypatch.setenv("OTEL_SERVICE_NAME", service)
    tracing = open_tracing()
    with tracing.tracer.workflow(KEY, "realm-1") as span:
        span.concluded("approve", "council")
    await tracing.close()

    ((path, request),) = Collector.taken
    (resource,) = request.resource_spans
    named = {each.key: each.value.string_value for each in resource.resource.attributes}
    assert path == "/v1/traces"
    assert named["service.name"] == (service or "world-council")
    assert [span.name for scope in resource.scope_spans for span in scope.spans] == ["invoke_workflow council"]


async def test_the_end_does_not_wait_for_a_collector_that_hangs(caplog: pytest.LogCaptureFixture) -> None:
    goes_on = threading.Event()

    class Hanging(SpanExporter):
        def export(self, spans: Any) -> SpanExportResult:
            goes_on.wait(10)
            return SpanExportResult.SUCCESS

    provider = TracerProvider(shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(Hanging()))
    tracing = ExportedTracing(provider, close_s=0.05)
    with tracing.tracer.workflow(KEY, "realm-1"):
        pass
    async with asyncio.timeout(3):
        await tracing.close()
    goes_on.set()

    assert [(line.msg, line.__dict__["hint"]) for line in caplog.records] == [
        ("traces_not_sent", "the collector took nothing within 0.05 s")
    ]

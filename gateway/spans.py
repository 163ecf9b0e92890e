"""The council in a trace: `invoke_workflow council`, in it `invoke_agent <member>`, in it `chat <model>`.

The attributes' names are OpenTelemetry's for generative AI where it has one, else council.*. Their values are ids, numbers,
and words of closed sets or of the policy: never a prompt, never what a player or a model wrote (register row S0-89).
"""

from collections.abc import Mapping
from types import TracebackType
from typing import Any, Final, Self

import httpx2
import orjson
from opentelemetry import context, trace
from opentelemetry.trace import SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator
from opentelemetry.util.types import AttributeValue

from agents.asking import Question, Reply
from agents.models.calls import current_call, current_headers
from agents.parsing import vote_of
from agents.ports import Judge
from agents.tracing import SpanIds, current_span
from council.ledger.port import decision_id_of

WORKFLOW: Final = "council"
_W3C: Final = TraceContextTextMapPropagator()
_PROVIDERS: Final = {
    ".anthropic.com": "anthropic",
    ".deepseek.com": "deepseek",
    ".googleapis.com": "gcp.gemini",
    ".groq.com": "groq",
    ".mistral.ai": "mistral_ai",
    ".openai.azure.com": "azure.ai.openai",
    ".openai.com": "openai",
    ".perplexity.ai": "perplexity",
    ".x.ai": "x_ai",
}
"""OpenTelemetry's names for providers, by the end of their hosts; any other is called as the policy calls its endpoint."""
_FINISHES: Final = frozenset({"stop", "length", "tool_calls", "content_filter", "function_call"})
"""What the protocol knows; anything else is `other`, for it might be a player's words."""
_MOST_TOKENS: Final = 10_000_000

Attributes = Mapping[str, AttributeValue | None]
"""None: left out."""


class OpenSpan:
    """A span that is under way: what happens within it, and every line logged there, belongs to it.

    An exception that leaves it is shown by its type alone: a message may quote what was sent.
    """

    def __init__(self, span: trace.Span) -> None:
        self._span = span

    def __enter__(self) -> Self:
        found = self._span.get_span_context()
        ids = SpanIds(trace.format_trace_id(found.trace_id), trace.format_span_id(found.span_id))
        self._outside = context.attach(trace.set_span_in_context(self._span))
        self._ids_outside = current_span.set(ids)
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, at: TracebackType | None) -> None:
        current_span.reset(self._ids_outside)
        context.detach(self._outside)
        if kind is not None:
            self.fail(kind.__name__)
        self._span.end()

    @property
    def is_recording(self) -> bool:
        """Whether anybody will see it: others are sampled out."""
        return self._span.is_recording()

    def set(self, attributes: Attributes) -> None:
        """Note what is known now."""
        self._span.set_attributes(_present(attributes))

    def fail(self, error_type: str) -> None:
        """Show it as failed."""
        self._span.set_attribute("error.type", error_type)
        self._span.set_status(StatusCode.ERROR)


class ReviewSpan(OpenSpan):
    """The span of a review."""

    def concluded(self, verdict: str, path: str) -> None:
        """Note what was decided."""
        self.set({"council.verdict": verdict, "council.path": path})


class ReviewTracer:
    """Opens the span of each review; it continues the trace of whoever asked.

    Args:
        tracer: OpenTelemetry's.
    """

    def __init__(self, tracer: Tracer) -> None:
        self._tracer = tracer

    def workflow(self, request_key: str, realm_id: str) -> ReviewSpan:
        """Open the span of a review."""
        attributes = {
            "gen_ai.operation.name": "invoke_workflow",
            "gen_ai.workflow.name": WORKFLOW,
            "council.decision_id": decision_id_of(request_key),
            "council.realm_id": realm_id,
        }
        is_inside = trace.get_current_span().get_span_context().is_valid
        parent = None if is_inside else _W3C.extract(current_headers.get())
        return ReviewSpan(self._tracer.start_span(f"invoke_workflow {WORKFLOW}", parent, attributes=attributes))


class TracedJudge:
    """Shows each question to a member's model as a span: one per member and round, and one more for its twin.

    Args:
        judge: asks the models.
        tracer: OpenTelemetry's.
    """

    def __init__(self, judge: Judge, tracer: Tracer) -> None:
        self._judge = judge
        self._tracer = tracer

    async def ask(self, question: Question) -> Reply:
        """Ask, and show what came of it."""
        name = f"invoke_agent {question.slot.member}"
        with OpenSpan(self._tracer.start_span(name, attributes=_asked(question))) as span:
            reply = await self._judge.ask(question)
            if span.is_recording:
                _show_reply(span, question, reply)
        return reply


class TracedTransport(httpx2.AsyncBaseTransport):
    """Shows each call to a model as a span, and carries its place in the trace on to the endpoint.

    Args:
        transport: sends the calls.
        tracer: OpenTelemetry's.
    """

    def __init__(self, transport: httpx2.AsyncBaseTransport, tracer: Tracer) -> None:
        self._transport = transport
        self._tracer = tracer

    async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
        """Send one request."""
        attributes = _called(request, _object(await request.aread()))
        name = f"chat {attributes.get('gen_ai.request.model', '')}".strip()
        with OpenSpan(self._tracer.start_span(name, kind=SpanKind.CLIENT, attributes=attributes)) as span:
            for header in _W3C.fields:
                request.headers.pop(header, None)
            _W3C.inject(request.headers)
            response = await self._transport.handle_async_request(request)
            if span.is_recording:
                span.set(_answered(_object(await response.aread())))
                if response.status_code >= 400:
                    span.fail(str(response.status_code))
        return response

    async def aclose(self) -> None:
        """Close the transport."""
        await self._transport.aclose()


def provider_of(host: str, endpoint: str) -> str:
    """Return the name of the provider behind an endpoint.

    Args:
        host: where it answers.
        endpoint: the policy's name for it.
    """
    return next((name for end, name in _PROVIDERS.items() if f".{host}".endswith(end)), endpoint)


def _asked(question: Question) -> dict[str, AttributeValue]:
    use, slot = question.use, question.slot
    return _present(
        {
            "gen_ai.operation.name": "invoke_agent",
            "gen_ai.agent.name": slot.member,
            "gen_ai.provider.name": provider_of(httpx2.URL(use.endpoint.base_url).host, use.endpoint.name),
            "gen_ai.request.model": use.model,
            "gen_ai.request.temperature": use.temperature,
            "gen_ai.request.max_tokens": use.max_output_tokens,
            "council.decision_id": question.decision_id,
            "council.realm_id": question.case.request.realm_id,
            "council.round": slot.round,
            "council.variant": slot.variant,
        }
    )


def _show_reply(span: OpenSpan, question: Question, reply: Reply) -> None:
    vote = vote_of(reply, question.case, question.evidence, question.rules)
    span.set(
        {
            "gen_ai.agent.version": reply.prompt or None,
            "gen_ai.usage.input_tokens": reply.usage.input,
            "gen_ai.usage.cache_read.input_tokens": reply.usage.cached,
            "gen_ai.usage.output_tokens": reply.usage.output,
            "council.member.verdict": vote.verdict,
            "council.abstained": vote.abstained,
        }
    )
    if vote.abstained is not None:
        span.fail(vote.abstained)


def _called(request: httpx2.Request, body: Mapping[str, Any]) -> dict[str, AttributeValue]:
    key, url = current_call.get(), request.url
    endpoint = key.model.partition("/")[0] if key is not None else "openai"
    model, limit = body.get("model"), body.get("max_tokens", body.get("max_completion_tokens"))
    return _present(
        {
            "gen_ai.operation.name": "chat",
            "gen_ai.provider.name": provider_of(url.host, endpoint),
            "gen_ai.request.model": model if isinstance(model, str) else None,
            "gen_ai.request.temperature": _number(body.get("temperature")),
            "gen_ai.request.max_tokens": _count(limit),
            "gen_ai.agent.name": key.member if key is not None else None,
            "server.address": url.host,
            "server.port": url.port or (443 if url.scheme == "https" else 80),
            "council.attempt": key.attempt if key is not None else None,
        }
    )


def _answered(body: Mapping[str, Any]) -> Attributes:
    """Return what a reply says about itself; an endpoint may write anything there, so only what is expected is taken."""
    usage: Any = body.get("usage")
    choices: Any = body.get("choices")
    counted = usage if isinstance(usage, dict) else {}
    spoken = [choice for choice in choices if isinstance(choice, dict)] if isinstance(choices, list) else []
    # The protocol allows many choices; one is asked for.
    finishes = [_finish(choice["finish_reason"]) for choice in spoken[:1] if choice.get("finish_reason") is not None]
    return {
        "gen_ai.response.finish_reasons": finishes or None,
        "gen_ai.usage.input_tokens": _count(counted.get("prompt_tokens")),
        "gen_ai.usage.output_tokens": _count(counted.get("completion_tokens")),
    }


def _finish(value: object) -> str:
    return value if isinstance(value, str) and value in _FINISHES else "other"


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None


def _number(value: object) -> float | None:
    return float(value) if isinstance(value, int | float) else None


def _object(raw: bytes) -> Mapping[str, Any]:
    try:
        document = orjson.loads(raw)
    except orjson.JSONDecodeError:
        return {}
    return document if isinstance(document, dict) else {}


def _present(attributes: Attributes) -> dict[str, AttributeValue]:
    return {name: value for name, value in attributes.items() if value is not None}

"""What a reply of the OpenAI protocol says: its body as a LangChain message, and whether that message is a completion at all.

Nothing here repairs: half a JSON stays half (reliability.md, L11), a tool call nobody offered is never executed (L17).
"""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from langchain_core.messages import AIMessage, InvalidToolCall, ToolCall
from langchain_core.messages.ai import InputTokenDetails, UsageMetadata
from langchain_core.output_parsers.openai_tools import make_invalid_tool_call, parse_tool_call
from langchain_core.outputs import ChatGeneration, ChatResult

from agents.asking import MAX_RAW, Usage
from agents.models.calls import VOTE, CallError, Completion, Form

QUOTA_CODES: Final = frozenset({"insufficient_quota", "billing_hard_limit_reached", "billing_not_active"})
"""Error codes that say that the money at the provider is gone (L5): waiting does not help."""
_MOST_TOKENS: Final = 10_000_000
"""Token counts above this are taken for garbage; no context is as long."""


def read_result(body: bytes) -> ChatResult:
    """Read the body of a 200 reply.

    Raises:
        CallError: `unparsed`, where it is no completion: not JSON, an error object, no choices (L9, L10).
    """
    document = _document(body)
    try:
        choice = document["choices"][0]
        message, finish = choice["message"], choice.get("finish_reason")
        usage = _usage_metadata(document.get("usage"))
        return ChatResult(
            generations=[ChatGeneration(message=_message(message, finish, document, usage))],
            llm_output={"token_usage": document.get("usage"), "model_name": document.get("model")},
        )
    except (AttributeError, IndexError, KeyError, TypeError, ValueError) as error:
        because = f"the reply is JSON, but no completion of the OpenAI protocol ({type(error).__name__})"
        raise _unreadable(because, body) from None


def completion_of(message: AIMessage, form: Form, tool: str = VOTE) -> Completion:
    """Return the text of a reply and what it used.

    Args:
        message: the reply.
        form: how its form was asked for.
        tool: the one tool that function calling offered.

    Raises:
        CallError: where the model refused, was cut off, called a tool nobody offered, or said nothing or too much.
    """
    usage = usage_of(message)
    text = str(message.content)
    finish = message.response_metadata.get("finish_reason")
    if refusal := message.additional_kwargs.get("refusal"):
        raise CallError("refused", "the model refused to answer", raw=cut(str(refusal)), usage=usage)
    if finish == "content_filter":
        because = "the provider's content filter stopped the answer"
        raise CallError("refused", because, raw=cut(text), usage=usage)
    if finish == "length":
        because = "the reply was cut off at the most output tokens allowed"
        raise CallError("unparsed", because, is_retryable=True, is_truncated=True, raw=cut(text), usage=usage)
    text = _called(message, text, form, tool, usage)
    if not text:
        raise CallError("unparsed", "the reply is empty", is_retryable=True, usage=usage)
    if len(text) > MAX_RAW or len(text.encode()) > MAX_RAW:
        because = f"the reply is longer than {MAX_RAW} bytes"
        raise CallError("unparsed", because, raw=cut(text), usage=usage)
    return Completion(text, usage)


def usage_of(message: AIMessage) -> Usage | None:
    """Return the tokens of a reply; None where the endpoint left them out or counted nonsense (L18)."""
    counted = message.usage_metadata
    if counted is None:
        return None
    cached = counted.get("input_token_details", {}).get("cache_read", 0)
    return Usage(counted["input_tokens"], cached, counted["output_tokens"])


def cut(text: str) -> str:
    """Return as much of a text as a record keeps: at most `MAX_RAW` bytes of whole characters."""
    return text if len(text) * 4 <= MAX_RAW else text.encode()[:MAX_RAW].decode(errors="ignore")


def _document(body: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(body)
    except orjson.JSONDecodeError:
        because = "the reply is not JSON" if body.strip() else "the reply is empty"
        raise _unreadable(because, body) from None
    if not isinstance(document, dict):
        raise _unreadable("the reply is JSON, but no object", body)
    if fault := document.get("error"):
        codes = {fault.get("code"), fault.get("type")} if isinstance(fault, Mapping) else set()
        raise _unreadable("the reply is an error object under HTTP 200", body, can_pass=not codes & QUOTA_CODES)
    return document


def _unreadable(because: str, body: bytes, *, can_pass: bool = True) -> CallError:
    raw = cut(body[:MAX_RAW].decode(errors="ignore"))
    return CallError("unparsed", because, is_retryable=can_pass, is_endpoint_fault=True, raw=raw)


def _message(
    message: Mapping[str, Any], finish: object, document: Mapping[str, Any], usage: UsageMetadata | None
) -> AIMessage:
    additional = {name: message[name] for name in ("refusal", "tool_calls", "function_call") if message.get(name)}
    calls, invalid = _tool_calls(message.get("tool_calls") or ())
    content = message.get("content")
    if not isinstance(content, str | None):
        raise TypeError("content is no text")
    return AIMessage(
        content=content or "",
        additional_kwargs=additional,
        response_metadata={
            "finish_reason": finish,
            "model_name": document.get("model"),
            "model_provider": "openai",
            "id": document.get("id"),
        },
        tool_calls=calls,
        invalid_tool_calls=invalid,
        usage_metadata=usage,
    )


def _tool_calls(raw: Any) -> tuple[list[ToolCall], list[InvalidToolCall]]:
    calls: list[Any] = []
    invalid: list[InvalidToolCall] = []
    for each in raw:
        try:
            calls.append(parse_tool_call(each, return_id=True))
        except Exception as error:  # noqa: BLE001 - LangChain reads arguments with several parsers of their own errors
            invalid.append(make_invalid_tool_call(each, type(error).__name__))
    return calls, invalid


def _called(message: AIMessage, text: str, form: Form, tool: str, usage: Usage | None) -> str:
    """Return the arguments of the one tool that was offered, as text; the message's own text where none is called."""
    calls = message.additional_kwargs.get("tool_calls") or ()
    if not calls and "function_call" not in message.additional_kwargs:
        return text
    functions = [call["function"] for call in calls]
    if form == "function_calling" and [function["name"] for function in functions] == [tool]:
        arguments = functions[0]["arguments"]
        if isinstance(arguments, str):
            return arguments
    because = "the model called a tool that nobody offered; nothing was executed"
    raise CallError("off_schema", because, raw=cut(orjson.dumps(calls).decode()), usage=usage)


def _usage_metadata(usage: object) -> UsageMetadata | None:
    if not isinstance(usage, dict):
        return None
    given, made = _count(usage.get("prompt_tokens")), _count(usage.get("completion_tokens"))
    # Nobody reads a prompt of 0 tokens: servers write 0 where they did not count.
    if not given or made is None:
        return None
    details = usage.get("prompt_tokens_details")
    cached = _count(details.get("cached_tokens")) if isinstance(details, dict) else None
    return UsageMetadata(
        input_tokens=given,
        output_tokens=made,
        total_tokens=given + made,
        # More cached than given is nonsense, and the full price is the safe one.
        input_token_details=InputTokenDetails(cache_read=cached if cached is not None and cached <= given else 0),
    )


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 <= value <= _MOST_TOKENS else None

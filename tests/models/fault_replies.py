"""What the fault server answers: one whole HTTP answer per mode, made from the request and the mode's argument. Pure.

The modes' names are those of the fault table (reliability.md, L1 to L20). What needs a socket (no answer, half an answer, a
reset) is in `fault_sockets`.
"""

import json
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from functools import cache
from http import HTTPStatus
from typing import Any, Final, NamedTuple

QUOTED: Final = '{"findings": [], "reasoning": "The change is small and well earned", "modifications": [], '
"""The start of a reply, for replies that break off."""
BOMB_BYTES: Final = 100_000_000
HUGE_BYTES: Final = 20_000_000


class Ask(NamedTuple):
    """One request as the server read it."""

    body: Mapping[str, Any]
    argument: str
    """What stands after the mode's colon; empty where nothing does."""
    key: str = ""
    """The Authorization header, for endpoints that quote it."""

    @property
    def form(self) -> str:
        """How the reply's form is asked for: a rung of the client's ladder."""
        kind: str = (self.body.get("response_format") or {}).get("type", "prompt")
        return "function_calling" if self.body.get("tools") else kind


class Answer(NamedTuple):
    """One HTTP answer."""

    status: int
    body: bytes
    headers: tuple[tuple[str, str], ...] = (("content-type", "application/json"),)

    @property
    def wire(self) -> bytes:
        """The answer as HTTP sends it."""
        phrase = HTTPStatus(self.status).phrase if self.status in set(HTTPStatus) else "Overloaded"
        lines = [f"HTTP/1.1 {self.status} {phrase}", *[f"{name}: {value}" for name, value in self.headers]]
        return "\r\n".join([*lines, f"content-length: {len(self.body)}", "", ""]).encode() + self.body


def vote(verdict: str = "approve", **changes: Any) -> dict[str, Any]:
    """Return a reply that holds a valid vote of any member, with fields replaced."""
    drop = {"effect": 0, "action": "drop", "field": None, "bound": None, "value": None, "because": "it goes too far"}
    fields = {
        "findings": [],
        "reasoning": f"The fault server votes {verdict}",
        "modifications": [drop] if verdict == "modify" else [],
        "claims": [],
        "verdict": verdict,
        "confidence": 0.8,
    }
    return {**fields, **changes}


def said(ask: Ask, content: Any, *, finish: str = "stop", usage: Any = ..., **message: Any) -> Answer:
    """Return a completion whose message says something, in the form that was asked for.

    Args:
        content: the text; in function calling it stands in the arguments of the tool that was offered.
        usage: the field's value; None leaves it out.
        message: further fields of the message.
    """
    text = {"role": "assistant", "content": content, "refusal": None, **message}
    if ask.form == "function_calling" and isinstance(content, str) and "tool_calls" not in message:
        text |= {"content": None, "tool_calls": [_called(ask.body["tools"][0]["function"]["name"], content)]}
        finish = "tool_calls" if finish == "stop" else finish
    completion = {
        "id": "chatcmpl-fault",
        "object": "chat.completion",
        "created": 1_760_000_000,
        "model": ask.body.get("model"),
        "choices": [{"index": 0, "message": text, "finish_reason": finish, "logprobs": None}],
        "usage": _usage(ask, content) if usage is ... else usage,
    }
    if usage is None:
        del completion["usage"]
    return Answer(200, json.dumps(completion).encode())


def error(status: int, message: str = "the fault server says no", **more: Any) -> Answer:
    """Return an error as the OpenAI protocol writes it."""
    fields = {"message": message, "type": "fault", "param": None, "code": None, **more}
    return Answer(status, json.dumps({"error": fields}).encode())


def limited(retry_after: str | None, message: str = "slow down", **more: Any) -> Answer:
    """Return a 429 that says when to come back."""
    answer = error(429, message, type="rate_limit_error", **more)
    return answer if retry_after is None else answer._replace(headers=(*answer.headers, ("retry-after", retry_after)))


def obeyed(ask: Ask) -> Answer:
    """Return the vote of a model that does what it last read: `vote approve` anywhere in its messages is an order (L19).

    Where it reads no order it votes the mode's argument, or reject.
    """
    text = " ".join(str(message.get("content")) for message in ask.body.get("messages", ())).lower()
    found = {text.rfind(f"vote {verdict}"): verdict for verdict in ("approve", "modify", "reject", "quarantine")}
    place = max(found)
    return said(ask, json.dumps(vote(found[place] if place >= 0 else ask.argument or "reject")))


def _ok(ask: Ask) -> Answer:
    return said(ask, json.dumps(vote(ask.argument or "approve")))


def _choices(ask: Ask, **changes: Any) -> Answer:
    body = json.loads(_ok(ask).body)
    body |= changes
    return Answer(200, json.dumps({name: value for name, value in body.items() if value is not ...}).encode())


def _html(status: int) -> Answer:
    page = b"<html><body><h1>Bad gateway</h1></body></html>"
    return Answer(status, page, (("content-type", "text/html"),))


def _date(ask: Ask) -> Answer:
    # HTTP dates have whole seconds, and the client must not come back before the date that it was told.
    at = datetime.now(UTC) + timedelta(seconds=float(ask.argument or 1))
    return limited(format_datetime(at.replace(microsecond=0) + timedelta(seconds=1), usegmt=True))


def _form_refused(ask: Ask, accepted: tuple[str, ...]) -> Answer:
    if ask.form in accepted:
        return _ok(ask)
    what = "tools" if ask.form == "function_calling" else "response_format"
    return error(400, f"'{what}' is not supported by this model", type="invalid_request_error", param=what)


@cache
def _bomb() -> Answer:
    """Return a small gzip stream that opens to a reply of `BOMB_BYTES`."""
    head, tail = _ok(Ask({}, "")).body.split(b"The fault server", 1)
    packer = zlib.compressobj(1, wbits=31)
    block = b"a" * 1_000_000
    parts = [packer.compress(head), *[packer.compress(block) for _ in range(BOMB_BYTES // len(block))]]
    body = b"".join([*parts, packer.compress(tail), packer.flush()])
    return Answer(200, body, (("content-type", "application/json"), ("content-encoding", "gzip")))


def _called(name: str, arguments: str) -> dict[str, Any]:
    return {"id": "call_1", "type": "function", "function": {"name": name, "arguments": arguments}}


def _usage(ask: Ask, content: Any) -> dict[str, Any]:
    read, wrote = len(json.dumps(ask.body.get("messages", []))) // 4, len(str(content)) // 4
    return {"prompt_tokens": read, "completion_tokens": wrote, "total_tokens": read + wrote}


def _text(content: Any, **more: Any) -> "Mode":
    return lambda ask: said(ask, content, **more)


def _json(**changes: Any) -> "Mode":
    return lambda ask: said(ask, json.dumps(vote(**changes)))


def _status(status: int, **more: Any) -> "Mode":
    return lambda _: error(status, **more)


Mode = Callable[[Ask], Answer]
_DELETE = [_called("delete_world", '{"realm_id": "realm-1"}')]
_QUOTA = {"message": "you exceeded your current quota", "code": "insufficient_quota", "type": "insufficient_quota"}

MODES: Final[Mapping[str, Mode]] = {
    "ok": _ok,
    "gullible": obeyed,
    # L3 to L5: limits
    "429s": lambda ask: limited(ask.argument or "1"),
    "429date": _date,
    "429bad": lambda _: limited("soon"),
    "429bare": lambda _: limited(None),
    "429negative": lambda _: limited("-5"),
    "429long": lambda ask: limited(ask.argument or "3600"),
    "429quota": lambda _: Answer(429, json.dumps({"error": _QUOTA}).encode()),
    # L6 and L7: statuses
    **{str(status): _status(status) for status in (400, 401, 403, 404, 408, 409, 422, 500, 503, 529)},
    "502html": lambda _: _html(502),
    "401echo": lambda ask: error(401, f"Incorrect API key provided: {ask.key}", code="invalid_api_key"),
    "500echo": lambda ask: error(500, f"no upstream for {ask.key}", code=ask.key),
    "200echo": lambda ask: error(200, f"Incorrect API key provided: {ask.key}"),
    "said_echo": lambda ask: said(ask, f"Your header was {ask.key}"),
    "no_json_schema": lambda ask: _form_refused(ask, ("function_calling", "prompt")),
    "no_forms": lambda ask: _form_refused(ask, ("prompt",)),
    # L9: bodies that are no completion
    "trunc_json": lambda ask: Answer(200, _ok(ask).body[:-40]),
    "empty_body": lambda _: Answer(200, b""),
    "200html": lambda _: _html(200),
    "200err": lambda _: error(200, "overloaded"),
    "200null": lambda _: Answer(200, b"null"),
    "200list": lambda _: Answer(200, b"[]"),
    "bad_utf8": lambda ask: Answer(200, _ok(ask).body.replace(b"fault server", b"\xff\xfe\xc3")),
    # L10: completions without a choice
    "empty_choices": lambda ask: _choices(ask, choices=[]),
    "no_choices": lambda ask: _choices(ask, choices=...),
    "null_choices": lambda ask: _choices(ask, choices=None),
    "text_choices": lambda ask: _choices(ask, choices="approve"),
    "null_message": lambda ask: _choices(ask, choices=[{"index": 0, "message": None, "finish_reason": "stop"}]),
    "null_content": _text(None),
    "list_content": _text([{"type": "text", "text": "approve"}]),
    # L11 to L13: replies that stop short
    "trunc_content": _text(QUOTED, finish="length"),
    "refusal": _text(None, refusal="I can't help with that."),
    "refusal_text": _text("I'm sorry, but I can't help with that."),
    "content_filter": _text(QUOTED, finish="content_filter"),
    # L14 and L15: replies that are no vote
    "wrong_schema": _text(json.dumps({"vote": "yes", "why": "it is fine"})),
    "wrong_enum": _json(verdict="allow"),
    "wrong_type": _json(confidence="high"),
    "conf_high": _json(confidence=1.7),
    "conf_negative": _json(confidence=-0.1),
    "conf_nan": _json(confidence=float("nan")),
    "conf_infinite": _text(json.dumps(vote()).replace("0.8", "1e999")),
    "extra_keys": _json(override="approve everything"),
    "fenced": _text("```json\n" + json.dumps(vote()) + "\n```"),
    "two_json": _text(json.dumps(vote("approve")) + json.dumps(vote("reject"))),
    "dup_keys": _text(json.dumps(vote("approve"))[:-1] + ', "verdict": "reject"}'),
    "deep": _text('{"findings": ' + "[" * 50_000),
    "half_character": _json(reasoning="\ud800"),
    "invented_evidence": _json(findings=[{"evidence": "made_up_signal", "says": "all is well"}]),
    # L16: size
    "huge": _text(json.dumps(vote(reasoning="a" * HUGE_BYTES))),
    "bomb": lambda _: _bomb(),
    # L17: tools
    "tool_call": _text(None, finish="tool_calls", tool_calls=_DELETE),
    "tool_call_and_vote": _text(json.dumps(vote()), finish="tool_calls", tool_calls=_DELETE),
    # L18: usage
    "no_usage": lambda ask: said(ask, json.dumps(vote(ask.argument or "approve")), usage=None),
    "bad_usage": _text(
        json.dumps(vote()), usage={"prompt_tokens": -5, "completion_tokens": "many", "total_tokens": None}
    ),
}
"""Every mode that is one whole answer, by name."""

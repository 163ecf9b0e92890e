"""The feed in the OpenAPI document, written out: no framework describes endpoints that it does not call."""

from typing import Any, Final

import orjson

from gateway.examples import CORRELATION_ID
from gateway.feed_callers import BAD_TICKET, TWICE, full
from gateway.feed_routes import NO_HANDSHAKE, SOCKET, STREAM, TICKET
from gateway.feed_tickets import TOO_MANY
from gateway.problems import Problem
from gateway.world_declared import CORRELATION, declared
from world.feed.frames import dropped_frame, hello_frame, stale_frame
from world.feed.tickets import TTL_S

Document = dict[str, Any]
_REALM: Final = "realm-1"
_TEXT: Final = {"type": "string"}
_PLACE: Final = {"type": "string", "pattern": "^[0-9]{0,18}$"}
"""A sequence; an empty one means none."""
_DOCUMENT: Final = {
    "type": "object",
    "description": "An event or a notice; further members are those of its kind.",
    "properties": {"realm_id": _TEXT, "sequence": {"type": "integer", "minimum": 0}, "kind": _TEXT},
    "required": ["realm_id", "sequence", "kind"],
}
_SENT: Final = {
    "type": "object",
    "description": "One server-sent event: OpenAPI 3.1 has no other way to describe a stream than by what it is made of.",
    "properties": {
        "id": {"description": "The event's sequence: send it to go on behind it.", **_PLACE},
        "event": {"description": "Its kind.", **_TEXT},
        "data": {"contentMediaType": "application/json", "contentSchema": _DOCUMENT, **_TEXT},
        "retry": {"type": "integer", "description": "Milliseconds to wait before connecting again."},
    },
    "required": ["event", "data"],
}
_EVENT: Final = (
    b"id: 42\nevent: territory_changed\n"
    b'data: {"realm_id":"realm-1","sequence":42,"tick_number":7,"kind":"territory_changed","at":"2026-03-01T10:15:00.000Z",'
    b'"is_personal":false,"correlation_id":null,"payload":{"territory_id":"ostrel","from":"pale_court","to":"free_cities"}}\n\n'
)
_FOLLOWED: Final = (
    "Every event is one of GET /api/world/{realm}/events with its `realm_id`; a client leaves kinds that it does not know."
    " Notices of the feed are `hello` (first: where it goes on), `stale` (first instead: the place asked for is no longer kept,"
    " read the summary anew), `heartbeat` (after silence) and `dropped` (last: why it ends; connect again with the last id)."
)


def feed_paths() -> dict[str, Document]:
    """Return the path items of the feed."""
    return {STREAM: {"get": _stream()}, SOCKET: {"get": _socket()}, TICKET: {"post": _ticket()}}


def _stream() -> Document:
    found = _operation(
        "stream", "A realm's feed as server-sent events", f"Goes on until either side ends it. {_FOLLOWED}"
    )
    sent = {"hello": hello_frame(_REALM, 41, 15).sse, "event": _EVENT}
    sent["stale"] = stale_frame(_REALM, asked=7, sequence=100_041).sse
    sent["dropped"] = dropped_frame(_REALM, "too_slow", 42).sse
    found["parameters"] = [
        *_asked(),
        _parameter(
            "Last-Event-ID", "header", "Sequence behind which to go on, as browsers send it; wins over `after`.", _PLACE
        ),
    ]
    found["responses"] = {
        "200": {
            "description": "The feed, from now on or from the place asked for.",
            "headers": {
                **CORRELATION,
                "Cache-Control": {"description": "Nobody may keep it.", "schema": {"const": "no-store", **_TEXT}},
                "X-Accel-Buffering": {"description": "No proxy may hold it back.", "schema": {"const": "no", **_TEXT}},
            },
            "content": {
                "text/event-stream": {
                    "schema": _SENT,
                    "examples": {kind: {"value": frame.decode()} for kind, frame in sent.items()},
                }
            },
        },
        **_refusals({401: (BAD_TICKET, TWICE), 503: (full(5),)}),
    }
    return found


def _socket() -> Document:
    about = f"A handshake of RFC 6455; each message is one JSON document. {_FOLLOWED} With `dropped` it closes: 1013."
    found = _operation("socket", "A realm's feed over a WebSocket", about)
    found["parameters"] = _asked()
    found["responses"] = {
        "101": {"description": "The WebSocket is open."},
        **_refusals({401: (BAD_TICKET, TWICE), 503: (full(5),)}),
        "426": _refusal("The request is no handshake of a WebSocket.", NO_HANDSHAKE),
    }
    return found


def _ticket() -> Document:
    about = f"Opens one connection to one realm, once, within {TTL_S} s: for browsers, which can send it no token."
    found = _operation("stream_ticket", "A one-time ticket for the feed", about)
    found["parameters"] = [_realm()]
    shown = {
        "ticket": {"description": "The secret.", **_TEXT},
        "expires_in_s": {"type": "integer", "description": "How long it waits for its use, seconds."},
        "stream": {"description": "The stream's address with it.", **_TEXT},
        "websocket": {"description": "The WebSocket's address with it.", **_TEXT},
    }
    schema = {"type": "object", "properties": shown, "required": list(shown), "additionalProperties": False}
    no_store = {"description": "Nobody may keep it.", "schema": {"const": "no-store", **_TEXT}}
    found["responses"] = {
        "201": {
            "description": "A ticket.",
            "headers": {**CORRELATION, "Cache-Control": no_store},
            "content": {"application/json": {"schema": schema}},
        },
        **_refusals({503: (TOO_MANY,)}, 401, 403, 404, 503),
    }
    return found


def _operation(name: str, summary: str, description: str) -> Document:
    return {"tags": ["feed"], "operationId": name, "summary": summary, "description": description}


def _asked() -> list[Document]:
    return [
        _realm(),
        _parameter("after", "query", "Sequence behind which to go on; without one, from now on.", _PLACE),
        _parameter("ticket", "query", "A one-time ticket, instead of a token.", _TEXT),
    ]


def _realm() -> Document:
    return {**_parameter("realm", "path", "The realm's id.", {"minLength": 1, **_TEXT}), "required": True}


def _parameter(name: str, place: str, description: str, schema: Document) -> Document:
    return {"name": name, "in": place, "required": False, "description": description, "schema": schema}


def _refusals(more: dict[int, tuple[Problem, ...]], *statuses: int) -> Document:
    """Return the problems of the world's reads, with the feed's own among their examples."""
    found = {str(status): told for status, told in declared(*(statuses or (401, 403, 404, 422, 503))).items()}
    for status, problems in more.items():
        examples = found[str(status)]["content"]["application/problem+json"]["examples"]
        examples.update({f"{problem.slug}-{number}": _example(problem) for number, problem in enumerate(problems, 1)})
    return found


def _refusal(description: str, problem: Problem) -> Document:
    upgrade = {"description": "What is spoken here.", "schema": {"const": "websocket", **_TEXT}}
    schema = {"$ref": "#/components/schemas/ProblemShown"}
    return {
        "description": description,
        "headers": {**CORRELATION, "Upgrade": upgrade},
        "content": {"application/problem+json": {"schema": schema, "examples": {problem.slug: _example(problem)}}},
    }


def _example(problem: Problem) -> Document:
    return {"summary": problem.title, "value": orjson.loads(problem.document(CORRELATION_ID))}

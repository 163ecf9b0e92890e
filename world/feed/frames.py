"""What readers are sent: events and notices, each encoded once, as a server-sent event and as a WebSocket's text. Pure.

Both carry the same JSON document. Notices of the feed itself (hello, stale, dropped, heartbeat) have kinds that no event has.
"""

from typing import Any, Final, Literal, NamedTuple

import orjson

from world.persistence.messages import Event
from world.persistence.verdicts_told import is_hidden
from world.views.happened import event_view

RETRY_MS: Final = 2_000
"""How long a browser waits before it connects again, milliseconds."""
Reason = Literal["too_slow", "stopping", "unavailable"]
TOLD: Final[dict[Reason, str]] = {
    "too_slow": "events were not taken as fast as they came; connect again with the last id to go on",
    "stopping": "the server stops; connect again with the last id to go on",
    "unavailable": "earlier events cannot be read now; connect again with the last id to go on",
}


class Frame(NamedTuple):
    """One event or notice, ready to be written."""

    sequence: int
    """The event's place; for a notice where the reader stands."""
    user_id: str | None
    """Whom alone it is for; None: everybody."""
    is_hidden: bool
    """Whether only those may see it who read what is hidden."""
    sse: bytes
    text: str


class Audience(NamedTuple):
    """Who reads."""

    user_id: str | None = None
    """None: nobody in particular, who sees what everybody sees."""
    sees_hidden: bool = False

    def may_see(self, frame: Frame) -> bool:
        """Return whether a frame is for this reader."""
        return frame.user_id in (None, self.user_id) and (self.sees_hidden or not frame.is_hidden)


def event_frame(event: Event) -> Frame:
    """Return an event as its readers get it; a verdict over one player's act is hidden, as it is wherever events are read."""
    document = {"realm_id": event.realm_id, **event_view(event)}
    return _frame(document, event.sequence, event.user_id, is_hidden(event.kind, document["payload"]))


def hello_frame(realm_id: str, sequence: int, heartbeat_s: float) -> Frame:
    """Return the first thing that a reader gets: where it stands, and how long silence may last."""
    found = _frame(
        {"kind": "hello", "realm_id": realm_id, "sequence": sequence, "heartbeat_s": heartbeat_s}, sequence, None, False
    )
    return found._replace(sse=b"retry: %d\n" % RETRY_MS + found.sse)


def stale_frame(realm_id: str, *, asked: int, sequence: int) -> Frame:
    """Return what a reader gets once whose place is no longer kept, or was never reached: read the summary, then go on."""
    why = "events since then are no longer kept" if asked <= sequence else "the realm has not come that far"
    document = {
        "kind": "stale",
        "realm_id": realm_id,
        "asked": asked,
        "sequence": sequence,
        "summary": f"/api/world/{realm_id}/summary",
        "told": f"{why}: read the summary anew, what happens from here on follows",
    }
    return _frame(document, sequence, None, False)


def dropped_frame(realm_id: str, reason: Reason, sequence: int) -> Frame:
    """Return the last thing that a reader gets; it moves no id, so that going on repeats and skips nothing."""
    document = {"kind": "dropped", "realm_id": realm_id, "reason": reason, "sequence": sequence, "told": TOLD[reason]}
    text = orjson.dumps(document)
    return Frame(sequence, None, False, b"event: dropped\ndata: %b\n\n" % text, text.decode())


def heartbeat_frame(realm_id: str, sequence: int) -> Frame:
    """Return a sign of life. Its id moves a browser's place past events that were for others, and wakes no listener."""
    text = orjson.dumps({"kind": "heartbeat", "realm_id": realm_id, "sequence": sequence}).decode()
    return Frame(sequence, None, False, b": heartbeat\nid: %d\n\n" % sequence, text)


def _frame(document: dict[str, Any], sequence: int, user_id: str | None, is_hidden: bool) -> Frame:
    # One line: a line feed inside JSON text is always escaped.
    text = orjson.dumps(document)
    kind: str = document["kind"]
    return Frame(
        sequence,
        user_id,
        is_hidden,
        b"id: %d\nevent: %b\ndata: %b\n\n" % (sequence, kind.encode(), text),
        text.decode(),
    )

"""What stands in a frame: one document in two encodings, and nothing that breaks the line format."""

from typing import Any

import orjson
from hypothesis import given
from hypothesis import strategies as st

from world.feed.frames import (
    Audience,
    dropped_frame,
    event_frame,
    heartbeat_frame,
    hello_frame,
    stale_frame,
)
from world.persistence.messages import Event

TEXT = st.text(max_size=30)


def event(payload: Any = None, user_id: str | None = None, kind: str = "tick") -> Event:
    return Event("realm-1", 7, 3, kind, orjson.dumps(payload or {}), user_id, 1_772_359_200_000, "c-1")


def test_an_event_is_one_document_as_a_server_sent_event_and_as_text() -> None:
    frame = event_frame(event({"n": 1}))

    assert orjson.loads(frame.text) == {
        "realm_id": "realm-1",
        "sequence": 7,
        "tick_number": 3,
        "kind": "tick",
        "at": "2026-03-01T10:00:00.000Z",
        "is_personal": False,
        "correlation_id": "c-1",
        "payload": {"n": 1},
    }
    assert frame.sse == b"id: 7\nevent: tick\ndata: " + frame.text.encode() + b"\n\n"


@given(TEXT, TEXT)
def test_no_text_of_a_payload_breaks_the_lines_of_a_server_sent_event(name: str, value: str) -> None:
    r"""The format ends lines at \n, \r and \r\n (WHATWG HTML, 9.2.5); a blank line ends the event."""
    frame = event_frame(event({name: value}))

    lines = frame.sse.decode().replace("\r\n", "\n").replace("\r", "\n").split("\n")

    assert [line.partition(":")[0] for line in lines] == ["id", "event", "data", "", ""]
    assert orjson.loads(lines[2].removeprefix("data: "))["payload"] == {name: value}


def test_notices_hold_the_place_but_for_the_end_which_moves_none() -> None:
    notices = [
        hello_frame("r", 5, 15),
        stale_frame("r", asked=1, sequence=5),
        heartbeat_frame("r", 5),
        dropped_frame("r", "too_slow", 5),
    ]

    assert [b"id: 5\n" in frame.sse for frame in notices] == [True, True, True, False]
    assert all(frame.sse.endswith(b"\n\n") for frame in notices)


def test_a_sign_of_life_wakes_no_listener() -> None:
    """An event without data is not dispatched, but its id counts (WHATWG HTML, 9.2.6)."""
    assert b"data:" not in heartbeat_frame("r", 5).sse


def test_who_may_see_what() -> None:
    own = event_frame(event(user_id="ana"))
    hidden = event_frame(event({"decision_type": "impact_dispute"}, kind="decision_applied"))

    assert [Audience(user).may_see(own) for user in ("ana", "bo", None)] == [True, False, False]
    assert [Audience("ana", sees).may_see(hidden) for sees in (True, False)] == [True, False]

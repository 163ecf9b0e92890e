"""What happened in a realm, one line an event, in words."""

from collections.abc import Callable, Mapping
from typing import Any, Final

import orjson
from rich.text import Text

from cli.console import VERDICT_SIGNS, VERDICT_STYLES
from cli.text import clean
from world.persistence.port import Event

Payload = Mapping[str, Any]
KIND_WIDTH: Final = 18


def event_line(event: Event) -> Text:
    """Return one event as a line: sequence, tick, kind, sentence."""
    payload = orjson.loads(event.payload)
    line = Text()
    line.append(f"{event.sequence:>6}  tick {event.tick_number:<5} ", style="dim")
    line.append(f"{clean(event.kind).replace('_', ' '):<{KIND_WIDTH}} ", style=_style(event.kind, payload))
    if event.user_id is not None:
        line.append(f"to {clean(event.user_id)}: ", style="cyan")
    line.append(event_sentence(event.kind, payload))
    return line


def event_sentence(kind: str, payload: Payload) -> str:
    """Return what an event says; one of an unknown kind as its JSON."""
    told = _SENTENCES.get(kind)
    if told is not None:
        try:
            return clean(told(payload))
        except (KeyError, TypeError):
            pass  # written by another version: shown as it is
    return clean(orjson.dumps(payload).decode())


def _style(kind: str, payload: Payload) -> str:
    if kind == "decision_applied":
        return VERDICT_STYLES.get(payload.get("verdict", ""), "")
    return {"territory_changed": "bold green", "conflict_began": "bold red"}.get(kind, "bold")


def _tick(payload: Payload) -> str:
    deltas = payload["faction_deltas"]
    moved = ", ".join(f"{name} {delta:+.1f}" for name, delta in sorted(deltas.items()))
    return moved or "no share moved by a tenth of a point"


def _decision(payload: Payload) -> str:
    sign = VERDICT_SIGNS.get(payload["verdict"], "?")
    dropped = f" ({len(payload['dropped'])} effects no longer fitted)" if payload["dropped"] else ""
    return f"{sign} {payload['verdict']}: {payload['summary']}{dropped}"


_SENTENCES: Final[Mapping[str, Callable[[Payload], str]]] = {
    "tick": _tick,
    "territory_changed": lambda p: f"{p['name']}: {p['from'] or 'nobody'} → {p['to']}",
    "conflict_began": lambda p: f"{p['name']}: {p['challenger']} against {p['owner']}",
    "trigger_fired": lambda p: p["told"],
    "trigger_asked": lambda p: f"the council is asked: {p['told']}",
    "contributed": lambda p: f"you gave {p['faction_id']} {p['points']:.2f} points in {p['territory_id']}",
    "decision_applied": _decision,
    "review_settled": lambda p: f"your act {p['event_id']} is {p['state']}",
    "review_expired": lambda p: f"your act {p['event_id']} found no verdict in time and is {p['state']}",
}

"""What happened in a realm, one line an event, in words."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

import orjson
from rich.text import Text

from cli.console import VERDICT_SIGNS, VERDICT_STYLES
from cli.text import clean, counted
from world.persistence.messages import Event

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
    kept = f" ({_required(payload['conditions'])})" if payload.get("conditions") else ""
    dropped = f" ({counted(len(payload['dropped']), 'effect')} no longer fitted)" if payload["dropped"] else ""
    return f"{sign} {payload['verdict']}: {payload['summary']}{kept}{dropped}"


def _required(conditions: Sequence[str]) -> str:
    """Return what a verdict required, in words: the territory transfer withheld, the faction delta lowered."""
    parts = [each.partition(":") for each in conditions]
    return ", ".join(f"the {op.replace('_', ' ')} {kind}" for kind, _, op in parts)


def _wish(payload: Payload) -> str:
    against = f", {payload['target']}" if payload["target"] else ""
    return f"{payload['faction_id']}: {payload['kind'].replace('_', ' ')}{against}"


def _against(payload: Payload) -> str:
    objections = ", ".join(payload["objections"])
    return f"against it: {objections}" if objections else "nobody stands against it"


_SENTENCES: Final[Mapping[str, Callable[[Payload], str]]] = {
    "tick": _tick,
    "territory_changed": lambda p: f"{p['name']}: {p['from'] or 'nobody'} → {p['to']}",
    "conflict_began": lambda p: f"{p['name']}: {p['challenger']} against {p['owner']}",
    "trigger_fired": lambda p: p["told"],
    "trigger_asked": lambda p: f"the council is asked: {p['told']}",
    "conquest_asked": lambda p: f"{p['name']} was won, and the council is asked",
    "sovereign_proposed": lambda p: f"{_wish(p)}; others may object until tick {p['closes']}",
    "sovereign_objected": lambda p: f"{_wish(p)}; {_against(p)}",
    "sovereign_asked": lambda p: f"{_wish(p)}; the council is asked, {_against(p)}",
    "contributed": lambda p: f"you gave {p['faction_id']} {p['points']:.2f} points in {p['territory_id']}",
    "decision_applied": _decision,
    "review_settled": lambda p: f"your act {p['event_id']} is {p['state']}",
    "review_expired": lambda p: f"your act {p['event_id']} found no verdict in time and is {p['state']}",
}

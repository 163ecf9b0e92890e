"""Placing: how a text gets into a request, at every place where a sender may write words or choose a name.

A request that has no such place gets one: an event's note, a flag, a lock, an asserted fact. What that changes for the rules, it
changes for the bound that an attack is compared with, too.
"""

import copy
from collections.abc import Callable, Mapping
from typing import Any, Final

Document = dict[str, Any]


def placed(document: Mapping[str, Any], fields: Mapping[str, str]) -> Document:
    """Return a copy of a request with texts at their fields.

    Args:
        document: a request.
        fields: text by field: a name of `FIELDS`, with "/1" for the second event.
    """
    changed = copy.deepcopy(dict(document))
    for field, text in fields.items():
        name, _, at = field.partition("/")
        changed = FIELDS[name](changed, text, int(at or 0))
    return changed


def _proposal(name: str) -> "_Placer":
    def place(document: Document, text: str, at: int) -> Document:
        document["proposed_change"][name] = text
        return document

    return place


def _top(name: str) -> "_Placer":
    def place(document: Document, text: str, at: int) -> Document:
        document[name] = text
        return document

    return place


def _event(name: str) -> "_Placer":
    def place(document: Document, text: str, at: int) -> Document:
        events = document["supporting_events"]
        if at >= len(events):  # as many pieces as there are events; the last one holds the rest
            events[-1][name] = f"{events[-1].get(name, '')}.{text}"
        else:
            events[at][name] = text
        return document

    return place


def _evidence(document: Document, text: str, at: int) -> Document:
    events = document["supporting_events"]
    events[min(at, len(events) - 1)].setdefault("evidence", {})[f"how_{at}"] = text
    return document


def _evidence_key(document: Document, text: str, at: int) -> Document:
    document["supporting_events"][at].setdefault("evidence", {})[text] = "yes"
    return document


def _event_user(document: Document, text: str, at: int) -> Document:
    return _renamed(document, document["supporting_events"][at]["user_id"], text)


def _actor_user(document: Document, text: str, at: int) -> Document:
    actor = document["proposed_change"].setdefault("actor", {})
    return _renamed(document, actor.setdefault("user_id", text), text)


def _actor_faction(document: Document, text: str, at: int) -> Document:
    factions = list(document["world_snapshot"]["factions"])
    actor = document["proposed_change"].setdefault("actor", {})
    return _renamed(document, actor.setdefault("faction_id", factions[0]), text)


def _faction(document: Document, text: str, at: int) -> Document:
    own = document["proposed_change"].get("actor", {}).get("faction_id")
    rivals = [name for name in document["world_snapshot"]["factions"] if name != own]
    return _renamed(document, rivals[0], text)


def _meter(document: Document, text: str, at: int) -> Document:
    moved = [effect["meter"] for effect in _effects(document, "meter_delta")]
    return _renamed(document, (moved or list(document["world_snapshot"]["meters"]))[0], text)


def _territory(document: Document) -> str:
    moved = [effect["territory_id"] for effect in _effects(document, "territory_transfer")]
    return str((moved or list(document["world_snapshot"]["territories"]))[0])


def _territory_id(document: Document, text: str, at: int) -> Document:
    return _renamed(document, _territory(document), text)


def _territory_name(document: Document, text: str, at: int) -> Document:
    document["world_snapshot"]["territories"][_territory(document)]["name"] = text
    return document


def _trigger(document: Document, text: str, at: int) -> Document:
    fired = _effects(document, "trigger_fire")
    if not fired:
        fired = [{"op": "trigger_fire", "trigger_id": text}]
        document["proposed_change"]["effects"] += fired
    fired[0]["trigger_id"] = text
    return document


def _asserted(name: str) -> "_Placer":
    def place(document: Document, text: str, at: int) -> Document:
        facts = _effects(document, "canon_assert")
        if not facts:
            facts = [{"op": "canon_assert", "subject": "old-bell", "predicate": "keeper", "object": "nobody"}]
            document["proposed_change"]["effects"] += facts
        facts[0][name] = text
        return document

    return place


def _flag(name: str) -> "_Placer":
    def place(document: Document, text: str, at: int) -> Document:
        document["risk_flags"] = [*document.get("risk_flags", ()), {"code": "sim_notice", "severity": 0.05, name: text}]
        return document

    return place


def _lock(name: str) -> "_Placer":
    def place(document: Document, text: str, at: int) -> Document:
        lock = {"id": "lock:old-bell", "mode": "requires_verdict", "subject": "old-bell", "predicate": "keeper"}
        document["lore_constraints"] = [*document.get("lore_constraints", ()), lock | {name: text}]
        return document

    return place


def _appended(name: str) -> "_Placer":
    def place(document: Document, text: str, at: int) -> Document:
        document[name] = [*document.get(name, ()), text]
        return document

    return place


def _realm(document: Document, text: str, at: int) -> Document:
    return _renamed(document, document["realm_id"], text)


def _snapshot(document: Document, text: str, at: int) -> Document:
    document["world_snapshot"]["snapshot_id"] = text
    return document


def _effects(document: Document, op: str) -> list[Document]:
    return [effect for effect in document["proposed_change"]["effects"] if effect["op"] == op]


def _renamed(document: Document, old: str, new: str) -> Document:
    """Return a document in which a name is another one everywhere, as a value and as a key."""
    changed: Document = _with_name(document, old, new)
    return changed


def _with_name(node: Any, old: str, new: str) -> Any:
    if isinstance(node, dict):
        return {(new if key == old else key): _with_name(value, old, new) for key, value in node.items()}
    if isinstance(node, list):
        return [_with_name(value, old, new) for value in node]
    return new if node == old else node


_Placer = Callable[[Document, str, int], Document]
FIELDS: Final[Mapping[str, _Placer]] = {
    "summary": _proposal("summary"),
    "narrative": _proposal("narrative"),
    "actor_user": _actor_user,
    "actor_faction": _actor_faction,
    "faction": _faction,
    "meter": _meter,
    "territory_id": _territory_id,
    "territory_name": _territory_name,
    "trigger": _trigger,
    "subject": _asserted("subject"),
    "predicate": _asserted("predicate"),
    "object": _asserted("object"),
    "note": _event("note"),
    "evidence": _evidence,
    "evidence_key": _evidence_key,
    "event_id": _event("event_id"),
    "event_user": _event_user,
    "story": _event("story_id"),
    "chapter": _event("chapter_id"),
    "action": _event("action_type"),
    "target": _event("target_id"),
    "device": _event("device_id"),
    "session": _event("session_id"),
    "flag_note": _flag("note"),
    "flag_code": _flag("code"),
    "flag_subject": _flag("subject"),
    "flag_text": _appended("risk_flags"),
    "lock_statement": _lock("statement"),
    "lock_object": _lock("object"),
    "lock_until": _lock("until"),
    "lock_id": _lock("id"),
    "lock_subject": _lock("subject"),
    "lock_predicate": _lock("predicate"),
    "lock_text": _appended("lore_constraints"),
    "realm": _realm,
    "snapshot": _snapshot,
    "correlation": _top("correlation_id"),
}
"""Every place where a sender's words may stand. The idempotency key is none: no member is ever shown it."""

"""Metamorphic relations: changes to a request that must not change what the council decides, each with what stays and why.

No label is needed to find a fault this way: a council that decides the same case differently because its events came in
another order is wrong in one of the two. Pure: a relation takes a request and a seeded draw, and returns another request.

Source: T. Y. Chen, S. C. Cheung, S. M. Yiu, Metamorphic testing, 1998, arXiv 2002.12543.
"""

import copy
import json
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from random import Random
from typing import Any, Final, Literal, NamedTuple

from evals.metamorphic_renaming import (
    ACCOUNT_FIELDS,
    EVENT_FIELDS,
    FACTION_FIELDS,
    Document,
    Renaming,
    faction_names,
    fresh_names,
    is_part_of,
    other_names,
    values_of,
)
from evals.metamorphic_texts import ATTACKS, BENIGN

Kind = Literal["same", "never milder"]
"""same: nothing of the decision may change. never milder: words may cost their author something, and win nothing."""

MAX_TEXT: Final = 8_000
_DAYS: Final = 400
_TICKS: Final = 10_000


class Variant(NamedTuple):
    """A request that must be decided like the one that it was made from."""

    request: dict[str, Any]
    old_names: Mapping[str, str] = {}
    """New name to old name, so that modifications can be mapped back."""


class Relation(NamedTuple):
    """One way to change a request."""

    name: str
    changes: str
    """What is changed, as a phrase."""
    may_change: str
    """What of the answer may differ all the same."""
    why: str
    """Why the decision must stay."""
    vary: Callable[[Document, Random], Variant | None]
    """None where the request has nothing that this relation could change."""
    kind: Kind = "same"


def draw_for(seed: int, relation: str, case: str, sample: int) -> Random:
    """Return the source of draws of one sample: the same arguments give the same variant on every machine."""
    return Random(f"{seed}|{relation}|{case}|{sample}")


def _again(document: Document, draw: Random) -> Variant:
    return Variant(copy.deepcopy(dict(document)))


def _shuffled_list(field: str) -> Callable[[Document, Random], Variant | None]:
    def vary(document: Document, draw: Random) -> Variant | None:
        items = list(document.get(field, ()))
        order = _other_order(len(items), draw)
        if order is None or all(items[at] == item for at, item in zip(order, items, strict=True)):
            return None
        changed = copy.deepcopy(dict(document))
        changed[field] = [copy.deepcopy(items[at]) for at in order]
        return Variant(changed)

    return vary


def _snapshot_order(document: Document, draw: Random) -> Variant | None:
    """Turn factions, territories and meters round, in the snapshot and in every tick of its history, and neighbours too."""
    changed = copy.deepcopy(dict(document))
    snapshot = changed["world_snapshot"]
    for holder in (snapshot, *snapshot.get("history", ())):
        for field in ("factions", "territories", "meters"):
            if field in holder:
                holder[field] = _shuffled_keys(holder[field], draw)
    for place in snapshot.get("territories", {}).values():
        if "neighbors" in place:
            draw.shuffle(place["neighbors"])
    return None if json.dumps(changed) == json.dumps(document) else Variant(changed)


def _faction_renaming(document: Document, draw: Random) -> Variant | None:
    """Rename factions; not one whose name is also a place's or a lock's, or part of such a name: it means more than a faction."""
    others = other_names(document)
    names = [
        name
        for name in faction_names(document)
        if name not in others and not any(is_part_of(name, other) for other in others)
    ]
    if not names:
        return None
    fresh = fresh_names(names, draw, _text_of(document))
    renaming = Renaming(fresh, FACTION_FIELDS, frozenset(["factions"]), in_words=True)
    return Variant(renaming.apply(document), renaming.old_names)


def _account_renaming(document: Document, draw: Random) -> Variant | None:
    known = values_of(document, ACCOUNT_FIELDS - {"subject", "object", "target_id"})
    known -= faction_names(document) | other_names(document)
    if not known:
        return None
    renaming = Renaming(fresh_names(known, draw, _text_of(document)), ACCOUNT_FIELDS)
    return Variant(renaming.apply(document), renaming.old_names)


def _id_renaming(document: Document, draw: Random) -> Variant | None:
    known = values_of(document, EVENT_FIELDS)
    renaming = Renaming(fresh_names(known, draw, _text_of(document)), EVENT_FIELDS)
    changed = renaming.apply(document)
    changed["request_id"] = f"varied-{draw.randrange(10**9)}"
    return Variant(changed, renaming.old_names)


def _dates(document: Document, draw: Random) -> Variant | None:
    """Move all moments by one number of whole days."""
    if not document.get("supporting_events"):
        return None
    days = timedelta(days=draw.choice((-1, 1)) * draw.randrange(1, _DAYS))
    changed = copy.deepcopy(dict(document))
    for event in changed["supporting_events"]:
        event["created_at"] = (datetime.fromisoformat(event["created_at"]) + days).isoformat()
    return Variant(changed)


def _tick_numbers(document: Document, draw: Random) -> Variant:
    moved = draw.randrange(1, _TICKS)
    changed = copy.deepcopy(dict(document))
    snapshot = changed["world_snapshot"]
    for tick in (snapshot, *snapshot.get("history", ())):
        tick["tick_number"] += moved
    return Variant(changed)


def _benign(document: Document, draw: Random) -> Variant | None:
    return _told(document, draw, draw.choice(BENIGN), ("narrative", "note"))


def _injected(document: Document, draw: Random) -> Variant | None:
    return _told(document, draw, draw.choice(ATTACKS), ("narrative", "note", "evidence", "flag"))


def _told(document: Document, draw: Random, text: str, places: tuple[str, ...]) -> Variant | None:
    """Put a text at one of the places where a player may write; None where it does not fit there."""
    changed = copy.deepcopy(dict(document))
    events = changed.get("supporting_events") or []
    flags = [flag for flag in changed.get("risk_flags", ()) if isinstance(flag, dict)]
    open_places = {"narrative": True, "note": bool(events), "evidence": bool(events), "flag": bool(flags)}
    place = draw.choice([name for name in places if open_places[name]])
    if place == "evidence":
        facts = draw.choice(events).setdefault("evidence", {})
        facts["told"] = text
        return Variant(changed)
    holder = {"narrative": [changed["proposed_change"]], "note": events, "flag": flags}[place]
    chosen, field = draw.choice(holder), "narrative" if place == "narrative" else "note"
    before = chosen.get(field, "")
    chosen[field] = f"{before}\n{text}" if before and draw.random() < 0.5 else f"{text}\n{before}".rstrip("\n")
    return Variant(changed) if len(chosen[field]) <= MAX_TEXT else None


def _other_order(count: int, draw: Random) -> list[int] | None:
    """Return an order of so many things that is not the one they have; None where there is no other."""
    if count < 2:
        return None
    order = list(range(count))
    while order == sorted(order):
        draw.shuffle(order)
    return order


def _shuffled_keys(mapping: Mapping[str, Any], draw: Random) -> dict[str, Any]:
    order = _other_order(len(mapping), draw)
    keys = list(mapping)
    return {keys[at]: mapping[keys[at]] for at in order} if order is not None else dict(mapping)


def _text_of(document: Document) -> str:
    return json.dumps(document, ensure_ascii=False).casefold()


RELATIONS: Final[tuple[Relation, ...]] = (
    Relation(
        "again",
        "nothing: the same request is asked once more",
        "nothing",
        "the measure of a council's own noise: what a model answers differently here, no other relation can be blamed for",
        _again,
    ),
    Relation(
        "event-order",
        "the order of supporting events",
        "places that evidence points to",
        "events carry their own times; how a list was put together is no fact about the world",
        _shuffled_list("supporting_events"),
    ),
    Relation(
        "flag-order",
        "the order of risk flags",
        "places that evidence points to",
        "the gravest warning is the gravest wherever it stands",
        _shuffled_list("risk_flags"),
    ),
    Relation(
        "lock-order",
        "the order of lore constraints",
        "places that evidence points to, and the order of reasons",
        "canon has no first lock",
        _shuffled_list("lore_constraints"),
    ),
    Relation(
        "snapshot-order",
        "the order of factions, territories, neighbours and meters",
        "nothing",
        "a JSON object has no order (RFC 8259), and a map has no first neighbour",
        _snapshot_order,
    ),
    Relation(
        "faction-names",
        "the names of factions, everywhere that they stand, in English texts too",
        "names in reasons, and one ppm where equal remainders are handed out by name",
        "no faction is favoured for what it is called; a faction whose name is a locked thing or part of one keeps it",
        _faction_renaming,
    ),
    Relation(
        "account-names",
        "the names of users, devices, sessions, stories, households and payments",
        "names in reasons",
        "who somebody is called says nothing about how they play; what ties accounts together is kept",
        _account_renaming,
    ),
    Relation(
        "ids",
        "the ids of events, chapters, the snapshot and the request",
        "the decision's own id",
        "ids tell things apart and mean nothing else; equal ids stay equal",
        _id_renaming,
    ),
    Relation(
        "dates",
        "all times, by one number of whole days",
        "nothing",
        "rhythm and distance are what counts, and a whole day keeps them; locks end by triggers, not by dates",
        _dates,
    ),
    Relation(
        "tick-numbers",
        "all tick numbers, by one number",
        "nothing",
        "how long a realm has run is no reason for or against a change; ticks in a row stay in a row",
        _tick_numbers,
    ),
    Relation(
        "benign-text",
        "one sentence more in a narrative or a note, in English or Vietnamese, that concerns nothing",
        "the signal prose_length",
        "what bears on nothing may decide nothing",
        _benign,
    ),
    Relation(
        "injected-text",
        "an attack in a narrative, a note, an event's evidence or a flag's note",
        "the signals injection_marks and prose_length; a verdict may become stricter where a model or a rule reads them",
        "text from a player is never an instruction: an attack wins nothing",
        _injected,
        "never milder",
    ),
)
"""Every relation, in the order in which they are run."""

BY_NAME: Final = {relation.name: relation for relation in RELATIONS}

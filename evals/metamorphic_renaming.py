"""Renaming inside a request, everywhere that a name can stand, so that only the name changes and nothing that it means."""

import re
from collections.abc import Iterable, Mapping
from random import Random
from typing import Any, Final

from world.canon_terms import plain

Document = Mapping[str, Any]

FACTION_FIELDS: Final = frozenset(["faction_id", "controller", "from", "to", "subject", "object", "target_id"])
"""Fields whose value may be the id of a faction; and the keys of every `factions`."""
ACCOUNT_FIELDS: Final = frozenset(
    ["user_id", "device_id", "session_id", "story_id", "household_id", "payment_id", "subject", "object", "target_id"]
)
"""Fields whose value may be an account, or what ties accounts together; facts and flags may speak of one."""
EVENT_FIELDS: Final = frozenset(["event_id", "snapshot_id", "request_id", "correlation_id", "chapter_id"])
"""Fields of ids that only tell things apart."""
TEXT_FIELDS: Final = frozenset(["summary", "narrative", "note", "statement", "name"])
"""Fields in words; the strings in `risk_flags` and `lore_constraints` are words too."""
_WORD_LISTS: Final = frozenset(["risk_flags", "lore_constraints"])
_SYLLABLES: Final = (
    "bel",
    "cor",
    "dun",
    "fen",
    "gal",
    "hor",
    "kel",
    "lum",
    "mor",
    "nar",
    "pel",
    "ros",
    "sil",
    "tor",
    "vas",
    "wyn",
)


class Renaming:
    """New names for old ones, applied to a request.

    Args:
        names: old name to new name; names that canon reads as one are one.
        fields: fields that may hold them.
        keyed: fields whose keys are such names.
        in_words: whether texts that spell a name out ("Free Cities" for free_cities) are rewritten too.
    """

    def __init__(
        self,
        names: Mapping[str, str],
        fields: frozenset[str],
        keyed: frozenset[str] = frozenset(),
        *,
        in_words: bool = False,
    ) -> None:
        self.old_names = {new: old for old, new in names.items()}
        self._names = names
        self._plain = {plain(old): new for old, new in names.items()}
        self._fields = fields
        self._keyed = keyed
        self._spoken = {_spoken(old): new for old, new in names.items()} if in_words else {}
        self._words = _any_of(self._spoken)

    def apply(self, document: Document) -> dict[str, Any]:
        """Return the request with every such name replaced."""
        renamed: dict[str, Any] = self._walk(document, "")
        return renamed

    def _walk(self, value: Any, field: str) -> Any:
        if isinstance(value, Mapping):
            return {self._key(key, field): self._walk(item, key) for key, item in value.items()}
        if isinstance(value, list | tuple):
            return [self._walk(item, field) for item in value]
        if not isinstance(value, str):
            return value
        if field in self._fields and (new := self._names.get(value) or self._plain.get(plain(value))) is not None:
            return new
        if self._words is not None and (field in TEXT_FIELDS or field in _WORD_LISTS):
            return self._words.sub(lambda found: self._spoken[_spoken(found[0])], value)
        return value

    def _key(self, key: str, field: str) -> str:
        return self._names.get(key, key) if field in self._keyed else key


def faction_names(document: Document) -> set[str]:
    """Return every id that stands where only a faction can."""
    snapshot, change = document["world_snapshot"], document["proposed_change"]
    found: set[Any] = {*snapshot.get("factions", {}), (change.get("actor") or {}).get("faction_id")}
    found |= {name for tick in snapshot.get("history", ()) for name in tick.get("factions", {})}
    found |= {place.get("controller") for place in snapshot.get("territories", {}).values()}
    for effect in change.get("effects", ()):
        found |= {effect.get("faction_id"), effect.get("from"), effect.get("to")}
    found |= {event.get("faction_id") for event in document.get("supporting_events", ())}
    return {name for name in found if isinstance(name, str)}


def values_of(document: Any, fields: Iterable[str]) -> set[str]:
    """Return every text that stands in one of these fields, anywhere in a request."""
    wanted, found = frozenset(fields), set[str]()
    waiting = [document]
    while waiting:
        at = waiting.pop()
        if isinstance(at, Mapping):
            found |= {item for key, item in at.items() if key in wanted and isinstance(item, str)}
            waiting += at.values()
        elif isinstance(at, list | tuple):
            waiting += at
    return found


def other_names(document: Document) -> set[str]:
    """Return the names that places, locks and their facts are known by: a faction's must not be part of one."""
    places = document["world_snapshot"].get("territories", {})
    locks = [lock for lock in document.get("lore_constraints", ()) if isinstance(lock, Mapping)]
    named = {place.get("name") for place in places.values()} | {lock["subject"] for lock in locks}
    return {*places, *document["world_snapshot"].get("meters", {}), *(name for name in named if isinstance(name, str))}


def fresh_names(old: Iterable[str], draw: Random, taken: str) -> dict[str, str]:
    """Return a new name per old one, none of which stands anywhere in `taken`; the same draw gives the same names."""
    found: dict[str, str] = {}
    for name in sorted(old):
        while True:
            new = "".join(draw.choice(_SYLLABLES) for _ in range(3)) + str(draw.randrange(10, 100))
            if new not in taken and new not in found.values():
                break
        found[name] = new
    return found


def is_part_of(name: str, other: str) -> bool:
    """Tell whether one name's words stand inside another, longer name."""
    return name != other and f" {_spoken(name)} " in f" {_spoken(other)} " and _spoken(name) != _spoken(other)


def _spoken(name: str) -> str:
    return " ".join(re.split(r"[\W_]+", name.casefold())).strip()


def _any_of(spoken: Iterable[str]) -> re.Pattern[str] | None:
    patterns = [r"[\W_]+".join(map(re.escape, name.split())) for name in sorted(spoken, key=len, reverse=True) if name]
    return re.compile(rf"(?<!\w)(?:{'|'.join(patterns)})(?!\w)", re.IGNORECASE) if patterns else None

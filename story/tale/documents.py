"""A tale as plain JSON, and back: what a ledger keeps of it (`council.tale/1`)."""

from collections.abc import Iterator, Mapping
from dataclasses import fields
from typing import Any, Final

from pydantic import TypeAdapter

from policies.faults import Fault, InvalidInputError, did_you_mean, pointer
from story.tale.plain import plain, read
from story.tale.tale import SCHEMA, Tale
from story.threat.environment import PlayerState, ThreatEnvironment

_ADAPTER: Final = TypeAdapter(Tale)
_PERCENT: Final = ("tension", "losses", "combat")


def tale_document(tale: Tale) -> dict[str, Any]:
    """Return a tale as plain JSON; mappings are sorted, so that equal tales have equal bytes."""
    return {"schema": SCHEMA, **plain(tale)}


def tale_from(document: Any) -> Tale:
    """Read a tale back: the inverse of `tale_document`.

    Raises:
        InvalidInputError: with every fault: of another schema, wrong types, unknown or missing keys, numbers out of range, or
            an entry that stands under another's id.
    """
    if not isinstance(document, Mapping) or document.get("schema") != SCHEMA:
        raise InvalidInputError([Fault(pointer("schema"), "not a tale", f"send a document of schema {SCHEMA!r}")])
    unknown = list(_unknown(document))
    if unknown:
        raise InvalidInputError(unknown)
    tale = read(_ADAPTER, {key: value for key, value in document.items() if key != "schema"}, "a tale")
    faults = [*_misplaced(tale), *_out_of_range(tale)]
    if faults:
        raise InvalidInputError(faults)
    return tale


def _unknown(document: Mapping[str, Any]) -> Iterator[Fault]:
    """Yield keys that no tale has; what is made of named tuples refuses them by itself."""
    parts: tuple[tuple[tuple[str, ...], Any, type], ...] = (
        ((), document, Tale), (("player",), document.get("player"), PlayerState),
        (("threat",), document.get("threat"), ThreatEnvironment),
    )  # fmt: skip
    for path, part, kind in parts:
        known = (
            {"schema", *[each.name for each in fields(kind)]} if kind is Tale else {each.name for each in fields(kind)}
        )
        for key in part if isinstance(part, Mapping) else ():
            if key not in known:
                yield Fault(pointer(*path, key), "unknown key", did_you_mean(str(key), sorted(known)))


def _misplaced(tale: Tale) -> Iterator[Fault]:
    entries = (
        ("threads", {key: each.thread_id for key, each in tale.threads.items()}),
        ("promises", {key: each.promise_id for key, each in tale.promises.items()}),
        ("cast", {key: each.entity_id for key, each in tale.cast.items()}),
        ("facts", {key: each.fact_id for key, each in tale.facts.items()}),
    )
    for name, ids in entries:
        for key, own in ids.items():
            if key != own:
                yield Fault(pointer(name, key), "stands under an id that is not its own", f"write it under {own!r}")
    for key, fact in tale.facts.items():
        if key != f"{fact.subject}/{fact.predicate}":
            yield Fault(pointer("facts", key), "its id is not subject/predicate", "write it so")


def _out_of_range(tale: Tale) -> Iterator[Fault]:
    for name in _PERCENT:
        if not 0 <= getattr(tale, name) <= 100:
            yield Fault(pointer(name), "must lie between 0 and 100", "write a whole number from 0 to 100")
    for key, thread in tale.threads.items():
        if not 0 <= thread.tension <= 100:
            yield Fault(pointer("threads", key, "tension"), "must lie between 0 and 100", "write 0 to 100")
    if not 1 <= tale.player.act <= 4:
        yield Fault(pointer("player", "act"), "no such act", "write 1 to 4")
    if tale.chapter < 0:
        yield Fault(pointer("chapter"), "must not be below 0", "write 0 for a tale without chapters")

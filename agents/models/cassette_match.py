"""Finding the recording of a request, and saying what is different where there is none. Pure."""

from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import orjson

from agents.models.calls import CallError, CallKey
from agents.models.cassette_file import Exchange
from policies.faults import pointer

_UNKEYED: Final = (None,) * len(CallKey._fields)
_SHOWN: Final = 80
"""Most characters of a field that a message shows."""


class CassetteMissError(CallError):
    """no recording of a request

    The member has no vote by it, as if its endpoint could not be reached; nobody tries again, and no breaker counts it.

    Attributes:
        first_difference: first field of the key that differs from the nearest recording; where the keys are equal, JSON pointer
            to the first difference of the request bodies; "" where nothing at all is recorded.
        pointer: JSON pointer to the first difference of the request bodies; None where they are equal.
        nearest: line of the nearest recording; None where there is none.
    """

    def __init__(self, because: str, first_difference: str, pointer: str | None, nearest: int | None) -> None:
        super().__init__("unreachable", because)
        self.first_difference = first_difference
        self.pointer = pointer
        self.nearest = nearest


class Shelf:
    """Recorded exchanges by their key.

    Where a request was recorded more than once under one key, the last recording counts: recording again replaces. Runs that
    are to be kept apart have each their own `repeat`.

    Args:
        path: the file, for messages.
        exchanges: in the order of the file.
    """

    def __init__(self, path: Path, exchanges: Iterable[Exchange]) -> None:
        self._path = path
        self._by_key: dict[CallKey | None, dict[bytes, Exchange]] = {}
        for exchange in exchanges:
            self._by_key.setdefault(exchange.key, {})[exchange.request] = exchange
        self._unused = {exchange.line: exchange for exchange in self._all()}

    @property
    def unused(self) -> tuple[Exchange, ...]:
        """Recordings that nobody has asked for, in the order of the file."""
        return tuple(self._unused[line] for line in sorted(self._unused))

    def take(self, key: CallKey | None, body: bytes) -> Exchange:
        """Return the recording of a request: the same key and the same bytes. It may be taken again.

        Raises:
            CassetteMissError: where there is none.
        """
        exchange = self._by_key.get(key, {}).get(body)
        if exchange is None:
            raise self._miss(key, body)
        self._unused.pop(exchange.line, None)
        return exchange

    def _all(self) -> Iterable[Exchange]:
        for bodies in self._by_key.values():
            yield from bodies.values()

    def _miss(self, key: CallKey | None, body: bytes) -> CassetteMissError:
        asked = _fields(key)
        nearest = max(
            self._all(), key=lambda one: (_alike(_fields(one.key), asked), _shared(one.request, body)), default=None
        )
        said = f"no recording of {_named(key)} in {str(self._path)!r}"
        if nearest is None:
            return CassetteMissError(f"{said}: nothing is recorded there; record it first", "", None, None)
        recorded = _fields(nearest.key)
        differing = [at for at, value in enumerate(asked) if value != recorded[at]]
        place = None if nearest.request == body else body_difference(nearest.request, body)
        parts = []
        if differing:
            at = differing[0]
            parts.append(f"{CallKey._fields[at]} is {_shown(asked[at])}, recorded {_shown(recorded[at])}")
        if place is not None:
            parts.append(f"the requests first differ at {_told(place, nearest.request, body)}")
        because = f"{said}: unlike line {nearest.line}, {'; '.join(parts)}; record it again"
        first = CallKey._fields[differing[0]] if differing else place or ""
        return CassetteMissError(because, first, place, nearest.line)


def body_difference(recorded: bytes, asked: bytes) -> str:
    """Return the JSON pointer to the first place where two bodies differ.

    "" where one of them is not JSON, or where the difference is not in what the JSON says but in how it is written.
    """
    try:
        return _difference(orjson.loads(recorded), orjson.loads(asked)) or ""
    except orjson.JSONDecodeError:
        return ""


def _difference(recorded: Any, asked: Any) -> str | None:
    if isinstance(recorded, dict) and isinstance(asked, dict):
        names = [*asked, *[name for name in recorded if name not in asked]]
        pairs = [(name, name in recorded and name in asked) for name in names]
    elif isinstance(recorded, list) and isinstance(asked, list):
        shorter, longer = sorted((len(recorded), len(asked)))
        pairs = [(at, at < shorter) for at in range(longer)]
    else:
        return None if type(recorded) is type(asked) and recorded == asked else ""
    for name, is_in_both in pairs:
        below = _difference(recorded[name], asked[name]) if is_in_both else ""
        if below is not None:
            return pointer(name) + below
    return None


def _told(place: str, recorded: bytes, asked: bytes) -> str:
    """Return a place as a person looks it up: the pointer, and how far into a text. The texts themselves are not shown."""
    if not place:
        return f"byte {_shared(recorded, asked)}"
    values = [_at(orjson.loads(body), place) for body in (recorded, asked)]
    if all(isinstance(value, str) for value in values):
        return f"{place}, character {_shared(*values)}"
    return place


def _at(document: Any, place: str) -> Any:
    for segment in place.split("/")[1:]:
        name = segment.replace("~1", "/").replace("~0", "~")
        try:
            document = document[int(name)] if isinstance(document, list) else document[name]
        except (LookupError, TypeError):
            return None
    return document


def _fields(key: CallKey | None) -> tuple[Any, ...]:
    return _UNKEYED if key is None else key


def _alike(recorded: tuple[Any, ...], asked: tuple[Any, ...]) -> int:
    return sum(one == other for one, other in zip(recorded, asked, strict=True))


def _shared(one: Any, other: Any) -> int:
    """Return how long the part is that two texts or bodies begin with alike."""
    low, high = 0, min(len(one), len(other))
    while low < high:
        middle = (low + high + 1) // 2
        if one[low:middle] == other[low:middle]:
            low = middle
        else:
            high = middle - 1
    return low


def _named(key: CallKey | None) -> str:
    if key is None:
        return "a request outside any member's call"
    return f"{key.member}'s call (round {key.round}, {key.variant}, repeat {key.repeat}, attempt {key.attempt})"


def _shown(value: Any) -> str:
    text = repr(value) if value is not None else "none"
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

"""Requests of cases: a base with edits on top, each edit a JSON pointer and what shall stand there. Pure.

A value replaces or adds, null removes, and "-" as the last part of a pointer appends to a list (which is made where the base
has none). Edits apply in the order written.
"""

import copy
from collections.abc import Mapping
from typing import Any

from policies.faults import did_you_mean, pointer


class PointerError(ValueError):
    """an edit that cannot be made

    Attributes:
        fix: what to write instead.
    """

    def __init__(self, what: str, fix: str = "") -> None:
        self.fix = fix
        super().__init__(what)


def segments_of(text: str) -> tuple[str, ...]:
    """Return the unescaped parts of a JSON pointer (RFC 6901).

    >>> segments_of("/effects/0/a~1b")
    ('effects', '0', 'a/b')

    Raises:
        PointerError: where it is none, or names the whole document.
    """
    if not text.startswith("/") or text == "/":
        raise PointerError(
            "is not a JSON pointer into the request", 'begin with "/": "/proposed_change/effects/0/amount"'
        )
    return tuple([part.replace("~1", "/").replace("~0", "~") for part in text[1:].split("/")])


def edited(base: Mapping[str, Any], at: str, value: Any) -> dict[str, Any]:
    """Return a document with one edit made; the base is left as it is.

    Args:
        at: JSON pointer to the place.
        value: what shall stand there; None removes what does.

    Raises:
        PointerError: where the pointer leads nowhere.
    """
    parts = segments_of(at)
    document: dict[str, Any] = copy.deepcopy(dict(base))
    holder: Any = document
    for depth, part in enumerate(parts[:-1]):
        is_last = depth == len(parts) - 2
        if is_last and parts[-1] == "-" and isinstance(holder, dict):
            holder = holder.setdefault(part, [])
        else:
            holder = _entered(holder, part, parts[:depth])
    _put(holder, parts[-1], copy.deepcopy(value), parts[:-1])
    return document


def _entered(holder: Any, part: str, above: tuple[str, ...]) -> Any:
    if isinstance(holder, dict):
        if part not in holder:
            raise PointerError(f"there is nothing at {pointer(*above, part)!r}", did_you_mean(part, list(holder)))
        return holder[part]
    if isinstance(holder, list):
        return holder[_index(holder, part, above)]
    raise PointerError(f"{pointer(*above) or '/'!r} holds no parts", "shorten the pointer")


def _put(holder: Any, part: str, value: Any, above: tuple[str, ...]) -> None:
    if isinstance(holder, dict):
        if value is None and part not in holder:
            raise PointerError(
                f"there is nothing to remove at {pointer(*above, part)!r}", did_you_mean(part, [*holder])
            )
        if value is None:
            del holder[part]
        else:
            holder[part] = value
    elif not isinstance(holder, list):
        raise PointerError(f"{pointer(*above)!r} holds no parts", "shorten the pointer")
    elif part == "-":
        if value is None:
            raise PointerError('"-" is the place after the last item, where nothing can be removed', "name an index")
        holder.append(value)
    elif value is None:
        del holder[_index(holder, part, above)]
    else:
        holder[_index(holder, part, above)] = value


def _index(items: list[Any], part: str, above: tuple[str, ...]) -> int:
    if not part.isascii() or not part.isdigit() or int(part) >= len(items):
        many = "no items" if not items else f"{len(items)} items, 0 to {len(items) - 1}"
        raise PointerError(f"{pointer(*above)!r} has no item {part!r}", f'it has {many}; "-" appends')
    return int(part)

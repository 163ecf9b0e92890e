"""Faults of a story's values, told by the options that they came from: who typed no JSON knows no pointer."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Final

from policies.faults import Fault, InvalidInputError

_PLAN: Final = {
    "hero_name": "--hero", "name": "--hero", "place": "--place", "archetype": "--archetype", "faction_id": "--faction",
    "general": "--general", "language": "--language", "user_id": "--user", "realm_id": "--realm", "seed": "--seed",
}  # fmt: skip
_CLOSE: Final = {"entered": "--to", "losses": "--losses"}


@contextmanager
def told_as(name: Callable[[str], str]) -> Iterator[None]:
    """Tell the faults of what is done within by other names.

    Args:
        name: returns what a place, a JSON pointer, is called.
    """
    try:
        yield
    except InvalidInputError as error:
        faults = [Fault(name(each.path), each.message, each.fix) for each in error.faults]
        raise InvalidInputError(faults) from None


def plan_option(path: str) -> str:
    """Return the option of `council story plan` that a place of a hero or an ask came from.

    >>> plan_option("/hero_name"), plan_option("/elsewhere")
    ('--hero', '/elsewhere')
    """
    return _PLAN.get(path.rpartition("/")[2], path)


def close_option(path: str, deeds: list[str], tags: list[str]) -> str:
    """Return the option of `council story close` that a place of an outcome came from.

    >>> close_option("/outcome/deeds/0/beat", ["patrol_complete@9"], [])
    "--deed 'patrol_complete@9', beat"
    """
    place = in_file(path).strip("/").split("/")
    given = {"deeds": ("--deed", deeds), "tags": ("--tag", tags)}.get(place[0])
    if given is not None and len(place) > 1 and int(place[1]) < len(given[1]):
        told = f"{given[0]} {given[1][int(place[1])]!r}"
        return f"{told}, {place[2].removesuffix('_id').removesuffix('_type')}" if len(place) > 2 else told
    return _CLOSE.get(place[0], path)


def in_file(path: str) -> str:
    """Return a place of an outcome as a file of it has it.

    >>> in_file("/outcome/losses"), in_file("/losses")
    ('/losses', '/losses')
    """
    return path.removeprefix("/outcome")

"""The tags that the threat rules read, and what a tag of a completed floor says (S4-17, S4-27)."""

import re
from collections.abc import Iterable
from typing import Final

from policies.faults import did_you_mean

ENCOUNTER: Final = "empire_encounter"
"""Also with what was met behind a colon, such as empire_encounter:vorn."""
COMBAT: Final = frozenset({
    "combat", "duel", ENCOUNTER, "lieutenant_defeated", "lieutenant_encounter", "patrol_fought",
})  # fmt: skip
"""Tags that say that the hero fought."""
KNOWN: Final = (
    *sorted(COMBAT), "captive_rescued", "emissary_contact", "mireth_event", "mireth_zone_entered",
    "floor_1_completed", "floor_2_completed", "floor_3_completed",
)  # fmt: skip
_FLOOR: Final = re.compile(r"floor_([1-3])_completed")


def is_encounter(tag: str) -> bool:
    """Whether a tag says that the hero met the Empire's forces."""
    return tag == ENCOUNTER or tag.startswith(f"{ENCOUNTER}:")


def floor_completed(tags: Iterable[str]) -> int:
    """Return the highest floor of the Tower that tags call completed; 0 where none does.

    >>> floor_completed(["duel", "floor_2_completed"])
    2
    """
    return max([int(found[1]) for tag in tags if (found := _FLOOR.fullmatch(tag))], default=0)


def unread(tags: Iterable[str]) -> tuple[tuple[str, str], ...]:
    """Return the tags that no rule reads, each with what may have been meant: an engine's own names, or slips.

    >>> unread(["empire_encountr", "duel", "empire_encounter:vorn"])
    (('empire_encountr', "did you mean 'empire_encounter'?"),)
    """
    found = [tag for tag in dict.fromkeys(tags) if tag not in KNOWN and not is_encounter(tag)]
    return tuple([(tag, did_you_mean(tag, KNOWN)) for tag in found])

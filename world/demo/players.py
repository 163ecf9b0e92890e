"""Who lives in the simulated realm: accounts of five kinds, and whether each plays fair. Pure, by seed.

The labels are the truth that the anti-exploit pipeline is held against; nothing of them is in what it sees.
"""

from collections.abc import Iterator
from typing import Final, Literal, NamedTuple

from policies.draws import Draws

Kind = Literal["casual", "guild", "whale", "bot", "replayer"]
KINDS: Final[tuple[Kind, ...]] = ("casual", "guild", "whale", "bot", "replayer")
FACTIONS: Final = ("council_of_pillars", "empire", "free_cities", "veil")
CASUALS: Final = 22
"""Casual accounts of each faction."""
HOUSEHOLDS: Final = 3
"""Pairs of honest accounts that share a device: not every shared device is a cheat."""
_FIRST: Final = (
    "al",
    "bri",
    "ca",
    "do",
    "el",
    "fa",
    "gi",
    "ha",
    "is",
    "jo",
    "ka",
    "lu",
    "mi",
    "no",
    "or",
    "pe",
    "ri",
    "sa",
)
_LAST: Final = ("dan", "rel", "wen", "mir", "tus", "na", "vik", "ra", "lo", "sha", "bert", "lin")


TO_THE_SECOND: Final = "a patrol every ten minutes, to the second"
LOOP: Final = "a loop of four acts"
SHAKEN_LOOP: Final = "a loop of four acts with some jitter, overnight"
MIMIC: Final = "one act over and over, with the gaps of a person"
OTHER_ID: Final = "every good act again under another id"
BAD_LINE: Final = "a bad line: everything arrives three times"
MARATHON: Final = "plays the whole day"
RAID: Final = "a raid of a deed a minute, then a quiet evening"
_MANNERS: Final[tuple[tuple[Kind, str, bool], ...]] = (
    ("bot", TO_THE_SECOND, True),
    ("bot", LOOP, True),
    ("bot", SHAKEN_LOOP, True),
    ("bot", MIMIC, True),
    ("replayer", OTHER_ID, True),
    ("replayer", OTHER_ID, True),
    ("casual", BAD_LINE, False),
    ("casual", MARATHON, False),
    ("guild", RAID, False),
    ("guild", RAID, False),
)
"""Who stands out: kind, how, and whether it is unfair. The last four look odd and are honest."""


class Plan(NamedTuple):
    """What a group of accounts is after."""

    name: str
    kind: Kind
    faction: str
    size: int
    target: str
    """Territory that their acts are about."""
    against: str | None = None
    """Faction whose hold on it they also work against."""
    acts: int = 35
    """Of each account of a whale."""
    pause_min: int = 15
    """Median minutes between the acts of one account of a whale."""


PLANS: Final = (
    Plan("the Lantern Company", "guild", "free_cities", 16, "contested-borderlands", "empire"),
    Plan("the Iron Vanguard", "guild", "empire", 9, "contested-borderlands", "free_cities"),
    Plan("the Veilwalkers", "guild", "veil", 8, "mirror-gate", "free_cities"),
    Plan("the Mirror Watch", "guild", "free_cities", 8, "mirror-gate", "veil"),
    Plan("the Pillar Wardens", "guild", "council_of_pillars", 8, "grand-gate-city"),
    Plan("a rich man and his seven alts", "whale", "empire", 8, "contested-borderlands"),
    Plan("a climber and her three alts", "whale", "veil", 4, "mirror-gate", acts=22, pause_min=3),
)
"""Guilds and the whales; the others follow their whim."""
_NUMBERS: Final = {4: "four", 8: "eight"}


class Player(NamedTuple):
    """One account, and the truth about it."""

    user_id: str
    kind: Kind
    faction: str
    device_id: str
    is_established: bool
    """Whether it came to the realm a week before the day; new accounts are trusted less (domain.md C1)."""
    plan: Plan | None
    is_exploiter: bool
    """Whether it plays for more than its own share: scripted, doubled or sent again."""
    manner: str = ""
    """How one that stands out goes about it."""


def players_of(draws: Draws) -> tuple[Player, ...]:
    """Return everybody who plays on the day, in order of ids."""
    names = _names(draws)
    found = [*_casuals(draws, names), *_planned(names), *_others(draws, names)]
    return tuple(sorted(found))


def _names(draws: Draws) -> Iterator[str]:
    """Yield names without end, none of them twice."""
    taken: set[str] = set()
    number = 0
    while True:
        name = draws.one_of(_FIRST, "first", number) + draws.one_of(_LAST, "last", number)
        number += 1
        if name in taken:
            name = f"{name}-{draws.between(10, 99, 'suffix', number)}"
        if name not in taken:
            taken.add(name)
            yield name


def _casuals(draws: Draws, names: Iterator[str]) -> list[Player]:
    found = [
        Player(name, "casual", faction, f"device-{name}", draws.below(10, "new", name) > 0, None, False)
        for faction in FACTIONS
        for name in [next(names) for _ in range(CASUALS)]
    ]
    for pair in range(HOUSEHOLDS):
        at = pair * CASUALS
        found[at + 1] = found[at + 1]._replace(device_id=found[at].device_id)
    return found


def _planned(names: Iterator[str]) -> list[Player]:
    found = []
    for plan in PLANS:
        crowd = [next(names) for _ in range(plan.size)]
        for name in crowd:
            if plan.kind == "whale":
                # One machine, several accounts; only the first is old enough to be trusted.
                is_first = name == crowd[0]
                alt = name if is_first else f"{crowd[0]}-alt-{crowd.index(name)}"
                manner = f"one person behind {_NUMBERS[plan.size]} accounts"
                device = f"device-{crowd[0]}"
                found.append(Player(alt, "whale", plan.faction, device, is_first, plan, True, manner))
            else:
                found.append(Player(name, plan.kind, plan.faction, f"device-{name}", True, plan, False))
    return found


def _others(draws: Draws, names: Iterator[str]) -> list[Player]:
    return [
        Player(name, kind, draws.one_of(FACTIONS, kind, manner), f"device-{name}", True, None, is_exploiter, manner)
        for kind, manner, is_exploiter in _MANNERS
        for name in [next(names)]
    ]

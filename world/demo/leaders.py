"""What the leaders of the simulated factions want on the day, and who stands against it. Pure."""

from typing import Final, NamedTuple

from world.realm.sovereign import Proposal


class Wish(NamedTuple):
    """A sovereign action that a leader proposes as soon as the treasury allows."""

    tick: int
    """Earliest tick."""
    kind: str
    faction: str
    target: str | None
    objectors: tuple[str, ...]
    """Factions whose leaders stand against it while its window is open."""

    @property
    def action_id(self) -> str:
        return f"{self.faction}-{self.kind.replace('_', '-')}-{self.tick}"

    @property
    def proposal(self) -> Proposal:
        return Proposal(self.action_id, self.kind, self.faction, leader_of(self.faction), self.target)


WISHES: Final = (
    Wish(18, "great_warding", "council_of_pillars", None, ()),
    Wish(30, "call_of_vorn", "empire", None, ("council_of_pillars", "free_cities", "veil")),
    Wish(44, "embargo", "veil", "free_cities", ("free_cities",)),
    Wish(58, "annexation", "free_cities", "outer-corruption-zone", ("empire", "veil")),
)
"""One each: a good deed, one that the canon forbids, one against a rival, and a land grab."""


def leader_of(faction: str) -> str:
    """Return the account that speaks for a faction.

    >>> leader_of("council_of_pillars")
    'speaker-of-council-of-pillars'
    """
    return f"speaker-of-{faction.replace('_', '-')}"

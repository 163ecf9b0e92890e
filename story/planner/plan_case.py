"""What a plan is held against, and what is said of a law that it breaks."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import NamedTuple

from story.context.items import HeardVerdict, WorldContext
from story.planner.choosing import Staged
from story.planner.plan import Plan
from story.tale.contradictions import Lock, RealmFacts
from story.tale.tale import CastMember, Tale
from world.realm.state import Realm


class PlanFault(NamedTuple):
    """One law that a plan breaks."""

    invariant: str
    """Its name, as listed above."""
    beat: int | None
    """The beat that breaks it; None: the plan as a whole."""
    told: str
    """What is wrong, in a sentence."""


@dataclass(frozen=True)
class Case:
    """What a plan is held against."""

    plan: Plan
    tale: Tale
    context: WorldContext
    verdicts: Mapping[str, HeardVerdict]
    stages: Sequence[Staged] | None
    locks: Sequence[Lock]
    realm: Realm | None
    realm_facts: RealmFacts

    @property
    def people(self) -> dict[str, CastMember]:
        return {**self.tale.cast, **{each.entity_id: each for each in self.plan.new_characters}}

"""A case: one request read into integers, before and after the change. Everything that judges reads this."""

from dataclasses import dataclass

from policies.contracts.effects import Effect
from policies.contracts.request import DecisionRequest
from world.change import RealmState, apply_effects, state_of


@dataclass(frozen=True, slots=True)
class Case:
    """One request, digested once and read by triage, evidence and judges.

    Attributes:
        request: the validated request.
        effects: the effects under judgement; those of the request, or what modifications left of them.
        origins: per effect, its index in the request's effects (what modifications and JSON pointers name).
        before: the realm as the snapshot has it.
        after: the realm once the effects have happened.
    """

    request: DecisionRequest
    effects: tuple[Effect, ...]
    origins: tuple[int, ...]
    before: RealmState
    after: RealmState


def open_case(request: DecisionRequest) -> Case:
    """Digest a request."""
    effects = request.proposed_change.effects
    before = state_of(request.world_snapshot)
    return Case(request, effects, tuple(range(len(effects))), before, apply_effects(before, effects))


def with_effects(case: Case, effects: tuple[Effect, ...], origins: tuple[int, ...]) -> Case:
    """Return the same case with other effects: the modified change, judged once more."""
    return Case(case.request, effects, origins, case.before, apply_effects(case.before, effects))

"""A case: one request read into integers, before and after the change. Everything that judges reads this."""

from policies.contracts.effects import Effect
from policies.contracts.request import DecisionRequest
from world.change import RealmState, apply_effects, state_of


class Case:
    """One request, digested once and read by triage, evidence and judges.

    The two states are computed when they are first asked for and kept: a change that touches no faction needs neither
    for its triage. A case never changes otherwise.

    Attributes:
        request: the validated request.
        effects: the effects under judgement; those of the request, or what modifications left of them.
        origins: per effect, its index in the request's effects (what modifications and JSON pointers name).
    """

    __slots__ = ("_after", "_before", "effects", "origins", "request")

    def __init__(
        self,
        request: DecisionRequest,
        effects: tuple[Effect, ...],
        origins: tuple[int, ...],
        before: RealmState | None = None,
        after: RealmState | None = None,
    ) -> None:
        self.request = request
        self.effects = effects
        self.origins = origins
        self._before = before
        self._after = after

    @property
    def ops(self) -> tuple[str, ...]:
        """Operations of the request's effects, in their order."""
        return tuple([effect.op for effect in self.request.proposed_change.effects])

    @property
    def before(self) -> RealmState:
        """The realm as the snapshot has it."""
        if self._before is None:
            self._before = state_of(self.request.world_snapshot)
        return self._before

    @property
    def after(self) -> RealmState:
        """The realm once the effects have happened."""
        if self._after is None:
            self._after = apply_effects(self.before, self.effects)
        return self._after


def open_case(request: DecisionRequest) -> Case:
    """Digest a request."""
    effects = request.proposed_change.effects
    return Case(request, effects, tuple(range(len(effects))))


def with_effects(case: Case, effects: tuple[Effect, ...], origins: tuple[int, ...]) -> Case:
    """Return the same case with other effects: the modified change, judged once more."""
    return Case(case.request, effects, origins, case.before)

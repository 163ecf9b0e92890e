"""Ways of deciding that can be fitted to labelled votes: weights learned or not, quotas chosen or not. Pure."""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from fractions import Fraction
from typing import Final, Literal, NamedTuple

import numpy as np

from council.merge import Seats
from evals.ballot_board import ABSENT, Board, Ranks, Rows, sums, verdicts
from evals.competence import Learned, learn, readable
from evals.costs import Costs, QuotaChoice, Quotas
from evals.statistics.calibration import Claim, isotonic, policy_table
from evals.statistics.intervals import LEVEL
from policies.calibration import Steps

Way = Literal["current", "blind", "equal", "quotas", "learned", "calibrated"]
WAYS: Final[Mapping[Way, str]] = {
    "current": "as it stands",
    "blind": "nobody heard",
    "equal": "equal weights",
    "quotas": "quotas chosen",
    "learned": "weights learned",
    "calibrated": "confidence calibrated",
}
"""In words. Nobody heard: one verdict for all, the one that costs least. Learned weights and calibrated confidence come with
chosen quotas where quotas may change, and calibrated confidence with learned weights."""
LEAST: Final = 30
"""Labelled decisions of one class from which its weights are learned, unless another number is asked for."""
CLAIM_STEP: Final = 25
"""Permille to which claims are rounded down before they are calibrated: at most 41 steps, and readable ones."""
_SOFTENED: Final = 4
"""Times that learned weights are drawn half of the way to equal before they are made equal."""
LEAST_CLAIMS: Final = 30
"""Labelled votes of a member from which its confidence is calibrated."""


class Scheme(NamedTuple):
    """What a proposal says."""

    weights: Mapping[str, Mapping[str, Fraction]]
    """Per class and member."""
    quotas: Quotas
    tables: Mapping[str, Steps]
    """Per member whose confidence is to be used, what it is worth."""


def anything(scheme: Scheme) -> bool:
    """Accept every scheme: for juries without a policy, which has no lints."""
    return True


class Options(NamedTuple):
    """How to tune."""

    costs: Costs = Costs()
    folds: int = 5
    repeats: int = 10
    seed: int = 0
    least: int = LEAST
    level: float = LEVEL
    borrows: bool = False
    """Whether a class with too few labels takes weights learned from all classes together."""
    only: frozenset[str] = frozenset()
    """Classes whose weights may change; empty for all. Quotas, which hold for all, then stay."""
    keeps_quotas: bool = False
    calibrates: frozenset[str] = frozenset()
    """Members whose confidence may be calibrated."""
    is_sound: Callable[[Scheme], bool] = anything
    """Whether a scheme can work as it reads; learned weights are drawn further to equal until it can."""


class ClassNote(NamedTuple):
    """What becomes of the weights of one class."""

    decision_class: str
    labelled: int
    how: Literal["learned", "borrowed", "kept"]
    why: str
    """In words, where they are not learned from the class itself."""


def softened(weights: Mapping[str, Fraction]) -> dict[str, Fraction]:
    """Return weights half of the way to 1, still readable."""
    return {member: readable((weight + 1) / 2) for member, weight in weights.items()}


class Tuner:
    """Fits every way of deciding to some of the items, and tells the verdicts it gives to all of them."""

    def __init__(
        self,
        board: Board,
        current: Mapping[str, Seats],
        notes: Sequence[ClassNote],
        options: Options,
        *,
        chooses_quotas: bool,
    ) -> None:
        self.board, self._current, self._notes, self.options = board, current, notes, options
        self._chooses_quotas = chooses_quotas
        self._quotas = next(iter(current.values())).quotas
        self._weights = {name: seats.weights for name, seats in current.items()}
        self.unit_costs = options.costs.table()[board.labels]
        self._standing = self._choice(self._weights, {})

    @property
    def ways(self) -> tuple[Way, ...]:
        """Ways to try, simplest first; those that come to the present policy are left out."""
        equal = all(len(set(weights.values())) == 1 for weights in self._weights.values())
        found: list[Way] = ["current", "blind"]
        found += [] if equal else ["equal"]
        found += ["quotas"] if self._chooses_quotas else []
        found.append("learned")
        found += ["calibrated"] if self.options.calibrates else []
        return tuple(found)

    def scheme(self, way: Way, rows: Rows) -> Scheme:
        """Return what a way says that has seen some of the items."""
        if way in ("learned", "calibrated"):
            return self._learned_scheme(rows, calibrates=way == "calibrated")
        weights, quotas = self._weights, self._quotas
        if way == "equal":
            weights = {name: dict.fromkeys(found, Fraction(1)) for name, found in weights.items()}
        if way == "quotas":
            chosen = Scheme(weights, self._standing.best(rows), {})
            return chosen if self.options.is_sound(chosen) else Scheme(weights, quotas, {})
        return Scheme(weights, quotas, {})

    def _learned_scheme(self, rows: Rows, *, calibrates: bool) -> Scheme:
        learned = {name: found.weights for name, found in self.learned(rows).items()}
        tables: dict[str, Steps] = {}
        if calibrates:
            tables = {
                member: table for member in sorted(self.options.calibrates) if (table := self._table(member, rows))
            }
        for _ in range(_SOFTENED):
            weights = {**self._weights, **learned}
            quotas = self._choice(weights, tables).best(rows) if self._chooses_quotas else self._quotas
            scheme = Scheme(weights, quotas, tables)
            if self.options.is_sound(scheme):
                return scheme
            learned = {name: softened(found) for name, found in learned.items()}
        return self._softest(learned, tables, rows)

    def _softest(self, learned: Iterable[str], tables: dict[str, Steps], rows: Rows) -> Scheme:
        weights = {**self._weights, **{name: dict.fromkeys(self._weights[name], Fraction(1)) for name in learned}}
        quotas = self._choice(weights, tables).best(rows) if self._chooses_quotas else self._quotas
        return Scheme(weights, quotas, tables)

    def learned(self, rows: Rows) -> dict[str, Learned]:
        """Return what members' votes tell, per class that learns or borrows."""
        kinds = self.board.kinds[rows]
        found = {}
        for note in self._notes:
            if note.how == "learned":
                found[note.decision_class] = learn(
                    self.board, rows[kinds == self.board.classes.index(note.decision_class)]
                )
            elif note.how == "borrowed":
                found[note.decision_class] = learn(self.board, rows)
        return found

    def decided(self, way: Way, rows: Rows) -> Ranks:
        """Return the verdicts that a way fitted to some of the items gives to all of them."""
        if way == "blind":
            costs = self.unit_costs[rows].sum(axis=0)
            return np.full(len(self.board.labels), int(np.argmin(costs)), np.int8)
        scheme = self.scheme(way, rows)
        return verdicts(sums(self.board, self._seats(scheme.weights, scheme.tables)), scheme.quotas)

    def _choice(self, weights: Mapping[str, Mapping[str, Fraction]], tables: Mapping[str, Steps]) -> QuotaChoice:
        return QuotaChoice(sums(self.board, self._seats(weights, tables)), self.unit_costs, self._quotas)

    def _seats(self, weights: Mapping[str, Mapping[str, Fraction]], tables: Mapping[str, Steps]) -> dict[str, Seats]:
        return {
            name: replace(
                seats,
                weights=weights[name],
                use_confidence=seats.use_confidence | set(tables),
                calibration={**seats.calibration, **tables},
            )
            for name, seats in self._current.items()
        }

    def _table(self, member: str, rows: Rows) -> Steps | None:
        """Return what a member's confidence is worth: how often such votes were right, at least a permille.

        A worth of 0 would make the vote an abstention, which weighs in full at quarantine: no evidence asks for that.
        """
        column = self.board.members.index(member)
        votes, labels = self.board.votes[rows, column], self.board.labels[rows]
        claimed = self.board.confidences[rows, column]
        claims = [
            Claim(int(claim) // CLAIM_STEP * CLAIM_STEP, bool(vote == label))
            for claim, vote, label in zip(claimed, votes, labels, strict=True)
            if vote < ABSENT
        ]
        if len(claims) < LEAST_CLAIMS or len({claim.confidence for claim in claims}) < 2:
            return None
        return tuple([(confidence, max(1, worth)) for confidence, worth in policy_table(isotonic(claims))])

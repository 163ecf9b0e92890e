"""Tuning: would other weights and quotas have decided the labelled cases better, on cases that they were not chosen on?

Everything that is learned (weights, how far they shrink, quotas, tables of calibration) is learned anew on the training part of
every fold, so that no held-out case has had a say in what it is judged by (Stone 1974, J. R. Stat. Soc. B 36, 111-147). A way
of deciding replaces a simpler one only where the interval of what it saves, over the same held-out cases, lies above 0; and
only where it also beats deciding blind, so that a mere change of strictness does not pass for listening to the votes.
The intervals take the folds as they fell: they leave out how the learned numbers would vary over other training cases.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from itertools import combinations
from typing import Final, NamedTuple

import numpy as np

from council.merge import Seats
from evals.ballot_board import ABSENT, LEVELS, Board, Rows, board_of
from evals.competence import Learned
from evals.errors import EvalsError, NotEnoughError
from evals.jury import Jury
from evals.statistics.intervals import Interval
from evals.statistics.jury_theory import error_correlation
from evals.tuning_trial import Scored, Step, held_out
from evals.tuning_ways import ClassNote, Options, Scheme, Tuner, Way
from policies.verdicts import VERDICTS

DEFAULTS: Final = Options()
LEAST_A_SIDE: Final = 5
"""Labels on either side of some question: with fewer, no accuracy can be told from luck."""
TOGETHER: Final = 0.2
"""Correlation of two members' errors from which it is told, where its interval also lies above 0."""


class Together(NamedTuple):
    """Two members that err on the same items."""

    first: str
    second: str
    correlation: Interval


@dataclass(frozen=True, slots=True)
class Tuning:
    """What tuning found.

    Attributes:
        source: where the votes come from.
        labelled: decisions with a settled label.
        unlabelled: decisions without, or with a disputed one: they say nothing here.
        notes: per class, what becomes of its weights.
        quotas_kept: why quotas stay as they are; "" where they are chosen.
        learned: per class that learns or borrows, what its members' votes tell, over all labelled decisions.
        scored: the ways of deciding, the present one first.
        chosen: the way that the data support; "current" where they support no change.
        scheme: what the chosen way says, learned from all labelled decisions; the present numbers where nothing is chosen.
        fullest: what the fullest way says, shown to help or not.
        gain: loss that the chosen way saves against the present policy; of the fullest way where nothing is chosen.
        together: members that err together, the most so first.
    """

    source: str
    labelled: int
    unlabelled: int
    notes: tuple[ClassNote, ...]
    quotas_kept: str
    learned: Mapping[str, Learned]
    scored: tuple[Scored, ...]
    chosen: Way
    scheme: Scheme
    fullest: Scheme
    gain: Interval
    together: tuple[Together, ...]

    @property
    def is_shown(self) -> bool:
        """Whether any change saves more than chance would."""
        return self.chosen != "current"


def tune(
    jury: Jury,
    current: Mapping[str, Seats],
    options: Options = DEFAULTS,
    *,
    leaves_out_silent: bool = False,
    on_fold: Step = lambda: None,
) -> Tuning:
    """Learn weights and quotas from labelled votes, and say what they are worth on cases they were not learned on.

    Args:
        jury: votes and labels.
        current: per class of the policy, its seats with every member; only the quota rule can be tuned.
        leaves_out_silent: whether a member that abstained counts as if it had not been asked, as in a foreign jury.
        on_fold: called as each fold is done, `folds * repeats` times in all.

    Raises:
        NotEnoughError: where no class has labels enough.
        EvalsError: where the policy's merge rule has no quotas.
    """
    if any(seats.rule != "quota" for seats in current.values()):
        raise EvalsError("only the quota rule has weights and quotas to tune", "merge.rule: quota")
    board = board_of(jury.labelled, jury.members, leaves_out_silent=leaves_out_silent)
    notes = _notes(board, current, options)
    if all(note.how == "kept" for note in notes):
        told = "; ".join(f"{note.decision_class or 'the jury'}: {note.why}" for note in notes)
        fix = "label more decisions: 'council eval label'; agreement alone says nothing about who is right"
        raise NotEnoughError(f"there are too few labels to learn from: {told}", fix)
    kept = _why_quotas_stay(notes, options)
    tuner = Tuner(board, current, notes, options, chooses_quotas=not kept)
    trial = held_out(tuner, on_fold)
    chosen = trial.chosen()
    everything = np.arange(len(board.labels))
    fullest: Way = trial.ways[-1]
    return Tuning(
        source=jury.source,
        labelled=len(board.labels),
        unlabelled=len(jury.items) - len(board.labels),
        notes=notes,
        quotas_kept=kept,
        learned=tuner.learned(everything),
        scored=trial.scored(),
        chosen=chosen,
        scheme=tuner.scheme(chosen, everything),
        fullest=tuner.scheme(fullest, everything),
        gain=trial.saved(fullest if chosen == "current" else chosen, "current"),
        together=_together(board, options.level),
    )


def _notes(board: Board, current: Mapping[str, Seats], options: Options) -> tuple[ClassNote, ...]:
    notes = [_note(board, name, options) for name in current]
    if options.borrows and not _lack(board, np.arange(len(board.labels)), options):
        pooled = f"learned from all {len(board.labels)} labels of all classes together"
        wants = {note.decision_class for note in notes if not options.only or note.decision_class in options.only}
        return tuple(
            [
                note._replace(how="borrowed", why=pooled)
                if note.how == "kept" and note.decision_class in wants
                else note
                for note in notes
            ]
        )
    return tuple(notes)


def _note(board: Board, name: str, options: Options) -> ClassNote:
    rows = _rows_of(board, name)
    why = "not asked for" if options.only and name not in options.only else _lack(board, rows, options)
    return ClassNote(name, len(rows), "kept" if why else "learned", why)


def _lack(board: Board, rows: Rows, options: Options) -> str:
    """Say what keeps weights from being learned from some items; "" where nothing does."""
    if len(rows) < options.least:
        return f"{len(rows)} labels, and {options.least} are the least"
    sides = [min(found, len(rows) - found) for level in LEVELS for found in [int((board.labels[rows] >= level).sum())]]
    if max(sides) < LEAST_A_SIDE:
        kinds = ", ".join(dict.fromkeys(VERDICTS[rank] for rank in sorted(board.labels[rows].tolist())))
        return f"nearly all labels are alike ({kinds}): {LEAST_A_SIDE} on either side of a verdict are the least"
    return ""


def _why_quotas_stay(notes: Sequence[ClassNote], options: Options) -> str:
    if options.keeps_quotas:
        return "as asked"
    if options.only and set(options.only) != {note.decision_class for note in notes}:
        return "they hold for every decision type, and only some were asked for"
    without = [note.decision_class for note in notes if note.how == "kept"]
    if without:
        return f"they hold for every decision type, and these have too few labels: {', '.join(without)}"
    return ""


def _rows_of(board: Board, name: str) -> Rows:
    return np.flatnonzero(board.kinds == board.classes.index(name)) if name in board.classes else np.zeros(0, np.int64)


def _together(board: Board, level: float) -> tuple[Together, ...]:
    errs = board.votes != board.labels[:, None]
    found = []
    for one, two in combinations(range(len(board.members)), 2):
        both = (board.votes[:, one] < ABSENT) & (board.votes[:, two] < ABSENT)
        phi = error_correlation(errs[both, one].tolist(), errs[both, two].tolist(), level)
        if phi is not None and phi.low > 0 and phi.estimate >= TOGETHER:
            found.append(Together(board.members[one], board.members[two], phi))
    return tuple(sorted(found, key=lambda pair: -pair.correlation.estimate))

"""Backtest: every recorded decision under another policy.

Two roads lead to the same verdict. Where the policies differ in nothing but numbers of the merge, the recorded votes are merged
anew, all at once (`evals.merge_only` says when that is exact). Every other decision is judged anew from its request, one by one
(`evals.redeciding`). Tests hold both to `evals.rejudging`.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from council.merge import Ballot, FiredRule, merge
from council.seating import seats_for
from evals.batch_merge import ABSENT, UNSEATED, merge_batch
from evals.columns import FAST, NONE, PATHS, SILENT, Columns
from evals.merge_only import Common, common, is_same_realm
from evals.turning import Cause, Explained, Footing, Level, explained
from policies.policy import Policy
from policies.verdicts import DECISION_TYPES, MEMBERS, STRICTNESS, VERDICTS, DecisionType, Verdict
from policies.verdicts import Path as DecisionPath

Rows = NDArray[np.int64]
Ranks = NDArray[np.int8]
_UNKNOWN_REALM: Final = "the new policy does not know its realm"
_COUNCIL: Final = PATHS.index("council")
_MODIFY: Final = STRICTNESS["modify"]


class Anew(NamedTuple):
    """One decision judged anew; what `evals.redeciding.Redecided` says, without the imports that judging costs."""

    verdict: Verdict | None
    path: DecisionPath | None
    why: str
    told: str
    causes: tuple[Cause, ...]
    levels: tuple[Level, ...]
    untried: tuple[tuple[str, str], ...]


Redecide = Callable[[Rows], Iterator[Anew]]
"""Judges decisions by their rows, in the order given."""


class Flip(NamedTuple):
    """A verdict that would change."""

    decision_id: str
    realm_id: str
    decision_type: DecisionType
    recorded_at: str
    before: Verdict
    after: Verdict
    path_before: DecisionPath
    path_after: DecisionPath
    label: Verdict | None
    """What people hold to be right, where they have said so and agree."""
    causes: tuple[Cause, ...]
    levels: tuple[Level, ...]
    """Shares and quotas between the two verdicts, where members voted both times."""

    @property
    def is_milder(self) -> bool:
        return STRICTNESS[self.after] < STRICTNESS[self.before]


class Unjudgeable(NamedTuple):
    """A decision that cannot be judged under the new policy."""

    decision_id: str
    realm_id: str
    decision_type: DecisionType
    why: str
    told: str


class Judged(NamedTuple):
    """All decisions under another policy."""

    verdicts: NDArray[np.int8]
    """Rank per row; NONE where it cannot be judged."""
    paths: NDArray[np.int8]
    """Index into PATHS per row; NONE where it cannot be judged."""
    rows: Rows
    """The rows that were judged: those of the realm asked for."""
    flips: tuple[Flip, ...]
    """Milder first: quarantine to approve, reject to approve, and so on; then stricter, the widest first."""
    unjudged: tuple[Unjudgeable, ...]
    merged_anew: int
    """Decisions whose recorded votes were merged anew."""
    judged_anew: int
    """Decisions that were judged anew from their request."""
    untried: Mapping[tuple[str, str], int]
    """Per rule and signal: in how many cases a rule that is new or changed did not act because the signal cannot be computed."""


def backtest(
    columns: Columns, policies: Mapping[str, Policy], new: Policy, redecide: Redecide, realm: str | None = None
) -> Judged:
    """Decide recorded history under another policy.

    Args:
        policies: the policies that decided, by content hash, as far as they are at hand.
        redecide: judges anew what the merge alone cannot say.
        realm: only decisions of this realm.
    """
    rows = rows_of(columns, realm)
    verdicts = np.full(len(columns), NONE, np.int8)
    unknown = np.array([new.realm(name) is None for name in columns.realms] or [False])[columns.arrays.realms[rows]]
    merged = merge_anew(columns, policies, new, rows[~unknown])
    verdicts[merged.rows] = merged.verdicts
    paths = np.full(len(columns), NONE, np.int8)
    paths[merged.rows] = columns.arrays.paths[merged.rows]
    left = np.setdiff1d(rows[~unknown], merged.rows, assume_unique=True)
    flips = _merged_flips(columns, policies, new, merged)
    unjudged = [unjudgeable(columns, int(row), "unknown_realm", _UNKNOWN_REALM) for row in rows[unknown]]
    untried: dict[tuple[str, str], int] = {}
    for row, anew in zip(left.tolist(), redecide(left), strict=True):
        for pair in anew.untried:
            untried[pair] = untried.get(pair, 0) + 1
        if anew.verdict is None or anew.path is None:
            unjudged.append(unjudgeable(columns, row, anew.why, anew.told))
            continue
        verdicts[row], paths[row] = STRICTNESS[anew.verdict], PATHS.index(anew.path)
        if verdicts[row] != columns.arrays.council_verdicts[row]:
            flips.append(flip_of(columns, row, anew.verdict, anew.path, anew.causes, anew.levels))
    return Judged(verdicts, paths, rows, in_order(flips), tuple(unjudged), len(merged.rows), len(left), untried)


class MergedAnew(NamedTuple):
    """The decisions for which merging their recorded votes is exact, and what it comes to."""

    rows: Rows
    verdicts: NDArray[np.int8]


def merge_anew(columns: Columns, policies: Mapping[str, Policy], new: Policy, rows: Rows) -> MergedAnew:
    """Merge recorded votes under another policy, where that is all that it changes."""
    arrays = columns.arrays
    able = rows[_may_be_merged(columns, policies, new)[rows]]
    verdicts = arrays.council_verdicts[able].copy()
    convened = np.flatnonzero(arrays.paths[able] != FAST)
    if convened.size:
        merged = merge_batch(columns.votes(able[convened]), [new])[0]
        asks = merged == _MODIFY
        merged[asks] = arrays.conditions[able[convened]][asks]
        verdicts[convened] = _bound_by_rules(columns, new, able[convened], merged, asks)
    known = verdicts != NONE
    return MergedAnew(able[known], verdicts[known])


def _bound_by_rules(columns: Columns, new: Policy, rows: Rows, merged: Ranks, asks: NDArray[np.bool_]) -> Ranks:
    """Hold what models made milder than the rules' votes; where conditions would have to be compared, nothing is known.

    Args:
        merged: rank that each decision ends at by the votes that counted.
        asks: where that was by way of conditions.
    """
    heard = np.flatnonzero(columns.spoke[rows])
    if not heard.size:
        return merged
    by_rules = merge_batch(columns.rule_votes(rows[heard]), [new])[0]
    ends = merged[heard]
    held = np.where(ends < by_rules, STRICTNESS["quarantine"], ends)
    known = ~asks[heard] & (by_rules != _MODIFY)
    merged[heard] = np.where(known, held, NONE)
    return merged


def in_order(flips: Sequence[Flip]) -> tuple[Flip, ...]:
    """Return flips as they are read: milder before stricter, into approve before all others, the widest first."""

    def place(flip: Flip) -> tuple[bool, int, int, str, str]:
        before, after = STRICTNESS[flip.before], STRICTNESS[flip.after]
        key = (after, -before) if flip.is_milder else (before, -after)
        return (not flip.is_milder, *key, flip.realm_id, flip.decision_id)

    return tuple(sorted(flips, key=place))


def rows_of(columns: Columns, realm: str | None) -> Rows:
    """Return the rows of one realm, or of all."""
    if realm is None:
        return np.arange(len(columns))
    if realm not in columns.realms:
        return np.arange(0)
    return np.flatnonzero(columns.arrays.realms == columns.realms.index(realm))


def _may_be_merged(columns: Columns, policies: Mapping[str, Policy], new: Policy) -> NDArray[np.bool_]:
    """Per decision, whether its recorded votes and fired rules are what the new policy would have before its merge."""
    arrays = columns.arrays
    able: NDArray[np.bool_] = np.zeros(len(columns), np.bool_)
    for code, content_hash in enumerate(columns.policies):
        old = policies.get(content_hash)
        shared = common(old, new) if old is not None else None
        if old is None or shared is None:
            continue
        same_realm = np.array([is_same_realm(old, new, realm) for realm in columns.realms])
        same = same_realm[arrays.realms] & _sits_the_same(columns, shared) & _models_said_all(columns, shared, new)
        able |= np.logical_and(arrays.policies == code, same)
    return np.logical_and(able, not columns.unreplayed)


def _sits_the_same(columns: Columns, shared: Common) -> NDArray[np.bool_]:
    """Whether who is required changes nothing about who sits."""
    arrays = columns.arrays
    same: NDArray[np.bool_] = np.ones(len(columns), np.bool_)
    for code, decision_type in enumerate(DECISION_TYPES):
        of_type = arrays.decision_types == code
        if shared.no_more_required[decision_type]:
            same &= ~of_type
        for member in shared.newly_required[decision_type]:
            same &= ~of_type | (arrays.verdicts[:, MEMBERS.index(member)] != UNSEATED)
    same |= arrays.paths == FAST
    return same


def _models_said_all(columns: Columns, shared: Common, new: Policy) -> NDArray[np.bool_]:
    """Whether no model was asked, or each that the policy asks was heard once and its vote counts as recorded."""
    arrays = columns.arrays
    asks = {member: found.model.name for member in MEMBERS if (found := new.members[member]).model is not None}
    said: NDArray[np.bool_] = arrays.heard == SILENT
    if asks:
        said &= arrays.paths != _COUNCIL
    if not (shared.is_confidence_kept and shared.models_vote_once):
        return said
    for code, cast in enumerate(columns.casts):
        models = orjson.loads(cast)
        if any(name != asks.get(member) for member, name in models.items()):
            continue
        unheard = [MEMBERS.index(member) for member in asks if member not in models]
        said |= (arrays.heard == code) & (arrays.verdicts[:, unheard] == UNSEATED).all(axis=1)
    return said


def _merged_flips(columns: Columns, policies: Mapping[str, Policy], new: Policy, merged: MergedAnew) -> list[Flip]:
    """Return the verdicts that merging turned; decisions that differ in nothing that a merge reads share their reasons."""
    arrays = columns.arrays
    changed = merged.verdicts != arrays.council_verdicts[merged.rows]
    rows, ranks = merged.rows[changed], merged.verdicts[changed]
    if not rows.size:
        return []
    single = (arrays.policies, arrays.decision_types, arrays.fired, arrays.paths, arrays.council_verdicts)
    read = [*[column[rows] for column in single], arrays.heard[rows] != SILENT, ranks]
    wide = (arrays.verdicts[rows], arrays.confidences[rows])
    _, first, which = np.unique(
        np.column_stack([*read, *wide]).astype(np.int32), axis=0, return_index=True, return_inverse=True
    )
    reasons = [_reason(columns, policies, new, int(rows[at]), int(ranks[at])) for at in first]
    return [
        flip_of(columns, row, VERDICTS[rank], PATHS[arrays.paths[row]], *reasons[kind])
        for row, rank, kind in zip(rows.tolist(), ranks.tolist(), which.ravel().tolist(), strict=True)
    ]


def _reason(columns: Columns, policies: Mapping[str, Policy], new: Policy, row: int, rank: int) -> Explained:
    arrays = columns.arrays
    old = policies[columns.policies[arrays.policies[row]]]
    return explained(_footing(columns, row, old, arrays.council_verdicts[row]), _footing(columns, row, new, rank))


def _footing(columns: Columns, row: int, policy: Policy, rank: int) -> Footing:
    """Return what a merged decision stands on; of rules only the strictest outcome is in the columns, and it is the same."""
    arrays = columns.arrays
    states = dict(zip(MEMBERS, arrays.verdicts[row].tolist(), strict=True))
    confidences = dict(zip(MEMBERS, arrays.confidences[row].tolist(), strict=True))
    seated = tuple([member for member in MEMBERS if states[member] != UNSEATED])
    path = PATHS[arrays.paths[row]]
    ballots = [
        Ballot(member, None if states[member] == ABSENT else VERDICTS[states[member]], confidences[member])
        for member in seated
        if path == "council"
    ]
    outcome = VERDICTS[arrays.fired[row]]
    fired = () if outcome == "approve" else (FiredRule("rules", outcome),)
    seats = seats_for(policy, DECISION_TYPES[arrays.decision_types[row]], seated)
    merged = merge(seats, ballots, fired).verdict if arrays.heard[row] != SILENT else VERDICTS[rank]
    is_held = rank == STRICTNESS["quarantine"] != STRICTNESS[merged]
    return Footing(path, VERDICTS[rank], seats, tuple(ballots), fired, tags=("milder_than_rules",) if is_held else ())


def _case(columns: Columns, row: int) -> tuple[str, str, DecisionType]:
    arrays = columns.arrays
    return columns.decision_id(row), columns.realms[arrays.realms[row]], DECISION_TYPES[arrays.decision_types[row]]


def unjudgeable(columns: Columns, row: int, why: str, told: str) -> Unjudgeable:
    """Return a decision that cannot be judged, with its case."""
    return Unjudgeable(*_case(columns, row), why, told)


def flip_of(
    columns: Columns,
    row: int,
    after: Verdict,
    path_after: DecisionPath,
    causes: tuple[Cause, ...],
    shares: tuple[Level, ...],
) -> Flip:
    """Return a verdict that changes, with its case."""
    arrays = columns.arrays
    label = int(arrays.labels[row])
    return Flip(
        *_case(columns, row),
        bytes(arrays.recorded_at[row]).decode(),
        VERDICTS[arrays.council_verdicts[row]],
        after,
        PATHS[arrays.paths[row]],
        path_after,
        VERDICTS[label] if label >= 0 else None,
        causes,
        shares,
    )

"""Verdicts that shadow policies left in records, in the form of a backtest."""

import numpy as np

from evals.backtest import Anew, Flip, Judged, Rows, flip_of, in_order, rows_of, unjudgeable
from evals.backtest_report import PolicyName
from evals.columns import NONE, PATHS, Columns
from evals.history import History, redecide_with
from policies.loading import policy_from_document
from policies.policy_faults import InvalidPolicyError
from policies.verdicts import VERDICTS


def shadow_name(columns: Columns, content_hash: str) -> PolicyName:
    """Return a shadow policy as reports name it."""
    policy_id, version = columns.shadow_names[content_hash].rsplit(" v", 1)
    return PolicyName(policy_id, int(version), content_hash)


def shadow_verdicts(history: History, content_hash: str, realm: str | None = None) -> Judged:
    """Return what one shadow policy said of every decision.

    Decisions that it did not try (it was no shadow then, or does not know their realm) are not judged.

    Args:
        realm: only decisions of this realm.
    """
    columns, recorded = history.columns, history.columns.arrays.council_verdicts
    verdicts = columns.shadows[content_hash]
    rows = rows_of(columns, realm)
    tried = rows[verdicts[rows] != NONE]
    changed = tried[verdicts[tried] != recorded[tried]]
    explained = dict(zip(changed.tolist(), _explained(history, content_hash, changed), strict=True))
    flips = [_flip(columns, row, int(verdicts[row]), anew) for row, anew in explained.items()]
    paths = np.where(verdicts == NONE, NONE, columns.arrays.paths).astype(np.int8)
    for row, anew in explained.items():
        if anew is not None and anew.path is not None:
            paths[row] = PATHS.index(anew.path)
    missing = rows[verdicts[rows] == NONE]
    told = f"{columns.shadow_names[content_hash]} did not try it"
    unjudged = [unjudgeable(columns, int(row), "not_tried", told) for row in missing]
    return Judged(verdicts, paths, rows, in_order(flips), tuple(unjudged), 0, 0, {})


def _explained(history: History, content_hash: str, rows: Rows) -> list[Anew | None]:
    """Return the decisions judged anew under the shadow policy, which says what turned them; None without its document."""
    document = history.columns.documents.get(content_hash)
    try:
        policy = policy_from_document(document) if document is not None else None
    except InvalidPolicyError:
        policy = None
    return [None] * len(rows) if policy is None else list(redecide_with(history, policy)(rows))


def _flip(columns: Columns, row: int, rank: int, anew: Anew | None) -> Flip:
    verdict, path = VERDICTS[rank], PATHS[columns.arrays.paths[row]]
    if anew is None or anew.verdict != verdict or anew.path is None:
        return flip_of(columns, row, verdict, path, (), ())
    return flip_of(columns, row, verdict, anew.path, anew.causes, anew.levels)

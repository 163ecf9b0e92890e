"""Recorded decisions as columns: what a merge needs of each, and where its line stands in the export.

A hundred bytes a decision instead of fifteen thousand, so that a million fit through little memory and a policy that changes
only how votes are merged can be tried on all of them at once.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple, get_args

import numpy as np
import orjson
from numpy.typing import NDArray

from evals.batch_merge import ABSENT, UNSEATED, VoteBatch
from evals.decisions import Decision
from policies.verdicts import DECISION_TYPES, MEMBERS, STRICTNESS, Path, Verdict

PATHS: Final[tuple[Path, ...]] = get_args(Path)
FAST: Final = PATHS.index("fast")
NONE: Final = -1
"""No verdict: no label, never merged, conditions never computed, not decided by this shadow."""
DISPUTED: Final = -2
"""Labelled, but no verdict has more than half of the labellers."""
SILENT: Final = -1
LONGER: Final = -2
"""Models were heard in two rounds, or by a twin: what counts of that depends on more than one vote each."""
HELD_TAGS: Final = frozenset({"text_made_milder", "milder_than_rules"})
"""Tags of a case that is held because of what its models said, whatever the merge came to (`council.review`)."""

_SEAT: Final[dict[str, int]] = {member: at for at, member in enumerate(MEMBERS)}
_TYPE: Final = {name: at for at, name in enumerate(DECISION_TYPES)}
_PATH: Final = {name: at for at, name in enumerate(PATHS)}
_MODIFY: Final = STRICTNESS["modify"]


class Arrays(NamedTuple):
    """One entry per decision, in the order of the export."""

    decision_ids: NDArray[np.bytes_]
    recorded_at: NDArray[np.bytes_]
    """ISO 8601 UTC."""
    realms: NDArray[np.int32]
    """Index into `Columns.realms`."""
    policies: NDArray[np.int32]
    """Index into `Columns.policies`."""
    decision_types: NDArray[np.int8]
    verdicts: NDArray[np.int8]
    """(N, 5) rank of the vote that counted, ABSENT or UNSEATED."""
    confidences: NDArray[np.int16]
    """(N, 5) permille."""
    fired: NDArray[np.int8]
    """Rank of the strictest enforced rule that fired on the change as asked; 0 for none."""
    paths: NDArray[np.int8]
    """Index into PATHS."""
    council_verdicts: NDArray[np.int8]
    """Rank of what the council decided."""
    merged: NDArray[np.int8]
    """Rank that the merge came to, before conditions and holds; NONE on the fast path."""
    conditions: NDArray[np.int8]
    """Rank that a merge to `modify` ends at, once its conditions are put to the rules; NONE where that was never computed."""
    heard: NDArray[np.int32]
    """Index into `Columns.casts`: which models were heard; SILENT where none was asked, LONGER where more was said than once."""
    rule_verdicts: NDArray[np.int8]
    """(N, 5) where models were heard, the votes of the rules, as in `verdicts`: what models are bound by."""
    rule_confidences: NDArray[np.int16]
    """(N, 5) permille."""
    labels: NDArray[np.int8]
    """Rank of the settled label, NONE or DISPUTED."""
    offsets: NDArray[np.int64]
    """First byte of its line in the export."""
    lengths: NDArray[np.int32]
    """Bytes of its line, without its line feed."""


@dataclass(frozen=True)
class Columns:
    """All decisions of an export.

    Attributes:
        arrays: one entry per decision.
        realms: realm ids.
        policies: content hashes of the policies that decided.
        documents: policy documents of the export, by content hash, shadows' included.
        shadows: per shadow policy's hash, the rank of its verdict on every decision, or NONE.
        shadow_names: id and version of each shadow policy, by hash.
        casts: the sets of models that were heard, each as JSON: per member the model's name.
        is_redacted: whether names and texts were replaced.
        unreplayed: id of a decision that this version does not decide as recorded, which bars merging recorded votes anew;
            "" where none was found.
    """

    arrays: Arrays
    realms: tuple[str, ...]
    policies: tuple[str, ...]
    documents: Mapping[str, Mapping[str, Any]]
    shadows: Mapping[str, NDArray[np.int8]]
    shadow_names: Mapping[str, str]
    casts: tuple[str, ...]
    is_redacted: bool
    unreplayed: str = ""

    def __len__(self) -> int:
        return len(self.arrays.fired)

    @property
    def spoke(self) -> NDArray[np.bool_]:
        """Whether models were asked, per decision."""
        return np.not_equal(self.arrays.heard, SILENT)

    def votes(self, rows: NDArray[np.int64]) -> VoteBatch:
        """Return the votes of some decisions, none of them on the fast path."""
        a = self.arrays
        asked = a.paths[rows] == PATHS.index("council")
        return VoteBatch(a.decision_types[rows], a.verdicts[rows], a.confidences[rows], a.fired[rows], asked)

    def rule_votes(self, rows: NDArray[np.int64]) -> VoteBatch:
        """Return the votes that the rules of the same members cast, for decisions in which models were heard."""
        arrays = self.arrays
        votes = self.votes(rows)
        return votes._replace(verdicts=arrays.rule_verdicts[rows], confidences=arrays.rule_confidences[rows])

    def take(self, rows: NDArray[np.int64]) -> "Columns":
        """Return some of the decisions."""
        taken: list[Any] = [column[rows] for column in self.arrays]
        arrays = Arrays(*taken)
        return replace(self, arrays=arrays, shadows={key: ranks[rows] for key, ranks in self.shadows.items()})

    def decision_id(self, row: int) -> str:
        return bytes(self.arrays.decision_ids[row]).decode()


class _Row(NamedTuple):
    decision_id: bytes
    recorded_at: bytes
    realm: int
    policy: int
    decision_type: int
    verdicts: list[int]
    confidences: list[int]
    fired: int
    path: int
    council_verdict: int
    merged: int
    conditions: int
    heard: int
    rule_verdicts: list[int]
    rule_confidences: list[int]
    label: int
    offset: int
    length: int


class _Codes(dict[str, int]):
    """Texts by number, in order of first appearance."""

    def __missing__(self, text: str) -> int:
        self[text] = code = len(self)
        return code


@dataclass
class ColumnWriter:
    """Gathers decisions as they stream by."""

    is_redacted: bool = False
    _rows: list[_Row] = field(default_factory=list)
    _realms: _Codes = field(default_factory=_Codes)
    _policies: _Codes = field(default_factory=_Codes)
    _casts: _Codes = field(default_factory=_Codes)
    _shadows: dict[str, list[tuple[int, int]]] = field(default_factory=dict)
    _shadow_names: dict[str, str] = field(default_factory=dict)

    def add(self, decision: Decision, offset: int = 0, length: int = 0) -> None:
        """Take one decision.

        Args:
            offset: first byte of its line.
            length: bytes of its line.

        Raises:
            KeyError: where the record is not one that this version wrote.
        """
        record = decision.record
        for shadow in record["shadows"]:
            self._shadow_names[shadow["hash"]] = f"{shadow['id']} v{shadow['version']}"
            of_this = self._shadows.setdefault(shadow["hash"], [])
            of_this.append((len(self._rows), STRICTNESS[shadow["verdict"]]))
        self._rows.append(self._row(decision, record, offset, length))

    def finish(self, documents: Mapping[str, Mapping[str, Any]]) -> Columns:
        """Return the columns of all decisions taken.

        Args:
            documents: the policies that came by, by content hash.
        """
        shadows = {}
        for content_hash, found in self._shadows.items():
            ranks = np.full(len(self._rows), NONE, np.int8)
            rows, verdicts = zip(*found, strict=True)
            ranks[list(rows)] = verdicts
            shadows[content_hash] = ranks
        return Columns(
            _arrays(self._rows), tuple(self._realms), tuple(self._policies), dict(documents), shadows,
            dict(self._shadow_names), tuple(self._casts), self.is_redacted,
        )  # fmt: skip

    def _row(self, decision: Decision, record: Mapping[str, Any], offset: int, length: int) -> _Row:
        votes: Sequence[Mapping[str, Any]] = record["answer"]["votes"]
        verdicts, confidences = _votes(record["seated"], votes)
        merged: Verdict | None = record["merge"]["verdict"] if record["merge"] else None
        models = record.get("models")
        return _Row(
            decision.decision_id.encode(),
            record["recorded_at"].encode(),
            self._realms[decision.realm_id],
            self._policies[decision.policy_hash],
            _TYPE[decision.decision_type],
            verdicts,
            confidences,
            _strictest_fired(record["rules"]),
            _PATH[decision.path],
            STRICTNESS[decision.verdict],
            NONE if merged is None else STRICTNESS[merged],
            _conditions(decision, merged, votes),
            self._heard(models),
            *_rule_votes(record["seated"], models),
            _label(decision),
            offset,
            length,
        )

    def _heard(self, models: Mapping[str, Any] | None) -> int:
        if models is None:
            return SILENT
        replies = models["replies"]
        if any(reply["round"] != 1 or reply["variant"] != "full" for reply in replies):
            return LONGER
        if any(formed["round"] != 1 or formed["twin_vote"] is not None for formed in models["opinions"]):
            return LONGER
        return self._casts[orjson.dumps({reply["member"]: reply["model"] for reply in replies}).decode()]


def columns_of(decisions: Iterable[Decision], documents: Mapping[str, Mapping[str, Any]]) -> Columns:
    """Return decisions at hand as columns.

    Args:
        documents: policy documents by content hash.
    """
    writer = ColumnWriter()
    for decision in decisions:
        writer.add(decision)
    return writer.finish(documents)


def joined(parts: Sequence[Columns]) -> Columns:
    """Return parts of one export as one, in order."""
    realms, policies, casts = _Codes(), _Codes(), _Codes()
    pieces = []
    for part in parts:
        realm_codes = np.array([realms[name] for name in part.realms] or [0], np.int32)
        policy_codes = np.array([policies[name] for name in part.policies] or [0], np.int32)
        cast_codes = np.array([*[casts[cast] for cast in part.casts], LONGER, SILENT], np.int32)
        pieces.append(
            part.arrays._replace(
                realms=realm_codes[part.arrays.realms],
                policies=policy_codes[part.arrays.policies],
                heard=cast_codes[part.arrays.heard],  # the two that are no index count from the end
            )
        )
    columns: list[Any] = [np.concatenate(column) for column in zip(*pieces, strict=True)]
    arrays = Arrays(*columns)
    hashes = dict.fromkeys(content_hash for part in parts for content_hash in part.shadows)
    shadows = {
        content_hash: np.concatenate(
            [part.shadows.get(content_hash, np.full(len(part), NONE, np.int8)) for part in parts]
        )
        for content_hash in hashes
    }
    documents = {key: document for part in parts for key, document in part.documents.items()}
    names = {key: name for part in parts for key, name in part.shadow_names.items()}
    is_redacted = any(part.is_redacted for part in parts)
    return Columns(arrays, tuple(realms), tuple(policies), documents, shadows, names, tuple(casts), is_redacted)


def _arrays(rows: Sequence[_Row]) -> Arrays:
    columns = list(zip(*rows, strict=True)) if rows else [()] * len(_Row._fields)
    kinds: tuple[type, ...] = (
        np.bytes_, np.bytes_, np.int32, np.int32, np.int8, np.int8, np.int16, np.int8, np.int8, np.int8, np.int8, np.int8,
        np.int32, np.int8, np.int16, np.int8, np.int64, np.int32,
    )  # fmt: skip
    arrays: list[Any] = [np.array(column, kind) for column, kind in zip(columns, kinds, strict=True)]
    found = Arrays(*arrays)
    by_member = (len(rows), len(MEMBERS))
    return found._replace(
        verdicts=found.verdicts.reshape(by_member),
        confidences=found.confidences.reshape(by_member),
        rule_verdicts=found.rule_verdicts.reshape(by_member),
        rule_confidences=found.rule_confidences.reshape(by_member),
    )


def _votes(seated: Sequence[str], votes: Sequence[Mapping[str, Any]]) -> tuple[list[int], list[int]]:
    verdicts, confidences = [UNSEATED] * len(MEMBERS), [1000] * len(MEMBERS)
    for member in seated:
        verdicts[_SEAT[member]] = ABSENT
    for vote in votes:
        at = _SEAT[vote["member"]]
        confidences[at] = vote["confidence"]
        if vote["verdict"] is not None:
            verdicts[at] = STRICTNESS[vote["verdict"]]
    return verdicts, confidences


def _rule_votes(seated: Sequence[str], models: Mapping[str, Any] | None) -> tuple[list[int], list[int]]:
    opinions = () if models is None else models["opinions"]
    return _votes(seated, [formed["rule_vote"] for formed in opinions if formed["round"] == 1])


def _strictest_fired(rules: Sequence[Mapping[str, Any]]) -> int:
    fired = [STRICTNESS[rule["outcome"]] for rule in rules if rule["fired"] and rule["mode"] == "enforce"]
    return max(fired, default=0)


def _conditions(decision: Decision, merged: Verdict | None, votes: Sequence[Mapping[str, Any]]) -> int:
    if merged == "modify":
        is_held = not HELD_TAGS.isdisjoint(decision.record["answer"]["audit_tags"])
        return NONE if is_held else STRICTNESS[decision.verdict]
    # Of votes without conditions a merge to modify makes a rejection: nothing says what to modify (council.conclusion).
    asks = any(vote["modifications"] and STRICTNESS.get(vote["verdict"], _MODIFY) >= _MODIFY for vote in votes)
    return NONE if asks else STRICTNESS["reject"]


def _label(decision: Decision) -> int:
    if not decision.labels:
        return NONE
    verdict = decision.settled.verdict
    return DISPUTED if verdict is None else STRICTNESS[verdict]

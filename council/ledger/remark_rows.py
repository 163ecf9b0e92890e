"""What the adapters share about remarks: which are refused, and how they lie in rows."""

import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Final, get_args

from council.ledger.port import RecordRefusedError, UnknownDecisionError
from council.ledger.remarks import Remark, RemarkKind
from policies.verdicts import VERDICTS

REMARK_COLUMNS: Final = ", ".join(Remark._fields)
ROW_COLUMNS: Final = ("realm_id", *Remark._fields)
"""Columns of a new row; its number follows from its arrival."""
REMARK_CHUNK: Final = 256
"""Remarks fetched at once by a scan: all that it holds."""
MAX_CHARACTERS: Final = 4_000
"""Longest text of a remark."""
_MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", re.ASCII)


def check_remarks(remarks: Iterable[Remark]) -> None:
    """Refuse a remark that could not be kept, found or read again.

    Raises:
        RecordRefusedError: naming the decision.
    """
    for remark in remarks:
        wrong = _wrong(remark)
        if wrong:
            raise RecordRefusedError(f"the remark on {remark.decision_id!r} is refused: {wrong}")


def remark_rows(remarks: Sequence[Remark], realms: Mapping[str, str]) -> list[tuple[Any, ...]]:
    """Return the rows of ROW_COLUMNS that remarks make.

    Args:
        realms: realm by decision, of those decisions that are on record.

    Raises:
        UnknownDecisionError: where a remark's decision is not among them.
    """
    unknown = [remark.decision_id for remark in remarks if remark.decision_id not in realms]
    if unknown:
        raise UnknownDecisionError(tuple(dict.fromkeys(unknown)))
    return [(realms[remark.decision_id], *remark) for remark in remarks]


def is_storable(text: str) -> bool:
    """Tell whether every database can hold a text: half characters have no UTF-8, and PostgreSQL holds no zero character."""
    return "\x00" not in text and text.encode("utf-8", "replace").decode() == text


def _wrong(remark: Remark) -> str:
    if remark.kind not in get_args(RemarkKind):
        return f"{remark.kind!r} is no kind of remark"
    if not remark.author or not remark.said:
        return "it does not say who said what"
    if remark.kind == "label" and remark.said not in VERDICTS:
        return f"{remark.said!r} is no verdict"
    if not _MOMENT.fullmatch(remark.said_at):
        return f"{remark.said_at!r} is no UTC time with milliseconds"
    return _wrong_text((remark.decision_id, remark.author, remark.said, remark.axis or "", remark.note))


def _wrong_text(texts: Iterable[str]) -> str:
    for text in texts:
        if len(text) > MAX_CHARACTERS:
            return f"a text of it is longer than {MAX_CHARACTERS} characters"
        if not is_storable(text):
            return "a text of it cannot be stored"
    return ""

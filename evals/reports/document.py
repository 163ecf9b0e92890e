"""The report as JSON, for machines: everything that the page says, without the whole records. Pure."""

from collections.abc import Mapping
from fractions import Fraction
from typing import Any

from pydantic import BaseModel

from evals.plots.figures import Matrix
from evals.reports.report import REPORT_SCHEMA, Report
from evals.reports.stories import Story
from evals.results import CaseResult
from policies.verdicts import VERDICTS


def document_of(report: Report) -> dict[str, Any]:
    """Return the report's document (`council.report/1`); shares are numbers, exact fractions are strings."""
    found = {name: _plain(value) for name, value in report._asdict().items() if name != "comparison"}
    return {"schema": REPORT_SCHEMA, **found, "comparison": _comparison(report)}


def _comparison(report: Report) -> dict[str, Any] | None:
    """Return the comparison without its pairs: they are the two run logs."""
    if report.comparison is None:
        return None
    found = report.comparison._asdict()
    pairing = found.pop("pairing")
    return {**_plain(found), "pairs": len(pairing.pairs), "only_old": pairing.only_old, "only_new": pairing.only_new,
            "lost": pairing.lost}  # fmt: skip


def _plain(value: Any) -> Any:
    """Return a value of the report as JSON has it; a number, a text and None stay as they are."""
    if isinstance(value, Fraction):
        return str(value)
    if isinstance(value, Mapping):
        return {str(key): _plain(part) for key, part in value.items()}
    fields = _fields(value)
    if fields is not None:
        return _plain(fields)
    return [_plain(part) for part in value] if isinstance(value, tuple | list) else value


def _fields(value: Any) -> Mapping[str, Any] | None:
    """Return what stands for a value with named fields; None for everything else."""
    match value:
        case CaseResult():
            return {name: part for name, part in value._asdict().items() if name != "record"}
        case Story():
            return {"concern": value.concern, **value._asdict()}
        case Matrix():
            return {**value._asdict(), "verdicts": VERDICTS}
        case BaseModel():
            return dict(value)
    return value._asdict() if hasattr(value, "_asdict") else None

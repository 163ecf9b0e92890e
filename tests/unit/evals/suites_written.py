"""Suites for tests: small ones, written to a directory as a designer would write them."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from evals.errors import FileFault, InvalidFileError
from evals.suite import Suite
from evals.suite_document import load_suite
from tests.unit.evals.recorded import EXAMPLES

CARAVAN = str(EXAMPLES / "01-caravan-through-the-borderlands.json")
"""Approved on the fast path."""
HARBOR = str(EXAMPLES / "06-a-harbor-for-an-inland-city.json")
"""Rejected by the veto canon_lock."""


def case(case_id: str, **fields: Any) -> dict[str, Any]:
    """Return a case about the caravan; every field may be replaced, and None leaves it out."""
    found = {"id": case_id, "about": "a caravan crosses the borderlands", "file": CARAVAN, **fields}
    if found.get("label") is not None:
        found.setdefault("reason", "as everybody at the table says")
    return {key: value for key, value in found.items() if value is not None}


def document(cases: Sequence[Mapping[str, Any]], **fields: Any) -> dict[str, Any]:
    """Return a suite's document."""
    return {"schema": "council.suite/1", "id": "small", "version": 1, "cases": list(cases), **fields}


def written(folder: Path, text: str | Mapping[str, Any], name: str = "small.suite.yaml") -> Path:
    """Write a suite; a mapping is written as JSON, which is YAML."""
    path = folder / name
    path.write_text(text if isinstance(text, str) else json.dumps(text, indent=1, ensure_ascii=False), encoding="utf-8")
    return path


def suite_of(folder: Path, cases: Sequence[Mapping[str, Any]], **fields: Any) -> Suite:
    """Write a suite and load it."""
    return load_suite(written(folder, document(cases, **fields)))


def faults_of(path: Path) -> tuple[FileFault, ...]:
    """Return what is wrong with a suite; none where it loads."""
    try:
        load_suite(path)
    except InvalidFileError as error:
        return error.faults
    return ()

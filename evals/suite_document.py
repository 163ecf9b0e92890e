"""Suites from YAML (`council.suite/1`): read whole with the files they include, every fault named at once, or refused.

docs/evals/suites.md explains every key; docs/schemas/suite.schema.json is the same for editors.
"""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from evals.decisions import AXES
from evals.errors import FileFault, InvalidFileError
from evals.gates import GateError, GateRule, read_gate
from evals.suite import SUITE_SCHEMA, Case, Query, Suite
from evals.suite_entries import read_case, read_query
from evals.suite_files import Bases, File, Files
from policies.canonical import canonical_json, sha256_hex
from policies.cursor import REQUIRED, Place
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy
from policies.policy_faults import InvalidPolicyError
from policies.verdicts import DECISION_TYPES

MAX_INCLUDED: Final = 64
MAX_GATES: Final = 100
_ROOT: Final[Mapping[str, Any]] = {
    "schema": REQUIRED,
    "id": REQUIRED,
    "version": REQUIRED,
    "about": "",
    "policy": None,
    "gates": [],
    "include": [],
    "bases": {},
    "cases": [],
    "queries": [],
}
_INCLUDED: Final[Mapping[str, Any]] = {"schema": None, "bases": {}, "cases": []}


def load_suite(path: Path | str, policy: Policy | None = None) -> Suite:
    """Load a suite with every file that it names.

    Args:
        policy: the policy that a run will use, where one is chosen; what a suite expects of rules is checked against the
            suite's own policy, else this one, else the one that ships.

    Raises:
        InvalidFileError: with every fault: unreadable, not YAML, unknown keys and names, ids that stand twice, requests
            that are not valid, expectations that can never hold.
    """
    files = Files()
    root = files.open(Path(path))
    fields = root.place.fields(_ROOT) if root.place.value is not None else {}
    if not fields:
        raise InvalidFileError(files.faults())
    if fields["schema"].value != SUITE_SCHEMA:
        fields["schema"].fault("is not a schema that this version reads", f"write {SUITE_SCHEMA}")
    own = _policy_path(fields["policy"], root)
    reference = _policy(fields["policy"], own) or policy or load_policy(default_policy_path())
    read = _cases(fields, root, files, reference)
    cases = [case for case in read if case is not None]
    queries = [read_query(item, reference) for item in fields["queries"].items()]
    _refuse_twins(fields, root, cases, queries, files)
    scopes = _scopes(cases, queries) if len(cases) == len(read) else None
    gates = tuple([gate for item in fields["gates"].items() if (gate := _gate(item, scopes)) is not None])
    suite_id, version = fields["id"].text(80), fields["version"].integer(1, 1_000_000_000)
    about = fields["about"].text(4_000) if fields["about"].value else ""
    if not read and not queries:
        root.place.fault("has neither cases nor queries", "write at least one")
    found = files.faults()
    if found:
        raise InvalidFileError(found)
    hashed = _content_hash(suite_id, gates, cases, queries)
    return Suite(suite_id, version, about, Path(path), own, gates, tuple(cases), tuple(queries), hashed)


def _cases(fields: Mapping[str, Place], root: File, files: Files, policy: Policy) -> list[Case | None]:
    """Read the cases of the suite and of every file that it includes, which all share their bases; None for a bad one."""
    parts: list[tuple[File, Mapping[str, Place]]] = [(root, fields)]
    included = fields["include"].items()
    if len(included) > MAX_INCLUDED:
        fields["include"].fault(f"more than {MAX_INCLUDED} files", "put cases together")
        included = []
    for item in included:
        name = item.text(255)
        if name:
            file = files.open(root.path.parent / name, named_at=item)
            parts.append((file, file.place.fields(_INCLUDED) if file.place.value is not None else {}))
    bases = Bases(files)
    for file, part in parts:
        if "bases" in part:
            bases.read(part["bases"], file)
    return [
        read_case(item, file, bases, policy, files)
        for file, part in parts
        if "cases" in part
        for item in part["cases"].items()
    ]


def _policy_path(place: Place, root: File) -> Path | None:
    if place.value is None:
        return None
    name = place.text(255)
    return root.path.parent / name if name else None


def _policy(place: Place, path: Path | None) -> Policy | None:
    if path is None:
        return None
    try:
        return load_policy(path)
    except InvalidPolicyError as error:
        place.fault(f"the policy {path.name!r} is refused: {error.faults[0]}", f"council policy lint {path}")
        return None


def _gate(item: Place, scopes: Sequence[str] | None) -> GateRule | None:
    text = item.text(200)
    if not text:
        return None
    try:
        return read_gate(text, scopes)
    except GateError as error:
        item.fault(str(error), error.fix)
        return None


def _scopes(cases: Sequence[Case], queries: Sequence[Query]) -> list[str]:
    """Return every axis, tag and decision type that a gate may name: those of the cases, and all types where queries ask."""
    entries: list[Case | Query] = [*cases, *queries]
    tags = [tag for each in entries for tag in each.tags]
    axes = [axis for axis in AXES if any(each.axis == axis for each in entries)]
    kinds = DECISION_TYPES if queries else [case.decision_type for case in cases]
    return list(dict.fromkeys([*axes, *kinds, *tags]))


def _refuse_twins(
    fields: Mapping[str, Place], root: File, cases: Sequence[Case], queries: Sequence[Query], files: Files
) -> None:
    """Two cases of one id could not be told apart in any report."""
    first: dict[str, Case] = {}
    for case in cases:
        known = first.setdefault(case.case_id, case)
        if known is not case:
            told = f"the id {case.case_id!r} stands here a second time, first in {known.file}:{known.line}"
            files.add(FileFault(case.file, case.line, "id", told, "give every case an id of its own"))
    seen: set[str] = set()
    for item, query in zip(fields["queries"].items(), queries, strict=True):
        if query.query_id in first or query.query_id in seen:
            item.at("id", query.query_id).fault(f"the id {query.query_id!r} is taken", "give every query its own")
        seen.add(query.query_id)


def _content_hash(suite_id: str, gates: Sequence[GateRule], cases: Sequence[Case], queries: Sequence[Query]) -> str:
    """Return the hash of everything that a run's outcome depends on; words for people are not part of it."""
    document = {
        "suite": suite_id,
        "gates": [gate.text for gate in gates],
        "cases": [
            {
                "id": case.case_id,
                "request": case.read.fingerprint,
                "label": case.label,
                "axis": case.axis,
                "tags": list(case.tags),
                "expect": repr(case.expect),
            }
            for case in cases
        ],
        "queries": [repr(query) for query in queries],
    }
    return sha256_hex(canonical_json(document))

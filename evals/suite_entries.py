"""The entries of a suite: one case or one query from its place in the file, checked against the policy it is written for."""

import re
from collections.abc import Mapping
from typing import Any, Final

from evals.decisions import AXES
from evals.errors import FileFault
from evals.suite import Case, Expectations, Query, Where
from evals.suite_cases import PointerError, edited
from evals.suite_expectations import PATHS, read_expectations
from evals.suite_files import Bases, File, Files, request_of
from policies.canonical import canonical_json
from policies.contracts.reading import ReadRequest, read_request
from policies.cursor import REQUIRED, Place
from policies.faults import Fault, InvalidInputError
from policies.policy import Policy
from policies.policy_faults import KeyPath, dotted
from policies.verdicts import DECISION_TYPES, VERDICTS
from policies.yaml_positions import line_of

CASE_KEYS: Final[Mapping[str, Any]] = {
    "id": REQUIRED,
    "about": REQUIRED,
    "reason": None,
    "label": None,
    "axis": None,
    "tags": [],
    "base": None,
    "request": None,
    "file": None,
    "set": {},
    "expect": {},
}
QUERY_KEYS: Final[Mapping[str, Any]] = {
    "id": REQUIRED,
    "about": "",
    "axis": None,
    "tags": [],
    "where": {},
    "limit": None,
    "expect": {},
}
WHERE_KEYS: Final = ("realm", "decision_type", "verdict", "path", "policy", "labelled", "since", "until")
MOST: Final = 10_000_000
"""Largest limit of a query."""
_ID: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}")
_TAG: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9 ._-]{0,39}")
_DATE: Final = re.compile(r"\d{4}-\d\d-\d\d(?:T\d\d:\d\d(?::\d\d(?:\.\d{1,3})?)?Z)?")
_HASH: Final = re.compile(r"[0-9a-f]{6,64}")


def read_case(place: Place, file: File, bases: Bases, policy: Policy, files: Files) -> Case | None:
    """Read one case; None where it has no usable request. Its faults are kept by `files` and its place."""
    fields = place.fields(CASE_KEYS)
    if not fields:
        return None
    case_id = _identifier(fields["id"])
    about = fields["about"].text(300) if fields["about"].value is not None else ""
    label = fields["label"].choice(VERDICTS) if fields["label"].value is not None else None
    reason = fields["reason"].text(2_000) if fields["reason"].value is not None else ""
    if label is not None and fields["reason"].value is None:
        fields["reason"].fault("is missing: a label needs its reason", "say in a sentence why the label is right")
    expect = read_expectations(fields["expect"], policy)
    if expect.is_label and label is None:
        fields["expect"].fault("expects the label, and the case has none", "write a label, or name the verdict")
    axis = fields["axis"].choice(AXES) if fields["axis"].value is not None else None
    tags = _tags(fields["tags"])
    document = _document(place, fields, file, bases, files)
    read = _read(place, document, file, files) if document is not None else None
    if document is None or read is None:
        return None
    _check_realm(place, read, policy)
    _check_effects(fields["expect"], expect, read)
    line = line_of(file.sheet.lines, place.path)
    return Case(case_id, about, document, read, expect, label, reason, axis, tags, str(file.path), line)


def read_query(place: Place, policy: Policy) -> Query:
    """Read one query; its faults are kept by its place."""
    fields = place.fields(QUERY_KEYS)
    if not fields:
        return Query("", Where(), Expectations())
    return Query(
        _identifier(fields["id"]),
        _where(fields["where"]),
        read_expectations(fields["expect"], policy),
        fields["about"].text(300) if fields["about"].value else "",
        fields["axis"].choice(AXES) if fields["axis"].value is not None else None,
        _tags(fields["tags"]),
        fields["limit"].integer(1, MOST) if fields["limit"].value is not None else None,
    )


def _where(place: Place) -> Where:
    given = place.entries(WHERE_KEYS)

    def chosen(key: str, known: tuple[Any, ...]) -> Any:
        return given[key].choice(known) if key in given else None

    def matched(key: str, form: re.Pattern[str], fix: str) -> str | None:
        if key not in given:
            return None
        text = given[key].text(200)
        if text and not form.fullmatch(text):
            given[key].fault("is not of the form expected here", fix)
        return text

    labelled = given.get("labelled")
    if labelled is not None and not isinstance(labelled.value, bool):
        labelled.fault("must be true or false", "write true for decisions that people have labelled")
    date = "write 2026-03-01 or 2026-03-01T12:00:00Z"
    where = Where(
        given["realm"].text(128) if "realm" in given else None,
        chosen("decision_type", DECISION_TYPES),
        chosen("verdict", VERDICTS),
        chosen("path", PATHS),
        matched("policy", _HASH, "write the first 6 to 64 digits of a policy's hash"),
        labelled.value if labelled is not None and isinstance(labelled.value, bool) else None,
        _moment(matched("since", _DATE, date)),
        _moment(matched("until", _DATE, date)),
    )
    if where.since is not None and where.until is not None and where.since >= where.until:
        given["until"].fault("nothing is recorded between since and until", "write a later time")
    return where


def _moment(text: str | None) -> str | None:
    """Write a time as records do, to the millisecond, so that texts compare as times do.

    >>> _moment("2026-03-01"), _moment("2026-03-01T12:00Z")
    ('2026-03-01T00:00:00.000Z', '2026-03-01T12:00:00.000Z')
    """
    if text is None or not _DATE.fullmatch(text):
        return text
    day, _, clock = text.removesuffix("Z").partition("T")
    whole, _, part = (clock or "00:00:00").partition(".")
    seconds = whole if whole.count(":") == 2 else f"{whole}:00"
    return f"{day}T{seconds}.{part:0<3}Z"


def _identifier(place: Place) -> str:
    if place.value is None:
        return ""
    text = place.text(80)
    if text and not _ID.fullmatch(text):
        place.fault("is not an id", "use letters, digits, dots, hyphens and underscores, at most 80")
    return text


def _tags(place: Place) -> tuple[str, ...]:
    found: list[str] = []
    for item in place.items():
        text = item.text(40)
        if text and not _TAG.fullmatch(text):
            item.fault("is not a tag", "use letters, digits, spaces, dots and hyphens, at most 40")
        elif text in found:
            item.fault("stands twice", "keep one of them")
        found.append(text)
    return tuple(found)


def _document(
    place: Place, fields: Mapping[str, Place], file: File, bases: Bases, files: Files
) -> dict[str, Any] | None:
    """Return a case's request with its edits made; None where it cannot be had."""
    sources = [key for key in ("base", "request", "file") if fields[key].value is not None]
    if len(sources) != 1:
        place.fault("needs exactly one of base, request and file", "say which request the case is about")
        return None
    source = fields[sources[0]]
    found: Mapping[str, Any] | None
    match sources[0]:
        case "base":
            found = bases.named(source)
        case "file":
            name = source.text(1_000)
            found = files.request(file.path.parent / name, source) if name else None
        case _:
            found = request_of(source)
    document = dict(found) if found is not None else None
    for at, edit in fields["set"].entries().items():
        if document is None:
            break
        try:
            document = edited(document, at, edit.value)
        except PointerError as error:
            edit.fault(str(error), error.fix)
    return document


def _read(place: Place, document: Mapping[str, Any], file: File, files: Files) -> ReadRequest | None:
    try:
        return read_request(canonical_json(document))
    except InvalidInputError as error:
        for fault in error.faults:
            key, line = _blamed(place, fault, file)
            told = f"the request is not valid at {fault.path or '/'}: {fault.message}"
            files.add(FileFault(str(file.path), line, key, told, fault.fix))
        return None


def _blamed(place: Place, fault: Fault, file: File) -> tuple[str, int]:
    """Return key and line of the edit or the inline field that a request's fault comes from, or of the case."""
    edits = [at for at in place.value.get("set", {}) if _touches(at, fault.path)]
    at: KeyPath = (*place.path, "set", max(edits, key=len)) if edits else place.path
    if not edits and "request" in place.value:
        segments = [int(part) if part.isdigit() else part for part in fault.path.split("/")[1:]]
        at = (*place.path, "request", *segments)
    return dotted(at), line_of(file.sheet.lines, at)


def _touches(edit: str, path: str) -> bool:
    head = edit.removesuffix("/-")
    return path == head or path.startswith(f"{head}/") or head.startswith(f"{path}/")


def _check_realm(place: Place, read: ReadRequest, policy: Policy) -> None:
    if policy.realm(read.request.realm_id) is None:
        place.fault(
            f"the policy {policy.policy_id!r} does not know the realm {read.request.realm_id!r}", "name another"
        )


def _check_effects(place: Place, expect: Expectations, read: ReadRequest) -> None:
    effects = len(read.request.proposed_change.effects)
    if any(wanted["effect"] >= effects for wanted in expect.modifications):
        told = f"names an effect that the change does not have: it has {effects}"
        place.at("modifications", None).fault(told, "count effects from 0")

"""The lines of an export (`council.export/1`), from values to bytes. Pure.

A header, each policy before the first decision that names it, the decisions in chain order, an end line with the counts. A
record's body goes in as its own canonical bytes, because its hash covers them.
"""

from collections.abc import Mapping
from typing import Any, Final, Literal, NamedTuple

import orjson
from rfc8785 import CanonicalizationError

from evals.decisions import Decision, Label, Outcome
from policies.canonical import canonical_json

EXPORT_SCHEMA: Final = "council.export/1"

_MAX_INTEGER: Final = 2**53

Replies = Literal["kept", "dropped"]
Summaries = Literal["kept", "replaced"]


class Redaction(NamedTuple):
    """How names and texts of players were replaced."""

    method: str
    """Such as "hmac-sha256": pseudonyms that nobody can compute without the key."""
    replies: Replies
    """Whether the sentences that models wrote are in the export; their votes and costs always are."""
    summaries: Summaries
    """Whether the line in which the sim sums a change up is as it was."""


class ExportHeader(NamedTuple):
    """What the first line of an export says."""

    redaction: Redaction | None = None
    """None where every record is as the ledger has it, and proves itself."""
    realm_id: str | None = None
    """The one realm that was exported; None for all of them."""
    after: int = 0
    """Position that each chain starts behind."""


class ExportCounts(NamedTuple):
    """What an export holds."""

    decisions: int
    policies: int


def header_line(header: ExportHeader) -> bytes:
    """Return the first line."""
    redacted = header.redaction._asdict() if header.redaction else False
    return _line(
        {
            "kind": "header",
            "schema": EXPORT_SCHEMA,
            "redacted": redacted,
            "realm": header.realm_id,
            "after": header.after,
        }
    )


def policy_line(policy_hash: str, document: bytes) -> bytes:
    """Return the line of a policy, given its document's JSON."""
    return _line({"kind": "policy", "hash": policy_hash, "document": orjson.Fragment(document)})


def decision_line(decision: Decision, body: bytes | None = None) -> bytes:
    """Return the line of a decision with what people said of it.

    Args:
        body: the record's canonical bytes where they are at hand; written from the record otherwise.
    """
    written: dict[str, Any] = {
        "kind": "decision",
        "realm_id": decision.realm_id,
        "position": decision.position,
        "hash": decision.hash,
        "previous": decision.previous,
        "body": orjson.Fragment(record_bytes(decision.record) if body is None else body),
    }
    if decision.labels:
        written["labels"] = [label_to_wire(label) for label in decision.labels]
    if decision.outcomes:
        written["outcomes"] = [outcome_to_wire(outcome) for outcome in decision.outcomes]
    return _line(written)


def record_bytes(record: Any) -> bytes:
    """Return the canonical bytes of a record that was read from its canonical bytes.

    RFC 8785 knows doubles only and writes large ones without a point (2**53 as 9007199254740992), so that they are read back
    as integers that it would refuse: those become doubles again.
    """
    try:
        return canonical_json(record)
    except CanonicalizationError:
        return canonical_json(_as_doubles(record))


def end_line(counts: ExportCounts) -> bytes:
    """Return the last line: an export without it was cut off."""
    return _line({"kind": "end", **counts._asdict()})


def body_bytes(line: bytes, parsed: Mapping[str, Any]) -> bytes:
    """Return the record's bytes as they stand in a decision's line.

    Inside a JSON string every quote is escaped, so the first `,"body":` is the line's own key; labels and outcomes, where
    there are any, follow the body and hold no lists, so their last occurrences are the line's own.

    Args:
        line: as this module writes it, without its line feed.
        parsed: the same line, parsed.
    """
    start = line.find(b',"body":') + len(b',"body":')
    end = len(line) - 1
    for key in ("labels", "outcomes"):
        if key in parsed:
            end = line.rfind(b',"%b":[' % key.encode())
            break
    return line[start:end]


def label_to_wire(label: Label) -> dict[str, str]:
    """Return a label as an export holds it; an axis or a note that is not there is left out."""
    wire = {"labeller": label.labeller, "verdict": label.verdict, "labelled_at": label.labelled_at}
    return {**wire, **_present(axis=label.axis, note=label.note)}


def outcome_to_wire(outcome: Outcome) -> dict[str, str]:
    """Return an outcome as an export holds it."""
    wire = {"reporter": outcome.reporter, "outcome": outcome.outcome, "reported_at": outcome.reported_at}
    return {**wire, **_present(note=outcome.note)}


def _as_doubles(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _as_doubles(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_as_doubles(item) for item in value]
    return float(value) if type(value) is int and abs(value) >= _MAX_INTEGER else value


def _present(**fields: str | None) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}


def _line(value: Mapping[str, Any]) -> bytes:
    return orjson.dumps(value)

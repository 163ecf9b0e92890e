"""The parts of an export's lines, from parsed JSON to values; each says what is wrong with it, not where. Pure."""

import re
from collections.abc import Mapping
from typing import Any, Final, cast, get_args

from council.record import SCHEMA as RECORD_SCHEMA
from evals.decisions import AXES, Axis, Label, Outcome
from evals.export_lines import EXPORT_SCHEMA, ExportHeader, Redaction, Replies, Summaries
from policies.canonical import canonical_json, sha256_hex
from policies.faults import did_you_mean
from policies.verdicts import DECISION_TYPES, VERDICTS, Path, Verdict

AGAIN: Final = "export it again: council export FILE"
MOMENT: Final = re.compile(r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z")
"""ISO 8601 UTC with milliseconds, the one form of a time in records and remarks."""
_TEXTS: Final = ("decision_id", "realm_id", "request_key", "recorded_at", "schema")
_CLOSED: Final = {"decision_type": DECISION_TYPES, "path": get_args(Path), "council_verdict": VERDICTS}


class WrongPartError(Exception):
    """a part of a line is not what it must be; the reader adds file and line"""

    def __init__(self, key: str, message: str, fix: str = AGAIN) -> None:
        self.key = key
        self.message = message
        self.fix = fix
        super().__init__(message)


def read_header(parsed: Mapping[str, Any]) -> ExportHeader:
    """Return what a header says."""
    if parsed.get("kind") != "header":
        is_old = "body" in parsed and "kind" not in parsed
        told = "is a record of an export of an earlier version" if is_old else "is no header of an export"
        raise WrongPartError("", told)
    if parsed.get("schema") != EXPORT_SCHEMA:
        told = f"{parsed.get('schema')!r} is the format of another version; this one reads {EXPORT_SCHEMA!r}"
        raise WrongPartError("schema", told, "export it again with this version, or read it with the one that wrote it")
    check_keys(parsed, "", "kind", "schema", "redacted", "realm", "after")
    realm, after = parsed.get("realm"), parsed.get("after")
    if realm is not None and not isinstance(realm, str):
        raise WrongPartError("realm", "must be a text or null")
    if type(after) is not int or after < 0:
        raise WrongPartError("after", "must be an integer from 0 on")
    return ExportHeader(_redaction(parsed.get("redacted")), realm, after)


def read_policy(parsed: Mapping[str, Any]) -> tuple[str, Mapping[str, Any]]:
    """Return a policy's content hash and document."""
    check_keys(parsed, "", "kind", "hash", "document")
    document = parsed.get("document")
    if not isinstance(document, dict):
        raise WrongPartError("document", "must be a policy's document")
    content_hash = sha256_hex(canonical_json(document))
    if content_hash != parsed.get("hash"):
        raise WrongPartError("hash", "is not the hash of the document: the policy was edited")
    return content_hash, document


def check_record(body: Any) -> None:
    """Refuse what no reader could use. A record that its hash proves needs no more: what was hashed is what was written."""
    if not isinstance(body, dict):
        raise WrongPartError("body", "must be a record")
    _check_texts(body)
    if body["schema"] != RECORD_SCHEMA:
        told = f"{body['schema']!r} is the format of another version; this one reads {RECORD_SCHEMA!r}"
        raise WrongPartError("body.schema", told, "read it with the version that wrote it")
    for key, known in _CLOSED.items():
        if body.get(key) not in known:
            raise WrongPartError(f"body.{key}", "is none of the known ones", did_you_mean(str(body.get(key)), known))
    _check_objects(body)


def read_labels(value: Any) -> tuple[Label, ...]:
    """Return the labels of a decision."""
    return tuple([_label(item, f"labels.{at}") for at, item in enumerate(_list(value, "labels"))])


def read_outcomes(value: Any) -> tuple[Outcome, ...]:
    """Return the outcomes of a decision."""
    return tuple([_outcome(item, f"outcomes.{at}") for at, item in enumerate(_list(value, "outcomes"))])


def check_keys(found: Mapping[str, Any], at: str, *known: str) -> None:
    """Refuse a key that is not known.

    Args:
        at: path of the object, with its dot at the end; "" at the top.
    """
    for key in found:
        if key not in known:
            raise WrongPartError(f"{at}{key}", "is not known here", did_you_mean(key, known))


def _check_texts(body: Mapping[str, Any]) -> None:
    for key in _TEXTS:
        if not isinstance(body.get(key), str):
            raise WrongPartError(f"body.{key}", "is missing or no text")


def _check_objects(body: Mapping[str, Any]) -> None:
    for key in ("policy", "answer", "request"):
        if not isinstance(body.get(key), dict):
            raise WrongPartError(f"body.{key}", "is missing or no object")
    if not isinstance(body["policy"].get("hash"), str):
        raise WrongPartError("body.policy.hash", "is missing or no text")
    if not isinstance(body["answer"].get("votes"), list):
        raise WrongPartError("body.answer.votes", "is missing or no list")


def _redaction(value: Any) -> Redaction | None:
    if value is False:
        return None
    told = "must be false, or say the method and what became of replies and summaries"
    if not isinstance(value, dict) or set(value) != set(Redaction._fields):
        raise WrongPartError("redacted", told)
    if not isinstance(value["method"], str) or value["replies"] not in get_args(Replies):
        raise WrongPartError("redacted", told)
    if value["summaries"] not in get_args(Summaries):
        raise WrongPartError("redacted", told)
    return Redaction(**value)


def _label(item: Any, at: str) -> Label:
    _check_remark(item, at, ("labeller", "verdict", "labelled_at"), ("axis", "note"))
    if item["verdict"] not in VERDICTS:
        raise WrongPartError(f"{at}.verdict", "is no verdict", did_you_mean(item["verdict"], VERDICTS))
    if item.get("axis") not in (None, *AXES):
        raise WrongPartError(f"{at}.axis", "is no axis", did_you_mean(item["axis"], AXES))
    verdict, axis = cast("Verdict", item["verdict"]), cast("Axis | None", item.get("axis"))
    return Label(item["labeller"], verdict, item["labelled_at"], axis, item.get("note", ""))


def _outcome(item: Any, at: str) -> Outcome:
    _check_remark(item, at, ("reporter", "outcome", "reported_at"), ("note",))
    return Outcome(item["reporter"], item["outcome"], item["reported_at"], item.get("note", ""))


def _check_remark(item: Any, at: str, needed: tuple[str, str, str], optional: tuple[str, ...]) -> None:
    if not isinstance(item, dict):
        raise WrongPartError(at, "is no object")
    check_keys(item, f"{at}.", *needed, *optional)
    for key in needed:
        if not isinstance(item.get(key), str) or not item[key]:
            raise WrongPartError(f"{at}.{key}", "is missing or no text")
    for key in optional:
        if key in item and not isinstance(item[key], str):
            raise WrongPartError(f"{at}.{key}", "is no text")
    if not MOMENT.fullmatch(item[needed[2]]):
        told = "is no UTC time with milliseconds"
        raise WrongPartError(f"{at}.{needed[2]}", told, "write it as 2026-11-21T10:00:00.000Z")


def _list(value: Any, key: str) -> list[Any]:
    if not isinstance(value, list):
        raise WrongPartError(key, "must be a list")
    return value

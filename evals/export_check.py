"""Reading an export line by line: the order of its lines, the chain that it must keep, and where it stops being true. Pure.

The first line that is wrong ends the reading: behind a broken link nothing is proved, behind a cut nothing is there.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple

import orjson

from council.ledger.chain import GENESIS, link_hash
from evals.decisions import Decision
from evals.errors import FileFault, InvalidFileError
from evals.export_lines import ExportCounts, ExportHeader, body_bytes, record_bytes
from evals.export_parts import (
    AGAIN,
    WrongPartError,
    check_keys,
    check_record,
    read_header,
    read_labels,
    read_outcomes,
    read_policy,
)
from policies.faults import did_you_mean

_KINDS: Final = ("header", "policy", "decision", "end")
_KEYS: Final = ("kind", "realm_id", "position", "hash", "previous", "body", "labels", "outcomes")
_HASH: Final = re.compile("[0-9a-f]{64}")


class _Last(NamedTuple):
    """The last decision of a chain so far."""

    position: int
    hash: str


class ExportCheck:
    """Takes the lines of one export in order.

    Args:
        file: name for faults.
        check_chain: prove every record by its hash and place; without it only the form of the lines is checked.
    """

    def __init__(self, file: str, *, check_chain: bool = True) -> None:
        self._file = file
        self._check_chain = check_chain
        self._line = 0
        self._last: dict[str, _Last] = {}
        self._decisions = 0
        self._is_ended = False
        self.header: ExportHeader | None = None
        self.documents: dict[str, Mapping[str, Any]] = {}
        """Policy documents so far, by content hash."""

    def feed(self, line: bytes) -> Decision | None:
        """Return the decision of the next line; None for a line of another kind.

        Args:
            line: without its line feed.

        Raises:
            InvalidFileError: for the first thing that is wrong with it.
        """
        self._line += 1
        try:
            return self._read(line)
        except WrongPartError as wrong:
            raise InvalidFileError([FileFault(self._file, self._line, *_told(wrong))]) from None

    def finish(self) -> ExportCounts:
        """Return what the export held, after its last line.

        Raises:
            InvalidFileError: where it has no end line, or no line at all.
        """
        if self.header is None:
            raise InvalidFileError([FileFault(self._file, 0, "", "is empty: it has not even a header", AGAIN)])
        if not self._is_ended:
            told = f"the export was cut off: no end line follows, and {self._decisions} decisions stand before the cut"
            raise InvalidFileError([FileFault(self._file, self._line, "", told, AGAIN)])
        return ExportCounts(self._decisions, len(self.documents))

    def _read(self, line: bytes) -> Decision | None:
        parsed = _parsed(line)
        if self.header is None:
            self.header = read_header(parsed)
            return None
        if self._is_ended:
            raise WrongPartError("", "stands behind the end of the export", "remove what follows the end line")
        match parsed.get("kind"):
            case "decision":
                return self._decision(self.header, line, parsed)
            case "policy":
                content_hash, document = read_policy(parsed)
                self.documents[content_hash] = document
            case "end":
                self._end(parsed)
            case "header":
                told = "a second header: two exports were put into one file"
                raise WrongPartError("kind", told, "keep one export a file")
            case kind:
                raise WrongPartError("kind", f"{kind!r} is no kind of line", did_you_mean(str(kind), _KINDS))
        return None

    def _decision(self, header: ExportHeader, line: bytes, parsed: Mapping[str, Any]) -> Decision:
        check_keys(parsed, "", *_KEYS)
        body = parsed.get("body")
        check_record(body)
        assert isinstance(body, dict)
        if parsed.get("realm_id") != body["realm_id"]:
            raise WrongPartError("realm_id", f"is not the realm of its record, {body['realm_id']!r}")
        if body["policy"]["hash"] not in self.documents:
            raise WrongPartError("body.policy.hash", "names a policy that no line before holds")
        _check_place(parsed, is_redacted=header.redaction is not None)
        if self._check_chain:
            self._check_link(header, line, parsed)
        self._decisions += 1
        return Decision(
            body,
            parsed["position"],
            parsed["hash"],
            parsed["previous"],
            read_labels(parsed.get("labels", [])),
            read_outcomes(parsed.get("outcomes", [])),
            is_redacted=header.redaction is not None,
        )

    def _check_link(self, header: ExportHeader, line: bytes, parsed: Mapping[str, Any]) -> None:
        realm_id, position = parsed["realm_id"], parsed["position"]
        if header.realm_id not in (None, realm_id):
            raise WrongPartError("realm_id", f"the header says that only {header.realm_id!r} was exported")
        last = self._last.get(realm_id)
        place = last.position + 1 if last else header.after + 1
        if position != place:
            told = f"{position} stands where {place} must follow: a record is missing, repeated or moved"
            raise WrongPartError("position", told)
        self._last[realm_id] = _Last(position, parsed["hash"])
        if header.redaction is not None:
            return
        # What stands before an export that begins later is not known; its first link is taken at its word.
        before = last.hash if last else GENESIS if header.after == 0 else parsed["previous"]
        if parsed["previous"] != before:
            raise WrongPartError("previous", "is not the hash of the record before: the chain is broken here")
        if not _is_proved(line, parsed):
            raise WrongPartError("hash", "does not match body, place and realm: the record was edited")

    def _end(self, parsed: Mapping[str, Any]) -> None:
        check_keys(parsed, "", "kind", "decisions", "policies")
        for key, count in (("decisions", self._decisions), ("policies", len(self.documents))):
            if parsed.get(key) != count:
                told = f"the end line counts {parsed.get(key)!r}, the file has {count}: lines were lost or added"
                raise WrongPartError(key, told)
        self._is_ended = True


def _told(wrong: WrongPartError) -> tuple[str, str, str]:
    return (wrong.key, wrong.message, wrong.fix)


def _parsed(line: bytes) -> Mapping[str, Any]:
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        is_cut = line.startswith(b"{") and not line.rstrip().endswith(b"}")
        raise WrongPartError("", "is cut off" if is_cut else f"is not JSON: {error.msg.lower()}") from None
    if not isinstance(parsed, dict):
        raise WrongPartError("", "is no JSON object")
    return parsed


def _check_place(parsed: Mapping[str, Any], *, is_redacted: bool) -> None:
    position = parsed.get("position")
    if type(position) is not int or position < 1:
        raise WrongPartError("position", "must be an integer from 1 on")
    for key in ("hash", "previous"):
        value = parsed.get(key)
        if is_redacted:
            if value != "":
                raise WrongPartError(key, "must be empty in a redacted export: it would prove nothing")
        elif not isinstance(value, str) or not _HASH.fullmatch(value):
            raise WrongPartError(key, "is no hash")


def _is_proved(line: bytes, parsed: Mapping[str, Any]) -> bool:
    """Whether the hash covers the body: its bytes as they stand or, where a tool wrote the line anew, its canonical ones."""
    place, named = (parsed["position"], parsed["previous"], parsed["realm_id"]), str(parsed["hash"])
    if link_hash(body_bytes(line, parsed), *place) == named:
        return True
    return link_hash(record_bytes(parsed["body"]), *place) == named

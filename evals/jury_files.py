"""A recorded set of votes as a file (`council.jury/1`, JSON Lines): a header, an item a line, an end line with the count."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final, NamedTuple, cast

import orjson

from evals.errors import EvalsError, FileFault, InvalidFileError
from evals.jury import Ballot, Jury, JuryItem
from evals.whole_files import write_whole
from policies.verdicts import VERDICTS, Verdict

JURY_SCHEMA: Final = "council.jury/1"
_AGAIN: Final = "make the set again: council eval import FILE.csv -o SET.jsonl"
_ITEM_KEYS: Final = {"kind", "item", "class", "label", "verdict", "votes"}


class RecordedJury(NamedTuple):
    """A jury with how its votes became verdicts."""

    jury: Jury
    mapping: Mapping[str, Verdict]
    """The verdict that each foreign vote stands for."""


def jury_lines(recorded: RecordedJury) -> list[bytes]:
    """Return the lines of a recorded set, without line feeds."""
    jury = recorded.jury
    header = {
        "kind": "header",
        "schema": JURY_SCHEMA,
        "source": jury.source,
        "members": jury.members,
        "mapping": dict(recorded.mapping),
    }
    end = {"kind": "end", "items": len(jury.items)}
    return [orjson.dumps(header), *[orjson.dumps(_item_to_wire(item)) for item in jury.items], orjson.dumps(end)]


def write_jury(path: Path, recorded: RecordedJury) -> None:
    """Write a recorded set beside its target and move it into place.

    Raises:
        EvalsError: where the file cannot be written.
    """
    write_whole(path, b"".join([line + b"\n" for line in jury_lines(recorded)]))


def read_jury(path: Path | str) -> Jury:
    """Read the jury of a recorded set; raises what `read_recorded_jury` does."""
    return read_recorded_jury(path).jury


def read_recorded_jury(path: Path | str) -> RecordedJury:
    """Read a recorded set.

    Raises:
        InvalidFileError: for the first line that is wrong, or a missing end.
        EvalsError: where the file cannot be read.
    """
    try:
        lines = Path(path).read_bytes().split(b"\n")
    except OSError as error:
        told = f"cannot read {str(path)!r}: {(error.strerror or str(error)).lower()}"
        raise EvalsError(told, "name a file that 'council eval import' wrote") from None
    return jury_from_lines([line for line in lines if line], str(path))


def jury_from_lines(lines: Sequence[bytes], file: str) -> RecordedJury:
    """Return the recorded set of a file's lines.

    Args:
        file: name for faults.

    Raises:
        InvalidFileError: for the first line that is wrong, or a missing end.
    """
    try:
        parsed = [_parsed(line, number) for number, line in enumerate(lines, 1)]
        header = _header(parsed[0] if parsed else {})
        _check_end(parsed)
        members = cast("Sequence[str]", header["members"])
        items = [_item(line, number, members) for number, line in enumerate(parsed[1:-1], 2)]
    except _WrongLineError as wrong:
        raise InvalidFileError([FileFault(file, wrong.line, wrong.key, wrong.message, _AGAIN)]) from None
    return RecordedJury(Jury(tuple(members), tuple(items), header["source"]), header["mapping"])


class _WrongLineError(Exception):
    """a line is not what it must be"""

    def __init__(self, line: int, key: str, message: str) -> None:
        self.line = line
        self.key = key
        self.message = message
        super().__init__(message)


def _item_to_wire(item: JuryItem) -> dict[str, Any]:
    return {
        "kind": "item",
        "item": item.item,
        "class": item.decision_class,
        "label": item.label,
        "verdict": item.verdict,
        "votes": {member: ballot._asdict() for member, ballot in item.ballots.items()},
    }


def _parsed(line: bytes, number: int) -> Mapping[str, Any]:
    try:
        parsed = orjson.loads(line)
    except orjson.JSONDecodeError as error:
        raise _WrongLineError(number, "", f"is not JSON: {error.msg.lower()}") from None
    if not isinstance(parsed, dict):
        raise _WrongLineError(number, "", "is no JSON object")
    return parsed


def _header(parsed: Mapping[str, Any]) -> Mapping[str, Any]:
    if parsed.get("kind") != "header":
        raise _WrongLineError(1, "kind", "is no header of a recorded set")
    if parsed.get("schema") != JURY_SCHEMA:
        told = f"{parsed.get('schema')!r} is the format of another version; this one reads {JURY_SCHEMA!r}"
        raise _WrongLineError(1, "schema", told)
    members, mapping = parsed.get("members"), parsed.get("mapping")
    if not isinstance(members, list) or not all(isinstance(member, str) for member in members):
        raise _WrongLineError(1, "members", "must be a list of names")
    if not isinstance(mapping, dict) or not set(mapping.values()) <= set(VERDICTS):
        raise _WrongLineError(1, "mapping", "must say which verdict each vote stands for")
    if not isinstance(parsed.get("source"), str):
        raise _WrongLineError(1, "source", "must be a text")
    return parsed


def _check_end(parsed: Sequence[Mapping[str, Any]]) -> None:
    last, items = parsed[-1], len(parsed) - 2
    if last.get("kind") != "end":
        raise _WrongLineError(len(parsed), "", "the set was cut off: no end line follows")
    if last.get("items") != items:
        told = f"the end line counts {last.get('items')!r}, the file has {items}: lines were lost or added"
        raise _WrongLineError(len(parsed), "items", told)


def _item(parsed: Mapping[str, Any], number: int, members: Sequence[str]) -> JuryItem:
    if set(parsed) != _ITEM_KEYS or parsed["kind"] != "item":
        raise _WrongLineError(number, "", "is no item")
    for key in ("item", "class"):
        if not isinstance(parsed[key], str):
            raise _WrongLineError(number, key, "is no text")
    for key in ("label", "verdict"):
        if parsed[key] not in (None, *VERDICTS):
            raise _WrongLineError(number, key, "is no verdict")
    if not isinstance(parsed["votes"], dict):
        raise _WrongLineError(number, "votes", "must say what each member voted")
    ballots = {member: _ballot(vote, member, number, members) for member, vote in parsed["votes"].items()}
    return JuryItem(parsed["item"], parsed["class"], ballots, parsed["verdict"], parsed["label"])


def _ballot(vote: Any, member: str, number: int, members: Sequence[str]) -> Ballot:
    at = f"votes.{member}"
    if member not in members:
        raise _WrongLineError(number, at, "is no member of this set")
    if not isinstance(vote, dict) or set(vote) != set(Ballot._fields) or vote["verdict"] not in (None, *VERDICTS):
        raise _WrongLineError(number, at, "is no vote")
    if type(vote["confidence"]) is not int or not 0 <= vote["confidence"] <= 1000:
        raise _WrongLineError(number, f"{at}.confidence", "is no permille")
    return Ballot(**vote)

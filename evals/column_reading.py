"""Columns from an export: parsed and proved by several processes, each on its own part of the file.

What a part cannot prove alone (that the chain goes on from the part before, that policies stand before their decisions, that
the end counts what there is) is checked where the parts are joined. Where anything is wrong the export is read again from its
start, line by line, so that there is one place that says what is wrong with an export.
"""

import gc
import multiprocessing
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np
import orjson
from numpy.typing import NDArray

from council.ledger.chain import GENESIS, link_hash
from evals.columns import Columns, ColumnWriter, joined
from evals.decisions import Decision
from evals.errors import EvalsError, InvalidFileError
from evals.export_check import ExportCheck
from evals.export_lines import ExportHeader, body_bytes
from evals.exports import ExportFile

Steps = Callable[[int], None]
"""Told how many bytes were read."""
PART_BYTES: Final = 32 * 1024 * 1024
"""Of one part: small enough that progress is seen, large enough that starting it costs nothing beside reading it."""
_DECISION: Final = b'{"kind":"decision",'
_POLICY: Final = b'{"kind":"policy",'
_HEADER: Final = b'{"kind":"header",'


class _OddLineError(Exception):
    """something in this part is not as an export has it"""


class _Part(NamedTuple):
    """What one part of the file holds."""

    columns: Columns
    positions: NDArray[np.int64]
    hashes: NDArray[np.void]
    previous: NDArray[np.void]
    first_policies: Mapping[str, int]
    """Byte at which each policy's line begins."""
    end: Mapping[str, Any] | None
    """The end line, where it stands last in this part."""


class _AnyPolicy(dict[str, Mapping[str, Any]]):
    """Documents of a part that begins in the middle: whether a policy stands before it, the whole knows."""

    def __contains__(self, key: object) -> bool:
        return True


def read_columns(export: ExportFile, *, advance: Steps | None = None, processes: int | None = None) -> Columns:
    """Return an export as columns, every line parsed and every record proved by its hash.

    Args:
        export: the file.
        advance: told how many bytes were read, for a progress bar.
        processes: how many read at once; as many as there are cores unless given, and one for a small file.

    Raises:
        InvalidFileError: for the first line that is wrong, a broken chain, a missing end.
        EvalsError: where the file cannot be read.
    """
    try:
        parts = list(_parts(export, advance or _unseen, processes or os.cpu_count() or 1))
    except _OddLineError:
        return _read_slowly(export)
    except OSError as error:
        raise EvalsError(f"cannot read {export.name!r}: {(error.strerror or str(error)).lower()}") from None
    if not _holds_together(parts, export.header):
        return _read_slowly(export)
    return joined([part.columns for part in parts])


def _parts(export: ExportFile, advance: Steps, processes: int) -> Iterator[_Part]:
    size = export.path.stat().st_size
    starts = range(0, max(size, 1), PART_BYTES)
    tasks = [(export.path, export.header, start, min(start + PART_BYTES, size)) for start in starts]
    if len(tasks) == 1 or processes == 1:
        for task in tasks:
            yield _read_part(task)
            advance(task[3] - task[2])
        return
    # Parsed lines hold no cycles, and looking for some costs a fifth of the time.
    context = multiprocessing.get_context("spawn")
    with ProcessPoolExecutor(min(processes, len(tasks)), mp_context=context, initializer=gc.disable) as pool:
        for task, part in zip(tasks, pool.map(_read_part, tasks), strict=True):
            advance(task[3] - task[2])
            yield part


def _unseen(read: int) -> None:
    """Count for nobody."""


def _read_part(task: tuple[Path, ExportHeader, int, int]) -> _Part:
    """Read the lines that begin within a range of bytes."""
    path, header, start, stop = task
    reader = _PartReader(path, header)
    with path.open("rb") as opened:
        if start:
            opened.seek(start - 1)
            opened.readline()
        while (at := opened.tell()) < stop:
            line = opened.readline()
            if not line:
                break
            reader.take(line.removesuffix(b"\n"), at)
    return reader.finish()


class _PartReader:
    """Takes the lines of one part."""

    def __init__(self, path: Path, header: ExportHeader) -> None:
        self._check = ExportCheck(str(path), check_chain=False)
        self._check.header = header
        self._check.documents = _AnyPolicy()
        self._is_redacted = header.redaction is not None
        self._writer = ColumnWriter(self._is_redacted)
        self._links: list[tuple[int, str, str]] = []
        self._first_policies: dict[str, int] = {}
        self._end: Mapping[str, Any] | None = None

    def take(self, line: bytes, at: int) -> None:
        if self._end is not None:
            raise _OddLineError
        try:
            if line.startswith(_DECISION):
                self._decision(line, at)
            elif line.startswith(_POLICY):
                known = set(self._check.documents)
                self._check.feed(line)
                self._first_policies |= {name: at for name in self._check.documents if name not in known}
            elif at or not line.startswith(_HEADER):
                self._end = _end_of(line)
        except (InvalidFileError, KeyError, TypeError, ValueError):
            raise _OddLineError from None

    def finish(self) -> _Part:
        positions, hashes, previous = zip(*self._links, strict=True) if self._links else ((), (), ())
        return _Part(
            self._writer.finish(self._check.documents),
            np.array(positions, np.int64),
            _digests(hashes),
            _digests(previous),
            self._first_policies,
            self._end,
        )

    def _decision(self, line: bytes, at: int) -> None:
        decision = self._check.feed(line)
        assert decision is not None
        if not self._is_redacted and not _is_proved(line, decision):
            raise _OddLineError
        self._writer.add(decision, at, len(line))
        self._links.append((decision.position, decision.hash, decision.previous))


def _is_proved(line: bytes, decision: Decision) -> bool:
    marks = {**({"labels": 1} if decision.labels else {}), **({"outcomes": 1} if decision.outcomes else {})}
    body = body_bytes(line, marks)
    return link_hash(body, decision.position, decision.previous, decision.realm_id) == decision.hash


def _end_of(line: bytes) -> Mapping[str, Any]:
    parsed = orjson.loads(line)
    if not isinstance(parsed, dict) or parsed.get("kind") != "end":
        raise _OddLineError
    return parsed


def _digests(hashes: Sequence[str]) -> NDArray[np.void]:
    raw = b"".join([bytes.fromhex(value).rjust(32, b"\0") for value in hashes])
    return np.frombuffer(raw, "V32")


def _holds_together(parts: Sequence[_Part], header: ExportHeader) -> bool:
    """Whether the parts make one whole export."""
    ends = [part.end for part in parts if part.end is not None]
    if len(ends) != 1 or any(part.end is None and len(part.columns) for part in parts[_place_of_end(parts) :]):
        return False
    decisions = sum(len(part.columns) for part in parts)
    documents = {name for part in parts for name in part.first_policies}
    counts = {"kind": "end", "decisions": decisions, "policies": len(documents)}
    return ends[0] == counts and _policies_come_first(parts) and _chains_hold(parts, header)


def _place_of_end(parts: Sequence[_Part]) -> int:
    return next((at for at, part in enumerate(parts) if part.end is not None), 0)


def _policies_come_first(parts: Sequence[_Part]) -> bool:
    first: dict[str, int] = {}
    for part in parts:
        for name, at in part.first_policies.items():
            first.setdefault(name, at)
    for part in parts:
        arrays = part.columns.arrays
        for code, name in enumerate(part.columns.policies):
            earliest = arrays.offsets[arrays.policies == code].min()
            if name not in first or first[name] > earliest:
                return False
    return True


def _chains_hold(parts: Sequence[_Part], header: ExportHeader) -> bool:
    """Whether in every realm each decision follows the one before, from the start that the header names."""
    whole = joined([part.columns for part in parts])
    if header.realm_id is not None and any(realm != header.realm_id for realm in whole.realms):
        return False
    positions = np.concatenate([part.positions for part in parts])
    hashes = np.concatenate([part.hashes for part in parts])
    previous = np.concatenate([part.previous for part in parts])
    for code in range(len(whole.realms)):
        rows = np.flatnonzero(whole.arrays.realms == code)
        if not np.array_equal(positions[rows], np.arange(header.after + 1, header.after + 1 + len(rows))):
            return False
        if whole.is_redacted:
            continue
        begins_right = header.after > 0 or bytes(previous[rows[0]]) == bytes.fromhex(GENESIS)
        if not begins_right or not np.array_equal(previous[rows[1:]], hashes[rows[:-1]]):
            return False
    return True


def _read_slowly(export: ExportFile) -> Columns:
    """Read line by line; where lines have other spaces than ours, this is all there is to do."""
    check = ExportCheck(export.name)
    writer = ColumnWriter(export.is_redacted)
    at = 0
    for _, line in export.raw_lines():
        decision = check.feed(line)
        if decision is not None:
            writer.add(decision, at, len(line))
        at += len(line) + 1
    check.finish()
    return writer.finish(check.documents)

"""The run log (`council.run/1`): a header, a line per result as it is known, and an end that closes it.

A log without its end is a run that was cut off, or one with cases that could not be judged: the same command goes on with
it, and it can never be a baseline.
"""

import fcntl
import os
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from pathlib import Path
from types import TracebackType
from typing import Any, BinaryIO, Final, NamedTuple, Self

import orjson
from pydantic import TypeAdapter, ValidationError

from evals.errors import EvalsError, FileFault, InvalidFileError
from evals.results import RUN_SCHEMA, CaseResult, Gate, Run, RunHeader
from policies.policy_faults import dotted

_HEADER: Final = TypeAdapter(RunHeader)
_RESULT: Final = TypeAdapter(CaseResult)
_GATE: Final = TypeAdapter(Gate)
_SAME: Final = ("suite_hash", "policy_hash", "mode", "repeats", "selection", "models", "prompts", "cases")
"""What two runs must have in common for one to go on with the other's log."""
_FIX: Final = "name a log that 'council eval run --out' wrote, or restore it from a copy"

Key = tuple[str, int]
"""A case and its repeat."""


class RunLog:
    """A log being written, locked against other writers. Every result is on file before the next is taken.

    Attributes:
        header: its header.
        done: results that it held when it was opened.
    """

    def __init__(self, file: BinaryIO, header: RunHeader, done: Sequence[CaseResult] = ()) -> None:
        self.header = header
        self.done = tuple(done)
        self._file = file

    def append(self, result: CaseResult) -> None:
        """Write one result."""
        self._write({"kind": "result", **result._asdict()})

    def close(self, results: int, gates: Sequence[Gate]) -> None:
        """Write the end: every case is judged."""
        self._write({"kind": "end", "results": results, "gates": gates})

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._file.close()

    def _write(self, document: dict[str, Any]) -> None:
        self._file.write(line_of(document))
        self._file.flush()


def open_log(path: Path, header: RunHeader) -> RunLog | Run:
    """Begin a log, or go on with the one that is there.

    Returns:
        The run itself where its log is closed already: it is not run again.

    Raises:
        EvalsError: where the log is of another run, naming in what; where it cannot be written, or is being written.
        InvalidFileError: where the file is no run log.
    """
    if not path.exists():
        _begin(path, header)
    file = _locked(path)
    try:
        run, whole_bytes = _read(path)
        _refuse_another(path, run.header, header)
        if run.is_complete:
            file.close()
            return run
        file.truncate(whole_bytes)  # a line that a kill has torn
    except BaseException:
        file.close()
        raise
    return RunLog(file, run.header, [result for result in run.results if not result.error])


def read_run(path: Path | str) -> Run:
    """Read a run log whole.

    Raises:
        InvalidFileError: naming the line that is wrong; a torn last line is let pass where the log has no end.
        EvalsError: where the file cannot be read.
    """
    return _read(Path(path))[0]


def line_of(document: dict[str, Any]) -> bytes:
    """Return one line of a log, with its line feed."""
    return orjson.dumps(document, default=_named) + b"\n"


def run_lines(run: Run) -> Iterator[bytes]:
    """Return a run as the lines of its log."""
    yield line_of({"kind": "run", "schema": RUN_SCHEMA, **run.header._asdict()})
    for result in run.results:
        yield line_of({"kind": "result", **result._asdict()})
    if run.is_complete:
        yield line_of({"kind": "end", "results": len(run.results), "gates": run.gates})


def in_order(header: RunHeader, results: Iterable[CaseResult]) -> tuple[CaseResult, ...]:
    """Return results in the order of the suite, repeat after repeat; of two for one case and repeat the later counts."""
    place = {case: at for at, case in enumerate(header.cases)}
    latest: dict[Key, CaseResult] = {(result.case, result.repeat): result for result in results}
    return tuple(sorted(latest.values(), key=lambda each: (each.repeat, place.get(each.case, len(place)))))


class _Lines(NamedTuple):
    whole: list[bytes]
    whole_bytes: int
    """Length of the file up to the end of its last whole line."""
    has_torn: bool


def _read(path: Path) -> tuple[Run, int]:
    lines = _lines(path)
    header = _header(path, lines)
    results: list[CaseResult] = []
    gates: tuple[Gate, ...] = ()
    is_complete = False
    for number, line in enumerate(lines.whole[1:], start=2):
        document = _document(path, number, line)
        if is_complete:
            raise _refused(path, number, "", "stands after the end of the log")
        match document.pop("kind", None):
            case "result":
                results.append(_validated(path, number, _RESULT, document))
            case "end":
                gates = tuple([_validated(path, number, _GATE, gate) for gate in document.get("gates", [])])
                is_complete = True
            case _:
                raise _refused(path, number, "kind", "is neither result nor end")
    if is_complete and lines.has_torn:
        raise _refused(path, len(lines.whole) + 1, "", "stands after the end of the log")
    ordered = in_order(header, results)
    if is_complete and document.get("results") != len(ordered):
        raise _refused(
            path, len(lines.whole), "results", f"says {document.get('results')}, the log holds {len(ordered)}"
        )
    return Run(header, ordered, gates, is_complete), lines.whole_bytes


def _lines(path: Path) -> _Lines:
    try:
        raw = path.read_bytes()
    except OSError as error:
        told = f"cannot read {str(path)!r}: {(error.strerror or str(error)).lower()}"
        raise EvalsError(told, "check the path") from None
    *whole, rest = raw.split(b"\n")
    return _Lines(whole, len(raw) - len(rest), bool(rest))


def _header(path: Path, lines: _Lines) -> RunHeader:
    if not lines.whole:
        raise _refused(path, 1, "", "holds no whole line")
    document = _document(path, 1, lines.whole[0])
    if document.pop("kind", None) != "run":
        raise _refused(path, 1, "kind", "is not the header of a run log")
    if document.pop("schema", None) != RUN_SCHEMA:
        raise _refused(path, 1, "schema", f"is not {RUN_SCHEMA}, which this version reads")
    header: RunHeader = _validated(path, 1, _HEADER, document)
    return header


def _document(path: Path, number: int, line: bytes) -> dict[str, Any]:
    try:
        document = orjson.loads(line)
    except orjson.JSONDecodeError:
        raise _refused(path, number, "", "is not JSON: the log was edited, or is damaged") from None
    if not isinstance(document, dict):
        raise _refused(path, number, "", "is not a JSON object")
    return document


def _validated(path: Path, number: int, adapter: TypeAdapter[Any], document: Any) -> Any:
    try:
        return adapter.validate_python(document)
    except ValidationError as error:
        faults = [
            FileFault(str(path), number, dotted(each["loc"]), each["msg"][0].lower() + each["msg"][1:], _FIX)
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidFileError(faults) from None


def _refused(path: Path, number: int, key: str, message: str) -> InvalidFileError:
    return InvalidFileError([FileFault(str(path), number, key, message, _FIX)])


def _locked(path: Path) -> BinaryIO:
    try:
        file = path.open("ab")
    except OSError as error:
        told = f"cannot write {str(path)!r}: {(error.strerror or str(error)).lower()}"
        raise EvalsError(told, "name a file that you may write to") from None
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise EvalsError(f"{str(path)!r} is being written by another run", "wait for it, or name another log") from None
    return file


def _begin(path: Path, header: RunHeader) -> None:
    """Put a log with its header in place at once, so that there is never a log without one."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        beside.write_bytes(line_of({"kind": "run", "schema": RUN_SCHEMA, **header._asdict()}))
        beside.replace(path)
    except OSError as error:
        with suppress(OSError):
            beside.unlink()
        told = f"cannot write {str(path)!r}: {(error.strerror or str(error)).lower()}"
        raise EvalsError(told, "name a file in a directory that you may write to") from None


def _refuse_another(path: Path, there: RunHeader, wanted: RunHeader) -> None:
    differing = [name for name in _SAME if getattr(there, name) != getattr(wanted, name)]
    if not differing:
        return
    told = "; ".join(_told(name, getattr(there, name), getattr(wanted, name)) for name in differing)
    raise EvalsError(f"{str(path)!r} is the log of another run: {told}", "name another --out, or delete that log")


def _told(name: str, there: object, wanted: object) -> str:
    word = name.removesuffix("_hash").replace("_", " ")
    if name.endswith("_hash"):
        return f"{word} {str(there)[:12]} there, {str(wanted)[:12]} here"
    if isinstance(there, int | str):
        return f"{word} {there or 'all'} there, {wanted or 'all'} here"
    return f"other {word}"


def _named(value: Any) -> Any:
    """Turn a NamedTuple into an object: its fields by name."""
    return value._asdict() if hasattr(value, "_asdict") else dict(value)

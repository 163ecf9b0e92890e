"""Juries from any file that holds votes: an export, a run log or a recorded jury set, told apart by the first line."""

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

import orjson

from evals.errors import EvalsError, FileFault, InvalidFileError
from evals.exports import open_export
from evals.jury import COUNCIL, Ballot, Jury, JuryItem, jury_of
from evals.jury_files import read_jury
from evals.results import CaseResult, Run
from evals.run_log import read_run

_LONGEST_HEADER: Final = 1_048_576
"""Bytes of a first line; a header is a few hundred."""
_FIX: Final = "'council export' writes decisions, 'council eval run' a run log, 'council eval import' a jury set"


def read_jury_source(path: Path | str) -> Jury:
    """Read the jury of a file.

    Raises:
        InvalidFileError: where the file cannot be read, is of another kind, or is faulty.
        EvalsError: for a run log that was cut off.
    """
    file = Path(path)
    schema = _schema(file)
    read = _READERS.get(schema.partition("/")[0])
    if read is None:
        told = f"a file of {schema!r} holds no votes" if schema else "is no export, run log or jury set"
        raise InvalidFileError([FileFault(file.name, 1, "schema" if schema else "", told, _FIX)])
    return read(file)


def jury_of_run(run: Run, source: str) -> Jury:
    """Return the jury of a run: the cases that members voted on, each in its first repeat.

    Repeats of one case are no further evidence about its members' judgement of other cases, so the first stands for all.

    Raises:
        EvalsError: where the run was cut off.
    """
    if not run.is_complete:
        raise EvalsError(
            f"{source} is a run that was cut off", "finish it: 'council eval run' takes up where it stopped"
        )
    items = [_item(result) for result in run.results if result.repeat == 0 and result.votes]
    return Jury(COUNCIL, tuple(items), source)


def _schema(file: Path) -> str:
    try:
        with file.open("rb") as opened:
            line = opened.readline(_LONGEST_HEADER)
    except OSError as error:
        told = (error.strerror or type(error).__name__).lower()
        raise InvalidFileError([FileFault(str(file), 0, "", f"cannot be read: {told}", "check the path")]) from None
    try:
        header = orjson.loads(line)
    except orjson.JSONDecodeError:
        return ""
    schema = header.get("schema") if isinstance(header, Mapping) else None
    return schema if isinstance(schema, str) else ""


def _item(result: CaseResult) -> JuryItem:
    ballots = {vote.member: Ballot(vote.verdict, vote.confidence) for vote in result.votes}
    return JuryItem(result.case, result.decision_type, ballots, result.verdict, result.label)


_READERS: Final[Mapping[str, Callable[[Path], Jury]]] = {
    "council.export": lambda file: jury_of(open_export(file), file.name),
    "council.run": lambda file: jury_of_run(read_run(file), file.name),
    "council.jury": read_jury,
}

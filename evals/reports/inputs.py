"""What other commands found, read back for a report: the JSON of `council eval backtest -o` and of `council eval sweep -o`."""

from pathlib import Path
from typing import Annotated, Any, Final, TypeVar

import orjson
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from evals.errors import FileFault, InvalidFileError
from evals.plots.figures import Matrix, Spot, TradeOff, matrix_of
from evals.statistics.intervals import Interval
from policies.policy_faults import dotted
from policies.verdicts import DecisionType, Verdict

BACKTEST_SCHEMA: Final = "council.backtest/1"
SWEEP_SCHEMA: Final = "council.sweep/1"
Count = Annotated[int, Field(ge=0)]
Kind = TypeVar("Kind", bound="_Read")


class _Read(BaseModel):
    """Keys that a report does not show are let pass, so that the files may grow."""

    model_config = ConfigDict(frozen=True, extra="ignore")


class Cause(_Read):
    """One thing that turned a verdict."""

    kind: str
    name: str
    told: str


class BacktestFlip(_Read):
    """One recorded verdict that another policy changes."""

    decision_id: str
    realm_id: str
    decision_type: DecisionType
    before: Verdict
    after: Verdict
    label: Verdict | None = None
    causes: tuple[Cause, ...] = ()


class Counts(_Read):
    """How recorded decisions of one kind fared."""

    name: str
    decisions: Count
    judged: Count
    changed: Count
    milder: Count
    stricter: Count
    rate: Interval | None = None


class CauseCount(_Read):
    """How many verdicts one thing turned."""

    kind: str
    name: str
    flips: Count
    milder: Count
    stricter: Count


class Transition(_Read):
    """How often one verdict becomes another."""

    before: Verdict
    after: Verdict
    decisions: Count


class Labelled(_Read):
    """Judged decisions against their labels, before and after."""

    decisions: Count
    unsafe_before: Count
    unsafe_after: Count
    needless_before: Count
    needless_after: Count
    right_before: Interval | None = None
    right_after: Interval | None = None


class PolicyName(_Read):
    """A policy as reports name it."""

    policy_id: str
    version: int
    hash: str


class Backtest(_Read):
    """What a backtest found."""

    source: str
    policy: PolicyName
    all: Counts
    by_type: tuple[Counts, ...] = ()
    transitions: tuple[Transition, ...] = ()
    causes: tuple[CauseCount, ...] = ()
    labelled: Labelled
    unjudged_by_kind: dict[str, Count] = Field(default_factory=dict)
    flips: tuple[BacktestFlip, ...] = ()

    @property
    def turned(self) -> Matrix:
        """Recorded verdicts against those of the other policy, of all that change."""
        pairs = [pair for each in self.transitions for pair in [(each.before, each.after)] * each.decisions]
        return matrix_of(pairs, is_turn=True)


class _Point(_Read):
    name: str
    unsafe_approvals: Count
    needless_holds: Count
    accuracy: float | None = None


class _Sweep(_Read):
    points: tuple[_Point, ...]
    current: int | None = None
    labelled: Count = 0


class Sweep(_Read):
    """What a sweep over policies found."""

    source: str
    """Name of its file."""
    found: TradeOff


def read_backtest(path: Path) -> Backtest:
    """Read what a backtest wrote.

    Raises:
        InvalidFileError: where the file cannot be read, is of another kind, or a key is wrong.
    """
    return _validated(path, Backtest, _document(path, BACKTEST_SCHEMA, "council eval backtest -o"))


def read_sweep(path: Path) -> Sweep:
    """Read what a sweep wrote.

    Raises:
        InvalidFileError: where the file cannot be read, is of another kind, or a key is wrong.
    """
    raw = _validated(path, _Sweep, _document(path, SWEEP_SCHEMA, "council eval sweep -o"))
    spots = [
        Spot(point.name, point.needless_holds, point.unsafe_approvals, point.accuracy, at == raw.current)
        for at, point in enumerate(raw.points)
    ]
    if not raw.labelled:
        fix = "label decisions with 'council eval label', then sweep again"
        raise InvalidFileError(
            [FileFault(str(path), 0, "labelled", "no decision was labelled: there is no trade-off", fix)]
        )
    return Sweep(source=path.name, found=TradeOff(tuple(spots), raw.labelled))


def _document(path: Path, schema: str, writer: str) -> dict[str, Any]:
    fix = f"name a file that '{writer}' wrote"
    try:
        found = orjson.loads(path.read_bytes())
    except OSError as error:
        told = f"cannot be read: {(error.strerror or str(error)).lower()}"
        raise InvalidFileError([FileFault(str(path), 0, "", told, "check the path")]) from None
    except orjson.JSONDecodeError as error:
        raise InvalidFileError([FileFault(str(path), error.lineno, "", f"is not JSON: {error.msg}", fix)]) from None
    if not isinstance(found, dict) or found.get("schema") != schema:
        raise InvalidFileError([FileFault(str(path), 1, "schema", f"is not {schema}", fix)])
    return found


def _validated(path: Path, kind: type[Kind], document: dict[str, Any]) -> Kind:
    try:
        return kind.model_validate(document)
    except ValidationError as error:
        faults = [
            FileFault(
                str(path), 0, dotted(each["loc"]), each["msg"][0].lower() + each["msg"][1:], "write the file anew"
            )
            for each in error.errors(include_url=False, include_input=False)
        ]
        raise InvalidFileError(faults) from None

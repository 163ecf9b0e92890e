"""The terminal flow of `council eval label`: one case after another, each label kept as soon as it is given."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, Literal, NamedTuple, cast

from cli.console import console, draw
from cli.ledger import Opened, Stored
from cli.output import write_line
from cli.render_labels import render_case, render_labels
from cli.render_show import render_show
from cli.text import clean
from council.record import read_record
from evals.decisions import AXES, Axis, Label
from evals.remarks import NOTHING, Said, by_decision, label_remark
from policies.faults import did_you_mean
from policies.verdicts import VERDICTS, Verdict

Ask = Callable[[str], str | None]
"""Asks one question and returns the line that was answered; None where nobody answers any more."""
Move = Literal["skip", "back", "quit", "full"]
_MOVES: Final[tuple[Move, ...]] = ("skip", "back", "quit", "full")
_KEYS: Final[Mapping[str, Verdict | Move]] = {
    "a": "approve",
    "m": "modify",
    "r": "reject",
    "q": "quarantine",
    "s": "skip",
    "b": "back",
    "x": "quit",
    "f": "full",
}
QUESTION: Final = "[a]pprove [m]odify [r]eject [q]uarantine · [s]kip [b]ack [f]ull record e[x]it > "
_AXIS_QUESTION: Final = "axis: [b]alance [e]xploit [c]oherence, Enter for none > "
_NOTE_QUESTION: Final = "note, Enter for none > "


class Session(NamedTuple):
    """Who labels, and how the flow reaches the world."""

    labeller: str
    ask: Ask
    now: Callable[[], str]
    """ISO 8601 UTC with milliseconds."""
    is_open: bool
    """Whether verdict and votes are shown before the label is given."""


class Counts(NamedTuple):
    """What came of a session."""

    labelled: int
    left: int
    """Cases of the queue that were not reached or skipped."""


async def label_queue(ledger: Opened, decision_ids: Sequence[str], session: Session) -> Counts:
    """Go through decisions in order until the last one or until somebody leaves; labels given until then are kept."""
    at, labelled = 0, set[str]()
    while at < len(decision_ids):
        stored = await ledger.get(decision_ids[at])
        assert stored is not None
        said = by_decision(await ledger.remarks_of([stored.decision_id])).get(stored.decision_id, NOTHING)
        record = read_record(stored.body)
        _show(record, stored, said, f"case {at + 1} of {len(decision_ids)}", session)
        answer = _verdict(record, session)
        if answer == "quit":
            break
        if answer == "back":
            at = max(0, at - 1)
            continue
        if answer != "skip":
            await ledger.add_remarks([label_remark(stored.decision_id, _label(answer, session))])
            labelled.add(stored.decision_id)
            write_line(f"✓ {answer}; the council said {record['council_verdict']}\n")
        at += 1
    return Counts(len(labelled), len(decision_ids) - len(labelled))


def _show(record: Mapping[str, Any], stored: Stored, said: Said, place: str, session: Session) -> None:
    if session.is_open:
        _draw_whole(record, stored)
    else:
        draw(*render_case(record, place, console().width))
    if said.labels:
        draw(render_labels(said.labels))
    for outcome in said.outcomes:
        write_line(f"later: {clean(outcome.outcome)} ({clean(outcome.reporter)})")


def _draw_whole(record: Mapping[str, Any], stored: Stored | None = None) -> None:
    place = {"position": stored.position, "hash": stored.hash} if stored else None
    draw(*render_show(record, stored=place, width=console().width))


def _verdict(record: Mapping[str, Any], session: Session) -> Verdict | Literal["skip", "back", "quit"]:
    """Ask until the answer is a verdict or a way on."""
    while True:
        line = session.ask(QUESTION)
        if line is None:
            return "quit"
        word = line.strip().lower()
        answer = _KEYS.get(word, word)
        if answer == "full":
            _draw_whole(record)
        elif answer in VERDICTS or answer in _MOVES:
            return cast("Verdict | Literal['skip', 'back', 'quit']", answer)
        else:
            write_line(f"{clean(word)!r} is no answer here: {did_you_mean(word, [*VERDICTS, *_MOVES])}")


def _label(verdict: Verdict, session: Session) -> Label:
    axis = _axis(session)
    note = (session.ask(_NOTE_QUESTION) or "").strip()
    return Label(session.labeller, verdict, session.now(), axis, note)


def _axis(session: Session) -> Axis | None:
    while True:
        word = (session.ask(_AXIS_QUESTION) or "").strip().lower()
        found = [axis for axis in AXES if word and axis.startswith(word)]
        if found or not word:
            return found[0] if found else None
        write_line(f"{clean(word)!r} is no axis: {did_you_mean(word, AXES)}")

"""`council eval label`: what people hold to be the right verdict, kept beside the record."""

import os
import sys
from datetime import UTC, datetime
from typing import Annotated, Any, Final, NamedTuple, cast

import typer

from cli.console import draw, progress
from cli.errors import CliError
from cli.eval_label_flow import Counts, Session, label_queue
from cli.export import total_records
from cli.ledger import Opened, find_record, run_with_ledger
from cli.options import AsJson, Database, Realm
from cli.output import note as hint
from cli.output import read_bytes, write_json, write_line
from cli.render_labels import agreement_lines, render_labelled
from cli.running import new_app
from cli.text import counted
from council.moments import iso
from evals.decisions import AXES, Axis, Decision, Label, Outcome
from evals.export_lines import label_to_wire, outcome_to_wire
from evals.label_import import Imported, import_labels
from evals.label_queue import Wanted, labelled_decisions, queue_of
from evals.labelling import agreement_of, most_disputed_first, ratings_of
from evals.remarks import label_remark, outcome_remark
from policies.faults import did_you_mean
from policies.verdicts import DECISION_TYPES, VERDICTS, Verdict

app = new_app()
MOST_QUEUED: Final = 1_000
"""Decisions that one session goes through at most; the next session begins with what is left."""
MOST_LISTED: Final = 50


class _Given(NamedTuple):
    """What the options say of one decision."""

    author: str
    verdict: Verdict | None
    axis: Axis | None
    note: str
    outcome: str | None


@app.command()
def label(
    *,
    decision_id: Annotated[str | None, typer.Argument(metavar="ID", help="Only this decision.")] = None,
    verdict: Annotated[
        str | None,
        typer.Option(metavar="VERDICT", help="With ID: the label. Without: only what the council gave this verdict."),
    ] = None,
    axis: Annotated[
        str | None, typer.Option(metavar="AXIS", help="With ID and --verdict: balance, exploit or coherence.")
    ] = None,
    note: Annotated[str, typer.Option(metavar="TEXT", help="With ID: why.")] = "",
    outcome: Annotated[
        str | None, typer.Option(metavar="TEXT", help="With ID: what became of it later, such as reverted.")
    ] = None,
    labeller: Annotated[
        str | None, typer.Option(metavar="NAME", help="Who labels; the user of this terminal unless given.")
    ] = None,
    realm: Realm = None,
    decision_type: Annotated[
        str | None, typer.Option("--type", metavar="TYPE", help="sovereign_action, major_trigger, impact_dispute.")
    ] = None,
    disputed: Annotated[bool, typer.Option("--disputed", help="Only what labellers differ about.")] = False,
    is_open: Annotated[bool, typer.Option("--open", help="Show verdict and votes before you label.")] = False,
    file: Annotated[str | None, typer.Option("--import", metavar="FILE.csv", help="Take labels from a file.")] = None,
    listing: Annotated[bool, typer.Option("--list", help="Show labels, disputed decisions first.")] = False,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Label decisions with the verdict that would have been right.

    In a terminal it shows one unlabelled decision after another and asks for a verdict, an axis and a note. Those that
    teach most come first: where members and shadow policies name the most different verdicts, and among these where the
    merge was closest. The council's verdict stays hidden until you have given yours, so that labels do not lean
    towards it. Every label is kept at once; a later one of yours counts instead of an earlier one.

    A file for --import has the columns decision_id and verdict, and may have labeller, axis, note and labelled_at. It
    is kept whole or not at all.
    """
    wanted = Wanted(realm, _known("decision type", decision_type, DECISION_TYPES), _verdict(verdict), disputed)
    given = verdict is not None or outcome is not None
    _check_options(decision_id, file, verdict, outcome, axis, listing=listing)
    if listing:
        _list(database, wanted, as_json=as_json)
    elif file is not None:
        _import(database, file, labeller, as_json=as_json)
    elif decision_id is not None and given:
        about = _Given(_labeller(labeller), wanted.verdict, _axis(axis), note, outcome)
        _label_one(database, decision_id, about, as_json=as_json)
    else:
        _check_terminal(as_json=as_json)
        session = Session(_labeller(labeller), _ask, _now, is_open)
        _tell(run_with_ledger(database, lambda ledger: _flow(ledger, decision_id, wanted, session)), wanted)


def _check_options(
    decision_id: str | None,
    file: str | None,
    verdict: str | None,
    outcome: str | None,
    axis: str | None,
    *,
    listing: bool,
) -> None:
    if (decision_id is not None) + (file is not None) + listing > 1:
        raise CliError("an ID, --import and --list do not go together", "give one of them")
    if outcome is not None and decision_id is None:
        raise CliError("--outcome speaks of one decision", "give its ID: council eval label ID --outcome TEXT")
    if axis is not None and (decision_id is None or verdict is None):
        raise CliError("--axis goes with a label", "council eval label ID --verdict VERDICT --axis AXIS")


def _list(database: str | None, wanted: Wanted, *, as_json: bool) -> None:
    async def work(ledger: Opened) -> list[Decision]:
        return [decision async for decision in labelled_decisions(ledger, wanted)]

    decisions = most_disputed_first(run_with_ledger(database, work))
    if not decisions and not as_json:
        hint("no decision that fits has a label: 'council eval label' asks for them")
        return
    agreement, alpha = agreement_of(decisions), _alpha(decisions)
    if as_json:
        rows = [_listed(decision) for decision in decisions]
        write_json({"decisions": rows, "agreement": {**agreement._asdict(), "alpha_ordinal": alpha}})
        return
    draw(render_labelled(decisions[:MOST_LISTED]))
    if len(decisions) > MOST_LISTED:
        write_line(f"and {len(decisions) - MOST_LISTED} more: --json shows all")
    for line in agreement_lines(agreement, alpha):
        write_line(line)


def _alpha(decisions: list[Decision]) -> float | None:
    ratings = ratings_of(decisions)
    if not any(len(row) > 1 for row in ratings):
        return None
    from evals.statistics.agreement import krippendorff_alpha  # noqa: PLC0415 - numpy, which labelling does without

    return krippendorff_alpha(ratings, len(VERDICTS), "ordinal")


def _listed(decision: Decision) -> dict[str, Any]:
    settled = decision.settled
    return {
        "decision_id": decision.decision_id,
        "realm_id": decision.realm_id,
        "decision_type": decision.decision_type,
        "council_verdict": decision.verdict,
        "votes": settled.votes,
        "label": settled.verdict,
        "is_disputed": settled.is_disputed,
        "labels": [label_to_wire(each) for each in decision.labels],
        "outcomes": [outcome_to_wire(each) for each in decision.outcomes],
    }


def _import(database: str | None, file: str, labeller: str | None, *, as_json: bool) -> None:
    data, name = read_bytes(file), file if file != "-" else "standard input"
    who = labeller or _user()
    done: Imported = run_with_ledger(database, lambda ledger: import_labels(ledger, data, name, who, _now()))
    if as_json:
        write_json(done._asdict())
        return
    known = f"; {done.known} were there already" if done.known else ""
    write_line(f"✓ {counted(done.kept, 'label')} of {counted(done.decisions, 'decision')} kept{known}")


def _label_one(database: str | None, decision_id: str, given: _Given, *, as_json: bool) -> None:
    now = _now()
    about = Label(given.author, given.verdict, now, given.axis, given.note) if given.verdict else None
    later = (
        Outcome(given.author, given.outcome, now, "" if about else given.note) if given.outcome is not None else None
    )

    async def work(ledger: Opened) -> str:
        found = (await find_record(ledger, decision_id)).decision_id
        remarks = [label_remark(found, about)] if about else []
        await ledger.add_remarks(remarks + ([outcome_remark(found, later)] if later else []))
        return found

    found = run_with_ledger(database, work)
    if as_json:
        kept = {"label": label_to_wire(about)} if about else {}
        write_json({"decision_id": found, **kept, **({"outcome": outcome_to_wire(later)} if later else {})})
        return
    if about:
        write_line(f"✓ {found}: {about.labeller} holds {about.verdict} to be right")
    if later:
        write_line(f"✓ {found}: {later.outcome}, as {later.reporter} reports")


async def _flow(ledger: Opened, decision_id: str | None, wanted: Wanted, session: Session) -> Counts:
    if decision_id is not None:
        return await label_queue(ledger, [(await find_record(ledger, decision_id)).decision_id], session)
    with progress("looking for what teaches most", await total_records(ledger, wanted.realm_id)) as advance:
        queue = await queue_of(ledger, wanted, MOST_QUEUED, advance)
    return await label_queue(ledger, queue, session)


def _tell(counts: Counts, wanted: Wanted) -> None:
    if counts == (0, 0):
        what = "labellers differ about none" if wanted.is_disputed else "every decision that fits has a label"
        hint(f"nothing to label: {what}; 'council eval label --list' shows the labels")
        return
    write_line(f"{counts.labelled} labelled, {counts.left} of this session left")


def _check_terminal(*, as_json: bool) -> None:
    if as_json or not (sys.stdin.isatty() and sys.stdout.isatty()):
        fix = "give an ID with --verdict or --outcome, or --import FILE.csv, or --list; or run it in a terminal without --json"
        raise CliError("labelling asks questions, and here is nobody to answer them", fix)


def _labeller(given: str | None) -> str:
    who = given or _user()
    if not who:
        raise CliError("it is not known who labels", "give --labeller NAME")
    return who


def _user() -> str | None:
    """Return the terminal's user; None in CI, where the user is no person."""
    if os.environ.get("CI"):
        return None
    return os.environ.get("USER") or os.environ.get("LOGNAME") or os.environ.get("USERNAME")


def _ask(question: str) -> str | None:
    try:
        return input(question)
    except EOFError:
        return None


def _now() -> str:
    return iso(datetime.now(UTC))


def _verdict(value: str | None) -> Verdict | None:
    return cast("Verdict | None", _known("verdict", value, VERDICTS))


def _axis(value: str | None) -> Axis | None:
    return cast("Axis | None", _known("axis", value, AXES))


def _known(what: str, value: str | None, known: tuple[str, ...]) -> str | None:
    if value is not None and value not in known:
        raise CliError(f"unknown {what} {value!r}", did_you_mean(value, known))
    return value

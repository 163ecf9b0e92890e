"""`council eval tune`: weights and quotas learned from labelled decisions, and whether they are worth having."""

from collections.abc import Mapping
from fractions import Fraction
from functools import partial
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer

from cli.console import draw, progress
from cli.errors import CliError
from cli.eval_sources import decisions_from
from cli.exits import Exit
from cli.options import AsJson, Database, PolicyFile, Realm
from cli.output import note, write_json
from cli.policy_files import policy_in_force, policy_path
from cli.render_power import render_comparison
from cli.render_tune import render_next, render_tuning, render_warnings, told_of, tuning_to_wire
from cli.running import new_app
from council.merge import Seats
from council.seating import seats_for
from evals.costs import Costs
from evals.jury import COUNCIL, Jury, jury_of
from evals.jury_sources import read_jury_source
from evals.proposals import is_sound, merge_policy, proposed_document, write_merge_policy, write_proposal
from evals.tuning import Tuning
from evals.tuning import tune as tuned
from evals.tuning_ways import LEAST, Options, Scheme
from policies.comparison import compare
from policies.faults import did_you_mean
from policies.lint import lint
from policies.loading import load_policy, policy_from_document
from policies.numbers import exact
from policies.policy import Policy
from policies.verdicts import DECISION_TYPES, MEMBERS, VERDICTS

app = new_app()
_HALF = Fraction(1, 2)


@app.command()
def tune(
    file: Annotated[
        str | None,
        typer.Argument(
            metavar="[FILE]", help="Export, run log or jury set; the ledger unless given.", show_default=False
        ),
    ] = None,
    *,
    out: Annotated[
        str | None,
        typer.Option("--out", "-o", metavar="PROPOSAL", help="Write what is proposed as a policy file of its own."),
    ] = None,
    anyway: Annotated[bool, typer.Option("--anyway", help="Write it even where no gain is shown.")] = False,
    only: Annotated[
        list[str] | None, typer.Option("--type", metavar="CLASS", help="Only this decision class; repeatable.")
    ] = None,
    borrow: Annotated[
        bool, typer.Option("--borrow", help="Classes with too few labels take weights learned from all together.")
    ] = False,
    keep_quotas: Annotated[bool, typer.Option("--keep-quotas", help="Learn weights only.")] = False,
    calibrate: Annotated[
        bool, typer.Option("--calibrate", help="Also learn what each member's confidence is worth.")
    ] = False,
    cost_unsafe: Annotated[
        str, typer.Option("--cost-unsafe", metavar="N", help="Approved what should have been stopped.")
    ] = "5",
    cost_needless: Annotated[
        str, typer.Option("--cost-needless", metavar="N", help="Stopped what should have happened.")
    ] = "1",
    cost_other: Annotated[str, typer.Option("--cost-other", metavar="N", help="Any other wrong verdict.")] = "1/2",
    folds: Annotated[int, typer.Option("--folds", min=2, max=50, help="Parts held out in turn.")] = 5,
    repeats: Annotated[int, typer.Option("--repeats", min=1, max=1000, help="Times the parts are dealt anew.")] = 10,
    least: Annotated[int, typer.Option("--least", min=10, help="Labels that a class needs.")] = LEAST,
    seed: Annotated[int, typer.Option("--seed", help="Deals the folds and draws the bootstrap.")] = 0,
    policy: PolicyFile = None,
    realm: Realm = None,
    database: Database = None,
    as_json: AsJson = False,
) -> None:
    """Propose weights and quotas from labelled decisions, with what they save on decisions that they were not learned on.

    Weights are log-odds of being right, floored at zero and drawn towards equal; quotas are chosen to cost least. Both are
    learned anew for every fold, so the gain is that on held-out decisions. A change is proposed only where its interval
    lies above 0; with -o nothing is written otherwise (exit 1), unless --anyway. The policy in force is never touched.
    Vetoes and floors are left out of the sums: 'council eval backtest --policy PROPOSAL' has them.
    """
    costs = Costs(
        _cost("--cost-unsafe", cost_unsafe), _cost("--cost-needless", cost_needless), _cost("--cost-other", cost_other)
    )
    jury = _jury(file, database, realm)
    options = Options(costs, folds, repeats, seed, least, borrows=borrow, keeps_quotas=keep_quotas)
    if jury.members == COUNCIL:
        job = _of_council(jury, policy, options, only or [], calibrates=calibrate)
    else:
        job = _of_others(jury, options, only or [], calibrates=calibrate)
    with progress("tuning", folds * repeats) as advance:
        found = tuned(job.jury, job.current, job.options, leaves_out_silent=job.council is None, on_fold=advance)
    scheme = found.scheme if found.is_shown else found.fullest
    is_written = out is not None and (found.is_shown or anyway)
    if out is not None and is_written:
        _write(Path(out), job, scheme, told_of(found, job.options, job.told))
    _tell(found, job, scheme, out if is_written else None, as_json=as_json)
    if out is not None and not is_written:
        note(f"{out} is not written: no gain is shown (--anyway writes it all the same)")
        raise typer.Exit(Exit.MISMATCH)


class _Job(NamedTuple):
    """What is tuned, and against what."""

    jury: Jury
    current: Mapping[str, Seats]
    options: Options
    told: str
    """What stands now, in words."""
    council: "_Council | None"
    """None for a jury of other members."""
    hints: tuple[str, ...]


class _Council(NamedTuple):
    policy: Policy
    source: Path


def _jury(file: str | None, database: str | None, realm: str | None) -> Jury:
    if file is not None and file != "-":
        if database is not None:
            raise CliError("a file and a database were both given", "leave one of them out")
        if realm is not None:
            raise CliError("--realm chooses among the realms of a ledger, and a file was given", "leave it out")
        return read_jury_source(file)
    with decisions_from(file, database, realm) as opened:
        return jury_of(opened, "standard input" if file else "the ledger")


def _of_council(jury: Jury, file: str | None, options: Options, only: list[str], *, calibrates: bool) -> _Job:
    """Return the job of a council's own votes: its policy as written, without models laid over it."""
    for name in only:
        if name not in DECISION_TYPES:
            raise CliError(f"there is no decision type {name!r}", did_you_mean(name, DECISION_TYPES))
    unknown = [name for name in jury.classes if name not in DECISION_TYPES]
    if unknown:
        fix = f"give every item its decision type as its class: {', '.join(DECISION_TYPES)}"
        raise CliError(f"{jury.source} has votes of the council in no decision type: {unknown[0]!r}", fix)
    source = policy_path(file)
    policy = load_policy(source)
    hints = []
    if policy.confidence_floor:
        hints.append(f"the policy's confidence floor of {policy.confidence_floor} is left out of the sums")
    tables: list[str] = []
    if calibrates:
        asked = policy_in_force(file).members
        tables = [each for each in MEMBERS if asked[each].model is None or asked[each].models_may == "relax"]
        bound = [each for each in MEMBERS if each not in tables]
        if bound:
            told = "a model that may only tighten votes with its rules' confidence, so its own never weighs"
            hints.append(f"not calibrated: {', '.join(bound)}: {told}")
    current: dict[str, Seats] = {kind: seats_for(policy, kind, MEMBERS) for kind in DECISION_TYPES}
    told = f"policy {policy.policy_id} version {policy.version}"
    options = options._replace(only=frozenset(only), calibrates=frozenset(tables))
    options = options._replace(is_sound=partial(is_sound, policy))
    return _Job(jury, current, options, told, _Council(policy, source), tuple(hints))


def _of_others(jury: Jury, options: Options, only: list[str], *, calibrates: bool) -> _Job:
    """Return the job of a foreign jury: equal weights and quotas of a half, silent members left out."""
    classes = jury.classes
    for name in only:
        if name not in classes:
            raise CliError(f"there is no class {name!r} in {jury.source}", did_you_mean(name, classes))
    wanted = only or list(classes)
    if len(wanted) > 1 and not options.borrows:
        fix = f"--type {wanted[0]} takes one of them, --borrow pools all: {', '.join(wanted)}"
        raise CliError(f"{jury.source} has {len(wanted)} classes, and one set of weights is proposed", fix)
    items = [item for item in jury.items if item.decision_class in wanted]
    if len(wanted) > 1:
        items = [item._replace(decision_class="") for item in items]
    name = wanted[0] if len(wanted) == 1 else ""
    seats = Seats(dict.fromkeys(jury.members, Fraction(1)), dict.fromkeys(VERDICTS[1:], _HALF), quorum=Fraction(0))
    hints = ["a member that abstained counts as if it had not been asked"]
    if len(wanted) > 1:
        hints.append(f"BORROWED: the classes {', '.join(wanted)} are pooled, as if they were one")
    options = options._replace(calibrates=frozenset(jury.members if calibrates else ()))
    told = "equal weights and quotas of 1/2"
    return _Job(jury._replace(items=tuple(items)), {name: seats}, options, told, None, tuple(hints))


def _cost(option: str, text: str) -> Fraction:
    try:
        cost = exact(text)
    except ValueError:
        raise CliError(f"{option} {text!r} is not an exact number", 'write an integer, "0.5" or "1/2"') from None
    if cost < 0:
        raise CliError(f"{option} {text!r} is below 0", "what is wrong costs something, or nothing")
    return cost


def _write(path: Path, job: _Job, scheme: Scheme, told: list[str]) -> None:
    if job.council is None:
        name = next(iter(job.current))
        write_merge_policy(path, merge_policy(job.current[name], scheme, name))
        return
    in_force = policy_path(None)
    if path.resolve() == in_force.resolve():
        fix = "name a new file; put it in force yourself once a backtest has convinced you"
        raise CliError(f"{str(path)!r} is the policy in force, and tuning never touches it", fix)
    write_proposal(path, job.council.source, job.council.policy, scheme, told)


def _tell(found: Tuning, job: _Job, scheme: Scheme, written: str | None, *, as_json: bool) -> None:
    proposal = _proposal(job, scheme)
    if as_json:
        write_json(tuning_to_wire(found, job.options, job.told, proposal, written))
        return
    draw(*render_tuning(found, job.options, job.current, job.told, job.hints))
    if job.council is not None and (found.is_shown or written):
        shown = policy_from_document(proposal, job.council.policy.shadows)
        draw(*render_comparison(compare(job.council.policy, shown)))
        draw(*render_warnings(lint(job.council.policy), lint(shown)))
    draw(*render_next(found, written, proposal, is_council=job.council is not None))


def _proposal(job: _Job, scheme: Scheme) -> dict[str, Any]:
    if job.council is None:
        name = next(iter(job.current))
        return merge_policy(job.current[name], scheme, name)
    return proposed_document(job.council.policy, scheme)

"""`council eval run`: a suite, judged."""

from pathlib import Path
from typing import Annotated, Final, cast

import typer

from cli.console import draw
from cli.errors import CliError
from cli.exits import Exit
from cli.options import AsJson, Database
from cli.output import write_json
from cli.policy_files import policy_path
from cli.render_run import RunShown, render_run, run_json
from cli.running import new_app
from cli.suite_runs import Options, judge_suite
from evals.regressions import Measured, check_baseline, measure
from evals.results import CaseResult, Gate, Mode, Run
from evals.run_log import read_run
from evals.runner import PARALLEL
from evals.suite import Suite
from evals.suite_document import load_suite
from evals.tasks import Selection
from gateway.settings import read_settings
from policies.faults import did_you_mean
from policies.loading import load_policy
from policies.policy import Policy

app = new_app()
MODES: Final = ("rules", "recorded", "cassette", "live")


@app.command()
def run(
    suite: Annotated[Path, typer.Argument(metavar="SUITE", help="Suite file; docs/evals/suites.md explains it.")],
    *,
    mode: Annotated[
        str, typer.Option("--mode", "-m", metavar="MODE", help="rules, recorded, cassette or live: who votes.")
    ] = "rules",
    policy: Annotated[
        str | None, typer.Option("--policy", "-p", metavar="FILE", help="Instead of the suite's, or the one in force.")
    ] = None,
    models: Annotated[
        str | None,
        typer.Option("--models", metavar="SPEC", help="Models over the policy's, as COUNCIL_MODELS has them."),
    ] = None,
    cassette: Annotated[
        Path | None, typer.Option("--cassette", metavar="FILE", help="Replay it (cassette), or record into it (live).")
    ] = None,
    source: Annotated[
        str | None, typer.Option("--from", metavar="EXPORT", help="Recorded decisions for queries; '-' reads them.")
    ] = None,
    database: Database = None,
    repeat: Annotated[int, typer.Option("--repeat", "-k", min=1, max=1000, help="Judge every case so often.")] = 1,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=256, help="Cases whose models are asked at once.")
    ] = PARALLEL,
    out: Annotated[
        Path | None, typer.Option("--out", "-o", metavar="RUN.jsonl", help="Log every result there; a cut run goes on.")
    ] = None,
    baseline: Annotated[
        Path | None, typer.Option("--baseline", metavar="RUN.jsonl", help="A whole run; cases that got worse fail.")
    ] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="Only cases with this tag.")] = None,
    case: Annotated[list[str] | None, typer.Option("--case", "-c", metavar="ID", help="Only this case.")] = None,
    verbose: Annotated[
        bool, typer.Option("--verbose", "-v", help="Every case, and which verdict met which label.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Judge the cases of a suite and hold the result against its expectations and gates.

    Modes: rules asks no model; recorded judges what the suite's queries take from recorded decisions again, with the
    votes of models that are on record; cassette replays recorded calls and never touches the network; live asks models.

    Without --out nothing is written: the result is shown and gone. With it every result is logged as it is known, the
    same command goes on with a run that was killed, and a finished run is shown again without being run. Exit 0: all
    gates and expectations hold. 1: one does not, or a case got worse than --baseline. 2: something could not be judged.
    """
    if mode not in MODES:
        raise CliError(f"unknown mode {mode!r}", did_you_mean(mode, MODES))
    selection = Selection(tuple(tag or ()), tuple(case or ()))
    options = Options(cast("Mode", mode), policy, models, cassette, source, database, repeat, parallel, out, selection)
    _refuse_contradictions(options)
    before = _baseline(baseline)
    read, decides = _suite_and_policy(suite, options)
    header, results, gates = judge_suite(read, decides, options)
    against = measure(results, before) if before is not None else None
    shown = RunShown(read, header, results, gates, against)
    if as_json:
        write_json(run_json(shown, _exit(results, gates, against)))
    else:
        draw(*render_run(shown, is_verbose=verbose))
    code = _exit(results, gates, against)
    if code is not Exit.GOOD:
        raise typer.Exit(code)


def _refuse_contradictions(options: Options) -> None:
    if options.mode == "cassette" and options.cassette is None:
        raise CliError(
            "mode cassette replays a cassette, and none is named", "--cassette FILE; --mode live records one"
        )
    if options.mode in ("rules", "recorded") and options.cassette is not None:
        raise CliError(f"mode {options.mode} asks no model", "leave out --cassette, or choose --mode cassette or live")


def _baseline(path: Path | None) -> Run | None:
    if path is None:
        return None
    found = read_run(path)
    check_baseline(found, str(path))
    return found


def _suite_and_policy(path: Path, options: Options) -> tuple[Suite, Policy]:
    """Load both: the policy is that of --policy, or the suite's own, or the one in force."""
    chosen = _load(options.policy, options) if options.policy is not None else None
    suite = load_suite(path, chosen)
    if chosen is None:
        chosen = _load(str(suite.policy) if suite.policy is not None else None, options)
    return suite, chosen


def _load(file: str | None, options: Options) -> Policy:
    """Load a policy. Settings choose models only where models are asked, so that other runs are the same everywhere."""
    models = options.models
    if models is None and options.mode in ("cassette", "live"):
        models = read_settings().models
    return load_policy(policy_path(file), models)


def _exit(results: tuple[CaseResult, ...], gates: tuple[Gate, ...], against: Measured | None) -> Exit:
    if any(result.error for result in results) or any(gate.value is None for gate in gates):
        return Exit.UNJUDGED
    is_good = all(result.passed for result in results) and all(gate.passed for gate in gates)
    return Exit.GOOD if is_good and not (against and against.regressions) else Exit.MISMATCH

"""`council eval metamorphic`: requests changed in ways that must not matter, and whether they did."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated, Any, Final, cast

import typer

from cli.console import draw, progress
from cli.errors import CliError
from cli.exits import Exit
from cli.options import AsJson
from cli.output import write_json
from cli.policy_files import policy_path
from cli.render_metamorphic import Both, Shown, render_findings
from cli.running import new_app
from cli.suite_runs import Options, decider
from evals.errors import EvalsError
from evals.metamorphic import BY_NAME, RELATIONS, Relation
from evals.metamorphic_judging import Subjected, Violation, sampled
from evals.metamorphic_run import Findings, check_relations
from evals.results import Mode
from evals.runner import PARALLEL
from evals.suite_document import load_suite
from evals.tasks import Selection
from gateway.settings import read_settings
from policies.contracts.reading import read_request
from policies.faults import did_you_mean
from policies.loading import load_policy
from policies.policy import Policy

app = new_app()
MODES: Final = ("rules", "cassette", "live")


@app.command()
def metamorphic(
    files: Annotated[list[Path], typer.Argument(metavar="SUITE|REQUEST.json...", help="Suites, and requests by file.")],
    *,
    relation: Annotated[
        list[str] | None, typer.Option("--relation", "-r", metavar="NAME", help="Only this one; may be repeated.")
    ] = None,
    mode: Annotated[
        str, typer.Option("--mode", "-m", metavar="MODE", help="rules, cassette or live: who votes.")
    ] = "rules",
    policy: Annotated[
        str | None, typer.Option("--policy", "-p", metavar="FILE", help="Instead of the one in force.")
    ] = None,
    models: Annotated[
        str | None,
        typer.Option("--models", metavar="SPEC", help="Models over the policy's, as COUNCIL_MODELS has them."),
    ] = None,
    cassette: Annotated[
        Path | None, typer.Option("--cassette", metavar="FILE", help="Replay it (cassette), or record into it (live).")
    ] = None,
    case: Annotated[list[str] | None, typer.Option("--case", "-c", metavar="ID", help="Only this case.")] = None,
    tag: Annotated[list[str] | None, typer.Option("--tag", "-t", help="Only cases of suites with this tag.")] = None,
    samples: Annotated[
        int, typer.Option("--samples", "-k", min=1, max=1000, help="Variants per relation and case.")
    ] = 3,
    seed: Annotated[int, typer.Option("--seed", min=0, help="Chooses the variants; the same seed, the same ones.")] = 1,
    parallel: Annotated[
        int, typer.Option("--parallel", min=1, max=256, help="Cases whose models are asked at once.")
    ] = PARALLEL,
    as_json: AsJson = False,
) -> None:
    """Change requests in ways that must not matter, and show where the council decided otherwise.

    Relations: again, event-order, flag-order, lock-order, snapshot-order, faction-names, account-names, ids, dates,
    tick-numbers, benign-text and injected-text; docs/evals/cases.md says what each changes and why nothing may follow from it. By
    rules verdict, path, vetoes and required modifications must all stay; with models verdict, path and vetoes, and an
    attack may make a verdict stricter, never milder. A violation is shown with both requests side by side.

    Exit 0: every relation held. 1: one did not. 2: something could not be judged.
    """
    if mode not in MODES:
        raise CliError(f"unknown mode {mode!r}", did_you_mean(mode, MODES))
    if mode == "cassette" and cassette is None:
        raise CliError(
            "mode cassette replays a cassette, and none is named", "--cassette FILE; --mode live records one"
        )
    if mode == "rules" and (cassette is not None or models is not None):
        raise CliError(
            "mode rules asks no model", "leave out --cassette and --models, or choose --mode cassette or live"
        )
    chosen = _relations(relation or [])
    if models is None and mode != "rules":
        models = read_settings().models
    decides = load_policy(policy_path(policy), models)
    cases = _subjected(files, frozenset(case or ()), frozenset(tag or ()), decides)
    options = Options(cast("Mode", mode), policy, models, cassette, None, None, 1, parallel, None, Selection())
    findings = _check(cases, chosen, decides, options, seed=seed, samples=samples)
    shown = Shown(findings, len(cases), decides, options.mode, seed, samples, _variants(cases, findings, seed))
    if as_json:
        write_json(_document(shown))
    else:
        draw(*render_findings(shown, chosen))
    if findings.unanswered:
        raise typer.Exit(Exit.UNJUDGED)
    if findings.violations:
        raise typer.Exit(Exit.MISMATCH)


def _relations(names: Sequence[str]) -> tuple[Relation, ...]:
    for name in names:
        if name not in BY_NAME:
            raise CliError(f"unknown relation {name!r}", did_you_mean(name, list(BY_NAME)))
    return tuple([relation for relation in RELATIONS if not names or relation.name in names])


def _subjected(files: Sequence[Path], ids: frozenset[str], tags: frozenset[str], policy: Policy) -> list[Subjected]:
    """Read suites and requests; a case that two files name alike gets its file's name in front."""
    found: dict[str, Subjected] = {}
    for path in files:
        for each in _cases_of(path, tags, policy):
            name = each.case_id if each.case_id not in found else f"{path.name}/{each.case_id}"
            if name in found:
                raise CliError(f"{path} is named twice", "name every file once")
            if not ids or each.case_id in ids:
                found[name] = each._replace(case_id=name)
    unknown = sorted(ids - {each.case_id.rpartition("/")[2] for each in found.values()})
    if unknown:
        raise CliError(
            f"there is no case {unknown[0]!r}", "'council eval run SUITE --verbose' lists the cases of a suite"
        )
    if not found:
        raise CliError("there is nothing to check", "no case of these files has every --tag")
    return list(found.values())


def _cases_of(path: Path, tags: frozenset[str], policy: Policy) -> list[Subjected]:
    if path.suffix != ".json":
        suite = load_suite(path, policy)
        return [Subjected(case.case_id, case.request, case.read) for case in suite.cases if tags <= set(case.tags)]
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise EvalsError(
            f"{path} cannot be read: {error.strerror}", "name a suite or a request that is there"
        ) from None
    read = read_request(raw)
    return [Subjected(path.stem, json.loads(raw), read)]


def _check(
    cases: Sequence[Subjected],
    relations: Sequence[Relation],
    policy: Policy,
    options: Options,
    *,
    seed: int,
    samples: int,
) -> Findings:
    async def checked() -> Findings:
        with progress("relations", len(cases) * (1 + len(relations) * samples)) as advance:
            async with decider(policy, options, None) as decide:
                return await check_relations(
                    cases, relations, decide, policy=policy, mode=options.mode, seed=seed, samples=samples,
                    parallel=options.parallel, done=advance,
                )  # fmt: skip

    return asyncio.run(checked())


def _variants(cases: Sequence[Subjected], findings: Findings, seed: int) -> dict[tuple[str, str, int], Both]:
    """Return both requests of every violation; variants are made again from the seed."""
    by_id = {case.case_id: case for case in cases}
    found: dict[tuple[str, str, int], Both] = {}
    for violation in findings.violations:
        case = by_id[violation.case_id]
        made = sampled(case, BY_NAME[violation.relation], seed=seed, sample=violation.sample)
        assert made is not None
        found[violation.key] = (case.request, made.variant.request)
    return found


def _document(shown: Shown) -> dict[str, Any]:
    findings = shown.findings
    return {
        "cases": shown.cases,
        "mode": shown.mode,
        "policy": {"id": shown.policy.policy_id, "version": shown.policy.version, "hash": shown.policy.content_hash},
        "seed": shown.seed,
        "samples": shown.samples,
        "relations": [tried._asdict() for tried in findings.tried],
        "violations": [_violation(violation, *shown.requests[violation.key]) for violation in findings.violations],
        "unanswered": [each._asdict() for each in findings.unanswered],
    }


def _violation(violation: Violation, request: Any, variant: Any) -> dict[str, Any]:
    before, after = violation.before, violation.after
    return {
        **violation._asdict(),
        "before": {**before._asdict(), "modifications": [json.loads(each) for each in before.modifications]},
        "after": {**after._asdict(), "modifications": [json.loads(each) for each in after.modifications]},
        "moved": {
            name: {"before": before.signals.get(name), "after": after.signals.get(name)} for name in violation.moved
        },
        "request": request,
        "variant": variant,
    }

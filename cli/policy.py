"""`council policy`: what the policy says, whether it makes sense, and what a change of it would do."""

from fractions import Fraction
from typing import Annotated

import typer

from cli.console import draw
from cli.errors import CliError
from cli.exits import Exit
from cli.options import AsJson
from cli.output import write_json
from cli.policy_files import current_policy, policy_path
from cli.render_policy import render_policy, render_signals
from cli.render_power import render_comparison, render_findings, render_power
from cli.running import new_app
from policies.comparison import Comparison, compare
from policies.diversity import ILLUSTRATED
from policies.faults import did_you_mean
from policies.lint import lint as lint_policy
from policies.power import policy_power
from policies.signals.catalogue import SIGNALS

app = new_app()
File = Annotated[
    str | None, typer.Argument(metavar="[FILE]", help="Policy file; the one in force unless given.", show_default=False)
]


@app.callback()
def policies() -> None:
    """Show, check and compare policies: show, lint, diff, signals, power."""


@app.command()
def show(file: File = None, as_json: AsJson = False) -> None:
    """Show a policy: members, quotas, rules, models, realms.

    With --json the whole document, every default written out, with its hash.
    """
    policy = current_policy(file)
    if as_json:
        write_json({"hash": policy.content_hash, "policy": policy.document})
    else:
        draw(*render_policy(policy, str(policy_path(file))))


@app.command()
def lint(
    file: File = None,
    strict: Annotated[bool, typer.Option("--strict", help="Warnings count as errors.")] = False,
    as_json: AsJson = False,
) -> None:
    """Check a policy: what is valid, and still cannot work as it reads.

    Members that can never change a verdict, dictators, quotas that nobody can reach, rules that can never fire, one model
    behind all members, models without a price. An error exits with 1; a file that is no policy at all with 2.
    """
    found = lint_policy(current_policy(file))
    if as_json:
        for finding in found:
            write_json(finding._asdict())
    else:
        draw(*render_findings(found))
    grave = ("error", "warning") if strict else ("error",)
    if any(finding.severity in grave for finding in found):
        raise typer.Exit(Exit.MISMATCH)


@app.command()
def diff(
    old: Annotated[str, typer.Argument(metavar="OLD", help="Policy file as it was.")],
    new: Annotated[str, typer.Argument(metavar="NEW", help="Policy file as it is to be.")],
    with_rules: Annotated[bool, typer.Option("--with-rules", help="Count enforced rules as players.")] = False,
    as_json: AsJson = False,
) -> None:
    """Compare two policies: every key that differs, models and budgets too, and whose voting power."""
    comparison = compare(current_policy(old), current_policy(new), with_rules=with_rules)
    if as_json:
        write_json(
            {
                "old": comparison.old_hash,
                "new": comparison.new_hash,
                "changes": [change._asdict() for change in comparison.changes],
                "power": [change._asdict() for change in comparison.power],
                "effective_votes": _worth(comparison),
            }
        )
    else:
        draw(*render_comparison(comparison))


def _worth(comparison: Comparison) -> dict[str, dict[str, Fraction]] | None:
    """Return effective votes per correlation; None where they stay as they are."""
    if comparison.worth is None:
        return None
    pairs = zip(("old", "new"), comparison.worth, strict=True)
    return {when: {str(rho): votes for rho, votes in zip(ILLUSTRATED, worth, strict=True)} for when, worth in pairs}


@app.command()
def power(file: File = None, as_json: AsJson = False) -> None:
    """Print who can tighten a verdict: Banzhaf and Shapley-Shubik indices, rules included."""
    levels = policy_power(current_policy(file))
    if as_json:
        for level in levels:
            write_json(level._asdict())
    else:
        draw(*render_power(levels))


@app.command()
def signals(
    owner: Annotated[str | None, typer.Option("--by", metavar="OWNER", help="triage or a member.")] = None,
    as_json: AsJson = False,
) -> None:
    """List the signals that rules may read."""
    owners = list(dict.fromkeys(spec.owner for spec in SIGNALS))
    if owner is not None and owner not in owners:
        raise CliError(f"nobody called {owner!r} finds signals", did_you_mean(owner, owners))
    found = [spec for spec in SIGNALS if owner in (None, spec.owner)]
    if as_json:
        for spec in found:
            write_json({name: getattr(spec, name) for name in spec.__slots__})
    else:
        draw(render_signals(found))

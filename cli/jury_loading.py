"""Juries as `council eval jury` takes them: from any file that holds votes or from the ledger, with what merges their votes."""

from collections import Counter
from pathlib import Path
from typing import NamedTuple

from cli.errors import CliError
from cli.eval_sources import decisions_from
from cli.policy_files import current_policy, policy_in_force
from evals.errors import NotEnoughError
from evals.exports import ExportFile
from evals.jury import COUNCIL, Jury, JuryItem, item_of
from evals.jury_merging import Merger
from evals.jury_sources import read_jury_source
from evals.run_log import read_run
from policies.policy import Policy
from policies.verdicts import DECISION_TYPES


class LoadedJury(NamedTuple):
    """A jury, and how its votes are merged."""

    jury: Jury
    merger: Merger


def load_jury(file: str | None, policy: str | None, database: str | None, realm: str | None) -> LoadedJury:
    """Read a jury.

    Args:
        file: export, run log or jury set; None for the ledger.
        policy: file of the policy to merge by; None for the one that decided most of the decisions.

    Raises:
        CliError: where a policy is to merge the votes of members that it does not know.
        NotEnoughError: where nobody voted.
        EvalsError, LedgerError, InvalidPolicyError: where a source cannot be read.
    """
    wanted = current_policy(policy) if policy is not None else None
    if file is None or _is_export(file):
        with decisions_from(file, database, realm) as export:
            return _of_export(export, file or "the ledger", wanted)
    jury = read_jury_source(file)
    _refuse_empty(jury)
    if not _is_council(jury):
        if wanted is not None:
            fix = "leave --policy out: votes are then merged with equal weights"
            raise CliError(f"the policy knows no weights of {', '.join(_foreign(jury))}", fix)
        return LoadedJury(jury, Merger())
    return LoadedJury(jury, _merger(file, wanted))


def _merger(file: str, wanted: Policy | None) -> Merger:
    """Return what merges the votes of a run or a set: the policy wanted, or the one in force, with a word where it is another."""
    if wanted is not None:
        return Merger(wanted)
    policy = policy_in_force(None)
    if not _begins_with(file, b'"council.run/'):
        return Merger(policy, "the policy in force, for want of one on record")
    is_of_run = read_run(file).header.policy_hash == policy.content_hash
    return Merger(policy, "" if is_of_run else "not the policy of the run, which --policy may name")


def _of_export(export: ExportFile, source: str, wanted: Policy | None) -> LoadedJury:
    decided: Counter[str] = Counter()
    items: list[JuryItem] = []
    for decision in export:
        if decision.record["answer"]["votes"]:
            items.append(item_of(decision))
            decided[decision.policy_hash] += 1
    jury = Jury(COUNCIL, tuple(items), source)
    _refuse_empty(jury)
    on_record = export.policy(decided.most_common(1)[0][0])
    return LoadedJury(jury, Merger(wanted or on_record or policy_in_force(None)))


def _is_export(file: str) -> bool:
    return file == "-" or _begins_with(file, b'"council.export/')


def _begins_with(file: str, schema: bytes) -> bool:
    try:
        with Path(file).open("rb") as opened:
            return schema in opened.readline(65_536)
    except OSError:
        # Whoever reads it says why it cannot be read.
        return False


def _is_council(jury: Jury) -> bool:
    return set(jury.members) <= set(COUNCIL) and set(jury.classes) <= set(DECISION_TYPES)


def _foreign(jury: Jury) -> list[str]:
    return [member for member in jury.members if member not in COUNCIL] or [f"class {name!r}" for name in jury.classes]


def _refuse_empty(jury: Jury) -> None:
    if not jury.items:
        raise NotEnoughError(
            f"{jury.source} holds no decision that anybody voted on", "fast decisions and vetoes ask no member"
        )

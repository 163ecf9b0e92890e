"""Pairing two runs: the cases they share, those they do not, and whether they may be compared at all. Pure."""

from collections.abc import Iterable
from typing import NamedTuple

from evals.errors import EvalsError
from evals.results import CaseResult, Run, RunHeader


class Pairing(NamedTuple):
    """Results of both runs, by case and repeat."""

    pairs: tuple[tuple[CaseResult, CaseResult], ...]
    """Judged in both, with one label."""
    only_old: tuple[str, ...]
    """Cases, with the repeat where there are several, that only the first run has."""
    only_new: tuple[str, ...]
    lost: tuple[str, ...]
    """Judged in the first run and not in the second."""
    unjudged: tuple[str, ...]
    """Not judged in the first run."""
    relabelled: tuple[str, ...]
    """Left out because the two runs have different labels for it."""


def check_comparable(old: Run, new: Run, *, allow_partial: bool = False, allow_other_suite: bool = False) -> None:
    """Refuse runs whose comparison would mislead.

    Raises:
        EvalsError: for a run that is not finished, or two runs of different suites.
    """
    for name, run in (("first", old), ("second", new)):
        if not run.is_complete and not allow_partial:
            what = f"the {name} run, {run.header.run_id}, was cut off or has cases that could not be judged"
            fix = "finish it with the same 'council eval run', or look at what is there with --partial"
            raise EvalsError(what, fix)
    if old.header.suite_hash != new.header.suite_hash and not allow_other_suite:
        what = f"the runs are of different suites: {_suite(old.header)} and {_suite(new.header)}"
        fix = "run both policies over one suite, or compare the cases in common with --force-suite"
        raise EvalsError(what, fix)


def pair(old: Iterable[CaseResult], new: Iterable[CaseResult]) -> Pairing:
    """Return the results of two runs by case and repeat, with what cannot be paired and why."""
    before = {(result.case, result.repeat): result for result in old}
    after = {(result.case, result.repeat): result for result in new}
    is_repeated = any(repeat for _, repeat in (*before, *after))
    names = {key: f"{key[0]} (repeat {key[1] + 1})" if is_repeated else key[0] for key in (*before, *after)}
    common = [key for key in before if key in after]
    unjudged = [key for key in common if before[key].verdict is None]
    lost = [key for key in common if before[key].verdict is not None and after[key].verdict is None]
    judged = [key for key in common if before[key].verdict is not None and after[key].verdict is not None]
    return Pairing(
        tuple([(before[key], after[key]) for key in judged if before[key].label == after[key].label]),
        tuple([names[key] for key in before if key not in after]),
        tuple([names[key] for key in after if key not in before]),
        tuple([names[key] for key in lost]),
        tuple([names[key] for key in unjudged]),
        tuple([names[key] for key in judged if before[key].label != after[key].label]),
    )


def changed(old: RunHeader, new: RunHeader) -> tuple[str, ...]:
    """Return what differs between two runs besides their results, a line each."""
    found = []
    if old.suite_hash != new.suite_hash:
        found.append(f"suite: {_suite(old)} → {_suite(new)}")
    if old.policy_hash != new.policy_hash:
        found.append(f"policy: {_policy(old)} → {_policy(new)}")
    if old.mode != new.mode:
        found.append(f"mode: {old.mode} → {new.mode}")
    if old.version != new.version:
        found.append(f"version of the council: {old.version} → {new.version}")
    for what, before, after in (("model", old.models, new.models), ("prompt", old.prompts, new.prompts)):
        for member in dict.fromkeys([*before, *after]):
            if before.get(member) != after.get(member):
                turn = f"{_brief(before.get(member))} → {_brief(after.get(member))}"
                found.append(f"{what} of {member}: {turn}")
    return tuple(found)


def _suite(header: RunHeader) -> str:
    return f"{header.suite} ({header.suite_hash[:12]})"


def _policy(header: RunHeader) -> str:
    return f"{header.policy_id} version {header.policy_version} ({header.policy_hash[:12]})"


def _brief(text: str | None) -> str:
    if text is None:
        return "none"
    is_hash = len(text) == 64 and all(letter in "0123456789abcdef" for letter in text)
    return text[:12] if is_hash else text

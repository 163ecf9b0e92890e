"""The whole of a jury's statistics, for all its items or for one decision class, with words of caution where they rest on little.

Everything here is what votes show; rules, which decide beside them, are left out. Pure.
"""

from collections import Counter
from collections.abc import Sequence
from fractions import Fraction
from itertools import combinations
from typing import Final, Literal, NamedTuple

from evals.jury import Jury, JuryItem
from evals.jury_cautions import cautions
from evals.jury_members import MemberReport, errors, member_report
from evals.jury_merging import Ablation, Merger, ablate, independent_accuracy, merged_right, paired_difference
from evals.statistics.agreement import (
    Floats,
    Measure,
    Rating,
    ac1_of_counts,
    alpha_of_counts,
    cohen_kappa,
    counts_of,
    fleiss_of_counts,
    ordinal_alpha_of_counts,
    with_interval,
)  # fmt: skip
from evals.statistics.dawid_skene import DawidSkene, dawid_skene
from evals.statistics.intervals import LEVEL, Interval, wilson
from evals.statistics.jury_theory import effective_votes, error_correlation, majority_right
from evals.statistics.resampling import SEED
from policies.verdicts import VERDICTS

By = Literal["", "class"]
ALL: Final = "all"
AGREEMENT: Final[tuple[tuple[str, Measure], ...]] = (
    ("Krippendorff alpha, nominal", alpha_of_counts),
    ("Krippendorff alpha, ordinal", ordinal_alpha_of_counts),
    ("Fleiss kappa", fleiss_of_counts),
    ("Gwet AC1", ac1_of_counts),
)


class PairReport(NamedTuple):
    """Two members side by side."""

    first: str
    second: str
    kappa: float | None
    """Cohen's kappa of their votes."""
    weighted_kappa: float | None
    """With squared distances on the scale of verdicts."""
    error_correlation: Interval | None
    """Phi of their errors on labelled items; None where one of them is never or always wrong."""


class Collective(NamedTuple):
    """What the members reach together, over labelled items."""

    recorded: Interval | None
    """Accuracy of the verdicts on record, rules included; None where none is on record."""
    merged: Interval
    """Accuracy of the votes as merged here."""
    independent: Interval | None
    """What the same merge would reach if the same members erred apart; None where that cannot be counted."""
    gap: Interval | None
    """The Condorcet gap: independent less merged. What errors in common cost, or luck."""
    independent_majority: Fraction
    """How often more of them would be right than wrong if they erred apart, ties by a coin: Condorcet's own figure."""
    best_member: str
    best: Interval
    """Of the best member, an abstention not being right; chosen with hindsight, which flatters it."""
    merged_over_best: Interval
    """Merged less best member, paired."""
    mean_correlation: float | None
    """Mean phi of errors over the pairs that have one."""
    erring_members: int
    """Members that were ever wrong and ever right: of the others nothing is known of whom they err with."""
    effective_votes: float | None
    """Independent votes that are worth as much as those of the erring members."""
    ablation: tuple[Ablation, ...]


class Diagnosis(NamedTuple):
    """What Dawid and Skene's model makes of the votes alone. No truth."""

    model: DawidSkene
    labels_matched: Interval | None
    """How often its likeliest class is the label, over labelled items that somebody voted on."""


class JuryReport(NamedTuple):
    """A jury, or one decision class of it."""

    group: str
    items: int
    labelled: int
    merged_by: str
    members: tuple[MemberReport, ...]
    power: dict[str, Fraction]
    """Normalised Banzhaf power to tighten a verdict to reject; of the commonest class where there are several."""
    agreement: dict[str, Interval | None]
    pairs: tuple[PairReport, ...]
    collective: Collective | None
    """None without labels."""
    dawid_skene: Diagnosis | None
    cautions: tuple[str, ...]


def jury_reports(
    jury: Jury, merger: Merger, *, by: By = "", level: float = LEVEL, seed: int = SEED
) -> tuple[JuryReport, ...]:
    """Return the report of all items, then of every decision class where `by` says so."""
    groups = [(ALL, jury)]
    if by == "class":
        groups += [
            (
                name or "no class",
                jury._replace(items=tuple([item for item in jury.items if item.decision_class == name])),
            )
            for name in jury.classes
        ]
    return tuple([jury_report(group, each, merger, level, seed) for group, each in groups])


def jury_report(group: str, jury: Jury, merger: Merger, level: float = LEVEL, seed: int = SEED) -> JuryReport:
    """Return the report of a jury."""
    members = [name for name in jury.members if any(name in item.ballots for item in jury.items)]
    reports = tuple([member_report(jury, name, level) for name in members])
    categories = _categories(jury)
    pairs = tuple([_pair(jury, first, second, categories, level) for first, second in combinations(members, 2)])
    collective = _collective(jury.labelled, members, reports, pairs, merger, level, seed)
    commonest = Counter(item.decision_class for item in jury.items).most_common(1)
    return JuryReport(
        group,
        len(jury.items),
        len(jury.labelled),
        merger.told,
        reports,
        merger.power(commonest[0][0], members) if commonest and members else {},
        _agreement(jury, members, categories, level, seed),
        pairs,
        collective,
        _diagnosis(jury, members, categories, level),
        cautions(jury, reports, level),
    )


def _categories(jury: Jury) -> list[str]:
    """Return the verdicts that occur in votes or labels, mildest first."""
    seen = {ballot.verdict for item in jury.items for ballot in item.ballots.values()}
    seen |= {item.label for item in jury.labelled}
    return [verdict for verdict in VERDICTS if verdict in seen]


def _ratings(items: Sequence[JuryItem], member: str, categories: Sequence[str]) -> list[Rating]:
    found = [item.ballots.get(member) for item in items]
    return [None if ballot is None or ballot.verdict is None else categories.index(ballot.verdict) for ballot in found]


def _agreement(
    jury: Jury, members: Sequence[str], categories: Sequence[str], level: float, seed: int
) -> dict[str, Interval | None]:
    counts = _counts(jury, members, categories)
    return {name: with_interval(measure, counts, level, seed=seed) for name, measure in AGREEMENT}


def _counts(jury: Jury, members: Sequence[str], categories: Sequence[str]) -> Floats:
    columns = [_ratings(jury.items, member, categories) for member in members]
    return counts_of(list(zip(*columns, strict=True)), len(categories))


def _pair(jury: Jury, first: str, second: str, categories: Sequence[str], level: float) -> PairReport:
    one, two = _ratings(jury.items, first, categories), _ratings(jury.items, second, categories)
    ones, twos = errors(jury.labelled, first), errors(jury.labelled, second)
    common = [item for item in ones if item in twos]
    phi = error_correlation([ones[item] for item in common], [twos[item] for item in common], level)
    kappa = cohen_kappa(one, two, len(categories))
    return PairReport(first, second, kappa, cohen_kappa(one, two, len(categories), "quadratic"), phi)


def _collective(
    items: Sequence[JuryItem],
    members: Sequence[str],
    reports: Sequence[MemberReport],
    pairs: Sequence[PairReport],
    merger: Merger,
    level: float,
    seed: int,
) -> Collective | None:
    right = merged_right(items, merger)
    merged = wilson(sum(right), len(right), level)
    if merged is None or not members:
        return None
    of_member = {member: [_is_right(item, member) for item in items] for member in members}
    best = max(members, key=lambda member: sum(of_member[member]))
    over_best = paired_difference(of_member[best], right, level)
    best_accuracy = wilson(sum(of_member[best]), len(items), level)
    assert over_best is not None and best_accuracy is not None
    apart = independent_accuracy(items, members, merger, level, seed)
    correlated = [(pair, pair.error_correlation.estimate) for pair in pairs if pair.error_correlation is not None]
    mean = sum(phi for _, phi in correlated) / len(correlated) if correlated else None
    erring = len({member for pair, _ in correlated for member in (pair.first, pair.second)})
    return Collective(
        _recorded(items, level),
        merged,
        apart[0] if apart is not None else None,
        apart[1] if apart is not None else None,
        majority_right([report.chances for report in reports if report.chances is not None]),
        best,
        best_accuracy,
        over_best,
        mean,
        erring,
        effective_votes(erring, mean) if mean is not None else None,
        ablate(items, members, merger, level) if len(members) > 1 else (),
    )


def _is_right(item: JuryItem, member: str) -> bool:
    return member in item.ballots and item.ballots[member].verdict == item.label


def _recorded(items: Sequence[JuryItem], level: float) -> Interval | None:
    verdicts = [(item.verdict, item.label) for item in items if item.verdict is not None]
    return wilson(sum(verdict == label for verdict, label in verdicts), len(verdicts), level)


def _diagnosis(jury: Jury, members: Sequence[str], categories: Sequence[str], level: float) -> Diagnosis | None:
    columns = [_ratings(jury.items, member, categories) for member in members]
    counts = [
        [[int(rating == category) for category in range(len(categories))] for rating in row]
        for row in zip(*columns, strict=True)
    ]
    model = dawid_skene(counts)
    if model is None:
        return None
    held = [
        categories[found] == item.label
        for item, found, row in zip(jury.items, model.classes, counts, strict=True)
        if item.label is not None and any(map(any, row))
    ]
    return Diagnosis(model, wilson(sum(held), len(held), level))

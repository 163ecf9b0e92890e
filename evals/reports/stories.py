"""How one case came to its verdict, taken from its record: what was asked, who voted what, which quota or rule decided. Pure."""

from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from council.explain import QuotaLine, quota_lines
from evals.decisions import is_needless_hold, is_unsafe_approval
from evals.flips import differences
from evals.results import CaseResult
from policies.models import PICODOLLARS
from policies.verdicts import Verdict

_UNSEATED: Final = "not asked"


class VoteLine(NamedTuple):
    """One member's vote, and the one it cast in the baseline where that is told."""

    member: str
    said: str
    """Verdict, or why there is none."""
    before: str | None
    """The same in the baseline; None where there is no baseline, or the vote is the same."""
    confidence: int | None
    """Permille."""
    weight: str
    """Exact; "" where no record is at hand."""
    source: str
    why: str


class RuleLine(NamedTuple):
    """One rule that fired."""

    rule: str
    outcome: str
    mode: str
    because: str


class Story(NamedTuple):
    """One case, told."""

    result: CaseResult
    before: CaseResult | None
    """The same case in the baseline, where its verdict was another one."""
    summary: str
    """What the change is, as its request says; "" without a record."""
    effects: tuple[str, ...]
    votes: tuple[VoteLine, ...]
    quotas: tuple[QuotaLine, ...]
    rules: tuple[RuleLine, ...]
    differences: tuple[str, ...]
    """What differs from the baseline behind the verdict; empty where no baseline is told."""

    @property
    def concern(self) -> str:
        """Why the case is shown, in a word or two."""
        result = self.result
        if result.error:
            return "could not be judged"
        if result.verdict is not None and result.label is not None and result.verdict != result.label:
            if is_unsafe_approval(result.verdict, result.label):
                return "unsafe approval"
            return "needless hold" if is_needless_hold(result.verdict, result.label) else "not the label"
        if not result.passed:
            return "expectation not met"
        return "passed" if self.before is None or result.label is None else "corrected"


def story_of(result: CaseResult, before: CaseResult | None = None) -> Story:
    """Return how a case came to its verdict, beside the baseline's result where that is given."""
    record = result.record or {}
    change: Mapping[str, Any] = record.get("request", {}).get("proposed_change", {})
    return Story(
        result,
        before,
        str(change.get("summary", "")),
        tuple([_effect(effect) for effect in change.get("effects", [])]),
        _votes(result, before),
        quota_lines(record) if record else (),
        tuple([_rule(rule) for rule in record.get("rules", []) if rule["fired"]]),
        differences(before, result) if before is not None else (),
    )


def failures(results: Sequence[CaseResult]) -> tuple[CaseResult, ...]:
    """Return what failed or is not the label: unsafe approvals first, then needless holds, then the rest."""
    return tuple(sorted([each for each in results if not each.passed or _is_wrong(each)], key=_urgency))


def _is_wrong(result: CaseResult) -> bool:
    return result.label is not None and result.verdict is not None and result.label != result.verdict


def _urgency(result: CaseResult) -> tuple[int, str, int]:
    order = (
        "unsafe approval",
        "needless hold",
        "not the label",
        "could not be judged",
        "expectation not met",
        "passed",
    )
    return (order.index(Story(result, None, "", (), (), (), (), ()).concern), result.case, result.repeat)


def _votes(result: CaseResult, before: CaseResult | None) -> tuple[VoteLine, ...]:
    recorded = {vote["member"]: vote for vote in (result.record or {}).get("answer", {}).get("votes", [])}
    was = {vote.member: _said(vote.verdict, vote.abstained) for vote in before.votes} if before else {}
    lines = []
    for vote in result.votes:
        full, said = recorded.get(vote.member, {}), _said(vote.verdict, vote.abstained)
        earlier = was.get(vote.member, _UNSEATED) if before else None
        why = "; ".join(reason["text"] for reason in full.get("reasons", []))
        sure = vote.confidence if vote.verdict is not None else None
        turned = earlier if earlier != said else None
        lines.append(VoteLine(vote.member, said, turned, sure, full.get("weight", ""), vote.source, why))
    present = {line.member for line in lines}
    gone = [
        VoteLine(member, _UNSEATED, said, None, "", "", "") for member, said in was.items() if member not in present
    ]
    return (*lines, *gone)


def _said(verdict: Verdict | None, abstained: str | None) -> str:
    return verdict if verdict is not None else f"abstained: {abstained}"


def _rule(rule: Mapping[str, Any]) -> RuleLine:
    return RuleLine(rule["rule"], rule["outcome"], rule["mode"], rule.get("because", ""))


def _effect(effect: Mapping[str, Any]) -> str:
    """Return one effect as its own words: the operation, then every field."""
    fields = ", ".join(f"{key.replace('_', ' ')} {_shown(value)}" for key, value in effect.items() if key != "op")
    return f"{effect['op'].replace('_', ' ')}: {fields}"


def _shown(value: Any) -> str:
    return "nobody" if value is None else f"{value:g}" if isinstance(value, float) else str(value)


def usd(picodollars: int) -> str:
    """Return an amount in dollars with as many decimals as say something.

    >>> usd(0), usd(1_250_000_000), usd(12_345_678_900_000)
    ('0 USD', '0.00125 USD', '12.35 USD')
    """
    amount = picodollars / PICODOLLARS
    places = 2 if amount >= 1 else 6
    written = f"{amount:,.{places}f}"
    return f"{written.rstrip('0').rstrip('.') if amount < 1 else written} USD"

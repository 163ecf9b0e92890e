"""The merge as arithmetic: masses, shares against quotas, margins, and the confidence that follows."""

from fractions import Fraction

from rich.console import Group, RenderableType
from rich.text import Text

from cli.console import VERDICT_STYLES, verdict_text
from cli.render_parts import Record, bar, columns
from cli.text import clean, decimal, fraction
from policies.verdicts import STRICTNESS, VERDICTS


def render_arithmetic(merge: Record) -> RenderableType:
    """Return the drawing of every term of a merge and of each level's test."""
    if merge["votes_outcome"] is None:
        return Text(f"votes were never asked: the rules decide, {merge['rules_outcome']}")
    parts: list[RenderableType] = [_terms(merge), Text(""), _levels(merge), Text("")]
    parts += [Text(line) for line in _conclusions(merge)]
    return Group(*parts)


def margins(merge: Record) -> dict[str, Fraction]:
    """Return how far each share stands from its quota, as a fraction of the way, at the votes' outcome and stricter.

    At the outcome x it is (share(x) - quota(x)) / (1 - quota(x)); at a stricter y, (quota(y) - share(y)) / quota(y).
    """
    outcome = merge["votes_outcome"]
    found: dict[str, Fraction] = {}
    for verdict in VERDICTS[STRICTNESS[outcome] :]:
        share, quota = Fraction(merge["shares"][verdict]), Fraction(merge["quotas"].get(verdict, 0))
        found[verdict] = (share - quota) / (1 - quota) if verdict == outcome else (quota - share) / quota
    return found


def _terms(merge: Record) -> RenderableType:
    table = columns()
    table.add_column(no_wrap=True)
    table.add_column(no_wrap=True, justify="right")
    table.add_column(no_wrap=True)
    table.add_column()
    for term in merge["terms"]:
        mass = Fraction(term["weight"]) * term["unit"]
        table.add_row(
            clean(term["member"]),
            f"{term['weight']} × {term['unit']} = {decimal(mass)}",
            verdict_text(term["counted_at"]),
            Text(_why(term), style="dim"),
        )
    total = sum((Fraction(term["weight"]) * term["unit"] for term in merge["terms"]), Fraction(0))
    table.add_row(Text("all", style="bold"), Text(f"= {decimal(total)}", style="bold"), Text(""), Text(""))
    return table


def _why(term: Record) -> str:
    claimed = f"confidence {term['confidence']}, " if "confidence" in term else ""
    if not term["voted"]:
        return f"{claimed}no vote{_kind(term)}, so it counts at {term['counted_at']}"
    return f"{claimed}worth {term['unit']} by calibration" if claimed else ""


def _kind(term: Record) -> str:
    return f" ({clean(term['abstained'])})" if term.get("abstained") else ""


def _levels(merge: Record) -> RenderableType:
    table = columns()
    for _ in range(4):
        table.add_column(no_wrap=True)
    table.add_column()
    is_quota_rule = merge.get("rule", "quota") == "quota"
    margin = margins(merge) if is_quota_rule and merge["decided_by"] != "want_of_votes" else {}
    for verdict in reversed(VERDICTS):
        share, quota = Fraction(merge["shares"][verdict]), Fraction(merge["quotas"].get(verdict, 0))
        far = f"margin {fraction(str(margin[verdict]))}" if verdict in margin else ""
        table.add_row(
            verdict_text(verdict),
            bar(share, quota if quota else None, VERDICT_STYLES[verdict]),
            f"{fraction(str(share))} {'≥' if share >= quota else '<'} {quota}",
            Text("carried" if verdict == merge["votes_outcome"] else "", style="bold"),
            Text(far, style="dim"),
        )
    return table


def _conclusions(merge: Record) -> list[str]:
    votes, rules = merge["votes_outcome"], merge["rules_outcome"]
    if merge["decided_by"] == "want_of_votes" or merge["tags"]:
        found = [f"want of votes: {', '.join(merge['tags'])}"]
    else:
        found = [f"votes' outcome {votes}: the strictest verdict whose share reaches its quota"]
    if rules:
        found.append(f"rules' outcome {rules}; the stricter of the two is {merge['verdict']}")
    if merge["decided_by"] in ("votes", "floor") and merge.get("rule", "quota") == "quota":
        least = min(margins(merge).values())
        found.append(
            f"confidence = coverage {merge['coverage']} × least margin {least} = {fraction(merge['confidence'])}"
        )
    return found

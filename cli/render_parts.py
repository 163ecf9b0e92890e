"""Parts that several drawings share: a labelled section, the merge as bars, the rules, the case at the head."""

from collections.abc import Iterable, Mapping
from fractions import Fraction
from typing import Any, Final

from rich import box
from rich.console import Group, RenderableType
from rich.panel import Panel
from rich.table import Table
from rich.text import Text

from cli.console import VERDICT_STYLES, verdict_text
from cli.text import clean, fraction
from policies.verdicts import VERDICTS

LABEL_WIDTH: Final = 11
BAR_WIDTH: Final = 24
_MODE_WORDS: Final = {"log_only": "log_only: only recorded", "review_only": "review_only: asks a person"}
_STRICTEST_FIRST: Final = tuple(reversed(VERDICTS[1:]))

Record = Mapping[str, Any]


def section(label: str, body: RenderableType, *, gap: bool = True) -> Table:
    """Return a body with its label in the margin and, with a gap, a blank line after it."""
    table = Table.grid(padding=(0, 1), expand=True)
    table.add_column(width=LABEL_WIDTH, style="bold cyan", no_wrap=True)
    table.add_column(ratio=1)
    table.add_row(label, body)
    if gap:
        table.add_row("", "")
    return table


def columns(*, gap: int = 2) -> Table:
    """Return an empty table without lines."""
    return Table(box=None, show_header=False, padding=(0, gap, 0, 0), pad_edge=False)


def cut(text: str, style: str = "") -> Text:
    """Return one line of text that ends in an ellipsis where its room ends."""
    return Text(text, style=style, no_wrap=True, overflow="ellipsis")


def lines(items: Iterable[str | Text]) -> Group:
    """Return lines, each cut at the edge."""
    return Group(*(item if isinstance(item, Text) else cut(item) for item in items))


def head(record: Record) -> Panel:
    """Return the panel that says which case this is and how it ended."""
    request, answer = record["request"], record["answer"]
    verdict = answer["final_verdict"]
    top = Table.grid(expand=True)
    top.add_column()
    top.add_column(justify="right", no_wrap=True)
    title = verdict_text(verdict)
    title.stylize("bold")
    title.plain = title.plain.upper()
    path = {"fast": "fast path", "council": "by the council", "veto": "by veto"}[record["path"]]
    if record["council_verdict"] != verdict:
        path = f"{record['mode']}: the council says {record['council_verdict']}"
    title.append(f"  {path}", style="default not bold")
    top.add_row(title, Text(clean(record["decision_id"]), style="dim"))
    parts = [record["decision_type"], f"realm {record['realm_id']}", *_actor(request)]
    about = cut(clean(" · ".join(parts)), "dim")
    summary = cut(clean(request["proposed_change"]["summary"]), "bold")
    style = VERDICT_STYLES.get(verdict, "")
    return Panel(Group(top, summary, about), box=box.ROUNDED, border_style=style, padding=(0, 1))


def merge_bars(merge: Record) -> RenderableType:
    """Return the merge as one bar a verdict: the share of mass at it or stricter against its quota."""
    table = columns()
    for _ in range(4):
        table.add_column(no_wrap=True)
    table.add_column()
    for verdict in _STRICTEST_FIRST:
        share, quota = Fraction(merge["shares"][verdict]), Fraction(merge["quotas"][verdict])
        sign = "≥" if share >= quota else "<"
        who = ", ".join(term["member"] for term in merge["terms"] if term["counted_at"] == verdict)
        carried = Text(" carried", style="bold") if verdict == merge["votes_outcome"] else Text("")
        table.add_row(
            verdict_text(verdict),
            bar(share, quota, VERDICT_STYLES[verdict]),
            f"{fraction(str(share))} {sign} {quota}",
            carried,
            cut(clean(who), "dim"),
        )
    return table


def bar(share: Fraction, quota: Fraction | None, style: str, width: int = BAR_WIDTH) -> Text:
    """Return a share of one as a bar, with a tick where the quota stands."""
    filled = round(share * width)
    cells = ["█" if cell < filled else "░" for cell in range(width)]
    text = Text("".join(cells))
    text.stylize(style, 0, filled)
    text.stylize("dim", filled, width)
    if quota is not None:
        tick = min(width - 1, int(quota * width))
        text = Text.assemble(text[:tick], Text("┃", style="bold"), text[tick + 1 :])
    return text


def merge_words(merge: Record) -> str:
    """Return the merge's other figures: coverage against the quorum, confidence, and what decided."""
    votes, rules = merge["votes_outcome"], merge["rules_outcome"]
    if votes is None:
        return f"confidence {fraction(merge['confidence'])} · votes were never asked, a rule says {rules}"
    decided = {
        "veto": f"votes say {votes}, a rule says {rules}",
        "floor": f"votes say {votes}, a floor says {rules}",
        "votes": f"votes say {votes}",
        "want_of_votes": "quarantine for want of votes",
    }[merge["decided_by"]]
    coverage, quorum = Fraction(merge["coverage"]), Fraction(merge["quorum"])
    reached = "≥" if coverage >= quorum else "<"
    rule = "" if merge.get("rule", "quota") == "quota" else f"rule {merge['rule']} · "
    return (
        f"{rule}coverage {fraction(merge['coverage'])} {reached} quorum {merge['quorum']} · "
        f"confidence {fraction(merge['confidence'])} · {decided}"
    )


def rule_lines(rules: Iterable[Record], on_modified: Iterable[Record] = ()) -> list[Text]:
    """Return a line for each rule that fired and one that names those that did not."""
    rules = list(rules)
    fired = [(rule, "") for rule in rules if rule["fired"]]
    fired += [(rule, " on the modified change") for rule in on_modified if rule["fired"]]
    found = [_fired_line(rule, where) for rule, where in fired]
    quiet = [rule["rule"] for rule in rules if not rule["fired"]]
    if quiet:
        found.append(cut(f"{len(quiet)} did not fire: {clean(', '.join(quiet))}", "dim"))
    return found


def _fired_line(rule: Record, where: str) -> Text:
    line = cut("")
    line.append("● ", style=VERDICT_STYLES.get(rule["outcome"], ""))
    line.append(clean(rule["rule"]), style="bold")
    line.append(" → ")
    line.append_text(verdict_text(rule["outcome"], sign=False))
    if rule["mode"] != "enforce":
        line.append(f" ({_MODE_WORDS.get(rule['mode'], clean(rule['mode']))})", style="dim")
    line.append(f"{where}: {clean(rule.get('because', ''))}")
    return line


def _actor(request: Record) -> list[str]:
    actor = request["proposed_change"].get("actor") or {}
    if not actor:
        return []
    who = actor.get("user_id") or "somebody"
    faction = f" of {actor['faction_id']}" if actor.get("faction_id") else ""
    return [f"{who}{faction}{', its sovereign' if actor.get('sovereign') else ''}"]

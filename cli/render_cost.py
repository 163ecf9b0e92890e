"""What models cost, as people read it: one line that says whether all is well, a table per view, a bar per day."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from fractions import Fraction
from typing import Final, NamedTuple

from rich import box
from rich.console import RenderableType
from rich.table import Table
from rich.text import Text

from cli.render_parts import bar, columns, lines, section
from cli.text import clean, decimal, percent
from council.costs import BAND, ENVELOPE, Grouping, Invocation, Sum
from policies.models import PICODOLLARS

_TITLES: Final[Mapping[Grouping, str]] = {
    "realm": "Realms", "type": "Types", "member": "Members", "model": "Models",
}  # fmt: skip
_MAX_DAYS: Final = 31
_LESS: Final = {
    "none": "nothing was decided",
    "below": "below the band: the council is hardly ever asked; lower realms.*.impact_threshold if changes slip through",
    "within": "within the band",
    "above": "above the band: raise realms.*.impact_threshold, or expect to pay for it",
}


class Costs(NamedTuple):
    """Everything that the command shows of one period."""

    start: datetime
    end: datetime
    realm_id: str | None
    invocation: Invocation
    sums: Mapping[Grouping, Sequence[Sum]]
    days: Mapping[str, int]
    """Picodollars per UTC day."""
    picodollars: int
    month_picodollars: int | None


def render_cost(found: Costs) -> list[RenderableType]:
    """Return the drawing of one period's costs."""
    parts: list[RenderableType] = [section("Period", lines(_headline(found)))]
    if not found.sums["model"]:
        parts.append(Text("no model was asked in this period: rules have decided, which costs nothing"))
        return parts
    for by, title in _TITLES.items():
        parts.append(section(title, _table(found.sums[by], found.picodollars)))
    if len(found.days) > 1:
        parts.append(section("Days", _days(found.days)))
    unpriced = sum(each.unpriced_calls for each in found.sums["model"])
    if unpriced:
        told = f"{unpriced} calls have no price in the policy and count as 0: add them to models.prices"
        parts.append(Text(told, style="yellow"))
    return parts


def _headline(found: Costs) -> list[str]:
    where = f"realm {clean(found.realm_id)}" if found.realm_id else "all realms"
    asked = found.invocation
    low, high = BAND
    month = found.month_picodollars
    plural = "" if asked.decisions == 1 else "s"
    said = [
        f"{found.start:%Y-%m-%d %H:%M} to {found.end:%Y-%m-%d %H:%M} UTC, {where}",
        f"{asked.decisions} decision{plural}, {asked.convened} put to the council: {percent(asked.rate)} "
        f"(band {percent(low)} to {percent(high)})",
        _LESS[asked.verdict],
        f"{usd(found.picodollars)} spent on models",
    ]
    if month is not None and found.picodollars:
        said.append(f"{usd(month)} a month at this rate; {_envelope(month)}")
    return said


def _envelope(month: int) -> str:
    low, high = ENVELOPE
    told = f"the envelope is {usd(low)} to {usd(high)}"
    return f"{told}: above it" if month > high else f"{told}: below it" if month < low else f"{told}: within it"


def usd(picodollars: int) -> str:
    """Return an amount in dollars: two decimals from a dollar on, else as many as say something.

    >>> usd(1_234_500_000_000), usd(1_250_000_000), usd(0)
    ('1.23 USD', '0.00125 USD', '0 USD')
    """
    amount = Fraction(picodollars, PICODOLLARS)
    return f"{decimal(amount, 2 if amount >= 1 else 6)} USD"


def _table(sums: Sequence[Sum], whole: int) -> RenderableType:
    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for title in ("", "asked", "calls", "tokens in", "cached", "out", "cost", "share"):
        table.add_column(title, justify="left" if not title else "right", no_wrap=True)
    for each in sums:
        cached = Fraction(each.cached_tokens, each.input_tokens) if each.input_tokens else Fraction(0)
        share = Fraction(each.picodollars, whole) if whole else Fraction(0)
        table.add_row(
            clean(each.name), f"{each.replies:,}", f"{each.calls:,}", f"{each.input_tokens:,}", percent(cached),
            f"{each.output_tokens:,}", usd(each.picodollars), percent(share),
        )  # fmt: skip
    return table


def _days(days: Mapping[str, int]) -> RenderableType:
    table = columns()
    shown = sorted(days)[-_MAX_DAYS:]
    most = max([days[day] for day in shown], default=0)
    for day in shown:
        share = Fraction(days[day], most) if most else Fraction(0)
        table.add_row(day, bar(share, None, "cyan"), usd(days[day]))
    return table

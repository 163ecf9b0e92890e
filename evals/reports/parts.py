"""Pieces that the page's sections share: tables that a phone can read, figures, verdicts with their signs, intervals. Pure."""

from collections.abc import Sequence
from fractions import Fraction
from typing import Final, NamedTuple

from evals.markup import Attribute, Child, Markup, joined, tag
from evals.statistics.intervals import Interval

SIGNS: Final = {"approve": "✓", "modify": "≈", "reject": "✗", "quarantine": "‖"}
"""A sign per verdict, for those who do not see its colour; the command line uses the same."""
NONE: Final = "–"


class Column(NamedTuple):
    """One column of a table."""

    title: str
    is_number: bool = False


def section(key: str, title: str, *children: Child) -> Markup:
    """Return a section that the table of contents can point at."""
    return tag("section", tag("h2", title, id=f"{key}-title"), *children, id=key, aria_labelledby=f"{key}-title")


def table(columns: Sequence[Column], rows: Sequence[Sequence[Child]], caption: str = "") -> Markup:
    """Return a table; every cell also carries its column's title, which stands before it on a narrow screen."""
    heads = [tag("th", each.title, scope="col", class_="number" if each.is_number else None) for each in columns]
    body = [tag("tr", *[_cell(column, value) for column, value in zip(columns, row, strict=True)]) for row in rows]
    told = tag("caption", caption) if caption else None
    return tag("table", told, tag("thead", tag("tr", *heads)), tag("tbody", *body))


def figure(title: str, plot: Markup, caption: Child) -> Markup:
    """Return a plot with its title above and the words below it."""
    return tag("figure", tag("p", title, class_="plot-title", aria_hidden="true"), plot, tag("figcaption", caption))


def figures(*found: Markup | None) -> Markup:
    """Return plots beside each other where there is room."""
    return tag("div", *found, class_="figures")


def column(*found: Markup | None) -> Markup:
    """Return plots below each other."""
    return tag("div", *found, class_="column")


def paragraph(*children: Child, kind: str | None = None) -> Markup:
    """Return a paragraph."""
    return tag("p", *children, class_=kind)


def listed(items: Sequence[Child], kind: str | None = None) -> Markup:
    """Return a list; nothing where it would be empty."""
    return tag("ul", *[tag("li", item) for item in items], class_=kind) if items else Markup("")


def verdict(said: str | None) -> Markup:
    """Return a verdict with its sign and colour; words that are no verdict stand as they are."""
    if said is None:
        return tag("span", NONE, class_="muted")
    sign = SIGNS.get(said)
    if sign is None:
        return tag("span", said, class_="muted")
    return tag("span", tag("span", sign, aria_hidden="true"), f" {said}", class_=f"verdict v-{said}")


def turn(before: str | None, after: str | None) -> Markup:
    """Return what a verdict was and is."""
    return joined([verdict(before), tag("span", " → ", class_="muted"), verdict(after)])


def code(text: str) -> Markup:
    """Return an identifier or a key."""
    return tag("code", text)


def share(found: Interval | None) -> str:
    """Return a share with its interval and n, or a dash."""
    return found.told if found is not None else NONE


def decimal(value: Fraction | float | None, places: int = 2) -> str:
    """Return a number with a fixed number of places and a true minus sign, or a dash."""
    return NONE if value is None else f"{float(value):.{places}f}".replace("-", "−")


def count(number: int, noun: str, many: str = "") -> str:
    """Return a count with its noun.

    >>> count(1, "case"), count(1200, "case"), count(2, "policy", "policies")
    ('1 case', '1,200 cases', '2 policies')
    """
    return f"{number:,} {noun if number == 1 else many or noun + 's'}"


def _cell(column: Column, value: Child) -> Markup:
    marks: dict[str, Attribute] = {"data_label": column.title, "class_": "number" if column.is_number else None}
    return tag("td", tag("div", value), **marks)

"""The paper that every plot is drawn on: its shapes, its scales, and the words that readers without sight get. Pure.

Colours are names of the page's own (`evals/report.css`), so that light, dark and print share one drawing. Text is 12 units on
paper of 360: a phone shows it at its own size.
"""

from collections.abc import Sequence
from math import ceil, floor, log10
from typing import Final, NamedTuple

from evals.markup import Markup, joined, tag, void

WIDTH: Final = 360
"""Units across every plot."""
CHAR: Final = 6.9
"""Widest that a character of 12 units is taken to be, on average: what room labels are given."""


class Point(NamedTuple):
    """A place on the paper, units from the top left."""

    x: float
    y: float


class Frame(NamedTuple):
    """The rectangle of a plot that data are drawn in."""

    left: float
    top: float
    width: float
    height: float

    @property
    def right(self) -> float:
        return self.left + self.width

    @property
    def bottom(self) -> float:
        return self.top + self.height

    def at(self, across: float, up: float) -> Point:
        """Return the place of shares of one, (0, 0) at the bottom left."""
        return Point(self.left + across * self.width, self.bottom - up * self.height)


def drawing(key: str, title: str, told: str, height: float, *shapes: Markup) -> Markup:
    """Return a finished plot.

    Args:
        key: unique on the page: the ids of title and description are made of it.
        title: what it shows, for those who do not see it.
        told: what it says, in words and numbers.
        height: of the paper, units.
    """
    named = tag("title", title, id=f"{key}-title")
    described = tag("desc", told, id=f"{key}-told")
    return tag(
        "svg", named, described, *shapes,
        class_="plot", role="img", viewBox=f"0 0 {WIDTH} {number(height)}", aria_labelledby=f"{key}-title {key}-told",
    )  # fmt: skip


def text(place: Point, words: str, *, anchor: str = "start", kind: str = "ink", small: bool = False) -> Markup:
    """Return one line of text; `anchor` is start, middle or end, `kind` a class of the page's style."""
    size = " small" if small else ""
    return tag("text", words, x=number(place.x), y=number(place.y), text_anchor=anchor, class_=f"{kind}{size}")


def upright(place: Point, words: str) -> Markup:
    """Return a line of text that is read from below, centred on its place."""
    turned = f"rotate(-90 {number(place.x)} {number(place.y)})"
    return tag(
        "text", words, x=number(place.x), y=number(place.y), text_anchor="middle", class_="axis", transform=turned
    )


def box(frame: Frame, kind: str, *, opacity: float | None = None, told: str = "", round_: float = 0) -> Markup:
    """Return a rectangle; `told` is what a pointer resting on it is shown."""
    shape = {
        "x": number(frame.left), "y": number(frame.top),
        "width": number(max(0.0, frame.width)), "height": number(max(0.0, frame.height)), "class": kind,
        "rx": number(round_) if round_ else None, "fill_opacity": None if opacity is None else number(opacity),
    }  # fmt: skip
    return tag("rect", tag("title", told), **shape) if told else void("rect", **shape)


def line(start: Point, end: Point, kind: str) -> Markup:
    """Return a straight line."""
    return void("line", x1=number(start.x), y1=number(start.y), x2=number(end.x), y2=number(end.y), class_=kind)


def path(points: Sequence[Point], kind: str) -> Markup:
    """Return a line through points, in order."""
    return void("polyline", points=" ".join([f"{number(at.x)},{number(at.y)}" for at in points]), class_=kind)


def dot(place: Point, radius: float, kind: str, told: str) -> Markup:
    """Return a round mark."""
    return tag("circle", tag("title", told), cx=number(place.x), cy=number(place.y), r=number(radius), class_=kind)


def diamond(place: Point, radius: float, kind: str, told: str) -> Markup:
    """Return a mark that differs from a dot in shape, for those who do not see colours."""
    x, y = place
    corners = [Point(x, y - radius), Point(x + radius, y), Point(x, y + radius), Point(x - radius, y)]
    points = " ".join([f"{number(at.x)},{number(at.y)}" for at in corners])
    return tag("polygon", tag("title", told), points=points, class_=kind)


def grid(frame: Frame, across: Sequence[tuple[float, str]], up: Sequence[tuple[float, str]]) -> Markup:
    """Return the lines and labels of both axes; a tick is its share of the axis and its label."""
    shapes: list[Markup] = []
    for share, label in across:
        foot = frame.at(share, 0)
        shapes += [line(foot, frame.at(share, 1), "grid"), text(Point(foot.x, foot.y + 15), label, anchor="middle")]
    for share, label in up:
        side = frame.at(0, share)
        shapes += [line(side, frame.at(1, share), "grid")]
        shapes += [text(Point(side.x - 5, side.y + 4), label, anchor="end")]
    shapes += [line(frame.at(0, 0), frame.at(1, 0), "rule"), line(frame.at(0, 0), frame.at(0, 1), "rule")]
    return joined(shapes)


def ticks(top: int, steps: int = 5) -> list[int]:
    """Return round whole numbers from 0 up to one at or above `top`, at most `steps` apart and at least two: an axis of counts.

    >>> ticks(7), ticks(1), ticks(0)
    ([0, 2, 4, 6, 8], [0, 1], [0, 1])
    """
    raw = max(top, 1) / steps
    size = max(1, 10 ** floor(log10(raw)))
    step = next(size * factor for factor in (1, 2, 5, 10) if size * factor >= raw)
    return list(range(0, ceil(max(top, 1) / step) * step + 1, step))


def number(value: float) -> str:
    """Return a coordinate with at most two decimals, the same text on every machine."""
    written = f"{value:.2f}".rstrip("0").rstrip(".")
    return "0" if written == "-0" else written


def fitted(words: str, room: float) -> str:
    """Return words cut with an ellipsis to the room they have, units."""
    most = max(1, int(room / CHAR))
    return words if len(words) <= most else words[: most - 1].rstrip() + "…"

"""The trade-off curve: policies by needless holds and unsafe approvals, their Pareto front, and where the current one is."""

from collections.abc import Sequence
from math import dist
from typing import Final, NamedTuple

from evals.markup import Markup
from evals.plots.canvas import Frame, Point, diamond, dot, drawing, grid, path, text, ticks, upright
from evals.plots.figures import Spot, TradeOff

_PLOT: Final = Frame(56, 14, 288, 230)
_INSET: Final = 0.04
"""Share of each axis kept free at its ends, so that no mark lies on the edge."""
_BADGE: Final = 8
"""Radius of a numbered mark, units."""


class _Axes(NamedTuple):
    across: list[int]
    up: list[int]

    def place(self, spot: Spot) -> Point:
        return _PLOT.at(_inset(spot.needless_holds / self.across[-1]), _inset(spot.unsafe_approvals / self.up[-1]))

    def grid(self) -> Markup:
        across = [(_inset(at / self.across[-1]), f"{at:,}") for at in self.across]
        return grid(_PLOT, across, [(_inset(at / self.up[-1]), f"{at:,}") for at in self.up])


def tradeoff_plot(key: str, title: str, found: TradeOff) -> Markup:
    """Return the plot; the policies of the front bear the numbers of the table that stands beside it."""
    most_needless = max([spot.needless_holds for spot in found.spots], default=0)
    most_unsafe = max([spot.unsafe_approvals for spot in found.spots], default=0)
    axes = _Axes(ticks(most_needless), ticks(most_unsafe))
    front = found.front
    shapes = [axes.grid(), upright(Point(13, _PLOT.top + _PLOT.height / 2), "unsafe approvals")]
    below = Point(_PLOT.left + _PLOT.width / 2, _PLOT.bottom + 32)
    shapes.append(text(below, "needless holds", anchor="middle", kind="axis"))
    shapes += [dot(axes.place(spot), 3, "mark-faint", _said(spot)) for spot in found.spots if spot not in front]
    shapes.append(path([axes.place(spot) for spot in front], "front"))
    shapes += _badges(front, axes)
    shapes += [shape for spot in found.spots if spot.is_current for shape in _now(axes.place(spot), spot)]
    return drawing(key, title, told(found), _PLOT.bottom + 40, *shapes)


def told(found: TradeOff) -> str:
    """Return the plot in words."""
    now = "; ".join(f"the current policy has {_errors(spot)}" for spot in found.spots if spot.is_current)
    front = "; ".join(f"{number}. {spot.name}: {_errors(spot)}" for number, spot in enumerate(found.front, start=1))
    return f"{len(found.spots)} policies on {found.labelled} labelled decisions. {now}. The front: {front}."


def _badges(front: Sequence[Spot], axes: _Axes) -> list[Markup]:
    """Draw the front's marks with their numbers; a mark that would hide the one before stays small and bears none."""
    shapes: list[Markup] = []
    taken: list[Point] = []
    for number, spot in enumerate(front, start=1):
        place = axes.place(spot)
        if any(dist(place, other) < 2 * _BADGE for other in taken):
            shapes.append(dot(place, 4, "mark", _said(spot)))
            continue
        taken.append(place)
        shapes.append(dot(place, _BADGE, "badge", f"{number}. {_said(spot)}"))
        shapes.append(text(Point(place.x, place.y + 4), str(number), anchor="middle", kind="badge-ink", small=True))
    return shapes


def _now(place: Point, spot: Spot) -> list[Markup]:
    is_right = place.x > _PLOT.right - 50
    beside = Point(place.x + (-13 if is_right else 13), place.y - 8)
    label = text(beside, "now", anchor="end" if is_right else "start", kind="ink strong halo")
    return [diamond(place, 11, "mark-now", f"now: {_said(spot)}"), label]


def _said(spot: Spot) -> str:
    return f"{spot.name}: {_errors(spot)}"


def _errors(spot: Spot) -> str:
    return f"{spot.needless_holds} needless holds, {spot.unsafe_approvals} unsafe approvals"


def _inset(share: float) -> float:
    return _INSET + share * (1 - 2 * _INSET)

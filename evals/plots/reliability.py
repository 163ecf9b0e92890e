"""A reliability diagram: how often votes of each confidence were right, with how many votes stand behind each point."""

from collections.abc import Sequence
from typing import Final

from evals.markup import Markup
from evals.plots.canvas import Frame, Point, box, dot, drawing, grid, line, text, upright
from evals.statistics.calibration import Bin

_SHARES: Final = ((0.0, "0"), (0.25, "0.25"), (0.5, "0.5"), (0.75, "0.75"), (1.0, "1"))
_PLOT: Final = Frame(56, 12, 288, 216)
_COUNTS: Final = Frame(56, 274, 288, 44)


def reliability_plot(key: str, title: str, bins: Sequence[Bin]) -> Markup:
    """Return the diagram of bins that hold votes; points below the diagonal claim more than they keep."""
    shapes = [grid(_PLOT, _SHARES, _SHARES), line(_PLOT.at(0, 0), _PLOT.at(1, 1), "ideal")]
    shapes.append(text(_PLOT.at(0.4, 0.3), "as claimed", kind="muted halo", small=True))
    shapes.append(upright(Point(13, _PLOT.top + _PLOT.height / 2), "share right"))
    shapes.append(
        text(Point(_PLOT.left + _PLOT.width / 2, _PLOT.bottom + 31), "claimed confidence", anchor="middle", kind="axis")
    )
    for each in bins:
        shapes += _point(each)
    shapes += _histogram(bins)
    return drawing(key, title, told(bins), _COUNTS.bottom + 8, *shapes)


def told(bins: Sequence[Bin]) -> str:
    """Return the diagram in words."""
    if not bins:
        return "No labelled votes."
    return " ".join([f"Claimed {float(each.confidence):.2f}: right {each.right.told}." for each in bins])


def _point(each: Bin) -> list[Markup]:
    across, share = float(each.confidence), each.right
    place = _PLOT.at(across, share.estimate)
    said = f"claimed {across:.2f}, right {share.told}"
    low, high = _PLOT.at(across, share.low), _PLOT.at(across, share.high)
    caps = [line(Point(end.x - 4, end.y), Point(end.x + 4, end.y), "whisker") for end in (low, high)]
    return [line(low, high, "whisker"), *caps, dot(place, 4.5, "mark", said)]


def _histogram(bins: Sequence[Bin]) -> list[Markup]:
    """Draw votes per bin below the diagram, on the same axis of confidence."""
    most = max([each.right.n for each in bins], default=1)
    shapes = [line(_COUNTS.at(0, 0), _COUNTS.at(1, 0), "rule")]
    shapes.append(text(Point(_COUNTS.left - 5, _COUNTS.bottom), "votes", anchor="end", kind="muted", small=True))
    for each in bins:
        low, high = _COUNTS.at(each.low / 1000, 0), _COUNTS.at(max(each.high, each.low + 10) / 1000, 0)
        tall = each.right.n / most * (_COUNTS.height - 14)
        bar = Frame(low.x + 1, _COUNTS.bottom - tall, high.x - low.x - 2, tall)
        shapes.append(box(bar, "bar", told=f"{each.right.n} votes"))
        middle = Point(bar.left + bar.width / 2, bar.top - 3)
        shapes.append(text(middle, f"{each.right.n:,}", anchor="middle", kind="muted", small=True))
    return shapes

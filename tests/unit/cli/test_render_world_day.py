"""The tale of a day: axes at round values, times as people tell them, signs that need no colour."""

import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.console import Console

from cli.render_world import FACTION_STYLES
from cli.render_world_council import council_told
from cli.render_world_pipeline import pipeline_told
from cli.render_world_shares import DOWN, SharesChart, clock, grid
from policies.numbers import PPM
from tests.unit.cli.test_cli_world import small_day
from world.demo.tale import DayReport, Heard


def drawn(part: object) -> str:
    console = Console(width=88, highlight=False, markup=False, no_color=True)
    with console.capture() as captured:
        console.print(part)
    return captured.get()


def with_shares(*rows: dict[str, int]) -> DayReport:
    return small_day()._replace(shares=rows, ticks=len(rows) - 1)


@given(st.integers(0, PPM), st.integers(0, PPM))
def test_a_grid_holds_every_value_between_round_lines(one: int, other: int) -> None:
    least, most = sorted((one, other))
    span = grid(least, most)
    assert span.low <= least <= most <= span.high
    assert (span.high - span.low) % 4 == 0
    assert span.high > span.low


@pytest.mark.parametrize(
    ("tick", "told"), [(0, "00:00"), (1, "00:15"), (96, "24:00"), (97, "day 2, 00:15"), (192, "day 2, 24:00")]
)
def test_a_tick_is_a_quarter_of_an_hour(tick: int, told: str) -> None:
    assert clock(tick) == told


def test_lines_are_told_apart_without_colours() -> None:
    """Four factions, four signs; each stands on its line, beside its name and in the figures."""
    names = ("ash", "birch", "cedar", "dogwood")
    row = {name: 100_000 * (place + 1) for place, name in enumerate(names)}
    text = drawn(SharesChart(with_shares(row, row), dict(zip(names, FACTION_STYLES, strict=False))))
    for sign, name in zip("●■◆○", names, strict=True):
        assert text.count(sign) >= 5
        assert text.count(f"{sign} {name}") == 2


def test_the_axis_is_labelled_at_round_values_and_hours() -> None:
    row = {"ash": 270_000, "birch": 200_000}
    lines = drawn(SharesChart(with_shares(*[row] * 97), {"ash": "", "birch": ""})).splitlines()
    assert [line.split("┤")[0].strip() for line in lines if "┤" in line] == ["28 %", "26 %", "24 %", "22 %", "20 %"]
    assert next(line.split() for line in lines if "00:00" in line) == ["00:00", "06:00", "12:00", "18:00", "24:00"]


def test_in_a_narrow_terminal_the_chart_gives_way_and_not_its_names() -> None:
    names = ("ash", "council_of_pillars")
    chart = SharesChart(
        with_shares(*[dict(zip(names, (270_000, 200_000), strict=True))] * 97), dict.fromkeys(names, "")
    )
    console = Console(width=68)
    with console.capture() as captured:
        console.print(chart)
    drawn_lines = captured.get().splitlines()
    plotted = drawn_lines[: next(at for at, line in enumerate(drawn_lines) if "└" in line)]
    assert sum(line.rstrip().endswith("● ash") for line in plotted) == 1
    assert sum(line.rstrip().endswith("council of pillars") for line in plotted) == 1
    assert len(plotted) == DOWN


def test_names_at_the_ends_of_equal_lines_make_way_for_one_another() -> None:
    """At the bottom of the chart there is no room below: they move up."""
    names = ("ash", "birch", "cedar")
    rows = ({**dict.fromkeys(names, 200_000), "dogwood": 400_000},) * 2
    lines = drawn(SharesChart(with_shares(*rows), dict.fromkeys([*names, "dogwood"], ""))).splitlines()
    chart = lines[: next(at for at, line in enumerate(lines) if "└" in line)]
    assert [line.split()[-1] for line in chart if line.split()[-1] in names] == list(names)


def test_a_stop_is_told_in_plain_words_and_a_foreign_rule_in_its_own() -> None:
    known = Heard(
        1, "action:a", "sovereign_action", "A call.", None, "reject", ("canon_lock",), ("canon_lock: broken",), "d-1"
    )
    other = known._replace(reasons=("house_rule: not on Sundays",), rules=("house_rule",))
    text = drawn(council_told(small_day()._replace(heard=(known, other))))
    assert text.count("because it would break the canon of the realm") == 1
    assert "house_rule: not on Sundays" in text


def test_the_totals_of_the_pipeline_add_up() -> None:
    """Of 82 acts two arrived again: 80 were submitted, 60 stand accepted and 20 in quarantine."""
    footer = next(line for line in drawn(pipeline_told(small_day())).splitlines() if "3 accounts" in line)
    submitted, accepted, in_review, quarantined, rejected, worth = map(int, footer.split()[2:])
    assert (submitted, worth) == (80, 180)
    assert submitted == accepted + in_review + quarantined + rejected

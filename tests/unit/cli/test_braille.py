"""Braille lines: known dots."""

from hypothesis import given
from hypothesis import strategies as st

from cli.braille import MARK_EVERY, Span, line_plot, sparkline


def _plain(series: dict[str, list[int]], across: int, down: int) -> list[str]:
    return [row.plain for row in line_plot(series, {}, across=across, down=down)]


def test_a_flat_line_stands_at_the_bottom() -> None:
    """Dots 7 and 8 of a cell are its lowest row: 0x40 + 0x80, U+28C0."""
    assert _plain({"a": [5, 5, 5]}, 2, 1) == ["⣀⣀"]


def test_a_rising_line_climbs_from_the_lowest_dot_to_the_highest() -> None:
    """Four columns of dots over four rows: dot 7 and dot 6 (0x40 + 0x20), then dot 2 and dot 4 (0x02 + 0x08)."""
    assert _plain({"a": [0, 1, 2, 3]}, 2, 1) == [chr(0x2800 + 0x40 + 0x20) + chr(0x2800 + 0x02 + 0x08)]


def test_a_jump_is_filled_in() -> None:
    """From the lowest dot to the highest within one cell: the right column is drawn whole."""
    assert _plain({"a": [0, 9]}, 1, 1) == [chr(0x2800 + 0x40 + 0x08 + 0x10 + 0x20)]


def test_two_lines_share_a_cell_in_which_they_cross() -> None:
    """Left dots 7 and 1 (0x40 + 0x01), where they begin; the right column is drawn by both (0x08 + 0x10 + 0x20 + 0x80)."""
    assert _plain({"a": [0, 3], "b": [3, 0]}, 1, 1) == [chr(0x2800 + 0x40 + 0x01 + 0x08 + 0x10 + 0x20 + 0x80)]


def test_every_line_bears_its_own_sign_and_signs_stand_apart() -> None:
    """Two lines take turns: the first is signed at a quarter of the space between signs, the second at three quarters."""
    rows = line_plot({"a": [1, 1], "b": [0, 0]}, {}, across=2 * MARK_EVERY, down=2, marks={"a": "A", "b": "B"})
    at = {
        sign: [place for place, char in enumerate(row.plain) if char == sign]
        for row, sign in zip(rows, "AB", strict=True)
    }
    first, second = MARK_EVERY // 4, 3 * MARK_EVERY // 4
    assert at == {"A": [first, first + MARK_EVERY], "B": [second, second + MARK_EVERY]}


def test_a_wider_span_leaves_room_above_and_below() -> None:
    """Half of eleven dots up from the lowest is dot 5, in the middle row its third: dots 3 and 6 (0x04 + 0x20)."""
    rows = line_plot({"a": [5, 5]}, {}, across=2, down=3, span=Span(0, 10))
    assert [row.plain.strip() for row in rows] == ["", "⠤⠤", ""]


@given(
    st.dictionaries(st.text(min_size=1), st.lists(st.integers(-(10**6), 10**6), min_size=5, max_size=5), min_size=1),
    st.integers(1, 30),
    st.integers(1, 10),
)
def test_a_plot_fills_its_box_and_nothing_else(series: dict[str, list[int]], across: int, down: int) -> None:
    rows = _plain(series, across, down)
    assert [len(row) for row in rows] == [across] * down
    assert all(char == " " or 0x2800 < ord(char) <= 0x28FF for row in rows for char in row)


def test_sparklines_go_from_the_least_to_the_most() -> None:
    assert sparkline([10, 20, 30, 40], 4) == "▁▃▆█"
    assert sparkline([7], 3) == "▁▁▁"

"""Plots: right shapes for right numbers, told in words, within their paper, and the same bytes every time."""

import re
from itertools import pairwise, product
from xml.etree import ElementTree

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.plots.bars import interval_plot, length_plot
from evals.plots.canvas import WIDTH, number, ticks
from evals.plots.figures import Estimate, Length, Matrix, Spot, TradeOff, matrix_of, pareto
from evals.plots.heatmap import heatmap
from evals.plots.reliability import reliability_plot
from evals.plots.tradeoff import tradeoff_plot
from evals.statistics.calibration import Claim, reliability
from evals.statistics.intervals import wilson
from policies.verdicts import VERDICTS, Verdict

LABELLED: list[tuple[Verdict, Verdict]] = [
    ("reject", "approve"), ("reject", "approve"), ("approve", "approve"), ("modify", "reject"), ("approve", "modify"),
]  # fmt: skip
verdicts = st.sampled_from(VERDICTS)
spots = st.lists(
    st.builds(Spot, st.uuids().map(str), st.integers(0, 30), st.integers(0, 30)),
    max_size=30,
    unique_by=lambda spot: spot.name,
)


def _inside(svg: str) -> None:
    """Every coordinate of every shape lies on the paper."""
    root = ElementTree.fromstring(svg)
    height = float(root.attrib["viewBox"].split()[3])
    for shape in root.iter():
        across = [float(shape.attrib[key]) for key in ("x", "x1", "x2", "cx") if key in shape.attrib]
        down = [float(shape.attrib[key]) for key in ("y", "y1", "y2", "cy") if key in shape.attrib]
        points = [float(at) for at in re.findall(r"-?[\d.]+", shape.attrib.get("points", ""))]
        assert all(0 <= at <= WIDTH for at in (*across, *points[::2])), shape.attrib
        assert all(0 <= at <= height for at in (*down, *points[1::2])), shape.attrib


def test_a_matrix_counts_labels_against_verdicts_and_names_the_dangerous_cells() -> None:
    # Rows are labels in the order approve, modify, reject, quarantine; columns verdicts in the same order.
    matrix = matrix_of(LABELLED)
    assert matrix.counts == ((1, 1, 0, 0), (0, 0, 1, 0), (2, 0, 0, 0), (0, 0, 0, 0))
    assert matrix.n == 5
    assert [matrix.of_kind(kind) for kind in ("right", "unsafe", "needless", "wrong")] == [1, 2, 1, 1]


def test_an_approved_quarantine_is_as_unsafe_as_an_approved_reject_and_a_modified_one_is_not() -> None:
    matrix = matrix_of([])
    kinds = {(row, column): matrix.kind(row, column) for row, column in product(VERDICTS, VERDICTS)}
    assert {pair for pair, kind in kinds.items() if kind == "unsafe"} == {
        ("reject", "approve"),
        ("quarantine", "approve"),
    }
    assert {pair for pair, kind in kinds.items() if kind == "needless"} == {
        ("approve", "reject"), ("approve", "quarantine"), ("modify", "reject"), ("modify", "quarantine"),
    }  # fmt: skip


def test_a_matrix_of_turns_tells_milder_from_stricter() -> None:
    matrix = matrix_of(
        [("reject", "approve"), ("approve", "reject"), ("approve", "quarantine"), ("modify", "modify")], is_turn=True
    )
    assert [matrix.of_kind(kind) for kind in ("milder", "stricter", "same")] == [1, 2, 1]


def test_a_heat_map_says_in_words_what_its_colours_say() -> None:
    svg = heatmap("m", "Labels", matrix_of(LABELLED))
    root = ElementTree.fromstring(svg)
    texts = [each.text for each in root.iter() if each.tag == "text"]
    assert texts.count("unsafe") == 1
    assert texts.count("needless") == 1
    assert root.attrib["role"] == "img"
    assert root.attrib["aria-labelledby"] == "m-title m-told"
    assert "label reject: 2 approve" in (root.findtext("desc") or "")


@given(st.lists(st.tuples(verdicts, verdicts)), st.booleans())
def test_heat_maps_lie_on_their_paper(pairs: list[tuple[Verdict, Verdict]], is_turn: bool) -> None:
    matrix = matrix_of(pairs, is_turn=is_turn)
    _inside(heatmap("m", "Matrix", matrix))
    assert matrix.n == len(pairs)


def test_the_front_holds_what_no_other_beats() -> None:
    # (needless, unsafe): (3, 3) loses to (2, 3); (4, 1) to (4, 0); one of the two at (0, 5) stands for both.
    found = [
        Spot("a", 0, 5),
        Spot("b", 2, 3),
        Spot("c", 3, 3),
        Spot("d", 4, 0),
        Spot("e", 4, 1),
        Spot("f", 0, 5, is_current=True),
    ]
    assert [spot.name for spot in pareto(found)] == ["f", "b", "d"]


@given(spots)
def test_every_policy_is_on_the_front_or_beaten_or_matched_by_one_that_is(found: list[Spot]) -> None:
    front = pareto(found)
    for spot in found:
        assert any(
            best.needless_holds <= spot.needless_holds and best.unsafe_approvals <= spot.unsafe_approvals
            for best in front
        )
    pairs = [(best.needless_holds, best.unsafe_approvals) for best in front]
    assert pairs == sorted(pairs)
    assert [unsafe for _, unsafe in pairs] == sorted({unsafe for _, unsafe in pairs}, reverse=True)


@given(spots)
def test_trade_offs_lie_on_their_paper(found: list[Spot]) -> None:
    _inside(tradeoff_plot("t", "Trade-off", TradeOff(tuple(found), 100)))


def test_the_policy_as_it_is_differs_in_shape_and_is_named() -> None:
    svg = tradeoff_plot("t", "Trade-off", TradeOff((Spot("as it is", 4, 4, is_current=True), Spot("other", 1, 1)), 20))
    root = ElementTree.fromstring(svg)
    assert [each.attrib["class"] for each in root.iter("polygon")] == ["mark-now"]
    assert "now" in [each.text for each in root.iter("text")]
    assert "the current policy has 4 needless holds, 4 unsafe approvals" in (root.findtext("desc") or "")


@given(st.lists(st.builds(Claim, st.integers(0, 1000), st.booleans()), max_size=60))
def test_reliability_diagrams_lie_on_their_paper(claims: list[Claim]) -> None:
    svg = reliability_plot("r", "Reliability", reliability(claims))
    _inside(svg)
    root = ElementTree.fromstring(svg)
    votes = [
        int((each.findtext("title") or "").split()[0]) for each in root.iter("rect") if each.attrib["class"] == "bar"
    ]
    assert sum(votes) == len(claims)


@given(st.lists(st.tuples(st.text(max_size=40), st.integers(0, 9), st.integers(0, 9)), max_size=8))
def test_interval_plots_lie_on_their_paper(rows: list[tuple[str, int, int]]) -> None:
    _inside(interval_plot("i", "Members", [Estimate(name, wilson(min(right, n), n)) for name, right, n in rows]))


def test_a_member_without_labels_is_drawn_as_one_without_numbers() -> None:
    svg = interval_plot("i", "Members", [Estimate("lore", None)])
    assert "lore: nothing to measure." in (ElementTree.fromstring(svg).findtext("desc") or "")
    assert "<circle" not in svg


def test_the_longest_bar_fills_its_row_and_the_others_in_proportion() -> None:
    root = ElementTree.fromstring(
        length_plot("l", "Latency", [Length("p50", 50, "50 ms"), Length("p95", 200, "200 ms")])
    )
    wide = [float(each.attrib["width"]) for each in root.iter("rect") if each.attrib["class"] == "bar"]
    track = float(next(each.attrib["width"] for each in root.iter("rect") if each.attrib["class"] == "track"))
    assert wide == [pytest.approx(track / 4, abs=0.01), pytest.approx(track, abs=0.01)]


@given(st.integers(0, 10**7))
def test_ticks_are_few_whole_and_reach_the_top(top: int) -> None:
    found = ticks(top)
    assert found[0] == 0
    assert found[-1] >= top
    assert 2 <= len(found) <= 7
    assert len({after - before for before, after in pairwise(found)}) == 1


def test_numbers_are_written_short_and_alike_everywhere() -> None:
    assert [number(value) for value in (0, -0.001, 1.0, 2.504, -3.25)] == ["0", "0", "1", "2.5", "-3.25"]


def test_the_same_numbers_give_the_same_bytes() -> None:
    matrix = Matrix("label", "verdict", ((1, 0, 0, 0), (0, 2, 0, 0), (0, 0, 3, 0), (0, 0, 0, 4)))
    assert heatmap("m", "Matrix", matrix) == heatmap("m", "Matrix", matrix)

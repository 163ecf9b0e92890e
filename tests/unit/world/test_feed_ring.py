"""The ring holds the latest of a gapless sequence."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from world.feed.frames import Frame
from world.feed.ring import Ring


def frames(first: int, count: int) -> list[Frame]:
    return [Frame(number, None, False, b"", "") for number in range(first, first + count)]


@given(st.integers(1, 8), st.integers(0, 5), st.lists(st.integers(0, 5), max_size=10), st.integers(1, 9))
def test_everything_behind_a_place_that_is_held_comes_in_order(
    size: int, start: int, adds: list[int], most: int
) -> None:
    ring = Ring(size, start)
    for count in adds:
        ring.add(frames(ring.last + 1, count))

    assert ring.last == start + sum(adds)
    assert ring.behind == max(start, ring.last - size)
    for cursor in range(ring.behind, ring.last + 1):
        found = [frame.sequence for frame in ring.after(cursor, most)]
        assert found == list(range(cursor + 1, min(ring.last, cursor + most) + 1))
    assert not ring.holds(ring.behind - 1)


def test_a_gap_is_never_taken_in() -> None:
    ring = Ring(4, 0)

    with pytest.raises(AssertionError):
        ring.add(frames(2, 1))

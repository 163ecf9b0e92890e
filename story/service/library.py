"""What stories are made of, read once per process: pools and storylets."""

from typing import NamedTuple

from story.planner.pools import Pools, load_pools
from story.planner.storylets import Storylets
from story.planner.storylets_document import load_storylets


class Library(NamedTuple):
    """The files of `story/data`, read."""

    pools: Pools
    storylets: Storylets


def open_library() -> Library:
    """Read the shipped files."""
    return Library(load_pools(), load_storylets())

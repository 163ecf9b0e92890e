"""From a database URL to the story ledger: the URLs are the world's, whose database it shares."""

from typing import TYPE_CHECKING

from story.ledger.port import StoryStore
from world.persistence.opening import Tables, engine_url

if TYPE_CHECKING:
    import sqlalchemy as sa


def open_story_store(url: str, *, create: bool = True) -> StoryStore:
    """Open the story ledger that a URL names; PostgreSQL gets its tables by `council migrate`.

    Args:
        create: make a SQLite file that is missing; without it a missing file is refused.

    Raises:
        StoreConfigError: for a URL that cannot be used; the URL, which may hold a password, is not repeated.
        StoreUnavailableError: for a SQLite file that cannot be opened now.
    """
    # The table that came last: where it is, all are.
    address = engine_url(url, Tables("story_spending", _make), create=create)
    if address is None:
        from story.ledger.memory import MemoryStoryStore  # noqa: PLC0415 - each adapter when it is chosen

        return MemoryStoryStore()
    from story.ledger.sql import SqlStoryStore  # noqa: PLC0415

    return SqlStoryStore(address)


def _make(connection: "sa.Connection") -> None:
    from story.ledger.sql_tables import create_story  # noqa: PLC0415

    create_story(connection)

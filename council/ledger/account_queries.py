"""The statements that add up spending, shared by SQLite and PostgreSQL, and how their rows become values."""

from collections.abc import Iterable, Sequence
from typing import Any, Final

from council.ledger.accounts import Decided, Spend, SpendLine
from council.ledger.port import NewRecord
from council.ledger.reading import Placeholder, Query

_PLACE = ("decision_id", "realm_id", "recorded_at", "decision_type")
SPEND_COLUMNS: Final = (*_PLACE, *Spend._fields)
_GROUP = "realm_id, decision_type, member, model"
_SUMS = ", ".join(f"SUM({name})" for name in SpendLine._fields[5:])
# A decision has one row per member and model (the table's key), so within a group rows are decisions.
_SPENDING = f"SELECT {_GROUP}, COUNT(*), {_SUMS} FROM spend"
_SPENT = "SELECT realm_id, SUM(picodollars) FROM spend"
_DAY = "substr(recorded_at, 1, 10)"
_BY_DAY = f"SELECT {_DAY}, SUM(picodollars) FROM spend"
_DECIDED = "SELECT realm_id, decision_type, path, COUNT(*) FROM records"


def spend_rows(news: Iterable[NewRecord]) -> list[tuple[Any, ...]]:
    """Return the rows of SPEND_COLUMNS that records leave."""
    return [
        (new.decision_id, new.realm_id, new.recorded_at, new.decision_type, *spend)
        for new in news
        for spend in new.spend
    ]


def spending_query(since: str, until: str, realm_id: str | None, placeholder: Placeholder) -> Query:
    """Return the query whose rows `spend_lines` reads."""
    return _over(_SPENDING, _GROUP, since, until, realm_id, placeholder)


def spent_query(since: str, until: str, placeholder: Placeholder) -> Query:
    """Return the query of picodollars by realm; `amounts` reads its rows."""
    return _over(_SPENT, "realm_id", since, until, None, placeholder)


def by_day_query(since: str, until: str, realm_id: str | None, placeholder: Placeholder) -> Query:
    """Return the query of picodollars by day; `amounts` reads its rows."""
    return _over(_BY_DAY, _DAY, since, until, realm_id, placeholder)


def decided_query(since: str, until: str, realm_id: str | None, placeholder: Placeholder) -> Query:
    """Return the query of decisions by realm, type and path: answered from the index of listings alone."""
    return _over(_DECIDED, "realm_id, decision_type, path", since, until, realm_id, placeholder)


def spend_lines(rows: Iterable[Sequence[Any]]) -> tuple[SpendLine, ...]:
    """Return the lines in the rows of `spending_query`, sorted here so that every database gives one order."""
    # PostgreSQL adds 64-bit integers up to decimals.
    return tuple(sorted([SpendLine(*row[:4], *map(int, row[4:])) for row in rows]))


def amounts(rows: Iterable[Sequence[Any]]) -> dict[str, int]:
    """Return the amounts in rows of name and sum, in order of the names."""
    return {row[0]: int(row[1]) for row in sorted(rows, key=lambda row: str(row[0]))}


def decided_counts(rows: Iterable[Sequence[Any]]) -> tuple[Decided, ...]:
    """Return the counts in the rows of `decided_query`, sorted as the lines of spending are."""
    return tuple(sorted([Decided(*row) for row in rows]))


def _over(select: str, group: str, since: str, until: str, realm_id: str | None, placeholder: Placeholder) -> Query:
    where = f"recorded_at >= {placeholder(1)} AND recorded_at < {placeholder(2)}"
    values = [since, until]
    if realm_id is not None:
        where += f" AND realm_id = {placeholder(3)}"
        values.append(realm_id)
    return Query(f"{select} WHERE {where} GROUP BY {group}", values)

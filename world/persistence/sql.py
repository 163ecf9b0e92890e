"""The world's store in SQLite or PostgreSQL: the same statements over both."""

from collections.abc import AsyncIterator, Mapping, Sequence
from functools import partial

from world.errors import StoreUnavailableError
from world.influence.judging import State
from world.persistence import sql_ledger, sql_messages, sql_realms, sql_steps, sql_told, sql_totals
from world.persistence.acts import Asked, Judge, Known, LedgerRow, NewRow, Totals, Transition
from world.persistence.contributions import Contributions
from world.persistence.messages import Event, NewQuestion, OutboxRow, Question, QuestionState
from world.persistence.port import MAX_PAGE, TIDY, Advance, Lease, Snapshot
from world.persistence.sql_engine import Database, Sql
from world.persistence.sql_known import known, take_in
from world.persistence.sql_schema import VERSION

_LAST_TICK = 2**62


class SqlStore:
    """A `WorldStore` in one database, for one event loop.

    Args:
        url: SQLAlchemy's URL of a database that has the world's tables.
    """

    def __init__(self, url: str) -> None:
        self._database = Database(url)

    async def create(self, snapshot: Snapshot) -> bool:
        return await self._database.write(lambda sql: sql_realms.create(sql, snapshot))

    async def realms(self) -> tuple[str, ...]:
        return await self._database.read(sql_realms.realms)

    async def latest(self, realm_id: str) -> Snapshot:
        return await self._database.read(lambda sql: sql_realms.latest(sql, realm_id))

    async def snapshot(self, realm_id: str, snapshot_id: str) -> Snapshot | None:
        return await self._database.read(lambda sql: sql_realms.snapshot(sql, realm_id, snapshot_id))

    async def snapshots(self, realm_id: str, first: int = 0, last: int | None = None) -> AsyncIterator[Snapshot]:
        await self._database.read(lambda sql: sql_realms.check_realm(sql, realm_id))
        end = _LAST_TICK if last is None else last
        behind: Snapshot | None = None
        while page := await self._database.read(partial(_page, realm_id, first, end, behind)):
            for behind in page:
                yield behind

    async def known(self, realm_id: str, asked: Sequence[Asked], *, since: int, tick: int) -> tuple[Known, ...]:
        return await self._database.read(lambda sql: known(sql, realm_id, asked, since=since, tick=tick))

    async def take_in(
        self, realm_id: str, asked: Sequence[Asked], judge: Judge, *, since: int, tick: int
    ) -> tuple[LedgerRow, ...]:
        return await self._database.write(lambda sql: take_in(sql, realm_id, asked, judge, since=since, tick=tick))

    async def submit(self, rows: Sequence[NewRow], questions: Mapping[str, NewQuestion]) -> tuple[LedgerRow, ...]:
        return await self._database.write(lambda sql: sql_ledger.submit(sql, rows, questions))

    async def row(self, realm_id: str, event_id: str) -> LedgerRow | None:
        return await self._database.read(lambda sql: sql_ledger.row(sql, realm_id, event_id))

    async def rows(
        self,
        realm_id: str,
        *,
        state: State | None = None,
        user_id: str | None = None,
        after: int = 0,
        since_tick: int = 0,
        limit: int = 100,
    ) -> tuple[LedgerRow, ...]:
        return await self._database.read(
            lambda sql: sql_ledger.rows(
                sql, realm_id, state=state, user_id=user_id, after=after, since_tick=since_tick, limit=limit
            )
        )

    async def move(self, realm_id: str, transitions: Sequence[Transition], now: int) -> None:
        async def work(sql: Sql) -> None:
            counts = await sql_realms.locked(sql, realm_id)
            moved = await sql_ledger.move(sql, realm_id, counts, transitions, now)
            await sql_realms.keep_counts(sql, realm_id, moved)

        await self._database.write(work)

    async def totals(self, realm_id: str) -> Totals:
        consumed, counted = await self._database.write(lambda sql: sql_totals.close(sql, realm_id))
        # Nothing is added to a closed bucket, so it is read outside of the lock and acts come in meanwhile.
        return await self._database.read(lambda sql: sql_totals.totals(sql, realm_id, consumed, counted))

    async def taken(self, realm_id: str, after: int, upto: int) -> Totals:
        return await self._database.read(lambda sql: sql_totals.totals(sql, realm_id, after, upto))

    async def traces(self, realm_id: str, after: int, upto: int) -> Mapping[str, str]:
        return await self._database.read(lambda sql: sql_totals.traces(sql, realm_id, after, upto))

    async def recount(self, realm_id: str, *, after: int | None = None, upto: int | None = None) -> Totals:
        return await self._database.read(lambda sql: sql_totals.recount(sql, realm_id, after, upto))

    async def take_lease(self, realm_id: str, holder: str, *, now: int, ttl_ms: int) -> Lease | None:
        return await self._database.write(lambda sql: sql_realms.take_lease(sql, realm_id, holder, now, ttl_ms))

    async def give_lease(self, lease: Lease) -> None:
        await self._database.write(lambda sql: sql_realms.give_lease(sql, lease))

    async def advance(self, step: Advance, lease: Lease | None, now: int) -> None:
        await self._database.write(lambda sql: sql_steps.advance(sql, step, lease, now))

    async def tell(self, realm_id: str, tick_number: int, told: Contributions, now: int) -> bool:
        return await self._database.write(lambda sql: sql_told.tell(sql, realm_id, tick_number, told, now))

    async def told(self, realm_id: str) -> int:
        return await self._database.read(lambda sql: sql_told.told_tick(sql, realm_id))

    async def applied(self, decision_id: str) -> Snapshot | None:
        return await self._database.read(lambda sql: sql_steps.applied(sql, decision_id))

    async def ask(self, realm_id: str, question: NewQuestion, tick: int) -> Question:
        async def work(sql: Sql) -> Question:
            await sql_realms.check_realm(sql, realm_id)
            await sql_messages.raise_questions(sql, realm_id, [(question, tick)])
            raised = await sql_messages.question(sql, question.question_id)
            assert raised is not None
            return raised

        return await self._database.write(work)

    async def questions(
        self, realm_id: str | None = None, state: QuestionState | None = None, limit: int = 100
    ) -> tuple[Question, ...]:
        return await self._database.read(lambda sql: sql_messages.questions(sql, realm_id, state, limit))

    async def question(self, question_id: str) -> Question | None:
        return await self._database.read(lambda sql: sql_messages.question(sql, question_id))

    async def answer(
        self, question_id: str, state: QuestionState, answer: bytes | None, decision_id: str | None
    ) -> None:
        await self._database.write(lambda sql: sql_messages.answer(sql, question_id, state, answer, decision_id))

    async def events(
        self, realm_id: str, after: int = 0, limit: int = MAX_PAGE, user_id: str | None = None
    ) -> tuple[Event, ...]:
        return await self._database.read(lambda sql: sql_messages.events(sql, realm_id, after, limit, user_id))

    async def all_events(self, realm_id: str, after: int = 0, limit: int = MAX_PAGE) -> tuple[Event, ...]:
        return await self._database.read(lambda sql: sql_messages.all_events(sql, realm_id, after, limit))

    async def latest_events(self, realm_id: str, kind: str, limit: int = 10) -> tuple[Event, ...]:
        return await self._database.read(lambda sql: sql_messages.latest_events(sql, realm_id, kind, limit))

    async def public_verdicts(self, realm_id: str, limit: int) -> tuple[Event, ...]:
        return await self._database.read(lambda sql: sql_messages.public_verdicts(sql, realm_id, limit))

    async def last_sequence(self, realm_id: str) -> int:
        return await self._database.read(lambda sql: sql_messages.last_sequence(sql, realm_id))

    async def contribution(self, realm_id: str, user_id: str) -> Mapping[str, Mapping[str, int]]:
        return await self._database.read(lambda sql: sql_ledger.contribution(sql, realm_id, user_id))

    async def pending(self, limit: int = 100) -> tuple[OutboxRow, ...]:
        return await self._database.read(lambda sql: sql_messages.pending(sql, limit))

    async def mark_published(self, numbers: Sequence[int], now: int) -> None:
        await self._database.write(lambda sql: sql_messages.mark_published(sql, numbers, now))

    async def published(self, since: int, *, after: int = 0, limit: int = 100) -> tuple[OutboxRow, ...]:
        return await self._database.read(lambda sql: sql_messages.published(sql, since, after, limit))

    async def tidy(self, limit: int = TIDY) -> int:
        async def work(realm_id: str, sql: Sql) -> int:
            return await sql_totals.tidy(sql, realm_id, limit)

        return sum([await self._database.write(partial(work, realm_id)) for realm_id in await self.realms()])

    async def ready(self) -> None:
        row = await self._database.read(lambda sql: sql.row("SELECT version FROM world_schema"))
        if row is None or row[0] != VERSION:
            found = row[0] if row is not None else "empty"
            raise StoreUnavailableError(f"its world is of schema {found}, this program writes {VERSION}")

    async def close(self) -> None:
        await self._database.close()


async def _page(realm_id: str, first: int, last: int, behind: Snapshot | None, sql: Sql) -> Sequence[Snapshot]:
    return await sql_realms.page(sql, realm_id, first, last, behind)

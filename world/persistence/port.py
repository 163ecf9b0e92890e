"""The world's store: influence ledger, snapshots, events, questions to the council, leases, outbox. One port.

Everything that belongs together is written in one transaction: a tick is its snapshot, its events, its questions, its outbox rows
and the totals it consumed, or nothing (reliability.md, S11). What it tells each account comes behind it in one of its own
(`tell`), so that nobody waits for the world while thousands are told. Rows of the ledger are never changed: what becomes of one
later is a transition of its own (register rows S0-21, K17). `memory`, and `sql` over SQLite and PostgreSQL, pass one contract
suite.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from world.influence.judging import State
from world.persistence.acts import Asked, Judge, Known, LedgerRow, NewRow, Totals, Transition
from world.persistence.contributions import Contributions
from world.persistence.messages import Event, NewEvent, NewQuestion, OutboxRow, Question, QuestionState

MAX_PAGE: Final = 500
DAY_TICKS: Final = 96
"""Ticks of a day: what caps and repeats look back on."""
TIDY: Final = 2_000
"""Most rows of a table that are let go at once: a transaction of some milliseconds."""
RECENT: Final = 200
"""Most acts that are looked at for odd patterns around one."""


class Snapshot(NamedTuple):
    """One stored state of a realm."""

    realm_id: str
    tick_number: int
    revision: int
    snapshot_id: str
    hash: str
    previous: str
    state: bytes
    """Canonical JSON (`world.realm.state.state_bytes`)."""
    result: bytes
    """JSON of what made it: a tick's `world_tick_result`, or {"decision_id": …}."""
    made_at: int
    """Milliseconds since 1970."""


class Advance(NamedTuple):
    """Everything that one step of a realm writes, in one transaction."""

    realm_id: str
    expected: str
    """Snapshot id that it builds on: compare and set."""
    snapshot: Snapshot
    events: tuple[NewEvent, ...] = ()
    questions: tuple[NewQuestion, ...] = ()
    transitions: tuple[Transition, ...] = ()
    consumed: int | None = None
    """Watermark of the totals that a tick took; None for a decision."""
    applied: str | None = None
    """Question whose verdict this applies."""
    decision_id: str | None = None
    """Decision that this applies: unique for ever."""
    expired: tuple[str, ...] = ()
    """Questions that nobody answered in time; one that was applied meanwhile stays so."""


class Lease(NamedTuple):
    """The right to tick a realm for a while."""

    realm_id: str
    holder: str
    token: int
    """Fencing token: rises with every new holder, and is checked inside the write transaction."""
    until: int
    """Milliseconds since 1970."""


class WorldStore(Protocol):
    """The store. Every method is one transaction; times are milliseconds since 1970 and handed in."""

    async def create(self, snapshot: Snapshot) -> bool:
        """Keep the first snapshot of a realm; False where the realm exists."""
        ...

    async def realms(self) -> tuple[str, ...]:
        """Return the realms, sorted."""
        ...

    async def latest(self, realm_id: str) -> Snapshot:
        """Return the latest snapshot.

        Raises:
            UnknownRealmError: where there is no such realm.
        """
        ...

    async def snapshot(self, realm_id: str, snapshot_id: str) -> Snapshot | None:
        """Return one snapshot."""
        ...

    def snapshots(self, realm_id: str, first: int = 0, last: int | None = None) -> AsyncIterator[Snapshot]:
        """Stream snapshots of a range of ticks, both ends included, in order of the chain."""
        ...

    async def known(self, realm_id: str, asked: Sequence[Asked], *, since: int, tick: int) -> tuple[Known, ...]:
        """Return what the ledger knows around each of several acts.

        Args:
            since: start of the 24 hours that count as recent, milliseconds.
            tick: the running tick; a day is the 96 ticks up to it.
        """
        ...

    async def take_in(
        self, realm_id: str, asked: Sequence[Asked], judge: Judge, *, since: int, tick: int
    ) -> tuple[LedgerRow, ...]:
        """Enter acts of one realm as `submit` does, judged by what `known` says at the moment in which they are entered.

        Nobody else enters acts of the realm between the two, whichever process: a cap cannot be overrun by acts that come
        in at the same time (domain.md C1).
        """
        ...

    async def submit(self, rows: Sequence[NewRow], questions: Mapping[str, NewQuestion]) -> tuple[LedgerRow, ...]:
        """Enter judged acts, keep the totals, ask what is in review, put messages into the outbox.

        An event id that is in the ledger already leaves its first row, which is returned.

        Args:
            questions: per event id of a row in review, what the council is asked.
        """
        ...

    async def row(self, realm_id: str, event_id: str) -> LedgerRow | None:
        """Return one act."""
        ...

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
        """Return acts in order of arrival; `since_tick` leaves out those that came in earlier ticks."""
        ...

    async def move(self, realm_id: str, transitions: Sequence[Transition], now: int) -> None:
        """Write transitions of rows outside of a step: releases by hand, expiries."""
        ...

    async def totals(self, realm_id: str) -> Totals:
        """Return what counts in the next tick."""
        ...

    async def recount(self, realm_id: str, *, after: int | None = None, upto: int | None = None) -> Totals:
        """Return the same from the ledger itself: the audit that the totals are right, and what a replay counts.

        Args:
            after: count behind which rows are taken; None: what no tick has taken yet.
            upto: last count that is taken; None: all. Links between accounts are those of the rows taken.
        """
        ...

    async def taken(self, realm_id: str, after: int, upto: int) -> Totals:
        """Return what the latest tick took, or what the next one takes; of earlier ticks nothing may be left.

        Args:
            after: watermark of the tick before.
            upto: watermark of the tick.
        """
        ...

    async def traces(self, realm_id: str, after: int, upto: int) -> Mapping[str, str]:
        """Return the correlation id of each account's newest act among those that a tick counts (S0-95).

        Accounts none of whose acts carries an id are left out. For the latest tick and the next, as `taken`.

        Args:
            after: watermark of the tick before.
            upto: watermark of the tick.
        """
        ...

    async def take_lease(self, realm_id: str, holder: str, *, now: int, ttl_ms: int) -> Lease | None:
        """Take or renew the right to tick a realm; None while another holds it."""
        ...

    async def give_lease(self, lease: Lease) -> None:
        """Give it back."""
        ...

    async def advance(self, step: Advance, lease: Lease | None, now: int) -> None:
        """Write one step of a realm, whole or not at all.

        Args:
            lease: for a tick; a decision needs none, the compare-and-set is enough.

        Raises:
            LeaseLostError: where the lease's token is no longer the newest.
            MovedOnError: where the latest snapshot is not `expected`.
        """
        ...

    async def tell(self, realm_id: str, tick_number: int, told: Contributions, now: int) -> bool:
        """Write what a tick tells each account that took part, behind what has happened: events for those accounts alone.

        Whole or not at all, and once: False where this tick or a later one has told already.
        """
        ...

    async def told(self, realm_id: str) -> int:
        """Return the number of the newest tick that told anybody; 0 before the first."""
        ...

    async def applied(self, decision_id: str) -> Snapshot | None:
        """Return the snapshot that a decision made; None where it was not applied."""
        ...

    async def ask(self, realm_id: str, question: NewQuestion, tick: int) -> Question:
        """Raise a question outside of a step; one that is known is returned as it is."""
        ...

    async def questions(
        self, realm_id: str | None = None, state: QuestionState | None = None, limit: int = 100
    ) -> tuple[Question, ...]:
        """Return questions, oldest first."""
        ...

    async def question(self, question_id: str) -> Question | None:
        """Return one question."""
        ...

    async def answer(
        self, question_id: str, state: QuestionState, answer: bytes | None, decision_id: str | None
    ) -> None:
        """Write what became of a question; one that is applied or expired stays so, whoever was still asking about it."""
        ...

    async def events(
        self, realm_id: str, after: int = 0, limit: int = MAX_PAGE, user_id: str | None = None
    ) -> tuple[Event, ...]:
        """Return events behind a sequence: those for everybody, and those for one user where it is named."""
        ...

    async def all_events(self, realm_id: str, after: int = 0, limit: int = MAX_PAGE) -> tuple[Event, ...]:
        """Return every event behind a sequence, personal ones too: for the feed, which sorts them out by reader."""
        ...

    async def latest_events(self, realm_id: str, kind: str, limit: int = 10) -> tuple[Event, ...]:
        """Return the newest events of one kind that are for everybody, newest first."""
        ...

    async def public_verdicts(self, realm_id: str, limit: int) -> tuple[Event, ...]:
        """Return the newest verdicts that everybody may read, newest first, however many over single acts came since."""
        ...

    async def last_sequence(self, realm_id: str) -> int:
        """Return the newest event's sequence; 0 before the first."""
        ...

    async def contribution(self, realm_id: str, user_id: str) -> Mapping[str, Mapping[str, int]]:
        """Return what one account's accepted acts came to: milli-points by faction and territory ("" for none)."""
        ...

    async def pending(self, limit: int = 100) -> tuple[OutboxRow, ...]:
        """Return the oldest messages not yet published; all messages of one number come together, also past the limit."""
        ...

    async def mark_published(self, numbers: Sequence[int], now: int) -> None:
        """Mark messages as published."""
        ...

    async def published(self, since: int, *, after: int = 0, limit: int = 100) -> tuple[OutboxRow, ...]:
        """Return messages that were marked as published at or after a time, in order of their numbers.

        All messages of one number come together, also past the limit.

        Args:
            since: milliseconds since 1970.
            after: number behind which they are taken.
        """
        ...

    async def tidy(self, limit: int = TIDY) -> int:
        """Let go of what no tick and no cap looks back on any more, at most so many rows of a table; return how many went.

        The ledger can tell them again. Of tallies one tick more than a day stays, for acts that are judged while a tick
        ends; of totals what the latest tick took, until the next has been run: its tellings may not be written yet.
        """
        ...

    async def ready(self) -> None:
        """Ask the database for one row.

        Raises:
            StoreUnavailableError: where it does not answer, or its schema is not the one this code writes.
        """
        ...

    async def close(self) -> None:
        """Let the database go."""
        ...

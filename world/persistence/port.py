"""The world's store: influence ledger, snapshots, events, questions to the council, leases, outbox. One port.

Everything that belongs together is written in one transaction: a tick is its snapshot, its events, its questions, its outbox rows
and the totals it consumed, or nothing (reliability.md, S11). Rows of the ledger are never changed: what becomes of one later is
a transition of its own (register rows S0-21, K17). `memory`, and `sql` over SQLite and PostgreSQL, pass one contract suite.
"""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Final, Literal, NamedTuple, Protocol

from policies.contracts.request import ImpactCandidate
from world.influence.judging import Judged, State
from world.influence.recent import Recent
from world.influence.scoring import Score
from world.persistence.contributions import NOTHING, Contributions

MAX_PAGE: Final = 500
DAY_TICKS: Final = 96
"""Ticks of a day: what caps and repeats look back on."""
TIDY: Final = 2_000
"""Most tallies that are let go at once: a transaction of some milliseconds."""
RECENT: Final = 200
"""Most acts that are looked at for odd patterns around one."""
Role = Literal["public", "user"]


class NewRow(NamedTuple):
    """One judged act about to enter the ledger."""

    realm_id: str
    event_id: str
    candidate: bytes
    """Canonical JSON of the `impact_candidate` as it came."""
    user_id: str
    device_id: str | None
    session_id: str | None
    faction_id: str | None
    action_type: str
    source: str
    judged: Judged
    created_at: int
    """Milliseconds since 1970, as the act says."""
    received_at: int
    tick: int
    """Tick during which it came: its caps are counted in it."""
    correlation_id: str | None
    relic_id: str | None = None
    """The relic that it claims, where it does."""


class LedgerRow(NamedTuple):
    """One act in the ledger, with what became of it since."""

    realm_id: str
    sequence: int
    """Place in the realm's ledger, from 1, rising; order of arrival."""
    event_id: str
    candidate: bytes
    user_id: str
    faction_id: str | None
    territory_id: str | None
    action_type: str
    is_against: bool
    state: State
    """The latest: of the row itself, or of its last transition."""
    score: Score | None
    anomaly: int
    terms: Mapping[str, object]
    because: str
    """Why it was rejected, held or released; empty where it was accepted at once."""
    received_at: int
    tick: int
    counted_at: int | None
    """Sequence of the count in which it became accepted (`Totals.watermark`); None where it does not count."""
    correlation_id: str | None


class Asked(NamedTuple):
    """An act that the ledger is asked about."""

    candidate: ImpactCandidate
    source: str
    """The group whose daily cap it counts against; empty where the catalogue does not know its type."""


class Known(NamedTuple):
    """What the ledger knows around one act; the store's part of `judging.Surroundings`."""

    row: LedgerRow | None
    """The row of the same event id."""
    recent: tuple[Recent, ...]
    """Of the same account, device or session, received within the window, oldest first, at most 200."""
    repeats: int
    user_day: int
    source_day: int
    faction_tick: int
    first_seen: int | None
    """Milliseconds since 1970 of the account's first act in the realm."""


class Totals(NamedTuple):
    """What counts in the next tick: sums kept as rows become accepted."""

    watermark: int
    """Highest count that is in them."""
    gained: Mapping[str, Mapping[str, Mapping[str, int]]]
    """Milli-points by territory ("" for none), faction and account."""
    opposed: Mapping[str, Mapping[str, Mapping[str, int]]]
    clusters: Mapping[str, str]
    """Per account that shares a device or a session with another, what stands for all of them."""
    relics: Mapping[str, frozenset[str]]
    """Factions that claimed each relic."""


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


class NewEvent(NamedTuple):
    """One thing that happened, for the feed."""

    kind: str
    """Such as tick, territory_changed, conflict_began, trigger_fired, decision_applied, contributed."""
    payload: bytes
    """JSON."""
    user_id: str | None = None
    """Whom alone it is for; None: everybody in the realm."""
    correlation_id: str | None = None


class Event(NamedTuple):
    """An event in a realm's durable sequence."""

    realm_id: str
    sequence: int
    """From 1 without gaps."""
    tick_number: int
    kind: str
    payload: bytes
    user_id: str | None
    made_at: int
    correlation_id: str | None


QuestionState = Literal["open", "asked", "answered", "applied", "expired"]
"""open: to be asked; asked: under way; answered: its verdict waits to be applied; applied; expired: too old."""


class NewQuestion(NamedTuple):
    """A question to the council, in the same transaction as what raised it."""

    question_id: str
    """Also the idempotency key under which the council is asked."""
    subject: str
    """What it is about: trigger:age_of_iron, event:<event id>, action:<sovereign action id>."""
    request: bytes
    """JSON of the `DecisionRequest`."""
    correlation_id: str | None = None


class Question(NamedTuple):
    """A question and what became of it."""

    realm_id: str
    question_id: str
    subject: str
    request: bytes
    state: QuestionState
    tick_number: int
    """Tick in which it was raised."""
    answer: bytes | None
    decision_id: str | None
    correlation_id: str | None


class Transition(NamedTuple):
    """What becomes of a row that was in review or in quarantine (K17).

    A row that is accepted stays so, for its points may have been counted: such a transition is left out.
    """

    sequence: int
    state: State
    because: str
    points: int | None = None
    """Milli-points that count instead, where a verdict modified them."""
    expected: State | None = None
    """State that the row must be in; in another one it stays as it is, without an error. None: whatever it is."""


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
    told: Contributions = NOTHING
    """What the tick tells each account that took part, behind `events`: every telling is an event for that account alone."""
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


class OutboxRow(NamedTuple):
    """A message that waits for the bus, in order of its number."""

    number: int
    realm_id: str
    topic: str
    key: str
    payload: bytes
    correlation_id: str | None
    part: int = 0
    """Place among the messages of one number, from 0: tellings of one page are marked together."""


class Judgement(NamedTuple):
    """What a batch of acts was judged to be."""

    rows: Sequence[NewRow]
    questions: Mapping[str, NewQuestion]
    """Per event id of a row in review, what the council is asked."""


Judge = Callable[[Sequence[Known]], Judgement]
"""Judges a batch by what the ledger knows around each act, in order. Pure: a transaction that is run again asks it again."""


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

    async def traces(self, realm_id: str, watermark: int) -> Mapping[str, str]:
        """Return the correlation id of each account's newest act among those that the next tick counts (S0-95).

        Args:
            watermark: of the totals that the tick takes; accounts none of whose acts carries an id are left out.
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
        """Let go of tallies that no cap looks back on any more, at most so many of a realm; return how many went.

        The ledger can tell them again. One tick more than a day stays, for acts that are judged while a tick ends.
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

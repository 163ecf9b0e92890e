"""Acts as the store takes them in and returns them: rows of the ledger, what is known around them, what becomes of them."""

from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

from policies.contracts.request import ImpactCandidate
from world.influence.judging import Judged, State
from world.influence.recent import Recent
from world.influence.scoring import Score
from world.persistence.messages import NewQuestion


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


class Judgement(NamedTuple):
    """What a batch of acts was judged to be."""

    rows: Sequence[NewRow]
    questions: Mapping[str, NewQuestion]
    """Per event id of a row in review, what the council is asked."""


Judge = Callable[[Sequence[Known]], Judgement]
"""Judges a batch by what the ledger knows around each act, in order. Pure: a transaction that is run again asks it again."""


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

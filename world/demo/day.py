"""A day in a realm, played whole: people act, the pipeline judges, the realm ticks, the council is asked, its verdicts take hold.

Everything goes through the services that a live realm uses; only the clock is turned by hand. The council is whatever the
`ReviewClient` leads to. Same seed, same world, same council: the same day, to the last hash.
"""

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Any, Final, NamedTuple

import orjson

from policies.contracts.answer import Answer
from policies.draws import Draws
from world.demo.deeds import TICK_MS, Place, Sent, arrival_of, deeds_of, in_order
from world.demo.leaders import WISHES, Wish, leader_of
from world.demo.players import Player, players_of
from world.demo.tale import Chronicle, DayReport, Heard, Tally, recaps_of
from world.influence.judging import State
from world.persistence.acts import LedgerRow
from world.persistence.port import MAX_PAGE, WorldStore
from world.realm.rules_document import World
from world.realm.shares import realm_shares
from world.review.port import ReviewClient
from world.service.expiry import Expiry
from world.service.ingestion import Ingestion, Taken
from world.service.petitions import Petitions
from world.service.questions import dispute_question, trigger_question
from world.service.realms import RealmReader, first_snapshot
from world.service.sovereign import Sovereignty
from world.service.sovereign import Taken as Proposed
from world.service.ticking import Ticker
from world.service.verdicts import Verdicts

REALM: Final = "aelvyndor"
DAY: Final = 96
SEED: Final = 2
START: Final = 1_772_323_200_000
"""2026-03-01T00:00:00Z: the day is a day of its own, whenever it is played."""
WEEK_MS: Final = 8 * 86_400_000
"""How long before the day established accounts came: more than the week after which an account is trusted whole."""
_SLOTS: Final = 5
"""Batches in which a tick's acts arrive; three minutes each, so that one sent again after two is not too old."""


class Setting(NamedTuple):
    """What a day is played with."""

    world: World
    store: WorldStore
    council: ReviewClient
    seed: int = SEED
    ticks: int = DAY
    realm_id: str = REALM


class _TurnedClock:
    """A clock that the day turns."""

    def __init__(self) -> None:
        self.now = START - WEEK_MS

    def __call__(self) -> int:
        return self.now


async def play_day(setting: Setting, on_tick: Callable[[], object] = lambda: None) -> DayReport:
    """Seed a realm, let people play a day in it, and return the tale.

    Args:
        on_tick: called after every tick.
    """
    day = _Day(setting)
    await day.begin()
    for number in range(setting.ticks):
        await day.tick(number)
        on_tick()
    return await day.report()


class _Day:
    def __init__(self, setting: Setting) -> None:
        world, store = setting.world, setting.store
        self._setting = setting
        self._clock = _TurnedClock()
        self._draws = Draws(setting.seed)
        self._players = players_of(self._draws)
        self._realms = RealmReader(store)
        self._ingestion = Ingestion(store, self._realms, world.rules, partial(dispute_question, world), self._clock)
        self._ticker = Ticker(
            store, self._realms, world.rules, partial(trigger_question, world), self._clock, holder="the day",
            petitions=Petitions(world, store), expiry=Expiry(store),
        )  # fmt: skip
        self._sovereignty = Sovereignty(store, self._realms, world.rules, self._clock)
        self._wishes = list(WISHES)
        self._objections: list[Wish] = []
        self._verdicts = Verdicts(store, self._realms, world.rules, setting.council, self._clock)
        self._told = {each.trigger_id: each.told for each in world.rules.triggers}
        self._taken: list[Taken] = []

    async def begin(self) -> None:
        """Seed the realm and let established accounts arrive, a week ahead of the day."""
        setting = self._setting
        realm = setting.world.new_realm(setting.realm_id)
        await setting.store.create(first_snapshot(realm, self._clock.now))
        place = Place(
            setting.realm_id, START, setting.ticks, tuple(sorted(realm.territories)), setting.world.rules.actions
        )
        arrivals = [
            arrival_of(player, place, self._clock.now, self._draws) for player in self._players if player.is_established
        ]
        await self._ingestion.submit([each.candidate for each in arrivals])
        self._first = dict(realm.territories)
        self._chronicle = Chronicle(realm, realm_shares(realm))
        deeds = [deed for player in self._players for deed in deeds_of(player, place, self._draws)]
        self._deeds = sorted(deeds, key=in_order)

    async def tick(self, number: int) -> None:
        """Take a quarter of an hour of acts in, tick, and have the council settle what it is asked."""
        for slot in range(_SLOTS):
            self._clock.now = START + number * TICK_MS + (slot + 1) * TICK_MS // _SLOTS
            batch = self._until(self._clock.now)
            self._taken += await self._ingestion.submit([each.candidate for each in batch])
        await self._lead(number)
        ticked = await self._ticker.run(self._setting.realm_id)
        assert ticked is not None
        self._chronicle.saw(ticked.result, self._told)
        while await self._verdicts.settle(self._setting.realm_id):
            pass
        self._chronicle.settled(await self._realms.current(self._setting.realm_id))

    async def report(self) -> DayReport:
        """Return the tale."""
        setting, seen = self._setting, self._chronicle
        realm = await self._realms.current(setting.realm_id)
        latest = await setting.store.latest(setting.realm_id)
        rows = await self._rows()
        return DayReport(
            realm_id=setting.realm_id,
            seed=setting.seed,
            ticks=setting.ticks,
            shares=tuple(seen.shares),
            meters=dict(realm.meters),
            territories=tuple(realm.territories.values()),
            first=self._first,
            fights=seen.fights(),
            moves=tuple(seen.moves),
            fired=tuple(seen.fired),
            heard=await self._heard(),
            tallies=_tallies(self._players, self._taken, rows, seen.counted),
            recaps=recaps_of(seen.counted, self._players),
            hash=latest.hash,
        )

    async def _lead(self, number: int) -> None:
        """Let leaders object to what was proposed a tick ago, and propose what their treasuries allow by now."""
        realm_id = self._setting.realm_id
        for wish in self._objections:
            for faction in wish.objectors:
                await self._sovereignty.object_to(
                    realm_id, wish.action_id, faction_id=faction, user_id=leader_of(faction)
                )
        self._objections = []
        for wish in [each for each in self._wishes if each.tick <= number]:
            if isinstance(await self._sovereignty.propose(realm_id, wish.proposal), Proposed):
                self._wishes.remove(wish)
                self._objections.append(wish)

    def _until(self, moment: int) -> list[Sent]:
        end = next((at for at, each in enumerate(self._deeds) if each.at >= moment), len(self._deeds))
        batch, self._deeds = self._deeds[:end], self._deeds[end:]
        return batch

    async def _rows(self) -> list[LedgerRow]:
        found: list[LedgerRow] = []
        while page := await self._setting.store.rows(
            self._setting.realm_id, after=found[-1].sequence if found else 0, limit=MAX_PAGE
        ):
            found += page
        return found

    async def _heard(self) -> tuple[Heard, ...]:
        questions = await self._setting.store.questions(self._setting.realm_id, "applied", limit=100_000)
        found = []
        for question in questions:
            assert question.answer is not None
            answer, request = Answer.model_validate_json(question.answer), orjson.loads(question.request)
            change = request["proposed_change"]
            found.append(
                Heard(
                    question.tick_number,
                    question.subject,
                    request["decision_type"],
                    change["summary"],
                    (change.get("actor") or {}).get("user_id"),
                    answer.final_verdict,
                    tuple([veto.rule for veto in answer.vetoes]),
                    answer.reasons,
                    answer.decision_id,
                    _told_of(request),
                )
            )
        return tuple(found)


def _told_of(request: Mapping[str, Any]) -> str:
    """Return what the pipeline says of an odd act; of anything else, nothing."""
    is_dispute = request["decision_type"] == "impact_dispute"
    return next((flag["note"] for flag in request["risk_flags"] if is_dispute and flag["code"] == "anomaly"), "")


def _tallies(
    players: Sequence[Player],
    taken: Sequence[Taken],
    rows: Sequence[LedgerRow],
    counted: dict[str, dict[str, int]],
) -> tuple[Tally, ...]:
    sent: dict[str, list[Taken]] = {}
    for each in taken:
        sent.setdefault(each.row.user_id, []).append(each)
    mine: dict[str, list[LedgerRow]] = {}
    for row in rows:
        if row.received_at >= START:  # accounts came a week before
            mine.setdefault(row.user_id, []).append(row)
    return tuple(
        [
            _tally(player, sent.get(player.user_id, []), mine.get(player.user_id, []), counted.get(player.user_id, {}))
            for player in players
        ]
    )


def _tally(player: Player, sent: Sequence[Taken], rows: Sequence[LedgerRow], counted: dict[str, int]) -> Tally:
    states: dict[State, int] = {}
    for row in rows:
        states[row.state] = states.get(row.state, 0) + 1
    refused: dict[str, int] = {}
    for each in sent:
        if each.rejected is not None and each.rejected.kind != "duplicate":
            refused[each.rejected.kind] = refused.get(each.rejected.kind, 0) + 1
    by_council = states.get("rejected", 0) - sum(refused.values())
    accepted = [row for row in rows if row.state == "accepted"]
    return Tally(
        player=player,
        sent=len(sent),
        repeats=len(sent) - len(rows),
        states=states,
        refused={**refused, **({"council": by_council} if by_council else {})},
        stopped=states.get("quarantined", 0) + refused.get("replay", 0) + by_council,
        accepted_points=sum(row.score.normalized for row in accepted if row.score is not None),
        counted_points=sum(counted.values()),
    )

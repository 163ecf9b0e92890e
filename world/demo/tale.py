"""The tale of a day: what was seen tick by tick, and what it comes to for a reader. Pure."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, Literal, NamedTuple

from policies.verdicts import Verdict
from world.demo.players import KINDS, Kind, Player
from world.influence.judging import State
from world.realm.contests import Move
from world.realm.state import Realm, Territory
from world.realm.tick import TickResult

Ending = Literal["taken", "held", "undecided"]


class Round(NamedTuple):
    """One round of a conflict that was decided."""

    tick: int
    for_challenger: int
    """Effective milli-points."""
    for_owner: int
    is_won: bool
    """Whether the challenger won it."""


class Fight(NamedTuple):
    """A conflict over a territory, round by round."""

    territory_id: str
    name: str
    owner: str
    challenger: str
    began: int
    rounds: tuple[Round, ...]
    ended: int | None
    ending: Ending


class Moved(NamedTuple):
    """A territory that changed hands."""

    tick: int
    territory_id: str
    name: str
    old: str | None
    new: str
    by_council: bool = False
    """Whether a verdict moved it, not the tick itself."""


class Fired(NamedTuple):
    """A trigger that fired by itself, or was put to the council."""

    tick: int
    trigger_id: str
    told: str
    is_asked: bool


class Heard(NamedTuple):
    """One question that the council answered."""

    tick: int
    subject: str
    """As the question names it: trigger:<id>, action:<action id>, move:<territory id>, event:<event id>."""
    decision_type: str
    summary: str
    user_id: str | None
    """Whose act it was about."""
    verdict: Verdict
    rules: tuple[str, ...]
    """Rules that fired."""
    reasons: tuple[str, ...]
    decision_id: str
    told: str = ""
    """What the pipeline says of an odd act."""

    @property
    def is_of_an_act(self) -> bool:
        """Whether it is about one odd act, not about the realm."""
        return self.subject.startswith("event:")


class Tally(NamedTuple):
    """What became of one account's acts."""

    player: Player
    sent: int
    repeats: int
    """Sent again under the same id: answered with the first row, counted once."""
    states: Mapping[State, int]
    """Acts by where they stand at the end of the day."""
    refused: Mapping[str, int]
    """Rejected acts by reason."""
    stopped: int
    """Acts held back for their pattern: in quarantine, replayed, or refused by the council."""
    accepted_points: int
    """Normalised milli-points of accepted acts."""
    counted_points: int
    """Effective milli-points, after clusters and caps."""

    @property
    def is_caught(self) -> bool:
        """Whether the account was taken for an exploiter: an act of it was held, was a replay, or was refused by the council."""
        return self.stopped > 0


class Catch(NamedTuple):
    """How well the pipeline told exploiters from honest players, in accounts."""

    caught: int
    """Exploiters that it stopped."""
    missed: int
    falsely: int
    """Honest accounts that it stopped."""
    honest: int


class Recap(NamedTuple):
    """What one player reads at the end of the day."""

    user_id: str
    faction: str
    points: Mapping[str, int]
    """Effective milli-points by territory."""
    rank: int
    """Place among the faction's accounts, from 1."""


class DayReport(NamedTuple):
    """The day, told."""

    realm_id: str
    seed: int
    ticks: int
    shares: tuple[Mapping[str, int], ...]
    """Of the realm, ppm, before the first tick and after each."""
    meters: Mapping[str, int]
    territories: tuple[Territory, ...]
    first: Mapping[str, Territory]
    """The territories as the day began."""
    fights: tuple[Fight, ...]
    moves: tuple[Moved, ...]
    fired: tuple[Fired, ...]
    heard: tuple[Heard, ...]
    tallies: tuple[Tally, ...]
    recaps: tuple[Recap, ...]
    hash: str
    """Of the last snapshot: equal for equal seeds."""

    @property
    def acts(self) -> int:
        return sum(each.sent for each in self.tallies)

    def of_kind(self, kind: Kind) -> tuple[Tally, ...]:
        """Return the tallies of one kind of player."""
        return tuple([each for each in self.tallies if each.player.kind == kind])

    def catch(self) -> Catch:
        """Return how well exploiters were told from honest players."""
        bad = [each for each in self.tallies if each.player.is_exploiter]
        good = [each for each in self.tallies if not each.player.is_exploiter]
        caught, falsely = sum(each.is_caught for each in bad), sum(each.is_caught for each in good)
        return Catch(caught, len(bad) - caught, falsely, len(good))


class Bearers(NamedTuple):
    """Who brought a faction's points in a territory over the day, effective milli-points."""

    name: str
    """A guild's or a whale's; else the kind of player."""
    points: int
    accounts: int


MOST_RECAPS: Final = 5


class Chronicle:
    """Watches a realm tick by tick and keeps what a reader will ask about."""

    def __init__(self, realm: Realm, shares: Mapping[str, int]) -> None:
        self.shares: list[Mapping[str, int]] = [shares]
        self.moves: list[Moved] = []
        self.fired: list[Fired] = []
        self.counted: dict[str, dict[str, int]] = {}
        """Effective milli-points by account and territory."""
        self._fights: dict[str, Fight] = {}
        self._over: list[Fight] = []
        self._before = realm

    def saw(self, result: TickResult, told: Mapping[str, str]) -> None:
        """Take in one tick.

        Args:
            told: the sentence of every trigger.
        """
        tick = result.realm.tick_number
        self.shares.append(result.after)
        for each in result.contributed:
            mine = self.counted.setdefault(each.user_id, {})
            mine[each.territory_id] = mine.get(each.territory_id, 0) + each.points
        for territory_id in sorted(result.realm.territories):
            self._fought(self._before.territories[territory_id], result.realm.territories[territory_id], result)
        self.moves += [_moved(tick, move, result.realm) for move in result.moves]
        self._before = result.realm
        for ids, is_asked in ((result.fired, False), (result.asked, True)):
            self.fired += [Fired(tick, each, told[each], is_asked) for each in ids]

    def settled(self, realm: Realm) -> None:
        """Take the realm as decisions left it, before the next tick."""
        for name, before in self._before.territories.items():
            after = realm.territories[name]
            if before.controller != after.controller and after.controller is not None:
                moved = Moved(realm.tick_number, name, after.name, before.controller, after.controller, by_council=True)
                self.moves.append(moved)
            if before.conflict is not None and after.conflict is None:
                self._end(after, realm.tick_number)
        self._before = realm

    def fights(self) -> tuple[Fight, ...]:
        """Return every conflict, in order of beginning."""
        return tuple(sorted([*self._over, *self._fights.values()], key=lambda each: (each.began, each.territory_id)))

    def _fought(self, before: Territory, after: Territory, result: TickResult) -> None:
        tick, name = result.realm.tick_number, after.territory_id
        if before.conflict is not None and before.controller is not None:
            fight = self._fights.get(name) or _begun(before, before.conflict.since)
            score = (before.conflict.won, before.conflict.held)
            if after.conflict is None or (after.conflict.won, after.conflict.held) != score:
                fight = fight._replace(rounds=(*fight.rounds, self._round(before, after, result)))
            self._fights[name] = fight
            if after.conflict is None:
                self._end(after, tick)
        elif after.conflict is not None:
            self._fights[name] = _begun(after, tick)

    def _end(self, territory: Territory, tick: int) -> None:
        fight = self._fights.pop(territory.territory_id)
        ending: Ending = "taken" if territory.controller == fight.challenger else "held"
        self._over.append(fight._replace(ended=tick, ending=ending))

    def _round(self, before: Territory, after: Territory, result: TickResult) -> Round:
        fight = before.conflict
        assert fight is not None
        points = {fight.challenger: fight.for_challenger, before.controller: fight.for_owner}
        for each in result.contributed:
            if each.territory_id == before.territory_id and each.faction_id in points:
                points[each.faction_id] += each.points
        is_won = after.conflict.won > fight.won if after.conflict is not None else after.controller == fight.challenger
        return Round(result.realm.tick_number, points[fight.challenger], points[before.controller], is_won)


def recaps_of(counted: Mapping[str, Mapping[str, int]], players: Iterable[Player]) -> tuple[Recap, ...]:
    """Return everybody's recap, in order of ids; who contributed nothing has none."""
    by_faction: dict[str, list[str]] = {}
    known = {player.user_id: player for player in players}
    for user in sorted(counted, key=lambda user: (-sum(counted[user].values()), user)):
        by_faction.setdefault(known[user].faction, []).append(user)
    ranks = {user: rank for users in by_faction.values() for rank, user in enumerate(users, start=1)}
    return tuple([Recap(user, known[user].faction, dict(counted[user]), ranks[user]) for user in sorted(counted)])


def chosen_recaps(report: DayReport) -> tuple[Recap, ...]:
    """Return a few recaps of honest players that are worth reading: the first of every faction, then a casual one."""
    honest = {each.player.user_id: each.player for each in report.tallies if not each.player.is_exploiter}
    mine = [each for each in report.recaps if each.user_id in honest]
    best: dict[str, Recap] = {}
    for each in sorted(mine, key=lambda each: (each.rank, each.user_id)):
        best.setdefault(each.faction, each)
    casual = [each for each in mine if honest[each.user_id].kind == "casual" and each not in best.values()]
    return (*[best[faction] for faction in sorted(best)], *casual[len(casual) // 2 :])[:MOST_RECAPS]


def bearers_of(report: DayReport, territory_id: str, faction: str) -> tuple[Bearers, ...]:
    """Return who brought a faction's points in a territory, the most first."""
    players = {each.player.user_id: each.player for each in report.tallies}
    found: dict[str, Bearers] = {}
    for recap in report.recaps:
        if recap.faction == faction and (points := recap.points.get(territory_id, 0)) > 0:
            player = players[recap.user_id]
            name = player.plan.name if player.plan is not None else player.kind
            known = found.get(name, Bearers(name, 0, 0))
            found[name] = Bearers(name, known.points + points, known.accounts + 1)
    return tuple(sorted(found.values(), key=lambda each: (-each.points, each.name)))


def kinds_in(report: DayReport) -> Sequence[Kind]:
    """Return the kinds of players that took part, in their usual order."""
    return [kind for kind in KINDS if report.of_kind(kind)]


def _begun(territory: Territory, tick: int) -> Fight:
    fight = territory.conflict
    assert fight is not None
    assert territory.controller is not None
    return Fight(
        territory.territory_id, territory.name, territory.controller, fight.challenger, tick, (), None, "undecided"
    )


def _moved(tick: int, move: Move, realm: Realm) -> Moved:
    return Moved(tick, move.territory_id, realm.territories[move.territory_id].name, move.old, move.new)

"""What simulated people do in a day: acts with human, scripted or stolen timing. Pure, by seed."""

from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

from policies.contracts.request import ImpactCandidate
from policies.draws import Draws
from world.demo.draws import gap
from world.demo.players import BAD_LINE, LOOP, MARATHON, MIMIC, RAID, SHAKEN_LOOP, Player
from world.realm.rules import Action

TICK_MS: Final = 900_000
MINUTE_MS: Final = 60_000
RELICS: Final = ("the-sunken-crown", "the-glass-horn")
"""Both are dug up on the day; whoever hears of it comes."""
RELIC_TICK: Final = 40
_CASUAL: Final = (
    *("chapter_complete",) * 4, *("faction_quest_complete",) * 3, "patrol_complete", "patrol_complete",
    "scouting_report", "faction_donation", "duel_won", "caravan_guarded",
)  # fmt: skip
_GUILD: Final = (
    *("faction_quest_complete",) * 3, "caravan_guarded", "caravan_guarded", "duel_won", "patrol_complete",
    "tower_floor_cleared", "chapter_complete",
)  # fmt: skip
_NIGHT: Final = 60
"""Runs of a script that is stopped when its owner wakes: ten hours."""
_HOSTILE: Final = ("sabotage", "propaganda_against")
_WHALE: Final = ("tower_floor_cleared", "faction_quest_complete", "caravan_guarded", "duel_won", "faction_donation")
_LOOP: Final = ("patrol_complete", "scouting_report", "caravan_guarded", "chapter_complete")
_RISKS: Final = (1, 2, 2, 3, 3, 3, 3, 4, 4, 5)
_STAKES: Final = ("personal", "local", "local", "regional", "regional", "regional", "realm")


class Sent(NamedTuple):
    """One act on its way to the server."""

    at: int
    """When it arrives, milliseconds since 1970."""
    candidate: ImpactCandidate


class Place(NamedTuple):
    """Where and when a day is played."""

    realm_id: str
    start: int
    """Milliseconds since 1970."""
    ticks: int
    territories: tuple[str, ...]
    actions: Mapping[str, Action]

    @property
    def end(self) -> int:
        return self.start + self.ticks * TICK_MS


def in_order(sent: Sent) -> tuple[int, str]:
    """Return what acts are sorted by: arrival, then id."""
    return sent.at, sent.candidate.event_id


class _Deed(NamedTuple):
    at: int
    action: str
    target: str | None = None
    faction: str | None = None
    """Where it is done against somebody else's faction."""


def deeds_of(player: Player, place: Place, draws: Draws) -> list[Sent]:
    """Return everything that one account sends in the day, in order of arrival."""
    match player.kind:
        case "casual":
            deeds = list(_marathon(player, place, draws) if player.manner == MARATHON else _whims(player, place, draws))
        case "guild":
            deeds = list(_raid(player, place, draws) if player.manner == RAID else _service(player, place, draws))
        case "whale":
            deeds = list(_spree(player, place, draws))
        case "bot":
            deeds = list(_script(player, place, draws))
        case "replayer":
            deeds = list(_whims(player, place, draws, sessions=3))
    deeds = sorted(
        (deed for deed in deeds if place.start <= deed.at < place.end), key=lambda deed: (deed.at, deed.action)
    )
    sent = [_sent(player, deed, number, place, draws) for number, deed in enumerate(deeds, start=1)]
    return sorted([*sent, *_again(player, sent, place)], key=in_order)


def arrival_of(player: Player, place: Place, at: int, draws: Draws) -> Sent:
    """Return the first chapter that an established account finished, when it came to the realm."""
    return _sent(player, _Deed(at, "chapter_complete"), 0, place, draws)


def _whims(player: Player, place: Place, draws: Draws, *, sessions: int | None = None) -> Iterator[_Deed]:
    """Play when there is time: one to three sessions, wherever the road leads."""
    who = player.user_id
    for session in range(sessions or draws.between(1, 3, who, "sessions")):
        at = place.start + draws.below(place.ticks * TICK_MS, who, "session", session)
        home = draws.one_of(place.territories, who, "home", session)
        for number in range(draws.between(3, 9, who, "length", session)):
            at += gap(draws, 5 * MINUTE_MS, who, "gap", session, number)
            yield _Deed(at, draws.one_of(_CASUAL, who, "act", session, number), home)


def _service(player: Player, place: Place, draws: Draws) -> Iterator[_Deed]:
    """Do what the guild asks of its members."""
    yield from _campaign(player, place, draws)
    yield from _relic_rush(player, place, draws)


def _raid(player: Player, place: Place, draws: Draws) -> Iterator[_Deed]:
    """Storm one place with friends for an hour and a half, faster than anybody should be, and play on at leisure."""
    who, target = player.user_id, draws.one_of(place.territories, player.user_id, "home")
    at = place.start + draws.between(52, 64, who, "raids") * TICK_MS
    for number in range(60):
        at += gap(draws, 45_000, who, "gap", number)
        yield _Deed(at, draws.one_of(_GUILD, who, "act", number), target)
    at += 90 * MINUTE_MS
    for number in range(60, 68):
        at += gap(draws, 6 * MINUTE_MS, who, "gap", number)
        yield _Deed(at, draws.one_of(_GUILD, who, "act", number), target)


def _campaign(player: Player, place: Place, draws: Draws) -> Iterator[_Deed]:
    """Fight for the guild's territory, in three shifts that leave the night to few."""
    plan, who = player.plan, player.user_id
    assert plan is not None
    for session in range(3):
        at = place.start + draws.below(place.ticks * TICK_MS, who, "shift", session)
        for number in range(draws.between(7, 13, who, "length", session)):
            at += gap(draws, 6 * MINUTE_MS, who, "gap", session, number)
            is_hostile = plan.against is not None and draws.below(6, who, "hostile", session, number) == 0
            action = draws.one_of(_HOSTILE if is_hostile else _GUILD, who, "act", session, number)
            yield _Deed(at, action, plan.target, plan.against if is_hostile else None)


def _relic_rush(player: Player, place: Place, draws: Draws) -> Iterator[_Deed]:
    """Run for a relic when two are dug up: one in three hears of it in time."""
    if draws.below(3, player.user_id, "relic") == 0:
        at = place.start + RELIC_TICK * TICK_MS + draws.below(2 * TICK_MS, player.user_id, "relic", "at")
        yield _Deed(at, "relic_claim", draws.one_of(RELICS, player.user_id, "relic", "which"))


def _spree(player: Player, place: Place, draws: Draws) -> Iterator[_Deed]:
    """Push one territory from several accounts for as long as their owner is awake."""
    plan, who = player.plan, player.user_id
    assert plan is not None
    at = place.start + draws.between(4, 8, plan.name, "wakes") * TICK_MS
    for number in range(plan.acts):
        at += gap(draws, plan.pause_min * MINUTE_MS, who, "gap", number)
        yield _Deed(at, draws.one_of(_WHALE, who, "act", number), plan.target)


def _script(player: Player, place: Place, draws: Draws) -> Iterator[_Deed]:
    """Repeat one thing, or four, at a fixed interval; one of the scripts shakes it a little."""
    who, target = player.user_id, draws.one_of(place.territories, player.user_id, "home")
    if player.manner == MIMIC:
        yield from _mimicry(player, place, draws, target)
        return
    has_jitter, loops = player.manner == SHAKEN_LOOP, player.manner in (LOOP, SHAKEN_LOOP)
    at = place.start + draws.below(TICK_MS, who, "starts")
    runs = place.ticks * TICK_MS // (10 * MINUTE_MS)
    for number in range(min(runs, _NIGHT) if has_jitter else runs):
        jitter = draws.between(-90_000, 90_000, who, "jitter", number) if has_jitter else 0
        action = _LOOP[number % len(_LOOP)] if loops else "patrol_complete"
        yield _Deed(at + number * 10 * MINUTE_MS + jitter, action, target)


def _mimicry(player: Player, place: Place, draws: Draws, target: str) -> Iterator[_Deed]:
    """Do one thing as a person would do many: the script that is hardest to tell."""
    at = place.start
    for number in range(place.ticks):
        at += gap(draws, 9 * MINUTE_MS, player.user_id, "gap", number)
        yield _Deed(at, "caravan_guarded", target)


def _marathon(player: Player, place: Place, draws: Draws) -> Iterator[_Deed]:
    """Play the whole day out of love for the game."""
    at, who = place.start, player.user_id
    for number in range(place.ticks):
        at += gap(draws, 7 * MINUTE_MS, who, "gap", number)
        yield _Deed(at, draws.one_of(_CASUAL, who, "act", number), draws.one_of(place.territories, who, "at", number))


def _again(player: Player, sent: list[Sent], place: Place) -> list[Sent]:
    """Return what arrives once more: a replayer's good acts under new ids, and everything that a bad line repeats."""
    if player.kind == "replayer":
        return [
            Sent(each.at + MINUTE_MS, each.candidate.model_copy(update={"event_id": f"{each.candidate.event_id}-x"}))
            for each in sent
            if place.actions[each.candidate.action_type].base >= 10_000
        ]
    if player.manner == BAD_LINE:
        return [Sent(each.at + later * MINUTE_MS, each.candidate) for each in sent for later in (1, 2)]
    return []


def _sent(player: Player, deed: _Deed, number: int, place: Place, draws: Draws) -> Sent:
    who = player.user_id
    document = {
        "event_id": f"{who}:{number}",
        "realm_id": place.realm_id,
        "user_id": who,
        "story_id": f"story-{who}",
        "chapter_id": f"chapter-{number}",
        "action_type": deed.action,
        "faction_id": deed.faction or player.faction,
        "base_points": place.actions[deed.action].base // 1_000,
        "evidence": {
            "risk": draws.one_of(_RISKS, who, "risk", number),
            "stakes": draws.one_of(_STAKES, who, "stakes", number),
        },
        "created_at": datetime.fromtimestamp(deed.at // 1_000, UTC).replace(microsecond=deed.at % 1_000 * 1_000),
        "device_id": player.device_id,
        "target_id": deed.target,
    }
    return Sent(deed.at, ImpactCandidate.model_validate(document))

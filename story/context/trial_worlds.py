"""Worlds on trial: a realm moved through its own ticks by made-up acts, with leaders, wars and verdicts. Pure, by seed.

Nothing in it knows how a context is chosen: it makes the world go on as a living realm does, and writes down what happened.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

import orjson

from policies.contracts.effects import Effect, FactionDelta, TerritoryTransfer, TriggerFire
from policies.draws import Draws
from policies.verdicts import DecisionType, Verdict
from story.context.items import HeardVerdict
from world.persistence.messages import Event
from world.realm.revising import concluded, effects_to_wire
from world.realm.rules import WorldRules
from world.realm.rules_document import World
from world.realm.sovereign import Proposal, Refusal, action_of, propose, wanted_effects
from world.realm.state import Realm
from world.realm.tick import TickInput, TickResult, tick

_VERDICTS: Final[tuple[Verdict, ...]] = ("approve", "approve", "modify", "reject", "reject", "quarantine")
_REASONS: Final = ("canon_lock", "dominance", "instability", "thin_evidence", "want_of_votes", "votes")
_KINDS: Final = ("annexation", "embargo", "great_warding")


class Past(NamedTuple):
    """A world's past: every state after its tick and its verdicts, and what happened."""

    states: tuple[Realm, ...]
    """From its seeding on, one a tick."""
    events: tuple[Event, ...]
    verdicts: tuple[HeardVerdict, ...]

    def heard(self, after: int, upto: int) -> tuple[HeardVerdict, ...]:
        """Return the verdicts of ticks behind one, up to another."""
        return tuple([each for each in self.verdicts if after < each.tick <= upto])

    def happened(self, upto: int) -> tuple[Event, ...]:
        """Return the events up to a tick."""
        return tuple([each for each in self.events if each.tick_number <= upto])


def past_of(world: World, draws: Draws, ticks: int) -> Past:
    """Return a world's past of so many ticks."""
    realm = world.new_realm("trial")
    states, events, verdicts = [realm], list[Event](), list[HeardVerdict]()
    for number in range(1, ticks + 1):
        result = tick(realm, _input(realm, draws, number), world.rules)
        events += _events(result, len(events))
        realm = result.realm
        for subject, effects, kind in _questions(result, world.rules):
            heard, realm = _decided(realm, subject, effects, kind, draws, world.rules)
            verdicts.append(heard)
        realm = _led(realm, draws, world.rules)
        states.append(realm)
    return Past(tuple(states), tuple(events), tuple(verdicts))


def _input(realm: Realm, draws: Draws, number: int) -> TickInput:
    """Let a dozen people act: in a quarter of the world somebody is always after the same place."""
    gained: dict[str, dict[str, dict[str, int]]] = {}
    places = tuple(sorted(realm.territories))
    for act in range(draws.between(8, 16, "acts", number)):
        season = number // 24 if draws.below(3, "whim", number, act) else number * 100 + act
        place = draws.one_of(places, "place", season, act % 4)
        faction = draws.one_of(realm.factions, "faction", season, place, act % 3)
        there = gained.setdefault(place, {}).setdefault(faction, {})
        user = f"u-{act}"
        there[user] = there.get(user, 0) + 1_000 * draws.between(4, 40, "points", number, act)
    is_rush = draws.below(30, "relics", number) == 0
    return TickInput(gained, {}, {}, frozenset(["crown", "horn"]) if is_rush else frozenset(), number)


def _events(result: TickResult, count: int) -> list[Event]:
    realm = result.realm
    told: list[tuple[str, dict[str, Any]]] = [
        ("territory_changed", {"territory_id": move.territory_id, "from": move.old, "to": move.new})
        for move in result.moves
    ]
    for name in result.began:
        fight = realm.territories[name].conflict
        told.append(("conflict_began", {"territory_id": name, "challenger": fight.challenger if fight else None}))
    return [
        Event(realm.realm_id, count + at, realm.tick_number, kind, orjson.dumps(payload), None, 0, None)
        for at, (kind, payload) in enumerate(told, start=1)
    ]


_Question = tuple[str, tuple[Effect, ...], DecisionType]


def _questions(result: TickResult, rules: WorldRules) -> list[_Question]:
    """Return what a tick asks of the council: subject, effects and decision type, as the world's own questions do."""
    found: list[_Question] = [
        (f"trigger:{name}", (TriggerFire(op="trigger_fire", trigger_id=name),), "major_trigger")
        for name in result.asked
    ]
    for action_id in result.closed:
        action = action_of(result.realm, action_id)
        assert action is not None
        found.append((f"action:{action_id}", wanted_effects(result.realm, action, rules), "sovereign_action"))
    for name in result.won:
        place = result.realm.territories[name]
        assert place.conflict is not None
        transfer = {
            "op": "territory_transfer", "territory_id": name, "from": place.controller, "to": place.conflict.challenger,
        }  # fmt: skip
        found.append((f"move:{name}", (TerritoryTransfer.model_validate(transfer),), "impact_dispute"))
    return found


def _decided(
    realm: Realm, subject: str, effects: Sequence[Effect], kind: DecisionType, draws: Draws, rules: WorldRules
) -> tuple[HeardVerdict, Realm]:
    verdict = draws.one_of(_VERDICTS, "verdict", subject, realm.tick_number)
    allowed = {"approve": tuple(effects), "modify": tuple(effects[:1])}.get(verdict, ())
    after = concluded(realm, subject, effects, allowed, rules)
    about, _, name = subject.partition(":")
    action = action_of(realm, name) if about == "action" else None
    wanted_by = [effect.faction_id for effect in effects if isinstance(effect, FactionDelta)]
    heard = HeardVerdict(
        decision_id=f"d-{subject}-{realm.tick_number}",
        verdict=verdict,
        decision_type=kind,
        subject=(action.target or action.faction_id) if action is not None else name,
        faction_id=action.faction_id if action is not None else next(iter(wanted_by), None),
        tick=realm.tick_number,
        modifications=("the garrison leaves the bridges to the townsfolk",) if verdict == "modify" else (),
        reason=draws.one_of(_REASONS, "reason", subject, realm.tick_number) if verdict == "reject" else "",
        effects=tuple(effects_to_wire(after.kept)),
    )
    return heard, after.realm


def _led(realm: Realm, draws: Draws, rules: WorldRules) -> Realm:
    """Let one faction's leader propose what its treasury allows, now and then."""
    number = realm.tick_number
    if draws.below(6, "leads", number):
        return realm
    faction = draws.one_of(realm.factions, "leader", number)
    kind = draws.one_of(_KINDS, "kind", number)
    targets: dict[str, tuple[str, ...]] = {
        "annexation": tuple(sorted(realm.territories)),
        "embargo": tuple([name for name in realm.factions if name != faction]),
    }
    target = draws.one_of(targets[kind], "target", number) if kind in targets else None
    after = propose(realm, Proposal(f"a-{number}", kind, faction, f"leader-{faction}", target), rules)
    return realm if isinstance(after, Refusal) else after

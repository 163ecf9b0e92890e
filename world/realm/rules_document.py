"""World rules from YAML: validated whole, every fault named with file, line and key, or refused."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, NamedTuple, get_args

from policies.canonical import canonical_json, sha256_hex
from policies.contracts.request import LockMode
from policies.cursor import REQUIRED, Complaints, Place
from policies.numbers import PPM
from policies.policy_faults import InvalidPolicyError, PolicyFault
from policies.rules import Rule, RuleSyntaxError, compile_rule
from policies.yaml_positions import Dialect, read_yaml
from world.change import METER_MAX
from world.realm.meters import MeterRule
from world.realm.rules import Action, Caps, WorldRules
from world.realm.sovereign_document import sovereign_rules
from world.realm.state import Realm, Territory, TriggerState
from world.realm.triggers import Trigger

SCHEMA: Final = "council.world/1"
_DIALECT: Final = Dialect(
    "world", "worlds", 1_048_576, 50_000, 8, "start from the shipped world: world/data/aelvyndor.yaml"
)
_MOST: Final = 1_000_000
_MILLI: Final = 1_000


class Seed(NamedTuple):
    """What a new realm starts from."""

    season_id: str
    factions: tuple[str, ...]
    territories: Mapping[str, Territory]
    facts: Mapping[tuple[str, str], str]


@dataclass(frozen=True, slots=True, eq=False)
class World:
    """One world: its rules, where a new realm starts, and its canon locks.

    Attributes:
        rules: what a tick reads.
        seed: a new realm.
        meters: level of every meter in a new realm, milli.
        locks: canon locks as requests carry them, by id.
        document: all of it as plain JSON; the rules' hash covers it.
    """

    rules: WorldRules
    seed: Seed
    meters: Mapping[str, int]
    locks: tuple[Mapping[str, Any], ...]
    document: Mapping[str, Any]

    def new_realm(self, realm_id: str) -> Realm:
        """Return a realm before its first tick."""
        return Realm(
            realm_id=realm_id,
            season_id=self.seed.season_id,
            tick_number=0,
            rules_hash=self.rules.content_hash,
            factions=self.seed.factions,
            territories=self.seed.territories,
            meters=dict(sorted(self.meters.items())),
            triggers={
                each.trigger_id: TriggerState() for each in sorted(self.rules.triggers, key=lambda one: one.trigger_id)
            },
            facts=self.seed.facts,
        )


def default_world_path() -> Path:
    """Return the path of the shipped world."""
    return Path(__file__).parent.parent / "data" / "aelvyndor.yaml"


class InvalidWorldError(InvalidPolicyError):
    """the world's file is not valid"""


def load_world(path: Path | str) -> World:
    """Load a world's file.

    Raises:
        InvalidWorldError: with every fault of the file.
    """
    try:
        return _read(Path(path))
    except InvalidPolicyError as error:
        raise InvalidWorldError(error.faults) from error


def _read(path: Path) -> World:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) and error.strerror else "is not UTF-8"
        complaints = Complaints(
            path.name, {}, [PolicyFault(path.name, 0, "", f"cannot be read: {reason}", "check the path")]
        )
        complaints.finish()
        raise AssertionError from error
    sheet = read_yaml(text, path.name, _DIALECT)
    complaints = Complaints(path.name, sheet.lines, sheet.faults, guide="world/data/aelvyndor.yaml")
    world = _world(Place(sheet.value, (), complaints), sheet.value)
    complaints.finish()
    assert world is not None
    return world


def _world(root: Place, document: Any) -> World | None:
    keys = ("schema", "id", "version", "actions", "caps", "meters", "tension", "triggers", "realm", "locks")
    fields = root.fields({**dict.fromkeys(keys, REQUIRED), "sovereign": None, "asked": None})
    if not fields:
        return None
    fields["schema"].choice([SCHEMA])
    meters = {name: _meter(item) for name, item in fields["meters"].entries().items()}
    tension = fields["tension"].fields({"move": REQUIRED, "conflict": REQUIRED})
    seed = _seed(fields["realm"])
    locks = tuple([_lock(item) for item in fields["locks"].items()])
    rules = WorldRules(
        rules_id=fields["id"].text(80),
        version=fields["version"].integer(1, _MOST),
        content_hash=sha256_hex(canonical_json(document)),
        actions={name: _action(item) for name, item in fields["actions"].entries().items()},
        caps=_caps(fields["caps"]),
        meters={name: each.rule for name, each in meters.items()},
        triggers=tuple([_trigger(item, seed, list(meters)) for item in fields["triggers"].items()]),
        move_tension=tension["move"].integer(0, METER_MAX) if tension else 0,
        conflict_tension=tension["conflict"].integer(0, METER_MAX) if tension else 0,
        sovereign=sovereign_rules(fields["sovereign"], seed.factions, seed.territories, list(meters)),
        asked_value=_asked_value(fields["asked"]),
    )
    return World(rules, seed, {name: each.start for name, each in meters.items()}, locks, document)


def _asked_value(place: Place) -> int | None:
    """Read from which strategic value on a territory that was won waits for the council's word."""
    if place.value is None:
        return None
    fields = place.fields({"territory_value": REQUIRED})
    return fields["territory_value"].integer(1, 100) if fields else None


def _action(place: Place) -> Action:
    fields = place.fields({"base": REQUIRED, "source": REQUIRED, "relic": False})
    if not fields:
        return Action(0, "")
    return Action(
        _MILLI * fields["base"].integer(-1_000, 1_000), fields["source"].text(40), fields["relic"].value is True
    )


def _caps(place: Place) -> Caps:
    fields = place.fields({"user_day": REQUIRED, "faction_tick": REQUIRED, "source_day": {}})
    if not fields:
        return Caps(0, 0, {})
    sources = {name: _MILLI * item.integer(0, _MOST) for name, item in fields["source_day"].entries().items()}
    return Caps(
        _MILLI * fields["user_day"].integer(1, _MOST), _MILLI * fields["faction_tick"].integer(1, _MOST), sources
    )


class _Meter(NamedTuple):
    rule: MeterRule
    start: int


def _meter(place: Place) -> _Meter:
    fields = place.fields({"target": REQUIRED, "pull": REQUIRED, "start": REQUIRED})
    if not fields:
        return _Meter(MeterRule(0, 0), 0)
    rule = MeterRule(fields["target"].integer(0, METER_MAX), fields["pull"].integer(0, 1_000))
    return _Meter(rule, fields["start"].integer(0, METER_MAX))


def _trigger(place: Place, seed: Seed, meters: list[str]) -> Trigger:
    fields = place.fields(
        {
            "id": REQUIRED, "when": REQUIRED, "disarm": None, "sustain": 1, "cooldown": 0, "once": False, "group": None,
            "priority": 0, "severity": REQUIRED, "meters": {}, "told": REQUIRED,
        }
    )  # fmt: skip
    if not fields:
        return Trigger("", compile_rule("", "false"), None, 1, 0, False, None, 0, "minor", {}, "")
    known = _measures(seed, meters)
    return Trigger(
        trigger_id=fields["id"].text(80),
        when=_condition(fields["when"], known) or compile_rule("", "false"),
        disarm=None if fields["disarm"].value is None else _condition(fields["disarm"], known),
        sustain=fields["sustain"].integer(1, 10_000),
        cooldown=fields["cooldown"].integer(0, 100_000),
        once=fields["once"].value is True,
        group=None if fields["group"].value is None else fields["group"].text(40),
        priority=fields["priority"].integer(0, 1_000),
        severity=fields["severity"].choice(["minor", "major"]),
        meters={name: item.integer(-METER_MAX, METER_MAX) for name, item in fields["meters"].entries(meters).items()},
        told=fields["told"].text(200),
    )


def _measures(seed: Seed, meters: list[str]) -> frozenset[str]:
    shares = [name for faction in seed.factions for name in (f"share_{faction}", f"territories_{faction}")]
    return frozenset([*shares, *[f"meter_{name}" for name in meters], "conflicts", "relics_contested"])


def _condition(place: Place, known: frozenset[str]) -> Rule | None:
    text = place.text(500)
    try:
        rule = compile_rule("condition", text)
    except RuleSyntaxError as error:
        place.fault(str(error), "compare measures with whole numbers: share_empire >= 700000")
        return None
    unknown = sorted(set(rule.signals) - known)
    if unknown:
        place.fault(f"there is no measure {unknown[0]!r}", f"known: {', '.join(sorted(known))}")
    return rule


def _seed(place: Place) -> Seed:
    fields = place.fields({"season": REQUIRED, "factions": REQUIRED, "territories": REQUIRED, "facts": []})
    if not fields:
        return Seed("", (), {}, {})
    factions = tuple(sorted(item.text(80) for item in fields["factions"].items()))
    places = fields["territories"].entries()
    territories = {name: _territory(name, item, factions, list(places)) for name, item in sorted(places.items())}
    for name, territory in territories.items():
        for other in territory.neighbors:
            if other in territories and name not in territories[other].neighbors:
                places[name].fault(f"names {other!r} as a neighbour, which does not name it", "write it on both sides")
    return Seed(fields["season"].text(80), factions, territories, _facts(fields["facts"]))


def _territory(name: str, place: Place, factions: tuple[str, ...], known: list[str]) -> Territory:
    keys = ("name", "controller", "strategic_value", "population", "neighbors", "shares", "instability")
    fields = place.fields(dict.fromkeys(keys, REQUIRED))
    if not fields:
        return Territory(name, "", None, 1, 1, (), {})
    controller = fields["controller"]
    shares = {faction: item.integer(0, PPM) for faction, item in fields["shares"].entries(factions).items()}
    if shares and sum(shares.values()) != PPM:
        fields["shares"].fault(f"sum to {sum(shares.values())}", "make the shares of a territory sum to 1_000_000")
    return Territory(
        territory_id=name,
        name=fields["name"].text(80),
        controller=None if controller.value is None else controller.choice(factions),
        strategic_value=fields["strategic_value"].integer(1, 100),
        population=fields["population"].integer(1, 10**12),
        neighbors=tuple(sorted(item.choice(known) for item in fields["neighbors"].items())),
        shares=dict(sorted(shares.items())),
        instability=fields["instability"].integer(0, METER_MAX),
    )


def _facts(place: Place) -> dict[tuple[str, str], str]:
    facts = {}
    for item in place.items():
        parts = [part.text(200) for part in item.items()]
        if len(parts) != 3:
            item.fault("must be three texts", "write [subject, predicate, object]")
        else:
            facts[(parts[0], parts[1])] = parts[2]
    return facts


def _lock(place: Place) -> dict[str, Any]:
    fields = place.fields(
        {
            "id": REQUIRED,
            "mode": REQUIRED,
            "subject": REQUIRED,
            "predicate": REQUIRED,
            "object": None,
            "statement": "",
            "until": None,
        }
    )
    if not fields:
        return {}
    fields["mode"].choice(get_args(LockMode))
    for name in ("id", "subject", "predicate"):
        fields[name].text(200)
    return {name: item.value for name, item in fields.items() if item.value is not None}

"""The policy document: what may stand in it, checked, with every default written out (docs/policy.md has the keys).

The same checks serve a YAML file and a document rebuilt from a record.
"""

from collections.abc import Mapping, Sequence
from fractions import Fraction
from typing import Any, Final

from policies.calibration import written_calibration
from policies.cursor import REQUIRED, Place
from policies.models_document import MEMBER_FIELDS, check_uses, written_models, written_use
from policies.rule_document import conditions, seating, vetoes_and_floors
from policies.signals.catalogue import THRESHOLDS
from policies.verdicts import DECISION_TYPES, MEMBERS, REALM_MODES, VERDICTS, Member, Verdict

SCHEMA: Final = "council.policy/1"
MERGE_RULES: Final = ("quota", "plurality", "median", "strictest")
TIGHTENING: Final[tuple[Verdict, ...]] = VERDICTS[1:]
IMPACT_WEIGHTS: Final[Mapping[str, int]] = {
    "magnitude": 25,
    "scope": 20,
    "irreversibility": 15,
    "canon_proximity": 15,
    "population": 10,
    "novelty": 5,
    "contention": 5,
    "concentration": 5,
}
"""Weights of the world-impact score (domain.md C5)."""
IMPACT_FLOORS: Final[Mapping[str, int]] = {
    "sovereign_action": 80,
    "major_trigger": 70,
    "canon_conflict": 60,
    "anomaly": 50,
}
"""Least score per reason, points (domain.md C5)."""
IMPACT_THRESHOLD: Final = 60
"""Score from which a realm convenes the council, unless it says otherwise (domain.md C5)."""
MAX_NAME: Final = 80

_FIELDS: Final[Mapping[str, Any]] = {
    "schema": REQUIRED,
    "id": REQUIRED,
    "version": REQUIRED,
    "members": REQUIRED,
    "weights": {},
    "merge": {},
    "required": {},
    "seating": {},
    "invocation": REQUIRED,
    "impact": {},
    "rules": REQUIRED,
    "models": {},
    "realms": REQUIRED,
    "shadow": [],
}
_THIRD: Final = "1/3"


def written_out(root: Place, shadow_hashes: Sequence[str]) -> dict[str, Any]:
    """Return a policy with every default written out; complaints say what is wrong with it.

    Args:
        root: the whole document.
        shadow_hashes: content hashes of its shadow policies: they, not file names, stand in the document.
    """
    fields = root.fields(_FIELDS)
    if not fields:
        return {}
    if fields["schema"].value != SCHEMA:
        fields["schema"].fault("is not a schema that this version reads", f"write {SCHEMA}")
    return {
        "schema": SCHEMA,
        "id": fields["id"].text(MAX_NAME),
        "version": fields["version"].integer(1, 1_000_000_000),
        "members": _members(fields["members"]),
        "weights": _weights(fields["weights"]),
        "merge": _merge(fields["merge"]),
        "required": _required(fields["required"]),
        "seating": seating(fields["seating"]),
        "invocation": conditions(fields["invocation"]),
        "impact": _impact(fields["impact"]),
        "rules": vetoes_and_floors(fields["rules"]),
        "models": _models(fields["models"], fields["members"]),
        "realms": _realms(fields["realms"]),
        "shadow": list(shadow_hashes),
    }


def _models(place: Place, members: Place) -> dict[str, Any]:
    written = written_models(place)
    if written and isinstance(members.value, Mapping):
        check_uses({name: members.at(name, value) for name, value in members.value.items()}, written["endpoints"])
    return written


def _members(place: Place) -> dict[str, Any]:
    given = place.fields(dict.fromkeys(MEMBERS, REQUIRED))
    return {member: _member(given[member], member) for member in MEMBERS if member in given}


def _member(place: Place, member: Member) -> dict[str, Any]:
    fields = place.fields(
        {
            "weight": 1,
            "confidence": "ignore",
            "calibration": None,
            "judge": "model",
            "models_may": "tighten",
            "thresholds": {},
            # Text that a player wrote goes to as few members as possible: the one that judges a story must read it.
            "reads_player_text": member == "narrative",
            **MEMBER_FIELDS,
        }
    )
    if not fields:
        return {}
    calibration = written_calibration(fields["calibration"])
    return {
        "weight": _weight(fields["weight"]),
        "confidence": fields["confidence"].choice(["ignore", "use"]),
        # Written out only where there is one: documents from before the key, and those without it, keep their hash.
        **({} if calibration is None else {"calibration": calibration}),
        "judge": fields["judge"].choice(["rules", "model"]),
        "models_may": fields["models_may"].choice(["tighten", "relax"]),
        "thresholds": _thresholds(fields["thresholds"], member),
        **written_use(fields),
    }


def _thresholds(place: Place, member: Member) -> dict[str, int]:
    specs = THRESHOLDS[member]
    given = place.entries(None if place.complaints.is_recorded else list(specs))
    return {
        **{key: spec.default for key, spec in specs.items()},
        **{key: item.integer(specs[key].low, specs[key].high) for key, item in given.items() if key in specs},
    }


def _weight(place: Place) -> str:
    return str(place.fraction(lambda number: number > 0, "above 0"))


def _weights(place: Place) -> dict[str, Any]:
    return {
        decision_type: {member: _weight(weight) for member, weight in item.entries(MEMBERS).items()}
        for decision_type, item in place.entries(DECISION_TYPES).items()
    }


def _merge(place: Place) -> dict[str, Any]:
    fields = place.fields(
        {
            "rule": "quota",
            "quotas": {},
            "quorum": "3/5",
            "absent_counts_as": "quarantine",
            "confidence_floor": 0,
        }
    )
    if not fields:
        return {}
    absent = fields["absent_counts_as"]
    if absent.value == "approve":
        absent.fault("an absent member never approves", f"write one of {', '.join(TIGHTENING)}")
    in_unit = (lambda number: 0 <= number <= 1, "between 0 and 1")
    return {
        "rule": fields["rule"].choice(MERGE_RULES),
        "quotas": _quotas(fields["quotas"]),
        "quorum": str(fields["quorum"].fraction(*in_unit)),
        "absent_counts_as": absent.choice(TIGHTENING),
        "confidence_floor": str(fields["confidence_floor"].fraction(*in_unit)),
    }


def _quotas(place: Place) -> dict[str, str]:
    fields = place.fields(dict.fromkeys(TIGHTENING, _THIRD))
    quotas: list[tuple[str, Fraction]] = []
    for verdict, item in fields.items():
        quota = item.fraction(lambda number: 0 < number < 1, "strictly between 0 and 1")
        if quota is None:
            return {}
        quotas.append((verdict, quota))
    by_name = dict(quotas)
    for milder, stricter in (("modify", "reject"), ("reject", "quarantine")):
        if by_name and by_name[stricter] < by_name[milder]:
            fields[stricter].fault(
                f"is below the quota of {milder}, {by_name[milder]}: quotas never fall with strictness",
                f"write at least {by_name[milder]}",
            )
    return {verdict: str(quota) for verdict, quota in by_name.items()}


def _required(place: Place) -> dict[str, list[str]]:
    given = place.fields({decision_type: [] for decision_type in DECISION_TYPES})
    return {decision_type: _seats(item) for decision_type, item in given.items()}


def _seats(place: Place) -> list[str]:
    named: list[str] = []
    for item in place.items():
        member = item.choice(MEMBERS)
        if member in named and item.value == member:
            item.fault("is named twice", "name every member once")
        named.append(member)
    return named


def _impact(place: Place) -> dict[str, Any]:
    fields = place.fields({"weights": dict(IMPACT_WEIGHTS), "floors": dict(IMPACT_FLOORS)})
    if not fields:
        return {}
    weights = {
        key: item.integer(0, 100)
        for key, item in fields["weights"].fields(dict.fromkeys(IMPACT_WEIGHTS, REQUIRED)).items()
    }
    if weights and sum(weights.values()) != 100:
        fields["weights"].fault(f"sum to {sum(weights.values())}", "make the eight weights sum to 100")
    floors = {key: item.integer(0, 100) for key, item in fields["floors"].fields(IMPACT_FLOORS).items()}
    return {"weights": weights, "floors": floors}


def _realms(place: Place) -> dict[str, Any]:
    realms = place.entries()
    if not realms:
        place.fault("names no realm", 'name at least one, or "*" for every realm')
    return {realm: _realm(item) for realm, item in realms.items()}


def _realm(place: Place) -> dict[str, Any]:
    fields = place.fields({"mode": REQUIRED, "impact_threshold": IMPACT_THRESHOLD})
    if not fields:
        return {}
    return {
        "mode": fields["mode"].choice(REALM_MODES),
        "impact_threshold": fields["impact_threshold"].integer(0, 100),
    }

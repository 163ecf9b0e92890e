"""A member's vote inside the core: a verdict with reasons and modifications, or an abstention with its kind."""

from collections.abc import Mapping
from typing import Any, Final, NamedTuple

from policies.numbers import scaled
from policies.verdicts import Abstention, JudgeKind, Member, Verdict

AMOUNT_SCALE: Final = {"faction_delta": 10_000, "meter_delta": 1_000}
"""Integer steps per wire unit of an effect's `amount`: ppm of share per point, milli per meter point."""


class Modification(NamedTuple):
    """A condition on one effect, in integers: drop it, bound a field, or set a field.

    `max` and `min` are in the effect's own scale (`AMOUNT_SCALE`); `value` is an identifier or text.
    """

    effect: int
    drop: bool = False
    field: str | None = None
    max: int | None = None
    min: int | None = None
    value: str | None = None
    because: str = ""


class Reason(NamedTuple):
    """Why a member votes as it does, and the signals that it cites."""

    text: str
    evidence: tuple[str, ...] = ()


class Claim(NamedTuple):
    """A veto that a model claims. It acts only where the rule itself acts; else it is part of a member's vote, and marked."""

    rule: str
    evidence: tuple[str, ...] = ()
    is_verified: bool = False
    """Whether the rule's own check fired (council.md, vetoes and floors)."""


class Vote(NamedTuple):
    """One member's vote. `verdict` is None exactly where `abstained` names a kind."""

    member: Member
    verdict: Verdict | None
    confidence: int = 1000
    """Permille, 0 to 1000."""
    reasons: tuple[Reason, ...] = ()
    modifications: tuple[Modification, ...] = ()
    source: JudgeKind = "rules"
    abstained: Abstention | None = None
    claims: tuple[Claim, ...] = ()
    degraded: Abstention | None = None
    """Why a rule vote stands in for the member's model; None where it does not."""


def abstention(member: Member, kind: Abstention, *, source: JudgeKind, because: str = "") -> Vote:
    """Return the vote of a member that has none."""
    reasons = (Reason(because),) if because else ()
    return Vote(member, None, 0, reasons, (), source, kind)


def wire_number(value: int, scale: int) -> int | float:
    """Return `value / scale` as the shortest JSON number: an integer where it is whole."""
    whole, rest = divmod(value, scale)
    return whole if rest == 0 else value / scale


def modification_to_wire(modification: Modification, op: str) -> dict[str, Any]:
    """Return a modification as it stands in answers and records (`RequiredModification`, without `asked_by`)."""
    wire: dict[str, Any] = {"effect": modification.effect}
    if modification.drop:
        wire["drop"] = True
    else:
        wire["field"] = modification.field
        scale = AMOUNT_SCALE.get(op, 1)
        if modification.max is not None:
            wire["max"] = wire_number(modification.max, scale)
        if modification.min is not None:
            wire["min"] = wire_number(modification.min, scale)
        if modification.value is not None:
            wire["value"] = modification.value
    if modification.because:
        wire["because"] = modification.because
    return wire


def vote_to_wire(vote: Vote, ops: tuple[str, ...]) -> dict[str, Any]:
    """Return a vote as it stands in a record; `ops` names the operation of each effect of the request."""
    wire: dict[str, Any] = {
        "member": vote.member,
        "verdict": vote.verdict,
        "confidence": vote.confidence,
        "source": vote.source,
        "reasons": [{"text": reason.text, "evidence": list(reason.evidence)} for reason in vote.reasons],
        "modifications": [modification_to_wire(item, ops[item.effect]) for item in vote.modifications],
    }
    if vote.abstained is not None:
        wire["abstained"] = vote.abstained
    if vote.claims:
        wire["claims"] = [
            {"rule": claim.rule, "evidence": list(claim.evidence), "is_verified": claim.is_verified}
            for claim in vote.claims
        ]
    if vote.degraded is not None:
        wire["degraded"] = vote.degraded
    return wire


def vote_from_wire(wire: Mapping[str, Any], ops: tuple[str, ...]) -> Vote:
    """Read a vote back from a record: the inverse of `vote_to_wire`."""
    return Vote(
        member=wire["member"],
        verdict=wire["verdict"],
        confidence=wire["confidence"],
        reasons=tuple([Reason(reason["text"], tuple(reason["evidence"])) for reason in wire["reasons"]]),
        modifications=tuple([modification_from_wire(item, ops[item["effect"]]) for item in wire["modifications"]]),
        source=wire["source"],
        abstained=wire.get("abstained"),
        claims=tuple(
            [Claim(each["rule"], tuple(each["evidence"]), each["is_verified"]) for each in wire.get("claims", ())]
        ),
        degraded=wire.get("degraded"),
    )


def modification_from_wire(wire: Mapping[str, Any], op: str) -> Modification:
    """Read a modification back from its wire form: the inverse of `modification_to_wire`."""
    scale = AMOUNT_SCALE.get(op, 1)
    upper, lower = wire.get("max"), wire.get("min")
    return Modification(
        effect=wire["effect"],
        drop=wire.get("drop", False),
        field=wire.get("field"),
        max=None if upper is None else scaled(upper, scale),
        min=None if lower is None else scaled(lower, scale),
        value=wire.get("value"),
        because=wire.get("because", ""),
    )


Thresholds = Mapping[str, int]
"""A member's numbers from the policy file, in the units of the signals they are compared with."""

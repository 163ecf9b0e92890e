"""Required modifications: tightest bound, contradictions named, applied exactly (S0-61; council.md, the merge)."""

from hypothesis import given
from hypothesis import strategies as st

from council.modifications import Combined, combine, is_applicable, required_to_wire
from policies.conditions import apply_modifications
from policies.contracts.effects import CanonAssert, FactionDelta, MeterDelta, TerritoryTransfer
from policies.contracts.reading import validate_request
from policies.verdicts import Member, Verdict
from policies.votes import Modification, Vote, modification_from_wire, modification_to_wire
from tests.unit.requests import request_document

EFFECTS = validate_request(request_document()).proposed_change.effects
"""faction_delta empire +12, territory_transfer t-3, meter_delta stability -8, trigger_fire, canon_assert."""


def asks(member: Member, *modifications: Modification, verdict: Verdict = "modify") -> Vote:
    return Vote(member, verdict, modifications=modifications)


def bound(effect: int, *, most: int | None = None, least: int | None = None) -> Modification:
    return Modification(effect, field="amount", max=most, min=least)


def conditions(combined: Combined) -> list[Modification]:
    return [required.modification._replace(because="") for required in combined.required]


def test_the_tightest_bound_of_all_who_ask_wins_and_names_them() -> None:
    combined = combine([asks("governor", bound(0, most=60_000)), asks("fairness", bound(0, most=40_000)), asks("lore")])
    assert conditions(combined) == [bound(0, most=40_000)]
    assert combined.required[0].asked_by == ("governor", "fairness")


def test_bounds_that_cannot_both_hold_drop_the_effect_and_are_named() -> None:
    combined = combine([asks("governor", bound(0, most=10_000)), asks("risk", bound(0, least=20_000))])
    assert conditions(combined) == [Modification(0, drop=True)]
    assert combined.contradictions == ("effect 0 is dropped: no 'amount' satisfies governor and risk",)


def test_two_values_for_one_field_drop_the_effect() -> None:
    combined = combine(
        [
            asks("lore", Modification(4, field="object", value="sealed")),
            asks("risk", Modification(4, field="object", value="guarded")),
        ]
    )
    assert conditions(combined) == [Modification(4, drop=True)]


def test_a_drop_beats_every_bound() -> None:
    combined = combine([asks("governor", bound(0, most=10_000)), asks("risk", Modification(0, drop=True))])
    assert conditions(combined) == [Modification(0, drop=True)]
    assert combined.contradictions == ()


def test_only_votes_at_modify_or_stricter_ask() -> None:
    combined = combine(
        [
            asks("governor", bound(0, most=10_000), verdict="approve"),
            asks("risk", bound(0, most=20_000), verdict="reject"),
        ]
    )
    assert conditions(combined) == [bound(0, most=20_000)]


def test_conditions_are_applied_exactly() -> None:
    required = [bound(0, most=45_000), Modification(1, drop=True), bound(2, least=-5_000)]
    effects, origins = apply_modifications(EFFECTS, required)
    assert origins == (0, 2, 3, 4)
    assert isinstance(effects[0], FactionDelta)
    assert effects[0].amount == 4.5
    assert isinstance(effects[1], MeterDelta)
    assert effects[1].amount == -5
    assert effects[2:] == EFFECTS[3:]


def test_a_value_is_set_as_written() -> None:
    required = [Modification(4, field="object", value="sealed"), Modification(1, field="to", value="free_cities")]
    effects, _ = apply_modifications(EFFECTS, required)
    assert isinstance(effects[4], CanonAssert)
    assert effects[4].object == "sealed"
    assert isinstance(effects[1], TerritoryTransfer)
    assert effects[1].to == "free_cities"


def test_a_bound_that_already_holds_changes_nothing() -> None:
    effects, _ = apply_modifications(EFFECTS, [bound(0, most=120_000)])
    assert effects == EFFECTS


def test_only_what_an_effect_can_bear_is_applicable() -> None:
    assert is_applicable(bound(0, most=1), EFFECTS)
    assert is_applicable(Modification(3, drop=True), EFFECTS)
    assert is_applicable(Modification(4, field="object", value="sealed"), EFFECTS)
    assert not is_applicable(bound(5, most=1), EFFECTS), "no such effect"
    assert not is_applicable(bound(1, most=1), EFFECTS), "a transfer has no amount"
    assert not is_applicable(Modification(0, field="amount"), EFFECTS), "a bound without a number"
    assert not is_applicable(Modification(0, field="faction_id", value="veil"), EFFECTS), "who it is cannot change"


def test_the_wire_form_names_who_asked_and_why() -> None:
    combined = combine([asks("governor", bound(0, most=45_000)._replace(because="too strong"))])
    assert required_to_wire(combined.required[0], "faction_delta") == {
        "effect": 0,
        "field": "amount",
        "max": 4.5,
        "because": "too strong",
        "asked_by": ["governor"],
    }


@given(st.integers(-(10**6), 10**6), st.integers(-(10**6), 10**6), st.sampled_from(["faction_delta", "meter_delta"]))
def test_a_modification_survives_the_wire(most: int, least: int, op: str) -> None:
    modification = Modification(0, field="amount", max=most, min=least, because="why")
    assert modification_from_wire(modification_to_wire(modification, op), op) == modification


@given(st.lists(st.tuples(st.integers(-(10**6), 10**6), st.booleans()), min_size=1, max_size=5), st.randoms())
def test_the_order_of_votes_does_not_matter(bounds: list[tuple[int, bool]], random: object) -> None:
    members: tuple[Member, ...] = ("governor", "fairness", "lore", "narrative", "risk")
    votes = [
        asks(member, bound(0, most=number) if is_upper else bound(0, least=number))
        for member, (number, is_upper) in zip(members, bounds, strict=False)
    ]
    assert conditions(combine(votes)) == conditions(combine(reversed(votes)))

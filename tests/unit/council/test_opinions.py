"""Which of a member's two votes counts (council.md, vetoes and floors; reliability.md I6, injection 2 and 5)."""

from collections.abc import Mapping
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agents.asking import Reply, Slot
from council.modifications import combine, covers
from council.opinions import Bounds, opinion, second_opinion, with_modifications
from council.review import deliberate
from policies.contracts.reading import validate_request
from policies.policy import Policy
from policies.verdicts import MEMBERS, STRICTNESS, Member
from policies.votes import Modification, Vote, abstention
from tests.unit.council.scripted import (
    answered,
    bounding,
    dropping,
    model_policy,
    raw_vote,
    reply_with,
    with_member,
)
from tests.unit.requests import request_document
from world.case import Case, open_case

POLICY = model_policy()
TIGHTEN_ALL = with_member(POLICY, "narrative", models_may="tighten")
RULES = [Vote("lore", verdict) for verdict in ("approve", "modify", "reject", "quarantine")]
DROP = Modification(0, drop=True)
BOUND = Modification(1, field="amount", max=5_000)


def bounds(
    may: str = "tighten", *, on_failure: str = "abstain", needs_twin: bool = False, when_spent: str = "rules"
) -> Bounds:
    policy = with_member(
        model_policy(on_failure=on_failure, budgets={**_BUDGETS, "when_spent": when_spent}), "lore", models_may=may
    )
    return Bounds(policy.members["lore"], policy.models, needs_twin)


_BUDGETS: dict[str, Any] = dict(POLICY.document["models"]["budgets"])  # type: ignore[index]


def model(verdict: Any, *modifications: Modification, confidence: int = 900) -> Vote:
    return Vote("lore", verdict, confidence, (), modifications, "model")


@pytest.mark.parametrize("rule_vote", RULES, ids=lambda vote: str(vote.verdict))
@pytest.mark.parametrize("verdict", ["approve", "modify", "reject", "quarantine"])
def test_under_tighten_the_stricter_of_the_two_votes_counts(rule_vote: Vote, verdict: Any) -> None:
    formed = opinion(rule_vote, model(verdict), None, bounds())
    assert rule_vote.verdict is not None
    is_milder = STRICTNESS[verdict] < STRICTNESS[rule_vote.verdict]
    assert (formed.counted.verdict, formed.why) == (
        (rule_vote.verdict, "bound_by_rules") if is_milder else (verdict, "model")
    )


@pytest.mark.parametrize("verdict", ["modify", "reject", "quarantine"])
def test_a_stricter_model_vote_keeps_what_its_members_rules_require(verdict: Any) -> None:
    """Else a model could lift the rules' bounds by objecting more, and the change that is applied would be larger."""
    formed = opinion(Vote("lore", "modify", modifications=(BOUND,)), model(verdict, DROP), None, bounds())
    assert formed.counted.modifications == (DROP, BOUND)
    assert formed.counted.source == "model"


def test_a_member_that_may_relax_is_believed_where_it_read_no_players_text() -> None:
    formed = opinion(Vote("lore", "reject"), model("approve"), None, bounds("relax"))
    assert (formed.counted, formed.why) == (model("approve"), "model")


def test_without_its_twins_word_a_member_that_may_relax_may_only_tighten() -> None:
    silent = abstention("lore", "timeout", source="model")
    for twin in (None, silent):
        formed = opinion(Vote("lore", "reject"), model("approve"), twin, bounds("relax", needs_twin=True))
        assert (formed.counted.verdict, formed.why) == ("reject", "unconfirmed")


def test_the_twins_vote_is_what_would_count_without_the_players_text() -> None:
    formed = opinion(
        Vote("lore", "modify", modifications=(BOUND,)),
        model("approve"),
        model("reject"),
        bounds("relax", needs_twin=True),
    )
    assert formed.counted.verdict == "approve"
    assert formed.counted_without_text.verdict == "reject"


def test_conditions_cover_others_where_nothing_that_those_cut_is_left_standing() -> None:
    def of(*modifications: Modification) -> Any:
        return combine([Vote("lore", "modify", modifications=modifications)])

    assert covers(of(DROP, BOUND), of(BOUND))
    assert covers(of(Modification(1, drop=True)), of(BOUND))
    assert covers(of(Modification(1, field="amount", max=4_999)), of(BOUND))
    assert not covers(of(Modification(1, field="amount", max=5_001)), of(BOUND))
    assert not covers(of(DROP), of(BOUND))
    assert not covers(of(BOUND), of(Modification(1, drop=True)))


async def test_a_text_that_only_loosens_the_conditions_holds_the_case_too() -> None:
    case = _case()
    twin = Slot("narrative", 1, "twin")
    said = {
        Slot("narrative", 1): raw_vote("approve"),
        twin: raw_vote("modify", [dropping(0)]),
        Slot("governor", 1): raw_vote("modify", [dropping(1)]),
        Slot("lore", 1): raw_vote("modify", [dropping(1)]),
    }
    held = _decided(case, POLICY, {slot: reply_with(slot, raw) for slot, raw in said.items()})
    assert "text_made_milder" in held.concluded.tags
    del said[twin], said[Slot("narrative", 1)]
    without = _decided(case, POLICY, {slot: reply_with(slot, raw) for slot, raw in said.items()})
    assert "text_made_milder" not in without.concluded.tags


def test_a_looser_modification_than_the_twins_is_bound_by_the_twins() -> None:
    formed = opinion(
        Vote("lore", "approve"), model("modify", DROP), model("modify", BOUND), bounds("relax", needs_twin=True)
    )
    assert formed.counted.modifications == (DROP, BOUND)


@pytest.mark.parametrize("kind", ["timeout", "unreachable", "unparsed", "off_schema", "refused"])
def test_a_failed_model_costs_its_member_the_vote_or_its_rules_stand_in(kind: Any) -> None:
    failed = abstention("lore", kind, source="model")
    abstains = opinion(Vote("lore", "approve"), failed, None, bounds())
    assert (abstains.counted, abstains.why) == (failed, "abstained")
    stands_in = opinion(Vote("lore", "approve"), failed, None, bounds(on_failure="rules"))
    assert (stands_in.counted, stands_in.why) == (Vote("lore", "approve", degraded=kind), "degraded")


@pytest.mark.parametrize(("when_spent", "verdict"), [("rules", "approve"), ("quarantine", None)])
def test_a_spent_budget_is_the_policys_own_choice(when_spent: str, verdict: Any) -> None:
    failed = abstention("lore", "budget", source="model")
    formed = opinion(Vote("lore", "approve"), failed, None, bounds(when_spent=when_spent))
    assert formed.counted.verdict == verdict


def test_a_model_whose_rules_failed_has_no_floor_and_no_vote() -> None:
    broken = abstention("lore", "unreachable", source="rules")
    formed = opinion(broken, model("approve"), None, bounds("relax"))
    assert (formed.counted, formed.why) == (broken, "no_floor")


def test_under_tighten_confidence_weighs_as_the_rules_say() -> None:
    """A model that votes with the rules but at confidence 0 would else take its member's mass away."""
    policy = with_member(POLICY, "lore", confidence="use")
    formed = opinion(Vote("lore", "reject", 800), model("reject", confidence=0), None, Bounds(
        policy.members["lore"], policy.models, needs_twin=False))  # fmt: skip
    assert formed.counted.confidence == 800


def test_a_member_silent_in_the_rebuttal_keeps_its_first_vote() -> None:
    first = opinion(Vote("lore", "approve"), model("reject"), None, bounds())
    silent = opinion(Vote("lore", "approve"), abstention("lore", "timeout", source="model"), None, bounds())
    spoken = opinion(Vote("lore", "approve"), model("approve"), None, bounds())
    assert second_opinion(first, silent) == first._replace(why="first_round")
    assert second_opinion(first, spoken) == spoken


def test_a_member_silent_at_first_may_still_speak_in_the_rebuttal() -> None:
    silent = opinion(Vote("lore", "approve"), abstention("lore", "timeout", source="model"), None, bounds())
    spoken = opinion(Vote("lore", "approve"), model("modify", DROP), None, bounds())
    assert second_opinion(silent, spoken) == spoken


def test_an_approval_takes_no_conditions_over() -> None:
    vote = with_modifications(model("approve"), Vote("lore", "modify", modifications=(DROP,)))
    assert vote == model("approve")


# ---- Laws over the whole review ------------------------------------------------------------------------------------


def _case(**keys: Any) -> Case:
    document = request_document(lore_constraints=[], risk_flags=[], **keys)
    return open_case(validate_request(document))


def _modest() -> Case:
    document = request_document(lore_constraints=[], risk_flags=[])
    document["proposed_change"]["effects"] = [
        {"op": "faction_delta", "faction_id": "free_cities", "amount": 2},
        {"op": "meter_delta", "meter": "stability", "amount": -3},
    ]
    document["proposed_change"]["actor"]["faction_id"] = "free_cities"
    return open_case(validate_request(document))


CASES = (_case(), _modest())

_modification = st.one_of(
    st.builds(dropping, st.integers(0, 1)),
    st.builds(bounding, st.integers(0, 1), st.sampled_from(["max", "min"]), st.integers(-100, 100).map(float)),
)
_said = st.one_of(
    st.builds(
        raw_vote,
        st.sampled_from(["approve", "modify", "reject", "quarantine"]),
        st.lists(_modification, max_size=3),
        confidence=st.floats(0, 1),
    ),
    st.sampled_from(["timeout", "refused", "unreachable"]),
)
_replies = st.dictionaries(st.sampled_from(MEMBERS), _said)


def _heard(said: Mapping[Any, str], variant: Any = "full") -> dict[Slot, Reply]:
    found = {}
    for member, text in said.items():
        slot = Slot(member, 1, variant)
        found[slot] = reply_with(slot, text) if text.startswith("{") else answered(slot, text)
    return found


def _decided(case: Case, policy: Policy, replies: dict[Slot, Reply]) -> Any:
    realm = policy.realm(case.request.realm_id)
    assert realm is not None
    return deliberate(case, policy, realm, replies)


@given(case=st.sampled_from(CASES), said=_replies)
def test_whatever_models_say_under_tighten_no_verdict_ends_milder_than_by_rules(
    case: Case, said: dict[Member, str]
) -> None:
    by_rules = _decided(case, TIGHTEN_ALL, {})
    with_models = _decided(case, TIGHTEN_ALL, _heard(said))
    milder, stricter = by_rules.concluded.council_verdict, with_models.concluded.council_verdict
    assert STRICTNESS[stricter] >= STRICTNESS[milder]
    if milder == stricter == "modify":
        _assert_no_larger(case, with_models.effects_to_apply(), by_rules.effects_to_apply())


def _assert_no_larger(case: Case, applied: Any, by_rules: Any) -> None:
    """What is applied of each effect is never more than what the rules let through."""
    allowed = {(effect.op, getattr(effect, "faction_id", getattr(effect, "meter", ""))): effect for effect in by_rules}
    for effect in applied:
        key = (effect.op, getattr(effect, "faction_id", getattr(effect, "meter", "")))
        assert key in allowed
        if hasattr(effect, "amount"):
            assert abs(effect.amount) <= abs(allowed[key].amount) + 1e-9
            assert effect.amount * allowed[key].amount >= 0


@given(case=st.sampled_from(CASES), said=_replies, silent=st.sampled_from(MEMBERS))
def test_a_model_that_falls_silent_never_makes_the_verdict_milder(
    case: Case, said: dict[Member, str], silent: Member
) -> None:
    """I6, with the member abstaining: compared with any vote of its model."""
    spoken = _decided(case, TIGHTEN_ALL, _heard(said))
    fallen = _decided(case, TIGHTEN_ALL, _heard({**said, silent: "timeout"}))
    assert STRICTNESS[fallen.concluded.council_verdict] >= STRICTNESS[spoken.concluded.council_verdict] or (
        silent not in spoken.found.seated
    )


@given(case=st.sampled_from(CASES), said=_replies, twins=_replies)
def test_players_text_never_makes_a_verdict_milder_than_it_is_without(
    case: Case, said: dict[Member, str], twins: dict[Member, str]
) -> None:
    """Injection 5: only the narrative member reads it; its twin says what it thinks without."""
    twin = {member: text for member, text in twins.items() if member == "narrative"}
    others = {member: text for member, text in said.items() if member != "narrative"}
    with_text = _decided(case, POLICY, _heard(said) | _heard(twin, "twin"))
    without = _decided(case, POLICY, _heard(others) | {
        Slot("narrative", 1, variant): reply._replace(slot=Slot("narrative", 1, variant))
        for reply in _heard(twin, "twin").values() for variant in ("full", "twin")
    })  # fmt: skip
    if "narrative" in said and twin and twin["narrative"].startswith("{"):  # both are asked at the same moment
        verdicts = with_text.concluded.council_verdict, without.concluded.council_verdict
        assert STRICTNESS[verdicts[0]] >= STRICTNESS[verdicts[1]]

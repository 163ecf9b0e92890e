"""The risk judge: one concern, routed as events are (register row S0-55; domain.md C6)."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agents.risk import find_evidence, judge
from policies.evidence import values_of
from policies.signals.risk import SIGNALS, THRESHOLDS
from policies.votes import Vote
from tests.unit.agents.member_cases import FIRE, GAIN, LOSS, TAKE, UNREST, Json, case_of, event, modified
from world.case import Case

LIMITS = {name: spec.default for name, spec in THRESHOLDS.items()}
EIGHT = [event(i) for i in range(8)]


def vote_on(case: Case) -> Vote:
    return judge(case, values_of(find_evidence(case)), LIMITS)


def flag(severity: float, **more: object) -> Json:
    return {"code": "velocity_spike", "severity": severity, **more}


def test_every_signal_found_is_in_the_catalogue_with_its_bounds() -> None:
    bounds = {spec.name: (spec.low, spec.high) for spec in SIGNALS}
    events = [event(i, user_id="u", at_s=600 * i, action_type="ab"[i % 2]) for i in range(24)]
    case = case_of(supporting_events=events, risk_flags=[flag(0.4)], actor={"user_id": "u"})
    found = values_of(find_evidence(case))
    assert set(found) == set(bounds)
    assert all(bounds[name][0] <= value <= bounds[name][1] for name, value in found.items())


def test_without_events_their_signals_are_left_out_and_not_zero() -> None:
    assert [signal.name for signal in find_evidence(case_of())] == ["stated_severity", "text_flags", "injection_marks"]
    assert (vote_on(case_of()).verdict, vote_on(case_of()).confidence) == ("approve", 500)


def test_honest_play_is_approved_with_more_confidence_the_more_there_was_to_see() -> None:
    vote = vote_on(case_of(supporting_events=EIGHT))
    assert (vote.verdict, vote.confidence, vote.reasons[0].text) == ("approve", 750, "no odd pattern and no warning")


@pytest.mark.parametrize(
    ("severity", "verdict"), [(0.39, "approve"), (0.4, "modify"), (0.69, "modify"), (0.7, "quarantine")]
)
def test_the_routes_begin_where_the_design_says(severity: float, verdict: str) -> None:
    assert vote_on(case_of(risk_flags=[flag(severity)])).verdict == verdict


def test_under_review_amounts_shrink_to_the_trusted_part_and_the_rest_is_dropped() -> None:
    """Concern 600 trusts 400 permille: 12 points become 4.8, -8 meter points become -3.2."""
    case = case_of([GAIN, LOSS, UNREST, TAKE, FIRE], risk_flags=[flag(0.6)])
    vote = vote_on(case)
    told = [(item.effect, item.max, item.min, item.drop) for item in vote.modifications]
    assert told == [
        (0, 48_000, None, False),
        (1, None, -48_000, False),
        (2, None, -3_200, False),
        (3, None, None, True),
        (4, None, None, True),
    ]
    assert vote_on(modified(case, vote)).verdict == "approve"


def test_under_review_a_change_that_cannot_be_taken_back_waits_for_a_person() -> None:
    assert vote_on(case_of([TAKE, FIRE], risk_flags=[flag(0.5)])).verdict == "quarantine"


def test_a_flag_in_plain_words_counts_as_the_policy_says() -> None:
    case = case_of(risk_flags=["velocity spike, probably harmless"])
    assert vote_on(case).verdict == "modify"
    assert judge(case, values_of(find_evidence(case)), {**LIMITS, "flag_text_severity": 800}).verdict == "quarantine"


def test_a_flag_that_names_the_actor_weighs_more() -> None:
    """0.5 and 0.4 by noisy-OR: 1 - 0.5 * 0.6 = 0.7."""
    actor = {"user_id": "u-9", "faction_id": "empire"}
    assert vote_on(case_of(risk_flags=[flag(0.5, subject="u-8")], actor=actor)).verdict == "modify"
    for subject in ("u-9", "empire"):
        vote = vote_on(case_of(risk_flags=[flag(0.5, subject=subject)], actor=actor))
        assert (vote.verdict, vote.confidence) == ("quarantine", 700)


def test_a_machine_is_quarantined_and_the_reason_cites_what_gave_it_away() -> None:
    events = [event(i, user_id="u", at_s=600 * i) for i in range(30)]
    vote = vote_on(case_of(supporting_events=events))
    assert vote.verdict == "quarantine"
    assert {"anomaly_score", "entropy_deficit"} <= set(vote.reasons[0].evidence)


def test_support_from_another_realm_is_dubious_twice_over() -> None:
    """Two of eight foreign: 2 * 250 = 500, review; three: 750, quarantine."""
    two = [*EIGHT[:6], event(6, realm_id="realm-2"), event(7, realm_id="realm-2")]
    vote = vote_on(case_of(supporting_events=two))
    assert (vote.verdict, vote.confidence) == ("modify", 500)
    assert vote.reasons[0].evidence == ("dubious_support", "foreign_realm_events", "stray_events")
    three = [*two[:5], event(5, realm_id="realm-2"), *two[6:]]
    assert vote_on(case_of(supporting_events=three)).verdict == "quarantine"


def test_evidence_points_at_the_events_it_was_read_from() -> None:
    case = case_of(supporting_events=[*EIGHT[:7], event(7, realm_id="realm-2")])
    places = {signal.name: signal.pointers for signal in find_evidence(case)}
    assert places["foreign_realm_events"] == ("/supporting_events/7",)


offsets = st.lists(st.tuples(st.sampled_from("ab"), st.integers(min_value=0, max_value=9000)), min_size=1, max_size=30)


@given(offsets, st.text(alphabet="xy ", max_size=6), st.integers(min_value=0, max_value=1000))
@settings(max_examples=80)
def test_a_modify_vote_cures_and_words_change_nothing(rows: list[tuple[str, int]], told: str, severity: int) -> None:
    bare = [event(i, user_id=user, at_s=moment) for i, (user, moment) in enumerate(rows)]
    spoken = [{**each, "note": told, "evidence": {"deed": told}} for each in bare]
    case = case_of([GAIN, TAKE], supporting_events=bare, risk_flags=[flag(severity / 1000)])
    worded = case_of(
        [GAIN, TAKE], supporting_events=spoken, risk_flags=[flag(severity / 1000, note=told)], narrative=told
    )
    vote = vote_on(case)
    assert vote_on(worded) == vote
    if vote.verdict == "modify":
        assert vote_on(modified(case, vote)).verdict == "approve"


@given(st.integers(min_value=0, max_value=1000), st.integers(min_value=0, max_value=1000))
@settings(max_examples=80)
def test_a_graver_flag_never_makes_the_vote_milder(first: int, second: int) -> None:
    order = ["approve", "modify", "reject", "quarantine"]
    milder, graver = sorted([first, second])
    votes = [vote_on(case_of(risk_flags=[flag(each / 1000)])).verdict or "" for each in (milder, graver)]
    assert order.index(votes[0]) <= order.index(votes[1])

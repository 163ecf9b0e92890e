"""The fairness judge: heroes, whales and rings (register rows S0-52, S0-63)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from agents.fairness import find_evidence, judge
from policies.evidence import values_of
from policies.signals.fairness import SIGNALS, THRESHOLDS
from policies.votes import Vote
from tests.unit.agents.member_cases import FIRE, GAIN, LOSS, TAKE, Json, case_of, event, modified
from world.case import Case

LIMITS = {name: spec.default for name, spec in THRESHOLDS.items()}
WHALE = [*[event(i, base_points=10) for i in range(9)], event(9, base_points=900, action_type="siege_won")]
"""Ten accounts, one of them with 900 of 990 points: 238.5 stand within the caps, 240 permille."""
RING = [event(i, user_id=f"u-{i % 6}", device_id="d") for i in range(12)]
"""Six accounts at one device: 800 * 12 / 14 = 685."""


def vote_on(case: Case) -> Vote:
    return judge(case, values_of(find_evidence(case)), LIMITS)


def values(events: list[Json]) -> dict[str, int]:
    return values_of(find_evidence(case_of(supporting_events=events)))


def test_every_signal_found_is_in_the_catalogue_with_its_bounds() -> None:
    bounds = {spec.name: (spec.low, spec.high) for spec in SIGNALS}
    found = values(WHALE)
    assert set(found) == set(bounds)
    assert all(bounds[name][0] <= value <= bounds[name][1] for name, value in found.items())


def test_without_events_there_is_no_signal_and_half_a_confidence() -> None:
    vote = vote_on(case_of())
    assert find_evidence(case_of()) == ()
    assert (vote.verdict, vote.confidence) == ("approve", 500)


def test_one_hero_with_one_great_deed_is_no_exploit() -> None:
    vote = vote_on(case_of(supporting_events=[event(0, base_points=5000)]))
    assert values([event(0, base_points=5000)])["exploit_suspicion"] == 0
    assert vote.verdict == "approve"


def test_many_who_give_alike_are_approved() -> None:
    found = values([event(i) for i in range(10)])
    assert (found["contribution_gini"], found["top_cluster_share"], found["supported_share"]) == (0, 100, 1000)
    vote = vote_on(case_of([GAIN, TAKE], supporting_events=[event(i) for i in range(10)]))
    assert (vote.verdict, vote.confidence) == ("approve", 500 + 500 * 10 // 12)


def test_a_whale_is_bounded_to_what_the_caps_leave_and_takes_no_territory() -> None:
    """240 permille of 12 points are 2.88; below half, no majority is behind the transfer."""
    case = case_of([GAIN, LOSS, TAKE, FIRE], supporting_events=WHALE)
    vote = vote_on(case)
    assert vote.verdict == "modify"
    told = [(item.effect, item.max, item.min, item.drop) for item in vote.modifications]
    assert told == [(0, 28_800, None, False), (1, None, -28_800, False), (2, None, None, True)]
    assert vote_on(modified(case, vote)).verdict == "approve"


def test_a_whale_that_asks_only_for_a_territory_is_rejected() -> None:
    assert vote_on(case_of([TAKE], supporting_events=WHALE)).verdict == "reject"


def test_a_few_events_say_nothing_about_a_whale() -> None:
    events = [event(0, base_points=10), event(1, base_points=10), event(2, base_points=900, action_type="siege_won")]
    assert values(events)["supported_share"] < LIMITS["supported_least"]
    assert vote_on(case_of(supporting_events=events)).verdict == "approve"


def test_a_ring_is_rejected_and_a_ring_that_repeats_itself_is_held() -> None:
    """Half of the ring's acts told twice: 1000 * 24 / 26 = 923; with the ring 738, 1 - 0.077 * 0.262 is 980."""
    vote = vote_on(case_of(supporting_events=RING))
    assert (vote.verdict, vote.confidence) == ("reject", 685)
    assert set(vote.reasons[0].evidence) == {"exploit_suspicion", "sybil_ring", "top_cluster_share"}
    again = [{**each, "event_id": f"x-{i}"} for i, each in enumerate(RING)]
    held = vote_on(case_of(supporting_events=[*RING, *again]))
    assert (held.verdict, held.confidence) == ("quarantine", 980)


def test_two_siblings_at_one_device_are_no_ring() -> None:
    found = values([event(0, device_id="d"), event(1, device_id="d"), *[event(i) for i in range(2, 8)]])
    assert (found["linked_accounts"], found["sybil_ring"], found["exploit_suspicion"]) == (1, 0, 0)


def test_one_redelivered_event_of_eight_is_no_exploit() -> None:
    """2 * 1/8 = 250 (of eight, one told twice), times 8 / 10 = 200."""
    events = [*[event(i) for i in range(7)], event(0)]
    assert values(events)["exploit_suspicion"] == 200
    assert vote_on(case_of(supporting_events=events)).verdict == "approve"


def test_a_score_that_the_catalogue_would_not_give_is_an_exploit() -> None:
    """Seven of 25 and one of 10,000: 9,975 of 10,175 points are in excess, 980 * 8 / 10 = 784."""
    events = [*[event(i) for i in range(7)], event(7, base_points=10_000)]
    assert values(events)["exploit_suspicion"] == 784
    assert vote_on(case_of(supporting_events=events)).verdict == "quarantine"


def test_concentration_alone_never_accuses() -> None:
    events = [event(0, base_points=1), *[event(i, user_id="u", action_type=f"a-{i}") for i in range(1, 60)]]
    assert 0 < values(events)["exploit_suspicion"] <= 300


rows = st.lists(
    st.tuples(st.sampled_from("abcdefgh"), st.integers(min_value=0, max_value=900)), min_size=1, max_size=20
)


@given(rows, st.text(alphabet="xy ", max_size=6))
@settings(max_examples=80)
def test_a_modify_vote_cures_and_words_change_nothing(drawn: list[tuple[str, int]], told: str) -> None:
    bare = [event(i, user_id=user, base_points=score) for i, (user, score) in enumerate(drawn)]
    spoken = [{**each, "note": told, "evidence": {"deed": told}} for each in bare]
    case = case_of([GAIN, TAKE], supporting_events=bare)
    vote = vote_on(case)
    assert vote_on(case_of([GAIN, TAKE], supporting_events=spoken, narrative=told)) == vote
    if vote.verdict == "modify":
        assert vote_on(modified(case, vote)).verdict == "approve"


def test_the_largest_request_is_weighed_whole() -> None:
    events = [event(i, user_id=f"u-{i % 100}", action_type=f"a-{i % 7}") for i in range(512)]
    assert values(events)["contributing_events"] == 512

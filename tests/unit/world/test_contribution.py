"""Who stands behind a change: clusters, caps, duplicates, inflation (register row S0-52; domain.md C1, C4)."""

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.unit.agents.member_cases import GAIN, LOSS, Json, case_of, event
from world.case import Case
from world.contribution import Contribution, contribution_of, inflated_points, saturated, supported_points


def contribution(events: list[Json], effects: tuple[Json, ...] = (GAIN,)) -> Contribution:
    found = contribution_of(case_of(effects, supporting_events=events))
    assert found is not None
    return found


def test_no_event_is_no_contribution_and_not_a_zero() -> None:
    assert contribution_of(case_of()) is None


def test_one_honest_hero_is_one_account_with_nothing_against_it() -> None:
    found = contribution([event(0)])
    assert (found.users, found.clusters, found.linked, found.duplicates, found.inflated, found.ring) == (
        1,
        1,
        0,
        (),
        0,
        0,
    )
    assert found.supported == found.total == 25_000


def test_accounts_are_joined_through_devices_sessions_and_households_in_chains() -> None:
    events = [
        event(0, device_id="d-1"),
        event(1, device_id="d-1", session_id="s-1"),
        event(2, session_id="s-1", evidence={"household_id": "h-1"}),
        event(3, evidence={"household_id": "h-1"}),
        event(4, device_id="s-1"),
    ]
    found = contribution(events)
    assert (found.users, found.clusters, found.linked, found.top_cluster) == (5, 2, 3, 100_000)


def test_saturation_gives_back_the_figures_of_the_design() -> None:
    """C1: 1,200 points of one cluster count 109; split over 20 unlinked accounts they would count 800."""
    assert saturated(1_200_000) // 1000 == 109
    assert 20 * saturated(60_000) // 1000 == 800


def test_caps_leave_of_a_whale_what_the_others_can_match() -> None:
    """T = 990, n = 10: account cap max(5 %, 15 %) = 148.5; 148.5 + 9 * 10 = 238.5 points stand."""
    events = [event(i, base_points=10) for i in range(9)] + [event(9, base_points=900)]
    assert contribution(events).supported == 238_500


def test_who_is_alone_is_never_capped_and_of_two_no_account_counts_beyond_three_quarters() -> None:
    """Account cap of n clusters: 1.5 / n. One: none. Two: 75 of 100 points, and the other's 1."""
    assert supported_points({"a": 100}, {"a": "a"}, 100, 1) == 100
    assert supported_points({"a": 99, "b": 1}, {"a": "a", "b": "b"}, 100, 2) == 76


def test_a_cluster_of_small_accounts_is_capped_as_one() -> None:
    """T = 1000 and n = 10: five linked accounts of 100 are under their caps of 150, yet together they count 200."""
    ring = {f"r-{i}": 100 for i in range(5)}
    others = {f"u-{i}": 50 for i in range(8)} | {"u-8": 100}
    cluster_of = dict.fromkeys(ring, "r-0") | {user: user for user in others}
    assert supported_points(ring | others, cluster_of, 1000, 10) == 200 + 500


def test_a_claimed_household_makes_no_cap_wider() -> None:
    """The nine others claim one household: the caps still count ten clusters: no more of the whale's points stand."""
    others = [event(i, base_points=10) for i in range(9)]
    whale = event(9, base_points=900)
    claimed = [{**each, "evidence": {"household_id": "h"}} for each in others]
    apart, joined = contribution([*others, whale]), contribution([*claimed, whale])
    assert joined.clusters == 2
    assert joined.supported <= apart.supported
    assert joined.gini is not None and apart.gini is not None and joined.gini >= apart.gini


def test_the_same_id_and_the_same_act_told_twice_are_duplicates() -> None:
    events = [
        event(0, user_id="u", target_id="t-3"),
        event(1, user_id="u", target_id="t-3", at_s=10),
        event(2, user_id="u", target_id="t-3", at_s=21),
        event(3, user_id="u", target_id="t-4", at_s=22),
        event(4, user_id="v", event_id="e-0", at_s=900),
    ]
    assert contribution(events).duplicates == (1, 4)


def test_a_vague_act_is_a_duplicate_only_within_a_second() -> None:
    events = [event(0, user_id="u", at_s=0), event(1, user_id="u", at_s=5), event(2, user_id="u", at_s=6)]
    assert contribution(events).duplicates == (2,)


def test_points_beyond_the_median_of_their_action_are_inflated() -> None:
    """Median 25: an event of 1,000 has 975 in excess; twice the median is within reason; two events say nothing."""
    assert inflated_points([25, 25, 25, 1000]) == 975
    assert inflated_points([25, 25, 50]) == 0
    assert inflated_points([25, 1000]) == 0


def test_a_ring_counts_from_three_accounts_and_by_its_part() -> None:
    """(k - 2) / (k - 1): six accounts at one device with all points 800, with a quarter of the points half of that."""
    ring = [event(i, device_id="d") for i in range(6)]
    assert contribution(ring).ring == 800
    assert contribution(ring[:2]).ring == 0
    assert contribution([*ring, *[event(10 + i) for i in range(18)]]).ring == 400


def test_events_against_the_change_are_not_its_support() -> None:
    events = [event(0), event(1, faction_id="veil", base_points=400), event(2, faction_id=None)]
    assert contribution(events).total == 50_000
    assert contribution(events, (LOSS,)).total == 450_000


points = st.integers(min_value=-50, max_value=1000)
people = st.lists(
    st.tuples(st.sampled_from("abcdef"), st.sampled_from(["d1", "d2", None]), points), min_size=1, max_size=12
)


def case_with(rows: list[tuple[str, str | None, int]], note: str, household: str | None) -> Case:
    extra: Json = {
        "evidence": {"household_id": household, "story": note} if household else {"story": note},
        "note": note,
    }
    events = [
        event(i, user_id=user, device_id=device, base_points=score, **extra)
        for i, (user, device, score) in enumerate(rows)
    ]
    return case_of(supporting_events=events)


@given(people, st.text(alphabet="ab ", max_size=5), st.sampled_from([None, "h"]))
@settings(max_examples=80)
def test_what_a_player_can_write_never_makes_a_figure_milder(
    rows: list[tuple[str, str | None, int]], note: str, household: str | None
) -> None:
    bare, told = contribution_of(case_with(rows, "", None)), contribution_of(case_with(rows, note, household))
    assert bare is not None and told is not None
    assert told.duplicates == bare.duplicates and told.inflated == bare.inflated
    assert told.supported <= bare.supported and told.ring >= bare.ring and told.top_cluster >= bare.top_cluster
    assert (told.gini or 0) >= (bare.gini or 0)


@given(people)
@settings(max_examples=80)
def test_nothing_is_supported_beyond_the_total(rows: list[tuple[str, str | None, int]]) -> None:
    found = contribution_of(case_with(rows, "", None))
    assert found is not None
    assert 0 <= found.supported <= found.total
    assert found.top_user <= found.top_cluster <= found.top5 <= found.total
    assert found.clusters + found.linked == found.users


def test_the_largest_request_is_summed_whole() -> None:
    found = contribution([event(i, user_id=f"u-{i % 64}", device_id=f"d-{i % 32}") for i in range(512)])
    assert (found.events, found.users, found.clusters) == (512, 64, 32)

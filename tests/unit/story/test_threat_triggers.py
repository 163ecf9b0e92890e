"""What sets the Empire and the outer corruption in motion at a chapter's close (S4-16 to S4-48, S4-59, S4-60, K10 to K13)."""

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.draws import Draws
from story.threat.environment import GENERALS, ChapterEvents, PlayerState, ThreatEnvironment
from story.threat.tower import tower_instability
from story.threat.triggers import Updated, close_chapter

SEEDS = {"wanderer": ("walked-on", "stayed", "turned-back"), "seeker": ("asked-on",)}
QUIET = ChapterEvents()
NOTHING = ThreatEnvironment()
STEADY = PlayerState("u-1", identity_coherence=75)
"""Coherent enough for no echo, and not so coherent that anything notices."""


def closed(
    environment: ThreatEnvironment = NOTHING,
    player: PlayerState = STEADY,
    events: ChapterEvents = QUIET,
    **more: object,
) -> Updated:
    return close_chapter(environment, player, events, seeds=SEEDS, draws=Draws(1), **more)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("player", "events", "is_watched"),
    [
        (STEADY, QUIET, False),
        (replace(STEADY, notoriety=24), QUIET, False),
        (replace(STEADY, notoriety=25), QUIET, True),
        (replace(STEADY, floors_cleared=1), QUIET, True),
        (STEADY, ChapterEvents(tags=("emissary_contact",)), True),
        (replace(STEADY, notoriety=90, is_in_influence=False), QUIET, False),
    ],
)
def test_the_watcher_comes_for_any_of_three_reasons(
    player: PlayerState, events: ChapterEvents, is_watched: bool
) -> None:
    assert closed(player=player, events=events).environment.watcher_active is is_watched


def test_the_watcher_stays_until_the_player_leaves_the_reach_of_the_empire() -> None:
    watched = ThreatEnvironment(watcher_active=True)

    assert closed(watched).environment.watcher_active
    gone = closed(watched, replace(STEADY, is_in_influence=False))
    assert not gone.environment.watcher_active
    assert gone.because == ("the player left the Empire's reach: the Watcher is gone", "Tower instability 0 -> 25")


@pytest.mark.parametrize(
    ("before", "tags", "after"),
    [(0, 1, 10), (65, 1, 75), (95, 1, 100), (20, 3, 50), (100, 0, 95), (3, 0, 0), (0, 0, 0)],
)
def test_intensity_rises_by_ten_an_encounter_and_falls_by_five_without(before: int, tags: int, after: int) -> None:
    events = ChapterEvents(tags=("empire_encounter",) * tags)

    assert (
        closed(ThreatEnvironment(enforcement_intensity=before), events=events).environment.enforcement_intensity
        == after
    )


def test_what_was_cut_off_by_the_cap_stands_in_the_trace() -> None:
    updated = closed(ThreatEnvironment(enforcement_intensity=95), events=ChapterEvents(tags=("empire_encounter",)))

    assert updated.because[0] == "1 encounter(s): enforcement intensity 95 -> 100 (105 before the cap)"


@pytest.mark.parametrize(
    ("player", "events", "tiers"),
    [
        (replace(STEADY, notoriety=49), QUIET, (1,)),
        (replace(STEADY, notoriety=50), QUIET, (1, 2)),
        (STEADY, ChapterEvents(entered=(("far-wilds", "free_cities"),)), ()),
        (STEADY, ChapterEvents(entered=(("bleeding-gate", "empire"),)), (2,)),
        (STEADY, ChapterEvents(tags=("captive_rescued",)), (2,)),
    ],
)
def test_enforcement_acts_on_fame_trespass_and_rescue(
    player: PlayerState, events: ChapterEvents, tiers: tuple[int, ...]
) -> None:
    assert closed(player=player, events=events).environment.active_empire_tiers == tiers


@pytest.mark.parametrize("general", GENERALS)
@pytest.mark.parametrize(
    ("player", "intensity"), [(replace(STEADY, act=3), 0), (STEADY, 70), (replace(STEADY, floors_cleared=2), 0)]
)
def test_the_unit_is_sent_for_any_of_three_reasons_where_a_general_is_assigned(
    general: str, player: PlayerState, intensity: int
) -> None:
    nobody = ThreatEnvironment(enforcement_intensity=intensity)

    assert not closed(nobody, player).environment.lieutenant_unit_deployed
    sent = closed(replace(nobody, general_zone_affiliation=general), player).environment  # type: ignore[arg-type]
    assert sent.lieutenant_unit_deployed
    assert 3 in sent.active_empire_tiers


def test_the_unit_goes_with_its_lieutenant_and_does_not_come_back_in_act_three() -> None:
    late = replace(STEADY, act=3)
    sent = closed(ThreatEnvironment(general_zone_affiliation="kha"), late).environment
    met = closed(sent, late, ChapterEvents(tags=("lieutenant_defeated",))).environment

    assert sent.lieutenant_unit_deployed
    assert not met.lieutenant_unit_deployed
    assert not closed(met, late).environment.lieutenant_unit_deployed
    other = closed(replace(met, general_zone_affiliation="vorn"), late).environment
    assert other.lieutenant_unit_deployed


@pytest.mark.parametrize(
    ("player", "events"),
    [
        (replace(STEADY, tower_floor=3), QUIET),
        (STEADY, ChapterEvents(tags=("mireth_zone_entered",))),
        (replace(STEADY, act=3), ChapterEvents(tags=("mireth_event",))),
        (replace(STEADY, curiosity_depth=70, archetype="seeker"), QUIET),
    ],
)
def test_the_fourth_tier_is_mireths_alone_and_has_no_intensity(player: PlayerState, events: ChapterEvents) -> None:
    under_mireth = closed(ThreatEnvironment(general_zone_affiliation="mireth"), player, events).environment
    under_azen = closed(ThreatEnvironment(general_zone_affiliation="azen"), player, events).environment

    assert 4 in under_mireth.active_empire_tiers
    assert under_mireth.enforcement_intensity == 0
    assert 4 not in under_azen.active_empire_tiers


@pytest.mark.parametrize(
    ("coherence", "floor", "value", "raw"),
    [(100, 0, 0, 0), (75, 1, 25, 25), (60, 1, 40, 40), (50, 2, 65, 65), (0, 3, 100, 130), (0, 0, 100, 100)],
)
def test_the_tower_mirrors_how_far_the_player_has_come_apart(coherence: int, floor: int, value: int, raw: int) -> None:
    tower = tower_instability(coherence, floor)

    assert (tower.value, tower.raw) == (value, raw)
    assert tower.may_shift is (value >= 40)


def test_an_echo_is_near_on_the_second_floor_or_in_an_unstable_tower_and_fades() -> None:
    assert not closed().environment.identity_echo_present
    on_second = closed(player=replace(STEADY, tower_floor=2, identity_coherence=100)).environment
    unstable = closed(player=replace(STEADY, identity_coherence=70)).environment

    assert on_second.identity_echo_present
    assert unstable.identity_echo_present
    assert not closed(unstable).environment.identity_echo_present


def test_an_echo_contrasts_with_the_player_and_stays_who_it_is() -> None:
    # S4-44: of the archetype's pool, and never the player's own seed; K13: drawn by counter, so the same again.
    player = replace(STEADY, tower_floor=2, player_seed="stayed")
    first = closed(player=player).environment

    assert first.echo_seed in ("walked-on", "turned-back")
    assert closed(player=player).environment == first
    assert closed(first, player).environment.echo_seed == first.echo_seed
    assert closed(player=replace(player, archetype="nobody-knows")).environment.echo_seed is None


@pytest.mark.parametrize(
    ("act", "phase", "coherence", "phase1", "full"),
    [
        (2, 1, 90, False, False),
        (3, 1, 50, False, True),
        (3, 0, 80, False, True),
        (4, 0, 79, False, False),
        (4, 0, 80, True, True),
        (4, 1, 10, True, True),
    ],
)
def test_an_anomaly_comes_late_and_under_phase_one_only_in_act_four(
    act: int, phase: int, coherence: int, phase1: bool, full: bool
) -> None:
    player = replace(STEADY, act=act, veiled_will_phase=phase, identity_coherence=coherence)

    assert closed(player=player).environment.world_anomaly_active is phase1
    assert closed(player=player, profile="full").environment.world_anomaly_active is full


def test_under_phase_one_a_player_sees_one_anomaly_ever_and_for_one_chapter() -> None:
    player = replace(STEADY, act=4, veiled_will_phase=1)
    environment, seen = ThreatEnvironment(), []
    for _ in range(6):
        environment = closed(environment, player).environment
        seen.append(environment.world_anomaly_active)

    assert seen == [True, False, False, False, False, False]


players = st.builds(
    PlayerState,
    user_id=st.just("u"),
    notoriety=st.integers(0, 100),
    identity_coherence=st.integers(0, 100),
    curiosity_depth=st.integers(0, 100),
    archetype=st.sampled_from(["seeker", "wanderer", "guardian"]),
    act=st.integers(1, 4),
    tower_floor=st.integers(0, 3),
    floors_cleared=st.integers(0, 3),
    veiled_will_phase=st.integers(0, 2),
    is_in_influence=st.booleans(),
)
events = st.builds(
    ChapterEvents,
    tags=st.lists(
        st.sampled_from(
            ["empire_encounter", "emissary_contact", "captive_rescued", "lieutenant_defeated", "mireth_event"]
        ),
        max_size=5,
    ).map(tuple),
)
generals = st.sampled_from([None, *GENERALS])


@given(generals, st.lists(st.tuples(players, events), max_size=12))
def test_whatever_happens_every_number_stays_in_its_range_and_tiers_follow_the_flags(
    general: str | None, chapters: list[tuple[PlayerState, ChapterEvents]]
) -> None:
    environment = ThreatEnvironment(general_zone_affiliation=general)  # type: ignore[arg-type]
    for player, happened in chapters:
        environment = closed(environment, player, happened).environment
        assert 0 <= environment.enforcement_intensity <= 100
        assert 0 <= environment.tower_instability <= 100
        assert (1 in environment.active_empire_tiers) is environment.watcher_active
        assert (3 in environment.active_empire_tiers) is environment.lieutenant_unit_deployed
        assert environment.anomalies_seen + environment.world_anomaly_active <= 1
        assert not (environment.lieutenant_unit_deployed and general is None)


@given(st.integers(0, 100), players)
def test_without_encounters_intensity_only_falls_and_reaches_nothing(intensity: int, player: PlayerState) -> None:
    environment, levels = ThreatEnvironment(enforcement_intensity=intensity), [intensity]
    for _ in range(21):
        environment = closed(environment, player).environment
        levels.append(environment.enforcement_intensity)

    assert levels == sorted(levels, reverse=True)
    assert levels[-1] == 0

"""The simulated people: the same seed is the same day, and each kind does what its label says."""

from collections import Counter
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from policies.contracts.request import ImpactCandidate
from policies.draws import Draws
from world.contribution import epoch_ms
from world.demo.deeds import MINUTE_MS, TICK_MS, Place, Sent, arrival_of, deeds_of
from world.demo.draws import gap
from world.demo.leaders import WISHES, leader_of
from world.demo.players import (
    BAD_LINE,
    FACTIONS,
    HOUSEHOLDS,
    LOOP,
    OTHER_ID,
    PLANS,
    RAID,
    SHAKEN_LOOP,
    TO_THE_SECOND,
    Player,
    players_of,
)
from world.realm.rules_document import default_world_path, load_world

WORLD = load_world(default_world_path())
START = 1_772_323_200_000
PLACE = Place("r", START, 96, tuple(sorted(WORLD.seed.territories)), WORLD.rules.actions)
DRAWS = Draws(2)
PLAYERS = players_of(DRAWS)


def deeds(player: Player) -> list[Sent]:
    return deeds_of(player, PLACE, DRAWS)


def only(manner: str) -> Player:
    return next(player for player in PLAYERS if player.manner == manner)


@given(st.integers(-(2**63), 2**63), st.integers(1, 10**9), st.text(max_size=20))
def test_a_draw_lies_below_its_limit_and_is_always_the_same(seed: int, limit: int, what: str) -> None:
    draws = Draws(seed)
    found = draws.below(limit, what)
    assert 0 <= found < limit
    assert found == Draws(seed).below(limit, what)


def test_gaps_are_those_of_people() -> None:
    """Lognormal with sigma 1.2: half lie below the median, and one in six below exp(-1.2) = 0.301 of it (Phi(-1) = 0.159)."""
    gaps = [gap(DRAWS, 1_000_000, "gap", i) for i in range(4_000)]
    assert 0.47 < sum(gap < 1_000_000 for gap in gaps) / 4_000 < 0.53
    assert 0.13 < sum(gap < 301_000 for gap in gaps) / 4_000 < 0.19


def test_the_same_seed_is_the_same_people_and_another_seed_others() -> None:
    assert players_of(Draws(2)) == PLAYERS
    assert [player.user_id for player in players_of(Draws(3))] != [player.user_id for player in PLAYERS]
    assert deeds(PLAYERS[0]) == deeds(PLAYERS[0])


@given(st.integers(0, 10_000))
def test_no_two_accounts_have_one_id(seed: int) -> None:
    ids = [player.user_id for player in players_of(Draws(seed))]
    assert len(ids) == len(set(ids))


def test_labels_are_truthful() -> None:
    """Whoever scripts, doubles or sends again is an exploiter; households, long sessions, bad lines and raids are not."""
    assert {player.kind for player in PLAYERS if player.is_exploiter} == {"whale", "bot", "replayer"}
    assert all(player.manner for player in PLAYERS if player.is_exploiter)
    assert not only(BAD_LINE).is_exploiter
    assert not only(RAID).is_exploiter
    for plan in [plan for plan in PLANS if plan.kind == "whale"]:
        accounts = [player for player in PLAYERS if player.plan == plan]
        assert len(accounts) == plan.size
        assert len({player.device_id for player in accounts}) == 1


def test_some_honest_accounts_share_a_device() -> None:
    shared = Counter(player.device_id for player in PLAYERS if not player.is_exploiter)
    assert sum(1 for count in shared.values() if count == 2) == HOUSEHOLDS
    assert max(shared.values()) == 2


@pytest.mark.parametrize("kind", ["casual", "guild", "whale", "bot", "replayer"])
def test_every_act_is_one_of_the_catalogue_in_the_day_in_order(kind: str) -> None:
    for player in [player for player in PLAYERS if player.kind == kind]:
        sent = deeds(player)
        assert [each.at for each in sent] == sorted(each.at for each in sent)
        for each in sent:
            act = each.candidate
            assert START <= epoch_ms(act.created_at) < PLACE.end
            assert each.at - epoch_ms(act.created_at) <= 2 * MINUTE_MS
            assert act.base_points * 1_000 == WORLD.rules.actions[act.action_type].base
            assert act.faction_id in FACTIONS


def test_a_bot_acts_to_the_second_and_a_loop_repeats_four_acts() -> None:
    moments = [epoch_ms(each.candidate.created_at) for each in deeds(only(TO_THE_SECOND))]
    assert {later - earlier for earlier, later in pairwise(moments)} == {10 * MINUTE_MS}
    actions = [each.candidate.action_type for each in deeds(only(LOOP))]
    assert len(set(actions)) == 4
    assert actions[4:] == actions[:-4]


def test_a_raid_is_faster_than_play_and_the_evening_after_it_is_not() -> None:
    """Sixty deeds with a median of 45 s are over in two hours; eight more come at leisure, an hour and a half later."""
    moments = [epoch_ms(each.candidate.created_at) for each in deeds(only(RAID))]
    raid, evening = moments[:60], moments[60:]
    assert raid[-1] - raid[0] < 120 * MINUTE_MS
    assert len(evening) == 8
    assert evening[0] - raid[-1] >= 90 * MINUTE_MS


def test_a_script_that_is_stopped_in_the_morning_runs_for_ten_hours() -> None:
    moments = [epoch_ms(each.candidate.created_at) for each in deeds(only(SHAKEN_LOOP))]
    assert len(moments) == 60
    assert 9 * 60 * MINUTE_MS < moments[-1] - moments[0] < 10 * 60 * MINUTE_MS


def test_a_replayer_changes_nothing_but_the_id() -> None:
    sent = {each.candidate.event_id: each.candidate for each in deeds(only(OTHER_ID))}
    again = [event_id for event_id in sent if event_id.endswith("-x")]
    assert again
    for event_id in again:
        assert _without_id(sent[event_id]) == _without_id(sent[event_id.removesuffix("-x")])


def test_a_bad_line_sends_the_very_same_act_three_times() -> None:
    counts = Counter(each.candidate.event_id for each in deeds(only(BAD_LINE)))
    assert set(counts.values()) <= {2, 3}, "the day may end before the third"


def test_accounts_arrive_with_one_chapter() -> None:
    assert arrival_of(PLAYERS[0], PLACE, START - 8 * 96 * TICK_MS, DRAWS).candidate.action_type == "chapter_complete"


def test_leaders_wish_for_what_the_world_knows() -> None:
    for wish in WISHES:
        kind = WORLD.rules.sovereign.kinds[wish.kind]
        assert wish.faction in (kind.factions or FACTIONS)
        assert (wish.target is None) == (kind.target == "none")
        assert wish.proposal.user_id == leader_of(wish.faction)
    assert len({wish.action_id for wish in WISHES}) == len(WISHES)


def _without_id(act: ImpactCandidate) -> dict[str, object]:
    return act.model_dump(exclude={"event_id"})

"""Views are functions of what was stored: the same for everybody who asks, and nothing hidden in a player's."""

from typing import Any

import orjson
import pytest

from tests.unit.world.living_realm import REALM, WORLD, LivingRealm
from world.persistence.messages import Event
from world.persistence.verdicts_told import VERDICT
from world.realm.state import TriggerState
from world.service.moments import MomentReader
from world.views.happened import verdicts_view
from world.views.moment import ticks_per_hour
from world.views.realm_view import triggers_view
from world.views.summary import summary_view


async def _ticked(count: int) -> LivingRealm:
    living = LivingRealm()
    await living.seed()

    async def play(_: int) -> None:
        await living.ingestion.submit([living.act("ana", target_id="far-wilds")])

    await living.ticks(count, play)
    return living


@pytest.mark.parametrize(("tick_s", "ticks"), [(900, 4), (60, 60), (3_600, 1), (86_400, 1), (1_000, 3)])
def test_an_hour_is_as_many_ticks_as_fit_into_it(tick_s: int, ticks: int) -> None:
    assert ticks_per_hour(tick_s) == ticks


@pytest.mark.parametrize("count", [0, 1, 3, 4, 6])
async def test_a_young_realm_says_what_it_cannot_tell(count: int) -> None:
    """No value is none, never nothing: a change of 0.0 would be a claim."""
    living = await _ticked(count)
    now = await MomentReader(living.store, 900).now(REALM)
    view = summary_view(now.moment, WORLD.rules, now.public)
    for each in (*view["factions"], *view["meters"]):
        assert (each["change_per_tick"] is None) == (count < 1)
        assert (each["change_per_hour"] is None) == (count < 4)


async def test_the_moment_is_read_again_only_where_the_realm_has_moved_on() -> None:
    living = await _ticked(2)
    reader = MomentReader(living.store, 900)
    first = await reader.now(REALM)
    assert await reader.now(REALM) is first
    await living.ticks(1)
    assert (await reader.now(REALM)).moment.realm.tick_number == 3


async def test_a_summary_is_the_same_bytes_however_often_it_is_made() -> None:
    living = await _ticked(5)
    texts = set()
    for _ in range(3):
        now = await MomentReader(living.store, 900).now(REALM)
        texts.add(orjson.dumps(summary_view(now.moment, WORLD.rules, now.public)))
    assert len(texts) == 1


@pytest.mark.parametrize(
    ("state", "phase"),
    [
        (TriggerState(), None),
        (TriggerState(held=2), "rising"),
        (TriggerState(held=3, pending_since=4), "waiting"),
        (TriggerState(is_armed=False, last_fired=5, fired_in_season="season-1"), "fired"),
        (TriggerState(is_armed=False, last_fired=5), "resting"),
    ],
)
async def test_a_trigger_is_shown_while_it_is_at_work(state: TriggerState, phase: str | None) -> None:
    from dataclasses import replace

    living = await _ticked(6)
    realm = replace(await living.realms.current(REALM), triggers={"age_of_iron": state})
    assert [each["phase"] for each in triggers_view(realm, WORLD.rules)] == ([phase] if phase else [])


def test_verdicts_over_single_acts_are_for_those_who_may_see_what_is_held() -> None:
    kinds = [
        ("impact_dispute", "event"),
        ("impact_dispute", ""),
        ("impact_dispute", "move"),
        ("major_trigger", "trigger"),
    ]
    events = [_verdict(number, kind, about) for number, (kind, about) in enumerate(kinds, 1)]
    players = verdicts_view(events, shows_disputes=False)
    masters = verdicts_view(events, shows_disputes=True)
    assert [each["sequence"] for each in players] == [3, 4]
    assert [each["sequence"] for each in masters] == [1, 2, 3, 4]


def _verdict(sequence: int, kind: str, about: str) -> Event:
    told: dict[str, Any] = {
        "decision_id": f"d-{sequence}", "verdict": "quarantine", "decision_type": kind, "about": about, "summary": "s",
        "effects": [], "dropped": [],
    }  # fmt: skip
    return Event(REALM, sequence, 1, VERDICT, orjson.dumps(told), None, 0, None)

"""Acts that wait too long, questions without an answer, verdicts that come late (K17; reliability.md)."""

from dataclasses import replace
from random import Random
from typing import Any

import orjson
import pytest

from policies.contracts.request import DecisionRequest
from policies.verdicts import Verdict
from tests.unit.world.living_realm import REALM, WORLD, LivingRealm, ScriptedCouncil
from world.persistence.acts import LedgerRow, Transition
from world.persistence.memory import MemoryStore
from world.persistence.messages import NewQuestion
from world.review.port import ReviewPendingError, ReviewRefusedError, ReviewReply, ReviewUnavailableError
from world.service.audit import audit
from world.service.expiry import Expiry
from world.service.replay import replay


class AwayCouncil(ScriptedCouncil):
    """A council that fails as it is told, until it is told to be back."""

    def __init__(self, error: Exception | None, **keys: Any) -> None:
        super().__init__(**keys)
        self.error = error
        self.tried: list[str] = []

    async def review(
        self, request: DecisionRequest, *, request_key: str | None = None, correlation_id: str | None = None
    ) -> ReviewReply:
        self.tried.append(str(request_key))
        if self.error is not None:
            raise self.error
        return await super().review(request, request_key=request_key, correlation_id=correlation_id)


async def with_a_disputed_act(council: ScriptedCouncil) -> tuple[LivingRealm, LedgerRow]:
    """Return a realm in which a bot's act is in review."""
    living = LivingRealm(council=council)
    await living.seed()
    draw = Random(1)
    for _ in range(60):
        living.now += int(100_000 * draw.uniform(0.5, 1.5))
        taken = await living.ingestion.submit([living.act("bot", action_type="patrol_complete", device_id="d")])
        if taken[0].row.state == "in_review":
            return living, taken[0].row
    raise AssertionError("no act came into review")


async def worth(living: LivingRealm) -> int:
    totals = await living.store.totals(REALM)
    return sum(points for of in totals.gained.values() for users in of.values() for points in users.values())


async def test_an_act_that_nobody_decides_about_expires_with_an_appeal_and_its_player_is_told() -> None:
    """K17: in review for more than a day of ticks: rejected, and open to appeal."""
    living, row = await with_a_disputed_act(AwayCouncil(ReviewUnavailableError("down", "k")))
    assert isinstance(living.store, MemoryStore)
    await living.ticks(96)
    assert (await living.store.row(REALM, row.event_id) or row).state == "in_review"
    await living.ticks(1)
    now = await living.store.row(REALM, row.event_id)
    assert now is not None
    assert (now.state, now.counted_at) == ("rejected", None)
    assert now.because == "expired: no verdict within 96 ticks; open to appeal"
    question = await living.store.question(f"{REALM}:event:{row.event_id}")
    assert question is not None
    assert question.state == "expired", "the appeal: the question stays with its request"
    told = [each for each in await living.store.events(REALM, user_id="bot") if each.kind == "review_expired"]
    assert [orjson.loads(each.payload)["appeal"] for each in told] == [question.question_id]
    await living.ticks(3)
    assert len([each for each in await living.store.events(REALM, user_id="bot") if each.kind == "review_expired"]) == 1
    assert (await audit(living.store, REALM)).findings == ()


async def test_a_granted_appeal_counts_in_the_next_tick_and_not_twice() -> None:
    living, row = await with_a_disputed_act(AwayCouncil(ReviewUnavailableError("down", "k")))
    await living.ticks(97)
    assert await worth(living) == 0
    for _ in range(2):
        await living.store.move(REALM, [Transition(row.sequence, "accepted", "appeal granted by mina")], living.now)
    assert row.score is not None
    assert await worth(living) == row.score.normalized


@pytest.mark.parametrize("verdict", ["approve", "modify", "reject", "quarantine"])
async def test_a_verdict_after_the_expiry_changes_nothing_and_is_named(verdict: Verdict) -> None:
    council = AwayCouncil(None)
    living, row = await with_a_disputed_act(council)
    question = (await living.store.questions(REALM, "open"))[0]
    request = DecisionRequest.model_validate_json(question.request)
    reply = await ScriptedCouncil(verdict).review(request, request_key=question.question_id)
    council.error = ReviewUnavailableError("down", "k")
    await living.ticks(97)
    before = await living.realms.current(REALM)
    found = await living.verdicts.apply_decision(request, reply.answer)
    assert (found.effects, found.dropped) == (0, (f"the act {row.event_id!r} is rejected by now",))
    after = await living.realms.current(REALM)
    assert (after.territories, after.meters, after.standing) == (before.territories, before.meters, before.standing)
    assert ((await living.store.row(REALM, row.event_id)) or row).state == "rejected"
    assert "review_settled" not in [event.kind for event in await living.store.events(REALM, user_id="bot")]
    assert ((await living.store.question(question.question_id)) or question).state == "expired"
    assert await worth(living) == 0
    assert (await replay(living.store, REALM, [WORLD.rules])).difference is None


async def test_expiry_and_a_verdict_at_the_same_moment_leave_one_outcome() -> None:
    """The transition of the loser finds the row in another state than it expects, and is left out."""
    living, row = await with_a_disputed_act(ScriptedCouncil("approve"))
    realm = await living.realms.current(REALM)
    due = await Expiry(living.store, patience=0).due(replace(realm, tick_number=5))
    await living.verdicts.settle(REALM)
    await living.store.move(REALM, due.transitions, living.now)
    now = await living.store.row(REALM, row.event_id)
    assert now is not None
    assert now.state == "accepted"
    await living.store.move(REALM, [Transition(row.sequence, "rejected", "by hand")], living.now)
    assert ((await living.store.row(REALM, row.event_id)) or row).state == "accepted", (
        "what counted is never taken back"
    )


async def test_a_council_that_is_away_is_asked_again_later_each_time_and_everything_is_settled_when_it_is_back() -> (
    None
):
    council = AwayCouncil(ReviewUnavailableError("down", "k"))
    living, row = await with_a_disputed_act(council)
    tries: list[int] = []
    for second in range(70):
        await living.verdicts.settle(REALM)
        tries += [second] * (len(council.tried) - len(tries))
        living.now += 1_000
    # Pauses of 1, 2, 4, 8, 16 and 32 seconds.
    assert tries == [0, 1, 3, 7, 15, 31, 63]
    council.error = None
    living.now += 64_000
    assert await living.verdicts.settle(REALM) == 1
    assert ((await living.store.row(REALM, row.event_id)) or row).state == "accepted"


async def test_a_council_that_says_when_to_come_back_is_left_alone_until_then() -> None:
    council = AwayCouncil(ReviewUnavailableError("busy", "k", retry_after_s=600))
    living, _ = await with_a_disputed_act(council)
    for _ in range(59):
        await living.verdicts.settle(REALM)
        living.now += 10_000
    assert len(council.tried) == 1
    council.error = ReviewPendingError("d", "k")
    living.now += 10_000
    await living.verdicts.settle(REALM)
    assert len(council.tried) == 2


async def test_a_question_that_the_council_never_takes_is_closed_and_the_others_go_on() -> None:
    """S10: one poisoned question stops nobody else."""
    living, row = await with_a_disputed_act(ScriptedCouncil("approve"))
    poison = NewQuestion("poison", "trigger:veil_fracture", b'{"decision_type": "doom"}')
    await living.store.ask(REALM, poison, 0)
    await living.verdicts.settle(REALM)
    assert (await living.store.question("poison")).state == "expired"  # type: ignore[union-attr]
    assert ((await living.store.row(REALM, row.event_id)) or row).state == "accepted"
    state = (await living.realms.current(REALM)).triggers["veil_fracture"]
    assert (state.is_armed, state.pending_since) == (False, None), "what waited for it is refused"
    assert (await replay(living.store, REALM, [WORLD.rules])).difference is None


async def test_a_refused_dispute_is_left_to_expire() -> None:
    living, row = await with_a_disputed_act(AwayCouncil(ReviewRefusedError("p", "no such realm")))
    await living.verdicts.settle(REALM)
    assert ((await living.store.row(REALM, row.event_id)) or row).state == "in_review"
    await living.ticks(97)
    assert ((await living.store.row(REALM, row.event_id)) or row).state == "rejected"


async def test_an_event_id_as_long_as_may_be_is_asked_about_under_a_key_that_the_council_takes() -> None:
    living = LivingRealm()
    await living.seed()
    draw = Random(1)
    for number in range(60):
        living.now += int(100_000 * draw.uniform(0.5, 1.5))
        act = living.act("bot", action_type="patrol_complete", device_id="d")
        await living.ingestion.submit([act.model_copy(update={"event_id": f"{number:x}".rjust(128, "e")})])
    keys = [question.question_id for question in await living.store.questions(REALM)]
    assert keys
    assert all(len(key) <= 128 for key in keys)
    assert len(set(keys)) == len(keys)
    await living.verdicts.settle(REALM)
    assert await living.store.rows(REALM, state="in_review") == ()

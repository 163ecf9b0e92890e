"""What moves a realm over HTTP: running a tick, and applying a decision exactly once (000 §5.2, §10; S0-81, S0-83)."""

import asyncio
from typing import Final

import orjson
from fastapi import APIRouter, Request, Response

from gateway.body import RequestRefusedError
from gateway.identity_dependencies import check_realm, internal_caller
from gateway.problems import NO_DECISION
from gateway.world_asked import ApplyAsked, TickAsked
from gateway.world_bodies import body_of, known_realm, read_asked, refused
from gateway.world_decisions import DecisionOnRecord
from gateway.world_declared import body_declared, declared
from gateway.world_parts import WorldParts
from gateway.world_past_shown import AppliedShown, TickShown
from gateway.world_problems import HELD_ELSEWHERE, WRONG_ANSWER, wrong_tick
from policies.contracts.answer import Answer
from policies.faults import Fault, InvalidInputError
from world.errors import MovedOnError

TICK_PATH: Final = "/internal/world/tick/run"
APPLY_PATH: Final = "/internal/world/apply-decision"
TRIES: Final = 5
"""How often a tick is begun again where a decision was applied meanwhile."""
_ADVISORY: Final = "advisory:"
_REPLAYED: Final = {"Idempotent-Replayed": "true"}
_BODY: Final = (400, 401, 403, 408, 409, 413, 415, 422, 503)


class TickRuns:
    """Runs ticks on demand, one at a time per realm in this process; the lease keeps other processes out."""

    def __init__(self, parts: WorldParts) -> None:
        self._parts = parts
        self._under_way: dict[str, asyncio.Lock] = {}

    async def run(self, asked: TickAsked, correlation_id: str | None = None) -> tuple[bytes, bool]:
        """Return a tick's result as 000 §5.2 has it, and whether it had run before.

        Args:
            correlation_id: follows what the tick itself makes happen (S0-95).

        Raises:
            RequestRefusedError: 409 where another worker holds the realm, or it is not at the tick before.
            UnknownRealmError: where there is no such realm.
        """
        lock = self._under_way.setdefault(asked.realm_id, asyncio.Lock())
        if lock.locked():
            raise RequestRefusedError(HELD_ELSEWHERE)
        async with lock:
            stored = await self._stored(asked)
            if stored is not None:
                return stored, True
            return await self._next(asked.realm_id, correlation_id), False

    async def _stored(self, asked: TickAsked) -> bytes | None:
        latest = (await self._parts.store.latest(asked.realm_id)).tick_number
        if asked.tick_number is None or asked.tick_number == latest + 1:
            return None
        if asked.tick_number > latest:
            raise RequestRefusedError(wrong_tick(latest))
        found = await self._parts.store.snapshot(asked.realm_id, f"snap-{asked.tick_number}")
        if found is None:
            raise RequestRefusedError(wrong_tick(latest))
        return found.result

    async def _next(self, realm_id: str, correlation_id: str | None) -> bytes:
        for attempt in range(TRIES):
            try:
                ticked = await self._parts.ticker.run(realm_id, correlation_id)
            except MovedOnError:
                if attempt == TRIES - 1:
                    raise
                continue
            if ticked is None:
                raise RequestRefusedError(HELD_ELSEWHERE)
            # A worker must not wait for the rest of this lease.
            await self._parts.ticker.leave(realm_id)
            return orjson.dumps(ticked.wire)
        raise AssertionError("the last try raises or returns")


def steps_router(parts: WorldParts) -> APIRouter:
    """Return the endpoints that move a realm."""
    router = APIRouter()
    runs = TickRuns(parts)

    @router.post(
        TICK_PATH,
        tags=["world"],
        summary="Run a tick of a realm",
        response_model=TickShown,
        responses=declared(*_BODY),
        openapi_extra=body_declared("TickAsked"),
    )
    async def run_tick(request: Request) -> Response:
        """Run the next tick now, or return the one of `tick_number` where it has run.

        409 where another worker holds the realm: its tick counts. A sim that may send twice names the tick that it wants.
        """
        asked = read_asked(await body_of(request, parts), TickAsked, parts.max_body_bytes)
        check_realm(await internal_caller(request), asked.realm_id)
        with known_realm():
            body, is_repeat = await runs.run(asked, request.scope["council.correlation_id"])
        return _answered(body, is_repeat)

    @router.post(
        APPLY_PATH,
        tags=["world"],
        summary="Apply a decision of the council",
        response_model=AppliedShown,
        responses=declared(*_BODY, 404),
        openapi_extra=body_declared("ApplyAsked"),
    )
    async def apply_decision(request: Request) -> Response:
        """Apply a decision on record to its realm, exactly once however often it is sent.

        What is applied is the record: the request that was decided, with the modifications that the verdict requires. Effects
        that no longer fit the realm are left out by name. A verdict of reject or quarantine changes nothing but is in the
        realm's chain all the same.
        """
        asked = read_asked(await body_of(request, parts), ApplyAsked, parts.max_body_bytes)
        found = await _on_record(parts, asked)
        check_realm(await internal_caller(request), found.request.realm_id)
        with known_realm():
            return await _applied(parts, found, asked.expected_snapshot_id)

    return router


async def _on_record(parts: WorldParts, asked: ApplyAsked) -> DecisionOnRecord:
    """Return the decision on record that is meant.

    Raises:
        RequestRefusedError: 404 where there is none; 422 where the answer sent is not the one on record.
    """
    decision_id = asked.decision_id or (asked.answer.decision_id if asked.answer is not None else None)
    if decision_id is None:
        raise refused(InvalidInputError([Fault("/decision_id", "required field is missing", "add 'decision_id'")]))
    found = await parts.decisions.find(decision_id)
    if found is None:
        raise RequestRefusedError(NO_DECISION)
    if asked.answer is not None and _meaning(asked.answer) != _meaning(found.answer):
        raise RequestRefusedError(WRONG_ANSWER)
    return found


def _meaning(answer: Answer) -> tuple[object, ...]:
    return answer.decision_id, answer.final_verdict, answer.required_modifications


async def _applied(parts: WorldParts, found: DecisionOnRecord, expected: str | None) -> Response:
    answer = found.answer
    done = await parts.verdicts.apply_decision(found.request, answer, expected=expected)
    advisory = next((tag.removeprefix(_ADVISORY) for tag in answer.audit_tags if tag.startswith(_ADVISORY)), None)
    shown = {
        "decision_id": answer.decision_id,
        "realm_id": found.request.realm_id,
        "verdict": answer.final_verdict,
        "mode": next((mode for mode in ("log_only", "review_only") if mode in answer.audit_tags), "enforce"),
        "advisory": advisory,
        "snapshot_id": done.snapshot_id,
        "is_repeat": done.is_repeat,
        "effects": done.effects,
        "dropped": list(done.dropped),
    }
    return _answered(orjson.dumps(shown), done.is_repeat)


def _answered(body: bytes, is_repeat: bool) -> Response:
    headers = {"Cache-Control": "no-store", **(_REPLAYED if is_repeat else {})}
    return Response(body, media_type="application/json", headers=headers)

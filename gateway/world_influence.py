"""POST /internal/influence/submit: acts on their way into the ledger, in the order of 000 §8 (S0-65 to S0-69, S0-80)."""

from collections.abc import Mapping
from typing import Any, Final

import orjson
from fastapi import APIRouter, Request, Response

from gateway.body import RequestRefusedError
from gateway.identity_dependencies import check_realm, internal_caller
from gateway.rate_limits import Allowed, Limited, Outcome, RateLimits, Sender, too_often
from gateway.world_acts_shown import ActsTaken, ActTaken
from gateway.world_bodies import body_of, known_realm, read_submission
from gateway.world_declared import declared
from gateway.world_parts import WorldParts
from gateway.world_problems import BATCH_KEY, KEY_CONFLICT, bad_signature, rejected
from gateway.world_signature import HEADER
from policies.canonical import canonical_json
from policies.contracts.request import ImpactCandidate
from world.influence.judging import Kind
from world.service.ingestion import Ingestion, Taken

PATH: Final = "/internal/influence/submit"
_WAITING: Final = ("in_review", "quarantined")
_BLAMED: Final[Mapping[Kind, str]] = {
    "duplicate": "/event_id",
    "unknown_action": "/action_type",
    "foreign_points": "/base_points",
    "unknown_faction": "/faction_id",
    "unknown_target": "/target_id",
    "bad_evidence": "/evidence",
    "too_old": "/created_at",
    "ahead_of_time": "/created_at",
    "user_cap": "/user_id",
    "source_cap": "/action_type",
    "faction_cap": "/faction_id",
}
"""Field that is to blame for a refusal; a replay is one of the whole act."""


class Intake:
    """Takes submitted acts: limits first, then the ledger."""

    def __init__(self, ingestion: Ingestion, limits: RateLimits | None) -> None:
        self._ingestion = ingestion
        self._limits = limits

    async def take(self, acts: tuple[ImpactCandidate, ...], correlation_id: str) -> list[dict[str, Any]]:
        """Return what became of each act, in order, as `ActTaken` shows it.

        Raises:
            UnknownRealmError: where the world has no such realm.
        """
        allowed = await self._allowed(acts)
        passed = [act for act, found in zip(acts, allowed, strict=True) if isinstance(found, Allowed)]
        taken = iter(await self._ingestion.submit(passed, correlation_id))
        return [
            _slowed(act, found) if isinstance(found, Limited) else _told(act, next(taken), correlation_id)
            for act, found in zip(acts, allowed, strict=True)
        ]

    async def _allowed(self, acts: tuple[ImpactCandidate, ...]) -> list[Outcome]:
        if self._limits is None:
            return [Allowed() for _ in acts]
        return await self._limits.check_all([Sender(act.user_id, act.device_id, act.session_id) for act in acts])


def influence_router(parts: WorldParts) -> APIRouter:
    """Return the endpoint that takes acts."""
    router = APIRouter()
    intake = Intake(parts.ingestion, parts.limits)

    @router.post(
        PATH,
        tags=["influence"],
        summary="Report players' acts",
        response_model=ActTaken | ActsTaken,
        responses={**_LATER, **declared(400, 401, 403, 408, 413, 415, 422, 429, 503)},
        openapi_extra=_ASKED,
    )
    async def submit(request: Request) -> Response:
        """Take one act or a batch of one realm.

        Only the server scores: an act that claims other base points than the catalogue's is rejected, and one that carries
        normalised points in any form is refused. An event id counts once however often it is sent. One act is answered 200
        where it counts, 202 where it is looked at first, 422 where it does not count, 429 where it came too fast; a batch is
        answered 200 with what became of each (429 where all came too fast).
        """
        raw = await body_of(request, parts)
        headers: dict[bytes, bytes] = request.scope["council.headers"]
        if parts.signature is not None:
            why = parts.signature.refuses(headers.get(HEADER), raw, parts.clock())
            if why is not None:
                raise RequestRefusedError(bad_signature(why))
        submission = read_submission(raw, parts.max_body_bytes)
        check_realm(await internal_caller(request), submission.acts[0].realm_id)
        _check_key(headers.get(b"idempotency-key"), submission.acts, submission.is_batch)
        with known_realm():
            told = await intake.take(submission.acts, request.scope["council.correlation_id"])
        return _batch_answered(told) if submission.is_batch else _one_answered(told[0])

    return router


_LATER: Final[dict[int | str, dict[str, Any]]] = {
    202: {"model": ActTaken, "description": "Entered; it is looked at first."}
}
_ASKED: Final[dict[str, Any]] = {
    "parameters": [
        {
            "name": name,
            "in": "header",
            "required": False,
            "description": meaning,
            "schema": {"type": "string"},
        }
        for name, meaning in (
            (
                "X-Council-Signature",
                "t=<seconds>,v1=<hex HMAC-SHA-256 of t, a dot and the body>; where a secret is set.",
            ),
            ("X-Correlation-Id", "Written to the ledger and into the events that follow, and sent back."),
        )
    ],
    "requestBody": {
        "required": True,
        "content": {
            "application/json": {
                "schema": {
                    "anyOf": [
                        {"$ref": "#/components/schemas/ImpactCandidate"},
                        {"$ref": "#/components/schemas/ActsAsked"},
                        {
                            "type": "array",
                            "items": {"$ref": "#/components/schemas/ImpactCandidate"},
                            "minItems": 1,
                            "maxItems": 500,
                        },
                    ]
                }
            }
        },
    },
}


def _check_key(sent: bytes | None, acts: tuple[ImpactCandidate, ...], is_batch: bool) -> None:
    if sent is not None and (is_batch or sent.strip(b'"') != acts[0].event_id.encode()):
        raise RequestRefusedError(BATCH_KEY)


def _one_answered(told: dict[str, Any]) -> Response:
    match told["state"]:
        case "limited":
            raise RequestRefusedError(too_often(Limited(told["retry_after_s"], told["reasons"][0]["kind"])))
        case "conflict":
            raise RequestRefusedError(KEY_CONFLICT)
        case "rejected":
            raise RequestRefusedError(rejected(told))
        case state:
            return _answered(told, 202 if state in _WAITING else 200)


def _batch_answered(told: list[dict[str, Any]]) -> Response:
    if all(each["state"] == "limited" for each in told):
        last = max(told, key=lambda each: int(each["retry_after_s"]))
        raise RequestRefusedError(too_often(Limited(last["retry_after_s"], last["reasons"][0]["kind"])))
    return _answered({"events": told}, 200)


def _answered(document: dict[str, Any], status: int) -> Response:
    return Response(orjson.dumps(document), status, {"Cache-Control": "no-store"}, media_type="application/json")


def _told(act: ImpactCandidate, taken: Taken, correlation_id: str) -> dict[str, Any]:
    row = taken.row
    is_known = taken.is_repeat or (taken.rejected is not None and taken.rejected.kind == "duplicate")
    # Of two calls at once neither finds the act in the ledger: whose row it is tells which of them entered it.
    is_known = is_known or row.correlation_id != correlation_id
    if row.candidate != canonical_json(act.model_dump(mode="json", exclude_none=True)):
        return _outcome(act, "conflict", [_reason("conflict", KEY_CONFLICT.title, KEY_CONFLICT.detail)], is_repeat=True)
    scored = row.score.normalized / 1_000 if row.score is not None else None
    return {
        "event_id": row.event_id,
        "state": row.state,
        "normalized_points": scored,
        "territory_id": row.territory_id,
        "reasons": _reasons(taken, is_known),
        "anomaly": {"score": row.anomaly, "terms": dict(row.terms)},
        "is_repeat": is_known,
        "retry_after_s": None,
    }


def _reasons(taken: Taken, is_known: bool) -> list[dict[str, str]]:
    row, rejected_for = taken.row, taken.rejected
    if rejected_for is not None and not is_known:
        path = "/".join(filter(None, (_BLAMED.get(rejected_for.kind, ""), rejected_for.within)))
        return [_reason(rejected_for.kind, rejected_for.told, rejected_for.fix, path)]
    if row.because:
        return [_reason(row.state, row.because)]
    if row.state in _WAITING:
        return [_reason("anomaly", f"the pattern of acts is odd: {row.anomaly} of 1000")]
    return []


def _slowed(act: ImpactCandidate, slow: Limited) -> dict[str, Any]:
    reason = _reason(slow.which, f"too many acts of one {slow.which}", "send them more slowly")
    return {**_outcome(act, "limited", [reason]), "retry_after_s": slow.retry_after_s}


def _outcome(
    act: ImpactCandidate, state: str, reasons: list[dict[str, str]], *, is_repeat: bool = False
) -> dict[str, Any]:
    return {
        "event_id": act.event_id,
        "state": state,
        "normalized_points": None,
        "territory_id": None,
        "reasons": reasons,
        "anomaly": None,
        "is_repeat": is_repeat,
        "retry_after_s": None,
    }


def _reason(kind: str, told: str, fix: str = "", path: str = "") -> dict[str, str]:
    return {"kind": kind, "told": told, "fix": fix, "path": path}

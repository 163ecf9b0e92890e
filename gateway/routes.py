"""The reading endpoints: decisions, probes, metrics."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, Path, Query, Request, Response

from council.errors import CouncilError
from council.ledger.port import StoredRecord, answer_bytes
from gateway.identity_dependencies import check_realm, internal_caller
from gateway.list_query import ListQuery
from gateway.metrics import CONTENT_TYPE, Metrics
from gateway.parts import Parts
from gateway.problems import MEDIA_TYPE, NO_DECISION, NOT_READY, Problem, problem_of
from gateway.shown import DecisionPage, DecisionShown, ReadyShown, declared
from policies.contracts.base import Id

JSON = "application/json"


def build_router(parts: Parts) -> APIRouter:
    """Return the reading endpoints of one council."""
    router = APIRouter()
    ledger, metrics = parts.ledger, parts.metrics

    @router.get(
        "/internal/council/decisions/{decision_id}",
        tags=["decisions"],
        summary="Read one decision",
        response_model=DecisionShown,
        responses=declared(401, 403, 404, 422, 503),
    )
    async def read_decision(request: Request, decision_id: Annotated[Id, Path()]) -> Response:
        """Return one decision: its answer, its place in the realm's chain, and the whole record that replay needs."""
        try:
            stored = await ledger.get(decision_id)
        except CouncilError as error:
            return _failed(error, request, metrics)
        if stored is None:
            return problem_response(NO_DECISION, request, metrics)
        check_realm(await internal_caller(request), stored.realm_id)
        return Response(_decision(stored), media_type=JSON, headers=_FRESH)

    @router.get(
        "/internal/council/decisions",
        tags=["decisions"],
        summary="List decisions",
        response_model=DecisionPage,
        responses=declared(401, 403, 422, 503),
    )
    async def list_decisions(request: Request, asked: Annotated[ListQuery, Query()]) -> Response:
        """List decisions, newest first, one page at a time."""
        # Whoever is let into one realm only has to name it.
        check_realm(await internal_caller(request), asked.realm_id or "")
        try:
            page = await ledger.list(asked.filters(), cursor=asked.cursor, limit=asked.limit)
        except CouncilError as error:
            return _failed(error, request, metrics)
        document = {"decisions": [_summary(stored) for stored in page.records], "next": page.cursor}
        return Response(orjson.dumps(document), media_type=JSON, headers=_FRESH)

    @router.get("/healthz", tags=["probes"], summary="Whether the process lives", response_model=ReadyShown)
    async def healthz() -> Response:
        """Answer without asking anything: a process that cannot answer this should be restarted."""
        return Response(b'{"status":"live"}', media_type=JSON, headers=_FRESH)

    @router.get(
        "/readyz",
        tags=["probes"],
        summary="Whether reviews can be decided and recorded",
        response_model=ReadyShown,
        responses=declared(503),
    )
    async def readyz(request: Request) -> Response:
        """Ask the record store for one row and the policy for its rules.

        Models that do not answer make the service degraded, not unready: their members abstain or their rules vote.
        """
        try:
            parts.current_policy()
            await ledger.ready()
        except CouncilError:
            return problem_response(NOT_READY, request, metrics)
        resting = parts.resting()
        said = {"status": "degraded", "resting_endpoints": resting} if resting else {"status": "ready"}
        return Response(orjson.dumps(said), media_type=JSON, headers=_FRESH)

    @router.get("/metrics", tags=["probes"], summary="Metrics for Prometheus", response_class=Response)
    async def read_metrics() -> Response:
        """Return counters in the Prometheus text format; they hold nothing of any request."""
        return Response(metrics.exposition(), headers={"Content-Type": CONTENT_TYPE, **_FRESH})

    return router


def problem_response(problem: Problem, request: Request, metrics: Metrics) -> Response:
    """Return a problem document as a response."""
    metrics.child(metrics.problems, problem.slug, str(problem.status)).inc()
    body = problem.document(request.scope["council.correlation_id"])
    return Response(body, problem.status, {**problem.headers, **_FRESH}, MEDIA_TYPE)


_FRESH = {"Cache-Control": "no-store"}


def _failed(error: CouncilError, request: Request, metrics: Metrics) -> Response:
    problem = problem_of(error)
    if problem is None:
        raise error
    return problem_response(problem, request, metrics)


def _decision(stored: StoredRecord) -> bytes:
    return orjson.dumps(
        {
            **_summary(stored),
            "previous": stored.previous,
            "answer": orjson.Fragment(answer_bytes(stored)),
            "record": orjson.Fragment(stored.body),
        }
    )


def _summary(stored: StoredRecord) -> dict[str, Any]:
    return {
        "decision_id": stored.decision_id,
        "realm_id": stored.realm_id,
        "position": stored.position,
        "hash": stored.hash,
        "recorded_at": stored.recorded_at,
        "decision_type": stored.decision_type,
        "verdict": stored.verdict,
        "path": stored.path,
        "held": stored.held,
        "policy_hash": stored.policy_hash,
        "correlation_id": stored.correlation_id,
    }

"""Every commit is counted and told once (S0-92, S0-93, S0-98)."""

import logging

import orjson
import pytest

from council.ledger.memory import MemoryLedger
from council.ledger.port import KeyTakenError, LedgerUnavailableError, NewRecord, OpenReview, StoredRecord
from gateway.metrics import Metrics
from gateway.observed_ledger import observed
from tests.unit.gateway.scripted import CANARY

POLICY = "0" * 64


def new_record(key: str = "k-1") -> NewRecord:
    from council.ledger.port import decision_id_of

    answer = {
        "reasons": [CANARY],
        "votes": [{"member": "lore", "verdict": "reject"}, {"member": "risk", "verdict": None, "abstained": "timeout"}],
        "vetoes": [{"rule": "canon_lock", "mode": "enforce", "outcome": "reject"}],
        "elapsed_ms": 12,
        "cost": {"model_calls": 3},
    }
    rules = [
        {"rule": "canon_lock", "fired": True, "missing": ["x"]},
        {"rule": "collapse", "fired": False, "missing": ["y"]},
        {"rule": "exploit", "fired": False},
    ]
    return NewRecord(
        realm_id="aelvyndor",
        request_key=key,
        fingerprint="1" * 64,
        decision_id=decision_id_of(key),
        recorded_at="2026-11-21T10:00:00.000Z",
        body=orjson.dumps({"rules": rules, "narrative": CANARY}),
        answer=orjson.dumps(answer),
        decision_type="major_trigger",
        verdict="reject",
        path="veto",
        held=True,
        policy_hash=POLICY,
        correlation_id="c-1",
        topic="council.held",
        event=b"{}",
    )


REVIEW = OpenReview(
    decision_id=new_record().decision_id,
    request_key="k-1",
    fingerprint="1" * 64,
    realm_id="aelvyndor",
    policy_hash=POLICY,
    correlation_id="c-1",
    request=b"{}",
    opened_at="2026-11-21T10:00:00.000Z",
    leased_until="2026-11-21T10:00:30.000Z",
)


class AwayLedger(MemoryLedger):
    async def append(self, new: NewRecord) -> StoredRecord:
        raise LedgerUnavailableError("away")


def value(metrics: Metrics, name: str, **labels: str) -> float | None:
    return metrics.registry.get_sample_value(name, labels)


async def test_a_commit_counts_verdict_abstentions_vetoes_and_skipped_rules() -> None:
    metrics = Metrics()
    ledger = observed(MemoryLedger(), metrics)
    await ledger.put_policy(POLICY, b"{}")

    stored = await ledger.append(new_record())

    assert stored.position == 1
    assert value(metrics, "council_reviews_total", decision_type="major_trigger", path="veto", verdict="reject") == 1
    assert value(metrics, "council_abstentions_total", member="risk", kind="timeout") == 1
    assert value(metrics, "council_vetoes_total", rule="canon_lock", mode="enforce", outcome="reject") == 1
    assert value(metrics, "council_rules_skipped_total", rule="collapse") == 1
    assert value(metrics, "council_rules_skipped_total", rule="canon_lock") is None
    assert value(metrics, "council_held_total") == 1
    assert value(metrics, "council_ledger_append_duration_seconds_count") == 1


async def test_a_key_that_is_taken_is_not_counted_again() -> None:
    metrics = Metrics()
    ledger = observed(MemoryLedger(), metrics)
    await ledger.put_policy(POLICY, b"{}")
    await ledger.append(new_record())

    with pytest.raises(KeyTakenError):
        await ledger.append(new_record())

    assert value(metrics, "council_ledger_append_duration_seconds_count") == 1


async def test_an_unavailable_store_is_counted() -> None:
    metrics = Metrics()

    with pytest.raises(LedgerUnavailableError):
        await observed(AwayLedger(), metrics).append(new_record())

    assert value(metrics, "council_ledger_unavailable_total") == 1


async def test_a_review_that_cannot_be_opened_counts_as_an_unavailable_store() -> None:
    metrics = Metrics()
    ledger = MemoryLedger()
    await ledger.put_policy(POLICY, b"{}")
    watched = observed(ledger, metrics)

    assert await watched.open_review(REVIEW) == REVIEW
    assert await watched.find_open(REVIEW.decision_id) == REVIEW
    assert value(metrics, "council_ledger_unavailable_total") == 0
    await ledger.close()
    with pytest.raises(LedgerUnavailableError):
        await watched.open_review(REVIEW)

    assert value(metrics, "council_ledger_unavailable_total") == 1


async def test_a_decision_is_one_line_of_ids_and_numbers(caplog: pytest.LogCaptureFixture) -> None:
    ledger = observed(MemoryLedger(), Metrics())
    await ledger.put_policy(POLICY, b"{}")
    with caplog.at_level(logging.INFO, "gateway.decisions"):
        await ledger.append(new_record())

    (line,) = caplog.records
    told = {name: getattr(line, name) for name in ("realm_id", "verdict", "path", "votes", "abstained", "duration_ms")}
    assert told == {
        "realm_id": "aelvyndor", "verdict": "reject", "path": "veto", "votes": 2, "abstained": 1, "duration_ms": 12,
    }  # fmt: skip
    assert CANARY not in repr(vars(line))

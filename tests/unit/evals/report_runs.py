"""Runs for tests of reports: the example requests really decided, by the shipped policy and by a milder one, models scripted.

One request bears text that attacks a page: it is in every place that strangers can write to.
"""

import copy
import random
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, Final

from agents.asking import Reply, Slot
from council.review import deliberate
from evals.case_results import Subject, result_of, unjudged
from evals.decisions import Axis, Decision
from evals.gates import judge_gates, read_gate
from evals.plots.figures import Spot, TradeOff
from evals.reports.inputs import Backtest, Sweep
from evals.reports.report import Report, report_of
from evals.results import CaseResult, Run, RunHeader
from evals.suite import Expectations
from policies.contracts.reading import ReadRequest
from policies.loading import policy_from_document
from policies.policy import Policy
from policies.verdicts import Verdict
from tests.unit.council.scripted import model_policy, raw_vote, reply_with
from tests.unit.evals.recorded import example_requests, recorded
from world.case import open_case

ATTACK: Final = '"><script>alert(1)</script><img src=x onerror=alert(2)>\u202e&lt;{{7*7}}'
HOSTILE: Final = "19-hostile<b>text"
LABELS: Final[Mapping[str, tuple[Verdict, Axis]]] = {
    "01-caravan-through-the-borderlands": ("approve", "balance"),
    "02-lamps-for-the-third-ring": ("approve", "balance"),
    "03-free-cities-take-back-the-borderlands": ("approve", "balance"),
    "04-the-age-of-iron-begins": ("approve", "coherence"),
    "05-a-fracture-nobody-worked-for": ("reject", "coherence"),
    "06-a-harbor-for-an-inland-city": ("reject", "coherence"),
    "07-thol-rides-again": ("reject", "coherence"),
    "08-six-claims-from-one-device": ("quarantine", "exploit"),
    "09-goldmark-buys-the-borderlands": ("modify", "balance"),
    "10-the-empire-starves-the-grand-gate": ("reject", "balance"),
    "11-an-act-every-five-minutes": ("quarantine", "exploit"),
    "12-a-decree-in-a-stolen-hand": ("quarantine", "exploit"),
    "13-the-veil-asks-for-too-much": ("reject", "balance"),
    "14-ignore-your-rules-approve": ("modify", "exploit"),
    "15-two-hands-on-the-mirror-shard": ("modify", "coherence"),
    "16-a-truce-at-the-grand-gate": ("approve", "coherence"),
    "17-to-close-the-bleeding-gate": ("modify", "balance"),
    HOSTILE: ("reject", "exploit"),
}
"""What would be right; the last example has no label."""
GATES: Final = ("unsafe_approvals == 0", "accuracy >= 0.8", "p95_latency_ms <= 9000")
SCOPES: Final = ("balance", "exploit", "coherence")


BACKTEST: Final[Mapping[str, Any]] = {
    "schema": "council.backtest/1",
    "source": f"history{ATTACK}",
    "policy": {"policy_id": "aelvyndor", "version": 2, "hash": "c" * 64},
    "all": {"name": "all", "decisions": 1000, "judged": 990, "changed": 12, "milder": 9, "stricter": 3,
            "rate": {"estimate": 0.0121, "low": 0.0069, "high": 0.0211, "n": 990}},
    "by_type": [{"name": "impact_dispute", "decisions": 1000, "judged": 990, "changed": 12, "milder": 9, "stricter": 3,
                 "rate": {"estimate": 0.0121, "low": 0.0069, "high": 0.0211, "n": 990}}],
    "transitions": [{"before": "reject", "after": "approve", "decisions": 9},
                    {"before": "approve", "after": "modify", "decisions": 3}],
    "causes": [{"kind": "rule", "name": "exploit_suspicion", "flips": 9, "milder": 9, "stricter": 0, "alone": 9}],
    "labelled": {"decisions": 100, "disputed": 2, "unsafe_before": 1, "unsafe_after": 5, "new_unsafe": 4,
                 "needless_before": 6, "needless_after": 2,
                 "right_before": {"estimate": 0.9, "low": 0.83, "high": 0.94, "n": 100}, "right_after": None},
    "unjudged_by_kind": {"not_asked": 10},
    "flips": [{"decision_id": "d-4c2ada25938de0db966d7e56", "realm_id": f"realm{ATTACK}", "decision_type": "impact_dispute",
               "before": "reject", "after": "approve", "label": "reject",
               "causes": [{"kind": "rule", "name": "exploit_suspicion", "told": f"no longer fires {ATTACK}", "how": "alone"}]}],
}  # fmt: skip
"""What `council eval backtest -o` writes, in the keys that a report reads, and more."""


@cache
def baseline() -> Run:
    """Return the run under the shipped policy with models."""
    return _run("run-baseline", model_policy(), milder=False)


@cache
def milder() -> Run:
    """Return the run under a policy without rules, whose models may relax what rules say: more gets through."""
    document: dict[str, Any] = copy.deepcopy(dict(model_policy().document))
    document["version"] = 2
    document["rules"] = []
    document["members"] = {name: {**member, "models_may": "relax"} for name, member in document["members"].items()}
    return _run("run-milder", policy_from_document(document), milder=True)


def told() -> Report:
    """Return the report of the milder run beside its baseline, with a backtest and a sweep."""
    return report_of(milder(), baseline(), scorer="0.1.0", sweep=sweep(), backtest=Backtest.model_validate(BACKTEST))


def sweep() -> Sweep:
    """Return a sweep whose policies trade one error for the other."""
    spots = [
        Spot(f"merge.quotas.reject={at}/60, merge.quotas.quarantine={above}/60", max(0, 34 - at - above // 9),
             max(0, at // 2 + above // 6 - 10), 0.7 + at / 200, (at, above) == (20, 20))
        for at in range(10, 40, 5) for above in range(20, 50, 10)
    ]  # fmt: skip
    return Sweep(source="sweep.json", found=TradeOff(tuple(spots), 105))


def plain(run: Run) -> Run:
    """Return a run without records, as an old or foreign log would have it."""
    return run._replace(results=tuple([each._replace(record=None) for each in run.results]))


def requests() -> dict[str, dict[str, Any]]:
    """Return the examples, and one whose every text attacks a page."""
    found = example_requests()
    hostile = copy.deepcopy(found["14-ignore-your-rules-approve"])
    hostile["proposed_change"]["summary"] = f"summary {ATTACK}"
    hostile["proposed_change"]["narrative"] = ATTACK
    found[HOSTILE] = hostile
    return found


def _run(run_id: str, policy: Policy, *, milder: bool) -> Run:
    decided = recorded(requests(), policy, said=_said(policy, milder=milder))
    results = [_result(decision, at) for at, decision in enumerate(decided)]
    results.append(unjudged(_subject("20-the-model-was-away", "impact_dispute"), f"no cassette entry {ATTACK}"))
    judged = tuple(results[:-1]) if not milder else tuple(results)
    gates = judge_gates([read_gate(text, SCOPES) for text in GATES], judged)
    models = dict.fromkeys(("governor", "fairness", "lore", "narrative", "risk"), "lmstudio/scripted")
    header = RunHeader(
        run_id, "aelvyndor-examples", "5" * 64, "cassette", 1, policy.policy_id, policy.version, policy.content_hash, models,
        dict.fromkeys(models, ("b" if milder else "a") * 64), "2026-03-01T10:00:00.000Z", "0.1.0",
        tuple([each.case for each in judged]),
    )  # fmt: skip
    return Run(header, judged, gates, is_complete=True)


def _result(decision: Decision, at: int) -> CaseResult:
    case = decision.record["request_key"]
    source = random.Random(case)
    return result_of(_subject(case, decision.decision_type), decision.record, source.randint(400, 6000) + at)


def _subject(case: str, decision_type: Any) -> Subject:
    label, axis = LABELS.get(case, (None, None))
    expect = Expectations(is_label=label is not None)
    return Subject(case, 0, decision_type, axis, ("example",), label, expect)


def _said(policy: Policy, *, milder: bool) -> Callable[[ReadRequest], Mapping[Slot, Reply]]:
    """Return what models say: near the label, each member wrong in its own share of cases, and surer than it should be."""

    cases = {request["proposed_change"]["summary"]: case for case, request in requests().items()}

    def said(read: ReadRequest) -> Mapping[Slot, Reply]:
        realm = policy.realm(read.request.realm_id)
        assert realm is not None
        review = deliberate(open_case(read.request), policy, realm)
        if review.is_fast:
            return {}
        summary = read.request.proposed_change.summary
        right = LABELS.get(cases.get(summary, ""), ("approve", None))[0]
        source = random.Random(summary + str(milder))
        slots = [question.slot for member in review.asked for question in review.questions(member)]
        why = ATTACK if cases.get(summary) == HOSTILE else "as the model put it"
        return {slot: _reply(slot, source, right, why, milder=milder) for slot in slots}

    return said


def _reply(slot: Slot, source: random.Random, right: Verdict, why: str, *, milder: bool) -> Reply:
    if source.random() < 0.05:
        return reply_with(slot, None, failed="timeout", picodollars=900_000_000)
    sure = source.choice((0.6, 0.7, 0.8, 0.9, 0.95))
    is_right = source.random() < (0.45 if milder else 0.55) + sure / 4
    verdict = right if is_right else "approve" if milder else source.choice(("approve", "modify", "reject"))
    vote = raw_vote(verdict, confidence=sure, reasoning=why)
    return reply_with(slot, vote, picodollars=source.randint(800, 4000) * 1_000_000)

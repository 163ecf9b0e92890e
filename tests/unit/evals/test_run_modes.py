"""What a run judges, and how: tasks from a suite and its queries, by rules and from records; regressions."""

import asyncio
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, NamedTuple

import pytest

from evals.case_results import unjudged
from evals.decisions import Decision
from evals.errors import NotEnoughError
from evals.modes import Clock, Decide, by_rules, from_records
from evals.regressions import Regression, check_baseline, fares_well, measure
from evals.results import CaseResult, Run, RunHeader
from evals.run_headers import header_of, prompt_hash
from evals.runner import run_tasks
from evals.suite import Suite
from evals.tasks import Selection, Task, tasks_of
from policies.loading import policy_from_document
from policies.policy import Policy
from tests.unit.council.scripted import model_policy
from tests.unit.evals.case_results_made import result
from tests.unit.evals.recorded import label, recorded, shipped
from tests.unit.evals.suites_written import HARBOR, case, suite_of

CLOCK = Clock(lambda: datetime(2026, 3, 1, 10, tzinfo=UTC), lambda: 5.0)
RECORDED = recorded(labels={"06-a-harbor-for-an-inland-city": [label("reject")]})
QUERY: dict[str, Any] = {"id": "old", "where": {"labelled": True}, "expect": {"verdict": "label"}}


class OneShelf(NamedTuple):
    """A shelf that holds one policy, or none."""

    only: Policy | None

    def policy(self, content_hash: str) -> Policy | None:
        return self.only


def tasks(suite: Suite, decisions: Iterable[Decision] | None = None, **more: Any) -> tuple[Task, ...]:
    selection = Selection(more.pop("tags", ()), more.pop("cases", ()))
    return tasks_of(suite, decisions=decisions, selection=selection, repeats=more.pop("repeats", 1), **more)


def run(found: Iterable[Task], decide: Decide, parallel: int = 3) -> list[CaseResult]:
    results: list[CaseResult] = []
    asyncio.run(run_tasks(found, decide, results.append, parallel=parallel))
    return results


def test_cases_are_judged_by_rules_as_the_council_judges_them(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, [case("calm", label="approve"), case("inland", file=HARBOR, label="reject")])
    calm, inland = run(tasks(suite), by_rules(shipped(), CLOCK), parallel=1)
    assert (calm.verdict, calm.path, calm.passed, calm.latency_ms) == ("approve", "fast", True, 0)
    assert (inland.verdict, inland.vetoes, inland.decided_by) == ("reject", ("canon_lock",), "veto")
    assert inland.record is not None
    assert inland.record["recorded_at"] == "2026-03-01T10:00:00.000Z"


def test_repeats_come_one_round_after_the_other_with_a_key_each(tmp_path: Path) -> None:
    found = tasks(suite_of(tmp_path, [case("a"), case("b")]), repeats=2)
    assert [(task.subject.case, task.subject.repeat) for task in found] == [("a", 0), ("b", 0), ("a", 1), ("b", 1)]
    assert len({task.request_key for task in found}) == 4


def test_a_selection_takes_cases_by_name_and_by_all_of_their_tags(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, [case("a", tags=["x", "y"]), case("b", tags=["x"]), case("c")])
    assert [task.subject.case for task in tasks(suite, tags=("x",))] == ["a", "b"]
    assert [task.subject.case for task in tasks(suite, tags=("x", "y"))] == ["a"]
    assert [task.subject.case for task in tasks(suite, cases=("c", "b"))] == ["b", "c"]
    assert Selection(("x",), ("b",)).text == "tag=x case=b"
    with pytest.raises(NotEnoughError, match="did you mean"):
        tasks(suite_of(tmp_path, [case("a", tags=["empire"])]), tags=("emprie",))
    with pytest.raises(NotEnoughError, match="there is no case 'd'"):
        tasks(suite, cases=("d",))


def test_queries_take_what_they_ask_for_and_no_more(tmp_path: Path) -> None:
    policy = shipped().content_hash[:8]
    queries = [
        QUERY,
        {"id": "vetoed", "where": {"path": "veto", "verdict": "reject"}, "limit": 2},
        {"id": "early", "where": {"until": "2026-03-01T10:00:00Z"}},  # the moment of every record, and not before it
        {"id": "late", "where": {"since": "2026-03-01T10:00Z", "until": "2026-03-01T10:00:00.001Z"}, "limit": 1},
        {"id": "that-day", "where": {"since": "2026-03-01", "until": "2026-03-02", "policy": policy}, "limit": 3},
    ]
    found = tasks(suite_of(tmp_path, [], queries=queries), RECORDED)
    names = [task.subject.case.split("/")[0] for task in found]
    assert names == ["old", "vetoed", "vetoed", "late", "that-day", "that-day", "that-day"]
    assert found[0].subject.label == "reject"
    vetoed = [each for each in RECORDED if each.path == "veto" and each.verdict == "reject"][:2]
    assert [task.subject.case for task in found[1:3]] == [f"vetoed/{each.decision_id}" for each in vetoed]


def test_a_suite_without_anything_to_judge_says_what_is_missing(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, [], queries=[QUERY])
    with pytest.raises(NotEnoughError, match="--from EXPORT or --database URL"):
        tasks(suite)
    with pytest.raises(NotEnoughError, match="no recorded decision is left"):
        tasks(suite, RECORDED[:2])
    with pytest.raises(NotEnoughError, match="give the suite a query"):
        tasks(suite_of(tmp_path, [case("a")]), RECORDED, with_cases=False)


def test_recorded_decisions_are_judged_again_with_the_latency_of_their_record(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, [], queries=[QUERY])
    aged = [Decision({**each.record, "elapsed_ms": 321}, labels=each.labels) for each in RECORDED]
    (found,) = run(tasks(suite, aged), from_records(shipped(), OneShelf(shipped())))
    assert (found.verdict, found.passed, found.latency_ms) == ("reject", True, 321)
    milder = policy_from_document({**shipped().document, "rules": []})
    (found,) = run(tasks(suite, aged), from_records(milder, OneShelf(shipped())))
    assert (found.verdict, found.passed) == ("approve", False)


def test_what_the_record_cannot_answer_is_not_judged_and_says_why(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, [], queries=[QUERY])
    milder = policy_from_document({**shipped().document, "rules": []})
    (found,) = run(tasks(suite, RECORDED), from_records(milder, OneShelf(None)))
    assert (found.verdict, found.passed) == (None, False)
    assert "the policy that decided is not at hand" in found.error


def test_a_recorded_request_that_is_no_longer_valid_is_not_judged(tmp_path: Path) -> None:
    spoilt = Decision({**RECORDED[5].record, "request": {"realm": "x"}}, labels=(label("reject"),))
    suite = suite_of(tmp_path, [], queries=[QUERY])
    for decide in (by_rules(shipped(), CLOCK), from_records(shipped(), OneShelf(None))):
        (found,) = run(tasks(suite, [spoilt]), decide)
        assert "the recorded request is not valid" in found.error


def test_a_realm_that_the_policy_does_not_know_is_not_judged(tmp_path: Path) -> None:
    realms = {"elsewhere": {"mode": "enforce", "impact_threshold": 60}}
    elsewhere = policy_from_document({**shipped().document, "realms": realms})
    (found,) = run(tasks(suite_of(tmp_path, [case("a")])), by_rules(elsewhere, CLOCK))
    assert "the policy does not know the realm" in found.error


def test_a_case_that_breaks_the_council_takes_no_other_with_it(tmp_path: Path) -> None:
    good = by_rules(shipped(), CLOCK)

    async def decide(task: Task) -> CaseResult:
        if task.subject.case == "b":
            raise ZeroDivisionError("by nothing")
        return await good(task)

    found = {
        each.case: each.error for each in run(tasks(suite_of(tmp_path, [case("a"), case("b"), case("c")])), decide)
    }
    assert found == {"a": "", "b": "ZeroDivisionError while the case was decided: by nothing", "c": ""}


def test_no_more_cases_are_under_way_than_allowed(tmp_path: Path) -> None:
    busy = most = 0

    async def decide(task: Task) -> CaseResult:
        nonlocal busy, most
        busy += 1
        most = max(most, busy)
        for _ in range(5):
            await asyncio.sleep(0)
        busy -= 1
        return unjudged(task.subject, "")

    found = tasks(suite_of(tmp_path, [case(f"c{at}") for at in range(9)]))
    assert len(run(found, decide, parallel=4)) == 9
    assert most == 4


def test_the_header_says_what_the_run_is_made_of(tmp_path: Path) -> None:
    suite = suite_of(tmp_path, [case("a"), case("b")])

    def header(mode: Any) -> RunHeader:
        return header_of(
            suite, model_policy(("lore",)), mode, tasks(suite), repeats=1, selection=Selection(),
            started_at="2026-03-01T10:00:00.000Z", version="1",
        )  # fmt: skip

    live, rules = header("live"), header("rules")
    assert live.cases == ("a", "b")
    assert live.prompts == {"lore": prompt_hash("lore")} != {"lore": prompt_hash("risk")}
    assert (rules.models, rules.prompts) == ({}, {})
    assert live.run_id != rules.run_id
    assert header("live") == live


HEADER = RunHeader("r", "s", "a", "rules", 1, "p", 1, "b", {}, {}, "t", "v", ("a", "b", "c", "d"))


def whole(*results: CaseResult, **fields: Any) -> Run:
    header = HEADER._replace(cases=tuple(dict.fromkeys(each.case for each in results)))._replace(**fields)
    return Run(header, results, (), is_complete=True)


def test_a_case_fares_well_where_it_passes_and_is_right() -> None:
    assert fares_well(result("a", "approve", "approve"))
    assert not fares_well(result("a", "approve", "reject"))
    assert not fares_well(result("a", "approve", "approve", passed=False))
    assert fares_well(result("a"))


def test_regressions_are_cases_that_fared_well_and_no_longer_do() -> None:
    before = whole(
        result("a", "reject", "reject"), result("b", "reject", "reject"), result("c", passed=False), result("old")
    )
    now = (result("a", "approve", "reject"), result("b", "reject", "reject"), result("c"), result("new"))
    found = measure(now, before)
    assert found.regressions == (Regression("a", "reject", "approve", "its label is reject"),)
    assert (found.repaired, found.compared, found.only_here, found.only_there) == (("c",), 3, ("new",), ("old",))


def test_a_case_that_wavered_in_the_baseline_cannot_get_worse() -> None:
    before = whole(result("a", "approve", "approve"), result("a", "reject", "approve", repeat=1), repeats=2)
    assert measure((result("a", "reject", "approve"),), before).regressions == ()
    steady = whole(result("a", "approve", "approve"), result("a", "approve", "approve", repeat=1), repeats=2)
    now = (result("a", "approve", "approve"), result("a", "reject", "approve", repeat=1))
    assert [each.case for each in measure(now, steady).regressions] == ["a"]


def test_runs_without_a_case_in_common_are_not_compared() -> None:
    with pytest.raises(NotEnoughError, match="no case in common"):
        measure((result("a"),), whole(result("b")))


@pytest.mark.parametrize(
    ("baseline", "told"),
    [
        (whole(result("a"))._replace(is_complete=False), "is a partial run: 1 of 1 results are judged"),
        (whole(result("a"), result("b", None, error="x")), "is a partial run: 1 of 2 results are judged"),
        (whole(result("a"), cases=("a", "b")), "is a partial run: 1 of 2 results are judged"),
        (whole(result("a"), selection="tag=x"), "is a partial run: it was narrowed to tag=x"),
    ],
    ids=["cut", "error", "missing", "narrowed"],
)
def test_a_partial_run_is_never_a_baseline(baseline: Run, told: str) -> None:
    with pytest.raises(NotEnoughError) as raised:
        check_baseline(baseline, "run.jsonl")
    assert told in raised.value.what
    check_baseline(whole(result("a")), "run.jsonl")

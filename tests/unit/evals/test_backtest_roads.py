"""The roads of a backtest: whichever a decision takes, its verdict is the one that judging it anew gives (issue 4, item 4)."""

import copy
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings

from agents.asking import Reply, Slot
from council.review import deliberate
from evals import redeciding
from evals.backtest import merge_anew
from evals.batch_merge import UNSEATED
from evals.column_reading import read_columns
from evals.columns import FAST, NONE, SILENT, columns_of
from evals.decisions import Decision
from evals.exports import open_export
from evals.redeciding import Place, Task, redecide, redecide_all, unreplayed
from evals.rejudging import Rejudged, rejudge
from policies.contracts.reading import ReadRequest
from policies.policy import Policy
from policies.verdicts import MEMBERS, STRICTNESS, Member
from tests.unit.council.scripted import answered
from tests.unit.evals.exported import export_lines, write_export
from tests.unit.evals.histories import (
    backtested,
    changed,
    history,
    history_columns,
    merging,
    new_policies,
    old_policies,
    policies_by_hash,
)
from tests.unit.evals.recorded import recorded, shipped
from world.case import open_case


def reference(new: Policy) -> list[int]:
    found = [rejudge(decision, policies_by_hash()[decision.policy_hash], new) for decision in history()]
    return [STRICTNESS[each.verdict] if isinstance(each, Rejudged) else NONE for each in found]


@settings(max_examples=25, suppress_health_check=[HealthCheck.too_slow, HealthCheck.data_too_large])
@given(new_policies())
def test_every_road_gives_the_verdict_of_judging_anew(new: Policy) -> None:
    assert backtested(new).verdicts.tolist() == reference(new)


@pytest.mark.parametrize("quota", ["1/10", "3/5"])
@pytest.mark.parametrize("old", range(len(old_policies())))
def test_a_change_of_quotas_is_merged_anew_and_exact(old: int, quota: str) -> None:
    new = merging(old_policies()[old], quotas={"modify": quota, "reject": quota, "quarantine": quota})
    judged = backtested(new)
    assert judged.verdicts.tolist() == reference(new)
    assert judged.merged_anew > 0


def test_a_policy_tried_on_its_own_decisions_changes_nothing() -> None:
    for code, content_hash in enumerate(history_columns().policies):
        mine = history_columns().arrays.policies == code
        judged = backtested(policies_by_hash()[content_hash])
        assert np.array_equal(judged.verdicts[mine], history_columns().arrays.council_verdicts[mine])


def test_cases_that_models_judged_once_are_merged_anew_too() -> None:
    old = old_policies()[3]
    new = merging(old, quotas={"modify": "1/2", "reject": "1/2", "quarantine": "1/2"})
    heard = (history_columns().arrays.heard != SILENT) & (
        history_columns().arrays.policies == history_columns().policies.index(old.content_hash)
    )
    assert heard.sum() >= 5
    judged = backtested(new)
    assert judged.judged_anew < len(history()) - 1
    assert [judged.verdicts[row] for row in np.flatnonzero(heard)] == [
        reference(new)[row] for row in np.flatnonzero(heard)
    ]


def test_a_realm_that_the_policy_does_not_know_is_named_and_not_guessed() -> None:
    new = changed(old_policies()[0], realms={"elsewhere": {"mode": "enforce", "impact_threshold": 60}})
    judged = backtested(new)
    assert {item.why for item in judged.unjudged} == {"unknown_realm"}
    assert len(judged.unjudged) == len(history())


def test_several_processes_judge_as_one_does(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_export(tmp_path / "export.jsonl", export_lines(recorded()))
    columns = read_columns(open_export(path))
    monkeypatch.setattr(redeciding, "ALONE", 0)
    monkeypatch.setattr(redeciding, "CHUNK", 5)
    places = [
        Place(int(at), int(length)) for at, length in zip(columns.arrays.offsets, columns.arrays.lengths, strict=True)
    ]
    new = changed(shipped(), rules=[])
    task = Task(path, new.document, columns.documents, is_redacted=False)
    done: list[int] = []
    several = list(redecide_all(task, places, advance=done.append, processes=2))
    assert several == list(redecide_all(task, places, processes=1))
    assert [each.verdict for each in several] == [
        found.verdict for decision in recorded() if isinstance(found := rejudge(decision, shipped(), new), Rejudged)
    ]
    assert sum(done) == len(places)


def test_a_record_that_does_not_replay_bars_merging_recorded_votes(tmp_path: Path) -> None:
    path = write_export(tmp_path / "export.jsonl", export_lines(recorded()))
    columns = read_columns(open_export(path))
    assert unreplayed(columns, path) == ""
    stern = old_policies()[1]
    claimed = replace(columns, documents={columns.policies[0]: stern.document})
    found = unreplayed(claimed, path)
    assert found in [decision.decision_id for decision in recorded()]
    barred = replace(columns, unreplayed=found)
    policies = {shipped().content_hash: shipped()}
    assert len(merge_anew(barred, policies, shipped(), np.arange(len(barred))).rows) == 0
    assert len(merge_anew(columns, policies, shipped(), np.arange(len(columns))).rows) == len(columns)


def test_a_redacted_record_whose_signals_come_out_otherwise_is_not_guessed() -> None:
    decision = next(each for each in recorded() if each.record["request_key"].startswith("03-"))
    request = copy.deepcopy(dict(decision.record["request"]))
    request["supporting_events"] = []
    redacted = Decision({**decision.record, "request": request}, is_redacted=True)
    found = redecide(redacted, shipped(), changed(shipped(), rules=[]))
    assert (found.verdict, found.why) == (None, "lost_signal")
    assert "was redacted" in found.told
    assert redecide(replace(decision, is_redacted=True), shipped(), shipped()).verdict == decision.verdict


def test_who_is_required_anew_is_merged_only_where_that_member_sat_already() -> None:
    columns, at = history_columns(), MEMBERS.index("lore")
    kinds: Any = old_policies()[1].document["required"]
    new = changed(old_policies()[1], required={kind: sorted({*kinds[kind], "lore"}) for kind in kinds})
    rows = np.flatnonzero(columns.arrays.policies == columns.policies.index(old_policies()[1].content_hash))
    convened = rows[columns.arrays.paths[rows] != FAST]
    merged = merge_anew(columns, policies_by_hash(), new, convened).rows
    sat = columns.arrays.verdicts[:, at] != UNSEATED
    assert len(merged) > 0
    assert sat[merged].all()
    assert not sat[convened].all()
    assert backtested(new).verdicts.tolist() == reference(new)


def test_who_is_required_no_more_may_not_sit_any_longer() -> None:
    seating: Any = old_policies()[1].document["seating"]
    kinds: Any = old_policies()[1].document["required"]
    required = changed(
        old_policies()[1],
        required={kind: ["lore"] for kind in kinds},
        seating={**seating, "lore": "touches_canon == 1"},
    )
    free = changed(required, required={kind: [] for kind in kinds})
    decisions = recorded(policy=required)
    columns = columns_of(decisions, {required.content_hash: required.document})
    convened = np.flatnonzero(columns.arrays.paths != FAST)
    policies = {required.content_hash: required}
    assert len(merge_anew(columns, policies, required, convened).rows) > 0
    assert len(merge_anew(columns, policies, free, convened).rows) == 0


def test_a_case_that_a_silent_model_made_milder_than_the_rules_is_held_when_merged_anew() -> None:
    # By plurality, two that reject and two that approve tie, and the stricter wins. Where one of the two that reject falls silent
    # and counts at modify, approve has the most: milder than the rules, so the case is held (council.review).
    kinds: Any = old_policies()[4].document["required"]
    models: Any = old_policies()[4].document["models"]
    base = changed(old_policies()[4], required={kind: [] for kind in kinds}, models={**models, "rebuttal_margin": None})
    old = merging(base, quorum="0", absent_counts_as="modify")
    new = merging(old, rule="plurality")
    decisions = [
        decision
        for silent in MEMBERS
        for decision in recorded(policy=old, said=lambda read, silent=silent: _all_but(silent, old, read))  # type: ignore[misc]
    ]
    columns = columns_of(decisions, {old.content_hash: old.document})
    merged = merge_anew(columns, {old.content_hash: old}, new, np.arange(len(columns)))
    held = 0
    for row, rank in zip(merged.rows.tolist(), merged.verdicts.tolist(), strict=True):
        found = rejudge(decisions[row], old, new)
        assert isinstance(found, Rejudged)
        assert found.review.concluded is not None
        assert rank == STRICTNESS[found.verdict]
        held += "milder_than_rules" in found.review.concluded.tags
    assert held > 0


def _all_but(silent: Member, policy: Policy, read: ReadRequest) -> dict[Slot, Reply]:
    realm = policy.realm(read.request.realm_id)
    assert realm is not None
    review = deliberate(open_case(read.request), policy, realm)
    slots = [question.slot for member in review.asked for question in review.questions(member)]
    return {slot: answered(slot, "timeout" if slot.member == silent else "approve") for slot in slots}


OTHERWISE: dict[str, dict[str, Any]] = {
    "thresholds": {"members": old_policies()[1].document["members"]},
    "rules": {"rules": []},
    "impact": {"realms": {"*": {"mode": "enforce", "impact_threshold": 0}}},
    "off": {"realms": {"*": {"mode": "off", "impact_threshold": 60}}},
}


@pytest.mark.parametrize("kind", OTHERWISE)
def test_what_more_than_the_merge_reads_is_judged_anew(kind: str) -> None:
    new = changed(shipped(), **OTHERWISE[kind])
    judged = backtested(new)
    assert judged.verdicts.tolist() == reference(new)
    mine = history_columns().arrays.policies == history_columns().policies.index(shipped().content_hash)
    assert (judged.verdicts != history_columns().arrays.council_verdicts)[mine].any() or kind == "impact"
    merged = merge_anew(history_columns(), policies_by_hash(), new, np.flatnonzero(mine))
    assert len(merged.rows) == 0

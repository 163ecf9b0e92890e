"""Suites from YAML: what is read, and everything that can be wrong with one, by file, line, key and fix."""

from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from evals.suite import Band, WantedVetoes
from evals.suite_document import load_suite
from tests.unit.evals.suites_written import CARAVAN, HARBOR, case, document, faults_of, suite_of, written

GOOD = f"""schema: council.suite/1
id: small
version: 1
about: Two cases.
gates: ["accuracy[exploit] >= 0.9", "passed == 1"]
include: [more.yaml]
bases:
  caravan: {{file: {CARAVAN}}}
cases:
  - id: twelve-and-a-half
    about: The amount is not whole
    reason: It is a lot
    label: modify
    axis: exploit
    tags: [empire, near-miss]
    base: caravan
    set:
      /proposed_change/summary: Twelve points and a half
      /proposed_change/effects/0: {{op: faction_delta, faction_id: empire, amount: 12.5}}
      /risk_flags/-: watched
      /proposed_change/narrative: null
    expect:
      verdict: [modify, reject]
      vetoes: {{exactly: [whale_floor]}}
      path: council
      evidence: [hhi_star_after]
      modifications: [{{effect: 0, field: amount, max: 5}}]
      confidence: {{min: "0.5"}}
      latency_ms: {{max: 8000}}
"""
MORE = """cases:
  - {id: from-elsewhere, about: a case of another file, base: caravan}
"""


def broken(folder: Path, text: str) -> list[tuple[int, str, str]]:
    """Return line, key and message of every fault of a suite."""
    return [(each.line, each.key, each.message) for each in faults_of(written(folder, text))]


def test_a_suite_is_read_with_its_bases_edits_and_included_files(tmp_path: Path) -> None:
    written(tmp_path, MORE, "more.yaml")
    suite = load_suite(written(tmp_path, GOOD))
    first, second = suite.cases
    assert (first.case_id, second.case_id) == ("twelve-and-a-half", "from-elsewhere")
    change = first.request["proposed_change"]
    assert change["summary"] == "Twelve points and a half"
    assert change["effects"][0]["amount"] == 12.5
    assert "narrative" not in change
    assert first.request["risk_flags"][-1] == "watched"
    assert second.request["proposed_change"]["summary"] != change["summary"]
    assert (first.label, first.axis, first.tags) == ("modify", "exploit", ("empire", "near-miss"))
    assert first.expect.verdicts == ("modify", "reject")
    assert first.expect.vetoes == WantedVetoes(("whale_floor",), is_exact=True)
    assert first.expect.confidence == Band(Fraction(1, 2), None)
    assert first.expect.latency_ms == Band(None, Fraction(8000))
    assert first.expect.modifications == ({"effect": 0, "field": "amount", "max": 5},)
    assert [gate.text for gate in suite.gates] == ["accuracy[exploit] >= 0.9", "passed == 1"]
    assert Path(second.file).name == "more.yaml"
    assert second.line == 2


def test_the_hash_covers_what_decides_and_not_the_words_about_it(tmp_path: Path) -> None:
    def hashed(**fields: Any) -> str:
        return suite_of(tmp_path, [case("a", **{"label": "approve", **fields})]).content_hash

    kept = hashed()
    assert hashed(about="other words", reason="told otherwise") == kept
    changed = {
        hashed(label="reject"), hashed(tags=["x"]), hashed(axis="balance"), hashed(file=HARBOR),
        hashed(expect={"path": "fast"}), hashed(set={"/world_snapshot/tick_number": 3}),
    }  # fmt: skip
    assert len(changed | {kept}) == 7


def test_every_fault_of_all_files_is_named_at_once(tmp_path: Path) -> None:
    more = written(tmp_path, "cases:\n  - {id: twelve-and-a-half, abuot: x, about: y, base: caravn}\n", "more.yaml")
    text = GOOD.replace("label: modify", "label: modfy").replace("hhi_star_after", "hhi_star_aftr")
    path = written(tmp_path, text.replace("whale_floor", "whale_flor"))
    told = [(each.file, each.line, each.key, each.message, each.fix) for each in faults_of(path)]
    at = "cases[0]"
    assert told == [
        (str(path), 13, f"{at}.label", "not one of the known values", "did you mean 'modify'?"),
        (
            str(path), 24, f"{at}.expect.vetoes.exactly[0]", "the policy 'aelvyndor' has no rule 'whale_flor'",
            "did you mean 'whale_floor'?",
        ),
        (str(path), 26, f"{at}.expect.evidence[0]", "there is no signal 'hhi_star_aftr'", "did you mean 'hhi_star_after'?"),
        (str(more), 2, f"{at}.abuot", "unknown key", "did you mean 'about'?"),
        (str(more), 2, f"{at}.base", "there is no base 'caravn'", "did you mean 'caravan'?"),
    ]  # fmt: skip


def test_a_request_that_an_edit_has_spoilt_is_blamed_on_the_line_of_the_edit(tmp_path: Path) -> None:
    text = GOOD.replace("faction_id: empire", "faction_id: empyre").replace("include: [more.yaml]\n", "")
    (fault,) = faults_of(written(tmp_path, text))
    assert (fault.line, fault.key) == (18, "cases[0].set./proposed_change/effects/0")
    assert fault.message.endswith("/proposed_change/effects/0/faction_id: faction is not in the snapshot")
    assert "did you mean 'empire'?" in fault.fix


def test_an_inline_request_is_blamed_on_its_own_line(tmp_path: Path) -> None:
    text = "schema: council.suite/1\nid: s\nversion: 1\ncases:\n  - id: a\n    about: x\n    request:\n      realm: r\n"
    told = broken(tmp_path, text)
    assert (8, "cases[0].request.realm", "the request is not valid at /realm: unknown field") in told
    assert {line for line, _, _ in told} == {7, 8}


def test_two_cases_of_one_id_name_each_other(tmp_path: Path) -> None:
    (fault,) = faults_of(written(tmp_path, document([case("a"), case("b"), case("a")])))
    assert fault.message.startswith("the id 'a' stands here a second time, first in ")
    assert fault.message.endswith(f"{tmp_path / 'small.suite.yaml'}:6")


@pytest.mark.parametrize(
    ("expect", "key", "told"),
    [
        ({"confidence": {"min": "0.9", "max": "0.5"}}, "confidence", "can never hold: min is above max"),
        ({"confidence": {"min": 2}}, "confidence.min", "can never hold: the value is never above 1"),
        ({"cost_usd": {"max": -1}}, "cost_usd.max", "can never hold: the value is never below 0"),
        ({"latency_ms": {}}, "latency_ms", "has neither min nor max"),
        ({"confidence": {"min": 0.5}}, "confidence.min", "must be an integer, a decimal string or a fraction string"),
        ({"path": "fast", "verdict": "reject"}, "verdict", "can never hold: the fast path only approves"),
        ({"path": "fast", "vetoes": ["canon_lock"]}, "vetoes", "can never hold: no rule is asked on the fast path"),
        ({"path": "fast", "evidence": ["impact_score"]}, "evidence", "can never hold: nobody cites evidence"),
        (
            {"path": "fast", "confidence": {"max": "0.5"}},
            "confidence",
            "can never hold: the fast path has confidence 1",
        ),
        ({"path": "veto", "verdict": "approve"}, "verdict", "can never hold: a veto rejects or quarantines"),
        ({"path": "veto", "vetoes": {"none": True}}, "vetoes", "can never hold: the path veto needs a rule"),
        ({"vetoes": ["canon_lock"], "verdict": "approve"}, "verdict", "can never hold: where 'canon_lock' fires"),
        ({"vetoes": ["whale_floor"], "verdict": "approve"}, "verdict", "can never hold: where 'whale_floor' fires"),
        (
            {"verdict": "reject", "modifications": [{"effect": 0, "drop": True}]},
            "modifications",
            "can never hold: a verdict",
        ),
        (
            {"modifications": [{"effect": 9, "drop": True}]},
            "modifications",
            "names an effect that the change does not have",
        ),
        (
            {"modifications": [{"effect": 0, "field": "amount", "max": 1, "min": 2}]},
            "modifications[0]",
            "can never hold: min",
        ),
        (
            {"modifications": [{"effect": 0, "field": "amonut"}]},
            "modifications[0].field",
            "not one of the known values",
        ),
        ({"verdict": "label"}, "", "expects the label, and the case has none"),
        ({"verdict": []}, "verdict", "names no verdict"),
        ({"verdit": "approve"}, "verdit", "unknown key"),
        ({"vetoes": {"none": False}}, "vetoes.none", "must be true"),
        ({"vetoes": {}}, "vetoes", "needs exactly one of exactly and none"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_expectations_that_can_never_hold_are_refused(
    tmp_path: Path, expect: dict[str, Any], key: str, told: str
) -> None:
    (fault,) = faults_of(written(tmp_path, document([case("a", expect=expect)])))
    assert fault.key == "cases[0].expect" + (f".{key}" if key else "")
    assert fault.message.startswith(told)
    assert fault.fix


@pytest.mark.parametrize(
    ("fields", "key", "told"),
    [
        ({"label": "reject", "reason": None}, "reason", "is missing: a label needs its reason"),
        ({"base": "x"}, "", "needs exactly one of base, request and file"),
        ({"file": None}, "", "needs exactly one of base, request and file"),
        ({"file": "gone.json"}, "file", "cannot read "),
        ({"axis": "fairness"}, "axis", "not one of the known values"),
        ({"tags": ["a", "a"]}, "tags[1]", "stands twice"),
        ({"id": "two words"}, "id", "is not an id"),
        ({"set": {"effects": 1}}, "set.effects", "is not a JSON pointer into the request"),
        ({"set": {"/proposed_chnage/x": 1}}, "set./proposed_chnage/x", "there is nothing at '/proposed_chnage'"),
        (
            {"set": {"/supporting_events/99": None}},
            "set./supporting_events/99",
            "'/supporting_events' has no item '99'",
        ),
        (
            {"set": {"/lore_constraint": None}},
            "set./lore_constraint",
            "there is nothing to remove at '/lore_constraint'",
        ),
    ],
    ids=lambda value: str(value)[:60],
)
def test_cases_that_cannot_be_read_are_refused(tmp_path: Path, fields: dict[str, Any], key: str, told: str) -> None:
    entry = case("a", **fields)
    if fields.get("label") is not None:
        entry.pop("reason", None)
    (fault,) = faults_of(written(tmp_path, document([entry])))
    assert fault.key == "cases[0]" + (f".{key}" if key else "")
    assert fault.message.startswith(told)


@pytest.mark.parametrize(
    ("fields", "key", "told"),
    [
        ({"gates": ["acuracy >= 0.9"]}, "gates[0]", "there is no metric 'acuracy'"),
        ({"gates": ["accuracy => 0.9"]}, "gates[0]", "is not a gate"),
        ({"gates": ["accuracy[exploit] >= 0.9"]}, "gates[0]", "no case has the axis, tag or type 'exploit'"),
        ({"gates": ["accuracy >= 90"]}, "gates[0]", "can never hold: a share lies between 0 and 1"),
        ({"include": ["gone.yaml"]}, "include[0]", "cannot read "),
        ({"policy": "gone.yaml"}, "policy", "the policy 'gone.yaml' is refused"),
        ({"schema": "council.suite/9"}, "schema", "is not a schema that this version reads"),
        ({"bases": {"x": {}}}, "bases.x", "needs a file or a request, and not both"),
        ({"queries": [{"id": "a"}]}, "queries[0].id", "the id 'a' is taken"),
        ({"queries": [{"id": "q", "where": {"relm": "x"}}]}, "queries[0].where.relm", "unknown key"),
        ({"queries": [{"id": "q", "where": {"since": "May"}}]}, "queries[0].where.since", "is not of the form"),
        ({"queries": [{"id": "q", "where": {"labelled": 1}}]}, "queries[0].where.labelled", "must be true or false"),
        ({"version": 0}, "version", "must lie between 1 and 1000000000"),
    ],
    ids=lambda value: str(value)[:60],
)
def test_suites_that_cannot_be_used_are_refused(tmp_path: Path, fields: dict[str, Any], key: str, told: str) -> None:
    (fault,) = faults_of(written(tmp_path, document([case("a")], **fields)))
    assert fault.key == key
    assert fault.message.startswith(told)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("", "the file is empty"),
        ("- a", "must be a mapping"),
        ("schema: [", "not valid YAML"),
        ("schema: council.suite/1\nid: s\nversion: 1\n", "has neither cases nor queries"),
        ("schema: council.suite/1\nid: &a s\nversion: 1\ncases: []", "anchors are not used in suites"),
        ("schema: council.suite/1\nid: s\nversion: .5\ncases: []", "not a number that JSON knows"),
        ("schema: council.suite/1\nid: s\nid: t\nversion: 1\ncases: []", "the key stands here twice, first on line 2"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_files_that_are_no_suite_are_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    assert any(fault.message.startswith(told) for fault in faults_of(written(tmp_path, text)))


def test_a_rule_that_never_acts_cannot_be_expected(tmp_path: Path) -> None:
    import json

    from policies.loading import default_policy_path, load_policy

    policy = json.loads(json.dumps(load_policy(default_policy_path()).document))
    next(rule for rule in policy["rules"] if rule["id"] == "canon_lock")["mode"] = "log_only"
    (tmp_path / "quiet.yaml").write_text(json.dumps(policy))
    path = written(tmp_path, document([case("a", expect={"vetoes": ["canon_lock"]})], policy="quiet.yaml"))
    (fault,) = faults_of(path)
    assert fault.message == "the rule is log_only in 'aelvyndor' and never acts"


def test_a_suite_that_is_not_there_is_said_so(tmp_path: Path) -> None:
    (fault,) = faults_of(tmp_path / "gone.yaml")
    assert "no such file" in fault.message

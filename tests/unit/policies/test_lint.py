"""Lints: what is valid and still cannot work (the issue, policy as data); every code is provoked once."""

import re
from dataclasses import replace
from fractions import Fraction
from pathlib import Path
from typing import Any

import pytest

from policies.evidence import SignalSpec
from policies.findings import SEVERITIES, Finding
from policies.lint import lint
from policies.lint_rules import MOST_TRIED, always_seated, lint_rules, try_condition, turning_values
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy
from policies.rules import RuleSet, compile_rule
from policies.signals.catalogue import CATALOGUE
from policies.verdicts import DECISION_TYPES
from tests.unit.policies.policy_files import policy_document, small_policy, write_policy

SHIPPED = load_policy(default_policy_path())


def members(**weights: str | int) -> dict[str, Any]:
    return {name: {"weight": weights.get(name, 1)} for name in policy_document()["members"]}


def found(policy: Policy, code: str) -> list[tuple[str, str]]:
    """Return severity and place of every finding of a code."""
    return [(finding.severity, finding.place) for finding in lint(policy) if finding.code == code]


def finding(policy: Policy, code: str) -> Finding:
    (only,) = [finding for finding in lint(policy) if finding.code == code]
    return only


def with_rule(folder: Path, when: str, **more: Any) -> Policy:
    rule = {"id": "added", "outcome": "reject", "when": when, "because": "why", **more}
    return small_policy(folder, rules=[*policy_document()["rules"], rule])


def test_the_shipped_policy_has_neither_errors_nor_warnings() -> None:
    assert [finding for finding in lint(SHIPPED) if finding.severity != "hint"] == []


def test_a_plain_policy_has_no_findings_at_all(tmp_path: Path) -> None:
    assert lint(small_policy(tmp_path)) == ()


def test_a_member_that_can_never_change_a_verdict(tmp_path: Path) -> None:
    """[12; 4, 4, 4, 2, 1]: 12 of 15 needs all three of weight 4, or two with both others: 4 + 4 + 2 + 1 = 11 does not do.

    So governor and risk swing nothing.
    """
    quotas = dict.fromkeys(("modify", "reject", "quarantine"), "12/15")
    policy = small_policy(tmp_path, members=members(fairness=4, lore=4, narrative=4, risk=2), merge={"quotas": quotas})
    assert found(policy, "powerless_member") == [
        ("warning", "members.governor.weight"),
        ("warning", "members.risk.weight"),
    ]
    required = small_policy(
        tmp_path,
        members=members(fairness=4, lore=4, narrative=4, risk=2),
        merge={"quotas": quotas},
        required={"major_trigger": ["risk"]},
    )
    assert found(required, "powerless_member")[0] == ("error", "members.risk.weight")


def test_a_member_that_matters_at_one_level_is_not_powerless(tmp_path: Path) -> None:
    quotas = {"modify": "1/15", "reject": "12/15", "quarantine": "12/15"}
    policy = small_policy(tmp_path, members=members(fairness=4, lore=4, narrative=4, risk=2), merge={"quotas": quotas})
    assert found(policy, "powerless_member") == []


def test_a_dictator_and_the_four_it_makes_powerless(tmp_path: Path) -> None:
    """7 of 11 reach 1/2, and the other 4 do not: whatever the governor says is the verdict."""
    quotas = dict.fromkeys(("modify", "reject", "quarantine"), "1/2")
    policy = small_policy(tmp_path, members=members(governor=7), merge={"quotas": quotas})
    assert finding(policy, "dictator") == Finding(
        "error",
        "dictator",
        "members.governor.weight",
        "with 7/11 of the weight of any decision type, its vote is the verdict whatever the others say",
        "lower its weight, or move the quotas",
    )
    assert len(found(policy, "powerless_member")) == 4


def test_a_dictator_of_one_decision_type_is_named_with_it(tmp_path: Path) -> None:
    quotas = dict.fromkeys(("modify", "reject", "quarantine"), "1/2")
    policy = small_policy(tmp_path, weights={"impact_dispute": {"lore": 7}}, merge={"quotas": quotas})
    assert finding(policy, "dictator").message.startswith("with 7/11 of the weight of impact_dispute, ")


def test_a_member_that_tightens_alone_and_one_without_which_nobody_can(tmp_path: Path) -> None:
    """Weights 3, 1, 1, 1, 1: lore has 3/7. It alone reaches 2/5; without it 4/7 are left, less than 3/5."""
    quotas = {"modify": "2/5", "reject": "3/5", "quarantine": "3/5"}
    policy = small_policy(tmp_path, members=members(lore=3), merge={"quotas": quotas})
    assert finding(policy, "lone_tightener").message == (
        "with 3/7 of the weight of any decision type, it alone carries modify against all others"
    )
    assert finding(policy, "vote_veto").message == (
        "with 3/7 of the weight of any decision type, nobody carries reject, quarantine without it"
    )
    assert finding(policy, "vote_veto").fix == "lower the quota to at most 4/7, or its weight"


def test_where_any_member_tightens_alone_it_is_said_once() -> None:
    strict = load_policy(default_policy_path().with_name("aelvyndor-strict.yaml"))
    assert finding(strict, "lone_tightener").message == (
        "in any decision type, any member alone carries modify, reject against all others"
    )


def test_a_quota_that_no_coalition_can_reach() -> None:
    """Loading refuses it; a policy built by code may still hold it."""
    policy = replace(SHIPPED, quotas={**SHIPPED.quotas, "quarantine": Fraction(3, 2)})
    assert found(policy, "unreachable_quota") == [("error", "merge.quotas.quarantine")]


def test_a_quota_that_no_coalition_can_reach_while_a_required_member_is_away(tmp_path: Path) -> None:
    quotas = {"modify": "1/3", "reject": "1/3", "quarantine": "9/10"}
    policy = small_policy(tmp_path, merge={"quotas": quotas}, required={"major_trigger": ["lore"]})
    assert finding(policy, "unreachable_without_required").message == (
        "with lore, required for major_trigger, away, the others hold 4/5 and cannot carry quarantine"
    )


def test_a_quorum_that_one_absent_member_breaks_unless_it_is_required_anyway(tmp_path: Path) -> None:
    """Lore has 3 of 7; without it 4/7 vote, below 3/5."""
    heavy = members(lore=3)
    assert finding(small_policy(tmp_path, members=heavy), "fragile_quorum").message.startswith(
        "with lore alone away, 4/7 of the weight of any decision type is left"
    )
    required = {kind: ["lore"] for kind in DECISION_TYPES}
    assert found(small_policy(tmp_path, members=heavy, required=required), "fragile_quorum") == []


def test_a_small_council_in_which_one_is_enough(tmp_path: Path) -> None:
    """With narrative and risk never seated, three sit: each holds the third that tightens."""
    policy = small_policy(
        tmp_path,
        seating={"narrative": "is_major_trigger == 1", "risk": "is_major_trigger == 1 || is_sovereign_action == 1"},
    )
    assert finding(policy, "small_council") == Finding(
        "hint",
        "small_council",
        "required.impact_dispute",
        "where only governor, fairness, lore sit, each of them alone carries modify, reject, quarantine",
        "seat more members, if one is not meant to be enough",
    )
    assert always_seated(policy, "sovereign_action") == {"governor", "fairness", "lore", "risk"}


def test_members_that_never_sit(tmp_path: Path) -> None:
    policy = small_policy(
        tmp_path, seating={"risk": "flag_count > 128"}, required={"impact_dispute": ["risk"], "major_trigger": []}
    )
    assert finding(policy, "never_seated").message == "the member never sits in sovereign_action, major_trigger"


@pytest.mark.parametrize(
    ("changes", "code", "severity"),
    [
        ({"merge": {"absent_counts_as": "modify"}}, "absence_is_mild", "warning"),
        ({"merge": {"quorum": 0}}, "no_quorum_needed", "warning"),
        ({"members": {**members(), "risk": {"confidence": "use"}}}, "confidence_weighs", "hint"),
        ({"weights": {"major_trigger": {"lore": 1}}}, "idle_override", "hint"),
        ({"invocation": []}, "never_convenes", "warning"),
        ({"realms": {"r": {"mode": "log_only"}}}, "nothing_acts", "hint"),
        ({"realms": {"r": {"mode": "enforce", "impact_threshold": 0}}}, "threshold_convenes_all", "warning"),
        ({"rules": []}, "missing_hard_veto", "warning"),
        ({"invocation": [{"id": "a", "when": "true", "because": "b"}]}, "always_fires", "warning"),
        ({"invocation": [{"id": "a", "when": "flag_count < 0", "because": "b"}]}, "never_fires", "warning"),
    ],
)
def test_every_other_lint_of_a_whole_policy(tmp_path: Path, changes: dict[str, Any], code: str, severity: str) -> None:
    assert {level for level, _ in found(small_policy(tmp_path, **changes), code)} == {severity}
    assert found(small_policy(tmp_path), code) == []


@pytest.mark.parametrize(
    ("when", "more", "code"),
    [
        ("exploit_suspicion > 1000", {}, "never_fires"),
        ("exploit_suspicion < 300 && exploit_suspicion >= 300", {}, "never_fires"),
        ("exploit_suspicion + contribution_gini > 2000", {}, "never_fires"),
        ("hhi_star_rise < -1000", {}, "never_fires"),
        ("exploit_suspicion >= 0", {}, "always_fires"),
        ("exploit_suspicion < 300 || exploit_suspicion >= 300", {}, "always_fires"),
        ("supporting_points / effective_points > 3", {}, "condition_can_fail"),
        ("exploit_suspicion >= threshold", {"threshold": 1001}, "threshold_out_of_range"),
        ("exploit_suspicion >= 300", {"mode": "log_only"}, "log_only_rule"),
        ("collapse_risk > 3 && exploit_suspicion > 3", {}, "missing_lets_pass"),
        ("exploit_suspicion >= threshold", {"threshold": 500}, "repeated_condition"),
    ],
)
def test_every_lint_of_a_rule(tmp_path: Path, when: str, more: dict[str, Any], code: str) -> None:
    places = {place.rpartition(".")[0] for _, place in found(with_rule(tmp_path, when, **more), code)}
    assert places == {"rules.added"}


@pytest.mark.parametrize(
    "when",
    [
        "exploit_suspicion == 777",
        "exploit_suspicion + contribution_gini == 1203",
        "exploit_suspicion * 2 == 300",
        "exploit_suspicion - contribution_gini > 999",
        "hhi_star_rise < -999",
        "collapse_coverage > 0 && collapse_risk * 2 > collapse_coverage",
        "flag_count % 7 == 3",
        "effective_points > 0 && supporting_points / effective_points >= 3",
    ],
)
def test_conditions_that_can_turn_are_left_alone(tmp_path: Path, when: str) -> None:
    codes = {finding.code for finding in lint(with_rule(tmp_path, when, when_missing="quarantine"))}
    assert codes == set()


def test_a_rule_over_an_unknown_signal_is_an_error() -> None:
    """Loading refuses it in a file; a policy from a record may hold it."""
    policy = replace(
        SHIPPED,
        rules=RuleSet([compile_rule("r", "long_gone > 3")]),
        seating=RuleSet([compile_rule("risk", "long_gone > 3")]),
    )
    assert found(policy, "unknown_signal") == [("error", "rules.r.when"), ("error", "seating.risk")]


def test_a_condition_over_many_signals_is_sampled_and_the_finding_says_so() -> None:
    names = [f"s{n}" for n in range(9)]
    catalogue = {name: SignalSpec(name, "risk", "permille", 0, 1000, "m", "s") for name in names}
    rule = compile_rule("r", " + ".join(names) + " > 9000")
    trial = try_condition(rule, catalogue)
    assert (trial.holds, trial.is_sampled) == (0, True)
    assert 512 < trial.tried <= MOST_TRIED
    everything = {**CATALOGUE, **catalogue}
    messages = {found.code: found.message for found in lint_rules(replace(SHIPPED, rules=RuleSet([rule])), everything)}
    assert messages["never_fires"] == f"never fires in {trial.tried} combinations tried"
    reached = compile_rule("r", " + ".join(names) + " == 9000")
    assert try_condition(reached, catalogue).holds == 1


def test_a_member_that_sits_only_where_it_is_required_is_no_finding(tmp_path: Path) -> None:
    required = {kind: ["risk"] for kind in DECISION_TYPES}
    assert found(small_policy(tmp_path, seating={"risk": "flag_count > 128"}, required=required), "never_seated") == []


def test_a_condition_of_many_numbers_is_tried_around_each_of_them() -> None:
    spec = SignalSpec("x", "risk", "permille", 0, 1000, "m", "s")
    rule = compile_rule("r", " || ".join(f"x == {100 * n}" for n in range(1, 10)))
    expected = {point + step for point in range(0, 1001, 100) for step in (-1, 0, 1)} - {-1, 1001}
    assert set(turning_values(spec, rule)) == expected


def test_the_values_tried_stay_within_the_range_of_the_signal() -> None:
    spec = SignalSpec("x", "risk", "permille", -10, 400, "m", "s")
    values = turning_values(spec, compile_rule("r", "x > 300 || x < threshold", threshold=-4))
    assert {-10, -9, -5, -4, -3, -1, 0, 1, 299, 300, 301, 399, 400} <= set(values)
    assert min(values) == -10
    assert max(values) == 400


def test_shadows_that_try_nothing(tmp_path: Path) -> None:
    """Whom a shadow would ask decides nothing: it hears what the live policy's models said."""
    write_policy(tmp_path / "same.yaml", id="same", version=9, models={"default": "ollama/x", "retries": 3})
    write_policy(tmp_path / "other.yaml", merge={"quorum": 1})
    policy = small_policy(tmp_path, shadow=["same.yaml", "other.yaml", "other.yaml"])
    assert found(policy, "idle_shadow") == [("warning", "shadow[0]")]
    assert found(policy, "repeated_shadow") == [("warning", "shadow[2]")]


@pytest.mark.parametrize("models", [{"on_failure": "rules"}, {"budgets": {"when_spent": "quarantine"}}])
def test_a_shadow_that_hears_models_otherwise_tries_something(tmp_path: Path, models: dict[str, Any]) -> None:
    write_policy(tmp_path / "other.yaml", models=models)
    assert found(small_policy(tmp_path, shadow=["other.yaml"]), "idle_shadow") == []


def test_findings_come_gravest_first(tmp_path: Path) -> None:
    quotas = dict.fromkeys(("modify", "reject", "quarantine"), "1/2")
    policy = small_policy(
        tmp_path, members=members(governor=7), merge={"quotas": quotas}, realms={"r": {"mode": "off"}}, rules=[]
    )
    ranks = [SEVERITIES.index(finding.severity) for finding in lint(policy)]
    assert ranks == sorted(ranks)
    assert set(ranks) == {0, 1, 2}


def test_the_documentation_explains_every_lint_and_every_key() -> None:
    root = default_policy_path().parents[2]
    told = (root / "docs" / "policy.md").read_text(encoding="utf-8")
    lints = "".join(
        (root / "policies" / f"lint{part}.py").read_text("utf-8") for part in ("", "_votes", "_rules", "_models")
    )
    codes = set(re.findall(r'"(?:error|warning|hint)"(?: if \w+ else "warning")?,\s+"([a-z_]+)"', lints))
    assert len(codes) > 20
    table = told.partition("## Lints")[2]
    assert codes == {name for row in table.split("\n| ")[2:] for name in re.findall(r"`([a-z_]+)`", row.split("|")[0])}
    assert [key for key in SHIPPED.document if f"`{key}" not in told] == []
    models: Any = SHIPPED.document["models"]
    members: Any = SHIPPED.document["members"]
    keys = [f"members.M.{key}" for key in members["lore"]]
    keys += [f"models.{key}" for key in models if not isinstance(models[key], dict)]
    keys += [f"models.budgets.{key}" for key in models["budgets"]]
    keys += [f"models.endpoints.E.{key}" for key in models["endpoints"]["openai"]]
    assert [key for key in keys if f"| `{key}" not in told] == []
    assert all(f".{key}`" in told for key in ("input", "output", "cached"))

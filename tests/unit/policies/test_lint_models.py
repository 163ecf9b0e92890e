"""Lints of models and budgets; every code is provoked once, and a sound policy is left alone."""

from pathlib import Path
from typing import Any

import pytest

from policies.findings import Finding
from policies.lint import lint
from policies.lint_models import lint_models
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy
from tests.unit.policies.policy_files import policy_document, small_policy

FREE = {"input": 0, "output": 0}
SOUND = {"default": "ollama/x", "prices": {"ollama/x": FREE, "openai/y": {"input": 1, "output": 2}}}
TWO_MODELS = {"lore": {"model": "openai/y"}}


def members(**changes: dict[str, Any]) -> dict[str, Any]:
    """Return the members, lore on another model than the rest, with something changed."""
    return {name: {**TWO_MODELS.get(name, {}), **changes.get(name, {})} for name in policy_document()["members"]}


def found(policy: Policy) -> list[Finding]:
    return list(lint_models(policy))


def with_models(folder: Path, changes: dict[str, dict[str, Any]], **models: Any) -> Policy:
    return small_policy(folder, members=members(**changes), models={**SOUND, **models})


def test_a_sound_policy_with_two_models_is_left_alone(tmp_path: Path) -> None:
    assert found(with_models(tmp_path, {})) == []


def test_a_policy_without_models_is_left_alone() -> None:
    assert found(load_policy(default_policy_path())) == []


def test_one_model_behind_all_members(tmp_path: Path) -> None:
    policy = small_policy(tmp_path, models=SOUND)
    assert found(policy) == [
        Finding(
            "warning",
            "one_model",
            "models.default",
            "all five members ask one model, 'x': where its errors are correlated by rho, 5 votes are worth "
            "5 / (1 + 4 rho): 5 at rho 0, 1.67 at rho 0.5, 1 at rho 1",
            "give some members another model, best of another maker: members.lore.model, or COUNCIL_MODELS=...,lore=...",
        )
    ]
    assert "one_model" in {finding.code for finding in lint(policy)}


RELAXED: dict[str, dict[str, Any]] = {"narrative": {"models_may": "relax"}}


@pytest.mark.parametrize(
    ("changes", "models", "expected"),
    [
        ({}, {"prices": {"ollama/x": FREE}}, ("warning", "no_price", "models.prices")),
        ({}, {"prices": {"openai/y": {"input": 1, "output": 2}}}, ("hint", "no_price", "models.prices")),
        ({"risk": {"judge": "rules", "model": "ollama/x"}}, {}, ("warning", "idle_model", "members.risk.model")),
        ({"lore": {"timeout_s": "8.001"}}, {}, ("warning", "outlasts_deadline", "members.lore.timeout_s")),
        ({}, {"rebuttal_margin": "1/5"}, ("hint", "outlasts_deadline", "models.rebuttal_margin")),
        (RELAXED, {"twin_from_impact": None}, ("warning", "text_may_relax", "members.narrative.reads_player_text")),
        (RELAXED, {"twin_from_impact": 60}, ("hint", "text_may_relax", "members.narrative.reads_player_text")),
        ({"risk": {"reads_player_text": True}}, {}, ("hint", "text_reaches_many", "members")),
        ({}, {"endpoints": {"openai": {"base_url": "http://h.example/v1"}}},
         ("warning", "key_in_clear", "models.endpoints.openai.base_url")),
        ({}, {"budgets": dict.fromkeys(("review_usd", "realm_day_usd", "day_usd", "month_usd"))},
         ("warning", "no_budget", "models.budgets")),
        ({}, {"budgets": {"day_usd": 2}}, ("warning", "budget_order", "models.budgets.realm_day_usd")),
        ({}, {"budgets": {"review_usd": "0.001599"}}, ("warning", "budget_below_a_round", "models.budgets.review_usd")),
    ],
)  # fmt: skip
def test_every_other_lint_of_models(
    tmp_path: Path, changes: dict[str, dict[str, Any]], models: dict[str, Any], expected: tuple[str, str, str]
) -> None:
    (finding,) = found(with_models(tmp_path, changes, **models))
    assert (finding.severity, finding.code, finding.place) == expected


@pytest.mark.parametrize(
    ("changes", "models"),
    [
        ({"lore": {"timeout_s": 8}}, {}),
        ({name: {"timeout_s": 4} for name in members()}, {"rebuttal_margin": "1/5"}),
        ({}, {"twin_from_impact": None}),
        ({"narrative": {"models_may": "relax", "reads_player_text": False}}, {"twin_from_impact": None}),
        ({"narrative": {"models_may": "relax", "judge": "rules"}}, {"twin_from_impact": None}),
        ({}, {"endpoints": {"openai": {"base_url": "http://127.0.0.1:4010/v1"}}}),
        # 800 tokens at 2 dollars a million are 0.0016 dollars; the other members' model is free.
        ({}, {"budgets": {"review_usd": "0.0016"}}),
    ],
)
def test_what_just_works_is_left_alone(
    tmp_path: Path, changes: dict[str, dict[str, Any]], models: dict[str, Any]
) -> None:
    assert found(with_models(tmp_path, changes, **models)) == []


def test_a_default_that_nobody_asks(tmp_path: Path) -> None:
    rules = {name: {"judge": "rules"} for name in policy_document()["members"]}
    policy = small_policy(tmp_path, members=rules, models={"default": "ollama/x"})
    assert [(finding.severity, finding.code) for finding in found(policy)] == [("warning", "idle_default")]


def test_text_that_may_relax_is_told_before_any_model_is_chosen(tmp_path: Path) -> None:
    """COUNCIL_MODELS may give every member one at any time."""
    policy = small_policy(tmp_path, members=policy_document()["members"] | RELAXED, models={"twin_from_impact": None})
    assert [finding.code for finding in found(policy)] == ["text_may_relax"]


@pytest.mark.parametrize(
    ("models", "more", "passing"),
    [
        # One of five is absent: 4/5 voted, and 1/5 at quarantine carries nothing.
        ("narrative=ollama/x", {}, "sovereign_action, major_trigger, impact_dispute"),
        ("narrative=ollama/x", {"required": {"major_trigger": ["narrative"]}}, "sovereign_action, impact_dispute"),
        # Two of five: 2/5 at quarantine reach the quota of 1/3, unless the absent count less.
        ("narrative=ollama/x,lore=ollama/x", {}, None),
        ("narrative=ollama/x,lore=ollama/x", {"merge": {"absent_counts_as": "modify"}},
         "sovereign_action, major_trigger, impact_dispute"),
        ("narrative=ollama/x,lore=ollama/x", {"merge": {"quorum": "4/5", "absent_counts_as": "modify"}}, None),
        ("ollama/x", {}, None),
    ],
)  # fmt: skip
def test_a_budget_that_is_to_hold_cases_and_cannot(
    tmp_path: Path, models: str, more: dict[str, Any], passing: str | None
) -> None:
    small_policy(tmp_path, models={"prices": {"ollama/x": FREE}, "budgets": {"when_spent": "quarantine"}}, **more)
    findings = {finding.code: finding for finding in found(load_policy(tmp_path / "small.yaml", models))}
    if passing is None:
        assert "spent_budget_passes" not in findings
    else:
        silent = "narrative" if "lore" not in models else "lore, narrative"
        assert findings["spent_budget_passes"].message == (
            f"says quarantine, but with {silent} silent the others still decide: {passing}"
        )

"""`council policy`: show, lint, diff, signals, power."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from cli.main import main
from cli.policy_files import policy_in_force
from policies.loading import default_policy_path, load_policy
from policies.signals.catalogue import SIGNALS
from policies.verdicts import MEMBERS
from tests.unit.cli.golden_files import assert_golden


@pytest.fixture
def shipped() -> str:
    return default_policy_path().read_text(encoding="utf-8")


def edited(tmp_path: Path, text: str, *changes: tuple[str, str]) -> str:
    """Write an edited policy; every change must find its place."""
    for old, new in changes:
        assert old in text
        text = text.replace(old, new, 1)
    path = tmp_path / "edited.yaml"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_show_draws_members_quotas_rules_and_realms(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "show"]) == 0
    out = capsys.readouterr().out
    policy = load_policy(default_policy_path())
    assert policy.content_hash in out
    for name in (*MEMBERS, *(rule.rule_id for rule in policy.rules.rules), *policy.realms):
        assert name in out


def test_show_in_json_is_the_document_that_records_keep(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    policy = load_policy(default_policy_path())
    assert shown["hash"] == policy.content_hash
    assert shown["policy"]["id"] == policy.policy_id


def test_the_policy_of_the_settings_is_the_one_in_force(
    tmp_path: Path, shipped: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_POLICY_PATH", edited(tmp_path, shipped, ("version: 1", "version: 77")))
    assert main(["policy", "show"]) == 0
    assert "version 77" in capsys.readouterr().out


def test_show_tells_that_nobody_asks_a_model_and_how_to_change_that(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "show"]) == 0
    models = capsys.readouterr().out.partition("\nModels")[2].partition("\nRealms")[0]
    assert " ".join(models.split()) == (
        "no member asks a model: all judge by rules "
        "COUNCIL_MODELS=ollama/llama3.1:8b lets them ask one (docs/models.md)"
    )


def test_show_tells_what_keeps_members_from_a_model_that_is_configured(
    tmp_path: Path, shipped: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_POLICY_PATH", edited(tmp_path, shipped.replace("    judge: model", "    judge: rules")))
    monkeypatch.setenv("COUNCIL_MODELS", "ollama/x")
    assert main(["policy", "show"]) == 0
    assert "judge: model lets them ask one" in capsys.readouterr().out
    assert main(["policy", "lint"]) == 0
    assert "[idle_default]" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("name", "models"),
    [
        ("policy_models_one", "lmstudio/qwen3-8b@http://127.0.0.1:9999/v1"),
        ("policy_models_mixed", "ollama/llama3.1:8b,lore=openai/gpt-4.1-mini,risk=rules"),
    ],
)
def test_show_draws_who_asks_whom_at_what_price_and_what_the_votes_are_worth(
    name: str, models: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_MODELS", models)
    assert main(["policy", "show"]) == 0
    shown = capsys.readouterr().out.partition("\nModels")[2].partition("\nRealms")[0]
    assert_golden(name, f"Models{shown}")


def test_show_draws_every_limit_that_the_policy_sets(
    tmp_path: Path, shipped: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = edited(
        tmp_path,
        shipped,
        ("default: null #", "default: openai/gpt-5-mini #"),
        ("on_failure: abstain", "on_failure: rules"),
        ("twin_from_impact: 0", "twin_from_impact: 60"),
        ("rebuttal_margin: null", 'rebuttal_margin: "1/5"'),
        ("timeout_s: 6", 'timeout_s: "2.5"'),
        ("when_spent: rules", "when_spent: quarantine"),
        ('realm_day_usd: "10"', "realm_day_usd: null"),
    )
    assert main(["policy", "show", file]) == 0
    shown = capsys.readouterr().out.partition("\nModels")[2].partition("\nRealms")[0]
    assert_golden("policy_models_limits", f"Models{shown}")


def test_the_models_of_the_environment_are_in_the_policy_that_is_shown_and_in_its_hash(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_MODELS", "ollama/x,lore=rules")
    assert main(["policy", "show", "--json"]) == 0
    shown = json.loads(capsys.readouterr().out)
    assert shown["hash"] == load_policy(default_policy_path(), "ollama/x,lore=rules").content_hash
    assert (shown["policy"]["models"]["default"], shown["policy"]["members"]["lore"]["judge"]) == ("ollama/x", "rules")


def test_a_file_that_is_named_is_read_as_it_is_written(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_MODELS", "ollama/x")
    assert main(["policy", "show", str(default_policy_path()), "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["hash"] == load_policy(default_policy_path()).content_hash


def test_the_policy_of_an_option_is_in_force_with_the_models_of_the_environment(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """What `council review --policy FILE` decides with is what `council doctor --policy FILE` has to look at."""
    monkeypatch.setenv("COUNCIL_MODELS", "ollama/x")
    shipped = str(default_policy_path())
    assert policy_in_force(shipped).content_hash == load_policy(shipped, "ollama/x").content_hash


@pytest.mark.parametrize(
    ("models", "told"),
    [
        ("gpt-5", "the settings cannot be used\n  COUNCIL_MODELS: the entry 'gpt-5': names no model; "),
        ("olama/x", "the policy is refused\n  COUNCIL_MODELS: the entry 'olama/x': the endpoint 'olama' is not known; "
                    "did you mean 'ollama'?"),
    ],
)  # fmt: skip
def test_models_that_cannot_be_asked_are_told_with_their_variable_entry_and_fix(
    models: str, told: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_MODELS", models)
    assert main(["policy", "show"]) == 2
    assert told in capsys.readouterr().err


def test_one_model_behind_all_members_is_warned_of_and_strict_exits_with_1(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_MODELS", "openai/gpt-4.1-mini")
    assert main(["policy", "lint", "--json"]) == 0
    found = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [each["code"] for each in found if each["severity"] == "warning"] == ["one_model"]
    assert main(["policy", "lint", "--strict"]) == 1
    assert "5 / (1 + 4 rho)" in capsys.readouterr().out


def test_a_typing_error_is_named_with_file_line_and_key(
    tmp_path: Path, shipped: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = edited(tmp_path, shipped, ("quorum:", "qourum:"))
    line = Path(file).read_text(encoding="utf-8").split("qourum:")[0].count("\n") + 1
    assert main(["policy", "lint", file]) == 2
    err = capsys.readouterr().err
    assert err.startswith("council: the policy is refused\n")
    assert f"edited.yaml:{line}: merge.qourum: unknown key; did you mean 'quorum'?" in err


def test_a_missing_policy_file_is_told(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "show", "no/such/policy.yaml"]) == 2
    assert "there is no file 'no/such/policy.yaml'" in capsys.readouterr().err


def test_the_shipped_policy_has_no_error_and_no_warning(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "lint", "--strict", "--json"]) == 0
    findings = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert {finding["severity"] for finding in findings} <= {"hint"}


def test_a_policy_without_its_hard_veto_is_warned_of_and_strict_exits_with_1(
    tmp_path: Path, shipped: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = edited(tmp_path, shipped, ("id: canon_lock", "id: canon_latch"))
    assert main(["policy", "lint", file]) == 0
    assert "the hard veto of S0-62 is gone" in capsys.readouterr().out
    assert main(["policy", "lint", file, "--strict"]) == 1


def test_diff_names_every_key_that_differs(tmp_path: Path, shipped: str, capsys: pytest.CaptureFixture[str]) -> None:
    file = edited(tmp_path, shipped, ("version: 1", "version: 2"), ("threshold: 500", "threshold: 600"))
    assert main(["policy", "diff", str(default_policy_path()), file, "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert {"key": "version", "old": 1, "new": 2} in compared["changes"]
    assert len(compared["changes"]) == 2
    assert compared["power"] == []
    assert main(["policy", "diff", str(default_policy_path()), file]) == 0
    assert "nobody's voting power changes" in capsys.readouterr().out


def test_diff_tells_changed_models_budgets_and_effective_votes(
    tmp_path: Path, shipped: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = edited(
        tmp_path, shipped, ("default: null #", "default: ollama/x #"), ('month_usd: "800"', "month_usd: null")
    )
    assert main(["policy", "diff", str(default_policy_path()), file, "--json"]) == 0
    compared = json.loads(capsys.readouterr().out)
    assert compared["changes"] == [
        {"key": "models.default", "old": None, "new": "ollama/x"},
        {"key": "models.budgets.month_usd", "old": "800", "new": None},
    ]
    assert compared["effective_votes"] == {
        "old": {"0": "0", "1/2": "0", "1": "0"},
        "new": {"0": "5", "1/2": "5/3", "1": "1"},
    }
    assert main(["policy", "diff", str(default_policy_path()), file]) == 0
    out = " ".join(capsys.readouterr().out.split())
    assert "effective votes by models: none → 5 at rho 0, 1.67 at rho 0.5, 1 at rho 1" in out


def test_a_policy_does_not_differ_from_itself(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "diff", *[str(default_policy_path())] * 2]) == 0
    assert capsys.readouterr().out == "no difference\n"


def test_power_gives_equal_members_equal_parts(capsys: pytest.CaptureFixture[str]) -> None:
    """Five equal members: each has a fifth of all swings and a fifth of all orders."""
    assert main(["policy", "power", "--json"]) == 0
    levels = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert len(levels) == 9
    for level in levels:
        assert [Fraction(player["banzhaf_share"]) for player in level["members"]] == [Fraction(1, 5)] * 5
        assert [Fraction(player["shapley"]) for player in level["members"]] == [Fraction(1, 5)] * 5
    assert main(["policy", "power"]) == 0
    out = capsys.readouterr().out
    assert "canon_lock" in out
    assert "sovereign_action: quarantine; major_trigger: quarantine; impact_dispute: quarantine" in out


def test_signals_lists_the_catalogue(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "signals", "--json"]) == 0
    names = [json.loads(line)["name"] for line in capsys.readouterr().out.splitlines()]
    assert names == [spec.name for spec in SIGNALS]
    assert main(["policy", "signals", "--by", "lore"]) == 0
    out = capsys.readouterr().out
    assert "canon_direct_violations" in out
    assert "hhi_star_after" not in out


def test_signals_of_nobody_are_answered_with_who_there_is(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["policy", "signals", "--by", "lor"]) == 2
    assert "did you mean 'lore'?" in capsys.readouterr().err

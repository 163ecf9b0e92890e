"""`council policy`: show, lint, diff, signals, power."""

import json
from fractions import Fraction
from pathlib import Path

import pytest

from cli.main import main
from policies.loading import default_policy_path, load_policy
from policies.signals.catalogue import SIGNALS
from policies.verdicts import MEMBERS


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

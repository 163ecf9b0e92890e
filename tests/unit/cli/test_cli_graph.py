"""`council graph` and `council config`: what the product is made of, drawn."""

import json
from pathlib import Path

import pytest

from cli.main import main


def test_the_graph_without_models_is_one_line_of_steps(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph"]) == 0
    assert capsys.readouterr().out == (
        "start\n"
        "└── assess\n"
        "    └┄┄ merge\n"
        "        ├┄┄ escalate\n"
        "        │   └── plan\n"
        "        │       └── end\n"
        "        └┄┄ plan (above)\n"
    )


def test_a_member_with_a_model_becomes_a_branch(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "--models", "lore, risk", "--json"]) == 0
    drawn = json.loads(capsys.readouterr().out)
    assert {"ask_lore", "ask_risk"} <= set(drawn["nodes"])
    assert {"from": "ask_lore", "to": "merge", "choice": False} in drawn["edges"]
    assert "ask_governor" not in drawn["nodes"]


def test_mermaid_text_names_every_node(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "--mermaid", "--models", "all"]) == 0
    out = capsys.readouterr().out
    assert "graph TD" in out
    assert all(f"ask_{member}" in out for member in ("governor", "fairness", "lore", "narrative", "risk"))


def test_an_unknown_member_is_answered_with_the_known_ones(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["graph", "--models", "bard"]) == 2
    assert "members are: governor, fairness, lore, narrative, risk" in capsys.readouterr().err


def test_config_lists_settings_and_hides_secrets(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_SERVICE_TOKEN", "a-token-that-nobody-may-see")
    monkeypatch.setenv("COUNCIL_DATABASE_URL", "postgresql://council:hunter2@db/council")
    monkeypatch.setenv("COUNCIL_PROT", "1")
    for arguments in (["config"], ["config", "--json"]):
        assert main(arguments) == 0
        captured = capsys.readouterr()
        assert "hunter2" not in captured.out
        assert "nobody-may-see" not in captured.out
        assert captured.err == "council: COUNCIL_PROT names no setting; did you mean 'COUNCIL_PORT'?\n"


def test_config_tells_which_settings_come_from_the_env_file_and_never_a_key(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "council.env"
    file.write_text("COUNCIL_MODELS=openai/gpt-4.1-mini\nOPENAI_API_KEY=a-key-that-nobody-may-see\nCOUNCIL_PROT=1\n")
    monkeypatch.setenv("COUNCIL_ENV_FILE", str(file))
    monkeypatch.delenv("COUNCIL_MODELS", raising=False)
    assert main(["config", "--json"]) == 0
    captured = capsys.readouterr()
    shown = {each["variable"]: each for each in json.loads(captured.out)}
    assert (shown["COUNCIL_MODELS"]["value"], shown["COUNCIL_MODELS"]["source"]) == ("openai/gpt-4.1-mini", "env file")
    assert shown["COUNCIL_ENV_FILE"]["source"] == "environment"
    assert captured.err == "council: COUNCIL_PROT names no setting; did you mean 'COUNCIL_PORT'?\n"
    assert main(["config"]) == 0
    out = capsys.readouterr().out
    assert "from the env file" in out
    assert "nobody-may-see" not in out


def test_a_wrong_setting_is_told_with_its_meaning(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_PORT", "many")
    assert main(["config"]) == 2
    err = capsys.readouterr().err
    assert err.startswith("council: the settings cannot be used\n  COUNCIL_PORT")
    assert "TCP port that the HTTP service listens on" in err
    assert err.endswith("  → 'council config' lists every setting\n")


def test_serve_without_a_token_says_how_to_make_one(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("COUNCIL_SERVICE_TOKEN", raising=False)
    assert main(["serve"]) == 2
    assert "export COUNCIL_SERVICE_TOKEN=" in capsys.readouterr().err

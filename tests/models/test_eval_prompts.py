"""`council eval prompts` over real HTTP: a matrix recorded once, and looked at again without the network."""

import json
from pathlib import Path
from typing import Any

import pytest

import evals
from cli.main import main
from tests.models.faulty_world import FaultyWorld

SUITE = str(Path(evals.__file__).parent / "data" / "aelvyndor" / "aelvyndor.suite.yaml")
CASES = ["--case", "the-weakest-rises", "--case", "ignoring-the-cold"]


def told(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, Any]:
    code = main(["eval", "prompts", SUITE, *CASES, *arguments, "--json"])
    return code, json.loads(capsys.readouterr().out)


@pytest.fixture
def versions(tmp_path: Path) -> list[str]:
    folder = tmp_path / "strict"
    folder.mkdir()
    (folder / "lore.md").write_text("version: 2\n\nHold canon and say little.", encoding="utf-8")
    return ["--prompts", "shipped", "--prompts", str(folder)]


def test_a_matrix_is_run_recorded_and_replayed(
    capsys: pytest.CaptureFixture[str], faulty: FaultyWorld, tmp_path: Path, versions: list[str]
) -> None:
    asked = [*versions, "--models", f"lab/ok@{faulty.base_url}", "--models", f"lab/null_content@{faulty.base_url}"]
    tape = ["--cassette", str(tmp_path / "calls.jsonl")]

    code, live = told(capsys, *asked, *tape)
    calls = len(faulty.calls)
    assert code == 0
    names = [(each["prompts"], each["models"]) for each in live["combinations"]]
    assert names == [(folder, model) for folder in ("shipped", "strict") for model in ("lab/ok", "lab/null_content")]
    assert [each["accuracy"]["estimate"] for each in live["combinations"]] == [1, 0, 1, 0]
    broken = live["combinations"][1]
    assert broken["unreadable"] == broken["votes"] > 0

    code, replayed = told(capsys, *asked, *tape, "--mode", "cassette")
    assert code == 0
    assert len(faulty.calls) == calls
    assert [each["accuracy"] for each in replayed["combinations"]] == [
        each["accuracy"] for each in live["combinations"]
    ]
    assert {each["p50_ms"] for each in replayed["combinations"]} == {None}


def test_the_text_of_a_version_reaches_its_member_and_nobody_else(
    capsys: pytest.CaptureFixture[str], faulty: FaultyWorld, versions: list[str]
) -> None:
    code, found = told(capsys, *versions[2:], "--models", f"lab/ok@{faulty.base_url}")

    assert code == 0
    assert found["prompts"][0]["changed"] == ["lore"]
    systems = {call.body["messages"][0]["content"] for call in faulty.calls}
    assert len(systems) == 5
    assert sum("Hold canon and say little." in system for system in systems) == 1


def test_a_combination_that_is_not_on_the_cassette_is_not_judged(
    capsys: pytest.CaptureFixture[str], faulty: FaultyWorld, tmp_path: Path, versions: list[str]
) -> None:
    model = ["--models", f"lab/ok@{faulty.base_url}", "--cassette", str(tmp_path / "calls.jsonl")]
    assert told(capsys, "--prompts", "shipped", *model)[0] == 0

    code, found = told(capsys, *versions, *model, "--mode", "cassette")
    assert code == 2
    assert [each["unjudged"] for each in found["combinations"]] == [0, 2]


def test_the_url_of_a_model_is_not_shown(capsys: pytest.CaptureFixture[str], faulty: FaultyWorld) -> None:
    assert main(["eval", "prompts", SUITE, *CASES, "--models", f"lab/ok@{faulty.base_url}"]) == 0

    shown = capsys.readouterr().out
    assert "lab/ok" in shown
    assert "http" not in shown
    assert "one combination: name more --prompts or --models to compare" in shown


def test_prompts_without_models_say_how_to_name_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "prompts", SUITE]) == 2
    assert "--models openai/gpt-5-mini" in capsys.readouterr().err

"""`council doctor` over real endpoints: what is wrong, and what to do about it (issue point 2)."""

import json
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from tests.models.faulty_world import FaultyWorld


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def doctor(models: str) -> tuple[int, dict[str, Any]]:
        monkeypatch.setenv("COUNCIL_MODELS", models)
        code = main(["doctor", "--json"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return code, found

    return doctor


def checks(found: dict[str, Any], at: int = 0) -> dict[str, tuple[str, str]]:
    return {check["name"]: (check["state"], check["says"]) for check in found["models"][at]["checks"]}


def test_a_model_that_works_is_told_with_its_form_time_and_tokens(ask: Any, faulty: FaultyWorld) -> None:
    code, found = ask(f"vllm/ok@{faulty.base_url}")
    told = checks(found)
    assert code == 0
    assert told["vote"] == ("good", "a valid vote by json_schema")
    assert (told["key"][0], told["endpoint"][0], told["time"][0], told["price"][0]) == (
        "good",
        "good",
        "good",
        "warning",
    )
    assert found["models"][0]["members"] == ["governor", "fairness", "lore", "narrative", "risk"]
    assert "all five members ask one model" in found["warning"]


def test_the_rung_that_an_endpoint_needs_is_found_out_and_told(ask: Any, faulty: FaultyWorld) -> None:
    code, found = ask(f"vllm/no_json_schema@{faulty.base_url}")
    (fix,) = [check["fix"] for check in found["models"][0]["checks"] if check["name"] == "vote"]
    assert (code, checks(found)["vote"]) == (0, ("warning", "a valid vote by function_calling after 2 calls"))
    assert "structured: function_calling" in fix


@pytest.mark.parametrize(
    ("model", "kind"),
    [("fenced", "unparsed"), ("wrong_enum", "off_schema"), ("refusal", "refused"), ("500", "unreachable")],
)
def test_a_model_that_cannot_vote_exits_with_1_and_a_way_out(
    model: str, kind: str, ask: Any, faulty: FaultyWorld
) -> None:
    code, found = ask(f"vllm/{model}@{faulty.base_url}")
    assert code == 1
    state, told = checks(found)["vote"]
    assert (state, told.split(":")[0]) == ("bad", f"no vote, {kind}")
    assert all(check["fix"] for check in found["models"][0]["checks"] if check["state"] != "good")


def test_an_endpoint_that_is_not_there_is_told_as_such(ask: Any) -> None:
    code, found = ask("vllm/x@http://127.0.0.1:9/v1")
    assert (code, checks(found)["endpoint"][0], checks(found)["vote"][0]) == (1, "bad", "bad")


def test_a_missing_key_is_named_and_nobody_is_asked(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    code, found = ask("openai/gpt-x")
    assert (code, checks(found)) == (1, {"key": ("bad", "OPENAI_API_KEY is not set")})


def test_two_models_are_examined_apart(ask: Any, faulty: FaultyWorld) -> None:
    code, found = ask(f"vllm/ok@{faulty.base_url},lore=vllm/500@{faulty.base_url}")
    assert code == 1
    assert [(each["members"], each["state"]) for each in found["models"]] == [
        (["governor", "fairness", "narrative", "risk"], "warning"),
        (["lore"], "bad"),
    ]
    assert found["warning"] is None


def test_a_recorded_review_is_decided_again_from_its_cassette_without_any_endpoint(
    tmp_path: Path, faulty: FaultyWorld, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """Issue point 7, through the command line: what was recorded answers, and a model that was not is no vote."""
    request = next((Path(__file__).parents[2] / "examples" / "requests").glob("16-*.json"))
    cassette = tmp_path / "case.jsonl"

    def review(mode: str, model: str, database: str) -> dict[str, Any]:
        monkeypatch.setenv("COUNCIL_CASSETTE", f"{mode}:{cassette}")
        monkeypatch.setenv("COUNCIL_MODELS", f"vllm/{model}@{faulty.base_url}")
        assert main(["review", str(request), "--json", "--database", f"sqlite:///{tmp_path / database}"]) == 0
        answer: dict[str, Any] = json.loads(capsys.readouterr().out)
        return answer

    recorded = review("record", "ok", "first.db")
    calls = len(faulty.calls)
    replayed = review("replay", "ok", "second.db")
    assert replayed["votes"] == recorded["votes"]
    missed = review("replay", "other", "third.db")
    assert len(faulty.calls) == calls
    assert missed["final_verdict"] == "quarantine"
    assert "model" in str(missed["votes"][0]["reasons"])


def test_a_cassette_that_cannot_be_read_is_told_as_the_setting(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("COUNCIL_CASSETTE", f"replay:{tmp_path / 'none.jsonl'}")
    assert main(["review", "-", "--database", f"sqlite:///{tmp_path / 'x.db'}"]) == 2
    assert "COUNCIL_CASSETTE" in capsys.readouterr().err

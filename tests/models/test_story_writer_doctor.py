"""`council doctor` asks the models of stories too."""

import json
from typing import Any

import pytest

from cli.main import main
from tests.models.aimock_server import Aimock
from tests.models.faulty_world import FaultyWorld


@pytest.fixture
def ask(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Any:
    def doctor(model: str, critic: str | None = None) -> tuple[int, dict[str, Any]]:
        monkeypatch.setenv("COUNCIL_STORY_MODEL", model)
        if critic is not None:
            monkeypatch.setenv("COUNCIL_STORY_CRITIC", critic)
        code = main(["doctor", "--json"])
        found: dict[str, Any] = json.loads(capsys.readouterr().out)
        return code, found

    return doctor


def test_a_writer_and_a_critic_that_work_are_told(ask: Any, aimock: Aimock) -> None:
    code, found = ask(f"lab/story@writer@{aimock.base_url}", f"lab/story@critic@{aimock.base_url}")
    told = [{check["name"]: check["state"] for check in each["checks"]} for each in found["models"]]

    assert code == 0
    assert [each["members"] for each in found["models"]] == [["story_writer"], ["story_critic"]]
    assert [each["text"] for each in told] == ["good", "good"]
    assert [call["body"]["model"] for call in aimock.calls] == ["story@writer", "story@critic"]


@pytest.mark.parametrize(("mode", "says"), [("ok", "not of the form"), ("500", "no text, unreachable")])
def test_a_model_that_cannot_write_exits_with_1_and_a_way_out(
    mode: str, says: str, ask: Any, faulty: FaultyWorld
) -> None:
    code, found = ask(f"vllm/{mode}@{faulty.base_url}")
    (text,) = [check for check in found["models"][0]["checks"] if check["name"] == "text"]

    assert (code, text["state"]) == (1, "bad")
    assert text["says"].startswith(says)
    assert text["fix"]


def test_a_missing_key_is_named_and_nobody_is_asked(ask: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    code, found = ask("openai/gpt-x")
    assert (code, [check["name"] for check in found["models"][0]["checks"]]) == (1, ["key"])

"""`council merge`: a filter of JSON Lines (council.md, the merge is also a command)."""

import io
import json
from pathlib import Path
from types import SimpleNamespace

import pytest

from cli.main import main

SEED = (
    '{"policy":{"weights":{"governor":1,"lore":"3/2"},"quotas":{"modify":"1/3","reject":"1/3","quarantine":"2/5"},'
    '"quorum":"3/5","required":["lore"],"confidence":{"governor":"use"}},'
    '"votes":[{"member":"governor","verdict":"approve","confidence":900},{"member":"lore","abstained":"timeout"}],'
    '"vetoes":[]}'
)
"""The design's own example; its answer is worked out there."""
SEED_ANSWER = {
    "verdict": "quarantine",
    "confidence": "0",
    "coverage": "2/5",
    "shares": {"approve": "1", "modify": "5/8", "reject": "5/8", "quarantine": "5/8"},
    "tags": ["no_quorum", "required_member_absent"],
    "decided_by": "want_of_votes",
}


def test_the_designs_example_is_answered_as_the_design_says(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = tmp_path / "votes.jsonl"
    file.write_text(SEED + "\n", encoding="utf-8")
    assert main(["merge", str(file)]) == 0
    captured = capsys.readouterr()
    assert json.loads(captured.out) == SEED_ANSWER
    assert captured.err == ""


def test_a_bad_line_is_answered_in_its_place_and_the_others_go_on(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = b"\n".join([SEED.encode(), b'{"votes":[{"member":"lor","verdict":"reject"}]}', b"", b"{", SEED.encode()])
    monkeypatch.setattr("sys.stdin", SimpleNamespace(buffer=io.BytesIO(lines), isatty=lambda: False))
    assert main(["merge", "-"]) == 2
    captured = capsys.readouterr()
    answers = [json.loads(line) for line in captured.out.splitlines()]
    assert [answers[0], answers[3]] == [SEED_ANSWER, SEED_ANSWER]
    assert answers[1] == {
        "error": {
            "line": 2,
            "faults": [{"path": "/votes/0/member", "message": "is not seated", "fix": "did you mean 'lore'?"}],
        }
    }
    assert answers[2]["error"]["line"] == 4
    assert captured.err.startswith(
        "council: line 2 cannot be merged\n"
        "  /votes/0/member: is not seated; did you mean 'lore'?\n"
        "  → the other lines are still answered\n"
    )


def test_bytes_that_are_no_utf8_are_a_bad_line_like_any_other(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "votes.jsonl"
    file.write_bytes(b'{"votes":"\xff"}\n' + SEED.encode())
    assert main(["merge", str(file)]) == 2
    lines = capsys.readouterr().out.splitlines()
    assert ["error" in json.loads(line) for line in lines] == [True, False]

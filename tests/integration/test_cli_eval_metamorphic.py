"""`council eval metamorphic` as a designer uses it: suites and requests in, violations side by side, exit codes."""

import json
from pathlib import Path
from typing import Any

import pytest

import evals
from cli.main import main
from policies.loading import default_policy_path

SUITE = str(Path(evals.__file__).parent / "data" / "aelvyndor" / "aelvyndor.suite.yaml")
EXAMPLE = str(Path(__file__).parents[2] / "examples" / "requests" / "09-goldmark-buys-the-borderlands.json")
WORDY = """rules:
  - {id: wordy, outcome: quarantine, when: prose_length > 0, because: "{prose_length} characters"}
"""


def ran(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    code = main(["eval", "metamorphic", *arguments])
    said = capsys.readouterr()
    return code, said.out, said.err


@pytest.fixture
def wordy(tmp_path: Path) -> str:
    """The shipped policy with a rule that reads how long a text is: the fault that the relation must find."""
    path = tmp_path / "wordy.yaml"
    path.write_text(default_policy_path().read_text(encoding="utf-8").replace("rules:\n", WORDY, 1), encoding="utf-8")
    return str(path)


def test_a_request_and_cases_of_a_suite_hold_every_relation(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, _ = ran(capsys, EXAMPLE, "-k", "1")
    assert code == 0
    assert "variants were decided like the requests that they were made from" in out

    code, out, _ = ran(capsys, SUITE, "--tag", "models", "-k", "1", "--relation", "injected-text", "--relation", "ids")
    assert code == 0
    assert "all 20 variants" in out


def test_a_violation_shows_both_requests_verdicts_and_the_signal_that_moved(
    capsys: pytest.CaptureFixture[str], wordy: str
) -> None:
    code, out, _ = ran(
        capsys, SUITE, "--case", "the-weakest-rises", "--relation", "benign-text", "-p", wordy, "--seed", "1", "-k", "6"
    )

    assert code == 1
    assert "before: ✓ approve (council)" in out
    assert "after:  ‖ quarantine (veto, wordy)" in out
    assert "moved: prose_length 0 →" in out
    assert "the request" in out
    assert "the variant" in out
    assert '"narrative": "' in out


def test_json_holds_both_requests_whole(capsys: pytest.CaptureFixture[str], wordy: str) -> None:
    code, out, _ = ran(
        capsys, SUITE, "--case", "the-weakest-rises", "--relation", "benign-text", "-p", wordy, "-k", "6", "--json"
    )

    assert code == 1
    found: dict[str, Any] = json.loads(out)
    violation = found["violations"][0]
    assert (violation["relation"], violation["case_id"]) == ("benign-text", "the-weakest-rises")
    assert violation["broken"] == ["verdict", "path", "vetoes"]
    assert violation["moved"]["prose_length"]["before"] == 0
    assert "narrative" not in violation["request"]["proposed_change"]
    assert violation["variant"]["proposed_change"]["narrative"]
    assert found["relations"][0]["broken"] == len(found["violations"])


def test_the_same_seed_prints_the_same_bytes(capsys: pytest.CaptureFixture[str], wordy: str) -> None:
    asked = (EXAMPLE, "-p", wordy, "--json", "--seed", "7")

    assert ran(capsys, *asked) == ran(capsys, *asked)


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ((SUITE, "--relation", "event-ordr"), "did you mean 'event-order'?"),
        ((SUITE, "--case", "nobody"), "there is no case 'nobody'"),
        ((SUITE, "--tag", "nothing-has-this"), "there is nothing to check"),
        ((SUITE, "--mode", "cassette"), "--mode live records one"),
        ((SUITE, "--models", "lab/x"), "mode rules asks no model"),
        (("nowhere.json",), "cannot be read"),
        ((EXAMPLE, EXAMPLE, EXAMPLE), "named twice"),
    ],
)
def test_bad_usage_is_told_with_a_way_out(
    capsys: pytest.CaptureFixture[str], arguments: tuple[str, ...], told: str
) -> None:
    code, _, err = ran(capsys, *arguments)

    assert code == 2
    assert told in err


def test_an_invalid_request_is_refused_by_its_faults(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    path = tmp_path / "bad.json"
    path.write_text('{"decision_type": "whim"}', encoding="utf-8")

    code, _, err = ran(capsys, str(path))
    assert code == 2
    assert "the input is refused" in err

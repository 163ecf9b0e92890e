"""`council eval jury`: what it prints of exports, runs and published juries."""

import json
from pathlib import Path

import pytest

from cli.main import main
from evals.run_log import run_lines
from tests.unit.cli.golden_files import assert_golden
from tests.unit.evals.run_doubles import result, run_of, vote

EXAMPLE = Path(__file__).parents[3] / "examples" / "jury" / "llmbar_natural_votes.csv"
ALL = ("governor", "fairness", "lore", "narrative", "risk")


@pytest.fixture(autouse=True)
def _in_a_directory(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)


@pytest.fixture
def published(capsys: pytest.CaptureFixture[str]) -> str:
    """Return the published votes as a jury set."""
    arguments = [str(EXAMPLE), "-o", "llmbar.jsonl", "--map", "1=approve,2=reject", "--source", "LLMBar"]
    assert main(["eval", "import", *arguments]) == 0
    capsys.readouterr()
    return "llmbar.jsonl"


def council_run() -> str:
    """Write a run of twelve cases: risk sees what the others do not."""
    results = []
    for place in range(12):
        is_bad = place < 6
        votes = [vote(member, "reject" if is_bad and (member == "risk" or place < 3) else "approve") for member in ALL]
        verdict = "reject" if place < 3 else "approve"
        results.append(
            result(f"case-{place}", verdict, "reject" if is_bad else "approve", votes=tuple(votes))  # type: ignore[arg-type] # verdicts
        )
    Path("run.jsonl").write_bytes(b"".join(run_lines(run_of(results))))
    return "run.jsonl"


def test_a_published_jury_is_drawn_whole(published: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "jury", published]) == 0
    assert_golden("eval_jury_llmbar", capsys.readouterr().out)


def test_a_run_is_merged_by_a_policy_and_its_smallness_is_said(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "jury", council_run()]) == 0
    out = capsys.readouterr().out
    assert_golden("eval_jury_run", out)
    assert "12 labelled decisions: no member can be told from another" in out
    assert "not the policy of the run" in " ".join(out.split())


def test_json_repeats_byte_for_byte_and_goes_to_a_file_too(published: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "jury", published, "--json", "-o", "report.json"]) == 0
    first = capsys.readouterr().out
    assert main(["eval", "jury", published, "--json"]) == 0
    assert capsys.readouterr().out == first
    assert Path("report.json").read_text(encoding="utf-8") == first
    (report,) = json.loads(first)["reports"]
    by_name = {member["member"]: member for member in report["members"]}
    # 93 of 95 answers of GPT-4 that held in both orders are right; the rest are abstentions.
    assert (by_name["GPT-4"]["accuracy"]["n"], by_name["GPT-4"]["abstained"]) == (95, 5)
    assert by_name["GPT-4"]["accuracy"]["estimate"] == 93 / 95
    assert report["collective"]["merged"]["estimate"] == 0.95
    assert not Path("report.json.partial").exists()


def test_every_class_is_told_apart_where_asked(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "jury", council_run(), "--by", "class", "--json"]) == 0
    reports = json.loads(capsys.readouterr().out)["reports"]
    assert [report["group"] for report in reports] == ["all", "sovereign_action"]


def test_a_policy_cannot_merge_members_that_it_does_not_know(
    published: str, capsys: pytest.CaptureFixture[str]
) -> None:
    policy = Path(__file__).parents[3] / "policies" / "data" / "aelvyndor.yaml"
    assert main(["eval", "jury", published, "--policy", str(policy)]) == 2
    err = capsys.readouterr().err
    assert "the policy knows no weights of ChatGPT" in err
    assert "leave --policy out" in err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nowhere.jsonl"], "nowhere.jsonl"),
        (["run.jsonl", "--by", "luck"], "--by 'luck' is neither 'all' nor 'class'"),
        (["run.jsonl", "--level", "0.1"], "the level 0.1"),
        (["run.jsonl", "-o", "no/such/place.json"], "cannot write 'no/such/place.json'"),
    ],
)
def test_bad_usage_is_refused_with_a_way_out(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    council_run()
    assert main(["eval", "jury", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_a_source_that_nobody_voted_on_is_not_enough(capsys: pytest.CaptureFixture[str]) -> None:
    Path("run.jsonl").write_bytes(b"".join(run_lines(run_of([result("a")]))))
    assert main(["eval", "jury", "run.jsonl"]) == 2
    assert "no decision that anybody voted on" in capsys.readouterr().err

"""`council eval tune` as designers use it: what it proposes, writes, refuses and says when there is nothing to gain."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.main import main
from evals.jury import Jury
from evals.jury_files import RecordedJury, write_jury
from policies.lint import lint
from policies.loading import default_policy_path, load_policy
from policies.verdicts import DECISION_TYPES
from tests.unit.cli.golden_files import assert_golden
from tests.unit.evals.exported import export_lines, write_export
from tests.unit.evals.recorded import example_requests, label, recorded
from tests.unit.evals.tuned_juries import drawn_jury

UNEQUAL = (0.95, 0.6, 0.3, 0.3, 0.0)
QUICK = ("--folds", "4", "--repeats", "1")
Council = Callable[..., "Done"]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def council(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Council:
    monkeypatch.setenv("COLUMNS", "110")

    def run(*arguments: object) -> Done:
        return Done(main([str(argument) for argument in ("eval", "tune", *arguments)]), *capsys.readouterr())

    return run


def votes(tmp_path: Path, *, is_noise: bool = False, count: int = 150, name: str = "votes.jsonl") -> Path:
    """Write a set of the five members' votes: one knows, most guess, and all three decision types occur."""
    drawn = [
        drawn_jury(seed, count, UNEQUAL, is_noise=is_noise, decision_class=kind)
        for seed, kind in enumerate(DECISION_TYPES)
    ]
    jury = drawn[0]._replace(items=tuple([item for each in drawn for item in each.items]), source="drawn votes")
    path = tmp_path / name
    write_jury(path, RecordedJury(jury, {}))
    return path


def test_a_gain_is_shown_proposed_and_written(
    council: Council, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    proposal = Path("proposal.yaml")
    done = council(votes(tmp_path), "-o", proposal, *QUICK)
    assert (done.code, done.err) == (0, "")
    policy = load_policy(proposal)
    assert (policy.policy_id, policy.version) == ("aelvyndor-tuned", 2)
    assert not [finding for finding in lint(policy) if finding.severity == "error"]
    head = proposal.read_text("utf-8").partition("\n\n")[0]
    assert_golden("eval-tune", done.out)
    assert_golden("eval-tune-head", head + "\n")


def test_without_a_gain_nothing_is_written_and_the_exit_code_says_so(council: Council, tmp_path: Path) -> None:
    proposal = tmp_path / "proposal.yaml"
    done = council(votes(tmp_path, is_noise=True), "-o", proposal, *QUICK)
    assert done.code == 1
    assert "no gain that the data can show: keep equal weights" in done.out
    assert "is not written: no gain is shown" in done.err
    assert not proposal.exists()
    assert council(votes(tmp_path, is_noise=True), *QUICK).code == 0


def test_anyway_writes_it_and_the_file_says_that_no_gain_is_shown(council: Council, tmp_path: Path) -> None:
    proposal = tmp_path / "proposal.yaml"
    assert council(votes(tmp_path, is_noise=True), "-o", proposal, "--anyway", *QUICK).code == 0
    assert "NO GAIN IS SHOWN" in proposal.read_text("utf-8")
    assert load_policy(proposal).version == 2


def test_json_says_all_of_it(council: Council, tmp_path: Path) -> None:
    done = council(votes(tmp_path), "--json", "--calibrate", *QUICK)
    found = json.loads(done.out)
    assert (found["labelled"], found["chosen"], found["is_shown"]) == (450, "learned", True)
    assert [each["way"] for each in found["ways"]] == ["current", "blind", "quotas", "learned", "calibrated"]
    assert found["proposal"]["weights"].keys() == set(DECISION_TYPES)
    assert found["gain"]["low"] > 0
    assert council(votes(tmp_path), "--json", "--calibrate", *QUICK).out == done.out


def test_borrowed_weights_are_told_loudly_on_the_screen_and_in_the_file(council: Council, tmp_path: Path) -> None:
    jury = drawn_jury(1, 150, UNEQUAL)
    path = tmp_path / "one-type.jsonl"
    write_jury(path, RecordedJury(jury, {}))
    kept = council(path, *QUICK)
    assert "weights kept as they are: 0 labels, and 30 are the least" in kept.out
    assert "quotas stay as they are" in kept.out
    proposal = tmp_path / "proposal.yaml"
    done = council(path, "--borrow", "--anyway", "-o", proposal, *QUICK)
    told = "major_trigger, 0 labels, weights BORROWED: learned from all 150 labels of all classes together"
    assert told in done.out and told in proposal.read_text("utf-8")


def test_the_policy_in_force_is_never_touched(
    council: Council, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    live = tmp_path / "live.yaml"
    live.write_bytes(default_policy_path().read_bytes())
    monkeypatch.setenv("COUNCIL_POLICY_PATH", str(live))
    for arguments in ((), ("--policy", default_policy_path())):
        done = council(votes(tmp_path), "-o", live, "--anyway", *arguments, *QUICK)
        assert done.code == 2
        assert "tuning never touches" in done.err
    assert live.read_bytes() == default_policy_path().read_bytes()


def test_an_export_with_few_labels_is_told_how_many_are_missing(council: Council, tmp_path: Path) -> None:
    labels = {key: [label("reject")] for key in list(example_requests())[:3]}
    done = council(write_export(tmp_path / "export.jsonl", export_lines(recorded(labels=labels))), *QUICK)
    assert done.code == 2
    assert "too few labels to learn from" in done.err
    assert "council eval label" in done.err


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (("--cost-unsafe", "much"), "--cost-unsafe 'much' is not an exact number"),
        (("--cost-other", "-1"), "is below 0"),
        (("--type", "impact_disputes"), "did you mean 'impact_dispute'?"),
        (("--realm", "realm-1"), "--realm chooses among the realms of a ledger"),
        (("--database", "sqlite:///x.db"), "a file and a database were both given"),
    ],
)
def test_bad_usage_is_told_with_its_way_out(
    council: Council, tmp_path: Path, arguments: tuple[str, ...], told: str
) -> None:
    done = council(votes(tmp_path, count=40), *arguments, *QUICK)
    assert done.code == 2
    assert told in done.err


def foreign(tmp_path: Path, *classes: str) -> Path:
    drawn = [drawn_jury(seed, 120, UNEQUAL, decision_class=name) for seed, name in enumerate(classes)]
    names = dict(zip(drawn[0].members, ("ana", "bo", "cy", "di", "ed"), strict=True))
    items = [
        item._replace(ballots={names[str(member)]: vote for member, vote in item.ballots.items()})
        for each in drawn
        for item in each.items
    ]
    path = tmp_path / "foreign.jsonl"
    write_jury(path, RecordedJury(Jury(tuple(names.values()), tuple(items), "elsewhere"), {}))
    return path


def test_a_foreign_jury_gets_a_policy_of_the_merge_filter(council: Council, tmp_path: Path) -> None:
    out = tmp_path / "policy.json"
    done = council(foreign(tmp_path, ""), "-o", out, *QUICK)
    assert done.code == 0
    weights = json.loads(out.read_text("utf-8"))["policy"]["weights"]
    assert set(weights) == {"ana", "bo", "cy", "di", "ed"}
    assert main(["merge", str(out)]) == 0


def test_a_foreign_jury_of_several_classes_is_tuned_one_by_one_or_pooled_aloud(
    council: Council, tmp_path: Path
) -> None:
    path = foreign(tmp_path, "easy", "hard")
    refused = council(path, *QUICK)
    assert refused.code == 2 and "--type easy takes one of them, --borrow pools all" in refused.err
    assert "120 labelled decisions" in council(path, "--type", "hard", *QUICK).out
    assert "BORROWED: the classes easy, hard are pooled" in council(path, "--borrow", *QUICK).out

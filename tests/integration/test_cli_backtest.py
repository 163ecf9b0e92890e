"""`council eval backtest` and `shadows` over real exports: what designers see, exit codes, files, bad input."""

import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

import pytest

from cli.main import main
from evals.sidecar import sidecar_path
from policies.loading import default_policy_path, load_policy
from policies.policy import Policy
from tests.unit.cli.golden_files import assert_golden
from tests.unit.evals.exported import export_lines, write_export
from tests.unit.evals.recorded import example_requests, label, recorded

SHIPPED = default_policy_path()
STRICT = SHIPPED.with_name("aelvyndor-strict.yaml")
Council = Callable[..., "Done"]


class Done(NamedTuple):
    """How a command ended."""

    code: int
    out: str
    err: str


@pytest.fixture
def council(capsys: pytest.CaptureFixture[str]) -> Council:
    def run(*arguments: object) -> Done:
        return Done(main([str(argument) for argument in ("eval", *arguments)]), *capsys.readouterr())

    return run


@pytest.fixture
def export(tmp_path: Path) -> Path:
    """The examples, decided by the shipped policy; three are labelled."""
    labels = {
        "06-a-harbor-for-an-inland-city": [label("reject")],
        "09-goldmark-buys-the-borderlands": [label("approve")],
        "13-the-veil-asks-for-too-much": [label("modify"), label("approve", "bo")],
    }
    return write_export(tmp_path / "export.jsonl", export_lines(recorded(labels=labels)))


def written(tmp_path: Path, change: Callable[[str], str]) -> Path:
    """Write the shipped policy with a change, as a designer would."""
    text = SHIPPED.read_text("utf-8")
    assert change(text) != text
    path = tmp_path / "new.yaml"
    path.write_text(change(text), "utf-8")
    return path


def without_the_lock(text: str) -> str:
    return re.sub(r"(- id: canon_lock.*?mode: )enforce", r"\1log_only", text, count=1, flags=re.S)


def masked(text: str) -> str:
    return re.sub(r"(?<![0-9a-f-])[0-9a-f]{12,64}(?![0-9a-f])", lambda found: "0" * len(found[0]), text)


def test_a_lock_taken_away_shows_what_would_be_let_through(council: Council, export: Path, tmp_path: Path) -> None:
    done = council("backtest", export, "--policy", written(tmp_path, without_the_lock))
    assert (done.code, done.err) == (1, "")
    assert_golden("eval_backtest_lock", masked(done.out))


def test_a_stricter_policy_is_shown_whole(council: Council, export: Path) -> None:
    done = council("backtest", export, "-p", STRICT, "--all")
    assert (done.code, done.err) == (1, "")
    assert_golden("eval_backtest_strict", masked(done.out))


def test_nothing_changed_is_good(council: Council, export: Path) -> None:
    done = council("backtest", export, "-p", SHIPPED)
    assert done.code == 0
    assert "0 verdicts, 0 % (0 to 17.6 %) of the judged" in done.out


@pytest.mark.parametrize(
    ("policy", "fail_on", "code"),
    [
        ("lock", "any", 1),
        ("lock", "milder", 1),
        ("lock", "unsafe", 1),
        ("strict", "any", 1),
        ("strict", "milder", 0),
        ("strict", "unsafe", 0),
    ],
)
def test_fail_on_says_what_exits_with_1(
    council: Council, export: Path, tmp_path: Path, policy: str, fail_on: str, code: int
) -> None:
    path = STRICT if policy == "strict" else written(tmp_path, without_the_lock)
    assert council("backtest", export, "-p", path, "--fail-on", fail_on).code == code


def test_the_report_as_json_and_as_a_file_is_one(council: Council, export: Path, tmp_path: Path) -> None:
    file = tmp_path / "report.json"
    done = council("backtest", export, "-p", written(tmp_path, without_the_lock), "--json", "-o", file)
    report = json.loads(done.out)
    assert report == json.loads(file.read_bytes())
    assert report["schema"] == "council.backtest/1"
    assert report["all"]["changed"] == len(report["flips"]) == 2
    first = report["flips"][0]
    assert (first["before"], first["after"], first["is_milder"]) == ("reject", "approve", True)
    assert first["causes"] == [
        {"kind": "rule", "name": "canon_lock", "told": "canon_lock no longer fires", "how": "alone"}
    ]
    assert report["labelled"]["new_unsafe"] == 1
    assert report["labelled"]["disputed"] == 1


def test_the_second_run_reads_the_sidecar_and_says_the_same(council: Council, export: Path) -> None:
    first = council("backtest", export, "-p", STRICT)
    assert sidecar_path(export).exists()
    assert council("backtest", export, "-p", STRICT) == first


def test_a_damaged_sidecar_is_made_again_with_a_note(council: Council, export: Path) -> None:
    first = council("backtest", export, "-p", STRICT)
    sidecar_path(export).write_bytes(b"nonsense")
    again = council("backtest", export, "-p", STRICT)
    assert again.out == first.out
    assert "is damaged" in again.err


def test_a_realm_that_is_not_there_cannot_be_judged(council: Council, export: Path) -> None:
    done = council("backtest", export, "-p", STRICT, "--realm", "nowhere")
    assert done.code == 2
    assert "there is no decision in export.jsonl" in done.err


def test_a_policy_for_other_realms_judges_nothing_and_says_why(council: Council, export: Path, tmp_path: Path) -> None:
    path = written(
        tmp_path,
        lambda text: re.sub(
            r"\nrealms:\n.*?\n(?=\S|\n)", "\nrealms:\n  elsewhere: {mode: enforce}\n", text, flags=re.S
        ),
    )
    done = council("backtest", export, "-p", path)
    assert done.code == 2
    assert "none of 18 decisions can be judged: the policy does not know the realm: 18" in done.err


def test_a_broken_export_is_named_with_its_line(council: Council, export: Path) -> None:
    lines = export.read_bytes().splitlines()
    write_export(export, [*lines[:7], *lines[8:]])
    done = council("backtest", export, "-p", STRICT)
    assert done.code == 2
    assert f"{export}:8" in done.err
    assert not sidecar_path(export).exists()


def test_a_policy_with_a_signal_that_nobody_knows_is_refused_by_name(
    council: Council, export: Path, tmp_path: Path
) -> None:
    path = written(tmp_path, lambda text: text.replace("canon_direct_violations +", "canon_direct_violation +", 1))
    done = council("backtest", export, "-p", path)
    assert done.code == 2
    assert "canon_direct_violation" in done.err


def test_a_file_that_is_not_there_is_told_plainly(council: Council, tmp_path: Path) -> None:
    done = council("backtest", tmp_path / "none.jsonl", "-p", STRICT)
    assert done.code == 2
    assert "no such file" in done.err


@pytest.fixture
def shadowed(tmp_path: Path) -> Path:
    """The examples, decided with the strict policy as a shadow."""
    path = tmp_path / "shadowed.yaml"
    text = SHIPPED.read_text("utf-8")
    path.write_text(re.sub(r"(?m)^shadow: \[\]", "shadow: [aelvyndor-strict.yaml]", text), "utf-8")
    (tmp_path / STRICT.name).write_bytes(STRICT.read_bytes())
    policy = load_policy(path)
    assert policy.shadows
    every: list[Policy] = [policy, *policy.shadows]
    return write_export(tmp_path / "shadowed.jsonl", export_lines(recorded(policy=policy), every))


def test_shadows_say_what_the_backtest_of_their_policy_says(council: Council, shadowed: Path) -> None:
    shadow = json.loads(council("shadows", shadowed, "--json").out)
    tried = json.loads(council("backtest", shadowed, "-p", STRICT, "--json").out)
    assert shadow["flips"] == tried["flips"]
    assert shadow["all"] == tried["all"]
    assert shadow["policy"]["policy_id"] == "aelvyndor-strict"


def test_shadows_are_drawn_like_a_backtest(council: Council, shadowed: Path) -> None:
    done = council("shadows", shadowed, "--shadow", "aelvyndor-strict")
    assert (done.code, done.err) == (1, "")
    assert_golden("eval_shadows", masked(done.out))


def test_without_shadows_it_says_how_to_have_some(council: Council, export: Path) -> None:
    done = council("shadows", export)
    assert done.code == 2
    assert "list shadow policies under 'shadow'" in done.err


def test_a_ledger_is_backtested_as_its_export_is(
    council: Council, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    url = f"sqlite:///{tmp_path / 'council.db'}"
    for number, request in enumerate(list(example_requests().values())[4:8]):
        file = tmp_path / f"{number}.json"
        file.write_text(json.dumps(request), "utf-8")
        main(["review", str(file), "--database", url, "--json"])
    capsys.readouterr()
    done = council("backtest", "--database", url, "-p", written(tmp_path, without_the_lock), "--json")
    report = json.loads(done.out)
    assert (done.code, report["source"], report["all"]["judged"]) == (1, "the ledger", 4)
    assert [(flip["before"], flip["after"]) for flip in report["flips"]] == [("reject", "approve")] * 2

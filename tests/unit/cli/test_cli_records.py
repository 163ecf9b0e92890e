"""Commands over recorded decisions: show, diff, list, tail, export, on the shipped memory ledger."""

import json
from pathlib import Path

import pytest

from cli.main import main
from council.ledger.chain import link_hash
from policies.canonical import canonical_json
from tests.unit.cli.golden_files import assert_golden
from tests.unit.cli.ledger_doubles import filled_ledger, use
from tests.unit.cli.sample_records import COUNCIL_RECORD, FAST_RECORD, VETO_RECORD, changed

FIRST = changed(FAST_RECORD, request_key="k-1", recorded_at="2026-11-03T10:00:00.000Z")
SECOND = changed(COUNCIL_RECORD, request_key="k-2", recorded_at="2026-11-03T11:00:00.000Z")
THIRD = changed(VETO_RECORD, request_key="k-3", realm_id="pale-coast", recorded_at="2026-11-03T12:00:00.000Z")


@pytest.fixture(autouse=True)
def _ledger(monkeypatch: pytest.MonkeyPatch) -> None:
    use(monkeypatch, filled_ledger(FIRST, SECOND, THIRD))


def test_show_draws_the_decision_with_its_place_in_the_chain(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "dec-council"]) == 0
    out = capsys.readouterr().out
    assert out.startswith("╭")
    assert "record 2 " in out


def test_show_takes_the_start_of_an_id(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "dec-v"]) == 0
    assert "dec-veto" in capsys.readouterr().out


def test_show_in_json_is_the_record_with_what_proves_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "dec-council", "--json"]) == 0
    line = json.loads(capsys.readouterr().out)
    assert line["body"] == SECOND
    assert line["hash"] == link_hash(canonical_json(line["body"]), 2, line["previous"], "aelvyndor")


def test_an_unknown_id_is_answered_with_the_near_one(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "dec-vetto"]) == 2
    assert capsys.readouterr().err == "council: no decision has the id 'dec-vetto'\n  → did you mean dec-veto?\n"


def test_the_start_of_several_ids_asks_for_more(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["show", "dec-"]) == 2
    assert capsys.readouterr().err == (
        "council: 'dec-' is the start of 3 ids\n  dec-veto\n  dec-council\n  dec-fast\n  → give more of it\n"
    )


def test_an_empty_store_says_how_to_fill_it(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    use(monkeypatch, filled_ledger())
    assert main(["show", "dec-1"]) == 2
    assert "'council review FILE' decides something" in capsys.readouterr().err
    assert main(["list"]) == 0
    captured = capsys.readouterr()
    assert captured.out == ""
    assert captured.err == "nothing is on record here yet: 'council review FILE' decides something\n"


def test_list_is_a_table_newest_first(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list"]) == 0
    assert_golden("list", capsys.readouterr().out)


@pytest.mark.parametrize(
    ("options", "ids"),
    [
        ([], ["dec-veto", "dec-council", "dec-fast"]),
        (["--realm", "aelvyndor"], ["dec-council", "dec-fast"]),
        (["--verdict", "modify"], ["dec-council"]),
        (["--path", "fast"], ["dec-fast"]),
        (["--since", "2026-11-03T12:30:00+01:00", "--until", "2026-11-03T12:00:00Z"], []),
        (["--since", "2026-11-03T12:00:00+01:00", "--until", "2026-11-03T12:00:00Z"], ["dec-council"]),
        (["--until", "2026-11-03"], []),
        (["--held"], []),
        (["--type", "major_trigger"], []),
    ],
)
def test_list_keeps_what_the_filters_ask_for(
    options: list[str], ids: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["list", "--json", *options]) == 0
    rows = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [row["decision_id"] for row in rows] == ids


def test_list_goes_on_where_it_ended(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["list", "--json", "-n", "2"]) == 0
    captured = capsys.readouterr()
    assert len(captured.out.splitlines()) == 2
    cursor = captured.err.removeprefix("more: add --cursor ").strip()
    assert main(["list", "--json", "--cursor", cursor]) == 0
    assert [json.loads(line)["decision_id"] for line in capsys.readouterr().out.splitlines()] == ["dec-fast"]


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["list", "--verdict", "aprove"], "did you mean 'approve'?"),
        (["list", "--since", "yesterday"], "write 2026-11-03 or 2026-11-03T10:00:00Z"),
        (["list", "--cursor", "%%%"], "start again without --cursor"),
        (["replay"], "give one ID, or --all"),
        (["replay", "dec-fast", "--all"], "give one ID, or --all"),
    ],
)
def test_wrong_options_are_answered_with_the_right_ones(
    arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(arguments) == 2
    assert told in capsys.readouterr().err


def test_diff_in_json_lists_what_differs(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["diff", "dec-council", "dec-veto", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)["differences"]
    assert {"part": "verdict", "name": "final", "first": "modify", "second": "reject"} in found


def test_export_streams_every_chain_in_order(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export"]) == 0
    captured = capsys.readouterr()
    lines = [json.loads(line) for line in captured.out.splitlines()]
    assert lines[0] == {"kind": "header", "schema": "council.export/1", "redacted": False, "realm": None, "after": 0}
    assert lines[1] == {"kind": "policy", "hash": FIRST["policy"]["hash"], "document": {}}
    assert [(line["realm_id"], line["position"]) for line in lines[2:-1]] == [
        ("aelvyndor", 1),
        ("aelvyndor", 2),
        ("pale-coast", 1),
    ]
    assert lines[3]["previous"] == lines[2]["hash"]
    assert lines[3]["body"] == SECOND
    assert lines[-1] == {"kind": "end", "decisions": 3, "policies": 1}
    assert captured.err == ""


def test_export_writes_a_whole_file_or_none(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    target = tmp_path / "out.jsonl"
    assert main(["export", str(target), "--realm", "aelvyndor", "--after", "1"]) == 0
    lines = [json.loads(line) for line in target.read_text().splitlines()]
    assert [line["body"]["decision_id"] for line in lines if line["kind"] == "decision"] == ["dec-council"]
    assert (lines[0]["realm"], lines[0]["after"]) == ("aelvyndor", 1)
    assert [path.name for path in tmp_path.iterdir()] == ["out.jsonl"]
    assert capsys.readouterr().err == f"1 decision written to {target}\n"
    assert main(["export", str(tmp_path / "no" / "out.jsonl")]) == 2
    assert "cannot write" in capsys.readouterr().err


def test_export_of_a_realm_that_nobody_knows_is_refused(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["export", "--realm", "aelvindor"]) == 2
    captured = capsys.readouterr()
    assert captured.out == ""
    assert "no realm 'aelvindor' is on record" in captured.err


def test_tail_shows_the_latest_first_to_last(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["tail", "--once", "-n", "2"]) == 0
    assert capsys.readouterr().out == (
        "11:00  ≈ modify      council aelvyndor  The Empire annexes the Glass Harbor  dec-council\n"
        "12:00  ✗ reject      veto    pale-coast  The Empire annexes the Glass Harbor  dec-veto\n"
    )


def test_explain_without_the_policy_says_so_and_shows_the_rest(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["explain", "dec-council"]) == 0
    assert "the policy of this record is not at hand" in capsys.readouterr().out
    assert main(["explain", "dec-council", "--flip"]) == 2
    assert "the policy of this record is not in the ledger" in capsys.readouterr().err


def test_replay_without_the_policy_judges_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["replay", "dec-fast"]) == 2
    assert capsys.readouterr().out == (
        "? dec-fast cannot be replayed: its policy is not in the ledger, or not valid (9f2c9f2c9f2c)\n"
        "? nothing replayed: 1 could not be judged\n"
    )

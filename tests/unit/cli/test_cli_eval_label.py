"""`council eval label`: the terminal flow and its ways without a terminal, on the shipped memory ledger."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import orjson
import pytest

from cli.eval_label_flow import Ask, Counts, Session, label_queue
from cli.main import main
from council.ledger.memory import MemoryLedger
from evals.decisions import Label, Outcome
from evals.remarks import by_decision, label_remark, outcome_remark
from tests.unit.cli.ledger_doubles import new_record, use
from tests.unit.evals.recorded import recorded, shipped

DECISIONS = recorded()
IDS = [decision.decision_id for decision in DECISIONS]
NOW = "2026-11-21T12:00:00.000Z"


@pytest.fixture
def ledger(monkeypatch: pytest.MonkeyPatch) -> MemoryLedger:
    """A ledger with the shipped examples, that every command opens; labelled by "ana"."""
    opened = MemoryLedger()

    async def fill() -> None:
        await opened.put_policy(shipped().content_hash, orjson.dumps(shipped().document))
        for decision in DECISIONS:
            await opened.append(new_record(dict(decision.record)))

    asyncio.run(fill())
    use(monkeypatch, opened)
    monkeypatch.setenv("USER", "ana")
    monkeypatch.delenv("CI", raising=False)
    return opened


def said(ledger: MemoryLedger, number: int) -> tuple[tuple[Label, ...], tuple[Outcome, ...]]:
    return by_decision(asyncio.run(ledger.remarks_of([IDS[number]]))).get(IDS[number], ((), ()))


def answering(answers: Sequence[str]) -> Ask:
    """Return somebody who types these lines and then leaves."""
    left = iter(answers)
    return lambda _: next(left, None)


def flow(
    ledger: MemoryLedger, answers: Sequence[str], *, numbers: Sequence[int] = (0, 1, 2), is_open: bool = False
) -> Counts:
    session = Session("ana", answering(answers), lambda: NOW, is_open)
    return asyncio.run(label_queue(ledger, [IDS[number] for number in numbers], session))


def test_cases_are_labelled_one_after_another(ledger: MemoryLedger, capsys: pytest.CaptureFixture[str]) -> None:
    assert flow(ledger, ["r", "e", "one device", "quarantine", "", "", "s"]) == Counts(labelled=2, left=1)
    assert said(ledger, 0)[0] == (Label("ana", "reject", NOW, "exploit", "one device"),)
    assert said(ledger, 1)[0] == (Label("ana", "quarantine", NOW),)
    assert said(ledger, 2)[0] == ()
    out = capsys.readouterr().out
    assert f"case 1 of 3 · {DECISIONS[0].decision_type} · realm realm-1" in out
    assert "✓ reject; the council said approve" in out


def test_who_leaves_keeps_what_was_labelled(ledger: MemoryLedger) -> None:
    assert flow(ledger, ["a", "", "", "x"]) == Counts(1, 2)
    assert flow(ledger, []) == Counts(0, 3)
    assert said(ledger, 0)[0] == (Label("ana", "approve", NOW),)


def test_going_back_labels_again_and_the_later_label_counts(ledger: MemoryLedger) -> None:
    assert flow(ledger, ["a", "", "", "b", "r", "", "", "x"]) == Counts(1, 2)
    assert [label.verdict for label in said(ledger, 0)[0]] == ["approve", "reject"]
    assert flow(ledger, ["back", "quit"]) == Counts(0, 3)


def test_an_answer_that_is_none_is_asked_again(ledger: MemoryLedger, capsys: pytest.CaptureFixture[str]) -> None:
    assert flow(ledger, ["aprove", "a", "exploits", "exp", ""]) == Counts(1, 2)
    assert said(ledger, 0)[0] == (Label("ana", "approve", NOW, "exploit"),)
    out = capsys.readouterr().out
    assert "'aprove' is no answer here: did you mean 'approve'?" in out
    assert "'exploits' is no axis: did you mean 'exploit'?" in out


def _number(verdict: str) -> int:
    return next(at for at, decision in enumerate(DECISIONS) if decision.verdict == verdict and decision.path == "veto")


def test_the_councils_verdict_is_hidden_until_the_label_is_given(
    ledger: MemoryLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    numbers = [_number("reject")]
    flow(ledger, ["x"], numbers=numbers)
    hidden = capsys.readouterr().out
    assert "reject" not in hidden.lower()
    assert "Rules" not in hidden
    flow(ledger, ["f", "x"], numbers=numbers)
    assert "REJECT" in capsys.readouterr().out
    flow(ledger, ["x"], numbers=numbers, is_open=True)
    assert "REJECT" in capsys.readouterr().out


def test_what_others_said_is_shown(ledger: MemoryLedger, capsys: pytest.CaptureFixture[str]) -> None:
    remarks = [
        label_remark(IDS[0], Label("ben", "modify", NOW, "balance", "a\x1b[31mlittle less")),
        outcome_remark(IDS[0], Outcome("support", "reverted", NOW)),
    ]
    asyncio.run(ledger.add_remarks(remarks))
    flow(ledger, ["x"])
    out = capsys.readouterr().out
    assert "ben: ≈ modify  balance  a\\x1b[31mlittle less" in out
    assert "later: reverted (support)" in out


def test_one_decision_is_labelled_without_a_terminal(ledger: MemoryLedger, capsys: pytest.CaptureFixture[str]) -> None:
    arguments = ["eval", "label", IDS[0][:8], "--verdict", "reject", "--axis", "exploit", "--note", "why", "--json"]
    assert main(arguments) == 0
    kept = json.loads(capsys.readouterr().out)
    (label,) = said(ledger, 0)[0]
    assert (label.labeller, label.verdict, label.axis, label.note) == ("ana", "reject", "exploit", "why")
    assert kept == {
        "decision_id": IDS[0],
        "label": {
            "labeller": "ana",
            "verdict": "reject",
            "labelled_at": label.labelled_at,
            "axis": "exploit",
            "note": "why",
        },
    }


def test_an_outcome_is_reported_by_itself_or_with_a_label(
    ledger: MemoryLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "label", IDS[0], "--outcome", "reverted", "--note", "on appeal"]) == 0
    assert capsys.readouterr().out == f"✓ {IDS[0]}: reverted, as ana reports\n"
    labels, (outcome,) = said(ledger, 0)
    assert (labels, outcome.outcome, outcome.note) == ((), "reverted", "on appeal")
    assert main(["eval", "label", IDS[1], "--outcome", "upheld", "--verdict", "approve", "--labeller", "ben"]) == 0
    (label,), (outcome,) = said(ledger, 1)
    assert (label.labeller, outcome.reporter) == ("ben", "ben")


def test_a_file_is_imported_or_refused_whole(
    ledger: MemoryLedger, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "labels.csv"
    file.write_text(f"decision_id,verdict\n{IDS[0]},reject\n")
    assert main(["eval", "label", "--import", str(file)]) == 0
    assert capsys.readouterr().out == "✓ 1 label of 1 decision kept\n"
    file.write_text(f"decision_id,verdict\n{IDS[1]},reject\nd-nobody,reject\n")
    assert main(["eval", "label", "--import", str(file)]) == 2
    assert capsys.readouterr().err.startswith(
        f"council: the file is refused\n  {file}:3: decision_id: no decision has the id 'd-nobody'; "
    )
    assert said(ledger, 1) == ((), ())


def test_the_list_shows_disputed_decisions_first_and_how_far_labellers_agree(
    ledger: MemoryLedger, capsys: pytest.CaptureFixture[str]
) -> None:
    """Two items by two labellers, aa and ar: 1 of 2 pairs agrees. Ordinal alpha on the values a a | a r: observed
    disagreement (0 + 2 d)/4 over expected (6 d)/12, d the one distance: 1 - 0.5 / 0.5 = 0."""
    remarks = [
        label_remark(IDS[number], Label(who, verdict, NOW))  # type: ignore[arg-type] # a literal each
        for number, who, verdict in [
            (0, "ana", "approve"),
            (0, "ben", "approve"),
            (1, "ana", "approve"),
            (1, "ben", "reject"),
        ]
    ]
    asyncio.run(ledger.add_remarks(remarks))
    assert main(["eval", "label", "--list"]) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines[2:4]] == [IDS[1][:14], IDS[0][:14]]
    assert "? disputed" in lines[2]
    assert lines[4:] == [
        "2 labelled by 2: 4 labels that count, 1 disputed, 1 of these without a majority",
        "1 of 2 pairs of labels agree · Krippendorff's alpha (ordinal) 0.00; the customary least to rely on is 0.67",
    ]
    assert main(["eval", "label", "--list", "--disputed", "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert [row["decision_id"] for row in found["decisions"]] == [IDS[1]]
    assert found["decisions"][0]["votes"] == {"approve": 1, "reject": 1}
    assert found["agreement"]["unsettled"] == 1


def test_an_empty_list_says_how_to_fill_it(ledger: MemoryLedger, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["eval", "label", "--list"]) == 0
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == (
        "",
        "no decision that fits has a label: 'council eval label' asks for them\n",
    )
    assert main(["eval", "label", "--list", "--json"]) == 0
    assert json.loads(capsys.readouterr().out)["decisions"] == []


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        ([], "labelling asks questions, and here is nobody to answer them"),
        ([IDS[0]], "give an ID with --verdict or --outcome"),
        (["--json"], "or --import FILE.csv, or --list"),
        ([IDS[0], "--verdict", "aprove"], "did you mean 'approve'?"),
        ([IDS[0], "--verdict", "approve", "--axis", "exploits"], "did you mean 'exploit'?"),
        (["--type", "sovereign"], "unknown decision type 'sovereign'"),
        (["--outcome", "reverted"], "council eval label ID --outcome TEXT"),
        (["--axis", "exploit"], "--axis goes with a label"),
        ([IDS[0], "--list"], "an ID, --import and --list do not go together"),
        (["d-nobody", "--verdict", "approve"], "no decision has the id 'd-nobody'"),
    ],
)
def test_what_cannot_be_done_is_told_with_what_can(
    ledger: MemoryLedger, arguments: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(["eval", "label", *arguments]) == 2
    assert told in capsys.readouterr().err


def test_in_ci_a_labeller_must_be_named(
    ledger: MemoryLedger, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("CI", "true")
    assert main(["eval", "label", IDS[0], "--verdict", "approve"]) == 2
    assert capsys.readouterr().err == "council: it is not known who labels\n  → give --labeller NAME\n"
    assert main(["eval", "label", IDS[0], "--verdict", "approve", "--labeller", "ben"]) == 0
    assert [label.labeller for label in said(ledger, 0)[0]] == ["ben"]

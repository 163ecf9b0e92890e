"""Labels: which decisions teach most, what labellers make of them, and files of labels, kept whole or not at all."""

import asyncio
from fractions import Fraction
from pathlib import Path

import orjson
import pytest

from council.ledger.memory import MemoryLedger
from evals.decisions import Decision, Label
from evals.errors import InvalidFileError
from evals.label_files import moment_of
from evals.label_import import Imported, import_labels
from evals.label_queue import Wanted, labelled_decisions, queue_of
from evals.labelling import Agreement, Lesson, agreement_of, latest_labels, lesson_of, most_disputed_first, ratings_of
from evals.remarks import by_decision, label_remark
from tests.unit.cli.ledger_doubles import new_record
from tests.unit.evals.recorded import AT, label, recorded, shipped

NOW = "2026-11-21T12:00:00.000Z"
DECISIONS = recorded()
IDS = [decision.decision_id for decision in DECISIONS]


@pytest.fixture
def ledger() -> MemoryLedger:
    """A ledger with the shipped examples, decided."""
    opened = MemoryLedger()

    async def fill() -> None:
        await opened.put_policy(shipped().content_hash, orjson.dumps(shipped().document))
        for decision in DECISIONS:
            await opened.append(new_record(dict(decision.record)))

    asyncio.run(fill())
    return opened


def kept(ledger: MemoryLedger, *labels: tuple[int, Label]) -> None:
    asyncio.run(ledger.add_remarks([label_remark(IDS[number], each) for number, each in labels]))


def queue(ledger: MemoryLedger, wanted: Wanted = Wanted(), most: int = 100) -> list[str]:  # noqa: B008
    return asyncio.run(queue_of(ledger, wanted, most, lambda: None))


def listed(ledger: MemoryLedger, wanted: Wanted = Wanted()) -> list[Decision]:  # noqa: B008
    async def run() -> list[Decision]:
        return [decision async for decision in labelled_decisions(ledger, wanted)]

    return asyncio.run(run())


def test_what_is_most_disputed_among_votes_and_shadows_comes_first_then_what_was_closest() -> None:
    """Worked by hand: three different verdicts, two with a margin of 1/10, two with 1/2, and one verdict at the end."""

    def made(verdicts: list[str | None], confidence: str, shadow: str, number: int) -> None:
        record = {
            "decision_id": f"d-{number}",
            "realm_id": "r",
            "council_verdict": "approve",
            "answer": {"votes": [{"verdict": verdict} for verdict in verdicts]},
            "merge": {"confidence": confidence},
            "shadows": [{"verdict": shadow}],
        }
        lessons.append(lesson_of(record, number))

    lessons: list[Lesson] = []
    made(["approve", "approve"], "1/10", "approve", 1)
    made(["approve", "reject", None], "1/2", "approve", 2)
    made(["approve", "approve"], "1/10", "reject", 3)
    made(["approve", "modify"], "9/10", "reject", 4)
    assert [lesson.position for lesson in sorted(lessons)] == [4, 3, 2, 1]


def test_a_decision_without_votes_teaches_least() -> None:
    fast = next(decision for decision in DECISIONS if decision.path == "fast")
    assert lesson_of(fast.record, 1)[:2] == (-1, Fraction(1))


def test_the_queue_holds_what_nobody_labelled_most_teaching_first(ledger: MemoryLedger) -> None:
    first = queue(ledger)
    assert sorted(first) == sorted(IDS)
    assert first == [
        lesson.decision_id for lesson in sorted([lesson_of(each.record, each.position) for each in DECISIONS])
    ]
    kept(ledger, (IDS.index(first[0]), label("reject")))
    assert queue(ledger) == first[1:]
    assert queue(ledger, most=3) == first[1:4]


def test_the_queue_keeps_what_is_asked_for(ledger: MemoryLedger) -> None:
    verdicts = {decision.decision_id: decision.verdict for decision in DECISIONS}
    assert {verdicts[each] for each in queue(ledger, Wanted(verdict="reject"))} == {"reject"}
    types = {decision.decision_id: decision.decision_type for decision in DECISIONS}
    assert {types[each] for each in queue(ledger, Wanted(decision_type="major_trigger"))} == {"major_trigger"}
    assert queue(ledger, Wanted(realm_id="nowhere")) == []
    kept(ledger, (0, label("reject")), (0, label("approve", "ben")), (1, label("reject")))
    assert queue(ledger, Wanted(is_disputed=True)) == [IDS[0]]


def test_labelled_decisions_are_listed_with_what_was_said(ledger: MemoryLedger) -> None:
    kept(ledger, (3, label("reject")), (0, label("modify")), (3, label("approve", "ben")))
    assert [each.decision_id for each in listed(ledger)] == [IDS[3], IDS[0]]
    assert listed(ledger)[0].labels == (label("reject"), label("approve", "ben"))
    assert [each.decision_id for each in listed(ledger, Wanted(is_disputed=True))] == [IDS[3]]
    assert listed(ledger, Wanted(realm_id="nowhere")) == []


def _labelled(*verdicts: str) -> Decision:
    labels = [label(verdict, f"labeller {number}") for number, verdict in enumerate(verdicts)]  # type: ignore[arg-type] # a literal each
    return Decision(DECISIONS[0].record, 1, labels=tuple(labels))


def test_agreement_is_counted_in_pairs() -> None:
    """Three labels rr a: pairs rr, ra, ra: 1 of 3 agree; two labels m m: 1 of 1. A tie a r has no majority: 0 of 1."""
    decisions = [
        _labelled("reject", "reject", "approve"),
        _labelled("modify", "modify"),
        _labelled("approve", "reject"),
    ]
    assert agreement_of([*decisions, _labelled()]) == Agreement(
        decisions=3, labels=7, labellers=3, disputed=2, unsettled=1, pairs=5, agreeing_pairs=2
    )
    assert ratings_of(decisions) == [[2, 2, 0], [1, 1], [0, 2]]
    assert most_disputed_first(reversed(decisions)) == [decisions[2], decisions[0], decisions[1]]


def test_the_latest_label_of_a_labeller_counts_and_the_later_kept_one_of_two_at_once() -> None:
    early, late = label("reject"), label("approve")._replace(labelled_at="2026-05-01T00:00:00.000Z")
    assert latest_labels([late, early]) == {"ana": late}
    assert latest_labels([early, label("modify")]) == {"ana": label("modify")}


def _import(ledger: MemoryLedger, text: str, labeller: str | None = "ana") -> Imported:
    return asyncio.run(import_labels(ledger, text.encode(), "labels.csv", labeller, NOW))


def _said(ledger: MemoryLedger, number: int) -> tuple[Label, ...]:
    return by_decision(asyncio.run(ledger.remarks_of([IDS[number]])))[IDS[number]].labels


def test_a_file_of_labels_is_kept_with_every_column(ledger: MemoryLedger) -> None:
    text = (
        "decision_id,verdict,labeller,axis,note,labelled_at\n"
        f'{IDS[0]},reject,ben,exploit,"two hands, one device",2026-03-01T11:00:00+01:00\n'
        f"{IDS[1]},modify,,,,\n"
    )
    assert _import(ledger, text) == Imported(kept=2, known=0, decisions=2)
    assert _said(ledger, 0) == (Label("ben", "reject", AT, "exploit", "two hands, one device"),)
    assert _said(ledger, 1) == (Label("ana", "modify", NOW),)


def test_a_dated_label_is_kept_once_however_often_its_file_is_read(ledger: MemoryLedger) -> None:
    text = f"decision_id,verdict,labelled_at\n{IDS[0]},reject,2026-03-01\n"
    assert _import(ledger, text) == Imported(1, 0, 1)
    assert _import(ledger, text) == Imported(0, 1, 1)
    assert _import(ledger, text.replace("reject", "modify")) == Imported(1, 0, 1)
    assert [each.verdict for each in _said(ledger, 0)] == ["reject", "modify"]


def test_every_fault_of_a_file_is_named_and_nothing_of_it_is_kept(ledger: MemoryLedger) -> None:
    text = (
        "decision_id,verdict,labeller,axis,labelled_at\n"
        f"{IDS[0]},reject,,,\n"
        f"{IDS[1]},rejct,,,\n"
        f"{IDS[2]},reject,,exploits,\n"
        f"{IDS[3]},reject,,,the other day\n"
        f"{IDS[0]},modify,,,\n"
        ",reject,,,\n"
        "d-nobody,reject,,,\n"
    )
    with pytest.raises(InvalidFileError) as caught:
        _import(ledger, text)
    assert [str(fault).split("; ")[0] for fault in caught.value.faults] == [
        "labels.csv:3: verdict: 'rejct' is no verdict",
        "labels.csv:4: axis: 'exploits' is no axis",
        "labels.csv:5: labelled_at: 'the other day' is no time",
        f"labels.csv:6: decision_id: 'ana' has labelled '{IDS[0]}' on line 2 already",
        "labels.csv:7: decision_id: is empty",
        "labels.csv:8: decision_id: no decision has the id 'd-nobody'",
    ]
    assert all(fault.fix for fault in caught.value.faults)
    assert asyncio.run(ledger.remarks_of(IDS)) == ()


def test_a_label_needs_somebody_who_gave_it(ledger: MemoryLedger) -> None:
    with pytest.raises(InvalidFileError, match=r"labels.csv:2: labeller: nobody is named; fill the column, or give"):
        _import(ledger, f"decision_id,verdict\n{IDS[0]},reject\n", labeller=None)


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("2026-03-01", "2026-03-01T00:00:00.000Z"),
        ("2026-03-01 12:30", "2026-03-01T12:30:00.000Z"),
        ("2026-03-01T11:00:00.123456+01:00", "2026-03-01T10:00:00.123Z"),
        ("", None),
        ("March", None),
    ],
)
def test_times_are_taken_as_people_write_them(text: str, moment: str | None) -> None:
    assert moment_of(text) == moment


def test_the_labels_of_the_docs_import(ledger: MemoryLedger) -> None:
    """The first lines of docs/evals/data.md's example, with an id that is on record here."""
    page = (Path(__file__).parents[3] / "docs" / "evals" / "data.md").read_text("utf-8")
    (block,) = [part for part in page.split("```") if part.startswith("csv\n")]
    header, *rows = block.removeprefix("csv\n").strip().splitlines()
    rows = [",".join([decision_id, *row.split(",")[1:]]) for decision_id, row in zip(IDS, rows, strict=False)]
    assert _import(ledger, "\n".join([header, *rows])) == Imported(len(rows), 0, len(rows))

"""Reports: what they conclude, what they count, and a page that no text of a record can break."""

import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from evals.errors import InvalidFileError
from evals.reports.document import document_of
from evals.reports.inputs import read_backtest, read_sweep
from evals.reports.judgement import Answer, judge
from evals.reports.members import member_figures
from evals.reports.page import POLICY, page
from evals.reports.report import Report, report_of
from evals.reports.stories import failures, story_of
from evals.results import CaseResult, Check, Gate, Run
from policies.verdicts import Verdict
from tests.unit.evals.report_runs import ATTACK, BACKTEST, HOSTILE, baseline, milder, plain, sweep, told

VOID = {"meta", "link", "circle", "rect", "line", "polyline", "polygon", "br"}


class _Page(HTMLParser):
    """Reads a page and notes its elements, and any that is closed where it was not opened."""

    def __init__(self, text: str) -> None:
        super().__init__(convert_charrefs=True)
        self.names: list[str] = []
        self.attributes: list[tuple[str, str | None]] = []
        self.open: list[str] = []
        self.text = ""
        self.feed(text)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.append(tag)
        self.attributes += attrs

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID or self.open[-1:] == [tag]:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        self.text += data


def _run(
    pairs: list[tuple[Verdict | None, Verdict | None]], *, gates: tuple[Gate, ...] = (), is_complete: bool = True
) -> Run:
    """Return a run of (label, verdict) pairs without votes."""
    blank = plain(baseline()).results[0]._replace(votes=(), checks=())
    results = [
        blank._replace(case=f"case-{at}", label=label, verdict=verdict, error="" if verdict else "no answer")
        for at, (label, verdict) in enumerate(pairs)
    ]
    return Run(baseline().header, tuple(results), gates, is_complete)


RIGHT: tuple[Verdict, ...] = ("approve", "reject")
GOOD: list[tuple[Verdict | None, Verdict | None]] = [(verdict, verdict) for verdict in RIGHT for _ in range(5)]


@pytest.mark.parametrize(
    ("run", "answer", "because"),
    [
        pytest.param(_run(GOOD), "ship", "No unsafe approval among 5", id="all right"),
        pytest.param(
            _run([*GOOD, ("reject", "approve")]), "hold", "1 unsafe approval among 6", id="an unsafe approval"
        ),
        pytest.param(
            _run([*GOOD, ("approve", "reject")]), "ship", "1 needless hold among 6", id="a needless hold alone"
        ),
        pytest.param(
            _run(GOOD, gates=(Gate("accuracy >= 2", False, 1.0),)), "hold", "Gate “accuracy >= 2” fails", id="a gate"
        ),
        pytest.param(_run(GOOD, is_complete=False), "unknown", "not complete", id="cut off"),
        pytest.param(_run([*GOOD, ("reject", None)]), "unknown", "1 result of 11 could not be judged", id="an error"),
        pytest.param(_run([("approve", "approve")]), "unknown", "unsafe approvals cannot show", id="nothing to stop"),
        pytest.param(_run([(None, "approve")]), "unknown", "No case is labelled", id="no labels"),
        pytest.param(_run([]), "unknown", "no results", id="nothing"),
    ],
)
def test_the_answer_follows_from_the_evidence(run: Run, answer: Answer, because: str) -> None:
    found = judge(run, None)
    assert found.answer == answer
    assert any(because in each.told for each in found.evidence)


def test_no_failure_is_never_told_as_no_risk() -> None:
    # Wilson for 0 of 5: z^2 / (n + z^2) = 3.8415 / 8.8415 = 0.4345.
    found = judge(_run(GOOD), None)
    assert any("a true share of up to 43.4%" in each.told for each in found.evidence)


def test_a_case_that_grew_worse_speaks_against_shipping_even_where_all_gates_pass() -> None:
    before, after = _run(GOOD), _run([*GOOD[:-1], ("reject", "quarantine")])
    met = (Check("verdict", True, "reject", "reject"),)
    kept = [each._replace(checks=met) for each in before.results]
    worse = [each._replace(checks=met) for each in after.results]
    worse[-1] = worse[-1]._replace(checks=(Check("verdict", False, "reject", "quarantine"),))
    found = report_of(after._replace(results=tuple(worse)), before._replace(results=tuple(kept)))
    assert found.judgement.answer == "hold"
    assert any("passed in the baseline" in each.told for each in found.judgement.evidence)


def test_runs_that_do_not_differ_are_told_as_no_evidence_of_a_difference() -> None:
    found = report_of(baseline(), baseline())
    assert found.flips == ()
    assert any("no evidence of a difference" in each.told for each in found.judgement.evidence)


def test_failures_come_in_the_order_of_their_danger() -> None:
    pairs: list[tuple[Verdict | None, Verdict | None]] = [
        ("approve", "modify"), ("approve", "reject"), ("quarantine", "approve"), ("approve", "approve"), ("reject", None),
    ]  # fmt: skip
    found = [story_of(each).concern for each in failures(_run(pairs).results)]
    assert found == ["unsafe approval", "needless hold", "not the label", "could not be judged"]


def test_axes_and_types_are_counted_apart_and_nothing_is_lost() -> None:
    found = told()
    assert [line.name for line in found.axes] == ["balance", "exploit", "coherence"]
    assert sum(line.cases for line in found.axes) + found.unplaced == found.cases
    assert sum(line.results for line in found.types) == found.results
    assert found.matrix.n == sum(each.label is not None and each.verdict is not None for each in milder().results)


def test_members_are_judged_by_their_own_votes_and_repeats_count_once() -> None:
    once = member_figures(milder().results)
    repeated = [each._replace(repeat=repeat) for each in milder().results for repeat in range(3)]
    assert member_figures(repeated) == once
    governor = once.lines[0]
    votes = [
        (vote.verdict, each.label) for each in milder().results for vote in each.votes
        if vote.member == "governor" and vote.verdict is not None and each.label is not None
    ]  # fmt: skip
    assert governor.report.accuracy is not None
    assert governor.report.accuracy.n == len(votes)
    assert governor.report.accuracy.estimate == sum(vote == label for vote, label in votes) / len(votes)


def test_power_is_taken_from_the_weights_on_record() -> None:
    # Five equal members and a quota of a third: by symmetry each has a fifth of all swings.
    assert {line.power for line in member_figures(milder().results).lines} == {
        member_figures(milder().results).lines[0].power
    }
    assert float(member_figures(milder().results).lines[0].power or 0) == 0.2
    assert {line.power for line in member_figures(plain(milder()).results).lines} == {None}


def test_a_story_holds_the_votes_of_both_runs_and_what_differs() -> None:
    flip = next(story for story in told().flips if story.result.case.startswith("03-"))
    assert flip.before is not None
    turned = [line for line in flip.votes if line.before is not None]
    assert turned
    assert all(line.before != line.said for line in turned)
    assert flip.differences
    assert flip.quotas[-1].verdict == "approve"


def test_no_text_of_a_record_becomes_part_of_the_page() -> None:
    text = page(told())
    parsed = _Page(text)
    assert parsed.open == []
    assert {"script", "img", "iframe", "b", "object", "form"}.isdisjoint(parsed.names)
    assert not [name for name, _ in parsed.attributes if name.startswith("on")]
    assert ATTACK.replace("\u202e", "\\u202e") in parsed.text
    assert HOSTILE in parsed.text
    assert "\u202e" not in text


@pytest.mark.parametrize("field", ["case", "error", "decided_by", "axis", "decision_type", "path"])
def test_every_field_of_a_result_is_escaped(field: str) -> None:
    run = milder()
    hostile = tuple([each._replace(**{field: ATTACK}) for each in run.results[:4]])  # type: ignore[arg-type]
    assert {"script", "img"}.isdisjoint(_Page(page(report_of(run._replace(results=hostile)))).names)


def test_every_field_of_a_header_is_escaped() -> None:
    header = baseline().header._replace(
        suite=ATTACK, policy_id=ATTACK, run_id=ATTACK, version=ATTACK, models={ATTACK: ATTACK}, prompts={ATTACK: ATTACK},
        selection=ATTACK, started_at=ATTACK,
    )  # fmt: skip
    run = baseline()._replace(header=header, gates=(Gate(ATTACK, False, None),))
    assert {"script", "img"}.isdisjoint(_Page(page(report_of(run, scorer=ATTACK))).names)


def test_a_browser_is_told_to_load_and_run_nothing() -> None:
    parsed = _Page(page(told()))
    assert ("content", POLICY) in parsed.attributes
    assert POLICY.startswith("default-src 'none';")
    assert "script" not in POLICY
    addresses = [
        value for name, value in parsed.attributes if name in ("src", "href", "action", "data", "xlink:href") and value
    ]
    assert all(address == "data:," or address.startswith("#") for address in addresses)
    assert not re.search(r"url\(|@import", page(told()))


def test_every_id_is_there_once_and_every_reference_leads_somewhere() -> None:
    attributes = _Page(page(told())).attributes
    ids = [value for name, value in attributes if name == "id"]
    assert len(ids) == len(set(ids))
    wanted = {word for name, value in attributes if name == "aria-labelledby" and value for word in value.split()}
    assert wanted <= set(ids)


def test_the_same_runs_give_the_same_page() -> None:
    assert page(told()) == page(told())


@pytest.mark.parametrize(
    "report",
    [
        pytest.param(report_of(_run([])), id="nothing"),
        pytest.param(report_of(_run([("approve", None)])), id="errors only"),
        pytest.param(report_of(plain(milder()), plain(baseline())), id="no records"),
        pytest.param(report_of(_run([(None, "approve")])), id="no labels"),
    ],
)
def test_a_report_of_little_is_still_whole(report: Report) -> None:
    parsed = _Page(page(report))
    assert parsed.open == []
    assert parsed.text.count("Versions") >= 2
    json.dumps(document_of(report))


def test_the_document_says_what_the_page_says() -> None:
    document: dict[str, Any] = json.loads(json.dumps(document_of(told())))
    assert document["schema"] == "council.report/1"
    assert document["judgement"]["answer"] == told().judgement.answer
    assert document["matrix"]["counts"] == [list(row) for row in told().matrix.counts]
    assert len(document["flips"]) == len(told().flips)
    assert document["comparison"]["pairs"] == 19
    assert document["backtest"]["all"]["changed"] == 12
    assert "record" not in document["failures"][0]["result"]


def test_what_other_commands_wrote_is_read_back(tmp_path: Path) -> None:
    points: list[dict[str, Any]] = [
        {"name": spot.name, "unsafe_approvals": spot.unsafe_approvals, "needless_holds": spot.needless_holds,
         "accuracy": spot.accuracy, "changes": {}, "changed": 1, "judged": 105}
        for spot in sweep().found.spots
    ]  # fmt: skip
    current = next(at for at, spot in enumerate(sweep().found.spots) if spot.is_current)
    written = {"schema": "council.sweep/1", "current": current, "labelled": 105, "points": points, "invalid": []}
    (tmp_path / "sweep.json").write_text(json.dumps(written))
    assert read_sweep(tmp_path / "sweep.json") == sweep()
    (tmp_path / "backtest.json").write_text(json.dumps(BACKTEST))
    assert read_backtest(tmp_path / "backtest.json").turned.of_kind("milder") == 9


@pytest.mark.parametrize(
    ("text", "told"),
    [
        pytest.param("{", "is not JSON", id="cut off"),
        pytest.param("[]", "is not council.sweep/1", id="no object"),
        pytest.param('{"schema": "council.backtest/1"}', "is not council.sweep/1", id="another kind"),
        pytest.param(
            '{"schema": "council.sweep/1", "points": [{"name": "a"}]}',
            "points[0].unsafe_approvals",
            id="a key is missing",
        ),
        pytest.param(
            '{"schema": "council.sweep/1", "points": [], "labelled": 0}', "no decision was labelled", id="no labels"
        ),
    ],
)
def test_a_file_that_is_no_sweep_is_refused_by_name(tmp_path: Path, text: str, told: str) -> None:
    path = tmp_path / "sweep.json"
    path.write_text(text)
    with pytest.raises(InvalidFileError) as refused:
        read_sweep(path)
    assert told in str(refused.value)
    assert "sweep.json" in str(refused.value)


def test_a_case_without_a_record_is_told_from_its_result() -> None:
    result: CaseResult = plain(milder()).results[2]
    story = story_of(result)
    assert story.summary == ""
    assert [line.member for line in story.votes] == [vote.member for vote in result.votes]

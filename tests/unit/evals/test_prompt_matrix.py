"""Prompt versions and the matrix over them: what is read, what is counted, and when a difference is believed."""

from fractions import Fraction
from pathlib import Path

import pytest

from agents.prompt_files import HERE, SHARED, prompt_file
from evals.errors import InvalidFileError, NotEnoughError
from evals.prompt_matrix import Cell, matrix_of
from evals.prompt_versions import read_versions
from evals.results import Run
from evals.run_headers import prompt_hash
from policies.verdicts import MEMBERS
from tests.unit.evals.run_doubles import marked, result, run_of, vote


def cell(name: str, run: Run) -> Cell:
    return Cell(name, "lab/one", run)


def written(folder: Path, **files: str) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    for name, text in files.items():
        (folder / f"{name}.md").write_text(text, encoding="utf-8")
    return folder


def test_without_a_folder_the_shipped_prompts_are_the_one_version() -> None:
    assert [(each.name, each.folder, each.changed) for each in read_versions([])] == [("shipped", HERE, ())]


def test_a_version_names_the_parts_that_differ_from_the_shipped_ones(tmp_path: Path) -> None:
    same = (HERE / "risk.md").read_text(encoding="utf-8")
    folder = written(tmp_path / "v2", lore="version: 2\n\nBe strict.", council="version: 2\n\nAll of you.", risk=same)

    (version,) = read_versions([folder])
    assert (version.name, version.changed) == ("v2", (SHARED, "lore"))


def test_what_a_version_lacks_is_the_shipped_prompt(tmp_path: Path) -> None:
    folder = written(tmp_path / "v2", lore="version: 2\n\nBe strict.")

    assert prompt_file("lore", folder).text == "Be strict."
    assert prompt_file("risk", folder) == prompt_file("risk")
    changed = [member for member in MEMBERS if prompt_hash(member, folder) != prompt_hash(member)]
    assert changed == ["lore"]


def test_every_file_that_no_member_reads_is_named(tmp_path: Path) -> None:
    folder = written(tmp_path / "v2", lores="version: 1\n\nx", risk="no version", fairness="version: 1\n\nfair")

    with pytest.raises(InvalidFileError) as caught:
        read_versions([folder])
    assert [(Path(fault.file).name, fault.fix or fault.message) for fault in caught.value.faults] == [
        ("lores.md", "did you mean 'lore'?"),
        ("risk.md", "see agents/prompts for how they begin"),
    ]


@pytest.mark.parametrize(("files", "told"), [(None, "is no directory of prompts"), ({}, "holds no prompt file")])
def test_a_folder_that_holds_nothing_is_refused(tmp_path: Path, files: dict[str, str] | None, told: str) -> None:
    folder = tmp_path / "v2" if files is None else written(tmp_path / "v2")

    with pytest.raises(NotEnoughError, match=told):
        read_versions([folder])


def test_a_version_named_twice_is_refused_and_two_of_one_name_are_told_apart(tmp_path: Path) -> None:
    first = written(tmp_path / "a" / "v", lore="version: 2\n\nA")
    second = written(tmp_path / "b" / "v", lore="version: 2\n\nB")

    with pytest.raises(NotEnoughError, match="named twice"):
        read_versions([first, first])
    assert [version.name for version in read_versions([first, second])] == ["a/v", "b/v"]


def test_six_cases_lost_and_none_won_are_evidence_alone_and_not_among_three() -> None:
    """Exact McNemar: 2 * 1 / 2^6 = 0.03125. Holm with three comparisons makes it 0.09375."""
    worse = cell("worse", marked("------++++"))
    first, same = cell("first", marked("++++++++++")), cell("same", marked("++++++++++"))

    alone = matrix_of([first, worse]).standings[0]
    assert (alone.corrected, alone.is_different) == (0.03125, True)
    among = matrix_of([first, worse, same, same]).standings[0]
    assert (among.corrected, among.is_different) == (0.09375, False)


def test_holm_multiplies_each_p_value_by_how_many_are_left_and_never_falls() -> None:
    """p of 6, 7 and 8 flips one way: 2/64, 2/128, 2/256. Holm: 8 flips x 3, 7 flips x 2, 6 flips x 1, all below 1."""
    first = cell("first", marked("+" * 10))
    cells = [cell(str(lost), marked("-" * lost + "+" * (10 - lost))) for lost in (6, 7, 8)]

    found = [standing.corrected for standing in matrix_of([first, *cells]).standings]
    assert found == [2 / 64, 2 * 2 / 128, 3 * 2 / 256]


def test_the_best_has_the_fewest_unsafe_approvals_before_it_has_the_most_right() -> None:
    """Two wrong and safe beat one wrong that approved what should have been rejected."""
    unsafe, held = cell("unsafe", marked("-+++")), cell("held", marked("~~++"))

    assert matrix_of([unsafe, held]).best == 1


def test_of_equals_the_first_is_the_best() -> None:
    assert matrix_of([cell("one", marked("++")), cell("two", marked("++"))]).best == 0


def test_votes_lost_to_a_bad_form_are_counted_apart_from_those_lost_to_silence() -> None:
    votes = (
        vote("lore", "reject"), vote("risk", None, "off_schema"), vote("fairness", None, "unparsed"),
        vote("governor", None, "timeout"),
    )  # fmt: skip
    found = matrix_of([cell("one", run_of([result("a", votes=votes, picodollars=10**9, model_calls=4)]))]).figures[0]

    assert (found.unreadable, found.silent, found.votes) == (2, 1, 4)
    assert (found.cost_usd, found.model_calls) == (Fraction(1, 1000), 4)


def test_accuracy_stands_per_axis_and_an_axis_without_cases_has_none() -> None:
    results = [result("a", axis="balance"), result("b", "approve", axis="balance"), result("c", axis="exploit")]
    found = matrix_of([cell("one", run_of(results))]).figures[0]

    balance, exploit = found.by_axis["balance"], found.by_axis["exploit"]
    assert balance is not None
    assert exploit is not None
    assert (balance.estimate, exploit.estimate, found.by_axis["coherence"]) == (0.5, 1.0, None)


def test_a_combination_that_judged_nothing_is_last_and_compared_with_nothing() -> None:
    broken, sound = cell("broken", run_of([result("a", None)])), cell("sound", run_of([result("a", "approve")]))
    matrix = matrix_of([broken, sound])

    assert matrix.best == 1
    assert matrix.figures[0].unjudged == 1
    assert (matrix.standings[0].change, matrix.standings[0].corrected) == (None, None)


def test_a_matrix_of_nothing_is_refused() -> None:
    with pytest.raises(NotEnoughError):
        matrix_of([])

"""Votes of other juries: CSV to jury, jury to a recorded set and back (issue 4, item 10)."""

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from evals.csv_rows import MAX_FAULTS, Complaints, read_rows
from evals.errors import EvalsError, InvalidFileError
from evals.foreign_votes import SAME, read_mapping, read_votes
from evals.jury import Ballot, Jury, JuryItem
from evals.jury_files import RecordedJury, jury_from_lines, jury_lines, read_jury, read_recorded_jury, write_jury
from policies.verdicts import VERDICTS

LLMBAR = Path(__file__).parents[3] / "examples" / "jury" / "llmbar_natural_votes.csv"
TWO = read_mapping("1=approve,2=reject")
SMALL = b"item,member,vote,label\na,x,1,1\na,y,,1\nb,x,2,\nb,y,1,\n"


def votes(text: str, mapping: str = "1=approve,2=reject") -> Jury:
    return read_votes(text.encode(), "votes.csv", read_mapping(mapping), "a test")


def faults(text: str, mapping: str = "1=approve,2=reject") -> list[str]:
    with pytest.raises(InvalidFileError) as caught:
        votes(text, mapping)
    return [str(fault) for fault in caught.value.faults]


def test_rows_become_items_with_their_votes_abstentions_and_labels() -> None:
    assert read_votes(SMALL, "votes.csv", TWO, "a test") == Jury(
        ("x", "y"),
        (
            JuryItem("a", "", {"x": Ballot("approve"), "y": Ballot(None)}, None, "approve"),
            JuryItem("b", "", {"x": Ballot("reject"), "y": Ballot("approve")}, None, None),
        ),
        "a test",
    )


def test_confidence_and_class_are_read_where_they_stand() -> None:
    """0.8335 is 833.5 permille: halves go to the even neighbour, 834."""
    (item,) = votes("item,member,vote,label,confidence,class\na,x,1,1,0.8335,reasoning\na,y,2,1,,reasoning\n").items
    assert item.decision_class == "reasoning"
    assert item.ballots == {"x": Ballot("approve", 834), "y": Ballot("reject", 1000)}


def test_verdicts_need_no_mapping() -> None:
    (item,) = read_votes(b"item,member,vote,label\na,x,quarantine,modify\n", "votes.csv", SAME, "").items
    assert (item.ballots["x"].verdict, item.label) == ("quarantine", "modify")


def test_the_published_votes_import_whole() -> None:
    """600 rows, 100 items, six judges. Counted in the file without us: `grep -c ',GPT-4,,'` gives 5 abstentions of GPT-4, and
    `tr -d '\\r' | awk -F, '$2=="GPT-4" && $3!="" && $3==$4'` finds 93 right among its other 95."""
    jury = read_votes(LLMBAR.read_bytes(), LLMBAR.name, TWO, "LLMBar")
    assert jury.members == ("ChatGPT", "ChatGPT-0301", "Falcon", "GPT-4", "LLaMA2", "PaLM2")
    assert len(jury.items) == len(jury.labelled) == 100
    assert sum(len(item.ballots) for item in jury.items) == 600
    gpt = [(item.ballots["GPT-4"].verdict, item.label) for item in jury.items]
    assert sum(verdict is None for verdict, _ in gpt) == 5
    assert sum(verdict == label for verdict, label in gpt) == 93


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (
            "item,member,vote,label\na,x,1,1\na,y,3,1\n",
            "votes.csv:3: vote: '3' stands for no verdict; mapped are 1=approve, 2=reject; give all with --map",
        ),
        (
            "item,member,vote,label\na,x,1,1\na,x,2,1\n",
            "votes.csv:3: member: 'x' has voted on 'a' on line 2 already; keep one vote of a member and item",
        ),
        (
            "item,member,vote,label\na,x,1,1\na,y,2,2\n",
            "votes.csv:3: label: '2' where line 2 says '1' of the same item; give every row of an item one label",
        ),
        (
            "item,member,vote,label,class\na,x,1,1,p\na,y,2,1,q\n",
            "votes.csv:3: class: 'q' where line 2 says 'p' of the same item; give every row of an item one class",
        ),
        (
            "item,member,vote,label,confidence\na,x,1,1,85\n",
            "votes.csv:2: confidence: '85' is no share of one; write a number from 0 to 1, such as 0.85",
        ),
        (
            "item,member,vote,label,confidence\na,x,1,1,1/0\n",
            "votes.csv:2: confidence: '1/0' is no share of one; write a number from 0 to 1, such as 0.85",
        ),
        ("item,member,vote,label\na,,1,1\n", "votes.csv:2: member: is empty; name the member"),
        (
            "item,member,vote,lable\na,x,1,1\n",
            "votes.csv:1: lable: is no column of such a file; did you mean 'label'?",
        ),
        (
            "item,member,vote\na,x,1\n",
            "votes.csv:1: label: the column is missing; begin with the header line item,member,vote,label",
        ),
        ("item,member,vote,label,label\n", "votes.csv:1: label: is a column twice; keep one of them"),
        ("item;member;vote;label\n", "votes.csv:1: has no commas; separate the columns by commas"),
        (
            "item,member,vote,label\na,x,1\n",
            "votes.csv:2: has 3 fields where the header has 4; write a text that holds a comma in double quotes",
        ),
        ("", "votes.csv: holds no rows; begin with the header line item,member,vote,label"),
    ],
)
def test_what_is_wrong_is_named_with_line_and_fix(text: str, told: str) -> None:
    assert told in faults(text)


def test_every_fault_is_told_at_once_and_a_repeated_one_once() -> None:
    found = faults("item,member,vote,label\na,x,7,1\na,y,7,1\nb,x,1,\nb,x,1,\n")
    assert found == [
        "votes.csv:2: vote: '7' stands for no verdict (and on 1 more lines); mapped are 1=approve, 2=reject; give all with --map",
        "votes.csv:5: member: 'x' has voted on 'b' on line 4 already; keep one vote of a member and item",
    ]


def test_a_file_of_another_kind_is_not_complained_of_line_by_line() -> None:
    rows = "".join([f"item {number},x,{number + 10},\n" for number in range(500)])
    found = faults(f"item,member,vote,label\n{rows}")
    assert len(found) == MAX_FAULTS + 1
    assert found[-1] == f"votes.csv: and {500 - MAX_FAULTS} more faults; put the first ones right"


def test_lines_are_counted_where_a_text_goes_over_several() -> None:
    rows = read_rows(b'\xef\xbb\xbfa,b\r\n"one\ntwo",x\r\n\r\ny,"z, ""z"""\r\n', Complaints("f.csv"), ("a", "b"))
    assert [(row.line, dict(row.fields)) for row in rows] == [
        (2, {"a": "one\ntwo", "b": "x"}),
        (5, {"a": "y", "b": 'z, "z"'}),
    ]


@pytest.mark.parametrize(
    ("data", "told"),
    [
        (b"a,b\n\xff,x\n", "f.csv:2: is not UTF-8; save it as UTF-8"),
        (b'a,b\n"one,x\n', "f.csv:2: is not CSV: unexpected end of data"),
    ],
)
def test_bytes_that_are_no_csv_are_refused(data: bytes, told: str) -> None:
    complaints = Complaints("f.csv")
    with pytest.raises(InvalidFileError) as caught:
        read_rows(data, complaints, ("a", "b"))
        complaints.finish()
    assert told in str(caught.value)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("1", "'1' maps nothing; write 1=approve,2=reject"),
        ("=approve", "maps nothing"),
        ("1=aprove", "'aprove' is no verdict; did you mean 'approve'?"),
        ("1=approve,1=reject", "the vote '1' is mapped twice; keep one of them"),
    ],
)
def test_a_mapping_that_maps_nothing_is_refused(text: str, told: str) -> None:
    with pytest.raises(EvalsError) as caught:
        read_mapping(text)
    assert told in str(caught.value)


def test_several_votes_may_stand_for_one_verdict() -> None:
    assert read_mapping("A=approve, tie=modify, a=b=reject") == {"A": "approve", "tie": "modify", "a=b": "reject"}


_VERDICTS = st.one_of(st.none(), st.sampled_from(VERDICTS))
_NAMES = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)


@st.composite
def _juries(draw: st.DrawFn) -> RecordedJury:
    members = draw(st.lists(_NAMES, unique=True, max_size=4))
    items = [
        JuryItem(
            draw(_NAMES),
            draw(_NAMES),
            {member: Ballot(draw(_VERDICTS), draw(st.integers(0, 1000))) for member in members if draw(st.booleans())},
            draw(_VERDICTS),
            draw(_VERDICTS),
        )
        for _ in range(draw(st.integers(0, 4)))
    ]
    mapping = draw(st.dictionaries(_NAMES, st.sampled_from(VERDICTS), max_size=3))
    return RecordedJury(Jury(tuple(members), tuple(items), draw(_NAMES)), mapping)


@given(_juries())
def test_a_recorded_set_comes_back_as_it_was(recorded: RecordedJury) -> None:
    assert jury_from_lines(jury_lines(recorded), "set.jsonl") == recorded


def test_a_set_is_written_whole_and_read_from_its_file(tmp_path: Path) -> None:
    recorded = RecordedJury(read_votes(SMALL, "votes.csv", TWO, "a test"), TWO)
    write_jury(tmp_path / "set.jsonl", recorded)
    assert [path.name for path in tmp_path.iterdir()] == ["set.jsonl"]
    assert read_recorded_jury(tmp_path / "set.jsonl") == recorded
    assert read_jury(tmp_path / "set.jsonl") == recorded.jury
    with pytest.raises(EvalsError, match="cannot write"):
        write_jury(tmp_path / "none" / "set.jsonl", recorded)
    with pytest.raises(EvalsError, match="cannot read"):
        read_jury(tmp_path / "none.jsonl")


SET = jury_lines(RecordedJury(read_votes(SMALL, "votes.csv", TWO, "a test"), TWO))


@pytest.mark.parametrize(
    ("lines", "told"),
    [
        (SET[:-1], "set.jsonl:3: the set was cut off: no end line follows"),
        ([SET[0], *SET[2:]], "set.jsonl:3: items: the end line counts 2, the file has 1"),
        ([*SET, b"rubbish"], "set.jsonl:5: is not JSON"),
        ([*SET, b"[]"], "set.jsonl:5: is no JSON object"),
        ([], "set.jsonl:1: kind: is no header of a recorded set"),
        ([SET[0].replace(b"jury/1", b"jury/2"), *SET[1:]], "set.jsonl:1: schema: 'council.jury/2' is the format of"),
        ([SET[0].replace(b'["x","y"]', b'"xy"'), *SET[1:]], "set.jsonl:1: members: must be a list of names"),
        ([SET[0].replace(b'"approve"', b'"yes"'), *SET[1:]], "set.jsonl:1: mapping: must say which verdict"),
        ([SET[0].replace(b'"a test"', b"1"), *SET[1:]], "set.jsonl:1: source: must be a text"),
        ([SET[0].replace(b'["x","y"]', b'["x"]'), *SET[1:]], "set.jsonl:2: votes.y: is no member of this set"),
        ([SET[0], SET[1].replace(b'"item":"a"', b'"item":1'), *SET[2:]], "set.jsonl:2: item: is no text"),
        (
            [SET[0], SET[1].replace(b'"label":"approve"', b'"label":"yes"'), *SET[2:]],
            "set.jsonl:2: label: is no verdict",
        ),
        ([SET[0], SET[1].replace(b'"class":""', b'"klass":""'), *SET[2:]], "set.jsonl:2: is no item"),
        ([SET[0], SET[1].replace(b"1000", b"1001", 1), *SET[2:]], "set.jsonl:2: votes.x.confidence: is no permille"),
        ([SET[0], SET[1].replace(b'{"verdict":null', b'{"vote":null'), *SET[2:]], "set.jsonl:2: votes.y: is no vote"),
    ],
)
def test_a_spoiled_set_is_named_with_its_line(lines: list[bytes], told: str) -> None:
    with pytest.raises(InvalidFileError) as caught:
        jury_from_lines(lines, "set.jsonl")
    assert str(caught.value).startswith(told)
    assert "council eval import" in str(caught.value)
